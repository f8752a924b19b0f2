r"""G25-DI and G25-L43 for densities: differential entropies have a unit, informations have none.

Setting. The process of G25 with densities: S_anchor, p, e_p, h, e_M, g, M = h + g, eps, S_gen = M + eps, W jointly
Gaussian; h(.) is differential entropy, in nats. Delta_I = h(M) - I(h; M), B_syn = I(e_M; W) + I(e_p; W).
Statements. (DI) Delta_I >= 0. (L43) I(S_gen; W) <= -Delta_I + B_syn + h(e_M) + delta, delta a function of the law of
(eps, p).
Hypotheses. Densities at every stage; W sees S_gen alone; e_M and e_p independent where said.
Constants. None.
Relation. Lower bound; upper bound.
Reference. G25, DI confirmed, BSYN, L43 and the factors (D41) reconstructed; the reading by densities is ours. For
letters see G25-DI and G25-L43; answers stored with finitely many digits are letters, and those claims apply to them.

Derivation. Delta_I = h(M | h) = h(g | h), as M and g differ by h: for one answer with g ~ N(0, B) it is 1/2 log(2 pi e
B), negative for B < 1/(2 pi e), whatever h is. A unit c times smaller adds n log c. So its sign says nothing; of two
generators in one unit the difference, n/2 log(B'/B), does.

L43 and units. Measure e_M in another unit: e_M' = c e_M with g'(x) = g(x / c). All answers, eps, p, W and all mutual
informations stay, and h(e_M) becomes h(e_M) + n log c. With c small enough the right side is below 0 <= I(S_gen; W),
whatever number delta is; with one answer, g = b e_M and b^2 = 2 exp(2 B_syn + 2 delta) it is -1/2 log 2.

L43 in the unit of the answers. Let h = e_p = p and g = e_M, so that h(e_M) = Delta_I for independent factors. Take one
answer, eps = 0, Var(p) = B = K T and Var(W | S_gen) = T. Then exp(2 I(S_gen; W)) = 1 + 2K, exp(2 B_syn) = ((1 + 2K) /
(1 + K))^2 and

    exp(2 I(S_gen; W) - 2 B_syn) = (1 + K)^2 / (1 + 2K) = K/2 + (2 + 3K) / (2 + 4K) > K/2.

The law of (eps, p) does not know the noise of training: for any delta, K = 2 exp(2 delta) violates L43 (with a gain of
the prompt in h it may stay, and the gain grow). For letters delta = H(p, eps) would do, because I(e_M; e_p | W) <=
H(p); no entropy of a density bounds a mutual information.

Repair. I(S_gen; W) = I(e_M, e_p, eps; W) = I(e_M; W) + I(e_p; W | e_M) + I(eps; W | e_M, e_p), and I(e_p; W | e_M) =
I(e_p; W) + I(e_M; e_p | W) - I(e_M; e_p). So with h(g) for h(e_M), and h(g) - Delta_I = I(g; h),

    I(S_gen; W) = -Delta_I + B_syn + h(g) + delta*,
    delta* = {I(e_M; e_p | W) - I(e_M; e_p)} + I(eps; W | e_M, e_p) - I(g; h).

Every term but the pair -Delta_I + h(g) = I(g; h) is a mutual information, and that pair has no unit. With independent
factors it is 0, and Delta_I does not occur.

Readings. (1) DI as non-negative: refuted for densities. (2) L43 with e_M in any unit: refuted for every delta. (3) With
e_p and e_M in the unit of the answers: refuted for every delta of (eps, p). (4) With h(g): an identity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims._g25_continuous import (
    DENSITY,
    PROCESS,
    SOURCE,
    TRAINED,
    Scalars,
    independent_factors,
    vector_law,
)
from proofs_checks.claims._g25_entropies import B_SYN, DELTA_I, L43, SYNTHETIC, entropy, information
from proofs_checks.evidence.search import largest_difference
from proofs_checks.evidence.symbolic import Sides, identity, refuting_identity

#: Least delta of L43 with h(g) for h(e_M), with the entropies that exist where M = h + g and S_gen = M + eps.
LEAST = (
    information("e_M", "e_p", "W")
    - information("e_M", "e_p")
    + information("eps", "W", "e_M e_p")
    - information("g", "h")
)
#: What rounding may add: sums of a dozen logarithms of singular values, of matrices with condition numbers below 1e5.
ROUNDING = 1e-9


def _negative(share: int) -> Sides:
    """Delta_I with B = 1 / (2 pi e share), whatever the variance of h: -1/2 log(share) at share = 4."""

    def sides():
        import sympy

        world = Scalars.symbols(factor_gain=sympy.Integer(1), factor=1 / (2 * sympy.pi * sympy.E * share))
        return "an answer with variance 1/(8 pi e) about h has Delta_I = -log 2, whatever h is", [
            (world.power(DELTA_I), sympy.Rational(1, 4))
        ]

    return sides


def _gain(margin: bool) -> Sides:
    """Exp(2 Delta_I) against exp(2 h(g | h)), and its ratio between two generators, free of 2 pi e."""

    def sides():
        import sympy

        first, second = Scalars.symbols(), Scalars.symbols(factor=sympy.Symbol("r2", positive=True))
        claimed = entropy("g") if not margin else entropy("M")
        ratio = second.factor / first.factor
        return (
            "Delta_I = h(g) for independent factors; a difference of two is half the log of the ratio of variances",
            [
                (first.power(DELTA_I), first.power(claimed)),
                (second.power(DELTA_I) / first.power(DELTA_I), ratio),
            ],
        )

    return sides


def _gain_of_vectors(conditional: bool, setting: Setting) -> Evidence:
    """h(M) - I(h; M) against h(g | h), dependent factors; and Delta_I in a second unit against n log of the unit."""
    from hypothesis import strategies as st

    def difference(seed):
        laws = [vector_law(seed, dependent=True, unit=unit) for unit in (1.0, 10.0)]
        gains = [law.entropy("M") - law.mutual_information("h", "M") for law in laws]
        claimed = [law.entropy("g", "h" if conditional else ()) for law in laws]
        shift = len(laws[0].mean("M")) * np.log(10.0)
        return max(*(abs(x - y) for x, y in zip(gains, claimed, strict=True)), abs(gains[1] - gains[0] - shift))

    return largest_difference(
        st.integers(0, 2**32 - 1),
        difference,
        setting,
        within=ROUNDING,
        says="Delta_I = h(g | h), and n log 10 more in a unit ten times smaller: random vectors, dependent factors",
        quick=60,
        full=500,
    )


def _units(unit_free: bool) -> Sides:
    """One answer with the variance B fixed and g = b e_M: the right side at b^2 = 2 exp(2 B_syn + 2 delta)."""

    def sides():
        import sympy

        spread, allowed = sympy.symbols("B D", positive=True)  # D = exp(2 delta)
        free = Scalars.symbols(factor=spread, factor_gain=sympy.Integer(1))
        information = free.power(B_SYN)
        gain2 = 2 * information * allowed if unit_free else sympy.Integer(1)
        world = Scalars.symbols(factor=spread / gain2, factor_gain=sympy.sqrt(gain2))
        k = world.prompt_gain**2 * (world.data + world.prompt)
        signal = (k + spread + world.curation) / world.training
        return (
            "in a small unit of e_M the right side of L43 is -1/2 log 2 for any delta, and I(S_gen; W) is positive",
            [
                (world.power(B_SYN), information),
                (world.power(SYNTHETIC), 1 + signal),
                (world.power(L43) * allowed, sympy.Rational(1, 2)),
            ],
        )

    return sides


#: I(S_gen; W) and L43's right side without delta, where eps = 0 and S_gen = M.
_NO_CURATION = information("M", "W")


def _little_noise(chosen: bool) -> Sides:
    """One answer, eps = 0, h = p, g = e_M, Var(p) = B = K tau^2, K = 2 exp(2 delta)."""

    def sides():
        import sympy

        allowed = sympy.symbols("D", positive=True)  # exp(2 delta)
        level = 2 * allowed if chosen else sympy.Integer(1)
        free, one = Scalars.symbols(), sympy.Integer(1)
        told = free.data + free.prompt
        world = Scalars.symbols(
            prompt_gain=one, factor_gain=one, factor=told, curation=sympy.Integer(0), training=told / level
        )
        excess = world.power(_NO_CURATION) / (world.power(L43) * allowed)
        return "with little noise of training exp(2 I(S_gen; W)) exceeds exp(2 right side), by 1 + (1+3D)/(D+4D^2)", [
            (world.power(entropy("e_M") - DELTA_I), sympy.Integer(1)),
            (excess, 1 + (1 + 3 * allowed) / (allowed * (1 + 4 * allowed))),
        ]

    return sides


def _repaired(kept: bool) -> Sides:
    """Compare both sides for one point, dependent factors, symbolically; I(eps; W | e_M, e_p) left out on the twin."""

    def sides():
        import sympy

        world = Scalars.symbols(dependence=sympy.Symbol("c", positive=True))
        right = B_SYN - DELTA_I + entropy("g") + LEAST - (0 if kept else 1) * information("eps", "W", "e_M e_p")
        return "I(S_gen; W) = -Delta_I + B_syn + h(g) + delta*", [(world.power(SYNTHETIC), world.power(right))]

    return sides


def _repaired_vectors(leak: bool, setting: Setting) -> Evidence:
    """Compare both sides for random vectors with dependent factors; on the twin W sees the factors too."""
    from hypothesis import strategies as st

    def difference(case):
        seed, dependent = case
        law = vector_law(seed, dependent=dependent, leak=leak)
        shared = law.mutual_information
        gain = law.entropy("M") - shared("h", "M")
        least = shared("e_M", "e_p", "W") - shared("e_M", "e_p") + shared("eps", "W", ["e_M", "e_p"]) - shared("g", "h")
        right = shared("e_M", "W") + shared("e_p", "W") - gain + law.entropy("g") + least
        return abs(shared("S_gen", "W") - right)

    return largest_difference(
        st.tuples(st.integers(0, 2**32 - 1), st.booleans()),
        difference,
        setting,
        within=ROUNDING,
        says="I(S_gen; W) = -Delta_I + B_syn + h(g) + delta*: random vectors, independent and dependent factors",
        quick=60,
        full=500,
    )


def _by_gain():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    gains = np.geomspace(0.1, 10, 40)
    scaled = [dk.LinearGaussianWorld(synthetic=1, factor_gain=b, factor_variance=0.25 / b**2) for b in gains]
    axes.plot(gains, [world.synthetic_information for world in scaled], label="I(S_gen; W)")
    axes.plot(gains, [world.l43_right_side(0.0) for world in scaled], "--", label="right side of L43, δ = 0")
    axes.plot(gains, [world.b_syn for world in scaled], ":", label="right side with h(g) for h(e_M)")
    axes.axhline(0, linewidth=1, color="0.5")
    axes.set(xscale="log", xlabel="units of an answer in one unit of e_M (b)", ylabel="nats")
    figure.legend(loc="outside lower left")
    return figure


_STATEMENT = r"\exists\,\delta\ \forall\,h,e_M,g,W:\ I(S_{gen};W)\le-\Delta I+B_{syn}+h(e_M)+\delta(P_{\varepsilon,p})"
_INDEPENDENT = Hypothesis("e_M and e_p are independent", independent_factors)
_WORLD = Witness(
    "the linear-Gaussian world with four anchors and eight points",
    lambda: dk.LinearGaussianWorld(),  # noqa: PLW0108  (loaded when called)
    lambda world: min(abs(world.information_gain), world.synthetic_information, world.curation_variance) > 0.05,
)


def _same_unit(world: Any) -> bool:
    same = world.law.coefficients
    return all(np.allclose(same[one], same[other]) for one, other in (("e_p", "p"), ("h", "e_p"), ("g", "e_M")))


CLAIMS = (
    Claim(
        id="G25-DI/continuous",
        title="The information gain of answers with densities is non-negative",
        source=f"G25 (DI), confirmed; factors {SOURCE}",
        form="reconstructed",
        reading="differential entropies, M = h + g",
        statement=r"\Delta I=h(M)-I(h;M)\ge0",
        hypotheses=(
            PROCESS,
            DENSITY,
        ),
        witness=_WORLD,
        checks=(Check("narrow", refuting_identity, _negative(4), _negative(1), "answers spread to Delta_I = 0"),),
        recorded="refuted",
        repair="G25-DI/continuous-identity",
    ),
    Claim(
        id="G25-DI/continuous-identity",
        title="For densities the information gain is h(g | h), and only differences of it are free of units",
        source=f"G25 (DI), confirmed; factors {SOURCE}",
        form="repaired",
        reading="differential entropies, factors independent or not",
        statement=r"\Delta I=h(g\mid h),\quad\Delta I(cM)=\Delta I(M)+n\log c",
        hypotheses=(
            PROCESS,
            DENSITY,
        ),
        witness=_WORLD,
        checks=(
            Check("symbolic", identity, _gain(False), _gain(True), "h(M) for h(g)"),
            Check("vectors", _gain_of_vectors, True, False, "h(g) for h(g | h) with dependent factors"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L43/continuous",
        title="For densities some delta of (eps, p) makes the reverse bottleneck inequality hold",
        source=f"G25 (L43), {SOURCE}",
        form="reconstructed",
        reading="differential entropies, e_M in any unit",
        statement=_STATEMENT,
        hypotheses=(PROCESS, DENSITY, TRAINED, _INDEPENDENT),
        witness=_WORLD,
        checks=(Check("units", refuting_identity, _units(True), _units(False), "e_M in the unit of the answers"),),
        recorded="refuted",
        repair="G25-L43/continuous-repaired",
        drawings=(
            Drawing(
                _by_gain,
                "The same answers and the same training, e_M in other units: the information stays, L43's right side "
                "falls without bound. With h(g) it stays, and is B_syn; what is missing is delta*.",
            ),
        ),
    ),
    Claim(
        id="G25-L43/continuous-same-unit",
        title="With e_p and e_M in the unit of the answers some delta of (eps, p) makes the inequality hold",
        source=f"G25 (L43), {SOURCE}",
        form="reconstructed",
        reading="differential entropies, h(e_p) = e_p = p and g(e_M) = e_M",
        statement=_STATEMENT.replace("h,e_M,g,W", "e_M,W") + r",\ h=e_p=p,\ g=e_M",
        hypotheses=(PROCESS, DENSITY, TRAINED, _INDEPENDENT, Hypothesis("h = e_p = p and g = e_M", _same_unit)),
        witness=_WORLD,
        checks=(
            Check(
                "little-noise",
                refuting_identity,
                _little_noise(True),
                _little_noise(False),
                "the noise of training does not fall as delta grows",
            ),
        ),
        recorded="refuted",
        repair="G25-L43/continuous-repaired",
    ),
    Claim(
        id="G25-L43/continuous-repaired",
        title="With h(g) for h(e_M) and delta made of mutual informations the inequality is an identity",
        source=f"G25 (L43), {SOURCE}",
        form="repaired",
        reading="differential entropies, factors independent or not, any unit",
        statement=(
            r"I(S_{gen};W)=-\Delta I+B_{syn}+h(g)+\delta^*,\quad"
            r"\delta^*=I(e_M;e_p\mid W)-I(e_M;e_p)+I(\varepsilon;W\mid e_M,e_p)-I(g;h)"
        ),
        hypotheses=(PROCESS, DENSITY, TRAINED),
        witness=_WORLD,
        checks=(
            Check("symbolic", identity, _repaired(True), _repaired(False), "I(eps; W | e_M, e_p) left out"),
            Check("vectors", _repaired_vectors, False, True, "W sees the factors beside S_gen"),
        ),
        recorded="holds",
    ),
)
