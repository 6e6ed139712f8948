"""Times steps of training beside torch's, each in a process of its own, by turns.

    peers/bin/python bench/peers/training.py DIR [--batch 8] [--length 128] [--lines FILE] [--rounds 5]

DIR holds a checkpoint whose class has a loss. float32, AdamW, gradients clipped, dropout off on both sides. Random ids, or with --lines the sentences of a
file: torch pads a batch to its longest (DataCollatorWithPadding), the program does not. Of a masked language model one token of seven has a label.
Figures: medians in milliseconds, and how much faster the program is.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

PROGRAM = pathlib.Path(__file__).parents[2] / "build" / "polymath"


def torch_steps(a):
    import torch
    import transformers

    torch.set_num_threads(a.threads)
    config = json.loads((pathlib.Path(a.folder) / "config.json").read_text())
    kind = config["architectures"][0]
    model = getattr(transformers, kind).from_pretrained(a.folder, dtype=torch.float32).eval()  # no dropout
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)
    if a.lines:
        tokenizer = transformers.AutoTokenizer.from_pretrained(a.folder)
        lines = [line for line in pathlib.Path(a.lines).read_text().splitlines() if line]
        rows = [tokenizer(line, truncation=True, max_length=a.length) for line in lines]
        batches = [tokenizer.pad(rows[i : i + a.batch], return_tensors="pt") for i in range(0, len(rows), a.batch)]
    else:
        ids = torch.randint(5, config["vocab_size"], (a.batch, a.length), generator=torch.Generator().manual_seed(1))
        batches = [{"input_ids": ids, "attention_mask": torch.ones_like(ids)}]
    for batch in batches:
        ids = batch["input_ids"]
        if "MaskedLM" in kind:
            batch["labels"] = torch.where((torch.arange(ids.numel()).reshape(ids.shape) % 7 == 3) & (batch["attention_mask"] == 1), ids, -100)
        elif "CausalLM" in kind or "LMHead" in kind:
            batch["labels"] = torch.where(batch["attention_mask"] == 1, ids, -100)
        elif "TokenClassification" in kind:
            batch["labels"] = torch.where(batch["attention_mask"] == 1, ids % model.config.num_labels, -100)
        else:
            batch["labels"] = torch.arange(ids.shape[0]) % model.config.num_labels

    def once():
        for batch in batches:
            optimizer.zero_grad()
            model(**batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    once()
    times = []
    for _ in range(a.repeat):
        start = time.perf_counter()
        once()
        times.append((time.perf_counter() - start) * 1e3 / len(batches))
    import resource
    print(json.dumps({"step_ms": statistics.median(times), "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--lines")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--torch", action="store_true")
    a = parser.parse_args()
    if a.torch:
        torch_steps(a)
        return
    options = ["--batch", str(a.batch), "--length", str(a.length), "--repeat", str(a.repeat), "--threads", str(a.threads)] + (["--lines", a.lines] if a.lines else [])
    commands = {"polymath": [PROGRAM, "bench", a.folder, "--train", "--json", *options], "torch": [sys.executable, __file__, a.folder, "--torch", *options]}
    found = {name: [] for name in commands}
    for _ in range(a.rounds):
        for name, command in commands.items():
            found[name].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    medians = {name: statistics.median(f["step_ms"] for f in all) for name, all in found.items()}
    for name, all in found.items():
        steps = [f["step_ms"] for f in all]
        print(f"{name:10} {medians[name]:9.1f} ms a step ({min(steps):.1f} to {max(steps):.1f}), {max(f['peak_rss_mb'] for f in all):.0f} MB"
              + (f", {statistics.median(f['fraction_of_limit'] for f in all):.2f} of the peak" if name == "polymath" else ""))
    print(f"{medians['torch'] / medians['polymath']:.2f} times torch's speed")


main()
