r"""B26-DEF: the pipeline mu -> Delta -> Psi and X -> D -> Psi^ is well posed.

Setting. n models, m queries, mean embeddings mu_i in R^{m x p}; Delta_ii' = (1/m)||mu_i - mu_i'||_F; Psi = MDS(Delta)
in R^d by classical MDS (B26 does not say which; raw stress is judged with A24).
Statement. Delta is a Euclidean distance matrix, so Psi exists in every dimension d, and for d at least the dimension
of the mean space it reproduces Delta.
Hypotheses. Finite means; d >= rank(B) for the reproduction.
Constants. c = 1/m, e = 1.
Relation. Equality.
Reference. Browder et al. (2026), arXiv:2602.05106; Acharyya et al. (2024), arXiv:2409.17308.

Derivation. B = -1/2 H Delta^2 H = c^2 (H mu)(H mu)' is positive semi-definite of rank dim aff{mu_i}; any factor of B
with d >= rank(B) columns has the distances of c mu, which are Delta.

Readings. "The" perspective can be (1) any member of the set of minimisers: holds; (2) one configuration up to rigid
motions (B26-DEF/single-valued): refuted in d below the rank when lambda_d = lambda_{d+1}; the square in d = 1 has
perspectives that put models 1 and 2 at distance 0 or at distance 2. With lambda_d > lambda_{d+1} (B26-DEF/eigengap)
the top eigenspace is unique, and with it Psi up to O(d).
"""

from __future__ import annotations

import random

import numpy as np

import dkps_theory as dk
from dkps_theory.conventions import A24
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.checker import evaluate, squared_distances
from proofs_checks.evidence.search import largest_difference

SOURCE = "B26, definition of DKPS"


def loop_dissimilarities(means: np.ndarray, power: int) -> np.ndarray:
    """(1/m) ||mu_i - mu_i'||_F as the sum it is; ``power`` 1 is B26's normalisation, 1/m to that power."""
    n, m, p = means.shape
    delta = np.zeros((n, n))
    for i in range(n):
        for k in range(n):
            total = 0.0
            for j in range(m):
                for a in range(p):
                    total += (means[i, j, a] - means[k, j, a]) ** 2
            delta[i, k] = total**0.5 / m**power
    return delta


def _definition(power: int, setting: Setting) -> Evidence:
    def difference(flat):
        means = flat.reshape(4, 3, 2)
        expected = loop_dissimilarities(means, power)
        return np.abs(cases.dissimilarities(means, A24) - expected).max() / (1 + expected.max())

    says = "the package's Delta is the printed sum"
    return largest_difference(
        cases.integer_arrays(4, 6), difference, setting, within=1e-12, says=says, quick=80, full=1000
    )


def _reproduces(d: int, setting: Setting) -> Evidence:
    def difference(points):
        delta = cases.dissimilarities(points[:, None, :], A24)
        psi = cases.perspective(delta, d)
        distance = np.linalg.norm(psi[:, None] - psi[None], axis=-1)
        return np.abs(distance - delta).max() / (1e-3 + delta.max())

    return largest_difference(
        cases.integer_arrays(5, 3),
        difference,
        setting,
        within=1e-6,
        says="distances of Psi in R^3 = Delta for means in R^3",
        quick=120,
        full=1500,
    )


def _gram_identity(power: int, setting: Setting) -> Evidence:
    """-1/2 H Delta^2 H against (H mu)(H mu)', as the sum of squares of the difference, exactly."""
    generator = random.Random(setting.integer_seed("means"))

    def pairs():
        for _ in range(setting.size(150, 2000)):
            mu = cases.rational_matrix(generator, generator.randint(2, 6), generator.randint(1, 4))
            n = len(mu)
            centred = [
                [x - sum(column) / n for x, column in zip(row, zip(*mu, strict=True), strict=True)] for row in mu
            ]
            squares = [[entry**power for entry in row] for row in squared_distances(mu)]
            difference = ["sum_squares", ["-", ["gram", "A"], ["matmul", "C", ["T", "C"]]]]
            yield evaluate(difference, {"A": squares, "C": centred}), evaluate("0", {})

    return exact_equalities(pairs(), "B = (H mu)(H mu)', hence positive semi-definite of rank dim aff{mu_i}")


def _unique(gap: float, setting: Setting) -> Evidence:
    """Psi computed from relabelled models, put back in order, against Psi itself."""
    from hypothesis import assume
    from hypothesis import strategies as st

    def difference(case):
        points, order = case
        delta = cases.dissimilarities(points[:, None, :])
        eigenvalues = np.linalg.eigvalsh(np.asarray(dk.gram(delta)))[::-1]
        assume(eigenvalues[0] > 0 and eigenvalues[0] - eigenvalues[1] >= gap * eigenvalues[0])
        psi = cases.perspective(delta, 1)
        relabelled = np.zeros_like(psi)
        relabelled[list(order)] = cases.perspective(delta[np.ix_(order, order)], 1)
        return cases.aligned_error(relabelled, psi) / float(np.linalg.norm(psi))

    square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
    configurations = cases.integer_arrays(4, 2) if gap else st.integers(1, 5).map(lambda side: side * square)
    orders = st.permutations(range(4)).map(tuple) if gap else st.just((1, 2, 3, 0))
    return largest_difference(
        st.tuples(configurations, orders),
        difference,
        setting,
        within=1e-6,
        says="relabelling the models does not change Psi in R^1 beyond sign, when lambda_1 - lambda_2 >= 0.05 lambda_1",
        quick=120,
        full=1500,
    )


def _two_perspectives():
    from dkps_theory.pages.figures import new_figure

    figure, axes = new_figure(width=7.0, height=2.7, columns=3)
    square = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
    axes[0].plot(*square.T, "o")
    for i, (x, y) in enumerate(square):
        axes[0].annotate(str(i + 1), (x, y), textcoords="offset points", xytext=(6, 6))
    axes[0].set(title="models in the plane", xlabel="first coordinate", ylabel="second coordinate", aspect="equal")
    axes[0].set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))
    for panel, positions, name in ((axes[1], square[:, 0], "one"), (axes[2], square[:, 1], "another")):
        panel.plot(positions, np.zeros(4), "o")
        for side in (-1, 1):
            label = ", ".join(str(i + 1) for i in range(4) if positions[i] == side)
            panel.annotate(label, (side, 0), textcoords="offset points", xytext=(0, 10), ha="center")
        panel.set(title=f"{name} perspective, d = 1", xlabel="perspective", yticks=[], xlim=(-1.6, 1.6))
    return figure


_FINITE = Hypothesis("the means are finite", lambda mu: bool(np.all(np.isfinite(mu))))
_SQUARE = Witness(
    "four models at the corners of a square",
    lambda: np.array([[1.0, 1], [1, -1], [-1, -1], [-1, 1]]),
    lambda mu: bool(mu.any()),
)
_STORED = {
    "observed": ("entry", ("distances", "P"), "0", "1"),
    "claimed": ("entry", ("distances", "Q"), "0", "1"),
    "relation": "equal",
}

CLAIMS = (
    Claim(
        id="B26-DEF",
        title="The pipeline is well posed: Delta is Euclidean and Psi reproduces it",
        source=SOURCE,
        form="as-printed",
        reading="c = 1/m, e = 1, classical MDS, Psi any member of MDS(Delta), d >= rank(B) for the reproduction",
        statement=r"B=-\tfrac12H\Delta^2H=\tfrac1{m^2}(H\mu)(H\mu)^\top,\qquad "
        r" \|\psi_i-\psi_{i'}\|=\Delta_{ii'}\ (d\ge\operatorname{rank}B)",
        hypotheses=(_FINITE,),
        witness=_SQUARE,
        checks=(
            Check("printed-sum", _definition, 1, 2, "normalised by 1/m twice"),
            Check("gram", _gram_identity, 1, 2, "squared distances squared once more"),
            Check("reproduces", _reproduces, 3, 2, "d one below the dimension of the mean space"),
        ),
        recorded="holds",
    ),
    Claim(
        id="B26-DEF/single-valued",
        title="MDS(Delta) is one configuration up to rigid motions",
        source=SOURCE,
        form="reconstructed",
        reading="Psi = MDS(Delta) read as a single configuration, any d",
        statement=r"\Psi,\Psi'\in\mathrm{MDS}(\Delta)\ \Rightarrow\ \Psi'=\Psi W+\mathbf 1a^\top",
        hypotheses=(_FINITE,),
        witness=_SQUARE,
        checks=(
            Check(
                "square",
                counterexample,
                Stored("b26-def-single-valued", **_STORED),
                Stored(
                    "b26-def-single-valued",
                    **_STORED,
                    replaced={"Y": [["2", "1"], ["2", "-1"], ["-2", "-1"], ["-2", "1"]]},
                ),
                "the square stretched to a rectangle, which opens the eigengap",
            ),
        ),
        recorded="refuted",
        repair="B26-DEF/eigengap",
        drawings=(
            Drawing(_two_perspectives, "The square has two one-dimensional perspectives that no rigid motion joins."),
        ),
    ),
    Claim(
        id="B26-DEF/eigengap",
        title="With a positive eigengap classical MDS is one configuration up to O(d)",
        source=SOURCE,
        form="repaired",
        reading="lambda_d > lambda_{d+1}",
        statement=r"\lambda_d>\lambda_{d+1}\ \Rightarrow\ \Psi\text{ is unique up to }O(d)",
        hypotheses=(
            _FINITE,
            Hypothesis("lambda_1 > lambda_2 (d = 1)", lambda mu: cases.relative_eigengap(mu[:, None, :], 1) > 1e-9),
        ),
        witness=Witness(
            "a 4 x 2 rectangle in d = 1",
            lambda: np.array([[2.0, 1], [2, -1], [-2, -1], [-2, 1]]),
            lambda mu: bool(mu.any()),
        ),
        checks=(Check("relabelled", _unique, 0.05, 0.0, "the eigengap closed: squares, relabelled in a circle"),),
        recorded="holds",
    ),
)
