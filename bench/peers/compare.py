"""The same work on Polymath and its peers in one run: rounds in which each does it once, one after the other; medians of the rounds.

    python bench/peers/compare.py forward PREPARED [--length 128] [--rounds 15]     # one sequence through the model
    python bench/peers/compare.py lines PREPARED --file SENTENCES [--rounds 7]      # sentence embeddings, tokenizing included
    python bench/peers/compare.py error PREPARED [--length 128]                     # int8 hidden states against torch's float32
    python bench/peers/compare.py start PREPARED [--rounds 15]                      # one sentence through `polymath run`, a process each time

PREPARED is the folder that prepare.py wrote. The machine's own limits come from `polymath bench`, measured between its repeats.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PROGRAM = HERE.parent.parent / "build" / "polymath"


class Peer:
    def __init__(self, name, folder, work, argument):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
        self.name = name
        self.process = subprocess.Popen([sys.executable, HERE / "peer.py", name, folder, work, str(argument)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment | {"OMP_NUM_THREADS": "2", "TOKENIZERS_PARALLELISM": "true"})
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
        raise SystemExit(f"{name} did not start")

    def once(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def polymath_bench(folder, dtype, *arguments):
    return json.loads(subprocess.run([PROGRAM, "bench", f"{folder}/checkpoint", "--json", "--dtype", dtype, "--threads", "2", *arguments],
                                     check=True, capture_output=True, text=True).stdout)


def spread(values):
    return f"{statistics.median(values):9.1f}   {min(values):9.1f} {max(values):9.1f}"


def rounds(names, a, work, argument, own, figure):
    peers = [Peer(name, a.folder, work, argument) for name in names]
    seconds = {name: [] for name in names}
    results = {"f32": [], "q8": []}
    for _ in range(a.rounds):
        for peer in peers:
            seconds[peer.name].append(figure(peer.once()))
        for dtype in results:
            results[dtype].append(polymath_bench(a.folder, dtype, *own))
    return seconds, results


def limits(results):
    for dtype, runs in results.items():
        print(f"polymath {dtype}: {statistics.median(r['fraction_of_limit'] for r in runs):.3f} of the multiply-add peak, "
              f"{statistics.median(r['fma_gflops'] for r in runs):.0f} GFLOP/s; reads at {statistics.median(r['read_gb_per_s'] for r in runs):.1f} GB/s; "
              f"peak {statistics.median(r['peak_rss_mb'] for r in runs):.0f} MB")


def forward(a):
    names = ["torch", "onnxruntime", "openvino", "ctranslate2", "onnxruntime-int8", "ctranslate2-int8"]
    seconds, results = rounds(names, a, "forward", a.length, ["--length", str(a.length), "--repeat", "3"], lambda s: s * 1e3)
    print(f"one sequence of {a.length}, milliseconds:           median         min       max")
    for name in names:
        print(f"{name:32} {spread(seconds[name])}")
    for dtype, runs in results.items():
        print(f"{'polymath ' + dtype:32} {spread([r['forward_ms'] for r in runs])}")
    limits(results)


def lines(a):
    count = sum(1 for line in open(a.file, encoding="utf-8") if line.strip())
    names = ["sentence-transformers", "onnxruntime", "openvino", "ctranslate2", "onnxruntime-int8", "ctranslate2-int8"]
    seconds, results = rounds(names, a, "lines", a.file, ["--lines", a.file, "--repeat", "3"], lambda s: count / s)
    print(f"{count} sentences, sentences per second:      median         min       max")
    for name in names:
        print(f"{name:32} {spread(seconds[name])}")
    for dtype, runs in results.items():
        print(f"{'polymath ' + dtype:32} {spread([r['texts_per_s'] for r in runs])}")
    limits(results)


def error(a):
    from safetensors.numpy import load_file, save_file
    from peer import ids_of
    with tempfile.TemporaryDirectory() as scratch:
        outputs = {}
        for name in ("torch", "ctranslate2-int8", "onnxruntime-int8"):
            subprocess.run([sys.executable, HERE / "peer.py", name, a.folder, "hidden", str(a.length), f"{scratch}/{name}.npy"], check=True)
            outputs[name] = np.load(f"{scratch}/{name}.npy")
        save_file({"input_ids": np.array([ids_of(a.length)])}, f"{scratch}/in.safetensors")
        for dtype in ("f32", "q8"):
            subprocess.run([PROGRAM, "forward", f"{a.folder}/checkpoint", f"{scratch}/in.safetensors", "-o", f"{scratch}/out.safetensors", "--dtype", dtype], check=True)
            outputs["polymath " + dtype] = load_file(f"{scratch}/out.safetensors")["last_hidden_state"]
    truth = outputs.pop("torch")
    for name, value in outputs.items():
        print(f"{name:20} largest difference {np.abs(value - truth).max():.5f}, root mean square {np.sqrt(np.mean((value - truth) ** 2)):.6f}")


def start(a):
    command = [PROGRAM, "run", "feature-extraction", "--model", f"{a.folder}/checkpoint", "--json", "A man is playing a guitar on the stage."]
    took = []
    for _ in range(a.rounds):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took.append((time.perf_counter() - begin) * 1e3)
    weights = sum(f.stat().st_size for f in Path(a.folder, "checkpoint").glob("*.safetensors")) / 2**20
    print(f"one sentence, process start included, milliseconds: {spread(took)}")
    # Of a child of the shell: what Python starts itself inherits the peak of Python.
    peak = subprocess.run(["sh", "-c", '/usr/bin/time -f %M "$@"; true', "sh", *command], check=True, capture_output=True, text=True).stderr.split()[-1]
    print(f"peak resident memory {int(peak) / 1024:.0f} MiB, weights {weights:.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["forward", "lines", "error", "start"])
    parser.add_argument("folder")
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--file")
    a = parser.parse_args()
    {"forward": forward, "lines": lines, "error": error, "start": start}[a.work](a)


if __name__ == "__main__":
    main()
