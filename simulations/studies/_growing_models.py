"""Errors of distances between models when models and queries are drawn anew and grow: the numerical part of a study.

The exact mean square of D^2 - Delta^2 for one pair, over models, queries and answers. Given the models i, k and one
query v, put G(v) = (gamma_i + gamma_k)/r and let h(v) be the variance of the squared difference of the two mean answers
(the summands of DK-M1). Both are iid over queries given the models, so

    E (S_hat - S)^2 / m^2 = E_u { (E_v G)^2 + Var_v(G)/m + E_v h / m }.

All terms are polynomials in v and trigonometric polynomials in the angles of the models, of degree below 16 in each, so
8 Gauss-Legendre nodes on either side of the rectangle and 16 equal angles give the integrals exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dkps_theory._linalg import sqrt_nonnegative
from dkps_theory._types import Key
from dkps_theory.conventions import A24, DEFAULT, Convention
from dkps_theory.geometry import align
from simulations.grid import Cell
from simulations.studies._growing import (
    answer_cumulants,
    draw_means,
    limit_name,
    limit_of,
    mean_embeddings,
    normal_gamma,
    on_circle,
    perspectives,
    squares_of,
    variance_by_query,
)
from simulations.studies._growing_laws import CONVENTIONS, Law, Regime

#: Conventions with a limit in a fixed R^q; for e = 1/2 there is none (distinct models make B of rank n - 1).
LIMITED = (DEFAULT, A24)


class Models(eqx.Module):
    """A cell of growing-models, ready to run: everything random is drawn inside the replicate."""

    r: Float[Array, ""]
    n: int = eqx.field(static=True)
    m: int = eqx.field(static=True)
    law: Law = eqx.field(static=True)
    conventions: tuple[Convention, ...] = eqx.field(static=True)
    objects: tuple[str, ...] = eqx.field(static=True)


def prepare_models(cell: Cell, axes: Mapping[str, tuple[Any, ...]]) -> Models:
    """Return the cell's sizes; r is traced, so that rules share compiled code."""
    regime: Regime = cell.settings
    conventions = tuple(CONVENTIONS[label] for label in axes["convention"])
    r = jnp.asarray(float(regime.r))
    return Models(r, regime.n, regime.m, regime.law, conventions, tuple(axes["object"]))


def distances(configuration: Float[Array, "n d"]) -> Float[Array, "n n"]:
    """Return the distances between rows."""
    return jnp.sqrt(squares_of(configuration))


def draw_models_and_queries(key: Key, prepared: Models) -> tuple[Float[Array, "n two"], Float[Array, "m two"]]:
    """Draw models uniformly on the circle and queries uniformly on the rectangle."""
    models_key, queries_key = jax.random.split(key)
    angles = jax.random.uniform(models_key, (prepared.n,), dtype=jnp.float64, maxval=2 * jnp.pi)
    queries = jax.random.uniform(queries_key, (prepared.m, 2), dtype=jnp.float64, minval=-1.0, maxval=1.0)
    return on_circle(prepared.law, angles), queries * jnp.asarray(prepared.law.half_widths)[None, :]


def replicate_models(key: Key, prepared: Models) -> dict[str, Array]:
    """Draw models, queries and answers, and return the errors under every convention."""
    design_key, answers_key = jax.random.split(key)
    law, m = prepared.law, prepared.m
    models, queries = draw_models_and_queries(design_key, prepared)
    means = mean_embeddings(law, models, queries)
    X, _ = draw_means(answers_key, law.answers, means, normal_gamma(law, m), prepared.r)
    squares, true = squares_of(X), squares_of(means)
    embedded = _embedded(squares, true)
    pairs: list[dict[str, Array]] = []
    rows: list[dict[str, Array]] = []
    limits: dict[str, Array] = {}
    for convention in CONVENTIONS.values():
        scale, e = convention.scale(m), convention.exponent
        psi, target = (scale * one for one in embedded[e])
        of = {
            "D": (scale * squares ** (e / 2), scale * true ** (e / 2)),
            "perspectives": (distances(psi), distances(target)),
        }
        if convention in prepared.conventions:
            each = [_pair_errors(*of[one]) for one in prepared.objects]
            pairs.append({name: jnp.stack([one[name] for one in each]) for name in each[0]})
            rows.append(_row_errors(psi, target))
        if convention in LIMITED:
            limit = limit_of(law, models, convention)
            limits[limit_name(convention)] = jnp.stack([_spread(of[one][0] - limit) for one in prepared.objects])
    together = {**{k: [p[k] for p in pairs] for k in pairs[0]}, **{k: [p[k] for p in rows] for k in rows[0]}}
    return {
        **{name: jnp.stack(values) for name, values in together.items()},
        "squared": (squares[0, 1] - true[0, 1]) / m ** (1 + law.mean_power),
        **limits,
    }


def _embedded(squares: Float[Array, "n n"], true: Float[Array, "n n"]) -> dict[float, tuple[Array, Array]]:
    """Return, by exponent, Psi^ aligned with Psi, and Psi, before scaling by c."""
    exponents = sorted({convention.exponent for convention in CONVENTIONS.values()})
    twice = [e for e in exponents for _ in range(2)]
    found = perspectives([squares, true] * len(exponents), twice)
    aligned = jax.vmap(align)(found[::2], found[1::2])
    return {e: (aligned[k], found[2 * k + 1]) for k, e in enumerate(exponents)}


def _spread(values: Float[Array, "n n"]) -> Float[Array, ""]:
    """Return the root mean square over pairs of different models: the L^2(P x P) norm at the drawn models."""
    n = len(values)
    return sqrt_nonnegative((values**2).sum() / (n * (n - 1)))


def _pair_errors(found: Float[Array, "n n"], true: Float[Array, "n n"]) -> dict[str, Array]:
    """Return errors of distances: of one pair, in L^2, of the worst pair; absolute and relative."""
    missed, size = found - true, _spread(true)
    l2, worst = _spread(missed), jnp.abs(missed).max()
    return {
        "pair": missed[0, 1],
        "l2": l2,
        "worst": worst,
        "relative_pair": missed[0, 1] / size,
        "relative_l2": l2 / size,
        "relative_worst": worst / size,
    }


def _row_errors(psi: Float[Array, "n d"], target: Float[Array, "n d"]) -> dict[str, Array]:
    """Return errors of aligned perspectives: Frobenius and two-to-infinity, absolute and relative to Psi."""
    lengths = sqrt_nonnegative(((psi - target) ** 2).sum(axis=1))
    size = jnp.linalg.norm(target)
    frobenius, worst = jnp.linalg.norm(lengths), lengths.max()
    return {
        "frobenius": frobenius,
        "two_to_infinity": worst,
        "relative_frobenius": frobenius / size,
        "relative_two_to_infinity": worst * np.sqrt(len(target)) / size,
    }


def truth_models(prepared: Models) -> dict[str, Array | np.ndarray]:
    """Return r, and the exact RMSE of D^2 of a pair in units of c^2 m^{1+s}."""
    mean_square = exact_mean_square(prepared.law, prepared.m, float(prepared.r))
    return {"replicates": prepared.r, "exact_squared": np.asarray(np.sqrt(mean_square))}


def exact_mean_square(law: Law, m: int, r: float) -> float:
    """Return E (S_hat - S)^2 / m^{2 + 2s} over models, queries and answers; see the head of this file."""
    angles = 2 * np.pi * np.arange(16) / 16
    circle = law.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    a, b = law.half_widths
    v = np.stack([np.repeat(a * nodes, 8), np.tile(b * nodes, 8)], axis=1)
    w = np.outer(weights, weights).reshape(-1) / 4
    means = m ** (law.mean_power / 2) * circle @ v.T
    cumulants = answer_cumulants(law.answers, means, normal_gamma(law, m))
    # One entry for each model i, model k and query.
    first, second = (tuple(c[:, None] for c in cumulants), tuple(c[None, :] for c in cumulants))
    answers = variance_by_query(first, second, means[:, None] - means[None, :], r)
    noise = (first[0] + second[0]) / r
    level, square = noise @ w, noise**2 @ w
    total = level**2 + (square - level**2) / m + (answers @ w) / m
    return float(total.mean()) / m ** (2 * law.mean_power)
