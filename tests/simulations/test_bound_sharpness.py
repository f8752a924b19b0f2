"""Sharpness of bounds: errors against a twin in loops, bounds against their tails, and the verdicts on the page."""

from __future__ import annotations

import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from dkps_theory._validate import InputError
from dkps_theory.bounds import a24_mean_error_tail, a25_gram_tail, certified_radius
from simulations.config import configured
from simulations.grid import Cell
from simulations.runner import run_study
from simulations.studies import _bound_sharpness as numerics
from simulations.studies import _bound_sharpness_page as page
from simulations.studies.bound_sharpness import BOUNDS, NORMS, POPULATIONS, QUANTITIES, STUDY, TARGETS


def ready(population: str, n: int, m: int, **axes) -> numerics.Prepared:
    return numerics.prepare(Cell("one", factors={"population": population, "n": n, "m": m}), {**STUDY.axes, **axes})


# Errors


def twin(mean: np.ndarray, X: np.ndarray, d: int) -> dict[str, float]:
    """Every error, by loops over pairs and the textbook formulas."""
    n, m, _ = X.shape
    H = np.eye(n) - np.ones((n, n)) / n
    found: dict[str, float] = {}
    for suffix, e in (("", 1.0), (" e=1/2", 0.5)):
        B = []
        for one in (X, mean):
            D = np.zeros((n, n))
            for i in range(n):
                for k in range(n):
                    D[i, k] = math.sqrt(((one[i] - one[k]) ** 2).sum()) ** e / math.sqrt(m)
            B.append(-0.5 * H @ D**2 @ H)
        found[f"Gram{suffix}"] = np.abs(B[0] - B[1]).max()
        for name, width in (("rows", d if e == 1 else n - 1), ("rows small d", d)):
            psi = []
            for one in B:
                values, vectors = np.linalg.eigh(one)
                psi.append(vectors[:, ::-1][:, :width] * np.sqrt(np.maximum(values[::-1][:width], 0)))
            left = psi[0] @ orthogonal_procrustes(*psi)[0] - psi[1]
            found[f"{name}{suffix}"] = max(np.linalg.norm(row) for row in left)
            if e == 1:
                found["Frobenius"] = np.linalg.norm(left)
    found["rows e=1/2 small d"] = found["rows small d e=1/2"]
    found["means c=1/m"] = np.linalg.norm((X - mean)[0]) / m
    found["means c=1/sqrt(m)"] = np.linalg.norm((X - mean)[0]) / math.sqrt(m)
    noise = H @ (X - mean).reshape(n, -1) / math.sqrt(m)
    signal = np.linalg.svd(H @ mean.reshape(n, -1) / math.sqrt(m), compute_uv=False)[d - 1]
    found["noise"] = np.linalg.norm(noise, 2) / signal
    return found


@pytest.fixture(scope="module")
def prepared():
    """Six models, three queries and d = 2: below n - 1 and below m p, so no two quantities agree."""
    return ready("mixture p=1", 6, 3)


def test_errors_are_those_of_a_twin_in_loops(prepared):
    mean = np.asarray(prepared.population.mean)
    E = 0.1 * np.random.default_rng(0).normal(size=mean.shape)
    found = jax.jit(numerics.errors_at)(prepared, jnp.asarray(E), prepared.radius[0])
    expected = twin(mean, mean + E, 2)
    np.testing.assert_allclose(found["error"], [expected[name] for name in QUANTITIES], rtol=1e-6)
    assert float(found["noise"]) == pytest.approx(expected["noise"], rel=1e-9)
    assert found["covered"].tolist() == [1.0, 1.0]


# Populations


@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize(("n", "m"), [(10, 2), (20, 50)])
def test_populations_have_means_of_the_dimension_they_say(name, n, m):
    population, d = numerics.population_of(name, n, m)
    mean = np.asarray(population.mean)
    assert mean.shape == (n, m, 16 if name == "mixture p=16" else 1)
    assert np.linalg.matrix_rank((mean - mean.mean(axis=0)).reshape(n, -1)) == d == (min(m, n - 1) if d != 2 else 2)
    again, _ = numerics.population_of(name, n, m)
    np.testing.assert_array_equal(again.mean, mean)
    if name.startswith("Bernoulli"):
        assert mean.min() > 0
        assert mean.max() < 1


# Bounds


def test_tails_are_inverted_at_five_per_cent(prepared):
    population, d, n, r = prepared.population, 2, 6, 200.0
    spectra = [(1.2, 0.3), (2.0, 0.1), (2.0, 0.4)]
    found = numerics.bounds_of(population, d, r, spectra)
    assert set(found) == set(BOUNDS)
    assert float(a24_mean_error_tail(population.gamma, r, found["A24-T2"])[0]) == pytest.approx(0.05)
    assert found["A24-T2 c=1/sqrt(m)"] == found["A24-T2"]
    assert float(a25_gram_tail(population.gamma, r, found["A25-T1"])) == pytest.approx(0.05)
    s = math.sqrt(2)
    for name, x in (("A25-T2", math.sqrt(n**3 / r)), ("A25-T2 at T1's x", n * found["A25-T1"])):
        for suffix, (first, last), k in zip((" e=1", "", " small d"), spectra, (d, n - 1, d), strict=True):
            c1 = last**-0.5 * ((1 + s) + s * k * (1 + 2 * k) / (1 + s))
            c2 = 4 * k * first**0.5 / last**2 + last**-1.5 * (1 + 2 * k * (3 + s) / (1 + s))
            c3 = k * last**-2.5 * ((8 * s + 16 * (1 + k)) / (1 + s) + 4 * s)
            assert found[name + suffix] == pytest.approx(c1 * x + c2 * x**2 + c3 * x**3, rel=1e-9)
    at = list(STUDY.axes["r"]).index(r)
    for norm, bound in NORMS.items():
        place = list(STUDY.axes["norm"]).index(norm)
        assert float(prepared.radius[at, place]) == found[bound]
    radius = certified_radius(population, d, r)
    assert (found["certified"], found["certified rows"]) == (radius.frobenius, radius.rows)


def test_bounds_shrink_with_r_and_the_certified_one_is_the_least(prepared):
    bounds = np.asarray(prepared.bounds)
    before, after = bounds[:-1], bounds[1:]
    assert ((after < before) | np.isinf(before)).all()
    assert np.isfinite(bounds[-1]).all()
    assert (bounds > 0).all()
    named = dict(zip(BOUNDS, bounds.T, strict=True))
    for bound, quantity in BOUNDS.items():
        if bound.startswith("DK"):
            certified = named["certified" if quantity == "Frobenius" else "certified rows"]
            assert (certified <= named[bound] * (1 + 1e-12)).all()


# Verdicts


def line(slack: dict[str, page.Slack], **changes) -> page.Line:
    fields = {"population": "Bernoulli", "n": 10, "m": 2, "r": 20.0, "d": 2, "space": 2, "noise": 0.5}
    return page.Line(**(fields | changes), slack=slack)


def around(value: float, hits: int = 500) -> page.Slack:
    return page.Slack(value, 0.95 * value, 1.05 * value, hits, 500)


def test_slack_is_the_bound_over_the_quantile_with_the_ends_of_its_interval():
    errors = np.random.default_rng(0).permutation(np.arange(1.0, 1001.0))
    found = page.slack_of(1900.0, errors)
    assert found.value == pytest.approx(2.0, rel=1e-3)
    assert found.low < 2 < found.high
    assert found.high / found.low < 1.04
    assert page.slack_of(900.0, errors).hits == 900
    assert page.slack_of(900.0, errors).covered[1] < 0.95
    few = page.slack_of(1900.0, errors[:10])
    assert few.low == 0
    assert math.isfinite(few.high)


def test_a_target_is_met_missed_or_open_and_applies_where_it_says():
    found = [
        line({"certified": around(1.5), "certified rows": around(3.4)}),
        line({"certified": around(1.99), "certified rows": around(1.0)}, r=200.0),
        line({"certified": around(2.8), "certified rows": around(4.0)}, space=9, noise=0.2),
        line({"certified": around(90.0), "certified rows": around(90.0)}, d=9, space=30, noise=0.21),
        line({"certified": around(2.0), "certified rows": around(9.0)}, space=9, noise=0.1, population="x p=16"),
    ]
    judged = page.judgements(found)
    assert [one.target for one in judged] == [2.0, 3.0, 2.0, 3.0, 3.0, 5.0, 3.0, 5.0, math.inf, math.inf]
    assert [one.verdict for one in judged] == [None, False, False, False, True, True, True, False, True, True]
    assert [one.total for one in judged] == [2, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert judged[0].worst is not None
    assert judged[0].worst.value == 1.99
    assert judged[1].at == "Bernoulli, n = 10, m = 2, r = 20"
    assert page.judge("none", 2.0, "certified", []).verdict is None
    assert set(TARGETS) == set(NORMS.values())


def test_a_bound_that_does_not_cover_is_marked_on_the_page():
    slack = {bound: around(0.9, 400) if bound == "A25-T2 e=1" else around(2.0) for bound in BOUNDS}
    found = [line(slack), line(slack, r=200.0)]
    shown = str(page._bounds_table(found)), str(page._population_tables("Bernoulli", found))
    assert "2 of 2" in shown[0]
    assert shown[0].count("none</span>") == len(BOUNDS) - 1
    assert shown[1].count('class="bad"') == 2
    assert "lowest is 100.0%" in page._coverage_sentence(found)
    bad = [line({**slack, "certified": around(0.9, 450)})]
    assert "lowest is 90.0%" in page._coverage_sentence(bad)
    assert "1 are below 95%" in page._coverage_sentence(bad)


# The study


def test_axes_agree_and_the_study_imports_no_jax():
    assert set(BOUNDS.values()) == set(QUANTITIES)
    assert len(STUDY.cells) == 36
    code = "import sys, simulations.studies.bound_sharpness; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("factors", "axes", "message"),
    [
        ({"population": "Bernouli"}, {}, "did you mean 'Bernoulli'"),
        ({"m": 1}, {}, "m: got 1"),
        ({"n": 3}, {}, "n: got 3"),
        ({}, {"bound": ("DK-M7",)}, "bound"),
        ({}, {"quantity": ("row",)}, "did you mean 'rows'"),
    ],
)
def test_what_does_not_fit_is_refused(factors, axes, message):
    cell = Cell("one", factors={"population": "Bernoulli", "n": 10, "m": 2, **factors})
    with pytest.raises(InputError, match=message):
        numerics.prepare(cell, {**STUDY.axes, **axes})


def test_the_study_runs_and_has_a_page(prepared):
    settings = {"population": ["mixture p=1"], "n": [6], "m": [3], "r": [20, 2000], "batch_size": 40}
    store = run_study(configured(STUDY, settings), replicates=40, pin=False)
    assert not store.failures()
    found = page.lines(store)
    assert [(one.r, one.d, one.space) for one in found] == [(20.0, 2, 3), (2000.0, 2, 3)]
    for one in found:
        # The mean square of what Chebyshev's inequality speaks of is gamma / (r m), of which the bound is 20 times.
        assert 1 < one.slack["A24-T2 c=1/sqrt(m)"].value < math.sqrt(20)
        assert one.slack["certified"].value > 0.9
        assert one.slack["certified"].hits >= 34
    errors = store.values("error", 0)[..., QUANTITIES.index("means c=1/sqrt(m)")]
    gamma = np.asarray(prepared.population.gamma)[0].sum()
    # 40 squares have a relative sd below 1.5 each; 0.25 is one standard error, and losing c^2 = 1/3 is off by 2 or 2/3.
    np.testing.assert_allclose((errors**2).mean(axis=0) * [60, 6000] / gamma, 1.0, atol=0.6)
    made = page.section(store)
    assert made is not None
    shown = "".join(map(str, made.blocks))
    assert shown.count("<svg") == 2
    assert "d below m p, noise at most signal / 5, p = 1: Frobenius" in shown
    assert "Slack table: mixture p=1" in shown
