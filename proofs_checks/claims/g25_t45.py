r"""G25-T45: the error of training on generated data, by total variation and by the reverse bottleneck.

Setting. G25's process: S_anchor -> p -> e_p, answers M_i = h(e_p) + g(e_Mi) with e_Mi iid given e_p, S_gen,i = M_i +
eps_i with eps_i iid given p, W any channel of S_gen. A network of L noisy layers that contract KL by eta each, as in
G25-L44; losses at its last layer in [0, 1], so sigma = 1/2; the averaged losses have range C <= 1. Nats.
Statement. E[R_D(W) - R^_gen(W)] <= C (TV(D, D_M) + TV(D_M, D_gen)) + eta^(L/2) sqrt((2 sigma^2 / n) r), with the
reverse bottleneck r = -Delta_I + B_syn + H(e_M) + delta. Reconstructed: G25-L31, G25-L44 and G25-L43 put together.
Hypotheses. e_p a function of p, delta = H(p, eps).
Constants. 1 before both terms. With a constant prompt and no curation delta = 0, and r can be I(S_gen; W): the second
term is then G25-L44's, sharp. With W constant the first is left, attained.
Relation. Upper bound of a mean.
Reference. G25-T45 by the account we have; G25-L31, G25-L43, G25-L44.

Derivation. Given (p, e_p) the points of S_gen are iid. E[R_D(W) - R_gen(W)], R_gen given (p, e_p), is at most C times
the mean of the total variations given (p, e_p), by G25-L31. By G25-L44/given-prompt, E[R_gen(W) - R^_gen(W)] <=
eta^(L/2) sqrt(2 sigma^2 I(S_gen; W) / n). And I(S_gen; W) = I(e_M, e_p, eps; W) = I(e_M; W) + I(e_p; W) +
{I(e_M; e_p | W) - I(e_M; e_p)} + I(eps; W | e_M, e_p) <= B_syn + H(e_p) + H(eps | e_p), while H(e_M) - Delta_I =
I(e_M; h) + H(e_M | g, h) >= 0. So I(S_gen; W) <= r with delta = H(e_p, eps) for any e_p, and with delta = H(p, eps)
where e_p is a function of p. With delta >= 0 nothing under the root is negative.

Readings.
1. Signed error, laws given (p, e_p), delta = H(p, eps): holds.
2. delta = 0: false (G25-T45/no-delta). The answer is p + e_M, W its parity, of which neither factor knows anything.
3. e_p drawn from p with noise, delta = H(p, eps): false (G25-T45/noisy-factor); with delta = H(e_p, eps) it holds
   (G25-T45/factor-delta).
4. E|R_D(W) - R^_gen(W)|, as in G25-L31: false (G25-T45/absolute), by the sampling error. With log 2 more under the root
   it holds (G25-T45/absolute-log-2), by G25-L31/given-prompt and G25-L44/absolute-log-2.
5. Total variations of laws averaged over prompts: false for n > 1 (G25-T45/marginal), as the points are no independent
   draws of that law; true for n = 1 (G25-T45/marginal-one-point).
"""

from __future__ import annotations

import math
from dataclasses import replace

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import _g25_trained as made
from proofs_checks.claims._g25 import ANY, Kind
from proofs_checks.claims._g25_entropies import L43
from proofs_checks.claims._g25_trained import BOUNDED, CHAIN, CONTRACTS, FACTOR, FUNCTION, Reading
from proofs_checks.evidence.certified import Stored, counterexample

SOURCE = "G25 (T45), reconstructed"
SIGNED, AVERAGED = Reading(), Reading(given_prompt=False)
COVERED = Reading(absolute=True, extra=math.log(2))
BY_FACTOR = Reading(delta="factor")


def _below(subject: tuple[Reading, Kind, int], setting: Setting) -> Evidence:
    """Error over T45's right side in a reading, for worlds of a kind with at most so many points."""
    reading, kind, points = subject
    shown = "E|R_D - R^_gen|" if reading.absolute else "E[R_D - R^_gen]"
    says = f"{shown} / T45, up to {points} points, three layers, worlds on which it is attained among them"
    return made.below(reading, kind, setting, says=says, points=points)


def _more_letters():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    sizes = [2, 4, 6, 8, 10, 12]
    worlds = [made.parity(k) for k in sizes]
    axes.plot(sizes, [made.t45(w, SIGNED) for w in worlds], label="right side, δ = H(p, ε) = log 2")
    axes.plot(sizes, [made.error(w, SIGNED) for w in worlds], "--", label="error")
    axes.plot(sizes, [made.t45(w, replace(SIGNED, delta="none")) for w in worlds], ":", label="right side, δ = 0")
    axes.set(xlabel="letters of the model's own factor", ylabel="error of the parity, losses in [0, 1]", ylim=(0, None))
    figure.legend(loc="outside lower left")
    return figure


def _more_points():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    sizes = list(range(1, 9))
    worlds = [made.echo(n) for n in sizes]
    axes.plot(sizes, [made.t45(w, SIGNED) for w in worlds], label="right side, TV given the prompt")
    axes.plot(sizes, [made.error(w, SIGNED) for w in worlds], "--", label="error")
    axes.plot(sizes, [made.t45(w, AVERAGED) for w in worlds], ":", label="right side, TV of averaged laws")
    axes.set(xlabel="n points that repeat the prompt", ylabel="error, losses in [0, 1]", ylim=(0, None))
    figure.legend(loc="outside lower left")
    return figure


_EVERY = (CHAIN, CONTRACTS, BOUNDED)
_ONE = Hypothesis("there is one generated point", lambda trained: trained.world.synthetic == 1)
_LEANING = Witness(
    "two fair bits from the model whatever the prompt, W leans towards their majority",
    lambda: made.leaning(2, 1.0),
    lambda trained: made.error(trained, SIGNED) > 0 and made.t45(trained, SIGNED) < 1,
)
_PARITY = Witness(
    "answer p + e_M, fair bits, D its law, W its parity",
    made.parity,
    lambda trained: made.error(trained, SIGNED) > 0 and trained.world.synthetic_information > 0,
)
_NOISY = Witness(
    "answer e_p + e_M, fair bits whatever the prompt, D its law, W its parity",
    lambda: made.parity(noisy=True),
    lambda trained: made.error(trained, SIGNED) > 0 and trained.world.law.entropy("e_p", "p") > 0,
)

#: What the certificates compare: the square of what the error exceeds total variation by, and k times that of the root.
#: Nothing is curated (S_gen = M), and of at most three letters TV is the largest |p - q|, see G25-L31.
_OUTCOMES = ("multiply", ("matmul", "law", "ones"), "see")
_LOSS = ("matmul", "loss", ("T", "layer"))
_GAP = ("multiply", "sign", ("-", ("matmul", ("matmul", _LOSS, ("T", "D")), "ones"), _LOSS))
_ERROR = ("sum", ("multiply", ("matmul", ("T", "keep"), _OUTCOMES), _GAP))
_EXCESS = ("-", _ERROR, ("max_abs", ("-", "models", ("matmul", "each", "D"))))
_BITS = ("+", L43.bits("law"), ("*", "counted", ("entropy_bits", "law", "p", "eps")))
_STORED = {
    "observed": ("*", _EXCESS, _EXCESS),
    "claimed": ("*", "k", ("/", ("*", ("*", "eta", ("*", "2", "sigma2")), ("*", "log2", _BITS)), "n")),
    "relation": "upper",
}
_STATEMENT = (
    r"\mathbb E[R_D(W)-\hat R_{gen}(W)]\le C\,\mathbb E[\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen})]"
    r"+\eta^{L/2}\sqrt{\frac{2\sigma^2}{n}(-\Delta_I+B_{syn}+H(e_M)+\delta)}"
)

CLAIMS = (
    Claim(
        id="G25-T45",
        title="Total variation and the reverse bottleneck bound the signed error of training on generated data",
        source=SOURCE,
        form="reconstructed",
        reading="signed error, laws given (p, e_p), e_p a function of p, delta = H(p, eps), layers as in G25-L44",
        statement=_STATEMENT + r",\quad\delta=H(p,\varepsilon)",
        hypotheses=(*_EVERY, FACTOR),
        witness=_LEANING,
        checks=(
            Check(
                "contraction",
                _below,
                (SIGNED, FUNCTION, 4),
                (replace(SIGNED, power=1.0), FUNCTION, 4),
                "eta^L instead of eta^(L/2)",
            ),
            Check(
                "variation",
                _below,
                (SIGNED, FUNCTION, 4),
                (replace(SIGNED, variation=0.5), FUNCTION, 4),
                "total variations halved",
            ),
            Check(
                "delta", _below, (SIGNED, FUNCTION, 4), (replace(SIGNED, delta="none"), FUNCTION, 4), "delta left out"
            ),
            Check("factor", _below, (SIGNED, FUNCTION, 4), (SIGNED, ANY, 4), "e_p drawn from p with noise"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-T45/no-delta",
        title="The bound needs no delta",
        source=SOURCE,
        form="reconstructed",
        reading="delta = 0, the rest as in G25-T45",
        statement=_STATEMENT + r",\quad\delta=0",
        hypotheses=(*_EVERY, FACTOR),
        witness=_PARITY,
        checks=(
            Check(
                "parity",
                counterexample,
                Stored("g25-t45-no-delta", **_STORED),
                Stored("g25-t45-no-delta", **_STORED, replaced={"counted": "1"}),
                "delta = H(p, eps), with which the bound holds here",
            ),
        ),
        recorded="refuted",
        repair="G25-T45",
        drawings=(Drawing(_more_letters, "W learns from both factors together what neither knows, and B_syn is 0."),),
    ),
    Claim(
        id="G25-T45/noisy-factor",
        title="A delta of prompt and curation is enough when e_p is drawn from p with noise",
        source=SOURCE,
        form="reconstructed",
        reading="delta = H(p, eps), e_p any channel of p, laws given (p, e_p)",
        statement=_STATEMENT + r",\quad\delta=H(p,\varepsilon)",
        hypotheses=_EVERY,
        witness=_NOISY,
        checks=(
            Check(
                "parity",
                counterexample,
                Stored("g25-t45-noisy-factor", **_STORED),
                Stored("g25-t45-noisy-factor", **_STORED, replaced={"p": [["0"], ["0"], ["1"], ["1"]]}),
                "a prompt that tells e_p",
            ),
        ),
        recorded="refuted",
        repair="G25-T45/factor-delta",
    ),
    Claim(
        id="G25-T45/factor-delta",
        title="With the entropy of the prompt's factor and the curation for delta the bound holds for every factor",
        source="own",
        form="repaired",
        reading="delta = H(e_p, eps), e_p any channel of p, laws given (p, e_p)",
        statement=_STATEMENT + r",\quad\delta=H(e_p,\varepsilon)",
        hypotheses=_EVERY,
        witness=_NOISY,
        checks=(Check("worlds", _below, (BY_FACTOR, ANY, 4), (SIGNED, ANY, 4), "delta = H(p, eps) for H(e_p, eps)"),),
        recorded="holds",
    ),
    Claim(
        id="G25-T45/absolute",
        title="The bound holds for the mean absolute error",
        source=SOURCE,
        form="reconstructed",
        reading="E|R_D(W) - R^_gen(W)|, as G25-L31 has it, delta = H(p, eps)",
        statement=_STATEMENT.replace(r"\mathbb E[R_D(W)-\hat R_{gen}(W)]", r"\mathbb E|R_D(W)-\hat R_{gen}(W)|"),
        hypotheses=(*_EVERY, FACTOR),
        witness=_LEANING,
        checks=(
            Check(
                "ignorant",
                counterexample,
                Stored("g25-t45-absolute", **_STORED),
                Stored("g25-t45-absolute", **_STORED, replaced={"loss": [["1/2", "1/2"]]}),
                "a loss that does not depend on the letter, whose error is 0",
            ),
        ),
        recorded="refuted",
        repair="G25-T45/absolute-log-2",
    ),
    Claim(
        id="G25-T45/absolute-log-2",
        title="With log 2 added under the root the bound holds for the mean absolute error",
        source="own",
        form="repaired",
        reading="E|R_D(W) - R^_gen(W)|, delta = H(p, eps) + log 2",
        statement=_STATEMENT.replace(r"\mathbb E[R_D(W)-\hat R_{gen}(W)]", r"\mathbb E|R_D(W)-\hat R_{gen}(W)|")
        + r",\quad\delta=H(p,\varepsilon)+\log2",
        hypotheses=(*_EVERY, FACTOR),
        witness=_LEANING,
        checks=(
            Check(
                "worlds", _below, (COVERED, FUNCTION, 4), (replace(COVERED, extra=0.0), FUNCTION, 4), "log 2 left out"
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-T45/marginal",
        title="Total variations may be those of laws averaged over prompts",
        source=SOURCE,
        form="reconstructed",
        reading="D_M and D_gen averaged over p, any number of points, delta = H(p, eps)",
        statement=_STATEMENT.replace(
            r"\mathbb E[\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen})]",
            r"(\mathrm{TV}(D,\mathbb E_pD_M)+\mathrm{TV}(\mathbb E_pD_M,\mathbb E_pD_{gen}))",
        ),
        hypotheses=(*_EVERY, FACTOR),
        witness=_PARITY,
        checks=(
            Check(
                "echo",
                counterexample,
                Stored("g25-t45-marginal", **_STORED),
                Stored("g25-t45-marginal", **_STORED, replaced={"n": "1", "places": [["1"]], "points": [["0"], ["1"]]}),
                "one point, which is a draw of the averaged law",
            ),
        ),
        recorded="refuted",
        repair="G25-T45",
        drawings=(Drawing(_more_points, "The points are copies of the prompt: the error stays as n grows."),),
    ),
    Claim(
        id="G25-T45/marginal-one-point",
        title="For one generated point the total variations of averaged laws are enough",
        source="own",
        form="repaired",
        reading="n = 1, D_M and D_gen averaged over p, delta = H(p, eps)",
        statement=_STATEMENT.replace(
            r"\mathbb E[\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen})]",
            r"(\mathrm{TV}(D,\mathbb E_pD_M)+\mathrm{TV}(\mathbb E_pD_M,\mathbb E_pD_{gen}))",
        )
        + r",\quad n=1",
        hypotheses=(*_EVERY, FACTOR, _ONE),
        witness=_PARITY,
        checks=(Check("worlds", _below, (AVERAGED, FUNCTION, 1), (AVERAGED, FUNCTION, 4), "more points than one"),),
        recorded="holds",
    ),
)
