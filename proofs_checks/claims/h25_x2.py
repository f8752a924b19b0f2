r"""H25-X2: whether one nearest neighbour and Fisher's discriminant meet the continuity assumption of H25-T1.

Setting. As in H25-T1: a rule h(psi_0; T), continuous in psi_0 and T.
Statement. H25's experiments use one nearest neighbour and Fisher's linear discriminant; its theorem wants h
continuous.
Hypotheses. Two labels.
Constants. None.
Relation. Continuity, an equality of limits.
Reference. Helm, Acharyya, Park, Duderstadt, Priebe (2025), Findings of ACL.

Readings.
1. H25-X2, one nearest neighbour: refuted. Training models at -1 (label 0) and 1 (label 1): the difference of the
   squared distances from x, (x + 1)^2 - (x - 1)^2 = 4x, changes sign at 0, so the rule returns 0 left of 0 and 1
   right of it. Any rule that takes two values and is not constant is discontinuous, its domain being connected.
2. H25-X2/fisher: refuted, as a rule of labels for the same reason, and not only at the boundary: where the pooled
   scatter is singular the direction itself has no limit. Classes (+-s, +-t) and (1 +- s, 1 +- t) have pooled scatter
   diag(s^2, t^2) and direction proportional to (1/s^2, 1/t^2). The model at (3/4, 1/4) gets the score (t^2 - s^2)/(4
   s^2 t^2) relative to the midpoint: positive for (s, t) = (h, 2h), negative for (2h, h), for every h > 0, while both
   training sets tend to the same two points. The direction scaled to length 1 keeps the signs, and the score 0.18 in
   size, so a continuous score does not help.
3. H25-X2/almost-everywhere: continuity of h at (psi_0, T) with probability one is enough for H25-T1 (mapping theorem,
   after alignment). It holds for one nearest neighbour if two equidistant training models of different labels have
   probability zero, and for Fisher's rule if the scatter is regular and no model lies on the boundary, with
   probability one.
"""

from __future__ import annotations

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import _h25 as h25
from proofs_checks.claims.h25_t1 import RISKS
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample

SOURCE = "H25, experiments"
#: Training models of each class for Fisher's rule; the test model comes first.
PER_CLASS = 6


def fisher_rule(psi: np.ndarray) -> np.ndarray:
    """Label of the first model by Fisher's rule from PER_CLASS models of label 0 and as many of label 1, (b, n, d)."""
    zero, one = psi[:, 1 : PER_CLASS + 1], psi[:, PER_CLASS + 1 :]
    means = [part.mean(1, keepdims=True) for part in (zero, one)]
    centred = np.concatenate([part - mean for part, mean in zip((zero, one), means, strict=True)], axis=1)
    scatter = np.swapaxes(centred, 1, 2) @ centred
    direction = np.linalg.solve(scatter, (means[1] - means[0])[:, 0, :, None])
    return (((psi[:, :1] - (means[0] + means[1]) / 2) @ direction)[:, 0, 0] > 0) * 1.0


def _agreement(same: np.ndarray, says: str) -> Evidence:
    return monte_carlo.success_rate(
        int(same.sum()),
        len(same),
        0.99,
        0.95,
        relation="coverage",
        says=f"P(labels on psi^ and on psi are the same) >= 99/100 at m = 4, r = 10^12: {says}",
        named="a law under which that probability is 95/100 or less",
    )


def _nearest(ties: bool, setting: Setting) -> Evidence:
    """Eight random models, each predicted from the others by one nearest neighbour."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    size = setting.size(3000, 30000)
    theta = h25.model_positions(generator, (size, 8))
    theta = np.round(theta) if ties else theta
    labels = generator.integers(2, size=theta.shape[:2]) * 1.0
    truth = h25.nearest_rule(h25.limit_positions(theta), labels)
    squares = h25.sampled_squares(h25.mean_answers(theta, 4), h25.HIGH, generator)
    found = h25.nearest_rule(h25.moved(h25.classical(squares, 2), generator), labels)
    return _agreement((found == truth).all(1), "one nearest neighbour, all eight models")


def _fisher(on_the_boundary: bool, setting: Setting) -> Evidence:
    """One model predicted from twelve of two overlapping classes by Fisher's rule."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    size = setting.size(3000, 30000)
    one = generator.uniform(-0.6, 0.6, size=(size, PER_CLASS, 2)) + np.array([0.4, 0.0])
    other = generator.uniform(-0.6, 0.6, size=(size, PER_CLASS, 2)) - np.array([0.4, 0.0])
    test = generator.uniform(-1, 1, size=(size, 1, 2))
    if on_the_boundary:
        test, other = 0 * test, -one
    theta = np.concatenate([test, other, one], axis=1)
    truth = fisher_rule(h25.limit_positions(theta))
    squares = h25.sampled_squares(h25.mean_answers(theta, 4), h25.HIGH, generator)
    found = fisher_rule(h25.moved(h25.classical(squares, 2), generator))
    return _agreement(found == truth, "Fisher's rule, twelve training models")


def _two_boundaries():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    for (s, t), marker, name in (((0.05, 0.1), "o", "scatter diag(h², 4h²)"), ((0.1, 0.05), "s", "diag(4h², h²)")):
        points = np.concatenate([signs * [s, t], 1 + signs * [s, t]])
        (drawn,) = axes.plot(*points.T, marker, label=f"training models, {name}, h = 1/20")
        # The boundary through the midpoint is orthogonal to (1/s^2, 1/t^2).
        along = np.array([1 / t**2, -1 / s**2]) / np.hypot(1 / s**2, 1 / t**2)
        axes.plot(*(0.5 + np.outer([-0.9, 0.9], along)).T, color=drawn.get_color(), lw=1)
    axes.plot([0.75], [0.25], "k*", markersize=10, label="model to predict")
    axes.set(xlabel="first coordinate", ylabel="second coordinate", xlim=(-0.3, 1.3), ylim=(-0.3, 1.3), aspect="equal")
    figure.legend(loc="outside lower left")
    return figure


def _step():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    x = np.concatenate([np.linspace(-2, -1e-6, 50), np.linspace(1e-6, 2, 50)])
    psi = np.stack([x, np.full(100, -1.0), np.full(100, 1.0)], axis=1)[..., None]
    found = h25.nearest_rule(psi, np.tile([0.5, 0.0, 1.0], (100, 1)))[:, 0]
    for side in (x < 0, x > 0):
        axes.plot(x[side], found[side], color="C0", label="label by one nearest neighbour" if side[0] else None)
    axes.plot([-1, 1], [0, 1], "s", color="C1", label="training models")
    axes.axvline(0, color="0.5", lw=0.8, ls=":")
    axes.set(xlabel="place of the model to predict", ylabel="label")
    figure.legend(loc="outside lower left")
    return figure


def _distinct(case: h25.Case) -> bool:
    squares = h25.population_squares(case)
    pairs = np.sort(squares[np.triu_indices(len(squares), 1)])
    return bool(np.diff(pairs).min() > 1e-9)


def _clear_of_the_boundary(case: h25.Case) -> bool:
    """Whether each model, left out, has a regular pooled scatter of the others and a score other than zero."""
    psi, clear = h25.classical(h25.population_squares(case), case.d), True
    for model in range(len(psi)):
        parts = [np.delete(psi, model, 0)[np.delete(case.labels, model) == label] for label in (0, 1)]
        means = [part.mean(0) for part in parts]
        scatter = np.asarray(sum(np.cov(part.T, bias=True) * len(part) for part in parts)).reshape(case.d, case.d)
        score = (psi[model] - (means[0] + means[1]) / 2) @ np.linalg.solve(scatter, means[1] - means[0])
        clear &= bool(np.linalg.cond(scatter) < 1e6 and abs(score) > 1e-6)
    return clear


TWO_LABELS = Hypothesis("both labels occur", lambda case: set(case.labels) == {0.0, 1.0})
WITHOUT_TIES = Hypothesis("no two distances are equal, so one nearest neighbour is continuous there", _distinct)
CLEAR = Hypothesis("scatters are regular and no model is on the boundary, so Fisher's rule is", _clear_of_the_boundary)
_LINE = Witness(
    "four models, labels 0, 1, 0, 1",
    lambda: h25.corner_case(np.array([[-1.0, 0], [1.0, 0], [0.0, 1], [0.0, -1]]), 2, np.array([0.0, 1, 0, 1])),
    lambda case: not _distinct(case),
)


def _score(s: str, t: str) -> tuple[object, ...]:
    """Score of the certificate's model, over that of the difference of the class means, as an expression."""
    squares = [("/", "1", ("*", side, side)) for side in (s, t)]
    direction = ("matmul", ("+", ("scale", squares[0], "first"), ("scale", squares[1], "second")), "delta")
    parts = [("entry", ("matmul", row, direction), "0", "0") for row in ("place", ("T", "delta"))]
    return ("/", *parts)


CLAIMS = (
    Claim(
        id="H25-X2",
        title="One nearest neighbour meets the continuity assumption",
        source=SOURCE,
        form="as-printed",
        reading="continuous everywhere, as a function of the model and the training set",
        statement=r"h_{1\mathrm{NN}}(x_k;T_k)\to h_{1\mathrm{NN}}(x;T)\text{ whenever }(x_k,T_k)\to(x,T)",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, TWO_LABELS),
        witness=_LINE,
        checks=(
            Check(
                "midpoint",
                counterexample,
                Stored("h25-x2", ("-", "label_right", "label_left"), "0"),
                Stored(
                    "h25-x2", ("-", "label_right", "label_left"), "0", replaced={"label_b": "0", "label_right": "0"}
                ),
                "both training models with one label",
            ),
        ),
        recorded="refuted",
        repair="H25-X2/almost-everywhere",
        drawings=(
            Drawing(_step, "Half way between two training models with different labels the predicted label jumps."),
        ),
    ),
    Claim(
        id="H25-X2/fisher",
        title="Fisher's discriminant meets the continuity assumption",
        source=SOURCE,
        form="as-printed",
        reading="continuous everywhere, as a function of the model and the training set; the label, or the score along "
        "the direction scaled to length 1",
        statement=r"h_{\mathrm F}(x_k;T_k)\to h_{\mathrm F}(x;T)\text{ whenever }(x_k,T_k)\to(x,T)",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, TWO_LABELS),
        witness=_LINE,
        checks=(
            Check(
                "vanishing-scatter",
                counterexample,
                Stored("h25-x2-fisher", _score("s", "t"), _score("t", "s"), "equal"),
                Stored("h25-x2-fisher", _score("s", "t"), _score("t", "s"), "equal", replaced={"s": "1/500"}),
                "both training sets of the same shape",
            ),
        ),
        recorded="refuted",
        repair="H25-X2/almost-everywhere",
        drawings=(
            Drawing(
                _two_boundaries,
                "Two training sets and their boundaries by Fisher's rule. As h falls both sets tend to the points "
                "(0, 0) and (1, 1), while the boundaries stay and the model stays on different sides of them.",
            ),
        ),
    ),
    Claim(
        id="H25-X2/almost-everywhere",
        title="Continuity at almost every draw of models is enough, and both rules have it where there are no ties",
        source=SOURCE,
        form="repaired",
        reading="H25-T1/sqrt-m with h continuous at (psi_0, T) with probability one; both rules, laws without ties",
        statement=r"\mathbb P\{h\text{ continuous at }(\psi_0,T)\}=1\ \Rightarrow\ " + RISKS,
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS, TWO_LABELS, WITHOUT_TIES, CLEAR),
        witness=Witness(
            "eight Bernoulli models with different distances, labels of both kinds",
            h25.bernoulli_case,
            lambda case: float(case.population.gamma.min()) > 0,
        ),
        checks=(
            Check("nearest-neighbour", _nearest, False, True, "parameters rounded to a lattice, which makes ties"),
            Check("fisher", _fisher, False, True, "the model on the boundary between symmetric classes"),
        ),
        recorded="holds",
    ),
)
