r"""G25-DI: the information gain, what the answer holds beyond what the prompt's factor put there.

Setting. M = h(e_p) + g(e_M) as in G25-D41, finite, natural logarithms. Several points: e_M, g and M are tuples.
Statement. Delta_I = H(M) - I(h; M) (confirmed).
Hypotheses. Named with each claim.
Constants. None.
Relation. Equality; bounds 0 and H(e_M).
Reference. G25 (arXiv:2410.01720), by the account we have. Used by G25-L43, G25-T49 and G25-Q1.

Derivation. H(M) - I(h; M) = H(M | h) >= 0. Given h, M and g determine each other, so it is H(g | h); as g is a function
of e_M,
    H(e_M) - H(g | h) = I(e_M; h) + H(e_M | g, h) >= 0,
with equality when g is injective and e_M independent of h. Factors independent: H(g | h) = H(g). If e_p is a function
of p and e_M is independent of p, M is independent of p given h, and Delta_I = H(M | h) = H(M | p). In any other case
Delta_I hangs on which decomposition is chosen: a fair bit for an answer to a constant prompt has Delta_I = 0 with e_p =
M, log 2 with e_M = M. For a letter Z from D the chain rule says Delta_I = I(M; Z | h) + H(M | h, Z): news about Z, and
noise that counts in full.

Readings.
1. Entropies of letters: holds as said. With densities Delta_I may be negative, as in CL-MAXENT/nonnegative.
2. As a property of prompts and answers: refuted (G25-DI/of-the-model), true under the hypotheses under which D41 says
   something (G25-DI/identifiable).
3. As what is new about D: refuted (G25-DI/novelty), true as an upper bound of it (G25-DI/split).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Outcome, Setting, Witness
from proofs_checks.claims._g25 import ANY, INDEPENDENT, fresh, idle, parity
from proofs_checks.claims._g25_checks import (
    FUNCTION_FACTOR,
    INDEPENDENT_FACTORS,
    PROCESS,
    ROUNDING,
    SEPARATE,
    Agreeing,
    Bounded,
    agreeing,
    proved,
    stored,
)
from proofs_checks.claims._g25_entropies import DELTA_I, Decomposition, entropy, information
from proofs_checks.evidence.symbolic import identity

SOURCE = "G25 (DI), definition confirmed; D41 reconstructed"


def _news(kept: float, setting: Setting) -> Evidence:
    """I(M; Z | h) against Delta_I where e_M may know the letter Z: random joint laws, and an e_M that is Z."""
    from dkps_theory.information.joint_law import JointLaw

    table, count, worst = np.random.default_rng(setting.integer_seed("laws")), setting.size(60, 600), (0.0, 1.0)
    for place in range(count):
        k = int(table.integers(2, 5))
        channel = np.eye(k) if place == 0 else table.dirichlet(np.full(k, 0.3), k)
        law = JointLaw.independent(Z=table.dirichlet(np.ones(k)), h=table.dirichlet(np.ones(2)))
        law = law.then("e_M", "Z", channel).derive("M", ("h", "e_M"), lambda h, e: h + e)
        news, gain = law.mutual_information("M", "Z", "h"), kept * DELTA_I.nats(law.entropy)
        if not news <= gain + ROUNDING:
            h, letter = ([round(weight, 4) for weight in law.law(name).values()] for name in ("h", "Z"))
            detail = f"Delta_I is less where h ~ {h}, Z ~ {letter}, e_M ~ {channel.round(4).tolist()}"
            return Evidence("search", Outcome.CONTRADICTS, news, gain, "upper", detail, n=count)
        worst = max(worst, (news, gain), key=lambda pair: pair[0] / pair[1])
    says = "I(M; Z | h) <= Delta_I where the model may know the letter Z"
    return Evidence("search", Outcome.SUPPORTS, *worst, "upper", says, slack=worst[1] / worst[0], n=count)


_GIVEN_H = (entropy("M", "h g"), -entropy("g", "h M"))
_GAIN_IS = Decomposition("Delta_I = H(g | h)", entropy("g", "h"), DELTA_I, vanishing=_GIVEN_H)
_GAIN_AT_MOST = Decomposition(
    "Delta_I <= H(e_M), by I(e_M; h) + H(e_M | g, h)",
    DELTA_I,
    entropy("e_M"),
    parts=(information("e_M", "h"), entropy("e_M", "g h")),
    vanishing=(-entropy("g", "e_M h"), *(-term for term in _GIVEN_H)),
)
_GAIN_OF_G = Decomposition(
    "Delta_I = H(g(e_M)) where the factors are independent",
    DELTA_I,
    entropy("g"),
    vanishing=(information("g", "h"), *(-term for term in _GIVEN_H)),
)
_GAIN_OF_PROMPT = Decomposition(
    "Delta_I = H(M | p) where e_p is a function of p and e_M independent of p",
    entropy("M", "p"),
    DELTA_I,
    vanishing=(information("M", "p", "h"), -entropy("h", "p"), entropy("h", "p M")),
)
_SPLIT = Decomposition(
    "Delta_I = I(M; Z | h) + H(M | h, Z) for any Z", information("M", "Z", "h"), DELTA_I, (entropy("M", "h Z"),)
)
DECOMPOSITIONS = (
    (_GAIN_IS, ANY),
    (_GAIN_AT_MOST, ANY),
    (_GAIN_OF_G, INDEPENDENT),
    (_GAIN_OF_PROMPT, replace(INDEPENDENT, noisy_factor=False)),
)


def _two_decompositions():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    share = np.linspace(0, 0.5, 41)
    gain = np.array([-sum(x * np.log(x) for x in (q, 1 - q) if x > 0) for q in share])
    axes.plot(share, gain, label="Δ_I = H(M | h)")
    axes.plot(share, np.log(2) - gain, "--", label="I(h; M)")
    axes.set(xlabel="P(e_M = 1), M = e_p + e_M modulo 2", ylabel="nats")
    figure.legend(loc="outside lower left")
    return figure


_PARITY = Witness("two fair bits as factors; W their exclusive or", parity, lambda w: w.information_gain > 0.1)
_NOISE = Witness("an answer of noise", fresh, lambda w: w.information_gain > 0.1)

CLAIMS = (
    Claim(
        id="G25-DI",
        title="The information gain is what the answer holds beyond h, between 0 and the entropy of e_M",
        source=SOURCE,
        form="as-printed",
        reading="entropies of letters; any factors",
        statement=r"0\le\Delta_I=H(M)-I(h;M)=H(M\mid h)=H(g\mid h)\le H(e_M)",
        hypotheses=(PROCESS,),
        witness=_PARITY,
        checks=(
            Check("equal", identity, _GAIN_IS.sides(), _GAIN_IS.sides(dropped=0), "M no function of h and g"),
            Check(
                "library",
                agreeing,
                Agreeing("the package's Delta_I is H(M) - I(h; M)", lambda w: w.information_gain, DELTA_I),
                Agreeing("the package's Delta_I is H(M) - I(h; M)", lambda w: w.information_gain, entropy("M")),
                "I(h; M) left out",
            ),
            *proved(
                Bounded(_GAIN_AT_MOST),
                "the curated answer in place of M",
                proof=replace(_GAIN_AT_MOST, smaller=entropy("S_gen", "h")),
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-DI/independent",
        title="With independent factors the information gain is the entropy of the model's own term",
        source=SOURCE,
        form="own",
        reading="e_M independent of e_p",
        statement=r"\Delta_I=H(g(e_M))",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS),
        witness=Witness("a bit that g drops and one it keeps", idle, lambda w: w.information_gain > 0.1),
        checks=(
            Check("proof", identity, _GAIN_OF_G.sides(), _GAIN_OF_G.sides(dropped=0), "I(g; h) left out of the sum"),
            Check(
                "worlds",
                agreeing,
                Agreeing(_GAIN_OF_G.says, DELTA_I, entropy("g"), INDEPENDENT),
                Agreeing(_GAIN_OF_G.says, DELTA_I, entropy("g"), ANY),
                "e_M may look at e_p",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-DI/of-the-model",
        title="The information gain is a property of the prompts and answers",
        source=SOURCE,
        form="reconstructed",
        reading="Delta_I determined by the joint law of p and M, whichever factors D41 writes M with; e_p may be noisy",
        statement=r"\Delta_I\text{ is a function of }P_{p,M}",
        hypotheses=(PROCESS,),
        witness=_PARITY,
        checks=(
            stored(
                "one-answer-two-gains",
                "g25-di-of-the-model",
                DELTA_I.bits("P", {"h": "other h"}),
                DELTA_I,
                relation="equal",
                broken={"other h": [["0"], ["1"]], "other g": [["0"], ["0"]]},
                broken_by="one and the same decomposition twice",
            ),
        ),
        recorded="refuted",
        repair="G25-DI/identifiable",
        drawings=(
            Drawing(
                _two_decompositions,
                "A constant prompt and a fair bit for an answer: with e_p a fair bit and e_M any other bit, their sum "
                "modulo 2 has this one law, and every gain from 0 to log 2.",
            ),
        ),
    ),
    Claim(
        id="G25-DI/identifiable",
        title="If e_p is a function of the prompt and e_M looks at none, the gain is H(M | p)",
        source=SOURCE,
        form="repaired",
        reading="D41's hypotheses in the reading in which it says something",
        statement=r"\Delta_I=H(M\mid p)",
        hypotheses=(PROCESS, SEPARATE, FUNCTION_FACTOR),
        witness=_PARITY,
        checks=(
            Check("proof", identity, _GAIN_OF_PROMPT.sides(), _GAIN_OF_PROMPT.sides(dropped=0), "e_M looks at p"),
            Check(
                "worlds",
                agreeing,
                Agreeing(_GAIN_OF_PROMPT.says, DELTA_I, entropy("M", "p"), replace(INDEPENDENT, noisy_factor=False)),
                Agreeing(_GAIN_OF_PROMPT.says, DELTA_I, entropy("M", "p"), INDEPENDENT),
                "e_p may be noisy",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-DI/novelty",
        title="The information gain is information about the target that the prompt does not hold",
        source=SOURCE,
        form="reconstructed",
        reading="our reading of what the gain is said to measure: at most I(M; Z | h) for a letter Z of D",
        statement=r"\Delta_I\le I(M;Z\mid h),\quad Z\sim D",
        hypotheses=(PROCESS,),
        witness=_NOISE,
        checks=(
            stored(
                "noise",
                "g25-di-novelty",
                DELTA_I,
                information("M", "Z", "h"),
                broken={"Z": [["0"], ["1"], ["0"], ["1"]]},
                broken_by="the answer is the letter",
            ),
        ),
        recorded="refuted",
        repair="G25-DI/split",
    ),
    Claim(
        id="G25-DI/split",
        title="The information gain is news about the target plus noise, so at least the news",
        source=SOURCE,
        form="repaired",
        reading="any Z; the model's factor may depend on it",
        statement=r"\Delta_I=I(M;Z\mid h)+H(M\mid h,Z)",
        hypotheses=(PROCESS,),
        witness=_NOISE,
        checks=(
            Check("proof", identity, _SPLIT.sides(), _SPLIT.sides(dropped=0), "the noise left out of the sum"),
            Check("laws", _news, 1.0, 0.9, "a tenth of the gain left out"),
        ),
        recorded="holds",
    ),
)
