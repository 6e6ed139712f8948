"""Fits the rational functions of src/kernels/math-inl.h: erf(x) and tanh(x) as x P(x^2) / Q(x^2), smallest relative error.

    python recipes/kernels/fit_math.py

Lawson's weights over linearized least squares; prints the coefficients, highest first, and the error before rounding to float32. Needs numpy, mpmath.
"""

import mpmath
import numpy as np


def fit(f, end, p_degree, q_degree, rounds=400):
    x = np.sort(np.concatenate([end * np.sin(np.linspace(1e-3, np.pi / 2, 3000)), np.geomspace(1e-4, end, 1000)]))
    t = x * x / (end * end)  # scaled: the columns stay comparable
    y = np.array([float(f(v) / v) for v in x])  # what P / Q has to be
    powers = np.vander(t, max(p_degree, q_degree) + 1, increasing=True)
    weights, q = np.ones_like(x), np.ones_like(x)
    best = (np.inf, None)
    for _ in range(rounds):
        # P - y (Q - 1) = y, each row over y Q of the round before: the relative error
        rows = np.hstack([powers[:, :p_degree + 1], -y[:, None] * powers[:, 1:q_degree + 1]])
        scale = np.sqrt(weights) / (y * q)
        c = np.linalg.lstsq(rows * scale[:, None], y * scale, rcond=None)[0]
        p = powers[:, :p_degree + 1] @ c[:p_degree + 1]
        q = 1 + powers[:, 1:q_degree + 1] @ c[p_degree + 1:]
        error = np.abs(p / q / y - 1)
        if error.max() < best[0]:
            best = (error.max(), c)
        weights = weights * (error / error.max() + 1e-3) ** 0.5
        weights /= weights.sum()
    error, c = best
    unscale = lambda values, first: [v / end ** (2 * (i + first)) for i, v in enumerate(values)]
    return error, unscale(c[:p_degree + 1], 0)[::-1], ([1.0] + unscale(c[p_degree + 1:], 1))[::-1]


for name, f, end, p, q in (("erf", mpmath.erf, 3.92, 5, 5), ("tanh", mpmath.tanh, 9.0, 4, 4)):
    error, numerator, denominator = fit(f, end, p, q)
    print(f"{name} on |x| <= {end}: relative error {error:.2g}")
    print("  P", ", ".join(f"{v:.8g}f" for v in numerator))
    print("  Q", ", ".join(f"{v:.8g}f" for v in denominator))
