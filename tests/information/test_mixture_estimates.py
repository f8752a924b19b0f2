"""Monte Carlo estimates: within standard errors of cubature and closed forms, calibrated, unbiased, exact at rest.

Exact truth in high dimension: Q (X, Y) with Q orthogonal, X of a mixture on the line and Y independent Gaussian has
H = H(X) + H(Y); KL is that of X plus that of Y; and where the Y's agree, so do TV and JS with those of X.
"""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from dkps_theory._validate import InputError
from dkps_theory.information.gaussian import gaussian_entropy, gaussian_kl
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_cubature import (
    entropy_cubature,
    jensen_shannon_cubature,
    kl_cubature,
    total_variation_cubature,
)
from dkps_theory.information.mixture_estimates import (
    cross_entropy_estimate,
    divergence_estimates,
    entropy_estimate,
    jensen_shannon_estimate,
    kl_estimate,
    total_variation_estimate,
)
from tests.information.mixtures import PADDED, PAIRS, one_dimensional, with_gaussian_rest

#: One number of draws per component wherever the tests are free to choose, so that code is compiled once.
SIZE = 64


@cache
def truths(name: str) -> np.ndarray:
    """The six quantities of a pair on the line by cubature, values and error estimates."""
    p, q = PAIRS[name]
    entropy, forward, back = entropy_cubature(p), kl_cubature(p, q), kl_cubature(q, p)
    found = [entropy, forward, back, total_variation_cubature(p, q), jensen_shannon_cubature(p, q)]
    rows = [(part.value, part.error) for part in found]
    cross = (rows[0][0] + rows[1][0], rows[0][1] + rows[1][1])
    return np.array([rows[0], cross, *rows[1:]])


def six(p: Mixture, q: Mixture, key, size: int):
    """All six estimates as (value, se) rows."""
    keys = jax.random.split(key, 3)
    both = divergence_estimates(p, q, keys[2], size)
    found = (
        entropy_estimate(p, keys[0], size),
        cross_entropy_estimate(p, q, keys[1], size),
        both.kl,
        both.reverse_kl,
        both.total_variation,
        both.jensen_shannon,
    )
    return jnp.stack([jnp.stack([part.value, part.se]) for part in found])


def stacked(mixtures: list[Mixture]) -> Mixture:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *mixtures)


@pytest.mark.parametrize("d", [1, 4, 32])
def test_within_standard_errors_of_the_truth(d: int, stat):
    """At most 2 of the 48 or 96 errors beyond 4 standard errors.

    For normal errors one is beyond 4 with probability 6.4e-5, so 3 or more of 96 have probability below 4e-8; none may
    be beyond the two-sided quantile at the test's own rate. In d > 1 every pair is run twice, its Gaussian rest
    shared and differing.
    """
    rng = np.random.default_rng(d)
    laws, wanted = [], []
    for name, (p, q) in PAIRS.items():
        truth = truths(name).copy()
        if d == 1:
            laws.append((p, q))
            wanted.append(truth)
            continue
        rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
        rests = [(rng.normal(size=d - 1), rng.uniform(0.5, 2.0, size=d - 1)) for _ in range(2)]
        for other in rests:
            (m0, s0), (m1, s1) = rests[0], other
            laws.append((with_gaussian_rest(p, m0, s0, rotation), with_gaussian_rest(q, m1, s1, rotation)))
            shift = [float(gaussian_entropy(np.diag(s0**2)))]
            first, second = (m0, np.diag(s0**2)), (m1, np.diag(s1**2))
            kl = [float(gaussian_kl(*first, *second)), float(gaussian_kl(*second, *first))]
            row = truth.copy()
            row[:4, 0] += [*shift, shift[0] + kl[0], *kl]
            if other is not rests[0]:
                row[4:] = np.nan  # no product rule for TV and JS
            wanted.append(row)
    p, q = (stacked(list(side)) for side in zip(*laws, strict=True))
    keys = jax.random.split(stat.key(), len(laws))
    found = np.asarray(jax.jit(jax.vmap(lambda p, q, key: six(p, q, key, 1000)))(p, q, keys))
    wanted = np.array(wanted)
    rounding = 1e-11 * np.maximum(1.0, np.abs(wanted[..., 0]))
    z = (found[..., 0] - wanted[..., 0]) / np.sqrt(found[..., 1] ** 2 + wanted[..., 1] ** 2 + rounding**2)
    z = np.abs(z[np.isfinite(wanted[..., 0])])
    assert np.isfinite(z).all()
    assert (z > 4).sum() <= 2
    assert z.max() < stats.norm.isf(stat.rate / (2 * z.size))


@cache
def repeated():
    """All six of a pair at many keys, compiled once."""
    return jax.jit(jax.vmap(lambda p, q, key: six(p, q, key, 400), in_axes=(None, None, 0)))


@pytest.mark.parametrize("name", ["single", "near", "overlapping"])
def test_standard_errors_are_calibrated_and_the_estimates_unbiased(name: str, stat):
    """The squares of 1,000 errors over their standard errors average 1 within 1/4, and the errors average 0.

    For normal errors that average has a standard deviation of 0.045: 0.25 is 5.6 of them, two-sided probability 3e-8.
    At 400 draws a component what skewness is left moves the average by less than 0.06. Standard errors below 1e-9 are
    rounding.
    """
    p, q = PAIRS[name]
    count = 1000
    found = np.asarray(repeated()(p, q, stat.keys(count)))
    truth = truths(name)
    error = found[..., 0] - truth[None, :, 0]
    noisy = found[..., 1].mean(axis=0) > 1e-9
    assert noisy[2:].all()
    z = error[:, noisy] / found[..., 1][:, noisy]
    assert np.abs((z**2).mean(axis=0) - 1).max() < 0.25
    spread = error.std(axis=0, ddof=1) / np.sqrt(count)
    bias = np.abs(error.mean(axis=0)) / np.hypot(spread, truth[:, 1] + 1e-11)
    assert bias.max() < stats.norm.isf(stat.rate / 12)
    assert np.abs(error[:, ~noisy]).max(initial=0.0) < 1e-9


def test_the_fewest_draws_are_unbiased(stat):
    """Coefficients fitted to the draws that they correct would be off by 40 standard errors of this mean."""
    p = PAIRS["near"][0]
    found = jax.jit(jax.vmap(lambda key: entropy_estimate(p, key, 32).value))(stat.keys(10_000))
    error = np.asarray(found) - truths("near")[0, 0]
    assert abs(error.mean()) < stats.norm.isf(stat.rate / 2) * error.std(ddof=1) / 100


def test_a_component_of_weight_1e_8_is_seen():
    """Nothing of q is near it, and its log ratio is 1e8: it carries a KL of order 1 that no plain draw of p sees."""
    p, q = PAIRS["rare and far"]
    found = kl_estimate(p, q, jax.random.key(0), SIZE)
    assert 1 < float(found.value) < 3
    assert float(found.value) == pytest.approx(truths("rare and far")[2, 0], abs=6 * float(found.se) + 1e-9)
    assert float(found.se) < 0.05
    draws = np.asarray(p.sample(jax.random.key(1), 10_000))
    naive = float((p.log_density(draws) - q.log_density(draws)).mean())
    assert naive < 0.3


def test_far_apart_nothing_varies():
    p, q = PAIRS["far"]
    assert float(entropy_estimate(p, jax.random.key(0), SIZE).se) < 1e-12
    assert float(cross_entropy_estimate(p, q, jax.random.key(0), SIZE).se) < 1e-9
    p, q = (one_dimensional([0.5, 0.5], [a, a + 1000.0], [1.0, 1.0]) for a in (0.0, 300.0))
    found = divergence_estimates(p, q, jax.random.key(0), SIZE)
    for part in (found.kl, found.reverse_kl, found.total_variation, found.jensen_shannon):
        assert float(part.se) < 1e-9 * float(part.value)
    # Each component of p has one of q 300 away, of the same weight, and the other much farther.
    assert float(found.kl.value) == pytest.approx(300.0**2 / 2, rel=1e-12)
    assert float(found.total_variation.value) == pytest.approx(1.0, rel=1e-12)
    assert float(found.jensen_shannon.value) == pytest.approx(np.log(2), rel=1e-12)


def test_near_laws_keep_a_small_relative_error():
    """The standard error is below KL itself; that of a plain mean of log p/q over as many draws is sqrt(2 KL / n)."""
    p, q = PAIRS["near"]
    found = divergence_estimates(p, q, jax.random.key(0), SIZE)
    for part in (found.kl, found.reverse_kl, found.jensen_shannon):
        assert float(part.se) < 0.3 * float(part.value)
    assert float(found.kl.se) < np.sqrt(2 * float(found.kl.value) / (4 * SIZE)) / 10


def test_equal_laws_differ_by_nothing():
    p = PAIRS["overlapping"][0]
    assert np.abs(jax.tree.leaves(divergence_estimates(p, p, jax.random.key(0), SIZE))).max() < 1e-15


def test_padding_changes_no_draw_and_adds_exactly_nothing():
    p, q = PAIRS["near"]  # two components and one that holds NaN
    short = tuple(Mixture(law.weights[:2], law.means[:2], law.covariances[:2]) for law in (p, q))
    key = jax.random.key(3)
    found, expected = (divergence_estimates(*pair, key, SIZE) for pair in ((p, q), short))
    np.testing.assert_allclose(jax.tree.leaves(found), jax.tree.leaves(expected), rtol=1e-9, atol=1e-15)


def test_single_quantities_are_fields_of_the_joint_estimate():
    p, q = PAIRS["single"]
    key = jax.random.key(0)
    joint = divergence_estimates(p, q, key, SIZE)
    assert float(kl_estimate(p, q, key, SIZE).value) == float(joint.kl.value)
    assert float(total_variation_estimate(p, q, key, SIZE).value) == float(joint.total_variation.value)
    assert float(jensen_shannon_estimate(p, q, key, SIZE).value) == float(joint.jensen_shannon.value)
    assert joint.kl.n == 2 * PADDED * SIZE


def test_what_overflows_is_refused_and_the_rest_is_known():
    key = jax.random.key(0)
    split = one_dimensional([0.5, 0.5], [0.0, 1e200], [1.0, 1.0])
    near, far, beyond = (one_dimensional([1.0], [mean], [1.0]) for mean in (0.0, 1e100, 1e200))
    assert float(total_variation_estimate(near, far, key, SIZE).value) == pytest.approx(1)
    for call, message in (
        (lambda: kl_estimate(near, far, key, SIZE), "p, q: components lie so far apart"),
        (lambda: divergence_estimates(near, far, key, SIZE), "p, q: components"),
        (lambda: cross_entropy_estimate(near, far, key, SIZE), "p, q: components"),
        (lambda: total_variation_estimate(near, beyond, key, SIZE), "p, q: components"),
        (lambda: jensen_shannon_estimate(near, beyond, key, SIZE), "p, q: components"),
        (
            lambda: entropy_estimate(split, key, SIZE),
            "mixture: components",
        ),
    ):
        with pytest.raises(InputError, match=message):
            call()
    assert np.isinf(jax.jit(kl_estimate, static_argnums=3)(near, far, key, SIZE).se)
    failed = one_dimensional([np.nan], [0.0], [1.0])
    assert np.isnan(kl_estimate(failed, near, key, SIZE).value)


@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_line():
    p, q = PAIRS["single"][0], Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])
    key = jax.random.key(0)
    for call, message in (
        (lambda: entropy_estimate(p, key, 28), "size"),
        (lambda: entropy_estimate(p, key, 34), "multiple of 4"),
        (lambda: entropy_estimate(p, 0, 32), "key"),
        (lambda: kl_estimate(p, q, key, 32), "dimension"),
        (lambda: cross_entropy_estimate(p, q, key, 32), "dimension"),
    ):
        with pytest.raises(InputError, match=message):
            call()
