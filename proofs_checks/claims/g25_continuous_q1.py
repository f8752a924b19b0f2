r"""G25-Q1 in the linear-Gaussian world: what a larger information gain does to the bound, to the risk and to the gap.

Setting. :class:`LinearGaussianWorld`: answers M_i = h + g_i with g_i ~ N(c, B) iid given h, k = Var(h), G = B + t^2
after curation, W = mean of n points + N(0, tau^2), a bounded loss of w - z of width rho, data N(0, v). Everything but B
is fixed, the bias c too: B is the generator's own noise b^2 s^2, raised through its factors or through their gain.
Statement. A larger Delta_I gives a tighter bound, hence better generalization.
Hypotheses. As above.
Constants. None.
Relation. Monotonicity in B.
Reference. G25, Q1 confirmed as the headline; the world is ours. For letters see G25-Q1.

Derivation. Delta_I = n/2 log(2 pi e B) depends on B alone and grows with it. So does

    I(S_gen; W) = 1/2 log(1 + (k + (B + t^2)/n) / tau^2),

strictly, and with it the term sqrt(2 sigma^2 I(S_gen; W) / n) that the gain is said to tighten: more of the generator's
noise passes into W. In L43's right side the fall of -Delta_I is undone by h(e_M) where B grows through s^2, and by
delta* where it grows through b. With delta fixed the right side does fall as b grows, for its slope in B is at most
1/(2 (B + t^2 + n tau^2)) - n/(2B) < 0; but I(S_gen; W) rises through it without end, and it is a bound no more
(G25-L43/continuous). (TV(D, D_M), and a bound through it, may fall while the answers spread less than the data.)

Risk. The true risk is E l(u) with u ~ N(c, q), q = v + k + G/n + tau^2. With Q = rho^2 + q,

    d/dq E l(u) = C rho Q^(-5/2) exp(-c^2 / (2 Q)) (Q - c^2) / 2,     dq/dB = 1/n,

so a larger Delta_I raises the true risk if and only if c^2 < rho^2 + q: whenever the generator's bias is less than the
spread of what W is compared with. It lowers the risk of a generator with a large bias only, by chance hits.

Gap. On S_gen the mean loss is E l(u), u ~ N(0, q_S), q_S = G (1 - 1/n) + tau^2. With c = 0 and Q_S = rho^2 + q_S,

    d gap / dB = C rho {Q^(-3/2) / n - (1 - 1/n) Q_S^(-3/2)} / 2 < 0   if and only if   (n - 1)^(2/3) Q > Q_S.

For n = 1 the gap rises with Delta_I, for n = 2 it falls, and for n >= 3 it rises from some B on. Where it falls, it
does so because W fits its own sample worse, while the true risk rises: a smaller gap is no better generalization.

Readings. (1) The information term, everything else fixed: refuted. (2) The error, as true risk or as gap: refuted. (3)
The condition under which the risk and the gap move with Delta_I: holds.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims._g25_continuous import DENSITY, PROCESS, TRAINED, independent_factors
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import Sides, identity

SOURCE = "G25 (Q1), confirmed; the world is ours"


def noisier(world: dk.LinearGaussianWorld, times: float) -> dk.LinearGaussianWorld:
    """Return the world whose answers have ``times`` the variance about h, and all else the same."""
    return dataclasses.replace(world, factor_variance=times * world.factor_variance)


def directions(world: dk.LinearGaussianWorld) -> tuple[float, float]:
    """Return Q - c^2 and, for n >= 2 and c = 0, (n - 1)^(2/3) Q - Q_S: the signs of the changes of risk and of -gap."""
    n, width = world.synthetic, world.loss_width**2
    point = world.factor_gain**2 * world.factor_variance + world.curation_variance
    between = world.prompt_gain**2 * (world.data_variance / world.anchors + world.prompt_variance)
    risk = width + world.data_variance + between + point / n + world.training_variance
    sample = width + point * (1 - 1 / n) + world.training_variance
    return risk - (world.factor_gain * world.factor_mean) ** 2, (n - 1) ** (2 / 3) * risk - sample


def information_term(world: dk.LinearGaussianWorld) -> float:
    """sqrt(2 sigma^2 I(S_gen; W) / n) with sigma = C/2."""
    return dk.l44_bound(0, 1.0, world.loss_range**2 / 4, world.synthetic, world.synthetic_information)


def _derivatives(biased: bool) -> Sides:
    """Take the three derivatives with respect to B, exactly."""

    def sides():
        import sympy

        b, v, k, t2, tau2, n, rho = sympy.symbols("B v k t2 tau2 n rho", positive=True)
        c = sympy.Symbol("c", real=True)
        point = b + t2
        information = sympy.log(1 + (k + point / n) / tau2) / 2
        spread, sample = rho**2 + v + k + point / n + tau2, rho**2 + point * (1 - 1 / n) + tau2

        def fit(mean, total):
            return rho / sympy.sqrt(total) * sympy.exp(-(mean**2) / (2 * total))

        risk_slope = sympy.diff(1 - fit(c, spread), b)
        gap_slope = sympy.diff(fit(0, sample) - fit(0, spread), b)
        sign = spread - (c**2 if biased else 0)
        half = sympy.Rational(1, 2)
        return "dI/dB > 0; the risk's slope has the sign of Q - c^2, the gap's that of Q_S^(3/2) - (n - 1) Q^(3/2)", [
            (1 / sympy.diff(information, b), 2 * n * tau2 + 2 * n * k + 2 * point),
            (risk_slope / fit(c, spread), sign / spread**2 / (2 * n)),
            (gap_slope, rho / (2 * n) * (spread ** (-3 * half) - (n - 1) * sample ** (-3 * half))),
        ]

    return sides


def _worlds():
    from hypothesis import strategies as st

    def build(case):
        sizes, levels, bias = case
        names = ("data_variance", "prompt_variance", "factor_variance", "curation_variance", "training_variance")
        variances = dict(zip(names, (2.0**level for level in levels), strict=True))
        return dk.LinearGaussianWorld(anchors=sizes[0], synthetic=sizes[1], factor_mean=float(bias), **variances)

    sizes = st.tuples(st.integers(1, 3), st.integers(1, 5))
    levels = st.tuples(*[st.integers(-3, 4)] * 5)
    times = st.sampled_from([1.01, 2.0, 100.0])
    return st.tuples(st.tuples(sizes, levels, st.sampled_from([0, 0, 1, 4, 9])).map(build), times)


def _pairs(biased: bool, setting: Setting) -> Evidence:
    """Order two generators by the conditions, which are linear in B: the lesser over the larger, in I, risk and gap."""

    def ratio(case):
        calm, times = case
        noisy = noisier(calm, times)
        worst = calm.synthetic_information / noisy.synthetic_information
        first, second = (directions(world) for world in (calm, noisy))
        if not biased or (first[0] >= 0 and second[0] >= 0):
            worst = max(worst, calm.true_risk / noisy.true_risk)
        elif first[0] <= 0 and second[0] <= 0:
            worst = max(worst, noisy.true_risk / calm.true_risk)
        if calm.factor_mean == 0 and first[1] * second[1] > 0:
            fall = calm.generalization_error - noisy.generalization_error
            worst = max(worst, math.exp(-fall if first[1] > 0 else fall))
        return worst

    return largest_ratio(
        _worlds(),
        ratio,
        setting,
        says="of two generators the calmer has less I(S_gen; W), and risk and gap are ordered as the conditions say",
        quick=300,
        full=3000,
        describe=lambda case: f"{case[0]}, {case[1]} times noisier",
    )


def _along_noise():
    from dkps_theory.pages.figures import new_figure

    figure, panels = new_figure(width=7.0, height=3.9, columns=2)
    times = np.geomspace(0.02, 60, 80)
    for axes, bias in zip(panels, (0.0, 4.0), strict=True):
        worlds = [noisier(dk.LinearGaussianWorld(factor_mean=bias), float(t)) for t in times]
        gain = [world.information_gain / world.synthetic for world in worlds]
        axes.plot(gain, [information_term(world) for world in worlds], label="√(2σ² I(S_gen; W) / n)")
        axes.plot(gain, [float(world.true_risk) for world in worlds], "--", label="true risk of W")
        axes.plot(
            gain, [float(world.generalization_error) for world in worlds], ":", label="risk less mean loss on S_gen"
        )
        distance = [world.tv_model(given_prompt=False) for world in worlds]
        axes.plot(gain, distance, "-.", label="TV(D, D_M), law of one answer")
        axes.set(xlabel="information gain Δ_I per answer (nats)", title=f"bias of answers {bias:g}")
    panels[0].set_ylabel("loss of range 1, or probability")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", ncols=2)
    return figure


def _lone(**changes: Any) -> dk.LinearGaussianWorld:
    """One anchor and one point, as in the certificates."""
    return dk.LinearGaussianWorld(anchors=1, synthetic=1, prompt_gain=0.5, prompt_variance=1.0, **changes)


def _power(answer: str) -> tuple[Any, ...]:
    """exp(2 I(S_gen; W)) of one point, in the certificate's names."""
    return ("+", "1", ("/", ("+", ("+", "between", answer), "curation"), "training"))


_POWERS: dict[str, Any] = {"observed": _power("noisy"), "claimed": _power("calm")}
_INDEPENDENT = Hypothesis("e_M and e_p are independent, so that Delta_I = h(g)", independent_factors)
_TWO = Witness(
    "one anchor, one point, a generator with six times the variance of another",
    _lone,
    lambda world: noisier(world, 6.0).information_gain > world.information_gain,
)

CLAIMS = (
    Claim(
        id="G25-Q1/continuous",
        title="A larger information gain, all else equal, gives a tighter information term",
        source=SOURCE,
        form="reconstructed",
        reading="densities; generators that differ in their own noise only; the term sqrt(2 sigma^2 I(S_gen; W) / n)",
        statement=r"\Delta I\uparrow\ \Rightarrow\ \sqrt{2\sigma^2I(S_{gen};W)/n}\downarrow",
        hypotheses=(PROCESS, DENSITY, TRAINED, _INDEPENDENT),
        witness=_TWO,
        checks=(
            Check(
                "two-generators",
                counterexample,
                Stored("g25-q1-continuous", **_POWERS),
                Stored("g25-q1-continuous", **_POWERS, replaced={"noisy": "1/4"}),
                "the second generator has the smaller gain",
            ),
        ),
        recorded="refuted",
        repair="G25-Q1/continuous-sign",
        drawings=(
            Drawing(
                _along_noise,
                "One generator made noisier. Its information gain and the information term rise together. Without bias "
                "the risk rises too, and the gap falls at first because W fits its own sample worse; with a large bias "
                "noise lowers the risk.",
            ),
        ),
    ),
    Claim(
        id="G25-Q1/continuous-error",
        title="A larger information gain, all else equal, gives a smaller error",
        source=SOURCE,
        form="reconstructed",
        reading="densities; generators that differ in their own noise only; the true risk of W, and the signed gap",
        statement=r"\Delta I\uparrow\Rightarrow\mathbb ER_D(W)\downarrow,\ \mathbb E[R_D-\hat R_{gen}](W)\downarrow",
        hypotheses=(PROCESS, DENSITY, TRAINED, _INDEPENDENT),
        witness=_TWO,
        checks=(
            Check(
                "two-generators",
                counterexample,
                Stored("g25-q1-continuous-error", ("-", "1", "fit_noisy"), ("-", "1", "fit_calm")),
                Stored(
                    "g25-q1-continuous-error",
                    ("-", "1", "fit_noisy"),
                    ("-", "1", "fit_calm"),
                    replaced={"calm": "23/4", "noisy": "3/4", "fit_calm": "1/3", "fit_noisy": "1/2"},
                ),
                "the two generators change places",
            ),
        ),
        recorded="refuted",
        repair="G25-Q1/continuous-sign",
    ),
    Claim(
        id="G25-Q1/continuous-sign",
        title="More noise raises the information term, and risk and gap exactly under stated conditions",
        source="own, for G25 (Q1)",
        form="own",
        reading="linear-Gaussian world, Delta_I changed through the generator's own noise; the gap for c = 0",
        statement=(
            r"\frac{\partial I(S_{gen};W)}{\partial B}>0,\quad"
            r"\operatorname{sgn}\frac{\partial\mathbb ER_D(W)}{\partial B}=\operatorname{sgn}(\rho^2+q-c^2),\quad"
            r"\operatorname{sgn}\frac{\partial\mathbb E[R_D-\hat R_{gen}](W)}{\partial B}"
            r"=\operatorname{sgn}((\rho^2+q_S)^{3/2}-(n-1)(\rho^2+q)^{3/2})"
        ),
        hypotheses=(PROCESS, DENSITY, TRAINED, _INDEPENDENT),
        witness=_TWO,
        checks=(
            Check("derivatives", identity, _derivatives(True), _derivatives(False), "the bias left out"),
            Check("pairs", _pairs, True, False, "the bias left out: the risk is said to rise always"),
        ),
        recorded="holds",
    ),
)
