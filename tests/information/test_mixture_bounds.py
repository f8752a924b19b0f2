"""Closed-form bounds bracket cubature and Monte Carlo; cubature agrees with closed forms and SciPy."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.feature_selection import mutual_info_regression

from dkps_theory._validate import InputError
from dkps_theory.information import mixture_cubature
from dkps_theory.information._mixture_pairs import chernoff, convexity, log_affinity_bounds
from dkps_theory.information.gaussian import gaussian_entropy, gaussian_kl, gaussian_renyi, gaussian_total_variation
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_bounds import (
    Bounds,
    entropy_bounds,
    jensen_shannon_bounds,
    kl_bounds,
    kl_product_approximation,
    kl_variational_approximation,
    total_variation_bounds,
)
from dkps_theory.information.mixture_cubature import (
    entropy_cubature,
    jensen_shannon_cubature,
    kl_cubature,
    total_variation_cubature,
)
from dkps_theory.information.mixture_estimates import divergence_estimates, entropy_estimate
from tests.information.mixtures import PAIRS, one_dimensional, random_mixture

ALL_BOUNDS = (lambda p, q: entropy_bounds(p), kl_bounds, total_variation_bounds, jensen_shannon_bounds)
ALL_CUBATURES = (
    lambda p, q: entropy_cubature(p),
    kl_cubature,
    total_variation_cubature,
    jensen_shannon_cubature,
)


def bracket(bounds, value: float, error: float) -> None:
    for name, bound in bounds.lowers.items():
        assert float(bound) <= value + error, name
    for name, bound in bounds.uppers.items():
        assert float(bound) >= value - error, name


def test_every_bound_brackets_cubature_on_the_line():
    rng = np.random.default_rng(0)
    spreads = (0.1, 0.5, 1.0, 3.0, 10.0) * 3
    pairs = [*PAIRS.values(), *(tuple(random_mixture(rng, 1, s) for _ in range(2)) for s in spreads)]
    for p, q in pairs:
        for bounds, cubature in zip(ALL_BOUNDS, ALL_CUBATURES, strict=True):
            truth = cubature(p, q)
            bracket(bounds(p, q), truth.value, truth.error + 1e-12)


@pytest.mark.parametrize("alpha", [0.1, 0.8])
def test_the_pairwise_lower_bound_holds_for_other_orders(alpha: float):
    rng = np.random.default_rng(1)
    for spread in (0.3, 1.0, 3.0):
        p = random_mixture(rng, 1, spread)
        assert float(entropy_bounds(p, alpha).lowers["pairwise"]) <= entropy_cubature(p).value + 1e-9


def test_every_bound_brackets_the_estimates_in_eight_dimensions():
    """Six standard errors: each of the 10 comparisons is false with probability below 1e-8."""
    rng = np.random.default_rng(2)
    p, q = (random_mixture(rng, 8, 1.0) for _ in range(2))

    @jax.jit  # one program for all of them compiles in a third of the time
    def everything(p, q, key):
        found = divergence_estimates(p, q, key, 64)
        values = (entropy_estimate(p, key, 64), found.kl, found.total_variation, found.jensen_shannon)
        return [bounds(p, q) for bounds in ALL_BOUNDS], values

    for bounds, value in zip(*everything(p, q, jax.random.key(0)), strict=True):
        bracket(bounds, float(value.value), 6 * float(value.se))


def test_bounds_meet_where_nothing_overlaps():
    p, q = (one_dimensional([0.5, 0.5], [a, a + 200.0], [1.0, 2.0]) for a in (0.0, 30.0))
    entropy, kl = entropy_bounds(p), kl_bounds(p, q)
    assert float(entropy.upper) == pytest.approx(float(entropy.lower), rel=1e-12)
    assert kl_cubature(p, q).value == pytest.approx(float(kl.uppers["entropies"]), rel=1e-9)
    assert float(total_variation_bounds(p, p).uppers["affinity"]) < 1e-7
    variation, shannon = total_variation_bounds(p, q), jensen_shannon_bounds(p, q)
    assert float(variation.lower) == pytest.approx(1.0, abs=1e-12)
    assert float(shannon.lower) == pytest.approx(np.log(2), abs=1e-12)


def test_single_gaussians_are_exact():
    p, q = PAIRS["single"]
    first, second = ((law.means[0], law.covariances[0]) for law in (p, q))
    assert float(kl_bounds(p, q).upper) == pytest.approx(float(gaussian_kl(*first, *second)), rel=1e-12)
    assert float(kl_variational_approximation(p, q)) == pytest.approx(float(gaussian_kl(*first, *second)), rel=1e-12)
    affinity = log_affinity_bounds(p, q)
    wanted = -float(gaussian_renyi(*first, *second, 0.5)) / 2
    assert float(affinity.lower) == pytest.approx(wanted, rel=1e-12)
    assert float(affinity.upper) == pytest.approx(wanted, rel=1e-12)
    order = 0.3
    found = float(chernoff(p, q, jnp.asarray(order))[0, 0])
    assert found == pytest.approx((1 - order) * float(gaussian_renyi(*first, *second, order)), rel=1e-12)


def test_the_convexity_bound_is_that_of_matched_components():
    """Equal weights and components far apart, listed in another order: the bound is the mean KL of the matches."""
    means, moved = np.array([0.0, 50.0, 100.0]), np.array([101.0, 2.0, 50.5])
    p, q = (one_dimensional([1 / 3] * 3, m, [1.0] * 3) for m in (means, moved))
    assert float(convexity(p, q)) == pytest.approx((2.0**2 + 0.5**2 + 1.0**2) / 2 / 3, rel=1e-9)


@pytest.mark.parametrize("approximation", [kl_product_approximation, kl_variational_approximation])
def test_approximations_are_no_bounds(approximation):
    rng = np.random.default_rng(3)
    signs = set()
    for spread in (0.3, 0.6, 1.0, 1.5, 2.0, 0.3, 0.6, 1.0, 1.5, 2.0):
        p, q = (random_mixture(rng, 1, spread) for _ in range(2))
        gap = float(approximation(p, q)) - kl_cubature(p, q).value
        if abs(gap) > 1e-6:
            signs.add(gap > 0)
    assert signs == {True, False}


# Cubature


def test_cubature_of_gaussians_is_the_closed_form():
    rng = np.random.default_rng(4)
    for d in (1, 2):
        p, q = (random_mixture(rng, d, 1.0, components=1) for _ in range(2))
        (m0, S0), (m1, S1) = ((law.means[0], law.covariances[0]) for law in (p, q))
        found = (entropy_cubature(p), kl_cubature(p, q))
        for part, truth in zip(found, (gaussian_entropy(S0), gaussian_kl(m0, S0, m1, S1)), strict=True):
            assert abs(part.value - float(truth)) <= part.error + 1e-12
            assert part.error <= 1e-9
    p, q = PAIRS["single"]
    truth = gaussian_total_variation(p.means[0], p.covariances[0], q.means[0], q.covariances[0])
    assert truth is not None
    found = total_variation_cubature(p, q)
    assert abs(found.value - float(truth)) <= found.error <= 1e-7


@pytest.mark.parametrize("name", ["overlapping", "nested", "rare inside"])
def test_cubature_is_that_of_scipy(name: str):
    p, q = PAIRS[name]
    laws = [
        [(float(w), float(m), float(v) ** 0.5) for w, m, v in zip(*part, strict=True) if w > 0]
        for part in ((law.weights, law.means[:, 0], law.covariances[:, 0, 0]) for law in (p, q))
    ]

    def density(law, x):
        return sum(w * stats.norm.pdf(x, m, s) for w, m, s in law)

    cuts = sorted({m + t * s for law in laws for _, m, s in law for t in (-10, -5, -2, 0, 2, 5, 10)})
    ends = list(itertools.pairwise(cuts))

    def integral(function):
        return sum(integrate.fixed_quad(function, *end, n=80)[0] for end in ends)

    entropy = integral(lambda x: -density(laws[0], x) * np.log(density(laws[0], x)))
    kl = integral(lambda x: density(laws[0], x) * np.log(density(laws[0], x) / density(laws[1], x)))
    assert entropy_cubature(p).value == pytest.approx(entropy, abs=1e-8)
    assert kl_cubature(p, q).value == pytest.approx(kl, abs=1e-8)


def test_cubature_in_two_dimensions_of_a_product_is_that_of_the_factor():
    """Components that are products with one shared N(0, 1): KL and TV are those on the line, the entropy adds."""
    p, q = PAIRS["overlapping"]
    flat = []
    for law in (p, q):
        here = np.asarray(law.weights) > 0
        means = np.concatenate([np.asarray(law.means), np.zeros((3, 1))], axis=1)[here]
        variances = np.concatenate([np.asarray(law.covariances)[:, :, 0], np.ones((3, 1))], axis=1)[here]
        flat.append(Mixture.diagonal(np.asarray(law.weights)[here], means, variances))
    h = 0.5 * np.log(2 * np.pi * np.e)
    assert entropy_cubature(flat[0]).value == pytest.approx(entropy_cubature(p).value + h, abs=3e-9)
    assert kl_cubature(*flat).value == pytest.approx(kl_cubature(p, q).value, abs=3e-9)
    wide = total_variation_cubature(*flat, tolerance=1e-4)
    assert abs(wide.value - total_variation_cubature(p, q).value) <= wide.error <= 1e-4


def test_nearest_neighbours_agree():
    """I(X; Y) of a mixture on the plane; the estimate at n = 2,000 has a standard deviation near 0.02."""
    means, S = np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 2.0]]), np.array([[1.0, -0.5], [-0.5, 0.7]])
    plane = Mixture([0.4, 0.4, 0.2], means, np.stack([S] * 3))
    sides = (Mixture([0.4, 0.4, 0.2], means[:, [a]], np.full((3, 1, 1), S[a, a])) for a in (0, 1))
    truth = sum(entropy_cubature(side).value for side in sides) - entropy_cubature(plane).value
    points = np.asarray(plane.sample(jax.random.key(0), 2000))
    (estimate,) = mutual_info_regression(points[:, :1], points[:, 1], random_state=0)
    assert abs(estimate - truth) < 0.12


def test_bounds_that_meet_are_not_crossed_by_rounding():
    """Of a law with itself, and of laws too far apart to overlap, the bounds meet; the ends of the range are kept."""
    rng = np.random.default_rng(0)
    laws = [random_mixture(rng, 1, 3.0) for _ in range(10)]
    far = [Mixture(law.weights, law.means + 1e4, law.covariances) for law in laws]
    singles = [one_dimensional([1.0], [mean], [1.0]) for mean in (0.0, 1e-9)]
    for p, q in [*((law, law) for law in laws), *zip(laws, far, strict=True), singles, singles[:1] * 2]:
        for bounds in (f(p, q) for f in ALL_BOUNDS):
            assert bounds.lower <= bounds.upper
        for bounds, top in (
            (kl_bounds(p, q), np.inf),
            (total_variation_bounds(p, q), 1.0),
            (jensen_shannon_bounds(p, q), np.log(2)),
        ):
            assert not np.signbit(bounds.lower)
            assert not np.signbit(bounds.upper)
            assert bounds.upper <= top


def test_bounds_that_cross_by_more_than_rounding_show_it():
    crossed = Bounds({"one": jnp.asarray(1.0)}, {"one": jnp.asarray(1.0 - 1e-11)})
    assert crossed.lower > crossed.upper


def test_cubature_that_is_stopped_says_so(monkeypatch):
    monkeypatch.setattr(mixture_cubature, "MOST_POINTS", 100)
    p, q = PAIRS["overlapping"]
    found = total_variation_cubature(p, q, tolerance=1e-12)
    assert found.error > 1e-12


@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_line():
    p, flat = PAIRS["single"][0], Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])
    solid = Mixture([1.0], [[0.0] * 3], [np.eye(3)])
    for call, message in (
        (lambda: entropy_cubature(solid), "dimension 3"),
        (lambda: kl_cubature(p, flat), "dimension"),
        (lambda: jensen_shannon_cubature(p, flat), "dimension"),
        (lambda: entropy_cubature(p, tolerance=0.0), "tolerance"),
        (lambda: kl_bounds(p, flat), "dimension"),
        (lambda: total_variation_bounds(p, flat), "dimension"),
        (lambda: jensen_shannon_bounds(p, flat), "dimension"),
        (lambda: kl_product_approximation(p, flat), "dimension"),
        (lambda: kl_variational_approximation(p, flat), "dimension"),
        (lambda: entropy_bounds(p, 1.0), "alpha"),
        (lambda: entropy_bounds(p, "a"), "alpha: got 'a'; it must be inside"),
    ):
        with pytest.raises(InputError, match=message):
            call()
