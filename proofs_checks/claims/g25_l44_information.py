r"""G25-L44 with layers that contract the information between sample and predictor, rather than relative entropy.

Setting. S = Z_1..Z_n iid D; layers K_1..K_L, maps or channels, K their composition; S_L the n points after the layers,
f_w a loss of a point there. R(w) is the mean of f_w over a fresh point that has been through the layers, R_S(w) over
the points of S_L. W is drawn from a channel of S, or of S_L: then it has met the noise that R_S is evaluated with.
Statement. |E[R(W) - R_S(W)]| <= eta^(L/2) sqrt((2 sigma^2 / n) I(S; W)) for any eta with I(S_L; W) <= eta^L I(S; W).
Hypotheses. Layers set before training: the same for every w. f_w is sigma-sub-Gaussian under DK for every w.
Constants. As in CL-XR, sharp (identity layers, a leaning predictor).
Relation. Upper bound on the absolute value of a mean.
Reference. G25-L44 by the account we have; XR17.

Derivation. S_L is n iid draws of DK, and CL-XR for (S_L, W) asks nothing of how W came about: |E gap| <= sqrt(2 sigma^2
I(S_L; W) / n). This is finer than G25-L44 for such layers: if KL contracts by eta in a layer and W is drawn from S
alone, the layer shrinks the information by eta. Take independent X_1, X_2 and what the layer makes of each, Y_1, Y_2.
I(W; Y_1, Y_2) = I(W; Y_1) + I(W; Y_2 | Y_1) <= I(W; Y_1) + eta I(W; X_2 | Y_1) = (1 - eta) I(W; Y_1) + eta I(W; Y_1,
X_2), where I(W; Y_1, X_2) <= I(W; X_2) + eta I(W; X_1 | X_2) and I(W; Y_1) <= eta I(W; X_1) <= eta I(W; X_1 | X_2):
together at most eta I(W; X_1, X_2). For n points and L layers by induction.

Readings.
1. Layers set before training: holds, and has content for maps, of which none contracts relative entropy but constant
   ones (G25-L44/deterministic): a map that merges letters contracts the information of some W.
2. Layers that are trained, so that they depend on w: false (G25-L44/trained-layers). With Z a fair bit, W = Z and
   T_w(z) = z + w modulo 2 the last layer shows nothing of S, and the loss f(y) = y has R_S = 0 and R = 1/2.
3. Contraction of relative entropy, and W drawn from S_L: false (G25-L44/same-noise). I(S; W) <= I(S_L; W) then, the
   wrong way round: W = S_L remembers noise that S never had.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.cl_xr import samples, tilted
from proofs_checks.claims.g25_l44 import SOURCE, STORED, contracts
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio


@dataclass(frozen=True)
class Shown:
    """A law (k,), n, composed layers for each w (w, k, y), a loss (w, y), and P(w | s), or P(w | s_L): (samples, w)."""

    law: np.ndarray
    n: int
    layers: np.ndarray
    loss: np.ndarray
    training: np.ndarray
    same_noise: bool = False

    def joint(self) -> np.ndarray:
        """Return the law of S, S_L and W, (k^n, y^n, w); the last point runs fastest."""
        passed = np.stack([functools.reduce(np.kron, [layer] * self.n) for layer in self.layers], axis=2)
        chosen = self.training[None] if self.same_noise else self.training[:, None]
        return samples(self.law, self.n)[0][:, None, None] * passed * chosen

    def gap(self) -> float:
        """E[R(W) - R_S(W)]."""
        joint, letters = self.joint(), self.loss.shape[1]
        risk = ((self.law @ self.layers) * self.loss).sum(axis=1)
        seen = samples(np.ones(letters), self.n)[1] @ self.loss.T / self.n
        return float((joint * (risk[None] - seen)[None]).sum())

    def information(self) -> tuple[float, float]:
        """I(S_L; W) and I(S; W)."""
        joint = self.joint() / self.joint().sum()
        return float(dk.mutual_information(joint.sum(axis=0), 0, 1)), float(
            dk.mutual_information(joint.sum(axis=1), 0, 1)
        )


def shown_worlds(*, trained: bool = False, same_noise: bool = False) -> Any:
    """Return a hypothesis strategy of up to two points and layers of three letters, maps or noisy, and leaning bits."""
    from hypothesis import strategies as st

    def world(case: Any) -> Shown:
        law, n, depth, maps, own, seed, sharpness = case
        table, sets = np.random.default_rng(seed), 2 if trained else 1
        layers = np.stack([np.eye(3)] * sets)
        for _ in range(depth):
            drawn = np.eye(3)[table.integers(0, 3, (sets, 3))] if maps else table.dirichlet(np.full(3, 0.5), (sets, 3))
            layers = layers @ drawn
        scores = np.exp(sharpness * table.normal(size=(3**n, 2)))
        training = scores / scores.sum(axis=1, keepdims=True)
        loss = table.integers(0, 5, (2, 3)) / 4
        return Shown(law, n, np.broadcast_to(layers, (2, 3, 3)), loss, training, same_noise or (own and not trained))

    generic = st.tuples(
        cases.integer_laws(3),
        st.integers(1, 2),
        st.integers(1, 2),
        st.booleans(),
        st.booleans(),
        st.integers(0, 2**32 - 1),
        st.sampled_from([0.1, 1.0, 30.0]),
    ).map(world)
    made = [leaning(n, 0.01) for n in (1, 2, 3)] + ([undone()] if trained else []) + ([erased()] if same_noise else [])
    return st.one_of(generic, st.sampled_from(made))


def leaning(n: int, tilt: float) -> Shown:
    """Letters 0, 1, 2 of which the layer merges the last two, a fair bit then, and W leans towards its majority."""
    merged = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    law = np.array([0.5, 0.25, 0.25])
    training = tilted(tilt)(samples(law, n)[1] @ merged)
    return Shown(law, n, np.stack([merged] * 2), 1 - np.eye(2), training)


def undone() -> Shown:
    """Return the fair bit that W keeps and its layer takes out again."""
    return Shown(np.array([0.5, 0.5]), 1, np.stack([np.eye(2), np.eye(2)[::-1]]), np.array([[0.0, 1.0]] * 2), np.eye(2))


def erased(rate: float = 0.5) -> Shown:
    """Return a fair bit that a layer erases (letter 2) at this rate; W is what the layer showed when it was trained."""
    layer = np.array([[1 - rate, 0.0, rate], [0.0, 1 - rate, rate]])
    return Shown(np.array([0.5, 0.5]), 1, np.stack([layer] * 3), 1 - np.eye(3), np.eye(3), same_noise=True)


def _shown(subject: tuple[float, bool], setting: Setting) -> Evidence:
    """|E gap| / sqrt(2 sigma^2 I(S_L; W) / n); subject is sigma^2 and whether layers depend on w."""
    variance, trained = subject

    def ratio(world: Shown) -> float:
        # An information of less, in which rounding would count, is taken for 1e-6.
        return abs(world.gap()) / math.sqrt(2 * variance * max(world.information()[0], 1e-6) / world.n)

    return largest_ratio(
        shown_worlds(trained=trained),
        ratio,
        setting,
        says="|E[R - R_S]| / sqrt(2 sigma^2 I(S_L; W) / n), sigma = 1/2, W from S or S_L, maps and noisy layers",
        quick=150,
        full=1500,
    )


def _finer(same_noise: bool, setting: Setting) -> Evidence:
    """I(S_L; W) / (eta^L I(S; W)), eta^L Dobrushin's coefficient of the composed layers."""
    from dkps_theory.bounds.contraction import dobrushin_coefficient

    def ratio(world: Shown) -> float:
        if world.same_noise is not same_noise:
            return 0.0
        after, before = world.information()
        return after / max(dobrushin_coefficient(world.layers[0]) * before, 1e-9) if after > 1e-6 else 0.0

    return largest_ratio(
        shown_worlds(same_noise=same_noise),
        ratio,
        setting,
        says="I(S_L; W) / (eta^L I(S; W)), W drawn from S, eta by Dobrushin",
        quick=150,
        full=1500,
    )


def _erasing() -> Any:
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    rates = np.linspace(0.02, 0.98, 49)
    worlds = [erased(rate) for rate in rates]
    known = np.array([world.information() for world in worlds])
    axes.plot(rates, np.sqrt(0.5 * known[:, 0]), label="√(2σ² I(S_L; W))")
    axes.plot(rates, [world.gap() for world in worlds], "--", label="gap")
    axes.plot(rates, np.sqrt((1 - rates) * 0.5 * known[:, 1]), ":", label="√(η 2σ² I(S; W)), η = 1 - rate")
    axes.set(xlabel="rate at which the layer erases the bit; W is what it showed", ylabel="generalization gap, n = 1")
    figure.legend(loc="outside lower left")
    return figure


_BEFOREHAND = Hypothesis("layers are the same for every w", lambda w: bool(np.all(w.layers == w.layers[:1])))
_IN_RANGE = Hypothesis(
    "the loss lies in [0, 1], so sigma = 1/2", lambda w: bool(w.loss.min() >= 0 and w.loss.max() <= 1)
)
_LESS = Hypothesis(
    "the layers shrink the information by eta = 1/4", lambda w: w.information()[0] <= w.information()[1] / 4 + 1e-12
)
_HALVED = Hypothesis(
    "KL contracts by eta = 1/2 in the layer, the same for every w",
    lambda w: all(contracts(layer, 0.5) for layer in w.layers) and bool(np.all(w.layers == w.layers[:1])),
)
_OWN = Hypothesis("W is drawn from S_L", lambda w: w.same_noise)
_SEEN = ("-", ("+", ("entropy_bits", ("matmul", "each", "seen")), ("entropy_bits", "D")), ("entropy_bits", "seen"))
_SAME_GAP = ("sum", ("multiply", "joint", ("-", "risk", "loss")))
_SAME = {
    "observed": ("*", _SAME_GAP, _SAME_GAP),
    "claimed": ("/", ("*", ("*", "eta", ("*", "2", "sigma2")), ("*", "log2", _SEEN)), "n"),
    "relation": "upper",
}
_STATEMENT = r"|\mathbb E[R(W)-R_S(W)]|\le\eta^{L/2}\sqrt{\frac{2\sigma^2}{n}I(S;W)}"

CLAIMS = (
    Claim(
        id="G25-L44/information",
        title="Layers set before training shrink the bound by what they take from the information",
        source=SOURCE,
        form="repaired",
        reading="eta contracts I(S; W) of the W at hand; maps or channels, the same for every w; W from S or S_L",
        statement=r"|\mathbb E[R(W)-R_S(W)]|\le\sqrt{\frac{2\sigma^2}{n}I(S_L;W)},\qquad I(S_L;W)\le\eta^LI(S;W)",
        hypotheses=(_BEFOREHAND, _IN_RANGE),
        witness=Witness(
            "a map that merges two of three letters, W leans towards the majority of three points",
            lambda: leaning(3, 0.5),
            lambda w: w.gap() > 0 < w.information()[0],
        ),
        checks=(
            Check("proxy", _shown, (0.25, False), (0.125, False), "sigma^2 halved"),
            Check("beforehand", _shown, (0.25, False), (0.25, True), "layers that depend on w"),
            Check("finer", _finer, False, True, "W drawn from S_L"),
        ),
        recorded="holds",
        drawings=(Drawing(_erasing, "W = S_L: the information of S is too little, that of S_L is not."),),
    ),
    Claim(
        id="G25-L44/trained-layers",
        title="Trained layers may contract the information alone",
        source=SOURCE,
        form="reconstructed",
        reading="I(T_W(S); W) <= eta^L I(S; W), layers T_w that depend on w",
        statement=r"I(T_W(S);W)\le\eta^LI(S;W)\ \Rightarrow\ " + _STATEMENT,
        hypotheses=(_IN_RANGE, _LESS),
        witness=Witness("a fair bit that W keeps and its layer takes out", undone, lambda w: w.gap() > 0),
        checks=(
            Check(
                "undone",
                counterexample,
                Stored("g25-l44-trained-layers", **STORED),
                Stored(
                    "g25-l44-trained-layers",
                    **STORED,
                    replaced={
                        "image": [["0", "1"]] * 2,
                        "loss": [["0", "1"]] * 2,
                        "after": [["1/2", "0"], ["0", "1/2"]],
                    },
                ),
                "a layer that is the same for both w",
            ),
        ),
        recorded="refuted",
        repair="G25-L44/information",
    ),
    Claim(
        id="G25-L44/same-noise",
        title="The layers' noise may be that which the predictor was trained with",
        source=SOURCE,
        form="reconstructed",
        reading="KL contracts in every layer, W drawn from S_L, on which R_S is evaluated",
        statement=_STATEMENT + r",\quad S\to S_L\to W",
        hypotheses=(_HALVED, _IN_RANGE, _OWN),
        witness=Witness("a fair bit that a layer erases at rate 1/2, W = S_L", erased, lambda w: w.gap() > 0),
        checks=(
            Check(
                "erased",
                counterexample,
                Stored("g25-l44-same-noise", **_SAME),
                Stored(
                    "g25-l44-same-noise",
                    **_SAME,
                    replaced={
                        "again": [["1/2", "0", "1/2"], ["0", "1/2", "1/2"], ["1/4", "1/4", "1/2"]],
                        "joint": [["1/8", "0", "1/8"], ["0", "1/8", "1/8"], ["1/8", "1/8", "1/4"]],
                    },
                ),
                "fresh noise when the loss is evaluated",
            ),
        ),
        recorded="refuted",
        repair="G25-L44/information",
    ),
)
