r"""G25-L44 for points that share a prompt: independent given it, and not without it.

Setting. A prompt p; S = Z_1..Z_n independent given p, each of law D_gen(.|p), and not independent without it; W drawn
from a channel of S alone, so that p -> S -> W. Layers and losses as in G25-L44. R_gen is the risk under D_gen(.|p), or
under the averaged law E_p D_gen(.|p).
Statement. |E[R_gen(W) - R_S(W)]| <= eta^(L/2) sqrt((2 sigma^2 / n) I(S; W)).
Hypotheses. Those of G25-L44, with independence given p. If the points share more than p, such as a factor e_p drawn
once from p, "given p" must read "given p and e_p".
Constants. As in G25-L44, sharp when p tells nothing.
Relation. Upper bound on the absolute value of a mean.
Reference. G25-L44 by the account we have; CL-XR; CL-DPI.

Derivation. Given p, G25-L44 holds with I(S; W | p = .), and by Jensen its mean over p with I(S; W | p). For a chain
I(S; W) = I(S, p; W) = I(p; W) + I(S; W | p), so I(S; W | p) <= I(S; W), with equality when W tells nothing about p.

Readings.
1. R_gen given p: holds (G25-L44/given-prompt), with I(S; W | p) to begin with.
2. R_gen under the averaged law: false (G25-L44/marginal), as the points are no independent draws of it: a model that
   repeats its prompt gives n copies of one point, so that n in the bound should be 1. At n = 1 it holds: it is G25-L44.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.cl_xr import samples
from proofs_checks.claims.g25_l44 import SOURCE, STORED
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio


@dataclass(frozen=True)
class Prompted:
    """A law of p, the laws of a point given p (p, k), n, an averaged loss (w, k), eta^L, and P(w | p, s) (p, s, w)."""

    prompt: np.ndarray
    laws: np.ndarray
    n: int
    loss: np.ndarray
    contraction: float
    training: np.ndarray

    def joint(self, *, copies: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the joint law (p, s, w) and the mean loss on each sample (s, w)."""
        drawn = [samples(law, self.n, copies=copies) for law in self.laws]
        given = np.stack([weight for weight, _ in drawn])
        # The last point runs fastest in the list of samples: z, .., z is number z (1 + k + .. + k^(n-1)).
        letters = self.laws.shape[1]
        repeated = np.arange(letters) * sum(letters**place for place in range(self.n))
        training = self.training[:, repeated] if copies else self.training
        return self.prompt[:, None, None] * given[:, :, None] * training, drawn[0][1] @ self.loss.T / self.n

    def gap(self, *, marginal: bool = False, copies: bool = False) -> float:
        """E[R_gen(W) - R_S(W)], R_gen given p or under the averaged law."""
        joint, seen = self.joint(copies=copies)
        laws = np.tile(self.prompt @ self.laws, (len(self.laws), 1)) if marginal else self.laws
        return float((joint * (laws @ self.loss.T)[:, None, :]).sum() - (joint * seen[None]).sum())

    def information(self, *, copies: bool = False) -> tuple[float, float]:
        """I(S; W) and I(S; W | p)."""
        joint = self.joint(copies=copies)[0]
        joint = joint / joint.sum()
        return float(dk.mutual_information(joint, 1, 2)), float(dk.conditional_mutual_information(joint, 1, 2, 0))


def echo(n: int, error: float = 0.25) -> Prompted:
    """Return the model that repeats its prompt, a fair bit; W the first point, a layer that flips bits."""
    first = np.repeat(np.eye(2), 2 ** (n - 1), axis=0)
    loss = np.array([[error, 1 - error], [1 - error, error]])
    return Prompted(np.array([0.5, 0.5]), np.eye(2), n, loss, (1 - 2 * error) ** 2, np.stack([first] * 2))


def exclusive(looks: bool) -> Prompted:
    """Fair bits p and Z; W is Z, or the exclusive or of both."""
    training = np.stack([np.eye(2), np.eye(2)[::-1] if looks else np.eye(2)])
    return Prompted(
        np.array([0.5, 0.5]), np.full((2, 2), 0.5), 1, np.array([[0.25, 0.75], [0.75, 0.25]]), 0.25, training
    )


def prompted_worlds(*, looks: bool = False):
    """Return a hypothesis strategy: two or three prompts and letters, one layer; ``looks``: W sees p as well as S."""
    from hypothesis import strategies as st

    from dkps_theory.bounds.contraction import dobrushin_coefficient, layered_loss

    def world(case):
        prompt, laws, n, seed, sharpness, equal = case
        table = np.random.default_rng(seed)
        layer, loss = table.dirichlet(np.full(3, 0.5), 3), table.integers(0, 5, (2, 3)) / 4
        scores = np.exp(sharpness * table.normal(size=(len(prompt), 3**n, 2)))
        training = scores / scores.sum(axis=2, keepdims=True)
        training = training if looks else np.stack([training[0]] * len(prompt))
        laws = np.stack([laws[0]] * len(prompt)) if equal else laws
        return Prompted(prompt, laws, n, layered_loss([layer], loss), dobrushin_coefficient(layer), training)

    def leaning(case):
        n, tilt, error = case
        counts = samples(np.array([0.5, 0.5]), n)[1]
        lean = 1 / (1 + np.exp(-2 * tilt * (counts[:, 1] - counts[:, 0])))
        loss = np.array([[error, 1 - error], [1 - error, error]])
        training = np.stack([np.stack([1 - lean, lean], axis=1)] * 2)
        return Prompted(np.array([0.5, 0.5]), np.full((2, 2), 0.5), n, loss, (1 - 2 * error) ** 2, training)

    generic = st.integers(2, 3).flatmap(
        lambda prompts: st.tuples(
            cases.integer_laws(prompts),
            cases.integer_laws(3, prompts),
            st.integers(1, 3),
            st.integers(0, 2**32 - 1),
            st.sampled_from([0.1, 1.0, 30.0]),
            st.booleans(),
        ).map(world)
    )
    bits = st.tuples(st.integers(1, 4), st.sampled_from([0.01, 0.1, 1.0]), st.sampled_from([0.125, 0.25])).map(leaning)
    return st.one_of(generic, bits, st.just(exclusive(looks)))


def _given(subject, setting: Setting) -> Evidence:
    """|E gap given p| over eta^(L/2) sqrt(2 sigma^2 I(S; W) / n); subject is sigma^2 and whether points are copies."""
    variance, copies = subject

    def ratio(world):
        information = world.information(copies=copies)[0]
        limit = math.sqrt(world.contraction * 2 * variance * max(information, 0.0) / world.n)
        # Rounding moves I by 1e-16: below 1e-6 that is more than the tolerance of this search.
        return abs(world.gap(copies=copies)) / limit if information > 1e-6 and limit > 0 else 0.0

    return largest_ratio(
        prompted_worlds(),
        ratio,
        setting,
        says="|E[R_gen(.|p) - R_S]| / (eta^(L/2) sqrt(2 sigma^2 I(S; W) / n)), sigma = 1/2, one layer, n <= 4",
        quick=150,
        full=1500,
    )


def _fortiori(looks: bool, setting: Setting) -> Evidence:
    """I(S; W | p) / I(S; W)."""

    def ratio(world):
        known, given = world.information()
        return given / max(known, 1e-9) if given > 1e-5 else 0.0  # rounding moves both by 1e-15

    return largest_ratio(
        prompted_worlds(looks=looks),
        ratio,
        setting,
        says="I(S; W | p) / I(S; W), W drawn from S alone",
        quick=150,
        full=1500,
    )


def _copied():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    sizes = list(range(1, 9))
    worlds = [echo(n) for n in sizes]
    axes.plot(sizes, [w.gap(marginal=True) for w in worlds], label="gap to the averaged law")
    axes.plot(sizes, [w.gap() for w in worlds], "-.", label="gap to the law given p")
    limits = [math.sqrt(w.contraction * 0.5 * w.information()[0] / w.n) for w in worlds]
    axes.plot(sizes, limits, "--", label="η^(L/2) √(2σ² I(S; W) / n)")
    axes.set(xlabel="n points that repeat the prompt", ylabel="generalization gap", ylim=(-0.02, None))
    figure.legend(loc="outside lower left")
    return figure


def _before(world: Prompted) -> np.ndarray:
    """Return the loss whose average over one symmetric channel with this contraction is the loss on bits, (w, 2)."""
    middle = world.loss.mean(axis=1, keepdims=True)
    return middle + (world.loss - middle) / math.sqrt(world.contraction)


_CHAIN = Hypothesis(
    "W is drawn from S alone", lambda w: bool(np.all(w.training == w.training[:1])) and w.training.min() >= 0
)
_IN_RANGE = Hypothesis(
    "the loss at the last layer lies in [0, 1], sigma = 1/2, before a symmetric channel, which contracts by eta < 1",
    lambda w: 0 < w.contraction < 1 and bool(np.all(np.abs(_before(w) - 0.5) <= 0.5)),
)
_LEANING = Witness(
    "a fair bit p, two points that are p with probability 3/4, W the first point behind a layer",
    lambda: Prompted(
        np.array([0.5, 0.5]), np.array([[0.75, 0.25], [0.25, 0.75]]), 2, echo(2).loss, 0.25, echo(2).training
    ),
    lambda w: w.gap() > 0 and w.gap(marginal=True) > w.gap(),
)

CLAIMS = (
    Claim(
        id="G25-L44/marginal",
        title="Points that share a prompt may be taken for independent draws of their averaged law",
        source=SOURCE,
        form="reconstructed",
        reading="R_gen under E_p D_gen(.|p); the n points of S_gen share p",
        statement=r"|\mathbb E[R_{\mathbb E_pD_{gen}(\cdot|p)}(W)-\hat R_{gen}(W)]|\le\eta^{L/2}"
        r"\sqrt{\frac{2\sigma^2}{n}I(S_{gen};W)}",
        hypotheses=(_CHAIN, _IN_RANGE),
        witness=_LEANING,
        checks=(
            Check(
                "echo",
                counterexample,
                Stored("g25-l44-marginal", **STORED),
                Stored("g25-l44-marginal", **STORED, replaced={"n": "1", "places": [["1"]], "points": [["0"], ["1"]]}),
                "one point, which is a draw of the averaged law",
            ),
        ),
        recorded="refuted",
        repair="G25-L44/given-prompt",
        drawings=(Drawing(_copied, "The points are copies of one: the gap to the averaged law stays as n grows."),),
    ),
    Claim(
        id="G25-L44/given-prompt",
        title="Given the prompt the layered bound holds, with the whole information I(S; W)",
        source=SOURCE,
        form="repaired",
        reading="R_gen under D_gen(.|p); points independent given p, W drawn from S_gen alone",
        statement=r"|\mathbb E[R_{D_{gen}(\cdot|p)}(W)-\hat R_{gen}(W)]|\le\eta^{L/2}"
        r"\sqrt{\frac{2\sigma^2}{n}I(S_{gen};W|p)}\le\eta^{L/2}\sqrt{\frac{2\sigma^2}{n}I(S_{gen};W)}",
        hypotheses=(_CHAIN, _IN_RANGE),
        witness=_LEANING,
        checks=(
            Check("worlds", _given, (0.25, False), (0.125, False), "sigma^2 halved"),
            Check("independence", _given, (0.25, False), (0.25, True), "the points given p are copies of one"),
            Check("less-information", _fortiori, False, True, "W sees p as well as S"),
        ),
        recorded="holds",
    ),
)
