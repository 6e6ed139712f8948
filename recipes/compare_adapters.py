"""Compares `polymath forward` on LoRA adapter folders with PEFT on random checkpoints.

    python recipes/compare_adapters.py [FIRST [LAST]]     # seeds; needs peft beside either Transformers
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

from common import TOLERANCE, distance, edit_json, forward, randomize
from compare_forward import CLASSES, FAMILIES, PROGRAM, random_config, random_inputs

TASKS = {"ForSequenceClassification": "SEQ_CLS", "ForTokenClassification": "TOKEN_CLS",
         "ForQuestionAnswering": "QUESTION_ANS", "Model": "FEATURE_EXTRACTION"}


def one(seed, scratch):
    r = random.Random(seed)
    prefix = r.choice(sorted(FAMILIES))
    cls = r.choice([c for c in CLASSES[prefix] if "Causal" not in c and "LMHead" not in c])
    fields = random_config(r, prefix)
    if "QuestionAnswering" in cls:
        fields.pop("num_labels", None)
    base, adapter = scratch / "base", scratch / "adapter"
    for folder in (base, adapter):
        shutil.rmtree(folder, ignore_errors=True)
    kind = getattr(transformers, cls)
    torch.manual_seed(seed)
    try:
        model = randomize(kind(kind.config_class(**fields)), str(seed), gain=1.0)
        model.save_pretrained(base)
    except Exception:
        return None
    model = kind.from_pretrained(base, attn_implementation="eager", dtype=torch.float32).eval()
    linear = sorted({n.rsplit(".", 1)[-1] for n, m in model.named_modules() if type(m) is torch.nn.Linear and "encoder" in n or "layer" in n and type(m) is torch.nn.Linear})
    heads = [n for n, m in model.named_children() if n in ("classifier", "score", "qa_outputs", "pre_classifier", "pooler", "head")]
    how = {"r": r.choice([1, 2, 4]), "lora_alpha": r.choice([1, 3, 16]), "target_modules": r.sample(linear, k=r.randrange(1, len(linear) + 1))}
    if r.random() < 0.2:
        how["target_modules"].append("word_embeddings" if prefix != "ModernBert" else "tok_embeddings")
    if r.random() < 0.3:
        how["use_rslora"] = True
    if r.random() < 0.25 and "embeddings" not in str(how["target_modules"]):
        how["use_dora"] = True
    if r.random() < 0.2 and "embeddings" not in str(how["target_modules"]) and not how.get("use_dora"):
        how["lora_bias"] = True
    if r.random() < 0.3:
        how["bias"] = r.choice(["all", "lora_only"])
    if r.random() < 0.3:
        how["rank_pattern"] = {r.choice(linear): 3, r"layers?\.0\..*": 5}
    if r.random() < 0.3:
        how["alpha_pattern"] = {r.choice(linear): 7, r".*\.1\.attention.*": 2}
    if heads and r.random() < 0.6:
        how["modules_to_save"] = heads
    if r.random() < 0.2:
        how["fan_in_fan_out"] = True
    task = next((t for s, t in TASKS.items() if cls == prefix + s), None)
    if r.random() < 0.6:
        how["task_type"] = task
    about = f"seed {seed} {cls} {json.dumps(fields)} {json.dumps(how)}"
    try:
        config = peft.LoraConfig(**how, inference_mode=False)
        lora = peft.get_peft_model(model, config)
    except Exception as error:
        print(f"{about}: PEFT {type(error).__name__}: {str(error)[:100]}")
        return None
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in lora.named_parameters():
            if p.requires_grad:
                p.add_(torch.randn(p.shape, generator=g) * (0.3 if "lora" in name else 0.1))
    lora.save_pretrained(adapter)
    if r.random() < 0.3:
        save = load_file(adapter / "adapter_model.safetensors")
        torch.save(save, adapter / "adapter_model.bin")
        (adapter / "adapter_model.safetensors").unlink()
    if r.random() < 0.2:
        edit_json(adapter / "adapter_config.json", base_model_name_or_path="../base")
    try:
        loaded = peft.PeftModel.from_pretrained(kind.from_pretrained(base, attn_implementation="eager", dtype=torch.float32), adapter).eval()
    except Exception as error:
        print(f"{about}: PEFT {type(error).__name__}: {str(error)[:100]}")
        return None
    inputs = random_inputs(r, g, prefix, cls, model, model.config)
    save_file(inputs, scratch / "in.safetensors")
    full = {k: v.long() for k, v in inputs.items()}
    if "attention_mask" not in full and cls == "ModernBertForMultipleChoice":
        full["attention_mask"] = torch.ones_like(full["input_ids"])
    try:
        want = forward(loaded.base_model.model, full)
    except IndexError:  # positions that the model does not have
        return None
    run = subprocess.run([PROGRAM, "forward", adapter, scratch / "in.safetensors", "-o", scratch / "out.safetensors"],
                         capture_output=True, text=True)
    if run.returncode:
        return f"{about}: {run.stderr.strip()}"
    got = load_file(scratch / "out.safetensors")
    if sorted(got) != sorted(want):
        return f"{about}: writes {sorted(got)}, not {sorted(want)}"
    off = distance(got, want)
    if off <= TOLERANCE:
        return None
    exact = forward(loaded.base_model.model.double(), full)
    if distance(want, exact) > TOLERANCE / 4 and distance(got, exact) < 6 * distance(want, exact):
        return None
    return f"{about}: {off:.1e} away (float64 {distance(got, exact):.1e}, PEFT {distance(want, exact):.1e})"


def main(first=0, last=None):
    bad = 0
    seeds = range(int(first), int(last) if last is not None else int(first) + 1)
    with tempfile.TemporaryDirectory() as scratch:
        for seed in seeds:
            wrong = one(seed, Path(scratch))
            if wrong:
                bad += 1
                print(wrong, flush=True)
    print(f"{bad} differences among {len(seeds)} seeds")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
