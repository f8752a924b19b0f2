"""What a run of the concentration table computes: errors, matrix errors and bounds under every reading at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dkps_theory._linalg import double_centre, numerical_rank, sqrt_nonnegative
from dkps_theory._types import Key
from dkps_theory._validate import nearest_name, whole_number
from dkps_theory.bounds import a25_perspective_bound
from dkps_theory.conventions import A24, A25, DEFAULT, Convention
from dkps_theory.geometry import align, classical_mds, dissimilarities
from dkps_theory.populations._draws import binomial, uniforms
from simulations.grid import Cell

#: The printed table, A25 (arXiv:2511.08307 v1), Table 1: n -> (average error, upper bound). Coverage is 100% in all
#: rows. See A25-TAB1.
PRINTED: Mapping[int, tuple[float, float]] = {
    10: (0.000426, 0.704184),
    12: (0.000308, 0.542679),
    15: (0.000201, 0.395877),
    18: (0.000146, 0.318522),
    20: (0.000021, 0.279479),
}
#: Runs behind each printed average, and the last printed digit.
PRINTED_RUNS, PRINTED_UNIT = 100, 1e-6
#: r = n^5.5, and (n^3/r)^(1/2) = n^-1.25.
REPLICATES_POWER = 5.5

#: The convention of each label, and whether D stands for its own square in B (A25-TAB2).
CONVENTIONS: Mapping[str, tuple[Convention, bool]] = {
    "c=1/sqrt(m) e=1/2": (A25, False),
    "c=1/sqrt(m) e=1": (DEFAULT, False),
    "c=1/m e=1": (A24, False),
    "c=1 e=1": (Convention("none", 1.0), False),
    "c=1/sqrt(m) e=1/2 unsquared": (A25, True),
    "c=1/sqrt(m) e=1 unsquared": (DEFAULT, True),
    "c=1 e=1 unsquared": (Convention("none", 1.0), True),
}
#: The part of the eigenvalues' sum that the rule "share" asks for.
SHARE = 0.9
#: Numbers by label.
Found = dict[str, Array]

#: Seed of the probabilities that are drawn once: they belong to the cell, whatever the seed of the runs.
_ONCE_SEED = 25


# Scree rules: from eigenvalues, descending, to d


def elbow(eigenvalues: Float[Array, " n"]) -> Float[Array, ""]:
    """Return the d of the profile likelihood of Zhu and Ghodsi (2006), Comput. Stat. Data Anal. 51, 918-930.

    The first d eigenvalues and the others are taken as two normal samples with one variance; its likelihood is largest
    where the sum of squares within the two groups is smallest.

    Examples
    --------
    >>> float(elbow(jnp.asarray([9.0, 8.0, 1.0, 0.5, 0.0])))
    2.0
    """
    n = eigenvalues.shape[0]
    first = jnp.tril(jnp.ones((n - 1, n)))
    within = sum(
        (group * (eigenvalues[None, :] - (group @ eigenvalues / group.sum(1))[:, None]) ** 2).sum(1)
        for group in (first, 1 - first)
    )
    return jnp.argmin(jnp.asarray(within)) + 1.0


def gap(eigenvalues: Float[Array, " n"]) -> Float[Array, ""]:
    """Return the d behind which eigenvalues drop the most.

    Examples
    --------
    >>> float(gap(jnp.asarray([9.0, 8.0, 1.0, 0.5, 0.0])))
    2.0
    """
    return jnp.argmax(eigenvalues[:-1] - eigenvalues[1:]) + 1.0


def share(eigenvalues: Float[Array, " n"]) -> Float[Array, ""]:
    """Return the smallest d whose eigenvalues make up ``SHARE`` of the sum of the positive ones.

    Examples
    --------
    >>> float(share(jnp.asarray([8.0, 1.5, 0.5, 0.0])))
    2.0
    """
    positive = jnp.maximum(eigenvalues, 0.0)
    # Rounding must not decide a share that is met exactly.
    return jnp.argmax(jnp.cumsum(positive) >= (SHARE - 1e-12) * positive.sum()) + 1.0


_RULES = {"elbow": elbow, "gap": gap, "share": share, "rank": numerical_rank}


def chosen_dimension(name: str, spectrum: Float[Array, " n"], rank: Float[Array, ""]) -> Float[Array, ""]:
    """Return the d of a rule, or the number that ``name`` is, on the spectrum of B^; at most the rank of B.

    Raises
    ------
    InputError
        When it is neither a number of at least 1 nor a rule.
    """
    if name in _RULES:
        return jnp.minimum(_RULES[name](spectrum), rank)
    if not name.isdecimal():
        raise nearest_name("dimension", name, [*_RULES, "1", "2", "3"])
    return jnp.minimum(float(whole_number("dimension", int(name), 1)), rank)


# Errors


def errors(E: Float[Array, "n k"], spectral: Array, estimate: Float[Array, "n k"], truth: Float[Array, "n k"]) -> Found:
    """Return every quantity that the printed average may be an average of.

    Parameters
    ----------
    E
        What is left after alignment.
    spectral
        Its spectral norm.
    estimate, truth
        Psi^ and Psi with zeros in the columns beyond d; their signs are settled as in
        :func:`dkps_theory.geometry.classical_mds`.
    """
    rows = sqrt_nonnegative((E**2).sum(axis=1))
    entries = E.shape[0] * (truth != 0).any(axis=0).sum()
    frobenius = sqrt_nonnegative((rows**2).sum())
    return {
        "Frobenius": frobenius,
        "spectral": spectral,
        "two-to-infinity": rows.max(),
        "column sum": jnp.abs(E).sum(axis=0).max(),
        "mean over models": rows.mean(),
        "per entry": frobenius / jnp.sqrt(entries),
        "largest entry": jnp.abs(E).max(),
        "mean square": frobenius**2,
        "relative": frobenius / jnp.linalg.norm(truth),
        "not aligned": jnp.linalg.norm(estimate - truth),
    }


def matrix_errors(differences: Float[Array, "2 n n"], spectral: Float[Array, " 2"]) -> Found:
    """Return the errors of B and of D from the differences and their spectral norms."""
    found: dict[str, Array] = {}
    for index, name in enumerate("BD"):
        found[f"{name} Frobenius"] = jnp.linalg.norm(differences[index])
        found[f"{name} spectral"] = spectral[index]
        found[f"{name} largest entry"] = jnp.abs(differences[index]).max()
    return found


def read_dissimilarities(means: Float[Array, "n m"], label: str) -> Float[Array, "n n"]:
    """Return the dissimilarities of a convention; for "unsquared" their roots, so that B is made of D itself."""
    convention, unsquared = CONVENTIONS[label]
    D = dissimilarities(means[:, :, None], convention)
    return sqrt_nonnegative(D) if unsquared else D


# A replicate


class Prepared(eqx.Module):
    """A cell: its probabilities when they are drawn once, r, x, and the readings by axis."""

    probabilities: Float[Array, "n m"]
    redraws: Bool[Array, ""]
    r: Float[Array, ""]
    x: Float[Array, ""]
    axes: tuple[tuple[str, tuple[str, ...]], ...] = eqx.field(static=True)


def prepare(cell: Cell, axes: Mapping[str, Sequence[str]]) -> Prepared:
    """Return a cell ready to run.

    Raises
    ------
    InputError
        When n is below 5, m below 1, or a convention unknown.
    """
    n = whole_number("n", cell.factors["n"], 5)
    m = whole_number("m", cell.factors["m"], 1)
    for label in axes["convention"]:
        if label not in CONVENTIONS:
            raise nearest_name("convention", label, CONVENTIONS)
    key = jax.random.key(_ONCE_SEED, impl="threefry2x32")
    return Prepared(
        probabilities=uniforms(jax.random.fold_in(jax.random.fold_in(key, n), m), (n, m)),
        redraws=jnp.asarray(cell.factors["probabilities"] == "each run"),
        r=jnp.asarray(float(round(n**REPLICATES_POWER))),
        x=jnp.asarray(n ** ((3 - REPLICATES_POWER) / 2)),
        axes=tuple((name, tuple(labels)) for name, labels in axes.items()),
    )


def drawn_means(key: Key, prepared: Prepared) -> tuple[Float[Array, "n m"], Float[Array, "n m"]]:
    """Return the probabilities of a run and the means of r answers: exactly binomial counts over r."""
    first, second = jax.random.split(key)
    n, m = prepared.probabilities.shape
    p = jnp.where(prepared.redraws, uniforms(first, (n, m)), prepared.probabilities)
    return p, binomial(second, jnp.broadcast_to(prepared.r, (n, m)), p, 1 - p) / prepared.r


def replicate(key: Key, prepared: Prepared) -> dict[str, Array]:
    """Return errors and bounds of one run under all readings."""
    return readings_at(*drawn_means(key, prepared), prepared)


def readings_at(p: Float[Array, "n m"], X: Float[Array, "n m"], prepared: Prepared) -> dict[str, Array]:
    """Return the outputs of a run with probabilities ``p`` and means ``X``."""
    axes: dict[str, Any] = dict(prepared.axes)
    n = p.shape[0]
    D = jnp.stack([read_dissimilarities(X, label) for label in axes["convention"]])
    Delta = jnp.stack([read_dissimilarities(p, label) for label in axes["convention"]])

    def of_convention(D: Array, Delta: Array) -> dict[str, Array]:
        # Independent batches of LAPACK calls can block one another for good in XLA's thread pool on CPUs (JAX 0.10.2,
        # seen with two threads). Hence a chain of three: both spectra, then all alignments, then all spectral norms.
        scaled = jax.vmap(lambda one: classical_mds(one, n - 1))(jnp.stack([D, Delta]))
        spectra, (_, rank) = scaled.eigenvalues, scaled.rank
        d = jnp.stack([chosen_dimension(name, spectra[0], rank) for name in axes["dimension"]])
        used = jnp.arange(n - 1)[None, None, :] < d[:, None, None]
        estimates, truths = (jnp.where(used, one[None], 0.0) for one in scaled.configuration)
        E = jax.vmap(align)(estimates, truths) - truths
        differences = jnp.stack([double_centre(D**2) - double_centre(Delta**2), D - Delta])
        products = jnp.concatenate([jnp.einsum("dik,djk->dij", E, E), differences])
        largest = jnp.abs(jnp.linalg.eigvalsh(products)).max(axis=1)
        spectral = sqrt_nonnegative(largest[: len(d)])

        last = (d - 1).astype(int)
        eigenvalues = {"of B": spectra[1][last], "of B^": spectra[0][last], "largest for both": spectra[1][:1]}
        bounds = {
            name: a25_perspective_bound(spectra[0 if name == "of B^" else 1][:1], values, d, prepared.x[None])
            for name, values in eigenvalues.items()
        }
        found = jax.vmap(errors)(E, spectral, estimates, truths)
        matrices = matrix_errors(differences, largest[len(d) :])
        return {
            "error": _along(found, "quantity", axes),
            "matrix_error": _along(matrices, "matrix", axes),
            "bound": _along(bounds, "eigenvalues", axes),
            "chosen": d,
        }

    found = jax.vmap(of_convention)(D, Delta)
    if {"Frobenius"} <= set(axes["quantity"]) and {"of B"} <= set(axes["eigenvalues"]):
        error = found["error"][..., axes["quantity"].index("Frobenius")]
        covered = (error <= found["bound"][..., axes["eigenvalues"].index("of B")]).all().astype(float)
    else:
        covered = jnp.asarray(jnp.nan)
    return {**found, "covered": covered}


def _along(found: Mapping[str, Array], axis: str, axes: Mapping[str, Sequence[str]]) -> Array:
    for label in axes[axis]:
        if label not in found:
            raise nearest_name(axis, label, found)
    return jnp.stack([found[label] for label in axes[axis]], axis=-1)
