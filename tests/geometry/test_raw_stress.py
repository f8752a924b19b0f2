"""Raw stress: derivatives, optima against enumeration, scikit-learn and SciPy, ties, honesty and edges."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.manifold import smacof as their_smacof

from dkps_theory._validate import InputError
from dkps_theory.geometry import classical_mds, line_minimisers, raw_stress, raw_stress_mds, smacof
from dkps_theory.geometry._exchanges import changes
from dkps_theory.geometry._majorisation import guttman, stress_and_gradient
from dkps_theory.geometry._multistart import minimise as minimise_stress
from dkps_theory.geometry._newton import pinned_curvature
from tests import reference

RNG = np.random.default_rng(17)
KEY = jax.random.key(3)


def distances(points):
    return np.linalg.norm(points[:, None, :] - points[None, :, :], axis=-1)


def uniform(n, rng=RNG):
    upper = np.triu(rng.uniform(size=(n, n)), 1)
    return upper + upper.T


def euclidean(n, rng=RNG):
    return distances(rng.normal(size=(n, 5)))


@jax.jit
def six_in_the_plane(D):
    return raw_stress_mds(D, 2, key=KEY)


SIX = euclidean(6)


def test_stress_is_the_sum_over_ordered_pairs():
    z, D = RNG.normal(size=(5, 3)), uniform(5)
    assert float(raw_stress(z, D)) == pytest.approx(reference.raw_stress(z, D), rel=1e-13)


@pytest.mark.parametrize("d", [2, 3])
def test_gradient_and_curvature_are_the_derivatives(d):
    n, D = 5, uniform(5)
    D[0, 1] = D[1, 0] = 0.0
    D = D / np.linalg.norm(D)
    z = RNG.normal(size=(n, d)) * 0.2
    z = z - z.mean(axis=0, keepdims=True)
    D, z = jnp.asarray(D), jnp.asarray(z)
    gradient = jax.grad(raw_stress)(z, D)
    stress, found = stress_and_gradient(D, z.T)
    assert float(stress) == pytest.approx(reference.raw_stress(np.asarray(z), np.asarray(D)), rel=1e-13)
    np.testing.assert_allclose(found.T, gradient, atol=1e-14)
    np.testing.assert_allclose(guttman(D, z.T).T, z - gradient / (4 * n), atol=1e-14)

    hessian = jax.hessian(lambda flat: raw_stress(flat.reshape(d, n).T, D))(z.T.ravel())
    translations = np.kron(np.eye(d), np.ones((n, n)))
    pinned = np.asarray(hessian) / 4 + translations
    for a in range(d):
        for b in range(a):
            tangent = np.zeros((d, n))
            tangent[a], tangent[b] = np.asarray(z[:, b]), -np.asarray(z[:, a])
            pinned += n * np.outer(tangent, tangent) / (tangent**2).sum()
    np.testing.assert_allclose(pinned_curvature(D, z.T), pinned, atol=1e-12)


def test_smacof_takes_scikit_learns_steps_and_stops_where_it_does():
    D = euclidean(9)
    start = RNG.normal(size=(9, 2))
    theirs, half, steps = their_smacof(
        D, n_components=2, init=start, n_init=1, eps=1e-6, return_n_iter=True, normalized_stress=False
    )
    z, stress, iterations, stopped = smacof(D, start)
    assert stopped
    assert int(iterations) == steps > 10
    np.testing.assert_allclose(z, theirs, atol=1e-12)
    assert float(stress) == pytest.approx(2 * half, rel=1e-12)
    assert int(smacof(D, start, max_iterations=5)[2]) == 5
    assert not smacof(D, start, max_iterations=5)[3]
    points = RNG.normal(size=(9, 2))
    classical = classical_mds(distances(points), 2).configuration
    assert int(smacof(distances(points), classical)[2]) == 2  # nothing to do, and two steps to see it


def test_the_line_optimum_is_the_enumerated_one_with_and_without_dynamic_programming():
    n = 8
    rng = np.random.default_rng(n)
    problems = [uniform(n, rng) if k % 2 else euclidean(n, rng) for k in range(50)]
    batch, keys = jnp.asarray(np.stack(problems)), jax.random.split(jax.random.key(n), 50)
    truth = [line_minimisers(D) for D in problems]
    best = np.array([stress for stress, _ in truth])
    for use_exact in (True, False):
        found = jax.vmap(lambda D, key, e=use_exact: minimise_stress(D, key, jnp.asarray(1e-12), 1, 20, 500, e))(
            batch, keys
        )
        np.testing.assert_allclose(found.stress, best, rtol=1e-11)
        assert found.converged.all()
        assert (found.exact == use_exact).all()
        assert found.distinct.tolist() == [len(minimisers) for _, minimisers in truth]


def test_one_start_alone_misses_and_every_miss_is_flagged():
    n, rng = 8, np.random.default_rng(80)
    problems = np.stack([uniform(n, rng) for _ in range(150)])
    best = np.array([line_minimisers(D)[0] for D in problems])
    found = jax.vmap(lambda D, key: minimise_stress(D, key, jnp.asarray(1e-12), 1, 1, 500, False))(
        jnp.asarray(problems), jax.random.split(jax.random.key(0), 150)
    )
    is_missed = np.asarray(found.stress) > best * (1 + 1e-10)
    assert is_missed.any()
    assert np.asarray(found.doubtful)[is_missed].all()


@pytest.mark.slow
def test_a_thousand_line_problems_reach_the_enumerated_optimum():
    missed, flagged = 0, 0
    for n in range(4, 9):
        rng = np.random.default_rng(n)
        laws = [
            lambda n=n, rng=rng: uniform(n, rng),
            lambda n=n, rng=rng: euclidean(n, rng),
            lambda n=n, rng=rng: np.exp(3 * uniform(n, rng)) * (1 - np.eye(n)),
            lambda n=n, rng=rng: distances(rng.normal(size=(n, 5)) * np.array([[1.0, 0.3, 0.3, 0.3, 0.3]])),
        ]
        problems = np.stack([laws[k % 4]() for k in range(200)])
        best = np.array([line_minimisers(D)[0] for D in problems])
        keys = jax.random.split(jax.random.key(n), 200)
        for use_exact in (True, False):
            found = jax.vmap(lambda D, key, e=use_exact: minimise_stress(D, key, jnp.asarray(1e-12), 1, 20, 500, e))(
                jnp.asarray(problems), keys
            )
            is_best = np.asarray(found.converged) & (np.asarray(found.stress) <= best * (1 + 1e-10))
            if use_exact:
                assert is_best.all()
            else:
                missed += (~is_best).sum()
                flagged += (~is_best & np.asarray(found.doubtful)).sum()
    assert missed <= 1
    assert flagged == missed


@pytest.mark.parametrize(
    ("D", "distinct"),
    [
        (1.0 - np.eye(3), 3),
        (np.array([[0.0, 1, 2], [1, 0, 2], [2, 2, 0]]), 2),
        (np.array([[0.0, 2, 3], [2, 0, 4], [3, 4, 0]]), 1),
    ],
    ids=["equilateral", "isosceles", "scalene"],
)
def test_ties_on_a_line(D, distinct):
    found = raw_stress_mds(D, 1, key=KEY)
    assert int(found.distinct) == distinct
    assert bool(found.tied) == (distinct > 1)
    assert int(found.reached) == 20
    shown = {tuple(np.round(distances(np.asarray(z)), 9).ravel()) for z in found.minimisers()}
    expected = {tuple(np.round(distances(x[:, None]), 9).ravel()) for x in line_minimisers(D)[1]}
    assert shown == expected
    assert set(np.asarray(found.minimiser).tolist()) == set(range(distinct))


def test_a_square_on_a_line_and_in_the_plane():
    D = distances(np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]]))
    on_line = raw_stress_mds(D, 1, key=KEY)
    stress, minimisers = line_minimisers(D)
    assert float(on_line.stress) == pytest.approx(stress, rel=1e-12)
    assert 4 < int(on_line.distinct) <= len(minimisers) == 8
    plane = raw_stress_mds(D, 2, key=KEY)
    np.testing.assert_allclose(distances(np.asarray(plane.configuration)), D, atol=1e-12)
    assert int(plane.distinct) == 1
    assert bool(plane.converged)


def test_never_worse_than_scikit_learn_or_scipy():
    for D, d in [(SIX, 2), (uniform(6), 2), (uniform(6), 3)]:
        found = six_in_the_plane(D) if d == 2 else raw_stress_mds(D, d, key=KEY)
        assert bool(found.converged)
        assert found.convergences.all()
        _, half = their_smacof(D, n_components=d, n_init=4, random_state=0, normalized_stress=False)
        assert float(found.stress) <= 2 * half * (1 + 1e-9)

        def objective(flat, D=D, d=d):
            gaps = flat.reshape(6, 1, d) - flat.reshape(1, 6, d)
            dist = np.linalg.norm(gaps, axis=-1) + np.eye(6)
            pull = (dist - np.eye(6) - D) / dist
            return ((dist - np.eye(6) - D) ** 2).sum(), 4 * (pull[:, :, None] * gaps).sum(axis=1).ravel()

        for _ in range(4):
            other = minimize(objective, RNG.normal(size=6 * d), jac=True, method="BFGS")
            assert float(found.stress) <= other.fun * (1 + 1e-9)


def test_exact_distances_are_recovered_and_what_is_shown_is_in_principal_axes():
    points = RNG.normal(size=(6, 2))
    found = six_in_the_plane(distances(points))
    z = np.asarray(found.configuration)
    np.testing.assert_allclose(distances(z), distances(points), atol=1e-12)
    np.testing.assert_allclose(z, classical_mds(distances(points), 2).configuration, atol=1e-11)
    found = six_in_the_plane(SIX)
    z = np.asarray(found.configuration)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-14)
    assert abs((z[:, 0] * z[:, 1]).sum()) < 1e-12
    assert float(raw_stress(z, SIX)) == pytest.approx(float(found.stress), rel=1e-12)
    assert float(jnp.linalg.norm(jax.grad(raw_stress)(jnp.asarray(z), SIX))) < 1e-12 * np.linalg.norm(SIX) * 10
    assert float(found.gradient_norm) <= 1e-12
    assert (np.asarray(found.stresses) >= float(found.stress) * (1 - 1e-9)).all()


@pytest.mark.parametrize("factor", [1e-60, 0.3, 1e60])
def test_homogeneous(factor):
    base, scaled = six_in_the_plane(SIX), six_in_the_plane(SIX * factor)
    np.testing.assert_allclose(scaled.configuration, base.configuration * factor, atol=1e-11 * factor)
    assert float(scaled.stress) == pytest.approx(float(base.stress) * factor**2, rel=1e-12)
    assert bool(scaled.converged)
    assert float(scaled.gradient_norm) <= 1e-12


def test_relabelling_relabels_the_minimiser():
    order = np.array([3, 0, 5, 1, 4, 2])
    base, moved = six_in_the_plane(SIX), six_in_the_plane(SIX[np.ix_(order, order)])
    assert float(moved.stress) == pytest.approx(float(base.stress), rel=1e-12)
    np.testing.assert_allclose(
        distances(np.asarray(moved.configuration)), distances(np.asarray(base.configuration)[order]), atol=1e-11
    )


def test_vmap_and_jit_are_the_loop():
    batch = jnp.asarray(np.stack([SIX, uniform(6), np.zeros((6, 6)), distances(RNG.normal(size=(6, 1)))]))
    together = jax.jit(jax.vmap(lambda D: raw_stress_mds(D, 2, key=KEY)))(batch)
    for b, D in enumerate(batch):
        one = six_in_the_plane(D)
        np.testing.assert_allclose(together.stresses[b], one.stresses, rtol=1e-9, atol=1e-14)
        assert together.minimiser[b].tolist() == one.minimiser.tolist()
        assert bool(together.converged[b])
        assert bool(one.converged)


def test_a_start_in_a_subspace_does_not_stay_there():
    # Classical MDS of equal distances on a line, as a start, would leave majorisation on that line for ever.
    D = distances(np.array([[0.0, 0], [1, 0], [2, 0], [0, 0.2], [1, 0.2], [2, 0.2]]))
    line = np.pad(classical_mds(D, 1).configuration, ((0, 0), (0, 1)))
    stuck, stress, _, _ = smacof(D, line, eps=1e-12, max_iterations=2000)
    assert (np.asarray(stuck)[:, 1] == 0).all()
    found = six_in_the_plane(D)
    assert float(found.stresses[0]) < 1e-20 < float(stress)


def test_below_full_rank_the_criterion_is_met_and_the_extra_column_is_small():
    points = RNG.normal(size=(6, 1))
    found = six_in_the_plane(distances(points))
    assert bool(found.converged)
    assert float(found.stress) < 1e-14
    assert float(jnp.abs(found.configuration[:, 1]).max()) < 2e-3
    np.testing.assert_allclose(distances(np.asarray(found.configuration)), distances(points), atol=1e-5)


def test_changes_by_exchanging_and_moving_points():
    z, D = RNG.normal(size=(5, 2)), uniform(5)
    exchange, move = changes(jnp.asarray(D), jnp.asarray(z.T))
    before = reference.raw_stress(z, D)
    for i in range(5):
        for k in set(range(5)) - {i}:
            exchanged, moved = z.copy(), z.copy()
            exchanged[[i, k]] = exchanged[[k, i]]
            moved[i] = z[k]
            assert float(exchange[i, k]) == pytest.approx(reference.raw_stress(exchanged, D) - before, abs=1e-12)
            assert float(move[i, k]) == pytest.approx(reference.raw_stress(moved, D) - before, abs=1e-12)


def test_running_out_of_steps_is_said_and_counted():
    batch = jnp.asarray(np.stack([uniform(6), SIX]))
    found = jax.vmap(lambda D: raw_stress_mds(D, 2, key=KEY, max_iterations=2))(batch)
    assert not found.converged.any()
    assert not found.convergences.any()
    assert (found.gradient_norm > 1e-12).all()
    assert (found.iterations <= 2).all()
    assert jnp.isfinite(found.configuration).all()


def test_degenerate_dissimilarities():
    zero = six_in_the_plane(np.zeros((6, 6)))
    assert (np.asarray(zero.configuration) == 0).all()
    assert float(zero.stress) == float(zero.gradient_norm) == 0
    assert bool(zero.converged)
    assert int(zero.distinct) == 1
    points = RNG.normal(size=(6, 2))
    points[1] = points[0]
    points[4] = points[3]
    coincident = six_in_the_plane(distances(points))
    assert bool(coincident.converged)
    np.testing.assert_allclose(distances(np.asarray(coincident.configuration)), distances(points), atol=1e-11)
    # Zeros that no triangle inequality backs: the pair need not coincide.
    D = uniform(6)
    D[0, 1] = D[1, 0] = 0.0
    assert bool(six_in_the_plane(D).converged)
    on_line = raw_stress_mds(D, 1, key=KEY)
    assert bool(on_line.converged)
    assert float(on_line.stress) == pytest.approx(line_minimisers(D)[0], rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_two_models_are_at_their_distance_in_any_dimension(d):
    found = raw_stress_mds(np.array([[0.0, 3.0], [3.0, 0.0]]), d, key=KEY)
    expected = np.zeros((2, d))
    expected[:, 0] = [1.5, -1.5]
    np.testing.assert_allclose(found.configuration, expected, atol=1e-15)
    assert bool(found.exact)
    assert bool(found.converged)


def test_dimensions_beyond_n_minus_one_are_zero_columns():
    points = RNG.normal(size=(4, 3))
    found = raw_stress_mds(distances(points), 6, key=KEY)
    assert found.configuration.shape == (4, 6)
    assert (np.asarray(found.configuration)[:, 3:] == 0).all()
    np.testing.assert_allclose(distances(np.asarray(found.configuration)), distances(points), atol=1e-11)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: raw_stress_mds(np.zeros((1, 1)), 1, key=KEY), "got 1 model; raw stress needs at least 2"),
        (lambda: raw_stress_mds(SIX, 0, key=KEY), r"d \(perspective dimension\): got 0; it must be a whole number"),
        (lambda: raw_stress_mds(SIX, 2, key=0), "key: got 0; it must be one typed key"),
        (lambda: raw_stress_mds(SIX, 2, key=KEY, starts=0), "starts: got 0"),
        (lambda: raw_stress_mds(SIX, 2, key=KEY, max_iterations=2.5), "max_iterations: got 2.5"),
        (lambda: raw_stress_mds(SIX, 2, key=KEY, tolerance=0.0), "tolerance: got 0.0; it must be a number above 0"),
        (lambda: raw_stress_mds(SIX * np.inf, 2, key=KEY), "values not finite"),
        (lambda: raw_stress_mds(-SIX, 2, key=KEY), "dissimilarities are at least 0"),
        (lambda: raw_stress(np.zeros((5, 2)), SIX), "configuration: got 5 rows for n = 6 models"),
        (lambda: smacof(SIX, np.zeros((6, 2)), eps=-1.0), "eps: got -1.0; it must be a number of at least 0"),
        (lambda: smacof(SIX, np.zeros(6)), r"start: got 1 axes \(6,\); it must have 2"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("unannotated")
def test_the_list_of_minimisers_needs_concrete_numbers():
    with pytest.raises(InputError, match="call it outside jit and vmap"):
        jax.jit(lambda D: six_in_the_plane(D).minimisers()[0])(SIX)
