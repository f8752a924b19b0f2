r"""DK-M9: the aligned error of Psi^ to first order, with an explicit remainder.

Setting. e = 1, classical MDS, rank(B) <= d, Y = c H mu = U S V', F = c H E, sigma = sqrt(lambda_d), eps = ||F||_2, V
the top-d right singular vectors of Y.
Statement. If eps < sigma/2, with a = min(1, eps/(sigma - eps)), min_W ||Psi^ W - Psi||_F <= ||F V||_F + eps sqrt(d) a
sqrt(1 + (1 + sqrt(1 - a^2))^(-2)); for rows max_i ||e_i'F V|| in the first term, and no sqrt(d) in the second.
Hypotheses. rank(B) <= d; eps < sigma/2.
Constants. As stated.
Relation. Upper bound, for every draw.
Reference. Our own; derivation in dkps_theory.bounds.first_order.

Readings.
1. DK-M9 as stated.
2. DK-M9/any-noise. The hypothesis eps < sigma/2 is not needed: with a = 1 elsewhere the same proof goes through,
   because S^ sin(angles) <= eps and sin/(1 + cos) <= 1 whatever the angles. Then the remainder is eps sqrt(2 d).
3. DK-M9/sharp. Two terms of the remainder, both of second order: T, what Psi^ is stretched by, and G, what of Y V
   leaves the range of Psi^. G involves F F' only through its deviation from a multiple of H, since such a multiple
   moves no eigenvector. For white noise with N = m p much larger than n, eps^2/sigma in G becomes (sqrt(N n) +
   n)/sigma noise units instead of (sqrt N + sqrt n)^2/sigma: a gain of sqrt(N/n). T remains, and is real: Psi^ is
   inflated (DK-M7). In T, Z = U^'F(I - P) and h is the least of ||Z||/s_d, the sharp sine of CL-WEDIN/sharp, and 1.

The rows are those of the map W made of the polar factor of V^'V, not of the Frobenius-best map; the checks use that W.
"""

from __future__ import annotations

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims import _radius
from proofs_checks.evidence.adversary import hunt
from proofs_checks.evidence.search import worst_found

SOURCE = "own (DK-M9)"


def parts(Y: np.ndarray, F: np.ndarray, d: int) -> dict[str, float]:
    """Return errors, first-order terms and the norms that the remainders need, for Y and F with centred columns.

    ``frobenius`` is after the Frobenius-best map, ``rows`` after the polar factor of V^'V, which the proof uses.
    """
    n, width = Y.shape
    U, s, Vt = np.linalg.svd(Y, full_matrices=False)
    U, s, V = U[:, :d], s[:d], Vt[:d].T
    Uh, sh, Vh = np.linalg.svd(Y + F, full_matrices=False)
    Uh, sh, Vh = Uh[:, :d], sh[:d], Vh[:d].T
    left, _, right = np.linalg.svd(Vh.T @ V)
    difference = (Uh * sh) @ (left @ right) - Y @ V
    # F F' - tau H on centred vectors; tau from the noise itself, as a deterministic statement may.
    gram = F @ F.T
    centring = np.eye(n) - 1 / n
    tau = float(np.trace(U.T @ gram @ U)) / d
    shifted = (gram - tau * centring) @ U
    found = {
        "frobenius": float(_radius.aligned_errors(Y, F[None], d)[0][0]),
        "rows": float(np.linalg.norm(difference, axis=1).max()),
        "first": float(np.linalg.norm(F @ V)),
        "first rows": float(np.linalg.norm(F @ V, axis=1).max()),
        "eps": float(np.linalg.norm(F, 2)),
        "sigma": float(s[-1]),
    }
    remainders = []
    for shift, matrix in ((0.0, gram @ U), (tau, shifted)):
        norms = dk.NoiseNorms(
            first_order=found["first"],
            first_order_spectral=float(np.linalg.norm(F @ V, 2)),
            spectral=found["eps"],
            core=float(np.linalg.norm(U.T @ F @ V, 2)),
            left=float(np.linalg.norm(U.T @ F)),
            left_spectral=float(np.linalg.norm(U.T @ F, 2)),
            outside=float(np.linalg.norm(F - F @ V @ V.T)),
            shift=min(shift, found["eps"] ** 2),
            shifted=float(np.linalg.norm(matrix)),
            shifted_spectral=float(np.linalg.norm(matrix, 2)),
        )
        remainders.append(dk.dk_m9_sharp_remainder(norms, singular_values=tuple(s.tolist()), n=n, width=width))
    found["sharp"], found["sharp rows"] = (min(pair) for pair in zip(*remainders, strict=True))
    found["plain"], found["plain rows"] = dk.dk_m9_remainder(spectral=found["eps"], sigma=found["sigma"], d=d)
    return found


def ratio(Y: np.ndarray, F: np.ndarray, d: int, form: str, keep: float = 1.0) -> float:
    """Larger of the two errors over first-order term plus ``keep`` times the remainder; 0 where Y has no rank d."""
    Y, F = Y - Y.mean(axis=0), F - F.mean(axis=0)
    size, values = np.linalg.norm(F), np.linalg.svd(Y, compute_uv=False)
    if size <= 1e-6 * (1 + np.abs(Y).max()) or values[d - 1] <= 1e-3 * values[0]:
        return 0.0
    found = parts(Y, F, d)
    tiny = 1e-9 * (values[0] + size)  # what rounding may leave of an error
    pairs = (("frobenius", "first", form), ("rows", "first rows", f"{form} rows"))
    return max((found[error] - tiny) / (found[first] + keep * found[rest] + 1e-300) for error, first, rest in pairs)


#: (n, m p, d): more answers than models, fewer, the mean space nearly full, and d = n - 1.
SHAPES = ((5, 4, 2), (4, 12, 1), (9, 3, 2), (6, 12, 2), (4, 6, 3), (7, 7, 3))


def random_case(generator: np.random.Generator, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return Y and F: any spectrum, noise of any size, white, low rank, outside the mean space, along it, or both."""
    n, width, d = shape
    U, _ = np.linalg.qr(generator.normal(size=(n, d)))
    U, _ = np.linalg.qr(U - U.mean(axis=0))
    V, _ = np.linalg.qr(generator.normal(size=(width, d)))
    s = np.sort(np.exp(generator.uniform(-1.5, 1.5, d)))[::-1]
    F = generator.normal(size=(n, width)) * np.exp(generator.uniform(-1, 1, (n, 1)))
    match generator.integers(5):
        case 0:
            F = F - F @ V @ V.T
        case 1:
            F = np.outer(F[:, 0], generator.normal(size=width))
        case 2:
            F = U @ U.T @ F
        case 3:  # the models only stretch, as by Pythagoras: no first order, half the plain remainder
            F = U @ (U.T @ F - U.T @ F @ V @ V.T)
        case _:
            pass
    F = F - F.mean(axis=0)
    return (U * s) @ V.T, F / np.linalg.norm(F, 2) * s[-1] * np.exp(generator.uniform(-3, 1))


def _searched(subject: tuple[str, float, bool], setting: Setting) -> Evidence:
    """Random cases of all shapes, and a climb by steps from the worst of each shape."""
    form, keep, small = subject
    generator = np.random.default_rng(setting.integer_seed("cases"))
    tries, steps, worst, seen = setting.size(60, 1000), setting.size(60, 1000), 0.0, 0

    def judged(Y: np.ndarray, F: np.ndarray, d: int) -> float:
        if small:
            limit = 0.4999 * np.linalg.svd(Y - Y.mean(axis=0), compute_uv=False)[d - 1]
            F = F * min(1.0, limit / max(float(np.linalg.norm(F - F.mean(axis=0), 2)), 1e-300))
        return ratio(Y, F, d, form, keep)

    for shape in SHAPES:
        d = shape[2]
        cases_here = [random_case(generator, shape) for _ in range(tries)]
        values = [judged(Y, F, d) for Y, F in cases_here]
        best = max(values)
        Y, F = cases_here[int(np.argmax(values))]
        for _ in range(steps):
            # The mean space and the spectrum stay, the noise moves.
            other = F + np.exp(generator.uniform(-6, 0)) * np.abs(F).max() * generator.normal(size=F.shape)
            value = judged(Y, other, d)
            if value > best:
                best, F = value, other
        worst, seen = max(worst, best), seen + tries + steps
    return worst_found(
        worst,
        seen,
        f"largest error / (first-order term + remainder), both norms, {len(SHAPES)} shapes of (n, m p, d)",
        tolerance=1e-6,
    )


def _hunted(subject: tuple[str, float], setting: Setting) -> Evidence:
    """Climb by gradient in error / bound as stated, five models, m p = 4, d = 2, away from vanishing noise.

    As eps -> 0 the ratio may tend to 1 whatever the remainder, so the noise is held at eps = sigma/4.
    """
    import jax.numpy as jnp

    form, keep = subject
    n, width, d = 5, 4, 2

    def unpacked(parameters, numbers=jnp):
        y, f = numbers.split(parameters, [n * d + d * width])
        left, right = numbers.split(y, [n * d])
        left = left.reshape(n, d)
        left = left - left.mean(axis=0, keepdims=True)
        Y = left @ right.reshape(d, width)
        F = f.reshape(n, width)
        F = F - F.mean(axis=0, keepdims=True)
        sigma = numbers.linalg.svd(Y, compute_uv=False)[d - 1]
        return Y, F * (sigma / 4 / numbers.linalg.svd(F, compute_uv=False)[0]), sigma

    def objective(parameters):
        Y, F, sigma = unpacked(parameters)
        U, s, Vt = jnp.linalg.svd(Y, full_matrices=False)
        V = Vt[:d].T
        values, vectors = jnp.linalg.eigh((Y + F) @ (Y + F).T)
        psi = vectors[:, -d:] * jnp.sqrt(jnp.maximum(values[-d:], 1e-12))[None]
        truth = U[:, :d] * s[None, :d]
        overlap = jnp.linalg.svd(psi.T @ truth, compute_uv=False).sum()
        error = jnp.sqrt(jnp.maximum((psi**2).sum() + (truth**2).sum() - 2 * overlap, 1e-12))
        a = 1 / 3
        rest = sigma / 4 * a * np.sqrt(d * (1 + (1 + np.sqrt(1 - a**2)) ** -2))
        return error / (jnp.sqrt(((F @ V) ** 2).sum() + 1e-12) + keep * rest)

    generator = np.random.default_rng(setting.integer_seed("starts"))
    starts = [generator.normal(size=n * d + d * width + n * width) for _ in range(setting.size(5, 40))]
    found = hunt(objective, starts, setting, quick=40, full=300)
    Y, F, _ = unpacked(found.parameters, np)
    worst = ratio(Y, F, d, form, keep)
    return worst_found(
        worst,
        len(starts),
        "largest error / bound at eps = sigma/4, climbed by gradient, judged by the package's remainder",
        tolerance=1e-6,
    )


def _homogeneous(shift: float, setting: Setting) -> Evidence:
    """Radii, noise and remainders are multiplied by a when g is: exactly for powers of two."""
    worst, count = 0.0, 0
    for a in (2.0**-20, 2.0**-3, 2.0**7):
        for cell in (_radius.Cell("mixture", 8, 3, 2, 2, 50), _radius.Cell("bernoulli", 8, 3, 1, 3, 50)):
            own, other = (_radius.radius_of(one) for one in (cell, _radius.Cell(**{**cell.__dict__, "scale": a})))
            for name in ("frobenius", "rows", "noise_frobenius", "noise_spectral"):
                worst = max(worst, abs((getattr(other, name) + shift) / (a * getattr(own, name)) - 1))
                count += 1
    return Evidence(
        "search",
        Outcome.SUPPORTS if worst <= 1e-9 else Outcome.CONTRADICTS,
        worst,
        0.0,
        "equal",
        "relative difference of the certified radius at g -> a g from a times the radius, a from 2^-20 to 2^7",
        n=count,
    )


_RANK = Hypothesis(
    "rank(B) <= 2",
    lambda w: int(np.linalg.matrix_rank(_radius.factor(np.asarray(w.mean)), tol=1e-8)) <= 2,
)
_WITNESS = Witness(
    "six models with means in a plane, two-component mixtures, d = 2 < rank(B^); one draw at r = 200",
    cases.mixture_population,
    lambda w: bool(w.gamma.min() > 0),
)


def _noise_over_signal(population) -> float:
    """Return eps / sigma of one draw at r = 200."""
    generator = np.random.default_rng(0)
    Y = _radius.factor(np.asarray(population.mean))
    F = _radius.factor(_radius.mean_errors(population, generator, 1, 200))[0]
    return float(np.linalg.norm(F, 2) / np.linalg.svd(Y, compute_uv=False)[1])


_STATEMENT = (
    r"\min_W\|\hat\Psi W-\Psi\|_F\le c\|HEV\|_F+\varepsilon\sqrt d\,a\sqrt{1+(1+\sqrt{1-a^2})^{-2}},\quad "
    r"\min_W\|\hat\Psi W-\Psi\|_{2,\infty}\le\max_i c\|e_i^\top HEV\|+\varepsilon a\sqrt{1+(1+\sqrt{1-a^2})^{-2}}"
)

CLAIMS = (
    Claim(
        id="DK-M9",
        title="The aligned error is that of the noise in the mean space, up to an explicit second order",
        source=SOURCE,
        form="own",
        reading="as first stated: c||HE|| < sigma_d / 2",
        statement=_STATEMENT,
        hypotheses=(_RANK, Hypothesis("eps < sigma / 2", lambda w: _noise_over_signal(w) < 0.5)),
        witness=_WITNESS,
        checks=(
            Check("searched", _searched, ("plain", 1.0, True), ("plain", 0.25, True), "the remainder divided by 4"),
            Check("hunted", _hunted, ("plain", 1.0), ("plain", 0.0), "the remainder dropped"),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M9/any-noise",
        title="The first-order bound needs no bound on the noise",
        source=SOURCE,
        form="own",
        reading="without eps < sigma/2: a = 1 there",
        statement=_STATEMENT,
        hypotheses=(_RANK,),
        witness=_WITNESS,
        checks=(
            Check("searched", _searched, ("plain", 1.0, False), ("plain", 0.25, False), "the remainder divided by 4"),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M9/sharp",
        title="A remainder that sees only the deviation of FF' from a multiple of the identity",
        source=SOURCE,
        form="own",
        reading="the least of the forms derived in dkps_theory.bounds.first_order, on one event",
        statement=r"\min_W\|\hat\Psi W-\Psi\|_F\le\|FV\|_F+\sqrt{\|T\|_F^2+\|G\|_F^2},\quad "
        r"\|T\|\le\frac{\|Z\|h}{1+\sqrt{1-h^2}},\ \|G\|\le\frac{\|(FF^\top-\tau H)U\|}{\sigma}+\frac{\theta}{1-\theta}"
        r"\Big(\|FV\|+\frac{\|(FF^\top-\tau H)U\|}{\sigma}\Big)",
        hypotheses=(_RANK,),
        witness=_WITNESS,
        checks=(
            Check(
                "searched", _searched, ("sharp", 1.0, False), ("sharp", 0.8, False), "a fifth of the remainder dropped"
            ),
            Check("homogeneous", _homogeneous, 0.0, 0.01, "0.01 in units of nothing added to the radius"),
        ),
        recorded="holds",
    ),
)
