"""The readings of G25-F5 that are false fall to searches from scratch."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from scipy import stats

from proofs_checks.claims import g25_f5

SEARCH = settings(
    max_examples=500,
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
)
WHOLE = st.integers(-3, 3)
#: Three anchors, and roots of the covariances of a copied and a foreign component, in the plane, of whole numbers.
WORLDS = st.tuples(*(st.lists(WHOLE, min_size=size, max_size=size) for size in (6, 4, 4)))


def generator(case: tuple[list[int], ...], *, jitter: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """Means and covariances of a generator with one component of each kind."""
    anchors, *roots = (np.reshape(np.asarray(part, float), (-1, 2)) for part in case)
    spread = [np.cov(anchors.T) + jitter * np.eye(2), *(A @ A.T + 0.01 * np.eye(2) for A in roots)]
    return np.array([anchors.mean(axis=0), [5.0, 5.0], [-5.0, 0.0]]), np.array(spread)


def log_densities(case, points: np.ndarray, **changed) -> np.ndarray:
    """Log densities of the components (3, n) from eigenvalues; nothing where a covariance is singular."""
    found = []
    for mean, covariance in zip(*generator(case, **changed), strict=True):
        values, vectors = np.linalg.eigh(covariance)
        if values[0] <= 1e-9:
            continue
        whitened = (points - mean) @ vectors / np.sqrt(values)
        found.append(-0.5 * (whitened**2).sum(axis=1) - 0.5 * np.log(values).sum() - np.log(2 * np.pi))
    return np.array(found)


def test_search_finds_a_world_in_which_no_place_is_left_out():
    """Densities of a generator's own K components are positive at its anchors, at the truth's and a mile away."""
    places = np.array([*itertools.product((-3.0, 0.0, 3.0), repeat=2), (1e4, 0.0), (-1e4, 1e4)])

    def covers(case):
        found = log_densities(case, places)
        return len(found) == 3 and bool(np.isfinite(found).all())

    case = find(WORLDS, covers, settings=SEARCH)
    # The simplest is three equal anchors: with nothing added to their covariance they would be a point.
    assert len(log_densities(case, places, jitter=0.0)) < 3


def test_search_finds_generators_that_cover_and_stay_inside():
    laws = st.lists(st.integers(0, 2), min_size=3, max_size=3).filter(any)

    def found(predicate):
        def world(weights):
            law = {k: Fraction(w, sum(weights)) for k, w in enumerate(weights) if w}
            return g25_f5.supports(g25_f5.answering(law))

        return find(laws, lambda weights: predicate(*world(weights)), settings=SEARCH)

    assert found(lambda missed, added: missed == added == 0)[2] == 0
    assert found(lambda missed, added: missed > 0 and added == 0).count(0) == 2
    assert found(lambda missed, added: missed == 0 and added > 0) == [1, 1, 1]
    assert found(lambda missed, added: missed > 0 and added > 0) == [0, 0, 1]


def test_every_support_of_answers_is_one_of_four_cases():
    seen = set()
    for support in itertools.chain.from_iterable(itertools.combinations(range(3), size) for size in (1, 2, 3)):
        missed, added = g25_f5.supports(g25_f5.answering(dict.fromkeys(support, Fraction(1, len(support)))))
        assert missed == Fraction(len({0, 1} - set(support)), 2)
        assert added == Fraction(len(set(support) - {0, 1}), len(support))
        seen.add((missed > 0, added > 0))
    assert len(seen) == 4


def in_region(points: np.ndarray, means, covariances) -> np.ndarray:
    """Whether points lie in the 95% ellipse of some component."""
    square = [
        np.einsum("ni,ij,nj->n", points - mean, np.linalg.inv(covariance), points - mean)
        for mean, covariance in zip(means, covariances, strict=True)
    ]
    return np.min(square, axis=0) <= stats.chi2.ppf(0.95, 2)


def test_search_finds_no_draw_that_is_missed_unless_moments_are_estimated():
    table, missed = np.random.default_rng(0), {False: 0, True: 0}
    for _ in range(60):
        means, roots = table.uniform(0, 10, (6, 2)), table.uniform(size=(6, 2, 2))
        covariances = roots @ roots.swapaxes(1, 2) + 0.01 * np.eye(2)
        draws = np.concatenate(
            [table.multivariate_normal(m, S, 100) for m, S in zip(means[:2], covariances[:2], strict=True)]
        )
        anchors = [table.multivariate_normal(m, S, 50) for m, S in zip(means[:2], covariances[:2], strict=True)]
        own = draws[in_region(draws, means[:2], covariances[:2])]
        for estimated in missed:
            again = means.copy(), covariances.copy()
            if estimated:
                again[0][:2] = [one.mean(axis=0) for one in anchors]
                again[1][:2] = [np.cov(one.T) for one in anchors]
            missed[estimated] += bool((~in_region(own, *again)).any())
    assert missed[False] == 0
    assert missed[True] > 30
