r"""G25-F5, read at a level: what the generator of the mixture simulation misses of its anchors' region, and adds.

Setting. As in g25_f5: A is the law of an anchor, T the truth, Q the law of a synthetic point, N = K + J + L. R_P is the
union of the ellipsoids that hold 95% of a component of P each, so P(R_P) >= 95%.
Statement. A^(R_A \ R_Q) > 0 and Q^(R_Q \ R_A) >= 1/4, with probability at least 0.9 at K = J = L = 2, where A^ and Q^
are shares of 1,000 draws of A and Q, stratified by component.
Hypotheses. Equal weights, positive definite covariances.
Constants. 1/4 is far below what J and L are by weight, (J + L)/N = 2/3.
Relation. Probability of an event over repetitions. A draw found in R_A outside R_Q shows that the mass there is not 0;
when none is found, it is little: that it is 0 with known moments is derived.
Reference. G25 (arXiv:2410.01720), its picture of distributions, by the account we have. The level is ours.

Derivation. Known moments: the components of A are among those of Q, so R_Q contains R_A, whatever J and L are: what is
missed is estimation error. Its size: in every direction the edge of an ellipsoid is off by O_P(n^{-1/2}) with n anchors
by component, and so is the mass between the edges.
Labels: with known moments A and Q are images of the laws of their labels, uniform on K and on N, under one channel, so
TV(A, Q) is at most that of the labels, 1 - K/N; likewise TV(T, Q) <= 1 - (K + J)/N.

Readings.
1. With moments estimated from the anchors: holds in nine repetitions of ten (G25-F5/level, G25-F5/level-published).
2. With known moments: refuted, no draw is missed (G25-F5/level-known); with many anchors little (G25-F5/many-anchors).
   What is added is J and L, and at most their share of the labels (G25-F5/labels).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Setting
from proofs_checks.claims._g25_flow import DEFINITE, EQUAL, FEW, MANY, Repeated, repeated, repetitions
from proofs_checks.claims.g25_f5 import SOURCE
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.monte_carlo import falls_as, success_rate

#: Mass that the generator is said to add, far below (J + L)/N = 2/3.
ADDED = 0.25


def _level(case: Repeated, setting: Setting) -> Evidence:
    """In how many repetitions a draw is found that is missed, and a quarter is added."""
    trials = setting.size(300, 1500)
    found, _ = repetitions(case, setting.seed, trials)
    return success_rate(
        int(((found["missed"] > 0) & (found["added"] >= ADDED)).sum()),
        trials,
        0.9,
        0.7,
        relation="coverage",
        says=f"{case.design}: a draw of A in R_A outside R_Q is found, and at least {ADDED} of Q is in R_Q outside R_A",
        named="seven repetitions of ten",
    )


def _many(shrunk: float, setting: Setting) -> Evidence:
    """Masses missed with few and with many anchors."""
    trials = setting.size(300, 1500)
    before, _ = repetitions(Repeated(shrunk=shrunk), setting.seed, trials)
    after, _ = repetitions(Repeated(anchors=MANY, shrunk=shrunk), setting.seed, trials)
    says = f"mass missed with {FEW} and with {MANY} anchors by component"
    return falls_as(before["missed"], after["missed"], MANY / FEW, says=says)


def _labels(estimated: bool, setting: Setting) -> Evidence:
    """TV of mixtures of random component laws against that of their labels; the twin re-estimates the components."""
    table = np.random.default_rng(setting.integer_seed("laws"))

    def law() -> list[Fraction]:
        weights = [int(w) for w in table.integers(0, 3, 5)]
        weights[int(table.integers(5))] += 1
        return [Fraction(w, sum(weights)) for w in weights]

    def mean(laws: list[list[Fraction]]) -> list[Fraction]:
        return [sum(column, Fraction(0)) / len(laws) for column in zip(*laws, strict=True)]

    def variation(p: list[Fraction], q: list[Fraction]) -> Fraction:
        return sum((abs(x - y) for x, y in zip(p, q, strict=True)), Fraction(0)) / 2

    def pairs():
        for _ in range(setting.size(200, 2000)):
            K, J, L = int(table.integers(1, 4)), int(table.integers(0, 4)), int(table.integers(0, 4))
            parts = [law() for _ in range(K + J + L)]
            again = [law() for _ in range(K)] + parts[K:] if estimated else parts
            for first in (K, K + J):
                yield variation(mean(parts[:first]), mean(again)), Fraction(K + J + L - first, K + J + L)
        # Components far apart: the bound is attained.
        apart = [[Fraction(int(i == c)) for i in range(5)] for c in range(5)]
        yield variation(mean(apart[:2]), mean(apart)), Fraction(3, 5)

    return exact_equalities(pairs(), "TV of laws of points against TV of their labels", relation="upper")


def _holds_level(w: Any) -> bool:
    """Whether the edge of the region of one component, in the plane, is where it holds 95%."""
    import jax.numpy as jnp

    from dkps_theory.information.mixture import Mixture
    from simulations.studies._distribution_flow import placed, ready

    # |z|^2/2 is exponential in the plane.
    angles, radius = np.linspace(0, 2 * np.pi, 9), np.sqrt(-2 * np.log(0.05))
    circle = radius * np.stack([np.cos(angles), np.sin(angles)])
    for law in w[1]:
        mean, covariance = np.asarray(law.means)[0, 0], np.asarray(law.covariances)[0, 0]
        (one,) = ready((Mixture([1.0], mean[None], covariance[None]),))
        for scale, inside in ((1 - 1e-6, True), (1 + 1e-6, False)):
            points = mean[:, None] + scale * np.linalg.cholesky(covariance) @ circle
            found, _ = placed(one, jnp.asarray(points))
            if not bool((np.asarray(found) == inside).all()):
                return False
    return True


LEVEL = Hypothesis("supports are read at 95%: each ellipsoid holds 95% of its component", _holds_level)

CLAIMS = (
    Claim(
        id="G25-F5/level-published",
        title="At 95% the published generator misses some of its anchors' region and adds to it",
        source=SOURCE,
        form="repaired",
        reading="at a level, shares of 1,000 draws, published protocol, K = J = L = 2: nine repetitions of ten",
        statement=r"P\bigl(\hat A(R_A\cap R_Q^c)>0,\ \hat Q(R_Q\cap R_A^c)\ge\tfrac14\bigr)\ge0.9",
        hypotheses=(DEFINITE, EQUAL, LEVEL),
        witness=repeated(Repeated("published d=2")),
        checks=(
            Check("missed", _level, Repeated("published d=2"), Repeated("published d=2", known=True), "moments known"),
            Check("added", _level, Repeated("published d=2"), Repeated("published d=2", own=0), "J = L = 0"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-F5/level",
        title="So does the generator of the corrected protocol",
        source=SOURCE,
        form="repaired",
        reading="at a level, shares of 1,000 draws, corrected protocol in the plane, K = J = L = 2: nine of ten",
        statement=r"P\bigl(\hat A(R_A\cap R_Q^c)>0,\ \hat Q(R_Q\cap R_A^c)\ge\tfrac14\bigr)\ge0.9",
        hypotheses=(DEFINITE, EQUAL, LEVEL),
        witness=repeated(Repeated()),
        checks=(
            Check("missed", _level, Repeated(), Repeated(known=True), "moments known"),
            Check("added", _level, Repeated(), Repeated(own=0), "J = L = 0"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-F5/level-known",
        title="At 95% a generator that knows the moments of its anchors misses some of their region",
        source=SOURCE,
        form="own",
        reading="at a level, shares of 1,000 draws, corrected protocol, without estimation error",
        statement=r"\hat\mu_c=\mu_c,\ \hat\Sigma_c=\Sigma_c\ (c\le K)\Rightarrow "
        r"P\bigl(\hat A(R_A\cap R_Q^c)>0,\ \hat Q(R_Q\cap R_A^c)\ge\tfrac14\bigr)\ge0.9",
        hypotheses=(DEFINITE, EQUAL, LEVEL),
        witness=repeated(Repeated(known=True)),
        checks=(Check("missed", _level, Repeated(known=True), Repeated(), "moments estimated from the anchors"),),
        recorded="refuted",
        repair="G25-F5/level",
    ),
    Claim(
        id="G25-F5/many-anchors",
        title="What the generator misses of its anchors' region falls as one over the root of their number, or faster",
        source="own, for G25 (F5)",
        form="own",
        reading="corrected protocol in the plane, K = J = L = 2, rate on the grid of 50 and 3,200 anchors by component",
        statement=r"A(R_A\cap R_Q^c)=O_P(n^{-1/2})",
        hypotheses=(DEFINITE, EQUAL, LEVEL),
        witness=repeated(Repeated()),
        checks=(Check("few-and-many", _many, 1.0, 0.7, "re-estimated covariances come out 0.7 times too small"),),
        recorded="holds",
    ),
    Claim(
        id="G25-F5/labels",
        title="With known moments the generator is no farther from anchors and truth than their labels are",
        source="own, for G25 (F5)",
        form="own",
        reading="equal weights, known component laws, any component laws",
        statement=r"TV(A,Q)\le\frac{J+L}{K+J+L},\quad TV(T,Q)\le\frac L{K+J+L}",
        hypotheses=(EQUAL, DEFINITE),
        witness=repeated(Repeated(known=True)),
        checks=(Check("laws", _labels, False, True, "the K components are estimated afresh"),),
        recorded="holds",
    ),
)
