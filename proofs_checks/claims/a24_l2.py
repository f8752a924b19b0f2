r"""A24-L2: models drawn from a law, n -> infinity, and continuous multidimensional scaling.

Setting. phi_1, phi_2, ... iid from a law P on a compact Riemannian manifold M in R^q (A24-A2), Delta_ii' = ||phi_i -
phi_i'||; D converges to it; psi^ in MDS(D) for the first n models, raw stress in R^d; MDS(Delta, P) is the set of
minimisers f: M -> R^d of J(f) = int int (||f(x) - f(y)|| - Delta(x, y))^2 P P (A24-R3).
Statement (A24, lemma 2). Pairwise convergence of D gives, along a subsequence, convergence in L^p(P x P) of the
distances within psi^ to those of f, one fixed member of MDS(Delta, P).
Hypotheses. As said; nothing about MDS(Delta, P).
Constants. sqrt J_Delta(f^) <= sqrt min J_Delta + 2 ||D - Delta||_{L^2(P x P)} for f^ that minimises J_D.
Relation. Convergence in probability, for n models in the mean over the n^2 pairs, which is L^p of the empirical law.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308; Trosset and Priebe (2024), arXiv:2402.04436.

Weighted stress on the line. For weights w that add up to 1 and an order with signs s_ij, as in the certificates'
checker, sum w_i w_j (s_ij (x_i - x_j) - D_ij)^2 is least at x_i = t_i = sum_j w_j s_ij D_ij, with value sum w_i w_j
D_ij^2 - 2 sum w_i t_i^2; the order with the largest sum w_i t_i^2 gives the minimiser. n models on a few atoms are this
problem with w the shares of the counts: models on one atom are at one place, since a configuration of n models is a
random map of the atoms, and splitting an atom inside which Delta is 0 raises the stress (A24-R3).

Readings.
1. A24-L2 as printed: f and the subsequence first, then the models are drawn. Refuted, even for D = Delta. Let P be
   uniform on the vertices of the triangle 13, 13, 10 and the middle of its base (they lie on a smooth closed curve), d
   = 1. Orders A = (1, 3, 4, 2) and B = (1, 2, 4, 3) tie under P, 15/2 apart in a distance; their sum w t^2 is 37 1/8,
   that of the next order 35 7/8. With shares w of the n models the two differ by exactly 20 w_1 w_4 (w_2 - w_3): the
   atom that happens to be drawn more often goes to the end of the line. So MDS(D) is one class unless counts 2 and 3
   are equal, which has a probability that tends to 0, and psi^ is near A, or near B, with a probability that tends to
   1/2, at large n.
   (Three atoms will not do: their best order does not depend on the weights.) A density does not save it: let P be
   uniform on the unit circle, d = 1. Rotating all models leaves their law and D as they are, so if psi^ tends to f, it
   tends to f o R for every rotation R too. Then |f(x) - f(y)|, and f(x) f(y) for f centred, are functions of x - y; so
   a^2 = b^2, ab = 0 for the Fourier coefficients of every cos kx and sin kx, and f = 0, which is no minimiser: t cos x
   has less stress, by 2t E |cos x - cos y| Delta = 8t / pi to first order.
2. A24-L2/deterministic: D uniformly bounded on M x M, converging P x P almost everywhere to Delta, f^ in MDS(D, P), no
   sampling. Holds along a subsequence. Since sqrt J_D(f) is the L^2 distance of D from the distances of f, the
   constant 2 above follows as in A24-L1/repaired, and ||D - Delta|| -> 0 by bounded convergence. The joint laws of (x,
   f^(x)), centred, are tight and a subsequence converges; J is lower semicontinuous on such laws, so the limit
   minimises it, and a minimising law is a map f because Delta is continuous and 0 on the diagonal (A24-R3). Then f^ ->
   f in measure, and in every L^p, since minimisers for bounded D are bounded. For a Delta that is only bounded there
   may be no minimiser (A24-R3/any-bounded).
3. A24-L2/pointwise: D_ii' -> Delta_ii' for each fixed pair and no more is known. Refuted, and no subsequence, nor the
   whole set MDS(Delta, P), saves it: let P be uniform on {-1/2, 1/2} and double phi_i for i > n/2. Each fixed pair is
   untouched from n = 2 max(i, i') on. But D is realised on the line, so the distances within psi^ are D, and the mean
   over all pairs of |D - Delta| is 3/8 - 1/(4n) in expectation.
4. A24-L2/set: the mean over all pairs of (D - Delta)^2 tends to 0 in probability; the distance to the set. Holds, by
   the argument of reading 2 with the empirical law in place of P, for which J(f) has the right limit at any one f; p <=
   2, or any p for bounded D. If MDS(Delta, P) is one class, a fixed f does.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import _a24_figures
from proofs_checks.claims.a24_x2 import stays_positive
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, lemma 2"
REPLICATES, FEW, MANY = 1000, 10**4, 10**12

#: The triangle 13, 13, 10 and the middle of its base.
ATOMS = np.array([[0.0, 12.0], [5.0, 0.0], [-5.0, 0.0], [0.0, 0.0]])
UNIFORM = np.full(4, 0.25)
#: Atom 2 heavier than atom 3, which leaves one minimiser.
UNEVEN = np.array([0.25, 0.3, 0.2, 0.25])
#: The largest difference of a distance between the two minimisers.
APART = 15 / 2


@dataclass(frozen=True)
class AtomLaw:
    """A law P of phi on finitely many points of R^q."""

    points: np.ndarray
    weights: np.ndarray

    @property
    def delta(self) -> np.ndarray:
        """Distances of the atoms."""
        return cases.distances(self.points)


def weighted_scores(d: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sum w_i t_i^2 (b, orders) and t (b, orders, n) of every order up to reversal, for weights (b, n)."""
    orders = [order for order in itertools.permutations(range(len(d))) if order[0] < order[-1]]
    places = np.argsort(np.array(orders), axis=1)
    t = np.einsum("oij,ij,bj->boi", np.sign(places[:, :, None] - places[:, None, :]), d, weights)
    return np.einsum("boi,bi->bo", t**2, weights), t


def weighted_line(d: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Distances (b, n, n) within the minimiser of weighted raw stress on the line, for weights (b, n)."""
    score, t = weighted_scores(d, weights)
    return cases.distances(t[np.arange(len(t)), score.argmax(axis=1)][..., None])


def weighted_members(d: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """Distances within every minimiser at one set of weights, one for each class."""
    score, t = weighted_scores(d, weights[None])
    tied = cases.distances(t[0][score[0] >= score[0].max() * (1 - 1e-12)][..., None])
    return [one for k, one in enumerate(tied) if all(np.abs(one - other).max() > 1e-9 for other in tied[:k])]


def sampled_distances(law: AtomLaw, setting: Setting, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the atoms among n models, (b, n), and distances of atoms within psi^ for D = Delta, (b, n, n)."""
    generator = np.random.default_rng(setting.integer_seed(f"n = {n}"))
    shares = generator.multinomial(n, law.weights, size=REPLICATES) / n
    return shares, weighted_line(law.delta, shares)


def mean_errors(found: np.ndarray, shares: np.ndarray, members: list[np.ndarray]) -> np.ndarray:
    """Mean over all pairs of models of the absolute error of a distance, (members, b)."""
    return np.array([np.einsum("bij,bi,bj->b", np.abs(found - one), shares, shares) for one in members])


def _fixed_member(weights: np.ndarray, setting: Setting) -> Evidence:
    """P(psi^ is near f) for the best fixed f, n = 10^4 and 10^12 models, D = Delta."""
    law = AtomLaw(ATOMS, weights)
    members, near = weighted_members(law.delta, weights), []
    for n in (FEW, MANY):
        _, found = sampled_distances(law, setting, n)
        near.append(max(int((cases.pairwise_errors(found, one) < APART / 2).sum()) for one in members))
    return monte_carlo.stays_near_one_member(
        max(near),
        REPLICATES,
        "P(distances in Psi^ are near those of the best fixed f) >= 3/4, D = Delta, the better of n = 10^4, 10^12",
    )


def _set_approached(to_the_set: bool, setting: Setting) -> Evidence:
    law = AtomLaw(ATOMS, UNIFORM)
    members = weighted_members(law.delta, law.weights)[: None if to_the_set else 1]
    before, after = (
        mean_errors(found, shares, members).min(axis=0)
        for shares, found in (sampled_distances(law, setting, n) for n in (FEW, MANY))
    )
    says = "mean error over all pairs to MDS(Delta, P), four atoms, n = 10^4 and 10^12 models"
    return monte_carlo.falls_as(before, after, MANY / FEW, says=says)


def _counts_decide(middle: bool) -> Any:
    """Exact difference of the two orders at any weights, and half of the mean difference of their distances."""

    def sides():
        import sympy

        w = sympy.symbols("w1:5", positive=True)
        delta = cases.distances(ATOMS).round().astype(int).tolist()
        if not middle:
            w = (*w[:3], sympy.Integer(0))

        def of(order):
            place = {atom: k for k, atom in enumerate(order)}
            t = [
                sum(w[j] * delta[i][j] * ((place[i] > place[j]) - (place[i] < place[j])) for j in range(4))
                for i in range(4)
            ]
            even = [sympy.sympify(x).subs(dict.fromkeys(w[:4], sympy.Rational(1, 4))) for x in t]
            return sum(w[i] * t[i] ** 2 for i in range(4)), even

        (one, x), (two, y) = of((0, 2, 3, 1)), of((0, 1, 3, 2))
        gaps = [abs(abs(x[i] - x[j]) - abs(y[i] - y[j])) for i in range(4) for j in range(4)]
        w4 = w[3] if middle else sympy.Symbol("w4", positive=True)
        return (
            "the orders differ by 20 w1 w4 (w2 - w3), so the atom drawn more often decides; half the mean difference",
            [(sympy.expand(one - two), sympy.expand(20 * w[0] * w4 * (w[1] - w[2])))],
            sum(gaps, sympy.Integer(0)) / 32,
        )

    return sides


def _weighted_cases() -> Any:
    """Delta, two changes of it, and weights, all whole numbers."""
    from hypothesis import strategies as st

    weights = st.lists(st.integers(1, 5), min_size=4, max_size=4).map(np.array)
    return st.tuples(cases.integer_dissimilarities(4, 1), *[cases.integer_dissimilarities(4, 0, 3)] * 2, weights)


def near_minimisers(constant: float, setting: Setting) -> Evidence:
    """Excess of sqrt J_Delta of a minimiser of J_D, weighted stress on the line, over constant ||D - Delta||."""

    def ratio(case):
        delta, up, down, counts = case
        other, w = np.maximum(delta + up - down, 0.0), counts / counts.sum()
        norm = lambda z: float(np.sqrt(w @ np.square(z - delta) @ w))  # noqa: E731
        gap = norm(other)
        if gap == 0:
            return 0.0
        best, moved = (weighted_line(matrix, w[None])[0] for matrix in (delta, other))
        return (norm(moved) - norm(best)) / (constant * gap + 1e-9)

    says = "(sqrt J_Delta(f^) - sqrt min J_Delta) / (2 ||D - Delta||), four weighted atoms on the line"
    return largest_ratio(_weighted_cases(), ratio, setting, says=says, quick=250, full=3000, tolerance=1e-6)


def _subsequence(one_of_two: bool, setting: Setting) -> Evidence:
    """D_k = Delta + E/k for even k, Delta + F/k for odd k: along even k one member of MDS(Delta, P) is the limit."""

    def ratio(case):
        delta, even, odd, w = (part.astype(np.int64) for part in case)
        steps = (2_000_000, 4_000_000) if one_of_two else (2_000_000, 4_000_001)
        # k D_k and whole weights: sums of w t^2 are exact, below 2^63, and equal ones go to the first order.
        found = [weighted_line(k * delta + (odd if k % 2 else even), w[None])[0] / (k * w.sum()) for k in steps]
        members = [one / w.sum() for one in weighted_members(delta, w)]
        member = min(members, key=lambda z: np.abs(z - found[0]).max())
        return max(np.abs(z - member).max() * k for z, k in zip(found, steps, strict=True)) / (1e-3 + 2 * 3)

    says = "k times the distance to one member of MDS(Delta, P) along a subsequence of D_k, over 2 max|E|"
    return largest_ratio(_weighted_cases(), ratio, setting, says=says, quick=400, full=3000, tolerance=1e-2)


def _on_the_circle(d: int) -> Any:
    """Fourier coefficients of an f into R^d, d = 1 (or 2, the circle itself), whose distances no rotation changes."""

    def sides():
        import sympy

        a, b, u = sympy.symbols("a b u", real=True)
        parts = [(a, b), (-b, a)][:d]  # of cos kx and sin kx, in each coordinate
        total, even, odd = (sum(x) for x in zip(*((x**2 + y**2, x**2 - y**2, x * y) for x, y in parts), strict=True))
        mean = lambda g: sympy.integrate(g, (u, 0, sympy.pi)) / sympy.pi  # noqa: E731
        # |cos x - cos y| Delta = 4 |sin((x + y)/2)| sin^2((x - y)/2), of independent uniform angles.
        return (
            "uniform on the circle, d = 1: a^2 = b^2 and ab = 0 leave f = 0, which is no minimiser",
            [(total**2, even**2 + 4 * odd**2)],
            2 * 4 * mean(sympy.sin(u)) * mean(sympy.sin(u) ** 2),
        )

    return sides


def _late_models(half: bool) -> Any:
    """Mean over pairs of |D - Delta|, phi = +-1/2, the last n/2 models doubled (the twin: the last one only)."""

    def sides():
        import sympy

        def formula(models, late):
            return (2 * (models - late) * late + late * (late - 1)) / (2 * models**2)

        def counted(models, late):
            total = Fraction(0)
            for signs in itertools.product((Fraction(-1, 2), Fraction(1, 2)), repeat=models):
                moved = [x * (2 if i >= models - late else 1) for i, x in enumerate(signs)]
                pairs = itertools.product(range(models), repeat=2)
                total += sum((abs(abs(moved[i] - moved[j]) - abs(signs[i] - signs[j])) for i, j in pairs), Fraction(0))
            total /= models**2 * 2**models
            return sympy.Rational(total.numerator, total.denominator)

        n, sizes = sympy.Symbol("n", positive=True), [(2, 1), (4, 2), (5, 1), (6, 3)]
        return (
            "phi = +-1/2 doubled in the last n/2 models: D converges for each fixed pair, not on average over all",
            [(counted(*size), formula(*map(sympy.Integer, size))) for size in sizes],
            sympy.limit(formula(n, n / 2 if half else sympy.Integer(1)), n, sympy.oo),
        )

    return sides


_IID = Hypothesis(
    "phi_i iid from a law on a bounded set",
    lambda law: bool(abs(law.weights.sum() - 1) < 1e-12 and law.weights.min() > 0 and np.isfinite(law.points).all()),
)
_D_CONVERGES = Hypothesis("D -> Delta = ||phi_i - phi_i'|| (here D = Delta)", lambda law: bool(law.delta.max() > 0))
_FOUR = Witness(
    "the triangle 13, 13, 10 and the middle of its base, equal weights: two classes of minimisers on the line",
    lambda: AtomLaw(ATOMS, UNIFORM),
    lambda law: len(weighted_members(law.delta, law.weights)) == 2,
)

_ERROR = r"\big|\|\hat\psi_i-\hat\psi_{i'}\|-\|f(\phi_i)-f(\phi_{i'})\|\big|^p"
SMALLEST = r"\min_{f\in\mathrm{MDS}(\Delta,P)}\tfrac1{n^2}\sum_{i,i'}" + _ERROR + r"\xrightarrow{P}0"
EXISTS = r"\exists f\in\mathrm{MDS}(\Delta,P)\ \exists(u):\ \tfrac1{n^2}\sum_{i,i'}" + _ERROR + r"\xrightarrow{P}0"
DISTANCES = ("max_abs", ("-", ("distances", "P"), ("distances", "Q")))
SHIFTED = [["0", "12"], ["5", "0"], ["-4", "0"], ["0", "0"]]

CLAIMS = (
    Claim(
        id="A24-L2",
        title="For models drawn from a law, distances within Psi^ tend to those of a fixed f along a subsequence",
        source=SOURCE,
        form="as-printed",
        reading="f and the subsequence first, then the models; the mean over all pairs; even for D = Delta",
        statement=r"D_{ii'}\xrightarrow{P}\Delta_{ii'}\ \Rightarrow\ " + EXISTS,
        hypotheses=(_IID, _D_CONVERGES),
        witness=_FOUR,
        checks=(
            Check(
                "four-atoms",
                counterexample,
                Stored("a24-l2", DISTANCES, "0"),
                Stored("a24-l2", DISTANCES, "0", replaced={"V": SHIFTED}),
                "the base shorter on one side, which breaks the symmetry",
            ),
            Check(
                "counts-decide",
                stays_positive,
                _counts_decide(True),
                _counts_decide(False),
                "the middle of the base left out: with three atoms the weights do not decide",
            ),
            Check("circle", stays_positive, _on_the_circle(1), _on_the_circle(2), "d = 2, where the circle embeds"),
            Check("fixed-member", _fixed_member, UNIFORM, UNEVEN, "atom 2 drawn more often than atom 3"),
        ),
        recorded="refuted",
        repair="A24-L2/set",
        drawings=(
            Drawing(
                _a24_figures.sides_of_a_coin,
                "Four atoms on the line, D = Delta, three sequences of models: whichever of atoms 2 and 3 has been "
                "drawn more often decides between two configurations (grey lines), again and again as n grows.",
            ),
        ),
    ),
    Claim(
        id="A24-L2/deterministic",
        title="If functions D tend to Delta, continuous embeddings tend to a minimiser along a subsequence",
        source=SOURCE,
        form="as-printed",
        reading="charitable: D_u uniformly bounded on M x M, no sampling, Delta continuous and 0 on the diagonal; the "
        "derivation argues compactness, the checks look at four weighted atoms on the line",
        statement=r"D_u\to\Delta\ P\!\times\!P\text{-a.e.}\ \Rightarrow\ \exists(u),f\in\mathrm{MDS}(\Delta,P):\ "
        r"\|\hat f_u(x)-\hat f_u(y)\|\to\|f(x)-f(y)\|\text{ in }L^p(P\!\times\!P)",
        hypotheses=(_IID, _D_CONVERGES),
        witness=_FOUR,
        checks=(
            Check("near-minimisers", near_minimisers, 2.0, 0.5, "the factor 2 replaced by 1/2"),
            Check("even-steps", _subsequence, True, False, "every k instead of the even ones"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-L2/pointwise",
        title="If D converges for each fixed pair, distances within Psi^ approach those of the set of minimisers",
        source=SOURCE,
        form="as-printed",
        reading="convergence for each fixed pair as n grows, and nothing on average over the n^2 pairs",
        statement=r"D_{ii'}\to\Delta_{ii'}\ \forall i,i'\ \Rightarrow\ " + SMALLEST,
        hypotheses=(_IID, _D_CONVERGES),
        witness=Witness(
            "-1/2 and 1/2 with equal weights, models after n/2 doubled",
            lambda: AtomLaw(np.array([[-0.5], [0.5]]), np.full(2, 0.5)),
            lambda law: law.delta.max() == 1,
        ),
        checks=(
            Check(
                "late-models", stays_positive, _late_models(True), _late_models(False), "only the last model doubled"
            ),
        ),
        recorded="refuted",
        repair="A24-L2/set",
        drawings=(
            Drawing(
                _a24_figures.late_models,
                "Models -1/2 or 1/2, those after n/2 doubled: each fixed pair has its true distance once n is twice as "
                "large, the mean over all pairs stays 3/8 off.",
            ),
        ),
    ),
    Claim(
        id="A24-L2/set",
        title="If D converges on average over pairs, distances within Psi^ approach those of the set of minimisers",
        source=SOURCE,
        form="repaired",
        reading="mean over all pairs of (D - Delta)^2 -> 0 in probability; p <= 2, any p for bounded D; no "
        "subsequence; rate checked for D = Delta on four atoms",
        statement=r"\tfrac1{n^2}\|D-\Delta\|_F^2\xrightarrow{P}0\ \Rightarrow\ " + SMALLEST,
        hypotheses=(_IID, _D_CONVERGES),
        witness=_FOUR,
        checks=(
            Check("near-minimisers", near_minimisers, 2.0, 0.5, "the factor 2 replaced by 1/2"),
            Check("four-atoms", _set_approached, True, False, "distance to one member instead of the set"),
        ),
        recorded="holds",
    ),
)
