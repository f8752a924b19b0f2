r"""A25-A1, A25-A2 and A25-X3: what the two assumptions on the spectrum of B ask of the models.

Setting. f_1, f_2, .. is one sequence of models, B = -1/2 H Delta^2 H that of the first n, c = 1/sqrt(m), lambda_1 >=
lambda_2 >= .. its eigenvalues, d fixed. The m queries are fixed, too, but in A25-X3/growing-queries.
Statements. A25-A1: rank(B) = d for all large n. A25-A2: liminf lambda_d > C1 > 0 and limsup lambda_1 < C2 < infinity.
A25-X3: are both compatible with models drawn iid from a law, and with A25's own experiments?
Hypotheses. None but what a reading adds.
Constants. None.
Relation. Equality of ranks; limits of eigenvalues.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1), Assumptions 1 and 2 and its experiments.

Derivations.
1. Distinct models, e = 1/2: rank(B) = n - 1. For sum a_i = 0, -1/2 a' Delta^2 a = -(1/2m) sum a_i a_j ||mu_i - mu_j||,
   and ||x|| is C times the average of |<u, x>| over unit vectors u. On the line, for x_1 < .. < x_n, that sum is (1/m)
   sum_k (x_{k+1} - x_k) (a_1 + .. + a_k)^2, positive unless a = 0; for almost every u the projections of distinct
   points are distinct, so the average is positive, too (it is CL-SCHOENBERG with exponent 1). In other words, with x_1
   = 0 as origin the reduced matrix is min(x_i, x_j) and its determinant is the product of the gaps x_{k+1} - x_k: the
   identity that is checked. So no fixed d is the rank for all large n: A25-A1 has no distinct models (vacuous), and nor
   does what assumes it.
2. With coincident models the rank is the number of distinct ones less one (A25-A1/coincident), since B of the models is
   that of the distinct ones with rows repeated, centred at another point. So A1 means exactly d + 1 distinct models.
3. e = 1: B = c^2 (H mu)(H mu)', so A1 holds exactly if the means span a d-dimensional affine space (A25-A1/exponent-1).
4. tr B = (1/2n) sum_ij Delta_ij^2 for every convention, and d lambda_1 >= tr B for rank d.
5. A25-A2, e = 1/2 with A1: d + 1 places with n_0 >= n_1 >= .. >= n_d models, delta the least Delta^2 between two of
   them. tr B = (1/n) sum_{k<l} n_k n_l Delta_kl^2 >= delta n_0 (n - n_0) / n >= delta (n - n_0) / (d + 1). So n - n_0
   <= (d + 1) d C2 / delta: all but boundedly many models coincide with one. Conversely, if they do, B has the non-zero
   eigenvalues of a matrix that converges, and A1 and A2 hold. The constant d + 1 is attained (d = 1, halves).
6. A25-A2/exponent-1: distinct models can meet both: mu_i = 2^(-i) on the line has rank 1 and lambda_1 = sum 4^(-i) -
   (sum 2^(-i))^2 / n, between 1/32 and 1/3 for n >= 2. In general bounded tr B asks that models settle down: sum_ij
   Delta_ij^2 = O(n), so for most n the models are within O(n^(-1/2)) of one another in mean square.
7. A25-X3 (both conventions). For iid models Delta_ij^2 are the values of a symmetric kernel k >= 0 at iid pairs. If E k
   > 0 (the value infinity included), tr B = (n - 1)/2 times a U-statistic that tends to E k almost surely (Hoeffding),
   so tr B -> infinity, and with A1 lambda_1 >= tr B / d -> infinity: A2 fails. If E k = 0 all models coincide, B = 0,
   lambda_d = 0, and A2 fails, too. So no law of the models meets A1 and A2. The identity in 4 is what is checked. It
   would take a Delta^2 that shrinks as 1/n, which is not one kernel: the queries are fixed here.
   A25-X3/growing-queries, e = 1/2: queries that grow with n do it, since Delta^2 = ||mu_i - mu_i'||_F / m falls as
   m^(-1/2) where each query adds its share. Let models be drawn iid from two kinds, 1/2 each, that are 1 apart in every
   query, and m = n^2. Then Delta^2 = 1/n, B has rank 1 = d and lambda_1 = n_0 n_1 / n^2 -> 1/4 almost surely, n_0 and
   n_1 the numbers of each kind: A1 and A2 hold. (d + 1 kinds likewise; distinct models never, by 1. The rate changes:
   d, m, n and r then grow together. e = 1: Delta^2 does not shrink, unless the queries that tell models apart become
   rare, as one in n.)
8. A25-X3/experiments: A25's own simulation draws models iid, p_ij uniform on (0, 1): for e = 1, E tr B = (n - 1)/12 and
   rank m, so lambda_1 >= (n - 1)/(12 m) on average; for e = 1/2 the rank is n - 1 and lambda_1 >= ||B||_F^2 / tr B,
   again of the order n. Measured: lambda_1 grows like n, so A2 fails in the experiments that illustrate the theorem.
"""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.a25_t1 import centred, squares
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import exact_equalities
from proofs_checks.evidence.checker import gram, rank, squared_distances
from proofs_checks.evidence.symbolic import Sides, identity, nothing_left

ONE_SOURCE, TWO_SOURCE = "A25, Assumption 1", "A25, Assumption 2"
HALF = "c = 1/sqrt(m), e = 1/2, as printed"
ONE = "c = 1/sqrt(m), e = 1"


def reduced_determinants(power: int) -> Sides:
    """Give determinants of (|x_i|^p + |x_j|^p - |x_i - x_j|^p)/2 on the line, x_1 = 0, n = 3 to 6."""

    def sides():
        import sympy

        gaps, pairs = sympy.symbols("g1:6", positive=True), []
        for n in (3, 4, 5, 6):
            x = [sum(gaps[: k + 1]) for k in range(n - 1)]
            # x grows with its index, so |x_i - x_j| is the later one less the earlier one.
            matrix = sympy.Matrix(
                n - 1,
                n - 1,
                lambda i, j, x=x: (x[i] ** power + x[j] ** power - (x[max(i, j)] - x[min(i, j)]) ** power) / 2,
            )
            pairs.append((matrix.det(method="berkowitz"), sympy.prod(gaps[: n - 1])))
        return "B of n distinct models on a line has rank n - 1: its reduced determinant is the product of gaps", pairs

    return sides


def trace_identity(factor: int) -> Sides:
    """Tr B = (1/2n) sum_ij Delta_ij^2 for symmetric hollow Delta^2, n = 2 to 5, whatever the convention."""

    def sides():
        import sympy

        pairs = []
        for n in (2, 3, 4, 5):
            entries = [[sympy.Symbol(f"s{min(i, j)}{max(i, j)}") * int(i != j) for i in range(n)] for j in range(n)]
            square, total = sympy.Matrix(entries), sum(sum(row) for row in entries)
            h = sympy.eye(n) - sympy.ones(n, n) / n
            pairs.append(((-(h * square * h) / 2).trace(), factor * total / (2 * n)))
        return (
            "tr B = (1/2n) sum Delta^2: for iid models it grows like n, and with rank d so does lambda_1 >= tr B / d, "
            "unless all coincide, where lambda_d = 0",
            pairs,
        )

    return sides


def _rank_with_repeats(power: int, setting: Setting) -> Evidence:
    """Rank of B from |mu_i - mu_j|^power on the line against the number of distinct models less one, with repeats."""
    generator = random.Random(setting.integer_seed("models"))

    def pairs():
        for _ in range(setting.size(150, 2000)):
            distinct = generator.sample(range(-9, 10), generator.randint(1, 4))
            models = [Fraction(x) for x in (*distinct, *generator.choices(distinct, k=generator.randint(0, 4)))]
            matrix = [[abs(x - y) ** power for y in models] for x in models]
            yield rank(gram(matrix)), Fraction(len(distinct) - 1)

    return exact_equalities(pairs(), "rank(B) = number of distinct models less one, whole numbers with repeats")


def _affine_rank(power: int, setting: Setting) -> Evidence:
    """Rank of B from squared distances along a growing sequence of means in a plane of R^3."""
    generator = random.Random(setting.integer_seed("means"))

    def pairs():
        for _ in range(setting.size(40, 500)):
            d = generator.randint(1, 2)
            basis = cases.rational_matrix(generator, d, 3, 3)
            weights = cases.rational_matrix(generator, 7, d, 3)
            means = [
                [1 + sum((w * b[k] for w, b in zip(row, basis, strict=True)), Fraction(0)) for k in range(3)]
                for row in weights
            ]
            for n in (4, 7):
                matrix = [[entry**power for entry in row] for row in squared_distances(means[:n])]
                yield rank(gram(matrix)), cases.affine_dimension(means[:n])

    return exact_equalities(pairs(), "rank(B) = dimension of the affine span of the means, n = 4 and 7")


def _minority(factor: Fraction, setting: Setting) -> Evidence:
    """N - n_0 against factor (d + 1) tr B / delta, with d + 1 places on the line, e = 1/2."""
    generator = random.Random(setting.integer_seed("places"))

    def pairs():
        for trial in range(setting.size(100, 1500)):
            d = 1 if trial == 0 else generator.randint(1, 3)
            counts = [4, 4] if trial == 0 else [generator.randint(1, 5) for _ in range(d + 1)]
            where = generator.sample(range(-9, 10), d + 1)
            models = [Fraction(x) for x, k in zip(where, counts, strict=True) for _ in range(k)]
            b = gram([[abs(x - y) for y in models] for x in models])
            trace = sum((b[i][i] for i in range(len(models))), Fraction(0))
            least = min(abs(x - y) for x in where for y in where if x != y)
            yield Fraction(len(models) - max(counts)), factor * (d + 1) * trace / least

    says = "models off the largest group <= (d + 1) tr B / least Delta^2, d + 1 places on the line"
    return exact_equalities(pairs(), says, relation="upper")


def powers_of_half(n: int) -> Fraction:
    """lambda_1 = tr B of mu_i = 2^(-i), i = 1..n, on the line, e = 1."""
    x = [Fraction(1, 2**i) for i in range(1, n + 1)]
    return sum((y * y for y in x), Fraction(0)) - sum(x, Fraction(0)) ** 2 / n


def _bounded_spectrum(shrinks: bool, setting: Setting) -> Evidence:
    """Compare lambda_1 with their bounds, for n = 2 to 60: rank 1, so d = 1."""
    top = setting.size(60, 300)

    def pairs():
        for n in range(2, top):
            value = powers_of_half(n) if shrinks else sum((Fraction(i) ** 2 for i in range(n)), Fraction(0)) / n
            yield value, Fraction(1, 3)
            yield Fraction(1, 32), value

    return exact_equalities(pairs(), "1/32 <= lambda_1 = lambda_d <= 1/3 for mu_i = 2^(-i), d = 1", relation="upper")


def _largest_eigenvalues(exponent: float, n: int, shrink: bool, setting: Setting) -> np.ndarray:
    rng = np.random.default_rng(setting.integer_seed(f"n = {n}, e = {exponent:g}"))
    means = rng.uniform(size=(setting.size(300, 2000), n, 3, 1))
    # A law that shrinks as n^(-1/2) in Delta^2 keeps lambda_1.
    scale = float(n) ** (-1 / (2 * exponent)) if shrink else 1.0
    return np.linalg.eigvalsh(centred(squares(scale * means, exponent)))[:, -1]


def _grows(subject: tuple[float, bool], setting: Setting) -> Evidence:
    """P(lambda_1 at n = 80 is between 10/3 and 30 times that at n = 8) >= 3/4, over independent pairs."""
    exponent, shrink = subject
    before, after = (_largest_eigenvalues(exponent, n, shrink, setting) for n in (8, 80))
    grown = after / before
    return monte_carlo.success_rate(
        int(((grown > 10 / 3) & (grown < 30)).sum()),
        len(grown),
        0.75,
        0.5,
        relation="rate",
        says=f"P(lambda_1 grows 10 times within a factor 3 from n = 8 to 80) >= 3/4, uniform probabilities, m = 3, "
        f"e = {exponent:g}; median {np.median(grown):.3g} times",
        named="a law under which that probability is 1/2 or less",
    )


def _settles_as_queries_grow(grow: bool, setting: Setting) -> Evidence:
    """P(B has rank 1 and 3/16 <= lambda_1 <= 1/4) for n = 16, 32 models of two kinds, m = n^2 or 16, e = 1/2."""
    rng, size, inside = np.random.default_rng(setting.integer_seed("kinds")), setting.size(100, 400), 0
    for n in (16, 32):
        m = n * n if grow else 16
        for _ in range(size):
            kinds = rng.integers(2, size=n).astype(float)
            values = np.linalg.eigvalsh(centred(squares(np.broadcast_to(kinds[:, None, None], (n, m, 1)), 0.5)))
            inside += int(3 / 16 - 1e-9 <= values[-1] <= 1 / 4 + 1e-9 and np.abs(values[:-1]).max() < 1e-9)
    return monte_carlo.success_rate(
        inside,
        2 * size,
        0.95,
        0.7,
        relation="coverage",
        says="P(rank(B) = 1, 3/16 <= lambda_1 <= 1/4) >= 0.95, n = 16 and 32 models of two kinds, "
        + ("m = n^2" if grow else "m = 16"),
        named="a probability of 0.7",
    )


def _spectrum_of_uniform():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = np.array([10, 20, 40, 80])
    rng = np.random.default_rng(25)
    for exponent, marker in ((0.5, "o"), (1.0, "s")):
        medians = [
            np.median(np.linalg.eigvalsh(centred(squares(rng.uniform(size=(20, n, 3, 1)), exponent)))[:, -1])
            for n in grid
        ]
        axes.loglog(grid, medians, marker, label=f"e = {exponent:g}")
    axes.loglog(grid, grid / 36, "--", color="0.4", label="n / 36")
    axes.set(xlabel="models n", ylabel="median of λ₁(B)")
    figure.legend(loc="outside lower left")
    return figure


_NO_DISTINCT = (
    "n distinct models have a B of rank n - 1 (A25-DEF/rank), so no fixed d is its rank for all large n, whatever the "
    "means are"
)
_NO_IID = "for iid models tr B grows like n, so lambda_1 >= tr B / d does, unless all models coincide and lambda_d = 0"
_THREE = Witness(
    "four models at three places on a line, two of them coincident", lambda: (0, 1, 1, 3), lambda w: len(set(w)) == 3
)
_DISTINCT = Hypothesis("the models are distinct", lambda w: len(set(w)) == len(w))
_FINITE = Hypothesis("the means are finite", lambda w: all(abs(x) < float("inf") for x in w))

PRODUCT_OF_GAPS = Check(
    "product-of-gaps",
    nothing_left,
    reduced_determinants(1),
    reduced_determinants(2),
    "exponent 1, where the determinant is 0 for n > 2",
)

CLAIMS = (
    Claim(
        id="A25-A1",
        title="Distinct models can have a B of fixed rank for all large n",
        source=ONE_SOURCE,
        form="as-printed",
        reading=HALF + "; models distinct",
        statement=r"\mu_1,\mu_2,\dots\text{ distinct},\quad\operatorname{rank}B=d\text{ for all large }n",
        hypotheses=(_DISTINCT,),
        witness=None,
        no_witness=_NO_DISTINCT,
        checks=(PRODUCT_OF_GAPS,),
        recorded="vacuous",
        repair="A25-A1/coincident",
    ),
    Claim(
        id="A25-A1/coincident",
        title="With exponent one half the rank is the number of distinct models less one",
        source=ONE_SOURCE,
        form="own",
        reading=HALF + "; models may coincide; so A25-A1 means exactly d + 1 distinct ones",
        statement=r"\operatorname{rank}B=\#\{\mu_1,\dots,\mu_n\}-1",
        hypotheses=(_FINITE,),
        witness=_THREE,
        checks=(Check("repeats", _rank_with_repeats, 1, 2, "exponent 1: the rank is 1 on a line"),),
        recorded="holds",
    ),
    Claim(
        id="A25-A1/exponent-1",
        title="With exponent 1, A25-A1 holds exactly if the means span a d-dimensional affine space",
        source=ONE_SOURCE,
        form="own",
        reading=ONE,
        statement=r"\operatorname{rank}B=d\ \Leftrightarrow\ \dim\operatorname{aff}\{\mu_1,\dots,\mu_n\}=d",
        hypotheses=(_FINITE,),
        witness=Witness("five models on a line", lambda: (0, 1, 2, 4, 8), lambda w: len(w) > 2),
        checks=(Check("affine-rank", _affine_rank, 1, 2, "squared distances squared once more"),),
        recorded="holds",
    ),
    Claim(
        id="A25-A2",
        title="With exponent one half, A25-A1 and A25-A2 leave boundedly many models off one place",
        source=TWO_SOURCE,
        form="own",
        reading=HALF + "; read with A25-A1, on one sequence of models and fixed queries",
        statement=r"n-n_0\le\frac{(d+1)\operatorname{tr}B}{\min_{\mu_i\ne\mu_{i'}}\Delta_{ii'}^2}"
        r"\le\frac{d(d+1)\lambda_1}{\min_{\mu_i\ne\mu_{i'}}\Delta_{ii'}^2},\quad n_0=\max_i\#\{i':\mu_{i'}=\mu_i\}",
        hypotheses=(_FINITE,),
        witness=Witness(
            "three places, all but two models at one of them", lambda: (0, 0, 0, 0, 0, 1, 3), lambda w: len(set(w)) == 3
        ),
        checks=(
            Check("minority", _minority, Fraction(1), Fraction(1, 2), "the bound halved: equal halves exceed it"),
            Check("trace", identity, trace_identity(1), trace_identity(2), "the trace doubled"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-A2/exponent-1",
        title="With exponent 1, distinct models can meet A25-A1 and A25-A2 for all n",
        source=TWO_SOURCE,
        form="own",
        reading=ONE + "; as a statement that the assumptions can be met together, d = 1",
        statement=r"\mu_i=2^{-i}\ \Rightarrow\ \operatorname{rank}B=1,\ \tfrac1{32}\le\lambda_1\le\tfrac13\quad(n\ge2)",
        hypotheses=(_DISTINCT,),
        witness=Witness("five models at 1/2 to 1/32", lambda: (0.5, 0.25, 0.125, 1 / 16, 1 / 32), lambda w: len(w) > 2),
        checks=(Check("spectrum", _bounded_spectrum, True, False, "models at 0, 1, 2, ..: lambda_1 grows"),),
        recorded="holds",
    ),
    Claim(
        id="A25-X3",
        title="Models drawn iid from a law can meet A25-A1 and A25-A2",
        source=TWO_SOURCE,
        form="own",
        reading=HALF + "; one law and the same queries for all n, degenerate laws included; almost surely",
        statement=r"\mu_i\text{ iid},\ \operatorname{rank}B=d,\ \liminf\lambda_d>0,\ \limsup\lambda_1<\infty",
        hypotheses=(),
        witness=None,
        no_witness=_NO_IID,
        checks=(Check("trace", nothing_left, trace_identity(1), trace_identity(2), "the trace doubled"),),
        recorded="vacuous",
        repair="A25-X3/growing-queries",
    ),
    Claim(
        id="A25-X3/exponent-1",
        title="Models drawn iid from a law can meet A25-A1 and A25-A2, e = 1",
        source=TWO_SOURCE,
        form="own",
        reading=ONE + "; one law and the same queries for all n, degenerate laws included; almost surely",
        statement=r"\mu_i\text{ iid},\ \operatorname{rank}B=d,\ \liminf\lambda_d>0,\ \limsup\lambda_1<\infty",
        hypotheses=(),
        witness=None,
        no_witness=_NO_IID,
        checks=(Check("trace", nothing_left, trace_identity(1), trace_identity(2), "the trace doubled"),),
        recorded="vacuous",
        repair="A25-A2/exponent-1",
    ),
    Claim(
        id="A25-X3/growing-queries",
        title="With m = n^2 queries, models drawn iid from two kinds do meet A25-A1 and A25-A2",
        source=TWO_SOURCE,
        form="own",
        reading=HALF + "; the charitable reading: queries grow with n; models coincide",
        statement=r"m=n^2\ \Rightarrow\ \operatorname{rank}B=1,\quad\lambda_1=\frac{n_0n_1}{n^2}\to\tfrac14\text{ "
        r"almost surely}",
        hypotheses=(Hypothesis("models are iid", lambda law: sum(law.values()) == 1),),
        witness=Witness(
            "two kinds, 1/2 each", lambda: {0: Fraction(1, 2), 1: Fraction(1, 2)}, lambda law: len(law) > 1
        ),
        checks=(Check("two-kinds", _settles_as_queries_grow, True, False, "sixteen queries whatever n is"),),
        recorded="holds",
    ),
    Claim(
        id="A25-X3/experiments",
        title="In A25's own experiments lambda_1 grows like n, so A25-A2 fails",
        source=TWO_SOURCE + "; its simulation",
        form="own",
        reading="probabilities uniform on (0, 1), m = 3; both conventions",
        statement=r"p_{ij}\sim U(0,1)\ \Rightarrow\ \lambda_1(B)\asymp_P n",
        hypotheses=(Hypothesis("models are iid", lambda law: law == ("uniform", 0, 1)),),
        witness=Witness("the uniform law", lambda: ("uniform", 0, 1), lambda law: law[1] < law[2]),
        checks=(
            Check("e = 1/2", _grows, (0.5, False), (0.5, True), "a law that shrinks as n grows"),
            Check("e = 1", _grows, (1.0, False), (1.0, True), "a law that shrinks as n grows"),
        ),
        recorded="holds",
        drawings=(
            Drawing(
                _spectrum_of_uniform,
                "The largest eigenvalue of B for models drawn as in A25's simulation (three queries): it grows like n, "
                "so A25-A2 fails there.",
            ),
        ),
    ),
)
