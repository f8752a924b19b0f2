"""Linear-Gaussian laws against determinants, hand-made cases and draws."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.information.gaussian import (
    gaussian_conditional_mutual_information,
    gaussian_entropy,
    gaussian_mutual_information,
)
from dkps_theory.information.linear_gaussian import LinearGaussian


def random_law(seed: int, **rows: int) -> LinearGaussian:
    generator = np.random.default_rng(seed)
    return LinearGaussian({name: generator.normal(size=(count, 10)) for name, count in rows.items()})


def pair(correlation: float) -> LinearGaussian:
    rest = math.sqrt((1 - correlation) * (1 + correlation))
    return LinearGaussian({"x": np.array([[1.0, 0.0]]), "y": np.array([[correlation, rest]])})


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_the_closed_forms_of_joint_covariances(seed):
    law = random_law(seed, a=2, b=3, c=1)
    joint = law.covariance(["a", "b", "c"])
    assert law.entropy(["a", "b"]) == pytest.approx(float(gaussian_entropy(joint[:5, :5])), abs=1e-10)
    conditional = float(gaussian_entropy(joint)) - float(gaussian_entropy(joint[5:, 5:]))
    assert law.entropy(["b", "a"], "c") == pytest.approx(conditional, abs=1e-10)
    shared = float(gaussian_mutual_information(joint, (0, 1), (2, 3, 4)))
    assert law.mutual_information("a", "b") == pytest.approx(shared, abs=1e-10)
    assert law.mutual_information("b", "a") == pytest.approx(shared, abs=1e-10)
    known = float(gaussian_conditional_mutual_information(joint, (0, 1), (2, 3, 4), 5))
    assert law.mutual_information("a", "b", "c") == pytest.approx(known, abs=1e-10)
    assert law.mutual_information("a", ["b", "c"]) == pytest.approx(law.mutual_information("a", "c") + known, abs=1e-10)


@pytest.mark.parametrize("correlation", [1e-9, 1e-4, 0.3, 0.9, 1 - 1e-9])
def test_information_is_accurate_near_independence_and_near_certainty(correlation):
    # 1 - 1e-9 itself is known to a relative 1e-7 only.
    expected = -0.5 * (math.log1p(-correlation) + math.log1p(correlation))
    assert pair(correlation).mutual_information("x", "y") == pytest.approx(expected, rel=1e-7)


def test_what_is_a_function_of_what_is_known_has_no_density_and_infinite_information():
    x, y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    law = LinearGaussian({"x": x, "y": y, "sum": x + y, "double": 2 * x, "constant": 0 * x})
    assert law.entropy(["x", "y", "sum"]) == -math.inf
    assert law.entropy("sum", ["x", "y"]) == -math.inf
    assert law.entropy("constant") == -math.inf
    assert law.mutual_information("x", "double") == math.inf
    assert law.mutual_information("sum", ["x", "y"]) == math.inf
    assert law.mutual_information("x", "y", "sum") == math.inf
    assert law.mutual_information("x", "constant") == 0
    assert law.mutual_information("x", "sum", "double") == 0
    assert law.mutual_information("x", "y") == 0
    # Given twice, x is known once.
    assert law.entropy("sum", ["x", "double"]) == pytest.approx(0.5 * math.log(2 * math.pi * math.e))
    assert law.entropy("x", "sum") == pytest.approx(0.5 * math.log(math.pi * math.e))


def test_a_small_rest_is_freed_of_what_is_known():
    """Given y, both x and z are known up to one and the same direction, a 1e-8th of x."""
    rotation = np.linalg.qr(np.random.default_rng(4).normal(size=(5, 5)))[0]
    known, rest = rotation[:2], rotation[2:3]
    law = LinearGaussian({"y": known, "x": known[:1] + known[1:] + 1e-8 * rest, "z": 30 * known[1:] + rest})
    assert law.mutual_information("x", "z", "y") > 15  # infinite, but x holds the rest to a relative 1e-8 only
    assert law.entropy("x", "y") == pytest.approx(0.5 * math.log(2 * math.pi * math.e) - math.log(1e8), abs=1e-6)


def test_units_move_entropies_and_nothing_else():
    law = random_law(7, a=2, b=3, c=1)
    other = LinearGaussian({**law.coefficients, "a": 1e6 * law.coefficients["a"]})
    assert other.entropy("a", "b") - law.entropy("a", "b") == pytest.approx(2 * math.log(1e6), abs=1e-9)
    assert other.mutual_information("a", "b", "c") == pytest.approx(law.mutual_information("a", "b", "c"), abs=1e-9)
    assert other.mutual_information("b", "c", "a") == pytest.approx(law.mutual_information("b", "c", "a"), abs=1e-9)


def test_units_beyond_the_squares_of_double_precision():
    block = np.array([[1.0, 0.0], [1.0, 1.0]])
    for scale in (1e-200, 1e200):
        law = LinearGaussian({"x": scale * block[:1], "y": scale * block[1:]})
        assert law.mutual_information("x", "y") == pytest.approx(0.5 * math.log(2), rel=1e-12)
        expected = 0.5 * math.log(2 * math.pi * math.e) + math.log(scale)
        assert law.entropy("x") == pytest.approx(expected, rel=1e-12)


def test_draws_have_the_law():
    """Every first and second moment within 6 standard errors: 27 of them, false alarms below 1e-7 in all."""
    generator, size = np.random.default_rng(3), 40_000
    law = LinearGaussian({"a": generator.normal(size=(2, 7)), "b": generator.normal(size=(4, 7))}, {"a": np.ones(2)})
    draws = law.sample(jax.random.key(11, impl="threefry2x32"), size)
    rows = np.concatenate([draws["a"], draws["b"]], axis=1)
    centred = rows - law.mean(["a", "b"])[None]
    assert np.all(np.abs(centred.mean(0)) < 6 * centred.std(0) / math.sqrt(size))
    products = centred[:, :, None] * centred[:, None, :]
    off = np.abs(products.mean(0) - law.covariance(["a", "b"]))
    assert np.all(off < 6 * products.std(0) / math.sqrt(size))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({},), "names no block"),
        (([1],), r"coefficients: got \[1\]; it must be a mapping"),
        (({"a": np.zeros(3)},), r"\(rows, normals\)"),
        (({"a": np.zeros((0, 3))},), r"\(rows, normals\)"),
        (({"a": np.full((1, 2), np.nan)},), "not finite"),
        (({"a": np.eye(2), "b": np.eye(3)},), "must agree"),
        (({"a": np.eye(2)}, {"b": np.zeros(2)}), "unknown block 'b'"),
        (({"a": np.eye(2)}, {"a": np.zeros(3)}), r"must be \(2,\)"),
    ],
)
def test_bad_laws_are_refused(unannotated, arguments, message):
    with pytest.raises(InputError, match=message):
        LinearGaussian(*arguments)


def test_unknown_names_and_keys_are_refused(unannotated):
    with pytest.raises(InputError, match="names: got 3"):
        LinearGaussian({"anchor": np.eye(1)}).entropy(3)
    with pytest.raises(InputError, match="key: got 0; it must be one typed key"):
        LinearGaussian({"anchor": np.eye(1)}).sample(0, 3)
    with pytest.raises(InputError, match="did you mean 'anchor'"):
        LinearGaussian({"anchor": np.eye(1)}).entropy("anchors")
    with pytest.raises(InputError, match="at least one block"):
        LinearGaussian({"anchor": np.eye(1)}).entropy([])
