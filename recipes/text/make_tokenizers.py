"""Makes folders with a tokenizer.json each from the real vocabularies of a data folder.

    python recipes/text/make_tokenizers.py DATA_FOLDER OUT_FOLDER [MINILM_FOLDER]

DATA_FOLDER holds tokenizers/ with GPT-1's and GPT-2's vocabularies, Llama 2's and sentencepiece's test models, and tokenizer.json
files of Whisper, Phi-3 and others. Some folders put a real vocabulary behind the rules of another model (the patterns of Llama 3,
Qwen 2, DeepSeek or BLOOM over GPT-2's merges): the rules are what is compared. Needs transformers 4.57.6 and sentencepiece.
"""

import json
import shutil
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AlbertTokenizer, CamembertTokenizer, DebertaV2Tokenizer, LlamaTokenizer, MBartTokenizer, T5Tokenizer, XLMRobertaTokenizer
from transformers.convert_slow_tokenizer import convert_slow_tokenizer

PATTERNS = {
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "clip": r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""",
    "starcoder": r"\p{N}| ?\w+|\s+|[^\w\s]",
    "boundaries": r"\b\w+\b|\B.\B|\d++|\h{2}",
}


def byte_level(vocab, merges, pattern=None, add_prefix_space=False, normalizer=None, **more):
    tok = Tokenizer(models.BPE(vocab, merges, **more))
    if pattern is None:
        tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    else:
        tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    if normalizer:
        tok.normalizer = normalizer
    return tok


def main(data, out, minilm=None):
    data, out = Path(data) / "tokenizers", Path(out)

    def save(name, tok):
        (out / name).mkdir(parents=True, exist_ok=True)
        tok.save(str(out / name / "tokenizer.json"))

    def copy(name, path):
        (out / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, out / name / "tokenizer.json")

    for name in ("whisper", "phi3-v", "pipeline-model"):
        copy(name, data / f"{name}.tokenizer.json")
    copy("stories260k", data.parent / "weights-stories260k" / "tokenizer.json")
    if minilm:
        copy("minilm", Path(minilm) / "tokenizer.json")
        cased = Tokenizer.from_file(str(Path(minilm) / "tokenizer.json"))
        cased.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False, handle_chinese_chars=True)
        save("minilm-cased", cased)

    vocab = json.loads((data / "gpt2.vocab.json").read_text())
    merges = [tuple(line.split(" ")) for line in (data / "gpt2.merges.txt").read_text().split("\n")[1:] if line]
    gpt2 = byte_level(vocab, merges)
    gpt2.post_processor = processors.ByteLevel(trim_offsets=False)
    gpt2.add_special_tokens([AddedToken("<|endoftext|>", normalized=False, special=True)])
    save("gpt2", gpt2)
    roberta = byte_level(vocab, merges, add_prefix_space=True)
    roberta.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
    roberta.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False, special=True), AddedToken("<pad>", special=True)])
    roberta.add_tokens([AddedToken("São", single_word=True), AddedToken("the", single_word=True, rstrip=True), "ﬁne", AddedToken("#tag", lstrip=True, rstrip=True)])
    save("roberta-like", roberta)
    for name, pattern in PATTERNS.items():
        tok = byte_level(vocab, merges, pattern, normalizer=normalizers.NFC() if name == "qwen2" else None, ignore_merges=name == "llama3")
        tok.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(
            single="<|endoftext|> $A", pair="<|endoftext|> $A <|endoftext|>:1 $B:1", special_tokens=[("<|endoftext|>", 50256)])])
        save("gpt2-" + name, tok)
    deepseek = byte_level(vocab, merges)
    deepseek.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated"), pre_tokenizers.Split(Regex("[一-龥぀-ゟ゠-ヿ]+"), "isolated"),
        pre_tokenizers.Split(Regex(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    save("gpt2-deepseek", deepseek)
    modern = byte_level(vocab, merges)
    modern.normalizer = normalizers.Sequence([normalizers.Replace(Regex(" {2,}"), "▁"), normalizers.NFKC(), normalizers.ByteLevel()])
    modern.pre_tokenizer = pre_tokenizers.Split("Ġ", "merged_with_next")
    save("gpt2-bytes-normalized", modern)

    vocab1 = json.loads((data / "openai-gpt1.encoder_bpe_40000.json").read_text())
    merges1 = [tuple(line.split(" ")) for line in (data / "openai-gpt1.vocab_40000.bpe").read_text().split("\n")[1:-1] if line]
    gpt1 = Tokenizer(models.BPE(vocab1, merges1, unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False))
    gpt1.normalizer = normalizers.BertNormalizer(lowercase=True)
    gpt1.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    gpt1.decoder = decoders.BPEDecoder(suffix="</w>")
    save("gpt1", gpt1)

    llama = str(data / "llama2.tokenizer.model")
    save("llama2-legacy", convert_slow_tokenizer(LlamaTokenizer(llama, legacy=True)))
    save("llama2", convert_slow_tokenizer(LlamaTokenizer(llama, legacy=False)))
    for lang in ("", "_ja"):
        model = str(data / f"spm.test{lang}_model.model")
        for cls in (T5Tokenizer, XLMRobertaTokenizer, CamembertTokenizer, AlbertTokenizer, DebertaV2Tokenizer, MBartTokenizer):
            save(f"spm{lang}-{cls.__name__}", convert_slow_tokenizer(cls(model)))
        fallback = json.loads(convert_slow_tokenizer(T5Tokenizer(model)).to_str())
        pieces = fallback["model"]["vocab"]
        fallback["model"]["vocab"] = pieces + [[f"<0x{b:02X}>", -20.0] for b in range(256)]
        fallback["model"]["byte_fallback"] = True
        fallback["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]}
        (out / f"spm{lang}-byte-fallback").mkdir(parents=True, exist_ok=True)
        (out / f"spm{lang}-byte-fallback" / "tokenizer.json").write_text(json.dumps(fallback))


if __name__ == "__main__":
    main(*sys.argv[1:])
