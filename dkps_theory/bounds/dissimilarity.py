"""Exact finite-r moments of squared dissimilarities, from population scalars alone (DK-M1).

Derivation. Write delta_j = (mu_i - mu_i')_j and e_j = (E_i - E_i')_j with E = X - mu, so that for e = 1
D^2 = c^2 sum_j ||delta_j + e_j||^2. The e_j are independent over j, centred, with covariance S_j = (Sigma_ij +
Sigma_i'j) / r. Cumulants of independent sums add, so the contracted third cumulant of e_j is t_j = (T_ij - T_i'j) / r^2
with T = E x~ ||x~||^2, and its contracted fourth cumulant is (kappa_ij + kappa_i'j) / r^3 with kappa = E ||x~||^4 -
(tr Sigma)^2 - 2 tr Sigma^2. Hence

    E D^2   = Delta^2 + c^2 sum_j tr S_j
    Var D^2 = c^4 sum_j { 4 delta_j' S_j delta_j + 4 delta_j' t_j + 2 tr S_j^2 + (kappa_ij + kappa_i'j) / r^3 }.

The debiased square replaces ||X_ij||^2 by the U-statistic of products of different replicates. Its linear part, its two
U-statistics and its cross product are mutually uncorrelated because each involves different centred replicates, so

    Var = c^4 sum_j { 4 delta_j' S_j delta_j + 2 (tr Sigma_ij^2 + tr Sigma_i'j^2) / (r (r - 1))
                      + 4 tr(Sigma_ij Sigma_i'j) / r^2 }

for every law with two moments, Gaussian or not: no third or fourth moment is left.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory._types import AnyArray
from dkps_theory._validate import require
from dkps_theory.bounds._checks import checked_array, checked_whole
from dkps_theory.conventions import DEFAULT, Convention, checked_convention


def squared_dissimilarity_mean(
    mean: Float[AnyArray, "n m p"],
    gamma: Float[AnyArray, "n m"],
    r: float | Float[Array, ""],
    convention: Convention = DEFAULT,
) -> Float[Array, "n n"]:
    """Return E D^2 at r replicates, exactly; zero on the diagonal.

    Parameters
    ----------
    mean, gamma
        The population's mu and gamma_ij = trace Sigma_ij.
    r
        Replicates per model and query.
    convention
        Must have exponent 1; for other exponents no finite set of moments gives E D^2.

    Raises
    ------
    InputError
        For another exponent, NaN or infinities, shapes that do not belong together, or an r that is not a whole number
        of at least 1. What is traced has its shape checked only.

    Examples
    --------
    Two models at distance 1, unit noise, one query, r = 4: 1 + (1 + 1)/4.

    >>> import numpy as np
    >>> squared_dissimilarity_mean(np.array([[[0.0]], [[1.0]]]), np.ones((2, 1)), 4)
    Array([[0. , 1.5],
           [1.5, 0. ]], dtype=float64)
    """
    mean, scale = _checked_mean(mean, r, convention)
    gamma = checked_array("gamma", gamma, "n m", mean.shape[:2])
    delta = _squared_distances(mean)
    noise = gamma.sum(axis=1) / r
    return _hollow(scale * (delta + noise[:, None] + noise[None, :]))


def squared_dissimilarity_variance(
    mean: Float[AnyArray, "n m p"],
    covariance: Float[AnyArray, "n m p p"],
    cubic: Float[AnyArray, "n m p"],
    quartic: Float[AnyArray, "n m"],
    r: float | Float[Array, ""],
    convention: Convention = DEFAULT,
) -> Float[Array, "n n"]:
    """Return Var D^2 at r replicates, exactly, for any law with four moments; zero on the diagonal.

    Parameters
    ----------
    mean, covariance, cubic, quartic
        mu, Sigma, E x~ ||x~||^2 and E ||x~||^4 of the population (x~ = x - mu).
    r, convention
        As in :func:`squared_dissimilarity_mean`.

    Raises
    ------
    InputError
        As :func:`squared_dissimilarity_mean`.

    Examples
    --------
    Two models at distance 1, unit Gaussian noise, one query, r = 4: 4 (1 + 1)/4 + 2 (2/4)^2.

    >>> import numpy as np
    >>> mean, ones = np.array([[[0.0]], [[1.0]]]), np.ones((2, 1))
    >>> squared_dissimilarity_variance(mean, np.ones((2, 1, 1, 1)), np.zeros((2, 1, 1)), 3 * ones, 4)
    Array([[0. , 2.5],
           [2.5, 0. ]], dtype=float64)
    """
    mean, scale = _checked_mean(mean, r, convention)
    covariance = checked_array("covariance", covariance, "n m p p", (*mean.shape, mean.shape[2]))
    cubic = checked_array("cubic", cubic, "n m p", mean.shape)
    quartic = checked_array("quartic", quartic, "n m", mean.shape[:2])
    linear, own, cross = _quadratic_forms(mean, covariance)
    gamma = jnp.trace(covariance, axis1=-2, axis2=-1)
    kappa = (quartic - gamma**2).sum(1) - 2 * own
    skew = jnp.einsum("njp,njp->n", mean, cubic)
    mixed = jnp.einsum("ijp,ljp->il", mean, cubic)
    # delta . (T_i - T_l) = mu_i.T_i - mu_i.T_l - mu_l.T_i + mu_l.T_l
    third = skew[:, None] + skew[None, :] - mixed - mixed.T
    squares = own[:, None] + own[None, :] + 2 * cross
    fourth = kappa[:, None] + kappa[None, :]
    return _hollow(scale**2 * (4 * linear / r + 4 * third / r**2 + 2 * squares / r**2 + fourth / r**3))


def debiased_variance(
    mean: Float[AnyArray, "n m p"],
    covariance: Float[AnyArray, "n m p p"],
    r: float | Float[Array, ""],
    convention: Convention = DEFAULT,
) -> Float[Array, "n n"]:
    """Return the exact variance of the debiased D^2 at r >= 2 replicates, for any law with two moments.

    Parameters
    ----------
    mean, covariance
        mu and Sigma of the population.
    r, convention
        As in :func:`squared_dissimilarity_mean`; r >= 2, since gamma cannot be estimated from one replicate.

    Raises
    ------
    InputError
        As :func:`squared_dissimilarity_mean`, and when r = 1.

    Examples
    --------
    Two models at distance 1, unit noise, one query, r = 4: 4 (1 + 1)/4 + 2 (1 + 1)/(4 * 3) + 4/4^2.

    >>> import numpy as np
    >>> variance = debiased_variance(np.array([[[0.0]], [[1.0]]]), np.ones((2, 1, 1, 1)), 4)
    >>> round(float(variance[0, 1]), 6)
    2.583333
    """
    mean, scale = _checked_mean(mean, r, convention, least=2)
    covariance = checked_array("covariance", covariance, "n m p p", (*mean.shape, mean.shape[2]))
    linear, own, cross = _quadratic_forms(mean, covariance)
    pairs = 2 * (own[:, None] + own[None, :]) / (r * (r - 1.0))
    return _hollow(scale**2 * (4 * linear / r + pairs + 4 * cross / r**2))


# Compiled once for each shape: run op by op, the loop over rows would be compiled anew at every call.
@jax.jit
def _squared_distances(mean: Float[Array, "n m p"]) -> Float[Array, "n n"]:
    return jax.lax.map(lambda row: jnp.square(row[None] - mean).sum((1, 2)), mean)


@jax.jit
def _quadratic_forms(
    mean: Float[Array, "n m p"], covariance: Float[Array, "n m p p"]
) -> tuple[Float[Array, "n n"], Float[Array, " n"], Float[Array, "n n"]]:
    """Return sum_j delta_j'(Sigma_i + Sigma_l)delta_j, sum_j tr Sigma_i^2 and sum_j tr(Sigma_i Sigma_l), row by row."""

    def row(pair: tuple[Array, Array]) -> tuple[Array, Array]:
        here, sigma = pair
        delta = here[None] - mean
        forms = jnp.einsum("ljp,ljpq,ljq->l", delta, sigma[None] + covariance, delta)
        return forms, jnp.einsum("jpq,ljqp->l", sigma, covariance)

    linear, cross = jax.lax.map(row, (mean, covariance))
    return linear, jnp.diagonal(cross), cross


def _checked_mean(
    mean: Float[AnyArray, "n m p"], r: object, convention: Convention, least: int = 1
) -> tuple[Float[Array, "n m p"], float]:
    """Return the means and c^2, after the checks that the three moments share."""
    require(
        checked_convention(convention).is_linear,
        f"convention: got {convention.label}; the exact moments of D^2 are known for exponent 1 only",
    )
    checked_whole("r (replicates)", r, least)
    checked = checked_array("mean", mean, "n m p")
    return checked, convention.scale(checked.shape[1]) ** 2


def _hollow(values: Float[Array, "n n"]) -> Float[Array, "n n"]:
    return values * (1 - jnp.eye(len(values)))
