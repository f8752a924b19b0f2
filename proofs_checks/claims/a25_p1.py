r"""A25-P1: models on a compact manifold whose geodesic distances are Delta, and whether A25-A1 and A25-A2 are then met.

Setting. As in A25-A1. The models sit on a d-dimensional compact Riemannian manifold in R^q, and the geodesic distance
of models i and i' equals Delta_ii'.
Statement (A25, Proposition 1, by the account we have). Then A25-A1 (rank(B) = d for all large n) and A25-A2 (liminf
lambda_d > 0, limsup lambda_1 < infinity) hold.
Hypotheses. The manifold and its distances; nothing on how the models lie on it.
Constants. None.
Relation. Equality of ranks; limits of eigenvalues.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1).

Readings.
1. A25-P1, e = 1/2, distinct models, n -> infinity: vacuous. Delta^2 = ||mu_i - mu_i'|| / m obeys the triangle
   inequality, so for geodesic distances rho, rho(x,z)^2 <= rho(x,y)^2 + rho(y,z)^2: no triangle of models may be
   obtuse. Three models on one geodesic have rho(x,z) = a + b and (a + b)^2 - a^2 - b^2 = 2ab > 0, the identity that is
   checked. On any compact manifold only boundedly many models fit: cover it by finitely many small balls and, in each,
   the directions (in normal coordinates) by K narrow cones. Number the models of a ball and colour the pair k < l by
   the cone of the direction from x_k to x_l; among more than 2^K models there are k < l < j with (k, l) and (l, j) of
   one colour (give each model the set of colours of pairs that start at it: if there were no such triple, these sets
   would all differ). Then the angle at x_l is near pi, and the law of cosines has an error of order a^2 b^2 by bounded
   curvature, so rho(x_k,x_j)^2 >= a^2 + b^2 + 2ab (1 - small), too large. The bound is that of the manifold, so it does
   not matter whether m, and with it the place of a model, changes with n; one manifold for all n is understood. (In R^d
   at most 2^d models have no obtuse triangle: Danzer, Gruenbaum 1962.) Were Delta^2 the geodesic distance,
   there would be such models, evenly on a segment, say, and A1 would fail for every d: distinct models have rank n - 1.
2. A25-P1/coincident, e = 1/2, models may coincide: refuted, both ways. A1: three thirds of a circle of length 3 are at
   geodesic distances 1, as are models at the corners of an equilateral triangle of side m, so the hypotheses hold with
   d = 1; with models put there in turn the rank of B is 2 for all n >= 3. A2: put 2k models at two points at distance 1
   in turn, d = 1, rank 1 = d, and lambda_1 = n/4. No condition on geometry mends this: it takes A2's own condition.
3. A25-P1/exponent-1: refuted, by the same two: all distances are 0 or 1, so Delta^2 = Delta. With distinct models: n
   evenly spaced on a segment of length 1, lambda_1 = n (n + 1) / (12 (n - 1)), again of the order n. (Geodesic
   distances that are Delta must be Euclidean, e = 1: four equal parts of a circle are not, their squares 1, 4, 1 give B
   the eigenvalues 2, 2, -1, so this case is empty.)
4. A25-P1/repaired, e = 1: let the models be drawn iid from a law with finite fourth moment and non-singular covariance
   in a d-dimensional affine subspace, so geodesics are chords. The d non-zero eigenvalues of B are n times those of the
   empirical covariance of c mu_i, so A1 holds for n > d almost surely, and lambda_k(B)/n tends to the k-th eigenvalue
   of the covariance, with an error of the order n^(-1/2): A2 holds for B/n. A25-T2 then is to be used with lambda_d of
   order n, which makes it better, not worse.
"""

from __future__ import annotations

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.a25_t1 import centred, squares
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_difference
from proofs_checks.evidence.symbolic import Sides, nothing_left, refuting_identity

SOURCE = "A25, Proposition 1"
STATEMENT = (
    r"\rho(f_i,f_{i'})=\Delta_{ii'}\ \Rightarrow\ \operatorname{rank}B=d\text{ for large }n,\ "
    r"\liminf\lambda_d>0,\ \limsup\lambda_1<\infty"
)


def _excess(power: int) -> Sides:
    """Delta^2 along a geodesic, less what the triangle inequality allows: rho^power for rho = a + b."""

    def sides():
        import sympy

        a, b = sympy.symbols("a b", positive=True)
        says = (
            "along a geodesic rho(x,z)^2 = rho(x,y)^2 + rho(y,z)^2 + 2ab, above what Delta^2 = ||mu - mu'||/m allows, "
            "and infinitely many models on a compact manifold have such triples in the limit"
        )
        return says, [((a + b) ** power - a**power - b**power, 2 * a * b)]

    return sides


def _two_places(apart: bool) -> Sides:
    """B of n = 2k models in turn at two points at distance 1 (or 0): the eigenvalue of the vector of signs, n = 2k."""

    def sides():
        import sympy

        pairs = []
        for n in (2, 4, 6, 8):
            square = sympy.Matrix(n, n, lambda i, j: int(apart) * ((i - j) % 2))
            h = sympy.eye(n) - sympy.ones(n, n) / n
            signs = sympy.Matrix([(-1) ** i for i in range(n)])
            b = -(h * square * h) / 2
            pairs += [(entry, 0) for entry in b * signs - sympy.Rational(n, 4) * signs]
        return "models in turn at two points at distance 1: lambda_1 = n/4 for n = 2, 4, 6, 8", pairs

    return sides


def _segment(length: int) -> Sides:
    """Tr B = lambda_1 of n models evenly on a segment, as a function of n."""

    def sides():
        import sympy

        n, i = sympy.symbols("n i", positive=True, integer=True)
        x = length * i / (n - 1)
        mean = sympy.summation(x, (i, 0, n - 1)) / n
        trace = sympy.summation(sympy.expand(x**2), (i, 0, n - 1)) - n * mean**2
        return (
            "n models evenly on a segment of length 1, e = 1: lambda_1 = n (n + 1) / (12 (n - 1)) for every n",
            [(sympy.simplify(trace), n * (n + 1) / (12 * (n - 1)))],
        )

    return sides


def law_of_models(setting: Setting, size: int, n: int, skew: float) -> np.ndarray:
    """Means (size, n, 2, 3) in a plane of R^6: exponential coordinates with variances 4 and 1, times n^skew."""
    rng = np.random.default_rng(setting.integer_seed(f"n = {n}"))
    z = (rng.exponential(size=(size, n, 2)) - 1) * np.array([2.0, 1.0])
    return (n**skew * z @ plane()).reshape(size, n, 2, 3)


def plane() -> np.ndarray:
    """Two orthonormal rows in R^6."""
    return np.linalg.qr(np.random.default_rng(25).normal(size=(6, 2)))[0].T


def _spectrum_over_n(skew: float, setting: Setting) -> Evidence:
    """Error of lambda_k(B)/n against the covariance's eigenvalues 4 and 1 over m = 2, k = 1, 2, at n = 20 and 320."""
    size = setting.size(300, 1500)
    covariance = np.array([2.0, 0.5])

    def errors(n: int) -> np.ndarray:
        grams = (centred(squares(means, 1.0)) for means in law_of_models(setting, size, n, skew))
        # Rank 2: trace and ||B||_F^2 give both eigenvalues.
        trace, square = np.array([(np.trace(b), np.square(b).sum()) for b in grams]).T
        root = np.sqrt(np.maximum(2 * square - trace**2, 0.0))
        found = np.stack([trace + root, trace - root], axis=1) / (2 * n)
        return np.abs(found - covariance[None]).max(axis=1)

    before, after = errors(20), errors(320)
    ratio = np.median(after / before)
    return monte_carlo.success_rate(
        int((after < 3 / 4 * before).sum()),
        size,
        0.75,
        0.5,
        relation="rate",
        says=f"P(error of lambda_k(B)/n at n = 320 < 3/4 of that at n = 20) >= 3/4, rate n^(-1/2) within a factor 3; "
        f"median ratio {ratio:.2g}",
        named="a law under which that probability is 1/2 or less",
    )


def _same_spectrum(power: float, setting: Setting) -> Evidence:
    """Eigenvalues of the package-independent B against n times those of the empirical covariance, and zeros."""

    def difference(points: np.ndarray) -> float:
        z = points - points.mean(axis=0)
        own = np.linalg.eigvalsh(z.T @ z)
        found = np.linalg.eigvalsh(centred(squares(points[:, None, :], power)))
        return float(np.abs(found - np.concatenate([np.zeros(len(points) - 2), own])).max() / (1 + own.max()))

    return largest_difference(
        cases.integer_arrays(6, 2),
        difference,
        setting,
        within=1e-9,
        says="spectrum of B = that of n times the empirical covariance, and zeros, six models in the plane",
        quick=100,
        full=1000,
    )


def _eigenvalues():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = np.array([4, 8, 16, 32, 64, 128])
    families = {
        "two points at distance 1, in turn": lambda n: np.arange(n) % 2,
        "evenly on a segment of length 1": lambda n: np.linspace(0, 1, n),
        "at 1/2, 1/4, 1/8, ..": lambda n: 0.5 ** np.arange(1, n + 1),
    }
    for (name, place), marker in zip(families.items(), "os^", strict=True):
        largest = [np.linalg.eigvalsh(centred(squares(place(n)[:, None, None] * 1.0, 1.0)))[-1] for n in grid]
        axes.loglog(grid, largest, marker, label=name)
    axes.set(xlabel="models n", ylabel="λ₁(B), e = 1")
    figure.legend(loc="outside lower left")
    return figure


def _in_turn():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = np.array([3, 6, 12, 24, 48, 96])
    for places, circle, marker in ((2, "two points at distance 1", "o"), (3, "thirds of a circle of length 3", "s")):
        apart = [(k % places)[:, None] != (k % places)[None, :] for k in map(np.arange, grid)]
        values = np.array([np.linalg.eigvalsh(centred(one.astype(float)))[::-1][:2] for one in apart])
        (line,) = axes.loglog(grid, values[:, 0], marker, label=f"λ₁, {circle}")
        if places == 3:
            axes.loglog(grid, values[:, 1], marker, ms=9, mfc="none", color=line.get_color(), label=f"λ₂, {circle}")
    axes.set(xlabel="models n, put at the points in turn", ylabel="eigenvalue of B")
    figure.legend(loc="outside lower left")
    return figure


_GEODESIC = Hypothesis(
    "Delta is the geodesic distance of the points on a circle of length 3",
    lambda w: all(
        abs(delta - min(abs(x - y), 3 - abs(x - y))) < 1e-12
        for x, row in zip(w[0], w[1], strict=True)
        for y, delta in zip(w[0], row, strict=True)
    ),
)
_EUCLIDEAN = Hypothesis(
    "Delta and Delta^2 are Euclidean distances, as e = 1 and e = 1/2 ask",
    lambda w: all(np.linalg.eigvalsh(centred(np.array(w[1], dtype=float) ** power)).min() > -1e-12 for power in (2, 4)),
)
_THIRDS = Witness(
    "three models at the thirds of a circle of length 3",
    lambda: ((0, 1, 2), ((0, 1, 1), (1, 0, 1), (1, 1, 0))),
    lambda w: len(w[0]) == 3,
)
_RANK = ("rank", ("gram", ("multiply", "Delta", "Delta")))


def _stored(claim: str, **replaced: list[list[str]]) -> Stored:
    return Stored(f"a25-p1-{claim}", _RANK, "1", "equal", replaced=dict(replaced))


_TWO = [["0", "1", "1"], ["1", "0", "0"], ["1", "0", "0"]]
_NOT_TWO_THIRDS = "the third model moved onto the second"

CLAIMS = (
    Claim(
        id="A25-P1",
        title="Models on a manifold with geodesic distances Delta meet A25-A1 and A25-A2",
        source=SOURCE,
        form="as-printed",
        reading="c = 1/sqrt(m), e = 1/2, as printed; distinct models, n -> infinity",
        statement=STATEMENT,
        hypotheses=(_GEODESIC,),
        witness=None,
        no_witness="Delta^2 is a metric for e = 1/2, geodesic distances squared are none: only boundedly many distinct "
        "models fit on the manifold",
        checks=(
            Check("obtuse", nothing_left, _excess(2), _excess(1), "rho itself, which is additive along a geodesic"),
        ),
        recorded="vacuous",
        repair="A25-P1/repaired",
    ),
    Claim(
        id="A25-P1/coincident",
        title="Models on a manifold meet A25-A1 and A25-A2 where models may coincide",
        source=SOURCE,
        form="as-printed",
        reading="c = 1/sqrt(m), e = 1/2, as printed; models may coincide",
        statement=STATEMENT,
        hypotheses=(_GEODESIC, _EUCLIDEAN),
        witness=_THIRDS,
        checks=(
            Check("rank", counterexample, _stored("coincident"), _stored("coincident", Delta=_TWO), _NOT_TWO_THIRDS),
            Check("two-places", refuting_identity, _two_places(True), _two_places(False), "the two places coincide"),
        ),
        recorded="refuted",
        repair="A25-P1/repaired",
        drawings=(
            Drawing(
                _in_turn,
                "Two curves, d = 1, distances 0 or 1. On both λ₁ grows without bound, against A25-A2; on the circle λ₂ "
                "is as large, so the rank is 2 and not d, against A25-A1.",
            ),
        ),
    ),
    Claim(
        id="A25-P1/exponent-1",
        title="Models on a manifold with geodesic distances Delta meet A25-A1 and A25-A2, exponent 1",
        source=SOURCE,
        form="as-printed",
        reading="c = 1/sqrt(m), e = 1; models may coincide in the first two checks and are distinct in the third",
        statement=STATEMENT,
        hypotheses=(_GEODESIC, _EUCLIDEAN),
        witness=_THIRDS,
        checks=(
            Check("rank", counterexample, _stored("exponent-1"), _stored("exponent-1", Delta=_TWO), _NOT_TWO_THIRDS),
            Check("two-places", refuting_identity, _two_places(True), _two_places(False), "the two places coincide"),
            Check("segment", refuting_identity, _segment(1), _segment(2), "the segment twice as long"),
        ),
        recorded="refuted",
        repair="A25-P1/repaired",
        drawings=(
            Drawing(
                _eigenvalues,
                "The largest eigenvalue of B: on a compact manifold it grows like n; it stays bounded only if the "
                "models settle down.",
            ),
        ),
    ),
    Claim(
        id="A25-P1/repaired",
        title="For models drawn from a law in a flat space, A25-A1 holds, and A25-A2 for B/n",
        source=SOURCE,
        form="repaired",
        reading="c = 1/sqrt(m), e = 1; law with finite fourth moment and covariance S of full rank d",
        statement=r"\operatorname{rank}B=d\ (n>d),\qquad \tfrac1n\lambda_k(B)-c^2\lambda_k(S)=O_P(n^{-1/2})\quad(k"
        r"\le d)",
        hypotheses=(
            Hypothesis(
                "the covariance has full rank on the space of the means",
                lambda w: bool(np.linalg.matrix_rank(np.cov(w, rowvar=False)) == np.linalg.matrix_rank(w - w.mean(0))),
            ),
        ),
        witness=Witness(
            "fifty models in a plane of R^6",
            lambda: law_of_models(Setting(0, "quick"), 1, 50, 0.0).reshape(50, 6),
            lambda w: len(w) > 2,
        ),
        checks=(
            Check("same-spectrum", _same_spectrum, 1.0, 0.5, "exponent 1/2"),
            Check("rate", _spectrum_over_n, 0.0, 0.25, "a law that spreads as n^(1/4)"),
        ),
        recorded="holds",
    ),
)
