"""Designs have exactly the perspectives and the noise that were asked for."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.conventions import A24, A25, DEFAULT, Convention
from dkps_theory.populations import Design, coincide, configuration_with_spectrum, population_from_configuration

KEY = jax.random.key(0, impl="threefry2x32")


def distances(rows):
    return np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(axis=-1))


@pytest.mark.parametrize("spectrum", [[5.0], [3.0, 3.0, 1e-6], [2.0, 0.0], [1e12, 1.0]])
def test_spectrum(spectrum):
    psi = np.asarray(configuration_with_spectrum(KEY, 6, spectrum))
    assert psi.shape == (6, len(spectrum))
    scale = np.sqrt(np.outer(spectrum, spectrum))
    np.testing.assert_array_less(np.abs(psi.T @ psi - np.diag(spectrum)), 1e-14 * scale + 1e-300)
    np.testing.assert_array_less(np.abs(psi.sum(axis=0)), 1e-14 * np.sqrt(spectrum) + 1e-300)


def test_bad_spectra(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # calls as users make them
    cases = [
        (lambda: configuration_with_spectrum(KEY, 3, [1.0, 1.0, 1.0]), "need n > d"),
        (lambda: configuration_with_spectrum(KEY, 5, [1.0, 2.0]), "non-increasing"),
        (lambda: configuration_with_spectrum(KEY, 5, [1.0, -1.0]), "at least 0"),
        (lambda: configuration_with_spectrum(KEY, 5, [np.nan]), "spectrum: 1 value not finite"),
        (lambda: configuration_with_spectrum(KEY, 5, []), "spectrum: axis d is empty"),
        (lambda: configuration_with_spectrum(KEY, 10**12, [1.0]), "psi: n d = 1,000,000,000,000 numbers"),
        (lambda: configuration_with_spectrum(7, 5, [1.0]), r"key: got 7; .* jax.random.key\(seed\)"),
    ]
    for make, message in cases:
        with pytest.raises(InputError, match=message):
            make()


def test_coincide():
    psi = configuration_with_spectrum(KEY, 9, [4.0, 1.0])
    moved = np.asarray(coincide(psi, [(0, 3, 8), (1, 2)]))
    assert (moved[[3, 8]] == moved[[0, 0]]).all()
    assert (moved[1] == moved[2]).all()
    assert not (moved[0] == moved[1]).any()
    np.testing.assert_allclose(moved.sum(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(moved[[4, 5, 6, 7]], psi[jnp.asarray([4, 5, 6, 7])], atol=1e-14)
    for groups in ([(0, 0)], [(0, 1), (1, 2)], [()], [(0, 9)], [(-1, 1)]):
        with pytest.raises(InputError, match="groups"):
            coincide(psi, groups)


@pytest.mark.parametrize("kind", ["spherical", "diagonal", "full"])
@pytest.mark.parametrize("convention", [DEFAULT, A24, Convention("none")])
def test_delta_and_gamma_are_those_asked_for(kind, convention):
    psi = coincide(configuration_with_spectrum(KEY, 7, [4.0, 1.0]), [(0, 5)])
    gamma = np.random.default_rng(0).uniform(0, 2, (7, 4))
    gamma[5] = gamma[0]
    population = population_from_configuration(
        KEY, psi, m=4, p=3, gamma=gamma, components=3, between=0.4, covariance_type=kind, convention=convention
    )
    means = np.asarray(population.mean).reshape(7, -1)
    np.testing.assert_allclose(convention.scale(4) * distances(means), distances(np.asarray(psi)), atol=1e-13)
    assert (means[0] == means[5]).all()
    np.testing.assert_allclose(population.gamma, gamma, rtol=1e-12)
    deviations = np.asarray(population._deviations)
    between = (np.asarray(population.weights) * (deviations**2).sum(axis=-1)).sum(axis=-1)
    np.testing.assert_allclose(between, 0.4 * gamma, rtol=1e-11)


def test_one_component_without_noise():
    population = population_from_configuration(KEY, configuration_with_spectrum(KEY, 4, [1.0]), m=1, p=1, gamma=0.0)
    assert not np.any(population.sample_mean_errors(KEY, 10))


def test_bad_designs(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # calls as users make them
    psi = configuration_with_spectrum(KEY, 5, [2.0, 1.0])
    good = {"m": 2, "p": 2, "gamma": 1.0}
    cases = [
        ({"convention": A25}, "got exponent 0.5; choose the configuration of the means with exponent 1 instead"),
        ({"m": 1, "p": 1}, "only m p = 1 coordinates"),
        ({"gamma": -1.0}, "gamma: got"),
        ({"gamma": np.ones(3)}, r"one number or \(5, 2\) numbers"),
        ({"gamma": np.inf}, "gamma: 1 value not finite"),
        ({"between": 0.5}, "be 0 when there is one component"),
        ({"between": 1.0, "components": 2}, r"must lie in \[0, 1\)"),
        ({"between": "0.5", "components": 2}, "between: got '0.5'"),
        ({"between": None}, "between: got None"),
        ({"between": True}, "between: got True"),
        ({"between": [0.5], "components": 2}, "between: got "),
        ({"convention": "m"}, "convention: got 'm'; it must be a Convention"),
        ({"covariance_type": None}, "covariance_type: got None; it must be text, one of diagonal, full, spherical"),
        ({"covariance_type": ["full"]}, "covariance_type: got "),
        ({"m": 10**9, "p": 10**9}, "population: m p max.n k, d. = 5,000,000,000,000,000,000 numbers, more than 2,147"),
        ({"p": 10**5, "covariance_type": "full"}, "population: .* choose a smaller m, p or components"),
        ({"components": 0}, "components: got 0"),
        ({"m": 0}, "m .queries.: got 0"),
        ({"covariance_type": "ful"}, "did you mean 'full'"),
    ]
    for changes, message in cases:
        with pytest.raises(InputError, match=message):
            population_from_configuration(KEY, psi, **{**good, **changes})


def test_design_is_decided_by_its_seed():
    design = Design(n=6, m=3, p=2, spectrum=(2.0, 1.0), gamma=0.5, seed=1, components=2, between=0.3)
    first, second = design.population(), design.population()
    np.testing.assert_array_equal(first.component_means, second.component_means)
    other = Design(n=6, m=3, p=2, spectrum=(2.0, 1.0), gamma=0.5, seed=2, components=2, between=0.3).population()
    assert np.all(np.asarray(first.component_means) != np.asarray(other.component_means))
    means = np.asarray(first.mean).reshape(6, -1)
    np.testing.assert_allclose(distances(means) / np.sqrt(3), distances(np.asarray(design.configuration())), atol=1e-13)
