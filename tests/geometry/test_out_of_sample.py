"""Placement of new models: against brute force, exact where theory says so, ties flagged, and the edges."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from dkps_theory._validate import InputError
from dkps_theory.conventions import A24, A25, DEFAULT, Convention
from dkps_theory.geometry import (
    classical_mds,
    classical_placement,
    cross_dissimilarities,
    dissimilarities,
    gower_placement,
    raw_stress_placement,
    trosset_priebe_placement,
)
from dkps_theory.geometry.out_of_sample import RULES
from tests import reference

RNG = np.random.default_rng(12)
KEY = jax.random.key(3)
PLACEMENTS = {"gower": gower_placement, "trosset-priebe": trosset_priebe_placement}


def distances(first, second):
    return np.linalg.norm(first[:, None, :] - second[None, :, :], axis=-1)


def inner_products(D, delta):
    """b and beta of one new model, entry by entry."""
    n = len(D)
    grand = sum(D[i][k] ** 2 for i in range(n) for k in range(n)) / n**2
    average = sum(x**2 for x in delta) / n
    b = [-0.5 * (delta[i] ** 2 - average - sum(x**2 for x in D[i]) / n + grand) for i in range(n)]
    return np.array(b), average - grand / 2


def bordered(y, psi, b, beta):
    """g(y), with its gradient."""
    residual, rest = psi @ y - b, y @ y - beta
    return 2 * residual @ residual + rest**2, 4 * psi.T @ residual + 4 * rest * y


def point_stress(y, psi, delta):
    return ((np.linalg.norm(y - psi, axis=1) - delta) ** 2).sum()


def least(function, starts, *arguments, gradient=False):
    """Return the least value that SciPy finds from any of the starts."""
    return min(
        minimize(function, start, arguments, jac=gradient, method="BFGS", options={"gtol": 1e-10}).fun
        for start in starts
    )


# Six points of rank 2 and five new ones, in the plane and off it.
PLANE = RNG.normal(size=(6, 2))
FRAME = np.column_stack([PLANE, np.zeros(6)])
FLAT = np.column_stack([2 * RNG.normal(size=(5, 2)), np.zeros(5)])
OFF = FLAT + np.array([0.0, 0.0, 1.5])


@pytest.mark.parametrize("convention", [DEFAULT, A24, A25, Convention("none", 1.5)], ids=lambda c: c.label)
def test_cross_dissimilarities_are_a_block_of_all_dissimilarities(convention):
    means = RNG.normal(size=(5, 3, 2))
    found = cross_dissimilarities(means[:2], means[2:], convention)
    np.testing.assert_array_equal(found, dissimilarities(means, convention)[:2, 2:])
    expected = reference.dissimilarities(means.tolist(), convention.normalisation, convention.exponent)
    np.testing.assert_allclose(found, expected[:2, 2:], rtol=1e-14)
    assert float(cross_dissimilarities(means[1:2], means, convention)[0, 1]) == 0.0


def test_cross_dissimilarities_in_blocks_of_columns():
    first, second = RNG.normal(size=(2, 1, 30_001)), RNG.normal(size=(3, 1, 30_001))
    expected = np.linalg.norm(first - second[:, 0][None], axis=2)
    np.testing.assert_allclose(cross_dissimilarities(first, second, Convention("none")), expected, rtol=1e-13)


@pytest.mark.parametrize("rule", RULES)
def test_exact_in_the_affine_span_at_the_rank(rule):
    D, new = distances(FRAME, FRAME), distances(FLAT, FRAME)
    psi = np.asarray(classical_mds(D, 2).configuration)
    # The motion that takes the points to their classical configuration takes the new ones to their places.
    motion = np.linalg.lstsq(PLANE - PLANE.mean(axis=0), psi, rcond=None)[0]
    placed = PLACEMENTS[rule](D, new, 2)
    expected = (FLAT[:, :2] - PLANE.mean(axis=0)) @ motion
    np.testing.assert_allclose(placed.configuration, expected, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_allclose(distances(np.asarray(placed.configuration), psi), new, rtol=1e-12)
    assert float(jnp.abs(placed.off_span).max()) < 1e-12
    assert bool(placed.converged.all())
    assert not bool(placed.tied.any())


def test_gower_is_the_projection_of_the_new_mean_on_the_principal_axes():
    means, new = RNG.normal(size=(6, 2, 4)), RNG.normal(size=(5, 2, 4))
    Y = (means - means.mean(axis=0)).reshape(6, 8) / np.sqrt(2)
    z = (new - means.mean(axis=0)).reshape(5, 8) / np.sqrt(2)
    axes = np.linalg.svd(Y)[2][:2].T
    placed = gower_placement(dissimilarities(means), cross_dissimilarities(new, means), 2)
    signs = np.sign((Y @ axes * np.asarray(classical_mds(dissimilarities(means), 2).configuration)).sum(axis=0))
    np.testing.assert_allclose(placed.configuration, z @ axes * signs, atol=1e-13)
    np.testing.assert_allclose(placed.off_span, (z**2).sum(axis=1) - ((z @ axes) ** 2).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("power", [1.0, 0.5], ids=["e = 1", "e = 1/2"])
@pytest.mark.parametrize("d", [1, 2, 4])
def test_gower_returns_the_frames_own_models_whatever_the_dimension(d, power):
    D = distances(FRAME, FRAME) ** power
    psi = classical_mds(D, d).configuration
    placed = gower_placement(D, D, d)
    # Beyond the rank (2 at e = 1) a fitted column is rounding, up to 1e-8, and a placed one 0.
    np.testing.assert_allclose(placed.configuration, psi, atol=1e-12 if d <= 2 or power < 1 else 1e-7)
    other = np.asarray(trosset_priebe_placement(D, D, d).configuration)
    if power == 1 and d >= 2:
        np.testing.assert_allclose(other, psi, atol=1e-7)
    else:
        assert np.abs(other - np.asarray(psi)).max() > 1e-3


def hard_cases():
    """Frames and new dissimilarities, d = 2, n = 6: Euclidean or not, and where the secular equation is hard."""
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1], [1, 0], [-1, 0]])  # b = 0 above its centre
    centre = np.array([[0.0, 0.0, 9.0]])
    hexagon = np.array([[np.cos(t), np.sin(t)] for t in np.pi / 3 * np.arange(6)])  # lambda_1 = lambda_2
    line = np.column_stack([np.arange(6.0), np.zeros(6)])  # rank 1 < d
    wild = RNG.uniform(0.5, 3.0, size=(6, 6))
    wild = np.triu(wild, 1) + np.triu(wild, 1).T

    def euclidean(points, new):
        points = np.column_stack([points, np.zeros(6)])
        return distances(points, points), distances(new, points)

    yield "in the plane", *euclidean(PLANE, FLAT)
    yield "off the plane", *euclidean(PLANE, OFF)
    yield "far off the plane", *euclidean(PLANE, OFF * np.array([[1.0, 1.0, 20.0]]))
    yield "exponent 1/2", *(np.sqrt(x) for x in euclidean(PLANE, OFF))
    yield "no distances", wild, RNG.uniform(0.1, 3.0, size=(5, 6))
    yield "above the centre", *euclidean(square, centre)
    yield "a circle of minimisers", *euclidean(hexagon, centre)
    yield "above the rank", *euclidean(line, np.array([[1.0, 2.0, 0.0], [7.0, -1.0, 0.0], [2.5, 0.0, 4.0]]))


TIED = {"above the centre", "a circle of minimisers", "above the rank"}


@pytest.mark.parametrize(("name", "D", "new"), list(hard_cases()), ids=lambda x: x if isinstance(x, str) else "")
def test_trosset_priebe_is_the_global_minimum(name, D, new):
    psi = np.asarray(classical_mds(D, 2).configuration)
    placed = trosset_priebe_placement(D, new, 2)
    assert bool(placed.converged.all())
    for row, delta in enumerate(new):
        b, beta = inner_products(D.tolist(), delta.tolist())
        y = np.asarray(placed.configuration[row])
        value, scale = bordered(y, psi, b, beta)[0], (abs(beta) + np.abs(b).max()) ** 2
        assert float(placed.objective[row]) == pytest.approx(value, abs=1e-12 * scale)
        reach = 1.5 * np.sqrt(abs(beta) + 1)
        grid = reach * np.array(list(itertools.product(np.linspace(-1, 1, 41), repeat=2)))
        assert value <= min(bordered(z, psi, b, beta)[0] for z in grid)
        starts = reach * RNG.normal(size=(6, 2))
        assert value <= least(bordered, starts, psi, b, beta, gradient=True) + 1e-12 * scale
        # A tie is another place that is as good; of the two, the one that is positive in the last column is returned.
        assert bool(placed.tied[row]) == (name in TIED)
        mirror = np.asarray(placed.other[row])
        assert bordered(mirror, psi, b, beta)[0] == pytest.approx(value, abs=1e-10 * scale)
        assert y[1] > 0 and mirror[1] == -y[1] if name in TIED else (y == mirror).all()


def test_the_rules_part_within_the_bound_and_the_bound_is_attained():
    D = distances(FRAME, FRAME)
    psi = np.asarray(classical_mds(D, 2).configuration)
    lowest = (psi**2).sum(axis=0)[-1]
    directions = RNG.normal(size=(50, 2)) * 10 ** RNG.uniform(-4, 1, size=(50, 1))
    directions[0] = [0.0, 1e-6]
    for ratio in (1e-6, 0.1, 0.5, 0.9):
        new = np.sqrt(distances(directions, psi) ** 2 + ratio * lowest)
        flat = np.asarray(gower_placement(D, new, 2).configuration)
        pushed = trosset_priebe_placement(D, new, 2)
        np.testing.assert_allclose(flat, directions, atol=1e-11)
        np.testing.assert_allclose(pushed.off_span, ratio * lowest, rtol=1e-6, atol=1e-12)
        shares = np.linalg.norm(np.asarray(pushed.configuration) - flat, axis=1) / np.linalg.norm(flat, axis=1)
        assert shares.max() <= ratio / (1 - ratio) * (1 + 1e-6) + 1e-10
        assert shares[0] == pytest.approx(ratio / (1 - ratio), rel=1e-4)
        assert not bool(pushed.tied.any())


def test_jit_and_vmap_are_the_loop():
    D = np.stack([distances(FRAME, FRAME), distances(FRAME, FRAME) ** 0.5])
    new = np.stack([distances(OFF, FRAME), distances(OFF, FRAME) ** 0.5])
    for place in PLACEMENTS.values():
        together = jax.jit(jax.vmap(lambda a, b, place=place: place(a, b, 2)))(D, new)
        for k in range(2):
            one = place(D[k], new[k], 2)
            np.testing.assert_allclose(together.configuration[k], one.configuration, atol=1e-12)
            np.testing.assert_allclose(together.off_span[k], one.off_span, atol=1e-12)
            np.testing.assert_array_equal(together.tied[k], one.tied)
            # Each model by itself: its companions change nothing.
            np.testing.assert_allclose(place(D[k], new[k][2:3], 2).configuration[0], one.configuration[2], atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_edges_of_the_classical_rules(rule):
    zero = PLACEMENTS[rule](np.zeros((6, 6)), np.array([[0.0] * 6, [2.0] * 6]), 2)
    height = 2.0 if rule == "trosset-priebe" else 0.0  # g is least on the circle of radius 2
    np.testing.assert_allclose(zero.configuration, [[0.0, 0.0], [0.0, height]], atol=1e-14)
    np.testing.assert_allclose(zero.off_span, [0.0, 4.0], atol=1e-14)
    assert zero.tied.tolist() == [False, height > 0]
    two = PLACEMENTS[rule](np.array([[0.0, 2.0], [2.0, 0.0]]), np.array([[np.sqrt(8.0), 2.0]]), 1)
    np.testing.assert_allclose(two.configuration, [[-1.0 if rule == "gower" else -2.0]], atol=1e-14)

    # Far away, to the digits that squared dissimilarities keep.
    D, far = distances(FRAME, FRAME), FLAT + np.array([1e5, -2e5, 0.0])
    placed = PLACEMENTS[rule](D, distances(far, FRAME), 2)
    psi = np.asarray(classical_mds(D, 2).configuration)
    np.testing.assert_allclose(distances(np.asarray(placed.configuration), psi), distances(far, FRAME), rtol=1e-9)
    assert bool(placed.converged.all())
    assert not bool(placed.tied.any())

    base = PLACEMENTS[rule](D, distances(OFF, FRAME), 2)
    for unit in (1e-50, 1e50):
        scaled = PLACEMENTS[rule](unit * D, unit * distances(OFF, FRAME), 2)
        np.testing.assert_allclose(scaled.configuration / unit, base.configuration, rtol=1e-10)


def test_places_follow_the_axes_of_a_given_configuration():
    D, new = distances(FRAME, FRAME), distances(OFF, FRAME)
    psi = classical_mds(D, 2).configuration * jnp.array([[-1.0, 1.0]])
    for rule in RULES:
        turned = classical_placement(psi, D, new, rule).configuration
        expected = PLACEMENTS[rule](D, new, 2).configuration * jnp.array([[-1.0, 1.0]])
        np.testing.assert_allclose(turned, expected, atol=1e-14)


def test_one_point_stress_on_a_line_is_the_best_of_all_sign_patterns():
    psi = RNG.normal(size=(40, 6))
    psi[0, 1] = psi[0, 3]  # coincident models
    new = np.abs(RNG.normal(size=(40, 6)))
    placed = jax.vmap(lambda x, delta: raw_stress_placement(x[:, None], delta[None], key=KEY))(psi, new)
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=6)))
    for row in range(40):
        y = (psi[row] + signs * new[row]).mean(axis=1)
        stresses = ((np.abs(y[:, None] - psi[row]) - new[row]) ** 2).sum(axis=1)
        assert float(placed.objective[row, 0]) == pytest.approx(stresses.min(), rel=1e-12)
        np.testing.assert_allclose(y[stresses.argmin()], placed.configuration[row, 0, 0], rtol=1e-12)
    assert bool(placed.converged.all())
    assert not bool(placed.tied.any())
    assert (np.asarray(placed.reached) == 1).all()
    # Symmetric distances: both sides are as good, and the larger is returned.
    psi, delta = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])[:, None], np.full((1, 6), 3.0)
    both = raw_stress_placement(psi, delta, key=KEY)
    assert bool(both.tied[0])
    assert float(both.configuration[0, 0]) > 0
    np.testing.assert_allclose(both.other, -both.configuration, rtol=1e-12)


def test_one_point_stress_in_the_plane_is_never_worse_than_scipy():
    exact = distances(FLAT, FRAME)
    others = [np.abs(exact + RNG.normal(size=(5, 6))), RNG.uniform(0, 4, size=(5, 6)), np.zeros((1, 6))]
    new = np.concatenate([exact, *others])
    placed = raw_stress_placement(PLANE, new, key=KEY)
    assert bool(placed.converged.all())
    for row, delta in enumerate(new):
        y, value = np.asarray(placed.configuration[row]), float(placed.objective[row])
        assert value == pytest.approx(point_stress(y, PLANE, delta), abs=1e-12)
        assert value <= least(point_stress, 2 * RNG.normal(size=(8, 2)), PLANE, delta) + 1e-10
        if bool(placed.tied[row]):
            assert point_stress(np.asarray(placed.other[row]), PLANE, delta) == pytest.approx(value, abs=1e-8)
    # Exact distances to points that span the plane give the point, and Gower's of the same frame is its first start.
    np.testing.assert_allclose(placed.configuration[:5], FLAT[:, :2], atol=1e-11)
    np.testing.assert_allclose(placed.off_span[:5], 0.0, atol=1e-12)
    # Where a model is placed does not depend on the others, nor on the unit, nor on where the frame lies.
    alone = raw_stress_placement(PLANE + 7.0, new[5:6], key=KEY)
    np.testing.assert_allclose(alone.configuration[0] - 7.0, placed.configuration[5], atol=1e-11)
    small = raw_stress_placement(1e-40 * PLANE, 1e-40 * new[5:6], key=KEY)
    np.testing.assert_allclose(1e40 * small.configuration[0], placed.configuration[5], atol=1e-11)


def test_one_point_stress_flags_mirror_images_and_circles():
    line = np.column_stack([np.arange(6.0), np.zeros(6)])
    new = distances(np.array([[1.0, 2.0], [7.0, -1.0], [2.2, 0.0], [3.0, 0.0]]), line)
    placed = raw_stress_placement(line, new, key=KEY)
    np.testing.assert_allclose(np.abs(placed.configuration), [[1, 2], [7, 1], [2.2, 0], [3, 0]], atol=1e-3)
    assert placed.tied.tolist() == [True, True, False, False]
    assert bool(placed.converged.all())
    np.testing.assert_allclose(placed.configuration[:2] * np.array([[1.0, -1.0]]), placed.other[:2], atol=1e-10)
    # All models in one place: any point at the mean distance.
    around = raw_stress_placement(np.zeros((6, 2)), np.arange(6.0)[None], key=KEY)
    assert float(jnp.linalg.norm(around.configuration)) == pytest.approx(2.5)
    assert bool(around.tied[0])
    assert bool(around.converged[0])


def test_one_start_may_fail_to_see_a_tie_and_says_how_many_reached():
    line = np.column_stack([np.arange(6.0), np.zeros(6)])
    new = distances(np.array([[1.0, 2.0]]), line)
    one = raw_stress_placement(line, new, key=KEY, starts=1)
    assert int(one.reached[0]) == 1
    assert not bool(one.tied[0])
    # It started on the line, a saddle, and left it.
    np.testing.assert_allclose(np.abs(one.configuration), [[1.0, 2.0]], atol=1e-10)


D6, NEW = distances(FRAME, FRAME), distances(OFF, FRAME)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gower_placement(D6, NEW[:, :4], 2), r"new: got shape \(5, 4\); it must be \(q, n\) with n = 6"),
        (lambda: gower_placement(D6, NEW[0], 2), r"new: got 1 axes \(6,\); it must have 2, \(q, n\)"),
        (lambda: gower_placement(D6, NEW[:0], 2), "new: axis q is empty"),
        (lambda: trosset_priebe_placement(D6, -NEW, 2), "new: the smallest entry is -[0-9.]+; dissimilarities are at"),
        (lambda: trosset_priebe_placement(D6, NEW * np.nan, 2), r"new: 30 values not finite, the first at \[0, 0\]"),
        (lambda: trosset_priebe_placement(D6, NEW * np.inf, 2), "new: 30 values not finite"),
        (lambda: gower_placement(D6, NEW, 6), "got 6 for n = 6 models; it must be below n"),
        (lambda: gower_placement(NEW, NEW, 2), "dissimilarities: got shape"),
        (lambda: classical_placement(FRAME[:4], D6, NEW), "configuration: got n = 4; dissimilarities have n = 6"),
        (lambda: classical_placement(FRAME, D6, NEW, "nystrom"), "rule: got 'nystrom'; it must be one of gower, tross"),
        (lambda: raw_stress_placement(PLANE, -NEW, key=KEY), "new: the smallest entry"),
        (
            lambda: raw_stress_placement(PLANE, NEW, key=KEY, starts=0),
            "starts: got 0; it must be a whole number of at least 1",
        ),
        (lambda: raw_stress_placement(PLANE, NEW, key=3), "key: got 3; it must be one typed key"),
        (lambda: raw_stress_placement(PLANE * np.inf, NEW, key=KEY), "configuration: 12 values not finite"),
        (
            lambda: cross_dissimilarities(np.zeros((1, 2, 3)), np.zeros((4, 2, 2))),
            r"new_means: got \(m, p\) = \(2, 3\)",
        ),
        (lambda: cross_dissimilarities(np.zeros((1, 2)), np.zeros((4, 2, 2))), "new_means: got 2 axes"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
