"""Compares `polymath forward` with Transformers on random checkpoints: any class, config, dialect and inputs per seed.

    python recipes/compare_forward.py [FIRST [LAST]] [--only PART] [--keep FOLDER]   # seeds; under either version

Prints each difference with the config that shows it; an answer of Transformers that rounding decides does not count.
"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from common import MAJOR, TOLERANCE, distance, forward, randomize, read_json, write_json
from forward_specs import _ACTIVATIONS
from record_dialects import save_bin, shard

PROGRAM = Path(os.environ.get("POLYMATH", Path(__file__).resolve().parent.parent / "build" / "polymath"))
FAMILIES = {"Bert": "bert", "Roberta": "roberta", "XLMRoberta": "roberta", "Camembert": "roberta",
            "DistilBert": "distilbert", "Electra": "electra", "Albert": "albert", "MPNet": "mpnet",
            "DebertaV2": "deberta", "ModernBert": "model"}
SEQ2SEQ = {"Bart": "model", "M2M100": "model", "MBart": "model", "MT5": "transformer", "Marian": "model", "Pegasus": "model", "T5": "transformer"}
FAMILIES |= SEQ2SEQ
ACTS = _ACTIVATIONS + (["hardswish"] if MAJOR == 5 else [])
CLASSES = {p: [n for n in dir(transformers) if re.fullmatch(p + r"(Model|LMHeadModel|MTModel|EncoderModel|For(?!mer)[A-Z]\w+)", n)
               and not n.endswith("Output") and not (p in SEQ2SEQ and n.endswith("ForCausalLM"))] for p in FAMILIES}


def random_config(r, prefix):
    """Fields that change the arithmetic, each at its default now and then."""
    pick = r.choice

    def some(field, *values, often=0.5):
        if r.random() < often:
            config[field] = pick(values)

    if prefix in SEQ2SEQ:
        config = random_seq2seq(r, prefix)
        some("num_labels", 1, 2, 3, 7)
        return config
    heads = pick([1, 2, 3, 4, 5, 12])
    d = heads * pick([2, 4, 6, 8] if prefix == "ModernBert" else [1, 2, 3, 5, 8, 17])
    layers = pick([1, 1, 2, 2, 3, 5])
    config = dict(vocab_size=pick([17, 33, 64, 101]), hidden_size=d, num_attention_heads=heads,
                  intermediate_size=pick([1, 7, 16, 37, 64]), num_hidden_layers=layers,
                  max_position_embeddings=pick([30, 48, 77]))
    if prefix not in ("ModernBert", "DistilBert"):
        some("layer_norm_eps", 1e-12, 1e-7, 1e-5, 1e-3, 0.1)
        some("hidden_act", *ACTS)
    some("tie_word_embeddings", False, often=0.2)
    some("pad_token_id", 0, 1, 3, 7, 16, often=0.6)
    if prefix not in ("MPNet", "DebertaV2", "ModernBert", "DistilBert"):
        some("type_vocab_size", 1, 2, 3, 5)
        if prefix != "Albert":
            some("is_decoder", True, often=0.15)
        if MAJOR == 4:
            some("position_embedding_type", "absolute", "relative_key", "relative_key_query", often=0.3)
    if prefix in ("Electra", "Albert", "DebertaV2"):
        some("embedding_size", d, 3, 20, often=0.9 if prefix != "DebertaV2" else 0.3)
    if prefix == "Electra":
        some("summary_type", "first", "last", "mean", "cls_index")
        some("summary_use_proj", False, often=0.3)
        some("summary_activation", "gelu", "tanh", None)
    if prefix == "Albert":
        config["num_hidden_groups"] = pick([g for g in (1, 2, 3) if g <= layers])
        some("inner_group_num", 1, 2, often=0.4 if MAJOR == 5 else 0)
    if prefix == "DistilBert":
        config = dict(vocab_size=config["vocab_size"], dim=d, n_heads=heads, hidden_dim=config["intermediate_size"],
                      n_layers=layers, max_position_embeddings=config["max_position_embeddings"],
                      pad_token_id=config.get("pad_token_id", 0),
                      tie_word_embeddings=config.get("tie_word_embeddings", True))
        some("activation", "gelu", "relu", *ACTS)
        some("sinusoidal_pos_embds", True)
    if prefix == "MPNet":
        some("relative_attention_num_buckets", 32, 32, 40, 64)
        config["pad_token_id"] = 1
    if prefix == "DebertaV2":
        config["relative_attention"] = r.random() < 0.8
        some("position_buckets", -1, 4, 6, 8, 10, 16)
        some("max_relative_positions", -1, 12, 20, 40)
        some("norm_rel_ebd", "layer_norm", "none", "LAYER_NORM | x")
        some("share_att_key", True, False)
        some("pos_att_type", [], ["c2p"], ["p2c"], ["p2c", "c2p"], "p2c|c2p", "C2P", "c2p | p2c", None, often=0.8)
        some("position_biased_input", True, False, often=0.6)
        some("type_vocab_size", 0, 1, 2, 3)
        some("pooler_hidden_act", *ACTS)
        some("legacy", False if MAJOR == 5 else True, often=0.4)
        if r.random() < 0.4:
            config["conv_kernel_size"] = pick([1, 3, 5, 7])
            some("conv_groups", 1, heads)
            some("conv_act", "tanh", "gelu", "relu")
    if prefix == "ModernBert":
        config.update(pad_token_id=config.get("pad_token_id", 3), bos_token_id=0, eos_token_id=1, cls_token_id=0,
                      sep_token_id=1)
        some("norm_eps", 1e-12, 1e-5, 1e-3, 0.1)
        some("hidden_activation", *ACTS)
        some("classifier_activation", *ACTS)
        some("classifier_pooling", "cls", "mean")
        for bias in ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias", "decoder_bias"):
            some(bias, True, False)
        some("local_attention", 2, 5, 8, 16, 128, often=0.8)
        if MAJOR == 4:
            some("global_attn_every_n_layers", 1, 2, 3, 4)
            some("global_rope_theta", 100.0, 5000.0)
            some("local_rope_theta", 10.0, 700.0, None)
        else:
            some("layer_types", [pick(["full_attention", "sliding_attention"]) for _ in range(layers)])
            some("rope_parameters", {kind: random_rope(r) for kind in ("full_attention", "sliding_attention")})
    if r.random() < 0.5:
        n = pick([1, 2, 3, 7])
        config["num_labels"] = n
    return config


def random_seq2seq(r, prefix):
    pick, config = r.choice, {}

    def some(field, *values, often=0.5):
        if r.random() < often:
            config[field] = pick(values)

    heads = pick([1, 2, 3, 4, 6])
    some("tie_word_embeddings", False, often=0.3)
    some("decoder_start_token_id", 0, 2, 5, often=0.7)
    some("eos_token_id", 1, 2, 9)
    some("pad_token_id", 0, 1, 3, 7, 16, often=0.8)
    if prefix.endswith("T5"):
        config |= dict(vocab_size=pick([17, 33, 64, 101]), d_model=pick([4, 7, 12, 20, 33]), d_kv=pick([1, 3, 5, 8, 17]), d_ff=pick([1, 7, 16, 37]), num_heads=heads,
                       num_layers=pick([1, 2, 3]))
        some("num_decoder_layers", 1, 2, 3)
        some("relative_attention_num_buckets", 4, 5, 8, 13, 32)
        some("relative_attention_max_distance", 17, 20, 40, 300)
        some("layer_norm_epsilon", 1e-12, 1e-5, 1e-3, 0.1)
        some("feed_forward_proj", "relu", "gelu", "gated-gelu", "gated-silu", "gated-relu", *ACTS, often=0.8)
        return config
    d = heads * pick([2, 4, 6, 8])
    config |= dict(vocab_size=pick([17, 33, 64, 101]), d_model=d, encoder_layers=pick([1, 2, 3]), decoder_layers=pick([1, 2, 3]), encoder_attention_heads=heads,
                   decoder_attention_heads=pick([1, 2, heads]), encoder_ffn_dim=pick([1, 7, 16, 37]), decoder_ffn_dim=pick([1, 7, 16, 37]),
                   max_position_embeddings=pick([38, 48, 77]))
    config["pad_token_id"] = config.get("pad_token_id", 1)  # Marian's own is beyond a small vocabulary
    config["decoder_start_token_id"] = config.get("decoder_start_token_id", 2)
    some("scale_embedding", True, False)
    some("activation_function", *ACTS)
    if prefix == "Marian":
        some("share_encoder_decoder_embeddings", False, often=0.4)
        if not config.get("share_encoder_decoder_embeddings", True):
            some("decoder_vocab_size", 19, 70)
    return config


def add_target(r, g, cls, inputs, config):
    """Decoder ids of any length, and a mask, or neither."""
    b, n = inputs["input_ids"].shape
    if cls.endswith("SequenceClassification"):
        inputs["input_ids"] = torch.where(inputs["input_ids"] == config.eos_token_id, torch.full_like(inputs["input_ids"], 12), inputs["input_ids"])
        for row in inputs["input_ids"]:
            row[r.randrange(n)] = config.eos_token_id
    if cls.endswith(("EncoderModel", "TokenClassification")) or r.random() < 0.2:
        return
    m = n if cls.endswith("SequenceClassification") and r.random() < 0.9 else r.choice([1, 2, 6, 13, 17, n])
    inputs["decoder_input_ids"] = torch.randint(0, getattr(config, "decoder_vocab_size", config.vocab_size), (b, m), generator=g)
    if r.random() < 0.5:
        inputs["decoder_attention_mask"] = (torch.rand((b, m), generator=g) > 0.3).long()


def random_rope(r):
    rope = {"rope_type": "default", "rope_theta": r.choice([10.0, 500.0, 10000.0, 160000.0])}
    kind = r.choice(["default", "default", "linear", "yarn", "llama3", "dynamic"])
    if kind == "linear":
        rope |= {"rope_type": kind, "factor": r.choice([1.0, 2.0, 3.5])}
    if kind == "dynamic":
        rope |= {"rope_type": kind, "factor": r.choice([1.0, 2.0])}
    if kind == "yarn":
        rope |= {"rope_type": kind, "factor": r.choice([1.0, 4.0]), "original_max_position_embeddings": 16}
        if r.random() < 0.3:
            rope |= {"beta_fast": 16, "beta_slow": 2}
        if r.random() < 0.3:
            rope |= {"attention_factor": 0.7}
        if r.random() < 0.3:
            rope |= {"mscale": 0.7, "mscale_all_dim": 0.4}
        if r.random() < 0.3:
            rope |= {"truncate": False}
    if kind == "llama3":
        rope |= {"rope_type": kind, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                 "original_max_position_embeddings": 16}
    return rope


def random_inputs(r, g, prefix, cls, model, config):
    most = getattr(config, "max_position_embeddings", 38)
    longest = min(29, most - 9)
    b, n = r.choice([1, 1, 2, 3, 5]), r.choice([1, 2, 5, 9, 16, 17, longest])
    n = min(n, longest)
    shape = (b, r.choice([1, 2, 4]), n) if cls.endswith("MultipleChoice") else (b, n)
    ids = torch.randint(0, config.vocab_size, shape, generator=g)
    inputs = {"input_ids": ids}
    kind = r.choice(["none", "ones", "right", "left", "holes", "holes"])
    pad = config.pad_token_id if isinstance(config.pad_token_id, int) else 0
    if kind != "none":
        mask = torch.ones(shape, dtype=torch.long)
        length = torch.randint(1, n + 1, shape[:-1], generator=g)[..., None]
        column = torch.arange(n).expand(shape)
        if kind == "right":
            mask = (column < length).long()
        if kind == "left":
            mask = (column >= n - length).long()
        if kind == "holes":
            mask = (torch.rand(shape, generator=g) > 0.4).long()
            mask[..., r.randrange(n)] = 1
        if kind != "ones" and r.random() < 0.8:
            inputs["input_ids"] = torch.where(mask.bool(), ids, torch.full_like(ids, pad))
        inputs["attention_mask"] = mask
    if prefix in SEQ2SEQ:
        add_target(r, g, cls, inputs, config)
        return inputs
    segments = getattr(config, "type_vocab_size", 0)
    if segments and r.random() < 0.7 and prefix not in ("DistilBert", "MPNet", "ModernBert"):
        inputs["token_type_ids"] = torch.randint(0, segments, shape, generator=g)
    if r.random() < 0.2 and not (prefix == "DistilBert" and (MAJOR == 4 or len(shape) == 3)):
        inputs["position_ids"] = torch.randint(0, most - 1, shape, generator=g)
        if prefix == "ModernBert" and r.random() < 0.5:
            inputs["position_ids"] = torch.arange(n).expand(shape).contiguous()
    if r.random() < 0.3:
        inputs = {k: v.to(torch.int32) if k != "attention_mask" or r.random() < 0.5 else v for k, v in inputs.items()}
    return inputs


def rewrite_folder(r, folder, prefix, cls):
    """The same checkpoint as other tools or older versions write it; says how."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    how = []
    if r.random() < 0.15:
        kind = r.choice([torch.bfloat16, torch.float16])
        tensors = {k: v.to(kind) for k, v in tensors.items()}
        how.append(str(kind))
    if r.random() < 0.15:
        old = {k: k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
               for k in tensors}
        tensors = {old[k]: v for k, v in tensors.items()}
        how.append("gamma")
    base = FAMILIES[prefix] + "."
    if cls.endswith("Model") and not cls.endswith(("HeadModel", "MTModel")) and r.random() < 0.3:
        tensors = {base + k: v for k, v in tensors.items()}
        if r.random() < 0.5:
            tensors["classifier.weight"] = torch.ones(2, 3)
        how.append("prefix added")
    elif r.random() < 0.1 and all(k.startswith(base) or "." in k for k in tensors):
        kept = {k.removeprefix(base): v for k, v in tensors.items()}
        if len(kept) == len(tensors) and MAJOR == 4:
            tensors = kept
            how.append("prefix removed")
    save_file({k: v.contiguous() for k, v in tensors.items()}, path, metadata={"format": "pt"})
    style = r.choice(["plain"] * 5 + ["bin", "legacy", "sharded", "bin sharded"])
    how.append(style)
    if style in ("bin", "legacy"):
        save_bin(folder, tensors, **({"_use_new_zipfile_serialization": False} if style == "legacy" else {}))
    if style == "sharded":
        shard(folder, tensors, "model-{:05d}-of-{:05d}.safetensors",
              lambda part, p: save_file({k: v.contiguous() for k, v in part.items()}, p, metadata={"format": "pt"}))
    if style == "bin sharded":
        shard(folder, tensors, "pytorch_model-{:05d}-of-{:05d}.bin", torch.save)
    config = read_json(folder / "config.json")
    if r.random() < 0.3:
        for key in r.sample(sorted(config), k=min(3, len(config))):
            if key not in ("model_type", "architectures", "torch_dtype", "dtype"):
                del config[key]
                how.append("no " + key)
    if r.random() < 0.2 and "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    write_json(folder / "config.json", config)
    return how


def one(seed, folder, only, counts):
    r = random.Random(seed)
    prefix = r.choice(sorted(FAMILIES))
    cls = r.choice(CLASSES[prefix])
    if only and only not in cls:
        return None
    fields = random_config(r, prefix)
    if "QuestionAnswering" in cls:
        fields.pop("num_labels", None)
    about = f"seed {seed} {cls} {json.dumps(fields)}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        kind = getattr(transformers, cls)
        config = kind.config_class(**fields)
        torch.manual_seed(seed)
        model = randomize(kind(config), str(seed), gain=r.choice([0.7, 1.0, 1.3]))
        model.tie_weights()
        if hasattr(model, "final_logits_bias"):
            model.final_logits_bias.normal_()
        head = getattr(getattr(model, "cls", model), "predictions", None) or getattr(model, "lm_head", None)
        if hasattr(head, "decoder") and hasattr(head, "bias") and head.decoder.bias is not None:
            with torch.no_grad():
                head.decoder.bias.copy_(head.bias)
        model.save_pretrained(folder)
    except Exception as error:
        counts["no such model"] += 1
        return None
    how = rewrite_folder(r, folder, prefix, cls)
    about += " " + ", ".join(how)
    g = torch.Generator().manual_seed(seed)
    wanted = True
    try:
        model = kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
        model, info = kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32,
                                           output_loading_info=True)
        if info["missing_keys"] or info["mismatched_keys"]:
            wanted = False
        model.eval()
    except Exception as error:
        wanted = False
    inputs = random_inputs(r, g, prefix, cls, model, model.config)
    save_file(inputs, folder / "in.safetensors")
    about += " | " + ", ".join(f"{k} {list(v.shape)}" for k, v in inputs.items())
    run = subprocess.run([PROGRAM, "forward", folder, folder / "in.safetensors", "-o", folder / "out.safetensors"],
                         capture_output=True, text=True)
    if run.returncode not in (0, 1) or (run.returncode and not run.stderr.startswith("polymath: error: ")):
        return f"{about}: exit {run.returncode} {run.stderr}"
    if not wanted:
        counts["weights missing, " + ("answered" if run.returncode == 0 else "refused")] += 1
        return None
    full = {k: v.long() for k, v in inputs.items()}
    if "attention_mask" not in full and cls in ("ModernBertForMultipleChoice",):
        full["attention_mask"] = torch.ones_like(full["input_ids"])
    try:
        want = forward(model, full)
    except Exception as error:
        if run.returncode == 0:
            return f"{about}: answered, but Transformers raises {type(error).__name__}: {str(error)[:200]}"
        counts["errors in both"] += 1
        return None
    if run.returncode:
        return f"{about}: {run.stderr.strip()}"
    got = load_file(folder / "out.safetensors")
    if list(sorted(got)) != sorted(want):
        return f"{about}: writes {sorted(got)}, not {sorted(want)}"
    for key in want:
        if got[key].shape != want[key].shape:
            return f"{about}: {key} is {list(got[key].shape)}, not {list(want[key].shape)}"
    if not all(torch.isfinite(v).all() for v in want.values()):
        counts["not finite"] += 1
        return None
    off = distance(got, want)
    if off <= TOLERANCE:
        counts[prefix] += 1
        return None
    exact = forward(model.double(), full)
    if distance(want, exact) > TOLERANCE / 4:
        counts["ill conditioned"] += 1
        if distance(got, exact) < 4 * distance(want, exact):
            return None
    return f"{about}: {off:.1e} away (from float64: {distance(got, exact):.1e}, Transformers {distance(want, exact):.1e})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    a = parser.parse_args()
    counts, bad = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(a.first, a.last if a.last is not None else a.first + 1):
            wrong = one(seed, Path(a.keep or scratch) / "checkpoint", a.only, counts)
            if wrong:
                bad += 1
                print(wrong, flush=True)
    print(f"{transformers.__version__}: {bad} differences;", dict(counts))
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
