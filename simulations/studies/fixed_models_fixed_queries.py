r"""Fixed models and queries, r from 10 to 10^12: the rates of D and of Psi^, a cell for each case of DK-M5.

Why each rate. Write e = (E_i - E_i') for the errors of the means, of size r^{-1/2} by the central limit theorem.

- Regular (Delta > 0, positive eigengap, d <= rank, any exponent): D is smooth in X where mu_i != mu_i', B^ is smooth in
  D^2, and Psi^ up to an orthogonal motion is smooth in B^ while lambda_d > lambda_{d+1}: all errors have rate -1/2.
- Coincident models: Delta = 0 and D = c ||e||^{exponent}, so D has rate -exponent/2 and D^2 -exponent: with exponent 1
  that is -1/2 (of a chi-like law) and -1; with exponent 1/2 it is -1/4 and -1/2. B^ is then off by r^{-1/2}, and so is
  Psi^ while its eigengap is positive.
- Closed eigengap, lambda_d = lambda_{d+1}: to first order the noise turns the tied eigenvectors by an angle that
  depends on the direction of E and not on its size, so Psi^ has no limit: rate 0. Only the distance to the set of
  solutions falls: the projection of Psi^ on the tied eigenspace is smooth in B^, rate -1/2.
- d above the rank, exponent 1: the extra columns have eigenvalues that are c^2 times squares of E outside the range of
  mu, of size 1/r, and their square roots are r^{-1/2}: rate -1/2 all the same, with another constant.
- d above the rank, exponent 1/2: this needs coincident models (distinct ones make B of rank n - 1). Their squares D^2
  are off by r^{-1/2}, so are the extra eigenvalues, and the extra columns are r^{-1/4}: rate -1/4. Distances between
  coincident models inherit it.

Raw stress, Psi^ in argmin sum (||z_i - z_i'|| - D_ii')^2, exponent 1:

- d at the rank: stress 0 at Psi, where the Hessian is that of a rigid framework, all pairs joined: singular along rigid
  motions alone. So Psi^ is smooth in D: rate -1/2.
- d below the rank, one class of minimisers, Hessian not singular: the same, around a Psi of positive stress.
- d below the rank, two classes: whichever has less stress under D is taken, and noise of any size decides: rate 0;
  the distance to the nearer of them has rate -1/2.
- d above the rank: noise within the span of mu is fitted there. What is left of D_ii' is
  (||f_i - f_i'||^2 - (y_i - y_i')^2) / (2 Delta_ii'), f the noise off the span and y the extra columns: y is fitted to
  f, of size r^{-1/2}. Rate -1/2, although the Hessian at Psi is singular; it is of size 1/r along y.
"""

from __future__ import annotations

from typing import Any

from dkps_theory.conventions import A25, DEFAULT, Convention
from simulations.grid import Cell
from simulations.measures import Measure
from simulations.studies.mechanism import Mechanism
from simulations.study import Deferred, Output, Study

_NUMERICS = "simulations.studies._perspective_errors"

#: The values of r whose aligned Psi^ are kept for pictures, and of how many replicates.
SHOWN_R, SHOWN_REPLICATES = (10.0, 100.0, 1e4, 1e6), 60

_ERRORS: tuple[str, ...] = (
    "dissimilarity",
    "largest_dissimilarity",
    "squared",
    "frobenius",
    "spectral",
    "two_to_infinity",
    "pairwise",
)


def _rates(convention: Convention = DEFAULT, **changed: float) -> dict[str, float]:
    """Return -1/2 for every error that applies, but for those ``changed``."""
    rates: dict[str, float] = dict.fromkeys(_ERRORS, -0.5)
    if convention.is_linear:
        rates["debiased"] = -0.5
    return rates | changed


def _designed(
    *,
    name: str,
    title: str,
    remark: str,
    rates: dict[str, float],
    d: int = 2,
    convention: Convention = DEFAULT,
    scaling: str = "classical",
    **design: Any,
) -> Cell:
    """Return a cell with a population built from a chosen Psi; a small one unless ``design`` says otherwise."""
    full: dict[str, Any] = {"n": 8, "m": 10, "p": 4, "components": 2, "gamma": 4.0, "between": 0.3, "seed": 1} | design
    factors = {"n": full["n"], "m": full["m"], "p": full["p"], "k": full["components"]}
    return _cell(
        name, title, factors, Mechanism(Deferred(f"{_NUMERICS}:designed", full), d, convention, scaling), rates, remark
    )


def _cell(
    name: str, title: str, factors: dict[str, Any], mechanism: Mechanism, rates: dict[str, float], remark: str
) -> Cell:
    """Return a cell in which the errors without a rate do not apply."""
    absent = tuple(error for error in (*_ERRORS, "debiased", "nearest") if error not in rates)
    return Cell(name, title, factors, mechanism, absent, rates, remark)


CELLS = (
    _designed(
        name="regular",
        title="Regular: distinct models, positive eigengap",
        remark="everything is smooth at the truth",
        rates=_rates(),
        n=20,
        m=50,
        p=16,
        components=3,
        gamma=16.0,
        spectrum=(8.0, 4.0),
    ),
    _cell(
        name="bernoulli",
        title="Yes-or-no answers with uniform probabilities",
        factors={"n": 8, "m": 40, "p": 1, "k": 2},
        mechanism=Mechanism(Deferred(f"{_NUMERICS}:bernoulli_answers", {"n": 8, "m": 40, "seed": 1}), 2),
        rates=_rates(),
        remark="as the regular cell, with a discrete law and $d = 2$ of rank 7",
    ),
    _cell(
        name="digits",
        title="Mixtures fitted to handwritten digits",
        factors={"n": 15, "m": 10, "p": 8, "k": 2},
        mechanism=Mechanism(Deferred(f"{_NUMERICS}:digits", {"n": 15, "p": 8, "components": 2, "seed": 0}), 2),
        rates=_rates(),
        remark="as the regular cell, with a law fitted to real data",
    ),
    _designed(
        name="coincident",
        title="Two models coincide",
        remark="at $\\Delta = 0$ the error of $D$ is $c\\|e\\|$ itself, that of $D^2$ its square",
        rates=_rates(squared=-1.0, debiased=-1.0),
        spectrum=(4.0, 2.0),
        groups=((0, 1),),
    ),
    _designed(
        name="square-root",
        title="Exponent 1/2, distinct models",
        remark="the square root is smooth away from 0",
        rates=_rates(A25),
        convention=A25,
        spectrum=(4.0, 2.0),
    ),
    _designed(
        name="coincident-square-root",
        title="Exponent 1/2, two models coincide",
        remark="$D$ is the square root of a norm, at half the speed; $\\hat B$ and $\\hat\\Psi$ need only $D^2$",
        rates=_rates(A25, dissimilarity=-0.25, largest_dissimilarity=-0.25),
        convention=A25,
        spectrum=(4.0, 2.0),
        groups=((0, 1),),
    ),
    _designed(
        name="closed-eigengap",
        title="Closed eigengap: the second and third eigenvalue are equal",
        remark="noise picks the second axis at any $r$: no rate, but the distance to the set of solutions has one",
        rates=_rates(frobenius=0.0, spectral=0.0, two_to_infinity=0.0, pairwise=0.0, nearest=-0.5),
        spectrum=(4.0, 2.0, 2.0),
    ),
    _designed(
        name="above-rank",
        title="d = 3 above the rank 2",
        remark="the third eigenvalue is of order $r^{-1}$, its square root of order $r^{-1/2}$",
        rates=_rates(),
        d=3,
        spectrum=(4.0, 2.0),
    ),
    _designed(
        name="above-rank-square-root",
        title="Exponent 1/2, d = 3 above the rank 2: three groups of coincident models",
        remark="the third eigenvalue is of order $r^{-1/2}$, its square root of order $r^{-1/4}$",
        rates=_rates(
            A25,
            dissimilarity=-0.25,
            largest_dissimilarity=-0.25,
            frobenius=-0.25,
            spectral=-0.25,
            two_to_infinity=-0.25,
            pairwise=-0.25,
        ),
        d=3,
        convention=A25,
        spectrum=(4.0, 2.0),
        groups=((0, 1, 2), (3, 4, 5), (6, 7)),
    ),
    _designed(
        name="raw-stress",
        title="Raw stress at the rank, d = 2",
        remark="stress 0 at the truth, where only rigid motions keep it",
        rates=_rates(),
        scaling="raw-stress",
        spectrum=(4.0, 2.0),
    ),
    _designed(
        name="raw-stress-below-rank",
        title="Raw stress below the rank, d = 1, one minimiser",
        remark="the minimiser on the line is smooth in $D$ as long as the order of the models is the best one",
        rates=_rates(),
        d=1,
        scaling="raw-stress",
        spectrum=(4.0, 2.0),
    ),
    _cell(
        name="raw-stress-tied",
        title="Raw stress below the rank, d = 1, two minimisers: a triangle with sides 13, 13, 10",
        factors={"n": 3, "m": 1, "p": 2, "k": 1},
        mechanism=Mechanism(
            Deferred(f"{_NUMERICS}:triangle", {"sides": (13.0, 13.0, 10.0), "gamma": 8.0}), 1, scaling="raw-stress"
        ),
        rates=_rates(frobenius=0.0, spectral=0.0, two_to_infinity=0.0, pairwise=0.0, nearest=-0.5),
        remark="noise decides which long side is the longer at any $r$: no rate, but the distance to the set has one",
    ),
    _designed(
        name="raw-stress-above-rank",
        title="Raw stress above the rank, d = 3",
        remark="the third column is fitted to the noise off the plane, of order $r^{-1/2}$",
        rates=_rates(),
        d=3,
        scaling="raw-stress",
        n=5,
        spectrum=(4.0, 2.0),
    ),
)

_UNIT = "embedding units^e"

#: What a row of a failed replicate says.
_MDS, _LOST = "multidimensional scaling", "not finite: raw stress did not converge"

STUDY = Study(
    name="fixed-models-fixed-queries",
    title="Fixed models, fixed queries: rates in the number of replicates",
    aims=(
        "How fast do the dissimilarities $D$ and the perspectives $\\hat\\Psi$ of classical multidimensional scaling, "
        "and of raw stress, approach their population values as the number of replicates $r$ grows, with models and "
        "queries held fixed, and in which cases is the rate another than $-1/2$?"
    ),
    data=(
        "Responses of $n$ models to $m$ queries are embedded in $\\mathbb{R}^p$; the answers of model $i$ to query "
        "$j$ are independent draws from a law with mean $\\mu_{ij}$. The means $X$ of $r$ answers are drawn exactly, "
        "by the counts of the components and one Gaussian, so $r = 10^{12}$ costs what $r = 10$ costs. One replicate "
        "is one path: the answers behind a smaller $r$ are among those behind a larger one."
    ),
    estimands=(
        "$\\Delta_{ii'} = c\\|\\mu_i - \\mu_{i'}\\|_F^e$, its square, and $\\Psi = U_d S_d^{1/2}$ from the top $d$ "
        "eigenpairs of $B = -\\frac12 H \\Delta^2 H$, known exactly for every population; for raw stress the minimiser "
        "at $\\Delta$, which on the line is the global one, by dynamic programming."
    ),
    methods=(
        "$D_{ii'} = c\\|X_i - X_{i'}\\|_F^e$ as it is; $D^2$ less the noise it carries, $c^2\\sum_j(\\gamma_{ij} + "
        "\\gamma_{i'j})/r$ with the population's own $\\gamma$; and $\\hat\\Psi$ from classical scaling of $D$, "
        "or by raw stress from five starts, where a replicate that does not converge counts as failed."
    ),
    performance=(
        "Root mean square errors over replicates with their Monte Carlo standard errors: of $D$, $D^2$ and its "
        "debiased form at one pair of models, of the largest error of $D$ over pairs, and of $\\hat\\Psi$ after the "
        "best orthogonal motion in the Frobenius, spectral and two-to-infinity norms and in pairwise distances, which "
        "need no motion. Slopes of log RMSE on log r with standard errors and a test of the straight line."
    ),
    cells=CELLS,
    axes={"r": tuple(10.0**power for power in range(1, 13)), "r_shown": SHOWN_R},
    replicates=1000,
    batch_size=50,
    outputs=(
        Output("dissimilarity", "D, one pair", unit=_UNIT),
        Output("largest_dissimilarity", "D, worst pair", unit=_UNIT),
        Output("squared", "D², one pair", unit="embedding units^2e"),
        Output("debiased", "debiased D², one pair", unit="embedding units^2e"),
        Output("frobenius", "aligned Ψ̂, Frobenius", unit=_UNIT, method=_MDS, failure=_LOST),
        Output("spectral", "aligned Ψ̂, spectral", unit=_UNIT, method=_MDS, failure=_LOST),
        Output("two_to_infinity", "aligned Ψ̂, two-to-infinity", unit=_UNIT, method=_MDS, failure=_LOST),
        Output("pairwise", "distances within Ψ̂, worst pair", unit=_UNIT, method=_MDS, failure=_LOST),
        Output("nearest", "Ψ̂ to the nearest solution, Frobenius", unit=_UNIT, method=_MDS, failure=_LOST),
        Output(
            "configuration",
            "aligned Ψ̂",
            dims=("r_shown", "n", "d"),
            unit=_UNIT,
            first=SHOWN_REPLICATES,
            method=_MDS,
            failure=_LOST,
        ),
    ),
    truths=(
        Output("pair_dissimilarity", "Δ of the pair", dims=(), unit=_UNIT),
        Output("gamma", "average variance of an answer", dims=(), unit="embedding units^2"),
        Output("eigenvalues", "eigenvalues of B", dims=("n",), unit="embedding units^2e"),
        Output("eigengap", "eigengap of B at d", dims=(), unit="embedding units^2e"),
        Output("rank", "rank of B", dims=()),
        Output("perspectives", "Ψ", dims=("n", "d"), unit=_UNIT),
        Output("exact_squared", "exact RMSE of D²", unit="embedding units^2e"),
        Output("exact_debiased", "exact RMSE of debiased D²", unit="embedding units^2e"),
        *(
            Output(f"share_{name}", f"predicted non-asymptotic share of {name}")
            for name in (*_ERRORS, "debiased", "nearest")
        ),
    ),
    prepare=Deferred(f"{_NUMERICS}:prepare"),
    replicate=Deferred(f"{_NUMERICS}:replicate"),
    truth=Deferred(f"{_NUMERICS}:truth"),
    target=Measure("rmse", "frobenius", relative=True),
)
