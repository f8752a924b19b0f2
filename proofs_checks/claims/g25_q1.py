r"""G25-Q1: whether a larger information gain means a smaller error.

Setting. The process of G25-D41 with a loss, finite, natural logarithms; W is trained on S_gen, R_D is the risk under D.
Statement. "A larger Delta_I gives a tighter bound, hence better generalization" (confirmed as the headline). The bound
is looked at in G25-Q1/arguments, /right-side and /cancels, the error here.
Hypotheses. Named with each claim.
Constants. None.
Relation. Order of two errors.
Reference. G25 (arXiv:2410.01720), by the account we have.

Derivation.
Errors. D uniform on 1 and 2, squared loss, W the one point of S_gen. Answers of 0 or 1 at random have log 2 more gain
than the answer 1 and risk 3/2 instead of 1/2, and the larger gap; answers drawn from D have log 2 more gain than the
answer 0 and risk 1/2 instead of 5/2. The gain counts what the answer holds beyond the prompt, right or wrong.
Condition. Let D have all letters, one point, no curation, Q_h the law of M given h. By -log Q_h = -log D - log(Q_h /
D),
    Delta_I = H(M | h) = E[-log D(M)] - E KL(Q_h || D).
So among models whose answers have the same mean log-likelihood under D the one with the larger gain is exactly the one
with the smaller mean divergence from D, and by CL-TV, CL-PINSKER and Jensen, for a loss in [0, C] and any W,
    |E R_D(W) - E R_{Q_h}(W)| <= C E TV(D, Q_h) <= C sqrt((E[-log D(M)] - Delta_I) / 2).
For D uniform on k letters E[-log D(M)] = log k whatever the model, and the bound falls with Delta_I. With two letters,
addition modulo 2, e_p a function of p and independent factors, Q_h is (q, 1 - q) or its mirror image: TV = |q - 1/2|
falls strictly as the entropy Delta_I rises, so the gain orders C TV, the largest gap of all losses in [0, C]. With
three letters it does not: (7/10, 3/20, 3/20) has more entropy than (1/2, 1/2, 0), and more variation, 11/30 against
1/3.

Readings.
1. Of two worlds the one with the larger gain errs less: refuted (G25-Q1). It never errs less: refuted
   (G25-Q1/never-helps).
2. The gain orders a bound of the error when the mean log-likelihood of the answers is fixed (G25-Q1/likelihood), and
   the largest error of all losses for models of a fair bit (G25-Q1/fair-bit).
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims._g25 import built, fresh
from proofs_checks.claims._g25_checks import (
    INDEPENDENT_FACTORS,
    PROCESS,
    ROUNDING,
    UNCURATED,
    described,
    squared_risk,
    stored,
)
from proofs_checks.claims._g25_entropies import DELTA_I
from proofs_checks.evidence.symbolic import identity

SOURCE = "G25 (Q1), headline confirmed"


#: W and W' are the one point that they see.
_ONE: dict[str, Any] = {"training": lambda s: s[0], "anchor_training": lambda s: s[0]}


def learner(table: np.random.Generator, k: int, *, independent: bool = False):
    """Return a random world on Z_k without curation: D has all letters, any model, W any channel, loss in [0, 1]."""
    law = table.dirichlet(np.full(k, 2.0)) * 0.9 + 0.1 / k
    prompts = table.dirichlet(np.full(k, 0.5), k)
    factors, shifts = table.dirichlet(np.full(k, 0.3), k), table.permutation(k)
    model = np.repeat(table.dirichlet(np.full(k, 0.5), 1), k, axis=0)
    if not independent:
        model = table.dirichlet(np.full(k, 0.5), k)
    training, loss = table.dirichlet(np.full(k, 0.3), k), table.integers(0, 5, (k, k)) / 4
    return built(
        data_law=law.tolist(),
        prompt=lambda s: prompts[s[0]],
        prompt_factor=(lambda p: p) if independent else (lambda p: factors[p]),
        h=lambda e: int(shifts[e]),
        model_factor=lambda e: model[e],
        modulus=k,
        training=lambda s: training[s[0]],
        anchor_training=lambda s: training[s[0]],
        loss=loss,
    )


def answers_given_h(world) -> list[tuple[float, np.ndarray]]:
    """Return the probability of each h, and the law of M given it as an array over Z_k."""
    rows: dict = {}
    law = world.law.margin("h", "M")
    for (h, m), weight in zip(law.codes.tolist(), law.probabilities.tolist(), strict=True):
        rows.setdefault(h, np.zeros(world.modulus))[law.letters[1][m][0]] += weight
    return [(float(row.sum()), row / row.sum()) for row in rows.values()]


def likelihood(world) -> tuple[float, float, float]:
    """Return E[-log D(M)], E KL(Q_h || D) and E TV(D, Q_h)."""
    law = np.array([world.data_law.get(z, 0.0) for z in range(world.modulus)])
    rows = answers_given_h(world)
    surprise = -sum(weight * float(row @ np.log(law)) for weight, row in rows)
    divergence = sum(weight * float(np.sum(row[row > 0] * np.log(row[row > 0] / law[row > 0]))) for weight, row in rows)
    return surprise, divergence, sum(weight * float(np.abs(row - law).sum()) / 2 for weight, row in rows)


def risk_of_answers(world) -> float:
    """E R_{Q_h}(W): the risk of W against a fresh answer to the same h."""
    law, total = world.law.margin("h", "W"), 0.0
    rows = dict(
        zip(dict.fromkeys(world.law.margin("h", "M").codes[:, 0].tolist()), answers_given_h(world), strict=True)
    )
    for (h, w), weight in zip(law.codes.tolist(), law.probabilities.tolist(), strict=True):
        losses = np.array([world.loss(law.letters[1][w], z) for z in range(world.modulus)])
        total += weight * float(rows[h][1] @ losses)
    return total


def _split(kept: float, setting: Setting) -> Evidence:
    """Delta_I against E[-log D(M)] - E KL(Q_h || D); the twin leaves a tenth of the divergence out."""
    table, count, worst = np.random.default_rng(setting.integer_seed("worlds")), setting.size(40, 400), 0.0
    says = "Delta_I = E[-log D(M)] - E KL(Q_h || D), random worlds on Z_k, k <= 4"
    for _ in range(count):
        world = learner(table, int(table.integers(2, 5)))
        surprise, divergence, _ = likelihood(world)
        worst = max(worst, abs(DELTA_I.nats(world.law.entropy) - surprise + kept * divergence))
        if not worst <= ROUNDING:
            detail = f"{says}; not so for D ~ {world.data_law} in {described(world)}"
            return Evidence("search", Outcome.CONTRADICTS, worst, 0.0, "equal", detail, n=count)
    return Evidence("search", Outcome.SUPPORTS, worst, 0.0, "equal", says, n=count)


def _distance(factor: float, setting: Setting) -> Evidence:
    """Try both inequalities on random worlds on Z_k; on a nearly fair bit and a constant W both are tight."""
    table, count, worst = np.random.default_rng(setting.integer_seed("worlds")), setting.size(40, 400), (0.0, 1.0)
    blind: dict[str, Any] = {"training": lambda _: 0, "anchor_training": lambda _: 0}
    near = built(data_law=[0.5, 0.5], prompt=lambda _: 0, model_factor=[0.51, 0.49], modulus=2, loss=np.eye(2), **blind)
    for place in range(count):
        world = learner(table, int(table.integers(2, 5))) if place else near
        surprise, _, variation = likelihood(world)
        bound = factor * math.sqrt(max(surprise - world.information_gain, 0.0) / 2)
        gap = abs(world.true_risk - risk_of_answers(world))
        if not (gap <= variation + ROUNDING and variation <= bound + ROUNDING):
            detail = f"risks differ by {gap:.4g}, TV {variation:.6g}, bound {bound:.6g} in {described(world)}"
            return Evidence("search", Outcome.CONTRADICTS, gap, bound, "upper", detail, n=count)
        worst = max(worst, (gap, bound), key=lambda pair: pair[0] / pair[1])
    says = "|E R_D(W) - E R_Q(W)| <= E TV(D, Q_h) <= sqrt((E[-log D(M)] - Delta_I)/2), loss in [0, 1]"
    return Evidence("search", Outcome.SUPPORTS, *worst, "upper", says, slack=worst[1] / worst[0], n=count)


def _ordered(letters: int, setting: Setting) -> Evidence:
    """Whether the gain orders TV(D, D_M), D uniform, functions of a random law on Z_k; the twin has three letters."""
    table, count = np.random.default_rng(setting.integer_seed("worlds")), setting.size(40, 200)
    pairs = []
    for _ in range(count):
        law, prompts = table.dirichlet(np.ones(letters)), table.integers(letters, size=letters)
        world = built(
            data_law=[1 / letters] * letters,
            prompt=lambda s, prompts=prompts: int(prompts[s[0]]),
            model_factor=law.tolist(),
            modulus=letters,
            loss=1 - np.eye(letters),
            **_ONE,
        )
        pairs.append((world.information_gain, float(world.tv_model(given_prompt=True))))
    for (gain, tv), (other, other_tv) in itertools.combinations(pairs, 2):
        if (gain - other) * (tv - other_tv) > ROUNDING**2 and min(abs(gain - other), abs(tv - other_tv)) > ROUNDING:
            detail = f"gains {gain:.4g} and {other:.4g}, TV {tv:.4g} and {other_tv:.4g}"
            return Evidence("search", Outcome.CONTRADICTS, tv, other_tv, "lower", detail, n=count)
    says = "of two models of a fair bit the one with the larger gain has the smaller TV(D, D_M)"
    return Evidence("search", Outcome.SUPPORTS, 0.0, 0.0, "lower", says, n=count)


def _slope(sign: int):
    """d/dq of the entropy of (q, 1 - q), q < 1/2, is log((1 - q)/q) > 0, and TV from fair is 1/2 - q."""

    def sides():
        import sympy

        x = sympy.symbols("x", positive=True)
        q = 1 / (2 + x)  # every q in (0, 1/2)
        s = sympy.symbols("s", positive=True)
        gain = -s * sympy.log(s) - (1 - s) * sympy.log(1 - s)
        slope = sympy.diff(gain, s).subs(s, q)
        return "d Delta_I / dq = log(1 + x) > 0 at q = 1/(2 + x), x > 0, and TV = 1/2 - q falls", [
            (sympy.expand_log(sympy.simplify(slope), force=True), sympy.log(1 + x) * sign),
        ]

    return sides


def _clouds():
    from dkps_theory.pages.figures import new_figure

    figure, axes = new_figure(width=8.0, columns=2)
    table = np.random.default_rng(0)
    worlds = [learner(table, 3, independent=True) for _ in range(60)]
    gain = [w.information_gain for w in worlds]
    axes[0].plot(gain, [w.l43_right_side(w.law.entropy(("p", "eps"))) for w in worlds], ".", label="right side of L43")
    axes[0].plot(gain, [w.synthetic_information for w in worlds], "x", label="I(S_gen; W)")
    axes[0].set(xlabel="Δ_I in nats", ylabel="nats")
    axes[1].plot(gain, [w.true_risk for w in worlds], ".", label="risk of W")
    axes[1].plot(gain, [w.generalization_error for w in worlds], "x", label="risk less empirical risk")
    axes[1].set(xlabel="Δ_I in nats", ylabel="loss in [0, 1]")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


_NOISE = Witness("a fair bit of the model's own that W keeps", fresh, lambda w: w.information_gain > 0.1)


def _fair_model():
    return built(
        data_law=[0.5, 0.5],
        prompt=lambda _: 0,
        model_factor=[0.75, 0.25],
        modulus=2,
        loss=1 - np.eye(2),
        **_ONE,
    )


_ALL_LETTERS = Hypothesis(
    "D has all the letters of answers",
    lambda w: all(w.data_law.get(m, 0) > 0 for m in w.answer_laws(given_prompt=False)[()]),
)
_ONE_POINT = Hypothesis("one synthetic point", lambda w: w.synthetic == 1)
_LOSS = Hypothesis("a loss in [0, 1]", lambda w: w.loss_range <= 1)
_FAIR = Hypothesis(
    "D is uniform on 0 and 1, and answers add modulo 2", lambda w: w.data_law == {0: 0.5, 1: 0.5} and w.modulus == 2
)
_MODEL = Witness(
    "a model that answers a fair bit's question with odds of 3 to 1",
    _fair_model,
    lambda w: 0.1 < w.information_gain < 0.69,
)
_SAME = {"g2": [["1"], ["1"]], "M2": [["1"], ["1"]], "S_gen2": [["1"], ["1"]], "W2": [["1"], ["1"]]}
_BOTH_ZERO = {"g2": [["0"], ["0"]], "M2": [["0"], ["0"]], "S_gen2": [["0"], ["0"]], "W2": [["0"], ["0"]]}

CLAIMS = (
    Claim(
        id="G25-Q1",
        title="A larger information gain gives better generalization",
        source=SOURCE,
        form="as-printed",
        reading="two worlds equal but for g: the larger Delta_I has the smaller mean risk, and the smaller mean gap",
        statement=r"\Delta_I^{(1)}<\Delta_I^{(2)}\ \Rightarrow\ \mathbb E R_D(W^{(2)})\le\mathbb E R_D(W^{(1)})",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS, UNCURATED),
        witness=_NOISE,
        checks=(
            stored(
                "wrong-noise",
                "g25-q1",
                squared_risk("W2"),
                squared_risk("W1"),
                broken=_SAME,
                broken_by="one and the same world twice",
            ),
        ),
        recorded="refuted",
        repair="G25-Q1/likelihood",
        drawings=(
            Drawing(
                _clouds,
                "Random worlds on three letters, independent factors: the gain orders neither the right side of L43 "
                "with delta = H(p, eps), nor the risk, nor the gap.",
            ),
        ),
    ),
    Claim(
        id="G25-Q1/never-helps",
        title="A larger information gain never gives better generalization",
        source="own; the opposite of G25-Q1",
        form="own",
        reading="two worlds equal but for g: the larger Delta_I has at least the risk of the smaller",
        statement=r"\Delta_I^{(1)}<\Delta_I^{(2)}\ \Rightarrow\ \mathbb E R_D(W^{(1)})\le\mathbb E R_D(W^{(2)})",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS, UNCURATED),
        witness=_NOISE,
        checks=(
            stored(
                "right-noise",
                "g25-q1-never-helps",
                squared_risk("W1"),
                squared_risk("W2"),
                broken=_BOTH_ZERO,
                broken_by="one and the same world twice",
            ),
        ),
        recorded="refuted",
        repair="G25-Q1/likelihood",
    ),
    Claim(
        id="G25-Q1/likelihood",
        title="At equal mean log-likelihood of the answers, more information gain is less divergence from D",
        source="own; a condition for G25-Q1",
        form="repaired",
        reading="one point, no curation, D has all letters; the error is that of replacing D by the answers' law",
        statement=r"|\mathbb E R_D(W)-\mathbb E R_{Q_h}(W)|\le C\sqrt{(\mathbb E[-\log D(M)]-\Delta_I)/2}",
        hypotheses=(PROCESS, UNCURATED, _ONE_POINT, _ALL_LETTERS, _LOSS),
        witness=_MODEL,
        checks=(
            Check("split", _split, 1.0, 0.9, "a tenth of the divergence left out"),
            Check("distance", _distance, 1.0, 0.9, "the bound shrunk to nine tenths"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-Q1/fair-bit",
        title="For models of a fair bit the information gain orders the largest gap of risks",
        source="own; a family in which G25-Q1 is right",
        form="own",
        reading="D uniform on two letters, answers add modulo 2, e_p a function of p, independent factors, no curation",
        statement=r"\Delta_I^{(1)}<\Delta_I^{(2)}\iff\mathrm{TV}(D,Q_h^{(2)})<\mathrm{TV}(D,Q_h^{(1)})",
        hypotheses=(PROCESS, INDEPENDENT_FACTORS, UNCURATED, _ONE_POINT, _FAIR),
        witness=_MODEL,
        checks=(
            Check("models", _ordered, 2, 3, "three letters"),
            Check("slope", identity, _slope(1), _slope(-1), "the sign of the slope"),
        ),
        recorded="holds",
    ),
)
