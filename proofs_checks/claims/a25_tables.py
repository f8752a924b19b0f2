r"""A25-TAB1 and A25-TAB2: whether the printed tables agree with themselves, with a reading, and with the text.

Setting. Table 1: 0-1 answers, probabilities uniform on (0, 1), r = n^5.5, 100 runs for each n = 10, 12, 15, 18, 20;
printed are the average of min_W ||Psi^ W - Psi|| and the upper bound of A25-T2 at delta -> 0. Table 2 prints B = -1/2 H
Delta H.
Statements.
* A25-TAB1: some reading gives the printed averages. The readings here: probabilities drawn anew in each run, m = 2 or
  3, (c, e) = (1/sqrt m, 1/2), (1/sqrt m, 1), (1/m, 1) or (1, 1), d = 1, 2, 3 but at most the rank, Frobenius, spectral
  or two-to-infinity norm. The study concentration-table tries 1,064 readings, and finds none for all five rows.
  A25-TAB1/drawn-once: what can be said if the probabilities are drawn once for all runs, which the table may mean.
* A25-TAB1/rows: the five averages follow one power law. A25-TAB1/first-rows: four do. A25-TAB1/bounds: the five bounds
  do.
* A25-TAB2: B without the square is that of the text.
Hypotheses. As said.
Constants. The printed numbers, to half a unit of the last digit.
Relation. Equality of numbers.
Reference. Acharyya, Agterberg, Park, Priebe (2025), arXiv:2511.08307 (v1), Tables 1 and 2.

Derivations.
1. A25-TAB1. Let t = 0.0000215 and N the number of 100 runs at n = 20 with an error of at least 2t. An average of at
   most t has N <= 50. If P(error >= 2t) >= 4/5 under a reading, P(N <= 50) <= 3e-11. That probability is tested for
   each reading, exactly. So the average 0.000021 refutes each of these readings, whatever the tails of the error are.
   Nothing is said of other quantities than a norm of Psi^ W - Psi. When the probabilities are drawn once for all runs,
   the runs are independent only given them, and a refutation at 10^-9 would need the tail of q = P(error >= 2t |
   probabilities). What is left (A25-TAB1/drawn-once): E(1 - q) = P(error < 2t), so P(q < 4/5) <= 5 P(error < 2t) by
   Markov's inequality, and P(average <= t) <= 5 P(error < 2t) + 3e-11, at most 1/20 where P(error >= 2t) >= 0.99.
2. A25-TAB1/rows. Let a_n = C n^(-s) (1 + e_n), |e_n| <= 1/3. For s >= 0, (18/15)^s >= (20/18)^s, so a_18^2 / (a_15
   a_20) <= ((1 + 1/3)/(1 - 1/3))^2 = 4; printed is 4.9 or more, rounding included. For s < 0, a_18 / a_20 <= 2; printed
   is 6.8. No law does whose logarithm is convex and falling in log n, nor a rising one. The last row stands apart:
   0.000021 is a fifth or less of what the others predict, 0.000120 (one digit differs).
3. A25-TAB1/first-rows and /bounds: a_n^6 n^11 over the first four rows, and b_n^3 n^4 over all five, vary by less than
   1.1% and 2.5% of a_n and b_n to either side allow. That the bounds fall as n^(-4/3), more slowly than the n^(-7/4)
   that eigenvalues of the order n (A25-X3/experiments) and a fixed d give, asks for something more, such as a d that
   grows over the rows.
4. A25-TAB2. Read with e = 1 the unsquared B has rank n - 1 for distinct models (CL-SCHOENBERG), not that of the means:
   refuted by three models on a line. A25-TAB2/same: it is B of the text with e = 1/2, times sqrt m if Delta has c =
   1/sqrt m, times 1 if Delta is A24's, with c = 1/m. A25-TAB2/rates: so, for coincident models, B^ made this way falls
   as r^(-1/2) with e = 1, and as r^(-1/4) with e = 1/2.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import FALSE_REFUTATION, Check, Claim, Drawing, Evidence, Outcome, Setting, Witness
from proofs_checks.claims import _a25_figures
from proofs_checks.claims.a25_c1 import gaussian_errors
from proofs_checks.claims.a25_t1 import centred, squares
from proofs_checks.claims.a25_t2 import top_factors
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.search import largest_difference

FIRST, SECOND = "A25, Table 1", "A25, Table 2"
#: n -> (average in units of 10^-6, upper bound in units of 10^-6), as printed.
PRINTED = {10: (426, 704184), 12: (308, 542679), 15: (201, 395877), 18: (146, 318522), 20: (21, 279479)}
NORMS = ("Frobenius", "spectral", "two-to-infinity")
#: P(error >= 2t) of a reading must be at least this.
SHARE = 0.8


# Table 1


def table_errors(n: int, m: int, size: int, rng: np.random.Generator) -> dict[tuple[str, int, str], np.ndarray]:
    """Errors of Psi^ in ``size`` runs of Table 1 under every reading (convention, d, norm) with m queries."""
    r = round(n**5.5)
    p = rng.uniform(size=(size, n, m, 1))
    x = rng.binomial(r, p) / r
    found = {}
    for exponent, conventions in (
        (0.5, {"1/sqrt(m), 1/2": 1.0}),
        (1.0, {"1/sqrt(m), 1": 1.0, "1/m, 1": m**-0.5, "1, 1": m**0.5}),
    ):
        factors = [top_factors(centred(squares(means, exponent)), 3) for means in (x, p)]
        for d in range(1, 4 if exponent == 0.5 else m + 1):
            estimate, truth = (one[..., -d:] for one in factors)
            left, _, right = np.linalg.svd(np.swapaxes(estimate, 1, 2) @ truth)
            left_over = estimate @ (left @ right) - truth
            sizes = (
                np.linalg.norm(left_over, axis=(1, 2)),
                np.linalg.norm(left_over, 2, axis=(1, 2)),
                np.linalg.norm(left_over, axis=2).max(axis=1),
            )
            for (name, scale), (norm, values) in itertools.product(conventions.items(), zip(NORMS, sizes, strict=True)):
                found[f"m = {m}, {name}", d, norm] = scale * values
    return found


def _average_of_20(average: float, setting: Setting) -> Evidence:
    """Test P(error >= 2t) >= 4/5 at n = 20 for every reading; t is the average and half a unit of its last digit."""
    from scipy import stats

    size, t = setting.size(600, 4000), average + 0.5e-6
    rng = np.random.default_rng(setting.integer_seed("runs"))
    counts = {
        reading: int((values >= 2 * t).sum())
        for m in (2, 3)
        for reading, values in table_errors(20, m, size, rng).items()
    }
    # Every reading must fail, so only the true one, if there is one, can be wronged: no correction for their number.
    cut = int(stats.binom.isf(FALSE_REFUTATION / 10, size, SHARE)) + 1
    least = min(counts, key=lambda reading: counts[reading])
    alpha = float(stats.binom.sf(cut - 1, size, SHARE) + stats.binom.cdf(50, 100, SHARE))
    refuted = counts[least] >= cut and alpha <= FALSE_REFUTATION
    return Evidence(
        "monte-carlo",
        Outcome.CONTRADICTS if refuted else Outcome.INCONCLUSIVE,
        counts[least] / size,
        SHARE,
        "lower",
        f"share of runs at n = 20 with an error of at least {2 * t:.6f}, least over {len(counts)} readings: an average "
        f"of {average:.6f} has probability {stats.binom.cdf(50, 100, SHARE):.1g} where this share is 4/5 (exact "
        "binomial)",
        n=size,
        alpha=alpha,
    )


def _drawn_once(average: float, setting: Setting) -> Evidence:
    """P(error >= 2t) >= 0.99 at n = 20 for the reading that has it least often; t as above."""
    size, t = setting.size(600, 4000), average + 0.5e-6
    rng = np.random.default_rng(setting.integer_seed("runs"))
    counts = [int((values >= 2 * t).sum()) for m in (2, 3) for values in table_errors(20, m, size, rng).values()]
    found = monte_carlo.success_rate(
        min(counts),
        size,
        0.99,
        0.9,
        relation="lower",
        says=f"P(error at n = 20 is {2 * t:.6f} or more) >= 0.99, least over {len(counts)} readings, each run with its "
        f"own probabilities: so P(average of 100 runs <= {t:.7f}) <= 1/20 with probabilities drawn once",
        named="a reading with that probability at 0.9 or less",
    )
    return replace(found, alpha=found.alpha * len(counts))  # the least of them is judged


def _one_power(subject: tuple[int, Sequence[int], int, int, Fraction], setting: Setting) -> Evidence:
    """Largest over least a^k n^l among rows, against ((1 + tolerance) / (1 - tolerance))^k: one power n^(-l/k)."""
    column, rows, k, power, tolerance = subject
    levels = [Fraction(PRINTED[n][column]) ** k * Fraction(n) ** power for n in rows]
    allowed = ((1 + tolerance) / (1 - tolerance)) ** k
    return exact_equalities(
        [(max(levels) / min(levels), allowed)],
        f"largest / least of a^{k} n^{power} over n = {', '.join(map(str, rows))}: within {float(tolerance):.1%} of "
        "one power law",
        relation="upper",
        exhaustive=True,
    )


# Table 2


def _same_matrix(subject: tuple[str, float], setting: Setting) -> Evidence:
    """Compare the package's B with e = 1/2 with -1/2 H Delta H with e = 1 and a normalisation, times a power of m."""
    normalisation, power = subject

    def difference(points: np.ndarray) -> float:
        means = points.reshape(4, 3, 1)
        text = np.asarray(dk.gram(cases.dissimilarities(means, dk.conventions.A25)))
        unsquared = centred(cases.dissimilarities(means, dk.Convention(normalisation, 1.0)))
        return float(np.abs(unsquared * 3**power - text).max() / (1 + np.abs(text).max()))

    return largest_difference(
        cases.integer_arrays(4, 3),
        difference,
        setting,
        within=1e-10,
        says=f"-1/2 H Delta H with e = 1, c by {normalisation}, times m^{power:g}, is B of the text with e = 1/2; m = "
        "3",
        quick=60,
        full=500,
    )


def _falls(subject: tuple[float, float], setting: Setting) -> Evidence:
    """Rate of max|B^-B| with B made of Delta unsquared, two models coincident, r = 10^4 and 10^12."""
    exponent, rate = subject
    mean = np.zeros((3, 2, 2))
    mean[2, :, 0] = 3.0

    def errors(r: float) -> np.ndarray:
        draws = gaussian_errors(setting, f"r = {r:g}", 300, (3, 2, 2), 1 / r)
        # D itself is the square root of D^2 at exponent 1, up to the constant c.
        found, truth = (centred(squares(x, exponent / 2)) for x in (mean[None] + draws, mean))
        return np.abs(found - truth[None]).max(axis=(1, 2))

    says = f"max|B^ - B| with two coincident models, B made of Delta, e = {exponent:g}, r = 10^4 and 10^12"
    return monte_carlo.falls_as(errors(1e4), errors(1e12), 1e8, rate=rate, exactly=True, says=says)


_TABLE = Witness("the printed table", lambda: PRINTED, lambda table: len(table) == 5)
_LINE = Witness("three models on a line", lambda: ((0,), (1,), (2,)), lambda w: len(w) > 2)
_ALL, _FOUR = tuple(PRINTED), tuple(PRINTED)[:4]
_BEND = ("/", ("*", ("-", "a18", "h"), ("-", "a18", "h")), ("*", ("+", "a15", "h"), ("+", "a20", "h")))
_ROWS = Stored("a25-tab1-rows", _BEND, "4")
_RANKS = Stored(
    "a25-tab2", ("rank", ("gram", ("distances", "Mu"))), ("rank", ("gram", ("squared_distances", "Mu"))), "equal"
)

CLAIMS = (
    Claim(
        id="A25-TAB1",
        title="Some reading of Table 1 with probabilities drawn anew in each run gives its average at n = 20",
        source=FIRST,
        form="as-printed",
        reading="probabilities anew in each run; m = 2 or 3; four conventions; d = 1, 2, 3 up to the rank; Frobenius, "
        "spectral or two-to-infinity norm",
        statement=r"\tfrac1{100}\sum_{\text{runs}}\min_W\|\hat\Psi W-\Psi\|=0.000021\quad(n=20,\ r=n^{5.5})",
        hypotheses=(),
        witness=_TABLE,
        checks=(
            Check("last-row", _average_of_20, 0.000021, 0.000120, "the average that the other rows predict, 0.000120"),
        ),
        recorded="refuted",
        no_repair="no reading is known that gives the five averages: the study concentration-table tries 1,064",
        drawings=(
            Drawing(
                _a25_figures.readings,
                "Every reading falls steadily; the printed average at n = 20 lies far below all of them, and below the "
                "power law of the four before it.",
            ),
        ),
    ),
    Claim(
        id="A25-TAB1/drawn-once",
        title="With probabilities drawn once, too, fewer than one table in twenty has that average at n = 20",
        source=FIRST,
        form="own",
        reading="probabilities drawn once for all 100 runs; else the readings of A25-TAB1, each by itself; no "
        "refutation: chance alone is left with 1/20 at most",
        statement=r"P\Big(\tfrac1{100}\sum_{\text{runs}}\min_W\|\hat\Psi W-\Psi\|\le0.0000215\Big)\le\tfrac1{20}"
        r"\quad(n=20,\ r=n^{5.5})",
        hypotheses=(),
        witness=_TABLE,
        checks=(
            Check("last-row", _drawn_once, 0.000021, 0.000120, "the average that the other rows predict, 0.000120"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-TAB1/rows",
        title="The five averages of Table 1 follow one power law of n within a third",
        source=FIRST,
        form="as-printed",
        reading="any constant and any power, falling or rising",
        statement=r"a_n=C\,n^{-s}(1+e_n),\ |e_n|\le\tfrac13",
        hypotheses=(),
        witness=_TABLE,
        checks=(
            Check(
                "bend", counterexample, _ROWS, replace(_ROWS, replaced={"a20": "120"}), "0.000120 instead of 0.000021"
            ),
        ),
        recorded="refuted",
        repair="A25-TAB1/first-rows",
        drawings=(
            Drawing(
                _a25_figures.rows,
                "Table 1 as printed: the bounds lie on one line, and all averages but the last on another.",
            ),
        ),
    ),
    Claim(
        id="A25-TAB1/first-rows",
        title="The first four averages of Table 1 follow n^(-11/6) within 1.1%",
        source=FIRST,
        form="repaired",
        reading="exact arithmetic on the printed numbers",
        statement=r"a_n=C\,n^{-11/6}(1+e_n),\ |e_n|\le0.011\quad(n\le18)",
        hypotheses=(),
        witness=_TABLE,
        checks=(
            Check(
                "power-law",
                _one_power,
                (0, _FOUR, 6, 11, Fraction(11, 1000)),
                (0, _ALL, 6, 11, Fraction(11, 1000)),
                "the fifth row taken in",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-TAB1/bounds",
        title="The upper bounds of Table 1 agree with one another",
        source=FIRST,
        form="as-printed",
        reading="all five within 2.5% of n^(-4/3); exact arithmetic on the printed numbers",
        statement=r"b_n=C\,n^{-4/3}(1+e_n),\ |e_n|\le0.025",
        hypotheses=(),
        witness=_TABLE,
        checks=(
            Check(
                "power-law",
                _one_power,
                (1, _ALL, 3, 4, Fraction(25, 1000)),
                (0, _ALL, 3, 4, Fraction(25, 1000)),
                "the averages in place of the bounds",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-TAB2",
        title="B made of Delta unsquared has the rank of the means",
        source=SECOND,
        form="reconstructed",
        reading="e = 1, -1/2 H Delta H as printed, in place of -1/2 H Delta^2 H",
        statement=r"B=-\tfrac12H\Delta H\ \Rightarrow\ \operatorname{rank}B=\dim\operatorname{aff}\{\mu_i\}",
        hypotheses=(),
        witness=_LINE,
        checks=(
            Check(
                "three-on-a-line",
                counterexample,
                _RANKS,
                replace(_RANKS, replaced={"Mu": [["0"], ["0"], ["2"]]}),
                "two of the three models coincide",
            ),
        ),
        recorded="refuted",
        repair="A25-DEF/exponent-1",
        drawings=(
            Drawing(
                _a25_figures.two_spectra,
                "Eight models evenly on a line, e = 1: the squares give one eigenvalue, the unsquared distances seven.",
            ),
        ),
    ),
    Claim(
        id="A25-TAB2/same",
        title="B made of Delta unsquared (e = 1) is B of the text with exponent one half",
        source=SECOND,
        form="own",
        reading="exactly for A24's Delta (c = 1/m), sqrt m times it for c = 1/sqrt m",
        statement=r"-\tfrac12H\Delta^{(c,1)}H=\frac{c}{1/m}\,B^{(1/\sqrt m,\,1/2)}",
        hypotheses=(),
        witness=_LINE,
        checks=(
            Check("c = 1/m", _same_matrix, ("m", 0.0), ("m", 0.5), "multiplied by sqrt m"),
            Check("c = 1/sqrt(m)", _same_matrix, ("sqrt-m", -0.5), ("sqrt-m", 0.0), "the factor sqrt m dropped"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A25-TAB2/rates",
        title="B^ made of D unsquared falls as r^(-1/2) with e = 1 and as r^(-1/4) with e = 1/2 at coincident models",
        source=SECOND,
        form="own",
        reading="two coincident models and one apart; rates read between r = 10^4 and 10^12",
        statement=r"\mu_1=\mu_2\ \Rightarrow\ \max_{ii'}|\hat B_{ii'}-B_{ii'}|\asymp_P r^{-e/2}",
        hypotheses=(),
        witness=Witness("two models at 0 and one at 3", lambda: (0, 0, 3), lambda w: w[0] == w[1]),
        checks=(
            Check("e = 1", _falls, (1.0, 0.5), (0.5, 0.5), "e = 1/2"),
            Check("e = 1/2", _falls, (0.5, 0.25), (1.0, 0.25), "e = 1"),
        ),
        recorded="holds",
    ),
)
