r"""DK-M7: fixed replicates and ever more queries: Psi^ stays inflated, and subtracting the noise repairs it.

Setting. n and r fixed, m -> infinity, c = 1/sqrt(m), e = 1, models and queries independent, fourth moments bounded,
gamma_i = (1/m) sum_j gamma_ij and Delta^2 those of the first m queries, with limits; a_i = gamma_i/r. Rates are to the
Delta, Psi and a_i of these m queries: to the limits they need not hold.
Statements. DK-M7: D_ik^2 - Delta_ik^2 -> a_i + a_k, with the rate m^(-1/2), so B^ -> B + H diag(a) H. DK-M7/inflated:
for equal gamma_i = gamma, Psi^ -> U_d (Lambda_d + gamma/r)^(1/2). DK-M7/more-queries: Psi^ -> Psi. DK-M7/debiased: with
the noise, known or estimated from r >= 2 answers, subtracted from D^2, Psi^ -> Psi at the rate m^(-1/2).
Hypotheses. As in the setting; lambda_d > lambda_{d+1} for Psi^.
Constants. As stated.
Relation. Limits, with the rate m^(-1/2).
Reference. Our own; moments from DK-M1. What can be done when gamma is not known is in DK-M7/unknown-gamma, the
exponent 1/2 in DK-M7/exponent-half.

Derivation. E D_ik^2 = Delta_ik^2 + (1/(m r)) sum_j (gamma_ij + gamma_kj) (DK-M1), and Var D_ik^2 is (1/m^2) times a sum
of m terms, each at most a constant times 1 + ||delta_j||^2, whose mean is Delta^2. Centring takes away what depends on
one index: -1/2 H (a1' + 1a' - 2 diag a) H = H diag(a) H. For equal a_i this is a H, which raises the eigenvalues of B
that belong to centred vectors by a and moves no eigenvector. Hence DK-M7/inflated, and hence DK-M7/more-queries fails:
two models 2 apart with gamma/r = 5/2 tend to 3 apart. The unbiased estimates gamma^_ij average to gamma_i over queries,
so the debiased D^2 tends to Delta^2 whatever the gamma_i are, and the top part of its Gram matrix to that of B where
the gap is open; nothing is assumed of the rank.

The checks use Gaussian answers whose noise off the plane of the means has a Wishart Gram matrix (Bartlett's triangle),
so that the cost is free of m, and yes-or-no answers in full.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.symbolic import identity

SOURCE = "own"

REPLICATES, N, D = 300, 6, 2

EQUAL = (4.0,) * N

UNEQUAL = (1.0, 8.0, 2.0, 6.0, 1.0, 8.0)


@dataclass(frozen=True)
class Design:
    """What is asked at fixed r: a law of answers, gamma_i where they are Gaussian, and how noise is treated.

    ``noise`` is the share of the noise that is taken out of D^2, or put into the limit; other than 1 it plants an
    error.
    """

    r: int = 4
    gamma: tuple[float, ...] = UNEQUAL
    answers: str = "gaussian"
    method: str = "plain"
    exponent: float = 1.0
    noise: float = 1.0

    @property
    def psi(self) -> np.ndarray:
        """Psi of every design here, six models in the plane."""
        return cases.mixture_psi()

    @property
    def grid(self) -> tuple[int, int]:
        """Few and many queries; yes-or-no answers are drawn one by one."""
        return (10, 10**7) if self.answers == "gaussian" else (64, 4096)


@dataclass(frozen=True)
class Drawn:
    """Squares D^2 (b, n, n), debiased ones if asked for, estimates of a_i (b, n), true squares (n, n) and a_i (n,)."""

    squares: np.ndarray
    debiased: np.ndarray
    estimated: np.ndarray
    truth: np.ndarray
    level: np.ndarray


def _pairs(level: np.ndarray) -> np.ndarray:
    """Return a_i + a_k off the diagonal."""
    return (level[..., :, None] + level[..., None, :]) * (1 - np.eye(level.shape[-1]))


def gaussian_answers(design: Design, m: int, generator: np.random.Generator) -> Drawn:
    """Draw the squared distances for Psi of the mixtures, p = 1, and unbiased gamma^ from as many answers.

    In a basis whose first two axes are the plane of the means the noise has independent coordinates of variance
    gamma_i/(r m); those off the plane are turned into R^n, which changes no distance.
    """
    psi, level = cases.mixture_psi(), np.array(design.gamma) / design.r
    noise = generator.normal(size=(REPLICATES, N, D + N))
    lower = np.tril(noise[..., D:], -1)
    lower[:, range(N), range(N)] = np.sqrt(generator.chisquare(m - D - np.arange(N), size=(REPLICATES, N)))
    noise[..., D:] = lower
    noise *= np.sqrt(level / m)[:, None]
    noise[..., :D] += psi
    squares = cases.distances(noise) ** 2
    freedom = m * (design.r - 1)
    # One answer tells nothing of gamma: then it is taken as known.
    estimated = level * (generator.chisquare(freedom, size=(REPLICATES, N)) / freedom if freedom else 1.0)
    estimated = np.broadcast_to(design.noise * estimated, (REPLICATES, N))
    return Drawn(squares, squares - _pairs(estimated), estimated, cases.distances(psi) ** 2, level)


def yes_no_answers(design: Design, m: int, generator: np.random.Generator) -> Drawn:
    """Draw r answers in full, debiased by the package; the probability of a yes is 1/2 + <u_i, v_j>."""
    angles, queries = 2 * np.pi * np.arange(N) / N, np.random.default_rng(1).uniform(-1, 1, size=(m, 2)) * [0.4, 0.25]
    mean = 0.5 + np.stack([np.cos(angles), np.sin(angles)], axis=1) @ queries.T
    X = generator.binomial(design.r, mean, size=(REPLICATES, N, m)) / design.r
    gamma = design.noise * X * (1 - X) * design.r / (design.r - 1)
    kept = len(X) if design.method == "debiased" else 0
    debiased = [
        dk.debiased_squared_dissimilarities(x[:, :, None], g, design.r)
        for x, g in zip(X[:kept], gamma[:kept], strict=True)
    ]
    centred = X - mean.mean(axis=0)
    gram = centred @ centred.transpose(0, 2, 1) / m
    lengths = np.diagonal(gram, axis1=1, axis2=2)
    squares = lengths[:, :, None] + lengths[:, None] - 2 * gram
    level = (mean * (1 - mean)).mean(axis=1) / design.r
    truth = cases.dissimilarities(mean[:, :, None]) ** 2
    return Drawn(squares, np.asarray(debiased), gamma.mean(axis=2) / design.r, truth, level)


def drawn(design: Design, m: int, setting: Setting) -> Drawn:
    """Draw at m queries."""
    generator = np.random.default_rng(setting.integer_seed(f"m = {m}"))
    return (gaussian_answers if design.answers == "gaussian" else yes_no_answers)(design, m, generator)


def scaled(squares: np.ndarray, lower: np.ndarray | str = "") -> np.ndarray:
    """Classical MDS of squares (b, n, n) in the plane.

    ``lower``: what to take from the first eigenvalues, (b,), or "next": the mean of the n - 1 - d next ones.
    """
    n = squares.shape[-1]
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * centring @ squares @ centring)
    values, vectors = values[..., ::-1], vectors[..., ::-1]
    top = values[..., :D]
    if isinstance(lower, np.ndarray):
        top = top - lower[:, None]
    elif lower == "next":
        # H adds the eigenvalue 0 of the vector of ones, which is the smallest where there is noise.
        top = top - values[..., D : n - 1].mean(axis=-1, keepdims=True)
    return vectors[..., :D] * np.sqrt(np.maximum(top, 0))[..., None, :]


def aligned_errors(found: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """min_W ||found W - psi||_F for each of (b, n, d)."""
    u, _, v = np.linalg.svd(found.transpose(0, 2, 1) @ psi)
    return np.linalg.norm(found @ (u @ v) - psi, axis=(1, 2))


def perspective_errors(design: Design, m: int, setting: Setting) -> np.ndarray:
    """Errors of Psi^ by method against Psi; for the method "inflated", against its stated limit."""
    found, half = drawn(design, m, setting), design.exponent != 1
    squares = found.debiased if design.method == "debiased" else found.squares
    truth = np.sqrt(found.truth) if half else found.truth
    squares = np.sqrt(np.maximum(squares, 0)) if half else squares
    psi = scaled(truth)
    if design.method == "inflated":
        length = np.linalg.norm(psi, axis=0)
        psi = psi * np.sqrt(1 + design.noise * found.level[0] / length**2)
    lower = {"lowered": "next", "deflated": found.estimated.mean(axis=1)}.get(design.method, "")
    return aligned_errors(scaled(squares, lower), psi)


def falls(design: Design, setting: Setting) -> Evidence:
    """Check that the error of Psi^ falls as m^(-1/2)."""
    few, many = design.grid
    before, after = (perspective_errors(design, m, setting) for m in design.grid)
    says = f"error of Psi^, {design.method}, {design.answers} answers, e = {design.exponent:g}, r = {design.r}"
    return monte_carlo.falls_as(before, after, many / few, says=f"{says}, m = {few} and {many}")


def stays(design: Design, setting: Setting) -> Evidence:
    """Show the error of Psi^ on the same grid where it need not fall."""
    return monte_carlo.illustration(falls(design, setting))


def _square_limit(design: Design, setting: Setting) -> Evidence:
    """Follow ||D^2 - Delta^2 - (a_i + a_k)||_F from few to many queries."""
    few, many = design.grid

    def errors(m):
        found = drawn(design, m, setting)
        return np.linalg.norm(found.squares - found.truth - design.noise * _pairs(found.level), axis=(1, 2))

    says = (
        f"||D^2 - Delta^2 - (gamma_i + gamma_k)/r||_F, {design.answers} answers, r = {design.r}, m = {few} and {many}"
    )
    return monte_carlo.falls_as(errors(few), errors(many), many / few, exactly=True, says=says)


def _centring(diagonal: int):
    """State -1/2 H (a1' + 1a' - 2 diag a) H = H diag(a) H for four models; ``diagonal`` 0 leaves the diagonal in."""

    def sides():
        import sympy

        a = sympy.Matrix(sympy.symbols("a1:5", positive=True))
        ones = sympy.ones(4, 1)
        centring = sympy.eye(4) - ones * ones.T / 4
        noise = a * ones.T + ones * a.T - 2 * diagonal * sympy.diag(*a)
        left, right = -centring * noise * centring / 2, centring * sympy.diag(*a) * centring
        return "centred, a_i + a_k off the diagonal is H diag(a) H", list(zip(left, right, strict=True))

    return sides


def errors_by_queries(ways: tuple[tuple[str, Design], ...]):
    """Draw median errors of Psi^ against the number of queries."""
    from dkps_theory.pages.figures import new_figure, styled

    grid, setting = 10 ** np.arange(1, 7), Setting(0, "quick", "DK-M7/drawing")
    found = [(name, [np.median(perspective_errors(way, int(m), setting)) for m in grid]) for name, way in ways]

    @styled
    def draw():
        figure, (axes,) = new_figure(height=4.2)
        for (name, medians), marker in zip(found, "os^D", strict=False):
            axes.loglog(grid, medians, marker, label=name)
        axes.set(xlabel="queries m", ylabel="median aligned error of Psi^ (units of g)")
        figure.legend(loc="outside lower left", ncols=1)
        return figure

    return draw()


FIXED = Hypothesis(
    "gamma_i is finite; it, r and Delta do not change with m", lambda w: bool(np.isfinite(w.gamma).all())
)

TWO = Hypothesis("at least two answers to each query", lambda w: w.r >= 2)

KNOWN = Hypothesis(
    "at least two answers to each query, or gamma known", lambda w: w.r >= 2 or bool(np.isfinite(w.gamma).all())
)

GAP = Hypothesis(
    "lambda_2 > lambda_3, d = 2",
    lambda w: float(dk.classical_mds(cases.distances(w.psi), D).eigengap) > 1e-6,
)

SAME = Hypothesis("gamma_i is the same for all models", lambda w: len(set(w.gamma)) == 1)


def witness(design: Design, words: str) -> Witness:
    """Return a witness: a design at fixed r."""
    return Witness(
        f"six models at a chosen Psi in the plane, r = {design.r}, {words}", lambda: design, lambda w: min(w.gamma) > 0
    )


ERROR = r"\min_W\|\hat\Psi W-\Psi\|_F"

_UNEQUAL_4 = witness(Design(), "unequal noise")

_EQUAL_1 = witness(Design(r=1, gamma=EQUAL), "equal noise")


CLAIMS = (
    Claim(
        id="DK-M7",
        title="At fixed r the squares D^2 tend to Delta^2 plus noise as queries are added",
        source=SOURCE,
        form="own",
        reading="printed 2 gamma_bar/r where the models' mean noise agrees; here gamma_i may differ over models",
        statement=r"c=m^{-1/2}:\ D_{ik}^2-\Delta_{ik}^2\to\frac{\bar\gamma_i+\bar\gamma_k}{r},\quad"
        r"\hat B-B\to\tfrac1rH\operatorname{diag}(\bar\gamma)H\quad(m\to\infty)",
        hypotheses=(FIXED,),
        witness=_UNEQUAL_4,
        checks=(
            Check("centring", identity, _centring(1), _centring(0), "the zeros on the diagonal of D^2 forgotten"),
            *(
                Check(name, _square_limit, design, replace(design, noise=0.5), "half of the noise")
                for name, design in (
                    ("unequal noise", Design()),
                    ("one answer", Design(r=1, gamma=EQUAL)),
                    ("yes-or-no answers", Design(answers="yes-no")),
                )
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M7/inflated",
        title="With equal noise Psi^ stays longer than Psi however many queries are asked",
        source=SOURCE,
        form="own",
        reading="equal gamma_i; column k grows by the factor (1 + gamma/(r lambda_k))^(1/2), eigenvectors stay",
        statement=r"\hat\Psi W\to U_d\big(\Lambda_d+\tfrac{\bar\gamma}{r}I\big)^{1/2}\quad(m\to\infty)",
        hypotheses=(FIXED, SAME, GAP),
        witness=_EQUAL_1,
        checks=(
            Check("centring", identity, _centring(1), _centring(0), "the zeros on the diagonal of D^2 forgotten"),
            *(
                Check(f"r = {r}", falls, design, replace(design, noise=0.5), "half of the inflation")
                for r in (1, 4)
                for design in (Design(r=r, gamma=EQUAL, method="inflated"),)
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M7/more-queries",
        title="At fixed r Psi^ tends to Psi as queries are added",
        source=SOURCE,
        form="own",
        reading="c = 1/sqrt(m), e = 1, bounded noise; convergence in probability after the best alignment",
        statement=rf"{ERROR}\xrightarrow{{P}}0\quad(m\to\infty)",
        hypotheses=(FIXED, GAP),
        witness=_UNEQUAL_4,
        checks=(
            Check(
                "two-models",
                counterexample,
                Stored("dk-m7-two-models", ("sum_squares", "limit"), ("sum_squares", "psi"), "equal"),
                Stored(
                    "dk-m7-two-models",
                    ("sum_squares", "limit"),
                    ("sum_squares", "psi"),
                    "equal",
                    replaced={"noise": "0", "limit": [["-1"], ["1"]]},
                ),
                "no noise",
            ),
            Check("plain", stays, Design(), Design(method="debiased"), "the noise taken out"),
        ),
        recorded="refuted",
        repair="DK-M7/debiased",
        drawings=(
            Drawing(
                lambda: errors_by_queries(
                    (
                        ("plain, r = 4", Design()),
                        ("less estimated noise, r = 4", Design(method="debiased")),
                        ("eigenvalues lowered, r = 1, equal noise", Design(r=1, gamma=EQUAL, method="lowered")),
                        ("eigenvalues lowered, r = 1, unequal noise", Design(r=1, method="lowered")),
                    )
                ),
                "More queries alone do not remove the noise. Subtracting its estimate does; without an estimate, "
                "lowering all eigenvalues alike does so only where the models are equally noisy.",
            ),
        ),
    ),
    Claim(
        id="DK-M7/debiased",
        title="Less the estimated noise, Psi^ tends to Psi at fixed r as queries are added",
        source=SOURCE,
        form="own",
        reading="unbiased gamma^ from r >= 2 answers, or known gamma; unequal noise allowed; lambda_d > lambda_{d+1}",
        statement=rf"{ERROR}=O_P(m^{{-1/2}}),\quad\tilde D_{{ik}}^2=D_{{ik}}^2-\frac1{{mr}}"
        r"\sum_j(\hat\gamma_{ij}+\hat\gamma_{kj})",
        hypotheses=(FIXED, KNOWN, GAP),
        witness=_UNEQUAL_4,
        checks=tuple(
            Check(name, falls, design, replace(design, noise=0.5), "half of the noise taken out")
            for name, design in (
                ("estimated", Design(method="debiased")),
                ("two answers", Design(r=2, method="debiased")),
                ("known, one answer", Design(r=1, method="debiased")),
                ("yes-or-no answers", Design(answers="yes-no", method="debiased")),
            )
        ),
        recorded="holds",
    ),
)
