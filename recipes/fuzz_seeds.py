"""Makes fuzz/seeds/tokenizer_json/, folder_json/, model_config/ and generation/: small files that use every component and option, and malformed ones.

    python recipes/fuzz_seeds.py       # any Python 3, standard library only

The good ones are those of tests/cases/tokenizers that show something (a kind, an option's value) that none before them shows; a text
follows some of them behind a NUL byte, as the target reads it. Inputs that a fuzzer found lie beside them under other names.
"""

import base64
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "fuzz/seeds"
CASES = ("normalizers", "pre_tokenizers", "decoders", "post_processors", "added_tokens", "models")
UNIGRAM = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["\u2581", -1.5], ["ab", -2.0]], "byte_fallback": False}


def features(value, path=""):
    if isinstance(value, dict):
        for key, item in value.items():
            if path.endswith("vocab"):
                break
            yield from features(item, f"{path}.{value['type']}.{key}" if "type" in value and key != "type" else f"{path}.{key}")
    elif isinstance(value, list):
        yield path + "[]"
        for item in value[:50]:
            if not path.endswith(("vocab", "merges")):
                yield from features(item, path)
    elif path.endswith((".type", ".behavior", ".prepend_scheme")) or isinstance(value, (bool, type(None))):
        yield f"{path}={value}"
    else:
        yield path


def write(name, content, target="tokenizer_json"):
    (SEEDS / target).mkdir(parents=True, exist_ok=True)
    (SEEDS / target / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def tokenizer(**parts):
    made = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, "model": UNIGRAM}
    return json.dumps(made | parts, ensure_ascii=False)


def added(id, content, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False} | flags


def good():
    seen = set()
    for kind in CASES:
        lines = (ROOT / f"tests/cases/tokenizers/{kind}.jsonl").read_text().split("\n")[:-1]
        for number, line in enumerate(lines):
            record = json.loads(line)
            shown = set(features(record["tokenizer"]))
            text = json.dumps(record["tokenizer"], ensure_ascii=False, separators=(",", ":"))
            if shown <= seen or len(text) > 2500:
                continue
            seen |= shown
            calls = [c["text"] for c in record["encode"] if isinstance(c["text"], str) and 10 < len(c["text"]) < 60]
            write(f"{kind}-{number}", text + ("\0" + calls[number % len(calls)] if calls else ""))


def nested(kind, field, depth, inner):
    for _ in range(depth):
        inner = {"type": kind, field: [inner]}
    return inner


def split(pattern, text):
    return tokenizer(pre_tokenizer={"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}) + "\0" + text


def bpe(vocab, merges, **more):
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
             "byte_fallback": False, "vocab": {token: i for i, token in enumerate(vocab)}, "merges": merges}
    return tokenizer(model=model | more)


def malformed():
    write("bad-empty", "")
    write("bad-null", "null")
    write("bad-cut-off", tokenizer()[:150])
    write("bad-not-utf8", tokenizer(added_tokens=[added(1, "X")]).encode().replace(b"X", b"\xff"))
    write("bad-surrogate", tokenizer(added_tokens=[added(1, "X")]).replace("X", "\\ud800"))
    write("bad-nesting", '{"normalizer": ' + '{"type":"Sequence","normalizers":[' * 400 + "]}" * 400 + "}")
    write("bad-brackets", "[" * 3000)
    write("bad-depth-33", tokenizer(decoder=nested("Sequence", "decoders", 34, {"type": "Fuse"})))
    write("bad-ids", tokenizer(added_tokens=[added(2**31 - 2, "a"), added(2**31 - 2, "b"), added(0, "c")]))
    write("bad-id-huge", tokenizer(added_tokens=[added(2**63, "a")]))
    write("vocab-ids-near-end", bpe([], []).replace('"vocab": {}', '"vocab": {"a": 2147483646, "b": 0}') + "\0abab")
    write("vocab-ids-twice", bpe([], []).replace('"vocab": {}', '"vocab": {"a": 0, "b": 0, "a": 1}') + "\0abab")
    write("merges-cyclic", bpe(["a", "aa", "aaa"], ["a a", "aa a", "a aa", "aa aa"]).replace('"aaa": 2', '"aaa": 2, "aaaa": 0') + "\0" + "a" * 200)
    write("merges-of-nothing", bpe(["", "a"], ["a ", " a", " "]) + "\0aaaa")
    write("merges-prefix", bpe(["a", "##a", "aa"], ["a ##a"], continuing_subword_prefix="##", byte_fallback=True) + "\0aaab")
    write("bytes-with-prefix", bpe([f"<0x{b:02X}>" for b in range(256)], [], continuing_subword_prefix="####", end_of_word_suffix="</w>", byte_fallback=True) + "\0\u00e9\u4e2d a")
    write("unigram-scores", tokenizer(model=UNIGRAM | {"vocab": [["<unk>", 1e308], ["a", -1e308], ["aa", 1e308], ["", 5]]}) + "\0aaaaab")
    write("word-of-100000", tokenizer(added_tokens=[added(9, "q" * 3000)]) + "\0" + "q" * 7000)
    write("replace-doubling", tokenizer(normalizer={"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}] * 40}) + "\0aaaa")
    write("replace-empty", tokenizer(normalizer={"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": ""}, "content": "bc"}] * 20}) + "\0aaaa")
    write("prepend-doubling", tokenizer(normalizer={"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "x" * 500}] * 20}) + "\0aaaa")
    write("decode-doubling", tokenizer(decoder={"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}] * 40}) + "\0aaaa")
    write("template-many", tokenizer(post_processor={"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}] * 20, "pair": [
        {"Sequence": {"id": "AB"[i % 2], "type_id": 0}} for i in range(20)], "special_tokens": {}}) + "\0a b a b a b a b a b")
    write("bert-nested", tokenizer(post_processor=nested("Sequence", "processors", 10, {"type": "BertProcessing", "sep": ["b", 1], "cls": ["a", 1]})) + "\0ab")
    for number, (pattern, text) in enumerate([
            ("(a+)+$", "a" * 40 + "b"), ("(a|aa)+$", "a" * 40 + "b"), ("(.*)*x", "a" * 200), ("(?=(a+))*b", "aab"), ("((((((((((a{99}){99}){99})))))))", "a"),
            ("(?:(?:(?:a?){50}){50}){50}b", "a" * 60), ("\\K", "abc"), ("(?<=a*)b", "aab"), ("(?R)*", "aa"), ("(", "a"), ("[", "a"), ("\\", "a"), ("[[:foo:]]", "a"),
            ("\\p{Foo}", "a"), ("a{2147483648}", "a"), ("(?<n>a)\\k<n>", "aa"), ("\\C", "\u00e9"), ("(?i)\\u0130", "\u0130i"), ("[^]", "a"), ("\\x{110000}", "a"),
            ("(?>a+)a|(?~ab)", "aab"), ("\\G\\w", "abc"), ("\\X\\R", "e\u0301\r\n"), ("|", "ab"), ("(?#x)", "ab"), ("&&", "a&&b"), ("[a-z&&[^aeiou]]+", "hello")]):
        write(f"pattern-{number}", split(pattern, text))


# folder_json: a folder as one JSON object, see fuzz/folder_json_fuzz.cc.
def folder_of(path):
    files = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if name == "tokenizer.json" or file.is_dir() or file.suffix not in (".json", ".txt", ".model", ".spm") or name == "expected.txt":
            continue
        data = file.read_bytes()
        if file.suffix in (".model", ".spm"):
            files[name] = base64.b64encode(data).decode()
        else:
            try:
                files[name] = json.loads(data)
            except ValueError:
                files[name] = data.decode("utf-8", "replace")
    return files


def folders():
    def save(name, files):
        text = json.dumps(files, ensure_ascii=False, separators=(",", ":"))
        if len(text) < 12_000:
            write(name, text, "folder_json")

    spm = folder_of(ROOT / "tests/cases/bad/tokenizer-spm-src-lang")["sentencepiece.bpe.model"]
    vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "\u0120a": 5, "aa": 6, "[CLS]": 7, "[SEP]": 8, "[UNK]": 9, "[PAD]": 10, "[MASK]": 11, "<|endoftext|>": 12,
             "a</w>": 13, "__end__": 14, "<|startoftext|>": 15, ">>fra<<": 16}
    text = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>", "<cls>", "<sep>", "hello", "##lo", "a", "##b", ","]) + "\n"
    source = (ROOT / "src/text/convert_slow.cc").read_text() + (ROOT / "src/text/convert_sentencepiece.cc").read_text()
    for name in sorted(set(re.findall(r'"([A-Za-z0-9]+Tokenizer)"', source))) + ["MarianTokenizer", "M2M100Tokenizer"]:
        file = re.search(rf'"{name}", Kind::k\w+, "([a-z.]+)"', source)
        files = {file.group(1): spm} if file else {"vocab.txt": text, "vocab.json": vocab, "merges.txt": "#version: 0.2\na a\n\n"}
        if name == "MarianTokenizer":
            files = {"source.spm": spm, "target.spm": spm, "vocab.json": vocab}
        if name == "M2M100Tokenizer":
            files = {"sentencepiece.bpe.model": spm, "vocab.json": vocab}
        save("class-" + name, files | {"tokenizer_config.json": {"tokenizer_class": name}})
    for path in sorted((ROOT / "tests/cases/bad").glob("tokenizer-*")) + sorted((ROOT / "tests/cases/bad").glob("sentences-*")):
        if not path.name.startswith("tokenizer-json"):
            save("bad-" + path.name.split("-", 1)[1], folder_of(path))
    tokenizer_json = json.loads(tokenizer(added_tokens=[added(1, "[MASK]", special=True)]))
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "strip_accents": None, "model_max_length": 16, "padding_side": "left", "truncation_side": "left",
                "clean_up_tokenization_spaces": True, "additional_special_tokens": ["<x>", {"content": "<y>", "lstrip": True}],
                "added_tokens_decoder": {"7": {"content": "<z>", "special": True, "normalized": False, "single_word": True, "lstrip": False, "rstrip": True}}}
    save("json-and-settings", {"tokenizer.json": tokenizer_json, "tokenizer_config.json": settings})
    save("json-and-older", {"tokenizer.json": tokenizer_json, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}, "added_tokens.json": {"<q>": 9},
                            "special_tokens_map.json": {"mask_token": {"content": "[MASK]", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}}})
    for kind in ("Llama", "GPTNeoX", "Roberta"):
        save("json-" + kind, {"tokenizer.json": tokenizer_json, "tokenizer_config.json": {"tokenizer_class": kind + "Tokenizer", "bos_token": "a", "eos_token": "ab", "add_bos_token": True,
                                                                                         "add_eos_token": True, "add_prefix_space": True, "trim_offsets": False}})
    golden = folder_of(ROOT / "tests/golden/sentences/mean-lowercase-dense")
    golden = {name: content for name, content in golden.items() if name != "cases.jsonl"} | {"vocab.txt": text, "tokenizer_config.json": {"tokenizer_class": "BertTokenizer"}}
    save("sentences", golden)
    for field in ("cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"):
        save("sentences-" + field, golden | {"1_Pooling/config.json": {"pooling_mode_mean_tokens": False, "pooling_mode_" + field: True}, "sentence_bert_config.json": {"max_seq_length": 3}})


def model_configs():
    seen = set()
    for path in sorted((ROOT / "tests/golden/forward").glob("*/config.json")):
        config = json.loads(path.read_text())
        shown = set(features({k: v for k, v in config.items() if k not in ("id2label", "label2id")})) | {str(config.get("hidden_act")), str(config.get("architectures"))}
        if shown <= seen:
            continue
        seen |= shown
        write(path.parent.name, json.dumps(config, separators=(",", ":")), "model_config")
    bert = json.loads((ROOT / "tests/golden/forward/bert-Base/config.json").read_text())
    for name, value in (("num_hidden_layers", 2**31 - 1), ("num_attention_heads", 0), ("num_attention_heads", 7), ("hidden_act", "none"), ("layer_norm_eps", -1), ("layer_norm_eps", 1e-60),
                        ("num_labels", 10**6), ("max_position_embeddings", 2**31), ("position_embedding_type", "relative_key"), ("intermediate_size", 2**40)):
        write(f"bad-{name}-{value}", json.dumps(bert | {name: value}), "model_config")
    for folder, name, value in (("bart-Base", "decoder_attention_heads", 0), ("bart-Base", "encoder_attention_heads", 3), ("bart-Base", "decoder_layers", 2**31 - 1),
                                ("bart-Base", "decoder_start_token_id", -1), ("m2m_100-Base", "pad_token_id", 2**31), ("m2m_100-Base", "d_model", 2),
                                ("marian-MTModel", "max_position_embeddings", 0), ("marian-MTModel", "max_position_embeddings", 1), ("t5-Base", "d_kv", 2**52),
                                ("t5-Base", "relative_attention_num_buckets", 2), ("t5-Base", "relative_attention_max_distance", 1), ("t5-Base", "feed_forward_proj", "gated-"),
                                ("t5-QuestionAnswering", "decoder_start_token_id", 2**40), ("t5-Base", "num_decoder_layers", 0)):
        config = json.loads((ROOT / f"tests/golden/forward/{folder}/config.json").read_text())
        write(f"bad-{folder}-{name}-{value}", json.dumps(config | {name: value}), "model_config")


def generation():
    """Parameters of recorded calls and processors, one for each set of names, and saved conversations."""
    recorded = (ROOT / "tests/golden/generation/processors.jsonl").read_text().splitlines()
    calls = (ROOT / "tests/golden/pipelines/write-llama/cases.jsonl").read_text().splitlines()
    seen = set()
    for i, line in enumerate(recorded + calls):
        case = json.loads(line)
        parameters = case["parameters"] if "parameters" in case else case["body"].get("parameters", {})
        key = (tuple(sorted(parameters)), str(parameters) if "error" in case or i < len(recorded) else "")
        if key not in seen:
            seen.add(key)
            write(f"parameters-{i:03}", json.dumps(parameters), "generation")
    chat = {"polymath_chat": 1, "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "é"},
                                             {"role": "assistant", "content": "ok"}], "parameters": {"seed": 3}}
    write("chat", json.dumps(chat), "generation")
    write("chat-bad-role", json.dumps(chat | {"messages": [{"role": "king", "content": ""}]}), "generation")
    write("chat-bad-version", json.dumps(chat | {"polymath_chat": 2}), "generation")
    write("chat-late-system", json.dumps(chat | {"messages": chat["messages"][::-1]}), "generation")


if __name__ == "__main__":
    good()
    malformed()
    folders()
    model_configs()
    generation()
