"""EM: against a loop that reads like the equations, against scikit-learn, and its starts, masks and flags."""

from __future__ import annotations

import functools
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from dkps_theory._validate import InputError
from dkps_theory.information.em import fit_mixture
from dkps_theory.information.mixture import Mixture
from tests import reference

TYPES = {"full": "full", "diagonal": "diag", "spherical": "spherical"}
COMPONENTS = range(1, 7)
ROOM = 6
KEY = jax.random.key(0, impl="threefry2x32")
MOST_STEPS = 60


def clusters(d: int, k: int, n: int, seed: int) -> np.ndarray:
    """Points of k overlapping Gaussian clusters."""
    draws = np.random.default_rng(seed)
    roots = draws.uniform(size=(k, d, d)) + 0.2 * np.eye(d)
    which = draws.integers(k, size=n)
    return draws.uniform(0, 6, (k, d))[which] + np.einsum("nab,nb->na", roots[which], draws.normal(size=(n, d)))


def a_start(data: np.ndarray, k: int, room: int) -> Mixture:
    """k components at the first points with the data's variances, and room - k absent ones that hold nonsense."""
    d = data.shape[1]
    weights, means = np.zeros(room), np.full((room, d), 1e3)
    weights[:k] = np.arange(1, k + 1) / (k * (k + 1) / 2)
    means[:k] = data[:k]
    covariances = np.broadcast_to(np.diag(data.var(axis=0).mean() * np.ones(d)), (room, d, d))
    return Mixture(weights, means, covariances)


def stacked(trees: list):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def scikit_learns(data: np.ndarray, start: Mixture, k: int, covariance_type: str) -> GaussianMixture:
    variance = float(start.covariances[0, 0, 0])
    d = data.shape[1]
    precisions = {"full": np.broadcast_to(np.eye(d) / variance, (k, d, d)), "diagonal": np.full((k, d), 1 / variance)}
    model = GaussianMixture(
        k,
        covariance_type=TYPES[covariance_type],
        max_iter=MOST_STEPS,
        weights_init=np.asarray(start.weights[:k]),
        means_init=np.asarray(start.means[:k]),
        precisions_init=precisions.get(covariance_type, np.full(k, 1 / variance)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of no convergence within the steps
        return model.fit(data)


@pytest.mark.parametrize(
    ("d", "covariance_type"),
    [pytest.param(1, "diagonal", marks=pytest.mark.slow), (2, "diagonal"), (8, "full"), (8, "spherical")],
)  # in one dimension the three types are one
def test_the_same_fit_as_scikit_learns_from_the_same_start(d: int, covariance_type: str):
    n = 120
    sets = np.stack([clusters(d, 3, n, seed=10 * d + k) for k in COMPONENTS])
    starts = [a_start(data, k, ROOM) for data, k in zip(sets, COMPONENTS, strict=True)]
    keys = jax.random.split(KEY, len(sets))
    fits = fit_mixture(sets, keys, ROOM, covariance_type=covariance_type, start=stacked(starts), max_steps=MOST_STEPS)
    for place, k in enumerate(COMPONENTS):
        fit = jax.tree.map(lambda leaf, place=place: np.asarray(leaf[place]), fits)
        model = scikit_learns(sets[place], starts[place], k, covariance_type)
        assert (fit.steps, fit.converged) == (model.n_iter_, model.converged_)
        assert fit.lower_bound == pytest.approx(model.lower_bound_, abs=1e-9)
        assert fit.log_likelihood == pytest.approx(model.score(sets[place]), abs=1e-9)
        np.testing.assert_allclose(fit.mixture.weights[:k], model.weights_, atol=1e-8)
        np.testing.assert_allclose(fit.mixture.means[:k], model.means_, atol=1e-7)
        matrices = {
            "full": lambda found: found,
            "diagonal": lambda found: found[:, :, None] * np.eye(d)[None],
            "spherical": lambda found: found[:, None, None] * np.eye(d)[None],
        }[covariance_type](model.covariances_)
        np.testing.assert_allclose(fit.mixture.covariances[:k], matrices, atol=1e-7)
        assert (fit.mixture.weights[k:] == 0).all()
        assert not fit.failed


def fit_small(data, k: int = 3, **options):
    """Fit up to 40 points in the plane and up to 3 components, by the same program whatever their numbers are."""
    room, present = np.zeros((5, 40, 2)), np.ones((5, 40))
    room[:, : len(data)], present[:, len(data) :] = data, 0.0
    mask = np.broadcast_to(np.arange(3) < k, (5, 3))
    keys = jnp.stack([KEY] * 5)
    fits = fit_mixture(room, keys, 3, restarts=2, point_weights=present, component_mask=mask, **options)
    return jax.tree.map(lambda leaf: leaf[2], fits)


def close(first, second, tolerance: float = 1e-12) -> None:
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def small() -> np.ndarray:
    return clusters(2, 2, 14, seed=4)


def test_steps_read_like_the_equations():
    data, floor = small(), 0.01
    start = a_start(data, 3, 3)
    theta = tuple(map(np.asarray, (start.weights, start.means, start.covariances)))
    before = None
    for steps in range(1, 4):
        before, *theta = reference.em_step(data, *theta, floor)
        fit = fit_mixture(data, KEY, 3, start=start, floor=floor, tolerance=1e-300, max_steps=steps)
        assert int(fit.steps) == steps
        assert not bool(fit.converged)
        assert float(fit.lower_bound) == pytest.approx(before, abs=1e-12)
        assert float(fit.log_likelihood) == pytest.approx(reference.em_step(data, *theta, floor)[0], abs=1e-12)
        for ours, theirs in zip(jax.tree.leaves(fit.mixture), theta, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_weights_count_points():
    data = small()
    counts = np.arange(14) % 3
    repeated = np.repeat(data, counts, axis=0)
    assert len(repeated) == len(data) - 1
    padded, once = np.append(repeated, [[1e30, -1e30]], axis=0), np.append(np.ones(13), 0.0)
    start = a_start(data, 3, 3)
    weighted = fit_mixture(data, KEY, 3, start=start, point_weights=counts.astype(float))
    plain = fit_mixture(padded, KEY, 3, start=start, point_weights=once)
    close(weighted, plain, 1e-8)  # EM's last steps enlarge rounding


@functools.cache
def batch():
    """Five data sets, their keys and their fits, two restarts each."""
    sets = np.stack([clusters(2, 5, 40, seed) for seed in range(5)])
    keys = jax.random.split(KEY, 5)
    return sets, keys, fit_mixture(sets, keys, 3, restarts=2)


@pytest.mark.parametrize("lloyd_steps", [0, 300])
def test_padding_changes_nothing(lloyd_steps: int):
    sets, keys, _ = batch()
    draws = np.random.default_rng(0)
    there = np.sort(draws.permutation(70)[:40])
    room, present = draws.normal(1e8, 1e8, (5, 70, 2)), np.zeros((5, 70))
    room[:, there], present[:, there] = sets, 1.0
    mask = np.zeros(9, dtype=bool)
    mask[[1, 4, 7]] = True  # log 9 > 2: one more trial than for three components, if they were not masked
    options = {"restarts": 2, "lloyd_steps": lloyd_steps}
    plain = fit_mixture(sets, keys, 3, **options)
    fit = fit_mixture(room, keys, 9, point_weights=present, component_mask=np.stack([mask] * 5), **options)
    close(jax.tree.map(lambda leaf: leaf[:, mask], fit.mixture), plain.mixture, 1e-10)
    assert (fit.mixture.weights[:, ~mask] == 0).all()
    assert not (fit.floored | fit.empty)[:, ~mask].any()
    for name in ("log_likelihoods", "lower_bound", "restart_steps", "convergences"):
        close(getattr(fit, name), getattr(plain, name))


def test_a_data_set_does_not_depend_on_its_batch():
    sets, keys, fits = batch()
    assert len({int(steps) for steps in fits.steps}) > 1  # so that waiting for each other would show
    others = np.random.default_rng(1).normal(size=sets.shape)
    others[[1, 4]] = sets[[4, 1]]
    moved = fit_mixture(others, keys[jnp.array([0, 4, 2, 3, 1])], 3, restarts=2)
    for one, other in zip(jax.tree.leaves(fits), jax.tree.leaves(moved), strict=True):
        np.testing.assert_array_equal(one[jnp.array([1, 4])], other[jnp.array([4, 1])])


@pytest.mark.slow
def test_a_batch_is_what_vmap_makes_of_one():
    sets, keys, fits = batch()
    traced = jax.jit(jax.vmap(lambda data, key: fit_mixture(data, key, 3, restarts=2)))(jnp.asarray(sets), keys)
    close(traced, fits, 1e-10)


def test_the_best_restart_is_returned():
    fits = batch()[2]
    apart = np.abs(np.diff(fits.log_likelihoods, axis=1))[:, 0] > 1e-3
    assert apart.any()  # restarts have starts of their own
    best = np.argmax(np.asarray(fits.log_likelihoods), axis=1)
    for place in np.flatnonzero(apart):
        fit = jax.tree.map(lambda leaf, place=place: leaf[place], fits)
        assert float(fit.log_likelihood) == float(fit.log_likelihoods.max())
        chosen = (fit.restart_steps[best[place]], fit.convergences[best[place]], fit.failures[best[place]])
        assert (fit.steps, fit.converged, fit.failed) == chosen
        data = batch()[0][place]
        assert float(fit.log_likelihood) == pytest.approx(float(fit.mixture.log_density(data).mean()), abs=1e-12)
    assert (best[apart] == 1).any()  # not always the first


def test_responsibilities_as_a_start():
    data = clusters(2, 3, 40, seed=8)
    labels = KMeans(3, n_init=1, random_state=0).fit_predict(data)
    model = GaussianMixture(3, random_state=0).fit(data)
    fit = fit_mixture(data, KEY, 3, start=np.eye(3)[labels])
    assert float(fit.lower_bound) == pytest.approx(model.lower_bound_, abs=1e-9)
    assert int(fit.steps) == model.n_iter_


# Numbers of other sizes


def test_far_from_the_origin_and_in_other_units():
    data = np.round(clusters(2, 3, 40, seed=2) * 2.0**20) / 2.0**20  # exact after each shift below
    plain = fit_small(data)
    far = fit_small(data + 2.0**30)
    assert float(far.log_likelihood) == pytest.approx(float(plain.log_likelihood), abs=1e-9)
    np.testing.assert_allclose(far.mixture.covariances, plain.mixture.covariances, atol=1e-9)
    np.testing.assert_allclose(far.mixture.means - 2.0**30, plain.mixture.means, atol=1e-6)
    tiny = fit_small(data * 2.0**-30, floor=1e-6 * 2.0**-60)
    np.testing.assert_allclose(tiny.mixture.covariances * 2.0**60, plain.mixture.covariances, rtol=1e-12)
    assert float(tiny.log_likelihood) == pytest.approx(float(plain.log_likelihood) + 60 * np.log(2), abs=1e-9)


def test_far_means_and_small_covariances():
    # Two clusters 10^4 apart, of standard deviation 10^-3: SciPy's densities at the fit's own parameters.
    draws = np.random.default_rng(5)
    data = np.concatenate([1e-3 * draws.normal(size=(20, 2)), 1e4 + 1e-3 * draws.normal(size=(20, 2))])
    fit = fit_small(data, 2, floor=1e-12)
    cluster = data[:20]
    sample = np.cov(cluster.T, bias=True) + 1e-12 * np.eye(2)
    one = int(np.abs(fit.mixture.means[:2]).sum(axis=1).argmin())
    np.testing.assert_allclose(fit.mixture.covariances[one], sample, rtol=1e-6)
    law = fit.mixture
    laws = [stats.multivariate_normal(law.means[c], law.covariances[c]) for c in range(2)]
    logs = [np.log(law.weights[c]) + laws[c].logpdf(data) for c in range(2)]
    assert float(fit.log_likelihood) == pytest.approx(np.logaddexp(*logs).mean(), abs=1e-7)


# Degenerate data


def all_finite(tree) -> bool:
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))


def test_degenerate_data_are_flagged_and_finite():
    repeated = np.repeat([[0.0, 1.0], [3.0, 4.0]], 4, axis=0)  # two places, eight points
    fit = fit_small(repeated)
    assert all_finite(fit)
    assert bool(fit.degenerate)
    assert bool(fit.floored[np.asarray(~fit.empty)].all())
    assert int(fit.empty.sum()) == 1
    where = fit.mixture.means[fit.empty][0].tolist()
    assert where in repeated.tolist()  # it stays where it began
    one = fit_small(np.zeros((8, 2)))  # one place
    assert all_finite(one)
    assert bool(one.degenerate)
    constant = np.stack([small()[:8, 0], np.full(8, 2.0)], axis=1)
    flat = fit_small(constant, 1)
    assert flat.floored.tolist() == [True, False, False]
    assert float(flat.mixture.covariances[0, 1, 1]) == pytest.approx(1e-6)
    ample = fit_small(clusters(2, 1, 40, seed=0), 1)
    assert not bool(ample.degenerate)


def test_fewer_points_than_coordinates():
    # Three points in eight dimensions, in the room of the comparison with scikit-learn.
    def fit(scale, covariance_type):
        room = np.zeros((6, 120, 8))
        room[:, :3] = scale * np.random.default_rng(0).normal(size=(3, 8))
        begin = stacked([a_start(room[0, :3], 1, ROOM)] * 6)
        present = np.broadcast_to(np.arange(120) < 3, (6, 120)).astype(float)
        options = {"start": begin, "point_weights": present, "component_mask": np.asarray(begin.weights) > 0}
        found = fit_mixture(room, jax.random.split(KEY, 6), ROOM, covariance_type=covariance_type, **options)
        return jax.tree.map(lambda leaf: leaf[0], found)

    flat = fit(1.0, "full")
    assert all_finite(flat)
    assert flat.floored.tolist() == [True] + 5 * [False]
    assert not flat.failed
    # The floor is lost beside variances of 10^24: failed, but with parameters that are numbers.
    failing = fit(1e12, "full")
    assert failing.failed
    assert failing.degenerate
    assert not failing.converged
    assert all_finite(failing)
    assert not fit(1e12, "spherical").degenerate


def test_it_says_when_it_has_not_converged():
    fit = fit_small(clusters(2, 6, 40, seed=11), max_steps=2)
    assert (int(fit.steps), bool(fit.converged)) == (2, False)


# Input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.array([[0.0], [np.nan]])}, r"data: 1 value not finite, the first at \[1, 0\]"),
        ({"data": np.zeros(4)}, "data: got 1 axes"),
        ({"data": np.zeros((0, 2))}, "no axis may be empty"),
        ({"components": 5}, "too few points: 4 for 5 components"),
        ({"components": 0}, "components: got 0"),
        ({"covariance_type": "diag"}, "did you mean 'diagonal'"),
        ({"restarts": 0}, "restarts: got 0"),
        ({"restarts": 2, "start": np.full((4, 2), 0.5)}, "restarts: got 2 with a start"),
        ({"floor": 0.0}, "floor: got 0.0"),
        ({"tolerance": -1.0}, "tolerance: got -1.0"),
        ({"max_steps": 0}, "max_steps: got 0"),
        ({"lloyd_steps": -1}, "lloyd_steps: got -1"),
        ({"key": 3}, "key: got 3"),
        ({"key": jax.random.split(KEY, 2)}, "it must be one typed key"),
        ({"data": np.zeros((3, 4, 1))}, "3 typed keys, one for each data set"),
        ({"point_weights": np.ones(3)}, r"point_weights: got shape \(3,\)"),
        ({"point_weights": np.array([1.0, 1.0, 1.0, -1.0])}, "the least is -1"),
        ({"point_weights": np.array([1.0, 0.0, 0.0, 0.0])}, "too few points: 1 for 2 components"),
        ({"component_mask": np.ones(3, bool)}, r"component_mask: got shape \(3,\)"),
        ({"component_mask": np.zeros(2, bool)}, "masks out every component"),
        ({"component_mask": np.array([np.nan, 1.0])}, "must say True or False"),
        ({"component_mask": np.array(["a", "b"])}, "must say True or False"),
        (
            {"component_mask": np.array([False, True]), "start": Mixture([1, 0], [[0], [1]], [[[1]], [[1]]])},
            "every component of positive weight is masked out",
        ),
        ({"start": np.full((4, 3), 1 / 3)}, r"responsibilities must be \(4, 2\)"),
        ({"start": np.full((4, 2), 0.4)}, "sum to 1"),
        ({"start": Mixture([1.0], [[0.0]], [[[1.0]]])}, r"shape \(1,\); it must be \(2,\)"),
    ],
)
def test_bad_input_is_one_clear_line(unannotated, change: dict, message: str):
    given_ = {"data": np.arange(4.0)[:, None], "key": KEY, "components": 2} | change
    with pytest.raises(InputError, match=message) as caught:
        fit_mixture(**given_)
    assert "\n" not in str(caught.value)


def test_too_few_points_name_the_data_set(unannotated):
    weights = np.ones((3, 4))
    weights[1, 1:] = 0
    with pytest.raises(InputError, match="too few points in data set 1: 1 for 2"):
        fit_mixture(np.zeros((3, 4, 1)), jax.random.split(KEY, 3), 2, point_weights=weights)
