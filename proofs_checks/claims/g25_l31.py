r"""G25-L31: the error of a model trained on generated data, by the total variations from D to D_M and on to D_gen.

Setting. Finite laws of one data point: D (true), D_M (the model's answer), D_gen (the answer after curation). A
predictor pi with a loss l(pi, .) in [0, C]; R_D(pi) = E_D l, R_Dgen(pi) = E_Dgen l, and R^_gen(pi) the mean loss on any
n points S_gen. TV = sup over events of |P(A) - Q(A)| = 1/2 sum |p - q|.
Statement. |R_D - R^_gen| <= C (TV(D, D_M) + TV(D_M, D_gen)) + |R_Dgen - R^_gen|. The first term is confirmed, the
remainder reconstructed.
Hypotheses. 0 <= l <= C. Nothing about how S_gen or pi came about: it holds for each pi and each sample, so for pi = W
trained on S_gen too.
Constants. 1, attained (below).
Relation. Upper bound.
Reference. G25-L31 by the account we have; CL-TV.

Derivation. R_D - R^_gen = (E_D l - E_DM l) + (E_DM l - E_Dgen l) + (R_Dgen - R^_gen), with CL-TV for the first two.
Equality: D_M = (1 - s) D + s D_gen makes the variations add up to TV(D, D_gen), l = C 1{D > D_gen} attains CL-TV, and a
sample of letters without loss has R^_gen = 0 <= R_Dgen, so that the signs agree.

Readings.
1. TV as above: holds, constant 1 attained.
2. TV as the full sum of |p - q|: holds, the first term at least twice too large at every law (G25-L31/l1-convention).
3. |l| <= C with the constant C: false (G25-L31/signed). The range has width 2C, and 2C is enough and attained
   (G25-L31/signed-twice).
4. Laws given the prompt, or averaged over prompts: G25-L31/mixed and G25-L31/given-prompt.
5. The detour. TV(D, D_gen) alone does what the sum does (G25-L31/direct). It is attained for every pair D, D_gen, and
   C TV(D, D_gen) <= C never exceeds what is known of any loss. The sum says nothing from 1 on. It can be 2, the most it
   can be, at D_gen = D: curation that undoes the model's error is charged for what it repairs (G25-L31/detour).
"""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.cl_tv import Law, rational_law, variation
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities, supporting_example

SOURCE = "G25 (L31), remainder reconstructed"


def mean(law: Law, loss: list[Fraction]) -> Fraction:
    """Return E l."""
    return sum((p * x for p, x in zip(law, loss, strict=True)), Fraction(0))


def pieces(case: tuple[Law, Law, Law, list[Fraction], list[int]]) -> tuple[Fraction, Fraction, Fraction]:
    """Return |R_D - R^_gen|, TV(D, D_M) + TV(D_M, D_gen) and |R_Dgen - R^_gen|; the sample is a list of letters."""
    truth, model, generated, loss, sample = case
    observed = sum((loss[letter] for letter in sample), Fraction(0)) / len(sample)
    detour = variation(truth, model) + variation(model, generated)
    return abs(mean(truth, loss) - observed), detour, abs(mean(generated, loss) - observed)


def _random_cases(generator: random.Random, count: int, low: int):
    """Random laws, losses in [low, 1] and samples; and for each pair of D and D_gen the case that attains the bound."""
    while count > 0:
        letters = generator.randint(2, 5)
        truth, model, generated = (rational_law(generator, letters) for _ in range(3))
        loss = [Fraction(low) + (1 - low) * Fraction(generator.randint(0, 8), 8) for _ in range(letters)]
        sample = [generator.randrange(letters) for _ in range(generator.randint(1, 4))]
        yield truth, model, generated, loss, sample
        if truth != generated:
            count -= 1
            yield attained(truth, generated, Fraction(generator.randint(0, 8), 8), low)


def attained(truth: Law, generated: Law, share: Fraction, low: int = 0):
    """Return the case of equality for D and D_gen: D_M between them, the extreme loss, a sample of the least loss."""
    model = [(1 - share) * x + share * y for x, y in zip(truth, generated, strict=True)]
    loss = [Fraction(1 if x > y else low) for x, y in zip(truth, generated, strict=True)]
    return truth, model, generated, loss, [loss.index(Fraction(low))]


def _bound(subject, setting: Setting) -> Evidence:
    """|R_D - R^_gen| against factor C detour + remainder, exactly."""
    low, factor = subject
    drawn = _random_cases(random.Random(setting.integer_seed("cases")), setting.size(150, 2000), low)
    pairs = ((error, factor * detour + remainder) for error, detour, remainder in map(pieces, drawn))
    return exact_equalities(
        pairs,
        f"|R_D - R^_gen| <= {factor} C (TV + TV) + |R_Dgen - R^_gen|, random laws, losses, samples",
        relation="upper",
    )


def _attained(subject, setting: Setting) -> Evidence:
    """Equality wherever D_M lies between D and D_gen, the loss is extreme and the sample has the least loss."""
    low, factor = subject
    generator = random.Random(setting.integer_seed("cases"))

    def pairs():
        for _ in range(setting.size(100, 1000)):
            truth, generated = (rational_law(generator, 4) for _ in range(2))
            if truth != generated:
                error, detour, remainder = pieces(attained(truth, generated, Fraction(generator.randint(0, 8), 8), low))
                yield error, factor * detour + remainder

    return exact_equalities(pairs(), f"the extreme case attains {factor} C (TV + TV) + remainder")


def _first_term(factor: Fraction, setting: Setting) -> Evidence:
    """|R_D - R^_gen| - |R_Dgen - R^_gen| against factor C times the sums of |p - q|: reports the slack of the term."""
    drawn = _random_cases(random.Random(setting.integer_seed("cases")), setting.size(150, 2000), 0)
    pairs = ((error - remainder, factor * 2 * detour) for error, detour, remainder in map(pieces, drawn))
    return exact_equalities(
        pairs, f"|R_D - R^_gen| - remainder <= {factor} C (sum|D - D_M| + sum|D_M - D_gen|)", relation="upper"
    )


def _direct(subject, setting: Setting) -> Evidence:
    """L31 with factor C TV(D, D_gen), or that TV against ``factor`` times the sum through D_M."""
    factor, compared = subject
    drawn = _random_cases(random.Random(setting.integer_seed("cases")), setting.size(150, 2000), 0)

    def pairs():
        for case in drawn:
            (error, detour, remainder), direct = pieces(case), variation(case[0], case[2])
            yield (direct, factor * detour) if compared else (error, factor * direct + remainder)

    says = "TV(D, D_gen) <= TV(D, D_M) + TV(D_M, D_gen)" if compared else f"L31 with {factor} C TV(D, D_gen)"
    return exact_equalities(pairs(), f"{says}, random laws, losses, samples", relation="upper")


def _undone():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    share = np.linspace(0, 1, 21)
    axes.plot(share, 1 + share, label="C (TV(D, D_M) + TV(D_M, D_gen))")
    axes.plot(share, 1 - share, "--", label="C TV(D, D_gen), and the error of the worst loss")
    axes.plot(share, np.ones_like(share), ":", label="C, known of every loss")
    axes.set(xlabel="share of wrong answers that curation puts right", ylabel="bound of the error, C = 1")
    figure.legend(loc="outside lower left")
    return figure


def _range(low: int):
    return Hypothesis("|l| <= 1 = C" if low else "0 <= l <= 1 = C", lambda w: bool(min(w[3]) >= low and max(w[3]) <= 1))


_LAWS = Hypothesis(
    "D, D_M and D_gen are laws, and S_gen is a sample of letters",
    lambda w: all(sum(law) == 1 and min(law) >= 0 for law in w[:3]) and bool(w[4]),
)
_FAIR, _NIL = Fraction(1, 2), Fraction(0)
_BITS = ([Fraction(3, 4), Fraction(1, 4)], [Fraction(1, 2)] * 2, [Fraction(1, 4), Fraction(3, 4)])
_WITNESS = Witness(
    "D = (3/4, 1/4), D_M = (1/2, 1/2), D_gen = (1/4, 3/4), an indicator, four points",
    lambda: (*_BITS, [Fraction(1), Fraction(0)], [0, 1, 1, 1]),
    lambda w: 0 < pieces(w)[0] <= pieces(w)[1] < 1,
)
_SIGNED = Witness(
    "D = (3/4, 1/4), D_M = (1/2, 1/2), D_gen = (1/4, 3/4), the loss (1, -1), four points",
    lambda: (*_BITS, [Fraction(1), Fraction(-1)], [0, 1, 1, 1]),
    lambda w: pieces(w)[0] > 0,
)
#: Of at most three letters TV is the largest |p - q|, as one of the differences is the negative of the others' sum.
_TWO_LETTERS = {
    "observed": ("entry", ("matmul", ("-", "D", "sample"), "loss"), "0", "0"),
    "claimed": ("*", "k", ("*", "C", ("max_abs", ("-", "D", "model")))),
}
_DETOUR = {
    "observed": ("max_abs", ("-", "D", ("matmul", "model", "curation"))),
    "claimed": "detour",
    "relation": "upper",
}
_ONES = [[str(int(i == j)) for j in range(4)] for i in range(4)]

CLAIMS = (
    Claim(
        id="G25-L31",
        title="Total variation through the model's law, and the sampling error, bound the error on true data",
        source=SOURCE,
        form="reconstructed",
        reading="0 <= l <= C; TV = half of the sum of |p - q|; any predictor and any sample",
        statement=r"|R_D(\pi)-\hat R_{gen}(\pi)|\le C\,(\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen}))"
        r"+|R_{D_{gen}}(\pi)-\hat R_{gen}(\pi)|",
        hypotheses=(_LAWS, _range(0)),
        witness=_WITNESS,
        checks=(
            Check("cases", _bound, (0, Fraction(1)), (0, Fraction(1, 2)), "TV halved once more"),
            Check("attained", _attained, (0, Fraction(1)), (0, Fraction(1, 2)), "TV halved once more"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L31/l1-convention",
        title="With total variation read as the sum of |p - q| the first term is twice too large at every law",
        source=SOURCE,
        form="reconstructed",
        reading="TV = sum of |p - q|, without the 1/2",
        statement=r"|R_D-\hat R_{gen}|-|R_{D_{gen}}-\hat R_{gen}|\le \tfrac12\,C\,(\|D-D_M\|_1+\|D_M-D_{gen}\|_1)"
        r"\le C\,(\|D-D_M\|_1+\|D_M-D_{gen}\|_1)",
        hypotheses=(_LAWS, _range(0)),
        witness=_WITNESS,
        checks=(
            Check("as-read", _first_term, Fraction(1), Fraction(1, 4), "the factor 1/2 taken twice"),
            Check("half-of-it", _first_term, Fraction(1, 2), Fraction(1, 4), "the factor 1/2 taken twice"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L31/signed",
        title="The bound holds for signed losses of size C",
        source=SOURCE,
        form="reconstructed",
        reading="|l| <= C instead of 0 <= l <= C, the constant C kept",
        statement=r"|R_D-\hat R_{gen}|\le C\,(\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen}))+|R_{D_{gen}}-\hat R_{gen}|,"
        r"\quad |l|\le C",
        hypotheses=(_LAWS, _range(-1)),
        witness=_SIGNED,
        checks=(
            Check(
                "two-letters",
                counterexample,
                Stored("g25-l31-signed", **_TWO_LETTERS),
                Stored("g25-l31-signed", **_TWO_LETTERS, replaced={"k": "2"}),
                "the constant is 2C, which this loss does not exceed",
            ),
        ),
        recorded="refuted",
        repair="G25-L31/signed-twice",
    ),
    Claim(
        id="G25-L31/signed-twice",
        title="The bound holds for signed losses with twice the constant",
        source=SOURCE,
        form="repaired",
        reading="|l| <= C, constant 2C: the width of the range",
        statement=r"|R_D-\hat R_{gen}|\le 2C\,(\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen}))"
        r"+|R_{D_{gen}}-\hat R_{gen}|,\quad |l|\le C",
        hypotheses=(_LAWS, _range(-1)),
        witness=_SIGNED,
        checks=(
            Check("cases", _bound, (-1, Fraction(2)), (-1, Fraction(1)), "the constant C"),
            Check("attained", _attained, (-1, Fraction(2)), (-1, Fraction(1)), "the constant C"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L31/direct",
        title="The variation between D and D_gen alone does what the sum through D_M does, and is never larger",
        source=SOURCE,
        form="own",
        reading="TV(D, D_gen) in place of the sum; 0 <= l <= C",
        statement=r"|R_D-\hat R_{gen}|\le C\,\mathrm{TV}(D,D_{gen})+|R_{D_{gen}}-\hat R_{gen}|,\qquad "
        r"\mathrm{TV}(D,D_{gen})\le\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen})",
        hypotheses=(_LAWS, _range(0)),
        witness=_WITNESS,
        checks=(
            Check("bound", _direct, (Fraction(1), False), (Fraction(1, 2), False), "TV halved once more"),
            Check("shorter", _direct, (Fraction(1), True), (Fraction(1, 2), True), "the detour halved"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L31/detour",
        title="The sum through D_M can be as large as it gets while D_gen is D",
        source=SOURCE,
        form="own",
        reading="curation by noise added modulo 4, independent of the answer",
        statement=r"\exists\,D,D_M,D_\varepsilon:\ D_{gen}=D_M*D_\varepsilon=D,\quad "
        r"\mathrm{TV}(D,D_M)+\mathrm{TV}(D_M,D_{gen})=2",
        hypotheses=(_LAWS,),
        witness=Witness(
            "D on the even letters, D_M on the odd ones, D_gen = D",
            lambda: ([_FAIR, _NIL] * 2, [_NIL, _FAIR] * 2, [_FAIR, _NIL] * 2, [Fraction(1), *[_NIL] * 3], [0]),
            lambda w: pieces(w)[1] == 2,
        ),
        checks=(
            Check(
                "undone",
                supporting_example,
                Stored("g25-l31-detour", **_DETOUR),
                Stored("g25-l31-detour", **_DETOUR, replaced={"noise": [["1", "0", "0", "0"]], "curation": _ONES}),
                "curation that changes nothing",
            ),
        ),
        recorded="holds",
        drawings=(Drawing(_undone, "The more of the model's errors curation puts right, the more the sum charges."),),
    ),
)
