"""Compares `polymath tokenize` with PyPI `tokenizers`, line by line.

    python recipes/text/compare_tokenizers.py PROGRAM TOKENIZERS_FOLDER TEXTS_FOLDER [LINES] [NAME...]

TOKENIZERS_FOLDER is what make_tokenizers.py made; each of its folders is compared over LINES lines (default 4,000): half of them
hostile, half from the text files under TEXTS_FOLDER; then the decoding of 10,000 random id sequences. Ids, offsets, tokens
and text have to be equal. Needs tokenizers 0.23.
"""

import gzip
import json
import lzma
import random
import subprocess
import sys
from pathlib import Path

from tokenizers import Tokenizer

from hostile_texts import hostile


def real_lines(folder, count, seed=11):
    lines = []
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix in (".wav", ".zip", ".safetensors", ".bin", ".model", ".mp3", ".tiktoken") or "tokenizers" in path.parts or not path.is_file():
            continue
        opened = gzip.open if path.suffix == ".gz" else lzma.open if path.suffix == ".xz" else open
        with opened(path, "rt", encoding="utf-8", errors="replace") as file:
            text = file.read(3_000_000)
        part = [line[:2000] for line in text.split("\n") if line.strip()]
        lines += random.Random(seed).sample(part, min(len(part), 1500))
    random.Random(seed).shuffle(lines)
    return lines[:count]


def run(program, *arguments, lines):
    result = subprocess.run([program, "tokenize", *arguments], input="".join(json.dumps(line) + "\n" for line in lines), capture_output=True, text=True)
    out = [json.loads(line) for line in result.stdout.split("\n")[:-1]] if result.stdout.startswith(("{", '"')) else result.stdout.split("\n")[:-1]
    if result.returncode != 0:
        print(f"  the program failed after {len(out)} lines: {result.stderr.strip()[:300]}")
    return out


def encode(tok, line):
    try:
        return tok.encode(line)
    except BaseException:  # also what the library panics with
        return None


def main(program, tokenizers, texts, count="4000", *names):
    count = int(count)
    lines = list(hostile(count // 2)) + real_lines(texts, count // 2)
    total = differing = 0
    for folder in sorted(Path(tokenizers).iterdir()):
        if names and folder.name not in names:
            continue
        tok = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tok.no_truncation()
        tok.no_padding()
        expected = [(line, e) for line, e in ((line, encode(tok, line)) for line in lines) if e is not None]
        used = [line for line, _ in expected]
        full = run(program, str(folder), "-", "--json", "--json-in", lines=used)
        ids = run(program, str(folder), "-", "--json-in", lines=used)
        bad = abs(len(full) - len(used)) + abs(len(ids) - len(used))
        shown = 0
        for (line, want), got, fast in zip(expected, full, ids):
            wanted = {"ids": want.ids, "offsets": [list(o) for o in want.offsets], "tokens": want.tokens}
            if got == wanted and fast == " ".join(map(str, want.ids)):
                continue
            bad += 1
            if shown < 3:
                shown += 1
                print(f"  {folder.name}: {ascii(line)[:200]}")
                for field in ("ids", "offsets", "tokens"):
                    if got[field] != wanted[field]:
                        at = next((i for i, (a, b) in enumerate(zip(got[field], wanted[field])) if a != b), -1)
                        print(f"    {field} differ at {at}: {ascii(got[field][max(0, at - 2):at + 4])[:200]} instead of {ascii(wanted[field][max(0, at - 2):at + 4])[:200]}")
                if fast != " ".join(map(str, want.ids)):
                    print("    the ids without offsets differ")
        rng = random.Random(3)
        size = tok.get_vocab_size() + 20
        sequences = [[rng.randrange(size) for _ in range(rng.randrange(12))] for _ in range(10_000)]
        sequences = [s for s in sequences if s or not isinstance(tok.decoder, type(None))]
        texts_want, kept = [], []
        for s in sequences:
            try:
                texts_want.append(tok.decode(s, skip_special_tokens=False))
                kept.append(s)
            except BaseException:
                pass
        got = run(program, str(folder), "-", "--decode", "--keep-special", "--json", lines=kept)
        bad_text = abs(len(got) - len(kept)) + sum(a != b for a, b in zip(got, texts_want))
        for s, a, b in zip(kept, got, texts_want):
            if a != b:
                print(f"  {folder.name}: decode {s}: {ascii(a)[:150]} instead of {ascii(b)[:150]}")
                break
        print(f"{folder.name}: {len(used)} lines, {bad} differ; {len(kept)} decoded, {bad_text} differ", flush=True)
        total += len(used)
        differing += bad + bad_text
    print(f"{total} lines in all, {differing} differences")
    return differing > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
