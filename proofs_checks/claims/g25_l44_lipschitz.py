r"""G25-L44 with Lipschitz layers: a contraction of distances is none of information.

Setting. S = Z_1..Z_n iid D on a bounded part of the line (or any metric space), of diameter diam; W drawn from any
channel of S. Layers T_1..T_L are maps with |T_l(x) - T_l(y)| <= eta |x - y|, T their composition; the loss of w at a
point is f_w(T(z)).
Statement. |E[R(W) - R_S(W)]| <= eta^(L/2) sqrt((2 sigma^2 / n) I(S; W)).
Hypotheses. eta < 1; f_w(T(Z)) is sigma-sub-Gaussian for every w.
Constants. None below 1 in the place of eta^(L/2).
Relation. Upper bound on the absolute value of a mean.
Reference. G25-L44 by the account we have; CL-XR; Hoeffding 1963.

Derivation. False as read: x -> eta x is one to one, so no law is harder to tell from another after the layers, and a
loss by the sign of T(z) is what it was without them. With W = Z one fair sign the gap is 1/2, and the bound
eta^(L/2) sqrt(log 2 / 2).
Repair: let f_w be Lipschitz with constant a. Then f_w(T(.)) has range at most a eta^L diam, so it is
eta^L sigma-sub-Gaussian with sigma = a diam / 2 the proxy of f_w on the data themselves, and CL-XR gives the bound with
eta^L. Sharp: two points at distance diam, T(x) = eta^L x, f_w(y) = a |y - T(w)|, a predictor that leans, as in CL-XR.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.cl_xr import gaps, tilted
from proofs_checks.claims.g25_l44 import SOURCE, STORED
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio


@dataclass(frozen=True)
class Scaled:
    """Points on the line (k,) with a law, layers x -> centre + eta |x - centre| or centre + eta (x - centre), and W."""

    law: np.ndarray
    points: np.ndarray
    n: int
    eta: float
    centres: tuple[float, ...]
    folded: bool
    targets: np.ndarray
    channel: Callable[[np.ndarray], np.ndarray]

    def images(self) -> np.ndarray:
        """Return the points after the last layer."""
        x = self.points
        for centre in self.centres:
            x = centre + self.eta * (np.abs(x - centre) if self.folded else x - centre)
        return x

    def gaps(self, losses: np.ndarray | None = None) -> tuple[float, float, float]:
        """E gen, E|gen| and I(S; W) of the loss |T(z) - target_w|, or of a given one (w, k)."""
        return gaps(self.law, self.n, self.losses() if losses is None else losses, self.channel)

    def losses(self) -> np.ndarray:
        """Return |T(z) - target_w|, (w, k)."""
        return np.abs(self.targets[:, None] - self.images()[None])

    def by_sign(self) -> np.ndarray:
        """Return the loss by the side of the mean on which a point comes out of the last layer, (2, k)."""
        side = self.images() > self.images().mean()
        return np.stack([side, ~side]).astype(float)


def scaled_bits(eta: float, depth: int, tilt: float, n: int = 1) -> Scaled:
    """Fair signs, layers x -> eta x, and a predictor that leans towards their majority."""
    reach = eta**depth
    return Scaled(
        np.array([0.5, 0.5]),
        np.array([-1.0, 1.0]),
        n,
        eta,
        (0.0,) * depth,
        False,
        np.array([-reach, reach]),
        tilted(tilt),
    )


def scaled_worlds():
    """Return a hypothesis strategy: random points, layers, targets and channels, and leaning signs."""
    from hypothesis import strategies as st

    def world(case):
        law, points, n, eta, centres, folded, targets, seed = case
        table = np.random.default_rng(seed).dirichlet(np.ones(2), 3**3)
        return Scaled(law, points, n, eta, centres, folded, targets, lambda counts: table[: len(counts)])

    whole = st.integers(-4, 4).map(float)
    generic = st.tuples(
        cases.integer_laws(3),
        st.lists(whole, min_size=3, max_size=3, unique=True).map(np.array),
        st.integers(1, 3),
        st.sampled_from([0.25, 0.5, 0.75]),
        st.lists(whole, min_size=1, max_size=3).map(tuple),
        st.booleans(),
        st.lists(whole, min_size=2, max_size=2).map(np.array),
        st.integers(0, 2**32 - 1),
    ).map(world)
    bits = st.builds(
        scaled_bits, st.sampled_from([0.25, 0.5]), st.integers(1, 3), st.sampled_from([0.01, 0.1]), st.integers(1, 3)
    )
    return st.one_of(generic, bits)


def bound(world: Scaled, information: float, power: float, sigma: float) -> float:
    """eta^(power L) sqrt(2 sigma^2 I / n)."""
    return world.eta ** (power * len(world.centres)) * sigma * math.sqrt(2 * max(information, 0.0) / world.n)


def _lipschitz(power: float, setting: Setting) -> Evidence:
    """|E gen| over eta^(power L) sqrt(2 sigma^2 I / n), sigma half the diameter of the data."""

    def ratio(world):
        found, _, information = world.gaps()
        limit = bound(world, information, power, float(np.ptp(world.points)) / 2)
        return abs(found) / limit if information > 1e-6 else 0.0

    return largest_ratio(
        scaled_worlds(),
        ratio,
        setting,
        says="|E gen| / (eta^L sqrt(2 sigma^2 I / n)), sigma = diam / 2: loss |T(z) - target|, up to three layers",
        quick=150,
        full=1500,
    )


def _both():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    depths = list(range(1, 7))
    worlds = [scaled_bits(0.5, depth, 20.0) for depth in depths]
    axes.plot(depths, [w.gaps(w.by_sign())[0] for w in worlds], label="gap, loss by the sign")
    axes.plot(depths, [bound(w, math.log(2), 0.5, 0.5) for w in worlds], "--", label="η^(L/2) √(2σ² I / n), σ = 1/2")
    axes.plot(
        depths, [bound(w, math.log(2), 1.0, 1.0) for w in worlds], ":", label="η^L √(2σ² I / n), σ = diameter / 2"
    )
    axes.plot(depths, [w.gaps()[0] for w in worlds], "-.", label="gap, Lipschitz loss")
    axes.set(xlabel="layers x → x/2, one sign, W = Z", ylabel="generalization gap", yscale="log")
    figure.legend(loc="outside lower left")
    return figure


def steepest(world: Scaled) -> float:
    """Return the largest ratio of distances after and before the layers, to the power 1/L."""
    x, y = world.points, world.images()
    ratio = np.abs(y[:, None] - y[None]) / np.where(np.eye(len(x)) > 0, 1.0, np.abs(x[:, None] - x[None]))
    return float(ratio.max()) ** (1 / len(world.centres))


def _slope(world: Scaled) -> float:
    """Return the largest ratio of a difference of losses and the distance of the points after the layers."""
    loss, y = world.losses(), world.images()
    apart = np.abs(y[:, None] - y[None]) + np.eye(len(y))
    return float((np.abs(loss[:, :, None] - loss[:, None, :]) / apart[None]).max())


_CONTRACTS = Hypothesis("distances shrink by eta < 1 in every layer", lambda w: steepest(w) <= w.eta + 1e-12 < 1)
_SIDES = Hypothesis(
    "the loss by the sign lies in [0, 1], so sigma = 1/2",
    lambda w: bool(w.by_sign().min() >= 0 and w.by_sign().max() <= 1),
)
_LIPSCHITZ = Hypothesis("f_w changes by no more than the point does", lambda w: _slope(w) <= 1 + 1e-12)
_SIGNS = Witness(
    "one fair sign, two layers x -> x/4, W = Z",
    lambda: scaled_bits(0.25, 2, 20.0),
    lambda w: w.gaps()[0] > 0 < w.gaps(w.by_sign())[0],
)

CLAIMS = (
    Claim(
        id="G25-L44/lipschitz",
        title="Layers that shrink distances by eta shrink the information bound",
        source=SOURCE,
        form="reconstructed",
        reading="contraction is a Lipschitz constant eta of deterministic layers; any loss with proxy sigma",
        statement=r"|T_l(x)-T_l(y)|\le\eta|x-y|\ \Rightarrow\ |\mathbb E[R(W)-R_S(W)]|\le\eta^{L/2}"
        r"\sqrt{\frac{2\sigma^2}{n}I(S;W)}",
        hypotheses=(_CONTRACTS, _SIDES),
        witness=_SIGNS,
        checks=(
            Check(
                "one-sign",
                counterexample,
                Stored("g25-l44-lipschitz", **STORED),
                Stored("g25-l44-lipschitz", **STORED, replaced={"eta": "1", "images": [["-1"], ["1"]]}),
                "a layer that leaves the distance as it is, without the factor",
            ),
        ),
        recorded="refuted",
        repair="G25-L44/lipschitz-loss",
        drawings=(
            Drawing(_both, "The loss by the sign does not notice the layers; a Lipschitz loss shrinks with them."),
        ),
    ),
    Claim(
        id="G25-L44/lipschitz-loss",
        title="Layers that shrink distances shrink the bound by eta^L when the loss is Lipschitz too",
        source="own",
        form="repaired",
        reading="f_w Lipschitz with constant 1; sigma half of the diameter of the data",
        statement=r"|\mathbb E[R(W)-R_S(W)]|\le\eta^{L}\sqrt{\frac{2\sigma^2}{n}I(S;W)},\quad\sigma=\tfrac12"
        r"\operatorname{diam}",
        hypotheses=(_CONTRACTS, _LIPSCHITZ),
        witness=_SIGNS,
        checks=(Check("worlds", _lipschitz, 1.0, 1.5, "eta^(3L/2) instead of eta^L"),),
        recorded="holds",
    ),
)
