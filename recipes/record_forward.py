"""Records tests/golden/forward: one folder per spec with a tiny checkpoint, inputs and what Transformers answers.

    python recipes/record_forward.py [NAME...]     # under the newest Transformers, then again under 4.57.6

Each run records the specs of its own major version. A golden is refused unless every swap moves it (sensitivity.py).
"""

import shutil
import sys

import torch
import transformers

from common import GOLDEN, MAJOR, forward, generator, load_model, randomize, save_case, seed_of, steady
from forward_inputs import make_cases, with_targets
from decoder_specs import DECODERS, decoder_specs
from forward_specs import FAMILIES, all_specs
from sensitivity import check, show

ALL_FAMILIES = FAMILIES | DECODERS


def build(spec):
    family = ALL_FAMILIES[spec.family]
    cls = getattr(transformers, spec.cls)
    config = cls.config_class(**(family.config | spec.config))
    torch.manual_seed(seed_of(spec.name))
    model = randomize(cls(config), spec.name)
    model.tie_weights()
    head = getattr(getattr(model, "cls", model), "predictions", None) or getattr(model, "lm_head", None)
    if hasattr(head, "decoder") and hasattr(head, "bias"):  # two names of one bias, also where the weights are not tied
        with torch.no_grad():
            head.decoder.bias.copy_(head.bias)
    if spec.own_head:  # Transformers ties it, but for a checkpoint that holds another one
        model.lm_head.weight = torch.nn.Parameter(torch.randn(model.lm_head.weight.shape, generator=generator(spec.name + " head")))
    if hasattr(model, "final_logits_bias"):
        model.final_logits_bias.copy_(0.3 * torch.randn(model.final_logits_bias.shape, generator=generator(spec.name + " bias")))
    return model, config


def record(spec, folder):
    """Writes the golden; returns what is wrong with it."""
    wrong = []
    family = ALL_FAMILIES[spec.family]
    model, config = build(spec)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    model = load_model(folder)
    segments = spec.config.get("type_vocab_size", family.segments)
    positions = family.positions
    if positions:
        positions = config.pad_token_id + 1
    cases = make_cases(generator(spec.name + " inputs"), vocab=config.vocab_size, pad=config.pad_token_id,
                       longest=spec.longest or family.longest, segments=segments, positions=positions, full=spec.full)
    if family.targets:
        cases = with_targets(generator(spec.name + " targets"), cases, config, spec.cls, derives=family.targets == "derived")
    if spec.cls.endswith("MultipleChoice"):  # the rows are choices; once with two examples
        cases = [(about, {n: torch.cat([v, v.flip(1)])[None] if len(v) == 1 else v[None] for n, v in inputs.items()})
                 for about, inputs in cases]
        about, inputs = cases[0]
        cases.append(("two examples", {n: torch.cat([v, v.flip(1)]) for n, v in inputs.items()}))
    for k, (about, inputs) in enumerate(cases):
        outputs = forward(model, inputs)
        off, ok = steady(model, inputs, outputs)
        if not ok:
            wrong.append(f"{spec.name} case {k} ({about}): float64 is {off:.1e} away")
        save_case(folder, k, about, inputs, outputs)
    return wrong


def main(names):
    weak = []
    for spec in [*all_specs(), *decoder_specs()]:
        if spec.major != MAJOR or (names and spec.name not in names):
            continue
        folder = GOLDEN / "forward" / spec.name
        weak += record(spec, folder)
        swaps = {k: v for k, v in (ALL_FAMILIES[spec.family].swaps | spec.swaps).items() if v is not None}
        moved = check(folder, swaps, spec.idle)
        weak += show(spec.name, moved)
    if weak:
        sys.exit("these goldens cannot be relied on:\n  " + "\n  ".join(weak))


if __name__ == "__main__":
    main(sys.argv[1:])
