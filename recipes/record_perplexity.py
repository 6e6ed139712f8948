"""Makes tests/golden/stories260k/perplexity.json: the perplexity of a text under the stories260k checkpoint, and the log-probabilities of
what it writes itself, computed by torch.

    python recipes/record_perplexity.py     # transformers 4.57.6, torch

Windows as in "Perplexity of fixed-length models" of Transformers' documentation, but that a token's likelihood is counted exactly once
(the example there weighs each window's mean by one token too few).
"""

import json
import math
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

FOLDER = Path(__file__).resolve().parent.parent / "tests/golden/stories260k"
TEXT = """Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to
play with it, but it was too high. Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. The naïve dragon – who was 7 years
old – ate 12,345 croissants at the café; «très bien», he said. Тоска по родине is hard to translate, and so is 木漏れ日.
"""


def perplexity(model, ids, length, stride):
    total, counted, windows = 0.0, 1, 0
    for begin in range(0, len(ids), stride):
        if counted >= len(ids):
            break
        window = torch.tensor([ids[begin:begin + length]])
        with torch.inference_mode():
            log_likelihoods = model(window).logits[0].double().log_softmax(-1)
        for at in range(counted, min(len(ids), begin + length)):
            total -= log_likelihoods[at - 1 - begin, ids[at]].item()
        counted = max(counted, min(len(ids), begin + length))
        windows += 1
    return {"length": length, "stride": stride, "perplexity": math.exp(total / (len(ids) - 1)), "tokens": len(ids) - 1, "windows": windows}


def written(model, tokenizer, prompt):
    ids = tokenizer(prompt, return_tensors="pt")
    out = model.generate(**ids, max_new_tokens=12, do_sample=False, output_scores=True, return_dict_in_generate=True)
    scores = model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)[0]
    new = out.sequences[0, ids.input_ids.shape[1]:].tolist()
    return {"prompt": prompt, "tokens": [{"id": i, "token": tokenizer.convert_ids_to_tokens(i), "log_probability": p.item()} for i, p in zip(new, scores)]}


def main():
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    ids = tokenizer(TEXT).input_ids
    cases = [perplexity(model, ids, length, stride) for length, stride in ((512, 256), (64, 32), (50, 49), (2, 1), (100, 7))]
    (FOLDER / "perplexity.json").write_text(json.dumps({"text": TEXT, "cases": cases, "written": written(model, tokenizer, "Once upon a time")}, ensure_ascii=False, indent=1) + "\n")
    print(*cases, sep="\n")


if __name__ == "__main__":
    main()
