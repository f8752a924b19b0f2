"""The adversarial search climbs to a known worst case, looks at the stored one first, and lets no NaN pass."""

from __future__ import annotations

import json

import jax.numpy as jnp
import numpy as np
import pytest

from proofs_checks.claim import Setting
from proofs_checks.evidence import adversary

SETTING = Setting(0, "quick", "T-1")


def hill(x):
    return jnp.exp(-jnp.square(x - 3.0).sum())


def test_it_climbs_to_the_top():
    found = adversary.hunt(hill, [np.zeros(2), np.full(2, 1.0)], SETTING, quick=50)
    np.testing.assert_allclose(found.parameters, 3.0, atol=1e-3)
    assert found.value == pytest.approx(1.0)
    assert not found.stored


def test_the_stored_case_comes_first_and_is_kept_where_it_is_the_worst(tmp_path, monkeypatch):
    monkeypatch.setattr(adversary, "WORST", tmp_path)
    top = adversary.Found(np.full(2, 3.0), 1.0, stored=False)
    path = adversary.save_worst("hill", "T-1", "the top of the hill", top)
    assert json.loads(path.read_text())["parameters"] == [3.0, 3.0]
    found = adversary.hunt(hill, [np.zeros(2)], SETTING, stored="hill", quick=5)
    assert found.stored
    np.testing.assert_array_equal(found.parameters, [3.0, 3.0])


def test_a_bound_that_is_not_finite_is_the_worst_of_all():
    found = adversary.hunt(lambda x: jnp.log(x).sum(), [np.array([-1.0])], SETTING)
    assert found.value == np.inf
