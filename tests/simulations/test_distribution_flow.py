"""The flow of distributions: masses against a grid and exact cases, anchors, and what the page shows of them."""

from __future__ import annotations

import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from dkps_theory._validate import InputError
from dkps_theory.information.mixture import Mixture
from dkps_theory.monte_carlo import study_key
from simulations.config import configured
from simulations.grid import Cell
from simulations.runner import run_study
from simulations.studies import _distribution_flow as numerics
from simulations.studies import _distribution_flow_page as page
from simulations.studies._kl_gap_exact import ready
from simulations.studies.distribution_flow import DESIGNS, LAWS, STUDY, SWEEPS

#: One shape for all laws, so that they share compiled code.
measured = jax.jit(lambda one, laws: numerics.measured(one, laws, DRAWS))
DRAWS = 20_000
#: Two-sided normal tail 1e-8: six numbers of a test raise a false alarm with probability 6e-8.
FAR = 5.73


def flow_of(design: str = "corrected d=2", sweep: str = "J", value: float = 2) -> numerics.Flow:
    return numerics.prepare(Cell("one", factors={"design": design, "sweep": sweep, "value": value}), STUDY.axes)


def key(name: str):
    return study_key(0, f"test-distribution-flow/{name}")


# Masses


def small_laws() -> numerics.Laws:
    """Overlapping components of unequal weight, and an absent one that lies where the others are."""
    anchors = Mixture([0.6, 0.4, 0.0], [[0, 0], [2, 1], [1, 1]], [[[1, 0.3], [0.3, 0.5]], np.eye(2), 9 * np.eye(2)])
    truth = Mixture([0.3, 0.3, 0.4], [[0, 0], [2, 1], [-2, 2]], [[[1, 0.3], [0.3, 0.5]], np.eye(2), 0.3 * np.eye(2)])
    spread = [[[0.8, 0.2], [0.2, 0.6]], 0.7 * np.eye(2), [[2, -1], [-1, 1.5]]]
    return numerics.Laws(anchors, truth, Mixture([0.2, 0.3, 0.5], [[0.2, 0.1], [1.8, 1], [1, -2]], spread))


def on_a_grid(p: Mixture, q: Mixture, points: np.ndarray) -> dict[str, float]:
    """Missed, added and total variation as shares of points on a grid, weighted by densities from SciPy."""

    def density_and_region(law):
        density, inside = np.zeros(len(points)), np.zeros(len(points), bool)
        for weight, mean, covariance in zip(*map(np.asarray, (law.weights, law.means, law.covariances)), strict=True):
            if weight > 0:
                density += weight * stats.multivariate_normal(mean, covariance).pdf(points)
                shift = points - mean
                inside |= np.einsum("ni,ij,nj->n", shift, np.linalg.inv(covariance), shift) <= -2 * np.log(0.05)
        return density, inside

    (f, in_p), (g, in_q) = density_and_region(p), density_and_region(q)
    return {
        "missed": (f * (in_p & ~in_q)).sum() / f.sum(),
        "added": (g * (in_q & ~in_p)).sum() / g.sum(),
        "variation": 0.5 * np.abs(f / f.sum() - g / g.sum()).sum(),
    }


def test_masses_are_those_on_a_grid():
    laws = small_laws()
    found = measured(key("grid"), laws)
    axis = np.linspace(-9, 9, 451)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    for k, law in enumerate((laws.anchors, laws.truth)):
        expected = on_a_grid(law, laws.synthetic, points)
        for name, value in expected.items():
            se = float(found[f"{name}_se"][k])
            assert 0 < se < 0.01
            # A grid of step 0.04 knows the mass within an edge to 0.003.
            assert abs(float(found[name][k]) - value) < FAR * se + 0.003, (name, LAWS[k])


def shifted_laws() -> numerics.Laws:
    """Two Gaussians whose draws from one key would be mirror images, so that their errors would cancel."""
    near = Mixture([1.0, 0.0, 0.0], np.zeros((3, 2)), [np.eye(2)] * 3)
    return numerics.Laws(near, near, Mixture([1.0, 0.0, 0.0], [[2, 0], [0, 0], [0, 0]], [np.eye(2)] * 3))


repeated = jax.jit(jax.vmap(lambda one, laws: numerics.measured(one, laws, 500), (0, None)))


@pytest.mark.parametrize("laws", [small_laws, shifted_laws])
def test_standard_errors_are_those_of_repeated_simulation(laws):
    """400 runs: a ratio of variances beyond 1/1.5 or 1.6 has probability below 1e-8 (chi-square), were runs normal."""
    found = repeated(jax.random.split(key("errors"), 400), laws())
    for name in page.QUANTITIES:
        ratio = (found[f"{name}_se"] ** 2).mean(axis=0) / np.var(found[name], axis=0, ddof=1)
        # Strata are at least as good as said, with 500 draws not much better.
        assert (ratio > 1 / 1.5).all(), name
        assert (ratio < 1.6).all(), name


def test_a_generator_that_is_the_law_of_the_anchors_misses_and_adds_nothing():
    anchors = small_laws().anchors
    found = measured(key("same"), numerics.Laws(anchors, small_laws().truth, anchors))
    assert float(found["missed"][0]) == float(found["added"][0]) == float(found["variation"][0]) == 0
    # The anchors' components are among the truth's, so nothing is added to the truth, and its third is missed.
    assert float(found["added"][1]) == 0
    assert float(found["missed"][1]) == pytest.approx(0.4 * 0.95, abs=0.02)


def test_laws_that_lie_far_apart_miss_and_add_all_of_a_region():
    near = Mixture([0.0, 1.0, 0.0], np.zeros((3, 2)), [np.eye(2)] * 3)
    far = Mixture([0.0, 1.0, 0.0], np.full((3, 2), 100.0), [np.eye(2)] * 3)
    found = measured(key("far"), numerics.Laws(near, near, far))
    np.testing.assert_allclose(found["variation"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found["variation_se"], 0.0, atol=1e-12)
    for name in ("missed", "added"):  # 0.95 of the law, binomial: six standard errors
        np.testing.assert_allclose(found[name], 0.95, atol=6 * np.sqrt(0.95 * 0.05 / DRAWS))


@pytest.mark.parametrize("d", [1, 8])
def test_a_region_ends_where_the_distance_of_mahalanobis_does(d):
    generator = np.random.default_rng(d)
    A = generator.normal(size=(d, d))
    law = Mixture([1.0], generator.normal(size=(1, d)), (A @ A.T + 0.1 * np.eye(d))[None])
    direction = generator.normal(size=(d, 50))
    edge = np.linalg.cholesky(np.asarray(law.covariances)[0]) @ (direction / np.linalg.norm(direction, axis=0))
    radius = np.sqrt(stats.chi2.ppf(0.95, d))
    for scale, expected in ((0.999, True), (1.001, False)):
        points = np.asarray(law.means).T + scale * radius * edge
        inside, density = numerics.placed(ready([law])[0], jnp.asarray(points))
        assert (np.asarray(inside) == expected).all()
        np.testing.assert_allclose(
            density,
            stats.multivariate_normal(np.asarray(law.means)[0], np.asarray(law.covariances)[0]).logpdf(points.T),
            rtol=1e-9,
        )


# Worlds


@eqx.filter_jit
def made(one, flow):
    truth, generator = numerics.drawn(one, flow)
    return truth, generator, numerics.laws_of(flow, truth, generator)


@pytest.fixture(scope="module")
def fifty():
    """A world with 50 of 3,200 anchors by component, and noise."""
    flow = flow_of(sweep="anchors", value=50)
    return numerics.Flow(flow.world, flow.anchors, jnp.asarray(0.5))


def test_the_law_of_a_synthetic_point_is_the_generator_with_noise(fifty):
    truth, generator, laws = jax.tree.map(np.asarray, made(key("made"), fifty))
    there = generator.weights > 0
    np.testing.assert_allclose(
        laws.synthetic.covariances[there], generator.covariances[there] + 0.25 * np.eye(2), rtol=1e-12
    )
    np.testing.assert_allclose(laws.anchors.weights[:3], [0.5, 0.5, 0.0])
    np.testing.assert_array_equal(laws.truth.means, truth.means)
    np.testing.assert_allclose(laws.truth.weights[:5], [0.25, 0.25, 0.25, 0.25, 0.0])
    np.testing.assert_array_equal(generator.means[2:4], truth.means[2:4])


def test_a_number_of_anchors_takes_the_first_ones(fifty):
    assert int(fifty.anchors) == 100
    assert fifty.world.anchor_total == 2 * max(SWEEPS["anchors"])
    truth, generator, _ = made(key("made"), fifty)
    sample = fifty.anchored(jax.random.split(key("made"))[1], truth)
    assert int(sample.present.sum()) == 100
    points, labels = np.asarray(sample.points)[:100], np.asarray(sample.labels)[:100]
    for c in (0, 1):
        np.testing.assert_allclose(generator.means[c], points[labels == c].mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(
            generator.covariances[c], np.cov(points[labels == c].T) + 1e-6 * np.eye(2), rtol=1e-9
        )


def test_labels_are_that_far_apart():
    np.testing.assert_allclose(numerics.truth(flow_of(sweep="L", value=8))["label_variation"], [10 / 12, 8 / 12])
    np.testing.assert_allclose(numerics.truth(flow_of(sweep="K", value=8))["label_variation"], [4 / 12, 2 / 12])


# The page


def test_far_apart_is_the_share_of_labels():
    assert page.far_apart("added", 0.4) == pytest.approx(0.38)
    assert page.far_apart("variation", 0.4) == 0.4
    assert page.far_apart("missed", 0.4) == 0


def test_an_outline_has_the_level_on_it():
    covariance = np.array([[2.0, 0.7], [0.7, 0.5]])
    shift = page.outline(np.array([3.0, -1.0]), covariance) - [3.0, -1.0]
    distance = np.einsum("ni,ij,nj->n", shift, np.linalg.inv(covariance), shift)
    np.testing.assert_allclose(distance, numerics.threshold(2), rtol=1e-9)


@pytest.mark.parametrize("design", [name for name, (_, d) in DESIGNS.items() if d == 2])
def test_the_picture_shows_each_part_where_it_is(design):
    shown = page.picture(design, 0)
    assert shown.truth_roles == ("K", "K", "J", "J")
    assert shown.generator_roles == ("K", "K", "J", "J", "L", "L")
    np.testing.assert_array_equal(shown.generator[0][2:4], shown.truth[0][2:4])
    np.testing.assert_array_equal(shown.generator[1][2:4], shown.truth[1][2:4])
    assert np.abs(shown.generator[0][:2] - shown.truth[0][:2]).max() > 0
    # Foreign components have covariances of their own.
    assert np.abs(shown.generator[1][4:] - np.eye(2)).max(axis=(1, 2)).min() > 1e-3
    assert len(shown.anchors) == 100
    assert len(shown.synthetic) == len(shown.synthetic_roles) == 200
    # Points lie near the component whose role they have: 200 draws beyond 60 have probability 2e-11.
    for point, role in zip(shown.synthetic, shown.synthetic_roles, strict=True):
        near = min(
            (point - mean) @ np.linalg.solve(covariance, point - mean)
            for mean, covariance, own in zip(*shown.generator, shown.generator_roles, strict=True)
            if own == role
        )
        assert near < 60


# The study


@pytest.fixture(scope="module")
def store():
    settings = {
        "design": ["corrected d=2"],
        "sweep": ["J", "L", "anchors", "noise"],
        "value": [0, 2, 50, 3200],
        "batch_size": 60,
    }
    return run_study(configured(STUDY, settings), replicates=60, pin=False)


def test_what_is_missed_is_estimated_components_and_what_is_foreign_is_added(store):
    assert not store.failures()
    mean = {(p.sweep, p.value, p.quantity, p.law): p.mean for p in page.points(store)}
    # Means of 60 with spreads of 0.015, 0.015, 0.1 and 0.01: margins of six standard errors.
    assert 0.005 < mean["J", 2, "missed", "anchors"] < 0.04
    assert mean["anchors", 3200, "missed", "anchors"] < mean["anchors", 50, "missed", "anchors"] / 3
    assert mean["L", 0, "added", "truth"] < 0.03
    assert mean["L", 2, "added", "truth"] > 0.15
    assert mean["L", 0, "added", "anchors"] > 0.3
    for law in LAWS:
        assert mean["noise", 2, "missed", law] < 1e-3
        assert mean["noise", 2, "added", law] > 0.6


def test_points_hold_means_with_their_errors(store):
    found = page.points(store)
    cells = {("J", 0.0), ("J", 2.0), ("L", 0.0), ("L", 2.0), ("anchors", 50.0), ("anchors", 3200.0), ("noise", 2.0)}
    assert {(p.sweep, p.value) for p in found} == cells
    for p in found:
        assert (p.apart is None) == (p.sweep == "noise")
        assert p.simulation_se < 0.01
    one = next(p for p in found if (p.sweep, p.value, p.quantity, p.law) == ("L", 0.0, "added", "anchors"))
    values, errors = (store.values(name, 2, (0,)) for name in ("added", "added_se"))
    assert one.mean == pytest.approx(values.mean())
    assert one.se == pytest.approx(values.std(ddof=1) / np.sqrt(60))
    assert one.simulation_se == pytest.approx(np.sqrt((errors**2).sum()) / 60)
    assert one.apart == pytest.approx(0.95 * 2 / 4)


def test_the_page_has_the_picture_the_curves_and_the_table(store):
    shown = page.section(store)
    assert shown is not None
    text = "".join(map(str, shown.blocks))
    assert text.count("<svg") == 2
    assert "what is missed is estimation error" in text
    assert "Table: corrected d=2" in text


def test_the_study_imports_no_jax_and_has_its_cells():
    assert len(STUDY.cells) == 3 * 18 + 2 * 4
    code = "import sys, simulations.studies.distribution_flow; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("factors", "axes", "message"),
    [
        ({"sweep": "Q"}, {}, "sweep"),
        ({"sweep": "noise", "value": -1.0}, {}, "noise: got -1"),
        ({"sweep": "L", "value": 2.5}, {}, "L: got 2.5"),
        ({"sweep": "anchors", "value": 0}, {}, "anchors: got 0"),
        ({"sweep": "K", "value": 0}, {}, "K: got 0"),
        ({}, {"law": ("anchors",)}, "law"),
        ({}, {"law": ("anchors", "truths")}, "did you mean 'truth'"),
    ],
)
def test_what_does_not_fit_is_refused(factors, axes, message):
    cell = Cell("one", factors={"design": "corrected d=2", "sweep": "J", "value": 2, **factors})
    with pytest.raises(InputError, match=message):
        numerics.prepare(cell, {**STUDY.axes, **axes})
