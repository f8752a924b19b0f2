r"""Raw stress from several starts, and what the ends say about one another: best, tied, reached, converged."""

from __future__ import annotations

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._linalg import centre, double_centre, sqrt_nonnegative
from dkps_theory._validate import InputError
from dkps_theory.geometry import _line_search as line
from dkps_theory.geometry._exchanges import search_exchanges
from dkps_theory.geometry._majorisation import distances, normalised, relax, stress_and_gradient
from dkps_theory.geometry._newton import are_apart, finish
from dkps_theory.geometry.classical_mds import settled_signs
from dkps_theory.geometry.dissimilarity import is_concrete

#: Stresses this close, relative to the best plus an absolute share of ||D||_F^2, count as equal.
TIED_STRESS, TIED_STRESS_FLOOR = 1e-9, 1e-15
#: Distance matrices closer than this share of ||D||_F in Frobenius norm count as equal: on a line, and otherwise.
CONGRUENT_ON_LINE, CONGRUENT = 1e-9, 1e-3

# The cheap phase before Newton: until one step lowers stress by less than this share of sum dist^2, and steps at most.
_ROUGH, _ROUGH_STEPS = 1e-5, 80
_EXACT_STARTS = 4
_NUDGE = 0.02


class RawStressMDS(eqx.Module):
    """The best configuration found, every start's, and what they say about one another.

    Attributes
    ----------
    configuration
        Best z (n, d) found, centred, with orthogonal columns of decreasing length, signs as in
        :class:`~dkps_theory.ClassicalMDS`.
    stress
        sigma at it, summed over ordered pairs; the unit is that of D, squared.
    gradient_norm
        ||grad sigma||_F / ||D||_F there (0 where D is 0): a number without unit.
    converged
        Whether it is a minimum: gradient norm within the tolerance, Hessian positive semi-definite apart from rigid
        motions (up to 1e-8 of 4 n, or 1% of gradient norm^(2/3) where that is less), and no two points with D_ii' > 0
        in one place.
    reached
        How many of the ordinary starts ended at the best stress, over all tied minimisers. 0 or 1 is a warning unless
        ``exact`` (see :attr:`doubtful`): where one start in ``starts`` finds the best, a better one may hide from all.
    distinct
        How many minimisers of the best stress, none congruent to another, were seen. It is a lower bound; in d >= 2
        minimisers whose distances agree to 1e-3 of ||D||_F count as one.
    exact
        Whether the stress is known to be the global minimum, up to rounding: for d = 1 (or n = 2) and n <= 12.
    configurations, stresses, gradient_norms, convergences, iterations
        The same of each start: first the ordinary ones, the first from classical MDS; then four from dynamic
        programming where ``exact``, or one from the exchange search in d >= 2.
    minimiser
        Which distinct best minimiser each start reached, counted from 0, and -1 where it ended at a worse stress.
    """

    configuration: Float[Array, "n d"]
    stress: Float[Array, ""]
    gradient_norm: Float[Array, ""]
    converged: Bool[Array, ""]
    reached: Int[Array, ""]
    distinct: Int[Array, ""]
    exact: Bool[Array, ""]
    configurations: Float[Array, "s n d"]
    stresses: Float[Array, " s"]
    gradient_norms: Float[Array, " s"]
    convergences: Bool[Array, " s"]
    iterations: Int[Array, " s"]
    minimiser: Int[Array, " s"]

    @property
    def doubtful(self) -> Bool[Array, "*batch"]:
        """Whether the best may well be missed: not converged, or not exact and reached by one start or none."""
        return ~self.converged | (~self.exact & (self.reached <= 1))

    @property
    def tied(self) -> Bool[Array, "*batch"]:
        """Whether two best minimisers that are not congruent were seen."""
        return self.distinct > 1

    def minimisers(self) -> list[Float[Array, "n d"]]:
        """Return one configuration for each distinct best minimiser; only outside jit, for one problem."""
        if not is_concrete(self.minimiser) or self.minimiser.ndim != 1:
            raise InputError("minimisers: their number must be known; call it outside jit and vmap, on one result")
        which = np.asarray(self.minimiser)
        return [self.configurations[int(np.argmax(which == k))] for k in range(int(self.distinct))]


@functools.partial(jax.jit, static_argnames=("d", "starts", "max_iterations", "use_exact"))
def minimise(
    D: Array, key: Array, tolerance: Array, d: int, starts: int, max_iterations: int, use_exact: bool = True
) -> RawStressMDS:
    """Do the work of :func:`dkps_theory.raw_stress_mds` on checked input; ``use_exact`` allows dynamic programming."""
    n = D.shape[0]
    shape, scale = normalised(D)
    k = min(d, n - 1)
    is_exact = use_exact and k == 1 and n <= line.LARGEST_EXACT
    key_starts, key_kick, key_exact = jax.random.split(key, 3)
    begin = _starts(shape, key_starts, k, starts)
    if k == 1:
        x, iterations = jax.vmap(lambda z: line.search_order(shape, z[0], max_iterations))(begin)
        if is_exact:
            exact = line.optimal_coordinates(shape, key_exact, _EXACT_STARTS)
            x = jnp.concatenate([x, exact])
            iterations = jnp.concatenate([iterations, jnp.zeros(_EXACT_STARTS, dtype=iterations.dtype)])
        z = x[:, None, :]
        is_minimum = jnp.ones(x.shape[0], dtype=bool)
    else:
        z, is_minimum, iterations = _planar(shape, begin, key_kick, tolerance, max_iterations)
    return _result(shape, scale, z, is_minimum, iterations, tolerance, d, starts, is_exact)


def _starts(D: Array, key: Array, k: int, starts: int) -> Float[Array, "s k n"]:
    """Return the classical configuration, nudged, and random ones, each with the length that is best for its shape."""
    n = D.shape[0]
    values, vectors = jnp.linalg.eigh(double_centre(D**2))
    top = (vectors[:, ::-1][:, :k] * sqrt_nonnegative(values[::-1][:k])[None, :]).T
    noise = jax.random.normal(key, (starts, k, n), dtype=D.dtype)
    # ||D||_F = 1, so a configuration that fits has norm 1 / sqrt(2 n).
    noise = noise / jnp.sqrt((noise**2).sum(axis=(1, 2), keepdims=True) * 2 * n)
    drawn = noise.at[0].multiply(_NUDGE).at[0].add(top)
    drawn = drawn - drawn.mean(axis=2, keepdims=True)

    def scaled(z: Array) -> Array:
        dist = distances(z)
        return z * (D * dist).sum() / (dist**2).sum()

    return jax.vmap(scaled)(drawn)


def _planar(
    D: Array, begin: Array, key: Array, tolerance: Array, max_iterations: int
) -> tuple[Float[Array, "s k n"], Bool[Array, " s"], Int[Array, " s"]]:
    """Return where each start ends in two or more dimensions, and the exchange search from the best of the ends.

    For each of these also whether it is a minimum, and its number of steps.
    """
    direction = jax.random.normal(key, (begin.shape[0] + 1, *begin.shape[1:]), dtype=D.dtype)
    direction = direction / jnp.sqrt((direction**2).sum(axis=(1, 2), keepdims=True))
    steps = min(_ROUGH_STEPS, max_iterations)
    rough, first = jax.vmap(lambda z: relax(D, z, _ROUGH, steps))(begin)
    z, is_minimum, second = finish(D, rough, direction[:-1], tolerance, max_iterations - first)
    stresses, _ = jax.vmap(lambda one: stress_and_gradient(D, one))(z)
    best = jnp.argmin(stresses)
    searched = search_exchanges(D, z[best], stresses[best], direction[-1], steps)
    end, is_end_minimum, last = finish(D, searched[None], direction[-1:], tolerance, jnp.full(1, max_iterations))
    return (
        jnp.concatenate([z, end]),
        jnp.concatenate([is_minimum, is_end_minimum]),
        jnp.concatenate([first + second, last]),
    )


def _result(
    D: Array,
    scale: Array,
    z: Float[Array, "s k n"],
    is_minimum: Array,
    iterations: Array,
    tolerance: Array,
    d: int,
    starts: int,
    is_exact: bool,
) -> RawStressMDS:
    stresses, gradients = jax.vmap(lambda one: stress_and_gradient(D, one))(z)
    norms = jnp.sqrt((gradients**2).sum(axis=(1, 2)))
    converged = is_minimum & (norms <= tolerance) & jax.vmap(lambda one: are_apart(D, one))(z)

    best = stresses.min()
    is_best = stresses <= best * (1 + TIED_STRESS) + TIED_STRESS_FLOOR
    # Of those at the best stress a converged one is shown, and of these the least: with distances that almost fit,
    # stress is known to far more digits than the floor of a tie. As ||D||_F = 1, the 10 outweighs every best stress.
    chosen = jnp.argmin(jnp.where(is_best, stresses, jnp.inf) + jnp.where(converged, 0.0, 10.0))
    apart = jax.vmap(distances)(z)
    gaps = ((apart[:, None, :, :] - apart[None, :, :, :]) ** 2).sum(axis=(2, 3))
    limit = CONGRUENT_ON_LINE if z.shape[1] == 1 else CONGRUENT
    is_same = (gaps <= limit**2) & is_best[:, None] & is_best[None, :]
    leader = jnp.argmax(is_same, axis=1)
    leads = is_best & (leader == jnp.arange(z.shape[0]))
    minimiser = jnp.where(is_best, (jnp.cumsum(leads) - 1)[leader], -1)

    configurations = jax.vmap(lambda one: _canonical(one.T, d))(z) * scale
    return RawStressMDS(
        configuration=configurations[chosen],
        stress=stresses[chosen] * scale**2,
        gradient_norm=norms[chosen],
        converged=converged[chosen],
        reached=is_best[:starts].sum(),
        distinct=leads.sum(),
        exact=jnp.asarray(is_exact),
        configurations=configurations,
        stresses=stresses * scale**2,
        gradient_norms=norms,
        convergences=converged,
        iterations=iterations,
        minimiser=minimiser,
    )


def _canonical(z: Float[Array, "n k"], d: int) -> Float[Array, "n d"]:
    """Return z centred, turned to its principal axes, with settled signs and zero columns up to d."""
    centred = centre(z)
    if z.shape[1] > 1:
        _, axes = jnp.linalg.eigh(centred.T @ centred)
        centred = centred @ axes[:, ::-1]
    return jnp.pad(centred * settled_signs(centred)[None, :], ((0, 0), (0, d - z.shape[1])))
