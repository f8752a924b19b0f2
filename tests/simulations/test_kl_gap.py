"""The gap in KL: the published protocol against a twin that follows its text, exact divergences, and the page.

False alarms: two-sample Kolmogorov-Smirnov tests at 1e-7 each, z tests at 5.5 standard errors (4e-8) each.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.key_reuse._core import check_key_reuse
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from dkps_theory._validate import InputError
from dkps_theory.information.gaussian import gaussian_kl, gaussian_total_variation
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_world import PROTOCOLS, MixtureWorld
from simulations.benchmarks.kl_gap import loop_gaps
from simulations.config import configured
from simulations.grid import Cell
from simulations.runner import run_study
from simulations.studies import _kl_gap as numerics
from simulations.studies import _kl_gap_page as page
from simulations.studies import _kl_gap_steps as steps
from simulations.studies import _kl_gap_steps_page as steps_page
from simulations.studies._kl_gap_exact import divergences, ready, stratified, stratified_mean
from simulations.studies._kl_gap_published import clipped, histogram, normalised_entropy, published_kl
from simulations.studies.kl_gap import DESIGNS, FITS, HISTOGRAMS, MEASURES, OF_HISTOGRAMS, STUDY, numbers

REPETITIONS, REDRAWS = 50, 2
ALPHA = 1e-7


# The published ruler


@pytest.mark.parametrize(("size", "bins", "clip"), [(1000, 50, 1e-10), (300, 7, 1e-5)])
def test_the_published_number_is_numpys_and_scipys(size, bins, clip):
    random = np.random.default_rng(size)
    first, second = random.normal(size=(size, 2)), 40 + 7 * random.normal(size=(size, 2)) ** 3
    p, q = (clipped(histogram(jnp.asarray(one.T), bins), size, clip) for one in (first, second))
    theirs = [np.histogram2d(*one.T, bins=bins, density=True)[0].ravel() for one in (first, second)]
    np.testing.assert_allclose(p, np.clip(theirs[0], clip, None), rtol=1e-12)
    np.testing.assert_allclose(q, np.clip(theirs[1], clip, None), rtol=1e-12)
    assert float(normalised_entropy(p, q)) == pytest.approx(steps.histogram_kl(first, second, bins, clip), rel=1e-12)


def twin(random: np.random.RandomState, K: int, J: int, L: int, *, common: bool = False) -> list[float]:
    """Published "KL" of the fits to anchors and to synthetic data, and of the truth from itself, line by line."""
    means = random.uniform(0, 10, size=(K + J, 2))
    covariances = [random.uniform(size=(2, 2)) @ random.uniform(size=(2, 2)).T for _ in range(K + J)]
    anchors = [random.multivariate_normal(means[k], covariances[k], 50) for k in range(K)]
    made_means = [one.mean(axis=0) for one in anchors] + list(means[K:])
    made = [np.cov(one.T) + 1e-6 * np.eye(2) for one in anchors] + list(covariances[K:])
    for _ in range(L):
        made_means.append(random.uniform(0, 10, size=2))
        made.append(random.uniform(size=(2, 2)) @ random.uniform(size=(2, 2)).T)

    def sample(means: Any, covariances: Any, size: int) -> np.ndarray:
        counts = random.multinomial(size, np.full(len(means), 1 / len(means)))
        return np.concatenate(
            [random.multivariate_normal(*law, n) for *law, n in zip(means, covariances, counts, strict=True)]
        )

    synthetic = sample(made_means, made, 200)
    fits = [
        GaussianMixture(components, random_state=random).fit(data)
        for data, components in ((np.concatenate(anchors), K), (synthetic, K + J + L))
    ]
    draws = [lambda fit=fit: fit.sample(1000)[0] for fit in fits] + [lambda: sample(means, covariances, 1000)]
    found = []
    for draw in draws:
        values = []
        for _ in range(REDRAWS):
            x, y = draw(), sample(means, covariances, 1000)
            both = np.concatenate([x, y])
            ranges = [[both[:, a].min(), both[:, a].max()] for a in (0, 1)] if common else None
            p = np.histogram2d(x[:, 0], x[:, 1], bins=50, range=ranges, density=True)[0]
            q = np.histogram2d(y[:, 0], y[:, 1], bins=50, range=ranges, density=True)[0]
            values.append(stats.entropy(np.clip(p, 1e-10, None).flatten(), np.clip(q, 1e-10, None).flatten()))
        found.append(float(np.mean(values)))
    return found


def twins(seed: int, count: int = REPETITIONS, **options: bool) -> np.ndarray:
    random = np.random.RandomState(seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="covariance is not symmetric")
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.array([twin(random, 2, 2, 2, **options) for _ in range(count)])


def test_the_published_protocol_has_the_law_of_its_twin(monkeypatch):
    """Detects distribution functions that differ by 0.6 or more; one common range for both histograms is one such."""
    monkeypatch.setattr(numerics, "published_kl", functools.partial(published_kl, redraws=REDRAWS))
    world = MixtureWorld(2, 2, 2, protocol="published")
    keys = jax.random.split(jax.random.key(11), REPETITIONS)
    run = eqx.filter_jit(lambda world, keys: jax.vmap(lambda key: numerics.replicate(key, world))(keys))
    outputs = jax.tree.map(np.asarray, run(world, keys))
    found = outputs["histogram"][..., 0]
    expected = twins(12)
    found = np.column_stack([found, outputs["histogram_self"]])
    columns = [(*a.T, a[:, 0] - a[:, 1]) for a in (found, expected)]
    for mine, theirs in zip(*columns, strict=True):
        assert stats.ks_2samp(mine, theirs).pvalue > ALPHA
    other = twins(13, 25, common=True)
    assert stats.ks_2samp(found[:, 0], other[:, 0]).pvalue < ALPHA
    assert all(np.isfinite(values).all() for values in outputs.values())
    np.testing.assert_allclose(outputs["histogram_gap"], outputs["histogram"][:, 0] - outputs["histogram"][:, 1])
    assert (outputs["histogram_gap_se"] > 0).all()  # redraws are of points of their own
    assert outputs["histogram_self"].min() > 2  # and so are the two samples of a pair
    assert len(np.unique(outputs["histogram"])) == outputs["histogram"].size
    assert (outputs["unseen"] == 0).all()


def test_each_way_of_the_published_number_is_its_own():
    """Against a law whose far component squeezes the near one into a bin, and the other way; 6.5 standard errors."""
    one = Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])
    two = Mixture([0.5, 0.5], [[0.0, 0.0], [900.0, 0.0]], [np.eye(2)] * 2)
    first, second = ready((one, two))
    compiled = jax.jit(lambda key, *pairs: published_kl(key, pairs, redraws=40))
    value, se = map(np.asarray, compiled(jax.random.key(3), (first, second), (second, first)))
    random = np.random.default_rng(3)
    theirs = []
    for laws in ((one, two), (two, one)):
        pairs = [[steps.draws(random, law, 1000) for law in laws] for _ in range(40)]
        theirs.append([steps.histogram_kl(*pair, 50, 1e-10) for pair in pairs])
    mean, spread = np.mean(theirs, axis=1), np.std(theirs, axis=1, ddof=1) / 40**0.5
    assert np.abs((value[0] - mean) / np.hypot(se[0], spread)).max() < 6.5
    assert np.abs((value[1, ::-1] - mean) / np.hypot(se[1, ::-1], spread)).max() < 6.5
    assert abs(mean[0] - mean[1]) > 5  # so that the other way would show


# Exact divergences


DRAWS, KEYS = 400, 400


@jax.jit
def compared(keys: jax.Array, laws: tuple[Mixture, ...]) -> dict[str, jax.Array]:
    truth, *fits = ready(laws)
    return jax.vmap(lambda key: divergences(key, truth, fits, DRAWS))(keys)


def mixture(weights: list[float], means: list[float], variances: list[float]) -> Mixture:
    """On the line, with room for three components; what is absent is nonsense."""
    room = 3 - len(weights)
    return Mixture.spherical(weights + [0.0] * room, [[m] for m in means] + [[9.0]] * room, variances + [1e-3] * room)


def test_divergences_of_gaussians_are_the_closed_forms_and_errors_are_known():
    """Variances over 400 keys by chi-square at 1e-7, two-sided: so shared draws of two near fits would show."""
    laws = mixture([1.0], [0.0], [1.0]), mixture([1.0], [0.7], [2.0]), mixture([1.0], [0.8], [2.1])
    found = jax.tree.map(np.asarray, compared(jax.random.split(jax.random.key(0), KEYS), laws))
    parts = [(np.asarray(law.means[0]), np.asarray(law.covariances[0])) for law in laws]
    exact = [
        [
            float(gaussian_kl(*part, *parts[0])),
            float(gaussian_kl(*parts[0], *part)),
            float(gaussian_total_variation(*part, *parts[0])),
        ]
        for part in parts[1:]
    ]
    for name, truth in (("divergence", np.array(exact)), ("gap", np.subtract(*exact)[None])):
        values, se = found[name], found[f"{name}_se"]
        z = (values.mean(axis=0) - truth) / (values.std(axis=0, ddof=1) / KEYS**0.5)
        assert np.abs(z).max() < 5.5
        ratio = (KEYS - 1) * values.var(axis=0, ddof=1) / (se**2).mean(axis=0)
        low, high = stats.chi2(KEYS - 1).ppf([ALPHA / 2, 1 - ALPHA / 2])
        assert low < ratio.min()
        assert ratio.max() < high
    np.testing.assert_allclose(found["gap"][:, 0], found["divergence"][:, 0] - found["divergence"][:, 1], atol=1e-12)


def test_a_law_is_at_distance_zero_from_itself_and_absent_components_change_nothing():
    law = mixture([0.3, 0.7], [0.0, 4.0], [1.0, 0.4])
    split = mixture([0.3, 0.5, 0.2], [0.0, 4.0, 4.0], [1.0, 0.4, 0.4])
    found = compared(jax.random.split(jax.random.key(1), KEYS), (law, law, split))
    np.testing.assert_allclose(found["divergence"], 0.0, atol=1e-12)
    np.testing.assert_allclose(found["gap_se"], 0.0, atol=1e-12)


def test_standard_errors_of_stratified_means_are_not_too_small():
    """Over 2,000 keys the mean squared standard error is at least the variance, to a chi-square bound at 1e-7."""
    (law,) = ready((Mixture([0.2, 0.3, 0.5], [[0.0], [6.0], [30.0]], [[[1.0]], [[4.0]], [[0.1]]]),))
    size, count = 60, 2000

    @jax.jit
    def run(keys: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.vmap(lambda key: stratified_mean(stratified(key, law, size)[0]))(keys)

    value, se = map(np.asarray, run(jax.random.split(jax.random.key(2), count)))
    exact = 0.3 * 6 + 0.5 * 30
    assert abs(value.mean() - exact) < 5.5 * value.std(ddof=1) / count**0.5
    ratio = (count - 1) * value.var(ddof=1) / (se**2).mean()
    assert ratio < stats.chi2(count - 1).isf(ALPHA)
    # Within one component they are right on average.
    squares = np.asarray(
        jax.jit(jax.vmap(lambda x: stratified_mean(x)[1] ** 2))(
            jnp.asarray(np.random.default_rng(2).normal(scale=2, size=(count, size)))
        )
    )
    assert abs(squares.mean() - 4 / size) < 5.5 * squares.std(ddof=1) / count**0.5
    # Stratified: far less than the variance of independent draws, most of which lies between components.
    independent = (0.2 * 1 + 0.3 * (4 + 36) + 0.5 * (0.1 + 900) - exact**2) / size
    assert value.var(ddof=1) < independent / 20


# The study


def test_cells_are_the_protocol():
    assert len(STUDY.cells) == len(DESIGNS) * 3 * 14
    assert STUDY.axes == {"measure": MEASURES, "way": HISTOGRAMS, "fit": FITS}
    assert numbers("K", 9) == (9, 2, 2)
    for cell in STUDY.cells:
        world = numerics.prepare(cell, STUDY.axes)
        protocol, d = DESIGNS[cell.factors["design"]]
        expected = [cell.factors["value"] if cell.factors["sweep"] == name else 2 for name in "KJL"]
        assert [int(one) for one in (world.K, world.J, world.L)] == expected
        assert (world.protocol, world.dimension, world.room) == (protocol, d, (15, 19))
        assert cell.absent == (() if protocol == "published" else OF_HISTOGRAMS)
    larger = numerics.prepare(Cell("one", factors={"design": "corrected d=2", "sweep": "K", "value": 20}), STUDY.axes)
    assert larger.room == (20, 24)
    with pytest.raises(InputError, match="fewer"):
        numerics.prepare(STUDY.cells[0], {**STUDY.axes, "measure": ("KL",)})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_key_is_used_twice(protocol):
    """By JAX's own checker of programs, which sees a key that two draws share, or that every round of a loop does."""
    world = MixtureWorld(2, 2, 2, protocol=protocol, room=(3, 8))
    for function in (numerics.replicate, numerics.exact_gap):
        check_key_reuse(lambda key, function=function: function(key, world), jax.random.key(0))
    with pytest.raises(jax.errors.KeyReuseError):
        check_key_reuse(lambda key: numerics.exact_gap(key, world)[0] + jax.random.normal(key), jax.random.key(0))


def test_the_gap_for_claims_is_the_gap_of_the_numbers(monkeypatch):
    fits = [type("Fit", (), {"converged": jnp.asarray(one)}) for one in (True, False)]
    gap = jnp.asarray([1.0, -2.0, 3.0])
    monkeypatch.setattr(numerics, "exact_numbers", lambda *_, **__: ({"gap": gap}, None, fits, None))
    found, converged = numerics.exact_gap(jax.random.key(0), MixtureWorld(1, 1, 1))
    np.testing.assert_array_equal(found, gap)
    assert not converged


def test_laws_without_estimation_are_the_first_components_and_all_of_them():
    world = MixtureWorld(2, 3, 1, room=(4, 8))
    truth = Mixture([0.2] * 5 + [0.0] * 3, np.arange(16.0).reshape(8, 2), [np.eye(2)] * 8)
    first, second = numerics.limits(world, truth)
    np.testing.assert_allclose(first.weights, [0.5] * 2 + [0.0] * 6)
    np.testing.assert_allclose(second.weights, [1 / 6] * 6 + [0.0] * 2)
    np.testing.assert_array_equal(second.means, truth.means)


@pytest.fixture(scope="module")
def store():
    chosen = configured(STUDY, {"design": ["corrected d=2"], "sweep": ["J"], "value": [2, 15], "batch_size": 60})
    return run_study(chosen, replicates=60, seed=1, pin=False)


def test_the_corrected_protocol_has_the_law_of_a_loop(store):
    """Detects distribution functions that differ by 0.55 or more."""
    random = np.random.RandomState(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        loop = np.array([loop_gaps(random, 2, 2, 2, 2)[0] for _ in range(60)])
    for k in range(len(MEASURES)):
        assert stats.ks_2samp(store.values("gap", 0)[:, k], loop[:, k]).pvalue > ALPHA
        assert stats.ks_2samp(store.values("gap", 1)[:, 2], loop[:, 2]).pvalue < ALPHA


def test_a_run_is_complete_and_its_gaps_are_differences(store):
    assert not store.failures()
    for at in (0, 1):
        divergence = store.values("divergence", at)
        np.testing.assert_allclose(store.values("gap", at), divergence[:, 0] - divergence[:, 1], atol=1e-12)
        variation = divergence[..., 2]
        assert variation.min() >= 0
        assert variation.max() <= 1
        assert (store.values("divergence_se", at) >= 0).all()
        assert np.isnan(store.values("histogram_gap", at)).all()
        # Without estimation the fit to anchors lacks J of K + J components, which is its distance in TV.
        J = store.cells[at]["factors"]["value"]
        assert store.values("steps", at).min() >= 2
        K_part = J / (2 + J)
        limit = store.values("limit_gap", at)[:, 2]
        assert (limit <= K_part + 0.05).all()
        assert np.median(limit) > np.median(store.values("gap", at)[:, 2])  # estimation costs the synthetic fit more


# The page


def curve(low: float, high: float, sweep: str = "J", measure: str = "TV", size: int = 40) -> page.Curve:
    random = np.random.default_rng(0)
    gaps = tuple(centre + random.normal(size=size) for centre in np.linspace(low, high, 5))
    return page.Curve("corrected d=2", sweep, measure, np.arange(2.0, 7.0), gaps, gaps)


def test_verdicts_need_an_interval_beyond_one_half():
    assert curve(0, 4).verdict == "rises"
    assert curve(4, 0).verdict == "falls"
    assert curve(0, 0).verdict == "open"
    assert curve(0, 40).trend == pytest.approx(1)
    assert curve(0, 4, size=3).verdict == "open"


def test_the_page_shows_every_measure_of_a_run(store):
    found = page.curves(store)
    assert [(one.sweep, one.measure) for one in found] == [("J", measure) for measure in MEASURES]
    text = "".join(map(str, page.section(store).blocks))
    assert "J grows" in text
    assert "<td>yes</td>" in str(page.expectation_table(found))  # the gap in TV rises with J
    down = [curve(4, 0, sweep) for sweep in "JKL"]
    table = str(page.expectation_table(down))
    assert table.count("no, it falls") == 1  # of J; K and L are expected to fall
    assert table.count("<td>yes</td>") == 2
    assert steps_page.section(store) is None  # no published cell
    assert len(page.gap_figure(found).axes) == len(MEASURES)


class Stored:
    """As much of a store as the list of steps reads."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        self.cells = [
            {"title": f"published d=2, J = {J}", "factors": {"design": "published d=2", "sweep": "J", "value": J}}
            for J in (2, 15)
        ]
        gap = random.normal(size=(2, 40, 3))
        limit = random.normal(size=(2, 40, 3))
        published = np.stack([-gap[..., 0], random.normal(size=(2, 40))], axis=-1)
        self._values = {"gap": gap, "limit_gap": limit, "histogram_gap": published}

    def finished(self, cell: int) -> np.ndarray:
        return np.arange(40)

    def values(self, name: str, cell: int) -> np.ndarray:
        return self._values[name][cell]


def test_steps_from_the_store_say_how_the_ruler_goes_with_the_gap(unannotated):
    rows = steps_page.stored_rows(Stored())
    text = " ".join(str(part) for row in rows for part in row)
    assert "in 0% of all repetitions" in text  # opposite signs, by construction
    assert "−1.00 with KL" in text.replace("-", "−")
    assert "J = 15: median gap" in text
    assert len(rows) == 4


def test_every_step_has_a_number(unannotated):
    random = np.random.default_rng(4)
    pairs = {name: (random.normal(8, 1, 100), exact) for name, exact in (("itself", 0.0), ("moved", 1112.0))}
    found = {
        "matrices": {name: random.random(50) for name in ("indefinite", "distance", "symmetric_distance")},
        "rulers": np.arange(1.0, 7.0)[:, None, None] + 0.1 * random.random((6, 2, 30)),
        "moved": pairs,
        "exact": {name: random.random((30, 2)) for name in ("many", "equal")},
        "synthetic": 633,
        "estimated": random.random(60),
    }
    rows = steps_page.own_rows(found)
    assert len(rows) == 10
    assert all(len(row) == 3 and any(letter.isdigit() for letter in str(row[2])) for row in rows)
    effects = {row[0]: str(row[2]) for row in rows}
    assert effects["1,000 draws"].startswith("Truth from itself: 1.0")  # the first setting is the published one
    assert "1,112" in effects["Each histogram over its own range"]
    assert effects["Clip at 1e-10"].index("at 1e-10") < effects["Clip at 1e-10"].index("at 1e-05")


def test_steps_of_the_ruler_have_the_sizes_they_are_said_to_have(monkeypatch):
    effects = steps.matrix_effects(jax.random.key(0), 2000)
    # P(symmetric part indefinite) is 0.733 +- 0.003 by 20,000 draws; 5.5 standard errors of 2,000.
    assert abs(effects["indefinite"].mean() - 0.733) < 5.5 * (0.733 * 0.267 / 2000) ** 0.5 + 0.015
    assert effects["distance"].min() > 0
    values = steps.moved(0, redraws=5)
    assert values["itself"][1] == 0
    assert values["itself"][0].min() > 4  # the "KL" of a law from itself
    assert values["moved"][1] > 1000
    assert abs(values["moved"][0].mean() - values["itself"][0].mean()) < 2
    monkeypatch.setattr(steps, "SETTINGS", ((1000, 50, 1e-10, 1), (20_000, 50, 1e-10, 1)))
    law = Mixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
    stacked = jax.tree.map(lambda leaf: leaf[None], law)
    generation = type("Generation", (), {"truth": stacked})
    found = steps.ruler_effects(generation, (stacked, stacked), 0, 1)
    assert found[0, 0, 0] > 2 * found[1, 0, 0]  # more draws, another number
