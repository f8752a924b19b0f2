"""Responses to perspectives in one call: the pieces fit, each kind of input gives the same, edges are defined."""

from __future__ import annotations

import jax
import jaxtyping
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.conventions import A24, A25, DEFAULT
from dkps_theory.estimators import perspectives, place
from dkps_theory.geometry import alignment_errors, raw_stress_mds, raw_stress_placement
from dkps_theory.responses import ResponseSummary
from tests import reference

RESPONSES = np.random.default_rng(6).normal(size=(6, 2, 4, 2))


@pytest.mark.parametrize("convention", [DEFAULT, A24, A25], ids=lambda c: c.label)
def test_the_pieces_are_the_loops(convention):
    found = perspectives(RESPONSES, 2, convention)
    X = reference.mean_embeddings(RESPONSES.tolist())
    D = reference.dissimilarities(X, convention.normalisation, convention.exponent)
    np.testing.assert_allclose(found.dissimilarities, D, rtol=1e-12)
    assert float(alignment_errors(found.configuration, reference.classical_mds(D, 2)).frobenius) < 1e-12
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(reference.gram(D))[::-1], atol=1e-13)
    assert found.convention == convention
    if convention is A25:
        assert found.debiased_squared is None
    else:
        gamma = [[reference.gamma_estimate(cell) for cell in model] for model in RESPONSES.tolist()]
        expected = reference.debiased_squared_distance(X, gamma, np.full((6, 2), 4), 0, 3)
        c = reference.scale(convention.normalisation, 2)
        assert float(found.debiased_squared[0, 3]) == pytest.approx(c**2 * expected, rel=1e-12)


def test_every_kind_of_input_gives_the_same():
    base = perspectives(RESPONSES, 2)
    i, j, k = np.nonzero(np.ones((6, 2, 4), dtype=bool))
    table = {"model": i, "query": j, "replicate": k, "e0": RESPONSES[i, j, k, 0], "e1": RESPONSES[i, j, k, 1]}
    for given in (
        {str(i): RESPONSES[i] for i in range(6)},
        table,
        np.ma.MaskedArray(RESPONSES, mask=False),
        ResponseSummary.from_array(RESPONSES),
    ):
        found = perspectives(given, 2)
        np.testing.assert_array_equal(found.configuration, base.configuration)
        np.testing.assert_array_equal(found.debiased_squared, base.debiased_squared)
        assert found.models == base.models


def test_single_responses_have_perspectives_but_no_debiased_squares():
    found = perspectives(RESPONSES[:, :, :1], 2)
    assert found.debiased_squared is None
    assert found.configuration.shape == (6, 2)


def test_identical_models_sit_at_the_origin():
    found = perspectives(np.broadcast_to(RESPONSES[:1], RESPONSES.shape), 2)
    assert (np.asarray(found.configuration) == 0).all()
    assert (np.asarray(found.dissimilarities) == 0).all()


@pytest.mark.parametrize("d", [0, 6, 7])
def test_dimensions_out_of_range_are_refused(d):
    with pytest.raises(InputError, match=rf"got {d}"):
        perspectives(RESPONSES, d)


def test_a_name_alone_is_no_convention(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(InputError, match="convention: got 'm'; it must be a Convention"):
        perspectives(RESPONSES, 2, "m")


def test_one_model_alone_is_refused():
    with pytest.raises(InputError, match="got n = 1 model; perspectives compare at least two"):
        perspectives(RESPONSES[:1], 1)


def test_raw_stress_carries_its_own_convergence():
    key = jax.random.key(2)
    found = perspectives(RESPONSES, 2, scaling="raw-stress", key=key, starts=4)
    expected = raw_stress_mds(found.dissimilarities, 2, key=key, starts=4)
    np.testing.assert_array_equal(found.configuration, expected.configuration)
    assert found.raw_stress is not None
    assert bool(found.converged) == bool(expected.converged) is True
    classical = perspectives(RESPONSES, 2)
    np.testing.assert_array_equal(found.eigenvalues, classical.eigenvalues)
    np.testing.assert_array_equal(found.means, classical.means)
    assert classical.raw_stress is None
    assert bool(classical.converged)

    new = np.random.default_rng(7).normal(size=(1, 2, 4, 2))
    placed = place(found, new, key=key, starts=4)
    X, X_new = np.asarray(found.means), new.mean(axis=2)
    delta = np.linalg.norm((X - X_new).reshape(6, 4), axis=1)[None] / np.sqrt(2)
    np.testing.assert_allclose(
        placed.configuration,
        raw_stress_placement(found.configuration, delta, key=key, starts=4).configuration,
        atol=1e-11,
    )


def test_placement_is_a_twin_of_the_loops():
    new = np.random.default_rng(8).normal(size=(2, 2, 4, 2))
    found = perspectives(RESPONSES, 2)
    both = reference.mean_embeddings([*RESPONSES.tolist(), *new.tolist()])
    D = reference.dissimilarities(both, "sqrt-m", 1.0)
    psi = np.asarray(found.configuration)
    for row, name in enumerate("ab"):
        # Least squares on the inner products with the centroid as origin: the last row of a bordered Gram matrix.
        squares, w = np.delete(np.delete(D, 7 - row, 0), 7 - row, 1) ** 2, np.append(np.full(6, 1 / 6), 0.0)
        H = np.eye(7) - np.outer(np.ones(7), w)
        bordered = -0.5 * H @ squares @ H.T
        expected = np.linalg.lstsq(psi, bordered[6, :6])[0]
        placed = place(found, {name: new[row]})
        np.testing.assert_allclose(placed.configuration[0], expected, atol=1e-13)
        assert float(placed.off_span[0]) == pytest.approx(bordered[6, 6] - expected @ expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: perspectives(RESPONSES, 2, scaling="sammon"), "scaling: got 'sammon'; it must be one of classical, r"),
        (lambda: perspectives(RESPONSES, 2, scaling="raw-stress"), "key: got None; it must be one typed key"),
        (lambda: place(perspectives(RESPONSES, 2), RESPONSES[:, :1]), r"got \(m, p\) = \(1, 2\); those of the frame"),
        (lambda: place(perspectives(RESPONSES, 2), RESPONSES[:1], "sammon"), "rule: got 'sammon'; it must be one of"),
        (lambda: place(perspectives(RESPONSES, 2), RESPONSES * np.inf), "not finite"),
    ],
)
def test_options_that_do_not_fit_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
