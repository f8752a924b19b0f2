r"""CL-MAXENT: entropy is largest for the uniform law, and differential entropy for the Gaussian of the same covariance.

Setting. H(P) = -sum p log p for k letters; h(f) = - integral of f log f for a density f on R^d with covariance Sigma.
Statement. 0 <= H(P) <= log k, with equality on the right for the uniform law only. h(f) <= 1/2 log((2 pi e)^d det
Sigma), with equality for the Gaussian only.
Hypotheses. k letters; a density with finite positive definite covariance.
Constants. As stated, attained.
Relation. Upper bound.
Reference. Classical (Shannon 1948; Cover, Thomas, chapter 12). Used by G25's entropies of prompts, answers and factors
(G25-DI, G25-L43, G25-T49), whose bounds need H >= 0 in places.

Derivation. log k - H(P) = KL(P || uniform) >= 0. With N the Gaussian with the mean and covariance of f, log N is
quadratic, so its mean is the same under f and under N, and h(N) - h(f) = KL(f || N) >= 0.

Readings. (1) Discrete: H >= 0. (2) Differential entropy read as if it were non-negative: false (CL-MAXENT/nonnegative);
it falls without bound as a law concentrates, and changes with the unit of measurement, so a bound that adds an h to
mutual informations is no bound unless it says in which units.
"""

from __future__ import annotations

import math

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical (Shannon 1948); used by G25"


def _discrete(share: float, setting: Setting) -> Evidence:
    """H / log k, up to eight letters; a negative entropy counts as a violation."""
    from hypothesis import strategies as st

    def ratio(law):
        found = float(dk.entropy(law))
        return found / (share * math.log(len(law))) if found >= 0 else math.inf

    return largest_ratio(
        st.integers(2, 8).flatmap(lambda k: st.one_of(cases.integer_laws(k), st.just(np.full(k, 1 / k)))),
        ratio,
        setting,
        says="entropy / log k, two to eight letters, the uniform law included",
        quick=150,
        full=500,
    )


def _deficit(shift: int):
    """Write log k - H(P) as KL(P || uniform), symbolically for k = 2..5."""

    def sides():
        import sympy

        pairs = []
        for k in range(2, 6):
            free = sympy.symbols(f"p1:{k}", positive=True)
            law = [*free, 1 - sum(free)]
            entropy = -sum(p * sympy.log(p) for p in law)
            divergence = sum(p * (sympy.log(p) + sympy.log(k + shift)) for p in law)
            pairs.append((sympy.log(k) - entropy, divergence))
        return "log k - H(P) = KL(P || uniform) for k = 2..5", pairs

    return sides


def mixture_entropy(weights: np.ndarray, means: np.ndarray, scales: np.ndarray) -> tuple[float, np.ndarray]:
    """Return h and the covariance of a mixture of isotropic Gaussians on R^d, d = 1 or 2, means (k, d).

    The trapezoidal rule over +-9 standard deviations, steps of a quarter of the least one: its error is exponentially
    small in the distance of the zeros of f from the real line, below 1e-8 for the mixtures tried here.
    """
    d = means.shape[1]
    low, high = (means - 9 * scales[:, None]).min(axis=0), (means + 9 * scales[:, None]).max(axis=0)
    counts = np.ceil((high - low) / (0.25 * scales.min())).astype(int) + 1
    grids = [np.linspace(a, b, n) for a, b, n in zip(low, high, counts, strict=True)]
    density = np.zeros(counts)
    for weight, mean, scale in zip(weights, means, scales, strict=True):
        factors = [
            np.exp(-0.5 * ((grid - centre) / scale) ** 2) / (scale * math.sqrt(2 * math.pi))
            for grid, centre in zip(grids, mean, strict=True)
        ]
        density += weight * (factors[0] if d == 1 else np.outer(*factors))
    cell = math.prod(float(grid[1] - grid[0]) for grid in grids)
    present = density[density > 0]
    centre = weights @ means
    between = (weights[:, None, None] * np.einsum("ka,kb->kab", means - centre, means - centre)).sum(axis=0)
    return float(-(present * np.log(present)).sum() * cell), between + (weights @ scales**2) * np.eye(d)


def _mixtures(within: bool, setting: Setting) -> Evidence:
    """exp(2 h / d) over 2 pi e (det Sigma)^{1/d}; the twin counts the covariance within components only."""
    from hypothesis import strategies as st

    def ratio(case):
        weights, means, scales = case
        found, covariance = mixture_entropy(weights, means, scales)
        if within:
            covariance = (weights @ scales**2) * np.eye(means.shape[1])
        d = means.shape[1]
        return math.exp(2 * found / d) / (2 * math.pi * math.e * np.linalg.det(covariance) ** (1 / d))

    def mixtures(d):
        laws = cases.integer_laws(3).map(lambda law: (law + 0.05) / 1.15)
        scales = st.lists(st.sampled_from([0.5, 1.0, 1.5]), min_size=3, max_size=3).map(np.array)
        return st.tuples(laws, cases.integer_arrays(3, d, 4), scales)

    return largest_ratio(
        st.sampled_from([1, 2]).flatmap(mixtures),
        ratio,
        setting,
        says="entropy power over that of the Gaussian with the same covariance, three-component mixtures, d = 1 and 2",
        quick=80,
        full=500,
        tolerance=1e-7,
    )


def _closed_forms(shift: int):
    """Entropies of the Gaussian and of the exponential law, integrated."""

    def sides():
        import sympy

        x, v = sympy.symbols("x v", positive=True)
        half_log = sympy.log(2 * sympy.pi * sympy.E * v) / 2
        gaussian = sympy.exp(-(x**2) / (2 * v)) / sympy.sqrt(2 * sympy.pi * v)
        surprise = sympy.log(2 * sympy.pi * v) / 2 + x**2 / (2 * v)
        exponential = sympy.exp(-x / v) / v
        both = 2 * sympy.integrate(gaussian * surprise, (x, 0, sympy.oo))
        one = sympy.integrate(exponential * (sympy.log(v) + x / v), (x, 0, sympy.oo))
        return "h of the Gaussian is 1/2 log(2 pi e v); that of the exponential law with variance v^2 is 1 + log v", [
            (sympy.expand_log(both, force=True), sympy.expand_log(half_log, force=True) + shift),
            (sympy.expand_log(one, force=True), 1 + sympy.log(v)),
        ]

    return sides


def _uniform_entropy():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    width = np.geomspace(0.1, 10, 200)
    axes.plot(width, np.log(width), label="h of the uniform law")
    axes.plot(width, 0.5 * np.log(2 * np.pi * np.e * width**2 / 12), "--", label="h of the Gaussian, same variance")
    axes.axhline(0, linewidth=1, color="0.5")
    axes.set(xscale="log", xlabel="width of the interval", ylabel="differential entropy h (nats)")
    figure.legend(loc="outside lower left")
    return figure


_STORED = {"observed": ("/", "1", "density"), "claimed": "least", "relation": "lower"}
_MIXTURE = (np.array([0.5, 0.3, 0.2]), np.array([[-2.0], [0.0], [3.0]]), np.array([0.5, 1.0, 0.5]))

CLAIMS = (
    Claim(
        id="CL-MAXENT",
        title="Entropy lies between 0 and log k",
        source=SOURCE,
        form="as-printed",
        reading="k letters, nats",
        statement=r"0\le H(P)\le\log k,\quad H(P)=\log k\iff P\text{ uniform}",
        hypotheses=(Hypothesis("P is a law on k letters", lambda p: abs(p.sum() - 1) < 1e-12 and p.min() >= 0),),
        witness=Witness(
            "a law on three letters",
            lambda: np.array([0.5, 0.3, 0.2]),
            lambda p: 0 < float(dk.entropy(p)) < math.log(3),
        ),
        checks=(
            Check("search", _discrete, 1.0, 0.9, "the bound shrunk to nine tenths"),
            Check("deficit", identity, _deficit(0), _deficit(1), "one letter too many"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-MAXENT/gaussian",
        title="Of all densities with one covariance the Gaussian has the largest entropy",
        source=SOURCE,
        form="as-printed",
        reading="differential entropy in nats, d = 1 and 2 tried",
        statement=r"h(f)\le\tfrac12\log\big((2\pi e)^d\det\Sigma\big)",
        hypotheses=(
            Hypothesis(
                "the covariance is finite and positive definite",
                lambda m: np.linalg.eigvalsh(mixture_entropy(*m)[1])[0] > 0,
            ),
        ),
        witness=Witness(
            "a mixture of three Gaussians on the line",
            lambda: _MIXTURE,
            lambda m: mixture_entropy(*m)[0] < 0.5 * math.log(2 * math.pi * math.e * mixture_entropy(*m)[1][0, 0]),
        ),
        checks=(
            Check("mixtures", _mixtures, False, True, "the covariance between components left out"),
            Check("closed-forms", identity, _closed_forms(0), _closed_forms(1), "the Gaussian's entropy off by 1"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-MAXENT/nonnegative",
        title="Differential entropy is non-negative",
        source=SOURCE,
        form="reconstructed",
        reading="differential entropy treated as entropy of letters",
        statement=r"h(f)\ge 0",
        hypotheses=(
            Hypothesis("f is a density: its width times its height is 1", lambda w: w[0] * w[1] == 1 and w[0] > 0),
        ),
        witness=Witness("the uniform density on [0, 2]", lambda: (2.0, 0.5), lambda w: math.log(w[0]) != 0),
        checks=(
            Check(
                "narrow",
                counterexample,
                Stored("cl-maxent-nonnegative", **_STORED),
                Stored("cl-maxent-nonnegative", **_STORED, replaced={"width": "2", "density": "1/2"}),
                "an interval of width 2",
            ),
        ),
        recorded="refuted",
        repair="CL-MAXENT",
        drawings=(Drawing(_uniform_entropy, "Below width 1 the uniform law's entropy is negative, without a floor."),),
    ),
)
