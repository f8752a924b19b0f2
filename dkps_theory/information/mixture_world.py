r"""The mixture world of the reverse bottleneck: anchors, a generator made from them, synthetic data, and fits by EM.

One repetition of G25's mixture simulation, in d dimensions, with K prompt components, J that the generator knows and L
that only the generator has:

1. the truth has K + J components of equal weight, means uniform on [0, 10]^d and random covariances;
2. anchors are drawn from the first K components;
3. the generator has N = K + J + L components of equal weight: K with the means and covariances of the anchors of each
   component (labels are known), + 1e-6 I; J copied from the truth; L drawn as the truth's were, independently of it;
4. S_gen is drawn from the generator;
5. EM fits K components to the anchors and N to S_gen.

Two protocols.

``published``
    Covariances are handed over as C = A B', A and B with independent entries uniform on (0, 1); 50 anchors from each of
    K components; 200 points of S_gen. C is symmetric with probability 0. What is then drawn is N(mu, \|C\|),
    \|C\| = (C'C)^{1/2}: NumPy's ``RandomState.multivariate_normal`` takes the singular value decomposition
    C = U S V' and returns mu + V S^{1/2} z, whose covariance is V S V' = (V S^2 V')^{1/2} = (C'C)^{1/2}, the polar
    factor of C; it warns, and goes on, when C is not a covariance matrix. (NumPy's newer ``Generator`` returns
    mu + U S^{1/2} z, with covariance U S U' = (C C')^{1/2}. As C' = B A' has the law of C, the laws of the truths are
    the same.) These valid matrices \|C\| are what this module calls the covariances of the published protocol.
``corrected``
    Covariances A A' + 0.01 I, symmetric and positive definite; 50 d anchors and 100 d points of S_gen, whatever K, J
    and L are, each from a random component. At d = 2 and K = 2 these are the published sizes. The ridge is needed for
    means to exist: KL divergences hold trace(Sigma^{-1} T) for components that a fit does not find, and the smallest
    singular value of a d x d matrix of uniform entries has a density that is positive at 0, so P(s_min^{-2} > x) falls
    like x^{-1/2} and E trace((A A')^{-1}) is infinite; with the ridge it is at most 100 d.

A component without an anchor (possible in the corrected protocol only) has no moments and is left out of the
generator; with one anchor its covariance is 1e-6 I.

Arrays have room for more components than there are: K, J and L are traced, what is beyond them has weight 0, and all
worlds of one protocol, dimension and room share compiled code.

What the theory's quantities are here. With Z the component of an answer, uniform on N, h(e_p) = Z if Z is one of the K
prompt components and 0 otherwise, g(e_M) = Z if it is one of the others and 0 otherwise, the label M = h + g has
H(M) = log N and, as h is a function of M, I(h; M) = H(h) = log N - ((J+L)/N) log(J+L). Hence the information gain is

    Delta_I = H(M) - I(h; M) = ((J + L)/N) log(J + L).

J and L enter it in the same way, though J adds what is in the truth and L what is not: no function of Delta_I can tell
useful novelty from noise. What EM's parameters know of the data, I(S; W), is not known in closed form: None.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dkps_theory._gaussian import factorise
from dkps_theory._types import Key
from dkps_theory._validate import nearest_name, require, whole_number
from dkps_theory.information.em import MixtureFit, fit_mixture
from dkps_theory.information.mixture import Mixture, present
from dkps_theory.populations._draws import normals, uniforms

Protocol = Literal["published", "corrected"]
PROTOCOLS: tuple[Protocol, ...] = ("published", "corrected")

#: Means are uniform on [0, BOX]^d.
BOX = 10.0
#: Added to the anchors' covariances in the generator.
JITTER = 1e-6
#: Published sizes: anchors of each component, and points of S_gen.
ANCHORS_EACH, SYNTHETIC = 50, 200
#: Corrected sizes, times d.
ANCHORS_PER_DIMENSION, SYNTHETIC_PER_DIMENSION = 50, 100
#: Added to the covariances of the corrected protocol.
RIDGE = 0.01


@dataclass(frozen=True)
class LabelInformation:
    """Information in the component label of an answer, in nats; None is what is not known in closed form.

    Attributes
    ----------
    answer_entropy
        H(M) = log N.
    prompt_information
        I(h(e_p); M).
    information_gain
        Delta_I = H(M) - I(h(e_p); M).
    anchor_information, synthetic_information
        I(S_anchor; W') and I(S_gen; W) of EM: None.
    """

    answer_entropy: float
    prompt_information: float
    information_gain: float
    anchor_information: None = None
    synthetic_information: None = None


def label_information(K: int, J: int, L: int) -> LabelInformation:
    """Return the entropies of the label of an answer of a generator with K + J + L components of equal weight.

    Raises
    ------
    InputError
        When K is below 1, or J or L below 0.

    Notes
    -----
    Source: own, from the definitions of G25 (DI confirmed, D41 reconstructed); derived at the top of this module.

    Examples
    --------
    >>> found = label_information(2, 1, 1)
    >>> round(found.information_gain / math.log(2), 12)  # half of the answers, one bit each
    0.5
    >>> label_information(2, 7, 2).information_gain == label_information(2, 2, 7).information_gain
    True
    """
    K, J, L = (whole_number(name, value, least) for name, value, least in (("K", K, 1), ("J", J, 0), ("L", L, 0)))
    own, N = J + L, K + J + L
    gain = own / N * math.log(own) if own else 0.0
    return LabelInformation(math.log(N), math.log(N) - gain, gain)


class Sample(NamedTuple):
    """Points, the component of each, and which of them are there."""

    points: Float[Array, "n d"]
    labels: Int[Array, " n"]
    present: Bool[Array, " n"]


class Generation(NamedTuple):
    """One repetition up to S_gen: the truth, the anchors, the generator and what it generates."""

    truth: Mixture
    anchors: Sample
    generator: Mixture
    synthetic: Sample


def polar_factor(C: Float[Array, "*b d d"]) -> Float[Array, "*b d d"]:
    """Return (C'C)^{1/2}, the covariance that NumPy's legacy ``multivariate_normal`` draws when it is handed C.

    Parameters
    ----------
    C
        Any square matrices. A covariance matrix is returned as it is, up to rounding.

    Notes
    -----
    Source: own; see the top of this module.

    Examples
    --------
    >>> polar_factor(jnp.asarray([[0.0, 2.0], [0.0, 0.0]])).tolist()
    [[0.0, 0.0], [0.0, 2.0]]
    """
    _, values, right = jnp.linalg.svd(C)
    return jnp.einsum("...ki,...k,...kj->...ij", right, values, right)


def handed_matrices(key: Key, count: int, dimension: int) -> Float[Array, "count d d"]:
    """Return matrices C = A B', as the published protocol hands them over for covariances."""
    A, B = uniforms(key, (2, count, dimension, dimension))
    return A @ B.swapaxes(1, 2)


def label_at(weights: Float[Array, " k"], uniform: Float[Array, " n"]) -> Int[Array, " n"]:
    """Return components by inverting the distribution function of the weights; never one of weight 0."""
    edges = jnp.cumsum(weights)
    labels = (uniform[:, None] * edges[-1] >= edges[None, :]).sum(axis=1)
    last = weights.shape[0] - 1 - jnp.argmax((weights > 0)[::-1])
    return jnp.minimum(labels, last)


def points_at(key: Key, mixture: Mixture, labels: Int[Array, " n"]) -> Float[Array, "n d"]:
    """Return one point of each component in ``labels``."""
    _, means, covariances = present(mixture)
    z = normals(key, (*labels.shape, mixture.dimension))
    return means[labels] + jnp.einsum("nij,nj->ni", factorise(covariances).root[labels], z)


def moments(sample: Sample, room: int) -> tuple[Float[Array, " k"], Float[Array, "k d"], Float[Array, "k d d"]]:
    """Return counts, means and covariances (over count - 1) by label; zeros where there is no point."""
    member = (sample.labels[:, None] == jnp.arange(room)[None]) & sample.present[:, None]
    member = member.astype(sample.points.dtype)
    counts = member.sum(axis=0)
    means = member.T @ sample.points / jnp.maximum(counts, 1)[:, None]
    rest = sample.points - means[jnp.minimum(sample.labels, room - 1)]
    squares = jnp.einsum("nk,ni,nj->kij", member, rest, rest)
    return counts, means, squares / jnp.maximum(counts - 1, 1)[:, None, None]


class MixtureWorld(eqx.Module):
    """A mixture world; see the top of this module.

    Parameters
    ----------
    K, J, L
        Components of the prompt (at least 1), known to the generator, and foreign to the truth (at least 0 each).
    dimension
        d, at least 1.
    protocol
        ``"published"`` or ``"corrected"``.
    room
        Room for prompt components and for all; default none to spare. Worlds of equal room share compiled code.
    anchors
        Anchors in all, each from a random prompt component; None: 50 of each in the published protocol, 50 d in the
        corrected one.
    synthetic
        Points of S_gen; None: 200 in the published protocol, 100 d in the corrected one.

    Raises
    ------
    InputError
        When a number is not whole or out of range, the protocol is unknown, or there is less room than components.

    Examples
    --------
    >>> world = MixtureWorld(2, 1, 1, protocol="published")
    >>> found = eqx.filter_jit(MixtureWorld.generate)(world, jax.random.key(0))
    >>> found.truth.weights.round(3).tolist(), found.generator.weights.tolist()
    ([0.333, 0.333, 0.333, 0.0], [0.25, 0.25, 0.25, 0.25])
    >>> found.anchors.points.shape, found.synthetic.points.shape
    ((100, 2), (200, 2))
    """

    K: Int[Array, ""]
    J: Int[Array, ""]
    L: Int[Array, ""]
    dimension: int = eqx.field(static=True)
    protocol: Protocol = eqx.field(static=True)
    room: tuple[int, int] = eqx.field(static=True)
    anchor_total: int | None = eqx.field(static=True)
    synthetic_total: int = eqx.field(static=True)

    def __init__(
        self,
        K: int,
        J: int,
        L: int,
        *,
        dimension: int = 2,
        protocol: Protocol = "corrected",
        room: tuple[int, int] | None = None,
        anchors: int | None = None,
        synthetic: int | None = None,
    ) -> None:
        K, J, L = whole_number("K", K, 1), whole_number("J", J, 0), whole_number("L", L, 0)
        if protocol not in PROTOCOLS:
            raise nearest_name("protocol", protocol, PROTOCOLS)
        room = (K, K + J + L) if room is None else room
        require(
            K <= room[0] <= room[1] and room[1] >= K + J + L,
            f"room: got {room}; it must hold {K} prompt components and {K + J + L} in all, the first number at most "
            "the second",
        )
        self.K, self.J, self.L = (jnp.asarray(value) for value in (K, J, L))
        self.dimension = whole_number("dimension", dimension, 1)
        self.protocol, self.room = protocol, (int(room[0]), int(room[1]))
        published = protocol == "published"
        if anchors is None and not published:
            anchors = ANCHORS_PER_DIMENSION * self.dimension
        if synthetic is None:
            synthetic = SYNTHETIC if published else SYNTHETIC_PER_DIMENSION * self.dimension
        self.anchor_total = None if anchors is None else whole_number("anchors", anchors, 1)
        self.synthetic_total = whole_number("synthetic", synthetic, 1)

    @property
    def in_prompt(self) -> Bool[Array, " k"]:
        """Which places hold a prompt component."""
        return jnp.arange(self.room[1]) < self.K

    @property
    def in_truth(self) -> Bool[Array, " k"]:
        """Which places hold a component of the truth."""
        return jnp.arange(self.room[1]) < self.K + self.J

    @property
    def in_generator(self) -> Bool[Array, " k"]:
        """Which places hold a component of the generator."""
        return jnp.arange(self.room[1]) < self.K + self.J + self.L

    @property
    def information(self) -> LabelInformation:
        """Label-level information; of a world whose K, J and L are known numbers."""
        return label_information(int(self.K), int(self.J), int(self.L))

    def components(self, key: Key) -> tuple[Float[Array, "k d"], Float[Array, "k d d"]]:
        """Return means and covariances for every place: K, J, then the L foreign ones."""
        mean_key, covariance_key = jax.random.split(key)
        k, d = self.room[1], self.dimension
        means = BOX * uniforms(mean_key, (k, d))
        if self.protocol == "published":
            return means, polar_factor(handed_matrices(covariance_key, k, d))
        A = uniforms(covariance_key, (k, d, d))
        return means, A @ A.swapaxes(1, 2) + RIDGE * jnp.eye(d)[None]

    def anchors(self, key: Key, truth: Mixture) -> Sample:
        """Return anchors from the prompt components."""
        label_key, point_key = jax.random.split(key)
        if self.anchor_total is None:
            labels = jnp.arange(ANCHORS_EACH * self.room[0]) // ANCHORS_EACH
        else:
            labels = jnp.floor(jax.random.uniform(label_key, (self.anchor_total,)) * self.K).astype(int)
        return Sample(points_at(point_key, truth, labels), labels, labels < self.K)

    def generator(self, truth: Mixture, anchors: Sample) -> Mixture:
        """Return the generator: K components from the anchors, the others as they are."""
        counts, means, covariances = moments(anchors, self.room[1])
        seen = self.in_prompt & (counts > 0)
        weights = (seen | (self.in_generator & ~self.in_prompt)).astype(float)
        return Mixture(
            weights / weights.sum(),
            jnp.where(self.in_prompt[:, None], means, truth.means),
            jnp.where(
                self.in_prompt[:, None, None],
                covariances + JITTER * jnp.eye(self.dimension)[None],
                truth.covariances,
            ),
        )

    def generate(self, key: Key) -> Generation:
        """Return one repetition up to S_gen."""
        truth_key, anchor_key, label_key, point_key = jax.random.split(key, 4)
        truth = Mixture(self.in_truth / (self.K + self.J), *self.components(truth_key))
        anchors = self.anchors(anchor_key, truth)
        generator = self.generator(truth, anchors)
        labels = label_at(generator.weights, jax.random.uniform(label_key, (self.synthetic_total,)))
        points = points_at(point_key, generator, labels)
        return Generation(truth, anchors, generator, Sample(points, labels, jnp.ones(labels.shape, bool)))

    def fits(self, key: Key, generation: Generation) -> tuple[MixtureFit, MixtureFit]:
        """Return EM's fits: K components to the anchors, K + J + L to S_gen, with scikit-learn's defaults."""
        keys = jax.random.split(key)
        anchors, synthetic = generation.anchors, generation.synthetic
        # One fit after the other: LAPACK calls of two fits at once can wait for each other for ever (JAX 0.10.2).
        first = fit_mixture(
            _after(synthetic.points, anchors.points),
            keys[0],
            self.room[0],
            point_weights=anchors.present.astype(float),
            component_mask=self.in_prompt[: self.room[0]],
        )
        second = fit_mixture(
            _after(first.log_likelihood, synthetic.points), keys[1], self.room[1], component_mask=self.in_generator
        )
        return first, second


def _after(done: Float[Array, "*any"], value: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Return ``value``, bit by bit, computed after ``done``; zero times a float is a dependence that XLA keeps."""
    return value + 0.0 * jnp.isfinite(done).all().astype(value.dtype)
