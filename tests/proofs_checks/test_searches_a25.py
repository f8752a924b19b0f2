"""Counterexamples to A25's refuted claims, found again from scratch, and the NumPy twins against the package."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import hypothesis
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Setting
from proofs_checks.claims import a25_a, a25_c1, a25_c2, a25_p1, a25_steps, a25_t1, a25_t2, a25_tables, a25_x, a25_x4
from proofs_checks.evidence.checker import gram, rank, squared_distances

MODULES = (a25_t1, a25_c1, a25_a, a25_p1, a25_t2, a25_c2, a25_steps, a25_x, a25_x4, a25_tables)
CLAIMS = {claim.id: claim for module in MODULES for claim in module.CLAIMS}
SEARCH = hypothesis.settings(max_examples=2000, database=None, deadline=None)
TWO = Fraction(1, 2)


def found(strategy, condition):
    """A smallest case that meets the condition; it raises where the search finds none."""
    return hypothesis.find(strategy, condition, settings=SEARCH, random=random.Random(25))


def test_scaling_breaks_theorem_1_for_squared_distances():
    def violated(a, power):
        coin = [(TWO, Fraction(a)), (TWO, Fraction(-a))]
        law, gamma, _ = a25_t1.gram_error_law([coin, coin], 1, power)
        return any(a25_t1.tail(law, eps) > 16 * gamma / (eps * eps) for _, eps in law if eps > 0)

    assert found(st.integers(1, 60), lambda a: violated(a, 2)) <= 9
    assert not any(violated(a, 1) for a in range(1, 60))


def test_means_that_grow_break_corollary_1_for_squared_distances():
    """n = 3, r = 29 > 27: whole means for which both values of a mean that is off by 1/r move B by 1 or more."""

    def moved(means):
        base = [[Fraction(0)], *[[Fraction(x)] for x in means]]
        truth = gram(squared_distances(base))
        for sign in (1, -1):
            other = gram(squared_distances([[Fraction(sign, 29)], *base[1:]]))
            if max(abs(x - y) for u, v in zip(truth, other, strict=True) for x, y in zip(u, v, strict=True)) < 1:
                return False
        return True

    assert max(map(abs, found(st.tuples(st.integers(-200, 200), st.integers(-200, 200)), moved))) > 1


@pytest.mark.parametrize("power", [1, 2])
def test_a_circle_has_models_of_rank_two(power):
    """Three places on a circle of whole length whose geodesic distances are those of points in the plane."""

    def not_flat(case):
        length, *where = case
        if length <= max(where) or len(set(where)) < 3:
            return False
        geodesic = [[min(abs(x - y), length - abs(x - y)) for y in where] for x in where]
        b = gram([[Fraction(entry) ** 2 for entry in row] for row in geodesic])
        # e = 1/2 wants a metric of squares, e = 1 one of distances: the squares may break the triangle inequality.
        lengths = sorted(geodesic[i][j] ** (3 - power) for i, j in ((0, 1), (0, 2), (1, 2)))
        euclidean = np.linalg.eigvalsh(np.array(b, dtype=float)).min() > -1e-12
        return euclidean and lengths[2] <= lengths[0] + lengths[1] and rank(b) == 2

    length, *where = found(st.tuples(*[st.integers(0, 9)] * 4), not_flat)
    assert len(set(where)) == 3
    assert length > max(where)


def test_the_largest_eigenvalue_exceeds_any_level_on_a_segment():
    def largest(n):
        return np.linalg.eigvalsh(a25_t1.centred(a25_t1.squares(np.linspace(0, 1, n)[:, None, None], 1.0)))[-1]

    for level in (1.0, 5.0):
        n = next(n for n in range(2, 200) if largest(n) > level)
        assert n <= 12 * level + 2


def test_the_law_of_the_error_depends_on_the_number_of_queries():
    """Two models that answer 1 or -1, one replicate: |D^2|^2 m^2 is four times a binomial count."""

    def tail(m, eps):
        return sum(math.comb(m, k) for k in range(m + 1) if 2 * math.sqrt(k) / m / 4 >= eps) / 2**m

    m, other = found(
        st.tuples(st.integers(1, 9), st.integers(1, 9)), lambda pair: tail(pair[0], 0.5) != tail(pair[1], 0.5)
    )
    assert 1 in (m, other)


@pytest.mark.parametrize(("power", "largest"), [(1, 100), (2, 30)])
def test_the_printed_bound_fails_at_some_scale(power, largest):
    """Models at 0 and 4 a, the mean of nine answers a/9 off on the better side: a whole a with coverage 0."""

    constants = [float(c) for c in dk.a25_perspective_constants(*[jnp.asarray(1.0)] * 3)]

    def uncovered(a):
        delta = (4.0 * a) ** (power / 2)
        errors = [abs(delta - (4.0 * a + sign * a / 9) ** (power / 2)) / 2 for sign in (1, -1)]
        x = math.sqrt(8 / 9)
        return min(errors) > sum(c * x**k * (delta**2 / 2) ** (0.5 - k) for k, c in enumerate(constants, start=1))

    assert 1 < int(found(st.integers(1, 10**5), uncovered)) <= largest**2


def test_the_printed_kappa_is_far_above_the_error_wherever_one_looks():
    setting = Setting(7, "quick", "search/kappa")
    for n, power in itertools.product((6, 12, 20), (3.5, 4.0, 5.5)):
        r = float(round(n**power))
        first, last, (_, rows) = a25_t2.perspective_run(n, r, 1.0, setting, 60)
        kappa = a25_t2.printed_bound(first, last, 2, (n**3 / r) ** 0.5)
        assert kappa > 6 * np.quantile(rows, 0.95)  # 2 kappa > 10 errors + 2 errors: never found


def test_no_run_of_table_1_comes_near_its_last_average():
    rng = np.random.default_rng(11)
    for m in (2, 3):
        for reading, values in a25_tables.table_errors(20, m, 40, rng).items():
            assert values.mean() > 2 * 21.5e-6, reading


def test_no_power_law_is_within_a_third_of_the_averages():
    n = np.array(list(a25_tables.PRINTED))
    averages = np.array([row[0] for row in a25_tables.PRINTED.values()], dtype=float)
    spread = [np.ptp(np.log(averages) + s * np.log(n)) for s in np.linspace(-10, 40, 2001)]
    assert np.exp(min(spread)) > 2  # (1 + 1/3) / (1 - 1/3)
    four = [np.ptp(np.log(averages[:4]) + s * np.log(n[:4])) for s in np.linspace(1, 3, 401)]
    assert np.exp(min(four)) < 1.02


def test_the_unsquared_matrix_has_another_rank():
    def differs(values):
        points = [[Fraction(x)] for x in values]
        unsquared = [[abs(x[0] - y[0]) for y in points] for x in points]
        return rank(gram(unsquared)) != rank(gram(squared_distances(points)))

    assert len(found(st.lists(st.integers(-9, 9), min_size=1, max_size=5), differs)) == 3


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_numpy_twins_agree_with_the_package(exponent):
    rng = np.random.default_rng(3)
    means = rng.normal(size=(5, 3, 2))
    convention = dk.Convention("sqrt-m", exponent)
    b = np.asarray(dk.gram(dk.dissimilarities(means, convention)))
    np.testing.assert_allclose(a25_t1.centred(a25_t1.squares(means, exponent)), b, atol=1e-12)
    noisy = means + rng.normal(size=means.shape) / 10
    factors = [a25_t2.top_factors(a25_t1.centred(a25_t1.squares(x, exponent)), 2) for x in (noisy, means)]
    package = [cases.perspective(cases.dissimilarities(x, convention), 2) for x in (noisy, means)]
    frobenius, rows = a25_t2.aligned_errors(factors[0][None], factors[1])
    expected = dk.alignment_errors(package[0], package[1])
    np.testing.assert_allclose([frobenius[0], rows[0]], [expected.frobenius, expected.two_to_infinity], rtol=1e-9)


def test_the_worst_pair_known_reaches_the_square_root_of_six_d():
    for d in (1, 2, 3):
        assert a25_t2.core_ratio(*a25_t2.tie(d), d) == pytest.approx(math.sqrt(6 * d), rel=1e-4)
        assert 2 * math.sqrt(d / (math.sqrt(2) - 1)) <= a25_t2.c1(d)


def test_the_steps_name_claims_of_ours_and_classical_ones():
    named = [claim for _, _, claim in a25_steps.STEPS]
    assert all(name in CLAIMS or name.startswith("CL-") for name in named)


def test_eigenvalues_of_a_settling_sequence_stay_within_the_bounds():
    assert all(Fraction(1, 32) <= a25_a.powers_of_half(n) <= Fraction(1, 3) for n in range(2, 40))
    assert a25_p1.plane() @ a25_p1.plane().T == pytest.approx(np.eye(2))


def test_at_square_growth_the_spectral_error_stays_at_its_predicted_level():
    """Coincident models, e = 1/2, r = n^2: the limit is at least V / (2 kappa) = 0.178."""
    kappa = 2 / math.sqrt(math.pi)
    variance = 4 * ((1 - math.sqrt(3)) / math.pi + 1 / 3)
    assert variance / (2 * kappa) == pytest.approx(0.178, abs=5e-4)
    norms = a25_c1.gram_norms("coincident", 200, 200.0**2, 0.5, Setting(1, "quick", "search/growth"), 20)
    assert norms.min() > variance / (2 * kappa)


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS.values() if claim.drawings], ids=lambda claim: claim.id)
def test_drawings_are_made(claim):
    from dkps_theory.pages.figures import to_png

    assert all(len(to_png(drawing.draw(), dpi=40)) > 1000 for drawing in claim.drawings)


def test_every_refuted_claim_is_looked_for_here():
    assert {claim.id for claim in CLAIMS.values() if claim.recorded == "refuted"} == {
        *("A25-T1/exponent-1", "A25-C1/exponent-1", "A25-P1/coincident", "A25-P1/exponent-1"),
        *("A25-X1/power", "A25-X2", "A25-X4", "A25-X4/exponent-1", "A25-TAB1", "A25-TAB1/rows", "A25-TAB2"),
    }
