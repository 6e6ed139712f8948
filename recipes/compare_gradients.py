"""Compares `polymath gradients` with torch on random checkpoints: any class, config, inputs and labels per seed.

    python recipes/compare_gradients.py [FIRST [LAST]] [--only PART]   # seeds; under either version

Prints each difference with the config that shows it; a gradient of torch that rounding decides does not count.
"""

import argparse
import collections
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

import compare_decoders as decoders
import compare_forward as encoders
from common import randomize
from record_gradients import FLOOR, HEADS, TOLERANCE, checkpoint_parts, gradients, with_labels

FAMILIES = encoders.FAMILIES | decoders.FAMILIES
CLASSES = {p: [c for c in (encoders.CLASSES | decoders.CLASSES)[p] if c.endswith(HEADS)] for p in FAMILIES}


def build(r, seed, prefix, cls, folder):
    fields = (decoders if prefix in decoders.FAMILIES else encoders).random_config(r, prefix)
    if "QuestionAnswering" in cls:
        fields.pop("num_labels", None)
    if r.random() < 0.3:
        fields["problem_type"] = r.choice(["regression", "single_label_classification", "multi_label_classification"])
    kind = getattr(transformers, cls)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    model = randomize(kind(kind.config_class(**fields)), str(seed), gain=r.choice([0.5, 0.7, 1.0]))
    model.tie_weights()
    model.save_pretrained(folder)
    return kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval(), fields


def one(seed, folder, only, counts):
    r = random.Random(seed)
    prefix = r.choice(sorted(FAMILIES))
    if not CLASSES[prefix]:
        return None
    cls = r.choice(CLASSES[prefix])
    if only not in cls:
        return None
    g = torch.Generator().manual_seed(seed)
    try:
        model, fields = build(r, seed, prefix, cls, folder)
        inputs = {k: v.long() for k, v in encoders.random_inputs(r, g, prefix, cls, model, model.config).items()}
        if cls.endswith("MultipleChoice") and "attention_mask" not in inputs:
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        inputs = with_labels(str(seed), 0, cls, model.config, inputs)
        if "labels" in inputs and inputs["labels"].shape == inputs["input_ids"].shape and r.random() < 0.2 and not cls.startswith("Electra"):
            kinds = model.config.vocab_size if not cls.endswith("TokenClassification") else model.config.num_labels
            inputs["labels"] = torch.randint(0, kinds, inputs["labels"].shape, generator=g)  # also where the mask hides the token
        want = gradients(model, inputs)
    except Exception as error:
        counts["no such model or call"] += 1
        return None
    about = f"seed {seed} {cls} {json.dumps(fields)} | " + ", ".join(f"{k} {list(v.shape)}" for k, v in inputs.items())
    save_file({n: t.contiguous() for n, t in inputs.items()}, folder / "in.safetensors")
    run = subprocess.run([encoders.PROGRAM, "gradients", folder, folder / "in.safetensors", "-o", folder / "out.safetensors"], capture_output=True, text=True)
    if not torch.isfinite(want["loss"]):
        counts["not finite"] += 1
        return None
    if run.returncode:
        return f"{about}: exit {run.returncode} {run.stderr.strip()}"
    got = load_file(folder / "out.safetensors")
    parts = checkpoint_parts(model, folder)
    exact = gradients(model.double(), inputs)
    largest = max(v.abs().max().item() for n, v in want.items() if n != "loss")
    if abs(got["loss"] - want["loss"]) > 2e-5 * abs(want["loss"]):
        return f"{about}: the loss is {got['loss'].item()}, not {want['loss'].item()}"
    for n, whole in want.items():
        for held, part in parts.get(n, []):
            w, e = part(whole), part(exact.get(n, torch.zeros_like(whole)))
            if held not in got:
                return f"{about}: {held} is missing"
            room = max(TOLERANCE * w.abs().max().item(), FLOOR * largest)
            off, torchs = (got[held] - w).abs().max().item(), (e - w).abs().max().item()
            if off > room and not (torchs > room / 10 and (got[held] - e).abs().max().item() < 10 * torchs):
                return f"{about}: {held} is {off / room:.1f} of the tolerance away (from float64: torch {torchs / room:.2f})"
    counts[prefix] += 1
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--only", default="")
    a = parser.parse_args()
    counts, bad = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(a.first, a.last if a.last is not None else a.first + 1):
            wrong = one(seed, Path(scratch) / "checkpoint", a.only, counts)
            if wrong:
                bad += 1
                print(wrong, flush=True)
    print(f"{transformers.__version__}: {bad} differences;", dict(counts))
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
