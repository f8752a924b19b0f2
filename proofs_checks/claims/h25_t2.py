r"""H25-T2: a rule that is consistent on the true perspectives is consistent on the estimated ones.

Setting. As in H25-T1, with a sequence of rules h_n, one for each size n of the training set. Consistent: the risk of
h_n tends to the least possible risk as n grows.
Statement. If h_n is consistent on (psi_i, y_i) it is consistent on (psi^_i, y_i) as n, m, r -> infinity.
Hypotheses. Those of H25-T1 for every n.
Constants. The repaired form has sqrt(2) phi, phi = (1 + sqrt 5)/2 from DK-M8.
Relation. Limit; in the repaired form an upper bound on the difference of the risks.
Reference. Helm, Acharyya, Park, Duderstadt, Priebe (2025), Findings of ACL.

Readings.
1. As printed, c = 1/m and bounded g: Delta* = 0, and for every n all true perspectives coincide. The least risk on
   them is that of the best constant, and a consistent rule is one that finds it from the labels alone. The limits:
   a. H25-T2, one after the other: vacuous as H25-T1 is. For each n the risk on psi^ tends to that on coincident
      perspectives; the conclusion is true and says nothing of any perspective. (If "consistent" is measured by the
      least risk on the models, the hypothesis leaves only labels of which the models tell nothing.)
   b. H25-T2/joint/as-printed, together: refuted, so not vacuous. With the models of 3 and squared loss let h_n = w_n/2,
      w_n = max(0, 1 - k_n max_ii' ||psi_i - psi_i'||^2). On the truth w_n = 1, h_n = 1/2, and the risk is 1/4, the
      least possible for fair labels. On the estimates two models of different types have D^2 >= (m - 1)/m^2, noise or
      none, so with k_n = 2m, m >= 2, w_n = 0 unless all n + 1 types are one, and the risk is at least P(y_0 = 1, both
      types occur) = 1/2 - 2^(-n-1) -> 1/2. Along m = n (any r) the k_n = 2n are fixed numbers. It is not the noise:
      Delta_m = m^(-1/2) for different types, which tends to Delta* = 0 more slowly than the rule steepens.
2. H25-T2/iterated: c = 1/sqrt(m), unique perspectives; for each n first m, r -> infinity, then n -> infinity. Holds:
   for each n the risk on psi^ tends to that on psi by H25-T1/sqrt-m, and that tends to the least risk. The checks show
   both steps for local averages with bandwidth n^(-1/3).
3. H25-T2/joint: n, m, r -> infinity together in any way. Refuted. Models are of type t = 0 or 1, a fair choice, y =
   t. Query 1 is answered by t + 1 or t - 1, a fair choice; every other query by t. So mu_ij = t_i, Delta = |t_i -
   t_i'| for each m, |g| <= 2, and B^ has rank at most 2 = d: psi^ has the distances D. Let K_i = max(0, 1 - 2 ||psi_0
   - psi_i||), g = (1/2 + sum K_i y_i) / (1 + sum K_i), w_n = max(0, 1 - k_n max_ii' rho(||psi_i - psi_i'||)), rho(x)
   = min(1, x^2 |1 - x^2|), h_n = w_n g + (1 - w_n)(1 - g). All are continuous functions of distances in [0, 1]. Loss
   |h - y_0|. On the truth distances are 0 or 1, so w_n = 1 and the risk is E 1/(2 (1 + N)) = (1 - 2^(-n-1)) / (n + 1)
   -> 0, N ~ Binomial(n, 1/2) the number of training models of the test model's type. On the estimates let e_i be the
   mean of r signs. For one type D^2 = (e_i - e_i')^2 / m is zero or at least 4 / (r^2 m), and at most 4/m. With k_n =
   r^2 m, m >= 64, one pair of equal type with e_i != e_i' gives k_n rho >= 4 (1 - 1/16) > 1, so w_n = 0 and the loss
   is 1 - |g - y_0|. For two types D^2 >= (m - 1)/m, K = 0; for one type K >= 1/2; so E |g - y_0| <= E 1/(2 + N) <=
   2/(n + 1). Of three models two have one type, and P(e = e') = C(2r, r)/4^r <= (2r + 1)^(-1/2). Hence for n >= 2
   risk on the estimates >= 1 - 2/(n + 1) - C(2r, r)/4^r -> 1. Along r = m = n >= 64 the k_n = n^3 are fixed numbers;
   every path r(n), m(n) has such a sequence. (Nor does n first help: at fixed r and m the same k_n = n^3 make the risk
   on psi^ tend to 1 as n grows.)
4. H25-T2/equicontinuous, c = 1/sqrt(m), rank(B) <= d: if |h_n(Psi) - h_n(Psi')| <= L_n max_ii' |distance - distance'|
   and the loss is Lipschitz with constant 1, then |risk on psi^ - risk on psi| <= L_n E max |D - Delta*| of the
   perspectives <= L_n (sqrt(2) phi sqrt(n gamma / r) + max |Delta_m - Delta*|), for n + 1 models, gamma the largest
   over models of the mean over queries of gamma_ij: a distance moves by at most sqrt(2) times the aligned Frobenius
   error, whose mean square is at most phi^2 n gamma / r by DK-M8. So joint limits with L_n^2 n / r -> 0 and L_n max
   |Delta_m - Delta*| -> 0 keep consistency, g being bounded. For 3's rule L_n <= 2n + 6 k_n: |dg/dK_i| <= 1, K_i has
   slope 2, and rho has slope at most 6 where it is below 1.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims import _h25 as h25
from proofs_checks.claims._h25_types import (
    QUERIES,
    coincident_risks,
    exact_risks,
    flat_curves,
    flat_rule,
    risk_curves,
    steep_rule,
    typed_losses,
    typed_squares,
    types_case,
)
from proofs_checks.claims.h25_t1 import SMOOTH, WITNESS, largest_delta
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.symbolic import nothing_left

SOURCE = "H25, theorem 2"
GOLDEN = (1 + math.sqrt(5)) / 2


def _each_n(rule, setting: Setting) -> Evidence:
    """First limit, at n = 15: |risk on psi^ - risk on psi| at (m, r) = (4, 10^4) and (16, 10^12)."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    theta, _, labels = h25.line_models(generator, h25.BLOCKS * h25.DRAWS, 16)
    truth = rule(h25.SLOPE * theta[..., None], labels)
    gaps = []
    for m, r in ((4, h25.LOW), (16, h25.HIGH)):
        found = h25.classical(h25.line_squares(theta, r, generator, m), 1)
        gaps.append(h25.risk_gaps(rule(h25.moved(found, generator), labels), truth, labels))
    says = "difference of the risks on psi^ and psi at n = 15, (m, r) = (4, 10^4) and (16, 10^12)"
    return monte_carlo.falls_as(gaps[0], gaps[1], h25.HIGH / h25.LOW, says=says)


def _local_of(n: int):
    return lambda psi, labels: h25.local_averages(psi, labels, 0.7 * n ** (-1 / 3))


def _then_n(shrinking: bool, setting: Setting) -> Evidence:
    """Second limit: excess of the squared loss over the least possible at n = 8 and 125, m = 4, r = 10^12."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    excess = []
    for n, draws in ((8, 40), (125, 2)):
        width = 0.7 * n ** (-1 / 3) if shrinking else 10.0
        theta, chance, labels = h25.line_models(generator, h25.BLOCKS * draws, n + 1)
        found = h25.local_averages(h25.classical(h25.line_squares(theta, h25.HIGH, generator), 1), labels, width)
        excess.append(np.square(found - chance).reshape(h25.BLOCKS, -1).mean(1))
    says = "excess risk on psi^ of local averages, bandwidth n^(-1/3), n = 8 and 125"
    return monte_carlo.falls_as(excess[0], excess[1], 125 / 8, rate=2 / 3, says=says)


def _joint(power: int, setting: Setting) -> Evidence:
    """Compare exact risks at small n with the formula and the lower bound of the derivation, and take their limits.

    ``power`` 1 is the rule with k_n = r^2 m, 0 that with k_n = 1.
    """
    import sympy

    n = sympy.symbols("n", positive=True, integer=True)
    on_truth = (1 - sympy.Rational(1, 2) ** (n + 1)) / (n + 1)
    on_estimates = 1 - 2 / (n + 1) - 1 / sympy.sqrt(2 * n + 1)  # r = n
    limits = [sympy.limit(side, n, sympy.oo) for side in (on_truth, on_estimates)]
    agree, risks = limits == [0, 1], (Fraction(0), Fraction(0))
    for models, r in ((4, 4), (5, 4)) if setting.budget == "quick" else ((4, 4), (5, 4), (6, 4), (5, 6)):
        risks = exact_risks(models, r, (r * r * QUERIES) ** power)
        equal = Fraction(math.comb(2 * r, r), 4**r)
        agree &= equal * equal * (2 * r + 1) <= 1
        agree &= risks[0] == Fraction(2 ** (models + 1) - 1, 2 ** (models + 1) * (models + 1))
        agree &= risks[1] >= 1 - Fraction(2, models + 1) - equal
    return Evidence(
        "certified",
        Outcome.CONTRADICTS if agree else Outcome.INCONCLUSIVE,
        float(risks[1]),
        float(risks[0]),
        "upper",
        "risk on psi^ (observed) and on psi (claimed) by exact enumeration at the last n; they agree with the formula "
        "and the lower bound, whose limits are 1 and 0"
        if agree
        else "the exact risks do not agree with the formula and the lower bound",
        n=2,
    )


def _joint_as_printed(power: int, setting: Setting) -> Evidence:
    """Compare exact risks along m = r = n with 1/4 and the lower bound, and take its limit; k_n = (2m)^power."""
    import sympy

    n = sympy.symbols("n", positive=True, integer=True)
    lowest = sympy.Rational(1, 2) - sympy.Rational(1, 2) ** (n + 1)
    agree, risks = sympy.limit(lowest, n, sympy.oo) > sympy.Rational(1, 4), (Fraction(0), Fraction(0))
    sizes = range(2, setting.size(5, 7))
    for size in sizes:
        risks = coincident_risks(size, size, size, (2 * size) ** power)
        agree &= risks[0] == Fraction(1, 4) and risks[1] >= Fraction(str(lowest.subs(n, size)))
    return Evidence(
        "certified",
        Outcome.CONTRADICTS if agree else Outcome.INCONCLUSIVE,
        float(risks[1]),
        float(risks[0]),
        "upper",
        "risk on psi^ (observed) and on coincident psi (claimed) by exact enumeration at the last m = r = n; the one "
        "is above its lower bound, whose limit is 1/2, the other is 1/4 for every n"
        if agree
        else "the exact risks do not agree with 1/4 and the lower bound",
        n=len(sizes),
    )


def _path(power: float, setting: Setting) -> Evidence:
    """P(loss on psi^ < 1/2) on the path n = r = 32, by the embedding itself."""
    generator = np.random.default_rng(setting.integer_seed("models"))
    losses, _ = typed_losses(32, 32, (32.0**2 * QUERIES) ** power, 300, generator)
    found = monte_carlo.success_rate(
        int((losses < 0.5).sum()),
        300,
        0.75,
        0.5,
        relation="coverage",
        says="P(loss on psi^ < 1/2) >= 3/4 at n = r = 32, m = 64",
        named="a probability of 1/2",
    )
    return monte_carlo.illustration(found)


def _bounded_difference(subject, setting: Setting) -> Evidence:
    """E |loss on psi^ - loss on psi| over its bound, the rule of H25-T2/joint with k_n = n^power, r = n^4."""
    n, power = subject
    r, k = n**4, float(n) ** power
    # One query of 64 varies, with variance 1.
    bound = (2 * n + 6 * math.sqrt(n)) * math.sqrt(2) * GOLDEN * math.sqrt(n / (QUERIES * r))

    def draw(key, size):
        import jax

        generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        found, truth = typed_losses(n, r, k, size, generator)
        return np.abs(found - truth) / bound

    return monte_carlo.mean_at_most(
        draw,
        1.0,
        setting,
        says=f"E |loss on psi^ - loss on psi| over L_n sqrt(2) phi sqrt(n gamma / r), n = {n}, r = n^4",
        named="a mean twice the bound",
        violated=2.0,
        quick=60,
        full=1000,
    )


def _distance_errors(subject, setting: Setting) -> Evidence:
    """E max |distance in psi^ - distance in psi| over sqrt(2) phi sqrt(n^power gamma / r), r = n^4.

    It is the difference of the risks over L_n for the steepest rule, L_n times the largest distance from {0, 1}.
    """
    n, power = subject
    bound = math.sqrt(2) * GOLDEN * math.sqrt(n**power / (QUERIES * n**4))

    def draw(key, size):
        import jax

        generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        squares, types = typed_squares(n, n**4, size, generator)
        return np.abs(np.sqrt(squares) - np.abs(types[:, :, None] - types[:, None])).max((1, 2)) / bound

    return monte_carlo.mean_at_most(
        draw,
        1.0,
        setting,
        says=f"E max |distance in psi^ - distance in psi| over sqrt(2) phi sqrt(n gamma / r), n = {n}, r = n^4",
        named="a mean twice the bound",
        violated=2.0,
        quick=60,
        full=1000,
    )


_TYPES = Witness(
    "two types of models at distance 1, one query of 64 answered with noise, d = 2",
    types_case,
    lambda case: bool(np.isclose(h25.population_squares(case).max(), 1.0)) and bool(case.population.gamma.max() > 0),
)


def _shrinks_on_truth(case: h25.Case) -> bool:
    """Whether the loss of the rule on true distances falls as the models of the witness are repeated."""
    squares = h25.population_squares(case)
    losses = []
    for copies in (1, 8, 64):
        many = np.tile(np.arange(len(squares)), copies)
        found = steep_rule(squares[np.ix_(many, many)][None], case.labels[many][None], float(len(many)) ** 3)
        losses.append(float(np.abs(found - case.labels[0])[0]))
    return losses[2] < losses[1] / 4 < losses[0] / 16


_STEEP = h25.tame(lambda psi, labels: steep_rule(h25.squared(psi), labels, 100.0))
_FLAT = h25.tame(lambda psi, labels: flat_rule(h25.squared(psi), 0.5) + 0 * labels)


def _constant_is_best(case: h25.Case) -> bool:
    """Whether the rule on coincident perspectives has the least squared loss of a constant, the labels being fair."""
    found = flat_rule(np.zeros((1, len(case.labels), len(case.labels))), 100.0)
    return bool(np.isclose(np.square(found - case.labels).mean(), np.var(case.labels)))


CONSISTENT = Hypothesis(
    "h_n is consistent on the true perspectives",
    _shrinks_on_truth,
)
LIMITS = (
    r"\mathbb E\,\ell(h_n(\psi_0;T_n),y_0)\to\ell^*\ \Rightarrow\ "
    r"\mathbb E\,\ell(h_n(\hat\psi_0;\hat T_n),y_0)\to\ell^*"
)

CLAIMS = (
    Claim(
        id="H25-T2",
        title="A rule consistent on true perspectives is consistent on estimated ones, as m and r grow first, then n",
        source=SOURCE,
        form="as-printed",
        reading="as printed, c = 1/m and bounded g, with limits one after the other: for each n first m, r -> "
        "infinity; together they are H25-T2/joint/as-printed",
        statement=LIMITS + r",\quad c=1/m,\ \|g\|\le R",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, SMOOTH, CONSISTENT),
        witness=None,
        no_witness="as for H25-T1: with bounded g and c = 1/m all true perspectives coincide for every n, so a "
        "consistent rule on them learns nothing from the models",
        checks=(Check("nothing-left", nothing_left, largest_delta(2), largest_delta(1), "normalised by 1/sqrt(m)"),),
        recorded="vacuous",
        repair="H25-T2/iterated",
    ),
    Claim(
        id="H25-T2/joint/as-printed",
        title="With c = 1/m, consistency carries over when n, m and r grow together in any way",
        source=SOURCE,
        form="as-printed",
        reading="as printed, c = 1/m and bounded g, with one joint limit; all true perspectives coincide, and "
        "consistent is what finds the best constant",
        statement=LIMITS + r",\quad n,m,r\to\infty,\ c=1/m,\ \|g\|\le R",
        hypotheses=(
            h25.INDEPENDENT,
            h25.BOUNDED,
            _FLAT,
            Hypothesis("h_n is consistent on the true perspectives, which coincide", _constant_is_best),
        ),
        witness=_TYPES,
        checks=(Check("exact-risks", _joint_as_printed, 1, 0, "k_n = 1, which stays below what Delta_m leaves"),),
        recorded="refuted",
        repair="H25-T2/equicontinuous",
        drawings=(
            Drawing(
                flat_curves,
                "With c = 1/m all true perspectives coincide and both rules have the least risk on them, 1/4. The one "
                "that steepens as the perspectives draw together sees that they do not coincide, and predicts 0.",
            ),
        ),
    ),
    Claim(
        id="H25-T2/iterated",
        title="Consistency carries over when m and r grow first, then n",
        source=SOURCE,
        form="repaired",
        reading="c = 1/sqrt(m), unique perspectives; for each n first m, r -> infinity, then n -> infinity; local "
        "averages are checked",
        statement=r"\lim_{n}\lim_{m,r}\mathbb E\,\ell(h_n(\hat\psi_0;\hat T_n),y_0)=\ell^*",
        hypotheses=(
            h25.INDEPENDENT,
            h25.BOUNDED,
            h25.ONE_CLASS,
            h25.tame(_local_of(15)),
            Hypothesis(CONSISTENT.text, h25.averages_shrink),
        ),
        witness=WITNESS,
        checks=(
            Check(
                "first-m-and-r",
                _each_n,
                _local_of(15),
                h25.coordinate_rule,
                "a rule that reads a coordinate, which is not invariant to rigid motions",
            ),
            Check("then-n", _then_n, True, False, "a bandwidth that covers all models, which is not consistent"),
        ),
        recorded="holds",
    ),
    Claim(
        id="H25-T2/joint",
        title="Consistency carries over when n, m and r grow together in any way",
        source=SOURCE,
        form="reconstructed",
        reading="one joint limit, c = 1/sqrt(m), unique perspectives; h_n continuous and invariant for each n",
        statement=LIMITS + r",\quad n,m,r\to\infty",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS, _STEEP, CONSISTENT),
        witness=_TYPES,
        checks=(
            Check("exact-risks", _joint, 1, 0, "k_n = 1, which keeps the rules equicontinuous in w"),
            Check("path", _path, 1.0, 0.0, "k_n = 1, which keeps the rules equicontinuous in w"),
        ),
        recorded="refuted",
        repair="H25-T2/equicontinuous",
        drawings=(
            Drawing(
                risk_curves,
                "Both rules have the same risk on true perspectives, falling to 0. The one that steepens faster than "
                "the noise falls has risk tending to 1 on estimated ones.",
            ),
        ),
    ),
    Claim(
        id="H25-T2/equicontinuous",
        title="Consistency carries over jointly when the rules steepen more slowly than the noise falls",
        source=SOURCE,
        form="repaired",
        reading="c = 1/sqrt(m), rank(B) <= d, h_n Lipschitz with L_n in the largest change of a distance, loss "
        "Lipschitz with constant 1, Delta_m = Delta* (else add L_n max |Delta_m - Delta*|)",
        statement=r"\big|\mathbb E\,\ell(h_n(\hat\psi_0;\hat T_n),y_0)-\mathbb E\,\ell(h_n(\psi_0;T_n),y_0)\big|\le "
        r"L_n\sqrt2\,\tfrac{1+\sqrt5}2\sqrt{n\bar\gamma/r},\quad \bar\gamma=\max_i\tfrac1m\sum_j\gamma_{ij}",
        hypotheses=(h25.INDEPENDENT, h25.BOUNDED, h25.ONE_CLASS, _STEEP, CONSISTENT),
        witness=_TYPES,
        checks=(
            Check("distances", _distance_errors, (16, 1), (16, 0), "the factor n dropped"),
            Check(
                "n = 16", _bounded_difference, (16, 0.5), (16, 10), "k_n = n^10 = r^2 n^2: rules that steepen too fast"
            ),
            Check(
                "n = 64", _bounded_difference, (64, 0.5), (64, 10), "k_n = n^10 = r^2 n^2: rules that steepen too fast"
            ),
        ),
        recorded="holds",
    ),
)
