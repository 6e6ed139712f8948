"""Records tests/golden/forward/dialect-*: the same kind of checkpoint in the many shapes that are met in the wild.

    python recipes/record_dialects.py [NAME...]     # under the newest Transformers

Each dialect is an ordinary tiny checkpoint rewritten as older tools wrote it. Its answers are recorded from the
rewritten folder and have to equal the ordinary folder's (but for half precision, which rounds the weights).
"""

import collections
import json
import shutil
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file

from common import (GOLDEN, TOLERANCE, distance, edit_json, forward, generator, load_model, randomize, read_json,
                    save_case, seed_of, steady)
from forward_inputs import make_cases, with_targets
from decoder_specs import DECODERS
from forward_specs import FAMILIES

DIALECTS = {}


def dialect(kind, cls, exact=True, load_as=None, **config):
    def add(rewrite):
        name = "dialect-" + rewrite.__name__.replace("_", "-")
        DIALECTS[name] = (kind, cls, config, exact, load_as, rewrite)
        return rewrite
    return add


def weights(folder):
    return load_file(folder / "model.safetensors")


def rewrite(folder, tensors):
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})


def save_bin(folder, tensors, **how):
    torch.save(collections.OrderedDict(tensors), folder / "pytorch_model.bin", **how)
    (folder / "model.safetensors").unlink()


def shard(folder, tensors, pattern, save, count=3):
    names = sorted(tensors)
    where = {}
    for i in range(count):
        part = {n: tensors[n] for n in names[i::count]}
        file = pattern.format(i + 1, count)
        save(part, folder / file)
        where |= dict.fromkeys(part, file)
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    index = pattern.split("-")[0] + pattern[pattern.rindex("."):] + ".index.json"
    (folder / "model.safetensors").unlink()
    (folder / index).write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": where}, indent=1))


def positions(n):
    return torch.arange(n)[None]


@dialect("bert", "BertForPreTraining", load_as="BertForMaskedLM")
def gamma_beta(folder):
    """The first BERT files: gamma and beta, a position_ids buffer, a pooler and a second head that nobody asked for,
    no copy of the tied decoder."""
    def old(key):
        return key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    tensors = {old(k): v for k, v in weights(folder).items() if ".decoder." not in k}
    assert any("seq_relationship" in k for k in tensors)
    rewrite(folder, tensors | {"bert.embeddings.position_ids": positions(40)})
    edit_json(folder / "config.json", architectures=["BertForMaskedLM"])


@dialect("bert", "BertForSequenceClassification", load_as="BertModel")
def base_from_head(folder):
    edit_json(folder / "config.json", architectures=["BertModel"])


@dialect("roberta", "RobertaForMaskedLM", load_as="RobertaModel", add_pooling_layer=False)
def base_from_masked_lm(folder):
    """A masked LM's file has no pooler; the base model's pooled output is then random and not recorded."""
    edit_json(folder / "config.json", architectures=["RobertaModel"])


@dialect("roberta", "RobertaForMaskedLM")
def decoder_bias_only(folder):
    tensors = weights(folder)
    tensors["lm_head.decoder.bias"] = tensors["lm_head.bias"].clone()
    tensors["lm_head.decoder.weight"] = tensors["roberta.embeddings.word_embeddings.weight"].clone()
    tensors["roberta.embeddings.position_ids"] = positions(43)
    rewrite(folder, tensors)


@dialect("deberta-v2", "DebertaV2Model")
def no_architectures(folder):
    """As DeBERTa-v3's own files: no architectures, heads under other names, a prefix, pos_att_type as one string."""
    tensors = {"deberta." + k: v for k, v in weights(folder).items()}
    tensors["lm_predictions.lm_head.dense.weight"] = torch.ones(12, 12)
    tensors["mask_predictions.dense.weight"] = torch.ones(12, 12)
    tensors["deberta.embeddings.position_embeddings.weight"] = torch.ones(40, 12)
    tensors["deberta.embeddings.position_ids"] = positions(40)
    rewrite(folder, tensors)
    edit_json(folder / "config.json", architectures=None, pos_att_type="p2c|c2p", transformers_version=None, dtype=None,
              legacy=None)


@dialect("bert", "BertModel", layer_norm_eps=1e-12)
def bare_config(folder):
    """Only what the first config.json files held; everything else is the class's default."""
    keep = ["hidden_act", "hidden_size", "initializer_range", "intermediate_size", "max_position_embeddings",
            "num_attention_heads", "num_hidden_layers", "type_vocab_size", "vocab_size", "architectures", "model_type",
            "hidden_dropout_prob", "attention_probs_dropout_prob"]
    path = folder / "config.json"
    config = read_json(path)
    path.write_text(json.dumps({k: config[k] for k in keep}))


@dialect("bert", "BertForSequenceClassification", id2label={0: "no", 1: "maybe", 2: "yes"})
def v4_config(folder):
    edit_json(folder / "config.json", dtype=None, torch_dtype="float32", transformers_version="4.12.3", use_cache=True,
              position_embedding_type="absolute", gradient_checkpointing=False, output_past=True, finetuning_task="x",
              _name_or_path="somewhere/else", problem_type="single_label_classification")


@dialect("albert", "AlbertModel", num_hidden_layers=12)
def missing_sizes(folder):
    """What config.json leaves out is the class's default: twelve layers, embeddings of 128."""
    edit_json(folder / "config.json", num_hidden_layers=None)


@dialect("distilbert", "DistilBertModel")
def distilbert_other_names(folder):
    """The names that other models have for the same fields."""
    config = read_json(folder / "config.json")
    edit_json(folder / "config.json", dim=None, n_heads=None, n_layers=None, hidden_size=config["dim"],
              num_attention_heads=config["n_heads"], num_hidden_layers=config["n_layers"])


_EVERY_2 = ["full_attention", "sliding_attention", "full_attention", "sliding_attention"]


@dialect("modernbert", "ModernBertForMaskedLM", layer_types=_EVERY_2)
def modernbert_v4_config(folder):
    edit_json(folder / "config.json", dtype=None, torch_dtype="float32", transformers_version="4.48.0",
              layer_types=None, rope_parameters=None, global_attn_every_n_layers=2, global_rope_theta=5000.0,
              local_rope_theta=100.0, position_embedding_type="absolute", reference_compile=False,
              repad_logits_with_grad=False, gradient_checkpointing=False, tie_word_embeddings=None)


@dialect("modernbert", "ModernBertForTokenClassification", num_hidden_layers=7,
         layer_types=(["full_attention"] + ["sliding_attention"] * 2) * 2 + ["full_attention"],
         rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                          "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}})
def modernbert_defaults(folder):
    """Neither layer types nor thetas: every third layer is global, 160000 and 10000."""
    edit_json(folder / "config.json", layer_types=None, rope_parameters=None)


@dialect("bert", "BertForTokenClassification")
def bin_zip(folder):
    tensors = weights(folder)
    tensors["bert.embeddings.position_ids"] = positions(40)
    save_bin(folder, tensors)


@dialect("bert", "BertForTokenClassification")
def bin_legacy(folder):
    save_bin(folder, weights(folder), _use_new_zipfile_serialization=False)


@dialect("albert", "AlbertForMaskedLM")
def bin_views(folder):
    """Tensors that share a storage, start inside one, are transposed, or are Parameters; a metadata attribute."""
    tensors = weights(folder)
    table = "albert.embeddings.word_embeddings.weight"
    tensors["predictions.decoder.weight"] = tensors[table]
    tensors["predictions.decoder.bias"] = tensors["predictions.bias"]
    for key in tensors:
        if "attention.dense.weight" in key:
            tensors[key] = tensors[key].t().contiguous().t()
        elif "attention.key.weight" in key:
            tensors[key] = torch.cat([torch.ones(3, 20), tensors[key], torch.ones(2, 20)])[3:-2]
        elif "ffn.weight" in key:
            tensors[key] = torch.nn.Parameter(tensors[key])
    tensors = collections.OrderedDict(tensors)
    tensors._metadata = collections.OrderedDict({"": {"version": 1}})
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


@dialect("electra", "ElectraForPreTraining")
def bin_legacy_views(folder):
    tensors = weights(folder)
    for key in tensors:
        if "dense.weight" in key:
            tensors[key] = tensors[key].t().contiguous().t()
    save_bin(folder, tensors, _use_new_zipfile_serialization=False)


@dialect("distilbert", "DistilBertForQuestionAnswering", exact=False)
def bin_f16(folder):
    save_bin(folder, {k: v.half() for k, v in weights(folder).items()})
    edit_json(folder / "config.json", dtype=None, torch_dtype="float16")


@dialect("roberta", "RobertaForSequenceClassification", exact=False)
def bin_bf16_legacy(folder):
    save_bin(folder, {k: v.bfloat16() for k, v in weights(folder).items()}, _use_new_zipfile_serialization=False)


@dialect("roberta", "RobertaForTokenClassification")
def sharded(folder):
    shard(folder, weights(folder), "model-{:05d}-of-{:05d}.safetensors",
          lambda part, path: save_file(part, path, metadata={"format": "pt"}))


@dialect("mpnet", "MPNetForMaskedLM")
def bin_sharded(folder):
    shard(folder, weights(folder), "pytorch_model-{:05d}-of-{:05d}.bin", torch.save)


@dialect("electra", "ElectraForMaskedLM", exact=False)
def f16(folder):
    rewrite(folder, {k: v.half() for k, v in weights(folder).items()})
    edit_json(folder / "config.json", dtype=None, torch_dtype="float16")


@dialect("modernbert", "ModernBertForSequenceClassification", exact=False, num_hidden_layers=2,
         layer_types=["full_attention", "sliding_attention"])
def bf16(folder):
    rewrite(folder, {k: v.bfloat16() for k, v in weights(folder).items()})
    edit_json(folder / "config.json", dtype="bfloat16")


@dialect("albert", "AlbertModel", exact=False)
def mixed_dtypes(folder):
    kinds = [torch.float32, torch.float16, torch.bfloat16]
    rewrite(folder, {k: v.to(kinds[i % 3]) for i, (k, v) in enumerate(weights(folder).items())})


@dialect("bart", "BartForConditionalGeneration")
def bart_head_only(folder):
    """The one table under the head's name, the bias left out; sizes under the names of other models."""
    tensors = weights(folder)
    tensors["lm_head.weight"] = tensors.pop("model.shared.weight")
    tensors.pop("final_logits_bias")
    rewrite(folder, tensors)
    config = read_json(folder / "config.json")
    edit_json(folder / "config.json", d_model=None, encoder_layers=None, encoder_attention_heads=None, hidden_size=config["d_model"],
              num_hidden_layers=config["encoder_layers"], num_attention_heads=config["encoder_attention_heads"])


@dialect("bart", "BartForSequenceClassification", num_labels=3)
def bart_v4_bin(folder):
    """As BART's own files: all names of the one table, versions, labels by default, fields that nobody reads."""
    tensors = weights(folder)
    for side in ("encoder", "decoder"):
        tensors[f"model.{side}.embed_tokens.weight"] = tensors["model.shared.weight"]
        tensors[f"model.{side}.version"] = torch.tensor([3.0])
    save_bin(folder, tensors)
    edit_json(folder / "config.json", dtype=None, torch_dtype="float32", transformers_version="4.7.0", id2label=None, label2id=None, num_labels=None,
              add_final_layer_norm=False, normalize_before=False, static_position_embeddings=False, extra_pos_embeddings=2, num_hidden_layers=2,
              activation_function=None, scale_embedding=None, decoder_start_token_id=None, pad_token_id=None, eos_token_id=None)


@dialect("marian", "MarianMTModel")
def marian_bin(folder):
    """As OPUS-MT's files: tables of positions and all names of the words' table."""
    from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding
    tensors = weights(folder)
    config = read_json(folder / "config.json")
    for side in ("encoder", "decoder"):
        tensors[f"model.{side}.embed_tokens.weight"] = tensors["model.shared.weight"]
        table = MarianSinusoidalPositionalEmbedding(config["max_position_embeddings"], config["d_model"])
        tensors[f"model.{side}.embed_positions.weight"] = table.create_weight()
    tensors["lm_head.weight"] = tensors["model.shared.weight"]
    save_bin(folder, tensors)
    edit_json(folder / "config.json", static_position_embeddings=True, num_hidden_layers=2, share_encoder_decoder_embeddings=None, bad_words_ids=[[66]])


@dialect("m2m_100", "M2M100ForConditionalGeneration")
def m2m_100_defaults(folder):
    """What config.json leaves out: relu, scaled embeddings; the table under the decoder's name."""
    tensors = weights(folder)
    tensors["model.decoder.embed_tokens.weight"] = tensors.pop("model.shared.weight")
    rewrite(folder, tensors)
    edit_json(folder / "config.json", activation_function=None, scale_embedding=None, pad_token_id=None, tie_word_embeddings=None)


@dialect("t5", "T5ForConditionalGeneration", exact=False, feed_forward_proj="gated-gelu", tie_word_embeddings=False, layer_norm_epsilon=1e-6)
def t5_v1_1(folder):
    """As version 1.1: a head of its own, which tie_word_embeddings says; a bias of cross-attention that nobody reads."""
    tensors = weights(folder)
    tensors["lm_head.weight"] = tensors["shared.weight"] + 0.02 * torch.randn(67, 12, generator=generator("t5 v1.1"))
    tensors["encoder.embed_tokens.weight"] = tensors["decoder.embed_tokens.weight"] = tensors["shared.weight"].clone()
    tensors["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = torch.ones(8, 2)
    save_bin(folder, tensors)
    edit_json(folder / "config.json", scale_decoder_outputs=None, is_gated_act=None, dense_act_fn=None, tie_word_embeddings=False, num_decoder_layers=None,
              layer_norm_epsilon=None)


@dialect("t5", "T5ForConditionalGeneration", relative_attention_max_distance=128, feed_forward_proj="silu")
def t5_v4_config(folder):
    """The tie unsaid, the activation only where it was written as what follows from another field, names of other models."""
    config = read_json(folder / "config.json")
    edit_json(folder / "config.json", scale_decoder_outputs=None, is_gated_act=None, tie_word_embeddings=None, feed_forward_proj=None,
              relative_attention_max_distance=None, d_model=None, num_layers=None, num_heads=None, d_kv=None,
              hidden_size=config["d_model"], num_hidden_layers=config["num_layers"], num_attention_heads=config["num_heads"], head_dim=config["d_kv"],
              n_positions=512, output_past=True, task_specific_params={})


@dialect("gpt2", "GPT2LMHeadModel", n_embd=12, n_head=3)
def gpt2_hub(folder):
    """As the first GPT-2's files: no prefix, the masks as tensors, no copy of the tied head, another name for the length."""
    tensors = {k.removeprefix("transformer."): v for k, v in weights(folder).items() if k != "lm_head.weight"}
    for i in range(2):
        tensors[f"h.{i}.attn.bias"] = torch.ones(40, 40).tril()[None, None]
        tensors[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    rewrite(folder, tensors)
    edit_json(folder / "config.json", n_ctx=40, dtype=None, n_inner=None, scale_attn_weights=None, tie_word_embeddings=None)


@dialect("gpt_neo", "GPTNeoForCausalLM", hidden_size=12, num_heads=3)
def other_names_of_sizes(folder):
    config = read_json(folder / "config.json")
    edit_json(folder / "config.json", num_heads=None, num_layers=None, num_attention_heads=config["num_heads"], num_hidden_layers=config["num_layers"],
              attention_layers=None)


@dialect("mixtral", "MixtralForCausalLM", num_attention_heads=2)
def fused_experts(folder):
    """All experts of a layer in one tensor, as the newest version holds them."""
    rewrite(folder, load_model(folder).state_dict())


def record(name, folder):
    kind, cls, extra, exact, load_as, rewrite_folder = DIALECTS[name]
    extra = dict(extra)
    partial = extra.pop("add_pooling_layer", True) is False
    family = (FAMILIES | DECODERS)[kind]
    cls = getattr(transformers, cls)
    torch.manual_seed(seed_of(name))
    config = cls.config_class(**(family.config | family.tiny | extra))
    model = randomize(cls(config), name).eval()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    plain = load_model(folder, cls=load_as)
    rewrite_folder(folder)
    model = load_model(folder, cls=load_as or cls.__name__)
    start = config.pad_token_id + 1 if family.positions else family.positions
    cases = make_cases(generator(name + " inputs"), vocab=config.vocab_size, pad=config.pad_token_id,
                       longest=family.longest, segments=family.segments, positions=start, full=False)
    if family.targets:
        cases = with_targets(generator(name + " targets"), cases, config, cls.__name__, derives=family.targets == "derived")
    for k, (about, inputs) in enumerate(cases):
        got, want = forward(model, inputs), forward(plain, inputs)
        if partial:
            got.pop("pooler_output"), want.pop("pooler_output")
        off = distance(got, want)
        assert off < TOLERANCE / 4 if exact else 1e-4 < off < 0.3, f"{name}: {off}"
        assert partial or steady(model, inputs, got)[1], f"{name}: ill conditioned"
        save_case(folder, k, about, inputs, got)


def main(names):
    for name in names or DIALECTS:
        record(name, GOLDEN / "forward" / name)
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
