"""ULMFiT's experiment in small: accuracy against the number of labels, with and without pre-training (docs/ulmfit.md).

    python recipes/ulmfit_curve.py DATA WORK [--threads N]     # from the project's root, after ./check release; the standard library is enough

DATA holds nltk-corpora/movie_reviews.zip (Pang and Lee 2004, CC BY 4.0: the general text) and sentiment-sst-trec/stsa.binary.* (the
Stanford Sentiment Treebank: the task). In WORK a small AWD-LSTM is pre-trained on the reviews, tuned on the task's sentences without
their labels, and then on some labels; beside it the same network learns from the labels alone, for as many steps. All is done by build/polymath.
What is there already in WORK is not done again. Writes docs/ulmfit-curve.svg and prints the table.
"""

import argparse
import json
import random
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LABELS = [50, 100, 200, 500, 1000, 6920]
SEEDS = {50: 3, 100: 3, 200: 2}  # drawings of the labels; else one
VOCABULARY = 4000
REVIEWS = 1000  # of the 2000 that there are: the general text
CONFIG = {"model_type": "awd_lstm", "architectures": ["AwdLstmForCausalLM"], "vocab_size": VOCABULARY, "embedding_size": 128, "hidden_size": 256,
          "num_hidden_layers": 2, "eos_token_id": 0, "initializer_range": 0.06, "embedding_dropout": 0.02, "input_dropout": 0.1, "hidden_dropout": 0.1,
          "weight_dropout": 0.1, "output_dropout": 0.1, "classifier_dropout": 0.2, "classifier_hidden_dropout": 0.1}


def polymath(*arguments):
    done = subprocess.run([ROOT / "build" / "polymath", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: {done.stderr[-2000:]}")
    return done.stdout


class Experiment:
    def __init__(self, data, work, threads):
        self.data, self.work, self.threads = data, work, threads
        work.mkdir(parents=True, exist_ok=True)
        self.train_rows = (data / "sentiment-sst-trec" / "stsa.binary.train").read_text(encoding="latin-1").splitlines()
        self.test = data / "sentiment-sst-trec" / "stsa.binary.dev"

    def train(self, task, model, out, *options):
        out = self.work / out
        if not (out / "training.svg").exists():
            shutil.rmtree(out, ignore_errors=True)
            start = time.time()
            polymath("train", task, "--model", model, "-o", out, "--quiet", "--threads", self.threads, *options)
            shutil.rmtree(out / ".training", ignore_errors=True)
            (out / "seconds").write_text(f"{time.time() - start:.0f}")
        return out

    def texts(self):
        general, target = self.work / "general.txt", self.work / "target.txt"
        if not general.exists():
            with zipfile.ZipFile(self.data / "nltk-corpora" / "movie_reviews.zip") as reviews:
                names = sorted(n for n in reviews.namelist() if n.endswith(".txt") and "/cv" in n)
                random.Random(1).shuffle(names)
                general.write_text("\n\n".join(" ".join(reviews.read(n).decode("latin-1").split()) for n in names[:REVIEWS]) + "\n")
            target.write_text("\n".join(row.split(" ", 1)[1] for row in self.train_rows) + "\n")
        return general, target

    def pretrained(self):
        general, target = self.texts()
        fresh = self.work / "fresh"
        if not fresh.exists():
            polymath("train", "tokenizer", "--data", general, target, "--model", "bpe", "--vocab-size", VOCABULARY, "--lowercase", "-o", fresh)
            (fresh / "config.json").write_text(json.dumps(CONFIG))
        common = ("--batch-tokens", 2240, "--schedule", "slanted")
        first = self.train("text-generation", fresh, "general", "--from-scratch", "--data", general, "--format", "paragraphs", "--lr", 5e-3, "--epochs", 1,
                           "--validation-split", 0.02, *common)
        tuned = self.train("text-generation", first, "target", "--data", target, "--format", "lines", "--lr", 3e-3, "--epochs", 4, "--validation-split", 0.05,
                           *common)
        return fresh, tuned

    def accuracy(self, folder):
        report = folder / "accuracy.json"
        if not report.exists():
            report.write_text(polymath("eval", "text-classification", "--model", folder, "--data", self.test, "--format", "labelled", "--json", "--threads", self.threads))
        return json.loads(report.read_text())["accuracy"]

    def classifiers(self, fresh, tuned, count, seed):
        rows = self.train_rows[:]
        random.Random(seed).shuffle(rows)
        file = self.work / f"labels-{count}-{seed}.txt"
        file.write_text("\n".join(rows[:count]) + "\n")
        epochs = 12 if count <= 200 else 8 if count <= 1000 else 4
        common = ("--data", file, "--format", "labelled", "--validation-split", 0, "--epochs", epochs, "--schedule", "slanted", "--seed", seed,
                  "--batch-size", 16 if count <= 1000 else 32, "--batch-tokens", 2048)
        with_it = self.train("text-classification", tuned, f"tuned-{count}-{seed}", "--lr", 5e-3, "--layer-decay", 0.385, "--unfreeze", "gradual", *common)
        without = self.train("text-classification", fresh, f"alone-{count}-{seed}", "--from-scratch", "--lr", 2e-3, *common)
        return self.accuracy(without), self.accuracy(with_it)


def svg(points):
    """points: [(labels, without, with)]"""
    import math
    low, high, left, top, width, height = 0.5, 0.85, 60, 30, 520, 300
    first, last = math.log(points[0][0]), math.log(points[-1][0])
    x = lambda n: left + (math.log(n) - first) / (last - first) * width
    y = lambda a: top + (high - a) / (high - low) * height
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 40} {top + height + 60}" font-family="sans-serif" font-size="13">',
           '<rect width="100%" height="100%" fill="white"/>']
    for tick in range(50, 86, 5):
        out.append(f'<path d="M{left} {y(tick / 100):.1f}h{width}" stroke="#ddd"/><text x="{left - 8}" y="{y(tick / 100) + 4:.1f}" text-anchor="end">{tick} %</text>')
    for n, *_ in points:
        out.append(f'<text x="{x(n):.1f}" y="{top + height + 20}" text-anchor="middle">{n}</text>')
    out.append(f'<text x="{left + width / 2}" y="{top + height + 44}" text-anchor="middle">labels (SST-2 train); accuracy on its 872 development sentences</text>')
    for which, (name, colour) in enumerate((("labels alone", "#c33"), ("pre-trained, tuned, gradually unfrozen", "#36c")), 1):
        line = " ".join(f"{x(p[0]):.1f},{y(p[which]):.1f}" for p in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x(p[0]):.1f}" cy="{y(p[which]):.1f}" r="3.5" fill="{colour}"/>' for p in points]
        out.append(f'<text x="{left + 12}" y="{top + 18 * (3 - which)}" fill="{colour}">{name}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data", type=Path)
    arguments.add_argument("work", type=Path)
    arguments.add_argument("--threads", type=int, default=1)
    a = arguments.parse_args()
    experiment = Experiment(a.data, a.work, a.threads)
    fresh, tuned = experiment.pretrained()
    points = []
    print("| labels | labels alone | pre-trained |\n| --- | --- | --- |")
    for count in LABELS:
        pairs = [experiment.classifiers(fresh, tuned, count, seed) for seed in range(1, SEEDS.get(count, 1) + 1)]
        points.append((count, *(sum(p[i] for p in pairs) / len(pairs) for i in (0, 1))))
        print(f"| {count} | {100 * points[-1][1]:.1f} | {100 * points[-1][2]:.1f} |", flush=True)
    (ROOT / "docs" / "ulmfit-curve.svg").write_text(svg(points))
    print(f"{sum(int(f.read_text()) for f in experiment.work.glob('*/seconds'))} seconds of training")


if __name__ == "__main__":
    main()
