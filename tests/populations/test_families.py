"""Families: means that grow as asked, and models drawn from a law, nested in n and with the moments stated."""

from __future__ import annotations

import dataclasses

import jax
import jaxtyping
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.conventions import A24, A25, DEFAULT
from dkps_theory.populations import (
    Design,
    GaussianPerspectives,
    GroupPerspectives,
    GrowingDesign,
    IidModels,
    SpherePerspectives,
    population_from_document,
)
from dkps_theory.testing import assert_unbiased

KEY, OTHER = jax.random.split(jax.random.key(0, impl="threefry2x32"))
BASE = Design(n=3, m=1, p=2, spectrum=(4.0, 1.0), gamma=0.5, seed=3, coincident=((0, 1),))
LAWS = {
    "gaussian": GaussianPerspectives([4.0, 1.0, 0.0]),
    "sphere": SpherePerspectives(3, radius=2.0),
    "groups": GroupPerspectives([[0.0, 1.0], [2.0, -1.0], [9.0, 9.0]], [0.25, 0.75, 0.0]),
}


def distances(rows):
    rows = np.asarray(rows).reshape(len(rows), -1)
    return np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(axis=-1))


def test_delta_and_gamma_grow_as_asked():
    family = GrowingDesign(BASE, mean_in_n=0.5, mean_in_m=-1.0, gamma_in_n=2.0, gamma_in_m=1.0)
    grown = family.population(9, 4)
    plain = dataclasses.replace(BASE, n=9, m=4).population()
    stretch = 3.0 / 4.0
    np.testing.assert_allclose(distances(grown.mean), stretch * distances(plain.mean), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(grown.mean, stretch * np.asarray(plain.mean), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(grown.gamma, 0.5 * 81 * 4, rtol=1e-12)
    assert (grown.mean[0] == grown.mean[1]).all()
    np.testing.assert_array_equal(GrowingDesign(BASE).population(3, 1).mean, BASE.population().mean)


def test_members_of_a_growing_family_are_designs_that_can_be_written():
    member = GrowingDesign(BASE, mean_in_n=0.5).design(6, 2)
    again = population_from_document(member.to_document())
    np.testing.assert_array_equal(again.mean, GrowingDesign(BASE, mean_in_n=0.5).population(6, 2).mean)


@pytest.mark.parametrize("name", LAWS)
def test_more_models_add_models(name):
    models = IidModels(LAWS[name], m=2, p=3, gamma=0.5)
    most = models.draw(KEY, 40)
    for n in (1, 2, 7, 33):
        few = models.draw(KEY, n)
        assert few.shape == (n, 2, 3)
        np.testing.assert_array_equal(few.mean, most.mean[:n])
        np.testing.assert_array_equal(few.gamma, most.gamma[:n])
        np.testing.assert_array_equal(models.configuration(KEY, n), models.configuration(KEY, 40)[:n])
    assert np.any(models.draw(OTHER, 40).mean != np.asarray(most.mean))


@pytest.mark.parametrize("name", LAWS)
def test_perspectives_have_the_moments_and_the_support_stated(name, stat):
    law = LAWS[name]
    models = IidModels(law, m=2, p=3, gamma=0.0)

    def products(key, size):
        psi = np.asarray(models.configuration(key, size))
        assert np.linalg.norm(psi, axis=1).max() <= law.bound * (1 + 1e-14)
        deviations = psi - law.mean
        return np.concatenate([psi[:, :, None], deviations[:, :, None] * deviations[:, None]], axis=2)

    truth = np.concatenate([law.mean[:, None], law.covariance], axis=1)
    assert_unbiased(products, truth, key=stat.key(), false_fail_rate=stat.rate, detectable=0.05)


@pytest.mark.parametrize("name", LAWS)
def test_models_are_independent(name, stat):
    # Neighbours: deviations from the mean, and those of squares of the first coordinate, have products of mean 0.
    models = IidModels(LAWS[name], m=2, p=3, gamma=0.0)

    def neighbours(key, size):
        psi = np.asarray(models.configuration(key, 2 * size)) - LAWS[name].mean
        first, second = psi[::2], psi[1::2]
        squares = [part[:, 0] ** 2 - LAWS[name].covariance[0, 0] for part in (first, second)]
        products = (first[:, :, None] * second[:, None]).reshape(size, -1)
        return np.concatenate([products, (squares[0] * squares[1])[:, None]], axis=1)

    truth = np.zeros(LAWS[name].covariance.size + 1)
    assert_unbiased(neighbours, truth, key=stat.key(), false_fail_rate=stat.rate, detectable=0.05)


@pytest.mark.parametrize("convention", [DEFAULT, A24])
@pytest.mark.parametrize("name", LAWS)
def test_delta_is_the_distance_of_the_perspectives(name, convention):
    models = IidModels(LAWS[name], m=4, p=2, gamma=0.25, convention=convention)
    population, psi = models.draw(KEY, 20), models.configuration(KEY, 20)
    np.testing.assert_allclose(convention.scale(4) * distances(population.mean), distances(psi), atol=1e-13)
    np.testing.assert_allclose(population.gamma, 0.25, rtol=1e-15)
    turned = dataclasses.replace(models, seed=1).draw(KEY, 20)
    np.testing.assert_allclose(distances(turned.mean), distances(population.mean), atol=1e-12)
    assert np.any(np.asarray(turned.mean) != np.asarray(population.mean))


def test_spheres_groups_and_bounds():
    np.testing.assert_allclose(np.linalg.norm(IidModels(LAWS["sphere"], 2, 3, 0.0).configuration(KEY, 50), axis=1), 2.0)
    means = np.asarray(IidModels(LAWS["groups"], 2, 3, 0.0).draw(KEY, 50).mean).reshape(50, -1)
    assert len(np.unique(means, axis=0)) == 2
    assert [law.bound for law in LAWS.values()] == [np.inf, 2.0, np.sqrt(5.0)]
    assert GaussianPerspectives([0.0]).bound == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianPerspectives([1.0, -1.0]), "variances: got -1; each must be at least 0"),
        (lambda: GaussianPerspectives(1.0), "variances: got 0 axes"),
        (lambda: SpherePerspectives(1), "q: got 1; it must be a whole number of at least 2"),
        (lambda: SpherePerspectives(2, 0.0), "radius: got 0; it must be above 0"),
        (lambda: GroupPerspectives([[0.0], [1.0]], [0.5, 0.6]), "weights: got .*sum to 1"),
        (lambda: GroupPerspectives([[0.0], [1.0]], [1.5, -0.5]), "weights: got .*at least 0"),
        (lambda: GroupPerspectives([[0.0], [1.0]], [1.0]), r"weights: got shape \(1,\); with these centres it must be"),
        (lambda: IidModels(LAWS["sphere"], m=1, p=2, gamma=1.0), "perspectives: in R.3, but .* only m p = 2 coordinat"),
        (lambda: IidModels(LAWS["sphere"], m=2, p=2, gamma=-1.0), "gamma: got -1; it must be at least 0"),
        (lambda: IidModels(LAWS["sphere"], m=0, p=2, gamma=1.0), "m .queries.: got 0"),
        (lambda: IidModels(LAWS["sphere"], m=2, p=2, gamma=1.0, convention=A25), "convention: got exponent 0.5"),
        (lambda: IidModels("sphere", m=2, p=2, gamma=1.0), "perspectives: got a str; it must be a PerspectiveLaw"),
        (lambda: IidModels(LAWS["sphere"], 2, 2, 1.0).draw(KEY, 0), "n .models.: got 0"),
        (lambda: IidModels(LAWS["sphere"], 2, 2, 1.0).draw(7, 3), "key: got 7"),
        (lambda: IidModels(LAWS["sphere"], 2, 2, 1.0).draw(KEY, 10**12), "psi: n q = 3,000,000,000,000 numbers"),
        (lambda: GrowingDesign(dataclasses.replace(BASE, gamma=((0.1,),) * 3)), "base: its gamma must be one number"),
        (lambda: GrowingDesign(BASE, mean_in_n=np.inf), "mean_in_n: 1 value not finite"),
        (lambda: GrowingDesign(BASE, mean_in_n=999.0).population(9, 1), "spectrum: 2 values not finite"),
        (lambda: GrowingDesign(BASE, gamma_in_m=999.0).population(9, 9), "gamma: 1 value not finite"),
        (lambda: GrowingDesign(BASE).design(0, 1), "n .models.: got 0"),
        (lambda: GrowingDesign(BASE).population(2, 1), "n .models.: got 2 with a spectrum of length 2"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # calls as users make them
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GaussianPerspectives([4.0, 1.0]),
        lambda: SpherePerspectives(3, radius=2),
        lambda: GroupPerspectives(np.array([[0.0], [1.0]]), [0.25, 0.75]),
    ],
)
def test_laws_of_perspectives_are_values(make):
    assert make() == make()
    assert hash(make()) == hash(make())
    assert "object at" not in repr(make())
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().radius = 3.0
