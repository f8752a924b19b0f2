r"""G25-T49: the bound of GGMI by the information gain and entropies.

Setting. S_anchor -> p -> (e_p, e_M, eps), M = h(e_p) + g(e_M), S_gen = M + eps; W is drawn from S_gen alone, W' from
S_anchor alone; finite, natural logarithms. GGMI = I(S_anchor; W') - I(S_gen; W).
Statement. GGMI <= Delta_I - (alpha + 1) H(S_anchor | W) + 2 Delta_H + H(S_gen | W) + eps_{W,p} (reconstructed), Delta_H
= H(S_anchor) - H(S_gen), eps_{W,p} = H(S_anchor | W) - H(S_anchor | p), alpha H(S_anchor | W) = H(S_anchor | W').
Hypotheses. Named with each claim. Whatever S_gen is, one point or several, only its entropies occur.
Constants. 1.
Relation. Upper bound.
Reference. G25 (arXiv:2410.01720), theorem 4.9, by the account we have.

Derivation. alpha H(S_anchor | W) is H(S_anchor | W'), the two H(S_anchor | W) cancel, and what is left of the right
side is Delta_I + {H(S_anchor) - H(S_anchor | W')} + {H(S_anchor) - H(S_anchor | p)} - H(S_gen) - {H(S_gen) - H(S_gen |
W)}:
    right side = GGMI + Delta_I + I(S_anchor; p) - H(S_gen).
No W is in the slack: the theorem holds exactly when H(S_gen) <= Delta_I + I(S_anchor; p), and as a bound of GGMI it
says nothing about training. Without curation H(S_gen) = H(M) = Delta_I + I(h; M), so no Delta_I is in the slack either:
it is I(S_anchor; p) - I(h; M). If p is a function of S_anchor, and e_p of p, it is H(p) - I(h; M) = H(p | h) + H(h | M)
>= 0; if moreover e_M is independent of p it is H(p | M), what the answer leaves open about the prompt. Otherwise it may
be negative: a constant prompt and answer with a fair bit of curation has slack -log 2; so has a prompt that is a coin
beside the anchors and is repeated in the answer. In general
    slack + {H(S_gen) - H(M)} + H(p | S_anchor) + H(e_p | p) = H(p, e_p) - I(h; M) = H(h | M) + H(p, e_p | h) >= 0,
with 0 exactly when M tells h, and h tells p and e_p.
alpha exists unless H(S_anchor | W) = 0 < H(S_anchor | W'); H(S_anchor | W') in place of alpha H(S_anchor | W) needs
none.
More gain. GGMI does not contain Delta_I: I(S_anchor; W') - H(S_gen) <= GGMI <= I(S_anchor; W'), the upper end for a W
that ignores its data, the lower for one that memorises it; without curation the lower end is I(S_anchor; W') - I(h; M)
- Delta_I. So more Delta_I lets GGMI be smaller, and forces nothing.

Readings.
1. As it stands, with any curation: refuted (G25-T49). Noisy prompts without curation: refuted (G25-T49/noisy-prompt).
2. No curation, p a function of the anchors, e_p of p: holds (G25-T49/no-curation); tight exactly when the answer tells
   the prompt (G25-T49/tight). With the excess of noise added: holds always (G25-T49/repaired).
3. That alpha exists: refuted (G25-T49/alpha).
4. "More Delta_I means more GGMI", everything but g equal: refuted (G25-T49/more-gain), see G25-T49/range.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Hypothesis, Setting, Witness
from proofs_checks.claims._g25 import ANY, curation_only, echo, fresh, idle, parity, stray, tried
from proofs_checks.claims._g25_checks import (
    FUNCTION_FACTOR,
    FUNCTION_PROMPT,
    PROCESS,
    SEPARATE,
    UNCURATED,
    Agreeing,
    Bounded,
    agreeing,
    bounded,
    proved,
    stored,
)
from proofs_checks.claims._g25_entropies import (
    ANCHOR,
    DELTA_I,
    GGMI,
    SYNTHETIC,
    T49,
    Combination,
    Decomposition,
    entropy,
    information,
)
from proofs_checks.evidence.symbolic import identity

SOURCE = "G25 (T49), reconstructed"

SLACK = DELTA_I + information("S_anchor", "p") - entropy("S_gen")
_UNCHANGED = (-entropy("S_gen", "M"), entropy("M", "S_gen"))  # S_gen and M tell each other
_NOISE = entropy("S_gen") - entropy("M") + entropy("p", "S_anchor") + entropy("e_p", "p")

_IDENTITY = Decomposition("T49's right side is GGMI + Delta_I + I(S_anchor; p) - H(S_gen)", GGMI, T49, parts=(SLACK,))
_PLAIN = Decomposition(
    "GGMI <= T49's right side, by H(h | M) + H(p | h)",
    GGMI,
    T49,
    parts=(entropy("h", "M"), entropy("p", "h")),
    vanishing=(-entropy("p", "S_anchor"), -entropy("h", "p"), *_UNCHANGED),
)
_TIGHT = Decomposition(
    "T49's right side is GGMI + H(p | M)",
    GGMI + entropy("p", "M"),
    T49,
    vanishing=(
        information("p", "M", "h"),
        entropy("h", "p M"),
        -entropy("p", "S_anchor"),
        -entropy("h", "p"),
        *_UNCHANGED,
    ),
)
_REPAIRED = Decomposition(
    "GGMI <= T49's right side + {H(S_gen) - H(M)} + H(p | S_anchor) + H(e_p | p)",
    GGMI,
    T49 + _NOISE,
    parts=(entropy("h", "M"), entropy("p e_p", "h")),
    vanishing=(-entropy("h", "p e_p"),),
)
_LOWER = Decomposition(
    "I(S_gen; W) <= Delta_I + I(h; M) without curation, so GGMI >= I(S_anchor; W') - Delta_I - I(h; M)",
    ANCHOR - GGMI,
    DELTA_I + information("h", "M"),
    parts=(entropy("S_gen", "W"),),
    vanishing=_UNCHANGED,
)
_UPPER = Decomposition("GGMI <= I(S_anchor; W')", GGMI, ANCHOR, parts=(SYNTHETIC,))

_KIND = replace(ANY, noisy_prompt=False, noisy_factor=False, curated=False)
_UNCURATED_KIND = replace(ANY, curated=False)
DECOMPOSITIONS = (
    (_IDENTITY, None),
    (_PLAIN, _KIND),
    (_TIGHT, replace(_KIND, dependent=False)),
    (_REPAIRED, ANY),
    (_LOWER, _UNCURATED_KIND),
    (_UPPER, ANY),
)


def _without(term: Combination) -> Bounded:
    """Return the repaired bound with one of its three excesses left out."""
    return Bounded(replace(_REPAIRED, larger=_REPAIRED.larger - term))


def _literal(world) -> float:
    """T49's right side as it is printed, alpha and all; where there is none, as the identity has it."""
    return world.ggmi + world.t49_slack if world.t49_right_side is None else world.t49_right_side


def _gains():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    worlds = list(itertools.islice(tried(_KIND, Setting(0, "full", "G25-T49/drawing")), 80))
    gain = [w.information_gain for w in worlds]
    axes.plot(gain, [w.ggmi for w in worlds], ".", label="GGMI")
    axes.plot(gain, [w.t49_slack for w in worlds], "x", label="slack of T49")
    axes.set(xlabel="Δ_I in nats, random worlds without curation", ylabel="nats")
    figure.legend(loc="outside lower left")
    return figure


def _ends():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    worlds = list(itertools.islice(tried(_UNCURATED_KIND, Setting(0, "full", "G25-T49/ends")), 80))
    gain = np.array([w.information_gain for w in worlds])
    told = np.array([w.law.mutual_information("h", "M") > 1e-9 for w in worlds])
    known = -np.array([w.synthetic_information for w in worlds])
    axes.plot(gain[~told], known[~told], ".", label="the answer says nothing of h")
    axes.plot(gain[told], known[told], "x", label="it says something")
    axes.plot(gain, -gain, "k:", label="-Δ_I")
    axes.set(xlabel="Δ_I in nats, random worlds without curation", ylabel="GGMI - I(S_anchor; W') (nats)")
    figure.legend(loc="outside lower left", ncols=3)
    return figure


_ALPHA = Hypothesis(
    "alpha exists: H(S_anchor | W) > 0, or H(S_anchor | W') = 0", lambda w: w.t49_right_side is not None
)
_ECHO = Witness("the answer repeats the anchor", echo, lambda w: w.synthetic_information > 0.1)
_PARITY = Witness("two fair bits as factors; W their exclusive or", parity, lambda w: w.information_gain > 0.1)


def _right(alpha: str, suffix: str = ""):
    """Return T49's right side for the checker, with alpha."""
    columns = {name: f"{name}{suffix}" for name in ("M", "S_gen", "W")}
    rest = T49 + entropy("S_anchor", "W_anchor")
    given_w = entropy("S_anchor", "W").bits("P", columns)
    return ("-", rest.bits("P", columns), ("*", alpha, given_w))


def _ggmi(suffix: str = ""):
    return GGMI.bits("P", {"S_gen": f"S_gen{suffix}", "W": f"W{suffix}"})


_ZEROS = [["0"]] * 4

CLAIMS = (
    Claim(
        id="G25-T49",
        title="GGMI is bounded by the information gain and entropies",
        source=SOURCE,
        form="reconstructed",
        reading="any curation, p a function of the anchors and e_p of p; alpha exists",
        statement=r"\mathrm{GGMI}\le\Delta_I-(\alpha+1)H(S_{anchor}\mid W)+2\Delta_H+H(S_{gen}\mid W)+\epsilon_{W,p}",
        hypotheses=(PROCESS, FUNCTION_PROMPT, FUNCTION_FACTOR, _ALPHA),
        witness=Witness("curation by a fair bit", curation_only, lambda w: w.t49_slack < 0),
        checks=(
            stored(
                "curation-only",
                "g25-t49",
                GGMI,
                _right("alpha"),
                broken={"eps": _ZEROS, "S_gen": _ZEROS},
                broken_by="no curation",
            ),
        ),
        recorded="refuted",
        repair="G25-T49/repaired",
        drawings=(
            Drawing(
                _gains,
                "No curation, prompts that are functions: T49 holds, its slack does not fall with Delta_I, and GGMI "
                "does not rise with it.",
            ),
        ),
    ),
    Claim(
        id="G25-T49/identity",
        title="T49's right side is GGMI plus a number in which no trained model occurs",
        source=SOURCE,
        form="own",
        reading="any law of the process; H(S_anchor | W') for alpha H(S_anchor | W) where there is no alpha",
        statement=r"\text{right side}-\mathrm{GGMI}=\Delta_I+I(S_{anchor};p)-H(S_{gen})",
        hypotheses=(PROCESS,),
        witness=_PARITY,
        checks=(
            Check("proof", identity, _IDENTITY.sides(), _IDENTITY.sides(dropped=0), "the slack taken for 0"),
            Check(
                "library",
                agreeing,
                Agreeing("the package's right side, with alpha, is GGMI + slack", _literal, GGMI + SLACK),
                Agreeing("the package's right side, with alpha, is GGMI + slack", _literal, GGMI + SLACK + DELTA_I),
                "Delta_I counted twice",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-T49/noisy-prompt",
        title="Without curation T49 holds for noisy prompts too",
        source=SOURCE,
        form="reconstructed",
        reading="eps = 0, e_p a function of p, p any channel of the anchors; alpha exists",
        statement=r"\mathrm{GGMI}\le\Delta_I-(\alpha+1)H(S_{anchor}\mid W)+2\Delta_H+H(S_{gen}\mid W)+\epsilon_{W,p}",
        hypotheses=(PROCESS, FUNCTION_FACTOR, UNCURATED, _ALPHA),
        witness=Witness("a prompt that is a coin", stray, lambda w: w.t49_slack < 0),
        checks=(
            stored(
                "coin",
                "g25-t49-noisy-prompt",
                GGMI,
                _right("alpha"),
                broken={"p": _ZEROS, "e_p": _ZEROS, "h": _ZEROS, "M": _ZEROS, "S_gen": _ZEROS, "W": _ZEROS},
                broken_by="a constant prompt",
            ),
        ),
        recorded="refuted",
        repair="G25-T49/no-curation",
    ),
    Claim(
        id="G25-T49/no-curation",
        title="T49 holds without curation, when prompt and factor are functions",
        source=SOURCE,
        form="repaired",
        reading="eps = 0, p a function of the anchors, e_p of p; any model, dependent factors too",
        statement=r"\epsilon=0\ \Rightarrow\ \mathrm{GGMI}\le\text{right side},\quad\text{slack }H(p\mid h)+H(h\mid M)",
        hypotheses=(PROCESS, FUNCTION_PROMPT, FUNCTION_FACTOR, UNCURATED, _ALPHA),
        witness=_ECHO,
        checks=proved(Bounded(_PLAIN, _KIND), "curation allowed", kind=replace(_KIND, curated=True)),
        recorded="holds",
    ),
    Claim(
        id="G25-T49/tight",
        title="T49 is tight exactly when the answer tells the prompt",
        source=SOURCE,
        form="own",
        reading="eps = 0, p a function of the anchors, e_p of p, e_M independent of p: the slack is H(p | M)",
        statement=r"\text{right side}-\mathrm{GGMI}=H(p\mid M)",
        hypotheses=(PROCESS, FUNCTION_PROMPT, FUNCTION_FACTOR, UNCURATED, SEPARATE),
        witness=_ECHO,
        checks=(
            Check("proof", identity, _TIGHT.sides(), _TIGHT.sides(dropped=0), "M looks at p beyond h"),
            Check(
                "worlds",
                agreeing,
                Agreeing(_TIGHT.says, T49, GGMI + entropy("p", "M"), replace(_KIND, dependent=False)),
                Agreeing(_TIGHT.says, T49, GGMI + entropy("p", "M"), _KIND),
                "e_M may look at e_p",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-T49/repaired",
        title="T49 holds for every law once the noise of curation, prompt and factor is added",
        source=SOURCE,
        form="repaired",
        reading="three terms added: 0 without curation, for p a function of the anchors, for e_p a function of p",
        statement=r"\mathrm{GGMI}\le\text{right side}+[H(S_{gen})-H(M)]+H(p\mid S_{anchor})+H(e_p\mid p)",
        hypotheses=(PROCESS,),
        witness=Witness("curation by a fair bit", curation_only, lambda w: w.t49_slack < 0),
        checks=(
            *proved(
                Bounded(_REPAIRED),
                "the noise of curation left out",
                proof=replace(_REPAIRED, larger=T49 + _NOISE - entropy("S_gen") + entropy("M")),
            ),
            Check(
                "prompts", bounded, Bounded(_REPAIRED), _without(entropy("p", "S_anchor")), "H(p | S_anchor) left out"
            ),
            Check("factors", bounded, Bounded(_REPAIRED), _without(entropy("e_p", "p")), "H(e_p | p) left out"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-T49/alpha",
        title="T49's alpha exists",
        source=SOURCE,
        form="reconstructed",
        reading="some alpha with H(S_anchor | W') = alpha H(S_anchor | W), in every world",
        statement=r"\exists\,\alpha:\ H(S_{anchor}\mid W')=\alpha H(S_{anchor}\mid W)",
        hypotheses=(PROCESS,),
        witness=_ECHO,
        checks=(
            stored(
                "all-known",
                "g25-t49-alpha",
                entropy("S_anchor", "W_anchor"),
                ("*", "alpha", entropy("S_anchor", "W").bits("P")),
                relation="equal",
                broken={"W": [["0"], ["0"]]},
                broken_by="W ignores its data",
            ),
        ),
        recorded="refuted",
        repair="G25-T49/identity",
    ),
    Claim(
        id="G25-T49/more-gain",
        title="More information gain means more GGMI",
        source=SOURCE,
        form="reconstructed",
        reading="two worlds equal but for g, under which T49 is tight: the larger Delta_I has the larger GGMI",
        statement=r"\Delta_I^{(1)}<\Delta_I^{(2)}\ \Rightarrow\ \mathrm{GGMI}^{(1)}\le\mathrm{GGMI}^{(2)}",
        hypotheses=(PROCESS, FUNCTION_PROMPT, FUNCTION_FACTOR, UNCURATED, SEPARATE, _ALPHA),
        witness=Witness("an answer of noise, memorised", fresh, lambda w: w.information_gain > 0.1),
        checks=(
            stored(
                "memorised-noise",
                "g25-t49-more-gain",
                _ggmi("1"),
                _ggmi("2"),
                broken={"g2": _ZEROS, "M2": _ZEROS, "S_gen2": _ZEROS, "W2": _ZEROS},
                broken_by="one and the same world twice",
            ),
            stored(
                "right-side",
                "g25-t49-more-gain",
                _right("alpha1", "1"),
                _right("alpha2", "2"),
                broken={"g2": _ZEROS, "M2": _ZEROS, "S_gen2": _ZEROS, "W2": _ZEROS},
                broken_by="one and the same world twice",
            ),
        ),
        recorded="refuted",
        repair="G25-T49/range",
        drawings=(
            Drawing(
                _ends,
                "What training takes off I(S_anchor; W'), 0 for a W that ignores its data. Where the answer says "
                "nothing of h it is not below the dotted line: a larger gain makes room downwards, and forces nothing.",
            ),
        ),
    ),
    Claim(
        id="G25-T49/range",
        title="Information gain only lets GGMI be smaller",
        source=SOURCE,
        form="own",
        reading="eps = 0; the lower end for a W that memorises S_gen, the upper for one that ignores it",
        statement=r"I(S_{anchor};W')-I(h;M)-\Delta_I\le\mathrm{GGMI}\le I(S_{anchor};W')",
        hypotheses=(PROCESS, UNCURATED),
        witness=Witness("a bit that g drops and one that it keeps", idle, lambda w: w.information_gain > 0.1),
        checks=(
            *proved(
                Bounded(_LOWER, _UNCURATED_KIND),
                "what the answer says of the prompt left out",
                proof=replace(_LOWER, larger=DELTA_I),
            ),
            Check(
                "upper",
                bounded,
                Bounded(_UPPER, _UNCURATED_KIND),
                Bounded(replace(_UPPER, larger=ANCHOR - information("h", "M")), _UNCURATED_KIND),
                "what the answer says of the prompt taken off",
            ),
        ),
        recorded="holds",
    ),
)
