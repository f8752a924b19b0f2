r"""Generalisation bounds for training on synthetic data (G25), as functions of scalars, in nats.

Conventions. Total variation is half of the sum of |p - q|. ``loss_range`` is C. ``proxy`` is sigma^2: log E exp(t (l -
E l)) <= sigma^2 t^2 / 2 for all t; a loss whose range has width C has sigma^2 = C^2 / 4 (Hoeffding). Errors are risk
minus mean loss on the sample, W depends on the data through that sample only.

L31. For a loss in [0, C], |E_P l - E_Q l| <= C TV(P, Q), so with the triangle inequality through D_M and D_gen,

    |R_D - R^_gen| <= C {TV(D, D_M) + TV(D_M, D_gen)} + |R_gen - R^_gen|   for each w and sample;

likewise without the bars on both sides. For |l| <= C the range has width 2C, and so does the constant.

L44. Layers K_1..K_L are channels, applied in this order to a data point with fresh noise, each with KL(P K || Q K) <=
eta KL(P || Q); f is the loss at the last layer, sigma^2-sub-Gaussian under every law of its input, and l = K f, K = K_1
... K_L, the loss averaged over the noise. For all laws Q << P of a data point, |E_Q l - E_P l| = |E_QK f - E_PK f| <=
sqrt(2 sigma^2 KL(QK || PK)) <= sqrt(2 sigma^2 eta^L KL(Q || P)). Given s > 0 take Q proportional to exp(s l) P: log E_P
exp(s (l - E_P l)) = s (E_Q l - E_P l) - KL(Q || P) <= s sqrt(2 sigma^2 eta^L KL) - KL <= sigma^2 eta^L s^2 / 2, for s <
0 likewise: l is sub-Gaussian with proxy sigma^2 eta^L. XR17 for l and n iid points then gives, with eta^(L/2) =
exp(-(L/2) log(1/eta)),

    |E[R(W) - R_S(W)]| <= eta^(L/2) sqrt(2 sigma^2 I(S; W) / n).

L43 bounds I(S_gen; W) by -Delta_I + B_syn + H(e_M) + delta (reconstructed), T45 puts the three together, L48 is L44 for
the anchors and T49 bounds GGMI: see :mod:`dkps_theory.information.reverse_bottleneck`.
"""

from __future__ import annotations

import math
from fractions import Fraction

from dkps_theory._validate import finite, require, whole_number

Number = float | Fraction

#: How far rounding may leave a total variation outside [0, 1], or an information that is 0 below it.
ROUNDING = 1e-9


def l31_bound(
    loss_range: Number, tv_model: Number, tv_curation: Number, remainder: Number, *, signed_loss: bool = False
) -> float:
    """Return C (TV(D, D_M) + TV(D_M, D_gen)) + remainder, G25-L31.

    Parameters
    ----------
    loss_range
        C, at least 0: the loss lies in [0, C].
    tv_model, tv_curation
        TV(D, D_M) and TV(D_M, D_gen), in [0, 1]; up to 1e-9 outside is taken for rounding.
    remainder
        |R_gen - R^_gen| or its mean, for a bound of the absolute error or its mean; R_gen - R^_gen or its mean, which
        may be negative, for a bound of the signed one. Reconstructed.
    signed_loss
        Whether the loss lies in [-C, C] instead, which makes the constant 2C.

    Raises
    ------
    InputError
        When a number is out of its range.

    Notes
    -----
    Source: G25, Lemma 3.1; its first term is confirmed, its remainder reconstructed.

    Examples
    --------
    >>> l31_bound(1.0, 0.25, 0.125, 0.5)
    0.875
    """
    width = _number("loss_range", loss_range, 0) * (2 if signed_loss else 1)
    detour = _number("tv_model", tv_model, 0, 1, ROUNDING) + _number("tv_curation", tv_curation, 0, 1, ROUNDING)
    return width * detour + _number("remainder", remainder)


def l43_bound(information_gain: Number, b_syn: Number, model_entropy: Number, delta: Number) -> float:
    """Return -Delta_I + B_syn + H(e_M) + delta, what G25-L43 (reconstructed) bounds I(S_gen; W) by.

    Parameters
    ----------
    information_gain, b_syn, model_entropy, delta
        Delta_I, B_syn, H(e_M) and delta, in nats; differential entropies may be negative.

    Raises
    ------
    InputError
        When a number is not finite.

    Notes
    -----
    A negative value means that the inequality does not hold with this delta, as I(S_gen; W) >= 0.

    Examples
    --------
    >>> l43_bound(0.5, 0.25, 1.0, 0.0)
    0.75
    """
    gain, told = _number("information_gain", information_gain), _number("b_syn", b_syn)
    return told - gain + _number("model_entropy", model_entropy) + _number("delta", delta)


def l44_bound(layers: int, contraction: Number, proxy: Number, n: int, information: Number) -> float:
    """Return eta^(L/2) sqrt(2 sigma^2 I / n), G25-L44: the bound of E[R(W) - R_S(W)] and of its absolute value.

    Parameters
    ----------
    layers
        L, a whole number of at least 0; with 0 it is XR17's bound.
    contraction
        eta of each layer, in (0, 1].
    proxy
        sigma^2 of the loss at the last layer, at least 0.
    n
        Points in S, at least 1.
    information
        I(S; W) in nats, at least 0; a value from -1e-9 to 0 is taken for rounding.

    Raises
    ------
    InputError
        When a number is out of its range. A negative information is no number that I(S; W) can be, so what it came
        from, such as L43 with too small a delta, is false.

    Notes
    -----
    Source: G25, Lemma 4.4, confirmed; Xu, Raginsky (2017). What the layers must be is derived at the top of the module.

    Examples
    --------
    >>> l44_bound(2, 0.25, 0.25, 8, 1.0)
    0.0625
    """
    layers, n = whole_number("layers", layers, 0), whole_number("n (points)", n, 1)
    eta = _number("contraction", contraction)
    require(0 < eta <= 1, f"contraction: got {eta:.12g}; it must lie in (0, 1]")
    variance = _number("proxy (sigma^2)", proxy, 0)
    known = _number("information", information, 0, leeway=ROUNDING)
    return eta ** (layers / 2) * math.sqrt(2 * variance * known / n)


def t45_bound(
    *,
    loss_range: Number,
    tv_model: Number,
    tv_curation: Number,
    layers: int,
    contraction: Number,
    proxy: Number,
    n: int,
    information_gain: Number,
    b_syn: Number,
    model_entropy: Number,
    delta: Number,
    signed_loss: bool = False,
) -> float:
    """Return G25-T45 (reconstructed): L31 whose remainder is L44 with I(S_gen; W) replaced by L43's right side.

    C (TV(D, D_M) + TV(D_M, D_gen)) + eta^(L/2) sqrt(2 sigma^2 (-Delta_I + B_syn + H(e_M) + delta) / n), for the signed
    error E[R_D(W) - R^_gen(W)]: L44 bounds no mean absolute error.

    Parameters
    ----------
    loss_range, tv_model, tv_curation, signed_loss
        As :func:`l31_bound`.
    layers, contraction, proxy, n
        As :func:`l44_bound`.
    information_gain, b_syn, model_entropy, delta
        As :func:`l43_bound`.

    Raises
    ------
    InputError
        When a number is out of its range, or L43's right side is negative: then delta is too small for L43 to hold.

    Examples
    --------
    >>> scalars = dict(loss_range=1.0, tv_model=0.25, tv_curation=0.0, layers=0, contraction=1.0, proxy=0.25, n=2)
    >>> t45_bound(**scalars, information_gain=0.5, b_syn=0.5, model_entropy=0.25, delta=0.0)
    0.5
    """
    information = l43_bound(information_gain, b_syn, model_entropy, delta)
    require(
        information >= -ROUNDING,
        f"delta: got {float(delta):g}, with which L43 bounds I(S_gen; W) by {information:g}; none is negative",
    )
    remainder = l44_bound(layers, contraction, proxy, n, information)
    return l31_bound(loss_range, tv_model, tv_curation, remainder, signed_loss=signed_loss)


def l48_bound(layers: int, contraction: Number, proxy: Number, m: int, information: Number) -> float:
    """Return eta'^(L/2) sqrt(2 sigma^2 I(S_anchor; W') / m), G25-L48 (reconstructed): L44 for the anchors.

    Anchors are draws of D itself, so there is no total variation. Parameters and errors as :func:`l44_bound`, with m
    anchors for n.

    Examples
    --------
    >>> l48_bound(0, 1.0, 0.25, 2, 1.0)
    0.5
    """
    return l44_bound(layers, contraction, proxy, whole_number("m (anchors)", m, 1), information)


def t49_bound(
    information_gain: Number,
    alpha: Number,
    anchor_given_w: Number,
    delta_entropy: Number,
    synthetic_given_w: Number,
    epsilon_wp: Number,
) -> float:
    """Return Delta_I - (alpha + 1) H(S_anchor|W) + 2 Delta_H + H(S_gen|W) + eps_{W,p}, G25-T49 (reconstructed).

    Parameters
    ----------
    information_gain, alpha, anchor_given_w, delta_entropy, synthetic_given_w, epsilon_wp
        Delta_I, alpha, H(S_anchor|W), Delta_H = H(S_anchor) - H(S_gen), H(S_gen|W) and eps_{W,p} = H(S_anchor|W) -
        H(S_anchor|p), in nats but for alpha.

    Raises
    ------
    InputError
        When a number is not finite.

    Notes
    -----
    For the quantities of one world it exceeds GGMI by Delta_I + I(S_anchor; p) - H(S_gen).

    Examples
    --------
    >>> t49_bound(0.5, 1.0, 0.25, 0.5, 0.25, 0.0)
    1.25
    """
    remaining = _number("anchor_given_w", anchor_given_w) * (_number("alpha", alpha) + 1)
    entropies = 2 * _number("delta_entropy", delta_entropy) + _number("synthetic_given_w", synthetic_given_w)
    return _number("information_gain", information_gain) - remaining + entropies + _number("epsilon_wp", epsilon_wp)


def _number(name: str, value: Number, low: float = -math.inf, high: float = math.inf, leeway: float = 0.0) -> float:
    """Return ``value`` as a float in [low, high], the nearer end for what leaves it by no more than ``leeway``."""
    array = finite(name, value)
    require(array.shape == (), f"{name}: got shape {array.shape}; it must be one number")
    number = float(array)
    require(low - leeway <= number <= high + leeway, f"{name}: got {number:.12g}; it must be {_range(low, high)}")
    return min(max(number, low), high)


def _range(low: float, high: float) -> str:
    return f"in [{low:g}, {high:g}]" if math.isfinite(high) else f"at least {low:g}"
