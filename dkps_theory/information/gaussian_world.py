r"""A linear-Gaussian world of training on synthetic data (G25): one dimension a point, everything in closed form.

The process. Anchors Z_1..Z_m are iid N(0, v). The prompt is p = mean(Z) + N(0, pi), its factor e_p = p, and h = a p.
The model's factors are e_Mi ~ N(o, s^2), iid, and g_i = b e_Mi. Answers are M_i = h + g_i, curation adds eps_i ~ N(0,
t^2), S_gen,i = M_i + eps_i. The trained parameter is W = mean(S_gen) + N(0, tau^2), and W' = mean(Z) + N(0, tau'^2).
All variables are linear in independent normals (:class:`LinearGaussian`). Write

    k = a^2 (v/m + pi),    B = b^2 s^2,    c = b o,    G = B + t^2

for the variance of h, the variance and the mean of g_i, and the variance of a point about h. Then, in nats,

    Delta_I = h(M | h) = h(g) = n/2 log(2 pi e B),
    I(S_gen; W) = 1/2 log(1 + (k + G/n) / tau^2),           I(S_anchor; W') = 1/2 log(1 + v / (m tau'^2)),
    I(S_anchor; p) = 1/2 log(1 + v / (m pi)),               I(h; M) = 1/2 log(1 + n k / B).

Delta_I and h(e_M) are differential: they may be negative, and change with the unit. h(e_M) = n/2 log(2 pi e s^2) even
has a unit of its own: e_M in a unit c times smaller and g(. / c) give the same answers. Mutual informations have none.

The loss. l(w, z) = C (1 - exp(-(w - z)^2 / (2 rho^2))) lies in [0, C), so it is C/2-sub-Gaussian under every law of z.
For u ~ N(mu, q), completing the square,

    E exp(-u^2 / (2 rho^2)) = (1 + q/rho^2)^(-1/2) exp(-mu^2 / (2 (rho^2 + q))),

so every mean loss follows from the mean and the variance of a difference u:

    =========================  =====  ===============================
    mean loss                  mean   variance q of u
    =========================  =====  ===============================
    true risk of W             c      v + k + G/n + tau^2
    risk under D_gen, given p  0      G (1 + 1/n) + tau^2
    under its marginal law     0      2 k + G (1 + 1/n) + tau^2
    W on S_gen                 0      G (1 - 1/n) + tau^2
    true risk of W'            0      v (1 + 1/m) + tau'^2
    W' on the anchors          0      v (1 - 1/m) + tau'^2
    =========================  =====  ===============================

(W on its own S_gen: h cancels, and W - S_gen,i = (1/n) sum_j x_j - x_i + noise, x_j = g_j - c + eps_j.) Laws of one
point: D = N(0, v); D_M = N(a p + c, B) and D_gen = N(a p + c, G) given p; N(c, k + B) and N(c, k + G) as margins. Total
variations of these are exact; given p, TV(D, D_M) is averaged over a p ~ N(0, k) by quadrature.
"""

from __future__ import annotations

import dataclasses
import math
from typing import final

import numpy as np

from dkps_theory._gaussian import total_variation_on_line
from dkps_theory._types import Key
from dkps_theory._validate import InputError, finite, positive_number, require, shown, whole_number
from dkps_theory.information.linear_gaussian import SHARE, LinearGaussian
from dkps_theory.information.reverse_bottleneck import ReverseBottleneckWorld
from dkps_theory.monte_carlo import Estimate, mean_estimate

#: The most points of a sample: the joint law is a dense matrix in m + 2 n + 3 normals.
MOST_POINTS = 2000
#: The largest size of a number, and its inverse the least: products of squares stay within double precision.
LARGEST = 1e50
#: Beyond so many standard deviations of p nothing is integrated; the mass there is below 1e-22.
TAILS = 10.0


@dataclasses.dataclass(frozen=True)
class AbsoluteErrors:
    """Mean absolute errors, which have no closed form, each with its Monte Carlo standard error.

    Attributes
    ----------
    generalization
        E|R_D(W) - R^_gen(W)|.
    generated, generated_marginal
        E|R_gen(W) - R^_gen(W)|, R_gen under D_gen given p, and under its marginal law.
    anchor
        E|R_D(W') - R^_anchor(W')|.
    """

    generalization: Estimate
    generated: Estimate
    generated_marginal: Estimate
    anchor: Estimate


@final
@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearGaussianWorld(ReverseBottleneckWorld):
    """The linear-Gaussian world of this module.

    Parameters
    ----------
    anchors, synthetic
        m and n, from 1 to 2,000.
    data_variance, prompt_variance, prompt_gain
        v > 0, pi >= 0 and a. With pi = 0 the prompt is a function of the anchors, and I(S_anchor; p) infinite.
    factor_variance, factor_gain, factor_mean
        s^2 > 0, b other than 0, and o.
    curation_variance
        t^2 >= 0.
    training_variance, anchor_training_variance
        tau^2 > 0 and tau'^2 > 0: a W that is a function of S_gen has I(S_gen; W) infinite, and bounds say nothing.
    loss_range, loss_width
        C > 0 and rho > 0.

    Raises
    ------
    InputError
        When a number is out of its range, or neither 0 nor of a size between 1e-50 and 1e50.

    Notes
    -----
    Source: own, for G25's process and its reconstructed factors; the inherited quantities are those of
    :class:`ReverseBottleneckWorld`, with differential entropies. Where pi = 0, eps_{W,p}, the right side
    of T49 and its slack are infinite.

    Examples
    --------
    A generator with more noise of its own has more information gain, a looser bound and a larger risk.

    >>> calm, noisy = (LinearGaussianWorld(factor_variance=s2) for s2 in (0.25, 1.0))
    >>> noisy.information_gain > calm.information_gain, noisy.synthetic_information > calm.synthetic_information
    (True, True)
    >>> round(calm.true_risk, 4), round(noisy.true_risk, 4)
    (0.385, 0.3956)
    """

    # Plain fields stand for the abstract properties of these names.
    anchors: int = 4  # pyright: ignore[reportIncompatibleMethodOverride]
    synthetic: int = 8  # pyright: ignore[reportIncompatibleMethodOverride]
    data_variance: float = 1.0
    prompt_variance: float = 0.25
    prompt_gain: float = 1.0
    factor_variance: float = 0.25
    factor_gain: float = 1.0
    factor_mean: float = 0.0
    curation_variance: float = 0.1
    training_variance: float = 0.1
    anchor_training_variance: float = 0.1
    loss_range: float = 1.0  # pyright: ignore[reportIncompatibleMethodOverride]
    loss_width: float = 1.0
    law: LinearGaussian = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, given in (("anchors (m)", self.anchors), ("synthetic (n)", self.synthetic)):
            object.__setattr__(self, name.split()[0], whole_number(name, given, 1, MOST_POINTS))
        for name in ("data_variance", "factor_variance", "loss_range", "loss_width"):
            value = getattr(self, name)
            require(positive_number(value), f"{name}: got {value!r}; it must be one finite number above 0")
        for name in ("training_variance", "anchor_training_variance"):
            value = getattr(self, name)
            require(
                positive_number(value),
                f"{name}: got {value!r}; it must be above 0, for without noise of training the parameter is a function "
                "of its data and their mutual information infinite",
            )
        for name in ("prompt_variance", "curation_variance", "prompt_gain", "factor_gain", "factor_mean"):
            value = finite(name, getattr(self, name))
            require(value.shape == (), f"{name}: got shape {value.shape}; it must be one number")
            if name.endswith("variance"):
                require(float(value) >= 0, f"{name}: got {value:g}; a variance is not negative")
        for name in (field.name for field in dataclasses.fields(self) if field.type == "float"):
            size = abs(float(getattr(self, name)))
            fine = size == 0 or 1 / LARGEST <= size <= LARGEST
            require(fine, f"{name}: got {shown(getattr(self, name))}; choose units in which it is nearer to 1")
        if self.factor_gain == 0:
            raise InputError("factor_gain: got 0; then the answers have no density given the prompt, and no entropies")
        object.__setattr__(self, "law", self._joint_law())
        for name, value, given in (
            ("factor_gain, factor_variance", "M", "h"),
            ("training_variance", "W", "S_gen"),
            ("anchor_training_variance", "W_anchor", "S_anchor"),
        ):
            require(
                math.isfinite(self.law.entropy(value, given)),
                f"{name}: too small beside the others; given {given}, what is left of {value} is below {SHARE:g} of "
                "its standard deviation and counts as nothing",
            )

    def _joint_law(self) -> LinearGaussian:
        """Write every variable in m + 2 n + 3 standard normals: anchors, prompt, factors, curation, two trainings."""
        m, n = self.anchors, self.synthetic
        anchors, prompt, factors, curation, training, anchor_training = np.split(
            np.eye(m + 2 * n + 3), np.cumsum([m, 1, n, n, 1])
        )
        s_anchor = math.sqrt(self.data_variance) * anchors
        p = s_anchor.mean(axis=0, keepdims=True) + math.sqrt(self.prompt_variance) * prompt
        h = self.prompt_gain * p
        e_m = math.sqrt(self.factor_variance) * factors
        g = self.factor_gain * e_m
        answers = np.repeat(h, n, axis=0) + g
        eps = math.sqrt(self.curation_variance) * curation
        s_gen = answers + eps
        w = s_gen.mean(axis=0, keepdims=True) + math.sqrt(self.training_variance) * training
        w_anchor = s_anchor.mean(axis=0, keepdims=True) + math.sqrt(self.anchor_training_variance) * anchor_training
        shift = np.full(n, self._shift)
        return LinearGaussian(
            {
                "S_anchor": s_anchor,
                "p": p,
                "e_p": p,
                "h": h,
                "e_M": e_m,
                "g": g,
                "M": answers,
                "eps": eps,
                "S_gen": s_gen,
                "W": w,
                "W_anchor": w_anchor,
            },
            {"e_M": np.full(n, self.factor_mean), "g": shift, "M": shift, "S_gen": shift, "W": shift[:1]},
        )

    @property
    def _between(self) -> float:
        """k, the variance of h."""
        return self.prompt_gain**2 * (self.data_variance / self.anchors + self.prompt_variance)

    @property
    def _shift(self) -> float:
        """c, the mean of an answer."""
        return self.factor_gain * self.factor_mean

    @property
    def _answer(self) -> float:
        """B, the variance of an answer about h."""
        return self.factor_gain**2 * self.factor_variance

    @property
    def _point(self) -> float:
        """G, the variance of a synthetic point about h."""
        return self._answer + self.curation_variance

    # The laws of one point.

    def tv_model(self, *, given_prompt: bool = True) -> float:
        """Return TV(D, D_M), exact as margins; averaged over p by quadrature, absolute error below 1e-12."""
        return self._from_data(self._answer, given_prompt)

    def tv_curation(self, *, given_prompt: bool = True) -> float:
        """Return TV(D_M, D_gen), exact in both readings: given p it is the same for every p."""
        between = 0.0 if given_prompt else self._between
        deviations = math.sqrt(between + self._answer), math.sqrt(between + self._point)
        return float(total_variation_on_line(0.0, *deviations))

    def tv_direct(self, *, given_prompt: bool = True) -> float:
        """Return TV(D, D_gen), exact as margins; averaged over p by quadrature, absolute error below 1e-12."""
        return self._from_data(self._point, given_prompt)

    def _from_data(self, variance: float, given_prompt: bool) -> float:
        """TV(D, N(h + c, variance)), averaged over h, or of the margin."""
        data, c, between = math.sqrt(self.data_variance), self._shift, self._between
        if not given_prompt or between == 0:
            return float(total_variation_on_line(c, data, math.sqrt(between + variance)))
        deviation = math.sqrt(between)
        x, weights = _normal_quadrature(-c / deviation)
        return float(weights @ total_variation_on_line(c + deviation * x, data, math.sqrt(variance)))

    # Mean losses.

    def _mean_loss(self, mean: float, variance: float) -> float:
        """E l(w, z) for w - z ~ N(mean, variance)."""
        width = self.loss_width**2
        exponent = -(mean**2) / (2 * (width + variance)) - math.log1p(variance / width) / 2
        return -self.loss_range * math.expm1(exponent)

    @property
    def true_risk(self) -> float:
        """E R_D(W)."""
        spread = self._between + self._point / self.synthetic + self.training_variance
        return self._mean_loss(self._shift, self.data_variance + spread)

    def generated_risk(self, *, given_prompt: bool = True) -> float:
        """E R_gen(W)."""
        between = 0.0 if given_prompt else 2 * self._between
        return self._mean_loss(0.0, between + self._point * (1 + 1 / self.synthetic) + self.training_variance)

    @property
    def empirical_risk(self) -> float:
        """E R^_gen(W), the mean loss of W on S_gen."""
        return self._mean_loss(0.0, self._point * (1 - 1 / self.synthetic) + self.training_variance)

    @property
    def anchor_true_risk(self) -> float:
        """E R_D(W')."""
        return self._mean_loss(0.0, self.data_variance * (1 + 1 / self.anchors) + self.anchor_training_variance)

    @property
    def anchor_empirical_risk(self) -> float:
        """E R^_anchor(W'), the mean loss of W' on S_anchor."""
        return self._mean_loss(0.0, self.data_variance * (1 - 1 / self.anchors) + self.anchor_training_variance)

    # Mean absolute errors have no closed form: None here, estimated by absolute_errors.

    @property
    def absolute_generalization_error(self) -> None:
        """E|R_D(W) - R^_gen(W)|: not known."""

    def absolute_generated_error(self, *, given_prompt: bool = True) -> None:
        """E|R_gen(W) - R^_gen(W)|: not known."""

    @property
    def absolute_anchor_generalization_error(self) -> None:
        """E|R_D(W') - R^_anchor(W')|: not known."""

    def absolute_errors(self, key: Key, size: int) -> AbsoluteErrors:
        """Estimate the mean absolute errors from ``size`` independent draws of the whole world.

        Parameters
        ----------
        key
            A typed key.
        size
            Draws, at least 2.
        """
        draws = self.law.sample(key, whole_number("size (draws)", size, 2))
        w, w_anchor, h = draws["W"], draws["W_anchor"], draws["h"]

        def risk(means: np.ndarray, variance: float) -> np.ndarray:
            """R(w) under a normal law of the point, w known: (size,)."""
            width = self.loss_width**2
            fit = np.exp(-np.square(means[:, 0]) / (2 * (width + variance))) / math.sqrt(1 + variance / width)
            return self.loss_range * (1 - fit)

        def empirical(w: np.ndarray, sample: np.ndarray) -> np.ndarray:
            return self.loss_range * (1 - np.exp(-np.square(w - sample) / (2 * self.loss_width**2)).mean(axis=1))

        on_gen, on_anchors = empirical(w, draws["S_gen"]), empirical(w_anchor, draws["S_anchor"])
        shifted = w - self._shift
        return AbsoluteErrors(
            mean_estimate(np.abs(risk(w, self.data_variance) - on_gen)),
            mean_estimate(np.abs(risk(shifted - h, self._point) - on_gen)),
            mean_estimate(np.abs(risk(shifted, self._between + self._point) - on_gen)),
            mean_estimate(np.abs(risk(w_anchor, self.data_variance) - on_anchors)),
        )


def _normal_quadrature(kink: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights for the mean of a function of N(0, 1) that is analytic away from one point.

    Gauss and Legendre's rule with 20 nodes on panels that shrink towards the kink by halves, so that a singularity
    there is never nearer to a panel than its own length, and the error falls as 3^(-40).
    """
    kink = min(max(kink, -TAILS), TAILS)
    halves = 2.0 ** -np.arange(45.0)
    edges = np.unique(np.concatenate([np.arange(-TAILS, TAILS + 1), kink - halves, [kink], kink + halves]))
    edges = edges[np.abs(edges) <= TAILS]
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half + half * nodes[None]).ravel()
    return x, (half * weights[None]).ravel() * np.exp(-np.square(x) / 2) / math.sqrt(2 * math.pi)
