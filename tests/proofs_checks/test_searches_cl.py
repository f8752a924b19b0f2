"""The classical lemmas' false readings fall to searches from scratch too, and what their checks compute is right."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from scipy import integrate, linalg

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claims import cl_cheb, cl_dk, cl_eckart, cl_maxent, cl_proc, cl_tv, cl_wedin, cl_xr
from proofs_checks.evidence.adversary import load_worst

SEARCH = settings(
    max_examples=3000,
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.target, Phase.shrink),
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
)


def outer(case: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return case[0] @ case[1]


RANK_ONE = st.tuples(cases.integer_arrays(2, 1, 3), cases.integer_arrays(1, 2, 3)).map(outer)
NOISE = cases.integer_arrays(2, 2, 4).map(lambda x: x / 2)


def test_search_finds_that_davis_kahan_needs_its_two():
    pairs = st.tuples(cases.symmetric_integers(2, 3), cases.symmetric_integers(2, 3).map(lambda x: x / 2))
    sigma, e = find(pairs, lambda case: cl_dk.sin_theta_ratio((*case, 0, 0), 1.0)[0] > 1.01, settings=SEARCH)
    assert 1.01 < max(cl_dk.sin_theta_ratio((sigma, e, 0, 0), 1.0)) <= 2 + 1e-9


def test_search_finds_that_the_golden_ratio_is_not_enough_in_spectral_norm():
    """Every diagonal pair with whole entries up to 8."""
    found = []
    for t, a, b in itertools.product(range(1, 9), range(-8, 9), range(-8, 9)):
        y, f = np.diag([0.0, t]), np.diag([float(a), float(b)])
        spectral, frobenius = (cl_eckart.truncation_ratio(y, y + f, 1, order) for order in (2, "fro"))
        assert spectral <= 2 + 1e-9
        # A tie lets the solver choose; the golden ratio is a supremum over either choice.
        assert frobenius <= cl_eckart.GOLDEN + 1e-9
        if spectral > 1.01 * cl_eckart.GOLDEN and abs(a) != abs(t + b):
            found.append((t, a, b))
    assert found


def test_search_finds_a_sine_above_noise_over_signal():
    """Noise of two fifths of the only singular value."""

    def scaled(case):
        y, f = case
        return y, 0.4 * f * np.linalg.norm(y, 2) / np.linalg.norm(f, 2)

    pairs = st.tuples(RANK_ONE.filter(np.any), NOISE.filter(np.any)).map(scaled)
    y, f = find(pairs, lambda case: cl_wedin.turned(case[0], case[1], 1)[0] > 0.41, settings=SEARCH)
    sine, share = cl_wedin.turned(y, f, 1)
    assert share == pytest.approx(0.4)
    assert 0.41 < sine <= cl_wedin.sharp(share) + 1e-12


def test_search_finds_a_signed_loss_above_c_times_total_variation():
    law = st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any)
    laws = law.map(lambda weights: [Fraction(w, sum(weights)) for w in weights])
    losses = st.lists(st.integers(-2, 2), min_size=3, max_size=3).map(lambda values: [Fraction(v, 2) for v in values])

    def exceeds(case):
        return cl_tv.mean_difference(*case) > cl_tv.variation(*case[:2])

    p, q, f = find(st.tuples(laws, laws, losses), exceeds, settings=SEARCH)
    assert cl_tv.variation(p, q) < cl_tv.mean_difference(p, q, f) <= 2 * cl_tv.variation(p, q)


def test_search_finds_a_histogram_of_negative_entropy():
    """A density that is constant on bins of width 1/8 has h = H(bins) + log(1/8)."""
    law = find(
        cases.integer_laws(5, bound=3), lambda p: float(dk.entropy(p)) + math.log(1 / 8) < -0.01, settings=SEARCH
    )
    heights, width = 8 * law[law > 0], 1 / 8
    assert -(heights * np.log(heights)).sum() * width < 0


def test_search_finds_an_absolute_gap_above_the_bound_for_the_mean():
    def worlds(case):
        mu, loss, tilt = case
        return mu, 2, loss / 2, cl_xr.tilted(tilt)

    def exceeds(case):
        _, absolute, information = cl_xr.gaps(*worlds(case))
        return absolute > 0.01 + math.sqrt(0.25 * max(information, 0.0))

    strategy = st.tuples(
        cases.integer_laws(2, bound=3),
        cases.integer_arrays(2, 2, 1).map(lambda x: x + 1),
        st.sampled_from([0.0, 0.1, 1.0]),
    )
    found, absolute, information = cl_xr.gaps(*worlds(find(strategy, exceeds, settings=SEARCH)))
    assert abs(found) <= math.sqrt(0.25 * max(information, 0.0)) + 1e-12 < absolute


def test_angles_agree_with_scipy():
    generator = np.random.default_rng(0)
    for _ in range(10):
        y, f = generator.normal(size=(5, 2)) @ generator.normal(size=(2, 4)), 0.1 * generator.normal(size=(5, 4))
        angles = linalg.subspace_angles(np.linalg.svd(y)[2][:2].T, np.linalg.svd(y + f)[2][:2].T)
        assert cl_wedin.turned(y, f, 2)[0] == pytest.approx(math.sin(angles[0]), rel=1e-9)
        sigma, e = y @ y.T, f @ f.T
        vectors = [np.linalg.eigh(x)[1][:, ::-1][:, :2] for x in (sigma, sigma + e)]
        sine = np.linalg.norm(np.sin(linalg.subspace_angles(*vectors)))
        values = np.linalg.eigvalsh(sigma)[::-1]
        size = min(math.sqrt(2) * np.linalg.norm(e, 2), np.linalg.norm(e))
        expected = sine * (values[1] - values[2]) / (2 * size)
        assert cl_dk.sin_theta_ratio((sigma, e, 0, 1), 2.0)[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.4, 0.4999])
def test_the_worst_pair_attains_the_sharp_bound(share: float):
    sine, found = cl_wedin.turned(*cl_wedin.worst_pair(share))
    assert found == pytest.approx(share, rel=1e-12)
    assert sine == pytest.approx(cl_wedin.sharp(share), rel=1e-9)
    assert sine <= cl_wedin.one_sided(share)


def test_the_closed_forms_that_are_climbed_are_the_ratios_that_are_judged():
    generator = np.random.default_rng(1)
    for _ in range(3):
        parameters = generator.normal(size=16)
        expected = cl_proc.CONSTANT * cl_proc.factor_ratio(*parameters.reshape(2, 4, 2))
        assert float(cl_proc._objective(parameters)) == pytest.approx(expected, rel=1e-9)
        weights = np.exp(parameters[:8].reshape(2, 4))
        laws = weights / weights.sum(axis=1, keepdims=True)
        assert float(cl_tv._objective(parameters[:8])) == pytest.approx(cl_tv.pinsker_ratio(*laws) ** 2, rel=1e-9)


def test_the_stored_pair_of_factors_is_as_bad_as_it_says():
    stored = load_worst("cl-proc")
    u, x = np.reshape(stored["parameters"], (2, 4, 2))
    w, _ = linalg.orthogonal_procrustes(x, u)
    distance, gram = np.linalg.norm(x @ w - u) ** 2, np.linalg.norm(u @ u.T - x @ x.T) ** 2
    found = cl_proc.CONSTANT * distance * linalg.svdvals(u)[-1] ** 2 / gram
    assert found == pytest.approx(stored["value"], rel=1e-9)
    assert 0.9999 < found < 1 + 1e-9


def test_entropies_of_mixtures_agree_with_adaptive_quadrature():
    weights, scales = np.array([0.5, 0.3, 0.2]), np.array([0.5, 1.5, 0.5])
    for means in ([-1.0, 0.0, 1.0], [-4.0, 4.0, 3.0], [0.0, 0.0, 2.0]):

        def density(x, means=means):
            return sum(
                w * math.exp(-0.5 * ((x - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
                for w, m, s in zip(weights, means, scales, strict=True)
            )

        expected = integrate.quad(lambda x: -density(x) * math.log(density(x)), -18, 18, limit=400, epsabs=1e-11)[0]
        found, _ = cl_maxent.mixture_entropy(weights, np.array(means)[:, None], scales)
        assert found == pytest.approx(expected, abs=1e-8)
    line, variance = cl_maxent.mixture_entropy(weights, np.array([[-1.0], [0.0], [1.0]]), scales)
    plane, covariance = cl_maxent.mixture_entropy(np.ones(1), np.array([[1.0, 2.0]]), np.array([0.7]))
    assert plane == pytest.approx(math.log(2 * math.pi * math.e * 0.49), abs=1e-10)
    assert covariance == pytest.approx(0.49 * np.eye(2))
    assert line < 0.5 * math.log(2 * math.pi * math.e * variance[0, 0])


def test_enumerated_gaps_agree_with_draws():
    mu, n, loss = np.array([0.2, 0.5, 0.3]), 3, np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.25]])

    def channel(counts):
        scores = np.exp(counts @ np.array([[0.3, -0.1], [0.2, 0.5], [0.0, 1.0]]))
        return scores / scores.sum(axis=1, keepdims=True)

    generator = np.random.default_rng(2)
    counts = generator.multinomial(n, mu, size=200_000).astype(float)
    chosen = (generator.random(len(counts)) > channel(counts)[:, 0]).astype(int)
    gap = (loss @ mu)[chosen] - (counts * loss[chosen]).sum(axis=1) / n
    found, absolute, _ = cl_xr.gaps(mu, n, loss, channel)
    assert found == pytest.approx(gap.mean(), abs=6 * gap.std() / math.sqrt(len(gap)))
    assert absolute == pytest.approx(np.abs(gap).mean(), abs=6 * gap.std() / math.sqrt(len(gap)))


def test_extremal_laws_attain_their_tails():
    third, two = Fraction(1, 3), Fraction(2)
    assert cl_cheb.norm_tail(cl_cheb.three_point_law(third, two), two) == (third, third)
    assert cl_cheb.union_tail(cl_cheb.disjoint_law(third, two, 4), two) == (third, third)
    assert cl_cheb.cantelli_tail(cl_cheb.two_point_law(Fraction(3), two), two) == (Fraction(3, 7), Fraction(3, 7))
