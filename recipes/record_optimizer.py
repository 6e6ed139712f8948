"""Records what torch.optim makes of parameters and gradients: tests/cases/optimizers.json.

    any/bin/python recipes/record_optimizer.py       # needs torch alone
"""
import json
import pathlib

import torch

OUT = pathlib.Path(__file__).parent.parent / "tests" / "cases" / "optimizers.json"
STEPS = 5


def record(name, make, decay):
    torch.manual_seed(7)
    matrix = torch.nn.Parameter(torch.randn(3, 5))
    vector = torch.nn.Parameter(torch.randn(5))
    optimizer = make([{"params": [matrix], "weight_decay": decay}, {"params": [vector], "weight_decay": 0.0}])
    case = {"kind": name, "weight_decay": decay, "lr": [], "gradients": [], "after": [],
            "before": [matrix.detach().flatten().tolist(), vector.detach().tolist()]}
    for step in range(STEPS):
        rate = 0.01 / (step + 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        matrix.grad, vector.grad = torch.randn(3, 5) * 10.0 ** (step - 3), torch.randn(5)
        optimizer.step()
        case["lr"].append(rate)
        case["gradients"].append([matrix.grad.flatten().tolist(), vector.grad.tolist()])
        case["after"].append([matrix.detach().flatten().tolist(), vector.detach().tolist()])
    return case


cases = [
    record("adamw", lambda groups: torch.optim.AdamW(groups, lr=0.01), 0.1),
    record("sgd", lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.9), 0.1),
]
OUT.write_text(json.dumps(cases) + "\n")
