r"""G25-GGMI: what the sign of I(S_anchor; W') - I(S_gen; W) tells of bounds and of errors.

Setting. W' is trained on m anchors, W on n synthetic points; S_anchor -> p -> S_gen -> W as in G25-D41. L44 bounds the
gap of W by eta^{L/2} sqrt(2 sigma^2 I(S_gen; W) / n), L48 that of W' likewise; T45 adds C (TV(D, D_M) + TV(D_M, D_gen))
to the first.
Statement. GGMI = I(S_anchor; W') - I(S_gen; W) (confirmed). Positive GGMI is a gain of training on synthetic data (our
account; what gains is read in four ways).
Hypotheses. Named with each claim.
Constants. None.
Relation. Order of two bounds, or of two errors.
Reference. G25 (arXiv:2410.01720), by the account we have.

Derivation. The two terms are the roots of v I(S_gen; W) and v' I(S_anchor; W') with v = 2 sigma^2 eta^L / n, v'
likewise. With v = v' they are ordered as the informations. Otherwise they are ordered as v' I' - v I: two bits over
three anchors are less than one bit over one point. T45 has the variations besides, which may exceed all of L48: answers
of 0, a constant W, and D far away. And upper bounds do not order what they bound: a W that ignores its data has GGMI >=
0, and whatever risk its constant has; a W that knows its data need not use it.

Readings.
1. Of the terms of L44 and L48, all else equal: holds (G25-GGMI).
2. Of these terms at other sizes: refuted (G25-GGMI/sizes), true of the informations weighed by 2 sigma^2 eta^L / n
   (G25-GGMI/weighed).
3. Of the whole bounds: refuted (G25-GGMI/whole-bound).
4. Of risks and gaps: refuted in both directions (G25-GGMI/error).
"""

from __future__ import annotations

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims._g25 import ANY, fresh, tried
from proofs_checks.claims._g25_checks import PROCESS, ROUNDING, squared_risk, stored
from proofs_checks.claims._g25_entropies import ANCHOR, GGMI, SYNTHETIC, ZERO
from proofs_checks.claims.g25_q1 import learner

SOURCE = "G25 (GGMI), definition confirmed"


def _order(subject: tuple[bool, bool], setting: Setting) -> Evidence:
    """Compare the signs of L48's term less L44's and of GGMI, or of the weighed informations less each other."""
    from dkps_theory.bounds.generalization import l44_bound, l48_bound

    equal, weighed = subject
    table, count = np.random.default_rng(setting.integer_seed("networks")), 0
    for world in tried(ANY, setting):
        networks = [(int(a), float(b), float(c), int(d)) for a, b, c, d in _networks(table)]
        synthetic, anchor = (networks[0], networks[0]) if equal else networks
        of_synthetic, of_anchor = world.synthetic_information, world.anchor_information
        difference = l48_bound(*anchor, of_anchor) - l44_bound(*synthetic, of_synthetic)
        if weighed:
            of_synthetic, of_anchor = (_weight(x) * i for x, i in ((synthetic, of_synthetic), (anchor, of_anchor)))
        told = of_anchor - of_synthetic
        if abs(told) <= ROUNDING:  # a tie, or rounding decides
            continue
        count += 1
        if (difference > 0) != (told > 0):
            known = f"informations {world.synthetic_information:.4g} and {world.anchor_information:.4g}"
            detail = f"the terms differ by {difference:.4g}; {known}; (L, eta, sigma^2, n): {synthetic} and {anchor}"
            return Evidence("search", Outcome.CONTRADICTS, difference, told, "equal", detail, n=count)
    says = f"the anchors' term is the larger exactly when their information{', weighed,' * weighed} is"
    return Evidence("search", Outcome.SUPPORTS, 0.0, 0.0, "equal", says, n=count)


def _networks(table: np.random.Generator) -> np.ndarray:
    """Two networks and samples: layers, contraction, proxy, size."""
    columns = table.integers(0, 5, 2), table.uniform(0.1, 1, 2), table.uniform(0.1, 2, 2), table.integers(1, 9, 2)
    return np.stack(columns, axis=1)


def _weight(network: tuple[int, float, float, int]) -> float:
    layers, contraction, proxy, size = network
    return 2 * proxy * contraction**layers / size


def _quadrants():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    table = np.random.default_rng(0)
    worlds = [learner(table, 3) for _ in range(80)]
    advantage = np.array([float(w.anchor_true_risk - w.true_risk) for w in worlds])
    ggmi = np.array([w.ggmi for w in worlds])
    agree = (ggmi > 0) == (advantage > 0)
    axes.plot(ggmi[agree], advantage[agree], ".", label="the sign of GGMI tells")
    axes.plot(ggmi[~agree], advantage[~agree], "x", label="it does not")
    axes.axhline(0, color="k", linewidth=0.8)
    axes.axvline(0, color="k", linewidth=0.8)
    axes.set(xlabel="GGMI in nats, random worlds on three letters", ylabel="risk of W' less risk of W, loss in [0, 1]")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


_POINTS = Hypothesis("there are points to train on", lambda w: w.anchors >= 1 and w.synthetic >= 1)
_IGNORED = Witness("answers of noise to a model that ignores them", lambda: fresh(read=False), lambda w: w.ggmi > 0.1)


_VARIATION = ("/", ("sum", ("multiply", "sign", ("-", "D_gen", "D"))), "2")
_CONSTANT = {"W_anchor": [["0"], ["0"]]}

CLAIMS = (
    Claim(
        id="G25-GGMI",
        title="Positive GGMI means that the information term of the bound is smaller for synthetic data",
        source=SOURCE,
        form="as-printed",
        reading="the terms of L44 and L48 at equal sizes, layers, contraction and proxy",
        statement=r"\mathrm{GGMI}>0\iff\eta^{L/2}\sqrt{\tfrac{2\sigma^2}nI(S_{gen};W)}<\eta^{L/2}\sqrt{\tfrac{2\sigma^2}nI(S_{anchor};W')}",
        hypotheses=(PROCESS, _POINTS),
        witness=_IGNORED,
        checks=(Check("order", _order, (True, False), (False, False), "another network and size for the anchors"),),
        recorded="holds",
    ),
    Claim(
        id="G25-GGMI/sizes",
        title="Positive GGMI means a smaller term whatever the sizes of the samples",
        source=SOURCE,
        form="reconstructed",
        reading="layers, contraction and proxy equal, m and n not",
        statement=r"\mathrm{GGMI}>0\ \Rightarrow\ I(S_{gen};W)/n\le I(S_{anchor};W')/m",
        hypotheses=(PROCESS, _POINTS),
        witness=_IGNORED,
        checks=(
            stored(
                "three-and-one",
                "g25-ggmi-sizes",
                ("/", SYNTHETIC.bits("P"), "n"),
                ("/", ANCHOR.bits("P"), "m"),
                broken={"n": "2"},
                broken_by="two synthetic points",
            ),
        ),
        recorded="refuted",
        repair="G25-GGMI/weighed",
    ),
    Claim(
        id="G25-GGMI/weighed",
        title="The terms are ordered as the informations weighed by proxy, contraction and size",
        source=SOURCE,
        form="repaired",
        reading="any sizes, layers, contractions and proxies",
        statement=(
            r"\eta^{L/2}\sqrt{\tfrac{2\sigma^2}nI(S_{gen};W)}<\eta'^{L'/2}\sqrt{\tfrac{2\sigma'^2}mI(S_{anchor};W')}"
            r"\iff\tfrac{\sigma^2\eta^L}nI(S_{gen};W)<\tfrac{\sigma'^2\eta'^{L'}}mI(S_{anchor};W')"
        ),
        hypotheses=(PROCESS, _POINTS),
        witness=_IGNORED,
        checks=(Check("order", _order, (False, True), (False, False), "the informations not weighed"),),
        recorded="holds",
    ),
    Claim(
        id="G25-GGMI/whole-bound",
        title="Positive GGMI means a tighter bound for synthetic data",
        source=SOURCE,
        form="reconstructed",
        reading="T45 with the true information against L48; sizes and networks equal",
        statement=r"\mathrm{GGMI}>0\ \Rightarrow\ \text{right side of T45}\le\text{right side of L48}",
        hypotheses=(PROCESS, _POINTS),
        witness=_IGNORED,
        checks=(
            stored(
                "answers-far-from-D",
                "g25-ggmi-whole-bound",
                ("*", ("*", "C", "C"), ("*", _VARIATION, _VARIATION)),
                ("*", ("*", "2", ("/", ("*", "C", "C"), "4")), ANCHOR.bits("P")),
                broken={"D_gen": [["0", "1/2", "1/2"]]},
                broken_by="the model answers with D",
            ),
        ),
        recorded="refuted",
        repair="G25-GGMI",
    ),
    Claim(
        id="G25-GGMI/error",
        title="The sign of GGMI tells which training errs less",
        source=SOURCE,
        form="reconstructed",
        reading="mean risk, and mean gap of risk and empirical risk; refuted in both directions, for both",
        statement=r"\mathrm{GGMI}>0\iff\mathbb E R_D(W)\le\mathbb E R_D(W')",
        hypotheses=(PROCESS, _POINTS),
        witness=_IGNORED,
        checks=(
            stored(
                "positive-and-worse",
                "g25-ggmi-error",
                squared_risk("W"),
                squared_risk("W_anchor"),
                broken=_CONSTANT,
                broken_by="W' predicts 0, too",
            ),
            stored(
                "negative-and-better",
                "g25-ggmi-error-negative",
                GGMI,
                ZERO,
                relation="lower",
                broken={"prediction": [["1"], ["1"], ["2"], ["2"]]},
                broken_by="W predicts what it memorises",
            ),
        ),
        recorded="refuted",
        repair="G25-GGMI",
        drawings=(
            Drawing(
                _quadrants,
                "Random learners, W and W' by one rule on one point each. Were the sign of GGMI to tell who errs less, "
                "the upper left and the lower right would be empty.",
            ),
        ),
    ),
)
