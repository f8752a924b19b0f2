"""The models of two types, and the rules that steepen, of H25-T2/joint: exact risks, draws and the population."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks.claims import _h25 as h25

#: Queries, all but one of them answered without noise.
QUERIES = 64

#: Type, number of plus signs, chance.
State = tuple[int, int, Fraction]


def _models(r: int, m: int) -> tuple[list[State], list[Fraction], list[list[Fraction]]]:
    """Return (type, plus signs, chance), mean of the signs, and D^2 at c = 1/sqrt(m), of all models there are."""
    states = [(t, plus, Fraction(math.comb(r, plus), 2 ** (r + 1))) for t in (0, 1) for plus in range(r + 1)]
    noise = [Fraction(2 * plus - r, r) for _, plus, _ in states]

    def square(a: int, b: int) -> Fraction:
        apart = states[a][0] - states[b][0]
        return ((apart + noise[a] - noise[b]) ** 2 + (m - 1) * apart**2) / m

    return states, noise, [[square(a, b) for b in range(len(states))] for a in range(len(states))]


def _multisets(states: list[State], n: int) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    """Yield every multiset of n models, by index, with its probability."""
    for drawn in itertools.combinations_with_replacement(range(len(states)), n):
        chance, orders = Fraction(1), math.factorial(n)
        for state in drawn:
            chance *= states[state][2]
        for state in set(drawn):
            orders //= math.factorial(drawn.count(state))
        yield drawn, chance * orders


def coincident_risks(n: int, r: int, m: int, k: int) -> tuple[Fraction, Fraction]:
    """Return the risks (squared loss) of the rule of H25-T2/joint/as-printed on true and on estimated perspectives.

    Exact, with k_n = k and c = 1/m. The prediction is symmetric in all n + 1 models, so each is as likely model 0.
    """
    states, _, squares = _models(r, m)
    truth = estimated = Fraction(0)
    for drawn, chance in _multisets(states, n + 1):
        ones = Fraction(sum(states[state][0] for state in drawn), n + 1)
        widest = max(squares[a][b] for a in set(drawn) for b in set(drawn)) / m
        found = max(Fraction(0), 1 - k * widest) / 2
        estimated += chance * (ones * (1 - found) ** 2 + (1 - ones) * found**2)
        truth += chance / 4  # all true distances are 0, so the prediction is 1/2, and labels are 0 or 1
    return truth, estimated


def exact_risks(n: int, r: int, k: int, m: int = QUERIES) -> tuple[Fraction, Fraction]:
    """Return the risks of the rule of H25-T2/joint with k_n = k on true and on estimated perspectives, exactly.

    Every multiset of training models is gone through. A model is its type and its number of plus signs; m is a square.
    """
    root = math.isqrt(m)
    states, noise, squares = _models(r, m)
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
    for training, chance in _multisets(states, n):
        among = max(rho[a][b] for a in set(training) for b in set(training))
        for test, (kind, _, own) in enumerate(states):
            probability = chance * own
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


def flat_rule(squares: np.ndarray, k: float) -> np.ndarray:
    """Prediction for every model by the rule of H25-T2/joint/as-printed, (b, n, n) -> (b, n)."""
    w = np.maximum(0.0, 1 - k * squares.max((1, 2)))
    return np.repeat(w[:, None] / 2, squares.shape[1], axis=1)


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


def risk_curves():
    """Draw the risks of the rules of H25-T2/joint and /equicontinuous against n."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid, generator = 2 ** np.arange(1, 7), np.random.default_rng(0)
    for steep, marker, name in ((True, "o", "k = r² m, r = n"), (False, "s", "k = √n, r = n⁴")):
        losses = [
            typed_losses(n, n if steep else n**4, n**2 * QUERIES if steep else n**0.5, 150, generator)[0].mean()
            for n in map(int, grid)
        ]
        axes.semilogx(grid, losses, marker, base=2, label=f"on estimated perspectives, {name}")
    axes.semilogx(grid, (1 - 0.5 ** (grid + 1)) / (grid + 1), color="0.4", base=2, label="on true perspectives, both")
    axes.set(xlabel="training models n", ylabel="risk (absolute loss)", ylim=(0, 1))
    figure.legend(loc="outside lower left")
    return figure


def flat_curves():
    """Draw the risks of the rule of H25-T2/joint/as-printed against n, along m = r = n."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid, generator = 2 ** np.arange(1, 8), np.random.default_rng(0)
    for steep, marker, name in ((1, "o", "k = 2m"), (0, "s", "k = 1/4")):
        risks = []
        for n in map(int, grid):
            types = generator.integers(2, size=(400, n + 1)) * 1.0
            noise = (2 * generator.binomial(n, 0.5, size=types.shape) - n) / n
            x = np.stack([types + noise, types * math.sqrt(n - 1)], axis=-1) / n  # m = n, c = 1/m
            found = flat_rule(h25.squared(x), 2 * n if steep else 0.25)
            risks.append(np.square(found - types).mean())
        axes.semilogx(grid, risks, marker, base=2, label=f"on estimated perspectives, {name}")
    axes.axhline(0.25, color="0.4", label="on true perspectives, both: all coincide")
    axes.set(xlabel="training models n = queries m = replicates r", ylabel="risk (squared loss)", ylim=(0, 0.6))
    figure.legend(loc="outside lower left")
    return figure
