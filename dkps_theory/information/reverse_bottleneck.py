r"""The reverse-bottleneck quantities of a world of known laws, and its bounds beside what they bound (G25).

The process (generation confirmed; the factors D41 reconstructed). S_anchor is m iid draws of D. A prompt p is drawn
from a channel of S_anchor, and its factor e_p from a channel of p. The model's own factors are e_M = (e_M1..e_Mn), iid
given e_p. The answers are M_i = h(e_p) + g(e_Mi), curation adds eps = (eps_1..eps_n), iid given p, and S_gen,i = M_i +
eps_i. W is drawn from a channel of S_gen and W' (variable ``W_anchor``) from one of S_anchor. The variables of
``world.law`` are

    S_anchor, p, e_p, h, e_M, g, M, eps, S_gen, W, W_anchor.

Everything below uses of the law no more than its entropies (differential ones where it has densities) and mutual
informations, so that a finite and a jointly Gaussian world share it.

1. Delta_I = H(M) - I(h; M) = H(M | h) = H(g | h), as M and g determine each other given h; = H(g) where the factors are
independent. For finite alphabets, as g is a function of e_M,

    H(e_M) - Delta_I = H(e_M) - H(e_M | h) + H(e_M | g, h) = I(e_M; h) + H(e_M | g, h) >= 0.                         (1)

2. S_gen is a function of (e_M, e_p, eps) and W sees S_gen alone, so I(S_gen; W) = I(e_M, e_p, eps; W) = I(e_M; W) +
I(e_p; W | e_M) + I(eps; W | e_M, e_p), and I(e_p; W | e_M) = I(e_p; W) + I(e_M; e_p | W) - I(e_M; e_p). With (1), the
delta that makes L43, I(S_gen; W) <= -Delta_I + B_syn + H(e_M) + delta, an equality is

    delta* = {I(e_M; e_p | W) - I(e_M; e_p)} + I(eps; W | e_M, e_p) - I(e_M; h) - H(e_M | g, h).                     (2)

3. T49. alpha H(S_anchor | W) is H(S_anchor | W') and eps_{W,p} = H(S_anchor | W) - H(S_anchor | p), so every term with
W or W' cancels in

    right side - GGMI = Delta_I + I(S_anchor; p) - H(S_gen).                                                         (3)

Losses. R_D(w) = E l(w, Z), Z ~ D. R_gen is the same under the law of one point of S_gen, read in one of two ways: given
the prompt (``given_prompt=True``), which is given p and e_p, all that the points share, so that they are iid; or under
the marginal law of a point, of which the points of one S_gen are no independent draws. Total variations are halves of
sums of |p - q|, averaged over (p, e_p) in the first reading.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from typing import Any

from dkps_theory._validate import nearest_name, require, shown
from dkps_theory.bounds.generalization import (
    Number,
    l31_bound,
    l43_bound,
    l44_bound,
    l48_bound,
    t45_bound,
    t49_bound,
)


class ReverseBottleneckWorld(abc.ABC):
    """A world of the process above: the information side from ``law``, the learning side from who implements it.

    Attributes
    ----------
    law
        Joint law of the eleven variables, with ``entropy(names, given=())`` and ``mutual_information(a, b, given=())``.
    """

    law: Any  # JointLaw or LinearGaussian

    @property
    @abc.abstractmethod
    def anchors(self) -> int:
        """m, the number of anchor points."""

    @property
    @abc.abstractmethod
    def synthetic(self) -> int:
        """n, the number of synthetic points."""

    # The information side.

    @property
    def information_gain(self) -> float:
        """Delta_I = H(M) - I(h; M), computed as H(M | h)."""
        return self.law.entropy("M", "h")

    @property
    def b_syn(self) -> float:
        """B_syn = I(e_M; W) + I(e_p; W) (reconstructed)."""
        return self.law.mutual_information("e_M", "W") + self.law.mutual_information("e_p", "W")

    @property
    def model_entropy(self) -> float:
        """H(e_M)."""
        return self.law.entropy("e_M")

    @property
    def synthetic_information(self) -> float:
        """I(S_gen; W)."""
        return self.law.mutual_information("S_gen", "W")

    @property
    def anchor_information(self) -> float:
        """I(S_anchor; W')."""
        return self.law.mutual_information("S_anchor", "W_anchor")

    @property
    def ggmi(self) -> float:
        """GGMI = I(S_anchor; W') - I(S_gen; W)."""
        return self.anchor_information - self.synthetic_information

    @property
    def delta_entropy(self) -> float:
        """Delta_H = H(S_anchor) - H(S_gen)."""
        return self.law.entropy("S_anchor") - self.law.entropy("S_gen")

    @property
    def anchor_given_w(self) -> float:
        """H(S_anchor | W)."""
        return self.law.entropy("S_anchor", "W")

    @property
    def anchor_given_w_anchor(self) -> float:
        """H(S_anchor | W')."""
        return self.law.entropy("S_anchor", "W_anchor")

    @property
    def synthetic_given_w(self) -> float:
        """H(S_gen | W)."""
        return self.law.entropy("S_gen", "W")

    @property
    def epsilon_wp(self) -> float:
        """eps_{W,p} = H(S_anchor | W) - H(S_anchor | p) (reconstructed)."""
        return self.anchor_given_w - self.law.entropy("S_anchor", "p")

    @property
    def alpha(self) -> float | None:
        """The ratio alpha = H(S_anchor | W') / H(S_anchor | W); None where the denominator is 0."""
        below = self.anchor_given_w
        return None if below == 0 else self.anchor_given_w_anchor / below

    @property
    def least_delta(self) -> float:
        """delta*, the delta with which L43 is an equality, and the least with which it holds."""
        return self.synthetic_information - self.l43_right_side(0.0)

    def l43_right_side(self, delta: float) -> float:
        """-Delta_I + B_syn + H(e_M) + delta, the right side of L43 (reconstructed)."""
        return l43_bound(self.information_gain, self.b_syn, self.model_entropy, delta)

    @property
    def t49_right_side(self) -> float | None:
        """Right side of T49 (reconstructed).

        Where H(S_anchor | W) = H(S_anchor | W') = 0 every alpha gives the same. Where only the first is 0 there is no
        alpha, and no right side: None.
        """
        if math.isinf(self.epsilon_wp):  # S_anchor has a density, but none given p
            return self.epsilon_wp
        alpha = self.alpha
        if alpha is None:
            if self.anchor_given_w_anchor != 0:
                return None
            alpha = 0.0
        return t49_bound(
            self.information_gain,
            alpha,
            self.anchor_given_w,
            self.delta_entropy,
            self.synthetic_given_w,
            self.epsilon_wp,
        )

    @property
    def t49_slack(self) -> float:
        """T49's right side less GGMI, by (3): Delta_I + I(S_anchor; p) - H(S_gen), whatever alpha is."""
        prompted = self.law.mutual_information("S_anchor", "p")
        return self.information_gain + prompted - self.law.entropy("S_gen")

    # The learning side; for worlds with a loss. A mean absolute error that is not known is None.

    @property
    @abc.abstractmethod
    def loss_range(self) -> Number:
        """C, the width of the range of the loss."""

    @abc.abstractmethod
    def tv_model(self, *, given_prompt: bool = True) -> Number:
        """TV(D, D_M)."""

    @abc.abstractmethod
    def tv_curation(self, *, given_prompt: bool = True) -> Number:
        """TV(D_M, D_gen)."""

    @abc.abstractmethod
    def tv_direct(self, *, given_prompt: bool = True) -> Number:
        """TV(D, D_gen), never more than the sum of the two."""

    @property
    @abc.abstractmethod
    def true_risk(self) -> Number:
        """E R_D(W)."""

    @abc.abstractmethod
    def generated_risk(self, *, given_prompt: bool = True) -> Number:
        """E R_gen(W)."""

    @property
    @abc.abstractmethod
    def empirical_risk(self) -> Number:
        """E R^_gen(W), the mean loss of W on S_gen."""

    @property
    def generalization_error(self) -> Number:
        """E[R_D(W) - R^_gen(W)], signed."""
        return self.true_risk - self.empirical_risk

    def generated_error(self, *, given_prompt: bool = True) -> Number:
        """E[R_gen(W) - R^_gen(W)], signed: the error that L44 bounds."""
        return self.generated_risk(given_prompt=given_prompt) - self.empirical_risk

    @property
    @abc.abstractmethod
    def absolute_generalization_error(self) -> Number | None:
        """E|R_D(W) - R^_gen(W)|."""

    @abc.abstractmethod
    def absolute_generated_error(self, *, given_prompt: bool = True) -> Number | None:
        """E|R_gen(W) - R^_gen(W)|."""

    @property
    @abc.abstractmethod
    def anchor_true_risk(self) -> Number:
        """E R_D(W')."""

    @property
    @abc.abstractmethod
    def anchor_empirical_risk(self) -> Number:
        """E R^_anchor(W'), the mean loss of W' on S_anchor."""

    @property
    def anchor_generalization_error(self) -> Number:
        """E[R_D(W') - R^_anchor(W')], signed."""
        return self.anchor_true_risk - self.anchor_empirical_risk

    @property
    @abc.abstractmethod
    def absolute_anchor_generalization_error(self) -> Number | None:
        """E|R_D(W') - R^_anchor(W')|."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One bound beside the number it bounds; None for what is not known.

    Attributes
    ----------
    claim
        Which bound; L31 comes twice, for the mean absolute error and for the mean signed one.
    quantity
        What it bounds, as text.
    true, bound
        That number, and the bound; an error in units of the loss, GGMI in nats.
    """

    claim: str
    quantity: str
    true: float | None
    bound: float | None

    @property
    def slack(self) -> float | None:
        """Bound less true number: negative where the bound fails."""
        return None if self.true is None or self.bound is None else self.bound - self.true


@dataclasses.dataclass(frozen=True)
class SideBySide:
    """The bounds of G25 for one world, beside what they bound; ``print`` shows a table."""

    comparisons: tuple[Comparison, ...]

    def __getitem__(self, claim: str) -> Comparison:
        """Return the comparison of one claim."""
        for comparison in self.comparisons:
            if comparison.claim == claim:
                return comparison
        raise nearest_name("claim", claim, [comparison.claim for comparison in self.comparisons])

    def __str__(self) -> str:
        rows = [(c.claim, c.quantity, *map(_shown, (c.true, c.bound, c.slack))) for c in self.comparisons]
        table = [("claim", "quantity", "true", "bound", "slack"), *rows]
        left, middle = (max(len(row[place]) for row in table) for place in (0, 1))
        lines = [f"{row[0]:<{left}}  {row[1]:<{middle}}" + "".join(f"{cell:>9}" for cell in row[2:]) for row in table]
        return "\n".join(lines)


def side_by_side(
    world: ReverseBottleneckWorld,
    *,
    layers: int = 0,
    contraction: float = 1.0,
    anchor_contraction: float | None = None,
    proxy: float | None = None,
    delta: float | None = None,
    given_prompt: bool = True,
) -> SideBySide:
    """Return every bound of G25 for a world with a loss, beside the true quantity that it bounds.

    Parameters
    ----------
    world
        A finite or a linear-Gaussian world.
    layers, contraction, anchor_contraction
        L, eta and eta' of L44, T45 and L48, see :func:`dkps_theory.bounds.l44_bound`; eta' = eta unless given. With
        layers the loss of the world is the one averaged over their noise.
    proxy
        sigma^2 of the loss at the last layer; C^2 / 4 unless given, which is right without layers.
    delta
        delta of L43 in T45; the least one unless given.
    given_prompt
        Which reading of D_M and D_gen. L44 and T45 hold for the first; for marginal laws only when
        there is one generated point.

    Raises
    ------
    InputError
        When ``world`` is no such world or has no loss, a number is out of its range, or L43's right side is negative
        with this delta.

    Examples
    --------
    The prompt is the anchor, a fair bit; the model flips it in one answer of four, and the learner keeps the answer.

    >>> from dkps_theory.information.discrete_world import DiscreteWorld
    >>> world = DiscreteWorld.build(
    ...     data_law=[0.5, 0.5], prompt=lambda s: s[0], model_factor=[0.75, 0.25], modulus=2,
    ...     training=lambda s: s[0], loss=[[0.0, 1.0], [1.0, 0.0]],
    ... )
    >>> print(side_by_side(world))
    claim       quantity                       true    bound    slack
    L31         E|R_D(W) - R^_gen(W)|        0.5000   0.6250   0.1250
    L31/signed  E[R_D(W) - R^_gen(W)]        0.5000   0.6250   0.1250
    L44         E[R_gen(W) - R^_gen(W)]      0.3750   0.5887   0.2137
    T45         E[R_D(W) - R^_gen(W)]        0.5000   0.8387   0.3387
    L48         E[R_D(W') - R^_anchor(W')]   0.5000   0.5887   0.0887
    T49         GGMI                         0.0000   0.5623   0.5623
    """
    require(
        isinstance(world, ReverseBottleneckWorld),
        f"world: got {shown(world)}; it must be a ReverseBottleneckWorld, such as DiscreteWorld or LinearGaussianWorld",
    )
    variance = float(world.loss_range) ** 2 / 4 if proxy is None else proxy
    network = {"layers": layers, "contraction": contraction, "proxy": variance}
    variations = {
        "loss_range": world.loss_range,
        "tv_model": world.tv_model(given_prompt=given_prompt),
        "tv_curation": world.tv_curation(given_prompt=given_prompt),
    }
    absolute, signed = (
        error(given_prompt=given_prompt) for error in (world.absolute_generated_error, world.generated_error)
    )
    t45 = t45_bound(
        **variations,
        **network,
        n=world.synthetic,
        information_gain=world.information_gain,
        b_syn=world.b_syn,
        model_entropy=world.model_entropy,
        delta=world.least_delta if delta is None else delta,
    )
    network["contraction"] = contraction if anchor_contraction is None else anchor_contraction
    l44 = l44_bound(layers, contraction, variance, world.synthetic, world.synthetic_information)
    l48 = l48_bound(**network, m=world.anchors, information=world.anchor_information)
    on_gen, on_data = "E[R_gen(W) - R^_gen(W)]", "E[R_D(W) - R^_gen(W)]"
    rows = (
        ("L31", "E|R_D(W) - R^_gen(W)|", world.absolute_generalization_error, _l31(variations, absolute)),
        ("L31/signed", on_data, world.generalization_error, _l31(variations, signed)),
        ("L44", on_gen, signed, l44),
        ("T45", on_data, world.generalization_error, t45),
        ("L48", "E[R_D(W') - R^_anchor(W')]", world.anchor_generalization_error, l48),
        ("T49", "GGMI", world.ggmi, world.t49_right_side),
    )
    return SideBySide(tuple(Comparison(*row[:2], *(x if x is None else float(x) for x in row[2:])) for row in rows))


def _l31(variations: dict[str, Any], remainder: Number | None) -> float | None:
    return None if remainder is None else l31_bound(**variations, remainder=remainder)


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
