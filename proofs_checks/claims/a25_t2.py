r"""A25-T2: rows of the aligned Psi^, from the spectral error of B^.

Setting. As in A25-C1; classical MDS into R^d, errors after the best orthogonal map in Frobenius norm.
Statement (A25, Theorem 2). Under A25-A1, A25-A2, r = omega(n^3), sup gamma = O(1), for some W in O(d) ||Psi^ W -
Psi||_{2,inf} <= C1 x + C2 x^2 + C3 x^3 with high probability, x = (n^3/r)^(1/2 - delta).
Hypotheses. As said; iid answers with two moments.
Constants. C1, C2, C3 of dk.a25_perspective_constants. With l1 = lambda_1, ld = lambda_d, C1 = ld^(-1/2) {(1 + sqrt2) +
sqrt2 d (1 + 2d) / (1 + sqrt2)}.
Relation. Upper bound, with probability tending to 1.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1).

Derivation (ours; the paper's goes through A25-T2/decomposition). Let ||B^ - B|| <= x in spectral norm, rank(B) = d, B^
positive semi-definite (both exponents), B^_d its best rank-d part. Weyl: lambda_{d+1}(B^) <= x, so ||B^_d - B|| <= 2x
and, the rank being at most 2d, ||B^_d - B||_F <= 2 sqrt(2d) x. Tu et al. (2016, Lemma 5.4): min_W ||Psi^ W - Psi||_F <=
||B^_d - B||_F / sqrt(2 (sqrt2 - 1) ld) <= 3.108 sqrt(d) x / sqrt(ld). For d >= 1, sqrt d <= (1 + d)/2, and 2.414 +
0.586 d (1 + 2d) - 3.108 (1 + d)/2 = 1.172 d^2 - 0.968 d + 0.860 > 0 (no real root). So C1 x alone bounds the Frobenius
error, for every x > 0, small or not: what is conditional on the event of A25-C1 is exactly ||B^ - B|| <= x
(A25-T2/deterministic). How large can it be? Let B = 2s UU' and B^ = s VV' + s' UU' with V orthogonal to U, s' -> s from
below: x -> s, Psi^ is made of V and is orthogonal to Psi, error^2 = 3sd, so the ratio to x / sqrt(ld) is sqrt(6d):
2.449 against 4.172 at d = 1, 3.464 against 8.272 at d = 2. No constant below sqrt(6d) will do, C1 is within a factor
1.8 of it at d = 1; C2 and C3 are not needed.

Readings.
1. A25-T2, e = 1/2: holds. Its class: by A25-A1 exactly d + 1 distinct models, and by A25-A2, for fixed m, all but
   boundedly many coincide with one (for m that grows see A25-X3/growing-queries). Conclusion from A25-C1 and the above.
2. A25-T2/distinct: e = 1/2 with distinct models: vacuous, by A25-A1.
3. A25-T2/exponent-1: e = 1 holds too: A25-A2 bounds lambda_1, so ||B^ - B||_F <= 2 sqrt(lambda_1) t + t^2 with t =
   c||HE||_F = O_P((n/r)^(1/2)), which is below (n^3/r)^(1/2 - delta) in the limit. No other condition on the means is
   needed. At one n and r it is no bound for every scale of g; see A25-X4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.a25_a import PRODUCT_OF_GAPS
from proofs_checks.claims.a25_c1 import GROWTH, POWER, gaussian_errors
from proofs_checks.claims.a25_t1 import HALF, ONE, centred, squares
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.search import largest_ratio, worst_found

SOURCE = "A25, Theorem 2"


# Errors


def top_factors(grams: np.ndarray, d: int) -> np.ndarray:
    """Rows of U_d S_d^(1/2) of matrices (..., n, n), eigenvalues below 0 as 0."""
    values, vectors = np.linalg.eigh(grams)
    return vectors[..., -d:] * np.sqrt(np.maximum(values[..., None, -d:], 0.0))


def aligned_errors(estimates: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frobenius and two-to-infinity errors of estimates (b, n, d) after the Frobenius-best orthogonal map."""
    left, _, right = np.linalg.svd(np.swapaxes(estimates, -1, -2) @ psi)
    rows = np.linalg.norm(estimates @ (left @ right) - psi[None], axis=-1)
    return np.linalg.norm(rows, axis=-1), rows.max(axis=-1)


def settled_means(n: int, exponent: float) -> np.ndarray:
    """Means (n, 1, 2) that meet A25-A1 and A25-A2 with d = 2: e = 1/2, all but two coincide; e = 1, geometric decay."""
    mean = np.zeros((n, 1, 2))
    if exponent == 0.5:
        mean[0, 0, 0], mean[1, 0, 1] = 2.0, 1.0
    else:
        decay = 0.7 ** np.arange(n)
        mean[:, 0, 0], mean[:, 0, 1] = 2 * decay, decay * (-1.0) ** np.arange(n)
    return mean


def perspective_run(n: int, r: float, exponent: float, setting: Setting, size: int, part: str = ""):
    """Return lambda_1, lambda_2 and both errors of Psi^ for :func:`settled_means`, one query, gamma = 1, d = 2."""
    mean = settled_means(n, exponent)
    errors = gaussian_errors(setting, f"{part} n = {n}, r = {r:g}", size, (n, 1, 2), 1 / r)
    b = centred(squares(mean, exponent))
    values = np.linalg.eigvalsh(b)
    estimates = top_factors(centred(squares(mean[None] + errors, exponent)), 2)
    return values[-1], values[-2], aligned_errors(estimates, top_factors(b, 2))


def printed_bound(largest: float, last: float, d: int, x: float) -> float:
    """C1 x + C2 x^2 + C3 x^3, by the package."""
    import jax.numpy as jnp

    return float(dk.a25_perspective_bound(*(jnp.asarray(float(value)) for value in (largest, last, d, x))))


def _coverage(subject: tuple[float, float, float], setting: Setting) -> Evidence:
    """P(rows' error <= shrink * printed bound) at r = n^4, n = 6, 20, 60; delta = 1/4."""
    exponent, delta, shrink = subject
    size, inside, slacks = setting.size(400, 1000), [], []
    for n in (6, 20, 60):
        r = float(n**POWER)
        largest, last, (_, rows) = perspective_run(n, r, exponent, setting, size)
        bound = printed_bound(largest, last, 2, (n**3 / r) ** (0.5 - delta))
        slacks.append(bound / np.quantile(rows, 0.95))
        inside.append(int((rows <= shrink * bound).sum()))
    shown = ", ".join(f"{slack:.2g}" for slack in slacks)
    return monte_carlo.coverage(
        inside,
        size,
        f"P(||Psi^ W - Psi||_(2,inf) <= bound) >= 0.95, delta = {delta:g}, r = n^4, n = 6, 20, 60, e = "
        f"{exponent:g}; bound / true 95% quantile = {shown}",
        slack=min(slacks),
    )


# The deterministic core


def c1(d: int) -> float:
    """C1 sqrt(lambda_d)."""
    import jax.numpy as jnp

    one = jnp.asarray(1.0)
    return float(dk.a25_perspective_constants(one, one, d * one)[0])


def core_ratio(estimate: np.ndarray, truth: np.ndarray, d: int) -> float:
    """Aligned Frobenius error of the top-d factors, over ||B^ - B|| / sqrt(lambda_d), for semi-definite B^, B."""
    x = np.abs(np.linalg.eigvalsh(estimate - truth)).max()
    last = np.linalg.eigvalsh(truth)[-d]
    error = aligned_errors(top_factors(estimate, d)[None], top_factors(truth, d))[0][0]
    return float(error * math.sqrt(last) / x) if x > 1e-9 else 0.0


def tie(d: int, gap: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """Return the worst pair known: B = 2 UU', B^ = VV' + (1 - gap) UU' V orthogonal to U: a tie."""
    first, second = np.diag([1.0] * d + [0.0] * d), np.diag([0.0] * d + [1.0] * d)
    return second + (1 - gap) * first, 2 * first


def _lattice(subject: tuple[float, int, float], setting: Setting) -> Evidence:
    """Error over shrink * C1 x for whole-number means in R^d; e = 1/2 has d + 1 places, the others repeat them."""
    from hypothesis import strategies as st

    exponent, d, shrink = subject
    n = 5
    places = cases.integer_arrays(d + 1, d)
    repeats = st.lists(st.integers(0, d), min_size=n - d - 1, max_size=n - d - 1)

    def ratio(case: Any) -> float:
        where, extra, noise, scale = case
        mean = np.concatenate([where, where[extra]]) if extra else where
        truth = centred(squares(mean[:, None, :], exponent))
        if np.linalg.eigvalsh(truth)[-d] < 1e-6:
            return 0.0
        estimate = centred(squares(mean[:, None, :] + noise[:, None, :] * 4.0**scale, exponent))
        return core_ratio(estimate, truth, d) / (shrink * c1(d))

    says = f"aligned Frobenius error / (C1 ||B^ - B||), lattice means, d = {d}, e = {exponent:g}"
    strategy = st.tuples(places, repeats, cases.integer_arrays(n, d), st.integers(-4, 1))
    return largest_ratio(strategy, ratio, setting, says=says, quick=150, full=2000, tolerance=1e-6)


SIZE = 4


def _smooth_core(parameters: Any) -> Any:
    """core_ratio at d = 1 with x replaced by a Schatten norm that is a little larger, to be differentiable at ties."""
    import jax.numpy as jnp

    truth, turn, gaps = jnp.split(parameters, [SIZE, SIZE + SIZE * SIZE])
    vectors = jnp.linalg.qr(turn.reshape(SIZE, SIZE))[0]
    values = jnp.cumsum(jnp.square(gaps)[::-1])[::-1]
    change = (vectors * values[None, :]) @ vectors.T - truth[:, None] * truth[None, :]
    size = jnp.sqrt(jnp.square(change).sum() + 1e-12)
    power = jnp.linalg.matrix_power(change / size, 16)
    x, length = size * jnp.trace(power) ** (1 / 16), jnp.square(truth).sum()
    inner = jnp.sqrt(values[0] + 1e-12) * jnp.abs(vectors[:, 0] @ truth)
    return jnp.sqrt(jnp.maximum((values[0] + length - 2 * inner) * length, 1e-14)) / x


def _hunted(shrink: float, setting: Setting) -> Evidence:
    """Climb at d = 1, judge where it ends without the smoothing, and look at the worst pair known, d = 1, 2, 3."""
    from proofs_checks.evidence.adversary import hunt

    rng = np.random.default_rng(setting.integer_seed("starts"))
    found = hunt(_smooth_core, list(rng.normal(size=(3, 2 * SIZE + SIZE**2))), setting, quick=60)
    truth, turn, gaps = np.split(found.parameters, [SIZE, SIZE + SIZE**2])
    vectors = np.linalg.qr(turn.reshape(SIZE, SIZE))[0]
    estimate = (vectors * np.cumsum(gaps[::-1] ** 2)[::-1]) @ vectors.T
    climbed = core_ratio(estimate, np.outer(truth, truth), 1) / c1(1)
    known = [core_ratio(*tie(d), d) / c1(d) for d in (1, 2, 3)]
    worst = max(climbed, *known) / shrink
    return worst_found(
        worst,
        6,
        f"largest error / (C1 ||B^ - B||): {climbed:.3f} by gradient at d = 1, {known[0]:.3f}, {known[1]:.3f}, "
        f"{known[2]:.3f} at the worst pairs known, d = 1, 2, 3",
    )


def _slacks():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    setting, grid = Setting(0, "quick", "A25-T2/drawing"), np.array([6, 10, 20, 40])
    for exponent, marker in ((0.5, "o"), (1.0, "s")):
        runs = [perspective_run(int(n), float(n**4), exponent, setting, 60) for n in grid]
        quantiles = [np.quantile(rows, 0.95) for _, _, (_, rows) in runs]
        axes.loglog(grid, quantiles, marker, label=f"true 95%, e = {exponent:g}")
        for delta, style in ((0.25, "-"), (0.0, "--")):
            bounds = [
                printed_bound(first, last, 2, float(n) ** (-(0.5 - delta)))
                for n, (first, last, _) in zip(grid, runs, strict=True)
            ]
            axes.loglog(grid, bounds, style, label=f"bound, δ = {delta:g}, e = {exponent:g}")
    axes.set(xlabel="models n, with r = n⁴", ylabel="‖Ψ̂W − Ψ‖, largest row")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def settled_population(exponent: float, n: int = 6) -> Any:
    """Return the population behind :func:`settled_means`, Gaussian answers with gamma = 1."""
    mean = settled_means(n, exponent)
    noise = np.full((n, 1, 1), 0.5)
    return dk.GaussianMixture(np.ones((n, 1, 1)), mean[:, :, None, :], noise, covariance_type="spherical")


def spectrum_settles(exponent: float) -> Hypothesis:
    """A25-A1 and A25-A2, looked at up to n = 200."""

    def settles(_: Any) -> bool:
        values = [np.linalg.eigvalsh(centred(squares(settled_means(n, exponent), exponent))) for n in (50, 100, 200)]
        return all(v[-3] < 1e-9 and v[-2] > 0.1 and v[-1] < 10 for v in values)

    return Hypothesis("A25-A1 and A25-A2 hold: rank 2, lambda_2 > 0.1 and lambda_1 < 10 as n grows", settles)


MOMENTS = (cases.INDEPENDENT, cases.TWO_MOMENTS)
_BOUND = r"P\big(\min_W\|\hat\Psi W-\Psi\|_{2,\infty}\le C_1x+C_2x^2+C_3x^3\big)\to1,\quad x=(n^3/r)^{\frac12-\delta}"


def settled_witness(exponent: float) -> Witness:
    """Return the witness of A25-T2 under a convention."""
    text = {0.5: "all models but two at one place", 1.0: "distinct models, geometric decay in a plane"}[exponent]
    return Witness(
        f"{text}; d = 2, Gaussian answers, r = n^4",
        lambda: settled_population(exponent),
        lambda w: bool(w.gamma.min() > 0),
    )


def _moved_means() -> np.ndarray:
    return settled_means(6, 1.0) + np.array([[0.5, 0.0], [0.0, -0.5]])[np.arange(6) % 2][:, None, :]


_RANK_TWO = Hypothesis(
    "B is positive semi-definite of rank d, which is 2 for the witness",
    lambda w: bool(np.linalg.matrix_rank(w[0], tol=1e-9) == 2 and np.linalg.eigvalsh(w[0])[0] > -1e-9),
)
_SEMI_DEFINITE = Hypothesis("B^ is positive semi-definite", lambda w: bool(np.linalg.eigvalsh(w[1])[0] > -1e-9))

CLAIMS = (
    Claim(
        id="A25-T2",
        title="Rows of the aligned Psi^ are within C1 x + C2 x^2 + C3 x^3 with high probability",
        source=SOURCE,
        form="as-printed",
        reading=HALF + "; d + 1 distinct models, all but boundedly many at one place; delta = 1/4 in the check",
        statement=_BOUND,
        hypotheses=(*MOMENTS, GROWTH, spectrum_settles(0.5)),
        witness=settled_witness(0.5),
        checks=(Check("coverage", _coverage, (0.5, 0.25, 1.0), (0.5, 0.25, 1e-4), "the bound divided by 10^4"),),
        recorded="holds",
        drawings=(
            Drawing(
                _slacks,
                "The printed bound against the true 95% quantile of the largest row error: hundreds to thousands of "
                "times too large, and the gap grows with n.",
            ),
        ),
    ),
    Claim(
        id="A25-T2/distinct",
        title="A25's Theorem 2 for distinct models",
        source=SOURCE,
        form="as-printed",
        reading=HALF + "; distinct models",
        statement=_BOUND,
        hypotheses=(),
        witness=None,
        no_witness="its assumption A25-A1 has no distinct models: their B has rank n - 1",
        checks=(PRODUCT_OF_GAPS,),
        recorded="vacuous",
        repair="A25-T2",
    ),
    Claim(
        id="A25-T2/exponent-1",
        title="A25's Theorem 2 with exponent 1",
        source=SOURCE,
        form="as-printed",
        reading=ONE + "; A25-A1 and A25-A2 as n grows; delta = 1/4 in the check",
        statement=_BOUND,
        hypotheses=(*MOMENTS, GROWTH, spectrum_settles(1.0)),
        witness=settled_witness(1.0),
        checks=(Check("coverage", _coverage, (1.0, 0.25, 1.0), (1.0, 0.25, 1e-4), "the bound divided by 10^4"),),
        recorded="holds",
    ),
    Claim(
        id="A25-T2/deterministic",
        title="C1 times the spectral error of B^ bounds the aligned error, for every size of it",
        source=SOURCE,
        form="own",
        reading="Frobenius norm; rank(B) = d, B^ positive semi-definite; C2 and C3 are not needed; both exponents",
        statement=r"\min_W\|\hat\Psi W-\Psi\|_F\le\frac{2\sqrt d}{\sqrt{(\sqrt2-1)\lambda_d}}\|\hat B-B\|\le C_1\|"
        r"\hat B-B\|",
        hypotheses=(_RANK_TWO, _SEMI_DEFINITE),
        witness=Witness(
            "the Gram matrices of six models of rank 2 and of the same moved by up to 1/2, e = 1",
            lambda: tuple(centred(squares(mean, 1.0)) for mean in (settled_means(6, 1.0), _moved_means())),
            lambda w: bool(np.abs(w[1] - w[0]).max() > 0),
        ),
        checks=(
            Check("line, e = 1", _lattice, (1.0, 1, 1.0), (1.0, 1, 0.025), "C1 divided by 40"),
            Check("plane, e = 1", _lattice, (1.0, 2, 1.0), (1.0, 2, 0.025), "C1 divided by 40"),
            Check("plane, e = 1/2", _lattice, (0.5, 2, 1.0), (0.5, 2, 0.025), "C1 divided by 40"),
            Check("adversary", _hunted, 1.0, 0.5, "C1 halved"),
        ),
        recorded="holds",
    ),
)
