r"""G25-BSYN: what W knows of the two factors, each by itself.

Setting. M = h(e_p) + g(e_M) as in G25-D41, S_gen = M + eps, W drawn from S_gen alone; finite, natural logarithms.
Statement. B_syn = I(e_M; W) + I(e_p; W) (reconstructed).
Hypotheses. Named with each claim.
Constants. 1 for independent factors, 2 for any; both attained.
Relation. Bounds.
Reference. G25 (arXiv:2410.01720), by the account we have. Used by G25-L43.

Derivation. I(e_M, e_p; W) = I(e_M; W) + I(e_p; W | e_M), I(e_p; W | e_M) = I(e_p; W) + I(e_M; e_p | W) - I(e_M; e_p).
So
    I(e_M, e_p; W) - B_syn = I(e_M; e_p | W) - I(e_M; e_p),
>= 0 for independent factors, where it is their synergy. I(e_M, e_p; W) <= I(S_gen; W), and each term of B_syn likewise,
by data processing: given S_gen, W is independent of the factors.

Readings.
1. As I(e_M, e_p; W): refuted, synergy is left out (G25-BSYN/joint).
2. As no more than that: true for independent factors (G25-BSYN), refuted for dependent ones, where what both say counts
   twice (G25-BSYN/dependent), but never more than twice I(S_gen; W) (G25-BSYN/twice).
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Setting, Witness
from proofs_checks.claims._g25 import ANY, INDEPENDENT, copied, fresh, parity, tried
from proofs_checks.claims._g25_checks import (
    INDEPENDENT_FACTORS,
    PROCESS,
    ROUNDING,
    Bounded,
    bounded,
    proved,
    stored,
    value,
)
from proofs_checks.claims._g25_entropies import B_SYN, SYNTHETIC, Decomposition, information
from proofs_checks.evidence.symbolic import identity

SOURCE = "G25 (BSYN), reconstructed"


_AT_MOST_JOINT = Decomposition(
    "B_syn <= I(e_M, e_p; W) for independent factors",
    B_SYN,
    information("e_M e_p", "W"),
    parts=(information("e_M", "e_p", "W"),),
    vanishing=(-information("e_M", "e_p"),),
)
_AT_MOST_SYNTHETIC = Decomposition(
    "I(e_M, e_p; W) <= I(S_gen; W)",
    information("e_M e_p", "W"),
    SYNTHETIC,
    parts=(information("S_gen", "W", "e_M e_p"),),
    vanishing=(-information("e_M e_p", "W", "S_gen"),),
)
_TWICE = Decomposition(
    "B_syn <= 2 I(S_gen; W)",
    B_SYN,
    2 * SYNTHETIC,
    parts=(information("S_gen", "W", "e_M"), information("S_gen", "W", "e_p")),
    vanishing=(-information("e_M", "W", "S_gen"), -information("e_p", "W", "S_gen")),
)
DECOMPOSITIONS = ((_AT_MOST_JOINT, INDEPENDENT), (_AT_MOST_SYNTHETIC, ANY), (_TWICE, ANY))


def _synergy():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    worlds = list(itertools.islice(tried(ANY, Setting(0, "full", "G25-BSYN/drawing")), 80))
    joint = np.array([value(information("e_M e_p", "W"), w) for w in worlds])
    b_syn = np.array([w.b_syn for w in worlds])
    separate = np.array([value(information("e_M", "e_p"), w) < ROUNDING for w in worlds])
    axes.plot(joint[separate], b_syn[separate], ".", label="independent factors")
    axes.plot(joint[~separate], b_syn[~separate], "x", label="dependent factors")
    line = np.array([0.0, joint.max()])
    axes.plot(line, line, "k:", label="equal")
    axes.set(xlabel="I(e_M, e_p; W) in nats, random worlds", ylabel="B_syn (nats)")
    figure.legend(loc="outside lower left", ncols=3)
    return figure


_PARITY = Witness("two fair bits as factors; W their exclusive or", parity, lambda w: w.synthetic_information > 0.1)
_COPIED = Witness("factors that are copies of one bit", copied, lambda w: w.synthetic_information > 0.1)

CLAIMS = (
    Claim(
        id="G25-BSYN",
        title="B_syn is at most what W knows of both factors, and that at most what it knows of S_gen",
        source=SOURCE,
        form="reconstructed",
        reading="independent factors",
        statement=r"B_{syn}\le I(e_M,e_p;W)\le I(S_{gen};W)",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS),
        witness=Witness("a fair bit of the model's own that W keeps", fresh, lambda w: w.b_syn > 0.1),
        checks=(
            *proved(Bounded(_AT_MOST_JOINT, INDEPENDENT), "e_M may look at e_p", kind=ANY),
            Check(
                "processing",
                identity,
                _AT_MOST_SYNTHETIC.sides(),
                _AT_MOST_SYNTHETIC.sides(dropped=0),
                "W looks at the factors beside S_gen",
            ),
            Check(
                "trained",
                bounded,
                Bounded(_AT_MOST_SYNTHETIC, INDEPENDENT),
                Bounded(replace(_AT_MOST_SYNTHETIC, larger=information("g", "W")), INDEPENDENT),
                "the model's own term in place of S_gen",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-BSYN/joint",
        title="B_syn is what W knows of both factors",
        source=SOURCE,
        form="reconstructed",
        reading="B_syn = I(e_M, e_p; W); independent factors",
        statement=r"B_{syn}=I(e_M,e_p;W)",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS),
        witness=_PARITY,
        checks=(
            stored(
                "exclusive-or",
                "g25-bsyn-joint",
                information("e_M e_p", "W"),
                B_SYN,
                relation="equal",
                broken={"W": [["0"], ["0"], ["1"], ["1"]]},
                broken_by="W keeps the first factor",
            ),
        ),
        recorded="refuted",
        repair="G25-BSYN",
        drawings=(
            Drawing(
                _synergy,
                "Independent factors: B_syn falls short of what W knows of both by their synergy, down to 0 for an "
                "exclusive or. Dependent ones may lie above: what both say counts twice.",
            ),
        ),
    ),
    Claim(
        id="G25-BSYN/dependent",
        title="B_syn is at most what W knows of both factors, dependent or not",
        source=SOURCE,
        form="reconstructed",
        reading="any factors",
        statement=r"B_{syn}\le I(e_M,e_p;W)",
        hypotheses=(PROCESS,),
        witness=_COPIED,
        checks=(
            stored(
                "copies",
                "g25-bsyn-dependent",
                B_SYN,
                information("e_M e_p", "W"),
                broken={"e_M": [["0"], ["0"]], "g": [["0"], ["0"]], "M": [["0"], ["1"]]},
                broken_by="e_M constant",
            ),
        ),
        recorded="refuted",
        repair="G25-BSYN/twice",
    ),
    Claim(
        id="G25-BSYN/twice",
        title="B_syn is at most twice what W knows of S_gen",
        source=SOURCE,
        form="repaired",
        reading="any factors; attained by copies",
        statement=r"B_{syn}\le2\,I(S_{gen};W)",
        hypotheses=(PROCESS,),
        witness=_COPIED,
        checks=proved(Bounded(_TWICE), "counted once", proof=replace(_TWICE, larger=SYNTHETIC)),
        recorded="holds",
    ),
)
