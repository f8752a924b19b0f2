"""What the theorems say of an estimator, as properties that name the theorem they come from when they fail.

An estimator here is ``estimate(responses, d, convention) -> Perspectives``, what :func:`dkps_theory.perspectives` is.
Truth is computed in NumPy from the means and noise of the case, never by the package.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import dkps_theory as dk

Estimator = Callable[..., Any]
Case = tuple[np.ndarray, np.ndarray]
GOLDEN = (1 + math.sqrt(5)) / 2
N, M, R, P, D = 5, 2, 2, 2, 2

THEOREMS: dict[str, Callable[[Estimator, Case], None]] = {}


def theorem(claim_id: str) -> Callable[[Callable[[Estimator, Case], None]], Callable[[Estimator, Case], None]]:
    """Register a property under the claim that it encodes."""

    def register(law: Callable[[Estimator, Case], None]) -> Callable[[Estimator, Case], None]:
        THEOREMS[claim_id] = law
        return law

    return register


@st.composite
def cases(draw: Any) -> Case:
    """Five models whose means lie in a plane of R^4 (two queries, p = 2), and noise of two replicates; sixteenths.

    In about half of the cases the second replicate cancels the noise of the first, so that X = mu.
    """
    numbers = st.integers(-32, 32)
    plane = np.reshape(draw(st.lists(numbers, min_size=N * D, max_size=N * D)), (N, D)) / 16
    loadings = np.reshape(draw(st.lists(st.integers(-2, 2), min_size=D * M * P, max_size=D * M * P)), (D, M * P))
    size = N * M * R * P
    noise = np.reshape(draw(st.lists(st.integers(-16, 16), min_size=size, max_size=size)), (N, M, R, P)) / 64
    if draw(st.booleans()):
        noise[:, :, 1] = -noise[:, :, 0]
    return (plane @ loadings).reshape(N, M, P), noise


#: A case with an open eigengap and clear distances, for what is said in the limit.
SETTLED: Case = (
    np.array([[0, 0, 0, 0], [3, 0, 0, 1], [0, 2, 1, 0], [3, 2, 1, 1], [-2, 1, 0.5, -2 / 3]], float).reshape(N, M, P),
    np.random.default_rng(0).normal(size=(N, M, R, P)),
)


def holds(claim_id: str, estimate: Estimator, examples: int = 25) -> None:
    """Try the property of one theorem; a failure carries the claim's id and title as a note."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,  # one failure, which takes the note below
    )
    @given(cases())
    def attempt(case: Case) -> None:
        THEOREMS[claim_id](estimate, case)

    try:
        THEOREMS[claim_id](estimate, SETTLED)
        attempt()
    except AssertionError as error:
        from proofs_checks.registry import find

        error.add_note(f"this breaks {claim_id}: {find(claim_id).title}")
        raise


def broken(estimate: Estimator) -> set[str]:
    """Return the claims whose properties an estimator breaks; one that raises anything else is no planted error."""
    found = set()
    for claim_id in THEOREMS:
        try:
            holds(claim_id, estimate)
        except AssertionError:
            found.add(claim_id)
    return found


def squared_distances(means: np.ndarray) -> np.ndarray:
    """||mu_i - mu_i'||_F^2 (n, n)."""
    return np.square(means[:, None] - means[None]).sum((2, 3))


def gram(squares: np.ndarray) -> np.ndarray:
    """-1/2 H A H."""
    h = np.eye(len(squares)) - 1 / len(squares)
    return -0.5 * h @ squares @ h


def factor(b: np.ndarray, d: int = D) -> np.ndarray:
    """The classical perspective of B."""
    values, vectors = np.linalg.eigh(b)
    return vectors[:, ::-1][:, :d] * np.sqrt(np.maximum(values[::-1][:d], 0))


def aligned(found: Any, truth: np.ndarray) -> float:
    """min over orthogonal W of ||found W - truth||_F."""
    found = np.asarray(found)
    u, _, v = np.linalg.svd(found.T @ truth)
    return float(np.linalg.norm(found @ u @ v - truth))


def at(case: Case, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the responses, mu and E of a case, its noise scaled."""
    mu, noise = case
    return mu[:, :, None] + scale * noise, mu, scale * noise.mean(axis=2)


@theorem("B26-T1")
def dissimilarities_err_by_at_most_the_noise(estimate: Estimator, case: Case) -> None:
    """|D - Delta| <= c ||E_i - E_i'||_F for each pair."""
    responses, mu, errors = at(case)
    for normalisation, c in (("sqrt-m", M**-0.5), ("m", 1 / M)):
        found = np.asarray(estimate(responses, D, dk.Convention(normalisation)).dissimilarities)
        gap = np.abs(found - c * np.sqrt(squared_distances(mu)))
        assert np.all(gap <= c * np.sqrt(squared_distances(errors)) + 1e-9)


@theorem("DK-M1")
def squared_dissimilarities_have_exact_means(estimate: Estimator, case: Case) -> None:
    """Over all signs of the noise E D^2 = Delta^2 + c^2 sum (gamma + gamma')/r, and the debiased square is unbiased."""
    mu, size = case[0][:2, :1, :1], np.array([0.25, 0.75])
    plain, debiased = [], []
    for signs in itertools.product((-1.0, 1.0), repeat=4):
        noise = np.reshape(signs, (2, 1, 2, 1)) * size[:, None, None, None]
        found = estimate(mu[:, :, None] + noise, 1)
        plain.append(float(found.dissimilarities[0, 1]) ** 2)
        assert found.debiased_squared is not None, "two replicates are enough for the unbiased square"
        debiased.append(float(found.debiased_squared[0, 1]))
    delta = float(squared_distances(mu)[0, 1])
    assert math.isclose(np.mean(plain), delta + np.square(size).sum() / 2, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(np.mean(debiased), delta, rel_tol=1e-9, abs_tol=1e-9)


@theorem("A25-T1")
def gram_matrices_err_by_at_most_four_times_the_noise(estimate: Estimator, case: Case) -> None:
    """With exponent one half |B^ - B| <= 4 max ||E_i||_F / m entrywise, what the proof sums up by Chebyshev."""
    responses, mu, errors = at(case)
    found = gram(np.asarray(estimate(responses, D, dk.A25).dissimilarities) ** 2)
    moved = np.abs(found - gram(np.sqrt(squared_distances(mu)) / M)).max()
    assert moved <= 4 * np.sqrt(np.square(errors).sum((1, 2)).max()) / M + 1e-9


@theorem("A25-DEF")
def exponent_one_half_gives_real_perspectives(estimate: Estimator, case: Case) -> None:
    """B^ is positive semi-definite with exponent one half."""
    found = estimate(at(case)[0], D, dk.A25)
    values = np.linalg.eigvalsh(gram(np.asarray(found.dissimilarities) ** 2))
    assert values.min() >= -1e-9 * max(1.0, values.max())
    assert np.all(np.isfinite(found.configuration))


@theorem("DK-M8/golden")
def perspectives_err_by_at_most_the_golden_ratio(estimate: Estimator, case: Case) -> None:
    """min_W ||Psi^ W - Psi||_F <= 1.618 c ||HE||_F, with no eigengap and no noise level asked for."""
    responses, mu, errors = at(case)
    psi = factor(gram(squared_distances(mu) / M))
    noise = np.linalg.norm(errors - errors.mean(axis=0)) / math.sqrt(M)
    assert aligned(estimate(responses, D).configuration, psi) <= GOLDEN * noise + 1e-6


@theorem("B26-DEF")
def without_noise_distances_are_reproduced(estimate: Estimator, case: Case) -> None:
    """With d at least the rank, distances within Psi are Delta."""
    responses, mu, _ = at(case, 0.0)
    found = np.asarray(estimate(responses, D).configuration)
    np.testing.assert_allclose(squared_distances(found[:, None]), squared_distances(mu) / M, atol=1e-7)


@theorem("B26-T2")
def with_an_open_eigengap_errors_shrink_in_proportion(estimate: Estimator, _: Case) -> None:
    """A thousand times less noise leaves a thousand times less error of Psi^."""
    psi = factor(gram(squared_distances(SETTLED[0]) / M))
    large, small = (aligned(estimate(at(SETTLED, scale)[0], D).configuration, psi) for scale in (1e-3, 1e-6))
    assert 0 < small < 2e-3 * large


@theorem("A24-T1/at-the-rank")
def raw_stress_distances_err_in_proportion_to_the_noise(estimate: Estimator, _: Case) -> None:
    """Where Delta is realised in R^d, a thousand times less noise leaves distances a thousand times nearer to Delta."""
    delta, errors, key = np.sqrt(squared_distances(SETTLED[0]) / M), [], dk.study_key(0, "theorems/raw-stress")
    for scale in (1e-3, 1e-6):
        found = estimate(at(SETTLED, scale)[0], D, scaling="raw-stress", key=key).configuration
        errors.append(np.abs(np.sqrt(squared_distances(np.asarray(found)[:, None])) - delta).max())
    assert 0 < errors[1] < 2e-3 * errors[0]


@theorem("CL-RIGID")
def motions_of_the_embedding_and_names_of_models_change_nothing(estimate: Estimator, case: Case) -> None:
    """D does not see rotations and shifts of the embedding, and follows a relabelling of the models."""
    responses = at(case)[0]
    order, turn = np.array([2, 0, 4, 1, 3]), np.array([[0.6, -0.8], [0.8, 0.6]])
    found = np.asarray(estimate(responses, D).dissimilarities)
    moved = np.asarray(estimate(responses[order] @ turn + 3.0, D).dissimilarities)
    np.testing.assert_allclose(moved, found[np.ix_(order, order)], atol=1e-9)
