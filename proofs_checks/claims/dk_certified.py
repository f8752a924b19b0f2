r"""DK-M8/certified and DK-M9/certified: radii that hold at finite n, m, p and r, and how near the truth they are.

Setting. e = 1, classical MDS, independent answers with four moments and sub-Gaussian proxies, rank(B) <= d.
Statement. The radii of dkps_theory.certified_radius, functions of the population alone, satisfy P(min_W ||Psi^ W -
Psi||_F <= frobenius) >= 1 - alpha and P(min_W max_i ||W'psi^_i - psi_i|| <= rows) >= 1 - alpha.
Hypotheses. As in the setting; nothing asymptotic, no eigengap, any r >= 1.
Constants. In the code: DK-M8's k, DK-M9's remainder, tails.
Relation. Coverage; and the slack, radius over the true 95% quantile, against the targets.
Reference. Our own; derivations in dkps_theory.bounds.radius, first_order, tails and _noise.

Derivation. Each radius is the least of several numbers, each of which bounds the error on an event of probability at
least 1 - alpha; which is least depends on the population alone, so no selection has to be paid for. Within one of
them alpha is shared by a union bound among the norms of the noise that it needs.

Readings of the targets (slack at 95%, coverage at least 95%).
1. DK-M9/within-2: "where d is the dimension of the mean space" is d = m p. There V may be the identity, no remainder is
   left, and the radius is a quantile of ||F||_F, of max_i ||e_i'F||: at most 2 and 3, at any noise.
2. DK-M9/within-3: elsewhere, once eps <= sigma/5 for 95% of the draws: at most 3 and 5, p = 1 and p = 16.
   The targets name populations: yes-or-no answers with probabilities uniform on (0, 1), and mixtures. Both claims are
   about the populations that are listed. As statements about every population (.../any-population) they are false:
   where all answers are "no" in more than 95% of the draws the quantile is as good as 0, and moments and proxies of the
   noise are not. Common answers can do it too: where no noise lies along the means (one noise-free query parts two
   groups, further queries only add noise) F V = 0, the error is of second order, and the remainder 4 times too large
   or more.
3. DK-M9/within-2-of-rank: the same as 1 with d = rank(B^) = n - 1 < m p. There a remainder is left. At r = 20 with n
   = 10 and m = 50 the slack is above 2 and 3: refuted as a statement about our radius, not about what could be
   proved.

A slack is judged without the quantile: "radius at most f times the 95% quantile" says P(error > radius / f) >= 5%. By
rows the error is then a lower bound of the least over W, as it is an upper one for coverage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims import _radius, _radius_figures
from proofs_checks.claims._radius import FULL, OF_RANK, OTHER, RARE, RARE_BESIDE, SMALL, Cell
from proofs_checks.evidence import monte_carlo

SOURCE = "own (DK-M8, DK-M9)"


@dataclass(frozen=True)
class Judged:
    """Cells, the norm, and what the radius is multiplied by; ``m8`` takes DK-M8's alone.

    ``small`` asks for eps <= sigma / 5, and for the targets that go with it.
    """

    cells: tuple[Cell, ...]
    norm: str
    factor: float = 1.0
    m8: bool = False
    small: bool = False

    def radius(self, cell: Cell) -> float:
        """Return the radius in a cell."""
        found = _radius.radius_of(cell)
        own = found.k * found.noise_frobenius if self.m8 else getattr(found, self.norm)
        return self.factor * own


def _least(found: list[Evidence]) -> Evidence:
    """Keep the worst cell: whichever contradicts, else the one with the least rate of success."""
    return min(found, key=lambda one: (one.outcome is Outcome.SUPPORTS, one.observed / one.claimed))


def _covers(subject: Judged, setting: Setting) -> Evidence:
    """P(error <= radius) >= 95% in every cell, exact binomial; the worst cell is shown."""
    found, slacks = [], []
    for cell in subject.cells:
        errors, bound = _radius.draws(cell, setting)[subject.norm], subject.radius(cell)
        slacks.append(bound / np.quantile(errors, 0.95))
        one = monte_carlo.success_rate(
            int((errors <= bound).sum()),
            len(errors),
            0.95,
            0.9,
            relation="coverage",
            says=f"P({subject.norm} error <= radius), {cell.text}",
            named="a coverage of 90%",
            among=len(subject.cells),
        )
        found.append(one)
    worst = _least(found)
    shown = f"{len(found)} cells; radius / true 95% quantile from {min(slacks):.2f} to {max(slacks):.2f}"
    return replace(worst, slack=min(slacks), detail=f"{worst.detail}; {shown}")


def _within(subject: Judged, setting: Setting) -> Evidence:
    """P(error > radius / target) >= 5% in every cell, which is radius <= target times the 95% quantile."""
    target = _TARGETS[subject.norm, subject.small]
    found, slacks = [], []
    for cell in subject.cells:
        sample = _radius.draws(cell, setting)
        if subject.small and np.quantile(sample["spectral"], 0.95) > _radius.radius_of(cell).sigma / 5:
            return Evidence("search", Outcome.INCONCLUSIVE, np.nan, 0.2, "upper", f"eps > sigma/5: {cell.text}")
        errors = sample["least rows" if subject.norm == "rows" else subject.norm]
        bound = subject.radius(cell)
        slacks.append(bound / max(float(np.quantile(errors, 0.95)), 1e-9 * bound))  # 0 up to rounding is no divisor
        one = monte_carlo.success_rate(
            int((errors > bound / target).sum()),
            len(errors),
            0.05,
            0.01,
            relation="coverage",
            says=f"P({subject.norm} error > radius / {target:g}) >= 5%, {cell.text}",
            named="a probability of 1%",
            among=len(subject.cells),
        )
        found.append(one)
    worst = _least(found)
    shown = (
        f"{len(found)} cells; radius / true 95% quantile from {min(slacks):.2f} to {max(slacks):.2f}, target {target:g}"
    )
    return replace(worst, slack=target / max(slacks), detail=f"{worst.detail}; {shown}")


def _hostile(factor: float, setting: Setting) -> Evidence:
    """Search yes-or-no populations, rare answers among them, for the lowest coverage; judge the worst on fresh draws.

    Where the answer 1 is so rare that all of a draw is 0 in just over 95% of the draws, coverage comes down to 95%.
    """
    generator, found = np.random.default_rng(setting.integer_seed("search")), []
    for trial in range(setting.size(80, 400)):
        shape, r = (4, 2), int(generator.choice([1, 2, 5, 20]))
        rare = np.full(shape, -np.log(generator.uniform(0.9, 0.97)) / (8 * r))
        groups = generator.beta(0.3, 0.3, (2, 2))[[0, 0, 1, 1]]  # rank 1, so that d < m p and a remainder is left
        w = (rare, np.exp(generator.uniform(-6, -0.7, shape)), generator.beta(0.2, 0.2, shape), groups)[trial % 4]
        population, d = dk.bernoulli(w), 1 if trial % 4 == 3 else int(generator.integers(2, 4))
        radius = dk.certified_radius(population, d, r)
        for norm, place in (("frobenius", 0), ("rows", 1)):
            bound = factor * getattr(radius, norm)
            found.append(
                (_share_within(population, generator, 500, r, d, place, bound), population, r, d, place, bound)
            )
    _, population, r, d, place, bound = min(found, key=lambda one: one[0])
    size, fresh = setting.size(4000, 40000), np.random.default_rng(setting.integer_seed("fresh"))
    covered = _share_within(population, fresh, size, r, d, place, bound)
    return monte_carlo.success_rate(
        round(covered * size),
        size,
        0.95,
        0.9,
        relation="coverage",
        says=f"P(error <= radius) where a search over {len(found) // 2} yes-or-no populations found it least",
        named="a coverage of 90%",
    )


def _share_within(population, generator, size: int, r: int, d: int, place: int, bound: float) -> float:
    """Share of ``size`` draws with the error in one norm at most the bound."""
    truth = _radius.factor(np.asarray(population.mean))
    noise = _radius.factor(_radius.mean_errors(population, generator, size, r))
    # Where all draws agree the error is 0 up to the rounding of square roots.
    return float((_radius.aligned_errors(truth, noise, d)[place] <= bound + 1e-9).mean())


#: Target slacks by norm, and whether the cells are those at small noise outside the full mean space.
_TARGETS = {("frobenius", False): 2.0, ("rows", False): 3.0, ("frobenius", True): 3.0, ("rows", True): 5.0}

_HYPOTHESES = (
    cases.INDEPENDENT,
    cases.TWO_MOMENTS,
    Hypothesis(
        "four moments and a sub-Gaussian proxy",
        lambda w: w.quartic_moment is not None and bool(np.all(np.isfinite(_radius.mean_and_proxy(w)[1]))),
    ),
)
_FULL_SPACE = Hypothesis("d = 2 is the dimension m p of the mean space", lambda w: w.shape[1] * w.shape[2] == 2)
_OUTSIDE = Hypothesis(
    "rank(B) <= d < m p, d = 2 for the witness",
    lambda w: np.linalg.matrix_rank(_radius.factor(np.asarray(w.mean)), tol=1e-8) <= 2 < w.shape[1] * w.shape[2],
)
_LINE = Witness(
    "ten models, two yes-or-no queries",
    lambda: _radius.population_of(FULL[0]),
    lambda w: bool(w.gamma.min() > 0),
)
_PLANE = Witness(
    "ten models with means in a plane, mixtures in R^16, three queries",
    lambda: _radius.population_of(SMALL[2]),
    lambda w: bool(w.gamma.min() > 0),
)
_EVERYWHERE = FULL + SMALL + OTHER


def _listed(cells: tuple[Cell, ...]) -> Hypothesis:
    """Return that a population is one of the cells."""
    return Hypothesis(
        "the population is one of: " + "; ".join(cell.text for cell in cells),
        lambda w: any(w is _radius.population_of(cell) for cell in cells),
    )


def _any_population(target: str, cell: Cell, text: str, statement: str, small: bool) -> Claim:
    """Return a target read as a statement about every population."""
    return Claim(
        id=f"DK-M9/{target}/any-population",
        title=f"The radius is {target.replace('-', ' ')} times the truth for every population with a sub-Gaussian "
        "proxy",
        source="own (target of this project)",
        form="own",
        reading=f"any population; {cell.text}",
        statement=statement,
        hypotheses=(*_HYPOTHESES, _OUTSIDE if small else _FULL_SPACE),
        witness=Witness(text, lambda: _radius.population_of(cell), lambda w: bool(w.gamma.max() > 0)),
        checks=tuple(
            Check(
                norm,
                _within,
                Judged((cell,), norm, small=small),
                Judged(((SMALL if small else FULL)[0],), norm, small=small),
                "answers that are not rare",
            )
            for norm in ("frobenius", "rows")
        ),
        recorded="refuted",
        repair=f"DK-M9/{target}",
        drawings=(
            Drawing(
                _radius_figures.rare_beside_groups if small else _radius_figures.rare_in_the_plane,
                "Left of 5% (dashed) nothing happens in most draws: the true quantile is 0, the radius is not.",
            ),
        ),
    )


_WITHIN_2 = (
    r"d=mp:\quad \rho_F\le2\,Q_{.95}\big(\min_W\|\hat\Psi W-\Psi\|_F\big),\quad "
    r"\rho_{2,\infty}\le3\,Q_{.95}\big(\min_W\|\hat\Psi W-\Psi\|_{2,\infty}\big)"
)
_WITHIN_3 = (
    r"c\|HE\|\le\sigma_d/5:\quad \rho_F\le3\,Q_{.95}\big(\min_W\|\hat\Psi W-\Psi\|_F\big),\quad "
    r"\rho_{2,\infty}\le5\,Q_{.95}\big(\min_W\|\hat\Psi W-\Psi\|_{2,\infty}\big)"
)

CLAIMS = (
    Claim(
        id="DK-M8/certified",
        title="DK-M8 with a tail bound covers at any sample size",
        source=SOURCE,
        form="own",
        reading="k times the 95% bound of c||HE||_F: Hsu-Kakade-Zhang or Cantelli, whichever is less",
        statement=r"\Pr\big(\min_W\|\hat\Psi W-\Psi\|_F\le k\,q_\alpha\big)\ge1-\alpha,\quad "
        r"q_\alpha=\min(q_\alpha^{\mathrm{HKZ}},q_\alpha^{\mathrm{Cantelli}})",
        hypotheses=_HYPOTHESES,
        witness=_LINE,
        checks=(
            Check(
                "coverage",
                _covers,
                Judged(_EVERYWHERE, "frobenius", m8=True),
                Judged(FULL, "frobenius", 0.5, m8=True),
                "the radius halved where it is sharp, d = m p",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M9/certified",
        title="A certified radius of the aligned error, valid without asymptotics",
        source=SOURCE,
        form="own",
        reading="both norms, each at 95% on its own; DK-M8 and DK-M9, whichever is less",
        statement=r"\Pr\big(\min_W\|\hat\Psi W-\Psi\|_F\le\rho_F\big)\ge1-\alpha,\quad "
        r"\Pr\big(\min_W\|\hat\Psi W-\Psi\|_{2,\infty}\le\rho_{2,\infty}\big)\ge1-\alpha",
        hypotheses=_HYPOTHESES,
        witness=_PLANE,
        checks=(
            *(
                Check(
                    norm,
                    _covers,
                    Judged(_EVERYWHERE, norm),
                    Judged(FULL, norm, 0.5),
                    "the radius halved where it is sharp, d = m p",
                )
                for norm in ("frobenius", "rows")
            ),
            Check("hostile", _hostile, 1.0, 0.5, "the radius halved, the search repeated"),
        ),
        recorded="holds",
        drawings=(
            Drawing(
                _radius_figures.of_noise,
                "From right to left the noise falls: below a fifth of the signal the radius is within 3, and tends to "
                "the truth.",
            ),
        ),
    ),
    Claim(
        id="DK-M9/within-2",
        title="Where d is the dimension of the mean space the radius is within 2 of the truth, within 3 by rows",
        source="own (target of this project)",
        form="own",
        reading="d = m p, at any noise; for the populations listed",
        statement=_WITHIN_2,
        hypotheses=(*_HYPOTHESES, _FULL_SPACE, _listed(FULL)),
        witness=_LINE,
        checks=tuple(
            Check(norm, _within, Judged(FULL, norm), Judged(FULL, norm, 3.0), "a radius three times as large")
            for norm in ("frobenius", "rows")
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M9/within-3",
        title="Elsewhere, with noise below a fifth of the signal, within 3 of the truth, within 5 by rows",
        source="own (target of this project)",
        form="own",
        reading="eps <= sigma/5 for 95% of the draws; p = 1 and 16, m p up to 800; for the populations listed",
        statement=_WITHIN_3,
        hypotheses=(*_HYPOTHESES, _OUTSIDE, _listed(SMALL)),
        witness=_PLANE,
        checks=tuple(
            Check(
                norm,
                _within,
                Judged(SMALL, norm, small=True),
                Judged(SMALL, norm, 4.0, small=True),
                "a radius four times as large",
            )
            for norm in ("frobenius", "rows")
        ),
        recorded="holds",
    ),
    _any_population(
        "within-2",
        RARE,
        "four models, two yes-or-no queries, one answer each, yes at most once in two hundred draws",
        _WITHIN_2,
        small=False,
    ),
    _any_population(
        "within-3",
        RARE_BESIDE,
        "two groups of three models that one query parts without noise; to two others yes once in two hundred draws",
        _WITHIN_3,
        small=True,
    ),
    Claim(
        id="DK-M9/within-2-of-rank",
        title="Within 2 of the truth wherever d is the rank of the estimated Gram matrix",
        source="own (target of this project)",
        form="own",
        reading="d = rank(B^) = n - 1 < m p, at any noise; n = 10, m = 50, r = 20",
        statement=r"d=\operatorname{rank}\hat B:\quad \rho_F\le2\,Q_{.95}\big(\min_W\|\hat\Psi W-\Psi\|_F\big)",
        hypotheses=_HYPOTHESES,
        witness=Witness(
            "ten models, fifty yes-or-no queries, d = 9",
            lambda: _radius.population_of(OF_RANK),
            lambda w: bool(w.gamma.min() > 0),
        ),
        checks=(
            Check(
                "bernoulli",
                _within,
                Judged((OF_RANK,), "frobenius"),
                Judged((OF_RANK,), "frobenius", 0.5),
                "a radius half as large",
            ),
        ),
        recorded="refuted",
        repair="DK-M9/within-2",
        drawings=(
            Drawing(
                _radius_figures.of_rank,
                "Yes-or-no answers, d = n − 1 below m p: at moderate r the radius is above twice the truth (dashed), "
                "up to three times at m = 50.",
            ),
        ),
    ),
)
