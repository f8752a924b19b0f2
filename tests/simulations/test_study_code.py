"""What the code of a study is: changes of it are noticed, and what it raises is said in one line."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
import textwrap

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dkps_theory._validate import InputError
from simulations.catalogue import recipe
from simulations.grid import Cell
from simulations.measures import Measure, Rate
from simulations.study import Deferred, Output

FILE = """
    import functools
    {imports}
    from simulations.grid import Grid
    from simulations.study import Output, Study

    def replicate(key, levels, k):
        return {{"x": k * levels["n"]}}

    STUDY = Study(
        name="mine", title="", aims="", data="", estimands="", methods="", performance="", replicates=4, batch_size=2,
        outputs=(Output("x", "x", ()),), grid=Grid({{"n": (1,)}}), replicate=functools.partial(replicate, k={k}),
    )
"""


def hashed(tmp_path, k=1.0, imports=""):
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(FILE.format(k=k, imports=imports)))
    return recipe(str(path)).study.design_hash()


def test_arguments_of_a_partial_and_arrays_in_settings_are_part_of_the_design(tmp_path, toy):
    assert hashed(tmp_path) == hashed(tmp_path)
    assert hashed(tmp_path) != hashed(tmp_path, k=100.0)

    def with_settings(settings):
        cells = (dataclasses.replace(toy.cells[0], settings=settings),)
        return dataclasses.replace(toy, cells=cells).design_hash()

    one, other = np.arange(3000.0), np.arange(3000.0)
    other[1500] = 0.5
    assert with_settings(one) != with_settings(other)
    assert with_settings(one) == with_settings(jnp.asarray(one))
    with pytest.raises(InputError, match="got a set; they must be plain data"):
        with_settings({1, 2})


def test_a_module_beside_a_study_is_part_of_the_design(tmp_path):
    """In processes of their own, as on the command line, because Python keeps modules."""
    helper = tmp_path / "helper_of_mine.py"

    def elsewhere(text):
        helper.write_text(text)
        path = tmp_path / "mine.py"
        path.write_text(textwrap.dedent(FILE.format(k=1, imports="import helper_of_mine")))
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); sys.dont_write_bytecode = True\n"
            "from simulations.catalogue import recipe\n"
            "print(recipe(sys.argv[2]).study.design_hash())"
        )
        line = [sys.executable, "-c", code, str(tmp_path), str(path)]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    assert elsewhere("K = 1\n") == elsewhere("K = 1\n")
    assert elsewhere("K = 1\n") != elsewhere("K = 22\n")


def boom(*_args):
    raise ArithmeticError("no")


@pytest.mark.parametrize("part", ["prepare", "truth"])
def test_what_other_functions_of_a_study_raise_is_said_in_one_line(run, part):
    with pytest.raises(InputError, match=rf"study 'toy', cell 'small': {part} does not run: ArithmeticError: no"):
        run(replicates=4, **{part: boom})


def test_what_compiled_code_raises_when_it_runs_is_said_in_one_line(run, toy):
    def never_positive(key, prepared):
        found = toy.replicate(key, prepared)
        return found | {"error": eqx.error_if(found["error"], found["error"] > -9, "too large")}

    says = r"study 'toy', cell 'small', batch 0: replicate does not run: EquinoxRuntimeError"
    with pytest.raises(InputError, match=says):
        run(replicates=4, replicate=never_positive)


def test_a_replicate_of_another_shape_or_of_words_or_complex_has_failed(run, toy):
    kinds = {0: np.zeros(3), 1: np.zeros(4), 2: "words", 3: np.zeros(3) * 1j}
    calls = []

    def odd(key, prepared):
        calls.append(key)
        value = kinds[(len(calls) - 1) % 4] if len(calls) > 1 else np.zeros(3)
        return {"error": value, "rows": np.zeros(len(prepared["n"]))}

    store = run(replicates=8, replicate=odd, compiled=False, cells=toy.cells[:1])
    reasons = {failure.reason.partition(":")[0] for failure in store.failures()}
    assert len(store.failures()) == 6
    assert reasons == {"InputError", "ValueError", "TypeError"}
    assert np.isnan(store.values("error", 0)).all(axis=1).sum() == 6


def test_an_input_error_inside_a_replicate_is_a_failed_row(run):
    def refused(key, prepared):
        if jax.random.uniform(key) < 0.5:
            raise InputError("D: not a matrix")
        return {"error": np.zeros(3), "rows": np.zeros(len(prepared["n"]))}

    store = run(replicates=30, replicate=refused, compiled=False)
    assert {failure.reason for failure in store.failures()} == {"InputError: D: not a matrix"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prepare": Deferred("no_such_module.x:f")}, "there is no module"),
        ({"outputs": (Output("a/b", "x"),)}, "must be letters, digits and underscores"),
        ({"measures": (Measure("bias", "error", truth="wide"),)}, "must be among those of 'error'"),
        ({"rates": (Rate("error", "law", lambda levels: 0.0),)}, "has no number for the factor 'law'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(toy, changes, says):
    cells = tuple(dataclasses.replace(c, factors={**c.factors, "law": "t"}, rates={}) for c in toy.cells)
    truths = (*toy.truths, Output("wide", "wide", ("r", "n")))
    with pytest.raises(InputError, match=says):
        dataclasses.replace(toy, cells=cells, truths=truths, **changes).design_hash()


def test_numbers_of_numpy_are_levels_and_nan_is_none(unannotated):
    assert type(Cell("one", factors={"n": np.int64(3)}).factors["n"]) is int
    with pytest.raises(InputError, match="levels are numbers or words"):
        Cell("one", factors={"n": float("nan")})


def test_a_callable_object_is_known_by_its_state(toy):
    class Scaled:
        def __init__(self, k):
            self.k = k

        def __call__(self, key, prepared):
            return toy.replicate(key, prepared)

    hashes = {dataclasses.replace(toy, replicate=Scaled(k)).design_hash() for k in (1, 2, 2)}
    assert len(hashes) == 2
    partial = functools.partial(toy.replicate)
    assert dataclasses.replace(toy, replicate=partial).design_hash() != toy.design_hash()
