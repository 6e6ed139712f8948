"""Shared by all recipes: where goldens live, seeds, random weights that make answers vary, and files."""

import json
import os
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["RUST_BACKTRACE"] = "0"

import torch
import transformers
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
MAJOR = int(transformers.__version__.split(".")[0])
TOLERANCE = 2e-5  # of an output's largest value, as DESIGN.md sets it
MUST_MOVE = 5 * TOLERANCE  # a swap of anything that matters has to move the output by this much


def seed_of(name):
    return zlib.crc32(name.encode())


def generator(name):
    return torch.Generator().manual_seed(seed_of(name))


def randomize(model, name, gain=1.3):
    """Weights large enough that attention is uneven, every bias and every norm matters, and nothing saturates."""
    g = generator(name)
    tied = {id(p): n for n, p in reversed(list(model.named_parameters()))}
    with torch.no_grad():
        for key, p in model.named_parameters():
            if tied[id(p)] != key or (key.endswith("embed_positions.weight") and not p.requires_grad):  # sinusoidal
                continue
            noise = torch.randn(p.shape, generator=g)
            is_norm = ("norm" in key.lower() or ".ln_" in "." + key) and p.ndim == 1
            if is_norm and key.endswith("weight"):
                p.copy_(1 + 0.25 * noise)
            elif p.ndim == 1:
                p.copy_(0.3 * noise)
            elif "embedding" in key and "mapping" not in key and "proj" not in key:
                p.copy_(0.7 * noise)
            else:
                fan_in = p.shape[-1] if "experts" in key else p.shape[1:].numel()
                p.copy_(noise * gain / fan_in**0.5)
    return model


def read_json(path):
    return json.loads(Path(path).read_text())


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def edit_json(path, **fields):
    """Sets the given fields of a JSON file; None removes one."""
    value = read_json(path) if Path(path).exists() else {}
    for key, field in fields.items():
        if field is None:
            value.pop(key, None)
        else:
            value[key] = field
    write_json(path, value)


def forward(model, inputs):
    """Every tensor of the class's output but caches, hidden states and attentions; masked positions hold 0."""
    with torch.no_grad():
        out = model(**inputs, return_dict=True)
    mask = inputs.get("attention_mask")
    result = {}
    for key, value in out.items():
        if not isinstance(value, torch.Tensor) or key in ("past_key_values", "hidden_states", "attentions"):
            continue
        value = value.to(torch.float64 if value.dtype == torch.float64 else torch.float32)
        if mask is not None and value.shape[:2] == mask.shape:
            value = value * mask.reshape(mask.shape + (1,) * (value.ndim - 2))
        result[key] = value.contiguous()
    return result


def distance(got, want):
    """The largest difference over all outputs, each relative to that output's largest value."""
    worst = 0.0
    for key in want:
        if got[key].shape != want[key].shape:
            return float("inf")
        scale = want[key].abs().max().item()
        worst = max(worst, (got[key] - want[key]).abs().max().item() / max(scale, 1e-30))
    return worst


def steady(model, inputs, outputs):
    """A golden has to be well conditioned: float64 arithmetic may answer only a fraction of the tolerance away."""
    off = distance(forward(model.double(), inputs), outputs)
    model.float()
    return off, off < TOLERANCE / 4


def load_model(folder, cls=None, config=None):
    name = cls or read_json(Path(folder) / "config.json").get("architectures", ["AutoModel"])[0]
    extra = {} if config is None else {"config": config}
    model = getattr(transformers, name).from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, **extra)
    return model.eval()


def cases_in(folder):
    for path in sorted(Path(folder).glob("case_*.in.safetensors")):
        yield path.name.split(".")[0], load_file(path), load_file(str(path).replace(".in.", ".out."))


def save_case(folder, k, about, inputs, outputs):
    note = {"about": about}  # one key: safetensors writes several in no fixed order
    save_file({n: t.contiguous() for n, t in inputs.items()}, folder / f"case_{k}.in.safetensors", metadata=note)
    note = {"about": f"{about}; Transformers {transformers.__version__}"}
    save_file(outputs, folder / f"case_{k}.out.safetensors", metadata=note)
