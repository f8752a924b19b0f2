r"""Growing queries: n models stay, m grows, and r follows it by a rule; A24's second regime, under every convention.

Means are of order m^{s/2}, gamma of order m^t, r = m^k (r = 4 is k = 0). Put x = t - s. For a pair with delta = mu_i -
mu_i' and e the error of the difference of means,

    S^ = ||delta + e||^2 = S + 2 sum_j <delta_j, e_j> + sum_j ||e_j||^2,       S of order m^{1+s},

with standard deviation of order m^{(1+s+t)/2} r^{-1/2} in the middle and a last sum of mean 2 gamma_bar m / r, of order
m^{1+t}/r, whose standard deviation is m^{-1/2} of that. Relative to S:

    D and D^2:   m^{x-k} (bias)  and  m^{(x-1-k)/2} (noise): slope max(x - k, (x - 1 - k)/2), whatever c and e > 0 are.

The slope of D - Delta itself adds h, the power of Delta (:mod:`simulations.studies._growing_laws`). So with x = 0 and
r = 4 the relative error of D stays, under c = 1/sqrt(m), where Delta has a limit, and under c = 1/m, where D and Delta
both fall like m^{-1/2} and D - Delta with them. ||D - Delta_inf|| (A24-T2) falls in the second case and says
nothing about the error of D.

For Psi^, c drops out of B^ / B in the same way. For e = 1, E B^ = B + c^2 H diag(a) H with a_i = sum_j gamma_ij / r,
exactly, so Psi^ of the plain D^2 has the same slope as D (DK-M7: slope 0 at fixed r and x = 0). With the noise taken
out of S^ there are left the middle sum and the fluctuation of the last: slope max((x - 1 - k)/2, x - k - 1/2). An
estimate gamma^ (r >= 2) adds a relative error m^{x-1/2} r^{-3/2}, which is less. Shifting by the mean of the smallest
eigenvalues needs no gamma at all: the same slope as with known gamma when the models' noise is equal. When it is not
(yes-or-no answers), H diag(a - a_bar) H stays, of order m^{x-k}: at r = 4 the relative error of Psi^ has a floor that
no number of queries removes, 0.0113 with e = 1 and 0.0311 with e = 1/2 (inflation 1.032). The slope predicted is that
of the limit. At r = 4 the floor meets the error with known gamma near m = 20 000 with e = 1, beyond this grid, and near
m = 4000 with e = 1/2, at its end (0.039 against 0.029); at r = sqrt(m) they meet near m = 10^7. Below that the fitted
slope is nearer to that with known gamma.

With e = 1/2 the same slopes hold and the sign of the bias turns. D^2 is a concave function of S there, so adding nearly
the same to all S makes the D^2 of different pairs more alike: D is too large and the spread of Psi^ too small. Noise is
taken out of S first, before the power e is taken.

||D - Delta_inf||_F has the larger of two slopes: that of D - Delta, and that of Delta - Delta_inf, which is h < 0 where
Delta vanishes. Where it does not, Delta - Delta_inf is one fixed path of size m^{-1/2}, because queries are fixed, and
has no slope; nothing is predicted then unless D - Delta is slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dkps_theory.conventions import Convention
from simulations.grid import Cell, Grid
from simulations.measures import Measure, Rate
from simulations.studies._growing_laws import CONVENTIONS, LAWS, Regime, delta_power, replicates_by_rule
from simulations.study import Deferred, Output, Study

#: n, which stays.
MODELS = 12
#: k by rule: r = m^k.
RULES = {"r = 4": 0.0, "r = sqrt(m)": 0.5, "r = m": 1.0}
#: What Psi^ is made of.
METHODS = ("plain", "known gamma", "estimated gamma", "smallest eigenvalues")
#: Outputs that hold ||D - Delta_inf||_F, by convention.
LIMITS = dict(zip(("limit_sqrt_m", "limit_m", "limit_sqrt_m_half"), CONVENTIONS.values(), strict=True))

_NUMERICS = "simulations.studies._growing"


def relative_slope(levels: Mapping[str, Any]) -> float:
    """Return the slope of D / Delta - 1 and of D^2 / Delta^2 - 1 along m."""
    law, k = LAWS[levels["law"]], RULES[levels["rule"]]
    x = law.noise_power - law.mean_power
    return max(x - k, (x - 1 - k) / 2)


def absolute_slope(levels: Mapping[str, Any]) -> float:
    """Return the slope of D - Delta along m."""
    return relative_slope(levels) + delta_power(LAWS[levels["law"]], CONVENTIONS[levels["convention"]])


def perspective_slope(levels: Mapping[str, Any]) -> float:
    """Return the slope of ||Psi^ W - Psi|| / ||Psi|| along m, by method."""
    law, k, method = LAWS[levels["law"]], RULES[levels["rule"]], levels["method"]
    if method == "plain":
        return relative_slope(levels)
    x = law.noise_power - law.mean_power
    slope = max((x - 1 - k) / 2, x - k - 0.5)
    unequal = method == "smallest eigenvalues" and law.answers == "yes-no"
    return max(slope, x - k) if unequal else slope  # H diag(a - a_bar) H stays: a floor when r does not grow


def scaled_perspective_slope(levels: Mapping[str, Any]) -> float:
    """Return the slope of ||Psi^ W - Psi|| along m."""
    return perspective_slope(levels) + delta_power(LAWS[levels["law"]], CONVENTIONS[levels["convention"]])


def limit_slope(convention: Convention, levels: Mapping[str, Any]) -> float | None:
    """Return the slope of ||D - Delta_inf||_F along m."""
    power, relative = delta_power(LAWS[levels["law"]], convention), relative_slope(levels)
    if power == 0:
        return relative if relative > -0.5 else None
    return power if power < 0 else None


def described(cell: Cell) -> Cell:
    """Give a cell its sizes, and say what has no limit there."""
    law, rule, m = (cell.factors[name] for name in ("law", "rule", "m"))
    chosen = LAWS[str(law)]
    r = replicates_by_rule(int(m), RULES[str(rule)])
    return replace(
        cell,
        title=f"{law}, {rule}, m = {m}",
        settings=Regime(chosen, MODELS, int(m), r),
        absent=tuple(name for name, convention in LIMITS.items() if delta_power(chosen, convention) > 0),
    )


STUDY = Study(
    name="growing-queries",
    title="Growing queries: m grows, the models stay, r follows m by a rule",
    aims="What happens to $\\Delta$, to its limit and to the error of $D$ when queries are added, under the"
    " conventions of the sources, and whether $\\hat\\Psi$ at fixed $r$ is repaired by more queries "
    "(DK-M7) or by deflation.",
    data="12 models at equal angles $u_i$ on a circle, and the first $m$ of one fixed sequence of queries "
    "$v_j$, iid and uniform on a rectangle. Law `bounded`: yes-or-no answers with probability $1/2 + "
    "u_i' v_j$. Law `means grow`: normal answers with mean $\\sqrt{m}\\, u_i' v_j$ and variance 0.2. "
    "Law `means and noise grow`: the same with variance $0.2\\, m$. A24-A1 and A24-A2 hold for the "
    "first under $c = 1/\\sqrt{m}$ with $\\phi_i$ on an ellipse and under $c = 1/m$ with all $\\phi_i$ "
    "equal; for the others under $c = 1/m$ with $\\phi_i$ on an ellipse.",
    estimands="$\\Delta$ of a pair a quarter turn apart, $\\Psi$ in $d = 2$ (the rank when $e = 1$), and "
    "$\\Delta_\\infty$.",
    methods="$D$ of the sample means; classical scaling of $D^2$ as it is (plain), less the noise by the known or the "
    "estimated $\\gamma$, and less the mean of the smallest eigenvalues, which needs no $\\gamma$.",
    performance="RMSE of each error, bias of $D^2$ against its exact value, mean inflation "
    "$\\|\\hat\\Psi\\|^2/\\|\\Psi\\|^2$, and the slope of log RMSE on $\\log m$ against the predicted one.",
    replicates=200,
    batch_size=20,
    grid=Grid(
        {"law": tuple(LAWS), "rule": tuple(RULES), "m": (16, 64, 256, 1024, 4096)},
        describe=described,
    ),
    axes={"convention": tuple(CONVENTIONS), "method": METHODS},
    outputs=(
        Output("dissimilarity", "D − Δ, one pair", dims=("convention",)),
        Output("relative", "D/Δ − 1, one pair", dims=("convention",)),
        Output("relative_squared", "D²/Δ² − 1, one pair, e = 1 and any c", dims=()),
        Output("frobenius", "aligned Ψ̂, Frobenius", dims=("convention", "method")),
        Output("relative_frobenius", "aligned Ψ̂, Frobenius, relative to Ψ", dims=("convention", "method")),
        Output("inflation", "inflation of Ψ̂, a ratio of squared norms", dims=("convention", "method")),
        *(Output(name, f"D to its limit, Frobenius, {c.label}", dims=()) for name, c in LIMITS.items()),
    ),
    truths=(
        Output("pair_dissimilarity", "Δ of the pair", dims=("convention",)),
        Output("limit_dissimilarity", "limit of Δ of the pair", dims=("convention",)),
        Output("replicates", "r", dims=()),
        Output("relative_bias", "exact mean of D²/Δ² − 1, e = 1", dims=()),
        Output("exact_relative_squared", "exact RMSE of D²/Δ² − 1, e = 1", dims=()),
        Output("expected_inflation", "inflation of Ψ̂ at the expected D²", dims=("convention", "method")),
    ),
    prepare=Deferred(f"{_NUMERICS}:prepare_queries"),
    replicate=Deferred(f"{_NUMERICS}:replicate_queries"),
    truth=Deferred(f"{_NUMERICS}:truth_queries"),
    measures=(
        Measure("bias", "relative_squared", truth="relative_bias", title="bias of D² less its exact value (DK-M1)"),
        Measure("rmse", "relative_squared"),
        Measure("rmse", "relative"),
        Measure("rmse", "relative_frobenius"),
        Measure("mean", "inflation"),
        Measure("bias", "inflation", truth="expected_inflation", title="inflation less that at the expected D²"),
        *(Measure("rmse", name) for name in LIMITS),
    ),
    rates=(
        Rate("relative", "m", relative_slope),
        Rate("relative_squared", "m", relative_slope),
        Rate("dissimilarity", "m", absolute_slope),
        Rate("relative_frobenius", "m", perspective_slope),
        Rate("frobenius", "m", scaled_perspective_slope),
        *(Rate(name, "m", partial(limit_slope, convention)) for name, convention in LIMITS.items()),
    ),
    target=Measure("rmse", "relative_frobenius", relative=True),
    sections=(Deferred("simulations.studies._growing_pages:queries_section"),),
)
