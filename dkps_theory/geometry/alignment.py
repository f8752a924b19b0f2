"""Alignment of an estimated configuration with a true one, and the four measures of what error is left.

Perspectives are known up to a motion: orthogonal for centred classical MDS, rigid (orthogonal and a translation) in
general. The Frobenius-optimal motion is the orthogonal Procrustes solution (Schoenemann 1966), reflections included.
"""

from __future__ import annotations

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dkps_theory._linalg import centre, sqrt_nonnegative
from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError
from dkps_theory.geometry.dissimilarity import checked_array, squared_distances

MOTIONS = ("orthogonal", "rigid")


def _checked_pair(source: AnyArray, target: AnyArray) -> tuple[Float[Array, "n d"], Float[Array, "n d"]]:
    first, second = checked_array("source", source, "n d"), checked_array("target", target, "n d")
    if first.shape != second.shape:
        raise InputError(f"target: got shape {second.shape}; it must be that of source, {first.shape}")
    return first, second


def orthogonal_alignment(source: Float[AnyArray, "n d"], target: Float[AnyArray, "n d"]) -> Float[Array, "d d"]:
    """Return an orthogonal W (d, d) that minimises ||source W - target||_F.

    W = U V' for the singular value decomposition U S V' of source' target. Where that matrix is rank-deficient W is
    one of several minimisers; for a zero configuration it is an orthogonal matrix all the same, never NaN.

    Raises
    ------
    InputError
        For wrong or unequal shapes, NaN or infinities.

    Examples
    --------
    >>> import numpy as np
    >>> target = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, -2.0]])
    >>> turned = target @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> bool(jnp.allclose(turned @ orthogonal_alignment(turned, target), target))
    True
    """
    return _procrustes(*_checked_pair(source, target))


def rigid_alignment(
    source: Float[AnyArray, "n d"], target: Float[AnyArray, "n d"]
) -> tuple[Float[Array, "d d"], Float[Array, " d"]]:
    """Return (W, a), W orthogonal, that minimise ||source W + 1 a' - target||_F.

    The best translation matches the means, which leaves the orthogonal problem between the centred configurations.

    Raises
    ------
    InputError
        For wrong or unequal shapes, NaN or infinities.

    Examples
    --------
    >>> import numpy as np
    >>> W, a = rigid_alignment(np.array([[0.0], [1.0]]), np.array([[5.0], [4.0]]))
    >>> W.tolist(), a.tolist()
    ([[-1.0]], [5.0])
    """
    return _rigid(*_checked_pair(source, target))


def align(
    source: Float[AnyArray, "n d"], target: Float[AnyArray, "n d"], motion: str = "orthogonal"
) -> Float[Array, "n d"]:
    """Return ``source`` moved onto ``target`` by the Frobenius-optimal motion, "orthogonal" or "rigid".

    Raises
    ------
    InputError
        For an unknown motion, wrong or unequal shapes, NaN or infinities.

    Examples
    --------
    >>> import numpy as np
    >>> align(np.array([[0.0], [1.0]]), np.array([[5.0], [4.0]]), motion="rigid").tolist()
    [[5.0], [4.0]]
    """
    return _moved(*_checked_pair(source, target), _checked_motion(motion))


class AlignmentErrors(eqx.Module):
    """Errors of an estimated configuration, in the unit of the configuration.

    The first three are norms of what the Frobenius-optimal motion leaves, hence upper bounds of the smallest spectral
    and two-to-infinity errors over all motions; the pairwise error needs no motion.

    Attributes
    ----------
    frobenius
        ||estimate W - truth||_F, the minimum over motions.
    spectral
        Largest singular value of the same difference.
    two_to_infinity
        Largest row norm of the same difference: the worst model.
    pairwise
        max over i, i' of | ||psi^_i - psi^_i'|| - ||psi_i - psi_i'|| |.
    """

    frobenius: Float[Array, ""]
    spectral: Float[Array, ""]
    two_to_infinity: Float[Array, ""]
    pairwise: Float[Array, ""]


def alignment_errors(
    estimate: Float[AnyArray, "n d"], truth: Float[AnyArray, "n d"], motion: str = "orthogonal"
) -> AlignmentErrors:
    """Return the four error measures of ``estimate`` against ``truth`` after the Frobenius-optimal motion.

    Parameters
    ----------
    estimate, truth
        Configurations (n, d) of the same models.
    motion
        "orthogonal" for centred configurations, "rigid" to allow for a translation too.

    Raises
    ------
    InputError
        For an unknown motion, wrong or unequal shapes, NaN or infinities.

    Examples
    --------
    >>> import numpy as np
    >>> errors = alignment_errors(np.array([[-1.0], [1.0]]), np.array([[2.0], [-2.0]]))
    >>> float(errors.two_to_infinity), float(errors.pairwise)
    (1.0, 2.0)
    """
    source, target = _checked_pair(estimate, truth)
    return _errors(source, target, _checked_motion(motion))


@functools.partial(jax.jit, static_argnames="motion")
def _errors(source: Float[Array, "n d"], target: Float[Array, "n d"], motion: str) -> AlignmentErrors:
    difference = _moved(source, target, motion) - target
    rows = sqrt_nonnegative((difference**2).sum(axis=1))
    distances = sqrt_nonnegative(squared_distances(source)) - sqrt_nonnegative(squared_distances(target))
    return AlignmentErrors(
        frobenius=sqrt_nonnegative((rows**2).sum()),
        spectral=jnp.linalg.svd(difference, compute_uv=False)[0],
        two_to_infinity=rows.max(),
        pairwise=jnp.abs(distances).max(),
    )


@jax.jit
def _procrustes(source: Float[Array, "n d"], target: Float[Array, "n d"]) -> Float[Array, "d d"]:
    left, _, right = jnp.linalg.svd(source.T @ target)
    return left @ right


@jax.jit
def _rigid(source: Float[Array, "n d"], target: Float[Array, "n d"]) -> tuple[Float[Array, "d d"], Float[Array, " d"]]:
    W = _procrustes(centre(source), centre(target))
    return W, target.mean(axis=0) - source.mean(axis=0) @ W


def _checked_motion(motion: str) -> str:
    if motion not in MOTIONS:
        raise InputError(f"motion: got {motion!r}; it must be one of {', '.join(MOTIONS)}")
    return motion


def _moved(source: Float[Array, "n d"], target: Float[Array, "n d"], motion: str) -> Float[Array, "n d"]:
    if motion == "orthogonal":
        return source @ _procrustes(source, target)
    W, a = _rigid(source, target)
    return source @ W + a[None, :]
