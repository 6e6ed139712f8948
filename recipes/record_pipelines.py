"""Records tests/golden/pipelines: tiny checkpoints with tokenizers, and what pipeline() of Transformers 4.57.6 answers.

    python recipes/record_pipelines.py [NAME...]     # under 4.57.6

Each folder's cases.jsonl has one line per call: {"task", "body": {"inputs", "parameters"}} with "result", or "error"
where the pipeline raises. An answer whose words would change with the rounding of float64 arithmetic is refused.
"""

import json
import shutil
import sys
import warnings

import numpy as np
import torch
import transformers

from common import GOLDEN, edit_json, randomize, seed_of, write_json
from golden_tokenizers import save
from pipeline_calls import ALIASES, CALLS
from pipeline_models import CHECKPOINTS
from pipeline_texts import LONG, NEWS, SHORT, UNICODE

warnings.filterwarnings("ignore")


DIGITS = 7


def plain(value):
    """A result as JSON: numbers shortened to what a comparison within 1e-4 needs."""
    if isinstance(value, torch.Tensor):
        return plain(value.tolist())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(f"{float(value):.{DIGITS}g}")


def close(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-5 * max(1.0, abs(a))
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    return a == b


def spread(model, tokenizer, width=2.0):
    """Centres and widens the last layer's outputs over some texts, so that each label wins now and then."""
    name = next((n for n in ("qa_outputs", "classifier", "classification_head") if hasattr(model, n)), None)
    if not name:
        return
    head = getattr(model, name)
    head = getattr(head, "out_proj", head)
    texts = SHORT[:4] + UNICODE + [(LONG + NEWS)[i:i + 70] for i in range(0, 1050, 70)]
    seen = []
    hook = head.register_forward_hook(lambda module, inputs, output: seen.append(output.flatten(0, -2)))
    with torch.no_grad():
        for text in texts:
            model(**tokenizer(text, return_tensors="pt"))
        hook.remove()
        outputs = torch.cat(seen)
        scale = width / outputs.std(0)
        head.weight.mul_(scale[:, None])
        head.bias.copy_((head.bias - outputs.mean(0)) * scale)
        if model.config.id2label.get(0) == "O":
            head.bias[0] += 1.5  # most words are no entity


def make(checkpoint, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer = checkpoint.tokenizer(**checkpoint.tokenizer_args)
    tokenizer.add_tokens(checkpoint.added)
    cls = getattr(transformers, checkpoint.cls)
    config = {k: v for k, v in checkpoint.config.items() if v is not None}
    config = cls.config_class(**({"pad_token_id": tokenizer.pad_token_id, "vocab_size": len(tokenizer)} | config))
    torch.manual_seed(seed_of(checkpoint.name))
    model = randomize(cls(config), checkpoint.name)
    model.tie_weights()
    save(tokenizer, folder)
    for file in checkpoint.drop:
        (folder / file).unlink()
    if checkpoint.tokenizer_config:
        edit_json(folder / "tokenizer_config.json", **checkpoint.tokenizer_config)
    spread(model.eval(), transformers.AutoTokenizer.from_pretrained(folder))
    model.save_pretrained(folder)
    if checkpoint.generation == "marian":  # as the recipes of OPUS-MT write it
        pad = tokenizer.pad_token_id
        checkpoint.generation = dict(bad_words_ids=[[pad]], bos_token_id=0, decoder_start_token_id=pad, eos_token_id=0,
                                     forced_eos_token_id=0, max_length=512, num_beams=4, pad_token_id=pad,
                                     renormalize_logits=True, transformers_version="4.32.0.dev0")
    edit_json(folder / "config.json", **checkpoint.config_json)
    generation = folder / "generation_config.json"
    if isinstance(checkpoint.generation, dict):
        write_json(generation, checkpoint.generation)
    elif checkpoint.generation is None:
        generation.unlink()


def answer(pipe, body):
    body = json.loads(json.dumps(body))
    try:
        return {"result": plain(pipe(body["inputs"], **body.get("parameters", {})))}
    except BaseException as error:  # a panic of the tokenizers library is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return {"error": f"{type(error).__name__}: {error}".replace(f"{ROOT}/", "")}


def tied(checkpoint, body):
    """Calls whose answer hangs on the order that numpy's partition and sort give equal scores, which differs between processors:
    spans of score 0 where there are too few others, labels whose hypotheses are cut to the same tokens."""
    inputs, parameters = body["inputs"], body.get("parameters", {})
    if isinstance(inputs, dict) and "question" in inputs:
        few = inputs.get("context") == "the the The THE the the" and checkpoint.name in ("qa-bart", "qa-roberta", "qa-xlm-roberta")
        return few or (parameters.get("top_k") == 50 and checkpoint.name in ("qa-bert-uncased", "qa-bert-vocab"))
    return checkpoint.name == "nli-distilbert-nameless" and "label 9" in str(parameters.get("candidate_labels"))


def record(checkpoint, folder):
    make(checkpoint, folder)
    lines, errors = [], 0
    for task in checkpoint.tasks:
        pipe = transformers.pipeline(task, model=str(folder), device="cpu")
        exact = transformers.pipeline(task, model=str(folder), device="cpu")
        exact.model.double()
        for i, body in enumerate(CALLS[task](checkpoint, pipe.tokenizer)):
            got = answer(pipe, body)
            if tied(checkpoint, body) or not close(got, answer(exact, body)):
                print(f"{checkpoint.name}: left out, too close to a tie: {json.dumps(body)[:120]}")
                continue
            errors += "error" in got
            name = ALIASES.get(task, task) if i % 4 == 3 else task
            lines.append(json.dumps({"task": name, "body": body} | got, ensure_ascii=False))
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n")
    return len(lines), errors


def main(names):
    total = 0
    for checkpoint in CHECKPOINTS:
        if names and checkpoint.name not in names:
            continue
        folder = GOLDEN / "pipelines" / checkpoint.name
        count, errors = record(checkpoint, folder)
        total += count
        size = sum(p.stat().st_size for p in folder.iterdir())
        print(f"{checkpoint.name:28} {count:3} calls, {errors:2} errors, {size:7} bytes", flush=True)
    print(total, "calls")


if __name__ == "__main__":
    assert transformers.__version__ == "4.57.6", "pipeline goldens are of Transformers 4.57.6"
    main(sys.argv[1:])
