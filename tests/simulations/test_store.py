from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dkps_theory._validate import InputError
from simulations import store
from simulations.store import check_target, load, save


def test_what_was_saved_is_loaded_again(tmp_path, toy_results):
    path = save(toy_results, tmp_path / "deep" / "er" / "a.zarr")
    found = load(path)
    assert found["cell"].to_numpy().tolist() == ["small", "large"]
    assert found.attrs == toy_results.attrs
    xr.testing.assert_equal(found.drop_vars("cell"), toy_results)
    assert [child.name for child in path.parent.iterdir()] == ["a.zarr"]
    plain = xr.open_zarr(path, consolidated=False)
    np.testing.assert_array_equal(plain["error"], toy_results["error"])


def test_an_existing_folder_needs_overwrite(tmp_path, toy_results):
    path = save(toy_results, tmp_path / "a.zarr")
    with pytest.raises(InputError, match=r"exists already.*--overwrite"):
        save(toy_results, path)
    save(toy_results.assign_attrs(seed=5), path, overwrite=True)
    assert load(path).attrs["seed"] == 5
    assert [child.name for child in tmp_path.iterdir()] == ["a.zarr"]


def test_what_is_no_store_is_never_overwritten(tmp_path, toy_results):
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.txt").write_text("precious")
    for path in (mine, mine / "chapter.txt"):
        with pytest.raises(InputError, match="is no store of study results"):
            save(toy_results, path, overwrite=True)
    assert (mine / "chapter.txt").read_text() == "precious"


def test_a_link_is_followed(tmp_path, toy_results):
    save(toy_results, tmp_path / "a.zarr")
    (tmp_path / "link").symlink_to(tmp_path / "a.zarr")
    save(toy_results.assign_attrs(seed=5), tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "a.zarr").attrs["seed"] == 5


def test_a_folder_that_cannot_be_written_is_refused_beforehand(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        check_target(tmp_path / "file" / "a.zarr")

    def denied(*_args, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store.tempfile, "TemporaryDirectory", denied)
    with pytest.raises(InputError, match=r"a\.zarr: the folder cannot be written \(Permission denied\)"):
        check_target(tmp_path / "a.zarr")
    with pytest.raises(InputError, match="no name of a store"):
        check_target("..")


@pytest.mark.parametrize("failing", [1, 2])
def test_when_the_last_step_fails_the_old_store_stays_and_the_new_results_are_kept(
    tmp_path, toy_results, monkeypatch, failing
):
    path = save(toy_results, tmp_path / "out" / "a.zarr")
    rename, calls = Path.rename, []

    def full(self, target):
        calls.append(self)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError, match=r"No space left on device\); the results are in") as refused:
        save(toy_results.assign_attrs(seed=5), path, overwrite=True)
    monkeypatch.undo()
    rescued = Path(re.search(r"the results are in (\S+)", str(refused.value))[1])
    assert load(rescued).attrs["seed"] == 5
    shutil.rmtree(rescued.parent)
    assert load(path).attrs["seed"] == 0
    assert [child.name for child in path.parent.iterdir()] == ["a.zarr"]


def test_what_cannot_be_read_is_said_in_one_line(tmp_path, toy_results):
    with pytest.raises(InputError, match="no such folder"):
        load(tmp_path / "nothing.zarr")
    with pytest.raises(InputError, match="is no store"):
        load(tmp_path)
    path = save(toy_results, tmp_path / "a.zarr")
    (path / "error" / "zarr.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        load(path)
    path = save(toy_results.assign_attrs(dkps_theory_store=99), tmp_path / "b.zarr")
    with pytest.raises(InputError, match="has layout 99"):
        load(path)


def test_results_are_kept_when_the_place_is_taken_while_the_study_runs(toy_results, tmp_path):
    place = check_target(tmp_path / "late.zarr")
    place.mkdir()
    with pytest.raises(InputError, match=r"exists already.*the results are in") as caught:
        save(toy_results, place)
    rescued = Path(str(caught.value).rsplit(" ", 1)[1])
    assert load(rescued).sizes == toy_results.sizes
    shutil.rmtree(rescued.parent)
