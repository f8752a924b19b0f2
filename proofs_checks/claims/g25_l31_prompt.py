r"""G25-L31 with a prompt: which law of a generated point the variations and the remainder are about.

Setting. A prompt p; the model's answer has law D_M(.|p), after curation D_gen(.|p); the points of S_gen are independent
given p. W is drawn from a channel of S_gen. D is the true law, l(w, .) in [0, C].
Statement. G25-L31 for the predictor W, in the mean: E|R_D(W) - R^_gen(W)| <= C detour + E|R_Dgen(W) - R^_gen(W)|.
Hypotheses. 0 <= l <= C.
Constants. 1, attained: a point repeats its prompt, and W the point (the witness).
Relation. Upper bound of a mean.
Reference. G25-L31 by the account we have; CL-TV.

Derivation. G25-L31 holds for each p, w and sample, with D_M(.|p) and D_gen(.|p) as the laws; take the mean.

Readings. A generated point has a law given p and one averaged over p; the variations and R_Dgen can be about either.
1. Both given p: holds (G25-L31/given-prompt). Points are independent under this law, so it is the one to join with
   G25-L44.
2. Both averaged: holds, it is G25-L31. The points of one S_gen are no independent draws of that law.
3. Variations given p, remainder averaged: holds, as the averaged laws are nearer (TV is convex).
4. Variations averaged, remainder given p: false (G25-L31/mixed), since W may know p. Let the model repeat its prompt,
   D be the average of the D_M(.|p), and W the point seen: the variations and the remainder are 0, the error is not.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.cl_tv import rational_law, variation
from proofs_checks.claims.g25_l31 import SOURCE, mean
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities


def prompted(case) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Return E|R_D - R^_gen|, the two detours (mean of those given p, that of the mean laws), E|R_Dgen(.|p) - R^_gen|.

    One point is generated. The case is (D, P(p), D_M(.|p), D_gen(.|p), P(w | z), l(w, z)), all lists of fractions.
    """
    truth, prompt, models, generated, training, losses = case
    error = given = remainder = Fraction(0)
    for weight, model, law in zip(prompt, models, generated, strict=True):
        given += weight * (variation(truth, model) + variation(model, law))
        for (z, seen), (w, loss) in itertools.product(enumerate(law), enumerate(losses)):
            probability = weight * seen * training[z][w]
            error += probability * abs(mean(truth, loss) - loss[z])
            remainder += probability * abs(mean(law, loss) - loss[z])
    average = [
        [sum((q * law[z] for q, law in zip(prompt, laws, strict=True)), Fraction(0)) for z in range(len(truth))]
        for laws in (models, generated)
    ]
    return error, given, variation(truth, average[0]) + variation(*average), remainder


#: Bits: the model answers with the prompt, a fair bit; D is a fair bit; W is the point seen; l(w, z) = 1{w != z}.
_FAIR, _NIL = Fraction(1, 2), Fraction(0)
_HALF, _UNIT = [_FAIR] * 2, [[Fraction(1), _NIL], [_NIL, Fraction(1)]]
ECHO = (_HALF, _HALF, _UNIT, _UNIT, _UNIT, _UNIT[::-1])


def random_prompted(generator: random.Random):
    """Return a random world of :func:`prompted`: two or three prompts, letters and predictors."""
    letters, prompts, predictors = (generator.randint(2, 3) for _ in range(3))
    models, generated = ([rational_law(generator, letters) for _ in range(prompts)] for _ in range(2))
    return (
        rational_law(generator, letters),
        rational_law(generator, prompts),
        models,
        generated if generator.random() < 0.5 else models,
        [rational_law(generator, predictors) for _ in range(letters)],
        [[Fraction(generator.randint(0, 4), 4) for _ in range(letters)] for _ in range(predictors)],
    )


def _prompted(place: int, setting: Setting) -> Evidence:
    """Compare E|R_D - R^_gen| with the detour at ``place`` of :func:`prompted` plus the remainder given p, exactly."""
    generator = random.Random(setting.integer_seed("worlds"))
    drawn = itertools.chain([ECHO], (random_prompted(generator) for _ in range(setting.size(150, 2000))))
    pairs = ((found[0], found[place] + found[3]) for found in map(prompted, drawn))
    kind = {1: "given p, averaged", 2: "of the averaged laws"}[place]
    return exact_equalities(pairs, f"E|R_D - R^_gen| <= C detour ({kind}) + remainder given p", relation="upper")


def _echoes():
    """ECHO with a model that gives the prompt with probability (1 + x)/2 and the other bit otherwise."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    x = np.linspace(0, 1, 21)
    rows = [np.array([[1 + s, 1 - s], [1 - s, 1 + s]]) / 2 for s in x]
    found = np.array([prompted((*ECHO[:2], row, row, *ECHO[4:])) for row in rows], dtype=float)
    axes.plot(x, found[:, 1] + found[:, 3], label="bound with TV given p")
    axes.plot(x, found[:, 0], "--", label="E|R_D - R^_gen|")
    axes.plot(x, found[:, 2] + found[:, 3], ":", label="bound with TV of the averaged laws")
    axes.set(xlabel="P(answer is the prompt) - P(it is the other bit)", ylabel="error, C = 1", ylim=(0, None))
    figure.legend(loc="outside lower left")
    return figure


_PROMPTED = (
    Hypothesis("0 <= l <= 1 = C", lambda w: all(0 <= x <= 1 for loss in w[5] for x in loss)),
    Hypothesis("W is drawn from a channel of S_gen", lambda w: all(sum(row) == 1 and min(row) >= 0 for row in w[4])),
)
_ECHO = Witness(
    "a model that repeats its prompt, a fair bit, and W the bit seen", lambda: ECHO, lambda w: prompted(w)[0] > 0
)
_MIXED = {
    "observed": ("sum", ("multiply", "joint", ("-", "risk", "loss"))),
    "claimed": ("max_abs", ("-", "D", ("matmul", "prompt", "models"))),
    "relation": "upper",
}
_QUARTERS = [["1/4", "1/4"], ["1/4", "1/4"]]
_HALVES = [["1/2", "1/2"], ["1/2", "1/2"]]

CLAIMS = (
    Claim(
        id="G25-L31/mixed",
        title="Variations of the laws averaged over prompts go with a remainder given the prompt",
        source=SOURCE,
        form="reconstructed",
        reading="D_M and D_gen averaged over p in TV, D_gen(.|p) in the remainder; W trained on S_gen",
        statement=r"\mathbb E|R_D(W)-\hat R_{gen}(W)|\le C\,(\mathrm{TV}(D,\mathbb E_pD_M(\cdot|p))"
        r"+\mathrm{TV}(\mathbb E_pD_M(\cdot|p),\mathbb E_pD_{gen}(\cdot|p)))"
        r"+\mathbb E|R_{D_{gen}(\cdot|p)}(W)-\hat R_{gen}(W)|",
        hypotheses=_PROMPTED,
        witness=_ECHO,
        checks=(
            Check(
                "echo",
                counterexample,
                Stored("g25-l31-mixed", **_MIXED),
                Stored("g25-l31-mixed", **_MIXED, replaced={"training": _HALVES, "joint": _QUARTERS}),
                "W does not look at the sample",
            ),
        ),
        recorded="refuted",
        repair="G25-L31/given-prompt",
        drawings=(
            Drawing(_echoes, "The averaged laws agree with D all along, so their bound is the remainder, which falls."),
        ),
    ),
    Claim(
        id="G25-L31/given-prompt",
        title="The bound holds given the prompt, averaged over prompts",
        source=SOURCE,
        form="repaired",
        reading="D_M(.|p) and D_gen(.|p) in TV and in the remainder, mean over p; W trained on S_gen",
        statement=r"\mathbb E|R_D(W)-\hat R_{gen}(W)|\le C\,\mathbb E[\mathrm{TV}(D,D_M(\cdot|p))"
        r"+\mathrm{TV}(D_M(\cdot|p),D_{gen}(\cdot|p))]+\mathbb E|R_{D_{gen}(\cdot|p)}(W)-\hat R_{gen}(W)|",
        hypotheses=_PROMPTED,
        witness=_ECHO,
        checks=(Check("worlds", _prompted, 1, 2, "variations of the averaged laws"),),
        recorded="holds",
    ),
)
