"""Makes tests/cases/bad/tokenizer-<name>/ and sentences-<name>/: folders whose tokenizer files, or sentence-transformers files, are
malformed or missing, and what the refusal has to say.

    python recipes/bad_tokenizers.py      # any Python 3, standard library only

expected.txt is as bad_checkpoints.py writes it.
"""

import base64
import json
import shutil
import struct

from bad_checkpoints import ROOT, case, safetensors, tensor

BPE = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
       "byte_fallback": False, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}
WORDPIECE = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "a": 1}}
UNIGRAM = {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": [["<unk>", 0.0], ["a", -1.0]]}
ADDED = {"id": 3, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def tokenizer(model=BPE, **parts):
    made = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None,
            "decoder": None, "model": model}
    return made | parts


def without(d, key):
    return {k: v for k, v in d.items() if k != key}


def fast(name, content, *expected):
    text = content if isinstance(content, (bytes, str)) else json.dumps(content)
    case("tokenizer-json-" + name, {"tokenizer.json": text}, "tokenizer.json", *expected)


def make_files():
    fast("empty", "", "not valid JSON")
    fast("cut-off", json.dumps(tokenizer())[:-30], "not valid JSON")
    fast("two-values", "{} {}", "not valid JSON")
    fast("not-utf8", b'{"version": "\xff"}', "not valid JSON")
    fast("lone-surrogate", '{"version": "\\ud800"}', "not valid JSON")
    fast("deep", '{"normalizer": ' + "[" * 1500 + "]" * 1500 + "}", "not valid JSON")
    fast("list", "[]", "must hold a JSON object, not a list")
    fast("null", "null", "must hold a JSON object, not null")
    fast("version-2", tokenizer(version="2.0"), ": version", '"2.0" is not the known version')
    fast("version-number", tokenizer(version=1), ": version", "must be a string, not a number")
    fast("no-model", without(tokenizer(), "model"), ": model", "the field is missing")
    fast("model-null", tokenizer(None), ": model", "must be an object, not null")
    fast("model-unknown", tokenizer(BPE | {"type": "BPEX"}), ": model.type", '"BPEX" is no known model')
    fast("padding-direction", tokenizer(padding={"direction": "Up", "pad_token": "x", "pad_type_id": 0}), ": padding.direction", '"Up" is neither Left nor Right')
    fast("padding-no-token", tokenizer(padding={"direction": "Left", "pad_type_id": 0}), ": padding.pad_token", "the field is missing")
    fast("truncation-direction", tokenizer(truncation={"direction": 1}), ": truncation.direction", "must be a string, not a number")


def make_models():
    def model(name, made, *expected):
        fast("model-" + name, tokenizer(made), *expected)
    model("vocab-missing", without(BPE, "vocab"), ": model.vocab", "the field is missing")
    model("vocab-list", BPE | {"vocab": []}, ": model.vocab", "must be an object, not a list")
    model("id-negative", BPE | {"vocab": {"a": -1}}, ": model.vocab.a", "is -1, which is no token id")
    model("id-text", BPE | {"vocab": {"a": "0"}}, ": model.vocab.a", "must be a token id, not a string")
    model("id-fraction", BPE | {"vocab": {"a": 1.5}}, ": model.vocab.a", "with a fraction")
    model("id-huge", BPE | {"vocab": {"a": 2**31}}, ": model.vocab.a", "is 2147483648, which is no token id")
    model("id-above-64-bits", json.loads('{"type": "BPE", "merges": [], "vocab": {"a": 18446744073709551615}}'), ": model.vocab.a")
    model("token-with-line-break", BPE | {"vocab": {"a\nb\x1b[31m": None}}, r": model.vocab.a\nb\x1b[31m", "must be a token id, not null")
    model("token-long", BPE | {"vocab": {"a" * 5000: None}}, "aaa...", "must be a token id, not null")
    model("merges-missing", without(BPE, "merges"), ": model.merges", "the field is missing")
    model("merges-object", BPE | {"merges": {}}, ": model.merges", "must be a list, not an object")
    model("merge-number", BPE | {"merges": [1]}, ": model.merges[0]", "must be a pair of tokens")
    model("merge-one-word", BPE | {"merges": ["a b", "ab"]}, ": model.merges[1]", '"ab" is not two tokens')
    model("merge-three-words", BPE | {"merges": ["a b a"]}, ": model.merges[0]", '"a b a" is not two tokens')
    model("merge-triple", BPE | {"merges": [["a", "b", "a"]]}, ": model.merges[0]", "must be a pair of tokens")
    model("merge-of-numbers", BPE | {"merges": [["a", 1]]}, ": model.merges[0][1]", "must be a string, not a number")
    model("merge-unknown-part", BPE | {"merges": ["a c"]}, ": model.merges[0]", '"c" is not in the vocabulary')
    model("merge-unknown-result", BPE | {"merges": ["b a"]}, ": model.merges[0]", '"ba" is not in the vocabulary')
    model("merge-without-prefix", BPE | {"continuing_subword_prefix": "##"}, ": model.merges[0]", "does not begin with continuing_subword_prefix")
    model("dropout", BPE | {"dropout": 0.1}, ": model.dropout", "would make results random")
    model("dropout-2", BPE | {"dropout": 2}, ": model.dropout", "must be between 0 and 1")
    model("byte-fallback-text", BPE | {"byte_fallback": "yes"}, ": model.byte_fallback", "must be true or false, not a string")
    model("unk-number", BPE | {"unk_token": 0}, ": model.unk_token", "must be a string, not a number")
    model("unigram-object", UNIGRAM | {"vocab": {"a": 0}}, ": model.vocab", "must be a list, not an object")
    model("unigram-no-score", UNIGRAM | {"vocab": [["<unk>"]]}, ": model.vocab[0]", "must be a list of a piece and its score")
    model("unigram-score-text", UNIGRAM | {"vocab": [["<unk>", "0"]]}, ": model.vocab[0][1]", "must be a number, not a string")
    model("unigram-piece-number", UNIGRAM | {"vocab": [[1, 0.0]]}, ": model.vocab[0][0]", "must be a string, not a number")
    model("unigram-unk-outside", UNIGRAM | {"unk_id": 2}, ": model.unk_id", "is 2 but the vocabulary has 2 pieces")
    model("unigram-unk-negative", UNIGRAM | {"unk_id": -1}, ": model.unk_id", "is -1, which is no token id")
    model("wordpiece-no-unk", without(WORDPIECE, "unk_token"), ": model.unk_token", "the field is missing")
    model("wordpiece-no-prefix", without(WORDPIECE, "continuing_subword_prefix"), ": model.continuing_subword_prefix", "the field is missing")
    model("wordpiece-most-negative", WORDPIECE | {"max_input_chars_per_word": -1}, ": model.max_input_chars_per_word", "must not be negative")
    model("wordlevel-unk-null", {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": None}, ": model.unk_token", "must be a string, not null")


def make_parts():
    def part(field, name, made, *expected):
        fast(f"{field.replace('_', '-')}-{name}", tokenizer(**{field: made}), ": " + field, *expected)
    part("added_tokens", "object", {}, "must be a list, not an object")
    part("added_tokens", "no-content", [ADDED, without(ADDED, "content")], "[1].content", "the field is missing")
    part("added_tokens", "id-negative", [ADDED | {"id": -3}], "[0].id", "is -3, which is no token id")
    part("added_tokens", "flag-text", [ADDED | {"lstrip": "no"}], "[0].lstrip", "must be true or false, not a string")

    part("normalizer", "list", [], "must be an object, not a list")
    part("normalizer", "no-type", {"lowercase": True}, ".type", "the field is missing")
    part("normalizer", "unknown", {"type": "Uppercase"}, ".type", '"Uppercase" is no known normalizer')
    part("normalizer", "sequence-empty", {"type": "Sequence"}, ".normalizers", "the field is missing")
    part("normalizer", "inner", {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFX"}]}, ".normalizers[1].type", '"NFX" is no known normalizer')
    deep = {"type": "NFC"}
    for _ in range(40):
        deep = {"type": "Sequence", "normalizers": [deep]}
    part("normalizer", "deep", deep, "is nested deeper than 32 levels")
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    part("normalizer", "bert-no-lowercase", without(bert, "lowercase"), ".lowercase", "the field is missing")
    part("normalizer", "bert-accents-text", bert | {"strip_accents": "no"}, ".strip_accents", "must be true or false")
    for name, charsmap, expected in (("not-base64", "a*==", "is not base64"), ("odd-base64", "abcde", "is not base64"), ("empty", "", "is empty"),
                                     ("short", base64.b64encode(b"ab").decode(), "needs bytes"),
                                     ("trie-long", base64.b64encode(struct.pack("<I", 4000)).decode(), "its trie is longer"),
                                     ("trie-empty", base64.b64encode(struct.pack("<I", 0)).decode(), "its trie is empty"),
                                     ("not-utf8", base64.b64encode(struct.pack("<II", 4, 0) + b"\xff\0").decode(), "its replacements are not UTF-8")):
        part("normalizer", "charsmap-" + name, {"type": "Precompiled", "precompiled_charsmap": charsmap}, "precompiled_charsmap", expected)
    part("normalizer", "replace-no-pattern", {"type": "Replace", "content": "x"}, ".pattern", "the field is missing")
    part("normalizer", "replace-two-patterns", {"type": "Replace", "pattern": {"String": "a", "Regex": "b"}, "content": "x"}, ".pattern", "must hold either")
    part("normalizer", "replace-regex", {"type": "Replace", "pattern": {"Regex": "a("}, "content": "x"}, 'the pattern "a(" cannot be read')

    def split(name, regex, *expected):
        part("pre_tokenizer", "split-" + name, {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}, *expected)
    part("pre_tokenizer", "unknown", {"type": "Words"}, ".type", '"Words" is no known pre-tokenizer')
    part("pre_tokenizer", "byte-level-no-trim", {"type": "ByteLevel", "add_prefix_space": True}, ".trim_offsets", "the field is missing")
    part("pre_tokenizer", "metaspace-two", {"type": "Metaspace", "replacement": "__"}, ".replacement", "must be one character")
    part("pre_tokenizer", "metaspace-empty", {"type": "Metaspace", "replacement": ""}, ".replacement", "must be one character")
    part("pre_tokenizer", "metaspace-scheme", {"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"}, ".prepend_scheme", '"last" is not one of')
    part("pre_tokenizer", "metaspace-legacy", {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "add_prefix_space": False}, ".add_prefix_space",
         "does not match prepend_scheme")
    part("pre_tokenizer", "split-behavior", {"type": "Split", "pattern": {"String": "a"}, "behavior": "Removes", "invert": False}, ".behavior", "no known behavior")
    part("pre_tokenizer", "fixed-zero", {"type": "FixedLength", "length": 0}, ".length", "must be at least 1")
    part("pre_tokenizer", "delimiter-two", {"type": "CharDelimiterSplit", "delimiter": "ab"}, ".delimiter", "must be one character")
    split("unclosed", "[a-z", 'the pattern "[a-z" has a class without ]')
    split("parens", "(" * 300 + ")" * 300, "cannot be read")
    split("property", r"\p{Letters_of_mine}", "the pattern")
    split("line-break", "a\n(", r"a\n(", "cannot be read")
    split("code-point", r"\x{110000}", "cannot be read")

    piece_a = {"Sequence": {"id": "A", "type_id": 0}}
    template = {"type": "TemplateProcessing", "single": [piece_a], "pair": [piece_a], "special_tokens": {}}
    part("post_processor", "unknown", {"type": "Gpt"}, ".type", '"Gpt" is no known post-processor')
    part("post_processor", "piece-empty", template | {"single": [{}]}, ".single[0]", "must hold either")
    part("post_processor", "sequence-c", template | {"pair": [{"Sequence": {"id": "C", "type_id": 0}}]}, ".pair[0].Sequence.id", '"C" is neither A nor B')
    part("post_processor", "token-unknown", template | {"single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}]}, ".single[0].SpecialToken.id",
         '"[X]" is not among special_tokens')
    part("post_processor", "ids-and-tokens", template | {"special_tokens": {"x": {"id": "x", "ids": [1, 2], "tokens": ["x"]}}}, ".special_tokens.x",
         "ids and tokens differ in length")
    part("post_processor", "single-b", template | {"single": [{"Sequence": {"id": "B", "type_id": 0}}]}, ".single", "uses sequence B")
    part("post_processor", "type-negative", template | {"single": [{"Sequence": {"id": "A", "type_id": -1}}]}, ".single[0].Sequence.type_id", "is -1")
    part("post_processor", "sequences-many", template | {"pair": [piece_a] * 17}, ".pair", "holds the sequences 17 times")
    part("post_processor", "bert-sep", {"type": "BertProcessing", "sep": ["x"], "cls": ["y", 1]}, ".sep", "must be a list of a token and its id")
    part("post_processor", "roberta-no-trim", {"type": "RobertaProcessing", "sep": ["x", 0], "cls": ["y", 1]}, ".trim_offsets", "the field is missing")
    part("decoder", "unknown", {"type": "Words"}, ".type", '"Words" is no known decoder')
    part("decoder", "strip-two", {"type": "Strip", "content": "ab", "start": 0, "stop": 0}, ".content", "must be one character")
    part("decoder", "strip-negative", {"type": "Strip", "content": "a", "start": -1, "stop": 0}, ".start", "must not be negative")
    part("decoder", "ctc-no-pad", {"type": "CTC", "word_delimiter_token": "|", "cleanup": True}, ".pad_token", "the field is missing")


def folder(name, files, *expected, tokenizer_class=None, **settings):
    config = {} if tokenizer_class is None and not settings else {"tokenizer_config.json": json.dumps({"tokenizer_class": tokenizer_class} | settings)}
    case("tokenizer-" + name, config | files, *expected)


VOCAB = "[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\na\n"


def make_vocab_files():
    folder("no-files", {"config.json": None}, "holds no tokenizer", "neither tokenizer.json nor")
    folder("no-folder-entry", {}, "no tokenizer.json", "BertTokenizer needs vocab.txt", "there is no vocab.txt")
    folder("class-unknown", {}, "holds no tokenizer.json", '"JugglingTokenizer" is not one', tokenizer_class="JugglingTokenizer")
    folder("class-with-line-break", {}, r'"a\nb"', tokenizer_class="a\nb")
    folder("gpt2-no-merges", {"vocab.json": "{}"}, "GPT2Tokenizer needs vocab.json and merges.txt", "there is no merges.txt", tokenizer_class="GPT2Tokenizer")
    folder("gpt2-no-files", {}, "GPT2Tokenizer needs vocab.json and merges.txt", "there is no vocab.json, merges.txt", tokenizer_class="GPT2TokenizerFast")
    folder("t5-no-model", {}, "T5Tokenizer needs spiece.model", tokenizer_class="T5Tokenizer")
    folder("marian-no-target", {"source.spm": b"", "vocab.json": "{}"}, "MarianTokenizer needs source.spm and target.spm and vocab.json", "there is no target.spm",
           tokenizer_class="MarianTokenizer")
    folder("marian-json-is-no-use", {"tokenizer.json": json.dumps(tokenizer())}, "a MarianTokenizer needs", tokenizer_class="MarianTokenizer")
    folder("m2m100-no-vocab", {"sentencepiece.bpe.model": b""}, "there is no vocab.json", tokenizer_class="M2M100Tokenizer")
    folder("vocab-txt-empty", {"vocab.txt": ""}, "vocab.txt", "holds no tokens")
    folder("vocab-txt-not-utf8", {"vocab.txt": b"[UNK]\n\xff\n"}, "vocab.txt", "is not UTF-8")
    folder("vocab-txt-is-folder", {"vocab.txt/x": ""}, "vocab.txt", "is a folder, not a file")
    gpt2 = {"vocab.json": '{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}', "merges.txt": "#version: 0.2\na b\n"}

    def gpt(name, files, *expected, cls="GPT2Tokenizer", **settings):
        folder(name, gpt2 | files, *expected, tokenizer_class=cls, **settings)
    gpt("vocab-json-empty", {"vocab.json": ""}, "vocab.json", "is not a JSON object")
    gpt("vocab-json-list", {"vocab.json": "[]"}, "vocab.json", "is not a JSON object")
    gpt("vocab-json-no-tokens", {"vocab.json": "{}"}, "vocab.json", "holds no tokens")
    gpt("vocab-json-id-text", {"vocab.json": '{"a": "0"}'}, "vocab.json: a", "its id is not a whole number")
    gpt("vocab-json-id-negative", {"vocab.json": '{"a": -1}'}, "vocab.json: a", "its id -1 is out of range")
    gpt("vocab-json-id-huge", {"vocab.json": '{"a": 4294967296}'}, "vocab.json: a", "its id 4294967296 is out of range")
    gpt("vocab-json-token-control", {"vocab.json": '{"a\\nb": null}'}, r"vocab.json: a\nb", "its id is not a whole number")
    gpt("merges-one-word", {"merges.txt": "#version: 0.2\na b\nab\n"}, "merges.txt: line 3", "has 1 words where a merge has two")
    gpt("merges-three-words", {"merges.txt": "#version: 0.2\na b a\n"}, "merges.txt: line 2", "has 3 words where a merge has two")
    gpt("merges-not-utf8", {"merges.txt": b"#version: 0.2\na \xff\n"}, "merges.txt", "is not UTF-8")
    gpt("merges-unknown", {"merges.txt": "#version: 0.2\na c\n"}, '"c" is not in the vocabulary')
    gpt("bos-asked-for", {}, "bos_token", add_bos_token=True, bos_token=None)


def proto(*pieces, trainer=b"", normalizer=b""):
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data
    out = b""
    for piece, score, kind in pieces:
        text = piece if isinstance(piece, bytes) else piece.encode()
        out += field(1, field(1, text) + b"\x15" + struct.pack("<f", score) + (bytes([0x18, kind]) if kind != 1 else b""))
    return out + (field(2, trainer) if trainer else b"") + (field(3, normalizer) if normalizer else b"")


UNK, A = ("<unk>", 0.0, 2), ("a", -1.0, 1)


def make_sentencepiece():
    def spm(name, content, *expected, cls="T5Tokenizer", **settings):
        folder("spm-" + name, {"spiece.model": content}, "spiece.model", *expected, tokenizer_class=cls, **settings)
    good = proto(UNK, ("<s>", 0.0, 3), ("</s>", 0.0, 3), A)
    spm("empty", b"", "spiece.model")
    spm("cut-off", good[:-2], "needs bytes")
    spm("text", "<!doctype html><html>Not found</html>", "spiece.model")
    spm("lfs-pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "spiece.model")
    spm("varint-endless", b"\x0a" + b"\xff" * 12, "spiece.model")
    spm("no-unknown", proto(A), "spiece.model")
    spm("two-unknown", proto(UNK, ("<unk2>", 0.0, 2), A), "spiece.model")
    spm("piece-twice", proto(UNK, A, A), "spiece.model")
    spm("piece-empty", proto(UNK, ("", 0.0, 1)), "spiece.model")
    spm("piece-not-utf8", proto(UNK, (b"\xff", 0.0, 1)), "spiece.model")
    spm("piece-type-9", proto(UNK, ("a", 0.0, 9)), "spiece.model")
    spm("score-nan", proto(UNK, ("a", float("nan"), 1)), "spiece.model")
    spm("score-infinite", proto(UNK, ("a", float("inf"), 1)), "spiece.model")
    spm("word-model", proto(UNK, A, trainer=b"\x18\x03"), "is a word or char model")
    spm("charsmap-short", proto(UNK, A, normalizer=b"\x12\x03abc"), "spiece.model")
    spm("charsmap-trie-long", proto(UNK, A, normalizer=b"\x12\x08" + struct.pack("<II", 4000, 0)), "spiece.model")
    spm("unk-id-outside", proto(UNK, A, trainer=b"\xc0\x02\x7f"), "names the unknown piece 127 of")
    folder("spm-extra-ids-negative", {"spiece.model": good}, "tokenizer_config.json: extra_ids", "whole number from 0", tokenizer_class="T5Tokenizer", extra_ids=-1)
    folder("spm-extra-ids-huge", {"spiece.model": good}, "tokenizer_config.json: extra_ids", "whole number from 0", tokenizer_class="T5Tokenizer", extra_ids=10**9)
    folder("spm-src-lang", {"sentencepiece.bpe.model": good}, "tokenizer_config.json: src_lang", '"xx_XX" is not in the vocabulary', tokenizer_class="MBartTokenizer",
           src_lang="xx_XX")
    marian = {"source.spm": good, "target.spm": good, "vocab.json": '{"<unk>": 0, "</s>": 1, "<pad>": 2, "a": 3}'}
    folder("marian-source-empty", marian | {"source.spm": b""}, "source.spm", tokenizer_class="MarianTokenizer")
    folder("marian-vocab-no-unk", marian | {"vocab.json": '{"a": 0}'}, "vocab.json", "has no token <unk>", tokenizer_class="MarianTokenizer")
    folder("marian-target-vocab", marian, "target_vocab.json", "no such file", tokenizer_class="MarianTokenizer", separate_vocabs=True)
    m2m = {"sentencepiece.bpe.model": good, "vocab.json": '{"<unk>": 0, "</s>": 1, "a": 2}'}
    folder("m2m100-codes", m2m, "tokenizer_config.json: language_codes", '"klingon" is not known', tokenizer_class="M2M100Tokenizer", language_codes="klingon")
    folder("m2m100-src-lang", m2m, "tokenizer_config.json: src_lang", '"tlh" is not a language', tokenizer_class="M2M100Tokenizer", src_lang="tlh")
    folder("marian-added-id", marian | {"added_tokens.json": '{"x": -5}'}, "added_tokens.json", "-5 is out of range", tokenizer_class="MarianTokenizer")


def make_settings():
    good = {"vocab.txt": VOCAB}

    def settings(name, content, *expected, file="tokenizer_config.json"):
        text = content if isinstance(content, (bytes, str)) else json.dumps(content)
        folder(f"{file.split('.')[0].replace('_', '-')}-{name}", good | {file: text}, file, *expected)
    settings("empty", "", "not valid JSON")
    settings("list", "[]", "must hold a JSON object, not a list")
    settings("not-utf8", b'{"a": "\xff"}', "not valid JSON")
    settings("deep", '{"a":' * 100 + "1" + "}" * 100, "nested deeper than 64")
    settings("lower-case-text", {"do_lower_case": "yes"}, ": do_lower_case", "must be true or false, not a string")
    settings("basic-number", {"do_basic_tokenize": 1}, ": do_basic_tokenize", "must be true or false, not a number")
    settings("accents-list", {"strip_accents": []}, ": strip_accents", "must be true or false, not a list")
    settings("cls-number", {"cls_token": 5}, ": cls_token", "must be a token or an object with its content, not a number")
    settings("cls-null", {"cls_token": None}, ": cls_token", "is needed by BertTokenizer")
    settings("mask-no-content", {"mask_token": {"lstrip": True}}, ": mask_token", "must be a token or an object with its content")
    settings("mask-flag-text", {"mask_token": {"content": "[MASK]", "lstrip": "x"}}, ": mask_token.lstrip", "must be true or false")
    settings("additional-text", {"additional_special_tokens": "a"}, ": additional_special_tokens", "must be a list, not a string")
    settings("additional-number", {"additional_special_tokens": [1]}, ": additional_special_tokens", "must be a token")
    settings("max-length-text", {"model_max_length": "512"}, ": model_max_length", "must be a number, not a string")
    settings("padding-side", {"padding_side": "up"}, ": padding_side", 'must be "left" or "right"')
    settings("truncation-side", {"truncation_side": 1}, ": truncation_side", 'must be "left" or "right"')
    settings("input-names-text", {"model_input_names": "input_ids"}, ": model_input_names", "must be a list, not a string")
    settings("input-names-number", {"model_input_names": [1]}, ": model_input_names", "must hold strings, not a number")
    settings("decoder-list", {"added_tokens_decoder": []}, ": added_tokens_decoder", "must be an object, not a list")
    settings("decoder-key", {"added_tokens_decoder": {"x": {"content": "y"}}}, ": added_tokens_decoder", '"x" is no token id')
    settings("decoder-entry", {"added_tokens_decoder": {"7": 7}}, ": added_tokens_decoder.7", "must be a token")
    settings("list", "[]", "must hold a JSON object, not a list", file="special_tokens_map.json")
    settings("cut-off", '{"cls_token": ', "not valid JSON", file="special_tokens_map.json")
    settings("list", "[]", "must hold a JSON object, not a list", file="added_tokens.json")
    settings("id-text", {"x": "5"}, ": x", "must be a token id, not a string", file="added_tokens.json")
    settings("id-null", {"a\nb": None}, r": a\nb", "must be a token id, not null", file="added_tokens.json")
    folder("special-tokens-map-number", good | {"special_tokens_map.json": '{"cls_token": 5}'}, "special_tokens_map.json: cls_token", "must be a token")


def make_sentences():
    transformer = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}
    pooling = {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}

    def modules(name, content, *expected, **files):
        text = content if isinstance(content, (bytes, str)) else json.dumps(content)
        more = {"1_Pooling/config.json": files.get("pooling"), "2_Dense/config.json": files.get("dense"), "2_Dense/model.safetensors": files.get("weights")}
        case("sentences-" + name, {"modules.json": text} | more, *expected)
    modules("modules-empty", "", "modules.json", "not valid JSON")
    modules("modules-object", {}, "modules.json", "must be a list, not an object")
    modules("modules-none", [], "modules.json", "names no Transformer module")
    modules("module-text", ["x"], "modules.json: [0]", "needs a type and a path")
    modules("module-no-type", [{"path": ""}], "modules.json: [0]", "needs a type and a path")
    modules("module-path-number", [transformer | {"path": 1}], "modules.json: [0]", "needs a type and a path")
    modules("module-unknown", [pooling | {"type": "sentence_transformers.models.LSTM"}], "modules.json: [0]", 'the module "sentence_transformers.models.LSTM" is not known')
    modules("module-control", [pooling | {"type": "a\nb"}], "modules.json: [0]", r'"a\nb"')
    modules("path-parent", [pooling | {"path": "../1_Pooling"}], "modules.json: [0]", '"../1_Pooling" is not inside this folder')
    modules("path-absolute", [pooling | {"path": "/etc"}], "modules.json: [0]", '"/etc" is not inside this folder')
    modules("path-nul", [pooling | {"path": "a\0b"}], "modules.json: [0]", r'"a\x00b" is not inside this folder')
    modules("pooling-missing", [pooling], "1_Pooling", "config.json")
    modules("pooling-empty", [pooling], "1_Pooling/config.json", "not valid JSON", pooling="")
    modules("pooling-list", [pooling], "1_Pooling/config.json", "must be a JSON object, not a list", pooling="[]")
    modules("pooling-text", [pooling], "1_Pooling/config.json: pooling_mode_cls_token", "must be true or false, not a string", pooling='{"pooling_mode_cls_token": "yes"}')
    modules("pooling-none", [pooling], "1_Pooling/config.json", "no pooling mode is on", pooling='{"pooling_mode_mean_tokens": false}')
    weights = safetensors({"linear.weight": tensor(shape=(2, 2), offsets=(0, 16)), "linear.bias": tensor(offsets=(16, 24))}, bytes(24))
    features = {"in_features": 2, "out_features": 2}
    modules("dense-no-weights", [dense], "2_Dense", "has no weights", dense=json.dumps(features))
    modules("dense-no-features", [dense], "2_Dense/config.json: in_features", "the field is missing", dense="{}", weights=weights)
    modules("dense-features-zero", [dense], "2_Dense/config.json: in_features", "must be at least 1", dense=json.dumps(features | {"in_features": 0}), weights=weights)
    modules("dense-shape", [dense], "2_Dense", "linear.weight", "has the shape [2, 2] where config.json asks for [3, 2]",
            dense=json.dumps(features | {"out_features": 3}), weights=weights)
    modules("dense-activation", [dense], "2_Dense/config.json: activation_function", '"torch.nn.Swish" is not known',
            dense=json.dumps(features | {"activation_function": "torch.nn.Swish"}), weights=weights)


def main():
    for made in ROOT.glob("*"):
        if made.name.split("-")[0] in ("tokenizer", "sentences"):
            shutil.rmtree(made)
    make_files()
    make_models()
    make_parts()
    make_vocab_files()
    make_sentencepiece()
    make_settings()
    make_sentences()
    print(len([d for d in ROOT.glob("*") if d.name.split("-")[0] in ("tokenizer", "sentences")]), "folders")


if __name__ == "__main__":
    main()
