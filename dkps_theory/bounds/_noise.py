r"""Quantiles of the norms of the noise F = c H E that the certified radius is made of, from population scalars alone.

Everything here is in the units of F: Sigma_ij, the proxies K_ij and the fourth cumulants kappa_ij are multiplied by
c^2 / r, c^2 / r and c^4 / r^3 when :class:`Noise` is made. E_i is the (m p)-vector of model i, with proxy K_i =
blockdiag_j K_ij.

- ||F V||_F^2: the vector (E_i V)_i has proxy blockdiag(A_i), A_i = sum_j V_j'K_ij V_j, and H projects it. A row
  e_i'F V has proxy (1 - 1/n)^2 A_i + sum_{l != i} A_l / n^2.
- ||F||_F^2: the same with K_i for A_i; or Cantelli's inequality with the mean (1 - 1/n) sum gamma and the exact
  variance (1 - 1/n)^2 sum_ij v_ij + (4/n^2) sum_{i<l} sum_j tr Sigma_ij Sigma_lj, v_ij = 2 tr Sigma_ij^2 + kappa_ij:
  the parts (1 - 1/n)||E_i||^2 and -(2/n) E_i'E_l of ||H E||^2 are uncorrelated.
- ||F||_2 and ||F F' - E F F'||_2 by caps (dkps_theory.bounds.tails), on the sphere of centred unit x in R^n or of
  unit y in R^(mp), whichever is better. For centred x the vector F'x has proxy sum_i x_i^2 K_i. -log det(I - 2 s
  sum_i w_i K_i) is convex in w, so its largest value over weights is at one model, and the traces and norms of single
  models bound psi. For unit y, F y = H (y'E_i)_i has proxy H diag(y'K_i y) H, and y'K_i y <= ||K_i||.
- Below: x'F F'x = sum_j X_j with independent X_j >= 0, E X_j <= b = max_ij gamma_ij and sum_j Var X_j <= v = 2 max_i
  sum_j tr Sigma_ij^2 + max_i (sum_j kappa_ij)_+, since fourth cumulants add with weights x_i^4. Bennett's inequality
  for variables bounded on one side gives log E exp(-s (X - E X)) <= (s^2 v / 2) / (1 - s b / 3).
- U'F V, U'F: sums over models with weights from U, with proxies sum_i u_i u_i' (x) A_i and sum_i u_i u_i' (x) K_i, at
  most max_i ||A_i|| and max_i ||K_i|| in norm, as U'U = I.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from jaxtyping import Float

from dkps_theory.bounds.tails import (
    cantelli_quantile,
    cap_cost,
    chernoff_quantile,
    hkz_quantile,
    largest_eigenvalue_quantile,
    log_moments,
)

#: Above this size the closed form takes the place of the eigenvalues of the proxy.
_LARGEST = 300


@dataclasses.dataclass(frozen=True)
class Forms:
    """Quadratic forms in independent vectors with proxies A_i (n, q, q): centred together, or each row of them."""

    proxies: Float[np.ndarray, "n q q"]

    @functools.cached_property
    def norms(self) -> Float[np.ndarray, " n"]:
        """||A_i||."""
        return np.maximum(np.linalg.eigvalsh(self.proxies)[:, -1], 0.0)

    @functools.cached_property
    def traces(self) -> Float[np.ndarray, " n"]:
        """Trace A_i."""
        return np.trace(self.proxies, axis1=1, axis2=2)

    @functools.cached_property
    def products(self) -> Float[np.ndarray, "n n"]:
        """Trace A_i A_l."""
        flat = self.proxies.reshape(len(self.proxies), -1)
        return flat @ flat.T

    @functools.cached_property
    def _eigenvalues(self) -> Float[np.ndarray, " size"] | None:
        """Eigenvalues of (H x I) blockdiag(A_i) (H x I), unless it is too large."""
        n, q, _ = self.proxies.shape
        if n * q > _LARGEST:
            return None
        centring = np.eye(n) - 1 / n
        # (H x I) D (H x I) has the (i, l) block sum_k H_ik H_kl A_k.
        blocks = np.einsum("ik,kl,kab->ialb", centring, centring, self.proxies, optimize=True)
        return np.linalg.eigvalsh(blocks.reshape(n * q, n * q))

    def centred(self, t: float) -> float:
        """Quantile of the squared norm of all of them after H."""
        if self._eigenvalues is not None:
            return chernoff_quantile(self._eigenvalues, t)
        return hkz_quantile(*centred_moments(self.traces, self.products), float(self.norms.max()), t)

    def largest_row(self, alpha: float) -> float:
        """Quantile of the largest squared row after H: the level at which the n tails add up to alpha."""
        n = len(self.proxies)
        rows = (1 - 2 / n) * self.proxies + self.proxies.sum(axis=0) / n**2
        eigenvalues = np.maximum(np.linalg.eigvalsh(rows), 0.0)
        if eigenvalues.max() == 0:
            return 0.0
        s, psi = log_moments(eigenvalues)

        def total(level: float) -> float:
            return float(np.exp(np.minimum((psi - s * level).min(axis=1), 0.0)).sum())

        low, high = 0.0, float(((psi + math.log(n / alpha)) / s).min(axis=1).max())
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if total(middle) <= alpha else (middle, high)
        return high

    def largest_direction(self, t: float) -> float:
        """Quantile of max over unit y in R^q of sum_i ((H E)_i y)^2, by caps in R^q."""
        return _largest_form(self.proxies.shape[1], *row_moments(self.norms), t)


def centred_moments(traces: np.ndarray, products: np.ndarray) -> tuple[float, float]:
    """Return the trace of (H x I) blockdiag(A_i) (H x I) and that of its square."""
    n = len(traces)
    square = (1 - 2 / n) * float(np.trace(products)) + float(products.sum()) / n**2
    return (1 - 1 / n) * float(traces.sum()), max(square, 0.0)  # 0 for one model, up to rounding


def row_moments(norms: np.ndarray) -> tuple[float, float, float]:
    """Return trace, trace of the square and norm bound of H diag(norms) H."""
    return (*centred_moments(norms, np.outer(norms, norms)), float(norms.max()))


def _largest_form(k: int, trace: float, square: float, norm: float, t: float) -> float:
    """Quantile of the largest eigenvalue of a positive semi-definite M whose forms have these moments.

    Here b tr M >= b lambda_1(M), so a divides instead of a - b: as with k = 1 and the cost of the caps paid.
    """
    cost, share = cap_cost(k)
    level = cost + t
    return float(((trace + 2 * np.sqrt(square * level) + 2 * norm * level) / share).min())


@dataclasses.dataclass(frozen=True)
class Noise:
    """Second and fourth moments and proxies of F, and what its norms stay below.

    Attributes
    ----------
    covariance, kappa, proxy
        c^2 Sigma / r, c^4 kappa / r^3, c^2 K / r.
    """

    covariance: Float[np.ndarray, "n m p p"]
    kappa: Float[np.ndarray, "n m"]
    proxy: Float[np.ndarray, "n m p p"] | None

    @functools.cached_property
    def _size(self) -> tuple[int, int]:
        """Models, and m p."""
        n, m, p, _ = self.covariance.shape
        return n, m * p

    @functools.cached_property
    def gamma(self) -> Float[np.ndarray, "n m"]:
        """c^2 gamma_ij / r."""
        return np.trace(self.covariance, axis1=2, axis2=3)

    @functools.cached_property
    def _squares(self) -> Float[np.ndarray, "n m"]:
        return np.square(self.covariance).sum(axis=(2, 3))

    @functools.cached_property
    def mean(self) -> float:
        """E ||F||_F^2."""
        return float((1 - 1 / len(self.gamma)) * self.gamma.sum())

    @functools.cached_property
    def variance(self) -> float:
        """Var ||F||_F^2, exactly."""
        n = len(self.gamma)
        own = float((2 * self._squares + self.kappa).sum())
        total = float(np.square(self.covariance.sum(axis=0)).sum())
        return (1 - 1 / n) ** 2 * own + 2 / n**2 * (total - float(self._squares.sum()))

    @functools.cached_property
    def _proxies(self) -> Float[np.ndarray, "n m p p"]:
        assert self.proxy is not None
        return self.proxy

    @functools.cached_property
    def _norms(self) -> Float[np.ndarray, " n"]:
        """||K_i||."""
        return np.maximum(np.linalg.eigvalsh(self._proxies)[..., -1], 0.0).max(axis=1)

    @functools.cached_property
    def _products(self) -> Float[np.ndarray, "n n"]:
        """Trace K_i K_l."""
        flat = self._proxies.reshape(len(self._proxies), -1)
        return flat @ flat.T

    @functools.cached_property
    def _traces(self) -> Float[np.ndarray, " n"]:
        return np.trace(self._proxies, axis1=2, axis2=3).sum(axis=1)

    def frobenius(self, alpha: float) -> float:
        """Quantile of ||F||_F."""
        found = cantelli_quantile(self.mean, max(self.variance, 0.0), alpha)
        if self.proxy is not None:
            moments = centred_moments(self._traces, self._products)
            found = min(found, hkz_quantile(*moments, float(self._norms.max()), math.log(1 / alpha)))
        return math.sqrt(found)

    def trace_deviation(self, alpha: float) -> float:
        """Bound of | ||F||_F^2 - E ||F||_F^2 |, by Chebyshev's inequality."""
        return math.sqrt(max(self.variance, 0.0) / alpha)

    def forms(self, V: Float[np.ndarray, "m p d"]) -> Forms:
        """Proxies A_i of the rows of E V."""
        half = np.einsum("ijab,jbd->ijad", self._proxies, V, optimize=True)
        return Forms(np.einsum("jac,ijad->icd", V, half, optimize=True))

    def spectral(self, t: float, trace_deviation: float) -> float:
        """Quantile of ||F||_2^2: the better of both sides, each with and without its mean taken away first."""
        n, width = self._size
        side = max(n - 1, 1)
        traces, square, norm = self._traces, float(np.diagonal(self._products).max()), float(self._norms.max())
        models = self.gamma.sum(axis=1)
        found = [
            _largest_form(side, float(traces.max()), square, norm, t),
            float(models.max()) + self.above(t, trace_deviation),
        ]
        trace, other, norm = row_moments(self._norms)
        found.append(_largest_form(width, trace, other, norm, t))
        by_query = (1 - 1 / n) * self.covariance.sum(axis=0)
        excess = (1 - 1 / n) * (self._norms.sum() * np.eye(by_query.shape[1])[None] - self.covariance.sum(axis=0))
        drift = float(np.linalg.eigvalsh(excess)[:, -1].max())
        centre = float(np.linalg.eigvalsh(by_query)[:, -1].max())
        found.append(centre + largest_eigenvalue_quantile(width, drift, other, 2 * norm, trace_deviation, t))
        return min(found)

    def above(self, t: float, trace_deviation: float) -> float:
        """Quantile of lambda_1(F F' - E F F') on centred vectors."""
        side = max(self._size[0] - 1, 1)
        drift = float((self._traces - self.gamma.sum(axis=1)).max())
        square, norm = float(np.diagonal(self._products).max()), float(self._norms.max())
        return largest_eigenvalue_quantile(side, drift, square, 2 * norm, trace_deviation, t)

    def below(self, t: float, trace_deviation: float) -> float:
        """Quantile of lambda_1(E F F' - F F') on centred vectors."""
        side = max(self._size[0] - 1, 1)
        variance = 2 * self._squares.sum(axis=1).max() + max(float(self.kappa.sum(axis=1).max()), 0.0)
        return largest_eigenvalue_quantile(
            side, 0.0, float(variance) / 2, float(self.gamma.max()) / 3, trace_deviation, t
        )

    def left(self, U: Float[np.ndarray, "n d"], t: float) -> tuple[float, float]:
        """Quantiles of ||U'F||_F and ||U'F||_2, each with probability 1 - exp(-t) of its own."""
        leverage, gram = np.square(U).sum(axis=1), np.square(U @ U.T)
        norm = float(self._norms.max())
        frobenius = hkz_quantile(float(leverage @ self._traces), float((gram * self._products).sum()), norm, t)
        square = float(np.diagonal(self._products).max())
        spectral = _largest_form(U.shape[1], float(self._traces.max()), square, norm, t)
        return math.sqrt(frobenius), math.sqrt(min(frobenius, spectral))

    def core(self, U: Float[np.ndarray, "n d"], forms: Forms, t: float) -> float:
        """Quantile of ||U'F V||_2."""
        leverage, gram = np.square(U).sum(axis=1), np.square(U @ U.T)
        norms = forms.norms
        norm = float(norms.max())
        frobenius = hkz_quantile(float(leverage @ forms.traces), float((gram * forms.products).sum()), norm, t)
        square = float((gram * np.outer(norms, norms)).sum())
        spectral = _largest_form(U.shape[1], float(leverage @ norms), square, norm, t)
        return math.sqrt(min(frobenius, spectral))

    def shifted(self, U: Float[np.ndarray, "n d"]) -> tuple[float, float, float]:
        """Return the tau for which ||(E F F' - tau H) U||_F is least, that norm, and the spectral one."""
        models = self.gamma.sum(axis=1)
        centred = models[:, None] * U
        centred = centred - centred.mean(axis=0)
        tau = max(float((U * centred).sum()) / U.shape[1], 0.0)
        rest = centred - tau * U
        return tau, float(np.linalg.norm(rest)), float(np.linalg.norm(rest, 2))
