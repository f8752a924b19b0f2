"""Claims are found through the entry-point group ``dkps_theory.claims``: each entry names modules with ``CLAIMS``."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

from dkps_theory._validate import InputError, nearest_name
from proofs_checks.claim import Claim


@functools.cache
def all_claims() -> dict[str, Claim]:
    """Return every registered claim by id, in the order of the modules that hold them."""
    claims: dict[str, Claim] = {}
    for entry in entry_points(group="dkps_theory.claims"):
        for claim in _claims_of(entry):
            if claim.id in claims:
                raise InputError(f"claim id {claim.id!r} is registered twice, the second time by {entry.value}")
            claims[claim.id] = claim
    return claims


def _claims_of(entry: Any) -> list[Claim]:
    """Load the claims of one entry; another package's that fails to load is reported and left out."""
    try:
        return [claim for name in entry.load() for claim in importlib.import_module(name).CLAIMS]
    except Exception as error:  # other people's code: whatever it raises is said in one line
        if entry.dist is None or entry.dist.name == "dkps-theory":
            raise
        print(f"warning: claims of {entry.value!r} left out: {type(error).__name__}: {error}", file=sys.stderr)
        return []


@functools.cache
def derivations() -> dict[str, str]:
    """Return, by claim id, what the module of each claim says: setting, statement, constants, derivation, readings."""
    texts: dict[str, str] = {}
    for entry in entry_points(group="dkps_theory.claims"):
        if any(claim.id in all_claims() for claim in _claims_of(entry)):
            modules = [importlib.import_module(name) for name in entry.load()]
            texts.update({claim.id: module.__doc__ or "" for module in modules for claim in module.CLAIMS})
    return texts


def find(claim_id: str) -> Claim:
    """Return one claim by id."""
    claims = all_claims()
    if claim_id not in claims:
        raise nearest_name("claim", claim_id, claims)
    return claims[claim_id]


def select(patterns: Sequence[str]) -> list[Claim]:
    """Return the claims that match ids or globs, all of them when there are none, in registry order."""
    claims = all_claims()
    if not patterns:
        return list(claims.values())
    chosen: set[str] = set()
    for pattern in patterns:
        matches = fnmatch.filter(claims, pattern)
        if not matches:
            raise nearest_name("claim", pattern, claims)
        chosen.update(matches)
    return [claim for claim_id, claim in claims.items() if claim_id in chosen]
