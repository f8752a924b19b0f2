r"""G25-L43: the bound of I(S_gen; W) by the information gain, B_syn and the entropy of e_M, and the delta it needs.

Setting. S_anchor -> p -> (e_p, e_M, eps), M = h(e_p) + g(e_M), S_gen = M + eps, W drawn from S_gen alone; finite,
natural logarithms. Several points: e_M, g, M, eps, S_gen are tuples, and nothing below changes.
Statement. I(S_gen; W) <= -Delta_I + B_syn + H(e_M) + delta_{eps,p} (reconstructed; delta is not printed in the account
we have).
Hypotheses. Named with each claim.
Constants. 1. The least delta for all worlds is found below.
Relation. Upper bound.
Reference. G25 (arXiv:2410.01720), lemma 4.3, by the account we have. Used by G25-T45 and G25-Q1.

Derivation.
The least delta of a world. S_gen is a function of (e_M, e_p, eps) and W sees only S_gen, so I(S_gen; W) = I(e_M, e_p,
eps; W) = B_syn + {I(e_M; e_p | W) - I(e_M; e_p)} + I(eps; W | e_M, e_p), by the chain rule and G25-BSYN. By G25-DI
H(e_M) - Delta_I = I(e_M; h) + H(e_M | g, h). Together
    delta* = {I(e_M; e_p | W) - I(e_M; e_p)} + I(eps; W | e_M, e_p) - I(e_M; h) - H(e_M | g, h)
makes an equality: synergy of the factors, what W knows of the noise, less what Delta_I does not cancel of H(e_M).

Enough. I(e_M; e_p | W) <= H(e_p | W) <= H(e_p) and I(eps; W | e_M, e_p) <= H(eps | e_M, e_p) <= H(eps | e_p), so delta
= H(e_p, eps) is enough for every law. If e_p is a function of p it is at most H(p, eps), a function of the law of (eps,
p).
Needed. Let p have k letters, eps l letters and any joint law. Take e_p = p, e_M = (b, c) uniform on Z_k x Z_l, an S_gen
that tells p, b, c and eps, and W = (p + b mod k, eps + c mod l). W is independent of (p, eps), and with e_M it tells
both: I(e_M; e_p | W) = H(p), I(eps; W | e_M, e_p) = H(eps | p), the other terms are 0. So delta* = H(p, eps), and no
smaller function of the law of (eps, p) will do. With eps = 0 and p uniform on k letters delta* = log k, so no function
of the law of eps alone will do. If e_p may be noisy let p and eps be constant, e_p and e_M uniform on k letters, W =
e_p + e_M mod k: delta* = log k for one and the same law of (eps, p), and no function of that law will do.

Without synergy. If I(e_M; e_p | W) <= I(e_M; e_p), delta = H(eps | e_p) is enough, 0 without curation. With I(e_M, e_p;
W) in place of B_syn the bracket is gone and delta = H(eps | e_p) is enough for every law; H(eps | p) is not: eps may
repeat a prompt that e_p does not show.

Readings.
1. delta a function of the law of (eps, p), as its index says, any factors: refuted (G25-L43). e_p a function of p: true
   with delta = H(p, eps) (G25-L43/function-of-prompt), which is the least such (G25-L43/least).
2. delta = 0 (G25-L43/zero), delta a function of the law of eps (G25-L43/noise-alone): refuted, under every other
   hypothesis.
3. delta = H(e_p, eps), any law (G25-L43/repaired); no synergy (G25-L43/no-synergy); I(e_M, e_p; W) for B_syn
   (G25-L43/joint).
4. For independent factors and injective g Delta_I cancels against H(e_M): see G25-Q1/cancels.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims._g25 import ANY, copied, curation_only, masked, parity, tried
from proofs_checks.claims._g25_checks import (
    FUNCTION_FACTOR,
    INDEPENDENT_FACTORS,
    INJECTIVE,
    PROCESS,
    ROUNDING,
    UNCURATED,
    Agreeing,
    Bounded,
    agreeing,
    proved,
    stored,
    value,
)
from proofs_checks.claims._g25_entropies import (
    DELTA_I,
    L43,
    SYNTHETIC,
    ZERO,
    Combination,
    Decomposition,
    entropy,
    information,
)
from proofs_checks.evidence.symbolic import Sides, identity, refuting_identity

SOURCE = "G25 (L43), reconstructed"

SYNERGY = information("e_M", "e_p", "W") - information("e_M", "e_p")
#: What the process makes 0: S_gen a function of (e_M, e_p, eps), W of S_gen; g of e_M; M and g given h of each other.
_STRUCTURE = (
    information("S_gen", "W", "e_M e_p eps"),
    -information("e_M e_p eps", "W", "S_gen"),
    entropy("g", "e_M h"),
    entropy("M", "g h"),
    -entropy("g", "M h"),
)
_SURPLUS = (information("e_M", "h"), entropy("e_M", "g h"))
_LEAST = SYNERGY + information("eps", "W", "e_M e_p") - sum(_SURPLUS, ZERO)
_NOISE = (information("eps", "e_M", "e_p"), entropy("eps", "e_p e_M W"))


def _with_delta(
    says: str, delta: Combination, *parts: Combination, gone: tuple[Combination, ...] = ()
) -> Decomposition:
    return Decomposition(
        f"I(S_gen; W) <= -Delta_I + B_syn + H(e_M) + {says}",
        SYNTHETIC,
        L43 + delta,
        parts=(*parts, *_SURPLUS),
        vanishing=(*(-term for term in _STRUCTURE), *gone),
    )


_FACTORS = (information("e_p", "W"), entropy("e_p", "e_M W"), information("e_M", "e_p"), *_NOISE)
_EXACT = Decomposition("I(S_gen; W) is the right side plus delta*", L43 + _LEAST, SYNTHETIC, vanishing=_STRUCTURE)
_REPAIRED = _with_delta("H(e_p, eps)", entropy("e_p eps"), *_FACTORS)
_FUNCTION = _with_delta(
    "H(p, eps)", entropy("p eps"), *_FACTORS, entropy("p", "e_p eps"), gone=(-entropy("e_p", "p eps"),)
)
_NO_SYNERGY = _with_delta("H(eps | e_p)", entropy("eps", "e_p"), -SYNERGY, *_NOISE)
_JOINT = Decomposition(
    "I(S_gen; W) <= -Delta_I + I(e_M, e_p; W) + H(e_M) + H(eps | e_p)",
    SYNTHETIC,
    information("e_M e_p", "W") - DELTA_I + entropy("e_M") + entropy("eps", "e_p"),
    parts=(*_NOISE, *_SURPLUS),
    vanishing=tuple(-term for term in _STRUCTURE),
)
_FACTOR_OF_PROMPT = replace(ANY, noisy_factor=False)
DECOMPOSITIONS = ((_EXACT, ANY), (_REPAIRED, ANY), (_FUNCTION, _FACTOR_OF_PROMPT), (_JOINT, ANY))


def _least_for_the_law(mask: bool, setting: Setting) -> Evidence:
    """delta* of the masked world against H(p, eps), random laws of p and channels to eps; the twin tells e_p."""
    table, count, worst = np.random.default_rng(setting.integer_seed("laws")), setting.size(8, 60), 0.0
    for _ in range(count):
        prompts, noise = (int(size) for size in table.integers(2, 4, 2))
        law, curation = table.dirichlet(np.ones(prompts)), table.dirichlet(np.ones(noise), prompts)
        world = masked(law.tolist(), curation.tolist(), mask=mask)
        needed = value(entropy("p eps"), world)
        worst = max(worst, abs(world.least_delta - needed))
        if not worst <= ROUNDING:
            laws = f"p ~ {law.round(4).tolist()}, eps ~ {curation.round(4).tolist()}"
            detail = f"delta* is {world.least_delta:.6g}, H(p, eps) {needed:.6g}, at {laws}"
            return Evidence("search", Outcome.CONTRADICTS, worst, 0.0, "equal", detail, n=count)
    says = "for every law of (p, eps) a world with delta* = H(p, eps)"
    return Evidence("search", Outcome.SUPPORTS, worst, 0.0, "equal", says, n=count)


def _grows(hidden: bool) -> Sides:
    """Take eps = 0, uniform factors and W = e_p + e_M modulo k: delta* = log k; on the twin W is e_p.

    For every k: any two of e_p, e_M and W tell the third and are uniform on pairs, so that each set of variables is
    uniform on k^r letters, r = 0, 1 or 2. For k = 2..6 entropies are counted out.
    """

    def sides():
        import sympy

        def rank_of(names):
            own = {{"h": "e_p", "g": "e_M"}.get(name, name) for name in names}
            if not hidden and "W" in own:
                own = own - {"W"} | {"e_p"}
            return 2 if own & {"M", "S_gen"} else min(2, len(own))

        log_k, least = sympy.Symbol("log_k", positive=True), SYNTHETIC - L43
        rank = sum((c * rank_of(names) for names, c in least.terms.items()), Fraction(0))
        pairs: list[tuple[Any, Any]] = [(sympy.Rational(rank.numerator, rank.denominator) * log_k, log_k)]
        for k in range(2, 7):
            atoms = [(i, j, (i + j) % k if hidden else i) for i in range(k) for j in range(k)]

            def entropy_of(names, atoms=atoms, k=k):
                columns = {"e_p": 0, "h": 0, "e_M": 1, "g": 1, "W": 2}
                kept = [columns[n] for n in names if n in columns]
                if "M" in names or "S_gen" in names:  # which tell e_p and e_M
                    kept = [0, 1, *kept]
                counts: dict[tuple[int, ...], int] = {}
                for atom in atoms:
                    letter = tuple(atom[c] for c in sorted(set(kept)))
                    counts[letter] = counts.get(letter, 0) + 1
                return sum(
                    (sympy.Rational(c, k * k) * sympy.log(sympy.Rational(k * k, c)) for c in counts.values()),
                    sympy.S(0),
                )

            found = sum(
                (sympy.Rational(c.numerator, c.denominator) * entropy_of(names) for names, c in least.terms.items()),
                sympy.S(0),
            )
            pairs.append((sympy.expand_log(found, force=True), sympy.log(k)))
        return (
            "eps = 0, uniform factors and W their sum modulo k: delta* = log k for every k, be e_p = p or p constant",
            pairs,
        )

    return sides


def _needed():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    worlds = list(itertools.islice(tried(ANY, Setting(0, "full", "G25-L43/drawing")), 80))
    bound = np.array([value(entropy("p eps"), w) for w in worlds])
    least = np.array([w.least_delta for w in worlds])
    noisy = np.array([value(entropy("e_p", "p"), w) > ROUNDING for w in worlds])
    axes.plot(bound[~noisy], least[~noisy], ".", label="e_p a function of p")
    axes.plot(bound[noisy], least[noisy], "x", label="e_p a noisy channel of p")
    line = np.array([0.0, bound.max()])
    axes.plot(line, line, "k:", label="δ = H(p, ε)")
    axes.set(xlabel="H(p, ε) in nats, random worlds", ylabel="least δ that L43 needs (nats)")
    figure.legend(loc="outside lower left")
    return figure


def _no_synergy(world) -> bool:
    return value(SYNERGY, world) <= ROUNDING


_PARITY = Witness(
    "two uniform factors, the first the prompt; W their exclusive or", parity, lambda w: w.synthetic_information > 0.1
)
_UNSEEN = Witness(
    "a constant prompt, two fair bits as factors, W their exclusive or",
    lambda: parity(known=False),
    lambda w: w.synthetic_information > 0.1,
)
_OWN_FIRST = [[str(i)] for i in range(4) for _ in range(4)]

CLAIMS = (
    Claim(
        id="G25-L43",
        title="Information gain, B_syn and the entropy of e_M bound what W knows, up to a delta of noise and prompt",
        source=SOURCE,
        form="reconstructed",
        reading="one function delta of the joint law of eps and p for all worlds; e_p may be a noisy channel of p",
        statement=r"\exists\,\delta:\ I(S_{gen};W)\le-\Delta_I+B_{syn}+H(e_M)+\delta(P_{\epsilon,p})",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS),
        witness=_UNSEEN,
        checks=(
            stored(
                "four-letters",
                "g25-l43",
                SYNTHETIC,
                ("+", L43.bits("P"), "delta"),
                broken={"W": _OWN_FIRST},
                broken_by="W keeps the first factor",
            ),
            Check("any-delta", refuting_identity, _grows(True), _grows(False), "W is e_p instead of the sum"),
        ),
        recorded="refuted",
        repair="G25-L43/function-of-prompt",
        drawings=(
            Drawing(
                _needed,
                "Below the dotted line delta = H(p, eps) is enough: always where e_p is a function of the prompt, and "
                "not where it is noisy.",
            ),
        ),
    ),
    Claim(
        id="G25-L43/function-of-prompt",
        title="If e_p is a function of the prompt, the joint entropy of prompt and noise is a delta",
        source=SOURCE,
        form="repaired",
        reading="delta = H(p, eps), a function of the law of (eps, p); factors may depend, eps may look at p",
        statement=r"I(S_{gen};W)\le-\Delta_I+B_{syn}+H(e_M)+H(p,\epsilon)",
        hypotheses=(PROCESS, FUNCTION_FACTOR),
        witness=_PARITY,
        checks=proved(Bounded(_FUNCTION, _FACTOR_OF_PROMPT), "e_p may be noisy", kind=ANY),
        recorded="holds",
    ),
    Claim(
        id="G25-L43/least",
        title="No smaller delta of noise and prompt will do",
        source=SOURCE,
        form="own",
        reading="every joint law of (p, eps) has a world with e_p = p and independent factors that needs it all",
        statement=r"\sup\{\delta^*:P_{\epsilon,p}\text{ given},\ e_p=p\}=H(p,\epsilon)",
        hypotheses=(PROCESS, FUNCTION_FACTOR, INDEPENDENT_FACTORS),
        witness=Witness(
            "a prompt on three letters, noise that depends on it, and masks for both",
            lambda: masked([0.2, 0.3, 0.5], [[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]]),
            lambda w: 0.1 < value(information("p", "eps"), w) < w.least_delta,
        ),
        checks=(Check("attained", _least_for_the_law, True, False, "W leaves e_p and its mask out"),),
        recorded="holds",
    ),
    Claim(
        id="G25-L43/identity",
        title="L43 with exactly the delta that it needs",
        source=SOURCE,
        form="own",
        reading="any law of the process",
        statement=r"\delta^*=I(e_M;e_p\mid W)-I(e_M;e_p)+I(\epsilon;W\mid e_M,e_p)-I(e_M;h)-H(e_M\mid g,h)",
        hypotheses=(PROCESS,),
        witness=_PARITY,
        checks=(
            Check("proof", identity, _EXACT.sides(), _EXACT.sides(dropped=0), "S_gen is more than factors and noise"),
            Check(
                "library",
                agreeing,
                Agreeing("the package's least delta is delta*", lambda w: w.least_delta, _LEAST),
                Agreeing("the package's least delta is delta*", lambda w: w.least_delta, _LEAST - SYNERGY),
                "the synergy left out",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L43/zero",
        title="L43 needs no delta",
        source=SOURCE,
        form="reconstructed",
        reading="delta = 0; no curation, e_p the prompt, independent factors, injective g",
        statement=r"I(S_{gen};W)\le-\Delta_I+B_{syn}+H(e_M)",
        hypotheses=(PROCESS, FUNCTION_FACTOR, INDEPENDENT_FACTORS, INJECTIVE, UNCURATED),
        witness=_PARITY,
        checks=(
            stored(
                "exclusive-or",
                "g25-l43-zero",
                SYNTHETIC,
                ("+", L43.bits("P"), "delta"),
                broken={"W": [["0"], ["0"], ["1"], ["1"]]},
                broken_by="W keeps the first factor",
            ),
        ),
        recorded="refuted",
        repair="G25-L43/no-synergy",
    ),
    Claim(
        id="G25-L43/noise-alone",
        title="The delta of L43 depends on the noise of curation alone",
        source=SOURCE,
        form="reconstructed",
        reading="one function delta of the law of eps for all worlds; e_p the prompt, independent factors, injective g",
        statement=r"\exists\,\delta:\ I(S_{gen};W)\le-\Delta_I+B_{syn}+H(e_M)+\delta(P_\epsilon)",
        hypotheses=(PROCESS, FUNCTION_FACTOR, INDEPENDENT_FACTORS, INJECTIVE),
        witness=_PARITY,
        checks=(
            stored(
                "four-letters",
                "g25-l43-noise-alone",
                SYNTHETIC,
                ("+", L43.bits("P"), "delta"),
                broken={"W": _OWN_FIRST},
                broken_by="W keeps the first factor",
            ),
            Check("any-delta", refuting_identity, _grows(True), _grows(False), "W is e_p instead of the sum"),
        ),
        recorded="refuted",
        repair="G25-L43/function-of-prompt",
    ),
    Claim(
        id="G25-L43/repaired",
        title="The joint entropy of the prompt's factor and the noise is a delta for every law",
        source=SOURCE,
        form="repaired",
        reading="delta = H(e_p, eps); any factors, prompts and noise",
        statement=r"I(S_{gen};W)\le-\Delta_I+B_{syn}+H(e_M)+H(e_p,\epsilon)",
        hypotheses=(PROCESS,),
        witness=_UNSEEN,
        checks=proved(
            Bounded(_REPAIRED),
            "delta = H(eps), without the factor",
            proof=replace(_REPAIRED, larger=L43 + entropy("eps")),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L43/no-synergy",
        title="Without synergy the noise of curation is all that delta has to hold",
        source=SOURCE,
        form="repaired",
        reading="delta = H(eps | e_p), so 0 without curation; W tells no more of the factors together than of each",
        statement=r"I(S_{gen};W)\le-\Delta_I+B_{syn}+H(e_M)+H(\epsilon\mid e_p)\ \text{without synergy}",
        hypotheses=(PROCESS, Hypothesis("I(e_M; e_p | W) <= I(e_M; e_p)", _no_synergy)),
        witness=Witness("curation by a fair bit that W keeps", curation_only, lambda w: w.synthetic_information > 0.1),
        checks=proved(Bounded(_NO_SYNERGY, when=_no_synergy), "W may tell the factors together", when=lambda _: True),
        recorded="holds",
    ),
    Claim(
        id="G25-L43/joint",
        title="With what W knows of both factors in place of B_syn, delta is the noise given the prompt's factor",
        source=SOURCE,
        form="repaired",
        reading="I(e_M, e_p; W) for B_syn, delta = H(eps | e_p); any law",
        statement=r"I(S_{gen};W)\le-\Delta_I+I(e_M,e_p;W)+H(e_M)+H(\epsilon\mid e_p)",
        hypotheses=(PROCESS,),
        witness=Witness("factors that are copies of one bit", copied, lambda w: w.synthetic_information > 0.1),
        checks=proved(
            Bounded(_JOINT),
            "H(eps | p): noise may repeat a prompt that e_p does not show",
            proof=replace(_JOINT, larger=_JOINT.larger - entropy("eps", "e_p") + entropy("eps", "p")),
        ),
        recorded="holds",
    ),
)
