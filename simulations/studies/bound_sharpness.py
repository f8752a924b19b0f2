r"""How far bounds are from the truth: each bound, known from population scalars alone, over the true 95% quantile.

A bound here is a number b with P(error <= b) >= 95%, if it is right, computed from the population and never from a
sample; its slack is b over the 95% quantile of the error that it speaks of, found by simulation. Slack 1 is sharp, and
less than 1 no bound. Tails are inverted at 5%:

- A24-T2's proof: P(c||X_i - mu_i||_F > eps) <= sum_j gamma_ij / (r m eps^2) for one model, here the first. Printed for
  c = 1/m, where Chebyshev's inequality has another m; with c = 1/sqrt(m) it is that inequality.
- A25-T1: P(some |B^_ii' - B_ii'| >= eps) <= 16 sum gamma / (r m eps^2). Printed for e = 1/2; often read with e = 1.
- A25-T2: the bound of ||Psi^ W - Psi||_{2,inf} at x = (n^3/r)^(1/2), which has no units and no probability at one n and
  r, as A25's table takes it; and at T1's x, the one for which T1 itself gives 5%: ||B^ - B|| is at most n times its
  largest entry, so x = n (16 sum gamma / (r m 0.05))^(1/2). With e = 1/2 distinct models make B of rank n - 1, and
  A25-A1 asks for d = rank(B): there d = n - 1. As its own table reads d off a scree plot, the same d as for e = 1 is
  taken too ("small d"), without that hypothesis.
- DK-M4, DK-M8 and DK-M9, all for e = 1, with the tail bounds of the certified radius for the noise in them; and the
  certified radius itself, which takes the least of what holds on one event.

The errors of Psi^ are those after the best orthogonal motion, in the Frobenius norm and by the largest row.

Populations. Yes-or-no answers with uniform probabilities and d = rank(B), the dimension that the means span; yes-or-no
answers with probabilities 1/2 + u_i' v_j, u_i in a disc and v_j on a half circle, so d = 2 of m; two-component Gaussian
mixtures with means in a plane, d = 2, in one dimension and in sixteen. A population belongs to its cell, whatever the
seed of the run.

DK-M9 is given where it is less than DK-M8, and is infinite elsewhere.

Targets for the certified radius, at coverage of at least 95%: where d is the dimension m p of the mean space, slack at
most 2 in the Frobenius norm and 3 by rows; elsewhere 3 and 5 once the noise is at most a fifth of the signal, c||HE||
<= sigma_d / 5, sigma_d^2 = lambda_d, for 95% of the draws; outside that, valid, and reported. (c||HE|| <= c||E||, so
this asks for the targets in more cells than c||E|| would.) Centred means span n - 1 dimensions at most; whether d =
n - 1 below m p is "the dimension of the mean space" too is a matter of reading, and is reported by itself.
"""

from __future__ import annotations

from simulations.grid import Cell, Grid
from simulations.measures import Measure
from simulations.study import Deferred, Output, Study

_NUMERICS = "simulations.studies._bound_sharpness"

#: What bounds speak of. ``means`` is c||X_i - mu_i||_F of the first model, ``Gram`` the largest |B^_ii' - B_ii'|.
QUANTITIES = (
    "Frobenius",
    "rows",
    "rows e=1/2",
    "rows e=1/2 small d",
    "Gram",
    "Gram e=1/2",
    "means c=1/m",
    "means c=1/sqrt(m)",
)
#: The quantity that each bound is about.
BOUNDS = {
    "A24-T2": "means c=1/m",
    "A24-T2 c=1/sqrt(m)": "means c=1/sqrt(m)",
    "A25-T1": "Gram e=1/2",
    "A25-T1 e=1": "Gram",
    "A25-T2": "rows e=1/2",
    "A25-T2 small d": "rows e=1/2 small d",
    "A25-T2 e=1": "rows",
    "A25-T2 at T1's x": "rows e=1/2",
    "A25-T2 at T1's x small d": "rows e=1/2 small d",
    "A25-T2 at T1's x e=1": "rows",
    "DK-M4": "Frobenius",
    "DK-M8": "Frobenius",
    "DK-M9": "Frobenius",
    "DK-M9 rows": "rows",
    "certified": "Frobenius",
    "certified rows": "rows",
}
#: Norms of the certified radius, and its names among the bounds.
NORMS = {"Frobenius": "certified", "rows": "certified rows"}
#: Confidence of the bounds, and the quantile that they are compared with.
LEVEL = 0.95
#: Noise over signal up to which the targets away from the dimension of the mean space apply.
SMALL_NOISE = 0.2
#: Target slacks by bound: where d is the dimension of the mean space, and elsewhere at small noise.
TARGETS = {"certified": (2.0, 3.0), "certified rows": (3.0, 5.0)}
#: Populations, with words for them.
POPULATIONS = {
    "Bernoulli": "yes-or-no answers, uniform probabilities, d = rank(B)",
    "Bernoulli, plane": "yes-or-no answers, probabilities in a plane, d = 2",
    "mixture p=1": "Gaussian mixtures in one dimension, means in a plane, d = 2",
    "mixture p=16": "Gaussian mixtures in 16 dimensions, means in a plane, d = 2",
}


def _described(cell: Cell) -> Cell:
    population, n, m = (cell.factors[name] for name in ("population", "n", "m"))
    return Cell(cell.name, f"{population}, n = {n}, m = {m}", cell.factors, stream=cell.stream)


STUDY = Study(
    name="bound-sharpness",
    title="Bounds and certified radii against the true 95% quantile",
    aims=(
        "How many times too large are the bounds of A24 and A25 as printed, DK-M4, DK-M8, DK-M9 and the certified "
        "radius, and do those that claim a probability of 95% have it?"
    ),
    data=(
        "Independent answers of $n$ models to $m$ queries, $r$ each, of four kinds: "
        + "; ".join(f"`{name}`, {words}" for name, words in POPULATIONS.items())
        + ". A population is drawn once for each cell. The means of $r$ answers are drawn exactly; along $r$ they are "
        "one path, so the answers behind a smaller $r$ are among those behind a larger one."
    ),
    estimands=(
        "The 95% quantile of the error that each bound speaks of: the aligned error of $\\hat\\Psi$ in the Frobenius "
        "norm and by its largest row, $\\max|\\hat B - B|$, and $c\\|X_i-\\mu_i\\|_F$ of one model."
    ),
    methods=(
        "Bounds from population scalars. Tails are inverted at 5%: A24-T2's proof at $c=1/m$ as printed and at "
        "$c=1/\\sqrt m$; A25-T1 at $e=1/2$ as printed and at $e=1$; A25-T2 at $x=(n^3/r)^{1/2}$ and at the $x$ that "
        "A25-T1 gives probability 5%, with $d = n-1$ for $e=1/2$ (the rank of $B$, as A25-A1 asks) and with the "
        "same $d$ as for $e=1$ (`small d`). DK-M4, DK-M8, DK-M9 and the certified radius are for $e=1$ and 95% "
        "confidence; DK-M9 is given where it is less than DK-M8, and is infinite elsewhere."
    ),
    performance=(
        "Slack, a bound over the quantile, and coverage, the share of replicates in which the error is at most the "
        "bound. Quantiles have intervals between order statistics, coverage has Clopper-Pearson's."
    ),
    grid=Grid(
        {"population": tuple(POPULATIONS), "n": (10, 20, 50), "m": (2, 3, 50)},
        describe=_described,
    ),
    axes={"r": (20.0, 200.0, 2e3, 2e4, 2e5), "quantity": QUANTITIES, "bound": tuple(BOUNDS), "norm": tuple(NORMS)},
    replicates=500,
    batch_size=100,
    outputs=(
        Output("error", "error", dims=("r", "quantity"), unit="embedding units^2e of B̂, embedding units^e of the rest"),
        Output("noise", "c‖HE‖ / σ_d", dims=("r",)),
        Output("covered", "certified radius at least the error", dims=("r", "norm")),
    ),
    truths=(
        Output("bounds", "bounds", dims=("r", "bound")),
        Output("d", "perspective dimension", dims=()),
        Output("mean_space", "dimension of the mean space", dims=()),
        Output("signal", "σ_d", dims=(), unit="embedding units"),
    ),
    prepare=Deferred(f"{_NUMERICS}:prepare"),
    replicate=Deferred(f"{_NUMERICS}:replicate"),
    truth=Deferred(f"{_NUMERICS}:truth"),
    measures=(
        Measure("quantile", "error", level=LEVEL, title="95% quantile of the error"),
        Measure("quantile", "noise", level=LEVEL, title="95% quantile of noise over signal"),
        Measure("coverage", "covered", level=LEVEL, title="coverage of the certified radius"),
    ),
    target=Measure("quantile", "error", level=LEVEL, relative=True),
    sections=(Deferred("simulations.studies._bound_sharpness_page:section"),),
)
