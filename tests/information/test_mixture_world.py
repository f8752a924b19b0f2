"""The mixture world: what NumPy draws, labels by enumeration, the generator by loops, and room that changes nothing."""

from __future__ import annotations

import functools
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.linalg import polar

from dkps_theory._validate import InputError
from dkps_theory.information.discrete import entropy, mutual_information
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_world import (
    MixtureWorld,
    Sample,
    handed_matrices,
    label_at,
    label_information,
    moments,
    points_at,
    polar_factor,
)

ROOM = (4, 9)


# What NumPy draws when it is handed A B'


@pytest.fixture(scope="module")
def matrices() -> np.ndarray:
    return np.asarray(handed_matrices(jax.random.key(3), 200, 2))


def test_the_polar_factor_is_scipys_and_leaves_covariances_alone(matrices):
    ours = np.asarray(polar_factor(jnp.asarray(matrices)))
    for C, found in zip(matrices, ours, strict=True):
        np.testing.assert_allclose(found, polar(C)[1], atol=1e-10)
    symmetric = matrices @ matrices.transpose(0, 2, 1)
    np.testing.assert_allclose(polar_factor(jnp.asarray(symmetric)), symmetric, atol=1e-12)
    assert np.linalg.eigvalsh(ours).min() > -1e-12
    # No matrix handed over is symmetric, and most have an indefinite symmetric part.
    assert (np.abs(matrices - matrices.transpose(0, 2, 1)).max(axis=(1, 2)) > 0).all()
    assert (np.linalg.eigvalsh((matrices + matrices.transpose(0, 2, 1)) / 2)[:, 0] < 0).mean() > 0.5


def linear_map(draw, z: np.ndarray) -> np.ndarray:
    """The matrix T with draw = z T, from more draws than unknowns; exact, as draws are linear in z."""
    T, residual, *_ = np.linalg.lstsq(z, draw, rcond=None)
    assert residual.max() < 1e-20
    return T


def test_numpys_two_samplers_draw_the_two_polar_factors(matrices):
    """Both are linear in standard normals that can be drawn again, so their covariances are known without an error."""
    for C in matrices[:20]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            legacy = np.random.RandomState(5).multivariate_normal(np.zeros(2), C, 40)
            newer = np.random.default_rng(5).multivariate_normal(np.zeros(2), C, 40, method="svd")
        assert any("positive-semidefinite" in str(one.message) for one in caught)
        for drawn, z, matrix in (
            (legacy, np.random.RandomState(5).standard_normal(80).reshape(40, 2), C),
            (newer, np.random.default_rng(5).standard_normal((40, 2)), C.T),
        ):
            T = linear_map(drawn, z)
            np.testing.assert_allclose(T.T @ T, polar_factor(jnp.asarray(matrix)), atol=1e-10)


# Labels


@pytest.mark.parametrize(("K", "J", "L"), [(1, 0, 0), (2, 2, 2), (3, 0, 1), (2, 5, 3), (4, 1, 0)])
def test_label_information_is_that_of_the_enumerated_law(K, J, L):
    N = K + J + L
    joint = np.zeros((N + 1, N + 1))  # h, M
    for z in range(1, N + 1):
        h = z if z <= K else 0
        g = 0 if z <= K else z
        joint[h, h + g] += 1 / N
    found = label_information(K, J, L)
    assert found.answer_entropy == pytest.approx(float(entropy(joint.sum(axis=0))), abs=1e-12)
    assert found.prompt_information == pytest.approx(float(mutual_information(joint, (0,), (1,))), abs=1e-12)
    assert found.information_gain == pytest.approx(found.answer_entropy - found.prompt_information, abs=1e-12)
    assert label_information(K, L, J) == found
    assert found.anchor_information is None
    assert found.synthetic_information is None
    assert MixtureWorld(K, J, L).information == found


# One repetition


def test_moments_are_those_of_loops():
    random = np.random.default_rng(0)
    labels, present = random.integers(0, 3, 40), random.random(40) < 0.8
    labels[0], present[0] = 3, True  # one point only
    points = random.normal(size=(40, 2))
    sample = Sample(jnp.asarray(points), jnp.asarray(labels), jnp.asarray(present))
    counts, means, covariances = jax.jit(moments, static_argnums=1)(sample, 5)
    for k in range(5):
        own = points[(labels == k) & present]
        assert float(counts[k]) == len(own)
        np.testing.assert_allclose(means[k], own.mean(axis=0) if len(own) else 0.0, atol=1e-12)
        np.testing.assert_allclose(covariances[k], np.cov(own.T) if len(own) > 1 else 0.0, atol=1e-12)


TRACED: list[str] = []


@eqx.filter_jit
def run(world: MixtureWorld, keys: jax.Array):
    """Generations, and of the published protocol the fits too: one program for each protocol."""
    TRACED.append(world.protocol)

    def one(key: jax.Array):
        data_key, fit_key = jax.random.split(key)
        generation = world.generate(data_key)
        return generation, world.fits(fit_key, generation) if world.protocol == "published" else None

    return jax.vmap(one)(keys)


KEYS = jax.random.split(jax.random.key(1), 20)


@functools.cache
def generations(protocol: str):
    """A world and 20 generations of it, that the tests below share."""
    world = MixtureWorld(3, 2, 1, protocol=protocol, room=ROOM)
    return world, run(world, KEYS)[0]


@pytest.mark.parametrize("protocol", ["published", "corrected"])
def test_a_repetition_is_the_protocol(protocol):
    K, J, L, d = 3, 2, 1, 2
    found = jax.tree.map(lambda leaf: leaf[0], generations(protocol)[1])
    truth, made = found.truth, found.generator
    np.testing.assert_allclose(truth.weights, [1 / 5] * 5 + [0.0] * 4)
    np.testing.assert_allclose(made.weights, [1 / 6] * 6 + [0.0] * 3)
    assert 0 <= float(truth.means.min()) <= float(truth.means.max()) <= 10
    least = np.linalg.eigvalsh(truth.covariances)[:, 0]
    assert least.min() >= (0.01 - 1e-12 if protocol == "corrected" else -1e-12)
    anchors = np.asarray(found.anchors.points)[np.asarray(found.anchors.present)]
    labels = np.asarray(found.anchors.labels)[np.asarray(found.anchors.present)]
    if protocol == "published":
        assert np.bincount(labels).tolist() == [50] * K
    else:
        assert len(labels) == 50 * d
    for k in range(K):
        own = anchors[labels == k]
        np.testing.assert_allclose(made.means[k], own.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(made.covariances[k], np.cov(own.T) + 1e-6 * np.eye(d), atol=1e-12)
    np.testing.assert_array_equal(made.means[K:], truth.means[K:])
    np.testing.assert_array_equal(made.covariances[K:], truth.covariances[K:])
    assert found.synthetic.points.shape == ((200, 2) if protocol == "published" else (100 * d, d))
    assert int(found.synthetic.labels.max()) < K + J + L


@pytest.mark.parametrize("protocol", ["published", "corrected"])
def test_means_and_covariances_have_their_laws(protocol):
    """Kolmogorov-Smirnov at 1e-7: means uniform, traces as NumPy's; one key for two of them would show as well."""
    truth = generations(protocol)[1].truth
    means, covariances = np.asarray(truth.means), np.asarray(truth.covariances)  # (20, 9, 2), (20, 9, 2, 2)
    assert stats.kstest(means.ravel() / 10, "uniform").pvalue > 1e-7
    assert len(np.unique(means)) == means.size
    assert len(np.unique(covariances[..., 0, 0])) == covariances[..., 0, 0].size
    A, B = np.random.default_rng(0).uniform(size=(2, 4000, 2, 2))
    if protocol == "published":
        theirs = np.linalg.svd(A @ B.swapaxes(1, 2), compute_uv=False).sum(axis=1)  # trace (C'C)^{1/2}
    else:
        theirs = (A**2).sum(axis=(1, 2)) + 0.02
    assert stats.ks_2samp(np.trace(covariances, axis1=2, axis2=3).ravel(), theirs).pvalue > 1e-7


def whitened(sample: Sample, law: Mixture) -> np.ndarray:
    """W_k (x - mu_k) of every point that is there, k its component."""
    at = np.asarray(sample.present)
    labels = np.asarray(sample.labels)[at]
    roots = np.linalg.cholesky(np.asarray(law.covariances))[labels]
    rest = np.asarray(sample.points)[at] - np.asarray(law.means)[labels]
    return np.linalg.solve(roots, rest[:, :, None])[:, :, 0]


@pytest.mark.parametrize("protocol", ["published", "corrected"])
def test_points_have_the_law_of_their_components(protocol):
    """Whitened coordinates are independent standard normals; each test at 1e-7, two-sided."""
    found = generations(protocol)[1]
    for name, law in (("anchors", "truth"), ("synthetic", "generator")):
        each = [
            whitened(*(jax.tree.map(lambda leaf, at=at: leaf[at], getattr(found, part)) for part in (name, law)))
            for at in range(20)
        ]
        z = np.concatenate(each)
        assert stats.kstest(z.ravel(), "norm").pvalue > 1e-7
        assert 5e-8 < stats.chi2(z.size).cdf((z**2).sum()) < 1 - 5e-8
        assert abs(z.prod(axis=1).sum()) < 5.5 * len(z) ** 0.5
        assert len(np.unique(z)) == z.size
    counts = np.bincount(np.asarray(found.synthetic.labels).ravel(), minlength=6)
    assert stats.chisquare(counts).pvalue > 1e-7
    if protocol == "corrected":
        assert stats.chisquare(np.bincount(np.asarray(found.anchors.labels).ravel(), minlength=3)).pvalue > 1e-7


def test_labels_are_quantiles_and_absent_components_are_never_drawn():
    weights = jnp.asarray([0.0, 0.25, 0.0, 0.75, 0.0])
    uniform = jnp.asarray([0.0, 0.1, 0.2499, 0.25, 0.9, 1 - 2.0**-53])
    assert label_at(weights, uniform).tolist() == [1, 1, 1, 3, 3, 3]
    spread = Mixture(weights, jnp.arange(5.0)[:, None] * 100, jnp.ones((5, 1, 1)))
    labels = label_at(weights, jnp.linspace(0, 0.999, 50))
    drawn = jax.jit(points_at)(jax.random.key(0), spread, labels)
    np.testing.assert_array_equal(np.round(np.asarray(drawn)[:, 0] / 100), labels)


def test_components_without_anchors_are_left_out_of_the_generator():
    world, generation = generations("corrected")
    truth = jax.tree.map(lambda leaf: leaf[0], generation.truth)
    anchors = Sample(jnp.asarray([[1.0, 2.0]] * 2), jnp.asarray([1, 1]), jnp.asarray([True, False]))
    found = eqx.filter_jit(MixtureWorld.generator)(world, truth, anchors)
    np.testing.assert_allclose(found.weights, [0, 1 / 4, 0, 1 / 4, 1 / 4, 1 / 4, 0, 0, 0])
    np.testing.assert_allclose(found.means[1], [1, 2])
    np.testing.assert_allclose(found.covariances[1], 1e-6 * np.eye(2))
    for leaf in jax.tree.leaves(found):
        assert np.isfinite(leaf).all()


def test_worlds_of_one_room_share_code_and_fits_use_their_components_only():
    for K, J, L in ((2, 2, 2), (4, 1, 2), (2, 5, 2)):
        found = run(MixtureWorld(K, J, L, protocol="published", room=ROOM), KEYS)
        generation, (first, second) = jax.tree.map(lambda leaf: leaf[7], found)
        assert np.asarray(first.mixture.weights > 0).tolist() == [k < K for k in range(ROOM[0])]
        assert np.asarray(second.mixture.weights > 0).tolist() == [k < K + J + L for k in range(ROOM[1])]
        for fit, sample in ((first, generation.anchors), (second, generation.synthetic)):
            own = np.where(sample.present, fit.mixture.log_density(sample.points), 0.0).sum() / sample.present.sum()
            assert float(fit.log_likelihood) == pytest.approx(float(own), abs=1e-9)
    assert TRACED.count("published") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"K": 0}, "K: got 0"),
        ({"J": -1}, "J: got -1"),
        ({"L": 1.5}, "L: got 1.5"),
        ({"dimension": 0}, "dimension: got 0"),
        ({"protocol": "publshed"}, "did you mean 'published'"),
        ({"room": (2, 5)}, "room: got"),
        ({"room": (1, 9)}, "room: got"),
        ({"anchors": 0}, "anchors: got 0"),
        ({"synthetic": -3}, "synthetic: got -3"),
    ],
)
def test_bad_worlds_are_refused(unannotated, arguments, message):
    numbers = {"K": 2, "J": 2, "L": 2} | arguments
    with pytest.raises(InputError, match=message):
        MixtureWorld(**numbers)


@pytest.mark.slow  # every operation is compiled on its own
def test_a_generation_is_the_same_compiled_and_not():
    world, key = MixtureWorld(1, 1, 2, room=(2, 6)), jax.random.key(9)
    plain, compiled = world.generate(key), eqx.filter_jit(MixtureWorld.generate)(world, key)
    for one, other in zip(jax.tree.leaves(plain), jax.tree.leaves(compiled), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
