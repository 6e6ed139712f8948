"""Trains tiny checkpoints for every task, and compares what Transformers makes of the folders with what the program does.

    any/bin/python recipes/compare_trained.py build/polymath           # 4.57.6 or newer; needs torch
    any/bin/python recipes/compare_trained.py build/polymath --lora    # the same of LoRA adapters, which PEFT loads

Each folder must load without a missing or unexpected tensor, and give the same outputs within 1e-4.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).parent.parent
MODELS = ROOT / "tests" / "golden" / "pipelines"
PROGRAM = sys.argv[1]
LORA = "--lora" in sys.argv[2:]
if LORA:
    import peft
transformers.logging.set_verbosity_error()

RUNS = [
    ("text-classification", "texts.tsv", ["sentiment-distilbert", "fill-bert-uncased", "fill-roberta", "fill-albert", "fill-modernbert", "feature-mpnet",
                                          "ner-deberta", "sentiment-electra-five", "fill-xlm-roberta", "fill-bart", "t2t-t5", "write-gpt2", "write-llama",
                                          "write-qwen2", "write-gemma2", "write-bloom"]),
    ("token-classification", "tags.conll", ["ner-bert-cased", "pos-distilbert", "ner-deberta", "ner-roberta", "t2t-t5", "fill-bert-uncased", "fill-modernbert"]),
    ("question-answering", "questions.jsonl", ["qa-bert-uncased", "qa-roberta", "sentiment-distilbert", "qa-bart", "fill-modernbert"]),
    ("text-generation", "lines.txt", ["write-gpt2", "write-llama", "write-qwen2", "write-gemma2", "write-bloom"]),
    ("fill-mask", "lines.txt", ["fill-bert-uncased", "fill-roberta", "fill-albert", "fill-modernbert", "fill-mpnet", "fill-xlm-roberta", "sentiment-distilbert"]),
    ("translation", "pairs.tsv", ["translate-marian", "translate-mbart50", "translate-m2m100", "translate-nllb", "t2t-t5", "sum-bart", "sum-pegasus"]),
    ("denoising", "lines.txt", ["t2t-t5", "sum-bart"]),
    ("sentence-similarity", "scored.tsv", ["fill-bert-uncased", "feature-mpnet", "sentiment-distilbert", "fill-modernbert", "fill-roberta"]),
]
LANGUAGES = {"translate-mbart50": ("en_XX", "fr_XX"), "translate-m2m100": ("en", "fr"), "translate-nllb": ("eng_Latn", "fra_Latn")}


def write_data(folder):
    random.seed(1)
    words = ["good", "bad", "sad", "happy", "great", "poor"]
    good = {"good", "happy", "great"}
    picks = [random.choice(words) for _ in range(60)]
    (folder / "texts.tsv").write_text("text\tlabel\n" + "".join(f"the film is {w}\t{'up' if w in good else 'down' if i % 3 else 'out'}\n" for i, w in enumerate(picks)))
    (folder / "tags.conll").write_text("".join(f"the O\nfilm O\n{w} {'B-UP' if w in good else 'B-DOWN'}\n\n" for w in picks))
    (folder / "questions.jsonl").write_text("".join(json.dumps(
        {"question": "how is it?", "context": f"the film is {w} today", "answers": [{"text": w, "answer_start": 12}]}) + "\n" for w in picks))
    (folder / "lines.txt").write_text("".join(f"the film is {w} and it is {w}\n" for w in picks))
    (folder / "scored.tsv").write_text("text\ttext_pair\tlabel\n" + "".join(f"the film is {w}\tit is {v}\t{float(w == v)}\n" for w, v in zip(picks, picks[1:])))
    (folder / "pairs.tsv").write_text("source\ttarget\n" + "".join(f"the film is {w}\tle film est {w}\n" for w in picks))


def outputs_of(model, inputs):
    with torch.no_grad():
        found = model(**inputs)
    return {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}


def load(folder, kind):
    """The model of a folder, and what is wrong with the folder."""
    if not LORA:
        model, report = kind.from_pretrained(folder, output_loading_info=True, torch_dtype=torch.float32)
        if (folder / "modules.json").exists():  # vectors do not read a pooler, which a masked LM's checkpoint has not
            report["missing_keys"] = {k for k in report["missing_keys"] if not k.startswith("pooler.")}
        return model, [f"{what}: {sorted(report[what])}" for what in ("missing_keys", "unexpected_keys", "mismatched_keys") if report[what]]
    base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    model = kind.from_pretrained(base, config=transformers.AutoConfig.from_pretrained(folder), torch_dtype=torch.float32, ignore_mismatched_sizes=True)
    adapted = peft.get_peft_model(model, peft.PeftConfig.from_pretrained(folder))
    report = peft.set_peft_model_state_dict(adapted, peft.load_peft_weights(folder))
    new = {name for name in report.missing_keys if ".lora_" in name}
    return adapted, [f"{what}: {sorted(names)}" for what, names in (("missing", new), ("unexpected", report.unexpected_keys)) if names]


def compare(task, name, folder):
    config = json.loads((folder / "config.json").read_text())
    model, problems = load(folder, getattr(transformers, config["architectures"][0]))
    model.eval()
    ids = torch.randint(5, min(60, config["vocab_size"]), (2, 9), generator=torch.Generator().manual_seed(3))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if model.config.is_encoder_decoder and task in ("translation", "denoising"):
        inputs["decoder_input_ids"] = ids[:, :5].contiguous()
    if model.config.is_encoder_decoder and task == "text-classification":
        ids[:, -1] = model.config.eos_token_id
    if getattr(model.config, "pad_token_id", None) is None and task == "text-classification":
        inputs = {k: v[:1].contiguous() for k, v in inputs.items()}
    save_file({k: v.contiguous() for k, v in inputs.items()}, folder / "in.safetensors")
    subprocess.run([PROGRAM, "forward", folder, folder / "in.safetensors", "-o", folder / "out.safetensors"], check=True)
    ours, worst = load_file(folder / "out.safetensors"), 0.0
    for key, value in outputs_of(model, inputs).items():
        if key in ours:
            worst = max(worst, (ours[key] - value.float()).abs().max().item())
    if not set(ours) & {"logits", "start_logits", "last_hidden_state"}:
        problems.append("nothing to compare")
    if worst > 1e-4:
        problems.append(f"differs by {worst}")
    print(f"{task:22} {name:24} {config['architectures'][0]:34} {worst:.1e} {'; '.join(problems) or 'ok'}", flush=True)
    return not problems


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        write_data(scratch)
        for task, data, names in RUNS:
            for name in names:
                folder = scratch / f"{task}-{name}"
                command = [PROGRAM, "train", task, "--model", MODELS / name, "--data", scratch / data, "-o", folder, "--epochs", "3", "--lr", "3e-3", "--quiet"] + ["--lora", "4"] * LORA
                if name in LANGUAGES:
                    command += ["--src-lang", LANGUAGES[name][0], "--tgt-lang", LANGUAGES[name][1]]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode != 0:
                    print(f"{task:22} {name:24} {done.stderr.strip()}")
                    bad += 1
                    continue
                try:
                    bad += not compare(task, name, folder)
                except Exception as error:  # noqa: BLE001 - one folder's failure must not hide the others'
                    print(f"{task:22} {name:24} {type(error).__name__}: {str(error)[:300]}")
                    bad += 1
    print("all the same" if not bad else f"{bad} differ")
    sys.exit(1 if bad else 0)


main()
