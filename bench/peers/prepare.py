"""Makes what the peers need of a checkpoint folder: OUT/onnx/model.onnx, OUT/onnx/model.int8.onnx, OUT/openvino/model.xml, OUT/ctranslate2.

    python bench/peers/prepare.py bert-base OUT            # BERT base's shape with random weights
    python bench/peers/prepare.py PATH/TO/CHECKPOINT OUT   # any BERT-like checkpoint

The checkpoint itself is copied to OUT/checkpoint. Conversion is not part of any figure.
"""

import shutil
import sys
from pathlib import Path

import ctranslate2
import openvino
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel, BertConfig, BertModel, BertTokenizerFast


def checkpoint(name, out):
    if name == "bert-base":
        torch.manual_seed(0)
        config = BertConfig()
        BertModel(config).save_pretrained(out)
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]  # the converters want a tokenizer; ids are given here
        (out / "vocab.txt").write_text("\n".join(words + [f"w{i}" for i in range(config.vocab_size - len(words))]))
        BertTokenizerFast(str(out / "vocab.txt")).save_pretrained(out)
    elif Path(name).resolve() != out.resolve():
        shutil.copytree(name, out, dirs_exist_ok=True)


def onnx(model, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(model, (ids, torch.ones_like(ids)), path, input_names=["input_ids", "attention_mask"], output_names=["last_hidden_state"],
                      dynamic_axes={"input_ids": axes, "attention_mask": axes, "last_hidden_state": axes}, opset_version=17, dynamo=False)


class HiddenStates(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def main(name, out):
    out = Path(out)
    checkpoint(name, out / "checkpoint")
    model = AutoModel.from_pretrained(out / "checkpoint", attn_implementation="eager").eval()
    onnx(HiddenStates(model), out / "onnx" / "model.onnx")
    quantize_dynamic(out / "onnx" / "model.onnx", out / "onnx" / "model.int8.onnx", weight_type=QuantType.QInt8)
    openvino.save_model(openvino.convert_model(out / "onnx" / "model.onnx"), out / "openvino" / "model.xml", compress_to_fp16=False)
    ctranslate2.converters.TransformersConverter(str(out / "checkpoint")).convert(str(out / "ctranslate2"), force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
