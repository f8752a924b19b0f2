"""The concentration table: its numerics against a twin in loops, its printed numbers and its constants."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.linalg import orthogonal_procrustes

from dkps_theory._validate import InputError
from dkps_theory.conventions import Convention
from dkps_theory.monte_carlo import replicate, replicate_keys
from dkps_theory.populations import bernoulli
from simulations.grid import Cell
from simulations.runner import run_study
from simulations.studies import _concentration as numerics
from simulations.studies._concentration_page import section
from simulations.studies.concentration_table import CONVENTIONS, DIMENSIONS, EIGENVALUES, MATRICES, QUANTITIES, STUDY

#: Table 1 of A25, as text, so that a slip in the code's numbers shows.
TABLE = """10 0.000426 0.704184
12 0.000308 0.542679
15 0.000201 0.395877
18 0.000146 0.318522
20 0.000021 0.279479"""
ROWS = (10, 12, 15, 18, 20)


def ready(n: int, m: int, probabilities: str = "each run") -> numerics.Prepared:
    return numerics.prepare(Cell("one", factors={"n": n, "m": m, "probabilities": probabilities}), STUDY.axes)


def found_at(p, X, prepared) -> dict[str, np.ndarray]:
    found = jax.jit(numerics.readings_at)(jnp.asarray(p), jnp.asarray(X), prepared)
    return {name: np.asarray(value) for name, value in found.items()}


# The printed numbers


def test_the_printed_numbers_are_those_of_the_paper():
    lines = [line.split() for line in TABLE.splitlines()]
    assert {int(n): (float(a), float(b)) for n, a, b in lines} == dict(numerics.PRINTED)
    for n in ROWS:
        prepared = ready(n, 2)
        assert abs(float(prepared.r) - n**5.5) <= 0.5
        assert math.isclose(float(prepared.x), n**-1.25, rel_tol=1e-14)


# A twin in loops


def twin_dissimilarities(X: np.ndarray, label: str) -> np.ndarray:
    n, m = X.shape
    scale = {"1/sqrt(m)": m**-0.5, "1/m": 1 / m, "1": 1.0}[label.split(maxsplit=1)[0].removeprefix("c=")]
    exponent = {"1/2": 0.5, "1": 1.0}[label.split()[1].removeprefix("e=")]
    D = np.zeros((n, n))
    for i in range(n):
        for k in range(n):
            D[i, k] = scale * math.sqrt(sum((X[i, j] - X[k, j]) ** 2 for j in range(m))) ** exponent
    return D


def twin_gram(D: np.ndarray, label: str) -> np.ndarray:
    n = len(D)
    H = np.eye(n) - np.ones((n, n)) / n
    return -0.5 * H @ (D if label.endswith("unsquared") else D**2) @ H


def twin_elbow(spectrum: np.ndarray) -> int:
    """Zhu and Ghodsi's profile log-likelihood, as they print it."""
    n, likelihoods = len(spectrum), []
    for q in range(1, n):
        a, b = spectrum[:q], spectrum[q:]
        pooled = (((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()) / (n - 2)
        sd = math.sqrt(pooled)
        likelihoods.append(stats.norm.logpdf(a, a.mean(), sd).sum() + stats.norm.logpdf(b, b.mean(), sd).sum())
    return int(np.argmax(likelihoods)) + 1


def twin_dimension(name: str, spectrum: np.ndarray, rank: int) -> int:
    if name.isdecimal():
        return min(int(name), rank)
    if name == "elbow":
        return min(twin_elbow(spectrum), rank)
    if name == "gap":
        drops = [spectrum[k] - spectrum[k + 1] for k in range(len(spectrum) - 1)]
        return min(drops.index(max(drops)) + 1, rank)
    if name == "share":
        total, part, d = sum(max(v, 0) for v in spectrum), 0.0, 0
        while part < 0.9 * total:
            part, d = part + max(spectrum[d], 0), d + 1
        return min(d, rank)
    return rank


def twin_scaled(B: np.ndarray, d: int) -> np.ndarray:
    values, vectors = np.linalg.eigh(B)
    psi = vectors[:, ::-1][:, :d] * np.sqrt(values[::-1][:d])
    return psi * np.sign([column[np.abs(column) >= (1 - 1e-6) * np.abs(column).max()][0] for column in psi.T])


def twin_quantities(estimate: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    E = estimate @ orthogonal_procrustes(estimate, truth)[0] - truth
    norms = [math.sqrt(sum(e * e for e in row)) for row in E]
    frobenius = math.sqrt(sum(norm**2 for norm in norms))
    return {
        "Frobenius": frobenius,
        "spectral": float(np.linalg.svd(E, compute_uv=False)[0]),
        "two-to-infinity": max(norms),
        "column sum": max(sum(abs(e) for e in column) for column in E.T),
        "mean over models": sum(norms) / len(norms),
        "per entry": frobenius / math.sqrt(E.size),
        "largest entry": max(abs(e) for e in E.ravel()),
        "mean square": frobenius**2,
        "relative": frobenius / float(np.linalg.norm(truth)),
        "not aligned": float(np.linalg.norm(estimate - truth)),
    }


def twin_matrices(D: np.ndarray, Delta: np.ndarray, label: str) -> dict[str, float]:
    found = {}
    roots = [np.sqrt(one) if label.endswith("unsquared") else one for one in (D, Delta)]
    for name, one in (("B", twin_gram(D, label) - twin_gram(Delta, label)), ("D", roots[0] - roots[1])):
        found[f"{name} Frobenius"] = np.sqrt((one**2).sum())
        found[f"{name} spectral"] = np.linalg.svd(one, compute_uv=False)[0]
        found[f"{name} largest entry"] = np.abs(one).max()
    return found


@pytest.mark.parametrize(("n", "m"), [(6, 2), (7, 3)])
def test_a_run_is_that_of_a_twin_in_loops(n, m):
    rng = np.random.default_rng(n)
    p = rng.uniform(size=(n, m))
    X = rng.binomial(2000, p) / 2000
    found = found_at(p, X, ready(n, m))
    x = (n**3 / n**5.5) ** 0.5
    s = math.sqrt(2)
    for a, label in enumerate(CONVENTIONS):
        D, Delta = twin_dissimilarities(X, label), twin_dissimilarities(p, label)
        B_hat, B = twin_gram(D, label), twin_gram(Delta, label)
        hat, true = (np.linalg.eigvalsh(one)[::-1] for one in (B_hat, B))
        rank = int((true > 1e-10 * true[0]).sum())
        assert rank == (m if label.endswith("e=1") else n - 1)
        matrices = twin_matrices(D, Delta, label)
        np.testing.assert_allclose(found["matrix_error"][a], [matrices[name] for name in MATRICES], rtol=1e-7)
        for b, name in enumerate(DIMENSIONS):
            d = twin_dimension(name, hat, rank)
            assert found["chosen"][a, b] == d
            expected = twin_quantities(twin_scaled(B_hat, d), twin_scaled(B, d))
            np.testing.assert_allclose(found["error"][a, b], [expected[q] for q in QUANTITIES], rtol=1e-6)
            pairs = {"of B": (true[0], true[d - 1]), "of B^": (hat[0], hat[d - 1]), "largest for both": (true[0],) * 2}
            for c, which in enumerate(EIGENVALUES):
                first, last = pairs[which]
                c1 = last**-0.5 * ((1 + s) + s * d * (1 + 2 * d) / (1 + s))
                c2 = 4 * d * first**0.5 / last**2 + last**-1.5 * (1 + 2 * d * (3 + s) / (1 + s))
                c3 = d * last**-2.5 * ((8 * s + 16 * (1 + d)) / (1 + s) + 4 * s)
                np.testing.assert_allclose(found["bound"][a, b, c], c1 * x + c2 * x**2 + c3 * x**3, rtol=1e-7)


def test_half_of_the_noise_halves_the_errors_and_leaves_the_bound():
    prepared = ready(12, 3)
    p, X = numerics.drawn_means(jax.random.key(3, impl="threefry2x32"), prepared)
    whole, half = found_at(p, X, prepared), found_at(p, p + (X - p) / 2, prepared)
    at = CONVENTIONS.index("c=1 e=1"), DIMENSIONS.index("rank")
    ratio = half["error"][at] / whole["error"][at]
    power = np.where(np.array(QUANTITIES) == "mean square", 2.0, 1.0)
    np.testing.assert_allclose(ratio, 0.5**power, rtol=0.02)
    np.testing.assert_array_equal(half["bound"][..., 0][at], whole["bound"][..., 0][at])


def test_unsquared_with_c_of_m_would_be_the_printed_convention_again():
    p = np.random.default_rng(0).uniform(size=(6, 3))
    unsquared = np.sqrt(twin_dissimilarities(p, "c=1/m e=1"))
    np.testing.assert_allclose(numerics.read_dissimilarities(jnp.asarray(p), CONVENTIONS[0]), unsquared, rtol=1e-12)
    assert numerics.CONVENTIONS[CONVENTIONS[0]] == (Convention("sqrt-m", 0.5), False)


# Draws


def test_means_are_binomial_counts_over_r_with_the_variance_of_the_law():
    prepared = ready(10, 3)
    draw = jax.tree_util.Partial(lambda prepared, key: numerics.drawn_means(key, prepared), prepared)
    p, X = replicate(draw, replicate_keys(0, "concentration-draws", 0, 0, 400), 100)
    counts = X * float(prepared.r)
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)
    gamma = np.asarray(bernoulli(p[0]).gamma)
    np.testing.assert_allclose(gamma, p[0] * (1 - p[0]), rtol=1e-12)
    # 12,000 squares with mean 1 and variance 2 (a key of many: false alarm 1e-6 at 4.9 sd of their mean; half of the
    # noise would put it 58 sd off).
    squares = (X - p) ** 2 * float(prepared.r) / (p * (1 - p))
    assert abs(squares.mean() - 1) < 4.9 * math.sqrt(2 / squares.size)
    assert stats.kstest(p.ravel(), "uniform").pvalue > 1e-6


def test_probabilities_drawn_once_are_those_of_the_cell():
    once = ready(10, 2, "once")
    keys = replicate_keys(0, "concentration-once", 0, 0, 2)
    for key in keys:
        np.testing.assert_array_equal(numerics.drawn_means(key, once)[0], once.probabilities)
    assert not np.array_equal(once.probabilities[:, 0], once.probabilities[:, 1])
    assert not np.array_equal(once.probabilities, ready(12, 2, "once").probabilities[:10])


@pytest.mark.parametrize("seed", range(20))
def test_scree_rules_are_those_of_their_twins(seed):
    rng = np.random.default_rng(seed)
    spectrum = np.sort(rng.gamma(0.4, size=9))[::-1]
    rank = jnp.asarray(9.0)
    for name in ("elbow", "gap", "share", "2"):
        assert numerics.chosen_dimension(name, jnp.asarray(spectrum), rank) == twin_dimension(name, spectrum, 9)


# The study


def test_outputs_have_the_axes_of_the_study():
    shapes = jax.eval_shape(numerics.replicate, jax.random.key(0), ready(10, 2))
    assert set(shapes) == {output.name for output in STUDY.outputs}
    for output in STUDY.outputs:
        assert shapes[output.name].shape == tuple(len(STUDY.axes[axis]) for axis in output.dims)
    assert set(CONVENTIONS) == set(numerics.CONVENTIONS)
    assert len(STUDY.cells) == 20


@pytest.mark.parametrize(
    ("factors", "axes", "message"),
    [
        ({"n": 4, "m": 2}, {}, "n: got 4"),
        ({"n": 10, "m": 0}, {}, "m: got 0"),
        ({"n": 10, "m": 2}, {"convention": ("c=1/m e=2",)}, "did you mean"),
        ({"n": 10, "m": 2}, {"dimension": ("ellbow",)}, "did you mean 'elbow'"),
        ({"n": 10, "m": 2}, {"dimension": ("0",)}, "at least 1"),
        ({"n": 10, "m": 2}, {"quantity": ("frobenius",)}, "did you mean 'Frobenius'"),
    ],
)
def test_what_does_not_fit_is_refused(factors, axes, message):
    cell = Cell("one", factors={**factors, "probabilities": "once"})
    with pytest.raises(InputError, match=message):
        jax.eval_shape(numerics.replicate, jax.random.key(0), numerics.prepare(cell, {**STUDY.axes, **axes}))


def test_the_study_imports_no_jax():
    code = "import sys, simulations.studies.concentration_table; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_study_runs_and_has_a_page():
    grid = STUDY.grid.with_levels("n", (10,)).with_levels("m", (2,))
    store = run_study(dataclasses.replace(STUDY, cells=(), grid=grid), replicates=4)
    assert not store.failures()
    for cell in range(2):
        assert len(store.finished(cell)) == 4
        np.testing.assert_array_equal(store.values("covered", cell), 1.0)
    # New probabilities change the bound from run to run; those drawn once do not.
    assert np.ptp(store.values("bound", 0, (0, 0, 0))) > 0
    assert np.ptp(store.values("bound", 1, (0, 0, 0))) == 0
    shown = "".join(map(str, section(store).blocks))
    assert "0.704184" in shown
    assert "100.0% of 8" in shown
