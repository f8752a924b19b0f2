"""DK-M4 and DK-M9, deterministic: cases that can be done by hand, and every term of the remainder is needed."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dkps_theory as dk
from dkps_theory import InputError
from dkps_theory.bounds import NoiseNorms, dk_m4_bound, dk_m9_remainder, dk_m9_sharp_remainder, gram_noise_bound
from proofs_checks.claims.dk_m9 import SHAPES, parts, random_case, ratio


def test_noise_at_right_angles_stretches_by_pythagoras():
    u, sigma, tau = np.array([1.0, -1.0, 0.0]) / math.sqrt(2), 2.0, 0.1
    Y, F = sigma * np.outer(u, [1.0, 0, 0]), tau * np.outer(u, [0, 1.0, 0])
    found = parts(Y, F, 1)
    exact = math.sqrt(sigma**2 + tau**2) - sigma
    assert found["frobenius"] == pytest.approx(exact, rel=1e-6)
    assert found["first"] == pytest.approx(0, abs=1e-12)
    assert exact <= found["sharp"] < 1.01 * exact
    assert found["plain"] > 2 * exact


def test_sharp_remainder_is_never_above_the_plain_one():
    generator = np.random.default_rng(1)
    for shape in SHAPES:
        for _ in range(20):
            found = parts(*random_case(generator, shape), shape[2])
            if found["eps"] < found["sigma"]:
                assert found["sharp"] <= found["plain"] * (1 + 1e-9)
                assert found["sharp rows"] <= found["plain rows"] * (1 + 1e-9)


def test_white_noise_of_many_queries_gains_by_the_deviation_from_a_multiple_of_h():
    generator, (n, width, d) = np.random.default_rng(2), (10, 4000, 2)
    Y, _ = random_case(generator, (n, width, d))
    Y = Y / np.linalg.svd(Y, compute_uv=False)[d - 1]
    F = generator.normal(size=(n, width))
    F = (F - F.mean(axis=0)) / (5 * math.sqrt(width))
    found = parts(Y, F, d)
    assert found["frobenius"] < found["first"] + found["sharp"]
    assert found["sharp"] < 0.5 * found["plain"]


def test_no_bound_on_the_noise_is_needed():
    generator = np.random.default_rng(3)
    for shape in SHAPES:
        for _ in range(20):
            Y, F = random_case(generator, shape)
            F *= 3 * np.linalg.norm(Y, 2) / np.linalg.norm(F, 2)
            assert ratio(Y, F, shape[2], "plain") <= 1 + 1e-9
            assert ratio(Y, F, shape[2], "sharp") <= 1 + 1e-9


def test_remainder_at_zero_signal_is_finite_and_at_zero_noise_zero():
    frobenius, row = dk_m9_remainder(spectral=0.5, sigma=0.0, d=4)
    assert (frobenius, row) == pytest.approx((math.sqrt(2), math.sqrt(0.5)))
    none = NoiseNorms(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert dk_m9_sharp_remainder(none, singular_values=(2.0, 1.0), n=6, width=5) == (0, 0)
    assert dk_m9_sharp_remainder(none, singular_values=(2.0, 0.0), n=6, width=5) == (0, 0)


def test_m4_equals_its_two_inequalities():
    assert gram_noise_bound(noise=0.0, lambda_1=3.0) == 0
    one, two = (dk_m4_bound(noise=0.1, lambda_1=2.0, lambda_d=0.5, k=k) for k in (1.0, dk.GOLDEN_RATIO))
    assert two / one == pytest.approx(dk.GOLDEN_RATIO)
    assert one > 0.1  # never better than DK-M8


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: dk_m9_remainder(spectral=-1.0, sigma=1.0, d=2), "spectral"),
        (lambda: dk_m9_remainder(spectral=1.0, sigma=1.0, d=0), "d "),
        (lambda: NoiseNorms(0, 0, math.nan, 0, 0, 0, 0, 0, 0, 0), "spectral"),
        (lambda: NoiseNorms(0, 0, 0, 0, 0, 0, 0, -1, 0, 0), "shift"),
        (lambda: dk_m4_bound(noise=1.0, lambda_1=1.0, lambda_d=0.0, k=1.0), "lambda_d"),
        (lambda: dk_m4_bound(noise=1.0, lambda_1=1.0, lambda_d=1.0, k=0.5), "k"),
        (lambda: gram_noise_bound(noise=-1.0, lambda_1=1.0), "noise"),
    ],
)
def test_wrong_input_is_named(call, named):
    with pytest.raises(InputError, match=f"^{named}"):
        call()
