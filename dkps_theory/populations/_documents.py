"""Reading plain documents (what a TOML file holds) with errors that name the key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dkps_theory._validate import InputError, finite, nearest_name, shown


def check_keys(document: dict[str, Any], required: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Refuse missing keys and unknown ones; ``kind`` is always allowed."""
    for key in required:
        if key not in document:
            raise InputError(f"{key}: missing; this kind needs {', '.join(required)}")
    known = ["kind", *required, *optional]
    for key in document:
        if key not in known:
            raise nearest_name("key", key, known)


def array_of(document: dict[str, Any], key: str) -> np.ndarray:
    """Return nested lists of numbers as an array, refusing text and booleans, which NumPy would convert silently."""
    stack = [document[key]]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, bool) or not isinstance(item, int | float):
            raise InputError(f"{key}: got {shown(item)}; it must hold numbers only")
    return finite(key, document[key])


def text_of(document: dict[str, Any], key: str) -> str:
    """Return a text value."""
    value = document[key]
    if not isinstance(value, str):
        raise InputError(f"{key}: got {shown(value)}; it must be text")
    return value
