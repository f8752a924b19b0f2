"""Population files: every digit survives, and every defect is named with the file and the key."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import jax
import numpy as np
import pytest
import tomli_w

from dkps_theory._validate import InputError
from dkps_theory.populations import (
    AutoregressiveReplicates,
    Categorical,
    Design,
    GaussianMixture,
    HeavyTailed,
    RandomEffects,
    SharedPrompts,
    bernoulli,
    files,
    population_from_document,
    read_population,
    write_population,
)

DATA = Path(__file__).parents[1] / "data"


def mixture(kind):
    rng = np.random.default_rng(0)
    shape = {"spherical": (2, 2, 2), "diagonal": (2, 2, 2, 3), "full": (2, 2, 2, 3, 3)}[kind]
    spreads = rng.uniform(0.1, 1, shape) * 10.0 ** rng.integers(-20, 20, shape)
    if kind == "full":
        factor = rng.normal(size=shape)
        spreads = factor @ np.swapaxes(factor, -1, -2)
    weights = rng.dirichlet(np.ones(2), (2, 2))
    return GaussianMixture(weights, rng.normal(size=(2, 2, 2, 3)) / 3, spreads, kind)


MEANS = np.random.default_rng(1).normal(size=(2, 3, 2)) / 3
THIRDS = np.arange(6.0).reshape(2, 3) / 3


@pytest.mark.parametrize(
    "population",
    [
        mixture("spherical"),
        mixture("diagonal"),
        mixture("full"),
        bernoulli([[1e-9, 0.1]]),
        HeavyTailed(MEANS, THIRDS + 1e-20, alpha=1 + 1 / 3),
        AutoregressiveReplicates(MEANS, THIRDS, rho=-1 + 2.0**-50),
        SharedPrompts(MEANS, THIRDS, shared=[0.1, 0.0, 1e300]),
        RandomEffects(MEANS, THIRDS, effect=0.1),
    ],
    ids=lambda population: type(population).__name__,
)
def test_round_trip_is_exact(population, tmp_path):
    path = tmp_path / "population.toml"
    write_population(population, path)
    again = read_population(path)
    assert type(again) is type(population)
    for before, after in zip(jax.tree.leaves(population), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(before, after)
    assert again.to_document() == population.to_document()
    assert [file.name for file in tmp_path.iterdir()] == ["population.toml"]


def test_design_files(tmp_path):
    path = tmp_path / "design.toml"
    design = Design(n=4, m=2, p=2, spectrum=(1.0, 0.25), gamma=((0.1, 0.2),) * 4, seed=3, coincident=((0, 1),))
    write_population(design, path)
    np.testing.assert_array_equal(read_population(path).component_means, design.population().component_means)
    np.testing.assert_allclose(read_population(path).gamma, [[0.1, 0.2]] * 4)
    assert Design.from_document(tomllib.loads(path.read_text())).to_document() == design.to_document()


def test_example_files():
    recipe = read_population(DATA / "design.toml")
    assert isinstance(recipe, GaussianMixture)
    assert recipe.shape == (12, 30, 8)
    assert bool((recipe.mean[0] == recipe.mean[1]).all())
    answers = read_population(DATA / "categorical.toml")
    assert isinstance(answers, Categorical)
    assert answers.shape == (3, 2, 2)


CATEGORICAL = {"kind": "categorical", "probabilities": [[[0.5, 0.5]]], "table": [[0.0], [1.0]]}
HEAVY = {"kind": "heavy-tailed", "means": [[[0.0]]], "scale": 1, "alpha": 1.5}
DESIGN = {"kind": "design", "n": 4, "m": 2, "p": 2, "spectrum": [1.0], "gamma": 0.1, "seed": 0}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "kind: missing; it must be text, one of gaussian-mixture, categorical, design"),
        ({"kind": 3}, "kind: got 3"),
        ({"kind": "categoric"}, "unknown kind 'categoric'; did you mean 'categorical'"),
        ({"kind": "categorical", "table": [[0.0]]}, "probabilities: missing; this kind needs probabilities, table"),
        ({**CATEGORICAL, "tabel": 1}, "unknown key 'tabel'; did you mean 'table'"),
        ({**CATEGORICAL, "table": [[0.0], ["1"]]}, "table: got '1'; it must hold numbers only"),
        ({**CATEGORICAL, "table": [[0.0], [True]]}, "table: got True"),
        ({**CATEGORICAL, "table": [[0.0], [1.0, 2.0]]}, "table: not an array of numbers"),
        ({**CATEGORICAL, "table": [[0.0], [float("nan")]]}, "table: 1 value not finite"),
        ({**CATEGORICAL, "probabilities": [[[0.5, 0.4]]]}, "probabilities: sum to 0.9 at model 0, query 0"),
        ({"kind": "gaussian-mixture", "weights": [[[1.0]]]}, "component_means: missing"),
        ({**HEAVY, "alpha": 2}, "alpha: got 2; it must lie strictly between 1 and 2"),
        ({**HEAVY, "alpha": True}, "alpha: got True; it must hold numbers only"),
        ({**HEAVY, "scale": [[1.0, 1.0]]}, r"scale: got shape \(1, 2\); it must be one number or \(1, 1\) numbers"),
        (
            {"kind": "random-effects", "means": [[[0.0]]], "own": 1.0},
            "effect: missing; this kind needs means, own, eff",
        ),
        ({"kind": "shared-prompts", "means": [[[0.0]]], "own": 1, "shared": -1}, "shared: got -1; it must be at least"),
        ({"kind": "autoregressive-replicates", "means": [[[0.0]]], "gamma": 1, "rho": 1}, "rho: got 1; it must lie"),
        ({**DESIGN, "n": 1}, "n .models.: got 1 with a spectrum of length 1"),
        ({**DESIGN, "n": 2.5}, "n: got 2.5; it must be a whole number"),
        ({**DESIGN, "spectrum": "1"}, "spectrum: got '1'"),
        ({**DESIGN, "between": [0.1]}, "between: got .* must be one number"),
        ({**DESIGN, "between": 0.1}, "between: got 0.1"),
        ({**DESIGN, "coincident": [0, 1]}, "coincident: got .* list of lists"),
        ({**DESIGN, "coincident": [[0, 7]]}, "groups: got 7"),
        ({**DESIGN, "covariance_type": 1}, "covariance_type: got 1; it must be text"),
        ({**DESIGN, "normalisation": "n"}, "normalisation: got 'n'"),
        ({**DESIGN, "seed": -1}, "seed: got -1"),
    ],
)
def test_defects_are_named(document, message, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(tomli_w.dumps(document))
    with pytest.raises(InputError, match=message) as caught:
        read_population(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("kind = ")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, message in (
        (bad, "not a TOML file"),
        (binary, "not a TOML file"),
        (tmp_path / "no.toml", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            read_population(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_population(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "categorical"\ntable = ' + "[" * 100_000 + "]" * 100_000, "nested too deeply|not a TOML file"),
        ("kind = " + "[" * 100 + "]" * 100, "kind: got"),
        ("kind = " + "9" * 5000, "not a TOML file"),
        ('kind = "categorical"\nprobabilities = [[[1]]]\ntable = [[' + "9" * 400 + "]]", "table: holds .* too large"),
        (
            'kind = "design"\nn = ' + "9" * 400 + "\nm = 1\np = 1\nspectrum = [1]\ngamma = 0\nseed = 0",
            "n: got more than",
        ),
    ],
    ids=["deep array", "deep kind", "endless number", "large entry", "large n"],
)
def test_absurd_files_are_one_line(text, message, tmp_path):
    path = tmp_path / "absurd.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_population(path)
    assert "\n" not in str(caught.value)


def test_absurd_documents_are_one_line():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for document in ({"kind": deep}, {**CATEGORICAL, "table": deep}, {**DESIGN, "covariance_type": deep}):
        with pytest.raises(InputError) as caught:
            population_from_document(document)
        assert len(str(caught.value)) < 500


def test_a_path_with_nul_is_no_path():
    with pytest.raises(InputError, match="not a path, it holds a NUL"):
        read_population("coin\0.toml")
    with pytest.raises(InputError, match="not a path, it holds a NUL"):
        write_population(bernoulli([[0.5]]), "coin\0.toml")


def test_unwritable_files(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_population(bernoulli([[0.5]]), tmp_path / "no" / "coin.toml")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_population(bernoulli([[0.5]]), tmp_path / "folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


class Coin:
    """A kind from another package."""

    @classmethod
    def from_document(cls, document):
        return bernoulli([[document["p"]]])


def test_kinds_of_other_packages(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "another_package", sys.modules[__name__])
    point = EntryPoint(name="coin", value="another_package:Coin", group=files.GROUP)
    monkeypatch.setattr(files, "entry_points", lambda group: [point] if group == files.GROUP else [])
    path = tmp_path / "coin.toml"
    path.write_text('kind = "coin"\np = 0.25')
    np.testing.assert_allclose(read_population(path).mean, [[[0.25]]])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package:Coin", r"cannot be loaded \(ModuleNotFoundError: "),
        ("another_package:NoSuchCoin", r"cannot be loaded \(AttributeError: "),
        ("another_package:DATA", "which has no from_document"),
    ],
)
def test_a_broken_kind_is_one_line_and_the_built_in_ones_stay(value, reason, monkeypatch):
    monkeypatch.setitem(sys.modules, "another_package", sys.modules[__name__])
    point = EntryPoint(name="coin", value=value, group=files.GROUP)
    monkeypatch.setattr(files, "entry_points", lambda group: [point])
    with pytest.raises(InputError, match=f"kind: 'coin' is of '{value}', which .*") as caught:
        population_from_document({"kind": "coin", "p": 0.25})
    assert re.search(reason, str(caught.value))
    assert "\n" not in str(caught.value)
    assert population_from_document(CATEGORICAL).shape == (1, 1, 1)
    with pytest.raises(InputError, match=r"one of gaussian-mixture, categorical, design, .*, random-effects, coin"):
        population_from_document({})
