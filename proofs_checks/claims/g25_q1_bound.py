r"""G25-Q1, the bound: whether a larger information gain tightens it.

Setting. As in G25-L43. T45 bounds E[R_D(W) - R^_gen(W)] by C (TV(D, D_M) + TV(D_M, D_gen)) + eta^{L/2} sqrt(2 sigma^2
(-Delta_I + B_syn + H(e_M) + delta) / n) (reconstructed).
Statement. "A larger Delta_I gives a tighter bound" (confirmed as the first half of the headline).
Hypotheses. Named with each claim.
Constants. 1.
Relation. Order of two bounds.
Reference. G25 (arXiv:2410.01720), by the account we have.

Derivation.
Arguments. Beside other arguments held fixed, Delta_I lowers L43's right side by itself. Worlds in which nothing else
changes exist: e_M is two bits, W keeps one, g says that one or both. Saying both raises Delta_I by log 2 and leaves
e_M, B_syn, I(S_gen; W), W and every error as they were: the bound was loose by H(e_M | g, h), a bit that was never
said.
Cancels. If e_M is independent of e_p and g injective, Delta_I = H(e_M) (G25-DI) and the right side of L43 is B_syn +
delta: the gain is not in it. So over worlds the bound need not fall with the gain: a bit of the model's own that W
keeps raises Delta_I by log 2, and B_syn and the bound as well; all of T45, where D is the answer without that bit, as
TV(D, D_M) then rises from 0.

Readings.
1. T45 as a function of its arguments: holds (G25-Q1/arguments).
2. Over worlds: refuted (G25-Q1/right-side), and where factors are independent and g injective the gain is not in the
   bound (G25-Q1/cancels).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from proofs_checks.claim import Check, Claim, Evidence, Outcome, Setting, Witness
from proofs_checks.claims._g25 import ANY, INDEPENDENT, fresh, idle, parity
from proofs_checks.claims._g25_checks import (
    INDEPENDENT_FACTORS,
    INJECTIVE,
    PROCESS,
    ROUNDING,
    UNCURATED,
    Agreeing,
    agreeing,
    stored,
)
from proofs_checks.claims._g25_entropies import B_SYN, L43, Decomposition, entropy, information
from proofs_checks.evidence.certified import supporting_example
from proofs_checks.evidence.symbolic import identity

SOURCE = "G25 (Q1), headline confirmed; bound reconstructed"

_CANCELS = Decomposition(
    "-Delta_I + B_syn + H(e_M) = B_syn for independent factors and injective g",
    B_SYN,
    L43,
    vanishing=(
        information("e_M", "h"),
        entropy("e_M", "g h"),
        -entropy("g", "e_M h"),
        -entropy("M", "g h"),
        entropy("g", "M h"),
    ),
)
_KIND = replace(INDEPENDENT, lossy=False)
DECOMPOSITIONS = ((_CANCELS, _KIND),)


def _arguments(follows: float, setting: Setting) -> Evidence:
    """Raise Delta_I alone in T45: the squared remainder falls by 2 sigma^2 eta^L / n for each nat; twin: B_syn too."""
    from dkps_theory.bounds.generalization import l31_bound, t45_bound

    table, count, worst = np.random.default_rng(setting.integer_seed("arguments")), setting.size(200, 2000), 0.0
    for _ in range(count):
        gain, more, told, own, delta, tv, proxy, eta = table.uniform(0.1, 1, 8).tolist()
        layers, n = int(table.integers(0, 5)), int(table.integers(1, 9))
        network = {"loss_range": 1.0, "tv_model": tv, "tv_curation": 0.0, "layers": layers, "contraction": eta}
        fixed = network | {"proxy": proxy, "n": n, "model_entropy": own + 2.0, "delta": delta}
        before = t45_bound(**fixed, information_gain=gain, b_syn=told)
        after = t45_bound(**fixed, information_gain=gain + more, b_syn=told + follows * more)
        first = l31_bound(1.0, tv, 0.0, 0.0)
        fallen = (before - first) ** 2 - (after - first) ** 2
        worst = max(worst, abs(fallen - 2 * proxy * eta**layers * more / n))
        if not (worst <= ROUNDING and after < before):
            detail = f"the bound goes from {before:.6g} to {after:.6g} as the gain rises by {more:.3g}"
            return Evidence("search", Outcome.CONTRADICTS, worst, 0.0, "equal", detail, n=count)
    says = "the square of T45's remainder falls by 2 sigma^2 eta^L / n for each nat of Delta_I"
    return Evidence("search", Outcome.SUPPORTS, worst, 0.0, "equal", says, n=count)


_NOISE = Witness("a fair bit of the model's own that W keeps", fresh, lambda w: w.information_gain > 0.1)
_IDLE = Witness("a bit that g drops and one that it keeps", idle, lambda w: w.information_gain > 0.1)


def _l43(suffix: str):
    names = ("e_M", "M", "W")
    return L43.bits("P", {name: f"{name}{suffix}" for name in names})


_ZERO = [["0"], ["0"]]

CLAIMS = (
    Claim(
        id="G25-Q1/arguments",
        title="With everything else in it held fixed, the bound falls as the information gain rises",
        source=SOURCE,
        form="reconstructed",
        reading="T45 as a function of its arguments; worlds where nothing but Delta_I changes exist, errors included",
        statement=r"\partial\,(\text{right side of L43})/\partial\Delta_I=-1",
        hypotheses=(PROCESS,),
        witness=_IDLE,
        checks=(
            Check("arguments", _arguments, 0.0, 1.0, "B_syn rises with the gain"),
            stored(
                "idle-bit",
                "g25-q1-arguments",
                L43.bits("P", {"M": "M2", "W": "W2"}),
                L43.bits("P", {"M": "M1", "W": "W1"}),
                judge=supporting_example,
                broken={
                    "g2": [["0"], ["1"], ["0"], ["1"]],
                    "M2": [["0"], ["1"], ["0"], ["1"]],
                    "S_gen2": [["0"], ["1"], ["0"], ["1"]],
                },
                broken_by="g says one bit both times",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-Q1/right-side",
        title="Of two worlds the one with the larger information gain has the smaller bound",
        source=SOURCE,
        form="reconstructed",
        reading="the right side of L43, delta equal, and of T45, D chosen; no curation, constant prompt, W memorises",
        statement=r"\Delta_I^{(1)}<\Delta_I^{(2)}\ \Rightarrow\ \text{right side}^{(2)}\le\text{right side}^{(1)}",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS, INJECTIVE, UNCURATED),
        witness=_NOISE,
        checks=(
            stored(
                "own-bit",
                "g25-q1-right-side",
                _l43("2"),
                _l43("1"),
                broken={
                    "e_M2": [["0"], ["0"]],
                    "g2": [["0"], ["0"]],
                    "M2": [["0"], ["0"]],
                    "S_gen2": [["0"], ["0"]],
                    "W2": [["0"], ["0"]],
                },
                broken_by="one and the same world twice",
            ),
        ),
        recorded="refuted",
        repair="G25-Q1/cancels",
    ),
    Claim(
        id="G25-Q1/cancels",
        title="With independent factors and injective g the information gain is not in the bound at all",
        source=SOURCE,
        form="own",
        reading="Delta_I cancels against H(e_M), and the right side of L43 is B_syn + delta",
        statement=r"-\Delta_I+B_{syn}+H(e_M)=B_{syn}",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS, INJECTIVE),
        witness=Witness("two fair bits as factors; W their exclusive or", parity, lambda w: w.information_gain > 0.1),
        checks=(
            Check("proof", identity, _CANCELS.sides(), _CANCELS.sides(dropped=0), "the factors depend"),
            Check(
                "injective",
                agreeing,
                Agreeing(_CANCELS.says, L43, B_SYN, _KIND),
                Agreeing(_CANCELS.says, L43, B_SYN, INDEPENDENT),
                "g may drop part of e_M",
            ),
            Check(
                "independent",
                agreeing,
                Agreeing(_CANCELS.says, L43, B_SYN, _KIND),
                Agreeing(_CANCELS.says, L43, B_SYN, replace(ANY, lossy=False)),
                "e_M may look at e_p",
            ),
        ),
        recorded="holds",
    ),
)
