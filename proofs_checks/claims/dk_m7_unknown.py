r"""DK-M7, deflation: what lowering eigenvalues repairs, with gamma or without; and e = 1/2, where Psi^ is too short.

Setting. That of DK-M7: n and r fixed, m -> infinity, c = 1/sqrt(m), a_i = gamma_i/r.
Statements, e = 1. DK-M7/deflated: with equal gamma_i it is enough to lower the first d eigenvalues of B^ by the mean of
gamma^/r, for any rank(B). DK-M7/deflated-unequal: also with unequal gamma_i. DK-M7/unknown-gamma: with equal gamma_i,
rank(B) = d < n - 1 and any r >= 1 it is enough to lower them by the mean of the next n - 1 - d eigenvalues.
DK-M7/unknown-gamma-unequal: also with unequal gamma_i.
Statements, e = 1/2. DK-M7/exponent-half: noise inflates Psi^ as with e = 1. DK-M7/exponent-half-debiased: roots of
debiased squares give Psi^ -> Psi where the models are distinct.
Hypotheses. As in DK-M7, and as said.
Constants. As stated.
Relation. Limits, with the rate m^(-1/2) where they hold.
Reference. Our own.

Derivation. In the limit B^ is B + H diag(a) H (DK-M7). With equal a_i eigenvectors stay, the first d eigenvalues are
off by a, and the n - 1 - d that B has 0 on centred vectors, if rank(B) = d, become a. With unequal a_i those beyond d
are no one number, and in general eigenvectors turn. Models at -1, 0, 1, d = 1, a = (10, 1, 10) have the limits 12 along
(-1, 0, 1) and 4 along (1, -2, 1): 12 less 4, or less the mean noise 7, is not 2. Debiasing D^2 instead takes
H diag(a) H out of B^ (DK-M7/debiased). (Without gamma, a factor analysis, which fits a diagonal as well as a rank,
could do better when n is large against d; not tried here.)

e = 1/2. With S_ik = ||X_i - X_k||^2/m, sqrt(m) D_ik^2 = S_ik^(1/2) -> (Delta_1^2 + a_i + a_k)^(1/2), Delta_1 the Delta
of e = 1. Every D grows with the noise, but x -> (x + 2a)^(1/2) is concave and makes large and small distances more
alike: six models in two clusters 3 apart with 2a = 16 have between and within clusters 5 and 4 instead of 3 and 0, and
sqrt(m) times the largest eigenvalue of B^ tends to 7/2 instead of 9/2. Psi^ in d = 1 comes out too short, and lowering
its eigenvalue makes it worse. The root of the debiased S_ik, negative ones counted as 0, tends to Delta_1 by
continuity, at the rate m^(-1/2) where Delta_1 > 0, as a root is smooth there.
"""

from __future__ import annotations

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Hypothesis
from proofs_checks.claims.dk_m7 import (
    EQUAL,
    ERROR,
    FIXED,
    GAP,
    SAME,
    SOURCE,
    TWO,
    D,
    Design,
    N,
    errors_by_queries,
    falls,
    stays,
    witness,
)
from proofs_checks.evidence.certified import Stored, counterexample

#: The certificate's limits with a = (1, 1, 1) instead.
_EQUAL_NOISE = {
    "noise": [["0", "2", "2"], ["2", "0", "2"], ["2", "2", "0"]],
    "first": "3",
    "second": "1",
    "mean": "1",
    "found": [["-1"], ["0"], ["1"]],
}


def _blocks(within: str, between: str) -> list[list[str]]:
    """Squares of two clusters of three models."""
    return [["0" if i == k else within if i // 3 == k // 3 else between for k in range(6)] for i in range(6)]


_NO_NOISE = {"noise": "0", "noisy": _blocks("0", "3"), "noisy_largest": "9/2", "other": "0"}


def limit_of_clusters(size: int, between: float, level: float, exponent: float) -> float:
    """Return the limit of the length of Psi^ in d = 1 over that of Psi: two clusters, equal noise a = ``level``."""
    apart, within = ((x**2 + 2 * level) ** exponent for x in (between, 0.0))
    return float(np.sqrt((size * apart - (size - 1) * within) / (size * between ** (2 * exponent))))


def _two_exponents():
    from dkps_theory.pages.figures import new_figure, styled

    @styled
    def draw():
        figure, (axes,) = new_figure()
        level = np.linspace(0, 12, 200)
        for exponent, style in ((1.0, "-"), (0.5, "--")):
            lengths = [limit_of_clusters(3, 3.0, a, exponent) for a in level]
            axes.plot(level, lengths, style, label=f"e = {'1' if exponent == 1 else '1/2'}")
        axes.axhline(1, color="0.5", linewidth=0.8)
        axes.set(xlabel="noise left, gamma / r (units of g²)", ylabel="length of Psi^ / length of Psi, m → ∞")
        figure.legend(loc="outside lower left", ncols=2)
        return figure

    return draw()


_RANK = Hypothesis(
    "rank(B) = 2 = d < n - 1",
    lambda w: len(w.gamma) - 1 > D and float(dk.classical_mds(cases.distances(w.psi), D).rank) == D,
)

_DISTINCT = Hypothesis("the models are distinct", lambda w: bool(np.all(cases.distances(w.psi) + np.eye(N) > 0)))


def _half_gap(w: Design) -> bool:
    return float(dk.classical_mds(np.sqrt(cases.distances(w.psi)), D).eigengap) > 1e-6


HALF_GAP = Hypothesis("lambda_2 > lambda_3, d = 2, at e = 1/2", _half_gap)


CLAIMS = (
    Claim(
        id="DK-M7/deflated",
        title="With equal noise, lowering eigenvalues by the estimated noise repairs Psi^",
        source=SOURCE,
        form="own",
        reading="r >= 2, equal gamma_i; the first d eigenvalues less the mean of gamma^/r over models and queries",
        statement=rf"{ERROR}=O_P(m^{{-1/2}}),\quad\tilde\lambda_k=\hat\lambda_k-\frac1{{nmr}}\sum_{{i,j}}\hat\gamma_{{ij}}",
        hypotheses=(FIXED, TWO, SAME, GAP),
        witness=witness(Design(gamma=EQUAL), "equal noise"),
        checks=(
            Check(
                "estimated",
                falls,
                Design(gamma=EQUAL, method="deflated"),
                Design(gamma=EQUAL, method="deflated", noise=0.5),
                "lowered by half of the noise",
            ),
            Check(
                "equal noise", falls, Design(gamma=EQUAL, method="deflated"), Design(method="deflated"), "unequal noise"
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M7/deflated-unequal",
        title="Lowering eigenvalues by the estimated noise repairs Psi^ with unequal noise too",
        source=SOURCE,
        form="own",
        reading="r >= 2, gamma_i that differ over models, the rest as in DK-M7/deflated",
        statement=rf"{ERROR}\xrightarrow{{P}}0,\quad\tilde\lambda_k=\hat\lambda_k-\frac1{{nmr}}\sum_{{i,j}}\hat\gamma_{{ij}}",
        hypotheses=(FIXED, TWO, GAP),
        witness=witness(Design(), "unequal noise"),
        checks=(
            Check(
                "three-models",
                counterexample,
                Stored("dk-m7-unequal-noise", ("-", "first", "mean"), ("sum_squares", "psi"), "equal"),
                Stored(
                    "dk-m7-unequal-noise",
                    ("-", "first", "mean"),
                    ("sum_squares", "psi"),
                    "equal",
                    replaced=_EQUAL_NOISE,
                ),
                "equal noise",
            ),
            Check(
                "levels-off", stays, Design(method="deflated"), Design(gamma=EQUAL, method="deflated"), "equal noise"
            ),
        ),
        recorded="refuted",
        repair="DK-M7/debiased",
        drawings=(
            Drawing(
                lambda: errors_by_queries(
                    (
                        ("equal noise, eigenvalues lowered", Design(gamma=EQUAL, method="deflated")),
                        ("unequal noise, eigenvalues lowered", Design(method="deflated")),
                        ("unequal noise, squares debiased", Design(method="debiased")),
                    )
                ),
                "Noise estimated from four answers. Lowering all eigenvalues alike is enough where the models are "
                "equally noisy; debiasing the squares is enough always.",
            ),
        ),
    ),
    Claim(
        id="DK-M7/unknown-gamma",
        title="With equal noise and one answer each, lowering eigenvalues repairs Psi^",
        source=SOURCE,
        form="own",
        reading="r = 1, gamma unknown but equal over models; the first d eigenvalues less the mean of the next ones",
        statement=rf"\operatorname{{rank}}B=d<n-1:\ {ERROR}=O_P(m^{{-1/2}}),\quad\tilde\lambda_k=\hat\lambda_k-"
        r"\frac1{n-1-d}\sum_{l=d+1}^{n-1}\hat\lambda_l",
        hypotheses=(FIXED, SAME, _RANK, GAP),
        witness=witness(Design(r=1, gamma=EQUAL), "equal noise"),
        checks=(
            Check(
                "lowered",
                falls,
                Design(r=1, gamma=EQUAL, method="lowered"),
                Design(r=1, gamma=EQUAL),
                "the eigenvalues not lowered",
            ),
            Check(
                "equal noise",
                falls,
                Design(r=1, gamma=EQUAL, method="lowered"),
                Design(r=1, method="lowered"),
                "unequal noise",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M7/unknown-gamma-unequal",
        title="Lowering eigenvalues repairs Psi^ with unequal noise too",
        source=SOURCE,
        form="own",
        reading="r = 1 and gamma_i that differ over models, the rest as in DK-M7/unknown-gamma",
        statement=rf"\operatorname{{rank}}B=d<n-1:\ {ERROR}\xrightarrow{{P}}0,\quad\tilde\lambda_k=\hat\lambda_k-"
        r"\frac1{n-1-d}\sum_{l=d+1}^{n-1}\hat\lambda_l",
        hypotheses=(FIXED, _RANK, GAP),
        witness=witness(Design(r=1), "unequal noise"),
        checks=(
            Check(
                "three-models",
                counterexample,
                Stored("dk-m7-unequal-noise", ("sum_squares", "found"), ("sum_squares", "psi"), "equal"),
                Stored(
                    "dk-m7-unequal-noise",
                    ("sum_squares", "found"),
                    ("sum_squares", "psi"),
                    "equal",
                    replaced=_EQUAL_NOISE,
                ),
                "equal noise",
            ),
            Check(
                "levels-off",
                stays,
                Design(r=1, method="lowered"),
                Design(r=1, gamma=EQUAL, method="lowered"),
                "equal noise",
            ),
        ),
        recorded="refuted",
        repair="DK-M7/unknown-gamma",
        drawings=(
            Drawing(
                lambda: errors_by_queries(
                    (
                        ("equal noise", Design(r=1, gamma=EQUAL, method="lowered")),
                        ("unequal noise", Design(r=1, method="lowered")),
                    )
                ),
                "One answer to each query, eigenvalues lowered by the mean of those beyond d: it works only where "
                "the models are equally noisy.",
            ),
        ),
    ),
    Claim(
        id="DK-M7/exponent-half",
        title="With exponent one half noise inflates Psi^ as well",
        source=SOURCE,
        form="own",
        reading="e = 1/2, equal noise: in the limit of many queries the top d eigenvalues are not below those of B",
        statement=r"e=\tfrac12:\ \lim_m\frac{\lambda_k(\hat B)}{\lambda_k(B)}\ge1,\quad k\le d",
        hypotheses=(FIXED, SAME),
        witness=witness(Design(gamma=EQUAL, exponent=0.5), "equal noise"),
        checks=(
            Check(
                "two-clusters",
                counterexample,
                Stored("dk-m7-exponent-half", "noisy_largest", "clean_largest", "lower"),
                Stored("dk-m7-exponent-half", "noisy_largest", "clean_largest", "lower", replaced=_NO_NOISE),
                "no noise",
            ),
        ),
        recorded="refuted",
        repair="DK-M7/exponent-half-debiased",
        drawings=(
            Drawing(
                _two_exponents,
                "Two clusters of three models, 3 apart. Noise lengthens Psi^ with e = 1; with e = 1/2 it makes all "
                "dissimilarities more alike and shortens it, up to a noise far above the clusters' distance.",
            ),
        ),
    ),
    Claim(
        id="DK-M7/exponent-half-debiased",
        title="With exponent one half, roots of debiased squares repair Psi^ where models are distinct",
        source=SOURCE,
        form="own",
        reading="e = 1/2, r >= 2: D~ = the fourth root of the debiased square of e = 1, at least 0",
        statement=rf"e=\tfrac12,\ \mu_i\ne\mu_k:\ {ERROR}=O_P(m^{{-1/2}})",
        hypotheses=(FIXED, TWO, _DISTINCT, HALF_GAP),
        witness=witness(Design(exponent=0.5, method="debiased"), "unequal noise"),
        checks=(
            Check(
                "estimated",
                falls,
                Design(exponent=0.5, method="debiased"),
                Design(exponent=0.5, method="debiased", noise=0.5),
                "half of the noise taken out",
            ),
            Check(
                "yes-or-no answers",
                falls,
                Design(answers="yes-no", exponent=0.5, method="debiased"),
                # From 64 to 4,096 queries half of the noise is not seen: the noise of few queries is still larger.
                Design(answers="yes-no", exponent=0.5),
                "the noise not taken out",
            ),
        ),
        recorded="holds",
    ),
)
