"""Trains tokenizers with `polymath train tokenizer` and with PyPI `tokenizers` on the same text, and compares.

    pip install tokenizers transformers
    python recipes/compare_tokenizer_training.py build/polymath TEXT.txt [LINES] [VOCAB_SIZE]

BPE and WordPiece: vocabulary, ids and merges have to be equal. WordPiece's own order of "##x" tokens is that of a hash table in the crate, so
ties fall differently from run to run: here the crate gets all characters and "##" characters as special tokens in our order, which fixes it.
Unigram: tokens a word and the likelihood of the text under both vocabularies.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
T5 = ["<pad>", "</s>", "<unk>"]


def crate(kind, lines, vocab_size, min_frequency=2, lowercase=False, alphabet=None):
    if kind == "bpe":
        t = Tokenizer(models.BPE())
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    elif kind == "wordpiece":
        t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        t.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        if alphabet is None:
            words = {w for line in lines for w, _ in t.pre_tokenizer.pre_tokenize_str(t.normalizer.normalize_str(line))}
            alphabet = sorted({c for w in words for c in w}) + ["##" + c for c in sorted({c for w in words for c in w[1:]})]
        trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=BERT + alphabet, show_progress=False)
    else:
        t = Tokenizer(models.Unigram())
        t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
        t.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=vocab_size, special_tokens=T5, unk_token="<unk>", show_progress=False)
    t.train_from_iterator(lines, trainer)
    if kind == "wordpiece":  # without the characters as special tokens
        made = Tokenizer(models.WordPiece(t.get_vocab(), unk_token="[UNK]"))
        made.normalizer, made.pre_tokenizer = t.normalizer, t.pre_tokenizer
        return made
    return t


def ours(program, kind, path, vocab_size, *more):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "train", "tokenizer", "--data", str(path), "--model", kind, "--vocab-size", str(vocab_size), "-o", folder, "--quiet", *more], check=True, stdout=subprocess.DEVNULL)
        import transformers

        loaded = transformers.AutoTokenizer.from_pretrained(folder)  # Transformers takes the folder too
        text = "Ada met Charles."
        assert loaded.decode(loaded(text)["input_ids"], skip_special_tokens=True).strip().lower() == text.lower(), (kind, loaded(text))
        return Tokenizer.from_file(folder + "/tokenizer.json")


def likelihood(tokenizer, lines):
    """Of the text, cut as each tokenizer cuts it: bits under the frequencies of its own tokens, and its tokens."""
    counts = Counter()
    for e in tokenizer.encode_batch(lines, add_special_tokens=False):
        counts.update(e.ids)
    total = sum(counts.values())
    return -sum(n * math.log2(n / total) for n in counts.values()), total


def compare(program, path, lines, vocab_size):
    words = sum(len(line.split()) for line in lines)
    for kind, more, options in (("bpe", [], {}), ("bpe", ["--min-frequency", "0"], {"min_frequency": 0}), ("wordpiece", [], {}), ("wordpiece", ["--lowercase"], {"lowercase": True})):
        start = time.time()
        a = ours(program, kind, path, vocab_size, *more)
        mine, start = time.time() - start, time.time()
        b = crate(kind, lines, vocab_size, **options)
        a_model, b_model = json.loads(a.to_str())["model"], json.loads(b.to_str())["model"]
        same = a_model["vocab"] == b_model["vocab"] and a_model.get("merges") == b_model.get("merges")
        print(f"{kind} {' '.join(more)}: {'equal' if same else 'DIFFERENT'}, {a.get_vocab_size()} and {b.get_vocab_size()} tokens; {mine:.1f} s, the crate {time.time() - start:.1f} s")
        if not same:
            x, y = sorted(a_model["vocab"], key=a_model["vocab"].get), sorted(b_model["vocab"], key=b_model["vocab"].get)
            first = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), None)
            print("  first at id", first, x[first : first + 3] if first is not None else "", y[first : first + 3] if first is not None else "", "in common", len(set(x) & set(y)))
    start = time.time()
    a = ours(program, "unigram", path, vocab_size)
    mine, start = time.time() - start, time.time()
    b = crate("unigram", lines, vocab_size)
    theirs = time.time() - start
    (a_bits, a_tokens), (b_bits, b_tokens) = likelihood(a, lines), likelihood(b, lines)
    common = len(set(a.get_vocab()) & set(b.get_vocab()))
    print(f"unigram: {a.get_vocab_size()} and {b.get_vocab_size()} tokens, {common} in common; a word has {a_tokens / words:.4f} and {b_tokens / words:.4f} tokens, "
          f"{a_bits / words:.4f} and {b_bits / words:.4f} bits; {mine:.1f} s, the crate {theirs:.1f} s")


if __name__ == "__main__":
    text = Path(sys.argv[2]).read_text().split("\n")
    lines = [line for line in text if line.strip()][: int(sys.argv[3]) if len(sys.argv) > 3 else None]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(line + "\n" for line in lines))
        file.flush()
        compare(sys.argv[1], file.name, lines, int(sys.argv[4]) if len(sys.argv) > 4 else 3000)
