"""What is kept of a user's responses: mean embeddings, the scatter around them, and how many there were.

Models may have answered different queries a different number of times. Everything downstream needs only, for each
model and query, the mean of the responses, their total squared deviation from it, and their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Num

from dkps_theory._types import AnyArray
from dkps_theory._validate import InputError, axes, finite, require

_TABLE_KEYS = ("model", "query", "replicate")


class ResponseSummary(eqx.Module):
    """Means, scatter and counts of embedded responses, per model and query.

    Attributes
    ----------
    means
        X (n, m, p), the mean embedding of the r_ij responses of model i to query j.
    scatter
        (n, m), sum over replicates of ||x_ijk - X_ij||^2; 0 where r_ij = 1.
    counts
        r_ij (n, m), at least 1.
    models, queries
        Names, in the order of the axes.
    """

    means: Float[Array, "n m p"]
    scatter: Float[Array, "n m"]
    counts: Float[Array, "n m"]
    models: tuple[str, ...] = eqx.field(static=True)
    queries: tuple[str, ...] = eqx.field(static=True)

    @property
    def gamma(self) -> Float[Array, "n m"] | None:
        """Unbiased estimates of gamma_ij = trace Sigma_ij: scatter / (r_ij - 1).

        None when any r_ij is 1: one response says nothing about its own variance, and a number borrowed from other
        cells would be an estimate of something else under the same name. ``scatter`` and ``counts`` are there for
        those who are willing to pool.
        """
        if bool((self.counts < 2).any()):
            return None
        return self.scatter / (self.counts - 1)

    @classmethod
    def from_array(
        cls,
        responses: Num[AnyArray, "n m r p"],
        mask: Bool[AnyArray, "n m r"] | None = None,
        models: Sequence[str] | None = None,
        queries: Sequence[str] | None = None,
    ) -> ResponseSummary:
        """Summarise responses (n, m, r, p).

        Parameters
        ----------
        responses
            Embedded responses. Entries that the mask leaves out may hold anything, NaN included.
        mask
            (n, m, r), True where there is a response; all of them by default.
        models, queries
            Names; "0", "1", ... by default.

        Raises
        ------
        InputError
            For wrong axes, NaN or infinities, a mask of another shape, a model and query without any response, or
            names that are too few, too many or repeated.

        Examples
        --------
        >>> responses = np.array([[[[0.0], [2.0]]], [[[5.0], [7.0]]]])  # n = 2, m = 1, r = 2, p = 1
        >>> summary = ResponseSummary.from_array(responses, models=["a", "b"])
        >>> summary.means.ravel().tolist(), summary.gamma.ravel().tolist()
        ([1.0, 6.0], [2.0, 2.0])
        """
        values = _real("responses", responses)
        axes("responses", values, "n m r p")
        n, m, r, _ = values.shape
        if mask is None:
            there = np.ones((n, m, r), dtype=bool)
        else:
            there = np.asarray(mask)
            if there.dtype != bool or there.shape != (n, m, r):
                raise InputError(
                    f"mask: got {there.dtype} of shape {there.shape}; it must be bool, (n, m, r) = {(n, m, r)}"
                )
        names = _names("models", models, n)
        return _assemble(names, _names("queries", queries, m), list(zip(values, there, strict=True)))

    @classmethod
    def from_mapping(
        cls, responses: Mapping[str, Num[AnyArray, "m _ p"]], queries: Sequence[str] | None = None
    ) -> ResponseSummary:
        """Summarise a mapping from model names to responses (m, r, p), where r may differ from model to model.

        Raises
        ------
        InputError
            For an empty mapping, wrong axes, models that differ in m or p, NaN or infinities, or bad names.

        Examples
        --------
        >>> summary = ResponseSummary.from_mapping({"a": np.zeros((1, 2, 3)), "b": np.ones((1, 5, 3))})
        >>> summary.models, summary.counts.ravel().tolist()
        (('a', 'b'), [2.0, 5.0])
        """
        require(len(responses) > 0, "responses: the mapping is empty; it must hold (m, r, p) for each model")
        names = _names("models", list(responses), len(responses))
        blocks: list[tuple[np.ndarray, np.ndarray]] = []
        for name, block in zip(names, responses.values(), strict=True):
            values = _real(f"responses[{name!r}]", block)
            axes(f"responses[{name!r}]", values, "m r p")
            m, r, p = values.shape
            first_m, _, first_p = blocks[0][0].shape if blocks else (m, r, p)
            if (m, p) != (first_m, first_p):
                raise InputError(
                    f"responses[{name!r}]: got m = {m}, p = {p}; every model must have those of {names[0]!r}, "
                    f"m = {first_m}, p = {first_p}"
                )
            blocks.append((values, np.ones((m, r), dtype=bool)))
        return _assemble(names, _names("queries", queries, blocks[0][0].shape[0]), blocks)

    @classmethod
    def from_table(cls, table: Any) -> ResponseSummary:
        """Summarise a long table with columns model, query, replicate, e0, e1, ...: one response a row, in any order.

        Parameters
        ----------
        table
            A mapping from column names to columns, or a data frame (pandas, polars, pyarrow): anything with column
            names and ``table[name]``. Models and queries keep the order in which they first appear; r_ij may differ.

        Raises
        ------
        InputError
            For a missing column, columns of unequal length, NaN or infinities, missing names, a (model, query,
            replicate) that appears twice, or a model that did not answer some query.

        Examples
        --------
        >>> summary = ResponseSummary.from_table(
        ...     {"model": ["a", "a", "b"], "query": ["q", "q", "q"], "replicate": [0, 1, 0], "e0": [1.0, 3.0, 5.0]}
        ... )
        >>> summary.means.ravel().tolist(), summary.counts.ravel().tolist()
        ([2.0, 5.0], [2.0, 1.0])
        """
        columns = _column_names(table)
        missing = [name for name in (*_TABLE_KEYS, "e0") if name not in columns]
        require(
            not missing, f"table: no column {', '.join(missing)}; it must have model, query, replicate, e0, e1, ..."
        )
        embedding = sorted((c for c in columns if c[:1] == "e" and c[1:].isdecimal()), key=lambda c: int(c[1:]))
        if embedding != [f"e{index}" for index in range(len(embedding))]:
            raise InputError(f"table: embedding columns {', '.join(embedding)}; they must be e0, e1, ... without a gap")
        keys = {name: np.asarray(table[name]) for name in _TABLE_KEYS}
        parts = {name: np.asarray(table[name]) for name in embedding}
        rows = {column.shape for column in (*keys.values(), *parts.values())}
        require(len(rows) == 1, "table: its columns differ in length")
        (length,) = rows.pop()
        require(length > 0, "table: it has no rows")
        values = np.stack([_finite_column(name, part) for name, part in parts.items()], axis=1)
        models, i = _codes("model", keys["model"])
        queries, j = _codes("query", keys["query"])
        _, k = _codes("replicate", keys["replicate"])
        _refuse_duplicates(np.stack([i, j, k], axis=1), keys)

        # A stable sort by cell gives every response its place along r.
        cell = i * len(queries) + j
        order = np.argsort(cell, kind="stable")
        counts = np.bincount(cell, minlength=len(models) * len(queries))
        place = np.arange(length) - np.repeat(np.cumsum(counts) - counts, counts)
        blocks: list[tuple[np.ndarray, np.ndarray]] = []
        counts = counts.reshape(len(models), len(queries))
        for model in range(len(models)):
            r = max(1, int(counts[model].max()))
            block = np.zeros((len(queries), r, len(embedding)))
            mine = i[order] == model
            block[j[order][mine], place[mine]] = values[order][mine]
            blocks.append((block, np.arange(r)[None, :] < counts[model][:, None]))
        return _assemble(models, queries, blocks)

    @classmethod
    def from_any(cls, responses: Any) -> ResponseSummary:
        """Summarise whatever the other constructors take, told apart by kind.

        A summary is returned as it is; a masked array or an array is (n, m, r, p), a masked response being one that
        is not there; a mapping or data frame with columns model and query is a long table; any other mapping goes
        from model names to (m, r, p).

        Raises
        ------
        InputError
            For sparse input, a response masked in part, and whatever the constructor in question refuses.

        Examples
        --------
        >>> ResponseSummary.from_any({"a": np.zeros((1, 2, 3)), "b": np.ones((1, 5, 3))}).means.shape
        (2, 1, 3)
        """
        if isinstance(responses, ResponseSummary):
            return responses
        # Before the mappings: one of SciPy's sparse formats is a dict.
        if type(responses).__module__.startswith("scipy.sparse"):
            raise InputError(
                "responses: a sparse matrix; sparse input is not supported, give a dense array (n, m, r, p)"
            )
        if isinstance(responses, Mapping):
            is_table = {"model", "query"} <= set(responses)
            return cls.from_table(responses) if is_table else cls.from_mapping(responses)
        if isinstance(responses, np.ma.MaskedArray):
            hidden = np.ma.getmaskarray(responses)
            axes("responses", hidden, "n m r p")
            if (hidden.any(axis=-1) != hidden.all(axis=-1)).any():
                raise InputError("responses: masked in part of an embedding; mask whole responses, all p numbers")
            return cls.from_array(np.asarray(responses.data), np.asarray(~hidden.all(axis=-1)))
        if hasattr(responses, "columns") or hasattr(responses, "column_names"):
            return cls.from_table(responses)
        values = _real("responses", responses)
        axes("responses", values, "n m r p")
        return cls.from_array(values)


def _assemble(
    models: tuple[str, ...], queries: tuple[str, ...], blocks: Sequence[tuple[np.ndarray, np.ndarray]]
) -> ResponseSummary:
    """Summarise one block ((m, r, p), (m, r) of bool) per model, model after model, so that copies stay small."""
    means, scatter, counts = [], [], []
    for model, (values, there) in zip(models, blocks, strict=True):
        here = there.sum(axis=1)
        if not here.all():
            query = queries[int(np.argmin(here))]
            raise InputError(f"responses: model {model!r} has none to query {query!r}; it needs at least one")
        finite(f"responses of model {model!r} (query, replicate, embedding)", np.where(there[:, :, None], values, 0.0))
        # Deviations from one of the responses, then from their mean: a common offset costs no digits.
        shift = np.take_along_axis(values, np.argmax(there, axis=1)[:, None, None], axis=1)
        deviations = np.where(there[:, :, None], values - shift, 0.0)
        centre = deviations.sum(axis=1) / here[:, None]
        residuals = np.where(there[:, :, None], deviations - centre[:, None, :], 0.0)
        means.append(shift[:, 0] + centre)
        scatter.append((residuals**2).sum(axis=(1, 2)))
        counts.append(here.astype(np.float64))
    stacked = (jnp.asarray(np.stack(parts)) for parts in (means, scatter, counts))
    return ResponseSummary(*stacked, models=models, queries=queries)


def _real(name: str, values: object) -> np.ndarray:
    """Return ``values`` as float64 without looking for NaN, which a mask may yet hide."""
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise InputError(f"{name}: Complex data not supported; embeddings are real numbers")
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name}: not an array of numbers ({error})") from None


def _finite_column(name: str, column: np.ndarray) -> np.ndarray:
    return finite(f"table, column {name}", _real(f"table, column {name}", column))


def _names(axis: str, given: Sequence[str] | None, size: int) -> tuple[str, ...]:
    if given is None:
        return tuple(map(str, range(size)))
    names = tuple(map(str, given))
    require(len(names) == size, f"{axis}: got {len(names)} names; there are {size}")
    require(len(set(names)) == size, f"{axis}: a name is given twice; they must differ")
    return names


def _column_names(table: Any) -> list[str]:
    """Return a table's column names; pyarrow calls them column_names, and its ``columns`` are the data."""
    if isinstance(table, Mapping):
        return list(map(str, table))
    names = getattr(table, "column_names", None)
    if names is None:
        names = getattr(table, "columns", None)
    if names is None:
        raise InputError(f"table: got {type(table).__name__}; it must be a mapping of columns or a data frame")
    return list(map(str, names))


def _codes(kind: str, labels: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the distinct labels in order of first appearance, and the place of each row's label among them."""
    known: dict[str, int] = {}
    codes = np.empty(len(labels), dtype=np.int64)
    for row, label in enumerate(labels.tolist()):
        if _is_missing(label):
            raise InputError(f"table: row {row} has no {kind}")
        codes[row] = known.setdefault(str(label), len(known))
    return tuple(known), codes


def _is_missing(label: Any) -> bool:
    """Whether a data frame says that there is no label: None, NaN or NaT (which differ from themselves), pandas' NA."""
    return label is None or type(label).__name__ == "NAType" or bool(label != label)  # noqa: PLR0124


def _refuse_duplicates(cells: np.ndarray, keys: Mapping[str, np.ndarray]) -> None:
    _, first, counts = np.unique(cells, axis=0, return_index=True, return_counts=True)
    if counts.max() > 1:
        row = int(first[np.argmax(counts > 1)])
        what = ", ".join(f"{name} {keys[name].tolist()[row]!r}" for name in _TABLE_KEYS)
        raise InputError(f"table: {what} appears more than once; each response must have one row")
