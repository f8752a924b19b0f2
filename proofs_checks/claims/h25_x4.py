r"""H25-X4 and H25-X5: what perspectives can know about a model, and what they cannot.

Setting. As in H25-T1; the Bayes risk of y_0 given an observation T is E min_a E[loss(a, y_0) | T].
Statements.
* H25-X4: the Bayes risk on perspectives is never below that on the models. For (f_i, y_i) independent and identically
  distributed it holds: given f_0 the label y_0 is independent of all other models and labels, so the risk given (f_0,
  .., f_n, y_1, .., y_n) is the risk given f_0, and (psi_0, .., psi_n, y_1, .., y_n) is a function of the former (psi^
  adds noise that is independent of y_0 given the models). A function of an observation has no smaller Bayes risk.
  It can be strict even where mu determines the law of the label, since psi says where a model stands only up to a
  rigid motion, which n noisy labels tell imperfectly: two models at distance 1 with chances 1/4 and 3/4 of label 1, n
  = 1: risk 1/4 given f_0, 3/8 given the distance and y_1.
* H25-X4/relative-label: without that independence, psi_0, .., psi_n against f_0 alone. Refuted: two models, fair
  coins f_0, f_1 with means f_0, f_1 and y_0 = 1 if they differ. Given f_0 alone the label is a fair coin, risk 1/2;
  from the distance of psi_0 and psi_1 it is known, risk 0. Perspectives are joint: they say how a model stands to the
  others, and a label that depends on that is better seen in them than in the model alone. Against all models together
  (f_0, .., f_n) the statement needs no independence. It is the labels that matter: dependent models with y_0
  independent of the others given f_0 do not break it.
* H25-X5: models with equal means and different laws cannot be told apart by the true perspectives. Holds: Delta_ii' =
  0 and rows i and i' of Delta are equal. Classical: rows i and i' of B are equal, hence of its eigenvectors of
  positive eigenvalue. Raw stress: with F(z) = sum over other k of (|z - z_k| - Delta_ik)^2 the stress of the two is 2
  F(z_i) + 2 F(z_i') + 2 |z_i - z_i'|^2; putting both where F is smaller would be strictly better, unless they
  coincide.
* H25-X5/estimated: nor by estimated perspectives at a fixed r. Refuted: r = 1, models 1 and 3 always answer 0, model 2
  answers 1 or -1, a fair choice. All means are 0, and D_12 = D_23 = 1, D_13 = 0 with certainty, for every m (c =
  1/sqrt(m)); for odd r D_23 > 0 with certainty. In general E D_13^2 - E D_23^2 = c^2 sum_j (gamma_1j - gamma_2j)/r by
  DK-M1, so models with different gamma are told apart as m grows at any fixed r.
* H25-X5/second-moments: embed by (g, g g') and laws of one mean and different second moments are told apart: Delta^2
  is then ||mu - mu'||^2 + ||E g g' - E' g g'||^2. Laws with both in common still are not.
Hypotheses. As said with each.
Relation. Inequality of risks, equality of perspectives.
Reference. Helm, Acharyya, Park, Duderstadt, Priebe (2025), Findings of ACL.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import _h25 as h25
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.search import largest_difference

SOURCE_X4 = "H25, discussion of the Bayes risk"
SOURCE_X5 = "H25, limitations"
#: Chance of each model, its mean answers to two queries, and chance of label 1 given the model and the next one.
World = tuple[list[Fraction], list[tuple[int, int]], list[list[Fraction]]]


def random_world(generator: random.Random, relative: bool) -> World:
    """Return three models with random chances and means; labels depend on the next model too if ``relative``."""
    weights = [Fraction(generator.randint(1, 4)) for _ in range(3)]
    means = [(generator.randint(-1, 1), generator.randint(-1, 1)) for _ in range(3)]
    chances = [[Fraction(generator.randint(0, 4), 4) for _ in range(3)] for _ in range(3)]
    chances = chances if relative else [[row[0]] * 3 for row in chances]
    return [w / sum(weights) for w in weights], means, chances


def bayes_risks(world: World) -> tuple[Fraction, Fraction, Fraction]:
    """Return the Bayes risks (0-1 loss) of y_0 given f_0, given all, and given all squared distances and other labels.

    Three models are drawn; "all" is the models and the other labels. Squared distances of the means are equivalent to
    the perspectives up to rigid motions, in dimension n - 1.
    """
    weights, means, chances = world
    tables: list[dict[object, list[Fraction]]] = [{}, {}, {}]
    for models in itertools.product(range(3), repeat=3):
        distances = tuple(
            sum((x - y) ** 2 for x, y in zip(means[models[i]], means[models[j]], strict=True))
            for i, j in ((0, 1), (0, 2), (1, 2))
        )
        for labels in itertools.product((0, 1), repeat=3):
            probability = Fraction(1)
            for place, label in enumerate(labels):
                chance = chances[models[place]][models[(place + 1) % 3]]
                probability *= weights[models[place]] * (chance if label else 1 - chance)
            for table, seen in zip(tables, (models[0], (models, labels[1:]), (distances, labels[1:])), strict=True):
                table.setdefault(seen, [Fraction(0), Fraction(0)])[labels[0]] += probability
    one, both, perspectives = (1 - sum((max(row) for row in table.values()), Fraction(0)) for table in tables)
    return one, both, perspectives


def _data_processing(relative: bool, setting: Setting) -> Evidence:
    generator = random.Random(setting.integer_seed("worlds"))

    def pairs():
        for _ in range(setting.size(40, 600)):
            one, both, perspectives = bayes_risks(random_world(generator, relative))
            yield one, both  # given f_0 the others add nothing
            yield one, perspectives

    return exact_equalities(
        pairs(), "Bayes risk given f_0 <= Bayes risk given psi_0, .., psi_2 and the other labels", relation="upper"
    )


def _twins(means: np.ndarray, other: float) -> np.ndarray:
    """Make model 1 a copy of model 0; ``other`` moves one of its coordinates."""
    means = means.reshape(5, 4, 2).copy()
    means[1] = means[0]
    means[1, 0, 0] += other
    return means


def _same_place(other: float, setting: Setting) -> Evidence:
    """Distance of models 0 and 1 of equal means in classical Psi, d = 2, over the largest distance."""

    def difference(flat):
        delta = cases.dissimilarities(_twins(flat, other), dk.Convention())
        psi = cases.perspective(delta, 2)
        return float(np.linalg.norm(psi[0] - psi[1])) / (1.0 + delta.max())

    return largest_difference(
        cases.integer_arrays(5, 8),
        difference,
        setting,
        # An eigenvalue that is rounding, 1e-15 of the first, enters by its square root, 3e-8.
        within=1e-6,
        says="distance in Psi of two models with equal means, classical, d = 2, relative to the largest Delta",
        quick=150,
        full=1500,
    )


def _same_place_on_line(other: float, setting: Setting) -> Evidence:
    """Distance of the two in every minimiser of raw stress on the line."""

    def difference(flat):
        delta = cases.distances(_twins(flat, other).reshape(5, -1))[:4, :4]
        return max(float(z[0, 1]) for z in cases.line_classes(delta)) / (1.0 + delta.max())

    return largest_difference(
        cases.integer_arrays(5, 8),
        difference,
        setting,
        within=1e-9,
        says="distance of two models with equal means in every minimiser of raw stress on the line, four models",
        quick=60,
        full=600,
    )


Law = dict[tuple[int, ...], Fraction]


def _planar_law(generator: random.Random) -> Law:
    points = generator.sample([(x, y) for x in range(-2, 3) for y in range(-2, 3)], 3)
    weights = [Fraction(generator.randint(1, 4)) for _ in points]
    return {point: w / sum(weights) for point, w in zip(points, weights, strict=True)}


def _spread(law: Law, generator: random.Random) -> Law:
    """Split one point into two around it: the same mean, another second moment."""
    point, step = generator.choice(sorted(law)), generator.choice([(1, 0), (0, 1), (1, 1), (1, -1)])
    found = {place: weight for place, weight in law.items() if place != point}
    for sign in (1, -1):
        moved = tuple(x + sign * s for x, s in zip(point, step, strict=True))
        found[moved] = found.get(moved, Fraction(0)) + law[point] / 2
    return found


def moments(law: Law, order: int) -> list[Fraction]:
    """Return the mean of g, and of g g' for order 2, as one list."""
    found = [sum((w * x[a] for x, w in law.items()), Fraction(0)) for a in range(2)]
    if order == 2:
        found += [
            sum((w * x[a] * x[b] for x, w in law.items()), Fraction(0))
            for a, b in itertools.product(range(2), repeat=2)
        ]
    return found


def _squared_gap(first: Law, second: Law, order: int) -> Fraction:
    return sum(((x - y) ** 2 for x, y in zip(moments(first, order), moments(second, order), strict=True)), Fraction(0))


#: A law on the line with its mirror image: means, variances equal, third moments opposite.
_SKEWED: Law = {(-1, 0): Fraction(2, 3), (2, 0): Fraction(1, 3)}


def _told_apart(order: int, setting: Setting) -> Evidence:
    """Delta^2 > 0, as 0 or 1, under (g, g g') for laws with one mean; 0 for a mirror image with equal moments."""
    generator = random.Random(setting.integer_seed("laws"))

    def pairs():
        mirrored = {(-x, -y): w for (x, y), w in _SKEWED.items()}
        yield _squared_gap(_SKEWED, mirrored, order), Fraction(0)
        for _ in range(setting.size(150, 2000)):
            law = _planar_law(generator)
            other = _spread(law, generator)
            yield _squared_gap(law, other, 1), Fraction(0)
            yield Fraction(_squared_gap(law, other, order) > 0), Fraction(1)

    return exact_equalities(
        pairs(), "Delta^2 of planar laws with one mean and different second moments is above 0 under (g, g g')"
    )


def _seen_by_noise():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid, generator = 4 ** np.arange(0, 7), np.random.default_rng(0)
    for m, marker in ((2, "s"), (1000, "o")):
        signs = 2.0 * generator.binomial(grid, 0.5, size=(200, m, len(grid))) - grid
        far = np.sqrt(np.square(signs / grid).mean(1))
        axes.errorbar(grid, far.mean(0), 2 * far.std(0), fmt=marker, capsize=2, label=f"D of models 2, 3, m = {m:,}")
    axes.plot(grid, grid**-0.5, color="0.4", lw=1, label="√(γ/r)")
    axes.axhline(0, color="k", lw=1, ls=":", label="D of models 1, 3; all true dissimilarities")
    axes.set(xscale="log", xlabel="replicates r", ylabel="D (mean ± 2 standard deviations)")
    figure.legend(loc="outside lower left")
    return figure


def _two_coins():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    for label, marker in ((0, "o"), (1, "s")):
        ends = [(0, label), (1, 1 - label)]
        axes.plot(*zip(*ends, strict=True), marker + ":", lw=0.8, ms=11, label=f"label {label}: distance {label}")
    axes.set(xlabel="model f₀, seen alone", ylabel="the other model f₁", xticks=[0, 1], yticks=[0, 1])
    axes.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4))
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def coin_case() -> h25.Case:
    """Two models always answer 0, the second answers 1 or -1: equal means, different laws."""
    chances = np.array([[0.0, 1, 0], [0.5, 0, 0.5], [0.0, 1, 0]])
    table = np.array([[-1.0], [0.0], [1.0]])
    return h25.Case(dk.Categorical(np.repeat(chances[:, None], 2, axis=1), table), 1, np.array([0.0, 1.0, 0.0]))


def _equal_means(case: h25.Case) -> bool:
    return bool(np.allclose(h25.population_squares(case)[:2, :2], 0, atol=1e-12))


EQUAL_MEANS = Hypothesis("models 1 and 2 have equal means", _equal_means)
_DIFFERENT = Witness(
    "a coin +-1 between two models that always answer 0",
    coin_case,
    lambda case: bool(np.ptp(np.asarray(case.population.gamma)[:2, 0]) > 0),
)
INDEPENDENT_LABELS = Hypothesis(
    "(f_i, y_i) are independent: labels do not depend on other models",
    lambda world: all(len(set(row)) == 1 for row in world[2]),
)
CHANCES = Hypothesis("chances are non-negative and sum to one", lambda world: sum(world[0]) == 1 and min(world[0]) >= 0)
_HALF, _ZERO, _ONE = Fraction(1, 2), Fraction(0), Fraction(1)
_WORLD: World = ([Fraction(1, 3)] * 3, [(0, 0), (0, 0), (1, 0)], [[_ZERO] * 3, [_ONE] * 3, [_HALF] * 3])
_RELATIVE: World = (
    [_HALF, _HALF, _ZERO],
    [(0, 0), (1, 0), (1, 0)],
    [[_ZERO, _ONE, _ONE], [_ONE, _ZERO, _ZERO], [_ONE] * 3],
)

_RISK_OF_PSI = r"\inf_h\mathbb P\{h(\psi_0;T)\ne y_0\}"

CLAIMS = (
    Claim(
        id="H25-X4",
        title="The Bayes risk on perspectives is never below that on the models",
        source=SOURCE_X4,
        form="as-printed",
        reading="(f_i, y_i) independent and identically distributed; all perspectives and the other labels against f_0",
        statement=_RISK_OF_PSI + r"\ \ge\ \inf_h\mathbb P\{h(f_0)\ne y_0\}",
        hypotheses=(CHANCES, INDEPENDENT_LABELS),
        witness=Witness(
            "three models, two of which have one mean and different labels",
            lambda: _WORLD,
            lambda world: bayes_risks(world)[0] < bayes_risks(world)[2],
        ),
        checks=(Check("finite-laws", _data_processing, False, True, "labels that depend on another model"),),
        recorded="holds",
    ),
    Claim(
        id="H25-X4/relative-label",
        title="The Bayes risk on perspectives is never below that on the model alone, whatever the labels depend on",
        source=SOURCE_X4,
        form="as-printed",
        reading="no independence of labels and other models: all perspectives against f_0 alone",
        statement=_RISK_OF_PSI + r"\ \ge\ \inf_h\mathbb P\{h(f_0)\ne y_0\}",
        hypotheses=(CHANCES,),
        witness=Witness(
            "two models, a label that says whether they differ",
            lambda: _RELATIVE,
            lambda world: bayes_risks(world)[0] == _HALF,
        ),
        checks=(
            Check(
                "two-coins",
                counterexample,
                Stored("h25-x4-relative-label", "risk_psi", "risk_f", "lower"),
                Stored(
                    "h25-x4-relative-label",
                    "risk_psi",
                    "risk_f",
                    "lower",
                    replaced={"y": [["0"], ["0"], ["1"], ["1"]]},
                ),
                "a label of the model itself",
            ),
        ),
        recorded="refuted",
        repair="H25-X4",
        drawings=(
            Drawing(
                _two_coins,
                "Four equally likely pairs of models. At either f₀ both labels occur, so f₀ alone says nothing; each "
                "dotted line is one distance, and one label.",
            ),
        ),
    ),
    Claim(
        id="H25-X5",
        title="Models with equal means and different laws cannot be told apart by the true perspectives",
        source=SOURCE_X5,
        form="as-printed",
        reading="Psi from Delta, classical and raw stress",
        statement=r"\mu_{ij}=\mu_{i'j}\ (j=1,\dots,m)\ \Rightarrow\ \psi_i=\psi_{i'}",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, EQUAL_MEANS),
        witness=_DIFFERENT,
        checks=(
            Check("classical", _same_place, 0.0, 1.0, "one mean moved by 1"),
            Check("raw-stress-on-the-line", _same_place_on_line, 0.0, 1.0, "one mean moved by 1"),
        ),
        recorded="holds",
    ),
    Claim(
        id="H25-X5/estimated",
        title="Models with equal means and different laws cannot be told apart by estimated perspectives at fixed r",
        source=SOURCE_X5,
        form="own",
        reading="Psi^ from D at r = 1, any m, c = 1/sqrt(m)",
        statement=r"\mu_{ij}=\mu_{i'j}\ \forall j\ \Rightarrow\ D_{ik},D_{i'k}\text{ have one law, for each other }k",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, EQUAL_MEANS),
        witness=_DIFFERENT,
        checks=(
            Check(
                "coin",
                counterexample,
                Stored("h25-x5-estimated", "far", "0", "equal"),
                Stored("h25-x5-estimated", "far", "0", "equal", replaced={"b": [["0"], ["0"], ["0"]]}),
                "the second model without noise",
            ),
        ),
        recorded="refuted",
        repair="H25-X5",
        drawings=(
            Drawing(
                _seen_by_noise,
                "Three models with mean 0, of which only the second answers with noise: at any fixed r its distance to "
                "the third is inflated, the first one's is not, and more queries make the difference surer.",
            ),
        ),
    ),
    Claim(
        id="H25-X5/second-moments",
        title="With (g, gg') as the embedding, equal means and different second moments are told apart",
        source=SOURCE_X5,
        form="own",
        reading="true perspectives, one query; laws with both moments in common are still not told apart",
        statement=r"\mu_i=\mu_{i'},\ \Sigma_i\ne\Sigma_{i'}\ \Rightarrow\ \Delta^{(g,gg^\top)}_{ii'}>0",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, EQUAL_MEANS),
        witness=_DIFFERENT,
        checks=(Check("planar-laws", _told_apart, 2, 1, "g alone"),),
        recorded="holds",
    ),
)
