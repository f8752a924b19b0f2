r"""A24-A1, A24-A2: the assumptions that dissimilarities of the means have a limit as queries and replicates grow.

Setting. n fixed models, m queries, means mu_ij in R^p, c = 1/m, e = 1; m, r -> infinity along any path.
Statements. A24-A1 (assumption 1): there are phi_1, ..., phi_n in R^q with (1/m) ||mu_i - mu_i'||_F -> ||phi_i -
phi_i'|| for all i, i'. A24-A2 (assumption 2): the phi_i are on a compact Riemannian manifold in R^q, iid from a law P.
Hypotheses. The limits exist. (The assumption is the hypothesis of A24-T2 and of what follows it; what is judged is
what it asks beyond the existence of limits, and for which embeddings it says anything.)
Constants. q = n - 1 is always enough.
Relation. Existence.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Derivation. For every m the numbers (1/m) ||mu_i - mu_i'||_F are distances of n points of a Euclidean space, so B =
-1/2 H Delta^2 H is positive semi-definite: w'Bw = ||c sum_i (w_i - mean w) mu_i||^2. That property is closed, so it
passes to the limit, and a limit B = Z Z' of rank at most n - 1 gives the phi_i as rows of Z (Schoenberg). No
Euclidean structure has to be assumed.

Readings.
1. A24-A1: existence of the limits alone, q = n - 1. Holds, and not in vain: where means grow like sqrt(m) per query,
   mu_ij = sqrt(m) phi_i, every Delta is ||phi_i - phi_i'|| exactly. A q below n - 1 is a condition on the limit's rank.
2. A24-A1/bounded: embeddings are often bounded, ||g|| <= R: normalised ones are, and H25 assumes it. Then (1/m) ||mu_i
   - mu_i'||_F <= 2R / sqrt(m), so the limit is 0 and all phi_i coincide: with a limit that tells any two models apart
   the assumption has no example. In this class A24-T2 to A24-T5 speak of D -> 0, of embeddings that shrink to a point,
   and are true for want of anything to estimate. With c = 1/sqrt(m) bounded embeddings have limits up to 2R.
3. A24-A2: has examples for every law on every M, mu_ij = sqrt(m) phi_i again; checked on the circle. A24-A2/bounded:
   with bounded g every phi_i is one point, so P is a point mass and the manifold plays no part.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A24
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence import checker
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.symbolic import nothing_left

SOURCE = "A24, assumption 1"


@dataclass(frozen=True)
class Path:
    """Populations and replicates along a path of growing m and r (and n, where it grows)."""

    members: tuple[tuple[Any, float], ...]


def delta_of(population: Any) -> np.ndarray:
    """Return Delta (n, n) under c = 1/m, e = 1."""
    mean = np.asarray(population.mean)
    return A24.scale(mean.shape[1]) * cases.distances(mean.reshape(len(mean), -1))


def noise_share(population: Any, r: float) -> np.ndarray:
    """Return c^2 sum_j gamma_ij / r (n,): what model i adds to E D^2 under c = 1/m."""
    gamma = np.asarray(population.gamma)
    return gamma.sum(axis=1) / (r * gamma.shape[1] ** 2)


def _settles(path: Path) -> bool:
    first, *others = (delta_of(population) for population, _ in path.members)
    return all(np.allclose(delta, first, rtol=1e-9, atol=1e-12 * first.max()) for delta in others)


def _condition(path: Path) -> np.ndarray:
    return np.array([(np.asarray(population.gamma).mean(axis=1) / r).max() for population, r in path.members])


#: Shown by paths along which Delta keeps its limit's value.
LIMIT = Hypothesis("(1/m) ||mu_i - mu_i'||_F has a limit (here it keeps one value along the path)", _settles)
CONDITION = Hypothesis(
    "(1/m) sum_j gamma_ij / r -> 0 for every i (here it falls by 100 at least, to below 10^-3)",
    lambda path: bool(_condition(path)[-1] < min(1e-3, _condition(path)[0] / 100)),
)
GROWING = Hypothesis(
    "m and r grow",
    lambda path: all(
        before[0].shape[1] < after[0].shape[1] and before[1] < after[1]
        for before, after in zip(path.members, path.members[1:], strict=False)
    ),
)


def growing_path() -> Path:
    """Three models in the plane, means growing like sqrt(m) per query, gamma like m, and r like m^3."""
    base = dk.Design(n=3, m=1, p=2, spectrum=(4.0, 1.0), gamma=1.0, seed=24, normalisation="m")
    family = dk.GrowingDesign(base, gamma_in_m=1.0)
    return Path(tuple((family.population(3, m), 1e2 * float(m) ** 3) for m in (4, 16, 64)))


def apart(path: Path) -> bool:
    """Whether no two models coincide in the limit and answers vary."""
    last, _ = path.members[-1]
    delta = delta_of(last)
    return bool(delta[np.triu_indices(len(delta), 1)].min() > 0.1 and np.asarray(last.gamma).min() > 0)


def _semi_definite(power: int, setting: Setting) -> Evidence:
    """Exactly: w'Bw >= 0 for random means and w, B from Delta^2; the broken twin takes squares as distances."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(300, 3000)):
            n, width = generator.randint(2, 5), generator.randint(1, 6)
            squares = checker.squared_distances(cases.rational_matrix(generator, n, width))
            b = checker.gram([[x**power for x in row] for row in squares])
            w = [generator.randint(-4, 4) for _ in range(n)]
            yield sum((w[i] * b[i][j] * w[j] for i in range(n) for j in range(n)), Fraction(0)), Fraction(0)

    return exact_equalities(pairs(), "w'Bw >= 0 for B of any means: a property that limits keep", relation="lower")


def _keeps_its_value(growth: int, setting: Setting) -> Evidence:
    """Exactly, at m = k^2: Delta^2 of means k^growth phi_i at every query is ||phi_i - phi_i'||^2 (growth = 1)."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for k in range(1, setting.size(12, 40)):
            phi = [[Fraction(0), Fraction(12)], [Fraction(5), Fraction(0)], *cases.rational_matrix(generator, 2, 2)]
            m = k * k
            means = [[k**growth * x for x in row] * m for row in phi]
            for found, wanted in zip(checker.squared_distances(means), checker.squared_distances(phi), strict=True):
                yield from zip([x / m**2 for x in found], wanted, strict=True)

    return exact_equalities(pairs(), "Delta^2 at m = k^2 queries with means k phi_i equals ||phi_i - phi_i'||^2")


def bounded_limit(power: Any) -> Any:
    """Return the identities that leave nothing under c = m^(-power): the largest distance, and its limit."""

    def sides():
        import sympy

        radius, m = sympy.symbols("R m", positive=True)
        x, y, z, w = sympy.symbols("x y z w", real=True)
        # ||u - v||^2 = 2||u||^2 + 2||v||^2 - ||u + v||^2 <= 4 R^2, per query; here in two coordinates.
        largest = m ** -sympy.Rational(power) * sympy.sqrt(m * 4 * radius**2)
        return "with ||g|| <= R, (1/m)||mu_i - mu_i'||_F <= 2R/sqrt(m) -> 0: all phi_i coincide", [
            ((x - z) ** 2 + (y - w) ** 2, 2 * (x**2 + y**2) + 2 * (z**2 + w**2) - (x + z) ** 2 - (y + w) ** 2),
            (sympy.limit(largest, m, sympy.oo), sympy.Integer(0)),
        ]

    return sides


def _on_the_circle(growth: int, setting: Setting) -> Evidence:
    """Exactly, at m = k^2: rational points of the unit circle keep their distances with means k^growth phi_i."""
    generator = random.Random(setting.integer_seed())

    def pairs():
        for k in range(2, setting.size(8, 20)):
            slopes = [Fraction(generator.randint(-9, 9), generator.randint(1, 9)) for _ in range(4)]
            phi = [[(1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)] for t in (Fraction(0), Fraction(1), *slopes)]
            yield from ((x * x + y * y, Fraction(1)) for x, y in phi)
            found = checker.squared_distances([[k**growth * x for x in row] * k**2 for row in phi])
            for row, wanted in zip(found, checker.squared_distances(phi), strict=True):
                yield from zip([x / k**4 for x in row], wanted, strict=True)

    return exact_equalities(pairs(), "Delta^2 at m = k^2 queries of models on the unit circle, means k phi_i")


def _bounded(path: Path) -> bool:
    """Whether the means, and so much more the answers, could lie in one ball of radius 10 along the whole path."""
    return all(np.linalg.norm(np.asarray(population.mean), axis=-1).max() <= 10 for population, _ in path.members)


_BOUNDED = Hypothesis("||g|| <= R, one R for all m", _bounded)
_ON_CIRCLE = Hypothesis(
    "phi_i iid on the unit circle, and Delta = ||phi_i - phi_i'|| under c = 1/m at every m",
    lambda models: all(
        np.abs(np.linalg.norm(phi, axis=1) - 1).max() < 1e-12
        and np.abs(delta_of(population) - cases.distances(phi)).max() < 1e-9
        for phi, population in models
    ),
)


def _circle() -> tuple[tuple[np.ndarray, Any], ...]:
    """Return phi (8, 2) uniform on the circle and the populations with these perspectives at m = 2 and 32."""
    key, law = dk.study_key(24, "A24-A2/witness"), dk.SpherePerspectives(2)
    models = [dk.IidModels(law, m=m, p=2, gamma=1.0, convention=A24) for m in (2, 32)]
    return tuple((np.asarray(one.configuration(key, 8)), one.draw(key, 8)) for one in models)


CLAIMS = (
    Claim(
        id="A24-A1",
        title="If the dissimilarities of the means have limits, these are distances of points phi_i",
        source=SOURCE,
        form="as-printed",
        reading="an assumption: judged for what it asks beyond the existence of the limits, q = n - 1, and for having "
        "examples; c = 1/m, e = 1, n fixed",
        statement=r"\exists\lim_{m,r\to\infty}\tfrac1m\|\mu_i-\mu_{i'}\|_F\ \forall i,i'\ \Rightarrow\ "
        r"\exists\phi_1,\dots,\phi_n\in\mathbb R^{n-1}:\ \tfrac1m\|\mu_i-\mu_{i'}\|_F\to\|\phi_i-\phi_{i'}\|",
        hypotheses=(GROWING, LIMIT),
        witness=Witness("three models whose means grow like sqrt(m) per query", growing_path, apart),
        checks=(
            Check("semi-definite", _semi_definite, 1, 2, "squared distances taken for distances"),
            Check("keeps-its-value", _keeps_its_value, 1, 0, "means that do not grow with m"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-A1/bounded",
        title="With bounded embeddings, limits that tell two models apart",
        source=SOURCE,
        form="as-printed",
        reading="bounded g, as H25 assumes and as normalised embeddings are; c = 1/m, e = 1; a limit that is not 0 for "
        "some pair",
        statement=r"\|g\|\le R,\quad \tfrac1m\|\mu_i-\mu_{i'}\|_F\to\|\phi_i-\phi_{i'}\|\ne0",
        hypotheses=(GROWING, LIMIT, _BOUNDED),
        witness=None,
        no_witness="with ||g|| <= R the limit is 0 for every pair, so no two phi_i differ",
        checks=(Check("shrinks", nothing_left, bounded_limit("1"), bounded_limit("1/2"), "c = 1/sqrt(m) for c = 1/m"),),
        recorded="vacuous",
        repair="A24-A1",
    ),
    Claim(
        id="A24-A2",
        title="Perspectives on a compact manifold: the assumption has examples",
        source="A24, assumption 2",
        form="as-printed",
        reading="an assumption: judged for having examples, under c = 1/m, e = 1, for every law on every M",
        statement=r"\exists\mu:\ \tfrac1m\|\mu_i-\mu_{i'}\|_F\to\|\phi_i-\phi_{i'}\|,\quad\phi_i\overset{iid}\sim P"
        r"\text{ on a compact }M\subset\mathbb R^q",
        hypotheses=(_ON_CIRCLE,),
        witness=Witness(
            "eight models uniform on the circle, at m = 2 and 32",
            _circle,
            lambda models: bool(delta_of(models[0][1]).max() > 0.5),
        ),
        checks=(Check("circle", _on_the_circle, 1, 0, "means that do not grow with m"),),
        recorded="holds",
    ),
    Claim(
        id="A24-A2/bounded",
        title="With bounded embeddings, perspectives on a manifold that do not all coincide",
        source="A24, assumption 2",
        form="as-printed",
        reading="bounded g; c = 1/m, e = 1; P not a single point",
        statement=r"\|g\|\le R,\quad\tfrac1m\|\mu_i-\mu_{i'}\|_F\to\|\phi_i-\phi_{i'}\|,\quad\phi_i\overset{iid}\sim P",
        hypotheses=(GROWING, LIMIT, _BOUNDED),
        witness=None,
        no_witness="with ||g|| <= R every limit is 0, so all phi_i are one point",
        checks=(
            Check(
                "shrinks",
                nothing_left,
                bounded_limit("1"),
                bounded_limit("1/2"),
                "c = 1/sqrt(m) for c = 1/m",
            ),
        ),
        recorded="vacuous",
        repair="A24-A2",
    ),
)
