r"""Tails of quadratic forms, from moments (Cantelli) and from sub-Gaussian proxies (Hsu, Kakade, Zhang).

A vector z is sub-Gaussian with proxy K when E exp(u'z) <= exp(u'K u / 2) for every u. Let w be a standard Gaussian
vector apart from z. Then exp(s ||z||^2) = E_w exp(sqrt(2 s) w'z), so

    E exp(s ||z||^2) <= E exp(s w'K w) = prod_k (1 - 2 s kappa_k)^(-1/2),      0 <= s < 1 / (2 ||K||),

kappa the eigenvalues of K, with equality for Gaussian z. Markov's inequality gives, for every such s,

    P(||z||^2 > (t - (1/2) sum_k log(1 - 2 s kappa_k)) / s) <= exp(-t).                                              (1)

From -(1/2) log(1 - 2x) <= x + x^2 / (1 - 2x) and the minimum over s of s v / (1 - c s) + t / s, which is 2 sqrt(v t) +
c t, follows the closed form of Hsu, Kakade and Zhang (2012, Electron. Commun. Probab. 17, no. 52),

    P(||z||^2 > tr K + 2 sqrt(tr K^2 t) + 2 ||K|| t) <= exp(-t).                                                     (2)

Largest eigenvalues. Let M be a random symmetric k x k matrix with log E exp(s x'M x) <= psi(s) for every unit vector x.
For a law rho on the sphere, mu the uniform one, Donsker and Varadhan's formula gives E exp(sup_rho {s E_rho x'M x -
psi(s) - KL(rho, mu)}) <= E E_mu exp(s x'M x - psi(s)) <= 1. So with probability at least 1 - exp(-t), for all rho at
once, s E_rho x'M x <= psi(s) + KL(rho, mu) + t. Take for rho the uniform law on {x : (x'v)^2 >= 1 - h}, a double cap
about a unit vector v. By symmetry E_rho xx' = a vv' + b (I - vv') with a = E (x'v)^2 >= 1 - h and b = (1 - a)/(k - 1),
and with v the leading eigenvector of M

    (a - b) lambda_1(M) <= (psi(s) + KL + t) / s - b tr M.                                                           (3)

The share of the cap is I_h(e, 1/2) >= h^e / (e B(e, 1/2)), e = (k - 1)/2, so KL <= e log(1/h) + log(e B(e, 1/2)). A net
would need (1 + 2/h)^k points and lose twice h besides; caps lose little: for white noise the excess of ||F||^2 over its
mean comes out a third too large, where the best net is 2.8 times too large.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from dkps_theory._validate import finite, require

#: Squared sines of the opening angles of the caps that are tried; and values of 2 s ||K|| in (1).
_OPENINGS = np.concatenate([[0.005, 0.01, 0.02, 0.035], np.linspace(0.05, 0.8, 31)])
_TILTS = np.concatenate([np.geomspace(0.003, 0.5, 40), 1 - np.geomspace(0.48, 0.005, 40)])


def cantelli_quantile(mean: float, variance: float, alpha: float) -> float:
    """Return mean + sqrt(variance (1 - alpha) / alpha), exceeded with probability at most alpha whatever the law.

    Parameters
    ----------
    mean, variance
        Of one random number.
    alpha
        Strictly between 0 and 1.

    Raises
    ------
    InputError
        For a negative variance, NaN or infinity, or an alpha outside (0, 1).

    Examples
    --------
    >>> cantelli_quantile(1.0, 4.0, 0.2)
    5.0
    """
    mean, variance = (float(finite(name, value)) for name, value in (("mean", mean), ("variance", variance)))
    require(variance >= 0, f"variance: got {variance:g}; it must be at least 0")
    return mean + math.sqrt(variance * (1 - checked_alpha(alpha)) / alpha)


def hkz_quantile(trace: float, trace_of_square: float, norm: float, t: float) -> float:
    """Return tr K + 2 sqrt(tr K^2 t) + 2 ||K|| t: ||z||^2 exceeds it with probability at most exp(-t).

    Hsu, Kakade and Zhang (2012), for z sub-Gaussian with proxy K: E exp(u'z) <= exp(u'K u / 2) for every u. With z =
    A x and x sub-Gaussian with proxy I, K = A A'.

    Parameters
    ----------
    trace, trace_of_square, norm
        Of K, or upper bounds of them.
    t
        At least 0; log(1 / alpha) for an alpha.

    Raises
    ------
    InputError
        When one of them is negative or not finite.

    Examples
    --------
    >>> hkz_quantile(4.0, 4.0, 1.0, 1.0)
    10.0
    """
    values = []
    for name, value in (("trace", trace), ("trace_of_square", trace_of_square), ("norm", norm), ("t", t)):
        values.append(float(finite(name, value)))
        require(values[-1] >= 0, f"{name}: got {values[-1]:g}; it must be at least 0")
    trace, trace_of_square, norm, t = values
    return trace + 2 * math.sqrt(trace_of_square * t) + 2 * norm * t


def chernoff_quantile(eigenvalues: Float[np.ndarray, " k"], t: float) -> float:
    """Return a number that ||z||^2 exceeds with probability at most exp(-t): (1) at the best s of a grid.

    Never above :func:`hkz_quantile`. For a Gaussian z it is Chernoff's bound, up to the grid.

    Parameters
    ----------
    eigenvalues
        (k,), those of the proxy K of z, each at least 0; what rounding leaves below 0 counts as 0.
    t
        At least 0.

    Raises
    ------
    InputError
        When an eigenvalue or t is not finite, or t is negative.

    Examples
    --------
    Two coordinates of variance 1; the exact quantile is 2 t = 6, and the closed form gives 12.9.

    >>> round(chernoff_quantile(np.ones(2), 3.0), 2)
    11.5
    """
    values = np.maximum(finite("eigenvalues", eigenvalues), 0.0).ravel()
    level = float(finite("t", t))
    require(level >= 0, f"t: got {level:g}; it must be at least 0")
    if not values.size or values.max() == 0:
        return 0.0
    s, psi = log_moments(values[None])
    closed = hkz_quantile(values.sum(), np.square(values).sum(), values.max(), level)
    return float(min(closed, ((level + psi[0]) / s[0]).min()))


def log_moments(
    eigenvalues: Float[np.ndarray, "n k"],
) -> tuple[Float[np.ndarray, "n len"], Float[np.ndarray, "n len"]]:
    """Return a grid of s for each row, and -(1/2) sum_k log(1 - 2 s kappa_k) there; rows of zeros give zeros."""
    largest = eigenvalues.max(axis=1)
    s = _TILTS[None] / (2 * np.where(largest > 0, largest, 1.0)[:, None])
    psi = -0.5 * np.log1p(-2 * s[:, :, None] * eigenvalues[:, None, :]).sum(axis=-1)
    return s, psi


def cap_cost(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for the caps that are tried on the sphere of R^k a bound of KL(rho, mu) and a lower bound 1 - h of a.

    Examples
    --------
    On a line the cap is the whole sphere.

    >>> [part.tolist() for part in cap_cost(1)]
    [[0.0], [1.0]]
    """
    if k == 1:
        return np.zeros(1), np.ones(1)
    e = (k - 1) / 2
    log_beta = math.lgamma(e) + math.lgamma(0.5) - math.lgamma(e + 0.5)
    cost, share = e * np.log(1 / _OPENINGS) + math.log(e) + log_beta, 1 - _OPENINGS
    usable = share * k > 1  # a > b
    return np.maximum(cost[usable], 0.0), share[usable]


def largest_eigenvalue_quantile(
    k: int, drift: float, variance: float, scale: float, trace_deviation: float, t: float
) -> float:
    """Return an upper bound of lambda_1(M) that holds with probability at least 1 - exp(-t), by (3).

    Parameters
    ----------
    k
        Size of the symmetric matrix M.
    drift, variance, scale
        log E exp(s x'M x) <= s drift + s^2 variance / (1 - s scale) for every unit x and 0 <= s < 1 / scale.
    trace_deviation
        A bound of -tr M, on an event of its own.
    t
        At least 0.

    Examples
    --------
    >>> round(largest_eigenvalue_quantile(1, 0.0, 4.0, 1.0, 0.0, 1.0), 6)
    5.0
    """
    cost, share = cap_cost(k)
    rest = (1 - share) / max(k - 1, 1)
    level = cost + t
    deviation = drift + 2 * np.sqrt(variance * level) + scale * level
    return max(0.0, float(((deviation + rest * max(trace_deviation, 0.0)) / (share - rest)).min()))


def checked_alpha(alpha: object, name: str = "alpha") -> float:
    """Return a probability strictly between 0 and 1."""
    value = finite(name, alpha)
    require(value.shape == () and 0 < float(value) < 1, f"{name}: it must be one number strictly between 0 and 1")
    return float(value)
