r"""G25-L48: the bound for training on the anchors alone, and what comparing it with G25-T45 says.

Setting. As G25-T45; W' is drawn from a channel of S_anchor, m iid draws of D, and its error is R_D(W') - R^_anchor(W').
Statement. E[R_D(W') - R^_anchor(W')] <= eta'^(L/2) sqrt((2 sigma^2 / m) I(S_anchor; W')). Reconstructed.
Hypotheses. Those of G25-L44.
Constants. As in G25-L44, sharp.
Relation. Upper bound of a mean.
Reference. G25-L48 by the account we have; G25-L44.

Derivation. It is G25-L44 for S = S_anchor: anchors are independent draws of D itself, so nothing is added.

Readings.
1. Signed error: holds. E|R_D(W') - R^_anchor(W')|: false (G25-L48/absolute), see G25-L44/absolute-log-2 for the repair.
2. "Where T45's right side is below L48's, training on generated data errs less, and the other way round": false in both
   directions (G25-T45/order), for the error R_D - R^ as for the risk R_D. Either bound can be far above its error while
   the other is not: an anchor model may keep all it saw and never err, for a right side above that of a W that knows
   nothing and errs; and a model that answers with one letter has total variation 1/2 from a fair bit, though W never
   errs, for a right side above that of one noisy anchor. No constant repairs an order of upper bounds.
"""

from __future__ import annotations

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Setting, Witness
from proofs_checks.claims import _g25_trained as made
from proofs_checks.claims._g25_trained import BOUNDED, CHAIN, CONTRACTS, FACTOR, FUNCTION, Reading, Trained
from proofs_checks.claims.g25_l44 import STORED
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio

SOURCE = "G25 (L48), reconstructed"


def l48(trained: Trained, *, proxy: float = 0.25, power: float = 0.5) -> float:
    """Return L48's right side, sigma^2 = 1/4 of the loss at the last layer."""
    from dkps_theory.bounds.generalization import l48_bound

    world = trained.world
    eta = trained.eta ** (2 * power)
    return l48_bound(trained.depth, eta, proxy, world.anchors, world.anchor_information)


def _anchors(subject: tuple[float, float], setting: Setting) -> Evidence:
    """E[R_D(W') - R^_anchor(W')] over L48's right side with this sigma^2 and power of eta^L."""
    proxy, power = subject

    def ratio(trained):
        found, limit = trained.world.anchor_generalization_error, l48(trained, proxy=proxy, power=power)
        return found / max(limit, 1e-6) if found > 1e-6 else 0.0

    return largest_ratio(
        made.worlds(FUNCTION),
        ratio,
        setting,
        says="E[R_D(W') - R^_anchor(W')] / L48, one or two anchors, up to three layers, leaning bits among the worlds",
        quick=60,
        full=1000,
        describe=made.described,
    )


def differences(trained: Trained) -> tuple[float, float, float]:
    """Return what generated data have above anchors: right side (T45 less L48), error, and risk."""
    world = trained.world
    return (
        made.t45(trained, Reading()) - l48(trained),
        world.generalization_error - world.anchor_generalization_error,
        world.true_risk - world.anchor_true_risk,
    )


def _all_quadrants():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    found = [differences(made.random_bits(seed)) for seed in range(80)]
    axes.plot([x for x, _, _ in found], [y for _, y, _ in found], "o", label="error R_D - R^")
    axes.plot([x for x, _, _ in found], [y for _, _, y in found], "^", label="risk R_D")
    axes.axhline(0, linewidth=0.7, color="0.5")
    axes.axvline(0, linewidth=0.7, color="0.5")
    axes.set(xlabel="right side of T45 - right side of L48, 80 random worlds", ylabel="generated data less anchors")
    figure.legend(loc="outside lower left")
    return figure


_WITNESS = Witness(
    "two fair bits as anchors, W' leans towards their majority behind a layer",
    lambda: made.leaning(2, 1.0),
    lambda trained: 0 < trained.world.anchor_generalization_error < l48(trained) < 1,
)
_OUTCOMES = ("multiply", ("matmul", "law", "ones"), "see")
_RISK = ("matmul", ("matmul", ("matmul", "loss", ("T", "layer")), ("T", "D")), "ones")
_ANCHOR_RISK = ("matmul", ("matmul", ("matmul", "anchor_loss", ("T", "layer")), ("T", "D")), "ones")
_RISKS = {
    "observed": ("sum", ("multiply", ("matmul", ("T", "keep"), _OUTCOMES), _RISK)),
    "claimed": ("sum", ("multiply", "anchor_joint", _ANCHOR_RISK)),
}

CLAIMS = (
    Claim(
        id="G25-L48",
        title="Information bounds the signed error of training on the anchors",
        source=SOURCE,
        form="reconstructed",
        reading="signed error, layers and sigma as in G25-L44",
        statement=r"\mathbb E[R_D(W')-\hat R_{anchor}(W')]\le\eta'^{L/2}\sqrt{\frac{2\sigma^2}{m}I(S_{anchor};W')}",
        hypotheses=(CONTRACTS, BOUNDED),
        witness=_WITNESS,
        checks=(
            Check("contraction", _anchors, (0.25, 0.5), (0.25, 1.0), "eta^L instead of eta^(L/2)"),
            Check("proxy", _anchors, (0.25, 0.5), (0.125, 0.5), "sigma^2 halved"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L48/absolute",
        title="Information bounds the mean absolute error of training on the anchors",
        source=SOURCE,
        form="reconstructed",
        reading="E|R_D(W') - R^_anchor(W')|",
        statement=r"\mathbb E|R_D(W')-\hat R_{anchor}(W')|\le\eta'^{L/2}\sqrt{\frac{2\sigma^2}{m}I(S_{anchor};W')}",
        hypotheses=(CONTRACTS, BOUNDED),
        witness=_WITNESS,
        checks=(
            Check(
                "ignorant",
                counterexample,
                Stored("g25-l48-absolute", **STORED),
                Stored("g25-l48-absolute", **STORED, replaced={"loss": [["1/2", "1/2"]]}),
                "a loss that does not depend on the letter, whose error is 0",
            ),
        ),
        recorded="refuted",
        repair="G25-L44/absolute-log-2",
    ),
    Claim(
        id="G25-T45/order",
        title="Training on generated data errs less exactly where its bound is below that of the anchors",
        source="G25 (T45, L48), reconstructed",
        form="own",
        reading="T45 with delta = H(p, eps) against L48, one network; error R_D - R^ and risk R_D alike",
        statement=r"\mathrm{T45}<\mathrm{L48}\ \Leftrightarrow\ \mathbb E[R_D(W)-\hat R_{gen}(W)]<"
        r"\mathbb E[R_D(W')-\hat R_{anchor}(W')]",
        hypotheses=(CHAIN, CONTRACTS, BOUNDED, FACTOR),
        witness=_WITNESS,
        checks=(
            Check(
                "below-and-errs-more",
                counterexample,
                Stored("g25-t45-order-below", **_RISKS, relation="upper"),
                Stored(
                    "g25-t45-order-below", **_RISKS, relation="upper", replaced={"anchor_loss": [["1/2", "1/2"]] * 3}
                ),
                "an anchor model that errs half of the time wherever it is tried",
            ),
            Check(
                "above-and-errs-less",
                counterexample,
                Stored("g25-t45-order-above", **_RISKS, relation="lower"),
                Stored("g25-t45-order-above", **_RISKS, relation="lower", replaced={"anchor_loss": [["0", "0"]] * 2}),
                "an anchor model that never errs",
            ),
        ),
        recorded="refuted",
        no_repair="upper bounds do not order what they bound: that needs a lower bound of one error above the "
        "upper bound of the other",
        drawings=(Drawing(_all_quadrants, "Bounds and what they bound come in either order."),),
    ),
)
