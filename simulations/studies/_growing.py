"""Errors of D and Psi^ when queries, or models and queries, grow: the numerical part of two studies.

Everything is in terms of squares S_ik = ||X_i - X_k||_F^2, of which D^2 = c^2 S^e. Two facts are used throughout.

- E S_ik = ||mu_i - mu_k||^2 + a_i + a_k off the diagonal, a_i = sum_j gamma_ij / r (DK-M1).
- Centring takes away what depends on one index, so -1/2 H (S - a 1' - 1 a' + 2 diag a) H = -1/2 H S H - H diag(a) H.
  When all a_i equal one number this lowers every eigenvalue but that of the vector of ones by it: deflation. When they
  differ, it takes the a_i out of the diagonal, which no shift of the eigenvalues does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._linalg import double_centre, sqrt_nonnegative
from dkps_theory._types import Key
from dkps_theory.conventions import Convention
from dkps_theory.geometry import align, dissimilarities
from dkps_theory.populations._draws import binomial, normals
from simulations.grid import Cell
from simulations.studies._growing_laws import CONVENTIONS, Law, Regime, delta_power

#: Perspective dimension; for e = 1 it is the rank of Delta.
D = 2
#: Seed of the fixed sequence of queries.
QUERIES_SEED = 1

_UNSCALED = Convention("none")


def squares_of(means: Float[Array, "n m"]) -> Float[Array, "n n"]:
    """Return ||X_i - X_k||_F^2."""
    return dissimilarities(means[:, :, None], _UNSCALED) ** 2


def less_noise(squares: Float[Array, "n n"], noise: Float[Array, " n"]) -> Float[Array, "n n"]:
    """Return S_ik - a_i - a_k off the diagonal."""
    return jnp.where(jnp.eye(len(squares), dtype=bool), 0.0, squares - noise[:, None] - noise[None, :])


def level_of_smallest(squares: Float[Array, "n n"]) -> Float[Array, " n"]:
    """Return, n times, the mean of the n - 1 - d smallest eigenvalues of -1/2 H S H, the vector of ones left out.

    It needs no gamma: with rank d the eigenvalues beyond d are noise alone. It is one number for all models, so it is
    right to first order when the models' a_i agree.
    """
    n = len(squares)
    # H adds the eigenvalue 0, for the vector of ones; noise lies above it, so it is the smallest.
    smallest = jnp.linalg.eigvalsh(double_centre(squares))[1 : n - D]
    return jnp.full(n, smallest.mean())


def perspectives(squares: Sequence[Float[Array, "n n"]], exponents: Sequence[float]) -> Float[Array, "stack n d"]:
    """Return the classical MDS of each S^{e/2} in d = 2: top eigenpairs, eigenvalues below 0 counted as 0.

    All matrices are decomposed in one call, which compiles once. Under vmap, a program with four independent
    decompositions of 32 by 32 matrices and their alignments was seen to stand still for ever (JAX 0.10.2, two cores).
    """
    powers = [S if e == 1 else jnp.maximum(S, 0.0) ** e for S, e in zip(squares, exponents, strict=True)]
    B = jnp.stack([double_centre(one) for one in powers])
    values, vectors = jnp.linalg.eigh(0.5 * (B + B.swapaxes(1, 2)))
    return vectors[:, :, ::-1][:, :, :D] * sqrt_nonnegative(values[:, ::-1][:, :D])[:, None, :]


def draw_means(
    key: Key, answers: str, means: Float[Array, "n m"], gamma: float | Float[Array, ""], r: Float[Array, ""]
) -> tuple[Float[Array, "n m"], Float[Array, " n"]]:
    """Draw X given mu, and the unbiased estimates sum_j gamma^_ij (r >= 2) from the same answers.

    The variance of a normal sample is independent of its mean, and summed over queries it is gamma chi^2 / (r - 1) with
    m (r - 1) degrees of freedom. ``gamma`` is that of normal answers; yes-or-no answers have their own.
    """
    n, m = means.shape
    if answers == "yes-no":
        X = binomial(key, jnp.broadcast_to(r, means.shape), 0.5 + means, 0.5 - means) / r
        return X - 0.5, yes_no_variance(X, r).sum(axis=1)
    answers_key, spread_key = jax.random.split(key)
    X = means + jnp.sqrt(gamma / r) * normals(answers_key, (n, m))
    return X, gamma * jax.random.chisquare(spread_key, m * (r - 1), (n,), dtype=jnp.float64) / (r - 1)


def yes_no_variance(X: Float[Array, "*shape"], r: Float[Array, ""]) -> Float[Array, "*shape"]:
    """Return the sample variance of r yes-or-no answers with mean X, unbiased for gamma (r >= 2)."""
    return X * (1 - X) * r / (r - 1)


def normal_gamma(law: Law, m: int) -> float:
    """Return gamma_ij = gamma m^t of normal answers."""
    return law.gamma * m**law.noise_power


def answer_cumulants(
    answers: str, means: np.ndarray, gamma: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the variance, third and fourth cumulant of single answers; ``gamma`` is that of normal answers."""
    if answers == "yes-no":
        variance = 0.25 - means**2
        return variance, -2 * variance * means, variance * (1 - 6 * variance)
    return np.full_like(means, gamma), np.zeros_like(means), np.zeros_like(means)


def variance_by_query(
    first: tuple[np.ndarray, ...], second: tuple[np.ndarray, ...], delta: np.ndarray, r: float
) -> np.ndarray:
    """Return Var |X_ij - X_kj|^2 from the cumulants of two answers and delta = mu_ij - mu_kj.

    With e the error of the difference, |delta + e|^2 has variance 4 delta^2 S + 4 delta t + 2 S^2 + kappa, where S, t
    and kappa are the cumulants of e (as in :mod:`dkps_theory.bounds.dissimilarity`, p = 1).
    """
    S, t, kappa = (first[0] + second[0]) / r, (first[1] - second[1]) / r**2, (first[2] + second[2]) / r**3
    return 4 * delta**2 * S + 4 * delta * t + 2 * S**2 + kappa


def mean_embeddings(law: Law, models: Float[Array, "n two"], queries: Float[Array, "m two"]) -> Float[Array, "n m"]:
    """Return mu_ij = m^{s/2} <u_i, v_j>; the constant 1/2 of yes-or-no answers is left out, no distance needs it."""
    return len(queries) ** (law.mean_power / 2) * (models @ queries.T)


def on_circle(law: Law, angles: Float[Array, " n"]) -> Float[Array, "n two"]:
    """Return the models at these angles."""
    return law.radius * jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1)


def limiting(law: Law, models: Float[Array, "n two"]) -> Float[Array, "n two"]:
    """Return phi = M^{1/2} u, on an ellipse."""
    return models * jnp.sqrt(jnp.asarray(law.second_moments))[None, :]


# Growing queries: fixed models, the first m of one fixed sequence of queries


class Queries(eqx.Module):
    """A cell of growing-queries, ready to run.

    Attributes
    ----------
    means, squares
        mu (n, m) and ||mu_i - mu_k||^2 (n, n).
    limits
        Delta_inf (n, n) by convention, in the order of ``CONVENTIONS``; NaN where there is none.
    gamma, normal_gamma
        sum_j gamma_ij (n,), and gamma_ij of normal answers.
    r
        Replicates. Everything numerical is traced, so that rules and laws of one kind of answers share compiled code.
    """

    means: Float[Array, "n m"]
    squares: Float[Array, "n n"]
    limits: Float[Array, "conventions n n"]
    gamma: Float[Array, " n"]
    normal_gamma: Float[Array, ""]
    r: Float[Array, ""]
    answers: str = eqx.field(static=True)
    conventions: tuple[Convention, ...] = eqx.field(static=True)
    methods: tuple[str, ...] = eqx.field(static=True)

    @property
    def m(self) -> int:
        """How many queries."""
        return self.means.shape[1]

    @property
    def pair(self) -> tuple[int, int]:
        """The two models whose dissimilarity stands for a typical one, a quarter turn apart."""
        return 0, len(self.means) // 4


def fixed_queries(law: Law, m: int) -> Float[Array, "m two"]:
    """Return the first m of one fixed sequence that is uniform on the rectangle."""
    unit = np.random.default_rng(QUERIES_SEED).uniform(-1, 1, size=(m, 2))
    return jnp.asarray(unit * np.asarray(law.half_widths))


def prepare_queries(cell: Cell, axes: Mapping[str, tuple[Any, ...]]) -> Queries:
    """Build the cell, with models at equal angles on the circle."""
    regime: Regime = cell.settings
    law = regime.law
    models = on_circle(law, 2 * jnp.pi * jnp.arange(regime.n) / regime.n)
    means = mean_embeddings(law, models, fixed_queries(law, regime.m))
    spread = answer_cumulants(law.answers, np.asarray(means), normal_gamma(law, regime.m))[0]
    return Queries(
        means=means,
        squares=squares_of(means),
        limits=jnp.stack([limit_of(law, models, convention) for convention in CONVENTIONS.values()]),
        gamma=jnp.asarray(spread.sum(axis=1)),
        normal_gamma=jnp.asarray(normal_gamma(law, regime.m)),
        r=jnp.asarray(float(regime.r)),
        answers=law.answers,
        conventions=tuple(CONVENTIONS[label] for label in axes["convention"]),
        methods=tuple(axes["method"]),
    )


def deflated(
    method: str, squares: Float[Array, "n n"], known: Float[Array, " n"], estimated: Float[Array, " n"]
) -> Float[Array, "n n"]:
    """Return the squares that Psi^ is made of, by method; the noise levels are sum_j gamma_ij / r."""
    noise = {"plain": jnp.zeros_like(known), "known gamma": known, "estimated gamma": estimated}
    return less_noise(squares, level_of_smallest(squares) if method == "smallest eigenvalues" else noise[method])


def replicate_queries(key: Key, prepared: Queries) -> dict[str, Array]:
    """Draw the means once and return the errors under every convention."""
    X, gamma = draw_means(key, prepared.answers, prepared.means, prepared.normal_gamma, prepared.r)
    squares, pair = squares_of(X), prepared.pair
    found: dict[str, list[Any]] = {name: [] for name in ("dissimilarity", "relative", "frobenius", "inflation")}
    found["relative_frobenius"] = []
    by_exponent = _perspective_errors(prepared, squares, gamma)
    for convention in prepared.conventions:
        scale, half = convention.scale(prepared.m), convention.exponent / 2
        estimate, true = scale * squares[pair] ** half, scale * prepared.squares[pair] ** half
        found["dissimilarity"].append(estimate - true)
        found["relative"].append(estimate / true - 1)
        error, size, size_hat = by_exponent[convention.exponent]
        found["frobenius"].append(scale * error)
        found["relative_frobenius"].append(error / size)
        found["inflation"].append((size_hat / size) ** 2)
    limits = {
        limit_name(c): jnp.linalg.norm(c.scale(prepared.m) * squares ** (c.exponent / 2) - limit)
        for c, limit in zip(CONVENTIONS.values(), prepared.limits, strict=True)
    }
    return {
        **{name: jnp.stack(values) for name, values in found.items()},
        "relative_squared": squares[pair] / prepared.squares[pair] - 1,
        **limits,
    }


def limit_name(convention: Convention) -> str:
    """Return the name of the output that holds ||D - Delta_inf||_F under a convention."""
    half = "" if convention.exponent == 1 else "_half"
    return f"limit_{convention.normalisation.replace('-', '_')}{half}"


def limit_of(law: Law, models: Float[Array, "n two"], convention: Convention) -> Float[Array, "n n"]:
    """Return Delta_inf (n, n): ||phi_i - phi_k||^e, or 0 where Delta vanishes, NaN where it has no limit."""
    power = delta_power(law, convention)
    if power > 0:
        return jnp.full((len(models), len(models)), jnp.nan)
    return squares_of(limiting(law, models)) ** (convention.exponent / 2) * (power == 0)


def _made(prepared: Queries, squares: Float[Array, "n n"], gamma: Float[Array, " n"]) -> Float[Array, "e one_more n d"]:
    """Return Psi^ by method for each exponent, and Psi last, before scaling by c."""
    r, exponents = prepared.r, _exponents(prepared)
    each = [deflated(one, squares, prepared.gamma / r, gamma / r) for one in prepared.methods]
    each.append(prepared.squares)
    found = perspectives(each * len(exponents), [e for e in exponents for _ in each])
    return found.reshape(len(exponents), len(each), *found.shape[1:])


def _exponents(prepared: Queries) -> list[float]:
    """Return the exponents among the conventions, each once."""
    return sorted({convention.exponent for convention in prepared.conventions})


def _perspective_errors(
    prepared: Queries, squares: Float[Array, "n n"], gamma: Float[Array, " n"]
) -> dict[float, tuple[Float[Array, " method"], Float[Array, ""], Float[Array, " method"]]]:
    """Return, by exponent, aligned errors by method, the size of Psi and the sizes of Psi^, before scaling by c."""
    made = _made(prepared, squares, gamma)
    errors = jax.vmap(lambda found: jax.vmap(lambda one: jnp.linalg.norm(align(one, found[-1]) - found[-1]))(found))(
        made
    )
    sizes = jnp.linalg.norm(made, axis=(2, 3))
    return {e: (errors[k, :-1], sizes[k, -1], sizes[k, :-1]) for k, e in enumerate(_exponents(prepared))}


def truth_queries(prepared: Queries) -> dict[str, Array | np.ndarray]:
    """Return Delta_m and Delta_inf of the pair, exact moments of D^2, and the inflation at the expected squares.

    With fixed r and growing m, S/m obeys the law of large numbers, so Psi^ tends to what the expected squares give.
    """
    (i, k), r, m = prepared.pair, float(prepared.r), prepared.m
    means = np.asarray(prepared.means)
    first, second = (answer_cumulants(prepared.answers, means[one], float(prepared.normal_gamma)) for one in (i, k))
    variance = variance_by_query(first, second, means[i] - means[k], r).sum()
    true, bias = float(prepared.squares[i, k]), float(prepared.gamma[i] + prepared.gamma[k]) / r
    expected = less_noise(prepared.squares, -prepared.gamma / r)
    sizes = jnp.linalg.norm(_made(prepared, expected, prepared.gamma), axis=(2, 3)) ** 2
    inflation = dict(zip(_exponents(prepared), sizes[:, :-1] / sizes[:, -1:], strict=True))
    limits = dict(zip(CONVENTIONS.values(), prepared.limits[:, i, k], strict=True))
    return {
        "pair_dissimilarity": np.array([c.scale(m) * true ** (c.exponent / 2) for c in prepared.conventions]),
        "limit_dissimilarity": jnp.stack([limits[c] for c in prepared.conventions]),
        "replicates": np.asarray(r),
        "relative_bias": np.asarray(bias / true),
        "exact_relative_squared": np.asarray(np.sqrt(bias**2 + variance) / true),
        "expected_inflation": jnp.stack([inflation[c.exponent] for c in prepared.conventions]),
    }
