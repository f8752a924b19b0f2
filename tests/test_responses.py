"""The four kinds of responses agree with the loop and with one another, and each malformed one is one clear line."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from dkps_theory._validate import InputError
from dkps_theory.responses import ResponseSummary
from tests import reference

RNG = np.random.default_rng(4)
RESPONSES = RNG.normal(size=(3, 2, 4, 2))
MASK = RNG.random((3, 2, 4)) < 0.6
MASK[:, :, 2:] = True  # at least two responses everywhere


def long_table(responses=RESPONSES, mask=MASK):
    """The long table of what the mask leaves, rows shuffled but models and queries first met in order."""
    i, j, k = np.nonzero(mask)
    order = np.concatenate([[0], 1 + np.random.default_rng(0).permutation(len(i) - 1)])
    first = np.sort(np.unique(i * 2 + j, return_index=True)[1])
    order = np.concatenate([first, [row for row in order if row not in set(first.tolist())]]).astype(int)
    table = {"model": [f"model {a}" for a in i[order]], "query": [f"query {b}" for b in j[order]]}
    table["replicate"] = k[order].tolist()
    for a in range(responses.shape[-1]):
        table[f"e{a}"] = responses[i, j, k, a][order]
    return table


def check(summary, responses=RESPONSES, mask=MASK):
    n, m = responses.shape[:2]
    cells = [[responses[i, j, mask[i, j]].tolist() for j in range(m)] for i in range(n)]
    np.testing.assert_allclose(summary.means, reference.mean_embeddings(cells), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(summary.counts, mask.sum(axis=-1))
    np.testing.assert_allclose(summary.scatter, [[reference.scatter(c) for c in row] for row in cells], rtol=1e-12)
    if (mask.sum(axis=-1) > 1).all():
        expected = [[reference.gamma_estimate(c) for c in row] for row in cells]
        np.testing.assert_allclose(summary.gamma, expected, rtol=1e-12)


def test_arrays_equal_the_loop():
    check(ResponseSummary.from_array(RESPONSES), mask=np.ones((3, 2, 4), dtype=bool))
    check(ResponseSummary.from_any(jnp.asarray(RESPONSES)), mask=np.ones((3, 2, 4), dtype=bool))
    check(ResponseSummary.from_any(RESPONSES.tolist()), mask=np.ones((3, 2, 4), dtype=bool))


@pytest.mark.parametrize("hidden", [0.0, np.nan, np.inf, 1e300])
def test_what_a_mask_hides_is_never_looked_at(hidden):
    responses = np.where(MASK[..., None], RESPONSES, hidden)
    check(ResponseSummary.from_array(responses, MASK))
    masked = np.ma.MaskedArray(responses, mask=np.broadcast_to(~MASK[..., None], responses.shape))
    check(ResponseSummary.from_any(masked))


def test_mappings_take_another_number_of_replicates_for_each_model():
    mask = np.zeros((3, 2, 4), dtype=bool)
    for i, r in enumerate([2, 4, 3]):
        mask[i, :, :r] = True
    summary = ResponseSummary.from_any({name: RESPONSES[i, :, : mask[i, 0].sum()] for i, name in enumerate("abc")})
    check(summary, mask=mask)
    assert summary.models == ("a", "b", "c")
    assert summary.queries == ("0", "1")


@pytest.mark.parametrize("kind", [dict, pd.DataFrame, "pyarrow"])
def test_long_tables_of_any_kind_and_order(kind):
    table = long_table()
    if kind == "pyarrow":  # the two things that such a table has: names, and columns by name
        columns = SimpleNamespace(table=table)
        given = type("Table", (), {"column_names": list(table), "__getitem__": lambda _, name: columns.table[name]})()
    else:
        given = kind(table)
    summary = ResponseSummary.from_any(given)
    check(summary)
    assert summary.models == ("model 0", "model 1", "model 2")
    assert summary.queries == ("query 0", "query 1")


def test_summaries_pass_through():
    summary = ResponseSummary.from_array(RESPONSES)
    assert ResponseSummary.from_any(summary) is summary


def test_gamma_is_none_where_one_response_cannot_tell_it():
    assert ResponseSummary.from_array(RESPONSES[:, :, :1]).gamma is None
    mask = np.ones((3, 2, 4), dtype=bool)
    mask[1, 0, 1:] = False
    summary = ResponseSummary.from_array(RESPONSES, mask)
    check(summary, mask=mask)
    assert summary.gamma is None
    assert float(summary.scatter[1, 0]) == 0.0


def test_a_large_common_offset_costs_no_digits():
    small = RNG.integers(-8, 9, size=(1, 1, 5, 1)) / 4
    summary = ResponseSummary.from_array(1e9 + small)
    exact = [[Fraction(value) for value in row] for row in small[0, 0].tolist()]
    assert float(summary.gamma[0, 0]) == pytest.approx(float(reference.gamma_estimate(exact)), rel=1e-13)


def test_gamma_is_unbiased_exactly_over_a_coin():
    # Two fair draws from {0, 1}: gamma is 1/4, its estimates are 0, 1/2, 1/2, 0.
    pairs = [ResponseSummary.from_array(np.array([[[[float(a)], [float(b)]]]])) for a in (0, 1) for b in (0, 1)]
    assert sum(float(pair.gamma[0, 0]) for pair in pairs) / 4 == 0.25


def spoil(column, row, value):
    table = long_table()
    table[column] = list(table[column])
    table[column][row] = value
    return table


def without(*names):
    return {name: column for name, column in long_table().items() if name not in names}


def nan_in_model_one():
    responses = RESPONSES.copy()
    responses[1, 0, 3, 1] = np.nan
    return responses


EMPTY_CELL = MASK.copy()
EMPTY_CELL[2, 1] = False
TWICE = {name: [*column, column[3]] for name, column in long_table().items()}
MISSING_CELL = {
    name: [value for value, model, query in zip(column, long_table()["model"], long_table()["query"], strict=True)
           if (model, query) != ("model 1", "query 1")]
    for name, column in long_table().items()
}  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RESPONSES[0], r"responses: got 3 axes \(2, 4, 2\); it must have 4, \(n, m, r, p\)"),
        (lambda: RESPONSES[:, :, :0], r"axis r is empty"),
        (nan_in_model_one, r"model '1' \(query, replicate, embedding\): 1 value not finite, the first at \[0, 3, 1\]"),
        (lambda: RESPONSES * 1j, "Complex data not supported"),
        (lambda: np.full((2, 1, 1, 1), "text"), "not an array of numbers"),
        (lambda: [[1.0], [1.0, 2.0]], "not an array of numbers"),
        (lambda: [[[[10**400]]]], "not an array of numbers"),
        (lambda: scipy.sparse.csr_array(np.eye(3)), "sparse input is not supported"),
        (lambda: scipy.sparse.dok_array(np.eye(3)), "sparse input is not supported"),
        (lambda: np.ma.MaskedArray(RESPONSES, mask=RESPONSES > 1.0), "masked in part of an embedding"),
        (dict, "the mapping is empty"),
        (lambda: {"a": RESPONSES[0], "b": RESPONSES[1, :1]}, r"responses\['b'\]: got m = 1, p = 2; .* m = 2, p = 2"),
        (lambda: {"a": RESPONSES[0], "b": RESPONSES}, r"responses\['b'\]: got 4 axes .* \(m, r, p\)"),
        (lambda: {1: RESPONSES[0], "1": RESPONSES[1]}, "models: a name is given twice"),
        (lambda: without("replicate"), "table: no column replicate"),
        (lambda: without("e0"), "table: no column e0"),
        (lambda: {**long_table(), "e3": long_table()["e0"]}, "e0, e1, e3; they must be e0, e1, ... without a gap"),
        (lambda: {**long_table(), "e0": [1.0]}, "its columns differ in length"),
        (lambda: {name: [] for name in long_table()}, "it has no rows"),
        (lambda: spoil("e1", 3, np.nan), r"table, column e1: 1 value not finite, the first at \[3\]"),
        (lambda: spoil("e1", 3, "x"), r"table, column e1: not an array of numbers"),
        (lambda: spoil("model", 2, None), "table: row 2 has no model"),
        (lambda: pd.DataFrame(spoil("query", 2, pd.NA)), "table: row 2 has no query"),
        (lambda: pd.DataFrame(spoil("replicate", 2, np.nan)), "table: row 2 has no replicate"),
        (lambda: TWICE, r"table: model 'model \d', query 'query \d', replicate \d appears more than once"),
        (lambda: MISSING_CELL, "model 'model 1' has none to query 'query 1'; it needs at least one"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_what_cannot_be_read_is_refused_in_one_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        ResponseSummary.from_any(call())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ResponseSummary.from_array(RESPONSES, EMPTY_CELL), "model '2' has none to query '1'"),
        (lambda: ResponseSummary.from_array(RESPONSES, MASK[:, :, 1:]), r"mask: got bool of shape \(3, 2, 3\)"),
        (lambda: ResponseSummary.from_array(RESPONSES, 1 * MASK), "mask: got int64"),
        (lambda: ResponseSummary.from_array(RESPONSES, models=["a"]), "models: got 1 names; there are 3"),
        (lambda: ResponseSummary.from_array(RESPONSES, queries=["a", "a"]), "queries: a name is given twice"),
        (lambda: ResponseSummary.from_table(3), "table: got int; it must be a mapping of columns or a data frame"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_bad_arguments_are_refused_in_one_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
