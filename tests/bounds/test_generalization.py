"""The generalisation bounds against their formulas and what they bound, and contraction against a search."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.bounds.contraction import dobrushin_coefficient, layered_loss, symmetric_channel_contraction
from dkps_theory.bounds.generalization import (
    l31_bound,
    l43_bound,
    l44_bound,
    l48_bound,
    t45_bound,
    t49_bound,
)

T45 = {
    "loss_range": 2.0,
    "tv_model": 0.25,
    "tv_curation": 0.125,
    "layers": 3,
    "contraction": 0.5,
    "proxy": 1.0,
    "n": 4,
    "information_gain": 0.3,
    "b_syn": 0.4,
    "model_entropy": 0.6,
    "delta": 0.1,
}


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    return float((p * np.log(p / q)).sum())


def flips(error: float) -> np.ndarray:
    return np.array([[1 - error, error], [error, 1 - error]])


def random_rows(table: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    weights = table.exponential(size=(rows, columns)) + 1e-3
    return weights / weights.sum(axis=1, keepdims=True)


def test_the_formulas():
    assert l31_bound(2.0, 0.25, 0.125, 0.5) == 2 * 0.375 + 0.5
    assert l31_bound(2.0, 0.25, 0.125, -0.5, signed_loss=True) == 4 * 0.375 - 0.5
    assert l43_bound(0.3, 0.4, 0.6, 0.1) == pytest.approx(-0.3 + 0.4 + 0.6 + 0.1)
    attenuation = math.exp(-3 / 2 * math.log(1 / 0.5))
    assert l44_bound(3, 0.5, 1.0, 4, 0.8) == pytest.approx(attenuation * math.sqrt(2 * 1.0 / 4 * 0.8))
    assert l48_bound(3, 0.5, 1.0, 4, 0.8) == l44_bound(3, 0.5, 1.0, 4, 0.8)
    assert t45_bound(**T45) == pytest.approx(2 * 0.375 + attenuation * math.sqrt(2 / 4 * 0.8))
    assert t45_bound(**T45, signed_loss=True) == pytest.approx(t45_bound(**T45) + 2 * 0.375)
    assert t49_bound(0.3, 2.0, 0.5, 0.7, 0.2, 0.1) == pytest.approx(0.3 - 3 * 0.5 + 2 * 0.7 + 0.2 + 0.1)
    assert l31_bound(Fraction(2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 2)) == 1.25


def test_l31_bounds_the_error_and_is_attained():
    table = np.random.default_rng(1)
    for _ in range(50):
        data, model, curated = random_rows(table, 3, 4)
        first, second = (np.abs(p - q).sum() / 2 for p, q in ((data, model), (model, curated)))
        loss = table.random(4)
        for low, signed in ((0.0, False), (-1.0, True)):
            shifted = low + (1 - low) * loss
            empirical = shifted[0]
            error, remainder = (abs(shifted @ law - empirical) for law in (data, curated))
            assert error <= l31_bound(1.0, first, second, remainder, signed_loss=signed) + 1e-12
            extreme = np.where(data > model, 1.0, low)
            gap = abs(extreme @ (data - model))
            assert gap == pytest.approx(l31_bound(1.0, first, 0.0, 0.0, signed_loss=signed))


def test_l44_bounds_the_gap_of_a_leaning_bit_and_is_nearly_attained():
    """W = Z with probability (1 + x)/2 for a fair bit Z seen through L flips: gap eta^(L/2) x/2, I ~ x^2/2."""
    x, error, layers = 1e-3, 0.2, 2
    information = ((1 + x) * math.log1p(x) + (1 - x) * math.log1p(-x)) / 2
    loss = layered_loss([flips(error)] * layers, 1 - np.eye(2))
    joint = np.array([[1 + x, 1 - x], [1 - x, 1 + x]]) / 4  # (w, z)
    gap = (joint.sum(axis=1) @ loss).mean() - (joint * loss).sum()
    bound = l44_bound(layers, symmetric_channel_contraction(error), 0.25, 1, information)
    assert 1 - 1e-6 < gap / bound <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_layered_loss_is_sub_gaussian_with_the_contracted_proxy(seed: int):
    table = np.random.default_rng(seed)
    layers = [random_rows(table, 3, 4), random_rows(table, 4, 2)]
    loss = table.random((1, 2))
    loss = (loss - loss.min()) / np.ptp(loss)  # the whole of [0, 1]
    eta = dobrushin_coefficient(layers[0]) * dobrushin_coefficient(layers[1])
    averaged = layered_loss(layers, loss)[0]
    for law, s in itertools.product(random_rows(table, 20, 3), (-8.0, -0.5, 0.1, 4.0)):
        moment = math.log(law @ np.exp(s * (averaged - law @ averaged)))
        assert moment <= eta * s**2 / 8 + 1e-12


def test_dobrushin_by_pairs_and_relative_entropy_contracts():
    table = np.random.default_rng(2)
    for _ in range(30):
        channel = random_rows(table, 4, 3)
        pairs = itertools.combinations(channel, 2)
        coefficient = dobrushin_coefficient(channel)
        assert coefficient == pytest.approx(max(np.maximum(a - b, 0).sum() for a, b in pairs))
        p, q = random_rows(table, 2, 4)
        assert divergence(p @ channel, q @ channel) <= coefficient * divergence(p, q)
    assert dobrushin_coefficient(np.eye(3)) == 1
    assert dobrushin_coefficient(np.full((3, 2), 0.5)) == 0


@pytest.mark.parametrize("error", [0.0, 0.1, 0.3, 0.5, 0.9])
def test_the_symmetric_channel_contracts_by_the_square_and_no_less(error: float):
    eta, channel = symmetric_channel_contraction(error), flips(error)
    assert dobrushin_coefficient(channel) ** 2 == pytest.approx(eta)
    ratios = []
    for a, b in itertools.product(np.linspace(0.01, 0.99, 40), (0.5, 0.2, 0.013)):
        p, q = np.array([a, 1 - a]), np.array([b, 1 - b])
        ratios.append(divergence(p @ channel, q @ channel) / divergence(p, q))
    assert max(ratios) <= eta + 1e-9
    assert max(ratios) >= eta * (1 - 1e-3)


def test_layered_loss_by_loops_with_layers_that_know_w():
    table = np.random.default_rng(3)
    first = np.stack([random_rows(table, 2, 3) for _ in range(2)])  # (w, x, y)
    second, loss = random_rows(table, 3, 4), table.random((2, 4))
    slow = np.zeros((2, 2))
    for w, x, y, z in itertools.product(range(2), range(2), range(3), range(4)):
        slow[w, x] += first[w, x, y] * second[y, z] * loss[w, z]
    np.testing.assert_allclose(layered_loss([first, second], loss), slow, rtol=1e-14)
    np.testing.assert_array_equal(layered_loss([], loss), loss)
    exact = layered_loss([[[Fraction(3, 4), Fraction(1, 4)], [Fraction(1, 3), Fraction(2, 3)]]], [[0, 1]])
    assert exact.tolist() == [[Fraction(1, 4), Fraction(2, 3)]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: l31_bound(-1.0, 0.0, 0.0, 0.0), "loss_range: got -1; it must be at least 0"),
        (lambda: l31_bound(1.0, 1.5, 0.0, 0.0), r"tv_model: got 1.5; it must be in \[0, 1\]"),
        (lambda: l31_bound(1.0, 0.0, -0.1, 0.0), "tv_curation: got -0.1"),
        (lambda: l31_bound(1.0, 0.0, 0.0, math.nan), "remainder: 1 value not finite"),
        (lambda: l43_bound(0.0, math.inf, 0.0, 0.0), "b_syn: 1 value not finite"),
        (lambda: l44_bound(-1, 0.5, 1.0, 1, 1.0), "layers: got -1"),
        (lambda: l44_bound(1, 0.0, 1.0, 1, 1.0), r"contraction: got 0; it must lie in \(0, 1\]"),
        (lambda: l44_bound(1, 1.1, 1.0, 1, 1.0), "contraction: got 1.1"),
        (lambda: l44_bound(1, 1 + 1e-10, 1.0, 1, 1.0), "contraction: got 1.0000000001"),
        (lambda: l44_bound(1, -1e-10, 1.0, 1, 1.0), "contraction: got -1e-10"),
        (lambda: l44_bound(1, 0.5, -1e-10, 1, 1.0), r"proxy \(sigma\^2\): got -1e-10"),
        (lambda: l31_bound(-1e-10, 0.0, 0.0, 0.0), "loss_range: got -1e-10"),
        (lambda: l31_bound(1.0, 1 + 1e-8, 0.0, 0.0), r"tv_model: got 1.00000001; it must be in \[0, 1\]"),
        (lambda: l44_bound(1, 0.5, -1.0, 1, 1.0), r"proxy \(sigma\^2\): got -1"),
        (lambda: l44_bound(1, 0.5, 1.0, 0, 1.0), r"n \(points\): got 0"),
        (lambda: l44_bound(1, 0.5, 1.0, 1, -0.1), "information: got -0.1; it must be at least 0"),
        (lambda: l48_bound(1, 0.5, 1.0, 0, 1.0), r"m \(anchors\): got 0"),
        (lambda: t45_bound(**(T45 | {"delta": -1.0})), "delta: got -1, with which L43 bounds I"),
        (lambda: t49_bound(np.ones(2), 0.0, 0.0, 0.0, 0.0, 0.0), r"information_gain: got shape \(2,\)"),
        (lambda: symmetric_channel_contraction(1.5), "error: got 1.5"),
        (lambda: symmetric_channel_contraction([0.1, 0.2]), r"error: got shape \(2,\); it must be one number"),
        (lambda: dobrushin_coefficient([0.5, 0.5]), r"channel: got shape \(2,\); it must be a matrix"),
        (lambda: dobrushin_coefficient([[0.5, 0.5], [0.5, 0.4]]), r"channel: row \[1\] is no law: sum 0.9"),
        (lambda: dobrushin_coefficient([[1.5, -0.5]]), r"row \[0\] is no law: sum 1, least -0.5"),
        (lambda: layered_loss([], [0.0, 1.0]), r"loss: got shape \(2,\)"),
        (lambda: layered_loss([], [[0.0, 1.0], [1.0]]), "loss: not an array of numbers"),
        (lambda: layered_loss([], None), "loss: 1 value not finite"),
        (lambda: layered_loss([], [["0", "1"]]), "loss: holds <U1 values; they must be numbers"),
        (lambda: layered_loss(None, np.eye(2)), "channels: got None; they must be a sequence of tables"),
        (lambda: layered_loss([None], np.eye(2)), r"channels\[0\]: 1 value not finite"),
        (lambda: layered_loss([[[1.0], [0.5, 0.5]]], np.eye(2)), r"channels\[0\]: not an array of numbers"),
        (lambda: layered_loss([np.eye(3)], np.eye(2)), r"channels\[0\]: got shape \(3, 3\)"),
        (lambda: layered_loss([np.stack([np.eye(2)] * 3)], np.eye(2)), r"must be \(x, 2\) or \(2, x, 2\)"),
        (lambda: layered_loss([np.eye(2), 2 * np.eye(2)], np.eye(2)), r"channels\[1\]: row \[0\] is no law: sum 2"),
    ],
)
def test_numbers_out_of_range_are_named(unannotated, call, message: str):
    with pytest.raises(InputError, match=message):
        call()


def test_what_leaves_a_range_by_rounding_is_its_end():
    assert l44_bound(0, 1.0, 1.0, 1, -1e-15) == 0
    assert l31_bound(1.0, 1 + 1e-10, -1e-10, 0.0) == 1
    assert dobrushin_coefficient([[1 + 5e-13, 0.0], [0.0, 1.0]]) == 1
