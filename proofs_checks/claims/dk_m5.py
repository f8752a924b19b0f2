r"""DK-M5: the rates of D and of Psi^ in r, for both exponents, case by case.

Setting. n, m fixed, iid replicates, D = c ||X_i - X_i'||_F^e, classical MDS in R^d, errors of Psi^ after the best
orthogonal map; rates are exact: errors divided by the rate stay away from 0 and from infinity in probability.
Statements.

    error                                                          e = 1       e = 1/2
    DK-M5/apart            D - Delta at models apart               r^(-1/2)    r^(-1/2)
    DK-M5/coincident       D at coincident models                  r^(-1/2)    r^(-1/4)
    DK-M5/perspective      Psi^ where lambda_d > lambda_{d+1}      r^(-1/2)    r^(-1/2), coincident models or not
    DK-M5/closed-gap       Psi^ where lambda_d = lambda_{d+1} > 0  none        none (refuted: r^(-1/2))
    DK-M5/closed-gap-set   the same, to the set MDS(Delta)         r^(-1/2)    r^(-1/2)
    DK-M5/above-rank       Psi^, d > rank(B), coincident models    r^(-1/2)    r^(-1/4)

Hypotheses. Two moments; where a rate is said to be exact, every Sigma_ij is positive definite. gamma > 0 is not
enough: noise across all differences of means moves D and Psi^ by O(1/r) only, which is a broken twin here.
Constants. None; limit laws in DK-M2 and DK-M3, bounds in DK-M8.
Relation. Rates, read between r = 10^4 and 10^10.
Reference. Our own. For e = 1/2 see also A25-DEF/coincident and A25-DEF/above-rank, for consistency B26-T2.

Derivation. D: DK-M2 gives both limit laws. B: ||B^ - B|| is O_P(r^(-1/2)) for both exponents, coincident models
included, because D^2 is smooth in X for e = 1, and for e = 1/2 it is c^2 times a norm, which is Lipschitz in X. With
an open gap the top part of B^ and its aligned factor are smooth functions of B^ at B (DK-M3), hence Lipschitz: Psi^ has
the rate of B^, not the slower one of D. What is surprising: for e = 1/2 D of coincident models errs by r^(-1/4), and
Psi^ made of it by r^(-1/2), since MDS squares D first.
Exact. The limit of sqrt(r)(Psi^ W* - Psi) is G(Z), Z Gaussian on all of R^{nmp}; each entry of G is a linear form plus
multiples of the ||z_i - z_k|| of coincident models. mu -> (1 + t) mu turns Psi into (1 + t)^e Psi, so G(mu) = e Psi,
not 0. G is analytic off the coincidences z_i = z_k and continuous at mu, which lies in the closure of every part of
that set, so an entry that is not 0 at mu is 0 on a null set only: the limit has no mass at 0. Likewise for D, and in
the two rows that follow for the sum of the first d eigenvalues, whose derivative along mu is 2 e ||Psi||^2.
Closed gap, lambda_d > 0. Let g be the space of eigenvectors of lambda_d. Psi^ parts into columns that belong to larger
eigenvalues, where the gap is open, and columns u^ (lambda^)^(1/2) with u^ within O(||B^ - B||) of g and lambda^ of
lambda_d. Projecting these on g and making them orthonormal gives a member of MDS(Delta) within O(||B^ - B||): the rate
to the set is r^(-1/2). To one fixed member there is none. On the cross Y = (1,0), (0,1), (-1,0), (0,-1) with d = 1 the
candidates are the unit combinations of the columns P, Q of Y. Take one spherical Gaussian noise law for all models. S
relabels i -> i+1 and R turns by a quarter, S Y = Y R, so S X = (Y + S E R') R, S E R' has the law of E, and B^ that of
S B^ S'. Its top eigenvector is unique with probability one (the noise has a density), so Psi^ has the law of S Psi^ up
to sign. For any candidate Psi, S Psi is 2 away from it after alignment, so Psi^ is within less than 1 of both at no
time, and P(error < 1) <= 1/2 at every r: no rate. The same holds for every exponent, as S Delta S' = Delta.
Above the rank, e = 1: Psi^ differs from Psi by at most phi c||HE||_F (DK-M8), rank(B) <= d being all that it needs. For
e = 1/2 rank(B) = n - 1 unless models coincide (A25-DEF/rank); then the further eigenvalues of B^ are of the order of
D^2 of coincident models, r^(-1/2), and the further columns of Psi^ are their roots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A25, DEFAULT
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.a25_def import coincident_population
from proofs_checks.claims.dk_m2_coincident import coincident_mixtures
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample

SOURCE = "own"
REPLICATES, LOW, HIGH = 300, 1e4, 1e10


@dataclass(frozen=True)
class Row:
    """One entry of the table: population, convention, rate, d (0 for D itself), and what the error is taken to."""

    population: str
    convention: dk.Convention
    rate: float
    d: int = 0
    to_the_set: bool = False
    width: float = 1.0

    def build(self):
        """Return the population."""
        if self.population == "square":
            return cases.square_population(self.width)
        known = {
            "mixture": cases.mixture_population,
            "coincident mixture": coincident_mixtures,
            "coincident": coincident_population,
            "noise across": noise_across,
        }
        return known[self.population]()

    @property
    def says(self) -> str:
        """What is measured, in words."""
        target = f"Psi^ in d = {self.d}" if self.d else "D"
        return f"error of {target}, {self.population}, e = {self.convention.exponent:g}, r = 10^4 and 10^10"


def noise_across():
    """Three models on a line, one query, noise across the line only: gamma > 0, and no first order error."""
    means, noise = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), np.tile([0.0, 1.0], (3, 1, 1, 1))
    return dk.GaussianMixture(np.ones((3, 1, 1)), means[:, None, None], noise, covariance_type="diagonal")


def errors_at(row: Row, setting: Setting, r: float, replicates: int = REPLICATES) -> np.ndarray:
    """Errors of independent replicates: of D over all pairs, of D at the coincident pair, or of Psi^ aligned."""
    population = row.build()
    mean = np.asarray(population.mean)
    draws = mean[None] + cases.mean_errors(population, setting.key(f"r = {r:g}"), replicates, r)
    found = cases.dissimilarities_of_many(draws, row.convention)
    delta = cases.dissimilarities(mean, row.convention)
    if row.d == 0:
        return found[:, 0, 1] if row.population == "coincident mixture" else np.linalg.norm(found - delta, axis=(1, 2))
    psi = cases.perspective(delta, row.d)
    aligned = cases.aligned_perspectives(found, psi)
    if not row.to_the_set:
        return np.linalg.norm(aligned - psi, axis=(1, 2))
    # Members of MDS(Delta) are plane theta, theta a unit vector; the plane's columns are orthogonal and equally long,
    # so the nearest is attained along plane' psi^.
    plane = cases.perspective(delta, 2)
    theta = np.einsum("ik,bi->bk", plane, aligned[..., 0])
    theta /= np.linalg.norm(theta, axis=1, keepdims=True)
    return np.linalg.norm(aligned[..., 0] - theta @ plane.T, axis=1)


def _rate(row: Row, setting: Setting) -> Evidence:
    before, after = (errors_at(row, setting, r) for r in (LOW, HIGH))
    return monte_carlo.falls_as(before, after, HIGH / LOW, rate=row.rate, exactly=True, says=row.says)


def _no_rate(row: Row, setting: Setting) -> Evidence:
    before, after = (errors_at(row, setting, r) for r in (LOW, HIGH))
    return monte_carlo.illustration(monte_carlo.falls_as(before, after, HIGH / LOW, rate=row.rate, says=row.says))


def _medians(rows: tuple[tuple[str, Row], ...], ylabel: str):
    from dkps_theory.pages.figures import new_figure, styled

    grid, setting = 10.0 ** np.arange(2, 11), Setting(0, "quick", "DK-M5/drawing")
    found = [(name, row, [np.median(errors_at(row, setting, r, 200)) for r in grid]) for name, row in rows]

    @styled
    def draw():
        figure, (axes,) = new_figure(height=4.2)
        for (name, row, medians), marker in zip(found, "os^Dv", strict=False):
            (line,) = axes.loglog(grid, medians, marker, label=name)
            if row.rate:
                guide = medians[-1] * (grid / grid[-1]) ** -row.rate
                axes.loglog(grid, guide, "--", lw=0.8, color=line.get_color(), zorder=0)
        axes.set(xlabel="replicates r (answers per model and query)", ylabel=ylabel)
        figure.legend(loc="outside lower left", ncols=1)
        return figure

    return draw()


def _coincide(population) -> bool:
    """Whether models 1 and 2 have equal means, up to the rounding of what made them so."""
    mean = np.asarray(population.mean)
    return bool(np.abs(mean[0] - mean[1]).max() <= 1e-15 * np.abs(mean).max())


def _gap(d: int, sign: int):
    """Return the hypothesis that lambda_d exceeds lambda_{d+1} (sign 1), or equals it and is positive (sign 0)."""

    def predicate(population) -> bool:
        gaps = []
        for convention in (DEFAULT, A25):
            values = np.linalg.eigvalsh(np.asarray(dk.gram(cases.dissimilarities(population.mean, convention))))[::-1]
            positive, gap = values[d - 1] > 1e-6 * values[0], values[d - 1] - values[d] > 1e-6 * values[0]
            gaps.append(positive and gap == bool(sign))
        return all(gaps)

    return Hypothesis(f"lambda_{d} {'>' if sign else '= lambda_2 >'} {f'lambda_{d + 1}' if sign else '0'}", predicate)


def _rank_one(population) -> bool:
    found = (dk.classical_mds(cases.dissimilarities(population.mean, e), 2).rank for e in (DEFAULT, A25))
    return all(float(rank) == 1 for rank in found)


def _noisy(population) -> bool:
    return bool(population.gamma.min() > 0)


_MOMENTS = (cases.INDEPENDENT, cases.TWO_MOMENTS)
_FULL = Hypothesis(
    "every Sigma_ij is positive definite", lambda w: bool(np.linalg.eigvalsh(np.asarray(w.covariance)).min() > 1e-9)
)
_COINCIDE = Hypothesis("models 1 and 2 coincide", _coincide)
_MIXTURE = Witness("six models at a chosen Psi in the plane, answers from mixtures", cases.mixture_population, _noisy)
_TWINS = Witness("six models in the plane, two of them coincident, answers from mixtures", coincident_mixtures, _noisy)
_SQUARE = Witness("four models at the corners of a square, d = 1", cases.square_population, _noisy)
_ERROR = r"\min_W\|\hat\Psi W-\Psi\|_F"
STRETCHED = [["2", "0"], ["0", "1"], ["-2", "0"], ["0", "-1"]]


def _rows(*rows: Row) -> tuple[Check, ...]:
    """Two checks for one entry of the table each; the broken twin claims half the rate."""
    return tuple(
        Check(
            f"{row.population}, e = {row.convention.exponent:g}",
            _rate,
            row,
            replace(row, rate=row.rate / 2),
            "the rate halved",
        )
        for row in rows
    )


def _needs_noise_along(row: Row, d: int = 0) -> Check:
    """Return a check whose twin has noise across the line of the models only, which no rate r^(-1/2) comes from."""
    return Check("noise along", _rate, row, replace(row, population="noise across", d=d), "noise across the line only")


CLAIMS = (
    Claim(
        id="DK-M5/apart",
        title="D of models apart errs by exactly r^(-1/2) under both exponents",
        source=SOURCE,
        form="own",
        reading="e = 1 and e = 1/2; all pairs of six models apart",
        statement=r"\Delta_{ii'}>0\ \Rightarrow\ D_{ii'}-\Delta_{ii'}\asymp_P r^{-1/2}",
        hypotheses=(
            *_MOMENTS,
            _FULL,
            Hypothesis("the models are distinct", lambda w: bool((cases.dissimilarities(w.mean) + np.eye(6)).all())),
        ),
        witness=_MIXTURE,
        checks=(
            *_rows(Row("mixture", DEFAULT, 0.5), Row("mixture", A25, 0.5)),
            _needs_noise_along(Row("mixture", DEFAULT, 0.5)),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M5/coincident",
        title="D of coincident models falls as r^(-1/2) with e = 1 and as r^(-1/4) with e = 1/2",
        source=SOURCE,
        form="own",
        reading="e = 1 and e = 1/2",
        statement=r"\mu_i=\mu_{i'}\ \Rightarrow\ D_{ii'}\asymp_P r^{-e/2}",
        hypotheses=(*_MOMENTS, _FULL, _COINCIDE),
        witness=_TWINS,
        checks=_rows(Row("coincident mixture", DEFAULT, 0.5), Row("coincident mixture", A25, 0.25)),
        recorded="holds",
    ),
    Claim(
        id="DK-M5/perspective",
        title="Psi^ errs by exactly r^(-1/2) at an open eigengap, even where D errs by r^(-1/4)",
        source=SOURCE,
        form="own",
        reading="e = 1 and e = 1/2; distinct and coincident models",
        statement=rf"\lambda_d>\lambda_{{d+1}}\ \Rightarrow\ {_ERROR}\asymp_P r^{{-1/2}}",
        hypotheses=(*_MOMENTS, _FULL, _gap(2, 1)),
        witness=_TWINS,
        checks=(
            *_rows(
                Row("mixture", DEFAULT, 0.5, 2),
                Row("mixture", A25, 0.5, 2),
                Row("coincident mixture", DEFAULT, 0.5, 2),
                Row("coincident mixture", A25, 0.5, 2),
            ),
            _needs_noise_along(Row("mixture", DEFAULT, 0.5, 2), 1),
        ),
        recorded="holds",
        drawings=(
            Drawing(
                lambda: _medians(
                    (
                        ("D of two coincident models, e = 1", Row("coincident mixture", DEFAULT, 0.5)),
                        ("D of two coincident models, e = 1/2", Row("coincident mixture", A25, 0.25)),
                        ("aligned Psi^ with these two among six, e = 1", Row("coincident mixture", DEFAULT, 0.5, 2)),
                        ("aligned Psi^ with these two among six, e = 1/2", Row("coincident mixture", A25, 0.5, 2)),
                    ),
                    "median error",
                ),
                "With e = 1/2 the D of coincident models falls as r^(-1/4), yet Psi^ made of it falls as r^(-1/2).",
            ),
        ),
    ),
    Claim(
        id="DK-M5/closed-gap",
        title="Psi^ has the rate r^(-1/2) where the eigengap is closed",
        source=SOURCE,
        form="own",
        reading="to one fixed Psi in MDS(Delta), lambda_d = lambda_{d+1} > 0",
        statement=rf"\lambda_d=\lambda_{{d+1}}>0\ \Rightarrow\ {_ERROR}=O_P(r^{{-1/2}})",
        hypotheses=(*_MOMENTS, _gap(1, 0)),
        witness=_SQUARE,
        checks=(
            Check(
                "cross",
                counterexample,
                Stored("dk-m5-closed-gap", ("sum_squares", ("-", "P", "Q")), "0"),
                Stored("dk-m5-closed-gap", ("sum_squares", ("-", "P", "Q")), "0", replaced={"Y": STRETCHED}),
                "the cross stretched, which opens the eigengap",
            ),
            Check(
                "stays-away",
                _no_rate,
                Row("square", DEFAULT, 0.5, 1),
                Row("square", DEFAULT, 0.5, 1, width=2.0),
                "the square stretched to a rectangle, which opens the eigengap",
            ),
            Check(
                "stays-away, e = 1/2",
                _no_rate,
                Row("square", A25, 0.5, 1),
                Row("square", A25, 0.5, 1, width=2.0),
                "the square stretched to a rectangle, which opens the eigengap",
            ),
        ),
        recorded="refuted",
        repair="DK-M5/closed-gap-set",
        drawings=(
            Drawing(
                lambda: _medians(
                    (
                        ("to one perspective of the square, d = 1", Row("square", DEFAULT, 0.0, 1)),
                        ("to the nearest perspective of the square", Row("square", DEFAULT, 0.5, 1, True)),
                        ("to the perspective of a rectangle", Row("square", DEFAULT, 0.5, 1, width=2.0)),
                    ),
                    "median error of Psi^ (units of g)",
                ),
                "No rate to a fixed perspective where the eigengap is closed; r^(-1/2) to the set of them.",
            ),
        ),
    ),
    Claim(
        id="DK-M5/closed-gap-set",
        title="At a closed eigengap Psi^ has the rate r^(-1/2) to the set of perspectives",
        source=SOURCE,
        form="own",
        reading="classical MDS, e = 1 and e = 1/2, lambda_d = lambda_{d+1} > 0; checked on the square; see B26-T2/set",
        statement=r"\lambda_d=\lambda_{d+1}>0\ \Rightarrow\ "
        r"\min_{\Psi\in\mathrm{MDS}(\Delta)}\|\hat\Psi-\Psi\|_F\asymp_P r^{-1/2}",
        hypotheses=(*_MOMENTS, _FULL, _gap(1, 0)),
        witness=_SQUARE,
        checks=tuple(
            Check(
                f"square, e = {row.convention.exponent:g}",
                _rate,
                row,
                replace(row, to_the_set=False),
                "distance to one fixed member instead of the set",
            )
            for row in (Row("square", DEFAULT, 0.5, 1, True), Row("square", A25, 0.5, 1, True))
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M5/above-rank",
        title="Above the rank Psi^ falls as r^(-1/2) with e = 1 and as r^(-1/4) with e = 1/2",
        source=SOURCE,
        form="own",
        reading="two coincident models and one apart, d = 2 > rank(B) = 1; e = 1 and e = 1/2",
        statement=rf"d>\operatorname{{rank}}B\ \Rightarrow\ {_ERROR}\asymp_P r^{{-e/2}}",
        hypotheses=(*_MOMENTS, _FULL, _COINCIDE, Hypothesis("rank(B) = 1 < d = 2 under both exponents", _rank_one)),
        witness=Witness("two coincident models and one apart, d = 2", coincident_population, _noisy),
        checks=_rows(Row("coincident", DEFAULT, 0.5, 2), Row("coincident", A25, 0.25, 2)),
        recorded="holds",
    ),
)
