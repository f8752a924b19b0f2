"""Every closed form of the linear-Gaussian world against a simulation that follows the process line by line."""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import numpy as np
import pytest
from scipy import integrate, stats

from dkps_theory._gaussian import total_variation_on_line
from dkps_theory._validate import InputError
from dkps_theory.information.gaussian_world import LinearGaussianWorld
from dkps_theory.information.reverse_bottleneck import side_by_side

#: All numbers different, so that none can stand for another.
WORLD = LinearGaussianWorld(
    anchors=2,
    synthetic=3,
    data_variance=1.3,
    prompt_variance=0.4,
    prompt_gain=0.8,
    factor_variance=0.7,
    factor_gain=-1.2,
    factor_mean=0.5,
    curation_variance=0.3,
    training_variance=0.2,
    anchor_training_variance=0.6,
    loss_range=2.0,
    loss_width=1.5,
)
#: False-alarm probability of one two-sided comparison at this threshold: 2e-9.
Z = 6.0


def simulate(world: LinearGaussianWorld, size: int, seed: int) -> dict[str, np.ndarray]:
    """Draw the process as it is described, and fresh points beside it."""
    draw = np.random.default_rng(seed).normal
    m, n = world.anchors, world.synthetic
    s_anchor = math.sqrt(world.data_variance) * draw(size=(size, m))
    p = s_anchor.mean(1, keepdims=True) + math.sqrt(world.prompt_variance) * draw(size=(size, 1))
    h = world.prompt_gain * p
    e_m = world.factor_mean + math.sqrt(world.factor_variance) * draw(size=(size, n))
    g = world.factor_gain * e_m
    eps = math.sqrt(world.curation_variance) * draw(size=(size, n))
    s_gen = h + g + eps
    w = s_gen.mean(1, keepdims=True) + math.sqrt(world.training_variance) * draw(size=(size, 1))
    w_anchor = s_anchor.mean(1, keepdims=True) + math.sqrt(world.anchor_training_variance) * draw(size=(size, 1))

    def fresh(h: np.ndarray) -> np.ndarray:
        factor = world.factor_mean + math.sqrt(world.factor_variance) * draw(size=(size, 1))
        return h + world.factor_gain * factor + math.sqrt(world.curation_variance) * draw(size=(size, 1))

    drawn = {"S_anchor": s_anchor, "p": p, "e_p": p, "h": h, "e_M": e_m, "g": g, "M": h + g, "eps": eps}
    drawn |= {"S_gen": s_gen, "W": w, "W_anchor": w_anchor}
    drawn["fresh"] = math.sqrt(world.data_variance) * draw(size=(size, 1))
    drawn["fresh_given_p"] = fresh(h)
    other = math.sqrt(world.data_variance / m + world.prompt_variance) * draw(size=(size, 1))
    drawn["fresh_marginal"] = fresh(world.prompt_gain * other)
    return drawn


@functools.cache
def simulated() -> dict[str, np.ndarray]:
    return simulate(WORLD, 100_000, seed=5)


def loss(world: LinearGaussianWorld, w: np.ndarray, z: np.ndarray) -> np.ndarray:
    return world.loss_range * (1 - np.exp(-np.square(w - z) / (2 * world.loss_width**2))).mean(axis=1)


def z_score(values: np.ndarray, claimed: float) -> float:
    return abs(values.mean() - claimed) / (values.std(ddof=1) / math.sqrt(len(values)))


def test_means_and_covariances_are_those_of_the_process():
    """20 means and 20 x 20 second moments at Z: false alarms below 1e-6 in all."""
    names = list(WORLD.law.coefficients)
    rows = np.concatenate([simulated()[name] for name in names], axis=1)
    centred = rows - WORLD.law.mean(names)[None]
    size = len(rows)
    assert np.all(np.abs(centred.mean(0)) < Z * centred.std(0) / math.sqrt(size))
    second = centred.T @ centred / size
    fourth = np.square(centred).T @ np.square(centred) / size
    assert np.all(np.abs(second - WORLD.law.covariance(names)) < Z * np.sqrt((fourth - second**2) / size))


def test_mean_losses_are_those_of_the_process():
    """Ten comparisons at Z: false alarms below 1e-7 in all; standard errors near 0.002 at losses near 1."""
    drawn = simulated()
    true, empirical = loss(WORLD, drawn["W"], drawn["fresh"]), loss(WORLD, drawn["W"], drawn["S_gen"])
    given, marginal = (loss(WORLD, drawn["W"], drawn[f"fresh_{name}"]) for name in ("given_p", "marginal"))
    anchor_true = loss(WORLD, drawn["W_anchor"], drawn["fresh"])
    anchor_empirical = loss(WORLD, drawn["W_anchor"], drawn["S_anchor"])
    claimed = [
        (true, WORLD.true_risk),
        (empirical, WORLD.empirical_risk),
        (true - empirical, WORLD.generalization_error),
        (given, WORLD.generated_risk()),
        (marginal, WORLD.generated_risk(given_prompt=False)),
        (given - empirical, WORLD.generated_error()),
        (marginal - empirical, WORLD.generated_error(given_prompt=False)),
        (anchor_true, WORLD.anchor_true_risk),
        (anchor_empirical, WORLD.anchor_empirical_risk),
        (anchor_true - anchor_empirical, WORLD.anchor_generalization_error),
    ]
    assert max(z_score(values, float(number)) for values, number in claimed) < Z


def test_a_bounded_loss_has_a_mean_in_closed_form():
    """Against quadrature, at several means and variances of w - z."""
    for mean, variance in ((0.0, 0.1), (2.0, 3.0), (-5.0, 0.5), (0.3, 40.0)):
        width = 12 * math.sqrt(variance)
        expected, _ = integrate.quad(
            lambda u: stats.norm.pdf(u, mean, math.sqrt(variance)) * 2.0 * (1 - math.exp(-(u**2) / (2 * 1.5**2))),  # noqa: B023
            mean - width,
            mean + width,
            points=[mean, 0.0],
            limit=200,
        )
        assert WORLD._mean_loss(mean, variance) == pytest.approx(expected, abs=1e-8)


def test_informations_have_the_closed_forms_of_the_module():
    w, n, m = WORLD, WORLD.synthetic, WORLD.anchors
    k = w.prompt_gain**2 * (w.data_variance / m + w.prompt_variance)
    b = w.factor_gain**2 * w.factor_variance
    point = b + w.curation_variance

    def power(x: float) -> float:
        return 0.5 * math.log(x)

    scale = 2 * math.pi * math.e
    expected = {
        w.information_gain: n * power(scale * b),
        w.model_entropy: n * power(scale * w.factor_variance),
        w.synthetic_information: power(1 + (k + point / n) / w.training_variance),
        w.anchor_information: power(1 + w.data_variance / (m * w.anchor_training_variance)),
        w.law.mutual_information("S_anchor", "p"): power(1 + w.data_variance / (m * w.prompt_variance)),
        w.law.mutual_information("h", "M"): power(1 + n * k / b),
        w.b_syn: power(1 + k / (point / n + w.training_variance))
        + power(1 + b / n / (k + w.curation_variance / n + w.training_variance)),
        w.law.entropy("S_gen"): power(scale**n * point ** (n - 1) * (point + n * k)),
        w.delta_entropy: power(scale**m * w.data_variance**m) - power(scale**n * point ** (n - 1) * (point + n * k)),
    }
    for found, claimed in expected.items():
        assert found == pytest.approx(claimed, abs=1e-11)
    assert w.law.entropy("M") - w.law.mutual_information("h", "M") == pytest.approx(w.information_gain, abs=1e-11)
    assert w.ggmi == w.anchor_information - w.synthetic_information
    assert w.t49_right_side is not None
    assert w.t49_right_side - w.ggmi == pytest.approx(w.t49_slack, abs=1e-11)
    ratio = (1 + w.data_variance / (m * w.prompt_variance)) * b**n / (point ** (n - 1) * (point + n * k))
    assert w.t49_slack == pytest.approx(power(ratio), abs=1e-11)
    assert w.l43_right_side(w.least_delta) == pytest.approx(w.synthetic_information, abs=1e-11)


def test_information_agrees_loosely_with_nearest_neighbours():
    """The mean of S_gen is sufficient for W; scikit-learn's estimate from 4,000 draws has errors near 0.03."""
    from sklearn.feature_selection import mutual_info_regression

    drawn = {name: values[:4000] for name, values in simulated().items()}
    for features, target, claimed in (
        (drawn["S_gen"].mean(1, keepdims=True), "W", WORLD.synthetic_information),
        (drawn["S_anchor"].mean(1, keepdims=True), "W_anchor", WORLD.anchor_information),
        (drawn["S_anchor"].mean(1, keepdims=True), "p", WORLD.law.mutual_information("S_anchor", "p")),
    ):
        found = mutual_info_regression(features, drawn[target][:, 0], n_neighbors=5, random_state=0)[0]
        assert found == pytest.approx(claimed, abs=0.12)


@pytest.mark.parametrize(
    "changes", [{}, {"factor_gain": 1.0, "factor_variance": 1.3}, {"prompt_gain": 30.0}, {"factor_mean": 40.0}]
)
def test_total_variations_in_both_readings(changes):
    world = dataclasses.replace(WORLD, **changes)
    k = world.prompt_gain**2 * (world.data_variance / world.anchors + world.prompt_variance)
    c, b = world.factor_gain * world.factor_mean, world.factor_gain**2 * world.factor_variance
    for method, variance in ((world.tv_model, b), (world.tv_direct, b + world.curation_variance)):
        data = math.sqrt(world.data_variance)
        margin = float(total_variation_on_line(c, data, math.sqrt(k + variance)))
        assert method(given_prompt=False) == margin
        # The midpoint rule over +-9 deviations: with steps h its error is below h^2 times a curvature of order 1 + k,
        # kink included.
        x = (np.arange(400_000) + 0.5) / 400_000 * 18 - 9
        values = total_variation_on_line(c + math.sqrt(k) * x, data, math.sqrt(variance))
        expected = float((values * stats.norm.pdf(x)).sum() * 18 / 400_000)
        assert method() == pytest.approx(expected, abs=1e-7)
        assert margin <= method() + 1e-12  # an average over p is never nearer than the margin
    for given in (True, False):
        assert world.tv_direct(given_prompt=given) <= (
            world.tv_model(given_prompt=given) + world.tv_curation(given_prompt=given) + 1e-12
        )
    for given, between in ((True, 0.0), (False, k)):
        scales = math.sqrt(between + b), math.sqrt(between + b + world.curation_variance)
        grid = np.linspace(-8 * scales[1], 8 * scales[1], 600_001)
        apart = np.abs(stats.norm.pdf(grid, 0, scales[0]) - stats.norm.pdf(grid, 0, scales[1]))
        expected = float(np.trapezoid(apart, grid)) / 2
        assert world.tv_curation(given_prompt=given) == pytest.approx(expected, abs=1e-8)


def test_mean_absolute_errors_agree_with_the_process():
    """Two independent simulations, four differences at Z: false alarms below 1e-8 in all."""
    size = 50_000
    found = WORLD.absolute_errors(jax.random.key(3, impl="threefry2x32"), size)
    drawn = {name: values[:size] for name, values in simulate(WORLD, size, seed=8).items()}
    # Risks of each w by Gauss-Hermite nodes of a fresh point, not by the closed form.
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()

    def risk(w: np.ndarray, mean: np.ndarray | float, variance: float) -> np.ndarray:
        z = mean + math.sqrt(variance) * nodes[None]
        return WORLD.loss_range * (1 - np.exp(-np.square(w - z) / (2 * WORLD.loss_width**2)) @ weights)

    c, k = WORLD.factor_gain * WORLD.factor_mean, WORLD.prompt_gain**2 * (1.3 / 2 + 0.4)
    point = WORLD.factor_gain**2 * WORLD.factor_variance + WORLD.curation_variance
    w, on_gen = drawn["W"], loss(WORLD, drawn["W"], drawn["S_gen"])
    on_anchors = loss(WORLD, drawn["W_anchor"], drawn["S_anchor"])
    for estimate, values in (
        (found.generalization, risk(w, 0.0, WORLD.data_variance) - on_gen),
        (found.generated, risk(w, drawn["h"] + c, point) - on_gen),
        (found.generated_marginal, risk(w, c, k + point) - on_gen),
        (found.anchor, risk(drawn["W_anchor"], 0.0, WORLD.data_variance) - on_anchors),
    ):
        other = np.abs(values)
        se = math.hypot(float(estimate.se), other.std(ddof=1) / math.sqrt(size))
        assert abs(float(estimate.value) - other.mean()) < Z * se
        assert 0.3 < float(estimate.se) * math.sqrt(size) / other.std(ddof=1) < 3
    assert WORLD.absolute_generalization_error is None
    assert WORLD.absolute_generated_error() is None
    assert WORLD.absolute_anchor_generalization_error is None


def test_the_bounds_that_are_theorems_hold_beside_their_truths():
    generator = np.random.default_rng(2)
    names = ("data_variance", "prompt_variance", "factor_variance", "curation_variance", "training_variance")
    for _ in range(40):
        sizes = dict(zip(("anchors", "synthetic"), map(int, generator.integers(1, 6, 2)), strict=True))
        variances = dict(zip(names, np.exp(generator.normal(size=5)).tolist(), strict=True))
        world = LinearGaussianWorld(**sizes, **variances, factor_mean=float(generator.normal()))
        side = side_by_side(world)
        for claim in ("L31/signed", "L44", "T45", "L48"):
            slack = side[claim].slack
            assert slack is not None
            assert slack >= -1e-12


def test_a_unit_of_the_factors_moves_their_entropy_and_nothing_else():
    other = dataclasses.replace(WORLD, factor_gain=-0.12, factor_variance=70.0, factor_mean=5.0)
    assert other.model_entropy - WORLD.model_entropy == pytest.approx(3 * math.log(10), abs=1e-10)
    for name in ("information_gain", "b_syn", "synthetic_information", "ggmi", "true_risk", "t49_slack"):
        assert getattr(other, name) == pytest.approx(getattr(WORLD, name), abs=1e-10)
    assert other.least_delta - WORLD.least_delta == pytest.approx(-3 * math.log(10), abs=1e-10)


def test_a_prompt_that_is_a_function_of_the_anchors_leaves_t49_infinite():
    world = dataclasses.replace(WORLD, prompt_variance=0.0)
    assert world.law.mutual_information("S_anchor", "p") == math.inf
    assert world.epsilon_wp == math.inf
    assert world.t49_slack == math.inf
    assert world.t49_right_side == math.inf
    assert math.isfinite(world.least_delta)


def test_sizes_are_whole_numbers_however_they_are_written(unannotated):
    assert LinearGaussianWorld(anchors=3.0, synthetic=np.int64(2)) == LinearGaussianWorld(anchors=3, synthetic=2)


def test_worlds_of_very_different_sizes_are_refused_or_have_no_nan():
    refused = {}
    for name in (field.name for field in dataclasses.fields(WORLD) if field.type == "float"):
        for value in (1e-50, 1e-15, 1e15, 1e50):
            try:
                world = dataclasses.replace(WORLD, **{name: value})
            except InputError as error:
                refused[name, value] = str(error)
                continue
            numbers = [number for row in side_by_side(world).comparisons for number in (row.true, row.bound)]
            assert not any(number is not None and math.isnan(number) for number in numbers), (name, value)
    assert all("too small beside the others" in message for message in refused.values())
    assert "given h, what is left of M" in refused["factor_variance", 1e-50]
    assert "given S_gen, what is left of W" in refused["training_variance", 1e-50]
    assert ("data_variance", 1e15) not in refused


def test_without_curation_and_without_prompt():
    world = dataclasses.replace(WORLD, curation_variance=0.0, prompt_gain=0.0)
    assert world.tv_curation() == 0
    assert world.law.mutual_information("eps", "W") == 0
    assert world.tv_model() == world.tv_model(given_prompt=False)
    assert world.least_delta == pytest.approx(3 * math.log(1.2), abs=1e-10)  # h(g) - h(e_M): n log|b|


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"anchors": 0}, "anchors"),
        ({"anchors": 1e300}, "from 1 to 2000"),
        ({"factor_mean": 1e300}, "factor_mean: got 1e.300; choose units"),
        ({"loss_width": 1e-300}, "loss_width: got 1e-300; choose units"),
        ({"synthetic": 0}, "synthetic"),
        ({"data_variance": 0.0}, "data_variance: got 0.0; it must be one finite number above 0"),
        ({"factor_variance": -1.0}, "factor_variance"),
        ({"factor_gain": 0.0}, "no density"),
        ({"training_variance": 0.0}, "mutual information infinite"),
        ({"anchor_training_variance": 0.0}, "mutual information infinite"),
        ({"prompt_variance": -0.1}, "not negative"),
        ({"curation_variance": -0.1}, "not negative"),
        ({"prompt_gain": math.nan}, "prompt_gain: 1 value not finite"),
        ({"loss_range": 0.0}, "loss_range"),
        ({"loss_width": math.inf}, "loss_width"),
    ],
)
def test_bad_worlds_are_refused(unannotated, changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(WORLD, **changes)
