"""Records tests/golden/dropout.json: losses in training mode, with dropout, of checkpoints in tests/golden/forward.

    v5/bin/python recipes/record_dropout.py

torch's dropout is replaced by masks that hang on the number of the use, and on the value's row and column, as those of
src/tensor/dropout.cc do. So the loss says whether each place of each class drops, at the rate of its own field and in torch's order.
Every rate of a config gets a value of its own.
"""

import numpy as np
import torch

from common import GOLDEN, load_model, read_json, write_json
from safetensors.torch import load_file
from transformers import AutoConfig

SEED, STEP = 11, 3
np.seterr(over="ignore")
NAMES = """bert-MaskedLM bert-SequenceClassification bert-TokenClassification roberta-SequenceClassification roberta-TokenClassification
electra-SequenceClassification electra-TokenClassification albert-SequenceClassification albert-TokenClassification
distilbert-MaskedLM distilbert-SequenceClassification distilbert-TokenClassification distilbert-QuestionAnswering
mpnet-SequenceClassification mpnet-TokenClassification deberta-v2-MaskedLM deberta-v2-SequenceClassification deberta-v2-TokenClassification
modernbert-SequenceClassification modernbert-TokenClassification modernbert-QuestionAnswering
gpt2-LMHeadModel gpt2-TokenClassification gpt_neo-CausalLM gpt_neo-TokenClassification gpt_neox-CausalLM gpt_neox-TokenClassification
gpt_neox-sequential bloom-CausalLM bloom-TokenClassification opt-CausalLM opt-plain-norms llama-CausalLM llama-TokenClassification
t5-ConditionalGeneration t5-gelu t5-TokenClassification t5-SequenceClassification
bart-ConditionalGeneration bart-SequenceClassification mbart-ConditionalGeneration mbart-SequenceClassification marian-MTModel
pegasus-ConditionalGeneration m2m_100-ConditionalGeneration""".split()


def mixed(x, word):
    """A round of SplitMix64's finalizer over arrays of 64 bits."""
    x = (np.uint64(x) ^ np.asarray(word, np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Dropout:
    uses = 0

    def __call__(self, x, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return x
        key = mixed(mixed(mixed(0, SEED), STEP), self.uses)
        self.uses += 1
        if x.ndim == 4:  # the weights of attention: each head has rows of its own
            batch, heads, queries, n = x.shape
            rows = np.arange(batch * heads * queries).reshape(heads, batch, queries).transpose(1, 0, 2).reshape(-1)
        else:
            n = x.shape[-1]
            rows = np.arange(x.numel() // n)
        of_row = mixed(key, rows)[:, None]
        bits = mixed(of_row, np.arange(n) // 2)
        half = np.where(np.arange(n) % 2 == 0, bits >> np.uint64(32), bits & np.uint64(0xFFFFFFFF))
        kept = torch.from_numpy(half >= np.uint64(int(float(np.float32(p)) * 2**32))).reshape(x.shape)
        return torch.where(kept, x / (1 - p), torch.zeros(()))


def numbers(columns, a, b, first=5, kinds=40):
    return torch.tensor([[first + (a * row + b * column) % kinds for column in range(columns)] for row in range(2)])


def inputs_of(cls, config):
    """As tests/train/dropout_test.cc makes them."""
    ids = numbers(7, 11, 7)
    if cls.startswith(("Bart", "MBart", "T5")) and cls.endswith("SequenceClassification"):
        ids[:, -1] = config.eos_token_id
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if cls.endswith("SequenceClassification"):
        return inputs | {"labels": torch.tensor([1, 0])}
    if cls.endswith("TokenClassification"):
        return inputs | {"labels": numbers(7, 1, 1, 0, 2)}
    if cls.endswith("QuestionAnswering"):
        return inputs | {"start_positions": torch.tensor([1, 2]), "end_positions": torch.tensor([4, 3])}
    if cls.endswith(("ConditionalGeneration", "MTModel")):
        return inputs | {"labels": numbers(5, 13, 3)}
    return inputs | {"labels": numbers(7, 13, 3)}


def record(name):
    folder = GOLDEN / "forward" / name
    cls = read_json(folder / "config.json")["architectures"][0]
    config = AutoConfig.from_pretrained(folder)
    changes = {}
    fields = sorted(n for n in config.to_dict() if "drop" in n and "layerdrop" not in n and not n.startswith("summary_"))
    if config.model_type == "deberta-v2":
        fields.append("cls_dropout")
    for i, field in enumerate(fields):
        changes[field] = round(0.1 + 0.06 * i, 2)
        setattr(config, field, changes[field])
    for field in ("encoder_layerdrop", "decoder_layerdrop", "layerdrop"):
        if hasattr(config, field):
            setattr(config, field, 0.0)
    config.problem_type = "single_label_classification"
    config.use_cache = False
    model = load_model(folder, config=config).train()
    dropout = torch.nn.functional.dropout = Dropout()
    loss = model(**inputs_of(cls, config)).loss
    loss.backward()
    held = load_file(folder / "model.safetensors")  # computed positions are trained by torch alone
    trained = [p.grad for n, p in model.named_parameters() if p.grad is not None and ("embed_positions" not in n or n in held)]
    squares = sum(g.double().square().sum().item() for g in trained)
    return {"config": changes, "uses": dropout.uses, "loss": float(f"{loss.item():.8g}"), "gradient_norm": float(f"{squares**0.5:.7g}")}


if __name__ == "__main__":
    write_json(GOLDEN / "dropout.json", {"seed": SEED, "step": STEP, "models": {name: record(name) for name in NAMES}})
