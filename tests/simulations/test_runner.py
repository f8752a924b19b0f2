from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.monte_carlo import study_key
from simulations.study import Output


def test_a_replicate_depends_on_seed_study_cell_and_index_alone(run, toy):
    twenty, five = run(replicates=20), run(replicates=5)
    for cell in (0, 1):
        np.testing.assert_array_equal(twenty.values("error", cell)[:5], five.values("error", cell))
        np.testing.assert_array_equal(
            run(replicates=20, batch_size=3).values("error", cell), twenty.values("error", cell)
        )
    alone = run(cells=toy.cells[1:], replicates=5)
    np.testing.assert_array_equal(alone.values("error", 0), five.values("error", 1))
    key = study_key(0, "toy/large", replicate=4)
    drawn = jax.random.normal(key, (3,)) / jnp.sqrt(jnp.asarray(toy.axes["r"]))
    np.testing.assert_allclose(five.values("error", 1)[4], drawn, rtol=1e-14)


def test_cells_seeds_and_studies_draw_differently(run):
    def errors(**changes):
        return run(replicates=3, **changes).dataset["error"].to_numpy()

    base = errors()
    assert np.all(base[0] != base[1])
    assert np.all(base != errors(seed=1))
    assert np.all(base != errors(name="toy-2"))


def test_layout_padding_and_manifest(run):
    store = run(replicates=20)
    dataset = store.dataset
    assert dataset["error"].dims == ("cell", "replicate", "r")
    assert dataset["rows"].dims == ("cell", "first_5", "n")
    assert dataset["rows"].shape == (2, 5, 3)
    assert np.isnan(dataset["rows"][0, :, 2]).all()
    assert np.isfinite(dataset["rows"][1]).all()
    assert store.values("rows", 0).shape == (5, 2)
    assert [float(store.truth("size", cell)) for cell in (0, 1)] == [2.0, 3.0]
    assert dataset["r"].to_numpy().tolist() == [10.0, 100.0, 1000.0]
    assert dataset["cell"].to_numpy().tolist() == ["small", "large"]
    about = store.manifest
    assert (about["study"], about["seed"], about["planned"], about["batch_size"]) == ("toy", 0, [20, 20], 8)
    assert about["versions"]["jax"] == jax.__version__
    assert about["platform"]["backend"] == "cpu"
    assert len(about["design_hash"]) == len(about["code"]) == 64
    assert store.failures() == []
    assert store.is_complete


def test_part_of_an_output_is_the_part_of_the_whole(run):
    store = run(replicates=20)
    whole = store.values("error", 1)
    np.testing.assert_array_equal(store.values("error", 1, (1,)), whole[:, 1])
    np.testing.assert_array_equal(store.values("error", 1, (slice(1, None),)), whole[:, 1:])
    np.testing.assert_array_equal(store.values("error", 1, (-1,)), whole[:, -1])


def test_failures_are_rows_and_are_kept(run, toy):
    def sometimes(key, prepared):
        found = toy.replicate(key, prepared)
        failed = (found["error"][0] > 0) & (prepared["n"].size == 2)
        return found | {"error": jnp.where(failed, jnp.nan, found["error"])}

    whole, broken = run(replicates=20), run(replicates=20, replicate=sometimes)
    failed = whole.values("error", 0)[:, 0] > 0
    assert broken.failures() == [("small", int(row), "the error", "not finite") for row in np.flatnonzero(failed)]
    np.testing.assert_array_equal(np.isnan(broken.values("error", 0)[:, 0]), failed)
    np.testing.assert_array_equal(broken.values("error", 0)[~failed], whole.values("error", 0)[~failed])
    np.testing.assert_array_equal(broken.values("error", 1), whole.values("error", 1))


def test_an_output_that_does_not_apply_does_not_fail(run, toy):
    cells = tuple(dataclasses.replace(cell, absent=("rows",)) for cell in toy.cells)

    def without(key, prepared):
        found = toy.replicate(key, prepared)
        return found | {"rows": jnp.full_like(found["rows"], jnp.nan)}

    assert len(run(replicates=4, replicate=without).failures()) == 8
    assert run(replicates=4, replicate=without, cells=cells).failures() == []


def test_failures_name_the_method_along_an_axis_of_methods(run, toy):
    def two(key, prepared):
        x = jax.random.normal(key, ())
        return {"estimate": jnp.stack([x, jnp.where(x > 0, jnp.nan, x)])}

    output = Output("estimate", "estimate", dims=("method",), failure="did not converge")
    cell = dataclasses.replace(toy.cells[0], rates={})
    store = run(
        replicates=16,
        replicate=two,
        outputs=(output,),
        axes={"r": (1,), "method": ("mean", "em")},
        truths=(),
        truth=lambda _: {},
        cells=(cell,),
    )
    failed = np.flatnonzero(store.values("estimate", 0)[:, 0] > 0)
    assert 0 < len(failed) < 16
    assert store.failures() == [("small", int(row), "em", "did not converge") for row in failed]


def numpy_replicate(key, prepared):
    draw = np.asarray(jax.random.normal(key, (3,)))
    if draw[0] > 1:
        raise ArithmeticError("too\nlarge")
    return {"error": draw, "rows": np.zeros(len(prepared["n"]))}


def test_a_study_that_is_not_compiled_runs_anything_and_its_exceptions_are_failures(run):
    store = run(replicates=40, replicate=numpy_replicate, compiled=False)
    keys = [study_key(0, "toy/small", replicate=t) for t in range(40)]
    draws = np.array([jax.random.normal(key, (3,)) for key in keys])
    failed = draws[:, 0] > 1
    assert 0 < failed.sum() < 40
    reason = "ArithmeticError: too large"
    assert [f for f in store.failures() if f.cell == "small"] == [
        ("small", int(row), "replicate", reason) for row in np.flatnonzero(failed)
    ]
    np.testing.assert_array_equal(store.values("error", 0)[~failed], draws[~failed])
    assert np.isnan(store.values("error", 0)[failed]).all()


def test_a_study_whose_replicates_all_fail_is_refused(run):
    def never(key, prepared):
        raise ArithmeticError("no")

    with pytest.raises(InputError, match="ArithmeticError: no"):
        run(replicates=4, replicate=never, compiled=False)
    with pytest.raises(InputError, match=r"cannot be traced: ArithmeticError: no"):
        run(replicates=4, replicate=never)


def test_progress_is_told_of_every_batch(toy):
    from simulations.runner import run_study

    seen = []
    run_study(toy, replicates=20, pin=False, advance=lambda count, what: seen.append((what, count)))
    assert seen == [(name, count) for count in (8, 8, 4) for name in ("small", "large")]


def test_plain_progress_lines_say_how_far_it_is(capsys):
    from simulations.progress import show_progress

    with show_progress(20, "toy") as advance:
        advance(0, "small")
        advance(8, "small")
        advance(12, "large")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("toy: small, 0 of 20 replicates")
    assert lines[-1].startswith("toy: large, 20 of 20 replicates")


@pytest.mark.parametrize(("replicates", "seed"), [(0, 0), (1, 0), (-2, 0), (3, -1), (3, 2**32)])
def test_bad_numbers_are_refused(run, replicates, seed):
    with pytest.raises(InputError):
        run(replicates=replicates, seed=seed)


def test_other_names_or_axes_than_the_study_lists_are_refused(run, toy):
    extra = (*toy.outputs, Output("missing", "x"))
    with pytest.raises(InputError, match="missing"):
        run(replicates=2, outputs=extra)
    flat = (dataclasses.replace(toy.outputs[0], dims=("r", "n")), toy.outputs[1])
    with pytest.raises(InputError, match="axes"):
        run(replicates=2, outputs=flat)
    with pytest.raises(InputError, match=r"axis 'r' of 'error' has length 3, the study lists \(10.0, 20.0\)"):
        run(replicates=2, axes={"r": (10.0, 20.0)}, prepare=lambda cell, _: toy.prepare(cell, toy.axes))
