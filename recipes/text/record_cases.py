"""Records tests/cases/tokenizers/*.jsonl: small tokenizers that use every component and option, and what PyPI `tokenizers` gives.

    python recipes/text/record_cases.py ../../tests/cases/tokenizers

A line holds {"name", "tokenizer": the tokenizer.json, "encode": [...], "decode": [...]}. A Unigram model without pieces keeps the text
of what it does not know, so its tokens show what normalizers and pre-tokenizers made of a text. Needs tokenizers 0.23.
"""

import base64
import itertools
import json
import random
import struct
import sys
from pathlib import Path

from tokenizers import Tokenizer

from hostile_texts import FIXED, hostile

TEXTS = [t for t in FIXED if len(t) <= 60] + [t for t in hostile(60, seed=23) if len(t) <= 50][len(FIXED) - 20:][:24]
BPE_OF_BYTES = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": True,
                "vocab": {f"<0x{b:02X}>": b for b in range(256)}, "merges": []}
SHOW = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]], "byte_fallback": False}


def tokenizer(model=SHOW, **parts):
    made = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, "model": model}
    return made | parts


def added(id, content, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False} | flags


def dump(e):
    out = {"ids": e.ids, "type_ids": e.type_ids, "tokens": e.tokens, "offsets": [list(o) for o in e.offsets], "word_ids": e.word_ids,
           "sequence_ids": e.sequence_ids, "special_tokens_mask": e.special_tokens_mask, "attention_mask": e.attention_mask}
    if e.overflowing:
        out["overflowing"] = [dump(o) for o in e.overflowing]
    return out


def encode(tok, text, pair=None, words=False, special=True, truncation=None, padding=None, short=True):
    tok.no_truncation()
    tok.no_padding()
    call = {"text": text}
    if pair is not None:
        call["pair"] = pair
    if not special:
        call["special"] = False
    try:
        if truncation:
            call["truncation"] = truncation
            tok.enable_truncation(**truncation)
        if padding:
            call["padding"] = padding
            tok.enable_padding(**padding)
        e = tok.encode(text, pair, is_pretokenized=words, add_special_tokens=special)
    except Exception as error:
        return call | {"error": str(error)}
    except BaseException:
        return None  # a panic of the library
    result = dump(e)
    if short:
        result = {k: result[k] for k in ("tokens", "offsets", "word_ids")}
    return call | {"result": result}


def record(name, made, calls=(), decode=(), short=True):
    tok = Tokenizer.from_str(json.dumps(made))
    line = {"name": name, "tokenizer": made}
    line["encode"] = [c for c in (encode(tok, **call, short=short) for call in calls) if c]
    line["decode"] = []
    for ids, skip in decode:
        try:
            line["decode"].append({"ids": ids, "skip": skip, "text": tok.decode(ids, skip_special_tokens=skip)})
        except BaseException:
            pass
    return line


def texts(*more):
    return [{"text": t} for t in [*TEXTS, *more]]


def charsmap(rules):
    """sentencepiece's precompiled_charsmap for {text: replacement}: a plain double-array trie, and the replacements."""
    blob, offsets = b"", {}
    for text, replacement in rules.items():
        offsets[text.encode()] = len(blob)
        blob += replacement.encode() + b"\0"
    tree = {}
    for key, value in offsets.items():
        node = tree
        for byte in key:
            node = node.setdefault(byte, {})
        node[None] = value
    units, used = [0] * 2048, {0}

    def place(node, at):  # the unit at `at` leads to `node`
        labels = sorted((0 if k is None else k) for k in node)
        base = next(b for b in range(1, 1 << 20) if all(b ^ label not in used for label in labels) and b < (1 << 21))
        used.update(base ^ label for label in labels)
        while max(used) >= len(units):
            units.extend([0] * 2048)
        offset = at ^ base
        assert offset < 1 << 21
        units[at] |= offset << 10
        if None in node:
            units[at] |= 1 << 8
            units[base] = node[None] | 1 << 31
        for label, child in node.items():
            if label is not None:
                units[base ^ label] |= label
        for label, child in node.items():
            if label is not None:
                place(child, base ^ label)
    place(tree, 0)
    trie = b"".join(struct.pack("<I", u) for u in units[:max(used) + 1])
    return base64.b64encode(struct.pack("<I", len(trie)) + trie + blob).decode()


MAP = charsmap({"ﬁ": "fi", "½": "1⁄2", "Ａ": "A", "１": "1", "\u3000": " ", "\u00a0": " ", "e\u0301": "é", "\u200b": "", "\u00ad": "", "①": "1", "㎏": "kg",
                "が": "が", "ｶﾞ": "ガ", "…": "...", "\r\n": "\n", "©": "(c)", "\t": " "})


def normalizers():
    flags = itertools.product([True, False], [True, False], [True, False, None], [True, False])
    yield from (({"type": "BertNormalizer", "clean_text": a, "handle_chinese_chars": b, "strip_accents": c, "lowercase": d}) for a, b, c, d in flags)
    for kind in ("Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents", "Nmt", "ByteLevel"):
        yield {"type": kind}
    for left, right in ((True, True), (True, False), (False, True), (False, False)):
        yield {"type": "Strip", "strip_left": left, "strip_right": right}
    for pattern, content in (({"String": " "}, "▁"), ({"String": "a"}, ""), ({"String": ""}, "-"), ({"Regex": "\\s+"}, " "), ({"Regex": " {2,}"}, "▁▁"),
                             ({"Regex": "[aeiou]"}, "<v>"), ({"Regex": "x*"}, "-"), ({"Regex": "^\\s+|\\s+$"}, ""), ({"Regex": "(?i)the"}, "THE"),
                             ({"Regex": "[\\p{Mn}\\p{Cf}]"}, ""), ({"String": "``"}, "\"")):
        yield {"type": "Replace", "pattern": pattern, "content": content}
    for prefix in ("▁", "ab ", ""):
        yield {"type": "Prepend", "prepend": prefix}
    yield {"type": "Precompiled", "precompiled_charsmap": MAP}
    yield {"type": "Sequence", "normalizers": []}
    yield {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}
    yield {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": MAP}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}
    yield {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    yield {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": True, "strip_right": True}]}, {"type": "NFC"}, {"type": "ByteLevel"}]}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def pre_tokenizers():
    for kind in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"):
        yield {"type": kind}
    for prefix, trim, use in itertools.product([True, False], [True], [True, False]):
        yield {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": use}
    for scheme, split in itertools.product(["always", "first", "never"], [True, False]):
        yield {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}
    yield {"type": "Metaspace", "replacement": "_", "add_prefix_space": True}
    for behavior in BEHAVIORS:
        yield {"type": "Punctuation", "behavior": behavior}
    yield {"type": "Punctuation"}
    for pattern in ({"String": " "}, {"String": "a"}, {"Regex": "\\s+"}, {"Regex": "\\w+|[^\\w\\s]+"}, {"Regex": "\\p{L}+"}):
        for behavior, invert in itertools.product(BEHAVIORS, [False, True]):
            yield {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
    for pattern in ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", " ?[^(\\s|[.,!?…。，、।۔،])]+", "\\b\\w",
                    "(?m).+", ".", "^.|.$", "\\d++|\\h", "\\p{^L}+", "\\P{Lu}", "[[:punct:]]|[[:alpha:]]+", "(?<=a)b?", "\\p{Han}+|\\p{Hiragana}", "[a-z&]", "\\R", "x{,2}y|\\{", "(?:ab){1,2}+", "\\u00e9|\\x{301}", "[^\\S ]", "[\\w-]+", "\\A.|.\\z", "(\\w)\\1"):
        yield {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    for individual in (True, False):
        yield {"type": "Digits", "individual_digits": individual}
    for delimiter in (" ", "a", "日", "\n"):
        yield {"type": "CharDelimiterSplit", "delimiter": delimiter}
    for length in (1, 3, 5, 100):
        yield {"type": "FixedLength", "length": length}
    yield {"type": "Sequence", "pretokenizers": []}
    yield {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]}
    yield {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}]}
    yield {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Isolated"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}]}


def words_of(text):
    return {piece for n in range(1, 5) for i in range(len(text)) for piece in [text[i:i + n]] if " " not in piece}


def vocabulary(tokens):
    return {t: i for i, t in enumerate(dict.fromkeys(tokens))}


SAMPLE = "the quick brown fox jumps over lazy dogs don't café naïve 日本語 ééé 123"


def model_cases():
    pieces = sorted(words_of(SAMPLE))
    rng = random.Random(5)
    some = sorted(rng.sample(pieces, 90)) + sorted(set(SAMPLE) - {" "})
    ids = [[rng.randrange(130) for _ in range(rng.randrange(10))] for _ in range(30)]
    decode = [(i, s) for i in ids for s in (True, False)]
    calls = texts(SAMPLE, "thequickbrownfox", "the the", "日日本語x", "x" * 12, "jumpsé éé")
    split = {"type": "WhitespaceSplit"}
    for unk, prefix, most in (("[UNK]", "##", 100), ("[UNK]", "", 5), ("<none>", "##", 100)):
        vocab = vocabulary(["[UNK]"] + some + [prefix + p for p in some])
        yield "wordpiece", tokenizer({"type": "WordPiece", "unk_token": unk, "continuing_subword_prefix": prefix, "max_input_chars_per_word": most, "vocab": vocab}, pre_tokenizer=split), calls, decode
    for unk in ("[UNK]", "<none>"):
        yield "wordlevel", tokenizer({"type": "WordLevel", "unk_token": unk, "vocab": vocabulary(["[UNK]", "the", "fox", "日本語", "don't", "Don't"])}, pre_tokenizer=split), calls, decode
    scored = [["<unk>", 0.0]] + [[p, -float(rng.randrange(1, 40)) / 4] for p in some]
    scored += [["▁", -2.0], ["▁the", -1.5], ["ab", -3.0], ["ab", -1.0]]
    for fallback, unk, more in ((False, 0, []), (True, 0, [[f"<0x{b:02X}>", -9.0] for b in range(256)]), (True, 0, [["<0xE2>", -9.0]]), (False, None, []), (False, 3, [["éé", -1.0], ["<unk><unk>", 2.0]])):
        yield "unigram", tokenizer({"type": "Unigram", "unk_id": unk, "vocab": scored + more, "byte_fallback": fallback}, pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}), calls, decode

    def bpe(suffix="", prefix="", alphabet=None, merges=40):
        seqs = [[(prefix if i else "") + c + (suffix if i == len(w) - 1 else "") for i, c in enumerate(w)] for w in SAMPLE.split() * 2 + ["there", "theme", "foxes", "loxox"]]
        vocab = list(alphabet or [])
        for s in seqs:
            vocab += s
        made = []
        for _ in range(merges):
            counts = {}
            for s in seqs:
                for pair in zip(s, s[1:]):
                    counts[pair] = counts.get(pair, 0) + 1
            if not counts:
                break
            best = max(sorted(counts), key=counts.get)
            joined = best[0] + best[1][len(prefix):]
            made.append(list(best))
            vocab.append(joined)
            for s in seqs:
                i = 0
                while i + 1 < len(s):
                    if (s[i], s[i + 1]) == best:
                        s[i:i + 2] = [joined]
                    i += 1
        return vocab, made
    for suffix, prefix, unk, fuse, fallback, ignore in (("", "", None, False, False, False), ("", "", "<unk>", False, False, False), ("", "", "<unk>", True, False, False), ("</w>", "", "<unk>", False, False, False),
                                                        ("", "##", "<unk>", True, False, False), ("</w>", "##", "<unk>", True, False, False), ("", "", "<unk>", True, True, False), ("", "", None, False, True, True), ("", "", "<none>", False, False, True)):
        vocab, merges = bpe(suffix, prefix)
        vocab = ["<unk>"] + ([f"<0x{b:02X}>" for b in range(256)] if fallback else []) + vocab + (["quick!", "日本"] if ignore else [])
        model = {"type": "BPE", "dropout": None, "unk_token": unk, "continuing_subword_prefix": prefix or None, "end_of_word_suffix": suffix or None, "fuse_unk": fuse, "byte_fallback": fallback,
                 "ignore_merges": ignore, "vocab": vocabulary(vocab), "merges": merges if not ignore else [" ".join(m) for m in merges]}
        yield "bpe", tokenizer(model, pre_tokenizer=split), calls, decode
    # The bytes of a prefix and a suffix are tokens without a place in the text.
    affixes = BPE_OF_BYTES | {"continuing_subword_prefix": "##", "end_of_word_suffix": "</w>"}
    yield "bpe-bytes-of-affixes", tokenizer(affixes, pre_tokenizer=split), calls, decode
    yield "bpe-bytes-of-affixes-whole", tokenizer(affixes, normalizer={"type": "Lowercase"}), calls, decode
    legacy = bpe()
    yield "bpe-untyped", tokenizer({"vocab": vocabulary(legacy[0]), "merges": ["#version: 0.2"] + [" ".join(m) for m in legacy[1]]}, pre_tokenizer=split), calls, decode


def post_processor_cases():
    vocab = vocabulary(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "a", "b", "c", "d", "e", "Ġa", "Ġb", "Ġ", "ĠĠ"])
    model = {"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab}
    template = {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}}
    odd = json.loads(json.dumps(template))
    odd["single"] = [{"Sequence": {"id": "A", "type_id": 3}}, {"SpecialToken": {"id": "[SEP]", "type_id": 5}}, {"Sequence": {"id": "A", "type_id": 4}}]
    odd["pair"] = [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 2}}]
    odd["special_tokens"]["[SEP]"] = {"id": "[SEP]", "ids": [2, 3], "tokens": ["[SEP]", "[PAD]"]}
    pieces = [None, template, odd, {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}]
    for trim, prefix in itertools.product([True, False], repeat=2):
        pieces.append({"type": "RobertaProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1], "trim_offsets": trim, "add_prefix_space": prefix})
        pieces.append({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": True})
    pieces.append({"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, template]})
    pieces.append({"type": "Sequence", "processors": []})
    calls = []
    for special in (True, False):
        for pair in (None, "d e", "b b b b b", ""):
            calls.append({"text": "a b  c", "pair": pair, "special": special})
            for length, strategy, stride, direction in itertools.product((2, 4, 6), ("longest_first", "only_first", "only_second"), (0, 1), ("right", "left")):
                calls.append({"text": "a b c d e", "pair": pair, "special": special, "truncation": {"max_length": length, "strategy": strategy, "stride": stride, "direction": direction}})
    for length, direction, multiple in ((8, "right", None), (8, "left", None), (None, "right", 4), (None, "left", 8), (3, "right", None)):
        padding = {"length": length, "direction": direction, "pad_to_multiple_of": multiple, "pad_id": 3, "pad_type_id": 7, "pad_token": "[PAD]"}
        for pair in (None, "d e"):
            calls.append({"text": "a b c", "pair": pair, "padding": padding})
            calls.append({"text": "a b c d e", "pair": pair, "padding": padding, "truncation": {"max_length": 6, "stride": 1, "strategy": "longest_first", "direction": direction}})
    calls += [{"text": ["a", "b  c", "", "d e"], "words": True}, {"text": ["a", "b"], "pair": ["c d", "e"], "words": True}, {"text": [], "words": True}, {"text": "", "special": True}]
    rng = random.Random(9)
    for i, processor in enumerate(pieces):
        level = processor is not None and "ByteLevel" in json.dumps(processor) or (processor or {}).get("type") == "RobertaProcessing"
        pre = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True} if level else {"type": "WhitespaceSplit"}
        yield f"post-processor-{i}", tokenizer(model, pre_tokenizer=pre, post_processor=processor), rng.sample(calls, 110) if i in (1, 6) else rng.sample(calls, 24) + calls[-4:], []


def decoder_cases():
    tokens = ["[UNK]", "a", "b", "##b", "##", "▁", "▁a", "▁▁b", "a▁", "Ġa", "Ġ", "Ċ", "Ã", "©", "ð", "Ł", "ĺ", "Ģ", "a</w>", "b</w>", "</w>", "<0x41>", "<0xE2>", "<0x82>", "<0xAC>", "<0xFF>", "<0xf0>", "<0x4>", "|", "<pad>",
              " ", "  x  ", "é", "日本", ".", "?", "'", "n't", "'m", "do", "not", "'s", "'ve", "'re", "!", ",", " do not", "", "H", "HH", "hello", "\ufffd", "<0x+1>"]
    vocab = vocabulary(tokens)
    decoders = [None]
    decoders += [{"type": "WordPiece", "prefix": prefix, "cleanup": cleanup} for prefix in ("##", "") for cleanup in (True, False)]
    decoders += [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    decoders += [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": s, "split": True} for s in ("always", "first", "never")]
    decoders += [{"type": "BPEDecoder", "suffix": s} for s in ("</w>", "b")]
    decoders += [{"type": "Replace", "pattern": p, "content": c} for p, c in (({"String": "▁"}, " "), ({"Regex": "[a-z]+"}, "<>"), ({"String": ""}, "-"))]
    decoders += [{"type": "Strip", "content": c, "start": a, "stop": b} for c, a, b in ((" ", 1, 0), ("H", 1, 0), ("b", 0, 0))]
    decoders += [{"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": c} for c in (True, False)]
    decoders += [{"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}]
    rng = random.Random(4)
    ids = [[rng.randrange(len(vocab) + 2) for _ in range(rng.randrange(1, 9))] for _ in range(70)] + [[22, 23, 24], [12, 13], [14, 15, 16, 17], [14, 15], [29, 1, 1, 29, 1, 28, 2], [0, 1, 2], [1, 37, 1, 40]]
    for decoder in decoders:
        made = tokenizer({"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab}, decoder=decoder, added_tokens=[added(0, "[UNK]", special=True), added(len(vocab), "<new>", normalized=True)])
        yield "decoder", made, [], [(i, s) for i in ids for s in (True, False)]


def added_token_cases():
    model = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["x", -1.0]], "byte_fallback": False}
    tried = ["a <m> b", "a<m>b", "<m><m>", "  <m>  <m> ", "A<M>B", "cafe CAFE café CAFÉ", "xcafe cafex cafe", "éclair éclair's", "<m>x", "ab abc abcd bcd", "  two  two", "Two two TWO twos", "\u00a0<m>\u3000 z", "<m", "日cafe 日", "x", "<unk>x<unk>"]
    calls = [{"text": t} for t in tried]
    sets = []
    for lstrip, rstrip, single, normalized, special in itertools.product([False, True], repeat=5):
        flags = dict(lstrip=lstrip, rstrip=rstrip, single_word=single, normalized=normalized, special=special)
        sets.append([added(2, "<m>", **flags), added(3, "café", **flags), added(4, "two", **flags)])
    sets.append([added(i + 2, t) for i, t in enumerate(["ab", "abc", "bcd", "b", "abcde"])])
    sets.append([added(i + 2, t, normalized=i % 2 == 0, lstrip=i % 3 == 0) for i, t in enumerate(["ab", "a", " two", "  ", "<m>", "éclair"])])
    sets.append([added(0, "<unk>", special=True), added(2, "x", normalized=True), added(9, "", special=True), added(7, "<m>")])
    for i, tokens in enumerate(sets):
        for normalizer in (None, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "▁"}) if i % 4 == 0 or i > 31 else ({"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},):
            yield "added-tokens", tokenizer(model, added_tokens=tokens, normalizer=normalizer, pre_tokenizer={"type": "Whitespace"} if i % 2 else None), calls, [([0, 1, 2, 3, 4, 5, 6, 7, 2], True), ([0, 2, 1, 3], False)]


def main(out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)

    def write(name, lines):
        path = out / f"{name}.jsonl"
        path.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines))
        print(path, path.stat().st_size, sum(len(x["encode"]) + len(x["decode"]) for x in lines))
    rng = random.Random(2)

    def part(calls, count):
        return rng.sample(calls, min(len(calls), count))
    write("normalizers", [record(n["type"], tokenizer(normalizer=n), part(texts("``a''", "x  y   z"), 28)) for n in normalizers()])
    pre = []
    for p in pre_tokenizers():
        try:
            pre.append(record(p["type"], tokenizer(pre_tokenizer=p), part(texts("aab ab", "x-y_z", "abab aabb"), 20)))
        except Exception as error:
            print("left out:", p, error)
    write("pre_tokenizers", pre)
    write("models", [record(n, t, part(c, 24) + c[-6:], d[:30]) for n, t, c, d in model_cases()])
    write("post_processors", [record(n, t, c, d, short=False) for n, t, c, d in post_processor_cases()])
    write("decoders", [record(n, t, c, d) for n, t, c, d in decoder_cases()])
    write("added_tokens", [record(n, t, c, d) for n, t, c, d in added_token_cases()])


if __name__ == "__main__":
    main(sys.argv[1])
