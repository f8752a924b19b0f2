from __future__ import annotations

import pytest

from simulations.batches import Computed, Task
from simulations.pilot import Pilot


def batch(cell, index, seconds):
    return Computed(Task(cell, index, 10), {}, (), seconds, {})


def test_the_forecast_comes_with_the_second_batch_and_tells_compiling_from_computing():
    """Two cells of 10 batches: 3 s to compile the first, 0 the second, then 0.5 and 1.5 s a batch: 8 x 2 s are left."""
    pilot = Pilot([Task(cell, index, 10) for index in range(10) for cell in (0, 1)])
    assert pilot.watch(batch(0, 0, 3.5)) is None
    assert pilot.watch(batch(1, 0, 1.5)) is None
    assert pilot.watch(batch(0, 1, 0.5)) is None
    found = pilot.watch(batch(1, 1, 1.5))
    assert (found.compiling, found.steady, found.left) == pytest.approx((3.0, 2.0, 16.0))
    assert found.line == "pilot: compiling 3.0 s in all, then 2.00 s for a batch of every cell; about 16 s left"
    assert pilot.watch(batch(0, 2, 0.5)) is None


def test_several_processes_share_what_is_left():
    pilot = Pilot([Task(0, index, 10) for index in range(10)], processes=2)
    pilot.watch(batch(0, 0, 2.0))
    assert pilot.watch(batch(0, 1, 1.0)).left == pytest.approx(4.0)


def test_a_run_of_one_batch_has_no_forecast():
    assert Pilot([Task(0, 0, 10)]).watch(batch(0, 0, 2.0)) is None
