r"""G25-L44 for the mean absolute gap, which a bound on absolute errors, such as G25-L31's remainder, would need.

Setting. As G25-L44: n iid points, W any channel of them, L noisy layers that contract KL by eta each, sigma of the loss
at the last layer.
Statement. E|R(W) - R_S(W)| <= eta^(L/2) sqrt((2 sigma^2 / n) I(S; W)).
Hypotheses. Those of G25-L44.
Constants. log 2 in the repair: with 0 for it, it fails.
Relation. Upper bound of a mean.
Reference. G25-L44 by the account we have; XR17 for the form of the repair; CL-XR/absolute.

Derivation. False: at I(S; W) = 0 the right side is 0, and the left the sampling error of a mean.
Repair: I + log 2 for I. For fixed w the gap X_w is eta^(L/2) sigma / sqrt(n)-sub-Gaussian, as in G25-L44, so
E exp(t |X_w|) <= E exp(t X_w) + E exp(-t X_w) <= 2 exp(sigma^2 eta^L t^2 / (2n)). With Donsker and Varadhan for t |X|,
t E|gen| <= I(S; W) + log 2 + sigma^2 eta^L t^2 / (2n) for all t > 0; take the best t.
"""

from __future__ import annotations

import math

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Setting
from proofs_checks.claims.g25_l44 import (
    HYPOTHESES,
    SOURCE,
    STORED,
    WITNESS,
    bit_network,
    bound,
    described,
    networks,
)
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio


def _covered(constant: float, setting: Setting) -> Evidence:
    """E|gen| / (eta^(L/2) sqrt(2 sigma^2 (I + constant) / n)), predictors that know nothing among the networks."""
    from hypothesis import strategies as st

    blind = st.builds(bit_network, st.sampled_from([(0.25,), (0.125, 0.125)]), st.integers(1, 5), st.just(0.0))

    def ratio(network):
        _, found, information = network.gaps()
        limit = bound(network, information + constant)
        return found / limit if limit > 1e-6 else (math.inf if found > 1e-6 else 0.0)

    return largest_ratio(
        st.one_of(networks(), blind),
        ratio,
        setting,
        says="E|gen| / (eta^(L/2) sqrt(2 sigma^2 (I + log 2) / n)), sigma = 1/2",
        quick=150,
        full=1500,
        describe=described,
    )


def _leaning():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = np.linspace(0.0, 2.0, 120)
    found = np.array([bit_network((0.125, 0.125), 5, t).gaps() for t in grid])
    network = bit_network((0.125, 0.125), 5, 0.0)
    for values, label, style in (
        ([bound(network, i + math.log(2)) for i in found[:, 2]], "bound with I + log 2", "-."),
        (found[:, 1], "E|gen|", "-"),
        ([bound(network, i) for i in found[:, 2]], "bound, σ of the loss at the last layer", ":"),
        (found[:, 0], "E gen", "--"),
        ([bound(network, i, power=1.0) for i in found[:, 2]], "bound, σ of the averaged loss", (0, (1, 4))),
    ):
        axes.plot(found[:, 2], values, label=label, linestyle=style)
    axes.set(xlabel="I(S; W) in nats, five fair bits, two layers", ylabel="generalization gap", ylim=(0, None))
    figure.legend(loc="outside lower left")
    return figure


CLAIMS = (
    Claim(
        id="G25-L44/absolute",
        title="The layered bound holds for the mean absolute gap too",
        source=SOURCE,
        form="reconstructed",
        reading="E|R(W) - R_S(W)|, as a bound on absolute errors would need",
        statement=r"\mathbb E|R(W)-R_S(W)|\le\eta^{L/2}\sqrt{\frac{2\sigma^2}{n}I(S;W)}",
        hypotheses=HYPOTHESES,
        witness=WITNESS,
        checks=(
            Check(
                "ignorant",
                counterexample,
                Stored("g25-l44-absolute", **STORED),
                Stored("g25-l44-absolute", **STORED, replaced={"loss": [["1/2", "1/2"]]}),
                "a loss that does not depend on the letter, whose gap is 0",
            ),
        ),
        recorded="refuted",
        repair="G25-L44/absolute-log-2",
        drawings=(
            Drawing(
                _leaning, "At I = 0 the mean absolute gap is the sampling error; log 2 more information covers it."
            ),
        ),
    ),
    Claim(
        id="G25-L44/absolute-log-2",
        title="With log 2 added to the information the layered bound holds for the mean absolute gap",
        source="own",
        form="repaired",
        reading="E|R(W) - R_S(W)|, I(S; W) + log 2 nats",
        statement=r"\mathbb E|R(W)-R_S(W)|\le\eta^{L/2}\sqrt{\frac{2\sigma^2}{n}(I(S;W)+\log2)}",
        hypotheses=HYPOTHESES,
        witness=WITNESS,
        checks=(Check("worlds", _covered, math.log(2), 0.0, "log 2 left out"),),
        recorded="holds",
    ),
)
