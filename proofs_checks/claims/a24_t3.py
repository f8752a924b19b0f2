r"""A24-T3: what the condition of A24-T2 does for the perspectives.

Setting. c = 1/m, e = 1, n fixed, psi^ in MDS(D), raw stress in R^d; m and r grow along a path that meets A24-A1 and the
condition of A24-T2, (1/m) sum_j gamma_ij / r -> 0 for every i.
Statement (A24, theorem 3). Along a subsequence ||psi^_i - psi^_i'|| - ||psi_i - psi_i'|| -> 0 in probability for all i,
i', Psi one fixed member of MDS(Delta_inf).
Hypotheses. As said; nothing about MDS(Delta_inf).
Constants. None.
Relation. Convergence in probability.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings.
1. A24-T3 as printed: refuted where A24-T1 is, and m does not help. Let mu_ij = sqrt(m) v_i at every query, v the
   triangle with sides 13, 13, 10: Delta is that triangle for every m. Answers are Gaussian with one spherical
   covariance. Mirroring every answer and swapping models 2 and 3 leaves the law of X, hence of D, as it is and swaps
   the two minimisers on the line, which are 20/3 apart in a distance. D has one longest side with probability one, so
   psi^ is near any fixed member with probability 1/2 at most, at every (m, r), along every subsequence.
2. A24-T3/random-subsequence: the subsequence may depend on the outcome, and psi^ is a function of D. Holds: along a
   subsequence fixed beforehand D -> Delta_inf almost surely, so there are limit points, all in MDS(Delta_inf). Let the
   k-th answers, of all models and queries and of all steps of the path, be iid over k, as they are when the path takes
   ever more queries and replicates of one array. Permuting finitely many k changes no D at large r, so the set of limit
   points is almost surely one set (Hewitt and Savage), any member of which is a fixed Psi. Here r has to grow, and m
   need not. Steps of the path that share a coin would undo it; the theorem does not say how its steps are coupled.
3. A24-T3/one-class: MDS(Delta_inf) is one class of congruent configurations. Holds without a subsequence (A24-T2, then
   A24-L1/repaired). A24-T3/set: no condition, distance to the set MDS(Delta_inf).
Where g is bounded, Delta_inf = 0 (A24-A1/bounded): MDS(Delta_inf) is one class, a point, and T3 is true and trivial.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims import a24_a1, a24_t2
from proofs_checks.claims.a24_t1 import to_members
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample

SOURCE = "A24, theorem 3"

#: Replicates of each error; all of it is NumPy.
REPLICATES = 1000
#: The triangle's two minimisers are 20/3 apart in a distance; nearer than half of that is near one of them only.
APART = 20 / 3
#: Where errors are compared: (m, r), and how much m^2 r grows; D - Delta is of the order of (m^2 r)^(-1/2).
BEFORE, AFTER = (4, 1e4), (64, 1e11)
GROWTH = (AFTER[0] ** 2 * AFTER[1]) / (BEFORE[0] ** 2 * BEFORE[1])


@functools.cache
def triangle_at(m: int, long: float = 13.0) -> Any:
    """Three models with sides 13, ``long`` and 10 under c = 1/m at every m, Gaussian answers with gamma = 1."""
    vertices = np.asarray(cases.triangle_population(long).mean)[:, 0]
    means = np.sqrt(m) * np.repeat(vertices[:, None, None], m, axis=1)
    return dk.GaussianMixture(np.ones((3, m, 1)), means, np.full((3, m, 1), 0.5), covariance_type="spherical")


def on_the_line(d: np.ndarray) -> np.ndarray:
    """Distances of the minimiser of raw stress on the line for three models, (b, 3, 3) -> (b, 3, 3).

    The model opposite the longest side is in the middle; x_i = t_i / 3 as in the certificates' checker.
    """
    sides = np.stack([d[:, 1, 2], d[:, 0, 2], d[:, 0, 1]], axis=1)
    middle = sides.argmax(axis=1)
    ends = np.array([[1, 2], [0, 2], [0, 1]])[middle]
    rows = np.arange(len(d))
    first, last = ends.T
    near, far, across = d[rows, first, middle], d[rows, middle, last], d[rows, first, last]
    x = np.zeros((len(d), 3))
    x[rows, first], x[rows, middle], x[rows, last] = -(near + across) / 3, (near - far) / 3, (across + far) / 3
    return cases.distances(x[..., None])


def members_of(long: float = 13.0) -> list[np.ndarray]:
    """Distances within each member of MDS(Delta_inf)."""
    return cases.line_classes(a24_a1.delta_of(triangle_at(4, long)))


def embedded(long: float, setting: Setting, where: tuple[int, float]) -> np.ndarray:
    """Distances within psi^ at (m, r), one matrix for each replicate."""
    m, r = where
    population = triangle_at(m, long)
    errors = a24_t2.growing_errors(population, np.random.default_rng(setting.integer_seed(f"{m}")), REPLICATES, r)
    return on_the_line(a24_t2.stacked_distances(np.asarray(population.mean) + errors))


def _fixed_member(long: float, setting: Setting) -> Evidence:
    """P(psi^ is near Psi) for the best fixed Psi, at two places of the path."""
    near = [
        int((to_members(embedded(long, setting, where), members_of(long)) < APART / 2).sum(axis=1).max())
        for where in (BEFORE, AFTER)
    ]
    return monte_carlo.stays_near_one_member(
        max(near),
        REPLICATES,
        "P(distances in Psi^ are near those of the best fixed member) >= 3/4, at the better of two (m, r)",
    )


def _falls(case: tuple[float, bool], setting: Setting) -> Evidence:
    """Distance of Psi^ to MDS(Delta_inf), or to its first member only."""
    long, to_the_set = case
    members = members_of(long)[: None if to_the_set else 1]
    before, after = (to_members(embedded(long, setting, where), members).min(axis=0) for where in (BEFORE, AFTER))
    says = f"distance of Psi^ to MDS(Delta_inf), sides 13, {long:g}, 10 on the line, (m, r) = {BEFORE} and {AFTER}"
    return monte_carlo.falls_as(before, after, GROWTH, says=says)


def _comes_back(one_coin: bool, setting: Setting) -> Evidence:
    """P(a path of (m, r) is near one member, fixed beforehand, at some of 30 places): m = 4, 16, 64, r = 10^6 2^u.

    All places share the first r answers. The broken twin shows the member that one coin chooses for a whole path.
    """
    paths, steps = 300, np.repeat([4, 16, 64], 10)
    grid = 1e6 * 2.0 ** np.arange(len(steps))
    members, generator = members_of(), np.random.default_rng(setting.integer_seed("paths"))
    errors, total, last = [], np.zeros((paths, 3, 64, 2)), 0.0
    for m, r in zip(steps, grid, strict=True):
        total += np.sqrt(0.5 * (r - last)) * generator.standard_normal(total.shape)
        last, population = r, triangle_at(int(m))
        found = on_the_line(a24_t2.stacked_distances(np.asarray(population.mean) + total[:, :, :m] / r))
        if one_coin:
            found = np.array(members)[np.random.default_rng(setting.integer_seed("coins")).integers(2, size=paths)]
        errors.append(cases.pairwise_errors(found, members[0]) < 30 / np.sqrt(m**2 * r))
    return monte_carlo.success_rate(
        int(np.any(errors, axis=0).sum()),
        paths,
        0.9,
        0.6,
        relation="coverage",
        says="P(a path comes within 30 (m^2 r)^(-1/2) of a member fixed beforehand at some of 30 places) >= 9/10",
        named="a law under which that probability is 3/5 or less",
    )


def _paths_that_jump():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    places = [(4**k, 10.0 ** (1 + k)) for k in range(6)]
    generator = np.random.default_rng(24)
    for number, marker in enumerate("os^"):
        found = []
        for m, r in places:
            population = triangle_at(m)
            errors = a24_t2.growing_errors(population, generator, 1, r)
            found.append(on_the_line(a24_t2.stacked_distances(np.asarray(population.mean) + errors))[0, 0, 1])
        axes.semilogx([r for _, r in places], found, marker + "-", lw=0.6, label=f"path {number + 1}")
    for member in members_of():
        axes.axhline(member[0, 1], color="0.5", lw=0.8, zorder=0)
    axes.set(xlabel="replicates r, with 4^k queries at r = 10^(1+k)", ylabel="distance of models 1, 2 in Psi^")
    figure.legend(loc="outside lower left", ncols=3)
    return figure


def _triangle_path(long: float = 13.0) -> a24_a1.Path:
    return a24_a1.Path(tuple((triangle_at(m, long), 1e2 * m**2.0) for m in (4, 16, 64)))


def _classes(path: a24_a1.Path) -> int:
    return len(cases.line_classes(a24_a1.delta_of(path.members[-1][0])))


PATH = (a24_a1.GROWING, a24_a1.LIMIT, a24_a1.CONDITION)
_TRIANGLE = Witness(
    "sides 13, 13, 10 under c = 1/m at every m, on the line: two classes of minimisers",
    _triangle_path,
    lambda path: _classes(path) == 2,
)

_APART = ("max_abs", ("-", ("distances", "P"), ("distances", "Q")))
ERROR = r"\|\hat\psi_i-\hat\psi_{i'}\|-\|\psi_i-\psi_{i'}\|"
_CONDITION = r"\tfrac1m\sum_j\gamma_{ij}/r\to0\ \forall i\ \Rightarrow\ "

CLAIMS = (
    Claim(
        id="A24-T3",
        title="Under T2's condition, distances within Psi^ tend to those of a fixed Psi along a subsequence",
        source=SOURCE,
        form="as-printed",
        reading="quantifiers as printed: Psi and the subsequence of (m, r) first, then the draws; c = 1/m, n fixed",
        statement=_CONDITION
        + rf"\exists\Psi\in\mathrm{{MDS}}(\Delta_\infty)\ \exists(m_u,r_u):\ {ERROR}\xrightarrow{{P}}0",
        hypotheses=PATH,
        witness=_TRIANGLE,
        checks=(
            Check(
                "mirror",
                counterexample,
                Stored("a24-t3", _APART, "0"),
                Stored("a24-t3", _APART, "0", replaced={"Mu": [["0", "12"], ["5", "0"], ["-4", "0"]]}),
                "the base shorter on one side, which breaks the symmetry",
            ),
            Check("fixed-member", _fixed_member, 13.0, 12.5, "side 13 shortened to 12.5, which leaves one minimiser"),
        ),
        recorded="refuted",
        repair="A24-T3/one-class",
        drawings=(
            Drawing(
                _paths_that_jump,
                "Sides 13, 13 and 10 on the line, three paths along which queries and replicates grow together: the "
                "distance of models 1 and 2 keeps jumping between its values in the two minimisers (grey lines).",
            ),
        ),
    ),
    Claim(
        id="A24-T3/random-subsequence",
        title="Along almost every outcome, distances within Psi^ tend to those of a fixed Psi for some subsequence",
        source=SOURCE,
        form="as-printed",
        reading="charitable: the subsequence may depend on the outcome, psi^ is a function of D; the derivation argues "
        "it, the check looks at the triangle",
        statement=_CONDITION
        + rf"\exists\Psi\in\mathrm{{MDS}}(\Delta_\infty)\ \text{{a.s.}}\ \exists(m_u,r_u):\ {ERROR}\to0",
        hypotheses=PATH,
        witness=_TRIANGLE,
        checks=(Check("comes-back", _comes_back, False, True, "one coin chooses psi^ for a whole path"),),
        recorded="holds",
    ),
    Claim(
        id="A24-T3/one-class",
        title="Distances within Psi^ tend to those of Psi when MDS of the limit is one class",
        source=SOURCE,
        form="repaired",
        reading="one class of minimisers; the whole path; in probability; the rate is checked on the line",
        statement=r"\#\,\mathrm{MDS}(\Delta_\infty)/\!\sim\;=1,\ \tfrac1m\sum_j\gamma_{ij}/r\to0\ \forall i\ "
        rf"\Rightarrow\ {ERROR}\xrightarrow{{P}}0",
        hypotheses=(*PATH, Hypothesis("MDS(Delta_inf) is one class on the line", lambda path: _classes(path) == 1)),
        witness=Witness("sides 13, 12.5, 10 under c = 1/m at every m", lambda: _triangle_path(12.5), a24_a1.apart),
        checks=(Check("falls", _falls, (12.5, False), (13.0, False), "two longest sides, so two minimisers"),),
        recorded="holds",
    ),
    Claim(
        id="A24-T3/set",
        title="Distances within Psi^ approach those of the set MDS of the limit",
        source=SOURCE,
        form="repaired",
        reading="no condition on MDS(Delta_inf), no subsequence; the rate is checked on the triangle",
        statement=_CONDITION
        + r"\min_{\Psi\in\mathrm{MDS}(\Delta_\infty)}\max_{i,i'}\big|"
        + ERROR
        + r"\big|\xrightarrow{P}0",
        hypotheses=PATH,
        witness=_TRIANGLE,
        checks=(Check("falls", _falls, (13.0, True), (13.0, False), "distance to one member instead of the set"),),
        recorded="holds",
    ),
)
