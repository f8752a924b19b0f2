"""G25-KLGAP and G25-F7: searches that find what the claims are refuted by, on NumPy and scikit-learn alone; the test.

Each search asks for counts that the refuted claim allows with a probability below 1e-9 (KLGAP) or 1e-7 (F7).
"""

from __future__ import annotations

import collections
import math
import warnings
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from dkps_theory.information.mixture import Mixture
from dkps_theory.pages.figures import to_png
from proofs_checks.claim import Outcome, Setting
from proofs_checks.claims import _g25_gap_figures, _g25_gaps, g25_f7, g25_klgap

SEARCH = settings(
    max_examples=60,
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
)


# The published number


def number(first: np.ndarray, second: np.ndarray, bins: int = 50, clip: float = 1e-10) -> float:
    """The published number of two samples, from counts of points by bin."""
    tables, areas = [], []
    for sample in (first, second):
        low, high = sample.min(axis=0), sample.max(axis=0)
        at = np.minimum(np.floor((sample - low) / (high - low) * bins), bins - 1).astype(int)
        tables.append(collections.Counter(map(tuple, at)))
        areas.append(math.prod((high - low) / bins))
    p, q = (
        np.array([max(table[a, b] / (len(first) * area), clip) for a in range(bins) for b in range(bins)])
        for table, area in zip(tables, areas, strict=True)
    )
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def test_the_number_is_that_of_the_claims():
    first, second = np.random.default_rng(0).normal(size=(2, 1000, 2))
    assert number(first, 3 * second) == pytest.approx(g25_klgap._number(first, 3 * second), rel=1e-9)


FAMILIES = {
    "normal": lambda random: random.normal(size=(1000, 2)),
    "uniform": lambda random: random.uniform(size=(1000, 2)),
    "exponential": lambda random: random.exponential(size=(1000, 2)),
    "two places": lambda random: random.integers(0, 2, size=(1000, 2)) + 0.0,
}


def test_search_finds_laws_whose_number_from_themselves_is_not_small():
    """At most 3 in nine redraws of ten: none of ten has probability 1e-10."""

    def large(name: str) -> bool:
        random = np.random.default_rng(5)
        return all(number(FAMILIES[name](random), FAMILIES[name](random)) > g25_klgap.NOISE for _ in range(10))

    assert find(st.sampled_from(list(FAMILIES)[::-1]), large, settings=SEARCH) == "uniform"
    assert not large("two places")  # two atoms each way: no bin is empty in one histogram only


def test_search_finds_moves_that_do_not_raise_the_number():
    """Larger in nine redraws of ten: at most 12 of 30 has probability 2e-11."""

    def unseen(case: tuple[int, int]) -> bool:
        shift, scale = case
        random, larger = np.random.default_rng(6), 0
        for _ in range(30):
            first, second, third = random.normal(size=(3, 1000, 2))
            larger += number(first, shift + scale * third) > number(first, second)
        return larger <= 12

    shift, scale = find(st.tuples(st.integers(50, 1000), st.integers(1, 9)), unseen, settings=SEARCH)
    # KL of N(0, I) from what was found, in the plane: hundreds of nats.
    assert (1 + shift**2) / scale**2 - 1 + 2 * math.log(scale) > 100


# The gap and K


class World:
    """One repetition of the simulation, by scikit-learn."""

    def __init__(self, random: np.random.RandomState, design: str, K: int, J: int, L: int) -> None:
        d, N = int(design[-1]), K + J + L
        self.random, self.truth = random, K + J
        self.means = random.uniform(0, 10, size=(N, d))
        A, B = random.uniform(size=(2, N, d, d))
        published = design.startswith("published")
        handed = A @ (B if published else A).swapaxes(1, 2) + (0 if published else 0.01) * np.eye(d)
        # What is drawn when C is handed over: (C'C)^(1/2), by eigenvalues; of a covariance itself.
        values, vectors = np.linalg.eigh(handed.swapaxes(1, 2) @ handed)
        self.covariances = np.einsum("kij,kj,klj->kil", vectors, np.sqrt(np.maximum(values, 1e-300)), vectors)
        labels = np.repeat(np.arange(K), 50) if published else random.randint(K, size=50 * d)
        anchors = self.draw(self.means, self.covariances, labels)
        means, covariances = self.means.copy(), self.covariances.copy()
        for k in range(K):
            own = anchors[labels == k]
            if len(own) > 1:
                means[k], covariances[k] = own.mean(axis=0), np.cov(own.T) + 1e-6 * np.eye(d)
        points = self.draw(means, covariances, random.randint(N, size=200 if published else 100 * d))
        self.fits = [self.fit(anchors, K), self.fit(points, N)]

    def draw(self, means: np.ndarray, covariances: np.ndarray, labels: np.ndarray) -> np.ndarray:
        roots = np.linalg.cholesky(covariances)
        z = self.random.normal(size=(len(labels), means.shape[1]))
        return means[labels] + np.einsum("nij,nj->ni", roots[labels], z)

    def fit(self, points: np.ndarray, components: int) -> GaussianMixture:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return GaussianMixture(components, random_state=self.random).fit(points)

    def log_truth(self, points: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(self.covariances[: self.truth])
        z = np.einsum("kij,kni->knj", vectors, points - self.means[: self.truth, None]) / np.sqrt(values)[:, None]
        logs = -0.5 * (z**2).sum(-1) - 0.5 * np.log(2 * np.pi * values).sum(-1)[:, None]
        return np.logaddexp.reduce(logs, axis=0) - np.log(self.truth)

    def gap(self) -> float:
        """KL(fit || truth) of the fit to anchors less that of the fit to synthetic data, from 300 draws each."""
        found = []
        for fit in self.fits:
            points = fit.sample(300)[0]
            found.append(float((fit.score_samples(points) - self.log_truth(points)).mean()))
        return found[0] - found[1]


@pytest.mark.parametrize(("design", "pairs"), [("published d=2", 60), ("corrected d=2", 60), ("corrected d=8", 30)])
def test_search_finds_a_number_whose_rise_raises_the_gap_though_it_was_said_to_fall(design, pairs):
    """Of K and L, said to lower the gap, K raises it: in so many pairs with probability below 1e-7 at P = 1/2."""
    random = np.random.RandomState(7)
    least = int(stats.binom.isf(1e-7, pairs, 0.5)) + 1
    base = [World(random, design, 2, 2, 2).gap() for _ in range(pairs)]

    def raises(*numbers: int) -> bool:
        smaller = 0
        for before in base:
            smaller += World(random, design, *numbers).gap() <= before
            if smaller > pairs - least:
                return False
        return True

    raised = [name for name, numbers in {"K": (15, 2, 2), "L": (2, 2, 15)}.items() if raises(*numbers)]
    assert raised == ["K"]


# The sign test, the claims and the drawings


@pytest.mark.parametrize(
    ("share", "outcome", "turned", "flat"),
    [
        (0.98, Outcome.SUPPORTS, Outcome.CONTRADICTS, Outcome.CONTRADICTS),
        (0.75, Outcome.SUPPORTS, Outcome.CONTRADICTS, Outcome.INCONCLUSIVE),
        (0.55, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, Outcome.SUPPORTS),
        (0.25, Outcome.CONTRADICTS, Outcome.SUPPORTS, Outcome.INCONCLUSIVE),
        (0.02, Outcome.CONTRADICTS, Outcome.SUPPORTS, Outcome.CONTRADICTS),
    ],
)
def test_a_direction_holds_when_its_opposite_is_rejected(monkeypatch, share, outcome, turned, flat):
    before, after = np.zeros(400), np.where(np.arange(400) < round(400 * share), 1.0, -1.0)
    monkeypatch.setattr(_g25_gaps, "gaps", lambda asked, setting: (before, after))
    asked = _g25_gaps.Asked("corrected d=2", "exact", 0, "J", "rises")
    found = _g25_gaps.directed(asked, Setting(0, "quick"))
    assert found.outcome is outcome
    assert found.observed == share
    assert 0 < found.alpha <= 1e-9
    assert _g25_gaps.directed(asked._replace(direction="falls"), Setting(0, "quick")).outcome is turned
    either = _g25_gaps.level(asked, Setting(0, "quick"))
    assert either.outcome is flat
    assert 0 < either.alpha <= 1e-9
    means = _g25_gaps.averaged(asked, Setting(0, "quick"))
    assert means.observed == pytest.approx(2 * share - 1)
    assert means.outcome is outcome


def test_thresholds_are_those_of_sums_of_binomial_coefficients(monkeypatch):
    """280 pairs: the counts at which outcomes change, by whole numbers."""

    def below(count: int, top: int) -> Fraction:
        """P(Binomial(280, top/10) <= count)."""
        terms = (math.comb(280, k) * top**k * (10 - top) ** (280 - k) for k in range(count + 1))
        return Fraction(sum(terms), 10**280)

    small = Fraction(1, 10**9)
    half, fifth = (next(k for k in range(281) if below(k, top) > small) for top in (5, 2))
    assert half > fifth
    enough = next(k for k in range(281) if 1 - below(k - 1, 2) <= small)
    least = next(k for k in range(281) if below(k, 2) > small / 2)
    cases = {
        (_g25_gaps.directed, 280 - (half - 1)): Outcome.SUPPORTS,
        (_g25_gaps.directed, 280 - half): Outcome.INCONCLUSIVE,
        (_g25_gaps.directed, half): Outcome.INCONCLUSIVE,
        (_g25_gaps.directed, half - 1): Outcome.CONTRADICTS,
        (_g25_gaps.level, 280 - enough): Outcome.SUPPORTS,
        (_g25_gaps.level, enough): Outcome.SUPPORTS,
        (_g25_gaps.level, enough - 1): Outcome.INCONCLUSIVE,
        (_g25_gaps.level, 280 - least): Outcome.INCONCLUSIVE,
        (_g25_gaps.level, least): Outcome.INCONCLUSIVE,
        (_g25_gaps.level, least - 1): Outcome.CONTRADICTS,
    }
    asked = _g25_gaps.Asked("corrected d=8", "exact", 0, "J", "rises")
    for (judge, larger), outcome in cases.items():
        after = np.where(np.arange(280) < larger, 1.0, -1.0)
        monkeypatch.setattr(_g25_gaps, "gaps", lambda asked, setting, after=after: (np.zeros(280), after))
        assert judge(asked, Setting(0, "quick")).outcome is outcome, (judge, larger)


@pytest.mark.parametrize("gap", [math.nan, 0.0])
def test_gaps_that_do_not_move_or_are_no_numbers_decide_nothing(monkeypatch, gap):
    monkeypatch.setattr(_g25_gaps, "gaps", lambda asked, setting: (np.zeros(400), np.full(400, gap)))
    for direction in ("rises", "falls"):
        asked = _g25_gaps.Asked("corrected d=2", "exact", 0, "J", direction)
        for judge in (_g25_gaps.directed, _g25_gaps.averaged, _g25_gaps.level):
            if judge is _g25_gaps.averaged and gap == 0:
                continue  # no variance: no z-test
            assert judge(asked, Setting(0, "quick")).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("budget", "pairs"), [("quick", 320), ("full", 640)])
def test_gaps_come_from_the_first_value_and_then_the_last(monkeypatch, budget, pairs):
    cells = {None: 0.0, "L": 1.0}
    monkeypatch.setattr(
        _g25_gaps, "_cell", lambda seed, budget, design, sweep: {"exact": np.full((2000, 3), cells[sweep])}
    )
    asked = _g25_gaps.Asked("corrected d=2", "exact", 1, "L", "falls")
    before, after = _g25_gaps.gaps(asked, Setting(0, budget))
    assert (set(before), set(after)) == ({0.0}, {1.0})
    assert len(before) == len(after) == pairs


def test_every_sign_test_has_power_and_pairs_are_whole_batches():
    for pairs in _g25_gaps.PAIRS.values():
        for count in pairs.values():
            assert count % _g25_gaps.BATCH == 0
            cut = stats.binom.ppf(1e-9, count, 0.5) - 1
            assert stats.binom.cdf(cut, count, _g25_gaps.VIOLATED) > 0.99
            # What moves either way, each in two pairs of five, is found to.
            enough = stats.binom.isf(1e-9, count, _g25_gaps.LEVEL) + 1
            assert count < 280 or stats.binom.sf(enough - 1, count, 0.45) > 0.99


def test_gaps_are_positive_where_the_second_fit_is_the_truth():
    """Two components far apart: divergences are those of the labels, and both ways are told apart."""
    rare, copies = 0.02, 16
    truth, fit = (Mixture([1 - w, w], [[0.0, 0.0], [9.0, 9.0]], [np.eye(2), np.eye(2)]) for w in (0.5, rare))
    laws = jax.tree.map(lambda leaf: jnp.stack([jnp.asarray(leaf)] * copies), (truth, fit, truth))
    keys, run = jax.random.split(jax.random.key(3, impl="threefry2x32"), copies), _g25_gaps.kernels()
    found = run.exact(keys, laws)
    assert found["gap"].shape == (copies, 1, 3)
    forward = (1 - rare) * math.log(2 * (1 - rare)) + rare * math.log(2 * rare)
    reverse = -0.5 * math.log(4 * rare * (1 - rare))
    # Stratified labels: what is left is noise at the border between them, two draws of 400.
    np.testing.assert_allclose(found["gap"], np.full((copies, 1, 3), (forward, reverse, 0.5 - rare)), atol=0.03)
    # The truth against itself: KL is 0, the number is not.
    assert np.abs(found["divergence"][:, 1]).max() < 1e-15
    gaps = np.asarray(run.number(keys, laws)).mean(axis=0)
    # Both ways by the search's own number, 5 nats apart; a redraw varies by 1.6.
    random, redrawn = np.random.default_rng(4), []
    for _ in range(40):
        one, other, third, fitted = (
            random.normal(size=(1000, 2)) + 9.0 * (random.uniform(size=(1000, 1)) < w) for w in (0.5, 0.5, 0.5, rare)
        )
        itself = number(one, other)
        redrawn.append((number(fitted, third) - itself, number(third, fitted) - itself))
    np.testing.assert_allclose(gaps, np.mean(redrawn, axis=0), atol=2.0)  # six standard errors


def test_every_repetition_has_keys_of_its_own(monkeypatch):
    used = []

    def note(keys, result):
        used.extend(map(tuple, np.asarray(jax.random.key_data(keys))))
        return result

    size = _g25_gaps.BATCH
    monkeypatch.setattr(
        _g25_gaps,
        "kernels",
        lambda: _g25_gaps.Kernels(
            lambda keys, world: note(keys, (int(world.K), int(world.J), int(world.L))),
            lambda keys, laws: note(keys, {"gap": np.full((size, 1, 3), laws[0])}),
            lambda keys, laws: note(keys, np.full((size, 2), laws[2])),
        ),
    )
    cells: dict[_g25_gaps.Sweep | None, tuple[int, int, int]] = {None: (2, 2, 2), "L": (2, 2, 15), "K": (15, 2, 2)}
    for sweep, numbers in cells.items():
        found = _g25_gaps._cell.__wrapped__(0, "full", "published d=2", sweep)
        assert {name: set(gaps.ravel()) for name, gaps in found.items()} == {
            "exact": {numbers[0]},
            "number": {numbers[2]},
        }
        least = 2 * _g25_gaps.PAIRS["published d=2", "number"][sweep or "L"]
        assert {name: len(gaps) for name, gaps in found.items()} == {"number": least, "exact": 1280}
    assert len(set(used)) == len(used)


def test_every_protocol_and_direction_has_its_claim():
    claims = {claim.id: claim for claim in g25_f7.CLAIMS}
    for number in g25_f7.PRINTED:
        assert claims[f"G25-F7{number}"].recorded == "holds"
        for place in ("published-exact", "corrected", "corrected-8"):
            for measure in ("", "-reverse", "-tv"):
                asked = claims[f"G25-F7{number}/{place}{measure}"].checks[0].subject
                assert (asked.sweep, asked.direction) == (number, g25_f7.PRINTED[number])
        assert claims[f"G25-F7{number}/mean"].checks[0].judge is _g25_gaps.averaged
    assert {claim.recorded for claim in claims.values() if claim.form == "repaired"} == {"holds"}
    assert sum(claim.form == "repaired" for claim in claims.values()) == 6


def test_limits_are_those_of_components_that_do_not_overlap():
    """d = 8: log((K + J)/K) where nothing is foreign; foreign components cost tens of nats, by their share."""
    random = np.random.default_rng(2)
    for J in (0, 1, 3):
        found = np.median([_g25_gap_figures.limit_gap(random, "corrected d=8", 2, J, 0) for _ in range(20)])
        assert found == pytest.approx(math.log((2 + J) / 2), abs=0.05)
    few, many = (
        np.median([_g25_gap_figures.limit_gap(random, "corrected d=8", 2, 2, L) for _ in range(20)]) for L in (2, 15)
    )
    assert many / few == pytest.approx((15 / 19) / (2 / 6), rel=0.3)
    assert few < -20


DRAWN = [claim for claim in (*g25_f7.CLAIMS, *g25_klgap.CLAIMS) if claim.drawings]


@pytest.mark.parametrize("claim", DRAWN, ids=lambda claim: claim.id)
def test_refuted_claims_are_drawn(claim):
    assert claim.recorded == "refuted"
    assert all(len(to_png(drawing.draw(), dpi=40)) > 1000 for drawing in claim.drawings)
