"""Records tests/golden/sentences: tiny sentence-transformers folders and the embeddings that their modules define.

    python recipes/record_sentences.py     # under 4.57.6

Each folder's cases.jsonl has lines {"text", "embedding"}. The modules are few lines of plain torch here.
"""

import json
import shutil

import torch
import transformers
from safetensors.torch import save_file

import golden_tokenizers as tok
from common import GOLDEN, generator, randomize, seed_of, write_json
from pipeline_models import bert, distil, roberta, small_embeddings
from pipeline_texts import LONG, NEWS, SHORT, UNICODE

# In the order in which sentence-transformers concatenates them.
MODES = ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]

# name: class, config, tokenizer, pooling modes, further modules, sentence_bert_config, subfolder of the model
FOLDERS = {
    "mean-normalize": ("BertModel", bert(), tok.bert_uncased, ["mean_tokens"], ["Normalize"],
                       {"max_seq_length": 24}, ""),
    "cls": ("RobertaModel", roberta(), tok.roberta, ["cls_token"], [], {"max_seq_length": 20}, ""),
    "max-normalize": ("MPNetModel", roberta(pad_token_id=2, type_vocab_size=None), tok.mpnet, ["max_tokens"],
                      ["Normalize"], {"max_seq_length": 64, "do_lower_case": True}, ""),
    "mean-lowercase-dense": ("DistilBertModel", distil(), tok.distilbert, ["mean_tokens"], ["Dense", "Normalize"],
                             {"max_seq_length": 30, "do_lower_case": True}, ""),
    "sqrt-in-subfolder": ("BertModel", bert(), tok.bert_cased, ["mean_sqrt_len_tokens"], [],
                          {"max_seq_length": 32, "do_lower_case": False}, "0_Transformer"),
    "cls-max-mean": ("BertModel", bert(), tok.bert_cased, ["cls_token", "max_tokens", "mean_tokens"], [],
                     {"max_seq_length": 32, "do_lower_case": False}, ""),
    "weighted": ("BertModel", bert(), tok.bert_cased, ["weightedmean_tokens"], ["Normalize"],
                 {"max_seq_length": 32}, ""),
    "last-token": ("BertModel", bert(), tok.bert_cased, ["lasttoken"], ["Normalize"], {"max_seq_length": 32}, ""),
    "prompt-layernorm": ("ElectraModel", small_embeddings(), tok.electra, ["mean_tokens"],
                         ["Dropout", "LayerNorm", "Normalize"], {"max_seq_length": 28, "do_lower_case": True}, ""),
    "bare": ("BertModel", bert(), tok.bert_cased, ["mean_tokens"], [], {"max_seq_length": 9, "do_lower_case": True}, ""),
    "no-limit-named": ("BertModel", bert(), tok.bert_uncased, ["mean_tokens"], ["Normalize"], None, ""),
}
PROMPT = "Find this:"  # of prompt-layernorm, whose pooling leaves it out
TEXTS = SHORT + UNICODE + ["ΟΔΥΣΣΕΥΣ, ΣΑΣ. İstanbul ǅ", LONG, NEWS, "   ", "Ada   met\n\nCharles"]


def pool(x, modes):
    """x: [tokens, width], one unpadded sequence."""
    n = x.shape[0]
    weight = torch.arange(1, n + 1, dtype=x.dtype)[:, None]
    every = {"cls_token": x[0], "mean_tokens": x.mean(0), "max_tokens": x.max(0).values,
             "mean_sqrt_len_tokens": x.sum(0) / n**0.5, "weightedmean_tokens": (x * weight).sum(0) / weight.sum(),
             "lasttoken": x[-1]}
    return torch.cat([every[mode] for mode in MODES if mode in modes])


def dense_module(folder, name, width):
    g = generator(name)
    linear = {"linear.weight": torch.randn(10, width, generator=g) / width**0.5,
              "linear.bias": torch.randn(10, generator=g)}
    folder.mkdir()
    save_file(linear, folder / "model.safetensors")
    write_json(folder / "config.json", {"in_features": width, "out_features": 10, "bias": True,
                                        "activation_function": "torch.nn.modules.activation.Tanh"})
    return lambda x: torch.tanh(linear["linear.weight"] @ x + linear["linear.bias"])


def norm_module(folder, name, width):
    g = generator(name)
    norm = {"norm.weight": 1 + torch.randn(width, generator=g) / 4, "norm.bias": torch.randn(width, generator=g) / 4}
    folder.mkdir()
    save_file(norm, folder / "model.safetensors")
    write_json(folder / "config.json", {"dimension": width})
    return lambda x: torch.nn.functional.layer_norm(x, (width,), norm["norm.weight"], norm["norm.bias"])


def record(name, folder):
    cls, config, make_tokenizer, modes, more, limits, sub = FOLDERS[name]
    shutil.rmtree(folder, ignore_errors=True)
    (folder / sub).mkdir(parents=True)
    tokenizer = make_tokenizer(model_max_length=40)
    cls = getattr(transformers, cls)
    config = {k: v for k, v in config.items() if v is not None}
    config = cls.config_class(**({"pad_token_id": tokenizer.pad_token_id, "vocab_size": len(tokenizer)} | config))
    torch.manual_seed(seed_of(name))
    randomize(cls(config), name).save_pretrained(folder / sub)
    tok.save(tokenizer, folder / sub)
    model = cls.from_pretrained(folder / sub, dtype=torch.float32).eval()

    width = config.hidden_size
    kinds = ["Transformer", "Pooling"] + more
    paths = [sub] + [f"{i}_{kind}" for i, kind in enumerate(kinds) if i]
    write_json(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(zip(kinds, paths))])
    prompt = PROMPT if name.startswith("prompt") else ""
    if prompt:  # and the newer way to name the pooling
        write_json(folder / "config_sentence_transformers.json",
                   {"prompts": {"query": "query: ", "find": PROMPT}, "default_prompt_name": "find"})
    if name == "bare":  # no sentence-transformers folder: the mean of the tokens, with the tokenizer's own limit
        (folder / "modules.json").unlink()
    if limits is not None:
        write_json(folder / sub / "sentence_bert_config.json", limits)
    (folder / "1_Pooling").mkdir()
    write_json(folder / "1_Pooling" / "config.json",
               {"word_embedding_dimension": width} | (
                   {"pooling_mode": "mean", "include_prompt": False} if prompt else
                   {f"pooling_mode_{m}": m in modes for m in MODES}))
    then = []
    for i, kind in enumerate(more, 2):
        if kind == "Dense":
            then.append(dense_module(folder / f"{i}_Dense", name, width * len(modes)))
        elif kind == "LayerNorm":
            then.append(norm_module(folder / f"{i}_LayerNorm", name, width))
        elif kind == "Dropout":
            (folder / f"{i}_Dropout").mkdir()
            write_json(folder / f"{i}_Dropout" / "config.json", {"dropout": 0.3})
        else:
            (folder / f"{i}_Normalize").mkdir()
            then.append(lambda x: x / x.norm().clamp_min(1e-12))

    limits = {} if name == "bare" else limits or {}
    longest = limits.get("max_seq_length") or min(tokenizer.model_max_length, config.max_position_embeddings)
    lines = []
    for text in TEXTS:
        clean = (prompt + text).strip()
        clean = clean.lower() if limits.get("do_lower_case") else clean
        ids = tokenizer(clean, truncation=True, max_length=longest, return_tensors="pt")
        with torch.no_grad():
            skip = len(tokenizer(prompt.lower())["input_ids"]) - 1 if prompt else 0
            x = pool(model(**ids).last_hidden_state[0][skip:], modes)
        for module in then:
            x = module(x)
        embedding = [float(f"{v:.7g}") for v in x.tolist()]
        lines.append(json.dumps({"text": text, "embedding": embedding}, ensure_ascii=False))
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    assert transformers.__version__ == "4.57.6"
    for name in FOLDERS:
        record(name, GOLDEN / "sentences" / name)
        print(name, flush=True)
