"""Tiny tokenizers of each kind, trained on corpus.py and wrapped in Transformers' own classes."""

import collections
import io
import json
import shutil
import tempfile
from pathlib import Path

import sentencepiece
import transformers as t
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from corpus import TRAIN

_SCRATCH = tempfile.TemporaryDirectory()  # slow tokenizers copy their sentencepiece file when they are saved
_BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def _wordpiece_vocab(size, lowercase, specials):
    """Frequent characters, then frequent pieces; counted here, since the trainer of PyPI tokenizers breaks ties by
    chance. Rare characters stay unknown."""
    normalize = normalizers.BertNormalizer(lowercase=lowercase).normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    chars, pieces = collections.Counter(), collections.Counter()
    for line in TRAIN:
        for word, _ in split(normalize(line)):
            for start in range(len(word)):
                prefix = "##" if start else ""
                chars[prefix + word[start]] += 1
                for end in range(start + 2, min(len(word), start + 9) + 1):
                    pieces[prefix + word[start:end]] += end - start - 1

    def best(counter, count):
        return [piece for piece, _ in sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:count]]
    vocab = specials + sorted(best(chars, size // 2))
    return vocab + best(pieces, size - len(vocab))


def wordpiece(cls, size=600, lowercase=True, specials=_BERT_SPECIALS, **more):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocab.txt"
        path.write_text("\n".join(_wordpiece_vocab(size, lowercase, specials)) + "\n")
        return cls(str(path), do_lower_case=lowercase, **more)


def bert_uncased(**more):
    return wordpiece(t.BertTokenizerFast, **more)


def bert_cased(**more):
    return wordpiece(t.BertTokenizerFast, lowercase=False, size=500, **more)


def distilbert(**more):
    return wordpiece(t.DistilBertTokenizerFast, lowercase=False, size=480, **more)


def electra(**more):
    return wordpiece(t.ElectraTokenizerFast, size=400, **more)


def mpnet(**more):
    return wordpiece(t.MPNetTokenizerFast, specials=["<s>", "[UNK]", "<pad>", "</s>", "<mask>"], **more)


def _byte_bpe(size, specials):
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    trained.train_from_iterator(TRAIN, trainer)
    return trained


def roberta(size=520, cls=t.RobertaTokenizerFast, **more):
    trained = _byte_bpe(size, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    with tempfile.TemporaryDirectory() as folder:
        vocab, merges = trained.model.save(folder)
        return cls(vocab, merges, **more)


def bart(**more):
    return roberta(cls=t.BartTokenizerFast, **more)


def modernbert(size=520, **more):
    specials = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trained = _byte_bpe(size, specials)
    trained.normalizer = normalizers.NFC()
    trained.decoder = decoders.ByteLevel()
    ids = {s: trained.token_to_id(s) for s in specials}
    trained.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])])
    return t.PreTrainedTokenizerFast(
        tokenizer_object=trained, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]",
        mask_token=AddedToken("[MASK]", lstrip=True, rstrip=False, normalized=False), clean_up_tokenization_spaces=True,
        model_input_names=["input_ids", "attention_mask"], **more)


def _sentencepiece(folder, size, **how):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAIN), model_writer=model, vocab_size=size,
        **(dict(model_type="unigram", character_coverage=0.98, num_threads=1, minloglevel=2, hard_vocab_limit=False) | how))
    path = Path(folder) / "spm.model"
    path.write_bytes(model.getvalue())
    return str(path)


def _from_sentencepiece(cls, size=600, rule="identity", fast=True, **more):
    """A tokenizer over a sentencepiece file, or the fast one that Transformers makes of it."""
    pieces = dict(unk_id=0, bos_id=1, eos_id=2, pad_id=-1)
    if cls.startswith("DebertaV2"):
        pieces = dict(pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]",
                      unk_piece="[UNK]", user_defined_symbols="[MASK]")
    if cls.startswith("Albert"):
        pieces = dict(pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, pad_piece="<pad>",
                      control_symbols="[CLS],[SEP]", user_defined_symbols="[MASK]")
    folder = tempfile.mkdtemp(dir=_SCRATCH.name)
    path = _sentencepiece(folder, size, normalization_rule_name=rule, **pieces)
    slow = getattr(t, cls)(path, **more)
    if not fast:
        return slow
    slow.save_pretrained(folder)
    return getattr(t, cls + "Fast").from_pretrained(folder)


def xlm_roberta(**more):
    return _from_sentencepiece("XLMRobertaTokenizer", **more)


def xlm_roberta_nmt(**more):
    """With sentencepiece's precompiled normalization, as the real files have it."""
    return _from_sentencepiece("XLMRobertaTokenizer", rule="nmt_nfkc", **more)


def camembert(**more):
    return _from_sentencepiece("CamembertTokenizer", **more)


def albert(**more):
    return _from_sentencepiece("AlbertTokenizer", **more)


def deberta_v2(**more):
    return _from_sentencepiece("DebertaV2Tokenizer", **({"do_lower_case": False} | more))


def gpt2(size=520, **more):
    trained = _byte_bpe(size, ["<|endoftext|>"])
    with tempfile.TemporaryDirectory() as folder:
        vocab, merges = trained.model.save(folder)
        return t.GPT2TokenizerFast(vocab, merges, **more)


def qwen2(size=520, **more):
    trained = _byte_bpe(size, [])
    with tempfile.TemporaryDirectory() as folder:
        vocab, merges = trained.model.save(folder)
        special = {s: AddedToken(s, special=True, normalized=False) for s in ("<|im_start|>", "<|im_end|>")}
        made = t.Qwen2TokenizerFast(vocab, merges, eos_token="<|im_end|>", **more)
        made.add_special_tokens({"additional_special_tokens": list(special.values())})
        return made


def bart(size=520, **more):
    trained = _byte_bpe(size, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    with tempfile.TemporaryDirectory() as folder:
        vocab, merges = trained.model.save(folder)
        return t.BartTokenizerFast(vocab, merges, **more)


def llama(size=740, **more):
    """Byte-pair encoding of sentencepiece with bytes for what it does not know."""
    folder = tempfile.mkdtemp(dir=_SCRATCH.name)
    path = _sentencepiece(folder, size, model_type="bpe", byte_fallback=True, unk_id=0, bos_id=1, eos_id=2, pad_id=-1,
                          normalization_rule_name="identity")
    t.LlamaTokenizer(path, **more).save_pretrained(folder)
    return t.LlamaTokenizerFast.from_pretrained(folder)


def t5(**more):
    folder = tempfile.mkdtemp(dir=_SCRATCH.name)
    path = _sentencepiece(folder, 500, normalization_rule_name="identity", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    t.T5Tokenizer(path, extra_ids=10, legacy=False, **more).save_pretrained(folder)
    return t.T5TokenizerFast.from_pretrained(folder)


def pegasus(**more):
    folder = tempfile.mkdtemp(dir=_SCRATCH.name)
    path = _sentencepiece(folder, 500, normalization_rule_name="identity", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    t.PegasusTokenizer(path, offset=8, **more).save_pretrained(folder)
    return t.PegasusTokenizerFast.from_pretrained(folder)


def _vocab_of(path, specials, last=()):
    """Pieces of a sentencepiece file as fairseq numbers them: its own three first."""
    model = sentencepiece.SentencePieceProcessor(model_file=path)
    pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    tokens = specials + [p for p in pieces if p not in specials] + list(last)
    return {token: i for i, token in enumerate(tokens)}


def marian(**more):
    folder = Path(tempfile.mkdtemp(dir=_SCRATCH.name))
    source = _sentencepiece(folder, 420, normalization_rule_name="identity", unk_id=0, bos_id=-1, eos_id=1, pad_id=-1)
    shutil.copy(source, folder / "source.spm")
    shutil.copy(source, folder / "target.spm")
    vocab = _vocab_of(source, ["</s>", "<unk>", ">>fra<<", ">>deu<<"], ["<pad>"])
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    return t.MarianTokenizer(str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"),
                             source_lang="en", target_lang="ROMANCE", **more)


def m2m100(**more):
    folder = Path(tempfile.mkdtemp(dir=_SCRATCH.name))
    path = _sentencepiece(folder, 420, normalization_rule_name="identity", unk_id=0, bos_id=1, eos_id=2, pad_id=-1)
    vocab = _vocab_of(path, ["<s>", "<pad>", "</s>", "<unk>"])
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    return t.M2M100Tokenizer(str(folder / "vocab.json"), path, src_lang="en", tgt_lang="de", **more)


def mbart(**more):
    return _from_sentencepiece("MBartTokenizer", **({"src_lang": "en_XX", "tgt_lang": "de_DE"} | more))


def mbart50(**more):
    return _from_sentencepiece("MBart50Tokenizer", **({"src_lang": "en_XX", "tgt_lang": "de_DE"} | more))


def nllb(**more):
    return _from_sentencepiece("NllbTokenizer", **({"src_lang": "eng_Latn", "tgt_lang": "deu_Latn"} | more))


def save(tokenizer, folder):
    tokenizer.save_pretrained(folder)
    tokenizer_json = Path(folder) / "tokenizer.json"
    if tokenizer_json.exists() and tokenizer_json.stat().st_size > 60_000:  # a line per piece is a third spaces
        tokenizer_json.write_text(json.dumps(json.loads(tokenizer_json.read_text()), ensure_ascii=False,
                                             separators=(",", ":")))


if __name__ == "__main__":  # a look at each
    text = "Søren O'Brien didn't like the cafe\u0301 in 東京 😀 <mask> [MASK] xyzzy"
    for make in (bert_uncased, bert_cased, distilbert, electra, mpnet, roberta, modernbert, xlm_roberta,
                 xlm_roberta_nmt, camembert, albert, deberta_v2):
        tok = make()
        with tempfile.TemporaryDirectory() as folder:
            save(tok, folder)
            sizes = {p.name: p.stat().st_size for p in Path(folder).iterdir()}
        print(make.__name__, type(tok).__name__, len(tok), sizes)
        print("  ", tok.tokenize(text), tok(text, "b")["input_ids"][:4], tok.mask_token_id, tok.pad_token_id,
              tok.unk_token_id, tok.model_input_names)
