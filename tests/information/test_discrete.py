"""Information of finite laws: against loops that read like the definitions, and against SciPy."""

from __future__ import annotations

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import dkps_theory as dk

SHAPE = (2, 3, 2)
WEIGHTS = st.lists(st.integers(0, 4), min_size=12, max_size=12).filter(any)
LAWS = WEIGHTS.map(lambda values: np.reshape(np.asarray(values, float) / sum(values), SHAPE))


def loop_information(joint: np.ndarray, first, second, given_axes=()) -> float:
    """Sum p log(p p(c) / (p(a,c) p(b,c))) letter by letter."""

    def probability(letters: tuple[int, ...], axes) -> float:
        every = itertools.product(*map(range, joint.shape))
        return sum(joint[other] for other in every if all(other[a] == letters[a] for a in axes))

    total = 0.0
    for letters in itertools.product(*map(range, joint.shape)):
        p = joint[letters]
        if p > 0:
            abc, c = (probability(letters, axes) for axes in ((*first, *second, *given_axes), given_axes))
            ac, bc = (probability(letters, (*axes, *given_axes)) for axes in (first, second))
            total += p * math.log(abc * c / (ac * bc))
    return total


@settings(max_examples=40, deadline=None)
@given(LAWS, LAWS)
def test_entropy_divergence_and_total_variation(p: np.ndarray, q: np.ndarray):
    assert float(dk.entropy(p)) == pytest.approx(stats.entropy(p.ravel()), abs=1e-12)
    assert float(dk.kl_divergence(p, q)) == pytest.approx(stats.entropy(p.ravel(), q.ravel()), abs=1e-12)
    events = itertools.product([False, True], repeat=12)
    difference = (p - q).ravel()
    largest = max(abs(difference[list(event)].sum()) for event in events)
    assert float(dk.total_variation(p, q)) == pytest.approx(largest, abs=1e-12)


def test_one_letter_has_entropy_zero_and_not_minus_zero():
    assert math.copysign(1, float(dk.entropy(np.ones(1)))) == 1


@pytest.mark.parametrize(("first", "second"), [((0,), (1,)), ((0,), (1, 2)), ((2, 1), (0,))])
@settings(max_examples=15, deadline=None)
@given(LAWS)
def test_mutual_information(first, second, joint: np.ndarray):
    found = float(dk.mutual_information(joint, first, second))
    assert found == pytest.approx(loop_information(joint, first, second), abs=1e-12)
    others = tuple(set(range(3)) - {*first, *second})
    parts = [joint.sum(tuple(set(range(3)) - set(axes))) for axes in (first, second)]
    chain = float(dk.entropy(parts[0]) + dk.entropy(parts[1]) - dk.entropy(joint.sum(others)))
    assert found == pytest.approx(chain, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(LAWS)
def test_conditional_mutual_information_and_the_chain_rule(joint: np.ndarray):
    found = float(dk.conditional_mutual_information(joint, 0, 2, 1))
    assert found == pytest.approx(loop_information(joint, (0,), (2,), (1,)), abs=1e-12)
    whole = float(dk.mutual_information(joint, 0, (1, 2)))
    assert whole == pytest.approx(float(dk.mutual_information(joint, 0, 1)) + found, abs=1e-12)


def test_zeros_are_exact():
    point, other, half = np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.5, 0.5])
    assert float(dk.entropy(point)) == 0.0
    assert float(dk.kl_divergence(point, half)) == math.log(2)
    assert float(dk.kl_divergence(half, point)) == math.inf
    assert float(dk.kl_divergence(point, other)) == math.inf
    assert float(dk.total_variation(point, other)) == 1.0
    assert float(dk.mutual_information(np.diag([0.5, 0.5, 0.0]), 0, 1)) == math.log(2)


def test_what_rounding_leaves_of_independence_is_of_second_order():
    """Each probability of a product is off by 1e-16 of itself, the information between its factors by its square."""
    generator = np.random.default_rng(0)
    found = [float(dk.mutual_information(np.outer(*generator.dirichlet(np.ones(4), 2)), 0, 1)) for _ in range(200)]
    assert max(map(abs, found)) < 1e-30


def leaning(x: float) -> np.ndarray:
    """A joint law of three bits: the first two lean on each other, the third is independent of them."""
    lean = np.array([[1 + x, 1 - x], [1 - x, 1 + x]]) / 4
    return lean[:, :, None] * np.array([0.3, 0.7])


@pytest.mark.parametrize("traced", [False, True])
def test_near_equality_and_near_independence_nothing_drowns(traced: bool):
    """I = {(1 + x) log(1 + x) + (1 - x) log(1 - x)}/2 = x^2/2 + x^4/12 + ..; the plain sum is off by 1e-16 here."""
    wrapped = jax.jit if traced else lambda function: function
    for x in (1e-9, 1e-5, 1e-3):
        exact, joint = x**2 / 2 + x**4 / 12, leaning(x)
        found = [
            wrapped(lambda p: dk.conditional_mutual_information(p, 0, 1, 2))(joint),
            wrapped(lambda p: dk.mutual_information(p, 0, 1))(joint),
            wrapped(dk.kl_divergence)(joint, leaning(0.0)),
        ]
        for value in found:
            # abs=0: approx would otherwise call 0 and 1e-18 equal.
            assert float(value) == pytest.approx(exact, rel=1e-6, abs=0)


def test_products_that_underflow_are_no_infinity():
    tiny = 1e-200
    pair = float(dk.mutual_information(np.array([[tiny, 0.0], [0.0, 1.0]]), 0, 1))
    assert pair == pytest.approx(tiny * (1 - math.log(tiny)), rel=1e-12, abs=0)
    least = np.array([[1e-310, 0.25], [0.25, 0.5]])
    expected = 2 * 0.25 * math.log(0.25 / (0.25 * 0.75)) + 0.5 * math.log(0.5 / 0.75**2)
    assert float(dk.mutual_information(least, 0, 1)) == pytest.approx(expected, rel=1e-12, abs=0)


def test_traced_laws_agree_and_have_a_gradient():
    logits = jnp.array([[0.3, -0.2], [0.1, 0.9]])

    def information(x):
        return dk.mutual_information(jax.nn.softmax(x.ravel()).reshape(2, 2), 0, 1)

    joint = np.asarray(jax.nn.softmax(logits.ravel()).reshape(2, 2))
    joint = joint / joint.sum()
    value, gradient = jax.jit(jax.value_and_grad(information))(logits)
    assert float(value) == pytest.approx(float(dk.mutual_information(joint, 0, 1)), abs=1e-14)
    step = 1e-6 * jnp.eye(4)[1].reshape(2, 2)
    slope = (information(logits + step) - information(logits - step)) / 2e-6
    assert float(gradient[0, 1]) == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dk.entropy(np.array([0.5, 0.4])), "law: sums to 0.9"),
        (lambda: dk.entropy(np.array([1.5, -0.5])), "its least value is -0.5"),
        (lambda: dk.entropy(np.zeros(0)), "at least one letter"),
        (lambda: dk.entropy(np.array([math.nan, 1.0])), "not finite"),
        (lambda: dk.kl_divergence(np.array([1.0]), np.array([0.5, 0.5])), "they must agree"),
        (lambda: dk.mutual_information(np.full((2, 2), 0.25), 0, 2), "second: there is no axis 2"),
        (lambda: dk.mutual_information(np.full((2, 2), 0.25), 0, -2), "named twice"),
        (lambda: dk.mutual_information(np.full((2, 2), 0.25), (), 1), "at least one axis"),
    ],
)
def test_what_is_no_law_is_refused(call, says: str, unannotated):
    with pytest.raises(dk.InputError, match=says):
        call()
