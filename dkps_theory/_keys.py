"""Keys: what the draws of a replicate depend on, and nothing else.

Folding words into a key is integer arithmetic, so this leaf does not need double precision and does not switch it on:
the pytest plugin takes its keys from here inside suites that are not ours.
"""

from __future__ import annotations

import hashlib
from typing import TypeGuard

import jax
import jax.numpy as jnp
import numpy as np

from dkps_theory._validate import InputError, shown, whole_number

#: The generator behind every key of the package; results are stated for it.
IMPLEMENTATION = "threefry2x32"

_WORD = 2.0**32 - 1.0


@jax.jit
def _fold_words(key: jax.Array, words: jax.Array) -> jax.Array:
    """Fold the words into the key, one after the other."""
    return jax.lax.scan(lambda folded, word: (jax.random.fold_in(folded, word), None), key, words)[0]


@jax.jit
def _fold_each(key: jax.Array, words: jax.Array) -> jax.Array:
    """Fold each word into a copy of the key."""
    return jax.vmap(lambda word: jax.random.fold_in(key, word))(words)


def _cell_key(seed: int, name: str, cell: int) -> jax.Array:
    """Return the key that all replicates of one cell start from."""
    seed = whole_number("seed", seed, 0, _WORD)
    digest = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype=">u4")
    words = np.append(digest.astype(np.uint32), np.uint32(whole_number("cell", cell, 0, _WORD)))
    return _fold_words(jax.random.key(seed, impl=IMPLEMENTATION), words)


def are_keys(value: object) -> TypeGuard[jax.Array]:
    """Tell whether ``value`` is a typed key or an array of them."""
    return isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)


def checked_key(key: object) -> jax.Array:
    """Return one typed key, concrete or traced: a look at its type and shape, which costs nothing under jit or vmap.

    Raises
    ------
    InputError
        For a number, None, the older untyped key of ``jax.random.PRNGKey``, or an array of several keys.
    """
    if are_keys(key) and not key.ndim:
        return key
    got = f"{key.dtype} of shape {key.shape}" if isinstance(key, jax.Array | np.ndarray) else shown(key)
    raise InputError(f"key: got {got}; it must be one typed key, as from jax.random.key(seed)")


def study_key(seed: int, name: str, cell: int = 0, replicate: int = 0) -> jax.Array:
    """Return the key of one replicate of one cell of a study, claim or test.

    Parameters
    ----------
    seed, cell, replicate
        Whole numbers from 0 to 2^32 - 1.
    name
        The id of the study, claim or test; its SHA-256 is folded in as eight words of 32 bits, then the cell, then the
        replicate.

    Returns
    -------
    A typed threefry2x32 key. Two replicates of one cell never share a key (folding is a bijection of the last word);
    elsewhere two keys agree with probability 2^-64.

    Raises
    ------
    InputError
        When a number is not whole or out of range.

    Examples
    --------
    >>> jax.random.key_data(study_key(0, "bound-sharpness", cell=2, replicate=7)).shape
    (2,)
    """
    word = np.asarray([whole_number("replicate", replicate, 0, _WORD)], dtype=np.uint32)
    return _fold_each(_cell_key(seed, name, cell), word)[0]


def replicate_keys(seed: int, name: str, cell: int, start: int, count: int) -> jax.Array:
    """Return the keys of ``count`` replicates from ``start`` on: entry t is ``study_key(seed, name, cell, start + t)``.

    Examples
    --------
    >>> replicate_keys(0, "bound-sharpness", cell=2, start=0, count=5).shape
    (5,)
    """
    start = whole_number("start", start, 0, _WORD)
    count = whole_number("count", count, 1, _WORD + 1.0 - start)
    words = (start + np.arange(count, dtype=np.uint64)).astype(np.uint32)
    return _fold_each(_cell_key(seed, name, cell), words)
