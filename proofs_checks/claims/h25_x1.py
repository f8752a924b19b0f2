r"""H25-X1 and H25-X3: which Delta* are possible, and what growing m alone does.

Setting. As in H25-T1: g bounded by R, e = 1, (f_i, y_i) given, answers independent over models, queries, replicates.
Statements.
* H25-X1: some Delta* other than zero is possible with c = 1/m. Refuted: ||mu_i - mu_i'||_F^2 has m terms of at most
  (2R)^2, so (1/m) ||.||_F <= 2R / sqrt(m) -> 0 for all models and all queries.
* H25-X1/sqrt-m: with c = 1/sqrt(m) the possible Delta* of n models with answers in the ball of radius R of R^p, p >=
  n - 1, are exactly the distances of n points z_i of a ball of radius R. Given the points, let the mean answer of
  model i to every query be z_i. Conversely, the rows of (1/sqrt m)(mu_i1, ..., mu_im) lie in a ball of radius R, n
  points span n - 1 dimensions, and sets of n points of that ball are compact. So Delta* <= 2R, and trace(B*) <= n
  R^2.
* H25-X3: "both m and r must grow", read as necessary for the risk on psi^ to tend to the risk on psi, rule by rule.
  Refuted at r = 1 with c = 1/sqrt(m) (with c = 1/m everything tends to zero). By DK-M1 E D_ii'^2 = Delta^2 +
  (gamma_i + gamma_i')/r for i != i', gamma_i the mean of gamma_ij over queries, and as m terms are averaged D^2 tends
  to it at r fixed. If all gamma_i are equal a constant 2 gamma/r is added off the diagonal, which adds (gamma/r) H to
  B: the eigenvectors stay, the gap stays, eigenvalues grow by gamma/r. In d = 1 psi^ tends to a multiple of psi, so
  all rules that see ratios of distances only keep their risk: one nearest neighbour, Fisher's discriminant, any rule
  of psi over its root mean square. (That m must grow fails in the same way: where queries are alike Delta_m = Delta*
  at m = 1.)
* H25-X3/equal-gamma: that form. Holds, at the rate m^(-1/2). In 1 < d < n - 1 eigenvalues of different size grow by
  the same amount, so the directions survive but ratios of distances do not; in d = n - 1 distances are those of D
  again, and their order, hence one nearest neighbour, survives.
* H25-X3/perspectives: read as necessary for psi^ -> psi itself, r must grow: at fixed r and equal gamma > 0 the limit
  of psi^ is longer by the factor sqrt(1 + gamma/(r lambda)). Holds, in d = 1 as checked. So r must grow as well if the
  risks of all continuous invariant rules are to converge: min(1, ||psi_0 - psi_1||) sees the factor.
* H25-X3/unequal: m alone suffices for one nearest neighbour at a fixed r, whatever the gamma. Refuted for every r:
  three models at (0, 0), (1, 0), (0, 11/10), d = 2, only model 2 answers with noise, gamma_2 = r. Then D_12^2 -> 2
  and D_13^2 = 121/100, so model 1 gets the label of model 3, at every large m, while its neighbour is model 2.
Hypotheses. g bounded; equal gamma where said.
Relation. Limits.
Reference. Helm, Acharyya, Park, Duderstadt, Priebe (2025), Findings of ACL; its experiments have r = 1 by our account.
"""

from __future__ import annotations

import math

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims import _h25 as h25
from proofs_checks.claims.h25_t1 import RISKS
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_difference, largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "H25, the normalised limit"
SOURCE_X3 = "H25, discussion of m and r"
MODELS = 6


def _limit_of_the_largest(power: int, _: Setting) -> Evidence:
    """Limit of the largest Delta there is, m^(-power/2) sqrt(m (2R)^2), attained by models that answer R and -R."""
    import sympy

    m, bound = sympy.symbols("m R", positive=True)
    limit = sympy.limit(m ** sympy.Rational(-power, 2) * sympy.sqrt(m * (2 * bound) ** 2), m, sympy.oo)
    return Evidence(
        "symbolic",
        Outcome.CONTRADICTS if limit == 0 else Outcome.SUPPORTS,
        0.0 if limit == 0 else float(sympy.N(limit / bound)),
        0.0,
        "lower",
        f"the largest Delta with |g| <= R tends to {limit}; to be possible, a Delta* above 0 needs a limit above 0",
        n=1,
    )


def _constructed(convention: dk.Convention, setting: Setting) -> Evidence:
    """Delta of five models whose mean answers are z_i, turned by 90 degrees from query to query, against z."""

    def difference(z):
        means = np.stack([z, z[:, ::-1] * [-1, 1], -z, z[:, ::-1] * [1, -1]], axis=1)
        return float(np.abs(cases.dissimilarities(means, convention) - cases.distances(z)).max())

    return largest_difference(
        cases.integer_arrays(5, 2),
        difference,
        setting,
        within=1e-9,
        says="Delta of models with mean answers z_i, turned from query to query, against distances of the z_i, m = 4",
        quick=100,
        full=1000,
    )


def _within_the_ball(radius: float, setting: Setting) -> Evidence:
    """Least eigenvalue of B, largest Delta and trace of B of any means in a ball, against their bounds."""

    def ratio(flat):
        means = flat.reshape(5, 4, 2)
        means = means / max(1.0, float(np.linalg.norm(means, axis=-1).max()))
        squares = cases.dissimilarities(means, dk.Convention()) ** 2
        values = h25.eigenvalues(squares)
        return max(math.sqrt(squares.max()) / 2, math.sqrt(max(values.sum(), 0.0) / 5), -1e12 * values.min()) / radius

    says = "largest of Delta/(2R), sqrt(trace(B)/(n R^2)) and the negative part of B's spectrum, means in a ball"
    return largest_ratio(cases.integer_arrays(5, 8), ratio, setting, says=says, quick=200, full=2000)


def shifted_squares(theta: np.ndarray, m: float, spread: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """D^2 at c = 1/sqrt(m) and r = 1: model i answers theta_i +- spread_i, a fair choice, to each of m queries.

    D^2 depends on how often each pattern of the signs of all models occurs, a multinomial count; so m may be 10^12.
    """
    n = theta.shape[1]
    signs = 1.0 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    counts = generator.multinomial(int(m), np.full(2**n, 0.5**n), size=len(theta)) / m
    apart = spread * signs
    steps = apart[:, :, None] - apart[:, None, :]
    first, second = np.einsum("bs,sij->bij", counts, steps), np.einsum("bs,sij->bij", counts, steps**2)
    gaps = theta[:, :, None] - theta[:, None, :]
    return gaps**2 + 2 * gaps * first + second


def _scaled(psi: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Predict from the perspective on the line, centred, over its root mean square: blind to its length."""
    psi = psi - psi.mean(1, keepdims=True)
    return h25.smooth_rule(psi / np.sqrt(np.square(psi).mean((1, 2), keepdims=True)), labels, 1.0)


def _queries_alone(spreads: tuple[float, float], setting: Setting) -> Evidence:
    """|risk on psi^ - risk on psi| at r = 1, m = 10^4 and 10^12, for a rule of the scaled perspective."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    theta = generator.uniform(-1, 1, size=(h25.BLOCKS * h25.DRAWS, MODELS))
    labels = (generator.uniform(size=theta.shape) < 0.5 + 0.4 * theta) * 1.0
    spread = np.where(np.arange(MODELS) == 0, *spreads)
    truth = _scaled(theta[..., None], labels)
    gaps = [
        h25.risk_gaps(_scaled(h25.classical(shifted_squares(theta, m, spread, generator), 1), labels), truth, labels)
        for m in (h25.LOW, h25.HIGH)
    ]
    says = "difference of the risks on psi^ and psi at r = 1, d = 1, scaled perspectives, m = 10^4 and 10^12"
    return monte_carlo.falls_as(gaps[0], gaps[1], h25.HIGH / h25.LOW, says=says)


def _inflated(kappa: float, setting: Setting) -> Evidence:
    """Largest error of a distance in psi^ against those of psi times sqrt(1 + kappa gamma/(r lambda)), r = 1."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    theta = generator.uniform(-1, 1, size=(h25.BLOCKS, MODELS))
    variance = np.square(theta - theta.mean(1, keepdims=True)).sum(1)
    factor = np.sqrt(1 + kappa * 0.25 / variance)[:, None, None]
    errors = []
    for m in (h25.LOW, h25.HIGH):
        psi = h25.classical(shifted_squares(theta, m, np.full(MODELS, 0.5), generator), 1)
        errors.append(cases.pairwise_errors(cases.distances(psi), factor * cases.distances(theta[..., None])))
    says = "distances in psi^ at r = 1 against those in psi times sqrt(1 + gamma/lambda), m = 10^4 and 10^12"
    return monte_carlo.falls_as(errors[0], errors[1], h25.HIGH / h25.LOW, says=says)


def _constant_off_diagonal(share: int):
    """Sides of: adding kappa off the diagonal of Delta^2 adds (kappa/2) H to B, for any symmetric Delta^2, n = 2..5."""

    def sides():
        import sympy

        kappa, pairs = sympy.symbols("kappa"), []
        for n in range(2, 6):
            a = sympy.Matrix(n, n, lambda i, j: 0 if i == j else sympy.Symbol(f"a{min(i, j)}{max(i, j)}"))
            h = sympy.eye(n) - sympy.ones(n, n) / n
            moved = -h * (a + kappa * (sympy.ones(n, n) - sympy.eye(n))) * h / 2
            difference = (moved + h * a * h / 2 - kappa * h / share).expand()
            pairs += [(entry, sympy.Integer(0)) for entry in difference]
        return "adding a constant to D^2 off the diagonal adds half of it times H to B, n = 2..5", pairs

    return sides


def _largest_curves():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = 10.0 ** np.arange(0, 7)
    axes.loglog(grid, 2 / np.sqrt(grid), "o-", label="c = 1/m: largest Δ there is, |g| ≤ 1")
    axes.loglog(grid, np.full(len(grid), 2.0), "s-", label="c = 1/√m")
    axes.set(xlabel="queries m", ylabel="largest dissimilarity (units of g)")
    figure.legend(loc="outside lower left")
    return figure


def _neighbours_swapped():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    generator, grid = np.random.default_rng(0), 4.0 ** np.arange(1, 9)
    for gamma, marker, name in ((1.0, "o", "only model 2 noisy"), (0.0, "s", "no noise")):
        signs = 2.0 * generator.binomial(np.int64(grid), 0.5, size=(300, len(grid))) - grid
        found = 1 + 2 * math.sqrt(gamma) * signs / grid + gamma
        axes.errorbar(grid, found.mean(0), 2 * found.std(0), fmt=marker, capsize=2, label=f"D² of models 1, 2, {name}")
    axes.axhline(1.21, color="0.4", lw=1, label="D² of models 1, 3")
    axes.set(xscale="log", xlabel="queries m, at r = 1", ylabel="D² (mean ± 2 standard deviations)")
    figure.legend(loc="outside lower left")
    return figure


def _stretched():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    generator, theta = np.random.default_rng(0), np.array([-1.0, -0.25, 0.25, 1.0])
    ends = np.array([-1.1, 1.1])
    axes.plot(ends, ends, "k:", lw=1, label="true perspectives")
    axes.plot(
        ends, ends * math.sqrt(1 + 1 / np.square(theta).sum()), color="0.4", lw=1, label="limit as m grows, γ = 1"
    )
    for m, marker in ((10, "s"), (10**5, "o")):
        psi = h25.classical(shifted_squares(theta[None], m, np.ones(4), generator), 1)[0, :, 0]
        axes.plot(theta, psi * np.sign(psi @ theta), marker, label=f"one draw, r = 1, m = {m:,}")
    axes.set(xlabel="true perspective ψ", ylabel="estimated perspective")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def line_case(spread: tuple[float, float] = (0.5, 0.5)) -> h25.Case:
    """Models on a line with answers theta_i +- spread, d = 1; the first spread is the first model's."""
    theta = np.array([-1.0, -0.25, 0.25, 1.0])
    spreads = np.where(np.arange(4) == 0, *spread)
    table = np.stack([theta - spreads, theta + spreads], axis=1).reshape(-1, 1)
    chances = np.kron(np.eye(4), np.full(2, 0.5))
    return h25.Case(dk.Categorical(np.repeat(chances[:, None], 3, axis=1), table), 1, np.array([0.0, 0, 1, 1]))


def plane_case() -> h25.Case:
    """Models at (0, 0), (1, 0) and (0, 11/10), the second with noise of variance 1, d = 2."""
    table = np.array([[0, 0], [0, 0], [2, 0], [0, 1.1]])
    chances = np.array([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1.0]])
    return h25.Case(dk.Categorical(np.repeat(chances[:, None], 3, axis=1), table), 2, np.array([0.0, 0.0, 1.0]))


def _equal_gamma(case: h25.Case) -> bool:
    gamma = np.asarray(case.population.gamma).mean(1)
    return bool(np.ptp(gamma) < 1e-12 and gamma.min() > 0)


EQUAL_GAMMA = Hypothesis("all models have the same mean gamma over queries, above 0", _equal_gamma)
ON_THE_LINE = Hypothesis("d = 1", lambda case: case.d == 1)
_LINE = Witness(
    "four models on a line, answers moved by a fair +-1/2, d = 1",
    line_case,
    lambda case: bool(h25.population_squares(case).max() > 0),
)
_PAIR_NOISE = ("+", ("matmul", "gamma", ("T", "ones")), ("matmul", "ones", ("T", "gamma")))


def _inflated_squares(means: str) -> tuple[object, ...]:
    """E D^2 of the certificates, by DK-M1, as an expression."""
    return ("+", ("squared_distances", means), ("multiply", "hollow", ("scale", ("/", "1", "r"), _PAIR_NOISE)))


_TURNED = ("max_abs", ("-", ("matmul", ("gram", _inflated_squares("z")), "z"), ("scale", "grown", "z")))
_NEIGHBOUR, _OTHER = (("entry", _inflated_squares("Mu"), "0", model) for model in ("1", "2"))

CLAIMS = (
    Claim(
        id="H25-X1",
        title="With c = 1/m and bounded g, a limit Delta* other than zero is possible",
        source=SOURCE,
        form="as-printed",
        reading="some pair of models and some sequence of queries has Delta* > 0",
        statement=r"\exists\ \|g\|\le R:\ \Delta^*=\lim_{m}\tfrac1m\|\mu_i-\mu_{i'}\|_F>0",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED),
        witness=Witness(
            "eight Bernoulli models with different means",
            h25.bernoulli_case,
            lambda case: bool(h25.population_squares(case).max() > 0),
        ),
        checks=(Check("limit", _limit_of_the_largest, 2, 1, "normalised by 1/sqrt(m)"),),
        recorded="refuted",
        repair="H25-X1/sqrt-m",
        drawings=(
            Drawing(_largest_curves, "The largest dissimilarity of models with |g| ≤ 1 under the two normalisations."),
        ),
    ),
    Claim(
        id="H25-X1/sqrt-m",
        title="With c = 1/sqrt(m), the possible limits are the distances of n points of a ball of radius R",
        source=SOURCE,
        form="repaired",
        reading="c = 1/sqrt(m), e = 1, answers in R^p with p >= n - 1",
        statement=r"\{\Delta^*\}=\{(\|z_i-z_{i'}\|)_{ii'}:\ z_1,\dots,z_n\in\mathbb R^{n-1},\ \|z_i\|\le R\}",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED),
        witness=Witness(
            "three models at (0, 0), (1, 0) and (0, 11/10), every query the same",
            plane_case,
            lambda case: bool(np.isclose(h25.population_squares(case)[0, 1], 1)),
        ),
        checks=(
            Check(
                "constructed",
                _constructed,
                dk.Convention(),
                dk.Convention("m", 1.0),
                "normalised by 1/m, which halves it",
            ),
            Check("nothing-else", _within_the_ball, 1.0, 0.5, "the radius halved"),
        ),
        recorded="holds",
    ),
    Claim(
        id="H25-X3",
        title="For the risk on estimated perspectives to tend to that on true ones, r must grow",
        source=SOURCE_X3,
        form="reconstructed",
        reading="necessary for the risk of each rule, c = 1/sqrt(m), classical MDS; for the risks of all rules at once "
        "see H25-X3/perspectives; with c = 1/m everything tends to zero",
        statement=RISKS + r"\text{ as }m\to\infty\ \Rightarrow\ r\to\infty",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS),
        witness=_LINE,
        checks=(
            Check(
                "one-replicate",
                counterexample,
                Stored("h25-x3", _TURNED, "0", "lower"),
                Stored("h25-x3", _TURNED, "0", "lower", replaced={"gamma": [["9"], ["1"], ["1"], ["1"]]}),
                "one model with nine times the noise",
            ),
        ),
        recorded="refuted",
        repair="H25-X3/equal-gamma",
        drawings=(
            Drawing(
                _stretched,
                "At r = 1 more queries bring the estimated perspectives onto a line through the origin, steeper than "
                "the dotted one: longer, with the ratios of all distances kept.",
            ),
        ),
    ),
    Claim(
        id="H25-X3/equal-gamma",
        title="With equal gamma and d = 1, growing m alone is enough for rules that see ratios of distances",
        source=SOURCE_X3,
        form="repaired",
        reading="r = 1, c = 1/sqrt(m), classical MDS, d = 1; a smooth rule of psi over its root mean square is checked",
        statement=RISKS + r"\text{ as }m\to\infty\text{ at }r=1",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS, EQUAL_GAMMA, ON_THE_LINE),
        witness=_LINE,
        checks=(
            Check(
                "constant-off-diagonal", identity, _constant_off_diagonal(2), _constant_off_diagonal(1), "not halved"
            ),
            Check("queries-alone", _queries_alone, (0.5, 0.5), (1.0, 0.5), "one model with twice the spread"),
        ),
        recorded="holds",
    ),
    Claim(
        id="H25-X3/perspectives",
        title="At fixed r the perspectives stay inflated however many queries are asked",
        source=SOURCE_X3,
        form="own",
        reading="necessary for psi^ -> psi itself, hence for rules that see lengths; "
        "equal gamma, c = 1/sqrt(m), classical MDS, d = 1, r = 1",
        statement=r"\|\hat\psi_i-\hat\psi_{i'}\|\to\sqrt{1+\gamma/(r\lambda_1)}\ \|\psi_i-\psi_{i'}\|,\quad m\to\infty",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS, EQUAL_GAMMA, ON_THE_LINE),
        witness=_LINE,
        checks=(Check("inflated", _inflated, 1.0, 0.0, "no inflation"),),
        recorded="holds",
    ),
    Claim(
        id="H25-X3/unequal",
        title="At a fixed r, growing m alone is enough for one nearest neighbour whatever the gamma",
        source=SOURCE_X3,
        form="own",
        reading="c = 1/sqrt(m), d = n - 1, where psi^ has the distances D; r = 1 certified, gamma_2 = r for any r",
        statement=RISKS + r"\text{ as }m\to\infty\text{ at fixed }r",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS),
        witness=Witness(
            "three models at (0, 0), (1, 0) and (0, 11/10), only the second with noise",
            plane_case,
            lambda case: not _equal_gamma(case),
        ),
        checks=(
            Check(
                "neighbours-swapped",
                counterexample,
                Stored("h25-x3-unequal", _NEIGHBOUR, _OTHER),
                Stored(
                    "h25-x3-unequal",
                    _NEIGHBOUR,
                    _OTHER,
                    replaced={"gamma": [["1"], ["1"], ["1"]]},
                ),
                "the same gamma for all three models",
            ),
        ),
        recorded="refuted",
        repair="H25-X3/equal-gamma",
        drawings=(
            Drawing(
                _neighbours_swapped,
                "At r = 1 the noisy model, the true neighbour, is pushed beyond the other one; more queries make the "
                "error certain.",
            ),
        ),
    ),
)
