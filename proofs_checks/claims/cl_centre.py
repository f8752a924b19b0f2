r"""CL-CENTRE: double centring moves B by at most twice the largest change of a squared dissimilarity.

Setting. Symmetric hollow matrices D^2 and Delta^2 (squares entrywise), B^ = -1/2 H D^2 H, B = -1/2 H Delta^2 H,
H = I - 11'/n.
Statement. max_ij |B^_ij - B_ij| <= 2 max_ij |D_ij^2 - Delta_ij^2|.
Hypotheses. None.
Constants. 2, sharp as n grows: 2 (1 - 1/n)^2 bounds every entry.
Relation. Upper bound.
Reference. Classical (Torgerson scaling); the step from D to B in A24 and A25.

Derivation. Entry (i,j) of H A H is sum_kl h_ik a_kl h_lj, so |.| <= max|a| (sum_k |h_ik|)(sum_l |h_lj|), and a row of H
has absolute sum (1 - 1/n) + (n - 1)/n = 2 (1 - 1/n). Half of the product is 2 (1 - 1/n)^2 < 2.

Readings. (1) The bars are entrywise: holds. (2) The bars are the spectral norm, as where the lemma is applied to
eigenvalues: false from n = 6 on, since D^2 - Delta^2 = I - ss' with balanced signs s moves B by (n - 1)/2.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.checker import gram
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical; used by A24 and A25"


def _row_sums(numerator: int):
    """Half the product of two absolute row sums of H against 2 - (4n - 2)/n^2 < 2, for the matrix H at each n."""

    def sides():
        import sympy

        pairs = []
        for n in range(2, 13):
            h = sympy.eye(n) - sympy.ones(n, n) / n
            first, second = (sum(abs(entry) for entry in h.row(i)) for i in (0, 1))
            pairs.append((first * second / 2, numerator - sympy.Rational(4 * n - 2, n * n)))
        return "1/2 (sum_k |h_ik|)(sum_l |h_lj|) = 2 - (4n - 2)/n^2 < 2 for H of size n = 2..12", pairs

    return sides


def _extreme_change(n: int) -> np.ndarray:
    """Return the symmetric hollow sign matrix A that makes entry (0, 1) of HAH as large as it can be.

    The entry is sum_{k<l} a_kl (h_0k h_1l + h_0l h_1k), linear in A, so each sign follows its coefficient.
    """
    h = np.eye(n) - 1.0 / n
    coefficient = np.outer(h[0], h[1]) + np.outer(h[1], h[0])
    return np.where(coefficient >= 0, 1.0, -1.0) * (1 - np.eye(n))


def _extremes(constant: Fraction, setting: Setting) -> Evidence:
    """Compare the extreme entries with the constant, exactly: the largest at n = 50 is 1.85."""

    def cases_by_n():
        for n in (3, 5, 10, 20, 50) if setting.budget == "quick" else range(3, 81):
            moved = gram([[Fraction(int(x)) for x in row] for row in _extreme_change(n)])
            yield max(abs(entry) for row in moved for entry in row), constant

    return exact_equalities(
        cases_by_n(), "the perturbations that move entry (1, 2) of B most, n up to 50", relation="upper"
    )


def _package_gram(constant: float, setting: Setting) -> Evidence:
    """Move the squares of a regular simplex by the extreme pattern and by random ones, through the package."""
    from hypothesis import strategies as st

    def ratio(case):
        n, scale, signs = case
        change = _extreme_change(n) if signs is None else np.triu(np.reshape(signs, (50, 50))[:n, :n], 1)
        change = change if signs is None else change + change.T
        base = 10.0 * n * (1 - np.eye(n))
        moved = np.asarray(dk.gram(np.sqrt(base + scale * change))) - np.asarray(dk.gram(np.sqrt(base)))
        return np.abs(moved).max() / (constant * scale * max(np.abs(change).max(), 1e-3))

    signs = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).choice([-1.0, 1.0], 2500))
    strategy = st.tuples(st.sampled_from([50, 10, 5]), st.sampled_from([1.0, 0.25]), st.one_of(st.none(), signs))
    return largest_ratio(
        strategy,
        ratio,
        setting,
        says="entries of the package's B move by at most the constant times the largest change of D^2, n up to 50",
        quick=60,
        full=600,
        describe=lambda case: f"n = {case[0]}, change of size {case[1]}",
    )


def _norms_of_signs():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    sizes, entries, norms = range(2, 21, 2), [], []
    for n in sizes:
        signs, h = np.resize([1.0, -1.0], n), np.eye(n) - 1 / n
        moved = h @ (np.eye(n) - np.outer(signs, signs)) @ h / 2
        entries.append(np.abs(moved).max())
        norms.append(np.linalg.norm(moved, 2))
    axes.plot(sizes, norms, "o", label="spectral norm of B̂ − B")
    axes.plot(sizes, entries, "s", label="largest entry of B̂ − B")
    axes.axhline(2, color="0.5", lw=0.8, ls="--", label="2 max|D² − Δ²|")
    axes.set(xlabel="models n, D² − Δ² = I − ss′, s balanced signs", ylabel="change of B", xticks=sizes)
    figure.legend(loc="outside lower left", ncols=2)
    return figure


_SPECTRAL = {
    "observed": (
        "/",
        ("entry", ("matmul", ("-", ("gram", "D2"), ("gram", "Delta2")), "s"), "0", "0"),
        ("entry", "s", "0", "0"),
    ),
    "claimed": ("*", "k", ("max_abs", ("-", "D2", "Delta2"))),
}
_SYMMETRIC = Hypothesis(
    "D^2 - Delta^2 is symmetric and hollow",
    lambda change: bool(np.all(change == change.T) and np.all(np.diag(change) == 0)),
)
_SIGNS = np.array([1, 1, 1, -1, -1, -1])
_WITNESS = Witness(
    "D^2 - Delta^2 = I - ss' for six models, s three signs of each kind",
    lambda: np.eye(6) - np.outer(_SIGNS, _SIGNS),
    lambda change: bool(np.abs(change).max() > 0),
)

CLAIMS = (
    Claim(
        id="CL-CENTRE",
        title="Double centring: entries of B move by at most twice those of D squared",
        source=SOURCE,
        form="as-printed",
        reading="bars are entrywise",
        statement=r"\max_{ij}|\hat B_{ij}-B_{ij}|\le 2\max_{ij}|D_{ij}^2-\Delta_{ij}^2|",
        hypotheses=(_SYMMETRIC,),
        witness=_WITNESS,
        checks=(
            Check("row-sums", identity, _row_sums(2), _row_sums(1), "the constant halved"),
            Check("extremes", _extremes, Fraction(2), Fraction(3, 2), "the constant lowered to 3/2"),
            Check("package", _package_gram, 2.0, 1.5, "the constant lowered to 3/2"),
        ),
        recorded="holds",
    ),
    Claim(
        id="CL-CENTRE/spectral",
        title="Double centring in spectral norm with the same constant",
        source=SOURCE,
        form="reconstructed",
        reading="bars are the spectral norm",
        statement=r"\|\hat B-B\|_2\le 2\max_{ij}|D_{ij}^2-\Delta_{ij}^2|",
        hypotheses=(_SYMMETRIC,),
        witness=_WITNESS,
        checks=(
            Check(
                "balanced-signs",
                counterexample,
                Stored("cl-centre-spectral", **_SPECTRAL),
                Stored("cl-centre-spectral", **_SPECTRAL, replaced={"k": "3"}),
                "the constant is n/2 = 3, which this configuration does not exceed",
            ),
        ),
        recorded="refuted",
        repair="CL-CENTRE",
        drawings=(
            Drawing(
                _norms_of_signs,
                "Entries stay below twice the largest change of D²; the spectral norm is (n − 1)/2 and passes it at "
                "n = 6.",
            ),
        ),
    ),
)
