r"""G25-T49 for densities: the bound of GGMI with differential entropies, when it is true and when it says anything.

Setting. The process of G25, jointly Gaussian with densities; GGMI = I(S_anchor; W') - I(S_gen; W), m anchors, n points.
Statement. GGMI <= Delta_I - (alpha + 1) h(S_anchor|W) + 2 Delta_H + h(S_gen|W) + eps_{W,p}, with Delta_H = h(S_anchor)
- h(S_gen), eps_{W,p} = h(S_anchor|W) - h(S_anchor|p) and alpha = h(S_anchor|W') / h(S_anchor|W).
Hypotheses. Densities; S_anchor -> p -> M; W sees S_gen alone, W' the anchors alone.
Constants. None.
Relation. Upper bound.
Reference. G25, GGMI confirmed, T49 reconstructed; the reading by densities is ours. For letters see G25-T49.

Derivation. As for letters, every term with W or W' cancels:

    right side - GGMI = Delta_I + I(S_anchor; p) - h(S_gen)
                      = {I(S_anchor; p) - I(h; M)} - {h(S_gen) - h(M)}.                                              (1)

So T49 is true if and only if curation adds no more entropy than the prompt knows about the anchors beyond what the
answers tell of h. In the linear-Gaussian world, with k = Var(h), B = Var(M_i | h), pi the variance of the prompt's
noise and v of the data, (1) is half the logarithm of

    (1 + v / (m pi)) B^n / {(B + t^2)^(n - 1) (B + t^2 + n k)}.                                                      (2)

It falls below 1 with enough curation t^2; and with eps = 0, where it is (1 + v/(m pi)) / (1 + n k/B), as soon as the
answers tell more of the prompt, its noise included, than the prompt tells of the anchors. If p is a function of the
anchors with a density (pi = 0), I(S_anchor; p) = I(p; p) and with it the right side are infinite: nothing is claimed.

Repair. I(h; M) = I(h; M | S_anchor) + I(S_anchor; M) - I(S_anchor; M | h) by the chain rule, so

    right side + {h(S_gen) - h(M)} + I(h; M | S_anchor) - GGMI = I(S_anchor; p) - I(S_anchor; M) + I(S_anchor; M | h),

at least 0 by data processing; the last term is 0 for independent factors. For these it is tight if and only if the
answers tell of the anchors all that the prompt tells. For eps independent of M the added pair is I(eps; S_gen). Unlike
an entropy H(p | S_anchor), which would do for letters, both terms have no unit. Where h is a function of the anchors,
as with prompts of finitely many values that are functions of them, I(h; M | S_anchor) = 0, and T49 needs eps = 0 alone.

Units. Measured in a unit c times smaller, Delta_I and h(S_gen) both grow by n log c, so (1) stays; h(S_anchor|W) grows
by m log c, and so does h(S_anchor|W'): alpha = (x + m log c) / (y + m log c) is any number but 1 in some unit if x is
not y. Where the unit makes h(S_anchor|W') = 0, alpha = 0; where it makes h(S_anchor|W) = 0, there is no alpha.

Readings. (1) As it stands, prompts with noise: refuted. (2) Without curation: refuted. (3) Prompts that are functions
of the anchors and have a density: vacuous. (4) With the two terms: holds. (5) alpha as a property of the world:
refuted.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims._g25_continuous import DENSITY, FINITE, PROCESS, SOURCE, TRAINED, Scalars, vector_law
from proofs_checks.claims._g25_entropies import DELTA_I, GGMI, T49, entropy, information
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_difference, largest_ratio
from proofs_checks.evidence.symbolic import Sides, identity, nothing_left, refuting_identity

#: As in g25_continuous.
ROUNDING = 1e-9

#: What the repair adds.
_ADDED = entropy("S_gen") - entropy("M") + information("h", "M", "S_anchor")


def _slack(halved: bool) -> Sides:
    """Right side less GGMI against Delta_I + I(S_anchor; p) - h(S_gen), one point; on the twin 2 Delta_H is halved."""

    def sides():
        world = Scalars.symbols()
        right = T49 - halved * (entropy("S_anchor") - entropy("S_gen"))
        claimed = DELTA_I + information("S_anchor", "p") - entropy("S_gen")
        return "right side - GGMI = Delta_I + I(S_anchor; p) - h(S_gen)", [
            (world.power(right - GGMI), world.power(claimed))
        ]

    return sides


def _repaired(prompted: bool) -> Sides:
    """Compare the repaired slack with I(S_anchor; p) - I(S_anchor; M), one point; the twin leaves out I(h; M | S)."""

    def sides():
        world = Scalars.symbols()
        right = T49 + _ADDED - (0 if prompted else 1) * information("h", "M", "S_anchor")
        claimed = information("S_anchor", "p") - information("S_anchor", "M")
        return "the repaired right side exceeds GGMI by I(S_anchor; p) - I(S_anchor; M)", [
            (world.power(right - GGMI), world.power(claimed))
        ]

    return sides


def slack_of(law) -> float:
    """Return T49's right side less GGMI, term by term, for a joint law with densities of S_anchor, M and S_gen."""
    shared = law.mutual_information
    gain = law.entropy("M") - shared("h", "M")
    right = (
        gain
        - law.entropy("S_anchor", "W_anchor")
        - law.entropy("S_anchor", "W")
        + 2 * (law.entropy("S_anchor") - law.entropy("S_gen"))
        + law.entropy("S_gen", "W")
        + (law.entropy("S_anchor", "W") - law.entropy("S_anchor", "p"))
    )
    return right - (shared("S_anchor", "W_anchor") - shared("S_gen", "W"))


def _slack_of_vectors(informed: bool, setting: Setting) -> Evidence:
    """(1) term by term for random vectors, in two units; the twin forgets I(S_anchor; p)."""
    from hypothesis import strategies as st

    def difference(case):
        found = []
        for unit in (1.0, 10.0):
            law = vector_law(case[0], dependent=case[1], unit=unit)
            claimed = law.entropy("M") - law.mutual_information("h", "M") - law.entropy("S_gen")
            claimed += informed * law.mutual_information("S_anchor", "p")
            found.append(abs(slack_of(law) - claimed))
        return max(found)

    return largest_difference(
        st.tuples(st.integers(0, 2**32 - 1), st.booleans()),
        difference,
        setting,
        within=ROUNDING,
        says="right side - GGMI = Delta_I + I(S_anchor; p) - h(S_gen): random vectors, two units",
        quick=50,
        full=400,
    )


def _repaired_vectors(curation: bool, setting: Setting) -> Evidence:
    """Exp(GGMI - repaired right side), at most 1; the twin leaves out what curation adds."""
    from hypothesis import strategies as st

    def ratio(case):
        law = vector_law(case[0], dependent=case[1])
        added = law.mutual_information("h", "M", "S_anchor")
        added += law.entropy("S_gen") - law.entropy("M") if curation else 0.0
        return math.exp(-slack_of(law) - added)

    return largest_ratio(
        st.tuples(st.integers(0, 2**32 - 1), st.booleans()),
        ratio,
        setting,
        says="exp(GGMI) / exp(repaired right side): random vectors, independent and dependent factors",
        quick=100,
        full=1000,
        tolerance=ROUNDING,
    )


def _determined(noise: int) -> Sides:
    """Exp(-2 I(S_anchor; p)), which is pi / (v + pi), at pi = 0."""

    def sides():
        import sympy

        world = Scalars.symbols()
        lost = world.power(-information("S_anchor", "p"))
        return (
            "with a prompt that is a function of the anchors exp(-2 I(S_anchor; p)) = 0: the right side is infinite",
            [
                (lost, world.prompt / (world.data + world.prompt)),
                (lost.subs(world.prompt, noise), sympy.Integer(0)),
            ],
        )

    return sides


def _alpha(unit: int) -> Sides:
    """Alpha where v = tau'^2 = 1/(pi e): h(S_anchor | W') = 0; and in a unit two times smaller."""

    def sides():
        import sympy

        def alpha(scale):
            square = scale**2 / (sympy.pi * sympy.E)
            world = Scalars(square, square, 1, square, 1, square / 2, square / 2, square)
            above, below = (sympy.log(world.power(entropy("S_anchor", known))) / 2 for known in ("W_anchor", "W"))
            return sympy.simplify(above / below)

        return "alpha is 0 in one unit and 2 log 2 / log 6 in one two times smaller", [
            (alpha(1), sympy.Integer(0)),
            (sympy.expand_log(alpha(unit), force=True), 2 * sympy.log(2) / (sympy.log(2) + sympy.log(3))),
        ]

    return sides


def _given(prompt: Fraction, curation: Fraction) -> dict[str, str]:
    """Return what changes in the stored worlds with the variance of the prompt's noise; all others but eps' are 1."""
    points = 2 + prompt + curation
    known = points - points**2 / (points + 1)
    anchors, anchors_p = 1 - 1 / (points + 1), 1 - 1 / (1 + prompt)
    right, ggmi = known / (Fraction(1, 2) * anchors_p * points**2), known / (Fraction(1, 2) * points)
    names = ("prompt", "points", "points|W", "anchors|W", "anchors|p", "right", "ggmi")
    return dict(zip(names, map(str, (prompt, points, known, anchors, anchors_p, right, ggmi)), strict=True))


def _stored(name: str, curation: int) -> tuple[Stored, Stored]:
    """Return the certificate and its twin, in which the prompt tells nearly all of the anchor."""
    clear = _given(Fraction(1, 100), Fraction(curation))
    return Stored(name, "ggmi", "right"), Stored(name, "ggmi", "right", replaced=clear)


def _by_curation():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    variances = np.concatenate([[0.0], np.geomspace(1e-3, 3, 60)])
    for prompt, style in ((0.001, "-"), (0.03, "--"), (1.0, ":")):
        worlds = [dk.LinearGaussianWorld(curation_variance=t2, prompt_variance=prompt) for t2 in variances]
        axes.plot(
            variances, [world.t49_slack for world in worlds], style, label=f"variance {prompt:g} of the prompt's noise"
        )
    axes.axhline(0, linewidth=1, color="0.5")
    axes.set(xlabel="variance of eps, in squared units of the data", ylabel="right side of T49 - GGMI (nats)")
    figure.legend(loc="outside lower left")
    return figure


_WORLD = Witness(
    "the linear-Gaussian world with four anchors and eight points",
    lambda: dk.LinearGaussianWorld(),  # noqa: PLW0108  (loaded when called)
    lambda world: abs(world.ggmi) > 0.1 and world.alpha not in {None, 0.0, 1.0},
)
_STATEMENT = r"\mathrm{GGMI}\le\Delta I-(\alpha+1)h(S_{anchor}\mid W)+2\Delta_H+h(S_{gen}\mid W)+\varepsilon_{W,p}"
_ENOUGH = "the prompt tells nearly all of the anchor"

CLAIMS = (
    Claim(
        id="G25-T49/continuous",
        title="For densities GGMI is at most the printed combination of entropies",
        source=f"G25 (T49), {SOURCE}",
        form="reconstructed",
        reading="differential entropies, prompts with noise of their own, so that every term is finite",
        statement=_STATEMENT,
        hypotheses=(PROCESS, DENSITY, TRAINED, FINITE),
        witness=_WORLD,
        checks=(Check("unit-variances", counterexample, *_stored("g25-t49-continuous", 1), _ENOUGH),),
        recorded="refuted",
        repair="G25-T49/continuous-repaired",
        drawings=(
            Drawing(_by_curation, "Below 0 the bound is false: curation costs entropy, a noisy prompt tells little."),
        ),
    ),
    Claim(
        id="G25-T49/continuous-no-curation",
        title="For densities and without curation GGMI is at most the printed combination",
        source=f"G25 (T49), {SOURCE}",
        form="reconstructed",
        reading="differential entropies, eps = 0, prompts with noise of their own",
        statement=_STATEMENT + r",\ \varepsilon=0",
        hypotheses=(
            PROCESS,
            DENSITY,
            TRAINED,
            FINITE,
            Hypothesis("eps = 0", lambda world: bool(np.all(world.law.covariance("eps") == 0))),
        ),
        witness=Witness(
            "the linear-Gaussian world without curation",
            lambda: dk.LinearGaussianWorld(curation_variance=0.0),
            lambda world: abs(world.ggmi) > 0.1,
        ),
        checks=(Check("unit-variances", counterexample, *_stored("g25-t49-continuous-no-curation", 0), _ENOUGH),),
        recorded="refuted",
        repair="G25-T49/continuous-repaired",
    ),
    Claim(
        id="G25-T49/continuous-function",
        title="For densities and prompts that are functions of the anchors GGMI is at most the printed combination",
        source=f"G25 (T49), {SOURCE}",
        form="reconstructed",
        reading="differential entropies, p a function of S_anchor with a density",
        statement=_STATEMENT + r",\ p=\varphi(S_{anchor})",
        hypotheses=(PROCESS, DENSITY, TRAINED),
        witness=None,
        no_witness="I(S_anchor; p) is infinite, h(S_anchor | p) minus infinity, and the right side infinite",
        checks=(Check("function", nothing_left, _determined(0), _determined(1), "a prompt with noise"),),
        recorded="vacuous",
        repair="G25-T49/continuous-identity",
    ),
    Claim(
        id="G25-T49/continuous-identity",
        title="For densities the right side exceeds GGMI by Delta_I + I(S_anchor; p) - h(S_gen), in every unit",
        source=f"G25 (T49), {SOURCE}",
        form="own",
        reading="differential entropies; alpha h(S_anchor | W) is h(S_anchor | W')",
        statement=_STATEMENT.replace(r"\mathrm{GGMI}\le", "") + r"-\mathrm{GGMI}=\Delta I+I(S_{anchor};p)-h(S_{gen})",
        hypotheses=(PROCESS, DENSITY, TRAINED, FINITE),
        witness=_WORLD,
        checks=(
            Check("symbolic", identity, _slack(False), _slack(True), "Delta_H counted once"),
            Check("vectors", _slack_of_vectors, True, False, "I(S_anchor; p) left out"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-T49/continuous-repaired",
        title="With what curation adds and what answers tell of the prompt's noise the bound of GGMI holds",
        source=f"G25 (T49), {SOURCE}",
        form="repaired",
        reading="differential entropies, factors independent or not",
        statement=_STATEMENT + r"+\{h(S_{gen})-h(M)\}+I(h;M\mid S_{anchor})",
        hypotheses=(PROCESS, DENSITY, TRAINED, FINITE),
        witness=_WORLD,
        checks=(
            Check("symbolic", identity, _repaired(True), _repaired(False), "I(h; M | S_anchor) left out"),
            Check("vectors", _repaired_vectors, True, False, "h(S_gen) - h(M) left out"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-T49/continuous-alpha",
        title="For densities alpha is a property of the world, whatever the unit",
        source=f"G25 (T49), {SOURCE}",
        form="reconstructed",
        reading="alpha as a ratio of differential entropies, kept when the data are measured in another unit",
        statement=(
            r"\frac{h(S_{anchor}\mid W')}{h(S_{anchor}\mid W)}"
            r"=\frac{h(cS_{anchor}\mid W')}{h(cS_{anchor}\mid W)}=\alpha"
        ),
        hypotheses=(PROCESS, DENSITY, TRAINED),
        witness=_WORLD,
        checks=(Check("unit", refuting_identity, _alpha(2), _alpha(1), "the same unit"),),
        recorded="refuted",
        repair="G25-T49/continuous-identity",
    ),
)
