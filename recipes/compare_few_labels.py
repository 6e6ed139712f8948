"""Accuracies from eight labels a class: --few-labels beside plain fine-tuning of the same encoder, on held-out texts.

    any/bin/python recipes/compare_few_labels.py build/polymath MODEL DATA [SEED...]

MODEL: all-MiniLM-L6-v2 or another sentence encoder; DATA: a folder with SST's stsa.binary.train and .dev, and TREC.train.all, a label and
a text a line. The figures of docs/objectives.md are those of seeds 1 to 3.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

PROGRAM, MODEL, DATA = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
SEEDS = [int(seed) for seed in sys.argv[4:]] or [1, 2, 3]
WAYS = {"few labels": ["--few-labels", "--epochs", "1", "--lr", "5e-5"], "plain": ["--epochs", "30", "--lr", "1e-4"]}


def rows(name):
    return [line.rstrip("\n").split(" ", 1) for line in (DATA / name).open(encoding="utf8")]


def write(path, labelled):
    path.write_text("".join(json.dumps({"text": text, "label": f"c{label}"}) + "\n" for label, text in labelled))


def eight_of_each(pool, seed):
    pool, count, chosen = pool[:], {}, []
    random.Random(seed).shuffle(pool)
    for label, text in pool:
        if count.setdefault(label, 0) < 8:
            count[label] += 1
            chosen.append((label, text))
    return chosen


def main():
    trec = rows("TREC.train.all")
    random.Random(0).shuffle(trec)
    sets = {"sst": (rows("stsa.binary.train"), rows("stsa.binary.dev")[::2]), "trec": (trec[500:], trec[:400])}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for seed in SEEDS:
            for name, (pool, held_out) in sets.items():
                write(scratch / "few.jsonl", eight_of_each(pool, seed))
                write(scratch / "held-out.jsonl", held_out)
                for way, options in WAYS.items():
                    out = scratch / f"{name}-{seed}-{way[:3]}"
                    subprocess.run([PROGRAM, "train", "text-classification", "--model", MODEL, "--data", scratch / "few.jsonl", "-o", out, "--validation-split", "0",
                                    "--max-length", "64", "--seed", str(seed), "--quiet", *options], check=True, capture_output=True)
                    found = subprocess.run([PROGRAM, "eval", "text-classification", "--model", out, "--data", scratch / "held-out.jsonl", "--json"],
                                           check=True, capture_output=True, text=True)
                    print(f"{name:5} seed {seed} {way:10} accuracy {json.loads(found.stdout)['accuracy']:.3f}", flush=True)


main()
