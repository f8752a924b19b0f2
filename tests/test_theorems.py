"""The consistency theorems as properties of the package's estimator: who breaks one is told which.

A planted error in the estimator must break the theorems named beside it, so that these properties are known to bite.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import pytest

import dkps_theory as dk
from tests.theorems import THEOREMS, M, R, broken, holds


@pytest.mark.parametrize("claim_id", THEOREMS)
def test_the_estimator_obeys(claim_id):
    holds(claim_id, dk.perspectives)


def wrong_normalisation(responses, d, convention=dk.DEFAULT, **options):
    found = dk.perspectives(responses, d, convention, **options)
    return eqx.tree_at(lambda f: f.dissimilarities, found, found.dissimilarities * M**-0.5)


def dropped_factor(responses, d, convention=dk.DEFAULT, **options):
    found = dk.perspectives(responses, d, convention, **options)
    return eqx.tree_at(lambda f: f.configuration, found, found.configuration * 2**0.5)


def inflated_means(responses, d, convention=dk.DEFAULT, **options):
    return dk.perspectives(responses * R / (R - 1), d, convention, **options)


def one_sided_debiasing(responses, d, convention=dk.DEFAULT, **options):
    found = dk.perspectives(responses, d, convention, **options)
    if found.debiased_squared is None:
        return found
    half = (found.debiased_squared + found.dissimilarities**2) / 2
    return eqx.tree_at(lambda f: f.debiased_squared, found, half)


def swapped_axes(responses, d, convention=dk.DEFAULT, **options):
    return dk.perspectives(jnp.swapaxes(responses, 1, 2), d, convention, **options)


def one_replicate_too_few(responses, d, convention=dk.DEFAULT, **options):
    found = dk.perspectives(responses, d, convention, **options)
    return eqx.tree_at(
        lambda f: f.configuration, found, dk.perspectives(responses[:, :, :-1], d, convention, **options).configuration
    )


def exponent_one_everywhere(responses, d, convention=dk.DEFAULT, **options):
    return dk.perspectives(responses, d, dk.Convention(convention.normalisation, 1.0), **options)


def last_axis_lost(responses, d, convention=dk.DEFAULT, **options):
    found = dk.perspectives(responses, d, convention, **options)
    return eqx.tree_at(lambda f: f.configuration, found, found.configuration.at[:, -1].set(0.0))


@pytest.mark.parametrize(
    ("planted", "names"),
    [
        (wrong_normalisation, {"B26-T1", "DK-M1"}),
        (dropped_factor, {"DK-M8/golden", "B26-DEF", "B26-T2", "A24-T1/at-the-rank"}),
        (inflated_means, {"B26-T1", "DK-M1", "B26-DEF"}),
        (one_sided_debiasing, {"DK-M1"}),
        (swapped_axes, {"B26-T1"}),
        (one_replicate_too_few, {"DK-M8/golden"}),
        (exponent_one_everywhere, {"A25-T1"}),
        (last_axis_lost, {"DK-M8/golden", "B26-DEF", "B26-T2"}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_error_breaks_the_theorems_named(planted, names):
    assert broken(planted) >= names


def test_who_breaks_a_theorem_is_told_which():
    with pytest.raises(AssertionError) as caught:
        holds("DK-M8/golden", dropped_factor)
    assert caught.value.__notes__[-1] == "this breaks DK-M8/golden: The sharp constant is the golden ratio"
