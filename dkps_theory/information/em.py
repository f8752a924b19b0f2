r"""Gaussian mixtures fitted by EM: expectation and maximisation, from k-means++, for one data set or a batch of them.

Dempster, Laird, Rubin (1977). Steps, stopping rule, floor and start are those of scikit-learn's ``GaussianMixture``, so
that both give the same fit from the same start; the equations, and what is monotone, are in ``_em_steps``.

The number of steps differs widely between data sets. So under ``jax.vmap``, and within a batch, data sets and restarts
are fitted one after the other, each for its own number of steps and by the same compiled code: no fit waits for a
slower one, and none depends on what it is batched with, to the last bit. On a CPU nothing is lost by it (one step of
one data set keeps a core busy); a GPU is left mostly idle.
"""

from __future__ import annotations

import functools
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.custom_batching import sequential_vmap
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._keys import are_keys
from dkps_theory._types import AnyArray, Key
from dkps_theory._validate import nearest_name, positive_number, require, shown, whole_number
from dkps_theory.geometry.dissimilarity import is_concrete
from dkps_theory.information._em_checks import checked_data, checked_start
from dkps_theory.information._em_start import lloyd, memberships, plus_plus
from dkps_theory.information._em_steps import ascend, e_step, m_step, parameters
from dkps_theory.information.mixture import Mixture

CovarianceType = Literal["full", "diagonal", "spherical"]
_TYPES = ("full", "diagonal", "spherical")
#: A component with less than this many points of responsibility counts as empty.
EMPTY = 1e-6
#: Log-likelihoods this close, in nats per point, count as equal: rounding must not choose between restarts.
TIED = 1e-9


class MixtureFit(eqx.Module):
    """The best of the restarts of EM, and what became of each.

    Attributes
    ----------
    mixture
        The fitted law. Components that are masked out have weight 0, the origin as mean and covariance I.
    log_likelihood
        Mean log density of a point under it, in nats, exactly: of points counted by their weights.
    lower_bound
        The same before the last M step, which is what scikit-learn calls ``lower_bound_``.
    steps
        E and M steps taken.
    converged
        Whether the last two E steps differ by less than the tolerance in mean log-likelihood.
    failed
        Whether a step could not be taken because a covariance plus ``floor`` is not positive definite in double
        precision (as with data of variance 10^15 floor in fewer points than coordinates). The parameters are then those
        before it; the log-likelihood is NaN where these are the start and its covariances already fail.
    floored : (k,)
        Components at the floor: trace of the precision matrix at least 1 / (2 floor). Every component with a direction
        of variance at most 2 floor is among them, and no one whose variances all exceed 2 d floor. Their density is as
        high as the floor allows, so a likelihood that they win says little.
    empty : (k,)
        Components (not masked) with responsibility for less than 1e-6 of a point.
    log_likelihoods, restart_steps, convergences, failures : (s,)
        The same for each restart. The best is the first within 1e-9 of the highest log-likelihood.
    """

    mixture: Mixture
    log_likelihood: Float[Array, ""]
    lower_bound: Float[Array, ""]
    steps: Int[Array, ""]
    converged: Bool[Array, ""]
    failed: Bool[Array, ""]
    floored: Bool[Array, " k"]
    empty: Bool[Array, " k"]
    log_likelihoods: Float[Array, " s"]
    restart_steps: Int[Array, " s"]
    convergences: Bool[Array, " s"]
    failures: Bool[Array, " s"]

    @property
    def degenerate(self) -> Bool[Array, "*b"]:
        """Whether it failed or any component is at the floor or empty."""
        return self.failed | self.floored.any(axis=-1) | self.empty.any(axis=-1)


def fit_mixture(
    data: Float[AnyArray, "*b n d"],
    key: Key,
    components: int,
    *,
    covariance_type: CovarianceType = "full",
    restarts: int = 1,
    lloyd_steps: int = 300,
    floor: float = 1e-6,
    tolerance: float = 1e-3,
    max_steps: int = 100,
    point_weights: Float[AnyArray, "*b n"] | None = None,
    component_mask: Bool[AnyArray, "*b k"] | None = None,
    start: Mixture | Float[AnyArray, "*b n k"] | None = None,
) -> MixtureFit:
    r"""Fit a mixture of Gaussians by EM, as scikit-learn's ``GaussianMixture`` does, to one data set or to several.

    Each restart begins at the clusters of k-means: greedy k-means++ centres, then Lloyd steps. EM's steps and the
    stopping rule are scikit-learn's: it stops when the mean log-likelihood of a point moves by less than ``tolerance``.

    Parameters
    ----------
    data
        Points (n, d), or (b, n, d) for b data sets; the unit is the user's.
    key
        One typed key for one data set; b keys for b data sets.
    components
        k, at least 1; static under jit.
    covariance_type
        ``"full"``, ``"diagonal"`` or ``"spherical"``; static under jit.
    restarts
        s starts, each with its own draws; static under jit.
    lloyd_steps
        Steps of k-means at most; 0 starts from the cells of the k-means++ centres.
    floor
        Above 0, in the unit of the data squared: added to every variance at each M step, scikit-learn's ``reg_covar``.
    tolerance, max_steps
        When a restart has converged, in nats per point, and how many steps it may take.
    point_weights
        How often each point counts, at least 0; default 1. A point of weight 0 changes nothing, so data sets of
        different sizes are padded to one shape.
    component_mask
        Which components there are; default all. Those masked out change nothing.
    start
        Where the only restart begins: a mixture (b of them, stacked, for b data sets), whose components of weight 0
        are masked out; or responsibilities (n, k), with which an M step is made first. Default: k-means.

    Returns
    -------
    MixtureFit
        For b data sets all arrays have a leading axis b. Each has the numbers, up to rounding, that it has on its own.

    Raises
    ------
    InputError
        When shapes do not fit, data or weights hold NaN, there are fewer points (of positive weight) than components,
        or an option is out of range. Values of traced arrays are trusted.

    Notes
    -----
    Degenerate data (duplicates, constant coordinates, n <= d) have no maximum likelihood; the floor gives them a fit,
    and ``floored`` says so. With a floor the log-likelihood may fall from step to step, by about the floor times half a
    component's trace of precision; without it never. It converges to a stationary point, rarely the highest.

    Examples
    --------
    >>> data = jnp.array([[-1.1], [-0.9], [2.9], [3.1]])
    >>> fit = fit_mixture(data, jax.random.key(0), 2)
    >>> sorted(round(mean, 6) for mean in fit.mixture.means[:, 0].tolist())
    [-1.0, 3.0]
    >>> bool(fit.converged), int(fit.steps), bool(fit.degenerate)
    (True, 2, False)
    """
    k = whole_number("components", components, 1)
    if covariance_type not in _TYPES:
        raise nearest_name("covariance_type", covariance_type, _TYPES)
    count = whole_number("restarts", restarts, 1)
    require(start is None or count == 1, f"restarts: got {count} with a start given; from one start there is one fit")
    for name, number in (("floor", floor), ("tolerance", tolerance)):
        if is_concrete(number):
            require(positive_number(number), f"{name}: got {shown(number)}; it must be a number above 0")
    lloyd_steps = whole_number("lloyd_steps", lloyd_steps, 0)
    max_steps = whole_number("max_steps", max_steps, 1)
    x, weights, mask = checked_data(data, point_weights, component_mask, k)
    batch = x.shape[:-2]
    if not (are_keys(key) and key.shape == batch):
        got = f"keys of shape {key.shape}" if are_keys(key) else shown(key)
        wanted = f"{batch[0]} typed keys, one for each data set" if batch else "one typed key"
        require(False, f"key: got {got}; with data {x.shape} it must be {wanted}, as from jax.random.key(seed)")
    begin = checked_start(start, (*batch, x.shape[-2], k, x.shape[-1]), mask)
    options = Options(
        floor=jnp.asarray(floor, dtype=jnp.float64),
        tolerance=jnp.asarray(tolerance, dtype=jnp.float64),
        max_steps=jnp.asarray(max_steps, dtype=jnp.int64),
        lloyd_steps=jnp.asarray(lloyd_steps, dtype=jnp.int64),
    )
    return _fit(x, weights, mask, key, begin, options, covariance_type, count)


class Options(NamedTuple):
    """What may change without compiling again."""

    floor: Float[Array, ""]
    tolerance: Float[Array, ""]
    max_steps: Int[Array, ""]
    lloyd_steps: Int[Array, ""]


class Restart(NamedTuple):
    """One restart of one data set; names as in :class:`MixtureFit`."""

    law: tuple[Float[Array, " k"], Float[Array, "k d"], Float[Array, "k d d"]]
    log_likelihood: Float[Array, ""]
    lower_bound: Float[Array, ""]
    steps: Int[Array, ""]
    converged: Bool[Array, ""]
    failed: Bool[Array, ""]
    floored: Bool[Array, " k"]
    empty: Bool[Array, " k"]


@functools.partial(jax.jit, static_argnames=("covariance_type", "restarts"))
def _fit(
    data: Array,
    weights: Array,
    mask: Array,
    keys: Key,
    start: Any,
    options: Options,
    covariance_type: CovarianceType,
    restarts: int,
) -> MixtureFit:
    run = sequential_vmap(functools.partial(_run, covariance_type=covariance_type))

    def one(data: Array, weights: Array, mask: Array, key: Key, start: Any) -> MixtureFit:
        each = jax.vmap(lambda key: run(data, weights, mask, key, start, options))(jax.random.split(key, restarts))
        scores = each.log_likelihood
        known = jnp.where(jnp.isnan(scores), -jnp.inf, scores)
        best = jnp.argmax(known >= known.max() - TIED)  # the first of them
        chosen = jax.tree.map(lambda values: values[best], each)
        return MixtureFit(
            mixture=Mixture(*chosen.law),
            log_likelihood=chosen.log_likelihood,
            lower_bound=chosen.lower_bound,
            steps=chosen.steps,
            converged=chosen.converged,
            failed=chosen.failed,
            floored=chosen.floored,
            empty=chosen.empty,
            log_likelihoods=scores,
            restart_steps=each.steps,
            convergences=each.converged,
            failures=each.failed,
        )

    return (jax.vmap(one) if data.ndim == 3 else one)(data, weights, mask, keys, start)


def _run(
    data: Array,
    weights: Array,
    mask: Array,
    key: Key,
    start: Any,
    options: Options,
    covariance_type: CovarianceType,
) -> Restart:
    """Fit one data set from one start."""
    # About their mean, so that a common offset costs no digits; absent points go there, whatever they hold.
    here = weights > 0
    middle = weights @ jnp.where(here[:, None], data, 0.0) / weights.sum()
    x = jnp.where(here[:, None], data - middle[None], 0.0).T
    floor = options.floor
    if isinstance(start, tuple):
        share, means, covariances = start
        mask = mask & (share > 0)
        share = jnp.where(mask, share, 0.0)
        means = jnp.where(mask[:, None], means - middle[None], 0.0)
        covariances = jnp.where(mask[:, None, None], covariances, jnp.eye(x.shape[0])[None])
        begin = parameters(share / share.sum(), means, covariances)
    else:
        centres = jnp.zeros((mask.shape[0], x.shape[0]))
        if start is None:
            centres = lloyd(x, weights, mask, plus_plus(x, weights, mask, key), options.lloyd_steps)
            members = memberships(x, mask, centres)
        else:
            members = jnp.where(mask[:, None], start.T, 0.0)
        begin = m_step(x, members * weights[None], centres, mask, floor, covariance_type)
    end = ascend(x, weights, mask, begin, floor, options.tolerance, options.max_steps, covariance_type)
    found = end.parameters
    log_likelihood, responsibilities = e_step(x, weights, found)
    means = jnp.where(mask[:, None], found.means + middle[None], 0.0)
    return Restart(
        (found.weights, means, found.covariances),
        log_likelihood,
        *end[1:],
        floored=mask & (jnp.square(found.factors.whitening).sum(axis=(1, 2)) >= 0.5 / floor),
        empty=mask & (responsibilities.sum(axis=1) < EMPTY),
    )
