"""One peer in a process of its own. Loads a model, prints "ready", then for every line that it reads does the work once and prints its seconds.

    python bench/peers/peer.py PEER PREPARED forward LENGTH    # one sequence of LENGTH ids through the model
    python bench/peers/peer.py PEER PREPARED lines FILE        # sentence embeddings of a file's lines, tokenizing included
    python bench/peers/peer.py PEER PREPARED hidden LENGTH OUT.npy   # the hidden states of `forward`, for comparing errors

PREPARED is the folder that prepare.py wrote. Two threads each. No peer but torch and sentence-transformers loads torch.
"""

import sys
import time

import numpy as np

THREADS = 2


def padded(batch):
    ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
    mask = np.zeros_like(ids)
    for row, one in enumerate(batch):
        ids[row, :len(one)] = one
        mask[row, :len(one)] = 1
    return ids, mask


def torch_model(folder, _):
    import torch
    from transformers import AutoModel
    torch.set_num_threads(THREADS)
    model = AutoModel.from_pretrained(f"{folder}/checkpoint").eval()

    def hidden(batch):
        ids, mask = padded(batch)
        with torch.inference_mode():
            return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state.numpy()
    return hidden


def onnxruntime_model(folder, precision):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    file = "model.int8.onnx" if precision == "int8" else "model.onnx"
    session = onnxruntime.InferenceSession(f"{folder}/onnx/{file}", options, providers=["CPUExecutionProvider"])

    def hidden(batch):
        ids, mask = padded(batch)
        return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    return hidden


def openvino_model(folder, _):
    import openvino
    core = openvino.Core()
    compiled = core.compile_model(f"{folder}/openvino/model.xml", "CPU", {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})

    def hidden(batch):
        ids, mask = padded(batch)
        return compiled({"input_ids": ids, "attention_mask": mask})[0]
    return hidden


def ctranslate2_model(folder, precision):
    import ctranslate2
    encoder = ctranslate2.Encoder(f"{folder}/ctranslate2", device="cpu", compute_type="int8" if precision == "int8" else "float32", inter_threads=1, intra_threads=THREADS)

    def hidden(batch):
        return np.array(encoder.forward_batch(batch).last_hidden_state)
    return hidden


MODELS = {"torch": torch_model, "onnxruntime": onnxruntime_model, "openvino": openvino_model, "ctranslate2": ctranslate2_model}


def embedder(hidden, folder):
    """Tokenizes all lines, runs them by length in batches of 32, averages over each sentence's tokens, normalizes."""
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(f"{folder}/checkpoint/tokenizer.json")
    tokenizer.no_padding()

    def embed(lines):
        ids = [e.ids for e in tokenizer.encode_batch(lines)]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        out = [None] * len(ids)
        for begin in range(0, len(order), 32):
            part = order[begin:begin + 32]
            states = hidden([ids[i] for i in part])
            for row, i in enumerate(part):
                mean = states[row, :len(ids[i])].mean(axis=0)
                out[i] = mean / np.linalg.norm(mean)
        return out
    return embed


def sentence_transformers_embed(folder):
    import torch
    from sentence_transformers import SentenceTransformer
    torch.set_num_threads(THREADS)
    model = SentenceTransformer(f"{folder}/checkpoint", device="cpu")
    return lambda lines: model.encode(lines, show_progress_bar=False, normalize_embeddings=True)


def ids_of(length):
    return [int(i) for i in np.random.default_rng(0).integers(1000, 20000, length)]


def main(peer, folder, work, argument, out=None):
    name, _, precision = peer.partition("-int8")
    precision = "int8" if peer.endswith("-int8") else ""
    if work == "lines":
        lines = [line.rstrip("\n") for line in open(argument, encoding="utf-8") if line.strip()]
        embed = sentence_transformers_embed(folder) if name == "sentence-transformers" else embedder(MODELS[name](folder, precision), folder)
        run = lambda: embed(lines)
        embed(lines[:64])
    else:
        hidden, batch = MODELS[name](folder, precision), [ids_of(int(argument))]
        run = lambda: hidden(batch)
        if work == "hidden":
            return np.save(out, run())
    run()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
