r"""Replicates that form a stationary Gaussian AR(1) series: the exact law of their means at any r and rho.

Write y = rho^b. For b successive unit-variance states u_1..u_b after u_0, with G = rho (1 - y) / (1 - rho),

    u_b             = y u_0 + sqrt(1 - y^2) e_1
    u_1 + ... + u_b = G u_0 + A e_1 + sqrt(V) e_2,    A = (1 - rho y) sqrt((1 - y) / (1 + y)) / (1 - rho),
    V = (1 + rho) / (1 - rho)^2 {b (1 - rho) - (1 + rho) (1 - y) / (1 + y)},

e_1 and e_2 independent standard normals. A is Cov(sum, u_b | u_0) / sd(u_b | u_0), where the covariance
(1 - y)(1 - rho y) / (1 - rho) is the geometric sum of (1 - rho^2) rho^(j-1) (1 - rho^j) / (1 - rho) over j = 1..b. V is
what is left when both ends are known: Var(sum | u_0) - A^2, with Var(sum) = S(b) = Var(sum | u_0) + G^2 and

    S(b) = sum_{k,l} rho^\|k-l\| = {b (1 - rho^2) - 2 rho (1 - y)} / (1 - rho)^2.

Collecting (1 - y) {2 rho + rho^2 (1 - y) + (1 - rho y)^2 / (1 + y)} = (1 + rho)^2 (1 - y) / (1 + y) gives V.
The braces lose all their digits as rho -> 1 with b (1 - rho) small. There, with L = -log rho and h = L / 2,

    S(b) = {b (sinh L - L) + (bL - 1 + exp(-bL))} / (2 sinh^2 h),
    {b (1 - rho) - (1 + rho) (1 - y)/(1 + y)} = (1 + rho) {(bh - tanh bh) - b (h - tanh h)},

and each bracket is a power series with terms of one sign where it is small. For rho < 0 all terms of S are positive.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory._linalg import sqrt_nonnegative
from dkps_theory._types import Key
from dkps_theory.populations._checks import ArrayLike, numbers, open_interval, per_cell
from dkps_theory.populations._documents import array_of, check_keys
from dkps_theory.populations._draws import normals
from dkps_theory.populations._spherical import SphericalGaussianLaw

#: Above this rho the formulas in L = -log rho are used, below it the plain ones lose at most a digit.
_NEAR_ONE = 0.5


@final
class AutoregressiveReplicates(SphericalGaussianLaw):
    """x_ijk = mu_ij + u_ijk, where the p coordinates of u_ij1, u_ij2, ... are stationary Gaussian AR(1) series.

    u_k = rho u_(k-1) + noise with coefficient rho, each u_k ~ N(0, (gamma_ij / p) I); models, queries and coordinates
    are independent, replicates are not (rho = 0 excepted).

    Parameters
    ----------
    means
        mu, (n, m, p).
    gamma
        Total variance of one answer, one number or (n, m), at least 0.
    rho
        Correlation of successive replicates, strictly between -1 and 1.

    Raises
    ------
    InputError
        On wrong axes, NaN or infinity, a negative gamma, or a rho outside (-1, 1).

    Notes
    -----
    ``gamma`` is the variance of one answer, as everywhere; gamma / r is NOT the variance of a mean, which is
    gamma S(r) / r^2 (:meth:`mean_variance`), near gamma (1 + rho) / (1 - rho) / r for large r. Means and paths are
    drawn exactly at a cost free of r, stable for every r up to 2^53 and rho in (-1, 1). Derivations: this module's
    docstring.

    Examples
    --------
    >>> law = AutoregressiveReplicates([[[0.0]]], gamma=1.0, rho=0.5)
    >>> float(law.mean_variance(2)[0, 0]), round(10**12 * float(law.mean_variance(10**12)[0, 0]), 9)
    (0.75, 3.0)
    """

    means: Float[Array, "n m p"]
    variance: Float[Array, "n m"]
    rho: Float[Array, ""]

    def __init__(self, means: ArrayLike, gamma: ArrayLike, rho: ArrayLike) -> None:
        self.means = jnp.asarray(numbers("means", means, "n m p"))
        self.variance = per_cell("gamma", gamma, self.means.shape[:2])
        self.rho = open_interval("rho", rho, -1.0, 1.0, "no other AR(1) series is stationary and not constant")

    @property
    def mean(self) -> Float[Array, "n m p"]:
        """The mean embeddings mu."""
        return self.means

    @property
    def gamma(self) -> Float[Array, "n m"]:
        """Total variance of one answer, not r times that of a mean."""
        return self.variance

    @property
    def _scale(self) -> Float[Array, "n m one"]:
        """Standard deviation of one coordinate of one answer."""
        return jnp.sqrt(self.variance / self.means.shape[2])[..., None]

    def _mean_variance(self, r: Float[Array, ""]) -> Float[Array, "n m"]:
        return self.variance * (variance_of_sum(self.rho, r) / r**2)

    def _sample(self, key: Key, r: int) -> Float[Array, "n m r p"]:
        n, m, p = self.means.shape
        noise = normals(key, (r, n, m, p))
        innovation = jnp.sqrt((1 - self.rho) * (1 + self.rho))

        def step(state: Float[Array, "n m p"], fresh: Float[Array, "n m p"]) -> tuple[Array, Array]:
            state = self.rho * state + innovation * fresh
            return state, state

        _, later = jax.lax.scan(step, noise[0], noise[1:])
        series = jnp.moveaxis(jnp.concatenate([noise[:1], later]), 0, 2)
        return self.means[:, :, None] + self._scale[:, :, None] * series

    def _sample_mean_errors(self, key: Key, r: Float[Array, ""]) -> Float[Array, "n m p"]:
        return self._scale * (jnp.sqrt(variance_of_sum(self.rho, r)) / r) * normals(key, self.means.shape)

    def _sample_mean_error_path(self, key: Key, grid: Float[Array, " len"]) -> Float[Array, "len n m p"]:
        shape = self.means.shape
        first_key, end_key, rest_key = jax.random.split(key, 3)
        # The state before the first answer is drawn and not counted, so the first block is a block like the others.
        before = normals(first_key, shape)
        ends, rests = (normals(one, (len(grid), *shape)) for one in (end_key, rest_key))
        blocks = block_law(self.rho, jnp.diff(grid, prepend=jnp.zeros(1)))

        def step(state: Float[Array, "n m p"], inputs: tuple[BlockLaw, Array, Array]) -> tuple[Array, Array]:
            block, end, rest = inputs
            total = block.from_state * state + block.from_end * end + block.rest * rest
            return block.memory * state + block.end * end, total

        _, sums = jax.lax.scan(step, before, (blocks, ends, rests))
        return self._scale[None] * jnp.cumsum(sums, axis=0) / grid[:, None, None, None]

    def to_document(self) -> dict[str, Any]:
        """Return plain Python numbers and lists, ready for TOML."""
        arrays = {"means": self.means.tolist(), "gamma": self.variance.tolist(), "rho": float(self.rho)}
        return {"kind": "autoregressive-replicates", **arrays}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> AutoregressiveReplicates:
        """Build from what :meth:`to_document` returns; errors name the key."""
        check_keys(document, required=("means", "gamma", "rho"))
        return cls(*(array_of(document, key) for key in ("means", "gamma", "rho")))


class BlockLaw(NamedTuple):
    """Last state and sum of a block, given the state before it, in units of the stationary standard deviation."""

    memory: Float[Array, " len"]  #: of the last state, on the state before
    end: Float[Array, " len"]  #: of the last state, on e_1
    from_state: Float[Array, " len"]  #: of the sum, on the state before
    from_end: Float[Array, " len"]  #: of the sum, on e_1
    rest: Float[Array, " len"]  #: of the sum, on e_2


def block_law(rho: Float[Array, ""], b: Float[Array, " len"]) -> BlockLaw:
    """Return the five coefficients for blocks of b successive answers."""
    y, below, above = _power(rho, b)
    # 1 - rho y, without the power b + 1, which is not a double where b is the largest count.
    following = jnp.where(rho * y > 0, (1 - jnp.abs(rho)) + jnp.abs(rho) * jnp.minimum(below, above), 1 - rho * y)
    scale = 1 / (1 - rho)
    plain = b * (1 - rho) - (1 + rho) * below / above
    half = _half_log(rho)
    near = (1 + rho) * (_minus_tanh(b * half) - b * _minus_tanh(half))
    left = jnp.where(b == 1, 0.0, jnp.where(rho > _NEAR_ONE, near, plain))
    return BlockLaw(
        memory=y,
        end=jnp.sqrt(below * above),
        from_state=rho * below * scale,
        from_end=following * scale * jnp.sqrt(below / above),
        rest=scale * sqrt_nonnegative((1 + rho) * left),
    )


def variance_of_sum(rho: Float[Array, ""], r: Float[Array, ""]) -> Float[Array, ""]:
    """Return S(r) = sum_{k,l = 1..r} rho^|k-l|, to nearly full precision for all whole r and |rho| < 1.

    Examples
    --------
    >>> float(variance_of_sum(jnp.asarray(0.5), jnp.asarray(2.0)))
    3.0
    """
    _, below, _ = _power(rho, r)
    plain = (r * (1 + rho) - 2 * rho * below / (1 - rho)) / (1 - rho)
    half = _half_log(rho)
    length = 2 * half
    near = (r * _sinh_minus(length) + _exp_remainder(r * length)) / (2 * jnp.sinh(half) ** 2)
    return jnp.where(rho > _NEAR_ONE, near, plain)


def _power(rho: Float[Array, ""], b: Float[Array, "*len"]) -> tuple[Array, Array, Array]:
    """Return rho^b, 1 - rho^b and 1 + rho^b for whole b from 1 on, each to nearly full precision."""
    size = jnp.abs(rho)
    logarithm = b * jnp.where(size > _NEAR_ONE, jnp.log1p(size - 1), jnp.log(size))
    power, gap = jnp.exp(logarithm), -jnp.expm1(logarithm)
    negative = (rho < 0) & (jnp.mod(b, 2) == 1)
    return (
        jnp.where(negative, -power, power),
        jnp.where(negative, 1 + power, gap),
        jnp.where(negative, gap, 1 + power),
    )


def _half_log(rho: Float[Array, ""]) -> Float[Array, ""]:
    """-log(rho) / 2 where rho is near one, anything harmless elsewhere."""
    return -jnp.log1p(jnp.where(rho > _NEAR_ONE, rho - 1, -0.5)) / 2


def _series(x: Float[Array, "*len"], coefficients: list[float]) -> Float[Array, "*len"]:
    """c_0 + c_1 x + c_2 x^2 + ... by Horner's rule."""
    total = jnp.full(x.shape, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _exp_remainder(x: Float[Array, "*len"]) -> Float[Array, "*len"]:
    """Return x - 1 + exp(-x) for x >= 0."""
    small = jnp.where(x < 1, x, 0.0)
    series = small**2 * _series(-small, [1 / math.factorial(k) for k in range(2, 20)])
    return jnp.where(x < 1, series, x + jnp.expm1(-x))


def _sinh_minus(x: Float[Array, "*len"]) -> Float[Array, "*len"]:
    """Return sinh(x) - x for 0 <= x <= log 2."""
    return x**3 * _series(x**2, [1 / math.factorial(2 * k + 3) for k in range(9)])


def _minus_tanh(x: Float[Array, "*len"]) -> Float[Array, "*len"]:
    """Return x - tanh(x) for x >= 0: (x cosh x - sinh x) / cosh x where x is small."""
    small = jnp.where(x < 1, x, 0.0)
    terms = [(2 * k + 2) / math.factorial(2 * k + 3) for k in range(10)]
    return jnp.where(x < 1, small**3 * _series(small**2, terms) / jnp.cosh(small), x - jnp.tanh(x))
