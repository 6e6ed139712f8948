"""Records tests/cases/losses.json: what libraries make of given numbers, with gradients.

    v4/bin/python recipes/record_losses.py       # needs sentence-transformers 5 and scikit-learn beside transformers and torch
"""
import json
import pathlib

import torch
from sentence_transformers.losses import CosineSimilarityLoss, MultipleNegativesRankingLoss
from sklearn.linear_model import LogisticRegression
from transformers.trainer_pt_utils import LabelSmoother

OUT = pathlib.Path(__file__).parent.parent / "tests" / "cases" / "losses.json"
torch.manual_seed(5)


def case(name, tensors, loss, **settings):
    value = loss(*tensors)
    gradient = torch.autograd.grad(value, tensors[0])[0]
    return {"name": name, "shape": list(tensors[0].shape), "x": tensors[0].flatten().tolist(), "loss": value.item(),
            "gradient": gradient.flatten().tolist()} | settings


def numbers(*shape, scale=2.0):
    return (scale * torch.randn(*shape)).requires_grad_()


def smoothing():
    labels = torch.tensor([3, -100, 0, 6, 2])
    for epsilon in (0.1, 0.4):
        smoother = LabelSmoother(epsilon=epsilon)
        yield case("label_smoothing", [numbers(5, 7)], lambda x: smoother({"logits": x[None]}, labels[None]), labels=labels.tolist(), smoothing=epsilon)


def distillation():
    for temperature in (1.0, 2.5):
        teacher = 3 * torch.randn(4, 6)

        def loss(x):
            divergence = torch.nn.KLDivLoss(reduction="batchmean")
            return temperature**2 * divergence(torch.log_softmax(x / temperature, -1), torch.softmax(teacher / temperature, -1))

        yield case("distillation", [numbers(4, 6)], loss, teacher=teacher.flatten().tolist(), temperature=temperature)


def pairs():
    x = numbers(8, 5)
    yield case("multiple_negatives", [x], lambda v: MultipleNegativesRankingLoss(None, scale=20.0).compute_loss_from_embeddings([v[::2], v[1::2]], None))
    scores = torch.tensor([1.0, 0.0, 0.3, -0.5])
    yield case("cosine", [x], lambda v: CosineSimilarityLoss(None).compute_loss_from_embeddings([v[::2], v[1::2]], scores), scores=scores.tolist())


def regression():
    for classes in (2, 4):
        labels = torch.arange(24) % classes
        x = torch.randn(24, 6) + 0.8 * torch.nn.functional.one_hot(labels, 6)
        fitted = LogisticRegression(tol=1e-12, max_iter=10000).fit(x.double().numpy(), labels.numpy())
        yield {"name": "logistic_regression", "classes": classes, "shape": [24, 6], "x": x.flatten().tolist(), "labels": labels.tolist(),
               "probabilities": fitted.predict_proba(x.double().numpy()).flatten().tolist()}


OUT.write_text(json.dumps([*smoothing(), *distillation(), *pairs(), *regression()]) + "\n")
