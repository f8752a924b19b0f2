"""The models of two types, and the rule that steepens, of H25-T2/joint: exact risks, draws and the population."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks.claims import _h25 as h25

#: Queries, all but one of them answered without noise.
QUERIES = 64


def exact_risks(n: int, r: int, k: int, m: int = QUERIES) -> tuple[Fraction, Fraction]:
    """Return the risks of the rule of H25-T2/joint with k_n = k on true and on estimated perspectives, exactly.

    Every multiset of training models is gone through. A model is its type and its number of plus signs; m is a square.
    """
    root = math.isqrt(m)
    states = [(t, plus, Fraction(math.comb(r, plus), 2 ** (r + 1))) for t in (0, 1) for plus in range(r + 1)]
    noise = [Fraction(2 * plus - r, r) for _, plus, _ in states]

    def square(a: int, b: int) -> Fraction:
        apart = states[a][0] - states[b][0]
        return ((apart + noise[a] - noise[b]) ** 2 + (m - 1) * apart**2) / m

    squares = [[square(a, b) for b in range(len(states))] for a in range(len(states))]
    rho = [[min(Fraction(1), x * abs(1 - x)) for x in row] for row in squares]
    # Distances of one type are |e - e'| / sqrt m; of two types they are above 1/2 and get no weight.
    weight = [
        [
            max(Fraction(0), 1 - 2 * abs(noise[a] - noise[b]) / root) if states[a][0] == states[b][0] else Fraction(0)
            for b in range(len(states))
        ]
        for a in range(len(states))
    ]
    truth = estimated = Fraction(0)
    for training in itertools.combinations_with_replacement(range(len(states)), n):
        chance, orders = Fraction(1), math.factorial(n)
        for state in training:
            chance *= states[state][2]
        for state in set(training):
            orders //= math.factorial(training.count(state))
        among = max(rho[a][b] for a in set(training) for b in set(training))
        for test, (kind, _, own) in enumerate(states):
            probability = chance * orders * own
            same = sum(states[state][0] == kind for state in training)
            truth += probability / (2 * (1 + same))
            total = sum((weight[test][state] for state in training), Fraction(0))
            good = 1 / (2 * (1 + total))  # |g - y_0|: only models of the test model's type have weight
            w = max(Fraction(0), 1 - k * max(among, *(rho[test][state] for state in set(training))))
            estimated += probability * (w * good + (1 - w) * (1 - good))
    return truth, estimated


def steep_rule(squares: np.ndarray, labels: np.ndarray, k: float) -> np.ndarray:
    """Prediction for model 0 by the rule of H25-T2/joint, (b, n + 1, n + 1), (b, n + 1) -> (b,)."""
    weights = np.maximum(0.0, 1 - 2 * np.sqrt(squares[:, 0, 1:]))
    good = (0.5 + (weights * labels[:, 1:]).sum(1)) / (1 + weights.sum(1))
    w = np.maximum(0.0, 1 - k * np.minimum(1.0, squares * np.abs(1 - squares)).max((1, 2)))
    return w * good + (1 - w) * (1 - good)


def typed_squares(n: int, r: int, size: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances within psi^ (classical, d = 2) of n + 1 random models, and their types: (size, n + 1, ..)."""
    types = generator.integers(2, size=(size, n + 1)) * 1.0
    noise = (2 * generator.binomial(r, 0.5, size=types.shape) - r) / r
    x = np.stack([types + noise, types * math.sqrt(QUERIES - 1)], axis=-1) / math.sqrt(QUERIES)
    return h25.squared(h25.moved(h25.classical(h25.squared(x), 2), generator)), types


def typed_losses(n: int, r: int, k: float, size: int, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Absolute losses of that rule with psi^ (classical, d = 2) and with psi, same random models, (size,) each."""
    found, types = typed_squares(n, r, size, generator)
    truth = h25.squared(types[..., None])
    return tuple(np.abs(steep_rule(squares, types, k) - types[:, 0]) for squares in (found, truth))


def types_case() -> h25.Case:
    """Three models of each type, 64 queries of which one varies, d = 2."""
    types = np.array([0, 1, 0, 1, 0, 1])
    table = np.array([[-1.0], [0.0], [1.0], [2.0]])
    chances = np.zeros((6, QUERIES, 4))
    for model, t in enumerate(types):
        chances[model, 1:, 1 + t] = 1.0
        chances[model, 0, [t, t + 2]] = 0.5
    return h25.Case(dk.Categorical(chances, table), 2, types * 1.0)
