r"""A24-L1: from convergence of D to convergence of the distances within MDS(D).

Setting. Random dissimilarity matrices D = D_r on n fixed models, a fixed Delta_inf, raw stress in R^d, psi^ in
MDS(D).
Statement (A24, lemma 1). If ||D - Delta_inf||_F -> 0 in probability there is a subsequence r_u along which, for all
i, i', ||psi^_i - psi^_i'|| - ||psi_i - psi_i'|| -> 0 in probability, Psi one fixed member of MDS(Delta_inf).
Hypotheses. Convergence of D; no more.
Constants. None printed; the near-minimiser inequality below has the constant 2, and on the line the distance to the
set is at most 2 max|D - Delta_inf| once D is near.
Relation. Convergence in probability of finitely many real random variables.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings.
1. As printed (A24-L1): the subsequence and Psi are chosen first, then D is random. Refuted. Let Delta_inf have the
   sides 13, 13, 10. On the line it has two minimisers, with model 3 or model 2 in the middle, 20/3 apart in a distance
   (the argument is in A24-EQ1). For every r let D be Delta_inf with side 12 longer by 1/r, or side 13 longer by 1/r,
   each with probability 1/2: ||D - Delta_inf||_F -> 0 surely. The first D has the one minimiser with model 3 in the
   middle, the second that with model 2, for every r since 9 sum x^2 exceeds that of the next order by 40/r. So psi^ is
   20/3 - O(1/r) away from any fixed member with probability at least 1/2, at every r and hence along every
   subsequence. Almost sure convergence, the other mode, is stronger and fails with it.
2. A subsequence that may depend on the outcome does not save a fixed Psi: let one coin, tossed once, decide between
   the two forms for every r. (In A24-T1 more is known of D; see there.) A Psi that depends on the outcome does not
   save a fixed subsequence: let a fresh coin decide at every r.
3. A24-L1/deterministic: for D that is not random the lemma holds. Centred minimisers are bounded (A24-R2), so a
   subsequence converges, and its limit minimises (below). The subsequence cannot be dropped: D that takes the two
   forms in turn has none of them as a limit. This is where the printed quantifiers come from, and what is lost when
   the subsequence depends on the outcome.
4. A24-L1/repaired: without a subsequence, the distance to the set MDS(Delta_inf) tends to 0 in probability, and almost
   surely when D converges almost surely. Proof. sqrt(sigma_D(z)) is the distance of D from the distances of z, so
   |sqrt(sigma_D(z)) - sqrt(sigma_Delta(z))| <= ||D - Delta||_F for every z, and for z in MDS(D) sqrt(sigma_Delta(z))
   <= sqrt(min sigma_Delta) + 2 ||D - Delta||_F. Centred near-minimisers are bounded and their limits minimise, so for
   every eps there is a delta such that ||D - Delta||_F < delta puts z within eps of MDS(Delta). On the line a D near
   Delta can only be minimised by orders that tie at Delta, and for one order x is linear in D with |x(D) - x(Delta)|
   <= max|D - Delta|: distances are within 2 max|D - Delta|.
"""

from __future__ import annotations

import math

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, lemma 1"

#: Whole-number dissimilarities of four models have stresses on the line that differ by at least 1/2 or not at all; so
#: D this near Delta can only be minimised by orders that are minimal at Delta.
NEAR = 1e-6


def _pairs(n: int = 4, low: int = 0):
    from hypothesis import strategies as st

    return st.tuples(cases.integer_dissimilarities(n, low), *[cases.integer_dissimilarities(n, low, 3)] * 2)


def _near_minimisers(case, setting: Setting) -> Evidence:
    """Excess of sqrt stress at Delta of a minimiser of D, over what the inequality allows it; in R^d by the package."""
    d, constant = case

    def ratio(drawn):
        delta, moved, back = drawn
        other = np.maximum(delta + moved - back, 0.0)
        gap = float(np.linalg.norm(other - delta))
        if gap == 0:
            return 0.0
        least, excess = (_stresses_at(delta, matrix, d) for matrix in (delta, other))
        return (math.sqrt(max(excess)) - math.sqrt(min(least))) / (constant * gap + 1e-7)

    says = f"(sqrt sigma_Delta(z) - sqrt min sigma_Delta) / (2 ||D - Delta||_F), z a minimiser of D, d = {d}"
    return largest_ratio(_pairs(), ratio, setting, says=says, quick=120, full=2000, tolerance=1e-6)


def _stresses_at(delta: np.ndarray, matrix: np.ndarray, d: int) -> list[float]:
    """Stresses at Delta of the minimisers of another matrix: all of them on the line, the package's in R^d."""
    if d == 1:
        return [float(np.square(z - delta).sum()) for z in cases.line_classes(matrix)]
    return [cases.raw_stress(np.asarray(cases.raw_stress_solution(matrix, d).configuration), delta)]


def _distance_to_set(case, setting: Setting) -> Evidence:
    """Distance from every minimiser of two D near Delta to MDS(Delta), over 2 max|D - Delta|.

    The broken twin, and the printed lemma, want one member of MDS(Delta) that a minimiser of either D is near.
    """
    to_the_set, n = case

    def ratio(drawn):
        delta, *changes = drawn
        members = cases.line_classes(delta)
        nearby = [np.maximum(delta + NEAR * change, 0.0) for change in changes]
        gaps = [np.array([[np.abs(z - w).max() for w in members] for z in cases.line_classes(d)]) for d in nearby]
        if to_the_set:
            error = max(gap.min(axis=1).max() for gap in gaps)
        else:
            error = np.max([gap.min(axis=0) for gap in gaps], axis=0).min()
        return float(error / (1e-9 + 2 * max(np.abs(d - delta).max() for d in nearby)))

    says = "distance of minimisers of D to MDS(Delta) on the line, over 2 max|D - Delta|"
    # A counterexample ends the search, after about a hundred cases: with 3,000 none is missed.
    quick = 300 if to_the_set else 3000
    return largest_ratio(_pairs(n), ratio, setting, says=says, quick=quick, full=3000, tolerance=1e-2)


def _subsequence(one_of_two: bool, setting: Setting) -> Evidence:
    """D_k = Delta + E/k for even k, Delta + F/k for odd k: along even k one member of MDS(Delta) is the limit.

    The broken twin takes every k.
    """

    def ratio(case):
        delta, even, odd = case
        steps = (2_000_000, 4_000_000) if one_of_two else (2_000_000, 4_000_001)
        found = [cases.line_classes(delta + (odd if k % 2 else even) / k)[0] for k in steps]
        member = min(cases.line_classes(delta), key=lambda z: np.abs(z - found[0]).max())
        return max(np.abs(z - member).max() * k for z, k in zip(found, steps, strict=True)) / (1e-3 + 2 * 3)

    says = "k times the distance to one fixed member along a subsequence of D_k, over 2 max|E|"
    return largest_ratio(_pairs(low=1), ratio, setting, says=says, quick=200, full=2000, tolerance=1e-2)


def _jump():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    for sign, marker, name in ((1, "o", "side 12 is the longest"), (-1, "s", "side 13 is the longest")):
        excess = sign * np.geomspace(1e-3, 1, 13)
        middle = []
        for e in excess:
            delta = np.array([[0, 13 + max(e, 0), 13 + max(-e, 0)], [0, 0, 10], [0, 0, 0.0]])
            middle.append(cases.line_classes(delta + delta.T)[0][0, 1])
        axes.plot(excess, middle, marker, label=name)
    axes.axvline(0, color="0.6", lw=0.8)
    axes.set(xlabel="how much longer side 12 is than side 13", ylabel="distance of models 1, 2 in MDS(D)")
    figure.legend(loc="outside lower left")
    return figure


_SIDES = np.array([[0.0, 13, 13], [13, 0, 10], [13, 10, 0]])
_LONGER_12 = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
_CONVERGES = Hypothesis(
    "||D - Delta_inf||_F -> 0, for D = Delta_inf + A/r and D = Delta_inf + B/r",
    lambda case: all(np.linalg.norm(case[0] + change / 1e9 - case[0]) < 1e-6 for change in case[1:]),
)
_DISSIMILARITY = Hypothesis(
    "Delta_inf and D are symmetric, hollow and non-negative",
    lambda case: all(
        cases.DISSIMILARITY.predicate(matrix) for matrix in (case[0], case[0] + case[1], case[0] + case[2])
    ),
)
_WITNESS = Witness(
    "sides 13, 13 and 10 on the line, side 12 or side 13 longer by 1/r: two minimisers, and D with one each",
    lambda: (_SIDES, _LONGER_12, _LONGER_12[np.ix_([0, 2, 1], [0, 2, 1])]),
    lambda case: [len(cases.line_classes(m)) for m in (case[0], case[0] + case[1], case[0] + case[2])] == [2, 1, 1],
)
_APART = ("max_abs", ("-", ("distances", "P"), ("distances", "Q")))

CLAIMS = (
    Claim(
        id="A24-L1",
        title="If D tends to Delta, distances in MDS(D) tend to those of a fixed member, along a subsequence",
        source=SOURCE,
        form="as-printed",
        reading="quantifiers as printed: Psi and the subsequence first, then the random D; in probability, and so "
        "almost surely too",
        statement=r"\|D-\Delta_\infty\|_F\xrightarrow{P}0\ \Rightarrow\ \exists\Psi\in\mathrm{MDS}(\Delta_\infty)\ "
        r"\exists(r_u):\ \|\hat\psi_i-\hat\psi_{i'}\|-\|\psi_i-\psi_{i'}\|\xrightarrow{P}0",
        hypotheses=(_DISSIMILARITY, _CONVERGES),
        witness=_WITNESS,
        checks=(
            Check(
                "two-long-sides",
                counterexample,
                Stored("a24-l1", _APART, "0"),
                Stored(
                    "a24-l1", _APART, "0", replaced={"Delta": [["0", "14", "13"], ["14", "0", "10"], ["13", "10", "0"]]}
                ),
                "one side the longest, which leaves one minimiser",
            ),
            Check(
                "from-scratch",
                _distance_to_set,
                (False, 3),
                (True, 3),
                "distance to the set MDS(Delta) instead of one member",
            ),
        ),
        recorded="refuted",
        repair="A24-L1/repaired",
        drawings=(
            Drawing(
                _jump,
                "Sides 13, 13 and 10 on the line. However near D is to Delta, which of the two long sides is longer "
                "decides between configurations that are far apart; noise decides it by a coin.",
            ),
        ),
    ),
    Claim(
        id="A24-L1/deterministic",
        title="If D is not random and tends to Delta, a subsequence of MDS(D) tends to a fixed member",
        source=SOURCE,
        form="as-printed",
        reading="charitable: D is a sequence of matrices, not of random ones",
        statement=r"\|D_k-\Delta_\infty\|_F\to0\ \Rightarrow\ \exists(k_u),\Psi\in\mathrm{MDS}(\Delta_\infty):\ "
        r"\|\hat\psi_i-\hat\psi_{i'}\|\to\|\psi_i-\psi_{i'}\|",
        hypotheses=(_DISSIMILARITY, _CONVERGES),
        witness=_WITNESS,
        checks=(
            Check("even-steps", _subsequence, True, False, "every k instead of the even ones"),
            Check("near-minimisers", _near_minimisers, (1, 2.0), (1, 0.5), "the factor 2 replaced by 1/2"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-L1/repaired",
        title="If D tends to Delta, the distances in MDS(D) approach those of the set MDS(Delta)",
        source=SOURCE,
        form="repaired",
        reading="no subsequence, no fixed member; in probability or almost surely, as D converges",
        statement=r"\|D-\Delta_\infty\|_F\xrightarrow{P}0\ \Rightarrow\ "
        r"\min_{\Psi\in\mathrm{MDS}(\Delta_\infty)}\max_{i,i'}\big|\|\hat\psi_i-\hat\psi_{i'}\|-\|\psi_i-\psi_{i'}\|\big|\xrightarrow{P}0",
        hypotheses=(_DISSIMILARITY, _CONVERGES),
        witness=_WITNESS,
        checks=(
            Check("near-minimisers", _near_minimisers, (1, 2.0), (1, 0.5), "the factor 2 replaced by 1/2"),
            Check("near-minimisers-in-the-plane", _near_minimisers, (2, 2.0), (2, 0.5), "the factor 2 replaced by 1/2"),
            Check("distance-to-set", _distance_to_set, (True, 4), (False, 3), "one fixed member instead of the set"),
        ),
        recorded="holds",
    ),
)
