r"""Raw-stress multidimensional scaling: the z that minimise sigma(z) = sum_{i,i'} (||z_i - z_i'|| - D_ii')^2.

Kruskal (1964); A24 (arXiv:2409.17308), equation 1, with the sum over ordered pairs. Minimisers are unique at best up to
a rigid motion, and several that are not congruent may tie; a local one may be worse than the best. So every result says
what was reached, how often, and whether it is a minimum.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._keys import checked_key
from dkps_theory._linalg import centre, sqrt_nonnegative
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import InputError, positive_number, require, shown, whole_number
from dkps_theory.geometry._majorisation import distances, majorise, normalised
from dkps_theory.geometry._multistart import RawStressMDS, minimise
from dkps_theory.geometry.dissimilarity import checked_array, is_concrete
from dkps_theory.geometry.gram import checked_dissimilarities

#: Starts of :func:`raw_stress_mds` unless told otherwise.
STARTS = 20
#: Steps of one start, at most, unless told otherwise.
MAX_ITERATIONS = 500


def raw_stress(configuration: Float[AnyArray, "n d"], dissimilarities: Float[AnyArray, "n n"]) -> Float[Array, ""]:
    """Return sigma(z) = sum over ordered pairs of (||z_i - z_i'|| - D_ii')^2, as in A24 (arXiv:2409.17308), eq. 1.

    Each unordered pair counts twice; scikit-learn's stress is half of it. The unit is that of D, squared.

    Parameters
    ----------
    configuration
        z (n, d), in the unit of D.
    dissimilarities
        D (n, n).

    Raises
    ------
    InputError
        When D is no dissimilarity matrix, or the configuration holds NaN or another number of models.

    Examples
    --------
    >>> import numpy as np
    >>> float(raw_stress(np.array([[0.0], [1.0]]), np.array([[0.0, 3.0], [3.0, 0.0]])))
    8.0
    """
    D, z = _checked_pair(dissimilarities, configuration, "configuration")
    return ((sqrt_nonnegative(((z[:, None, :] - z[None, :, :]) ** 2).sum(axis=2)) - D) ** 2).sum()


def smacof(
    dissimilarities: Float[AnyArray, "n n"],
    start: Float[AnyArray, "n d"],
    *,
    eps: float = 1e-6,
    max_iterations: int = 300,
) -> tuple[Float[Array, "n d"], Float[Array, ""], Int[Array, ""], Bool[Array, ""]]:
    """Return (configuration, stress, iterations, stopped) of plain majorisation, with scikit-learn's stopping rule.

    It stops after a step that lowers stress by less than ``eps`` times sum_{i,i'} ||z_i - z_i'||^2, from the second
    step on. There is no promise of a minimum: a start inside a subspace stays in it, and progress may be slow.

    Parameters
    ----------
    dissimilarities
        D (n, n).
    start
        (n, d); its mean does not matter.
    eps
        At least 0. Below 1e-14 rounding decides.
    max_iterations
        At least 1.

    Returns
    -------
    configuration, stress, iterations, stopped
        z (n, d); sigma(z), over ordered pairs; steps taken; whether the rule ended them and not ``max_iterations``.

    Notes
    -----
    de Leeuw (1977), Applications of convex analysis to multidimensional scaling: z <- B(z) z / n, the Guttman
    transform, minimises at each step a quadratic function that lies above stress and touches it at z.

    Raises
    ------
    InputError
        When D is no dissimilarity matrix, the start does not fit it, or an option is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> D = np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]])
    >>> z, stress, _, _ = smacof(D, np.array([[0.0], [1.0], [2.0]]))
    >>> [round(x, 6) for x in z[:, 0].tolist()]
    [-1.333333, -0.333333, 1.666667]
    """
    D, z = _checked_pair(dissimilarities, start, "start")
    if is_concrete(eps):
        require(positive_number(eps) or eps == 0, f"eps: got {shown(eps)}; it must be a number of at least 0")
    return _smacof(D, z, jnp.asarray(eps, dtype=jnp.float64), whole_number("max_iterations", max_iterations, 1))


@functools.partial(jax.jit, static_argnames="max_iterations")
def _smacof(D: Array, start: Array, eps: Array, max_iterations: int) -> tuple[Array, Array, Array, Array]:
    shape, scale = normalised(D)
    z, iterations, stopped = majorise(shape, centre(start).T / jnp.where(scale > 0, scale, 1.0), eps, max_iterations)
    return z.T * scale, ((distances(z) - shape) ** 2).sum() * scale**2, iterations, stopped


def raw_stress_mds(
    dissimilarities: Float[AnyArray, "n n"],
    d: int,
    *,
    key: Key,
    starts: int = STARTS,
    tolerance: float = 1e-12,
    max_iterations: int = MAX_ITERATIONS,
) -> RawStressMDS:
    """Minimise raw stress in d dimensions from several starts, each carried to a second-order minimum.

    In d >= 2 each start takes Guttman steps while they pay, then safeguarded Newton ones; from the best of the ends,
    exchanges of two points are tried. On a line (d = 1) Newton has nothing to add: each start is improved by Guttman
    steps and by moving single points in the order, and for n <= 12 the exact optimum is added by dynamic programming.
    No more than n - 1 dimensions are needed: columns beyond are 0. Beyond d = 1 nothing certifies the global minimum;
    D without structure in the plane has so many minima that twenty starts may miss the best.

    Parameters
    ----------
    dissimilarities
        D (n, n), n >= 2: non-negative, symmetric, zero on the diagonal. It need not be Euclidean.
    d
        Perspective dimension, at least 1; static under jit.
    key
        One typed key, for the random starts.
    starts
        The first is classical MDS, nudged by 2% so that it is in no subspace that majorisation cannot leave; the others
        are Gaussian. Static under jit.
    tolerance
        Largest ||grad sigma||_F / ||D||_F of a converged start.
    max_iterations
        Steps of one start, at most; static under jit. A start that runs out of them is not converged.

    Returns
    -------
    RawStressMDS
        Homogeneous in D: for a D it is a times the configuration and a^2 times the stress, up to rounding.

    Raises
    ------
    InputError
        When D is no dissimilarity matrix or has one model only, or an option is out of range.

    Notes
    -----
    Where the best configuration has rank below d (exact Euclidean D of lower rank), stress grows with the fourth power
    of the extra columns: a gradient within ``tolerance`` allows them tolerance^(1/3) = 1e-4 of ||D||_F, and the last
    steps, which go on below it, bring them to about 1e-6. Everything else is then exact to about the square of that.

    Examples
    --------
    >>> import jax, numpy as np
    >>> D = 1.0 - np.eye(3)  # an equilateral triangle on a line: which point is in the middle is a tie of three
    >>> found = raw_stress_mds(D, 1, key=jax.random.key(0))
    >>> round(float(found.stress), 6), int(found.distinct), bool(found.converged)
    (0.666667, 3, True)
    """
    D = checked_dissimilarities(dissimilarities)
    n = D.shape[0]
    require(n >= 2, "dissimilarities: got 1 model; raw stress needs at least 2")
    dimension = whole_number("d (perspective dimension)", d, 1)
    count = whole_number("starts", starts, 1)
    steps = whole_number("max_iterations", max_iterations, 1)
    if is_concrete(tolerance):
        require(positive_number(tolerance), f"tolerance: got {shown(tolerance)}; it must be a number above 0")
    return minimise(D, checked_key(key), jnp.asarray(tolerance, dtype=jnp.float64), dimension, count, steps)


def _checked_pair(
    dissimilarities: AnyArray, configuration: AnyArray, name: str
) -> tuple[Float[Array, "n n"], Float[Array, "n d"]]:
    D, z = checked_dissimilarities(dissimilarities), checked_array(name, configuration, "n d")
    if z.shape[0] != D.shape[0]:
        raise InputError(f"{name}: got {z.shape[0]} rows for n = {D.shape[0]} models of dissimilarities")
    return D, z
