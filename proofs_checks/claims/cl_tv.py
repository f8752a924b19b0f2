r"""CL-TV and CL-PINSKER: means of bounded functions differ by at most total variation, and that by relative entropy.

Setting. Laws P, Q on one finite set; TV = sup over events of |P(A) - Q(A)| = 1/2 sum |p - q|; KL in nats.
Statement. |E_P f - E_Q f| <= C TV for 0 <= f <= C. TV <= sqrt(KL(P || Q) / 2).
Hypotheses. f bounded as said. None on P and Q; KL may be infinite.
Constants. 1, attained by f = C 1{p > q}; 1/2 in Pinsker's bound, approached as P -> Q = (1/2, 1/2).
Relation. Upper bound.
Reference. Classical (Pinsker 1960; Csiszar, Kemperman, Kullback 1967). Used by G25-L31, for losses in [0, C], and where
G25's bounds pass from TV to KL.

Derivation. E_P f - E_Q f = sum (p - q) f <= C sum over p > q of (p - q) = C TV, likewise from below. For |f| <= C apply
this to f + C in [0, 2C]: the constant is 2C, attained by f = C sign(p - q). Pinsker: with A = {p > q}, TV = P(A) - Q(A)
and KL(P || Q) >= kl(P(A), Q(A)) by data processing. For 0 < u < 1, d/du [kl(s, u) - 2 (s - u)^2] =
(u - s) (1 / (u (1 - u)) - 4), which has the sign of u - s, so kl(s, u) >= 2 (s - u)^2.

Readings. (1) TV as above. Where TV is the sum without the 1/2, the bounds are C TV / 2 and TV <= sqrt(2 KL): a text
that mixes the two is off by 2. (2) A signed loss |f| <= C with the constant C: false (CL-TV/signed); with 2C: holds.
"""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.adversary import hunt
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.search import largest_ratio, worst_found
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical; used by G25-L31"
Law = list[Fraction]


def rational_law(generator: random.Random, letters: int) -> Law:
    """Return a random law with whole weights 0..9."""
    weights = [Fraction(generator.randint(0, 9)) for _ in range(letters - 1)] + [Fraction(generator.randint(1, 9))]
    return [w / sum(weights) for w in weights]


def mean_difference(p: Law, q: Law, f: list[Fraction]) -> Fraction:
    """Return |E_P f - E_Q f|."""
    return abs(sum(((x - y) * value for x, y, value in zip(p, q, f, strict=True)), Fraction(0)))


def variation(p: Law, q: Law) -> Fraction:
    """Return TV, half of the sum of |p - q|."""
    return sum((abs(x - y) for x, y in zip(p, q, strict=True)), Fraction(0)) / 2


def _means(subject, setting: Setting) -> Evidence:
    """Random rational laws with random functions and the one that attains the bound; ``factor`` C TV is claimed."""
    signed, factor = subject
    generator = random.Random(setting.integer_seed("laws"))

    def pairs():
        for _ in range(setting.size(200, 2000)):
            letters, bound = generator.randint(2, 6), Fraction(generator.randint(1, 9), 2)
            p, q = rational_law(generator, letters), rational_law(generator, letters)
            low = -bound if signed else Fraction(0)
            drawn = [low + (bound - low) * Fraction(generator.randint(0, 8), 8) for _ in range(letters)]
            extreme = [bound if x > y else low for x, y in zip(p, q, strict=True)]
            for f in (drawn, extreme):
                yield mean_difference(p, q, f), factor * bound * variation(p, q)

    return exact_equalities(
        pairs(), f"|E_P f - E_Q f| <= {factor} C TV, exactly, random laws and functions", relation="upper"
    )


def _extreme(subject, setting: Setting) -> Evidence:
    """Equality for the extreme function, exactly."""
    signed, factor = subject
    generator = random.Random(setting.integer_seed("laws"))

    def pairs():
        for _ in range(setting.size(100, 1000)):
            p, q = (rational_law(generator, 5) for _ in range(2))
            extreme = [Fraction(1) if x > y else Fraction(-1 if signed else 0) for x, y in zip(p, q, strict=True)]
            yield mean_difference(p, q, extreme), factor * variation(p, q)

    return exact_equalities(pairs(), f"the extreme function attains {factor} C TV")


def pinsker_ratio(p: np.ndarray, q: np.ndarray) -> float:
    """TV / sqrt(KL / 2); 0 where P = Q up to rounding, or KL is infinite."""
    variation_, divergence = float(dk.total_variation(p, q)), float(dk.kl_divergence(p, q))
    return variation_ / np.sqrt(divergence / 2) if variation_ > 1e-3 else 0.0


def _pinsker(constant: float, setting: Setting) -> Evidence:
    from hypothesis import strategies as st

    def laws(letters):
        pair = cases.integer_laws(letters), cases.integer_laws(letters)
        near = st.tuples(st.integers(1, 20), st.just(letters)).map(
            lambda case: (
                np.append([0.5 + case[0] / 100, 0.5 - case[0] / 100], np.zeros(case[1] - 2)),
                np.append([0.5, 0.5], np.zeros(case[1] - 2)),
            )
        )
        return st.one_of(st.tuples(*pair), near)

    return largest_ratio(
        st.integers(2, 5).flatmap(laws),
        lambda case: pinsker_ratio(*case) / constant,
        setting,
        says="TV / sqrt(KL / 2), laws on up to five letters, near pairs included",
        quick=200,
        full=1500,
    )


def _objective(parameters):
    """TV^2 / (KL / 2) of two laws on four letters given by logits; 0 where they nearly agree and both are rounding."""
    import jax
    import jax.numpy as jnp

    logs = jax.nn.log_softmax(parameters.reshape(2, 4), axis=1)
    p, q = jnp.exp(logs)
    variation_ = jnp.abs(p - q).sum() / 2
    # sum q (t e^t - e^t + 1), t = log(p/q): every term is non-negative, so nothing cancels between letters.
    t = logs[0] - logs[1]
    divergence = (q * (t * jnp.exp(t) - jnp.expm1(t))).sum()
    return jnp.where(variation_ > 1e-2, 2 * variation_**2 / jnp.maximum(divergence, 1e-9), 0.0)


def _climb(constant: float, setting: Setting) -> Evidence:
    """Climb by gradient from random pairs of laws on four letters, and judge the end by the package."""
    generator = np.random.default_rng(setting.integer_seed("starts"))
    starts = [generator.normal(size=8) for _ in range(setting.size(4, 20))]
    found = hunt(_objective, starts, setting, quick=30, full=300)
    weights = np.exp(found.parameters.reshape(2, 4))
    worst = pinsker_ratio(*(weights / weights.sum(axis=1, keepdims=True))) / constant
    return worst_found(
        worst,
        len(starts),
        f"TV / sqrt(KL / 2) where gradient ascent from {len(starts)} random pairs on four letters ends",
    )


def _two_letters(four: int):
    """Check the derivative of the two-letter case, and the limit that makes the constant sharp."""

    def sides():
        import sympy

        s, u, x = sympy.symbols("s u x", positive=True)
        divergence = s * sympy.log(s / u) + (1 - s) * sympy.log((1 - s) / (1 - u))
        slope = sympy.diff(divergence - 2 * (s - u) ** 2, u)
        half = sympy.Rational(1, 2)
        near = (half + x) * sympy.log(1 + 2 * x) + (half - x) * sympy.log(1 - 2 * x)
        return "d/du [kl(s, u) - 2 (s - u)^2] = (u - s)(1/(u(1 - u)) - 4); TV^2 / KL -> 1/2 at (1/2, 1/2)", [
            (sympy.together(slope), sympy.together((u - s) * (1 / (u * (1 - u)) - four))),
            (sympy.series(near, x, 0, 4).removeO().coeff(x, 2), sympy.Integer(2)),
        ]

    return sides


def _two_ranges():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    x = np.linspace(0, 0.5, 21)
    axes.plot(2 * x, 4 * x, label="loss (1, -1), |f| ≤ 1")
    axes.plot(2 * x, 2 * x, "--", label="loss (1, 0), and the bound C TV with C = 1")
    axes.set(xlabel="TV of P = (1/2 + x, 1/2 - x) and its mirror image Q", ylabel="|E_P f - E_Q f|")
    figure.legend(loc="outside lower left")
    return figure


def _bounded(signed: bool):
    text = "|f| <= C" if signed else "0 <= f <= C"
    return Hypothesis(text, lambda w: bool(max(w[2]) <= w[3] and min(w[2]) >= (-w[3] if signed else 0)))


_LAWS = Hypothesis("P and Q are laws", lambda w: sum(w[0]) == 1 == sum(w[1]) and min(*w[0], *w[1]) >= 0)
_BITS = ([Fraction(3, 4), Fraction(1, 4)], [Fraction(1, 4), Fraction(3, 4)])
_WITNESS = Witness(
    "two laws on two letters with TV = 1/2, and an indicator",
    lambda: (*_BITS, [Fraction(1), Fraction(0)], Fraction(1)),
    lambda w: mean_difference(*w[:3]) > 0,
)
_SIGNED = Witness(
    "two laws on two letters with TV = 1/2, and the loss (1, -1)",
    lambda: (*_BITS, [Fraction(1), Fraction(-1)], Fraction(1)),
    lambda w: mean_difference(*w[:3]) > 0,
)
_STORED = {
    "observed": ("entry", ("matmul", ("-", "P", "Q"), "f"), "0", "0"),
    "claimed": ("*", "k", ("*", "C", ("max_abs", ("-", "P", "Q")))),
}

CLAIMS = (
    Claim(
        id="CL-TV",
        title="Means of a loss in [0, C] differ by at most C times total variation",
        source=SOURCE,
        form="as-printed",
        reading="TV = sup over events = half of the sum of |p - q|",
        statement=r"|\mathbb E_Pf-\mathbb E_Qf|\le C\,\mathrm{TV}(P,Q),\quad 0\le f\le C",
        hypotheses=(_LAWS, _bounded(False)),
        witness=_WITNESS,
        checks=(
            Check("laws", _means, (False, Fraction(1)), (False, Fraction(1, 2)), "TV halved once more"),
            Check("attained", _extreme, (False, Fraction(1)), (False, Fraction(1, 2)), "TV halved once more"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-TV/signed",
        title="Means of signed losses of size C differ by at most C TV",
        source=SOURCE,
        form="reconstructed",
        reading="|f| <= C instead of 0 <= f <= C, the constant C kept",
        statement=r"|\mathbb E_Pf-\mathbb E_Qf|\le C\,\mathrm{TV}(P,Q),\quad |f|\le C",
        hypotheses=(_LAWS, _bounded(True)),
        witness=_SIGNED,
        checks=(
            Check(
                "two-letters",
                counterexample,
                Stored("cl-tv-signed", **_STORED),
                Stored("cl-tv-signed", **_STORED, replaced={"k": "2"}),
                "the constant is 2C, which this loss does not exceed",
            ),
        ),
        recorded="refuted",
        repair="CL-TV/signed-twice",
        drawings=(Drawing(_two_ranges, "The signed loss lies twice as high as the bound at every distance."),),
    ),
    Claim(
        id="CL-TV/signed-twice",
        title="Signed losses need twice the constant",
        source=SOURCE,
        form="as-printed",
        reading="|f| <= C, constant 2C: the width of the range",
        statement=r"|\mathbb E_Pf-\mathbb E_Qf|\le 2C\,\mathrm{TV}(P,Q),\quad |f|\le C",
        hypotheses=(_LAWS, _bounded(True)),
        witness=_SIGNED,
        checks=(
            Check("laws", _means, (True, Fraction(2)), (True, Fraction(1)), "the constant C"),
            Check("attained", _extreme, (True, Fraction(2)), (True, Fraction(1)), "the constant C"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-PINSKER",
        title="Total variation is at most the root of half the relative entropy",
        source="classical (Pinsker 1960); used by G25",
        form="as-printed",
        reading="TV = half of the sum of |p - q|, KL in nats",
        statement=r"\mathrm{TV}(P,Q)\le\sqrt{\mathrm{KL}(P\|Q)/2}",
        hypotheses=(_LAWS,),
        witness=_WITNESS,
        checks=(
            Check("search", _pinsker, 1.0, 0.5, "the factor 1/2 of TV left out"),
            Check("climb", _climb, 1.0, 0.9, "the bound shrunk to nine tenths"),
            Check("two-letters", identity, _two_letters(4), _two_letters(2), "the constant 2 misplaced"),
        ),
        recorded="holds",
    ),
)
