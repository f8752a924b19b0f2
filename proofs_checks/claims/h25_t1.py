r"""H25-T1: the risk of a rule trained on estimated perspectives tends to that of the rule trained on true ones.

Setting. Models with labels (f_i, y_i), i = 0..n, embedded together; h predicts y_0 from psi_0 and the training set
T = {(psi_i, y_i), i >= 1}; its risk is E loss(h(psi_0; T), y_0). n is fixed, g is bounded by R, c = 1/m, and Delta* =
lim (1/m) ||mu_i - mu_i'||_F is assumed to exist. The true perspectives are MDS(Delta*), the estimated ones MDS(D).
Statement. If h is invariant to rigid motions of (psi_0, T) and continuous, with bounded closed image, and the loss is
continuous, then the risk with psi^ tends to the risk with psi as m, r -> infinity.
Hypotheses. As stated. Which MDS is meant is not said: classical and raw stress are both judged. Continuity is that of
h in psi_0 and T jointly; labels lie in a compact set, since a continuous loss need not be integrable otherwise. All
displays below are given the models and labels; averages over them follow by bounded convergence.
Constants. None.
Relation. Limit; where there is a rate, r^(-1/2).
Reference. Helm, Acharyya, Park, Duderstadt, Priebe (2025), Findings of ACL.

Readings.
1. H25-T1, as printed: vacuous. ||mu_i - mu_i'||_F^2 is a sum of m terms of at most (2R)^2, so (1/m) ||.||_F <= 2R /
   sqrt(m) -> 0: Delta* = 0 whatever the models are (H25-X1), all true perspectives coincide under either MDS, and the
   risk on the right is that of a rule that cannot tell the models apart. The limit itself is true: D <= 2R / sqrt(m)
   too, for every draw, and ||psi^_i - psi^_i'|| is at most 2 ||D||_F under either MDS.
2. H25-T1/sqrt-m: c = 1/sqrt(m), classical MDS, and B* = -1/2 H Delta*^2 H with lambda_d > lambda_{d+1} or
   lambda_{d+1} = 0. Holds. |D - Delta_m| <= c (||E_i||_F + ||E_i'||_F) with E c^2 ||E_i||_F^2 <= R^2 / r whatever m
   is, and Delta_m -> Delta*, so D -> Delta* and B^ -> B* in probability, m and r growing in any way. The condition
   makes the positive part of rank d of B* the one limit of those of B^, factors converge with their Gram matrices up
   to an orthogonal map, h does not see that map, and losses are bounded. Where h and the loss are Lipschitz and the
   gap is open the risks differ by O(r^(-1/2)) and by what Delta_m still differs from Delta*.
3. H25-T1/raw-stress: c = 1/sqrt(m), raw stress, Psi a fixed member of MDS(Delta*). Refuted by the triangle 13, 13, 10
   on the line (A24-T1), every query the same, both coordinates of an answer moved by independent fair signs. The
   mirror that swaps models 2 and 3 keeps the law of D, and P(D_12 = D_13) -> 0 as r grows, so each of the two classes
   of minimisers is approached with probability 1/2 in the limit, for every m. Weights 1/(1 + distance), labels 0, 0,
   1 and absolute loss, leave-one-out: the sum of the three losses is 13/21 + 52/75 + 1 in the one class and 8/21 +
   32/55 + 1 in the other; the limit is halfway. With models drawn independently from the three, the draws with a
   repeated model have one class of minimisers, so the average risks keep 6/27 of a third of that difference, if the
   choice of Psi does not depend on the order in which the models are listed.
4. H25-T1/raw-stress/one-class: the same with one class of minimisers. Holds, by A24-L1/repaired and the argument of 2.
5. H25-T1/no-eigengap: classical, lambda_d = lambda_{d+1} > 0. Refuted on the square in d = 1, signs as in 3 (see
   B26-T2): a quarter turn R with S Y = Y R relabels the models and keeps the law of D, so in the limit psi^ = Y theta
   with theta and R theta of one law. Let h be the mean squared distance to the training models with label 1, divided
   by 8 and cut at 1; y_0 = 0, absolute loss. Squared distances are linear in M = theta theta', and E M = I/2, by (M +
   R M R')/2 = I/2. With label 1 at model 1 the risk tends to 1/4, with label 1 at model 2 to 1/2. A member Y theta
   with these two risks has M = I/2, of rank 2, but theta theta' has rank 1. Psi depends on the models only, so for
   each Psi one of the two labellings contradicts. One labelling alone would not: by continuity in theta some member
   has the mean risk.
"""

from __future__ import annotations

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import _h25 as h25
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.symbolic import nothing_left

SOURCE = "H25, theorem 1"
#: Labels of the triangle's models, and draws behind each share.
LABELS, REPLICATES = np.array([0.0, 0.0, 1.0]), 1000


def largest_delta(power: int):
    """Sides of: the largest possible Delta is 2R/sqrt(m), which tends to zero; c = m^(-power/2)."""

    def sides():
        import sympy

        m, bound = sympy.symbols("m R", positive=True)
        largest = m ** sympy.Rational(-power, 2) * sympy.sqrt(m * (2 * bound) ** 2)
        return (
            "the largest Delta of models with |g| <= R is 2R/sqrt(m), and so Delta* = 0: true perspectives coincide",
            [
                (largest, 2 * bound / sympy.sqrt(m)),
                (sympy.limit(largest, m, sympy.oo), sympy.Integer(0)),
            ],
        )

    return sides


def _with_replicates(case, setting: Setting) -> Evidence:
    """|risk with psi^ - risk with psi| over blocks of random models, n = 8, (m, r) = (4, 10^4) and (32, 10^12)."""
    rule, d = case
    generator = np.random.default_rng(setting.integer_seed("models"))
    theta = h25.model_positions(generator, (h25.BLOCKS * h25.DRAWS, 8))
    labels = (generator.uniform(size=theta.shape[:2]) < 0.5 + 0.4 * theta[..., 0]) * 1.0
    truth = rule(h25.limit_positions(theta), labels)
    gaps = []
    for m, r in ((4, h25.LOW), (32, h25.HIGH)):
        found = h25.classical(h25.sampled_squares(h25.mean_answers(theta, m), r, generator), d)
        gaps.append(h25.risk_gaps(rule(h25.moved(found, generator), labels), truth, labels))
    says = f"difference of the risks on psi^ and psi, random models, d = {d}, (m, r) = (4, 10^4) and (32, 10^12)"
    return monte_carlo.falls_as(gaps[0], gaps[1], h25.HIGH / h25.LOW, says=says)


def _with_queries(power: float, setting: Setting) -> Evidence:
    """Drop the noise, m = 9 and 9001: only Delta_m -> Delta* is left, at the rate 1/m here."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    theta = h25.model_positions(generator, (h25.BLOCKS * h25.DRAWS, 8))
    labels = (generator.uniform(size=theta.shape[:2]) < 0.5 + 0.4 * theta[..., 0]) * 1.0
    truth = h25.smooth_rule(h25.limit_positions(theta), labels)
    gaps = []
    for m in (9, 9001):
        turns = -(-m // 4) - 1  # whole turns through the four directions; one direction is asked once more
        squares = (4 * turns * h25.limit_squares(theta) + h25.limit_squares(theta, 1)) / m ** (2 * power)
        gaps.append(h25.risk_gaps(h25.smooth_rule(h25.classical(squares, 2), labels), truth, labels))
    return monte_carlo.falls_as(
        gaps[0], gaps[1], 9001 / 9, rate=1.0, says="difference of the risks at r infinite, m = 9 and 9001 queries"
    )


def _reciprocal(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Leave-one-out predictions by weights 1/(1 + distance), (b, n, n) and (b, n) -> (b, n)."""
    weights = (1 - np.eye(distances.shape[1])) / (1 + distances)
    return (weights @ labels[..., None])[..., 0] / weights.sum(-1)


def line_losses(distances: np.ndarray) -> np.ndarray:
    """Sum of the absolute leave-one-out losses of that rule with labels 0, 0, 1; (b, 3, 3) -> (b,)."""
    return np.abs(_reciprocal(distances, LABELS[None]) - LABELS).sum(-1)


def _member_losses(long: float) -> np.ndarray:
    """Losses of each class of minimisers for sides 13, long and 10."""
    delta = np.sqrt(h25.squared(h25.triangle(long)[None]))
    members = [h25.triangle_on_line(delta)]
    if long == 13.0:
        swap = np.ix_([0], [0, 2, 1], [0, 2, 1])
        members.append(members[0][swap])
    return line_losses(np.concatenate(members))


def _sampled_losses(long: float, m: int, r: float, size: int, generator: np.random.Generator) -> np.ndarray:
    squares = h25.sampled_corners(h25.triangle(long), m, r, size, generator)
    return line_losses(h25.triangle_on_line(np.sqrt(squares)))


def _best_member(long: float, setting: Setting) -> Evidence:
    """P(the loss is near that of the best fixed member), at the better of (m, r) = (4, 10^4), (16, 10^12)."""
    generator, members = np.random.default_rng(setting.integer_seed("answers")), _member_losses(long)
    apart = abs(np.diff(_member_losses(13.0))[0]) / 2
    near = []
    for m, r in ((4, h25.LOW), (16, h25.HIGH)):
        losses = _sampled_losses(long, m, r, REPLICATES, generator)
        near.append(int((np.abs(losses - members[:, None]) < apart).sum(1).max()))
    return monte_carlo.stays_near_one_member(
        max(near),
        REPLICATES,
        "P(the losses on psi^ are near those of the best fixed member) >= 3/4, sides 13, 13, 10 on the line",
    )


def _one_class(long: float, setting: Setting) -> Evidence:
    generator, member = np.random.default_rng(setting.integer_seed("answers")), _member_losses(long)[0]
    gaps = []
    for m, r in ((2, h25.LOW), (16, h25.HIGH)):
        losses = _sampled_losses(long, m, r, h25.BLOCKS * h25.DRAWS, generator)
        gaps.append(np.abs(losses.reshape(h25.BLOCKS, -1).mean(1) - member))
    says = "difference of the risks on psi^ and psi by raw stress, sides 13, 12.5, 10, (m, r) = (2, 10^4), (16, 10^12)"
    return monte_carlo.falls_as(gaps[0], gaps[1], h25.HIGH / h25.LOW, says=says)


SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])


def _far(psi: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Predict for model 0: mean squared distance to the models with label 1, over 8, cut at 1; (b, n, 1) -> (b,)."""
    return np.minimum((h25.squared(psi)[:, 0] * labels).sum(1) / (8 * labels.sum(1)), 1.0)


def square_predictions(squares: np.ndarray) -> np.ndarray:
    """Predictions on the line with label 1 at model 1 and with label 1 at model 2, (b, 4, 4) -> (2, b)."""
    psi = h25.classical(squares, 1)
    return np.array([_far(psi, np.eye(4)[None, model]) for model in (1, 2)])


def _two_labellings(width: float, setting: Setting) -> Evidence:
    """P(both predictions are within 1/8 of those of the best fixed member), r = 10^4 and 10^12."""
    generator, corners = np.random.default_rng(setting.integer_seed("answers")), SQUARE * [width, 1.0]
    angles = np.linspace(0, np.pi, 181) if width == 1.0 else np.zeros(1)
    theta = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    line = np.einsum("ik,tk->ti", corners, theta)[..., None]
    members = np.minimum(h25.squared(line)[:, 0][:, [1, 2]].T / 8, 1.0)
    near = []
    for m, r in ((4, h25.LOW), (16, h25.HIGH)):
        found = square_predictions(h25.sampled_corners(corners, m, r, REPLICATES, generator))
        near.append(int((np.abs(found[:, None] - members[:, :, None]).max(0) < 1 / 8).sum(1).max()))
    found = monte_carlo.success_rate(
        max(near),
        REPLICATES,
        0.75,
        0.5,
        relation="coverage",
        says="P(predictions under both labellings are within 1/8 of the best fixed member's) >= 3/4, square, d = 1",
        named="the bound 1/2 that symmetry gives: a quarter turn moves one of the two by more than 1/4",
    )
    return monte_carlo.illustration(found)


def _pairs_of_predictions():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    angles, generator = np.linspace(0, np.pi, 200), np.random.default_rng(0)
    axes.plot((1 - np.cos(2 * angles)) / 4, (1 + np.sin(2 * angles)) / 2, color="0.5", label="one fixed member")
    for r, marker in ((1e2, "s"), (1e8, "o")):
        found = square_predictions(h25.sampled_corners(SQUARE, 4, r, 200, generator))
        (drawn,) = axes.plot(*found, marker, markersize=2.5, alpha=0.6, label=f"draws of psi^, r = {r:g}")
        axes.plot(
            *found.mean(1), marker, markersize=9, color=drawn.get_color(), markeredgecolor="k", label="their mean"
        )
    axes.set(xlabel="prediction, label 1 at model 1", ylabel="prediction, label 1 at model 2")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def _mean_losses():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid, generator = 10.0 ** np.arange(1, 11), np.random.default_rng(0)
    for long, marker, name in ((13.0, "o", "sides 13, 13, 10"), (12.5, "s", "sides 13, 12.5, 10")):
        risks = [_sampled_losses(long, 4, r, 400, generator).mean() for r in grid]
        axes.semilogx(grid, risks, marker, label=f"mean on estimated perspectives, {name}")
        for member in _member_losses(long):
            axes.axhline(member, color="0.5", lw=0.8, zorder=0)
    axes.set(xlabel="replicates r (m = 4 queries)", ylabel="sum of the leave-one-out losses")
    figure.legend(loc="outside lower left")
    return figure


SMOOTH = h25.tame(h25.smooth_rule)
WEIGHTS = h25.tame(lambda psi, labels: _reciprocal(np.sqrt(h25.squared(psi)), labels))
ON_THE_LINE = Hypothesis(
    "raw stress has one class of minimisers on the line",
    lambda case: len(_classes(case)) == 1,
)
RISKS = r"\mathbb E\,\ell(h(\hat\psi_0;\hat T),y_0)\to\mathbb E\,\ell(h(\psi_0;T),y_0)"


def _classes(case: h25.Case) -> list[np.ndarray]:
    return cases.line_classes(np.sqrt(h25.population_squares(case)))


WITNESS = Witness(
    "eight models with Bernoulli answers in the plane of two parameters, d = 2",
    h25.bernoulli_case,
    lambda case: bool(h25.population_squares(case).max() > 0.01) and float(case.population.gamma.min()) > 0,
)
#: A triangle without symmetry, and its sides.
_ASKEW = {
    "Mu": [["0", "12"], ["5", "0"], ["-9", "0"]],
    "Delta": [["0", "13", "15"], ["13", "0", "14"], ["15", "14", "0"]],
}
_OBSERVED, _HALFWAY = "loss_P", ("/", ("+", "loss_P", "loss_Q"), "2")

CLAIMS = (
    Claim(
        id="H25-T1",
        title="The risk on estimated perspectives tends to the risk on true ones",
        source=SOURCE,
        form="as-printed",
        reading="as printed: c = 1/m and bounded g; both kinds of MDS",
        statement=RISKS + r",\quad m,r\to\infty,\ c=1/m,\ \|g\|\le R",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, SMOOTH),
        witness=None,
        no_witness="with bounded g the only limit of (1/m)||mu_i - mu_i'|| is zero: all true perspectives coincide, "
        "and the limiting risk is that of a rule that cannot tell the models apart",
        checks=(Check("nothing-left", nothing_left, largest_delta(2), largest_delta(1), "normalised by 1/sqrt(m)"),),
        recorded="vacuous",
        repair="H25-T1/sqrt-m",
    ),
    Claim(
        id="H25-T1/sqrt-m",
        title="With c = 1/sqrt(m) and unique perspectives, the risk on estimated ones tends to that on true ones",
        source=SOURCE,
        form="repaired",
        reading="c = 1/sqrt(m), classical MDS, lambda_d > lambda_{d+1} or lambda_{d+1} = 0; the rate is checked for a "
        "smooth rule",
        statement=RISKS + r",\quad m,r\to\infty,\ c=1/\sqrt m",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS, SMOOTH),
        witness=WITNESS,
        checks=(
            Check(
                "replicates",
                _with_replicates,
                (h25.smooth_rule, 2),
                (h25.coordinate_rule, 2),
                "a rule that reads a coordinate, which is not invariant to rigid motions",
            ),
            Check(
                "above-the-rank",
                _with_replicates,
                (h25.smooth_rule, 3),
                (h25.coordinate_rule, 3),
                "a rule that reads a coordinate, which is not invariant to rigid motions",
            ),
            Check("queries", _with_queries, 0.5, 1.0, "normalised by 1/m, which collapses the perspectives"),
        ),
        recorded="holds",
    ),
    Claim(
        id="H25-T1/raw-stress",
        title="With raw stress, the risk on estimated perspectives tends to that on one fixed member of MDS(Delta*)",
        source=SOURCE,
        form="reconstructed",
        reading="raw stress, c = 1/sqrt(m), no condition on MDS(Delta*); Psi is fixed and does not depend on the order "
        "of the models",
        statement=r"\exists\Psi\in\mathrm{MDS}(\Delta^*)\ \forall h:\ " + RISKS,
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, WEIGHTS),
        witness=Witness(
            "sides 13, 13 and 10 on the line: two classes of minimisers",
            lambda: h25.corner_case(h25.triangle(), 1, LABELS),
            lambda case: len(_classes(case)) == 2,
        ),
        checks=(
            Check(
                "mirror",
                counterexample,
                Stored("h25-t1-raw-stress", _OBSERVED, _HALFWAY),
                Stored("h25-t1-raw-stress", _OBSERVED, _HALFWAY, replaced=_ASKEW),
                "the base longer on one side, sides 13, 15 and 14, which breaks the symmetry",
            ),
            Check("best-member", _best_member, 13.0, 12.5, "side 13 shortened to 12.5, which leaves one minimiser"),
        ),
        recorded="refuted",
        repair="H25-T1/raw-stress/one-class",
        drawings=(
            Drawing(
                _mean_losses,
                "With two classes of minimisers (grey lines: the losses of each) the risk on estimated perspectives "
                "tends to a value halfway between them; with one class it tends to that one's.",
            ),
        ),
    ),
    Claim(
        id="H25-T1/raw-stress/one-class",
        title="With raw stress and one class of minimisers, the risk on estimated ones tends to that on true ones",
        source=SOURCE,
        form="repaired",
        reading="raw stress, c = 1/sqrt(m), MDS(Delta*) is one class; the rate is checked on the line",
        statement=r"\#\,\mathrm{MDS}(\Delta^*)/\!\sim\;=1\ \Rightarrow\ " + RISKS,
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, ON_THE_LINE, WEIGHTS),
        witness=Witness(
            "sides 13, 12.5 and 10 on the line",
            lambda: h25.corner_case(h25.triangle(12.5), 1, LABELS),
            lambda case: float(case.population.gamma.min()) > 0,
        ),
        checks=(Check("triangle", _one_class, 12.5, 13.0, "two longest sides, so two minimisers"),),
        recorded="holds",
    ),
    Claim(
        id="H25-T1/no-eigengap",
        title="With classical MDS and a closed eigengap, the risk tends to that on one fixed member",
        source=SOURCE,
        form="reconstructed",
        reading="classical MDS, c = 1/sqrt(m), no condition on the spectrum; Psi is fixed before rule and labels",
        statement=r"\exists\Psi\in\mathrm{MDS}(\Delta^*)\ \forall h:\ " + RISKS,
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.tame(_far)),
        witness=Witness(
            "four models at the corners of a square, d = 1",
            lambda: h25.corner_case(SQUARE, 1, np.array([0.0, 1.0, 0.0, 0.0])),
            lambda case: not h25.ONE_CLASS.predicate(case),
        ),
        checks=(
            Check(
                "quarter-turn",
                counterexample,
                Stored("h25-t1-no-eigengap", ("rank", "M"), "1"),
                Stored(
                    "h25-t1-no-eigengap",
                    ("rank", "M"),
                    "1",
                    replaced={"Y": [["2", "1"], ["2", "-1"], ["-2", "-1"], ["-2", "1"]]},
                ),
                "the square stretched to a rectangle, which opens the eigengap",
            ),
            Check(
                "two-labellings",
                _two_labellings,
                1.0,
                2.0,
                "the square stretched to a rectangle, which opens the eigengap",
            ),
        ),
        recorded="refuted",
        repair="H25-T1/sqrt-m",
        drawings=(
            Drawing(
                _pairs_of_predictions,
                "The square on the line, m = 4: draws of psi^ come to lie on the curve of the members; their mean, the "
                "pair of risks, is inside it, where no member is.",
            ),
        ),
    ),
)
