from __future__ import annotations

import dataclasses
import json
import shutil

import filelock
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
import zarr

from dkps_theory._validate import InputError
from simulations import store as store_module
from simulations.batches import Task
from simulations.runner import LocalDevices, Prepared, begin, carry_out, missing
from simulations.store import Store, open_store
from simulations.store_setup import check_target


@pytest.fixture
def into(toy):
    """Run the toy into a folder; the store is closed again."""

    def call(path, *, study=toy, replicates=20, seed=0, run=True, **options):
        prepared = Prepared(study, seed)
        with begin(prepared, check_target(path, **options), planned=[replicates] * 2, **options) as store:
            if run:
                carry_out(store, LocalDevices(prepared))
        return store

    return call


def chunks(path):
    """Return the bytes of every chunk of every array."""
    return {str(one.relative_to(path)): one.read_bytes() for one in path.glob("*/c/**/*") if one.is_file()}


def test_what_was_stored_is_read_again(tmp_path, into, run):
    path = tmp_path / "deep" / "er" / "a.zarr"
    into(path)
    found, expected = open_store(path), run(replicates=20)
    xr.testing.assert_identical(*(one.dataset.drop_attrs(deep=False).load() for one in (found, expected)))
    assert found.is_complete
    assert [child.name for child in path.parent.iterdir()] == ["a.zarr"]
    plain = xr.open_zarr(path, consolidated=False)
    np.testing.assert_array_equal(plain["error"][0], expected.values("error", 0))


def test_an_existing_folder_needs_resume_or_overwrite(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    with pytest.raises(InputError, match=r"exists already; --resume .* --overwrite"):
        into(path)
    with pytest.raises(InputError, match="choose one"):
        into(path, resume=True, overwrite=True)
    into(path, seed=5, overwrite=True)
    assert open_store(path).manifest["seed"] == 5
    assert [child.name for child in tmp_path.iterdir()] == ["a.zarr"]


def test_what_is_no_store_is_never_touched(tmp_path, into):
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.txt").write_text("precious")
    for path in (mine, mine / "chapter.txt"):
        for option in ("overwrite", "resume"):
            with pytest.raises(InputError, match="is no store of study results"):
                into(path, **{option: True})
    assert (mine / "chapter.txt").read_text() == "precious"


def test_a_link_is_followed(tmp_path, into):
    into(tmp_path / "a.zarr")
    (tmp_path / "link").symlink_to(tmp_path / "a.zarr")
    into(tmp_path / "link", seed=5, overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert open_store(tmp_path / "a.zarr").manifest["seed"] == 5


def test_a_folder_that_cannot_be_written_is_refused_beforehand(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        check_target(tmp_path / "file" / "a.zarr")
    with pytest.raises(InputError, match="no name of a store"):
        check_target("..")


@pytest.mark.parametrize("extended", [False, True])
def test_a_run_in_pieces_has_the_bytes_of_a_run_in_one(tmp_path, into, extended):
    """Fifty replicates at once, against twenty, then fifty, with half of the batches taken away in between."""
    whole, pieces = tmp_path / "whole.zarr", tmp_path / "pieces.zarr"
    into(whole, replicates=50)
    into(pieces, replicates=20 if extended else 50)
    for marker in sorted((pieces / "markers").glob("*.*.json"))[::2]:
        marker.unlink()
    (pieces / "markers" / "0.9.tmp").write_text("{")
    (pieces / "error" / "c" / "0" / "0.abc.partial").write_text("torn")
    into(pieces, replicates=50, resume=True)
    assert chunks(pieces) == chunks(whole)
    assert not [*pieces.rglob("*.partial"), *pieces.rglob("*.tmp")]
    one, other = open_store(pieces), open_store(whole)
    assert one.failures() == other.failures()
    xr.testing.assert_identical(one.dataset.drop_attrs(deep=False), other.dataset.drop_attrs(deep=False))


def test_the_order_of_batches_changes_no_byte(tmp_path, into, toy):
    whole, shuffled = tmp_path / "whole.zarr", tmp_path / "shuffled.zarr"
    into(whole)
    prepared = Prepared(toy, 0)
    with begin(prepared, shuffled, planned=[20, 20]) as store:
        tasks = missing(store)
        for batch in LocalDevices(prepared).run([*tasks[1::2], *tasks[::2][::-1]]):
            store.write(batch)
    assert open_store(shuffled).is_complete
    assert chunks(shuffled) == chunks(whole)


def test_a_marked_batch_is_not_computed_again(tmp_path, into, toy):
    path = tmp_path / "a.zarr"
    into(path)
    (path / "markers" / "1.1.json").unlink()
    prepared = Prepared(toy, 0)
    with begin(prepared, check_target(path, resume=True), planned=[20, 20], resume=True) as store:
        assert missing(store) == [Task(1, 1, 8)]
        assert store.plan([10, 10]) is None
        assert store.manifest["planned"] == [20, 20]
        store.plan([21, 20])
        assert missing(store) == [Task(1, 1, 8), Task(0, 2, 5)]


def test_unmarked_numbers_are_not_read(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    (path / "markers" / "0.1.json").unlink()
    store = open_store(path)
    assert store.finished(0).tolist() == [*range(8), *range(16, 20)]
    assert store.values("error", 0).shape == (12, 3)
    assert store.values("rows", 0).shape == (5, 2)
    assert not store.is_complete
    (path / "markers" / "0.0.json").unlink()
    assert open_store(path).values("rows", 0).shape == (0, 2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": 1}, "another seed: 0 there, 1 here"),
        ({"batch_size": 4}, "another design, batch_size: 8 there, 4 here"),
        ({"axes": {"r": (10.0, 100.0, 1e4)}}, r"another design, axes, r, entry 2: 1000.0 there, 10000.0 here"),
        ({"name": "other"}, "another study: toy there, other here"),
    ],
)
def test_another_run_is_refused_with_the_difference_named(tmp_path, into, toy, changes, says):
    path = tmp_path / "a.zarr"
    into(path)
    before = chunks(path)
    seed = changes.pop("seed", 0)
    with pytest.raises(InputError, match=says):
        into(path, study=dataclasses.replace(toy, **changes), seed=seed, resume=True)
    assert chunks(path) == before


@pytest.mark.parametrize("part", ["code", "versions"])
def test_another_version_of_the_code_is_refused(tmp_path, into, part):
    path = tmp_path / "a.zarr"
    into(path)
    group = zarr.open_group(path, mode="r+")
    other = "0" * 64 if part == "code" else {**group.attrs["versions"], "jax": "0.0.1"}
    group.attrs[part] = other
    with pytest.raises(
        InputError, match="another code: 000" if part == "code" else "another versions, jax: 0.0.1 there"
    ):
        into(path, resume=True)


def test_a_second_run_is_refused_and_a_dead_one_is_not(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    lock = filelock.FileLock(path / "markers" / "lock")
    lock.acquire()
    for option in ("resume", "overwrite"):
        with pytest.raises(InputError, match="another run is writing to it"):
            into(path, **{option: True})
    assert open_store(path).is_complete
    lock.release()
    into(path, resume=True)
    assert [child.name for child in tmp_path.iterdir()] == ["a.zarr"]


def test_resume_without_a_store_begins_one_and_sweeps_half_made_ones(tmp_path, into):
    path = tmp_path / "a.zarr"
    dead = tmp_path / ".a.zarr.01234567.part"
    (dead / "markers").mkdir(parents=True)
    alive = tmp_path / ".a.zarr.89abcdef.part"
    (alive / "markers").mkdir(parents=True)
    lock = filelock.FileLock(alive / "markers" / "lock")
    lock.acquire()
    into(path, resume=True)
    assert open_store(path).is_complete
    assert not dead.exists()
    assert alive.exists()
    lock.release()


def test_a_full_disk_loses_nothing_that_was_finished(tmp_path, into, toy, monkeypatch):
    path, whole = tmp_path / "a.zarr", tmp_path / "whole.zarr"
    write, calls = Store.write, []

    def full(self, batch):
        calls.append(batch.task)
        if len(calls) == 4:
            # The numbers of one array are there, the marker is not.
            self._array("error")[batch.task.cell, 8:16] = -1.0
            raise OSError(28, "No space left on device")
        write(self, batch)

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(InputError, match=r"No space left on device\); what is finished is safe.*--resume"):
        into(path)
    monkeypatch.undo()
    assert len(open_store(path).finished(0)) >= 16
    assert len(open_store(path).finished(1)) == 8
    into(path, resume=True)
    into(whole)
    assert chunks(path) == chunks(whole)


def test_a_full_disk_at_the_start_leaves_the_old_store(tmp_path, into, monkeypatch):
    path = tmp_path / "a.zarr"
    into(path)

    def full(*_args, **_keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simulations.store_setup._fill", full)
    with pytest.raises(InputError, match=r"a\.zarr: could not be written \(No space left on device\)"):
        into(path, seed=5, overwrite=True)
    assert open_store(path).manifest["seed"] == 0
    assert [child.name for child in tmp_path.iterdir()] == ["a.zarr"]


def test_what_cannot_be_read_is_said_in_one_line(tmp_path, into):
    with pytest.raises(InputError, match="no such folder"):
        open_store(tmp_path / "nothing.zarr")
    with pytest.raises(InputError, match="is no store"):
        open_store(tmp_path)
    path = tmp_path / "a.zarr"
    into(path)
    (path / "markers" / "0.0.json").write_text("{")
    with pytest.raises(InputError, match=r"0\.0\.json: is damaged"):
        open_store(path)
    (path / "markers" / "0.0.json").unlink()
    (path / "error" / "zarr.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        open_store(path)
    shutil.rmtree(path)
    into(path)
    zarr.open_group(path, mode="r+").attrs["dkps_theory_store"] = 99
    with pytest.raises(InputError, match="has layout 99"):
        open_store(path)


def test_a_damaged_chunk_is_noticed(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    chunk = next(one for one in (path / "error" / "c").rglob("*") if one.is_file())
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(bytes(content))
    store = open_store(path)
    with pytest.raises(InputError, match=r"'error' of cell '(small|large)' is damaged"):
        [store.values("error", cell) for cell in (0, 1)]


def test_batches_of_another_platform_are_named(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    marker = path / "markers" / "0.0.json"
    found = json.loads(marker.read_text())
    assert set(found) == {"size", "seconds", "failures"}
    marker.write_text(json.dumps(found | {"platform": {"processor": "another"}}))
    assert {"processor": "another"} in open_store(path).platforms
    assert len(open_store(path).platforms) == 2


def test_a_batch_whose_numbers_cannot_be_written_has_no_marker(tmp_path, into, monkeypatch):
    path, real, calls = tmp_path / "a.zarr", store_module.sync, []

    def full(coroutine):
        calls.append(coroutine)
        if len(calls) == 3:
            coroutine.close()
            raise OSError(28, "No space left on device")
        return real(coroutine)

    monkeypatch.setattr(store_module, "sync", full)
    with pytest.raises(InputError, match="No space left on device"):
        into(path)
    assert not (path / "markers" / "0.1.json").exists()
    assert (path / "markers" / "0.0.json").exists()


def test_a_lost_chunk_is_not_read_as_failures(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    (path / "error" / "c" / "1" / "1" / "0").unlink()
    store = open_store(path)
    assert np.isfinite(store.values("error", 0)).all()
    with pytest.raises(InputError, match=r"is lost; remove .*1\.1\.json, and --resume runs its batch again"):
        store.values("error", 1)
    (path / "markers" / "1.1.json").unlink()
    into(path, resume=True)
    assert np.isfinite(open_store(path).values("error", 1)).all()


def test_a_batch_of_nothing_but_nan_is_a_chunk_like_any_other(tmp_path, into, toy):
    def failing(key, prepared):
        return toy.replicate(key, prepared) | {"error": jnp.full(3, jnp.nan)}

    path = tmp_path / "a.zarr"
    into(path, study=dataclasses.replace(toy, replicate=failing))
    assert np.isnan(open_store(path).values("error", 0)).all()
    assert len(open_store(path).failures()) == 40


def test_an_old_store_is_put_back_when_its_overwriting_died(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    before = chunks(path)
    path.rename(tmp_path / ".a.zarr.01234567.old")
    into(path, resume=True)
    assert chunks(path) == before
    assert [child.name for child in tmp_path.iterdir()] == ["a.zarr"]


def test_markers_of_no_cell_and_manifests_without_parts_are_refused(tmp_path, into):
    path = tmp_path / "a.zarr"
    into(path)
    (path / "markers" / "99.0.json").write_text('{"size": 8, "seconds": 1, "failures": []}')
    with pytest.raises(InputError, match=r"99\.0\.json: belongs to no cell"):
        open_store(path)
    (path / "markers" / "99.0.json").unlink()
    del zarr.open_group(path, mode="r+").attrs["planned"]
    with pytest.raises(InputError, match="is damaged, its manifest lacks planned"):
        open_store(path)
