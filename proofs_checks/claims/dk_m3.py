r"""DK-M3: the aligned Psi^ by classical MDS is asymptotically Gaussian, with the Jacobian written out.

Setting. n, m fixed, iid replicates, E = X - mu, classical MDS in R^d, Psi^ turned onto Psi by the best orthogonal W*.
Statements. DK-M3: e = 1 and rank(B) = d, sqrt(r)(Psi^ W* - Psi) -> N(0, J Sigma J'), J the Jacobian at mu of mu ->
Psi W* and Sigma block diagonal with blocks Sigma_ij. DK-M3/below-rank: so it is whenever lambda_d > lambda_{d+1}.
DK-M3/exponent-half: the same for e = 1/2 where the models are distinct. DK-M3/coincident-half: also where two coincide.
Hypotheses. Two moments, lambda_d > lambda_{d+1}; distinct models for e = 1/2.
Constants. J below.
Relation. Equality in the limit; the remainder is O_P(1/r).
Reference. Our own.

Derivation. B = U diag(lambda) U', Psi = U_d Lambda^{1/2}; ties among the first d eigenvalues are allowed. X changes B
by dB = -1/2 H d(D^2) H with d(D^2)_ik = 2e c^2 ||delta_ik||^(2e-2) <delta_ik, E_i - E_k>, which for e = 1 is
Y dZ' + dZ Y', Y = cH mu, dZ = cHE; for e = 1/2 it needs delta_ik != 0. Write M = U' dB U. The top part
T = sum_{k<=d} lambda_k u_k u_k' satisfies TB = T^2 and keeps its rank, so (U' dT U)_ab is M_ab for a, b <= d,
lambda_a M_al/(lambda_a - lambda_l) for a <= d < l = b, and 0 for a, b > d. F = Psi^ W* is the factor of T + dT with
Psi'F symmetric (the best W* makes it so). With dF = U W this says W_ab sqrt(lambda_b) + sqrt(lambda_a) W_ba =
(U' dT U)_ab and that sqrt(lambda_a) W_ab is symmetric, hence

    W_ab = M_ab sqrt(lambda_b)/(lambda_a + lambda_b) for a, b <= d,
    W_lb = M_lb sqrt(lambda_b)/(lambda_b - lambda_l) for b <= d < l.

At rank(B) = d, e = 1, this is c HEV - Psi A: V the right singular vectors of Y, and A antisymmetric, the rotation that
alignment takes out. T is analytic where the gap is open and so is the polar factor, Psi'Psi being regular; so dF is the
derivative, the remainder is O(||E||^2), and the delta method gives the law: each entry of dF is a sum of independent
terms over models and queries.

Coincident models, e = 1/2: d(D^2)_12 is c^2 ||E_1 - E_2||, of order r^(-1/2) too but positive, and nothing linear. Take
n = 3, models 1 and 2 equal, model 3 apart, d = 1, coins +-1 around the means (m = p = c = 1). u = (1, 1, -2)/sqrt(6),
and lambda^ - lambda has first order part u' dB u = -(1/6)(D^2_12 - 2 d(D^2)_13 - 2 d(D^2)_23), whose last two terms
have mean 0, while sqrt(r) E D^2_12 -> 2/sqrt(pi) (DK-M2/every-pair). Second moments are bounded, so the limit of
sqrt(r)(lambda^ - lambda), and with it that of ||Psi^||, has a mean that is not 0: no Gaussian law centred at 0.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A25, DEFAULT
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.a25_def import coincident_population
from proofs_checks.claims.dk_m2_coincident import mean_of_coins
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.symbolic import identity

SOURCE = "own"
R = 10**10


@dataclass(frozen=True)
class Expansion:
    """What is expanded: a population by name, d, the convention, and the error planted, if any."""

    population: str
    d: int
    convention: dk.Convention = DEFAULT
    without: str = ""

    def build(self):
        """Return the population."""
        return {"mixture": cases.mixture_population, "digits": cases.digits_population}[self.population]()


def spectrum(mean: np.ndarray, convention: dk.Convention) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of B, largest first, and eigenvectors as columns."""
    values, vectors = np.linalg.eigh(np.asarray(dk.gram(cases.dissimilarities(mean, convention))))
    return values[::-1], vectors[:, ::-1]


def gram_jacobian(mean: np.ndarray, convention: dk.Convention) -> np.ndarray:
    """Return the derivative of B in the means, (n, n, n m p)."""
    n = len(mean)
    rows = mean.reshape(n, -1)
    delta = rows[:, None] - rows[None]
    length = np.linalg.norm(delta, axis=2)
    e = convention.exponent
    power = np.ones_like(length) if e == 1 else (length + np.eye(n)) ** (2 * e - 2)
    slope = 2 * e * convention.scale(mean.shape[1]) ** 2 * power[..., None] * delta
    which = np.eye(n)[:, None, :] - np.eye(n)[None, :, :]
    squares = which[..., None] * slope[:, :, None, :]
    centring = np.eye(n) - 1 / n
    return -0.5 * np.einsum("ai,ijkx,jb->abkx", centring, squares, centring).reshape(n, n, -1)


def jacobian(mean: np.ndarray, d: int, convention: dk.Convention, without: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Psi (n, d) and the derivative of the aligned embedding at mu, (n, d, n m p).

    ``without`` plants an error: "alignment" forgets that rotations are taken out, "gap" the factor of the eigengap.
    """
    values, vectors = spectrum(mean, convention)
    m = np.einsum("ia,ijx,jb->abx", vectors, gram_jacobian(mean, convention), vectors[:, :d])
    top = values[:d]
    within = np.sqrt(top) / (top[:, None] + top[None])
    if without == "alignment":
        within = np.broadcast_to(0.5 / np.sqrt(top), (d, d))
    gaps = top[None] - (0.0 if without == "gap" else 1.0) * values[d:, None]
    weights = np.concatenate([within, np.sqrt(top)[None] / gaps])
    return vectors[:, :d] * np.sqrt(top), np.einsum("ia,ab,abx->ibx", vectors, weights, m)


@functools.cache
def _expanded(case: Expansion):
    population = case.build()
    mean = np.asarray(population.mean)
    return population, mean, *jacobian(mean, case.d, case.convention, case.without)


def errors_of(case: Expansion, key, size: int, r: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw E (size, n, m, p) and the aligned error Psi^ W* - Psi (size, n, d)."""
    population, mean, psi, _ = _expanded(case)
    errors = cases.mean_errors(population, key, size, r)
    found = cases.dissimilarities_of_many(mean[None] + errors, case.convention)
    return errors, cases.aligned_perspectives(found, psi) - psi


LOW, HIGH, REPLICATES = 1e4, 1e9, 300


def _remainder(case: Expansion, setting: Setting) -> Evidence:
    """||Psi^ W* - Psi - J E|| at r = 10^4 and 10^9: of second order it falls as 1/r, else as r^(-1/2)."""
    derivative = _expanded(case)[-1]

    def left(r):
        errors, found = errors_of(case, setting.key(f"r = {r:g}"), REPLICATES, r)
        first = np.einsum("ibx,sx->sib", derivative, errors.reshape(REPLICATES, -1))
        return np.linalg.norm(found - first, axis=(1, 2))

    says = f"remainder of the expansion, {case.population}, d = {case.d}, e = {case.convention.exponent:g}"
    return monte_carlo.falls_as(left(LOW), left(HIGH), HIGH / LOW, rate=1.0, says=f"{says}, r = 10^4 and 10^9")


def limit_covariance(case: Expansion) -> np.ndarray:
    """J Sigma J', (n d, n d)."""
    population, mean, _, derivative = _expanded(case)
    n, m, p = mean.shape
    by_cell = derivative.reshape(-1, n, m, p)
    return np.einsum("aijx,ijxy,bijy->ab", by_cell, np.asarray(population.covariance), by_cell, optimize=True)


def _law(case: Expansion, setting: Setting) -> Evidence:
    """All second moments and the distribution of the entries of sqrt(r)(Psi^ W* - Psi), standardised, r = 10^10."""
    from scipy import stats

    covariance = limit_covariance(case)
    sd = np.sqrt(np.diag(covariance))
    first, second = np.triu_indices(len(sd))
    points = np.array([-1.5, 0.0, 1.0])

    def draw(key, size):
        z = np.sqrt(R) * errors_of(case, key, size, R)[1].reshape(size, -1) / sd
        below = (z[:, :, None] <= points[None, None]).reshape(size, -1)
        return np.concatenate([z[:, first] * z[:, second], below], axis=1)

    def moments(scale):
        products = (scale * covariance / np.outer(sd, sd))[first, second]
        return np.concatenate([products, np.tile(stats.norm.cdf(points / np.sqrt(scale)), len(sd))])

    return monte_carlo.equal_means(
        draw,
        moments(1.0),
        moments(0.8),
        setting,
        says=f"covariances and distribution of sqrt(r)(Psi^ W* - Psi), {case.population}, d = {case.d}, "
        f"e = {case.convention.exponent:g}, r = 10^10",
        named="a covariance one fifth lower",
        quick=2000,
        full=20000,
    )


def _equations(without: str):
    """Check that the stated derivatives solve the first order equations, two directions kept and one left out."""

    def sides():
        import sympy

        s = sympy.symbols("s1:4", positive=True)
        lam = [x**2 for x in s]
        m = sympy.Matrix(3, 3, lambda i, j: sympy.Symbol(f"m{min(i, j)}{max(i, j)}"))
        b, top = sympy.diag(*lam), sympy.diag(lam[0], lam[1], 0)
        change, weights = sympy.zeros(3, 3), sympy.zeros(3, 2)
        for a in (0, 1):
            gap = lam[a] - (0 if without == "gap" else lam[2])
            change[a, 2] = change[2, a] = m[a, 2] * lam[a] / gap
            weights[2, a] = m[2, a] * s[a] / gap
            for k in (0, 1):
                change[a, k] = m[a, k]
                weights[a, k] = m[a, k] * (1 / (2 * s[k]) if without == "alignment" else s[k] / (lam[a] + lam[k]))
        psi = sympy.Matrix([[s[0], 0], [0, s[1]], [0, 0]])
        turn = psi.T * weights
        equations = (
            (change * b + top * m, change * top + top * change),
            (weights * psi.T + psi * weights.T, change),
            (turn, turn.T),
        )
        pairs = [pair for left, right in equations for pair in zip(left, right, strict=True)]
        return "T B = T^2, F F' = T and the symmetry of Psi'F, differentiated, are solved by dT and dF as stated", pairs

    return sides


def _cloud():
    from dkps_theory.pages.figures import new_figure, styled

    case, r = Expansion("mixture", 2), 20.0
    psi = _expanded(case)[2]
    _, found = errors_of(case, Setting(0, "quick", "DK-M3/drawing").key(), 300, r)
    covariance = limit_covariance(case).reshape(6, 2, 6, 2) / r

    @styled
    def draw():
        figure, (axes,) = new_figure()
        circle = np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 100)), np.sin(t)])
        for i, centre in enumerate(psi):
            values, vectors = np.linalg.eigh(covariance[i, :, i])
            radius = np.sqrt(np.maximum(values, 0) * -2 * np.log(0.05))
            outline = centre[:, None] + vectors @ (radius[:, None] * circle)
            axes.scatter(*(centre + found[:, i]).T, s=4, alpha=0.4, linewidths=0, rasterized=True)
            axes.plot(*outline, color="black", linewidth=0.9)
        axes.set_aspect("equal")
        axes.set(xlabel="perspective axis 1 (units of g)", ylabel="perspective axis 2 (units of g)")
        return figure

    return draw()


def _skewed():
    """Draw the law of the length of Psi^ on the three coins of the derivation, model 3 at distance 3, r = 10^6."""
    from scipy import stats

    from dkps_theory.pages.figures import new_figure, styled

    r, centring = 10**6, np.eye(3) - 1 / 3
    generator = np.random.default_rng(Setting(0, "quick", "DK-M3/coins").integer_seed())
    means = 2 * generator.binomial(r, 0.5, size=(4000, 3)) / r - 1 + np.array([0.0, 0.0, 3.0])
    squares = np.abs(means[:, :, None] - means[:, None])
    lengths = np.sqrt(np.linalg.eigvalsh(-0.5 * centring @ squares @ centring)[:, -1])
    values = np.sqrt(r) * (lengths - np.sqrt(2.0))

    @styled
    def draw():
        figure, (axes,) = new_figure()
        t = np.linspace(-2, 2, 300)
        axes.hist(values, bins=60, range=(-2, 2), density=True, alpha=0.45)
        axes.plot(t, stats.norm.pdf(t, 0, values.std()), label="Gaussian centred at 0, same spread")
        axes.axvline(values.mean(), color="black", linewidth=0.9, linestyle="--", label="mean")
        axes.set(xlabel="√r (‖Ψ̂‖ − ‖Ψ‖)", ylabel="density")
        figure.legend(loc="outside lower left", ncols=2)
        return figure

    return draw()


def _length_of_coins(shift: int):
    """First order of lambda^ for models 1 and 2 equal and 3 apart by l, e = 1/2, and the limit of its mean."""

    def sides():
        import sympy

        length, *x = sympy.symbols("l x12 x13 x23", positive=True)
        u = sympy.Matrix([1, 1, -2]) / sympy.sqrt(6)
        centring = sympy.eye(3) - sympy.ones(3, 3) / 3

        def gram(first, second, third):
            squares = sympy.Matrix([[0, first, second], [first, 0, third], [second, third, 0]])
            return -centring * squares * centring / 2

        pairs = list(zip(gram(0, length, length) * u, 2 * length / 3 * u, strict=True))
        pairs.append(((u.T * gram(*x) * u)[0], -(x[0] - 2 * x[1] - 2 * x[2]) / 6))
        says, more = mean_of_coins(shift, "-1/6")()
        return f"u'Bu = 2 l/3, u'dBu = -(D^2_12 - 2 d_13 - 2 d_23)/6, and {says}", [*pairs, *more]

    return sides


def _gap(d: int, convention: dk.Convention = DEFAULT):
    def open_gap(population) -> bool:
        values = spectrum(np.asarray(population.mean), convention)[0]
        return bool(values[d - 1] - values[d] > 1e-6 * values[0])

    return Hypothesis(f"lambda_{d} > lambda_{d + 1}", open_gap)


def _rank(population) -> float:
    return float(dk.classical_mds(cases.dissimilarities(population.mean), 2).rank)


def _distinct(population) -> bool:
    delta = cases.dissimilarities(population.mean, A25)
    return bool(np.all(delta[~np.eye(len(delta), dtype=bool)] > 0))


_MOMENTS = (cases.INDEPENDENT, cases.TWO_MOMENTS)
_DIGITS = Witness(
    "mixtures fitted to handwritten digits, d = 2", cases.digits_population, lambda w: bool(w.gamma.min() > 0)
)
_LAW = r"\sqrt r\,(\hat\Psi W^*-\Psi)\xrightarrow{d}N(0,J\Sigma J^\top)"
_NO_TURN = "the rotations that alignment takes out left in"
_NO_GAP = "the factor lambda_k/(lambda_k - lambda_l) left out"


def _expansion_checks(*cases_and_errors: tuple[Expansion, str, str]) -> tuple[Check, ...]:
    checks = []
    for case, without, words in cases_and_errors:
        broken = replace(case, without=without)
        name = f"{case.population}-{case.d}"
        checks.append(Check(f"remainder-{name}", _remainder, case, broken, words))
        if case.population == "mixture":
            checks.append(Check(f"law-{name}", _law, case, broken, words))
    return tuple(checks)


CLAIMS = (
    Claim(
        id="DK-M3",
        title="The aligned perspective at the rank is asymptotically Gaussian",
        source=SOURCE,
        form="own",
        reading="classical MDS, e = 1, rank(B) = d; J in closed form, c HEV less the rotation that alignment takes out",
        statement=r"\operatorname{rank}B=d:\ " + _LAW + r",\quad J E=cHEV-\Psi A,\ A=-A^\top",
        hypotheses=(
            *_MOMENTS,
            Hypothesis("rank(B) = 2 = d", lambda w: _rank(w) == 2),
        ),
        witness=Witness(
            "six models at a chosen Psi in the plane, answers from mixtures",
            cases.mixture_population,
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(
            Check("equations", identity, _equations(""), _equations("alignment"), _NO_TURN),
            *_expansion_checks((Expansion("mixture", 2), "alignment", _NO_TURN)),
        ),
        recorded="holds",
        drawings=(
            Drawing(_cloud, "300 estimates of Psi, r = 20, and the ellipses that hold 95% of each in the limit."),
        ),
    ),
    Claim(
        id="DK-M3/below-rank",
        title="It is so below the rank too, with the eigengap in the Jacobian",
        source=SOURCE,
        form="own",
        reading="classical MDS, e = 1, d < rank(B), lambda_d > lambda_{d+1}; ties among the first d are allowed",
        statement=r"\lambda_d>\lambda_{d+1}:\ " + _LAW,
        hypotheses=(*_MOMENTS, _gap(2), Hypothesis("rank(B) > 2 = d", lambda w: _rank(w) > 2)),
        witness=_DIGITS,
        checks=(
            Check("equations", identity, _equations(""), _equations("gap"), _NO_GAP),
            *_expansion_checks((Expansion("mixture", 1), "gap", _NO_GAP), (Expansion("digits", 2), "gap", _NO_GAP)),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M3/exponent-half",
        title="With exponent one half it is Gaussian where the models are distinct",
        source=SOURCE,
        form="own",
        reading="classical MDS, c = 1/sqrt(m), e = 1/2",
        statement=r"\lambda_d>\lambda_{d+1},\ \mu_i\ne\mu_{i'}:\ " + _LAW,
        hypotheses=(*_MOMENTS, _gap(2, A25), Hypothesis("the models are distinct", _distinct)),
        witness=_DIGITS,
        checks=_expansion_checks(
            (Expansion("mixture", 2, A25), "gap", _NO_GAP), (Expansion("digits", 2, A25), "alignment", _NO_TURN)
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M3/coincident-half",
        title="With exponent one half it is Gaussian where models coincide too",
        source=SOURCE,
        form="own",
        reading="classical MDS, e = 1/2, an open eigengap, a centred Gaussian limit of any covariance",
        statement=r"\lambda_d>\lambda_{d+1}:\ \sqrt r\,(\hat\Psi W^*-\Psi)\xrightarrow{d}N(0,\cdot)",
        hypotheses=(*_MOMENTS, _gap(1, A25)),
        witness=Witness("three models, two coincident", coincident_population, lambda w: bool(w.gamma.min() > 0)),
        checks=(
            Check(
                "coins",
                identity,
                _length_of_coins(0),
                _length_of_coins(2),
                "models 1 and 2 apart, where D^2 has no bias",
            ),
        ),
        recorded="refuted",
        repair="DK-M3/exponent-half",
        drawings=(
            Drawing(
                _skewed,
                "Two coincident coins and one apart, e = 1/2: the length of Psi^ is biased at the order of its error.",
            ),
        ),
    ),
)
