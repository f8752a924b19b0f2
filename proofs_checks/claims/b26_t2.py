r"""B26-T2: Psi^ estimates Psi consistently "under mild conditions".

Setting. As in B26-T1, classical MDS into R^d, errors after the best orthogonal map.
Statement. min_W ||Psi^ W - Psi||_F -> 0 in probability as r -> infinity.
Hypotheses. The account we have does not print the mild conditions.
Constants. Under rank(B) <= d: root mean square at most phi c sqrt((1 - 1/n) sum gamma / r), see DK-M8.
Relation. Limit.
Reference. Browder et al. (2026), arXiv:2602.05106.

Readings.
1. B26-T2, charitable: the mild conditions include lambda_d > lambda_{d+1}. Holds, and with the rate r^(-1/2): B^ -> B,
   the spectral projection on the top d eigenvectors is smooth across an open gap, so Psi^ Psi^' - Psi Psi' is of the
   order of E, and factors converge with their Gram matrices.
2. B26-T2/no-eigengap: finite moments only, Psi one fixed member of MDS(Delta), any d. Refuted on the square with d = 1,
   where the candidates are y theta, y the corners and theta a unit vector. Let the noise be independent with one
   spherical Gaussian law for all models. With S the relabelling i -> i+1 and R the quarter turn, S Y = Y R, so
   S X = (Y + S E R') R: S E R' has the law of E, so X X' and S X X' S' have one law. Psi^, a top eigenvector of
   H X X' H (unique with probability one, since the noise has a density), has the law of S Psi^ up to sign. Let Psi be
   any candidate. S Psi is orthogonal to it, both have squared length 4, so they are sqrt 8 apart after any alignment,
   and Psi^ cannot be within sqrt 2 of both. Both events have the same probability, hence at most 1/2, at every r.
   The certificate holds the algebra (S Y = Y R, the tied eigenvalue, the distance); the invariance of the law and the
   absence of ties are argued here, and the Monte Carlo check looks at r = 10^2 and 10^12.
3. B26-T2/set: Psi^ approaches the set MDS(Delta). Holds with no gap at all, since B^ -> B and every limit of top-d
   parts of B^ is a top-d part of B; on the square the rate r^(-1/2) is checked.
"""

from __future__ import annotations

import numpy as np

from dkps_theory.conventions import A24
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample

SOURCE = "B26, consistency of the perspectives"


#: Replicates of each error, and the values of r between which it must fall by their square root.
REPLICATES, LOW, HIGH = 300, 1e4, 1e12


def _errors(population, d: int, setting: Setting, r: float, psi=None) -> np.ndarray:
    draws = cases.mean_errors(population, setting.key(f"r = {r:g}"), REPLICATES, r)
    return cases.perspective_errors(population, draws, d, A24, psi)


def _shrinks_on_digits(d: int, setting: Setting) -> Evidence:
    population = cases.digits_population() if d == 2 else cases.square_population()
    before, after = (_errors(population, d, setting, r) for r in (LOW, HIGH))
    return monte_carlo.falls_as(before, after, HIGH / LOW, says=f"aligned error of Psi^ in d = {d}, r = 10^4 and 10^12")


def _shrinks_to_chosen(inflation: float, setting: Setting) -> Evidence:
    """Measure the error against the Psi the population was built from, not against the package's own MDS of Delta."""
    population = cases.mixture_population()
    # Chosen at c = 1/sqrt(m); B26's c = 1/m divides once more by sqrt(m).
    psi = inflation * cases.mixture_psi() / np.sqrt(population.shape[1])
    before, after = (_errors(population, 2, setting, r, psi) for r in (LOW, HIGH))
    return monte_carlo.falls_as(before, after, HIGH / LOW, says="aligned error of Psi^ in d = 2, r = 10^4 and 10^12")


def _stays_away(width: float, setting: Setting) -> Evidence:
    """P(aligned error < sqrt 2) at r = 10^2 and 10^12: consistency brings it to 1, symmetry keeps it at most 1/2."""
    population = cases.square_population(width)
    # B26's c = 1/m is 1 at one query, so the square keeps its size.
    near = [int(np.sum(_errors(population, 1, setting, r) < np.sqrt(2))) for r in (1e2, HIGH)]
    return monte_carlo.stays_near_one_member(
        max(near),
        REPLICATES,
        "P(aligned error of Psi^ < sqrt 2) >= 3/4 on the square in d = 1, at the better of r = 10^2 and 10^12",
    )


def _distances_to_set(population, setting: Setting, r: float) -> np.ndarray:
    """Distance of Psi^ in R^1 to the members u theta of MDS(Delta), theta a unit vector and u the plane of candidates.

    u has orthogonal columns of norm sqrt(lambda), so min over theta of ||psi^ - u theta|| is attained along u' psi^.
    """
    plane = cases.perspective(cases.dissimilarities(population.mean, A24), 2)
    found = []
    for errors in cases.mean_errors(population, setting.key(f"r = {r:g}"), REPLICATES, r):
        psi = cases.perspective(cases.dissimilarities(np.asarray(population.mean) + errors, A24), 1)
        theta = plane.T @ psi
        found.append(np.linalg.norm(psi - plane @ (theta / np.linalg.norm(theta))))
    return np.array(found)


def _set_shrinks(to_the_set: bool, setting: Setting) -> Evidence:
    population = cases.square_population()
    before, after = (
        _distances_to_set(population, setting, r) if to_the_set else _errors(population, 1, setting, r)
        for r in (LOW, HIGH)
    )
    return monte_carlo.falls_as(
        before, after, HIGH / LOW, says="distance of Psi^ to MDS(Delta) on the square, d = 1, r = 10^4 and 10^12"
    )


def _square_and_rectangle():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = 10.0 ** np.arange(1, 10)
    setting = Setting(0, "quick", "B26-T2/drawing")
    for width, marker, name in ((1.0, "o", "square: eigengap closed"), (2.0, "s", "rectangle: eigengap open")):
        medians = [np.median(_errors(cases.square_population(width), 1, setting, r)) for r in grid]
        axes.loglog(grid, medians, marker, label=name)
    axes.set(xlabel="replicates r", ylabel="median aligned error of Psi^ (units of g)")
    figure.legend(loc="outside lower left")
    return figure


_SQUARE = Witness(
    "four models at the corners of a square, d = 1", cases.square_population, lambda w: bool(w.gamma.min() > 0)
)
STRETCHED = [["2", "1"], ["2", "-1"], ["-2", "-1"], ["-2", "1"]]

CLAIMS = (
    Claim(
        id="B26-T2",
        title="Psi^ tends to Psi when the d-th eigengap is positive",
        source=SOURCE,
        form="as-printed",
        reading="charitable: the mild conditions, which our account does not print, are two moments and "
        "lambda_d > lambda_{d+1}; classical MDS; the rate is ours",
        statement=r"\lambda_d>\lambda_{d+1}\ \Rightarrow\ \min_{W\in O(d)}\|\hat\Psi W-\Psi\|_F=O_P(r^{-1/2})",
        hypotheses=(
            cases.INDEPENDENT,
            cases.TWO_MOMENTS,
            Hypothesis("lambda_2 > lambda_3", lambda w: cases.relative_eigengap(w.mean, 2) > 1e-6),
        ),
        witness=Witness(
            "mixtures fitted to handwritten digits, d = 2", cases.digits_population, lambda w: bool(w.gamma.min() > 0)
        ),
        checks=(
            Check(
                "mixture",
                _shrinks_to_chosen,
                1.0,
                1.001,
                "Psi off by a thousandth: the error levels off far below sight",
            ),
            Check("digits", _shrinks_on_digits, 2, 1, "the eigengap closed: the square in d = 1"),
        ),
        recorded="holds",
    ),
    Claim(
        id="B26-T2/no-eigengap",
        title="Psi^ tends to Psi with no condition on the spectrum",
        source=SOURCE,
        form="reconstructed",
        reading="two moments only, Psi one fixed member of MDS(Delta), classical MDS, any d",
        statement=r"\min_{W\in O(d)}\|\hat\Psi W-\Psi\|_F\xrightarrow{P}0",
        hypotheses=(cases.INDEPENDENT, cases.TWO_MOMENTS),
        witness=_SQUARE,
        checks=(
            Check(
                "symmetry",
                counterexample,
                Stored("b26-t2", ("sum_squares", ("-", "P", "Q")), ("-", "4", "4")),
                Stored("b26-t2", ("sum_squares", ("-", "P", "Q")), ("-", "4", "4"), replaced={"Y": STRETCHED}),
                "the square stretched to a rectangle, which opens the eigengap",
            ),
            Check("stays-away", _stays_away, 1.0, 2.0, "the square stretched to a rectangle, which opens the eigengap"),
        ),
        recorded="refuted",
        repair="B26-T2",
        drawings=(
            Drawing(
                _square_and_rectangle,
                "With a closed eigengap the error stays put over eight decades of r; open, it falls as $r^{-1/2}$.",
            ),
        ),
    ),
    Claim(
        id="B26-T2/set",
        title="Psi^ approaches the set of perspectives, eigengap or not",
        source=SOURCE,
        form="own",
        reading="distance to the nearest member of MDS(Delta); the rate is checked on the square",
        statement=r"\min_{\Psi\in\mathrm{MDS}(\Delta)}\|\hat\Psi-\Psi\|_F=O_P(r^{-1/2})",
        hypotheses=(cases.INDEPENDENT, cases.TWO_MOMENTS),
        witness=_SQUARE,
        checks=(Check("square", _set_shrinks, True, False, "distance to one fixed member instead of the set"),),
        recorded="holds",
    ),
)
