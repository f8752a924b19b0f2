r"""Contraction coefficients of finite channels, and a loss averaged over the noise of layers (for G25-L44).

A channel K is an array (x, y) whose rows are laws. eta_KL(K) = sup KL(P K || Q K) / KL(P || Q).

Dobrushin. With eta = max over x, x' of TV(K_x, K_x'), KL(P K || Q K) <= eta KL(P || Q) (Cohen et al. 1993). For g >= 1
let E_g(P, Q) = sum (p - g q)_+. The second derivative of t log t - t + 1 is 1/t, so it is the sum of the integrals of
(t - g)_+ / g over g > 1 and of (u - t)_+ / u over u < 1; with t = p/q and u = 1/g,

    KL(P || Q) = int_1^inf {E_g(P, Q) / g + E_g(Q, P) / g^2} dg.

Write P - g Q = a A - b B with laws A, B on disjoint letters: a = E_g(P, Q), and b >= a as the mass 1 - g is not
positive. For every event Y, (P K - g Q K)(Y) = a A K(Y) - b B K(Y) <= a {A K(Y) - B K(Y)} <= a eta. So E_g contracts by
eta, hence KL.

Binary symmetric channel with error rate e: eta_KL = (1 - 2e)^2 = c^2 (Ahlswede, Gacs 1976). A bit with P(1) = a becomes
one with q(a) = e + (1 - 2e) a. For fixed b let F(a) = c^2 kl(a, b) - kl(q(a), q(b)). Then F(b) = F'(b) = 0, and F'' =
c^2 {1 / (a (1 - a)) - 1 / (q (1 - q))} >= 0 because 4 q (1 - q) = 1 - c^2 (2a - 1)^2 >= 4 a (1 - a). So F >= 0. For b =
1/2 and a -> 1/2, kl(q(a), q(b)) / kl(a, b) goes to c^2. The channel's Dobrushin coefficient is |c|.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dkps_theory._validate import finite, require, shown

Table = np.ndarray | Sequence[Any]


def dobrushin_coefficient(channel: Table) -> float:
    """Return max over x, x' of TV(K_x, K_x'), an upper bound of eta_KL and of every other f-divergence's.

    Parameters
    ----------
    channel
        (x, y), rows are laws.

    Raises
    ------
    InputError
        When ``channel`` is not a matrix whose rows are laws.

    Notes
    -----
    Source: Dobrushin (1956); Cohen, Iwasa, Rautu, Ruskai, Seneta, Zbaganu (1993); derived at the top of the module.

    Examples
    --------
    >>> dobrushin_coefficient([[0.75, 0.25], [0.25, 0.75]])
    0.5
    """
    rows = finite("channel", channel)
    require(rows.ndim == 2, f"channel: got shape {rows.shape}; it must be a matrix (x, y)")
    _require_laws("channel", rows)
    variation = np.abs(rows[:, None, :] - rows[None, :, :]).sum(axis=2).max() / 2
    return min(float(variation), 1.0)  # rows may sum to 1 + 1e-12


def symmetric_channel_contraction(error: float) -> float:
    """Return eta_KL = (1 - 2 e)^2 of the binary symmetric channel that flips a bit with probability e.

    Raises
    ------
    InputError
        When ``error`` is not in [0, 1].

    Notes
    -----
    Source: Ahlswede, Gacs (1976); derived at the top of the module. Attained as the laws approach (1/2, 1/2).

    Examples
    --------
    >>> symmetric_channel_contraction(0.25)
    0.25
    """
    array = finite("error", error)
    require(array.shape == (), f"error: got shape {array.shape}; it must be one number")
    rate = float(array)
    require(0 <= rate <= 1, f"error: got {rate:g}; a probability lies in [0, 1]")
    return (1 - 2 * rate) ** 2


def layered_loss(channels: Sequence[Table], loss: Table) -> np.ndarray:
    """Return K_1 ... K_L f: for each w and data letter the loss at the last layer, averaged over the layers' noise.

    Parameters
    ----------
    channels
        K_1..K_L, the first acts on the data: each (x, y), or (w, x, y) where a layer depends on w; rows are laws. A
        layer that depends on w, with the same eta for every w, changes nothing in L44.
    loss
        f, (w, y) with y the letters after the last layer.

    Returns
    -------
    numpy.ndarray
        (w, x) with x the data letters; of Fractions where the loss or a channel is.

    Raises
    ------
    InputError
        When an array has other axes, sizes that do not fit the next, or rows that are no laws.

    Examples
    --------
    >>> layered_loss([[[0.75, 0.25], [0.25, 0.75]]], [[0.0, 1.0], [1.0, 0.0]]).tolist()
    [[0.25, 0.75], [0.75, 0.25]]
    """
    values = _numbers("loss", loss)
    require(values.ndim == 2, f"loss: got shape {values.shape}; it must be (w, y)")
    listed = isinstance(channels, (Sequence, np.ndarray)) and not isinstance(channels, str)
    require(listed, f"channels: got {shown(channels)}; they must be a sequence of tables, one for each layer")
    for place in reversed(range(len(channels))):
        name = f"channels[{place}]"
        layer = _numbers(name, channels[place])
        _require_laws(name, finite(name, layer))
        fits = (
            layer.ndim in (2, 3) and layer.shape[-1] == values.shape[1] and layer.shape[:-2] in ((), values.shape[:1])
        )
        wanted = f"(x, {values.shape[1]}) or ({len(values)}, x, {values.shape[1]})"
        require(fits, f"{name}: got shape {layer.shape}; before what follows it must be {wanted}")
        values = (layer @ values[:, :, None])[:, :, 0] if layer.ndim == 3 else values @ layer.T
    return values


def _numbers(name: str, table: Any) -> np.ndarray:
    """Return a table of finite numbers as they are, so that Fractions stay exact."""
    finite(name, table)
    array = np.asarray(table)
    require(array.dtype.kind in "biufO", f"{name}: holds {array.dtype} values; they must be numbers")
    return array


def _require_laws(name: str, rows: np.ndarray) -> None:
    require(rows.ndim > 1 and rows.size > 0, f"{name}: got shape {rows.shape}; it must hold rows")
    sums = rows.sum(axis=-1)
    wrong = np.argwhere((rows.min(axis=-1) < 0) | (np.abs(sums - 1) > 1e-12))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        require(False, f"{name}: row {list(place)} is no law: sum {sums[place]:.15g}, least {rows[place].min():g}")
