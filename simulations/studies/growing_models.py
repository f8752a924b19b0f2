r"""Growing models: n grows, m = n or m stays, and r follows n by a rule; A24's third regime, under every convention.

Models are iid on a circle and queries iid on a rectangle, drawn anew in each replicate, so phi_i lie on an ellipse
(A24-A2). Let m = n^b (b = 1, or 0 for a fixed m), r = n^k, and let n^x be the order of gamma_bar over the mean square
of the means: x = 0 for bounded answers, x = -b where the means grow. Errors below are relative to the size of Delta;
those in the units of D have n^{h b} more, h as in :mod:`simulations.studies._growing_laws`. Put beta = gamma_bar/r,
relative too.

Distances D (pointwise, as in A24-T4, and in L^2(P x P), as in A24-T5: the same slope, for models are exchangeable).
The noise term has order q = (x - b - k)/2. The bias is sqrt(delta^2 + 2 beta) - delta at a pair at distance delta: of
order beta for most pairs, but of order beta^{1/2} for pairs nearer than beta^{1/2}, which are a share beta^{1/2} of all
pairs on a curve. Those pairs dominate the mean square, beta * beta^{1/2}: RMSE beta^{3/4}. With e = 1/2 the near pairs
are off by beta^{1/4}, the mean square is beta^{1/2} * beta^{1/2}, and the RMSE beta^{1/2}. The worst pair has
beta^{1/2}, or beta^{1/4} with e = 1/2, once some of the n^2 pairs are so near. So the slopes are, with y = x - k,

    e = 1:    max(3y/4, q) and worst pair y/2;            e = 1/2:  y/2 and worst pair y/4        (b = 1).

With e = 1 the second takes over slowly. At fixed m and r = n, the local slope is -0.70 from n = 64 to 128, nearer to
beta^{3/4} than to q = -1/2, and still -0.57 from n = 2^12 to 2^16: the near pairs decide until beta is of order m^{-2}.
Likewise for D - Delta_inf at m = n and r = n: -0.67 from n = 64 to 128 and -0.53 from 2^12 to 2^16, while Delta -
Delta_inf decides in the limit, with -1/2; and at fixed m, where the limit is a floor (slope 0) and the slope at r = n
is -0.41 from 64 to 128. Throughout, the slope predicted is that of the limit, and fits on the grid may be off. With e =
1/2 and fixed m the noise of near pairs has the order of their bias and a factor sqrt(log(1/beta)): nothing is
predicted.

The perspectives do better; Psi^ is classical scaling here. With e = 1, B = Y Y' has two eigenvalues of order n, and to
first order only the projection of the noise on them is left in Psi^ (DK-M9): rows of size n^q. The inflation of B^ is a
constant over an eigenvalue of order n, n^{y-1}, and off-diagonal noise is n^{y-(1+b)/2}: neither is slower than n^q. So
distances of perspectives in L^2 and of one pair, and ||Psi^ W - Psi||_F / ||Psi||_F, have

    e = 1:    slope q, which at r = 4 and m = n is -1/2 while that of D is 0.

The condition of A24-T2 (gamma_bar / r -> 0) fails there and what A24-T4 and T5 conclude holds of classical scaling all
the same. A24's own Psi^ minimises raw stress, and for that it does not hold: raw stress fits the inflated D itself.
Where D^2 = Delta^2 + a_i + a_k, its distances at the minimum have at least the norm of the best multiple t Delta of
Delta, so their relative L^2 error is at least t - 1: 0.48 for bounded answers at r = 4, at any n (models at equal
angles; 0.51 found at n = 24, where classical scaling has 0.06). The study does not run raw stress.

Rows' maximum and the worst pair have sqrt(log n) more; no slope is predicted. With e = 1/2 the bias changes all pairs
of D^2, not the diagonal alone, and Psi^ with it, by beta log(1/beta): slope 0 at r = 4, q where that is larger than y,
and nothing predicted in between, because of the logarithm. A25 is stated for e = 1/2. There, with m = n and errors
relative to Psi, r = 4 is not enough and r = n is. So r = omega(n^3) (A25-C1, C2) is not needed for consistency in this
sense; its absolute bounds, with lambda_1 bounded (A25-A2), are not judged here, where lambda_1 grows. For e = 1 and m =
n no growth of r is needed.

With e = 1/2 distinct models make B of rank n - 1, so no phi_i in a fixed R^q have the distances Delta_inf: A24-A2
cannot hold along n. Limits are therefore compared for e = 1 only. Queries are drawn anew, so Delta - Delta_inf has a
root mean square of order m^{-1/2} where Delta_inf is not 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dkps_theory.conventions import Convention
from simulations.grid import Cell, Grid, Level
from simulations.measures import Measure, Rate
from simulations.studies._growing_laws import CONVENTIONS, LAWS, Regime, delta_power, replicates_by_rule
from simulations.study import Deferred, Output, Study

#: k by rule: r = n^k.
RULES = {"r = 4": 0.0, "r = n": 1.0, "r = n^2": 2.0}
#: b by level of factor ``queries``: m = n^b.
QUERIES = {"m = n": 1.0, "m = 64": 0.0}
FIXED_QUERIES = 64
#: Which distances: of the means, or between perspectives.
OBJECTS = ("D", "perspectives")
#: Outputs that hold the L^2 error against Delta_inf, by convention.
LIMITS = dict(zip(("limit_sqrt_m", "limit_m"), tuple(CONVENTIONS.values())[:2], strict=True))

_NUMERICS = "simulations.studies._growing_models"


def orders(levels: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return (b, y, q): the power of m, of the relative bias beta, and of the noise."""
    law, b, k = LAWS[levels["law"]], QUERIES[levels["queries"]], RULES[levels["rule"]]
    x = b * (law.noise_power - law.mean_power)
    return b, x - k, (x - b - k) / 2


def distance_slope(levels: Mapping[str, Any]) -> float | None:
    """Return the slope along n of the relative error of one distance, and of all in L^2."""
    b, y, q = orders(levels)
    linear = CONVENTIONS[levels["convention"]].exponent == 1
    if levels["object"] == "perspectives":
        return perspective_slope(levels)
    if linear:
        return max(0.75 * y, q)
    return y / 2 if b == 1 or y == 0 else None  # a logarithm at fixed m


def worst_slope(levels: Mapping[str, Any]) -> float | None:
    """Return the slope along n of the largest relative error of D; None for perspectives."""
    b, y, _ = orders(levels)
    if levels["object"] == "perspectives" or b != 1:
        return None
    return y / 2 if CONVENTIONS[levels["convention"]].exponent == 1 else y / 4


def perspective_slope(levels: Mapping[str, Any]) -> float | None:
    """Return the slope along n of ||Psi^ W - Psi||_F / ||Psi||_F."""
    _, y, q = orders(levels)
    if CONVENTIONS[levels["convention"]].exponent == 1 or q > y:
        return q
    return 0.0 if y == 0 else None


def squared_slope(levels: Mapping[str, Any]) -> float:
    """Return the slope along n of (D^2 - Delta^2) / c^2 m^{1+s} of a pair, e = 1."""
    _, y, q = orders(levels)
    return max(y, q)


def limit_slope(convention: Convention, levels: Mapping[str, Any]) -> float | None:
    """Return the slope along n of the L^2 error of distances against Delta_inf, e = 1."""
    b, power = QUERIES[levels["queries"]], delta_power(LAWS[levels["law"]], convention)
    if power != 0:
        return power * b + 0.0 if power < 0 else None
    found = distance_slope({**levels, "convention": convention.label})
    return None if found is None else max(-b / 2, found) + 0.0


def with_power(relative: Any, more: float, levels: Mapping[str, Any]) -> float | None:
    """Return the slope in the units of D, plus ``more``."""
    slope = relative(levels)
    power = delta_power(LAWS[levels["law"]], CONVENTIONS[levels["convention"]])
    return None if slope is None else slope + power * QUERIES[levels["queries"]] + more


def kept(levels: Mapping[str, Level]) -> bool:
    """Leave out a fixed m where means grow with m: it is the bounded law with other constants."""
    return levels["law"] == "bounded" or levels["queries"] == "m = n"


def described(cell: Cell) -> Cell:
    """Give a cell its sizes, and say what has no limit there."""
    law, queries, rule, n = (cell.factors[name] for name in ("law", "queries", "rule", "n"))
    chosen, models = LAWS[str(law)], int(n)
    m = models if queries == "m = n" else FIXED_QUERIES
    return replace(
        cell,
        title=f"{law}, {queries}, {rule}, n = {n}",
        settings=Regime(chosen, models, m, replicates_by_rule(models, RULES[str(rule)])),
        absent=tuple(name for name, convention in LIMITS.items() if delta_power(chosen, convention) > 0),
    )


def _error(name: str, title: str, *more: str) -> Output:
    return Output(name, title, dims=("convention", *more))


STUDY = Study(
    name="growing-models",
    title="Growing models: n grows, m = n or m stays, r follows n by a rule",
    aims="Pointwise and $L^2$ consistency of distances between perspectives as models and queries are "
    "added (A24-T4, T5, here for classical scaling, not raw stress), how fast $r$ must grow for it, "
    "whether $r$ of order $n^3$ (A25, for $e = 1/2$) is needed, "
    "and what tends to 0 under each convention only because $\\Delta$ does.",
    data="Models $u_i$ iid uniform on a circle and queries $v_j$ iid uniform on a rectangle, both drawn in"
    " every replicate. Law `bounded`: yes-or-no answers with probability $1/2 + u_i' v_j$. Law `means"
    " grow`: normal answers with mean $\\sqrt{m}\\, u_i' v_j$ and variance 0.2. A24-A1 and A24-A2 hold "
    "for the first under $c = 1/\\sqrt{m}$ with $\\phi_i$ on an ellipse and under $c = 1/m$ with all "
    "$\\phi_i$ equal; for the second under $c = 1/m$ with $\\phi_i$ on an ellipse.",
    estimands="Distances $\\Delta$ of the means and distances between the rows of $\\Psi$ in $d = 2$, and "
    "$\\Delta_\\infty$.",
    methods="$D$ of the sample means, and classical scaling of it.",
    performance="RMSE of the error of one distance, in $L^2$ over pairs and of the worst pair; Frobenius and "
    "two-to-infinity errors of aligned $\\hat\\Psi$; each absolute and relative to the size of the "
    "truth; slopes of log RMSE on $\\log n$ against the predicted ones.",
    replicates=200,
    batch_size=20,
    grid=Grid(
        {
            "law": ("bounded", "means grow"),
            "queries": tuple(QUERIES),
            "rule": tuple(RULES),
            "n": (8, 16, 32, 64, 128),
        },
        keep=kept,
        describe=described,
    ),
    axes={"convention": tuple(CONVENTIONS), "object": OBJECTS},
    outputs=(
        _error("pair", "one distance", "object"),
        _error("l2", "distances, L²", "object"),
        _error("worst", "distances, worst pair", "object"),
        _error("relative_pair", "one distance, relative", "object"),
        _error("relative_l2", "distances, L², relative", "object"),
        _error("relative_worst", "distances, worst pair, relative", "object"),
        _error("frobenius", "aligned Ψ̂, Frobenius"),
        _error("two_to_infinity", "aligned Ψ̂, two-to-infinity"),
        _error("relative_frobenius", "aligned Ψ̂, Frobenius, relative"),
        _error("relative_two_to_infinity", "aligned Ψ̂, two-to-infinity, relative to the size of a row"),
        Output("squared", "D² − Δ², one pair, e = 1, where Δ has a limit", dims=()),
        *(Output(name, f"distances to their limit, L², {c.label}", dims=("object",)) for name, c in LIMITS.items()),
    ),
    truths=(
        Output("replicates", "r", dims=()),
        Output("exact_squared", "exact RMSE of D² − Δ², e = 1, where Δ has a limit", dims=()),
    ),
    prepare=Deferred(f"{_NUMERICS}:prepare_models"),
    replicate=Deferred(f"{_NUMERICS}:replicate_models"),
    truth=Deferred(f"{_NUMERICS}:truth_models"),
    measures=(
        Measure("rmse", "squared"),
        Measure("rmse", "relative_pair"),
        Measure("rmse", "relative_l2"),
        Measure("rmse", "relative_worst"),
        Measure("rmse", "relative_frobenius"),
        Measure("rmse", "relative_two_to_infinity"),
        Measure("rmse", "l2"),
        *(Measure("rmse", name) for name in LIMITS),
    ),
    rates=(
        Rate("squared", "n", squared_slope),
        Rate("relative_pair", "n", distance_slope),
        Rate("relative_l2", "n", distance_slope),
        Rate("relative_worst", "n", worst_slope),
        Rate("relative_frobenius", "n", perspective_slope),
        Rate("pair", "n", partial(with_power, distance_slope, 0.0)),
        Rate("l2", "n", partial(with_power, distance_slope, 0.0)),
        Rate("frobenius", "n", partial(with_power, perspective_slope, 0.5)),
        *(Rate(name, "n", partial(limit_slope, convention)) for name, convention in LIMITS.items()),
    ),
    target=Measure("rmse", "relative_l2", relative=True),
    sections=(Deferred("simulations.studies._growing_pages:models_section"),),
)
