r"""A25-X1 and A25-X2: A25's test, and its remark on the number of queries.

Setting. As in A25-T2.
Statements.
* A25-X1: with kappa a bound of the rows' error, conclude psi_1 != psi_2 when ||psi^_1 - psi^_2|| > 2 kappa.
* A25-X2: "the number of queries does not matter" when gamma is bounded.
Hypotheses. Those of A25-T2.
Constants. 2 kappa.
Relation. Coverage and probability of detection.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1).

Derivations and readings.
1. A25-X1, level. Distances need no alignment: | ||psi^_1 - psi^_2|| - ||psi_1 - psi_2|| | <= 2 kappa for every W, by
   the triangle inequality, where kappa is the largest row error. So a false conclusion has at most the probability that
   kappa is no bound. A25-X1/detects: on the same event a separation above 4 kappa is always found.
2. A25-X1/power: does the printed kappa find a separation ten times the true error? Refuted: the printed bound is
   hundreds of times the error (A25-T2), so such a pair is never told apart. What has power is a kappa near the truth:
   DK-M8, DK-M9.
3. A25-X2/bound: sum_ij gamma_ij / (r m) <= n sup gamma / r whatever m is. Holds, of the bound.
4. A25-X2, of the error, e = 1/2: refuted. D^2 = ||X_i - X_i'|| / m, so B^ and B both shrink as m^(-1/2). Two models
   whose answers are 1 or -1, r = 1: at m = 1 max|B^ - B| is 1/2 with probability 1/2; at m = 4 it is at most 1/4.
5. A25-X2/relative: what m does. With gamma and delta^2 = ||mu_j - mu'_j||^2 the same for each query, D^2/Delta^2 ->
   sqrt(1 + 2 gamma / (r delta^2)) as m -> infinity, by the law of large numbers: the relative bias does not depend on m
   in the limit, and with bounded fourth moments what is left falls as m^(-1/2) (D^4 is a mean of m independent terms).
   So many queries remove noise, not bias. (e = 1: DK-M7.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.a25_c1 import gaussian_errors
from proofs_checks.claims.a25_t1 import HALF, ONE, centred, squares
from proofs_checks.claims.a25_t2 import (
    aligned_errors,
    printed_bound,
    settled_means,
    settled_population,
    top_factors,
)
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "A25, discussion of Theorem 2"


# X1


def _distances_within(subject: float, setting: Setting) -> Evidence:
    """|distance in Psi^ - distance in Psi| over factor * kappa, kappa the largest row error after alignment."""

    def ratio(case: tuple[np.ndarray, np.ndarray]) -> float:
        psi, moved = case
        estimate = psi + moved / 4
        kappa = float(aligned_errors(estimate[None], psi)[1][0])
        change = float(np.abs(cases.distances(estimate) - cases.distances(psi)).max())
        return change / (subject * kappa + 1e-9)

    from hypothesis import strategies as st

    says = "|‖psi^_1 - psi^_2‖ - ‖psi_1 - psi_2‖| / (2 kappa), kappa the largest row error"
    strategy = st.tuples(cases.integer_arrays(4, 2), cases.integer_arrays(4, 2))
    return largest_ratio(strategy, ratio, setting, says=says, quick=200, full=3000, tolerance=1e-6)


def close_pair(separation: float, n: int = 20) -> np.ndarray:
    """Return the distinct models of :func:`settled_means` (e = 1), the last two moved ``separation`` apart."""
    mean = settled_means(n, 1.0)
    mean[-1] = mean[-2] + np.array([[separation, 0.0]])
    return mean


def _detects(subject: str, setting: Setting) -> Evidence:
    """P(||psi^_1 - psi^_2|| > 2 kappa) for a separation ten times the 95% quantile of the largest row error."""
    n, size = 20, setting.size(200, 2000)
    r = float(n**4)
    errors = gaussian_errors(setting, "draws", 2 * size, (n, 1, 2), 1 / r)

    def run(mean: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        b = centred(squares(mean, 1.0))
        estimates = top_factors(centred(squares(mean[None] + draws, 1.0)), 2)
        return np.linalg.eigvalsh(b), estimates, aligned_errors(estimates, top_factors(b, 2))[1]

    quantile = float(np.quantile(run(close_pair(0.0), errors[:size])[2], 0.95))
    values, estimates, _ = run(close_pair(10 * quantile), errors[size:])
    kappa = printed_bound(values[-1], values[-2], 2, (n**3 / r) ** 0.5) if subject == "printed" else quantile
    found = np.linalg.norm(estimates[:, -1] - estimates[:, -2], axis=-1) > 2 * kappa
    return monte_carlo.success_rate(
        int(found.sum()),
        size,
        0.5,
        0.0,
        relation="rate",
        says=f"P(a pair ten times the true error apart is told apart) >= 1/2; kappa = {kappa:.3g}, true 95% quantile "
        f"{quantile:.3g}, n = 20, r = n^4",
        named="no detection at all",
    )


# X2


def _printed_sum(shift: int) -> Callable[[], tuple[str, list[tuple[Any, Any]]]]:
    def sides():
        import sympy

        n, m, r, g, eps = sympy.symbols("n m r gamma epsilon", positive=True)
        j = sympy.symbols("j", integer=True)
        total = n * sympy.summation(g, (j, 1, m + shift))
        return (
            "16 sum_ij gamma / (r m eps^2) = 16 n gamma / (r eps^2) for equal gamma: m cancels",
            [(16 * total / (r * m * eps**2), 16 * n * g / (r * eps**2))],
        )

    return sides


def _package_sum(queries: int, setting: Setting) -> Evidence:
    """Divide the package's printed tail at m queries by that at m = 1 with the largest gamma in every place."""
    from hypothesis import strategies as st

    def ratio(values: list[int]) -> float:
        gamma = np.array(values, dtype=float).reshape(3, 4)
        largest = np.full((3, 1), gamma.max())
        found = float(dk.a25_gram_tail(np.repeat(gamma, queries, axis=1) * queries, 10, 1.0))
        return found / (float(dk.a25_gram_tail(largest, 10, 1.0)) + 1e-12)

    says = "printed bound at m = 4 over the one at m = 1 with sup gamma"
    strategy = st.lists(st.integers(0, 9), min_size=12, max_size=12)
    return largest_ratio(strategy, ratio, setting, says=says, quick=60, full=500)


def _inflation(limit: float, setting: Setting) -> Evidence:
    """|D^2/Delta^2 - limit| at m = 16 and 16384; two models, p = 1, delta = 1, gamma = 1, r = 2, e = 1/2."""
    rng = np.random.default_rng(setting.integer_seed("draws"))
    size = 300

    def error(m: int) -> np.ndarray:
        noise = np.stack([rng.normal(size=m) for _ in range(size)])  # of X_1 - X_2: variance 2 gamma / r = 1
        ratios = np.sqrt(np.square(1 + noise).sum(axis=1) / m)
        return np.abs(ratios - limit)

    return monte_carlo.falls_as(
        error(16),
        error(16384),
        1024.0,
        rate=0.5,
        says="D^2/Delta^2 - sqrt(1 + 2 gamma / (r delta^2)) with m = 16 and 16384 queries instead of r",
    )


def _queries():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid, rng = 4.0 ** np.arange(0, 7), np.random.default_rng(25)
    medians, ratios = [], []
    for m in grid.astype(int):
        found = np.sqrt(np.square(1 + rng.normal(size=(200, m))).sum(axis=1)) / m
        medians.append(np.median(np.abs(found - m**-0.5)) / 4)
        ratios.append(np.median(found * m**0.5))
    axes.loglog(grid, medians, "o", label="median of max |B̂ − B|")
    axes.loglog(grid, ratios, "s", label="median of D²/Δ²")
    axes.axhline(math.sqrt(2), color="0.5", lw=0.8)
    axes.set(xlabel="queries m (γ/r = 1/2, distance 1 each)", ylabel="error of B̂; ratio")
    figure.legend(loc="outside lower left")
    return figure


def _power():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    n, size, setting = 20, 200, Setting(0, "quick", "A25-X1/drawing")
    r = float(n**4)
    errors = gaussian_errors(setting, "draws", size, (n, 1, 2), 1 / r)
    quantile, found = 1.0, []
    separations = np.concatenate([[0.0], np.geomspace(1, 2000, 23)])
    for separation in separations:
        mean = close_pair(separation * quantile if separation else 0.0)
        b = centred(squares(mean, 1.0))
        estimates = top_factors(centred(squares(mean[None] + errors, 1.0)), 2)
        if separation == 0:
            quantile = float(np.quantile(aligned_errors(estimates, top_factors(b, 2))[1], 0.95))
            continue
        values = np.linalg.eigvalsh(b)
        printed = printed_bound(values[-1], values[-2], 2, (n**3 / r) ** 0.5)
        distance = np.linalg.norm(estimates[:, -1] - estimates[:, -2], axis=-1)
        found.append([(distance > 2 * kappa).mean() for kappa in (quantile, printed)])
    for column, marker, name in zip(np.transpose(found), "os", ("κ = true 95% quantile", "κ as printed"), strict=True):
        axes.semilogx(separations[1:], column, marker + "-", lw=0.8, label=name)
    axes.axvline(10, color="0.5", lw=0.8, ls="--", zorder=0)
    axes.set(xlabel="separation / 95% quantile of the true row error", ylabel="share of draws told apart")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


_LEVEL = (
    r"\psi_1=\psi_2\ \Rightarrow\ P\big(\|\hat\psi_1-\hat\psi_2\|>2\kappa\big)\le "
    r"P\big(\min_W\|\hat\Psi W-\Psi\|_{2,\infty}>\kappa\big)"
)
MOMENTS = (cases.INDEPENDENT, cases.TWO_MOMENTS)
_FOUR_MOMENTS = Hypothesis(
    "fourth moments of the answers are bounded over queries",
    lambda w: w.quartic_moment is not None and bool(np.all(np.isfinite(w.quartic_moment))),
)


def settled(exponent: float) -> Witness:
    """Return a witness of rank 2 under a convention."""
    return Witness(
        "six models of rank 2, Gaussian answers, d = 2",
        lambda: settled_population(exponent),
        lambda w: bool(w.gamma.min() > 0),
    )


def rank_two(exponent: float) -> Hypothesis:
    """Rank(B) = d under a convention."""
    convention = dk.Convention("sqrt-m", exponent)
    return Hypothesis(
        "rank(B) = d, which is 2 for the witness",
        lambda w: float(dk.classical_mds(dk.dissimilarities(w.mean, convention), 2).rank) == 2,
    )


CLAIMS = (
    Claim(
        id="A25-X1",
        title="The test errs with at most the probability that kappa is no bound",
        source=SOURCE,
        form="as-printed",
        reading="kappa any bound of the largest row error, both conventions",
        statement=_LEVEL,
        hypotheses=MOMENTS,
        witness=settled(1.0),
        checks=(Check("distances", _distances_within, 2.0, 0.5, "2 kappa lowered to kappa/2"),),
        recorded="holds",
    ),
    Claim(
        id="A25-X1/power",
        title="With the printed kappa the test finds separations of ten times the true error",
        source=SOURCE,
        form="reconstructed",
        reading=ONE
        + "; kappa at delta -> 0, n = 20, r = n^4; true error = its 95% quantile; found in half of all draws",
        statement=r"\|\psi_1-\psi_2\|=10\,q_{0.95}\ \Rightarrow\ P\big(\|\hat\psi_1-\hat\psi_2\|>2\kappa\big)\ge"
        r"\tfrac12",
        hypotheses=(*MOMENTS, rank_two(1.0)),
        witness=settled(1.0),
        checks=(Check("printed-kappa", _detects, "printed", "quantile", "kappa is the true quantile"),),
        recorded="refuted",
        repair="A25-X1/detects",
        drawings=(
            Drawing(
                _power,
                "n = 20, r = n⁴, e = 1: with the true quantile as κ separations of ten times the error (dashed) are "
                "always found, with the printed κ nothing below several hundred times.",
            ),
        ),
    ),
    Claim(
        id="A25-X1/detects",
        title="A separation above four times kappa is found whenever kappa is a bound",
        source=SOURCE,
        form="repaired",
        reading="kappa any bound of the largest row error; so the power is that of kappa: the check takes the true "
        "quantile",
        statement=r"\|\psi_1-\psi_2\|>4\kappa,\ \min_W\|\hat\Psi W-\Psi\|_{2,\infty}\le\kappa\ \Rightarrow\ "
        r"\|\hat\psi_1-\hat\psi_2\|>2\kappa",
        hypotheses=(*MOMENTS, rank_two(1.0)),
        witness=settled(1.0),
        checks=(
            Check("distances", _distances_within, 2.0, 0.5, "2 kappa lowered to kappa/2"),
            Check("true-quantile", _detects, "quantile", "printed", "the printed kappa"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-X2",
        title="The number of queries does not matter for the error of B^",
        source=SOURCE,
        form="reconstructed",
        reading=HALF + "; said of the law of max|B^ - B|, gamma bounded",
        statement=r"P\big(\max_{ii'}|\hat B_{ii'}-B_{ii'}|\ge\varepsilon\big)\text{ does not depend on }m",
        hypotheses=MOMENTS,
        witness=settled(0.5),
        checks=(
            Check(
                "one-and-four",
                counterexample,
                Stored("a25-x2", ("max_abs", ("gram", ("scale", ("/", "D4", "m"), "Pair"))), "half", "equal"),
                Stored("a25-x2", "half", "half", "equal", replaced={"m": "2"}),
                "normalised by 2 instead of 4, as the square root of m would",
            ),
        ),
        recorded="refuted",
        repair="A25-X2/relative",
        drawings=(
            Drawing(
                _queries,
                "Two models, e = 1/2: the error of B̂ falls as B does, by the square root of m, while D²/Δ² settles at "
                "its bias, here the square root of 2 (grey).",
            ),
        ),
    ),
    Claim(
        id="A25-X2/bound",
        title="The number of queries cancels from the printed bound when gamma is bounded",
        source=SOURCE,
        form="as-printed",
        reading="said of the bound of A25-T1, from which all others follow",
        statement=r"\frac{16\sum_{ij}\gamma_{ij}}{r\,m\,\varepsilon^2}\le\frac{16\,n\sup\gamma}{r\,\varepsilon^2}",
        hypotheses=MOMENTS,
        witness=settled(0.5),
        checks=(
            Check("equal-gamma", identity, _printed_sum(0), _printed_sum(1), "one query more in the sum"),
            Check("package", _package_sum, 1, 4, "sixteen queries with four times the gamma"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-X2/relative",
        title="More queries remove noise from D^2 / Delta^2, not bias",
        source=SOURCE,
        form="repaired",
        reading=HALF + "; every query with the same gamma and the same distance of means, r fixed",
        statement=r"\frac{D^2}{\Delta^2}-\sqrt{1+\frac{2\gamma}{r\delta^2}}=O_P(m^{-1/2})",
        hypotheses=(*MOMENTS, _FOUR_MOMENTS),
        witness=settled(0.5),
        checks=(Check("inflation", _inflation, math.sqrt(2.0), 1.0, "no bias"),),
        recorded="holds",
    ),
)
