"""Records the goldens of what Transformers does not know: the AWD-LSTM and the classifier that pools by concatenation (docs/ulmfit.md).

    python recipes/record_awd_lstm.py

The layers are torch.nn.LSTM's, each sequence run by itself without its padding; under the concat pooling of bert and gpt2 lie
Transformers' base models. Writes tests/golden/forward/awd_lstm-*, concat_pooling-* and their gradients. Every tensor is changed in
turn and has to move the output.
"""

import shutil
import sys

import torch
from torch import nn
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

from common import GOLDEN, MUST_MOVE, distance, forward, generator, randomize, save_case, write_json
from forward_inputs import make_cases
from record_gradients import FLOOR, SAMPLE, TOLERANCE, with_labels

VOCABULARY, PAD = 67, 3


class Config(dict):
    __getattr__ = dict.get


class Output(dict):
    __getattr__ = dict.__getitem__


class Base(nn.Module):
    """Embeddings and layers; what a mask hides is not there at all."""

    def __init__(self, c):
        super().__init__()
        self.embeddings = nn.Embedding(c.vocab_size, c.embedding_size)
        n = c.num_hidden_layers
        widths = [c.embedding_size] + [c.hidden_size] * (n - 1) + [c.embedding_size]
        self.rnns = nn.ModuleList(nn.LSTM(widths[i], widths[i + 1], batch_first=True) for i in range(n))

    def forward(self, input_ids, attention_mask):
        rows = []
        for ids, mask in zip(input_ids, attention_mask.bool()):
            x = self.embeddings(ids[mask])[None]
            for rnn in self.rnns:
                x = rnn(x)[0]
            rows.append(torch.zeros(len(ids), x.shape[-1], dtype=x.dtype).masked_scatter(mask[:, None], x[0]))
        return torch.stack(rows)


class Classifier(nn.Module):
    def __init__(self, d, between, labels):
        super().__init__()
        self.pooled_norm, self.dense = nn.LayerNorm(3 * d), nn.Linear(3 * d, between)
        self.dense_norm, self.out_proj = nn.LayerNorm(between), nn.Linear(between, labels)

    def forward(self, hidden, attention_mask):
        pooled = []
        for h, mask in zip(hidden, attention_mask.bool()):
            h = h[mask]
            pooled.append(torch.cat([h[-1], h.max(0).values, h.mean(0)]))
        return self.out_proj(self.dense_norm(self.dense(self.pooled_norm(torch.stack(pooled))).relu()))


class Model(nn.Module):
    """A class of ours: a base model under its prefix, and the head."""

    def __init__(self, cls, config, base, prefix, d):
        super().__init__()
        self.cls, self.config, self.prefix = cls, config, prefix
        setattr(self, prefix, base)
        if cls.endswith("ForCausalLM"):
            self.lm_head = nn.Linear(d, config.vocab_size)
            if config.tie_word_embeddings is not False:
                self.lm_head.weight = base.embeddings.weight
        if cls.endswith("ForSequenceClassification"):
            self.classifier = Classifier(d, config.classifier_hidden_size, config.num_labels)

    def forward(self, input_ids, attention_mask=None, labels=None, return_dict=True):
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = getattr(self, self.prefix)(input_ids=input_ids, attention_mask=mask)
        if not isinstance(hidden, torch.Tensor):
            hidden = hidden.last_hidden_state
        if self.cls.endswith("Model"):
            return Output(last_hidden_state=hidden)
        if self.cls.endswith("ForCausalLM"):
            out = Output(logits=self.lm_head(hidden))
            if labels is not None:
                out["loss"] = nn.functional.cross_entropy(out.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
            return out
        out = Output(logits=self.classifier(hidden, mask))
        if labels is not None:
            out["loss"] = nn.functional.cross_entropy(out.logits, labels)
        return out


def awd_lstm(name, cls, **config):
    c = Config(vocab_size=VOCABULARY, embedding_size=20, hidden_size=36, num_hidden_layers=3, pad_token_id=PAD, classifier_hidden_size=11,
               num_labels=3) | config
    c = Config(c)
    stored = {"model_type": "awd_lstm", "architectures": [cls]} | {k: v for k, v in c.items() if k != "num_labels"}
    return f"awd_lstm-{name}", Model(cls, c, Base(c), "awd_lstm", c.embedding_size), stored


def concat_pooling(name, config, base, cls, prefix):
    stored = config.to_diff_dict() | {"architectures": [cls], "classifier_pooling": "concat", "classifier_hidden_size": 7}
    c = Config(vocab_size=VOCABULARY, pad_token_id=PAD, classifier_hidden_size=7, num_labels=3)
    return f"concat_pooling-{name}", Model(cls, c, base, prefix, config.hidden_size), stored


def all_models():
    yield awd_lstm("Base", "AwdLstmModel")
    yield awd_lstm("CausalLM", "AwdLstmForCausalLM")
    yield awd_lstm("CausalLM-untied-wide", "AwdLstmForCausalLM", tie_word_embeddings=False, embedding_size=35, hidden_size=19, num_hidden_layers=2)
    yield awd_lstm("SequenceClassification", "AwdLstmForSequenceClassification")
    sizes = dict(hidden_size=20, num_hidden_layers=2, num_attention_heads=4, intermediate_size=28, max_position_embeddings=40)
    bert = BertConfig(vocab_size=VOCABULARY, pad_token_id=PAD, layer_norm_eps=4e-3, **sizes)
    bert._attn_implementation = "eager"
    yield concat_pooling("bert", bert, BertModel(bert, add_pooling_layer=False), "BertForSequenceClassification", "bert")
    gpt2 = GPT2Config(vocab_size=VOCABULARY, pad_token_id=PAD, n_embd=20, n_layer=2, n_head=4, n_positions=40, layer_norm_epsilon=4e-3)
    gpt2._attn_implementation = "eager"
    yield concat_pooling("gpt2", gpt2, GPT2Model(gpt2), "GPT2ForSequenceClassification", "transformer")


def parameters(model):
    """Those that the class has; a tied decoder is its table."""
    return dict(model.named_parameters())


def gradients(model, inputs):
    model.zero_grad(set_to_none=True)
    loss = model(**inputs).loss
    loss.backward()
    return {"loss": loss.detach()} | {n: p.grad.detach().clone() for n, p in parameters(model).items() if p.grad is not None}


def record_gradients(name, model, inputs):
    inputs = with_labels(name, 0, model.cls, model.config, inputs)
    got = gradients(model, inputs)
    largest = max(g.abs().max().item() for n, g in got.items() if n != "loss")
    exact = gradients(model.double(), inputs)
    model.float()
    out = {"loss": got.pop("loss").float()}
    for n, g in got.items():
        off = (exact[n] - g).abs().max().item() / max(TOLERANCE * g.abs().max().item(), FLOOR * largest)
        assert off < 0.12, f"{name}: float64 moves the gradient of {n} by {off:.2f} of the tolerance"
        flat = g.flatten()
        step = (flat.numel() + SAMPLE - 1) // SAMPLE | 1
        out[n] = flat[::step].contiguous()
        out[n + ".about"] = torch.tensor([flat.abs().max(), flat.norm(), flat.numel()], dtype=torch.float32)
    save_file({n: t.contiguous() for n, t in inputs.items()}, GOLDEN / "gradients" / f"{name}.in.safetensors")
    save_file(out, GOLDEN / "gradients" / f"{name}.out.safetensors")


def weak_tensors(model, cases):
    """What can be changed without moving the output."""
    idle = ("attn.c_attn.bias", "attention.self.key.bias", "type_embeddings")  # of keys, which softmax removes; rows that are not used
    for n, p in parameters(model).items():
        if n.endswith(idle):
            continue
        kept = p.detach().clone()
        with torch.no_grad():
            p.mul_(0.9)
        moved = max(distance(forward(model, inputs), want) for inputs, want in cases)
        with torch.no_grad():
            p.copy_(kept)
        if moved < MUST_MOVE:
            yield f"{n} moved by {moved:.1e} only"


def main():
    weak = []
    for name, model, config in all_models():
        randomize(model.eval(), name)
        folder = GOLDEN / "forward" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_json(folder / "config.json", config | {"id2label": {str(i): f"LABEL_{i}" for i in range(3)}} if "Sequence" in model.cls else config)
        save_file({n: p.detach().contiguous() for n, p in parameters(model).items()}, folder / "model.safetensors", metadata={"format": "pt"})
        cases = []
        for k, (about, inputs) in enumerate(make_cases(generator(name + " inputs"), vocab=VOCABULARY, pad=PAD, longest=37, segments=0, positions=None, full=False)):
            outputs = forward(model, inputs)
            save_case(folder, k, about, inputs, outputs)
            cases.append((inputs, outputs))
        weak += [f"{name}: {what}" for what in weak_tensors(model, cases)]
        if not model.cls.endswith("Model"):
            record_gradients(name, model, cases[0][0])
    if weak:
        sys.exit("these goldens cannot be relied on:\n  " + "\n  ".join(weak))


if __name__ == "__main__":
    main()
