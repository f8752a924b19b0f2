"""Heavy tails against transforms and brute force; shared draws against the answers they are shared by."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import special, stats

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import replicate
from dkps_theory.populations import (
    AutoregressiveReplicates,
    GaussianMixture,
    HeavyTailed,
    Population,
    RandomEffects,
    SharedPrompts,
    _draws,
    bernoulli,
)
from dkps_theory.testing import assert_same_law, assert_unbiased

KEY = jax.random.key(0, impl="threefry2x32")
MEANS = np.arange(12.0).reshape(2, 3, 2)
OWN = np.array([[1.0, 0.5, 2.0], [0.25, 3.0, 0.0]])


def draws(function, law, size, key):
    return replicate(jax.tree_util.Partial(function, law), jax.random.split(key, size), 1000)


# Heavy tails


@jax.jit
def stable(key, alpha):
    return _draws.symmetric_stable(key, alpha, (200_000,))


@pytest.mark.parametrize("alpha", [1.1, 1.5, 1.9])
def test_stable_draws_have_their_characteristic_and_distribution_functions(alpha, stat):
    transform, tails = stat.split(2)
    points = np.array([0.2, 0.7, 1.5, 3.0])
    law = stats.levy_stable(alpha, 0.0)

    def waves(key, size):
        drawn = np.asarray(stable(key, alpha))[:size]
        assert len(drawn) == size
        return np.concatenate([np.cos(np.outer(drawn, points)), np.sin(np.outer(drawn, points))], axis=1)

    truth = np.concatenate([np.exp(-(points**alpha)), np.zeros(4)])
    assert_unbiased(waves, truth, key=transform.key(), false_fail_rate=transform.rate, detectable=0.03)
    # Exact binomial tests at a few points, by SciPy, and into the tails, where it has none left, by Bergstrom's series.
    drawn = np.asarray(stable(tails.key(), alpha))
    chances = dict(zip([-2.0, -0.3, 0.0, 0.8, 5.0], law.cdf([-2.0, -0.3, 0.0, 0.8, 5.0]), strict=True))
    orders = np.arange(1, 6)
    terms = (-1.0) ** (orders + 1) * special.gamma(alpha * orders) / special.factorial(orders) / np.pi
    chances |= {-x: (terms * np.sin(np.pi * alpha * orders / 2) * x ** (-alpha * orders)).sum() for x in (40.0, 400.0)}
    for edge, chance in chances.items():
        seen = stats.binomtest(int((drawn <= edge).sum()), drawn.size, chance)
        assert seen.pvalue > tails.rate / len(chances), (edge, seen.statistic, chance)


@pytest.mark.parametrize("alpha", [1.0001, 1.5, 1.9999])
def test_stable_draws_keep_their_digits_at_the_ends_of_the_uniforms(alpha, monkeypatch):
    ends = np.array([0.0, 2.0**-52, 1e-9, 0.25, 0.5, 0.75, 1 - 1e-9, 1 - 2.0**-52])
    uniform, waiting = (grid.ravel() for grid in np.meshgrid(ends, ends, indexing="ij"))
    given = iter([jnp.zeros(64), jnp.asarray(uniform), jnp.asarray(waiting)])
    monkeypatch.setattr(_draws, "uniforms", lambda key, shape: next(given))
    drawn = np.asarray(_draws.symmetric_stable(KEY, jnp.asarray(alpha), (64,)))
    assert np.isfinite(drawn).all()
    with mpmath.workdps(60):
        index, half = mpmath.mpf(alpha), mpmath.mpf(2) ** -53
        for value, u, w in zip(drawn, uniform, waiting, strict=True):
            angle = (1 - (mpmath.mpf(u) + half)) * mpmath.pi / 2
            time = -mpmath.log(mpmath.mpf(w) + half)
            middle = mpmath.sin(index * angle) / mpmath.cos(angle) ** (1 / index)
            truth = -middle * (mpmath.cos((1 - index) * angle) / time) ** ((1 - index) / index)
            np.testing.assert_allclose(value, float(truth), rtol=1e-14)


def heavy():
    return HeavyTailed([[[1.0]], [[-4.0]]], scale=[[1.0], [3.0]], alpha=1.5)


def brute_heavy(law, key):
    errors = (law.sample(key, 41) - law.mean[:, :, None])[:, 0, :, 0]
    return jnp.stack([errors[:, 0], errors[:, 1:].mean(axis=1)])


def exact_heavy(law, key):
    return jax.vmap(law.sample_mean_errors)(jax.random.split(key, 3), jnp.asarray([1.0, 40.0, 1e6]))[:, :, 0, 0]


def test_heavy_tailed_means_have_the_law_of_brute_force_and_scale(stat):
    brute, scaling = stat.split(2)
    assert_same_law(
        lambda key, size: draws(brute_heavy, heavy(), size, key),
        lambda key, size: draws(exact_heavy, heavy(), size, key)[:, :2],
        key=brute.key(),
        false_fail_rate=brute.rate,
        detectable=0.05,
        statistics={"product of models": lambda e: e[:, 1, 0] * e[:, 1, 1]},
    )
    assert_same_law(
        lambda key, size: draws(exact_heavy, heavy(), size, key)[:, 0],
        lambda key, size: draws(exact_heavy, heavy(), size, key)[:, 2] * 1e6 ** (1 - 1 / 1.5),
        key=scaling.key(),
        false_fail_rate=scaling.rate,
        detectable=0.05,
    )


def test_heavy_tailed_moments_are_those_that_exist():
    law = heavy()
    assert isinstance(law, Population)
    for name in ("covariance", "third_central_moment", "fourth_central_moment", "cubic_moment", "quartic_moment"):
        assert getattr(law, name) is None
    assert law.gamma is None
    assert law.mean_variance(10) is None
    assert np.isinf(law.embedding_bound).all()
    # E |Z| = (2/pi) int_0^inf (1 - exp(-t^alpha)) / t^2 dt, by parts (2/pi) int alpha t^(alpha-2) exp(-t^alpha) dt.
    unit = 2 / mpmath.pi * mpmath.quad(lambda t: 1.5 * t**-0.5 * mpmath.exp(-(t**1.5)), [0, 1, mpmath.inf])
    np.testing.assert_allclose(law.mean_absolute_error(8), [[float(unit) / 2], [3 * float(unit) / 2]], rtol=1e-9)


# Shared draws


def shared():
    return SharedPrompts(MEANS, own=OWN, shared=[4.0, 0.0, 1.0])


def effects():
    return RandomEffects(MEANS, own=OWN, effect=[[0.5, 0.0, 2.0], [1.0, 1.0, 1.0]])


def brute_means(law, key):
    return (law.sample(key, 7) - law.mean[:, :, None]).mean(axis=2)


def exact_means(law, key):
    return law.sample_mean_errors(key, 7.0)


@pytest.mark.parametrize("make", [shared, effects])
def test_means_have_the_law_of_brute_force(make, stat):
    assert_same_law(
        lambda key, size: draws(brute_means, make(), size, key),
        lambda key, size: draws(exact_means, make(), size, key),
        key=stat.key(),
        false_fail_rate=stat.rate,
        detectable=0.05,
        statistics={
            "models": lambda e: e[:, 0, 0, 0] * e[:, 1, 0, 0],
            "queries": lambda e: e[:, 0, 0, 0] * e[:, 0, 2, 0],
            "coordinates": lambda e: e[:, 0, 0, 0] * e[:, 0, 0, 1],
            "difference": lambda e: e[:, 0, 2, 1] - e[:, 1, 2, 1],
        },
    )


def path_products(law, key):
    # Two points of a path, and two replicates, at query 0 and coordinate 0, in units that make products of size one.
    path = law.sample_mean_error_path(key, np.array([4.0, 9.0]))[:, :, 0, 0]
    answers = (law.sample(key, 2) - law.mean[:, :, None])[:, 0, :, 0]
    first, second = path.ravel(), answers.ravel()
    return jnp.concatenate([jnp.outer(first, first).ravel() * 4, jnp.outer(second, second).ravel()])


@pytest.mark.parametrize("make", [shared, effects])
def test_covariances_between_models_replicates_and_points_of_a_path(make, stat):
    # Halves: p = 2 coordinates share gamma. Blocks: Cov(E_4, E_9) is own / 9, Cov(E_4, E_4) is own / 4.
    law, overlap = make(), np.array([[1 / 4, 1 / 9], [1 / 9, 1 / 9]])
    own = np.diag(OWN[:, 0]) / 2
    if make is shared:
        across = np.full((2, 2), 4.0 / 2)
        path = np.kron(overlap, own + across)
        replicates = np.kron(own + across, np.eye(2))
    else:
        across = np.diag(np.asarray(law.effect)[:, 0]) / 2
        path = np.kron(overlap, own) + np.kron(np.ones((2, 2)), across)
        replicates = np.kron(own, np.eye(2)) + np.kron(across, np.ones((2, 2)))
    truth = np.concatenate([4 * path.ravel(), replicates.ravel()])
    assert_unbiased(
        lambda key, size: draws(path_products, law, size, key), truth, key=stat.key(), false_fail_rate=stat.rate
    )


def test_shared_draws_cancel_between_models():
    same = SharedPrompts(MEANS, own=0.0, shared=2.0)
    errors = same.sample_mean_errors(KEY, 10**12)
    np.testing.assert_array_equal(errors[0], errors[1])
    assert len(np.unique(errors)) == 6
    path = same.sample_mean_error_path(KEY, [3, 10**6])
    np.testing.assert_array_equal(path[:, 0], path[:, 1])
    answers = SharedPrompts(np.zeros((2, 3, 2)), own=0.0, shared=2.0).sample(KEY, 5)
    np.testing.assert_array_equal(answers[0], answers[1])
    # With noise of their own, differences are those without any sharing, up to the rounding of the sums.
    without, with_shared = SharedPrompts(MEANS, own=OWN, shared=0.0), SharedPrompts(MEANS, own=OWN, shared=1e4)
    plain, noisy = (np.asarray(law.sample_mean_errors(KEY, 100)) for law in (without, with_shared))
    ulps = 4 * np.spacing(np.abs(noisy).max())
    assert np.abs(noisy - plain).max() > 1
    np.testing.assert_allclose(noisy[0] - noisy[1], plain[0] - plain[1], rtol=0, atol=ulps)


def test_means_with_a_random_effect_do_not_converge():
    law = RandomEffects(MEANS, own=1.0, effect=2.0)
    path = np.asarray(law.sample_mean_error_path(KEY, [10, 10**10, 10**12]))
    np.testing.assert_allclose(path[1], path[2], atol=1e-4)
    assert (np.abs(path[2]) > 1e-3).all()
    np.testing.assert_allclose(law.mean_variance(10**12), 2.0, rtol=1e-11)
    np.testing.assert_allclose(law.mean_variance(4), 2.25)
    np.testing.assert_array_equal(law.gamma, np.full((2, 3), 3.0))
    np.testing.assert_allclose(shared().mean_variance(4), np.asarray(shared().gamma) / 4)


@pytest.mark.parametrize("law", [shared(), effects(), AutoregressiveReplicates(MEANS, OWN, rho=0.5)])
def test_one_answer_has_the_moments_of_a_gaussian(law):
    assert not isinstance(law, Population)
    gamma = np.asarray(law.gamma)
    alike = GaussianMixture(np.ones((2, 3, 1)), MEANS[:, :, None], (gamma / 2)[..., None], "spherical")
    np.testing.assert_array_equal(law.mean, MEANS)
    for name in ("covariance", "third_central_moment", "fourth_central_moment", "cubic_moment", "quartic_moment"):
        np.testing.assert_allclose(getattr(law, name), getattr(alike, name), rtol=1e-14, err_msg=name)
    np.testing.assert_array_equal(law.embedding_bound, alike.embedding_bound)


def test_bounds_of_the_embeddings():
    np.testing.assert_array_equal(bernoulli([[0.0, 0.5]]).embedding_bound, [[0.0, 1.0]])
    weights, means = [[[1.0, 0.0], [0.5, 0.5]]], [[[[3.0, 4.0], [9.0, 9.0]], [[0.0, 0.0], [0.0, -2.0]]]]
    mixture = GaussianMixture(weights, means, [[[0.0, 1.0], [0.0, 0.0]]])
    np.testing.assert_array_equal(mixture.embedding_bound, [[5.0, 2.0]])
    np.testing.assert_array_equal(GaussianMixture(weights, means, np.ones((1, 2, 2))).embedding_bound, [[np.inf] * 2])
    quiet = SharedPrompts([[[3.0, 4.0]], [[0.0, 1.0]]], own=[[0.0], [1.0]], shared=0.0)
    np.testing.assert_array_equal(quiet.embedding_bound, [[5.0], [np.inf]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: HeavyTailed(MEANS, 1.0, 2.0),
            "alpha: got 2; it must lie strictly between 1 and 2: no mean .* Gaussian",
        ),
        (lambda: HeavyTailed(MEANS, 1.0, 1.0), "alpha: got 1;"),
        (lambda: HeavyTailed(MEANS, 0.0, 1.5), "scale: got 0; it must be above 0"),
        (lambda: HeavyTailed(MEANS, -OWN, 1.5), "scale: got -1 at model 0, query 0; it must be above 0"),
        (lambda: HeavyTailed(MEANS, np.ones(2), 1.5), r"scale: got shape \(2,\); it must be one number or \(2, 3\)"),
        (lambda: HeavyTailed(MEANS * np.inf, 1.0, 1.5), "means: 12 values not finite"),
        (lambda: SharedPrompts(MEANS, OWN, [1.0, -1.0, 0.0]), "shared: got -1 at query 1; it must be at least 0"),
        (lambda: SharedPrompts(MEANS, OWN, OWN), r"shared: got shape \(2, 3\); it must be one number or \(3,\)"),
        (lambda: SharedPrompts(MEANS, -1.0, 0.0), "own: got -1; it must be at least 0"),
        (lambda: RandomEffects(MEANS, OWN, np.nan), "effect: 1 value not finite"),
        (lambda: RandomEffects(MEANS[0], OWN, 0.0), "means: got 2 axes"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, message):
    with np.errstate(invalid="ignore"), pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_built_under_jit():
    def size(alpha):
        return HeavyTailed(jnp.zeros((1, 1, 1)), jnp.ones((1, 1)), alpha).mean_absolute_error(1.0)

    made = HeavyTailed([[[0.0]]], 1.0, 1.25)
    np.testing.assert_allclose(jax.jit(size)(1.25), made.mean_absolute_error(1), rtol=1e-14)
