"""Translation in CTranslate2 (int8) beside Polymath (q8) on a Marian of opus-mt's shape with random weights.

    python bench/peers/ctranslate2_marian.py prepare FOLDER     # FOLDER/checkpoint and FOLDER/ctranslate2
    python bench/peers/ctranslate2_marian.py speed FOLDER [--length 25] [--new-tokens 32] [--rounds 5]

Needs transformers with torch (to prepare) and ctranslate2. Two threads each; in every round each does the work once, one after the other;
tokens of the best hypotheses per second, medians of the rounds, encoding the source included. Every hypothesis has the same length.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).parent.parent.parent / "build" / "polymath"
SETTINGS = [(16, 4), (1, 4), (1, 1)]  # sentences, beams
VOCABULARY = 58101


class Words:
    """What the converter asks a tokenizer for; the ids are given here."""
    unk_token, eos_token, pad_token, bos_token = "<unk>", "</s>", "<pad>", None

    def get_vocab(self):
        words = {f"w{i}": i for i in range(VOCABULARY)}
        for word, name in (("</s>", "w0"), ("<unk>", "w1"), ("<pad>", f"w{VOCABULARY - 1}")):
            words[word] = words.pop(name)
        return words


def prepare(a):
    import ctranslate2
    import torch
    import transformers
    torch.manual_seed(0)
    config = transformers.MarianConfig(
        vocab_size=VOCABULARY, d_model=512, encoder_layers=6, decoder_layers=6, encoder_attention_heads=8, decoder_attention_heads=8, encoder_ffn_dim=2048,
        decoder_ffn_dim=2048, activation_function="swish", scale_embedding=True, share_encoder_decoder_embeddings=True, pad_token_id=VOCABULARY - 1,
        eos_token_id=0, decoder_start_token_id=VOCABULARY - 1, max_position_embeddings=512)
    transformers.MarianMTModel(config).save_pretrained(f"{a.folder}/checkpoint")
    transformers.AutoTokenizer.from_pretrained = lambda *_, **__: Words()
    ctranslate2.converters.TransformersConverter(f"{a.folder}/checkpoint").convert(f"{a.folder}/ctranslate2", quantization="int8", force=True)


def serve(a):
    """"SENTENCES BEAMS" on a line in, seconds out."""
    import ctranslate2
    translator = ctranslate2.Translator(f"{a.folder}/ctranslate2", device="cpu", compute_type="int8", inter_threads=1, intra_threads=2)
    random = np.random.default_rng(0)
    print("ready", flush=True)
    for line in sys.stdin:
        sentences, beams = map(int, line.split())
        source = [[f"w{i}" for i in random.integers(2, VOCABULARY - 1, a.length)] for _ in range(sentences)]
        begin = time.perf_counter()
        results = translator.translate_batch(source, beam_size=beams, min_decoding_length=a.new_tokens, max_decoding_length=a.new_tokens)
        seconds = time.perf_counter() - begin
        if any(len(r.hypotheses[0]) != a.new_tokens for r in results):
            raise SystemExit("a hypothesis has another length")
        print(seconds, flush=True)


def polymath_tokens_per_s(a, sentences, beams):
    out = subprocess.run([PROGRAM, "bench", f"{a.folder}/checkpoint", "--length", str(a.length), "--new-tokens", str(a.new_tokens), "--batch", str(sentences),
                          "--beams", str(beams), "--dtype", "q8", "--threads", "2", "--repeat", "3", "--json"], check=True, capture_output=True, text=True).stdout
    figures = json.loads(out)
    seconds = sentences * a.length / figures["prompt_tokens_per_s"] + sentences * (a.new_tokens - 1) / figures["generate_tokens_per_s"]
    return sentences * a.new_tokens / seconds


def speed(a):
    peer = subprocess.Popen([sys.executable, __file__, "serve", a.folder, "--length", str(a.length), "--new-tokens", str(a.new_tokens)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if peer.stdout.readline().strip() != "ready":
        raise SystemExit("ctranslate2 did not start")
    for sentences, beams in SETTINGS:
        own, other = [], []
        for turn in range(a.rounds + 1):
            peer.stdin.write(f"{sentences} {beams}\n")
            peer.stdin.flush()
            seconds = float(peer.stdout.readline())
            if turn:  # the first warms up
                other.append(sentences * a.new_tokens / seconds)
                own.append(polymath_tokens_per_s(a, sentences, beams))
        print(f"{sentences:2} sentences, {beams} beams: CTranslate2 int8 {statistics.median(other):7.1f} tokens/s ({min(other):.1f} to {max(other):.1f}), "
              f"Polymath q8 {statistics.median(own):7.1f} ({min(own):.1f} to {max(own):.1f}), ratio {statistics.median(own) / statistics.median(other):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["prepare", "speed", "serve"])
    parser.add_argument("folder")
    parser.add_argument("--length", type=int, default=25)
    parser.add_argument("--new-tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    {"prepare": prepare, "speed": speed, "serve": serve}[a.work](a)


if __name__ == "__main__":
    main()
