"""Shares, keys and the ledger."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from dkps_theory import _types  # noqa: F401
from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import study_key
from dkps_theory.testing import Stat, assert_unbiased
from dkps_theory.testing.budget import ledger, share, unmetered


def data(keys):
    return np.asarray(jax.random.key_data(keys)).reshape(-1, 2)


def test_shares_add_up_to_the_budget():
    assert share(1e-6, 8) * 8 == 1e-6
    for budget, tests in [(0.0, 3), (1.0, 3), (1e-6, 0)]:
        with pytest.raises(InputError):
            share(budget, tests)


def test_keys_come_from_the_name_and_the_seed_alone():
    first = Stat("test_a.py::test_one", seed=3, rate=1e-6)
    np.testing.assert_array_equal(data(first.key()), data(study_key(3, "test_a.py::test_one")))
    np.testing.assert_array_equal(data(first.key(2)), data(Stat(first.name, 3, 1e-9).key(2)))
    np.testing.assert_array_equal(data(first.keys(4)), data(first.keys(6))[:4])


def test_keys_are_all_distinct():
    stats = [Stat(name, seed, 1e-6) for name in ("a", "b") for seed in (0, 1)]
    stats += [part for stat in stats for part in (*stat.split(2), *stat.split(3)[2:])]
    rows = np.concatenate([data(key) for stat in stats for key in (stat.key(), stat.key(1), stat.keys(3))])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_parts_split_the_rate_and_keep_their_keys():
    stat = Stat("a", 0, 1e-6)
    two, three = stat.split(2), stat.split(3)
    assert sum(part.rate for part in three) == pytest.approx(1e-6, rel=1e-12)
    np.testing.assert_array_equal(data(two[1].key()), data(three[1].key()))


def zeros(key, size):
    return np.zeros((size, 1))


def test_the_ledger_refuses_to_overspend():
    stat = Stat("test_a.py::test_one", 0, 3e-6)
    parts = stat.split(3)
    with ledger(stat) as book:
        for part in parts:
            assert_unbiased(zeros, [0.0], key=part.key(), false_fail_rate=part.rate)
        assert book.spent == pytest.approx(stat.rate)
        with pytest.raises(InputError, match=r"test_one: .* stat.split"):
            assert_unbiased(zeros, [0.0], key=stat.key(), false_fail_rate=1e-6)
        with unmetered():
            assert_unbiased(zeros, [0.0], key=stat.key(), false_fail_rate=1e-6)
    assert_unbiased(zeros, [0.0], key=stat.key())  # outside a statistical test nobody counts
