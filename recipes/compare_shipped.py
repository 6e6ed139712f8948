"""Loads every adapter in models/ with PEFT and compares its logits on real sentences with the program's.

    any/bin/python recipes/compare_shipped.py build/polymath    # needs torch, transformers 4.57.6 or newer, peft
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

MODELS = pathlib.Path(__file__).parent.parent / "models"
TEXTS = ["What a lovely film!", "Ada Lovelace met Charles Babbage in London, where the trains run late.", "The cat sat on the [MASK]."]
transformers.logging.set_verbosity_error()
worst = 0.0
for folder in sorted(MODELS.iterdir()):
    if not (folder / "adapter_config.json").exists():
        continue
    config = transformers.AutoConfig.from_pretrained(folder)
    base = MODELS / json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"].split("/")[-1]
    model = getattr(transformers, config.architectures[0]).from_pretrained(base, config=config, torch_dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(model, folder).eval()
    inputs = transformers.AutoTokenizer.from_pretrained(base)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = {k: v for k, v in model(**inputs).items() if isinstance(v, torch.Tensor)}
    with tempfile.TemporaryDirectory() as scratch:
        save_file(dict(inputs), f"{scratch}/in.safetensors")
        subprocess.run([sys.argv[1], "forward", folder, f"{scratch}/in.safetensors", "-o", f"{scratch}/out.safetensors", "--dtype", "f32"], check=True)
        given = load_file(f"{scratch}/out.safetensors")
    shown = inputs["attention_mask"].bool()
    for name, value in expected.items():
        ours = given[name]
        if ours.shape[:2] == shown.shape:
            value, ours = value[shown], ours[shown]
        difference = ((value.float() - ours).abs().max() / value.abs().max()).item()
        worst = max(worst, difference)
        print(f"{folder.name:20} {name:14} {difference:.1e}")
sys.exit(worst > 1e-4)
