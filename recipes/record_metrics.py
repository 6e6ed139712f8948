"""Records what the Python packages give for hard cases of every metric: tests/cases/metrics.jsonl.

    python -m venv V && V/bin/pip install scikit-learn seqeval sacrebleu rouge-score scipy      # 1.9, 1.2.2, 2.6, 0.1.2, 1.17
    V/bin/python recipes/record_metrics.py            # writes
    V/bin/python recipes/record_metrics.py compare build/tests/train_test 200 SEED    # random cases, compared live

SQuAD's scores have no package: `squad` below states the rules of the two official scripts. Floats keep all their digits.
"""

import collections
import json
import os
import random
import re
import string
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import sacrebleu
import scipy.stats
import seqeval.metrics
import sklearn.metrics
from rouge_score import rouge_scorer

warnings.filterwarnings("ignore")
OUT = Path(__file__).resolve().parent.parent / "tests/cases/metrics.jsonl"
WORDS = ["the", "The", "a", "an", "cat", "cats", "sat", "running", "runs", "happily", "relational", "hopping", "controlled", "generalizations", "oscillators", "3,000", "3.5", "U.S.", "10-12",
         "it's", "don't", "naïve", "Straße", "İstanbul", "ΣΑΣ", "中文", "한국어", "🙂", "e\u0301", "&quot;x&quot;", "a&amp;b", "<skipped>", "(x)", "x/y", "-", "--", ".", ",", "?!", "\u00a0", "K", "ed",
         "ing", "flies", "dies", "enjoyed", "agreed", "feed", "geology", "analogi", "skies", "succeed", "«ok»", "end-\n", "it.", "_x_", "\u2028", "sing", "falling", "hissing", "fizzed", "failing"]
TAGS = ["O", "O", "O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC", "I-A-B", "B-ORG", "I-ORG"]


def sentence(r, most=14):
    return " ".join(r.choice(WORDS) for _ in range(r.randrange(most)))


def noisy(r, text):
    words = text.split(" ")
    for _ in range(r.randrange(4)):
        at = r.randrange(len(words) + 1)
        if r.random() < 0.5:
            words.insert(at, r.choice(WORDS))
        elif words:
            words.pop(min(at, len(words) - 1))
    return " ".join(words)


def classes(case):
    t, p = case["truth"], case["predicted"]
    labels = sorted(set(t) | set(p))
    per = sklearn.metrics.precision_recall_fscore_support(t, p, labels=labels, zero_division=0)
    return {"accuracy": sklearn.metrics.accuracy_score(t, p), "micro": sklearn.metrics.f1_score(t, p, average="micro"), "macro": sklearn.metrics.f1_score(t, p, average="macro"),
            "weighted": sklearn.metrics.f1_score(t, p, average="weighted"), "matthews": sklearn.metrics.matthews_corrcoef(t, p),
            "classes": {label: [float(per[k][i]) for k in range(4)] for i, label in enumerate(labels)}}


def entities(case):
    t, p = case["truth"], case["predicted"]
    out = {}
    for average in ("micro", "macro", "weighted"):
        out[average] = [float(np.nan_to_num(f(t, p, average=average))) for f in (seqeval.metrics.precision_score, seqeval.metrics.recall_score, seqeval.metrics.f1_score)]
    report = seqeval.metrics.classification_report(t, p, output_dict=True) if any(tag != "O" for s in t + p for tag in s) else {}
    out["types"] = {k: [float(v["precision"]), float(v["recall"]), float(v["f1-score"]), int(v["support"])] for k, v in report.items() if not k.endswith(" avg")}
    return out


def correlations(case):
    if len(set(case["x"])) < 2 or len(set(case["y"])) < 2:
        return {"pearson": None, "spearman": None}
    return {"pearson": float(scipy.stats.pearsonr(case["x"], case["y"])[0]), "spearman": float(scipy.stats.spearmanr(case["x"], case["y"])[0])}


def normalized(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad(case):
    golds = case["answers"]
    if case["version_2"]:
        golds = [g for g in golds if normalized(g)] or [""]
    exact, best = 0.0, 0.0
    for gold in golds:
        p, g = normalized(case["predicted"]).split(), normalized(gold).split()
        exact = max(exact, float(p == g))
        same = sum((collections.Counter(p) & collections.Counter(g)).values())
        f1 = 2 * same / (len(p) + len(g)) if same else 0.0
        if case["version_2"] and (not p or not g):
            f1 = float(p == g)
        best = max(best, f1)
    return {"exact_match": exact, "f1": best, "normalized": normalized(case["predicted"])}


def translation(case):
    h, r = case["hypotheses"], [case["references"]]
    return {"bleu": sacrebleu.corpus_bleu(h, r).score, "bleu_lower": sacrebleu.corpus_bleu(h, r, lowercase=True).score, "chrf": sacrebleu.corpus_chrf(h, r).score,
            "chrf++": sacrebleu.corpus_chrf(h, r, word_order=2).score, "bp": sacrebleu.corpus_bleu(h, r).bp}


def rouge(case):
    out = {}
    for stem in (False, True):
        scores = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=stem).score(case["reference"], case["hypothesis"])
        out["stemmed" if stem else "plain"] = [float(scores[k].fmeasure) for k in ("rouge1", "rouge2", "rougeL", "rougeLsum")]
    return out


def stems(case):
    from nltk.stem.porter import PorterStemmer

    return {"stems": [PorterStemmer().stem(word) for word in case["words"]]}


METRICS = {f.__name__: f for f in (classes, entities, correlations, squad, translation, rouge, stems)}
SUFFIXES = ("s es ies sses ed ied eed ing y ational tional enci anci izer bli alli abli entli eli ousli ization ation ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative "
            "alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll le at bled").split()


def random_case(kind, r):
    if kind == "classes":
        names = r.sample(["neg", "pos", "neutral", "ß", "a b", "0", "1"], r.randrange(1, 6))
        n = r.randrange(1, 30)
        truth = [r.choice(names[: r.randrange(1, len(names) + 1)]) for _ in range(n)]
        return {"truth": truth, "predicted": [t if r.random() < 0.5 else r.choice(names) for t in truth]}
    if kind == "entities":
        truth = [[r.choice(TAGS) for _ in range(r.randrange(1, 12))] for _ in range(r.randrange(1, 6))]
        return {"truth": truth, "predicted": [[t if r.random() < 0.7 else r.choice(TAGS) for t in s] for s in truth]}
    if kind == "correlations":
        n = r.randrange(2, 20)
        x = [r.choice([r.gauss(0, 1), float(r.randrange(4)), 1e9 + r.random()]) for _ in range(n)]
        return {"x": x, "y": [a * r.random() + float(r.randrange(3)) for a in x]}
    if kind == "squad":
        answers = [sentence(r, 5) for _ in range(r.randrange(1, 4))]
        return {"predicted": r.choice([noisy(r, answers[0]), answers[0].upper(), "", "the", sentence(r, 6)]), "answers": answers, "version_2": r.random() < 0.5}
    if kind == "translation":
        references = [sentence(r) for _ in range(r.randrange(1, 5))]
        return {"hypotheses": [noisy(r, s) if r.random() < 0.9 else "" for s in references], "references": references}
    if kind == "rouge":
        reference = "\n".join(sentence(r) for _ in range(r.randrange(1, 4)))
        return {"reference": reference, "hypothesis": "\n".join(noisy(r, s) for s in reference.split("\n")[: r.randrange(1, 5)])}
    return {"words": ["".join(r.choice("aeiouybcdfghlmnrstwxz") for _ in range(r.randrange(0, 6))) + r.choice(SUFFIXES) for _ in range(60)]}


def fixed_cases():
    yield "classes", {"truth": ["a"] * 5, "predicted": ["a"] * 5}
    yield "classes", {"truth": ["a", "a"], "predicted": ["b", "c"]}
    yield "entities", {"truth": [["O", "O"]], "predicted": [["O", "O"]]}
    yield "entities", {"truth": [["I-PER", "I-PER", "B-PER", "O"]], "predicted": [["B-PER", "I-PER", "I-PER", "O"]]}
    yield "entities", {"truth": [["B-PER", "I-LOC"], ["E-LOC"]], "predicted": [["S-PER", "S-LOC"], ["S-LOC"]]}
    yield "correlations", {"x": [1.0, 1.0], "y": [1.0, 2.0]}
    yield "correlations", {"x": [1.0, 2.0, 2.0, 3.0], "y": [4.0, 4.0, 4.0, 1.0]}
    for version_2 in (False, True):
        for predicted, answers in (("", []), ("the", [""]), ("", ["the"]), ("an_a", ["an_a"]), ("A.B. the-cat", ["ab thecat"]), ("Straße a", ["STRASSE"]), ("x\u00a0y", ["x y"])):
            if answers or version_2:
                yield "squad", {"predicted": predicted, "answers": answers, "version_2": version_2}
    yield "translation", {"hypotheses": [""], "references": [""]}
    yield "translation", {"hypotheses": [""], "references": ["a b"]}
    yield "translation", {"hypotheses": ["a b c"], "references": ["a b c"]}
    yield "translation", {"hypotheses": ["The cat, 3.5% of 1,000.00 -- ok..5-6"], "references": ["The cat , 3.5 % of 1,000.00 - ok. . 5 - 6"]}
    yield "rouge", {"reference": "", "hypothesis": "a"}
    yield "rouge", {"reference": "!!", "hypothesis": "??\n\n"}
    yield "rouge", {"reference": "the cat sat\nthe dog ran", "hypothesis": "the dog sat the cat\nran the"}


def record():
    r = random.Random(5)
    cases = list(fixed_cases())
    for kind, count in {"classes": 12, "entities": 25, "correlations": 12, "squad": 30, "translation": 25, "rouge": 25, "stems": 6}.items():
        cases += [(kind, random_case(kind, r)) for _ in range(count)]
    write(OUT, cases)
    print(len(cases), "cases")


def write(path, cases):
    with open(path, "w") as file:
        for kind, case in cases:
            file.write(json.dumps({"metric": kind, **case, "expected": METRICS[kind](case)}, ensure_ascii=False) + "\n")


def compare(program, count, seed):
    r = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.jsonl"
        write(path, [(kind, random_case(kind, r)) for _ in range(count) for kind in METRICS])
        subprocess.run([program, "--gtest_filter=Metrics.*"], check=True, env={"PATH": os.environ["PATH"], "POLYMATH_METRIC_CASES": str(path)})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        compare(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        record()
