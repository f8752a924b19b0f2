r"""A25-DEF: what the exponent one half does to the rank, the spectrum and the rate of B.

Setting. A25's Algorithm 1 and the proof of its Theorem 1 need Delta_ii'^2 = ||mu_i - mu_i'||_F / m, that is c =
1/sqrt(m) and e = 1/2, with classical MDS of Delta into R^d.
Statements.
* A25-DEF: the definition makes sense: B = -1/2 H Delta^2 H is positive semi-definite, so Psi is real. Holds, because
  Delta^2 is a first power of a distance and CL-SCHOENBERG applies with exponent 1.
* A25-DEF/low-rank: means in a d-dimensional affine space give rank(B) = d, as the paper's fixed d and its A25-A1
  suggest. Refuted: 0, 1, 2 on a line give rank 2.
* A25-DEF/exponent-1: the same with e = 1. Holds: B = c^2 (H mu)(H mu)'.
* A25-DEF/rank: with e = 1/2 and n distinct models, rank(B) = n - 1 whatever the means are. So a fixed d as n grows
  means all but d + 1 models coincide with others, or Psi Psi' != B.
* A25-DEF/coincident: at mu_i = mu_i', D falls as r^(-1/4), not r^(-1/2): E D^4 = c^4 sum_j (gamma_ij + gamma_i'j) / r
  exactly, since D^4 = c^4 ||E_i - E_i'||_F^2.
* A25-DEF/above-rank: with coincident models and d above the rank, Psi^ falls as r^(-1/4), while B^ falls as r^(-1/2):
  D^2 of the coincident pair is c^2 ||E_i - E_i'||_F, of size r^(-1/2), so the extra eigenvalue of B^ is too, and the
  extra column of Psi^ is its square root.
Hypotheses. Distinct models where strictness is claimed; coincident ones in the last.
Relation. Equality of ranks and of means.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1), Algorithm 1.
"""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A25
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims.cl_schoenberg import smallest_pivot
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.checker import gram, rank, squared_distances
from proofs_checks.evidence.search import largest_difference

SOURCE = "A25, Algorithm 1 and proof of Theorem 1"
HALF = "c = 1/sqrt(m), e = 1/2"


def _distinct(points) -> bool:
    return len({tuple(row) for row in points}) == len(points)


def _semidefinite(exponent: float, setting: Setting) -> Evidence:
    """Least eigenvalue of the package's B over lattice means, relative to the largest."""
    convention = dk.Convention("sqrt-m", exponent)

    def violation(points):
        b = np.asarray(dk.gram(cases.dissimilarities(points[:, None, :], convention)))
        eigenvalues = np.linalg.eigvalsh(b)
        return max(-eigenvalues[0], 0.0) / (np.abs(eigenvalues).max() + 1e-2)

    return largest_difference(
        cases.integer_arrays(5, 2),
        violation,
        setting,
        within=1e-10,
        says=f"negative part of the least eigenvalue of B, relative to the largest, e = {exponent:g}",
        quick=120,
        full=1500,
    )


def _linear_rank(power: int, setting: Setting) -> Evidence:
    """Rank of -1/2 H (distance^(2 power)) H against the dimension of the affine span, exactly."""
    generator = random.Random(setting.integer_seed("means"))

    def pairs():
        for _ in range(setting.size(150, 2000)):
            points = cases.rational_matrix(generator, generator.randint(2, 6), generator.randint(1, 3))
            squares = [[entry**power for entry in row] for row in squared_distances(points)]
            yield rank(gram(squares)), cases.affine_dimension(points)

    return exact_equalities(pairs(), "rank(B) = dimension of the affine span of the means, random lattice means")


def _full_rank(exponent: Fraction, setting: Setting) -> Evidence:
    """Certify rank n - 1 as positive definiteness of the reduced matrix, Delta^2 being a first power of distance."""
    import flint

    flint.ctx.prec = 200
    generator = random.Random(setting.integer_seed("means"))
    trials = setting.size(150, 2000)
    done, smallest = 0, None
    while done < trials:
        n, p = generator.randint(3, 6), 1 if done % 2 == 0 else generator.randint(1, 3)
        points = cases.rational_matrix(generator, n, p)
        if not _distinct(points):
            continue
        done += 1
        pivot = smallest_pivot(points, exponent)
        if not pivot > 0:
            # Over the rationals: with exponent 2 the Gram matrix is exact, so a deficient rank is certain.
            certain = exponent == 2 and rank(gram(squared_distances(points))) < n - 1
            return Evidence(
                "certified",
                Outcome.CONTRADICTS if certain else Outcome.INCONCLUSIVE,
                float(cases.affine_dimension(points)),
                float(n - 1),
                "equal",
                f"{n} distinct means, Delta^2 = distance^{exponent}: rank below {n - 1}",
                n=done,
            )
        smallest = pivot if smallest is None or pivot < smallest else smallest
    return Evidence(
        "search",
        Outcome.SUPPORTS,
        1.0,
        1.0,
        "equal",
        f"rank(B) / (n - 1) = 1 in every case (ball arithmetic); least pivot {float(smallest.mid()):.2g}",  # pyright: ignore[reportOptionalMemberAccess]
        n=trials,
    )


def coincident_population():
    """Two models with one mean and one that stands apart, two queries, Gaussian answers of unequal noise."""
    means = np.zeros((3, 2, 2))
    means[2, :, 0] = 3.0
    noise = np.array([[0.5, 0.25], [0.25, 0.5], [0.5, 0.5]])
    return dk.GaussianMixture(np.ones((3, 2, 1)), means[:, :, None, :], noise[:, :, None], covariance_type="spherical")


def _fourth_power(convention: dk.Convention, setting: Setting) -> Evidence:
    """R E D^4 / (c^4 sum (gamma + gamma')) at the coincident pair, at r from 10 to 10^12."""
    population = coincident_population()
    grid = np.array([1e1, 1e4, 1e8, 1e12])
    scale = A25.scale(2) ** 4 * float(np.asarray(population.gamma)[:2].sum())

    def draw(key, size):
        import jax

        columns = []
        for r, sub in zip(grid, jax.random.split(key, len(grid)), strict=True):
            means = np.asarray(population.mean)[None] + cases.mean_errors(population, sub, size, r)
            d = jax.vmap(lambda mean: dk.dissimilarities(mean, convention)[0, 1])(means)
            columns.append(r * np.asarray(d) ** 4 / scale)
        return np.stack(columns, axis=1)

    return monte_carlo.equal_means(
        draw,
        np.ones(len(grid)),
        np.full(len(grid), 0.9),
        setting,
        says="r E D^4 = c^4 sum_j (gamma_ij + gamma_i'j) at a coincident pair, r = 10 .. 10^12",
        named="ten per cent less noise",
        quick=2500,
        full=25000,
    )


#: Replicates, and the values of r between which a rate is read.
REPLICATES, LOW, HIGH = 300, 1e4, 1e12


def _psi_above_the_rank(convention: dk.Convention, setting: Setting) -> Evidence:
    population = coincident_population()
    before, after = (
        cases.perspective_errors(
            population, cases.mean_errors(population, setting.key(f"r = {r:g}"), REPLICATES, r), 2, convention
        )
        for r in (LOW, HIGH)
    )
    says = "aligned error of Psi^ in d = 2 above rank(B) = 1, r = 10^4 and 10^12"
    return monte_carlo.falls_as(before, after, HIGH / LOW, rate=0.25, exactly=True, says=says)


def _gram_rate(power: int, setting: Setting) -> Evidence:
    """Max |B^ - B| with B^ made of D to the given power; A25's second table prints the power 1."""
    population = coincident_population()
    mean = np.asarray(population.mean)

    def errors(r):
        draws = cases.mean_errors(population, setting.key(f"r = {r:g}"), REPLICATES, r)
        grams = [
            np.asarray(dk.gram(cases.dissimilarities(x, A25) ** (power / 2))) for x in (mean, *(mean[None] + draws))
        ]
        return np.array([np.abs(found - grams[0]).max() for found in grams[1:]])

    says = "max |B^ - B| with two coincident models, r = 10^4 and 10^12"
    return monte_carlo.falls_as(errors(LOW), errors(HIGH), HIGH / LOW, rate=0.5, exactly=True, says=says)


def _spectra():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    points = np.arange(8.0)[:, None, None]
    for exponent, marker in ((1.0, "o"), (0.5, "s")):
        b = np.asarray(dk.gram(dk.dissimilarities(points, dk.Convention("sqrt-m", exponent))))
        eigenvalues = np.linalg.eigvalsh(b)[::-1]
        axes.semilogy(
            np.arange(1, 9), np.clip(eigenvalues / eigenvalues[0], 1e-16, None), marker, label=f"e = {exponent:g}"
        )
    axes.set(xlabel="index of eigenvalue", ylabel="eigenvalue of B / largest (at least 10⁻¹⁶)", ylim=(2e-17, 5))
    figure.legend(loc="outside lower left")
    return figure


_LINE = Witness("three distinct models on a line, one query", lambda: ((0,), (1,), (2,)), lambda w: len(w) > 2)
_DISTINCT = Hypothesis("the models are distinct", _distinct)
_MEANS = Hypothesis("the means are finite", lambda w: bool(np.all(np.isfinite(w))))

_RANKS = Stored(
    "a25-def-low-rank",
    observed=("rank", ("gram", ("distances", "Mu"))),
    claimed=("rank", ("gram", ("squared_distances", "Mu"))),
    relation="equal",
)

CLAIMS = (
    Claim(
        id="A25-DEF",
        title="With exponent one half B is positive semi-definite, so classical MDS is real",
        source=SOURCE,
        form="as-printed",
        reading=HALF,
        statement=r"\Delta^2_{ii'}=\tfrac1m\|\mu_i-\mu_{i'}\|_F\ \Rightarrow\ B=-\tfrac12H\Delta^2H\succeq0",
        hypotheses=(_MEANS,),
        witness=_LINE,
        checks=(Check("semidefinite", _semidefinite, 0.5, 1.5, "exponent 3/2: Delta^2 is the cube of a distance"),),
        recorded="holds",
    ),
    Claim(
        id="A25-DEF/low-rank",
        title="With exponent one half, means in a d-dimensional space give a B of rank d",
        source=SOURCE,
        form="reconstructed",
        reading=HALF + "; the paper assumes rank(B) = d (A25-A1) and this reads d as the dimension of the mean space",
        statement=r"\dim\operatorname{aff}\{\mu_i\}=d\ \Rightarrow\ \operatorname{rank}B=d",
        hypotheses=(_DISTINCT,),
        witness=_LINE,
        checks=(
            Check(
                "three-on-a-line",
                counterexample,
                _RANKS,
                replace(_RANKS, replaced={"Mu": [["0"], ["0"], ["2"]]}),
                "two of the three models coincide, where the ranks agree",
            ),
        ),
        recorded="refuted",
        repair="A25-DEF/exponent-1",
        drawings=(
            Drawing(_spectra, "Eight models evenly on a line: one eigenvalue with e = 1, all n - 1 = 7 with e = 1/2."),
        ),
    ),
    Claim(
        id="A25-DEF/exponent-1",
        title="With exponent 1 the rank of B is the dimension of the mean space",
        source=SOURCE,
        form="repaired",
        reading="c = 1/sqrt(m), e = 1",
        statement=r"\Delta^2_{ii'}=\tfrac1m\|\mu_i-\mu_{i'}\|_F^2\ \Rightarrow\ "
        r"\operatorname{rank}B=\dim\operatorname{aff}\{\mu_i\}",
        hypotheses=(_MEANS,),
        witness=_LINE,
        checks=(Check("rank", _linear_rank, 1, 2, "squared distances squared once more"),),
        recorded="holds",
    ),
    Claim(
        id="A25-DEF/rank",
        title="With exponent one half, n distinct models always have rank n - 1",
        source=SOURCE,
        form="own",
        reading=HALF,
        statement=r"\mu_1,\dots,\mu_n\text{ distinct}\ \Rightarrow\ \operatorname{rank}B=n-1",
        hypotheses=(_DISTINCT,),
        witness=_LINE,
        checks=(Check("rank", _full_rank, Fraction(1), Fraction(2), "exponent 1: Delta^2 is a squared distance"),),
        recorded="holds",
    ),
    Claim(
        id="A25-DEF/coincident",
        title="With exponent one half, D of coincident models falls as r^(-1/4)",
        source=SOURCE,
        form="own",
        reading=HALF,
        statement=r"\mu_i=\mu_{i'}\ \Rightarrow\ \mathbb E D_{ii'}^4=\frac{c^4}{r}\sum_j(\gamma_{ij}+\gamma_{i'j})",
        hypotheses=(
            cases.INDEPENDENT,
            Hypothesis("two models coincide", lambda w: bool(np.all(w.mean[0] == w.mean[1]))),
            cases.TWO_MOMENTS,
        ),
        witness=Witness(
            "two coincident models and one apart, noise 1/2 to 1 per answer",
            coincident_population,
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(
            Check("rate", _fourth_power, A25, dk.Convention("sqrt-m", 1.0), "exponent 1: D falls as r^(-1/2)"),
            Check("constant", _fourth_power, A25, dk.Convention("m", 0.5), "normalised by 1/m instead of 1/sqrt(m)"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-DEF/above-rank",
        title="With exponent one half and coincident models, Psi^ above the rank falls as r^(-1/4), B^ as r^(-1/2)",
        source=SOURCE,
        form="own",
        reading=HALF + "; rates read between r = 10^4 and 10^12",
        statement=r"\mu_1=\mu_2,\ d>\operatorname{rank}B\ \Rightarrow\ "
        r"\min_W\|\hat\Psi W-\Psi\|_F\asymp_P r^{-1/4},\quad \max_{ij}|\hat B_{ij}-B_{ij}|\asymp_P r^{-1/2}",
        hypotheses=(
            cases.INDEPENDENT,
            Hypothesis("two models coincide", lambda w: bool(np.all(w.mean[0] == w.mean[1]))),
        ),
        witness=Witness(
            "two coincident models and one apart, d = 2", coincident_population, lambda w: bool(w.gamma.min() > 0)
        ),
        checks=(
            Check("psi", _psi_above_the_rank, A25, dk.Convention("sqrt-m", 1.0), "exponent 1: r^(-1/2)"),
            Check("gram", _gram_rate, 2, 1, "B^ made of D unsquared"),
        ),
        recorded="holds",
    ),
)
