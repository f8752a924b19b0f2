r"""G25-F5: the generator's support neither covers the anchors' nor stays inside it.

Setting. The mixture simulation (dkps_theory.information.mixture_world): anchors from K components, a generator with
these re-estimated (+ 1e-6 I), J copied from the truth and L foreign, all of equal weight, N = K + J + L; and G25's
process on finite alphabets. A is the law of an anchor, Q that of a synthetic point.
Statement. supp Q does not contain supp A and is not contained in it.
Hypotheses. None printed.
Constants. None.
Relation. Existence of mass outside, both ways.
Reference. G25 (arXiv:2410.01720), its picture of distributions, by the account we have.

Derivation. Literal: N(x; mu, R R') = exp(-|R^{-1}(x - mu)|^2/2)/((2 pi)^{d/2} |det R|) is positive at every x, and so
is any mixture; all supports are R^d, and cover the anchors themselves too. Every generator: one that answers with a
copy of its anchor has Q = A. Finite alphabets: with a constant prompt Q is any law, so all four cases occur. Noise: for
numbers, D_gen = D_M * D_eps with independent eps has the range of D_M plus that of eps (the ends add up); if D_M covers
A and eps is not constant, this exceeds the range of A, and Q adds.

Readings.
1. Supports of the laws in the simulation: refuted, nothing is missed (G25-F5); of the anchors as a set: the same
   (G25-F5/data).
2. For every generator: refuted (G25-F5/every-generator); for some: all four cases occur (G25-F5/four-cases), and with
   noise what covers does not stay inside (G25-F5/noise).
3. Supports read at a level: g25_f5_level.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims._g25 import built
from proofs_checks.claims._g25_checks import PROCESS, stored
from proofs_checks.claims._g25_flow import DEFINITE, EQUAL, Repeated, repeated
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.symbolic import refuting_identity

SOURCE = "G25 (F5), by the account we have"


# Finite alphabets


def supports(world: Any) -> tuple[Fraction, Fraction]:
    """Return the mass of D that D_gen's support misses, and the mass that D_gen adds outside the support of D."""
    data, synthetic = world.data_law, world.synthetic_laws(given_prompt=False)[()]
    missed = sum((w for z, w in data.items() if not synthetic.get(z, 0)), Fraction(0))
    return missed, sum((w for z, w in synthetic.items() if not data.get(z, 0)), Fraction(0))


def _letters(world: Any) -> set[Any]:
    return set(world.answer_laws(given_prompt=False)[()])


def answering(law: dict[int, Fraction], **parts: Any) -> Any:
    """Return a world with a fair bit for data, a constant prompt, and answers of this law."""
    half = Fraction(1, 2)
    return built(data_law={0: half, 1: half}, prompt=lambda _: 0, model_factor=law, **parts)


#: Laws of answers by case, with the mass missed and added.
FOUR = {
    "covers, inside": ({0: Fraction(1, 4), 1: Fraction(3, 4)}, 0, 0),
    "misses, inside": ({0: Fraction(1)}, Fraction(1, 2), 0),
    "covers, adds": ({k: Fraction(1, 3) for k in range(3)}, 0, Fraction(1, 3)),
    "misses, adds": ({1: Fraction(1, 2), 2: Fraction(1, 2)}, Fraction(1, 2), Fraction(1, 2)),
}


def _four(curation: dict[int, Fraction], setting: Setting) -> Evidence:
    """Whether each case is that of its world; the twin adds noise."""
    pairs = []
    for law, missed, added in FOUR.values():
        found = supports(answering(law, curation=curation))
        pairs += [(found[0], Fraction(missed)), (found[1], Fraction(added))]
    return exact_equalities(pairs, "mass missed and added in each of the four cases", exhaustive=True)


def _noise(dependent: bool, setting: Setting) -> Evidence:
    """Random answers that cover a random law of data and random noise: something is added; the twin's noise sees p."""
    table, count = np.random.default_rng(setting.integer_seed("worlds")), setting.size(60, 600)
    least = Fraction(1)
    for _ in range(count):
        letters = sorted({int(z) for z in table.integers(-3, 4, 3)} | {0})
        extra = {int(z) for z in table.integers(-4, 5, int(table.integers(0, 3)))}
        weights = {z: Fraction(int(table.integers(1, 5))) for z in sorted({*letters, *extra})}
        answers = {z: w / sum(weights.values()) for z, w in weights.items()}
        data = {z: Fraction(1, len(letters)) for z in letters}
        noise = {int(z): Fraction(1, 2) for z in table.choice(np.arange(-2, 3), 2, replace=False)}
        world = built(data_law=data, prompt=lambda _: 0, model_factor=answers, curation=noise)
        if dependent and len(letters) > 1:  # each letter becomes the next one, and the last the first
            turn = {z: letters[(i + 1) % len(letters)] - z for i, z in enumerate(letters)}
            world = built(data_law=data, prompt=lambda s: s[0], curation=turn.__getitem__)
        _, added = supports(world)
        least = min(least, added)
        if not added:
            detail = f"D_M covers {letters}, eps is not constant, and nothing is added"
            return Evidence("certified", Outcome.CONTRADICTS, 0.0, 0.0, "lower", detail, n=count)
    detail = "mass added by noise to answers that cover the data, exactly; the least is shown"
    return Evidence("search", Outcome.SUPPORTS, float(least), 0.0, "lower", detail, n=count)


# Gaussian mixtures


def _positive(scale: int):
    """1/N(x; mu, R R') = 2 pi det R exp(|R^{-1}(x - mu)|^2/2) in the plane, finite; the twin halves the exponent."""

    def sides():
        import sympy

        a, c = sympy.symbols("a c", positive=True)
        b, *rest = sympy.symbols("b x_1 x_2 mu_1 mu_2", real=True)
        root, shift = sympy.Matrix([[a, 0], [b, c]]), sympy.Matrix([rest[0] - rest[2], rest[1] - rest[3]])
        Sigma = root * root.T
        exponent = (shift.T * Sigma.inv() * shift)[0] / 2
        first, second = shift[0] / a, (shift[1] - b * shift[0] / a) / c
        says = "the reciprocal of a Gaussian density is the exponential of a number, so the density is 0 nowhere"
        return says, [
            (sympy.together(exponent), sympy.together((first**2 + second**2) / (2 * scale))),
            (Sigma.det(), (a * c) ** 2),
        ]

    return sides


def _picture():
    from simulations.studies._distribution_flow_page import flow_figure, picture

    return flow_figure(picture("published d=2", 0))


_PICTURE = Drawing(
    _picture,
    "One repetition of the published protocol; ellipses hold 95%. The generator's blue ellipses leave out parts of the "
    "grey of its anchors; its green and red ones are elsewhere. As sets of positive density, all are the whole plane.",
)
_ESTIMATED = ("+", ("scale", "1/2", ("matmul", ("T", "anchors"), ("matmul", "H", "anchors"))), "jitter")


#: A fair bit, answered by a fair bit plus one.
SHIFTED = Witness("a fair bit shifted by one", lambda: answering(FOUR["misses, adds"][0]), lambda w: all(supports(w)))


def _entry(row: int, column: int) -> tuple[Any, ...]:
    return ("entry", _ESTIMATED, str(row), str(column))


_LITERAL = (
    stored(
        "plane",
        "g25-f5",
        # Some support is smaller than the plane only if a determinant is 0; shown is that of the re-estimated one.
        ("-", ("*", _entry(0, 0), _entry(1, 1)), ("*", _entry(0, 1), _entry(1, 0))),
        "0",
        broken={"anchors": [["0", "0"], ["1", "1"], ["2", "2"]], "jitter": [["0", "0"], ["0", "0"]]},
        broken_by="anchors on a line and nothing added to their covariance: the support is a line",
    ),
    Check("density", refuting_identity, _positive(1), _positive(2), "the exponent halved"),
)

CLAIMS = (
    Claim(
        id="G25-F5",
        title="The generator's support neither covers the anchors' nor stays inside it",
        source=SOURCE,
        form="as-printed",
        reading="supports of the laws, where densities are positive; the mixture simulation",
        statement=r"\operatorname{supp}D_{gen}\not\supseteq\operatorname{supp}D_{anchor},\quad"
        r"\operatorname{supp}D_{gen}\not\subseteq\operatorname{supp}D_{anchor}",
        hypotheses=(DEFINITE, EQUAL),
        witness=repeated(Repeated("published d=2")),
        checks=_LITERAL,
        recorded="refuted",
        repair="G25-F5/level-published",
        drawings=(_PICTURE,),
    ),
    Claim(
        id="G25-F5/data",
        title="The generator's support neither covers the anchors themselves nor stays among them",
        source=SOURCE,
        form="as-printed",
        reading="support of the generator's law, and the anchors as a set of points; the mixture simulation",
        statement=r"\operatorname{supp}D_{gen}\not\supseteq S_{anchor},\quad"
        r"\operatorname{supp}D_{gen}\not\subseteq S_{anchor}",
        hypotheses=(DEFINITE, EQUAL),
        witness=repeated(Repeated("published d=2")),
        checks=_LITERAL,
        recorded="refuted",
        repair="G25-F5/level-published",
    ),
    Claim(
        id="G25-F5/every-generator",
        title="Every generator's support neither covers the anchors' nor stays inside it",
        source=SOURCE,
        form="as-printed",
        reading="for every generator; finite alphabets, where supports are exact",
        statement=r"\operatorname{supp}D_{gen}\not\supseteq\operatorname{supp}D_{anchor},\quad"
        r"\operatorname{supp}D_{gen}\not\subseteq\operatorname{supp}D_{anchor}\quad\text{for all }M",
        hypotheses=(PROCESS,),
        witness=SHIFTED,
        checks=(
            stored(
                "copies",
                "g25-f5-every-generator",
                ("max_abs", ("-", ("matmul", "anchors", "answer"), "anchors")),
                "0",
                relation="lower",
                broken={"answer": [["0", "1", "0"], ["0", "1", "0"], ["0", "0", "1"]]},
                broken_by="the first letter is never answered",
            ),
        ),
        recorded="refuted",
        repair="G25-F5/four-cases",
    ),
    Claim(
        id="G25-F5/four-cases",
        title="A generator may cover the anchors' support or not, and stay inside it or not: all four cases occur",
        source="own, for G25 (F5)",
        form="own",
        reading="finite alphabets",
        statement=r"\forall a,b\in\{0,1\}\ \exists M:\ "
        r"\mathbf 1\{\operatorname{supp}D_{gen}\supseteq\operatorname{supp}D_{anchor}\}=a,\ "
        r"\mathbf 1\{\operatorname{supp}D_{gen}\subseteq\operatorname{supp}D_{anchor}\}=b",
        hypotheses=(PROCESS,),
        witness=SHIFTED,
        checks=(
            Check("cases", _four, {0: Fraction(1)}, {0: Fraction(1, 2), 3: Fraction(1, 2)}, "curation adds 0 or 3"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-F5/noise",
        title="With independent noise, what covers the support of the anchors does not stay inside it",
        source="own, for G25 (F5)",
        form="own",
        reading="numbers on finite alphabets; eps independent of the answer and not constant",
        statement=r"\operatorname{supp}D_M\supseteq\operatorname{supp}D_{anchor}\Rightarrow"
        r"\operatorname{supp}D_{gen}\not\subseteq\operatorname{supp}D_{anchor}",
        hypotheses=(
            PROCESS,
            Hypothesis("D_M covers the support of the data", lambda w: set(w.data_law) <= _letters(w)),
            Hypothesis("eps is not constant", lambda w: w.law.entropy("eps") > 0),
            Hypothesis("eps is independent of the answer", lambda w: abs(w.law.mutual_information("eps", "M")) < 1e-9),
        ),
        witness=Witness(
            "a fair bit, answered by a fair bit plus another",
            lambda: answering(FOUR["covers, inside"][0], curation={0: Fraction(1, 2), 1: Fraction(1, 2)}),
            lambda w: supports(w)[1] > 0,
        ),
        checks=(Check("worlds", _noise, False, True, "eps sees the answer, and turns it into the next letter"),),
        recorded="holds",
    ),
)
