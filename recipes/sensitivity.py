"""Can a golden fail? Every config field, input and tensor that takes part is changed in turn; the output must move."""

import copy

import torch
from transformers import AutoConfig

from common import MUST_MOVE, TOLERANCE, cases_in, distance, forward, load_model


def _moved(model, cases, change=lambda inputs: inputs):
    worst = 0.0
    for _, inputs, want in cases:
        changed = change(dict(inputs))
        if changed is None:
            continue
        got = forward(model, changed)
        mask = inputs.get("attention_mask")  # compare only what the golden keeps
        for key in got:
            if mask is not None and got[key].shape[:2] == mask.shape:
                got[key] = got[key] * mask.reshape(mask.shape + (1,) * (got[key].ndim - 2))
        worst = max(worst, distance(got, want))
    return worst


def _without(key):
    def change(inputs):
        if key not in inputs:
            return None
        del inputs[key]
        return inputs
    return change


# A key's bias shifts all scores of a row alike, so softmax removes it.
_KEY_BIASES = ("key.bias", "k_lin.bias", "attn.k.bias", "key_proj.bias")


def check(folder, swaps, idle=()):
    """What was changed -> how far the output moved, relative to its largest value."""
    cases = list(cases_in(folder))
    model = load_model(folder)
    moved = {"(unchanged)": _moved(model, cases)}
    assert moved.pop("(unchanged)") < TOLERANCE / 4, f"{folder}: not reproducible"
    for key in ("attention_mask", "token_type_ids", "position_ids", "decoder_attention_mask"):
        if key not in idle and any(inputs.get(key, torch.zeros(1)).any() for _, inputs, _ in cases):
            moved["no " + key] = _moved(model, cases, _without(key))
    base = AutoConfig.from_pretrained(folder)
    for key, value in swaps.items():
        if key in idle:
            continue
        config = copy.deepcopy(base)
        if getattr(config, key, None) == value:
            value = getattr(config, key) // 2 if isinstance(value, int) else value
        setattr(config, key, value)
        moved[f"{key}={_short(value)}"] = _moved(load_model(folder, config=config), cases)
    for key, tensor in model.state_dict(keep_vars=True).items():
        if not torch.is_floating_point(tensor) or key.endswith(_KEY_BIASES) or any(i in key for i in idle):
            continue
        kept = tensor.detach().clone()
        with torch.no_grad():
            tensor.mul_(0.9)
            by = _moved(model, cases)
            tensor.copy_(kept)
        if by < MUST_MOVE:
            moved["tensor " + key] = by
    return moved


def _short(value):
    text = str(value)
    return text if len(text) < 24 else text[:21] + "..."


def show(name, moved):
    """Prints one row of the table and returns what moved too little."""
    print(f"{name:34}", "  ".join(f"{k}:{v:.0e}" for k, v in moved.items()), flush=True)
    return [f"{name}: {k} moved by {v:.1e} only" for k, v in moved.items() if v < MUST_MOVE]
