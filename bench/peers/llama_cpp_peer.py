"""A decoder in llama.cpp beside Polymath at the same bits: speed of prompts and of writing, and how far quantized logits are from float32's.

    python bench/peers/llama_cpp_peer.py prepare CHECKPOINT FOLDER     # a Qwen2 checkpoint as GGUF files, Q8_0 and Q4_0
    python bench/peers/llama_cpp_peer.py speed CHECKPOINT FOLDER [--length 512] [--new-tokens 64] [--rounds 5]
    python bench/peers/llama_cpp_peer.py error CHECKPOINT FOLDER [--length 128]

Needs llama-cpp-python, gguf and safetensors. Two threads each; in every round each does the work once, one after the other; medians of the rounds.
All matrices are Q8_0 or Q4_0 in the GGUF files, the tied table too.
"""

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).parent.parent.parent / "build" / "polymath"
KINDS = {"q8": "Q8_0", "q4": "Q4_0"}
LAYER_NAMES = {
    "input_layernorm.weight": "attn_norm.weight", "post_attention_layernorm.weight": "ffn_norm.weight",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    name = name.replace("model.layers.", "blk.")
    for old, new in LAYER_NAMES.items():
        name = name.replace(old, new)
    return name


def float_tensors(checkpoint):
    """Name and float32 values of each tensor; bfloat16 is not known to numpy."""
    raw = (Path(checkpoint) / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    for name, entry in json.loads(raw[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + at for at in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw[begin:end], np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw[begin:end], {"F32": np.float32, "F16": np.float16}[entry["dtype"]]).astype(np.float32)
        yield name, values.reshape(entry["shape"])


def prepare(a):
    import gguf
    config = json.loads((Path(a.checkpoint) / "config.json").read_text())
    Path(a.folder).mkdir(parents=True, exist_ok=True)
    for kind in KINDS.values():
        quantization = gguf.GGMLQuantizationType[kind]
        w = gguf.GGUFWriter(f"{a.folder}/{kind}.gguf", "qwen2")
        w.add_context_length(config["max_position_embeddings"])
        w.add_embedding_length(config["hidden_size"])
        w.add_block_count(config["num_hidden_layers"])
        w.add_feed_forward_length(config["intermediate_size"])
        w.add_head_count(config["num_attention_heads"])
        w.add_head_count_kv(config["num_key_value_heads"])
        w.add_layer_norm_rms_eps(config["rms_norm_eps"])
        w.add_rope_freq_base(config.get("rope_theta") or config["rope_parameters"]["rope_theta"])
        w.add_vocab_size(config["vocab_size"])
        w.add_tokenizer_model("no_vocab")
        for name, values in float_tensors(a.checkpoint):
            if values.ndim == 1:
                w.add_tensor(gguf_name(name), values)
            else:
                w.add_tensor(gguf_name(name), gguf.quants.quantize(values, quantization), raw_dtype=quantization)
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()


class LlamaCpp:
    def __init__(self, path, context):
        import llama_cpp
        self.api = llama_cpp
        llama_cpp.llama_backend_init()
        self.silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.silent, ctypes.c_void_p(0))
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        p = llama_cpp.llama_context_default_params()
        p.n_ctx, p.n_batch, p.n_ubatch, p.n_threads, p.n_threads_batch = context, 512, 512, 2, 2
        self.context = llama_cpp.llama_init_from_model(self.model, p)
        self.vocab_size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def decode(self, ids):
        array = (self.api.llama_token * len(ids))(*ids)
        if self.api.llama_decode(self.context, self.api.llama_batch_get_one(array, len(ids))) != 0:
            raise SystemExit("llama_decode failed")
        return np.ctypeslib.as_array(self.api.llama_get_logits_ith(self.context, -1), (self.vocab_size,))

    def clear(self):
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)


def prompt_ids(length, vocab_size):
    return np.random.default_rng(0).integers(0, vocab_size, length).tolist()


def serve(a):
    """One line in: the prompt read and the tokens written once; seconds of both out."""
    llama = LlamaCpp(a.folder, a.length + a.new_tokens)
    ids = prompt_ids(a.length, llama.vocab_size)
    print("ready", flush=True)
    for _ in sys.stdin:
        llama.clear()
        begin = time.perf_counter()
        token = int(llama.decode(ids).argmax())
        read = time.perf_counter()
        for _ in range(a.new_tokens - 1):
            token = int(llama.decode([token]).argmax())
        print(read - begin, time.perf_counter() - read, flush=True)


def polymath_bench(a, dtype):
    out = subprocess.run([PROGRAM, "bench", a.checkpoint, "--length", str(a.length), "--new-tokens", str(a.new_tokens), "--dtype", dtype, "--threads", "2",
                          "--repeat", "1", "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def speed(a):
    peers = {}
    for dtype, kind in KINDS.items():
        process = subprocess.Popen([sys.executable, __file__, "serve", "-", f"{a.folder}/{kind}.gguf", "--length", str(a.length), "--new-tokens", str(a.new_tokens)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if process.stdout.readline().strip() != "ready":
            raise SystemExit(f"llama.cpp did not start with {kind}")
        peers[kind] = process
    figures = {name: [] for pair in KINDS.items() for name in pair}
    reads, of_limit = [], {dtype: [] for dtype in KINDS}
    for _ in range(a.rounds):
        for dtype, kind in KINDS.items():
            peers[kind].stdin.write("\n")
            peers[kind].stdin.flush()
            prompt, write = map(float, peers[kind].stdout.readline().split())
            figures[kind].append((a.length / prompt, (a.new_tokens - 1) / write))
            own = polymath_bench(a, dtype)
            figures[dtype].append((own["prompt_tokens_per_s"], own["generate_tokens_per_s"]))
            reads.append(own["read_gb_per_s"])
            of_limit[dtype].append(own["fraction_of_limit"])
    for name, values in figures.items():
        prompt, write = (statistics.median(v) for v in zip(*values))
        print(f"{name:5} prompt {prompt:8.1f} tokens/s, writing {write:7.2f} tokens/s  ({min(v[1] for v in values):.2f} to {max(v[1] for v in values):.2f})")
    for dtype, values in of_limit.items():
        print(f"polymath {dtype}: writing at {statistics.median(values):.2f} of the read limit")
    print(f"reads at {statistics.median(reads):.1f} GB/s ({min(reads):.1f} to {max(reads):.1f})")


def polymath_logits(checkpoint, dtype, ids):
    from safetensors.numpy import load_file, save_file
    with tempfile.TemporaryDirectory() as folder:
        save_file({"input_ids": np.array([ids])}, f"{folder}/in.safetensors")
        subprocess.run([PROGRAM, "forward", checkpoint, f"{folder}/in.safetensors", "-o", f"{folder}/out.safetensors", "--dtype", dtype], check=True)
        return load_file(f"{folder}/out.safetensors")["logits"][0]


def error(a):
    """Root mean square of the differences from float32's logits over their own, each row less its mean."""
    config = json.loads((Path(a.checkpoint) / "config.json").read_text())
    ids = prompt_ids(a.length, config["vocab_size"])
    exact = polymath_logits(a.checkpoint, "f32", ids).astype(np.float64)

    def report(name, logits):
        difference = logits - exact
        centred = exact - exact.mean(-1, keepdims=True)
        print(f"{name:5} {np.sqrt((difference ** 2).mean() / (centred ** 2).mean()):.5f} of the logits, best token the same at "
              f"{(logits.argmax(-1) == exact.argmax(-1)).mean():.3f} of the places")

    for dtype, kind in KINDS.items():
        report(dtype, polymath_logits(a.checkpoint, dtype, ids))
        llama = LlamaCpp(f"{a.folder}/{kind}.gguf", a.length)
        report(kind, np.stack([llama.decode([i]).copy() for i in ids]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["prepare", "speed", "error", "serve"])
    parser.add_argument("checkpoint")
    parser.add_argument("folder")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    {"prepare": prepare, "speed": speed, "error": error, "serve": serve}[a.work](a)


if __name__ == "__main__":
    main()
