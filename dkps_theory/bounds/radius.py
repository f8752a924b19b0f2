"""A certified finite-sample radius of the aligned error (DK-M8 and DK-M9 with tail bounds), for e = 1.

Derivation. DK-M8 and DK-M9 bound the aligned error of every draw by norms of the noise F = c H E; quantiles of those
norms (dkps_theory.bounds._noise) turn them into numbers that the error stays below with a stated probability.

* DK-M8: k ||F||_F, one event.
* DK-M9: ||F V||_F, or its largest row, at the probability (1 - share) alpha, plus a remainder made of ten further norms
  at share alpha / 10 each; by a union bound all hold at once with probability at least 1 - alpha. Where d >= m p, V may
  be the identity and nothing remains.

Several bounds and several shares are tried and the least radius is taken. Which one that is depends on the population
alone, never on a draw, so the choice costs no probability. For the same reason a radius is no confidence interval: it
is computed from the truth, and says how far estimates from r answers can be expected to fall.

The radius of the rows is attained by some orthogonal map, not necessarily the Frobenius-best one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from dkps_theory._validate import InputError, finite, require, whole_number
from dkps_theory.bounds._noise import Noise
from dkps_theory.bounds.first_order import NoiseNorms, dk_m9_sharp_remainder
from dkps_theory.bounds.perspective import factor_constant
from dkps_theory.bounds.tails import checked_alpha
from dkps_theory.conventions import DEFAULT, Convention, checked_convention

#: Singular values below this share of the largest count as 0.
_RANK_TOLERANCE = 1e-9
#: Shares of alpha that the events behind DK-M9's remainder may have; the first-order term has the rest.
_SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
#: Events behind the remainder: the trace of F F', its largest eigenvalue, its deviations above and below, ||F||_F, F V
#: in two norms, U'F V, and U'F in two norms.
_EVENTS = 10
_ASSUMPTIONS = (
    "answers are independent over models, queries and replicates, with one law per model and query",
    "rank(B) is at most d",
    "the moments up to the fourth are those of the population",
    "answers are sub-Gaussian with the population's proxies",
)


@dataclasses.dataclass(frozen=True)
class CertifiedRadius:
    """Radii that the aligned errors of Psi^ stay below with a stated probability, and what they are made of.

    Attributes
    ----------
    frobenius, rows
        P(min_W ||Psi^ W - Psi||_F <= frobenius) >= confidence and P(min_W max_i ||W' psi^_i - psi_i|| <= rows) >=
        confidence, W over the orthogonal maps; each on its own.
    confidence
        As asked for.
    frobenius_by, rows_by
        Which bound was least: "DK-M8" or "DK-M9".
    k
        DK-M8's constant: 1, or the golden ratio.
    sigma
        sqrt(lambda_d), the d-th singular value of c H mu.
    noise_frobenius, noise_spectral
        Bounds of c||HE||_F and c||HE||, each at the confidence.
    first_order_frobenius, first_order_rows
        Bounds of c||HEV||_F and max_i c||e_i'HEV|| used; infinite where DK-M9 says nothing.
    remainder_frobenius, remainder_rows
        What DK-M9 adds to them.
    assumptions
        What the population was taken to promise, in words.
    """

    frobenius: float
    rows: float
    confidence: float
    frobenius_by: str
    rows_by: str
    k: float
    sigma: float
    noise_frobenius: float
    noise_spectral: float
    first_order_frobenius: float
    first_order_rows: float
    remainder_frobenius: float
    remainder_rows: float
    assumptions: tuple[str, ...]


def certified_radius(
    population: eqx.Module, d: int, r: float, *, confidence: float = 0.95, convention: Convention = DEFAULT
) -> CertifiedRadius:
    """Return radii of the aligned error of classical perspectives in R^d that hold at finite n, m, p and r.

    Parameters
    ----------
    population
        A :class:`dkps_theory.Population`: ``mean``, ``covariance``, ``quartic_moment`` and ``subgaussian_proxy`` are
        read, never a sample. Where the proxy is None there is DK-M8 with Cantelli's inequality only.
    d
        Perspective dimension, at least rank(B).
    r
        Replicates per model and query.
    confidence
        Strictly between 0 and 1.
    convention
        Must have exponent 1.

    Raises
    ------
    InputError
        When answers may depend on one another, a moment does not exist, rank(B) > d, or an argument is out of its
        range.

    Examples
    --------
    >>> from dkps_theory.populations import bernoulli
    >>> population = bernoulli([[0.2, 0.3], [0.5, 0.9], [0.7, 0.4]])
    >>> found = certified_radius(population, 2, 1000)
    >>> found.frobenius_by, round(found.frobenius, 4), round(found.rows, 4)
    ('DK-M8', 0.04, 0.0328)
    """
    require(checked_convention(convention).is_linear, f"convention: got {convention.label}; it must have exponent 1")
    checked_alpha(confidence, "confidence")
    d, r = whole_number("d (perspective dimension)", d, 1), whole_number("r (replicates)", r, 1)
    mean, noise = _read(population, r, convention)
    n, width = len(mean), mean.shape[1] * mean.shape[2]
    scaled = convention.scale(mean.shape[1]) * (mean - mean[0])
    Y = (scaled - scaled.mean(axis=0)).reshape(n, width)
    left, values, right = np.linalg.svd(Y, full_matrices=False)
    rank = int((values > _RANK_TOLERANCE * values[0]).sum())
    require(rank <= d, f"d: got {d}, but B has rank {rank}; the bounds are for d of at least that")
    truth = _Truth(left, values, right, mean.shape, d)
    return _least(noise, truth, confidence)


@dataclasses.dataclass(frozen=True)
class _Truth:
    """The singular value decomposition of Y = c H mu, and what is asked about it."""

    left: Float[np.ndarray, "n k"]
    values: Float[np.ndarray, " k"]
    right: Float[np.ndarray, "k w"]
    shape: tuple[int, int, int]
    d: int

    @property
    def width(self) -> int:
        """Dimension m p of the mean space."""
        return self.shape[1] * self.shape[2]

    @property
    def estimated_rank(self) -> int:
        """The rank that B^ has at most."""
        return min(self.shape[0] - 1, self.width)

    @property
    def whole(self) -> bool:
        """Whether Psi is an isometric image of all of Y, so that V may be the identity."""
        return self.width <= self.d

    @property
    def used(self) -> int:
        """Columns of Psi that need not be zero."""
        return min(self.d, self.estimated_rank)

    @property
    def sigma(self) -> float:
        """The d-th singular value."""
        return float(self.values[self.d - 1]) if self.d <= self.estimated_rank else 0.0


def _least(noise: Noise, truth: _Truth, confidence: float) -> CertifiedRadius:
    """Try every bound and every way to share out what may fail; all are functions of the population alone."""
    alpha = 1 - confidence
    k = factor_constant(d=truth.d, estimated_rank=truth.estimated_rank) if truth.estimated_rank else 1.0
    total = noise.frobenius(alpha)
    frobenius = rows = _Bound(k * total, "DK-M8", math.inf, math.inf)
    spectral = total
    if noise.proxy is not None and truth.estimated_rank:
        spectral = min(total, math.sqrt(noise.spectral(math.log(2 / alpha), noise.trace_deviation(alpha / 2))))
        for one, other in _first_order(noise, truth, alpha, total):
            frobenius, rows = min(frobenius, one, key=_radius), min(rows, other, key=_radius)
    if frobenius.radius < rows.radius:  # no row moves by more than all together
        rows = dataclasses.replace(frobenius, by=frobenius.by)
    return CertifiedRadius(
        frobenius=frobenius.radius,
        rows=rows.radius,
        confidence=confidence,
        frobenius_by=frobenius.by,
        rows_by=rows.by,
        k=k,
        sigma=truth.sigma,
        noise_frobenius=total,
        noise_spectral=spectral,
        first_order_frobenius=frobenius.first,
        first_order_rows=rows.first,
        remainder_frobenius=frobenius.remainder,
        remainder_rows=rows.remainder,
        assumptions=_ASSUMPTIONS if noise.proxy is not None else _ASSUMPTIONS[:-1],
    )


@dataclasses.dataclass(frozen=True)
class _Bound:
    radius: float
    by: str
    first: float
    remainder: float


def _radius(bound: _Bound) -> float:
    return bound.radius


def _first_order(noise: Noise, truth: _Truth, alpha: float, total: float) -> Iterator[tuple[_Bound, _Bound]]:
    """Yield DK-M9's radii in both norms for each way to share alpha between the first order and the rest."""
    _, m, p = truth.shape
    if truth.whole:
        forms = noise.forms(np.eye(truth.width).reshape(m, p, truth.width))
        first = min(total, math.sqrt(forms.centred(math.log(1 / alpha))))
        row = math.sqrt(forms.largest_row(alpha))
        yield _Bound(first, "DK-M9", first, 0.0), _Bound(row, "DK-M9", row, 0.0)
        return
    q = truth.used
    U, V = truth.left[:, :q], truth.right[:q].T
    forms = noise.forms(V.reshape(m, p, q))
    tau, fixed, fixed_spectral = noise.shifted(U)
    for share in _SHARES:
        each, main = share * alpha / _EVENTS, (1 - share) * alpha
        t, deviation = math.log(1 / each), noise.trace_deviation(each)
        eps2 = min(noise.spectral(t, deviation), noise.frobenius(each) ** 2)
        first = math.sqrt(forms.centred(math.log(1 / main)))
        other = math.sqrt(forms.centred(t))
        left, left_spectral = noise.left(U, t)
        bounds = NoiseNorms(
            first_order=other,
            first_order_spectral=min(other, math.sqrt(forms.largest_direction(t))),
            spectral=math.sqrt(eps2),
            core=noise.core(U, forms, t),
            left=left,
            left_spectral=left_spectral,
            outside=noise.frobenius(each),
            shift=0.0,
            shifted=math.sqrt(eps2) * left,
            shifted_spectral=math.sqrt(eps2) * left_spectral,
        )
        size = max(noise.above(t, deviation), noise.below(t, deviation))
        moved = dataclasses.replace(
            bounds, shift=tau, shifted=math.sqrt(q) * size + fixed, shifted_spectral=size + fixed_spectral
        )
        row = math.sqrt(forms.largest_row(main))
        values = tuple(truth.values[:q].tolist())
        both = [
            dk_m9_sharp_remainder(one, singular_values=values, n=truth.shape[0], width=truth.width)
            for one in (bounds, moved)
        ]
        rest, rest_row = (min(pair) for pair in zip(*both, strict=True))
        yield _Bound(first + rest, "DK-M9", first, rest), _Bound(row + rest_row, "DK-M9", row, rest_row)


@eqx.filter_jit
def _moments(population: Any) -> tuple[Any, ...]:
    """Everything that is read of a population, compiled once for each structure."""
    return population.mean, population.covariance, population.quartic_moment, population.subgaussian_proxy


def _read(population: eqx.Module, r: int, convention: Convention) -> tuple[np.ndarray, Noise]:
    """Return mu, and the noise in the units of c H E."""
    if not hasattr(population, "subgaussian_proxy"):
        raise InputError(
            f"population: got a {type(population).__name__}; it must be a Population, whose answers are independent"
        )
    mean, covariance, quartic, proxy = _moments(population)
    if covariance is None or quartic is None:
        missing = "variance" if covariance is None else "fourth moment"
        raise InputError(
            f"population: this {type(population).__name__} has no {missing}; the radius needs moments up to the fourth"
        )
    mean, covariance, quartic = finite("mean", mean), finite("covariance", covariance), finite("quartic", quartic)
    scale = convention.scale(mean.shape[1]) ** 2 / r
    gamma = np.trace(covariance, axis1=2, axis2=3)
    kappa = quartic - gamma**2 - 2 * np.square(covariance).sum(axis=(2, 3))
    proxy = None if proxy is None else scale * finite("subgaussian_proxy", proxy)
    return mean, Noise(scale * covariance, scale**2 / r * kappa, proxy)
