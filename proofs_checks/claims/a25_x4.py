r"""A25-X4: what the bound of A25-T2 evaluated at delta -> 0 guarantees.

Setting. As in A25-T2; x = (n^3/r)^(1/2), as in Table 1.
Statement. ||Psi^ W - Psi||_{2,inf} <= C1 x + C2 x^2 + C3 x^3 with high probability.
Hypotheses. Those of A25-T2.
Constants. C1, C2, C3; x at delta = 0.
Relation. Coverage.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1), Table 1.

Readings.
1. A25-X4. The theorem's probability, by A25-C1, is 1 - 16 sup gamma (n^3/r)^(2 delta), at delta -> 0 1 - 16 sup gamma:
   for gamma >= 1/16 nothing is promised (answers that are 0 or 1 have gamma up to 1/4). Read as coverage at the given n
   and r: refuted by scale. n = 2, r = 9 > n^3, m = 1, model 1 answers S^2 or -S^2 with probability 1/2 each, model 2
   always 4 S^2. The mean of 9 answers is k S^2/9 with k odd, so |D^2 - Delta^2| >= S^2/9 always, D + Delta <= 5S, and
   the row error |D - Delta|/2 is at least S/90; lambda_1 = 2 S^2, x < 1 for every delta, so the bound is below (C1 + C2
   + C3)(1, 1, 1)/S < 37.5/S. At S = 100 the coverage is 0. A25-X4/exponent-1: the same with answers S and -S, model 2
   at 4S: error S/18 or more, bound below 37.5/(2S).
2. A25-X4/asymptotic, e = 1/2: all the same, delta = 0 is right as n -> infinity, for a reason that the printed proof
   does not give: by A25-C1/square P(||B^ - B||_F >= x) <= (n - 1) sum gamma / (2 m^2 r x^2), at x = (n^3/r)^(1/2) at
   most sup gamma / (2 m n), and on the other event C1 x bounds the error (A25-T2/deterministic). Not only in the limit:
   with 0-1 answers the coverage is at least 1 - 1/(8 m n) at every n and r. For e = 1 and bounded lambda_1 the same
   holds with 4 (lambda_1 + x) sup gamma / n^2 (A25-X4/exponent-1/asymptotic).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Setting
from proofs_checks.claims.a25_c1 import POWER
from proofs_checks.claims.a25_t1 import HALF, ONE, gram_error_law, models_to_enumerate, tail
from proofs_checks.claims.a25_t2 import MOMENTS, c1, perspective_run, printed_bound
from proofs_checks.claims.a25_x import rank_two, settled
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities

SOURCE = "A25, discussion of Theorem 2; Table 1"


def _frobenius_tail(constant: Fraction, setting: Setting) -> Evidence:
    """P(||B^-B||_F^2 >= y) against constant (n - 1) sum gamma / (r y), at every y where it jumps, m = p = 1."""

    def pairs():
        for laws, r in models_to_enumerate(setting, 30, 300):
            errors, gamma, _ = gram_error_law(laws, r, 1, lambda entries: sum((x * x for x in entries), Fraction(0)))
            for y in {square for _, square in errors if square > 0}:
                yield tail(errors, y), constant * (len(laws) - 1) * gamma / (r * y)

    says = "P(||B^ - B||_F^2 >= y) <= (n - 1) sum gamma / (2 r y), every sample of two-point laws, m = p = 1"
    return exact_equalities(pairs(), says, relation="upper")


def _frobenius_tail_squared(constant: Fraction, setting: Setting) -> Evidence:
    """E = 1: P(||B^-B||_F >= x) against constant (lambda_1 + x) (1 - 1/n) sum gamma / (r x^2), m = p = 1."""

    def pairs():
        for laws, r in models_to_enumerate(setting, 30, 300):
            n = len(laws)
            errors, gamma, _ = gram_error_law(laws, r, 2, lambda entries: sum((x * x for x in entries), Fraction(0)))
            mu = [sum((w * x for w, x in law), Fraction(0)) for law in laws]
            largest = sum((x * x for x in mu), Fraction(0)) - sum(mu, Fraction(0)) ** 2 / n  # B has rank 1
            for x in (Fraction(1, 4), Fraction(5, 6), Fraction(4)):
                yield tail(errors, x * x), constant * (largest + x) * (1 - Fraction(1, n)) * gamma / (r * x * x)

    says = "P(||B^ - B||_F >= x) <= 4 (lambda_1 + x) (1 - 1/n) sum gamma / (r x^2), every sample, m = p = 1, e = 1"
    return exact_equalities(pairs(), says, relation="upper")


def _at_zero(subject: tuple[float, float], setting: Setting) -> Evidence:
    """P(Frobenius error <= C1 x), x = (n^3/r)^(1/2), at r = n^4, n = 6, 20, 60, gamma = 1."""
    exponent, shrink = subject
    size, inside, slacks = setting.size(400, 1000), [], []
    for n in (6, 20, 60):
        r = float(n**POWER)
        _, last, (errors, _) = perspective_run(n, r, exponent, setting, size)
        bound = c1(2) / math.sqrt(last) * (n**3 / r) ** 0.5
        slacks.append(bound / np.quantile(errors, 0.95))
        inside.append(int((errors <= shrink * bound).sum()))
    shown = ", ".join(f"{slack:.2g}" for slack in slacks)
    return monte_carlo.coverage(
        inside,
        size,
        f"P(||Psi^ W - Psi||_F <= C1 (n^3/r)^(1/2)) >= 0.95, r = n^4, n = 6, 20, 60, e = {exponent:g}; "
        f"bound / true 95% quantile = {shown}",
        slack=min(slacks),
    )


def _coverage_by_scale():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    scale = np.geomspace(1, 1e4, 30)
    for power, name in ((1, "error, e = 1/2"), (2, "error, e = 1")):
        # Models at 0 and 4 a; the mean of nine answers is a/9 or more off.
        delta, found = (4 * scale) ** (power / 2), (4 * scale - scale / 9) ** (power / 2)
        axes.loglog(scale, (delta - found) / 2, label=name)
        bounds = [printed_bound(d * d / 2, d * d / 2, 1, (8 / 9) ** 0.5) for d in delta]
        axes.loglog(scale, bounds, "--", label=name.replace("error", "printed bound"))
    axes.set(xlabel="scale a of the embedding, n = 2, r = 9, models at 0 and 4a", ylabel="row error, least possible")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


_AT_ZERO = r"P\big(\min_W\|\hat\Psi W-\Psi\|_{2,\infty}\le C_1x+C_2x^2+C_3x^3\big)\approx1,\quad x=(n^3/r)^{1/2}"


def _scaled(claim: str, error: tuple[Any, ...], bound: tuple[Any, ...], **replaced: str) -> Stored:
    return Stored(claim, error, bound, replaced=dict(replaced))


_HALF_SCALE = ("a25-x4", ("/", "S", "90"), ("/", "K", "S"))
_ONE_SCALE = ("a25-x4-exponent-1", ("/", "S", "18"), ("/", "K", ("*", "2", "S")))

CLAIMS = (
    Claim(
        id="A25-X4",
        title="The bound at delta -> 0 covers with high probability at the given n and r",
        source=SOURCE,
        form="as-printed",
        reading=HALF + "; at one n and r > n^3, any finite gamma; the counterexample holds for every delta",
        statement=_AT_ZERO,
        hypotheses=(*MOMENTS, rank_two(0.5)),
        witness=settled(0.5),
        checks=(
            Check(
                "scale", counterexample, _scaled(*_HALF_SCALE), _scaled(*_HALF_SCALE, S="1"), "scale 1 instead of 100"
            ),
        ),
        recorded="refuted",
        repair="A25-X4/asymptotic",
        drawings=(
            Drawing(
                _coverage_by_scale,
                "Two models, nine replicates: the least possible error grows with the scale of the embedding, the "
                "printed bound falls; beyond the crossing the coverage is 0.",
            ),
        ),
    ),
    Claim(
        id="A25-X4/asymptotic",
        title="At delta = 0 the bound covers with probability 1 - sup gamma / (2 m n) at least",
        source=SOURCE,
        form="repaired",
        reading=HALF + "; on the class of A25-T2, C1 x alone",
        statement=r"P\big(\min_W\|\hat\Psi W-\Psi\|_F\le C_1(n^3/r)^{1/2}\big)\ge1-\frac{\sup\gamma}{2mn}",
        hypotheses=(*MOMENTS, rank_two(0.5)),
        witness=settled(0.5),
        checks=(
            Check("tail", _frobenius_tail, Fraction(1, 2), Fraction(1, 64), "the constant 1/2 lowered to 1/64"),
            Check("coverage", _at_zero, (0.5, 1.0), (0.5, 1e-3), "the bound divided by 1000"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-X4/exponent-1",
        title="The bound at delta -> 0 covers at the given n and r, exponent 1",
        source=SOURCE,
        form="as-printed",
        reading=ONE + "; at one n and r > n^3, any finite gamma; the counterexample holds for every delta",
        statement=_AT_ZERO,
        hypotheses=(*MOMENTS, rank_two(1.0)),
        witness=settled(1.0),
        checks=(
            Check("scale", counterexample, _scaled(*_ONE_SCALE), _scaled(*_ONE_SCALE, S="1"), "scale 1 instead of 100"),
        ),
        recorded="refuted",
        repair="A25-X4/exponent-1/asymptotic",
        drawings=(
            Drawing(
                _coverage_by_scale,
                "With e = 1 the error grows like the scale itself, and crosses the falling bound at a smaller scale "
                "than with e = 1/2.",
            ),
        ),
    ),
    Claim(
        id="A25-X4/exponent-1/asymptotic",
        title="At delta = 0 the bound covers as n grows, for squared distances and bounded lambda_1",
        source=SOURCE,
        form="repaired",
        reading=ONE + "; under A25-A1 and A25-A2, C1 x alone",
        statement=r"P\big(\min_W\|\hat\Psi W-\Psi\|_F\le C_1(n^3/r)^{1/2}\big)\ge1-\frac{4(\lambda_1+x)\sup"
        r"\gamma}{n^2}",
        hypotheses=(*MOMENTS, rank_two(1.0)),
        witness=settled(1.0),
        checks=(
            Check("tail", _frobenius_tail_squared, Fraction(4), Fraction(1, 2), "the constant 4 lowered to 1/2"),
            Check("coverage", _at_zero, (1.0, 1.0), (1.0, 1e-3), "the bound divided by 1000"),
        ),
        recorded="holds",
    ),
)
