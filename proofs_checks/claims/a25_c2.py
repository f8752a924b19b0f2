r"""A25-C2: the order of the row error of Psi^, printed and true.

Setting. As in A25-T2.
Statement (A25, Corollary 2). Under the hypotheses of A25-T2, min_W ||Psi^ W - Psi||_{2,inf} = O_P((n^3/r)^(1/2 -
delta)).
Hypotheses. A25-A1, A25-A2, r = omega(n^3), sup gamma = O(1); iid answers with two moments.
Constants. The powers of n and r.
Relation. Order in probability.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1).

Derivation. A25-T2 gives it under either convention, on the classes that are left there.

Readings.
1. A25-C2, e = 1/2, and A25-C2/exponent-1: hold.
2. A25-C2/true-rate, measured: the Frobenius error is of the order (n/r)^(1/2) for both exponents; for e = 1 that much
   follows from DK-M8, without A25-A2. The largest row grows no faster than the largest of n Gaussian rows, ((log
   n)/r)^(1/2): nearly n^(3/2) below the print, and without delta. (e = 1/2 needs n^2/r small, or else the error of B^,
   A25-C1/needed-growth, changes the leading eigenvectors.)
"""

from __future__ import annotations

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Setting
from proofs_checks.claims.a25_c1 import GROWTH, POWER
from proofs_checks.claims.a25_t1 import HALF, ONE
from proofs_checks.claims.a25_t2 import MOMENTS, perspective_run, settled_witness, spectrum_settles
from proofs_checks.evidence import monte_carlo

COROLLARY = "A25, Corollary 2"


def _order(subject: tuple[float, float], setting: Setting) -> Evidence:
    """P(rows' error < 2 (n^3/r)^(1/4)) at r = n^4: one constant for n = 6, 20, 60."""
    exponent, factor = subject
    size, inside = setting.size(400, 1000), []
    for n in (6, 20, 60):
        r = float(n**POWER)
        _, _, (_, rows) = perspective_run(n, r * factor, exponent, setting, size)
        inside.append(int((rows < 2 * (n**3 / r) ** 0.25).sum()))
    return monte_carlo.coverage(
        inside,
        size,
        f"P(||Psi^ W - Psi||_(2,inf) < 2 (n^3/r)^(1/4)) >= 0.95 at r = n^4, n = 6, 20, 60, e = {exponent:g}",
    )


def _true_rate(subject: tuple[float, str, float], setting: Setting) -> Evidence:
    """P(error at 16 n within a factor 2 of 16^power times that at n) >= 3/4, at r = 10^8."""
    exponent, norm, power = subject
    # Within 2, so that neither norm could pass for growing by the 16^(1/2) that parts them.
    size, r, factor = setting.size(300, 600), 1e8, 2
    before, after = (
        perspective_run(n, r, exponent, setting, size)[2][0 if norm == "Frobenius" else 1] for n in (8, 128)
    )
    # The largest of n Gaussian rows grows like the square root of log n.
    expected = 16.0**power * (1.0 if norm == "Frobenius" else np.sqrt(np.log(128) / np.log(8)))
    grown, logs = after / before, "" if norm == "Frobenius" else " (log n)^(1/2)"
    return monte_carlo.success_rate(
        int(((grown < factor * expected) & (grown > expected / factor)).sum()),
        size,
        0.75,
        0.5,
        relation="rate",
        says=f"P({norm} error grows as n^{power:g}{logs} within a factor {factor}, n = 8 to 128) >= 3/4, r = 10^8, "
        f"e = {exponent:g}; median {np.median(grown):.3g} times",
        named="a law under which that probability is 1/2 or less",
    )


def _growth():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    setting, grid, r = Setting(0, "quick", "A25-C2/drawing"), np.array([8, 16, 32, 64]), 1e8
    for exponent, markers in ((0.5, "os"), (1.0, "^D")):
        runs = [perspective_run(int(n), r, exponent, setting, 30)[2] for n in grid]
        for index, name in enumerate(("Frobenius", "largest row")):
            axes.loglog(
                grid, [np.median(run[index]) for run in runs], markers[index], label=f"{name}, e = {exponent:g}"
            )
    axes.loglog(grid, np.sqrt(grid / r), "--", color="0.4", label="(n/r)^(1/2)")
    axes.loglog(grid, np.sqrt(grid**3 / r), ":", color="0.4", label="printed: (n³/r)^(1/2)")
    axes.set(xlabel="models n", ylabel="median error of Ψ̂ at r = 10⁸")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


_ORDER = r"\min_W\|\hat\Psi W-\Psi\|_{2,\infty}=O_P\big((n^3/r)^{\frac12-\delta}\big)"

CLAIMS = (
    Claim(
        id="A25-C2",
        title="Rows of the aligned Psi^ are O_P((n^3/r)^(1/2 - delta))",
        source=COROLLARY,
        form="as-printed",
        reading=HALF + "; on the class of A25-T2; delta = 1/4 in the check",
        statement=_ORDER,
        hypotheses=(*MOMENTS, GROWTH, spectrum_settles(0.5)),
        witness=settled_witness(0.5),
        checks=(Check("order", _order, (0.5, 1.0), (0.5, 1e-6), "gamma a million times as large"),),
        recorded="holds",
    ),
    Claim(
        id="A25-C2/exponent-1",
        title="A25's Corollary 2 with exponent 1",
        source=COROLLARY,
        form="as-printed",
        reading=ONE + "; under A25-A1 and A25-A2; delta = 1/4 in the check",
        statement=_ORDER,
        hypotheses=(*MOMENTS, GROWTH, spectrum_settles(1.0)),
        witness=settled_witness(1.0),
        checks=(Check("order", _order, (1.0, 1.0), (1.0, 1e-6), "gamma a million times as large"),),
        recorded="holds",
    ),
    Claim(
        id="A25-C2/true-rate",
        title="At fixed r the Frobenius error grows like n^(1/2) and the largest row like (log n)^(1/2)",
        source=COROLLARY,
        form="own",
        reading="measured for Gaussian answers from n = 8 to 128 at r = 10^8, within a factor 2; both "
        "exponents, under A25-A1 and A25-A2",
        statement=r"\min_W\|\hat\Psi W-\Psi\|_F\asymp_P(n/r)^{1/2},\qquad\|\hat\Psi W-\Psi\|_{2,\infty}"
        r"\asymp_P(\log n/r)^{1/2}",
        hypotheses=(*MOMENTS, spectrum_settles(1.0)),
        witness=settled_witness(1.0),
        checks=(
            Check(
                "frobenius, e = 1", _true_rate, (1.0, "Frobenius", 0.5), (1.0, "Frobenius", 1.5), "the printed n^(3/2)"
            ),
            Check("rows, e = 1", _true_rate, (1.0, "row", 0.0), (1.0, "row", 0.5), "n^(1/2) more"),
            Check(
                "frobenius, e = 1/2",
                _true_rate,
                (0.5, "Frobenius", 0.5),
                (0.5, "Frobenius", 1.5),
                "the printed n^(3/2)",
            ),
            Check("rows, e = 1/2", _true_rate, (0.5, "row", 0.0), (0.5, "row", 0.5), "n^(1/2) more"),
        ),
        recorded="holds",
        drawings=(
            Drawing(
                _growth,
                "At fixed r the Frobenius error grows like the square root of n and the largest row hardly at all; the "
                "printed order grows like n^(3/2).",
            ),
        ),
    ),
)
