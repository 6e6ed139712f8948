"""Records tests/cases/tokenizer_training/: a small text, and the tokenizers that PyPI `tokenizers` trains on it.

    pip install tokenizers            # 0.23
    python recipes/record_tokenizer_training.py

expected.jsonl holds {"arguments", "vocab", "merges", "scores", "encode"}: of `polymath train tokenizer` with these arguments the tokens by id,
the merges, Unigram's scores, and how the tokenizer cuts some texts. Where the crate's order is that of a hash table it is fixed or left out, as
compare_tokenizer_training.py says; scores of characters that Unigram lost differ by some 0.0001 for that reason.
"""

import json
import random
from pathlib import Path

from compare_tokenizer_training import crate
from pipeline_texts import LONG, NEWS, UNICODE

OUT = Path(__file__).resolve().parent.parent / "tests/cases/tokenizer_training"
TEXTS = [t for t in UNICODE if "\n" not in t] + [s.strip() + "." for s in (LONG + NEWS).replace(";", ".").split(". ") if s.strip()]
WORDS = [w for t in TEXTS for w in t.split()]
WORDS += [w + e for w in ("walk", "talk", "bridg", "invit", "count", "stud") for e in ("e", "ed", "ing", "er", "ers", "s")]
RANDOM = random.Random(3)
TEXTS += [" ".join(WORDS[int(len(WORDS) * RANDOM.random() ** 2)] for _ in range(10)) for _ in range(150)]
TEXTS += ["".join(WORDS[int(len(WORDS) * RANDOM.random() ** 2)] for _ in range(150))]  # one long word
TEXTS += ["low lower lowest newer newest wider widest " * 2, "aaaa aaa aa a aaaaaaaa abab ababab", "don't can't won't 1999 2000 2001  two  spaces "]
PROBES = ["Ada met Charles in London.", "the lowest bridge", "aaaaa ababa", "Zürich 北京", "unseen: @@ ✓"]


def record():
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "corpus.txt").write_text("".join(t + "\n" for t in TEXTS))
    rows = []
    for kind, size, frequency, lowercase in (("bpe", 420, 2, False), ("bpe", 700, 0, False), ("wordpiece", 500, 2, False), ("wordpiece", 360, 3, True), ("unigram", 330, 2, False), ("unigram", 600, 2, False)):
        t = crate(kind, TEXTS, size, min_frequency=frequency, lowercase=lowercase)
        model = json.loads(t.to_str())["model"]
        arguments = ["--model", kind, "--vocab-size", str(size), "--min-frequency", str(frequency)] + (["--lowercase"] if lowercase else [])
        row = {"arguments": arguments}
        if kind == "unigram":
            row |= {"vocab": [p for p, _ in model["vocab"]], "scores": [round(s, 7) for _, s in model["vocab"]]}
        else:
            row |= {"vocab": sorted(model["vocab"], key=model["vocab"].get), "merges": [list(m) for m in model.get("merges", [])]}
        row["encode"] = [{"text": p, "tokens": t.encode(p, add_special_tokens=False).tokens} for p in PROBES]
        rows.append(row)
        print(kind, size, len(row["vocab"]))
    (OUT / "expected.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))


if __name__ == "__main__":
    record()
