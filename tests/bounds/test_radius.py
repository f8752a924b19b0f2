"""The certified radius: exact moments inside, exact Gaussian quantiles beside it, and what it refuses."""

from __future__ import annotations

import itertools
import math

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy import stats

import dkps_theory as dk
from dkps_theory import InputError, certified_radius
from dkps_theory.bounds._noise import Forms, Noise
from dkps_theory.bounds.tails import chernoff_quantile
from dkps_theory.conventions import A24, A25

FLAT = dk.bernoulli([[0.2, 0.3], [0.5, 0.9], [0.7, 0.4]])


def noise_of(population, r: int) -> Noise:
    covariance, quartic = np.asarray(population.covariance), np.asarray(population.quartic_moment)
    gamma = np.trace(covariance, axis1=2, axis2=3)
    kappa = quartic - gamma**2 - 2 * np.square(covariance).sum(axis=(2, 3))
    return Noise(covariance / r, kappa / r**3, np.asarray(population.subgaussian_proxy) / r)


def test_mean_and_variance_of_the_noise_by_enumeration():
    population, r = dk.bernoulli([[0.2], [0.5], [0.9]]), 2
    w = np.asarray(population.mean)[:, 0, 0]
    mean = square = 0.0
    for counts in itertools.product(range(r + 1), repeat=3):
        weight = np.prod([stats.binom.pmf(c, r, one) for c, one in zip(counts, w, strict=True)])
        errors = np.array(counts) / r - w
        value = np.square(errors - errors.mean()).sum()
        mean, square = mean + weight * value, square + weight * value**2
    found = noise_of(population, r)
    assert found.mean == pytest.approx(mean)
    assert found.variance == pytest.approx(square - mean**2)


def test_gaussian_answers_in_the_whole_mean_space():
    n, m, r = 8, 2, 30
    means = np.random.default_rng(0).normal(size=(n, m, 1, 1))
    population = dk.GaussianMixture(np.ones((n, m, 1)), means, np.full((n, m, 1), 4.0), "spherical")
    found = certified_radius(population, 2, r)
    exact = math.sqrt(stats.chi2.isf(0.05, (n - 1) * m) * 4.0 / r / m)
    assert exact < found.frobenius < 1.16 * exact
    assert found.remainder_frobenius == found.remainder_rows == 0
    assert found.rows < found.frobenius


def test_spectral_norm_of_gaussian_noise_is_nearly_exact(stat):
    n, m, r = 20, 100, 10
    means = np.random.default_rng(0).normal(size=(n, m, 1, 1))
    population = dk.GaussianMixture(np.ones((n, m, 1)), means, np.ones((n, m, 1)), "spherical")
    found = certified_radius(population, 19, r).noise_spectral
    generator = np.random.default_rng(np.asarray(jax.random.key_data(stat.key())))
    draws = [np.linalg.norm((g := generator.normal(size=(n, m))) - g.mean(0), 2) / math.sqrt(r * m) for _ in range(200)]
    assert np.quantile(draws, 0.95) < found < 1.25 * np.quantile(draws, 0.95)


def test_radius_shrinks_with_r_and_grows_with_confidence():
    radii = [certified_radius(FLAT, 2, r).frobenius for r in (10**2, 10**4, 10**12)]
    assert radii[1] == pytest.approx(radii[0] / 10, rel=0.05)
    assert radii[2] == pytest.approx(radii[1] / 1e4, rel=0.05)
    assert certified_radius(FLAT, 2, 100, confidence=0.999).rows > certified_radius(FLAT, 2, 100).rows


def test_convention_rescales():
    own, other = (certified_radius(FLAT, 2, 100, convention=one) for one in (dk.Convention(), A24))
    assert other.frobenius == pytest.approx(own.frobenius / math.sqrt(2))


def test_dimensions_above_the_rank_say_the_same_as_the_rank():
    """With d above n - 1 and m p the further columns of both perspectives are zero."""
    assert certified_radius(FLAT, 5, 100).frobenius == pytest.approx(certified_radius(FLAT, 2, 100).frobenius)


def test_models_that_all_coincide_have_a_radius():
    found = certified_radius(dk.bernoulli(np.full((4, 3), 0.5)), 1, 50)
    assert found.sigma == pytest.approx(0, abs=1e-12)
    assert 0 < found.rows <= found.frobenius < math.inf


class Proxyless(eqx.Module):
    """A population that does not know a proxy."""

    inner: dk.Categorical
    mean = property(lambda self: self.inner.mean)
    covariance = property(lambda self: self.inner.covariance)
    quartic_moment = property(lambda self: self.inner.quartic_moment)
    subgaussian_proxy = property(lambda self: None)


def test_without_a_proxy_there_is_cantelli():
    found, known = certified_radius(Proxyless(FLAT), 2, 100), certified_radius(FLAT, 2, 100)
    assert found.frobenius_by == found.rows_by == "DK-M8"
    assert found.frobenius >= known.frobenius
    assert len(found.assumptions) == len(known.assumptions) - 1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: certified_radius(dk.AutoregressiveReplicates([[[0.0]], [[1.0]]], 1.0, 0.5), 1, 10), "population"),
        (lambda: certified_radius(dk.HeavyTailed([[[0.0]], [[1.0]]], 1.0, 1.5), 1, 10), "population"),
        (lambda: certified_radius(FLAT, 1, 10), "d: got 1, but B has rank 2"),
        (lambda: certified_radius(FLAT, 0, 10), "d "),
        (lambda: certified_radius(FLAT, 2, 0.5), "r "),
        (lambda: certified_radius(FLAT, 2, 10, confidence=1.0), "confidence"),
        (lambda: certified_radius(FLAT, 2, 10, convention=A25), "convention"),
    ],
)
def test_what_is_refused(call, named):
    with pytest.raises(InputError, match=f"^{named}"):
        call()


def test_each_norm_of_the_noise_lies_below_its_quantile_and_not_far(stat):
    """Every ingredient at 95%, white Gaussian noise with unequal models: coverage, and within 2 of the truth."""
    n, m, p, d, draws, t = 12, 8, 4, 2, 400, math.log(20)
    generator = np.random.default_rng(np.asarray(jax.random.key_data(stat.key())))
    spread = np.repeat(np.linspace(0.5, 1.5, n)[:, None], m, axis=1)
    covariance = spread[:, :, None, None] * np.eye(p)
    noise = Noise(covariance, np.zeros((n, m)), covariance)
    U = np.linalg.qr((g := generator.normal(size=(n, d))) - g.mean(axis=0))[0]
    V = np.linalg.qr(generator.normal(size=(m * p, d)))[0]
    forms, trace = noise.forms(V.reshape(m, p, d)), noise.trace_deviation(0.01)
    bounds = {
        "FV": math.sqrt(forms.centred(t)),
        "row": math.sqrt(forms.largest_row(0.05)),
        "FV spectral": math.sqrt(forms.largest_direction(t)),
        "core": noise.core(U, forms, t),
        "left": noise.left(U, t)[0],
        "left spectral": noise.left(U, t)[1],
        "spectral": math.sqrt(noise.spectral(t, trace)),
        "above": noise.above(t, trace),
        "below": noise.below(t, trace),
        "noise": noise.frobenius(0.05),
    }
    mean = np.diag(spread.sum(axis=1) * p)
    mean = mean - mean.mean(axis=0)
    mean = mean - mean.mean(axis=1, keepdims=True)
    found = []
    for _ in range(draws):
        F = np.repeat(np.sqrt(spread), p, axis=1) * generator.normal(size=(n, m * p))
        F = F - F.mean(axis=0)
        values = np.linalg.eigvalsh(F @ F.T - mean)
        found.append(
            {
                "FV": np.linalg.norm(F @ V),
                "row": np.linalg.norm(F @ V, axis=1).max(),
                "FV spectral": np.linalg.norm(F @ V, 2),
                "core": np.linalg.norm(U.T @ F @ V, 2),
                "left": np.linalg.norm(U.T @ F),
                "left spectral": np.linalg.norm(U.T @ F, 2),
                "spectral": np.linalg.norm(F, 2),
                "above": values[-1],
                "below": -values[0],
                "noise": np.linalg.norm(F),
            }
        )
    for name, bound in bounds.items():
        sample = np.array([one[name] for one in found])
        assert stats.binom.cdf(int((sample <= bound).sum()), draws, 0.95) > stat.rate / len(bounds), name
        assert bound < (6 if name == "below" else 2.5) * np.quantile(sample, 0.95), name


def test_largest_row_pays_for_every_row():
    alike, n, alpha = Forms(np.broadcast_to(np.eye(2), (6, 2, 2))), 6, 0.05
    own = (1 - 1 / n) ** 2 + (n - 1) / n**2
    assert alike.largest_row(alpha) == pytest.approx(chernoff_quantile(own * np.ones(2), math.log(n / alpha)))


def test_what_the_proxies_exceed_the_covariances_by_counts_above():
    """With no covariance to take away, ``above`` bounds lambda_1(F F') itself, at least m p in the mean."""
    n, m = 4, 4000
    proxy = np.ones((n, m, 1, 1))
    noise = Noise(np.zeros_like(proxy), np.zeros((n, m)), proxy)
    assert noise.above(1.0, 0.0) > m


def test_below_is_bernsteins_bound_where_one_direction_is_left():
    """Two models: sum_j X_j, X_j chi-square with one degree of freedom, below its mean m by sqrt(2 v t) + b t / 3."""
    m, t = 50, 2.0
    proxy = np.ones((2, m, 1, 1))
    found = Noise(proxy, np.zeros((2, m)), proxy).below(t, 0.0)
    assert found == pytest.approx(math.sqrt(2 * 2 * m * t) + t / 3)
