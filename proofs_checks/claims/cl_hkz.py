r"""CL-HKZ: the tail of a quadratic form in a sub-Gaussian vector (Hsu, Kakade, Zhang 2012).

Setting. A random vector z, centred, with E exp(u'z) <= exp(u'K u / 2) for every u: sub-Gaussian with proxy K. (With z =
A x and x sub-Gaussian with proxy I, K = A A', and ||z||^2 = x'A'A x.)
Statement. P(||z||^2 > tr K + 2 sqrt(tr K^2 t) + 2 ||K|| t) <= exp(-t) for every t > 0.
Hypotheses. The proxy.
Constants. As stated: 1, 2, 2.
Relation. Upper bound of a probability.
Reference. Hsu, Kakade, Zhang (2012), Electron. Commun. Probab. 17, no. 52, Theorem 2.1 with mu = 0, sigma = 1. It turns
DK-M8 and DK-M9 into certified radii; proxies of the package's populations: dkps_theory.populations._proxies.

Derivation. For a standard Gaussian w apart from z, exp(s ||z||^2) = E_w exp(sqrt(2s) w'z); so E exp(s ||z||^2) <= E_w
exp(s w'K w) = prod (1 - 2 s kappa_k)^(-1/2), kappa the eigenvalues of K, s < 1/(2||K||). Then -(1/2) log(1 - 2x) <= x
+ x^2/(1 - 2x) gives log E exp(s(||z||^2 - tr K)) <= s^2 tr K^2 / (1 - 2 ||K|| s), and Markov's inequality with the
best s gives the statement. For Gaussian z the first step is an equality.

Readings. None open. What a proxy may be is easily misread: the variance is none. For a 0/1 number with P(1) = w the
best proxy is (1 - 2w)/(2 log((1 - w)/w)) (Kearns, Saul), larger than w(1 - w) unless w = 1/2; the twin of the check
on two-point laws puts the variance in its place, and rare events break the bound.
"""

from __future__ import annotations

import math

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims import _radius
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.search import largest_ratio, worst_found

SOURCE = "classical (Hsu, Kakade, Zhang 2012)"


def log_moment_excess(population, generator: np.random.Generator, size: int = 400, share: float = 1.0) -> float:
    """Return the largest log E exp(u'(x - mu)) - u'K u / 2 over random u of many lengths, relative to u'K u.

    At most 0 for a proxy. Exact moment generating functions of categorical laws and of mixtures, all models and queries
    at once. ``share`` multiplies the population's proxy.
    """
    from scipy.special import logsumexp

    mean, proxy = _radius.mean_and_proxy(population)
    proxy = share * proxy
    p, sizes = mean.shape[-1], np.exp(generator.uniform(-4, 4, size))
    u = generator.normal(size=(size, p))
    u *= (sizes / np.linalg.norm(u, axis=1))[:, None] / np.sqrt(np.trace(proxy, axis1=2, axis2=3).mean())
    quadratic = np.einsum("sa,ijab,sb->ijs", u, proxy, u)
    if isinstance(population, dk.Categorical):
        weights, points = np.asarray(population.probabilities), np.asarray(population.table)[None, None]
        within = 0.0
    else:
        weights, points = np.asarray(population.weights), np.asarray(population.component_means)
        spread = np.asarray(population.component_covariances)
        if population.covariance_type == "full":
            within = np.einsum("sa,ijkab,sb->ijks", u, spread, u) / 2
        else:
            wide = np.broadcast_to(spread.reshape(*points.shape[:3], -1), points.shape)
            within = np.einsum("sa,ijka->ijks", u**2, wide) / 2
    exponent = np.einsum("sa,ijka->ijks", u, points - mean[:, :, None]) + within
    log_moment = logsumexp(exponent, b=weights[..., None], axis=2)
    return float(((log_moment - quadratic / 2) / (1e-12 + quadratic)).max())


def gaussian_tail(eigenvalues: np.ndarray, level: float) -> float:
    """P(||z||^2 > level) for a Gaussian z whose covariance has each of these distinct eigenvalues twice, exactly.

    ||z||^2 is then a sum of independent exponentials with means 2 kappa_k.
    """
    scales = 2 * np.asarray(eigenvalues, float)
    gaps = scales[:, None] - scales[None] + np.eye(len(scales))
    weights = np.prod(np.where(np.eye(len(scales), dtype=bool), 1.0, scales[:, None] / gaps), axis=1)
    return float(weights @ np.exp(-level / scales))


def _gaussian(shrink: float, setting: Setting) -> Evidence:
    """Chi-square laws of 1 to 10,000 degrees of freedom, and sums of exponentials of different means: exact tails."""
    from scipy import stats

    generator, ratios = np.random.default_rng(setting.integer_seed("spectra")), []
    # Far out 2 ||K|| t is sharp, in between 2 sqrt(tr K^2 t) with many eigenvalues, and tr K near t = 0 with most.
    levels = np.append(np.linspace(0.05, 12, setting.size(40, 400)), np.geomspace(12, 600, 10))
    for k in (1, 2, 3, 5, 10, 30, 200, 10_000):
        bounds = np.array([dk.hkz_quantile(k, k, 1.0, t) for t in levels])
        ratios.append(stats.chi2.sf(shrink * bounds, k) * np.exp(levels))
    for _ in range(setting.size(30, 300)):
        kappa = np.cumprod(np.append(generator.uniform(0.1, 10), generator.uniform(0.2, 0.8, generator.integers(1, 4))))
        trace, square = 2 * kappa.sum(), 2 * np.square(kappa).sum()
        tails = [gaussian_tail(kappa, shrink * dk.hkz_quantile(trace, square, kappa[0], t)) for t in levels]
        ratios.append(np.array(tails) * np.exp(levels))
    worst = float(np.max(np.concatenate(ratios)))
    return worst_found(
        worst,
        len(ratios) * len(levels),
        "exact Gaussian tail / exp(-t), chi-square laws and sums of exponentials, t from 0.05 to 600",
    )


def _two_points(proxy: bool, setting: Setting) -> Evidence:
    """Means of r yes-or-no answers, exact binomial tails."""
    from hypothesis import strategies as st

    strategy = st.tuples(st.integers(1, 100), st.integers(1, 30), st.integers(1, 60))

    def ratio(case: tuple[int, int, int]) -> float:
        from scipy import stats

        w, r, t = case[0] / 200, case[1], case[2] / 8
        k = (_best_proxy(w) if proxy else w * (1 - w)) / r
        reach = math.sqrt(dk.hkz_quantile(k, k * k, k, t))
        counts = np.arange(r + 1)
        beyond = np.abs(counts / r - w) > reach * (1 + 1e-12)
        return float(stats.binom.pmf(counts, r, w)[beyond].sum() * math.exp(t))

    return largest_ratio(
        strategy,
        ratio,
        setting,
        says="exact binomial tail / exp(-t), up to 30 answers, P(1) from 1/200 to 1/2",
        quick=300,
        full=5000,
    )


def _best_proxy(w: float) -> float:
    return 0.25 if w == 0.5 else (1 - 2 * w) / (2 * math.log((1 - w) / w))


def _proxies(share: float, setting: Setting) -> Evidence:
    """Compare the package's proxies with exact moment generating functions of categorical laws and mixtures."""
    generator = np.random.default_rng(setting.integer_seed("u"))
    worst = max(log_moment_excess(one, generator, setting.size(300, 3000), share) for one in proxy_populations())
    return Evidence(
        "search",
        Outcome.SUPPORTS if worst <= 1e-9 else Outcome.CONTRADICTS,
        worst,
        0.0,
        "upper",
        "largest (log E exp(u'(x - mu)) - u'K u / 2) / u'K u, categorical laws and mixtures of all kinds",
        n=len(proxy_populations()) * setting.size(300, 3000),
    )


def proxy_populations() -> list:
    """Return populations of every kind that has a proxy: two letters, four letters in the plane, mixtures, digits."""
    generator = np.random.default_rng(8)
    weights = generator.dirichlet(np.full(4, 0.5), size=(3, 2))
    weights[0, 0] = [0.7, 0.0, 0.3, 0.0]
    skewed = np.concatenate([[0.003, 0.02, 0.5], generator.uniform(size=3)])[:, None]
    return [
        dk.bernoulli(skewed),
        dk.Categorical(weights, generator.normal(size=(4, 2)) * np.array([3.0, 0.5])),
        cases.mixture_population(),
        cases.digits_population(),
    ]


def _coverage(subject: tuple[str, float], setting: Setting) -> Evidence:
    """P(||HE||_F^2 <= bound at t = log 20) >= 95%, over fresh draws."""
    kind, shrink = subject
    if kind == "mixtures":
        population, r = cases.mixture_population(), 3
    else:
        cell = _radius.Cell("bernoulli", 8, 4, 1, 4, 5)
        population, r = _radius.population_of(cell), cell.r
    size = setting.size(2000, 20000)
    errors = _radius.mean_errors(population, np.random.default_rng(setting.integer_seed("draws")), size, r)
    noise = np.square(errors - errors.mean(axis=1, keepdims=True)).sum(axis=(1, 2, 3))
    n, m, p = population.shape
    proxy = _radius.mean_and_proxy(population)[1] / r
    # H x I on both sides of the block diagonal of proxies, one query after the other.
    matrices = []
    for j in range(m):
        whole = np.einsum("ik,kab->iakb", np.eye(n), proxy[:, j]).reshape(n * p, n * p)
        centring = np.kron(np.eye(n) - 1 / n, np.eye(p))
        matrices.append(np.linalg.eigvalsh(centring @ whole @ centring))
    kappa = np.concatenate(matrices)
    bound = shrink * dk.hkz_quantile(kappa.sum(), np.square(kappa).sum(), kappa.max(), math.log(20))
    return monte_carlo.coverage(
        int((noise <= bound).sum()),
        size,
        f"P(||HE||_F^2 <= bound at t = log 20), {kind}, r = {r}",
        violation=0.9,
        slack=float(bound / np.quantile(noise, 0.95)),
    )


CLAIMS = (
    Claim(
        id="CL-HKZ",
        title="Tail of a quadratic form in a sub-Gaussian vector",
        source=SOURCE,
        form="as-printed",
        reading="centred vectors; ||K|| is the spectral norm",
        statement=r"\mathbb E e^{u^\top z}\le e^{u^\top K u/2}\ \forall u\ \Rightarrow\ "
        r"\Pr\big(\|z\|^2>\operatorname{tr}K+2\sqrt{\operatorname{tr}K^2\,t}+2\|K\|t\big)\le e^{-t}",
        hypotheses=(
            Hypothesis(
                "E exp(u'(x - mu)) <= exp(u'K u / 2) with the population's proxy K",
                lambda w: log_moment_excess(w, np.random.default_rng(0)) <= 1e-9,
            ),
        ),
        witness=Witness(
            "two-component mixtures in the plane, six models, three queries",
            cases.mixture_population,
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(
            Check("gaussian", _gaussian, 1.0, 0.5, "the bound halved"),
            Check("two-points", _two_points, True, False, "the variance in place of a proxy"),
            Check("proxies", _proxies, 1.0, 0.5, "the proxies halved"),
            Check("mixtures", _coverage, ("mixtures", 1.0), ("mixtures", 0.5), "the bound halved"),
            Check("bernoulli", _coverage, ("bernoulli", 1.0), ("bernoulli", 0.5), "the bound halved"),
        ),
        recorded="holds",
    ),
)
