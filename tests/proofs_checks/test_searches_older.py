"""Searches from scratch for what the oldest stored counterexamples show: small cases, nothing given."""

from __future__ import annotations

import itertools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import optimize

import dkps_theory as dk
from dkps_theory.conventions import A24, A25
from proofs_checks import cases
from proofs_checks.claims import dk_m8

# Hypothesis takes a garbage collection inside NumPy for a use of the random module; verify's own searches do the same.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

SETTINGS = hypothesis.settings(
    max_examples=2000,
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]
)


def found(strategy, condition):
    return hypothesis.find(strategy, condition, settings=SETTINGS)


def test_with_exponent_half_points_have_a_larger_rank_than_their_span():
    def more(points):
        b = np.asarray(dk.gram(dk.dissimilarities(points[:, None], A25)))
        return np.linalg.matrix_rank(b, tol=1e-6) > np.linalg.matrix_rank(points - points.mean(axis=0), tol=1e-6)

    points = found(cases.integer_arrays(4, 2, 3), more)
    assert len({tuple(row) for row in points}) > 2, "two places have one rank with either exponent"


def test_models_whose_one_dimensional_perspective_hangs_on_their_order():
    def two(case):
        points, order = case
        delta = cases.dissimilarities(points[:, None], A24)
        psi, other = cases.perspective(delta, 1), np.zeros((4, 1))
        other[list(order)] = cases.perspective(delta[np.ix_(order, order)], 1)
        return cases.aligned_error(other, psi) > 0.1 * np.linalg.norm(psi) > 0

    points, _ = found(st.tuples(cases.integer_arrays(4, 2, 1), st.permutations(range(4)).map(tuple)), two)
    assert cases.relative_eigengap(points[:, None], 1) == pytest.approx(0, abs=1e-9)


def test_models_for_which_small_noise_and_its_opposite_give_different_perspectives():
    """No one Psi is near both; where noise is symmetric both are as likely, at every r."""

    def parted(case):
        points, noise = case
        one, two = (
            cases.perspective(cases.dissimilarities((points + sign * 1e-9 * noise)[:, None], A24), 1)
            for sign in (1, -1)
        )
        return cases.aligned_error(one, two) > 0.1 * np.linalg.norm(two) > 0

    points, _ = found(st.tuples(*[cases.integer_arrays(4, 2, 1)] * 2), parted)
    assert cases.relative_eigengap(points[:, None], 1) == pytest.approx(0, abs=1e-9)


def test_no_one_member_has_the_limiting_risks_of_both_labels_where_the_eigengap_is_closed():
    """Squared distances of model 1 to models 2 and 3 on the line, as losses: over small noise, and in each member."""
    noise, angles = np.random.default_rng(25).normal(size=(300, 4, 2)) * 1e-7, np.linspace(0, np.pi, 181)
    members = np.stack([np.cos(angles), np.sin(angles)])

    def losses(places):
        return np.square(places[:, :1] - places[:, 1:3])

    def first(factors):
        u, s, _ = np.linalg.svd(factors, full_matrices=False)
        return u[..., 0] * s[..., :1]

    def parted(points):
        y = points - points.mean(axis=0)
        size = np.square(cases.distances(y)).max()
        if size == 0:
            return False
        values = np.linalg.svd(y, compute_uv=False)
        mean = losses(first(y + noise - noise.mean(axis=1, keepdims=True))).mean(axis=0)
        closed = values[0] - values[1] < 1e-9
        fixed = losses((y @ members).T) if closed else losses(first(y[None]))
        return np.abs(fixed - mean).max(axis=1).min() > 0.1 * size

    points = found(cases.integer_arrays(4, 2, 1), parted)
    assert cases.relative_eigengap(points[:, None], 1) == pytest.approx(0, abs=1e-9)


def test_models_whose_aligned_error_exceeds_the_noise():
    truth = st.tuples(cases.integer_arrays(4, 1, 2), cases.integer_arrays(1, 2, 2)).map(lambda case: case[0] @ case[1])

    def exceeds(case):
        return dk_m8.error_over_noise(case[0], case[0] + case[1] / 2, 1) > 1.01

    mu, noise = found(st.tuples(truth, cases.integer_arrays(4, 2, 2)), exceeds)
    assert dk_m8.error_over_noise(mu, mu + noise / 2, 1) <= dk_m8.GOLDEN + 1e-9
    assert np.linalg.matrix_rank(mu + noise / 2 - (mu + noise / 2).mean(axis=0)) == 2, "d = rank(B^) obeys 1"


def test_signs_whose_double_centring_has_a_large_norm():
    def moved(signs):
        n = int((1 + np.sqrt(1 + 8 * len(signs))) / 2)
        change, h = np.zeros((n, n)), np.eye(n) - 1 / n
        change[np.triu_indices(n, 1)] = signs
        return h @ (change + change.T) @ h / 2

    sizes = st.sampled_from([n * (n - 1) // 2 for n in range(3, 10)])
    signs = found(
        sizes.flatmap(lambda pairs: st.lists(st.sampled_from([1.0, -1.0]), min_size=pairs, max_size=pairs)),
        lambda signs: np.linalg.norm(moved(signs), 2) > 2 + 1e-9,
    )
    assert np.abs(moved(signs)).max() <= 2
    assert len(signs) >= 10, "five models at least"


def planar_minimiser(dissimilarity, starts):
    """Distances within the minimiser of raw stress in the plane, four models, by BFGS from the starts."""

    def stress(flat):
        gaps = flat.reshape(4, 1, 2) - flat.reshape(1, 4, 2)
        d = np.linalg.norm(gaps, axis=-1)
        pull = (d - dissimilarity) / np.where(d > 1e-12, d, 1)
        return np.square(d - dissimilarity).sum(), (4 * (pull[..., None] * gaps).sum(axis=1)).ravel()

    runs = [optimize.minimize(stress, start, jac=True, method="BFGS", options={"gtol": 1e-10}) for start in starts]
    return cases.distances(min(runs, key=lambda run: run.fun).x.reshape(4, 2))


def test_dissimilarities_with_one_class_whose_distances_move_like_a_cube_root():
    """A24-T1/rate: models 2 and 3 alike, whole dissimilarities but theirs, which is tuned to where symmetry is lost."""
    starts = 2 * np.random.default_rng(24).normal(size=(4, 8))

    def distances(a, b, c, t, change=0.0):
        delta = np.zeros((4, 4))
        delta[np.triu_indices(4, 1)] = a + change, a, c, t, b, b
        return planar_minimiser(delta + delta.T, starts)

    def lean(*case):
        d = distances(*case)
        return np.abs(d[:, 1] - d[:, 2])[[0, 3]].max()

    def turns(a, b, c):
        """Each t between two whole numbers where the minimiser begins to lean, and a t beside it where it does."""
        sides = {t: lean(a, b, c, t) > 1e-4 for t in (1, 2, 3, 4)}
        for t in (1, 2, 3):
            if sides[t] != sides[t + 1]:
                symmetric, leaning = (t + 1.0, float(t)) if sides[t] else (float(t), t + 1.0)
                for step in range(20):
                    middle = (symmetric + leaning) / 2
                    symmetric, leaning = (symmetric, middle) if lean(a, b, c, middle) > 1e-4 else (middle, leaning)
                    if step == 7 and lean(a, b, c, leaning) > 0.15:
                        break  # a jump
                yield symmetric, leaning

    for a, b, c in itertools.product(range(2, 5), repeat=3):
        for t, beside in turns(a, b, c) if a < b else ():
            if lean(a, b, c, beside) < 0.01:
                still = distances(a, b, c, t)
                moved = [np.abs(distances(a, b, c, t, change) - still).max() for change in (1e-3, 1e-6)]
                assert np.log(moved[0] / moved[1]) / np.log(1000) == pytest.approx(1 / 3, abs=0.03)
                return
    pytest.fail("every loss of symmetry is a jump")
