"""The growing studies: every predicted slope against a deterministic curve or a simulation in NumPy.

The curves are taken far beyond the grids, where what is left of the faster terms is within the stated allowance.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from dkps_theory.conventions import A25, DEFAULT, Convention
from simulations.grid import Cell
from simulations.measures import Rate
from simulations.studies import _growing as numerics
from simulations.studies import _growing_models as models_numerics
from simulations.studies import growing_models, growing_queries
from simulations.studies._growing_laws import CONVENTIONS, LAWS, Law, Regime, replicates_by_rule

QUERIES_AXES, MODELS_AXES = growing_queries.STUDY.axes, growing_models.STUDY.axes
METHODS = growing_queries.METHODS
MODELS_CELLS = sorted(
    {tuple(c.factors[name] for name in ("law", "queries", "rule")) for c in growing_models.STUDY.cells}
)


def queries_cell(law: str, n: int, m: int, r: int) -> numerics.Queries:
    return numerics.prepare_queries(Cell("cell", settings=Regime(LAWS[law], n, m, r)), QUERIES_AXES)


def slope(values: np.ndarray | list[float], sizes: np.ndarray | tuple[int, ...]) -> float:
    """Return the slope between two sizes."""
    return float(np.diff(np.log(values))[0] / np.diff(np.log(np.asarray(sizes, dtype=float)))[0])


# Deterministic curves


@pytest.mark.parametrize("law", list(LAWS))
@pytest.mark.parametrize("rule", list(growing_queries.RULES))
def test_predicted_slopes_along_m_are_those_of_the_exact_curve(law, rule):
    """At m = 4^8 and 4^10, where what is left of the faster term changes the slope by less than 0.03."""
    m = np.array([4**8, 4**10])
    power = growing_queries.RULES[rule]
    cells = [queries_cell(law, 4, int(one), replicates_by_rule(int(one), power)) for one in m]
    exact = [float(numerics.truth_queries(ready)["exact_relative_squared"]) for ready in cells]
    slope = np.diff(np.log(exact))[0] / np.diff(np.log(m))[0]
    predicted = growing_queries.relative_slope({"law": law, "rule": rule})
    assert slope == pytest.approx(predicted, abs=0.03)


@pytest.mark.parametrize(
    ("law", "queries", "rule"),
    sorted({tuple(cell.factors[name] for name in ("law", "queries", "rule")) for cell in growing_models.STUDY.cells}),
)
def test_predicted_slopes_along_n_are_those_of_the_exact_curve(law, queries, rule):
    n = np.array([2**16, 2**20])
    m = n if queries == "m = n" else np.full(2, 64)
    r = [replicates_by_rule(int(one), growing_models.RULES[rule]) for one in n]
    exact = [models_numerics.exact_mean_square(LAWS[law], int(one), float(two)) for one, two in zip(m, r, strict=True)]
    slope = 0.5 * np.diff(np.log(exact))[0] / np.diff(np.log(n))[0]
    predicted = growing_models.squared_slope({"law": law, "queries": queries, "rule": rule})
    assert slope == pytest.approx(predicted, abs=0.01)


@pytest.mark.parametrize(("exponent", "power", "worst"), [(1.0, 0.75, 0.5), (0.5, 0.5, 0.25)])
def test_near_pairs_decide_the_error_of_distances_on_a_curve(exponent, power, worst):
    """The bias at delta, over pairs on a circle with angles apart down to 1e-9 of beta^{1/2}."""
    angle = np.concatenate([[0.0], np.geomspace(1e-14, np.pi, 40001)])
    delta = 2 * np.sin(angle / 2)
    beta = np.array([1e-8, 1e-10])
    bias = [(delta**2 + 2 * b) ** (exponent / 2) - delta**exponent for b in beta]
    squares = [np.trapezoid(one**2, angle) for one in bias]
    assert np.diff(np.log(squares))[0] / np.diff(np.log(beta))[0] / 2 == pytest.approx(power, abs=0.01)
    largest = [one.max() for one in bias]
    assert np.diff(np.log(largest))[0] / np.diff(np.log(beta))[0] == pytest.approx(worst, abs=1e-6)
    levels = {"law": "bounded", "queries": "m = n", "rule": "r = n", "object": "D"}
    label = (DEFAULT if exponent == 1 else A25).label
    assert growing_models.distance_slope({**levels, "convention": label}) == -power
    assert growing_models.worst_slope({**levels, "convention": label}) == -worst


def pair_curve(law: Law, m: int, r: float, e: float, against: str) -> float:
    """Return the root mean square over pairs of models of (S^/m^{1+s})^{e/2} less its target.

    Given the models, S^/m^{1+s} is taken as normal with its exact mean and variance, over answers when the target is
    that of S ("truth") and over queries too when it is the limit ("limit"; "nothing" for 0). Differences of powers are
    formed from the difference, without cancellation. Half the angle between two models runs over a grid that is
    geometric down to 1e-16, for the pairs that are near decide.
    """
    second, widths = np.array(law.second_moments), np.array(law.half_widths)
    half = np.concatenate([[0], np.geomspace(1e-16, np.pi / 2, 6001)])[:, None, None]
    middle = (np.arange(16) + 0.5) * np.pi / 16
    apart = 2 * np.sin(half) * np.stack([-np.sin(middle), np.cos(middle)], axis=1)
    both = 2 * np.cos(half) * np.stack([np.cos(middle), np.sin(middle)], axis=1)
    S = apart**2 @ second
    if law.answers == "yes-no":
        gamma = 0.5 - (((both + apart) / 2) ** 2 + ((both - apart) / 2) ** 2) @ second
    else:
        gamma = np.full_like(S, 2 * law.gamma * float(m) ** (law.noise_power - law.mean_power))
    bias = gamma / r
    variance = (4 * S * bias + 2 * bias**2) / m
    if against != "truth":
        fourth = apart**4 @ (widths**4 / 5) + 6 * (apart[..., 0] * apart[..., 1]) ** 2 * second[0] * second[1]
        variance = variance + (fourth - S**2) / m
    z, weights = np.polynomial.hermite_e.hermegauss(40)
    S = S[..., None]
    moved = np.maximum(bias[..., None] + np.sqrt(variance)[..., None] * z, -S)
    found = S + moved
    if against == "nothing":
        missed = found ** (e / 2)
    else:
        sums = np.sqrt(found) + np.sqrt(S) if e == 1 else (np.sqrt(found) + np.sqrt(S)) * (found**0.25 + S**0.25)
        missed = np.divide(moved, sums, out=np.zeros_like(moved), where=sums > 0)
    squares = (missed**2 @ (weights / weights.sum())).mean(axis=1)
    return float(np.sqrt(np.trapezoid(squares, half[:, 0, 0]) / (np.pi / 2)))


def unit(law: Law, m: int, convention: Convention) -> float:
    """Return what D of a pair is divided by to have (S^/m^{1+s})^{e/2}."""
    return convention.scale(m) * float(m) ** ((1 + law.mean_power) * convention.exponent / 2)


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=lambda one: one.label)
@pytest.mark.parametrize(("law", "queries", "rule"), MODELS_CELLS)
def test_predicted_slopes_of_distances_are_those_of_a_curve(law, queries, rule, convention):
    """Every prediction for D, at n = 2^24 and 2^28: beta^{3/4} at a fixed m is within 0.01 of nothing there."""
    sizes, power = (2**24, 2**28), growing_models.RULES[rule]
    m = sizes if queries == "m = n" else (64, 64)
    r = [replicates_by_rule(n, power) for n in sizes]
    e, units = convention.exponent, np.array([unit(LAWS[law], one, convention) for one in m])
    curve = {
        against: np.array([pair_curve(LAWS[law], *of, e, against) for of in zip(m, r, strict=True)])
        for against in ("truth", "limit", "nothing")
    }
    decided = slope(units, sizes)
    limit = curve["limit"] if decided == pytest.approx(0) else units * curve["nothing"]
    size = [float(one) ** (LAWS[law].noise_power - LAWS[law].mean_power) for one in m]
    nearest = [(level / repeats) ** (e / 2) for level, repeats in zip(size, r, strict=True)]
    found = {
        "relative_pair": slope(curve["truth"], sizes),
        "relative_l2": slope(curve["truth"], sizes),
        "pair": slope(units * curve["truth"], sizes),
        "l2": slope(units * curve["truth"], sizes),
        "relative_worst": slope(nearest, sizes),
    }
    if e == 1:
        found[numerics.limit_name(convention)] = slope(limit, sizes)
    levels = {"law": law, "queries": queries, "rule": rule, "object": "D", "convention": convention.label}
    checked = 0
    for rate in growing_models.STUDY.rates:
        predicted = rate.predicted(levels) if rate.output in found else None
        if predicted is not None:
            assert found[rate.output] == pytest.approx(predicted, abs=0.01), rate.output
            checked += 1
    assert checked >= (4 if e == 1 or queries == "m = n" or rule == "r = 4" else 0)


# Simulations, in NumPy


def squared_distances(X: np.ndarray) -> np.ndarray:
    gaps = (X**2).sum(axis=1)[:, None] + (X**2).sum(axis=1) - 2 * X @ X.T
    return np.where(np.eye(len(X), dtype=bool), 0.0, np.maximum(gaps, 0.0))


def centred(S: np.ndarray) -> np.ndarray:
    H = np.eye(len(S)) - 1 / len(S)
    return -0.5 * H @ S @ H


def scaled(S: np.ndarray, e: float = 1.0) -> np.ndarray:
    values, vectors = np.linalg.eigh(centred(np.maximum(S, 0.0) ** e))
    return vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0.0))


def aligned(psi: np.ndarray, target: np.ndarray) -> np.ndarray:
    return psi @ orthogonal_procrustes(psi, target)[0]


def lowered(S: np.ndarray, noise: np.ndarray) -> np.ndarray:
    return np.where(np.eye(len(S), dtype=bool), 0.0, S - noise[:, None] - noise)


def answers(rng: np.random.Generator, law: Law, mu: np.ndarray, r: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sample means and estimates of sum_j gamma_ij."""
    n, m = mu.shape
    if law.answers == "yes-no":
        p = rng.binomial(r, 0.5 + mu) / r
        return p - 0.5, (p * (1 - p)).sum(axis=1) * r / (r - 1)
    gamma = law.gamma * m**law.noise_power
    return mu + np.sqrt(gamma / r) * rng.normal(size=(n, m)), gamma * rng.chisquare(m * (r - 1), n) / (r - 1)


def perspective_errors(S: np.ndarray, ready: numerics.Queries, estimated: np.ndarray) -> dict[str, np.ndarray]:
    """Return aligned errors by convention and method, as they are and relative to Psi."""
    n, r, true = len(S), float(ready.r), np.asarray(ready.squares)
    smallest = np.linalg.eigvalsh(centred(S))[1 : n - 2].mean()
    levels = (np.zeros(n), np.asarray(ready.gamma) / r, estimated / r, np.full(n, smallest))
    relative: dict[float, list[float]] = {}
    size: dict[float, float] = {}
    for e in (1.0, 0.5):
        psi = scaled(true, e)
        size[e] = float(np.linalg.norm(psi))
        relative[e] = [float(np.linalg.norm(aligned(scaled(lowered(S, a), e), psi) - psi)) / size[e] for a in levels]
    by_convention = [(c.scale(ready.m) * size[c.exponent], relative[c.exponent]) for c in CONVENTIONS.values()]
    return {
        "relative_frobenius": np.array([found for _, found in by_convention]),
        "frobenius": np.array([scale * np.array(found) for scale, found in by_convention]),
    }


def queries_errors(rng: np.random.Generator, law: str, ready: numerics.Queries) -> dict[str, np.ndarray]:
    """Return the errors that growing-queries predicts slopes of, in one replicate.

    Errors of a pair are root mean squares over all pairs a quarter turn apart, which have one slope.
    """
    X, estimated = answers(rng, LAWS[law], np.asarray(ready.means), int(ready.r))
    S, true, n = squared_distances(X), np.asarray(ready.squares), len(X)
    pairs = np.arange(n), (np.arange(n) + n // 4) % n
    S_pair, true_pair = S[pairs], true[pairs]
    limits = {
        numerics.limit_name(c): np.array(np.linalg.norm(c.scale(ready.m) * S ** (c.exponent / 2) - np.asarray(limit)))
        for c, limit in zip(CONVENTIONS.values(), ready.limits, strict=True)
    }
    relative, absolute = [], []
    for c in CONVENTIONS.values():
        found, size = S_pair ** (c.exponent / 2), true_pair ** (c.exponent / 2)
        relative.append(np.sqrt(((found / size - 1) ** 2).mean()))
        absolute.append(c.scale(ready.m) * np.sqrt(((found - size) ** 2).mean()))
    return {
        "relative_squared": np.sqrt(((S_pair / true_pair - 1) ** 2).mean()),
        "relative": np.array(relative),
        "dissimilarity": np.array(absolute),
        **perspective_errors(S, ready, estimated),
        **limits,
    }


def models_errors(rng: np.random.Generator, law: str, n: int, m: int, r: int) -> dict[str, np.ndarray]:
    """Return the errors of perspectives that growing-models predicts slopes of, in one replicate, by convention."""
    angles, unit_queries = 2 * np.pi * rng.random(n), rng.uniform(-1, 1, (m, 2))
    models = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    mu = m ** (LAWS[law].mean_power / 2) * models @ (unit_queries * LAWS[law].half_widths).T
    S, true = squared_distances(answers(rng, LAWS[law], mu, r)[0]), squared_distances(mu)
    off = ~np.eye(n, dtype=bool)
    found: dict[str, list[float]] = {name: [] for name in ("l2", "relative_l2", "frobenius", "relative_frobenius")}
    limits: dict[str, np.ndarray] = {}
    made = {e: (scaled(true, e), scaled(S, e)) for e in (1.0, 0.5)}
    for convention in CONVENTIONS.values():
        e, scale = convention.exponent, convention.scale(m)
        psi, moved = scale * made[e][0], scale * aligned(made[e][1], made[e][0])
        between, target = (np.sqrt(squared_distances(one)[off]) for one in (moved, psi))
        l2, size = np.sqrt(((between - target) ** 2).mean()), np.sqrt((target**2).mean())
        error, norm = np.linalg.norm(moved - psi), np.linalg.norm(psi)
        for name, value in zip(found, (l2, l2 / size, error, error / norm), strict=True):
            found[name].append(float(value))
        # Where Delta does not vanish, its own distance to the limit decides; the curve for D has it.
        if e == 1 and scale * m ** ((1 + LAWS[law].mean_power) / 2) < 0.99:
            limits[numerics.limit_name(convention)] = np.sqrt((between**2).mean())
    together = {name: np.array(values) for name, values in found.items()}
    return {**together, "pair": together["l2"], "relative_pair": together["relative_l2"], **limits}


def simulated_slopes(
    draw: Callable[[int], dict[str, np.ndarray]], sizes: tuple[int, int], replicates: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return slopes of the RMSE between two sizes and their standard errors."""
    runs = [[draw(size) for _ in range(replicates)] for size in sizes]
    span, found = np.log(sizes[1] / sizes[0]), {}
    for name in runs[0][0]:
        squares = [np.stack([one[name] for one in run]) ** 2 for run in runs]
        means = [one.mean(axis=0) for one in squares]
        spread = [
            one.std(axis=0, ddof=1) / np.sqrt(replicates) / (2 * mean) for one, mean in zip(squares, means, strict=True)
        ]
        found[name] = (0.5 * np.log(means[1] / means[0]) / span, np.hypot(*spread) / span)
    return found


def compare(rate: Rate, place: tuple[int, ...], levels: Mapping[str, str], found: Mapping[str, tuple]) -> bool:
    """Compare one prediction with a simulated slope, within 0.15 and 4 standard errors; return whether there is one.

    Twice the allowance is below 0.5: no predicted slope that is off by 0.5 can pass where the right one does.
    """
    predicted = rate.predicted(levels)
    if predicted is None:
        return False
    simulated, se = (float(one[place]) for one in found[rate.output])
    assert 4 * se < 0.1
    assert abs(simulated - predicted) < 0.15 + 4 * se, (rate.output, dict(levels), simulated, se, predicted)
    return True


def floored(levels: Mapping[str, str]) -> bool:
    """Whether what the smallest eigenvalues leave decides the slope, far beyond what can be simulated."""
    method = levels.get("method")
    return method == "smallest eigenvalues" and levels["law"] == "bounded" and levels["rule"] != "r = m"


@pytest.mark.parametrize("law", list(LAWS))
@pytest.mark.parametrize("rule", list(growing_queries.RULES))
def test_predicted_slopes_along_m_are_those_of_a_simulation(law, rule):
    """Every prediction of growing-queries but one, at m = 1024 and 16384, 80 replicates with a fixed seed."""
    rng, power = np.random.default_rng(11), growing_queries.RULES[rule]
    sizes = (1024, 16384)
    cells = {m: queries_cell(law, growing_queries.MODELS, m, replicates_by_rule(m, power)) for m in sizes}
    found = simulated_slopes(lambda m: queries_errors(rng, law, cells[m]), sizes, 80)
    dims = {output.name: output.dims for output in growing_queries.STUDY.outputs}
    checked = 0
    for rate in growing_queries.STUDY.rates:
        axes = [QUERIES_AXES[name] for name in dims[rate.output]]
        for place in itertools.product(*(range(len(axis)) for axis in axes)):
            labels = {name: QUERIES_AXES[name][at] for name, at in zip(dims[rate.output], place, strict=True)}
            levels = {"law": law, "rule": rule, **labels}
            checked += not floored(levels) and compare(rate, place, levels, found)
    assert checked >= 25


@pytest.mark.parametrize(("law", "queries", "rule"), MODELS_CELLS)
def test_predicted_slopes_of_perspectives_are_those_of_a_simulation(law, queries, rule):
    """Every prediction for perspectives at n = 32 and 128, 40 replicates with a fixed seed.

    Limits are left out at a fixed m, where the error of 64 queries is approached from above; the curve for D has them.
    """
    rng, power = np.random.default_rng(12), growing_models.RULES[rule]

    def draw(n: int) -> dict[str, np.ndarray]:
        return models_errors(rng, law, n, n if queries == "m = n" else 64, replicates_by_rule(n, power))

    found = simulated_slopes(draw, (32, 128), 40)
    checked = 0
    for rate in growing_models.STUDY.rates:
        if rate.output not in found or (rate.output.startswith("limit") and queries != "m = n"):
            continue
        labels = list(CONVENTIONS) if found[rate.output][0].ndim else [DEFAULT.label]
        for at, label in enumerate(labels):
            levels = {"law": law, "queries": queries, "rule": rule, "convention": label, "object": "perspectives"}
            checked += compare(rate, (at,) if len(labels) > 1 else (), levels, found)
    assert checked >= 12


# Limits


@pytest.mark.parametrize(("rule", "level"), [("r = 4", {1.0: 0.0113, 0.5: 0.0311}), ("r = sqrt(m)", None)])
def test_what_the_smallest_eigenvalues_leave_of_unequal_noise(rule, level):
    """At the expected D^2 for m = 4^8 and 4^10: H diag(a - a_bar) H stays as long as a does; known levels leave 0."""
    sizes = (4**8, 4**10)
    cells = [queries_cell("bounded", 12, m, replicates_by_rule(m, growing_queries.RULES[rule])) for m in sizes]
    errors = []
    for ready in cells:
        S = lowered(np.asarray(ready.squares), -np.asarray(ready.gamma) / float(ready.r))
        errors.append(perspective_errors(S, ready, np.asarray(ready.gamma)))
    smallest, known = METHODS.index("smallest eigenvalues"), METHODS.index("known gamma")
    rates = {rate.output: rate for rate in growing_queries.STUDY.rates}
    for at, (label, convention) in enumerate(CONVENTIONS.items()):
        levels = {"law": "bounded", "rule": rule, "convention": label, "method": "smallest eigenvalues"}
        for name in ("relative_frobenius", "frobenius"):
            left = [one[name][at, smallest] for one in errors]
            assert slope(left, sizes) == pytest.approx(rates[name].predicted(levels), abs=0.03)
        assert errors[1]["relative_frobenius"][at, known] < 1e-9
        if level is not None:
            assert errors[1]["relative_frobenius"][at, smallest] == pytest.approx(level[convention.exponent], rel=0.02)
