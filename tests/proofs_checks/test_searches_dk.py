"""DK-M2 to DK-M7: a search from scratch, over small whole numbers, finds counterexamples to what is refuted too."""

from __future__ import annotations

import itertools
from fractions import Fraction

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from dkps_theory.conventions import A25, DEFAULT
from proofs_checks import cases
from proofs_checks.claims.dk_m7 import scaled

SETTINGS = hypothesis.settings(max_examples=2000, deadline=None, derandomize=True, database=None)


def found(strategy, violates):
    return hypothesis.find(strategy, violates, settings=SETTINGS)


@st.composite
def laws(draw):
    """A law on whole numbers: {value: weight}."""
    values = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=3, unique=True))
    return {value: draw(st.integers(1, 3)) for value in values}


def law_of_sum(law, count, sign=1):
    total = {0: Fraction(1)}
    for _ in range(count):
        after: dict[int, Fraction] = {}
        for (done, weight), (value, share) in itertools.product(total.items(), law.items()):
            after[done + sign * value] = after.get(done + sign * value, Fraction(0)) + weight * share / sum(
                law.values()
            )
        total = after
    return total


def mean_of(law):
    return Fraction(sum(value * weight for value, weight in law.items()), sum(law.values()))


def test_every_pair_has_a_gaussian_limit():
    """A Gaussian limit, not constant, puts half of its mass below 0."""

    def never_below(pair):
        for r in (2, 6):
            one, two = law_of_sum(pair[0], r), law_of_sum(pair[1], r, -1)
            delta = abs(mean_of(pair[0]) - mean_of(pair[1])) * r
            both = [(abs(x + y), v * w) for (x, v), (y, w) in itertools.product(one.items(), two.items())]
            below = sum(weight for d, weight in both if d < delta)
            above = sum(weight for d, weight in both if d > delta)
            if below > 0 or above < Fraction(1, 4):
                return False
        return True

    first, second = found(st.tuples(laws(), laws()), never_below)
    assert mean_of(first) == mean_of(second)


def bias_of_length(places, r):
    """Exact sqrt(r) E(||Psi^|| - ||Psi||), three models on the line with coins +-1, d = 1, e = 1/2."""
    weights = np.array([1.0])
    for _ in range(r):
        weights = np.convolve(weights, [0.5, 0.5])
    means = [place + 2 * np.arange(r + 1) / r - 1 for place in places]
    x = np.stack(np.meshgrid(*means, indexing="ij"), axis=-1).reshape(-1, 3)
    mass = np.einsum("a,b,c->abc", weights, weights, weights).ravel()
    centring = np.eye(3) - 1 / 3

    def length(x):
        gram = -0.5 * centring @ np.abs(x[:, :, None] - x[:, None]) @ centring
        return np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[:, -1], 0))

    return np.sqrt(r) * (mass @ length(x) - length(np.array([places], float))[0])


def test_coincident_models_with_exponent_half_have_a_centred_limit():
    kept = [
        places
        for places in itertools.combinations_with_replacement((0, 2, 5), 3)
        if places[0] == 0
        and places[-1] > 0
        and abs(bias_of_length(places, 16)) > 0.6 * abs(bias_of_length(places, 4)) > 0.01
    ]
    assert kept
    assert all(len(set(places)) == 2 for places in kept), "only coincident models have a bias of the order of the error"


@pytest.mark.parametrize("convention", [DEFAULT, A25], ids=["e = 1", "e = 1/2"])
def test_closed_eigengap_has_a_rate(convention):
    """A change of the means by 1e-9 that moves Psi^ by a tenth of the size of Psi."""

    def moves(case):
        points, change = case
        deltas = [cases.dissimilarities(x[:, None], convention) for x in (points, points + 1e-9 * change)]
        psi, other = (cases.perspective(delta, 1) for delta in deltas)
        return cases.aligned_error(other, psi) > 0.1 * np.linalg.norm(psi) > 0

    points, _ = found(st.tuples(cases.integer_arrays(4, 2, 1), cases.integer_arrays(4, 2, 1)), moves)
    b = -0.5 * (h := np.eye(4) - 0.25) @ cases.dissimilarities(points[:, None], convention) ** 2 @ h
    values = np.linalg.eigvalsh(b)
    assert values[-1] == pytest.approx(values[-2], rel=1e-6)


def limit(points, level, exponent=1.0):
    """D^2 in the limit of many queries, up to a factor of m."""
    level = np.asarray(level, float)
    noise = (level[:, None] + level[None]) * (1 - np.eye(len(level)))
    return (cases.distances(points) ** 2 + noise) ** exponent


def top(squares, lower=0.0):
    """First eigenvalue and eigenvector of B."""
    h = np.eye(len(squares)) - 1 / len(squares)
    values, vectors = np.linalg.eigh(-0.5 * h @ squares @ h)
    return values[-1] - lower, vectors[:, -1], values


LINE, LEVELS = cases.integer_arrays(3, 1, 3), st.tuples(*[st.integers(0, 6)] * 3)


def test_more_queries_are_enough():
    _, level = found(
        st.tuples(LINE, LEVELS), lambda case: abs(top(limit(*case))[0] - top(limit(case[0], (0, 0, 0)))[0]) > 1e-6
    )
    assert max(level) > 0


@pytest.mark.parametrize("way", ["mean noise", "next eigenvalues"])
def test_lowered_eigenvalues_are_enough_with_unequal_noise(way):
    def off(case):
        points, level = case
        true, _, _ = top(limit(points, (0, 0, 0)))
        _, _, values = top(limit(points, level))
        lower = np.mean(level) if way == "mean noise" else np.sort(values)[1:-1].mean()
        return true > 0.1 and abs(values[-1] - lower - true) > 1e-6

    _, level = found(st.tuples(LINE, LEVELS), off)
    assert len(set(level)) > 1


def test_noise_inflates_with_exponent_half():
    def shorter(case):
        points, level = case
        clean, noisy = (top(limit(points, [a] * 6, 0.5))[0] for a in (0, level))
        return noisy < clean * (1 - 1e-6)

    points, level = found(st.tuples(cases.integer_arrays(6, 1, 2), st.integers(1, 6)), shorter)
    assert level > 0
    assert top(limit(points, [level] * 6))[0] > top(limit(points, [0] * 6))[0], "with e = 1 the same noise inflates"


def test_search_uses_the_lowering_of_the_claim():
    squares = limit(np.array([[0.0, 0], [3, 0], [0, 2], [1, 1]]), (1, 1, 1, 1))
    rank_two = scaled(squares[None], "next")[0]
    assert cases.distances(rank_two) == pytest.approx(
        np.sqrt(limit(np.array([[0.0, 0], [3, 0], [0, 2], [1, 1]]), [0] * 4))
    )
