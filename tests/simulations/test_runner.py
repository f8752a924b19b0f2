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
    np.testing.assert_array_equal(twenty["error"][:, :5], five["error"])
    np.testing.assert_array_equal(run(replicates=20, batch_size=3)["error"], twenty["error"])
    alone = run(cells=toy.cells[:1], replicates=5)
    np.testing.assert_array_equal(alone["error"][0], five["error"][0])
    key = study_key(0, "toy", cell=1, replicate=4)
    drawn = jax.random.normal(key, (3,)) / jnp.sqrt(jnp.asarray(toy.r_grid))
    np.testing.assert_allclose(five["error"][1, 4], drawn, rtol=1e-14)


def test_cells_seeds_and_studies_draw_differently(run):
    base = run(replicates=3)["error"].to_numpy()
    assert np.all(base[0] != base[1])
    assert np.all(base != run(replicates=3, seed=1)["error"].to_numpy())
    assert np.all(base != run(replicates=3, name="toy-2")["error"].to_numpy())


def test_layout_padding_and_manifest(run):
    dataset = run(replicates=20)
    assert dataset["error"].dims == ("cell", "replicate", "r")
    assert dataset["rows"].dims == ("cell", "first_5", "n")
    assert dataset["rows"].shape == (2, 5, 3)
    assert np.isnan(dataset["rows"][0, :, 2]).all()
    assert np.isfinite(dataset["rows"][1]).all()
    assert dataset["size"].to_numpy().tolist() == [2.0, 3.0]
    assert dataset["r"].to_numpy().tolist() == [10.0, 100.0, 1000.0]
    about = dataset.attrs
    assert (about["study"], about["seed"], about["replicates"], about["batch_size"]) == ("toy", 0, 20, 8)
    assert about["versions"]["jax"] == jax.__version__
    assert about["platform"]["backend"] == "cpu"
    assert len(about["design_hash"]) == 64
    assert about["failures"] == {"error": [0, 0], "rows": [0, 0]}


def test_failures_are_counted_and_kept(run, toy):
    def sometimes(key, prepared):
        found = toy.replicate(key, prepared)
        failed = (found["error"][0] > 0) & (prepared["n"].size == 2)
        return found | {"error": jnp.where(failed, jnp.nan, found["error"])}

    whole, broken = run(replicates=20), run(replicates=20, replicate=sometimes)
    failed = whole["error"].to_numpy()[0, :, 0] > 0
    assert broken.attrs["failures"]["error"] == [int(failed.sum()), 0]
    np.testing.assert_array_equal(np.isnan(broken["error"][0, :, 0]), failed)
    np.testing.assert_array_equal(broken["error"].to_numpy()[0, ~failed], whole["error"].to_numpy()[0, ~failed])


def test_progress_is_told_of_every_batch(toy):
    from simulations.runner import run_study

    seen = []
    run_study(toy, replicates=20, pin=False, advance=lambda count, what: seen.append((what, count)))
    assert seen == [(name, count) for name in ("small", "large") for count in (0, 8, 8, 4)]


def test_plain_progress_lines_say_how_far_it_is(capsys):
    from simulations.progress import show_progress

    with show_progress(20, "toy") as advance:
        advance(0, "small")
        advance(8, "small")
        advance(12, "large")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("toy: small, 0 of 20 replicates")
    assert lines[-1].startswith("toy: large, 20 of 20 replicates")


@pytest.mark.parametrize(("replicates", "seed"), [(0, 0), (-2, 0), (3, -1), (3, 2**32)])
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
