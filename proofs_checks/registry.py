"""Claims are found through the entry-point group ``dkps_theory.claims``: each entry names modules with ``CLAIMS``."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from dkps_theory._validate import InputError, nearest_name
from proofs_checks.claim import Claim


@functools.cache
def all_claims() -> dict[str, Claim]:
    """Return every registered claim by id, in the order of the modules that hold them."""
    claims: dict[str, Claim] = {}
    for entry, claim, _ in _registered():
        if claim.id in claims:
            raise InputError(f"claim id {claim.id!r} is registered twice, the second time by {entry.value}")
        claims[claim.id] = claim
    return claims


def derivations() -> dict[str, str]:
    """Return, by claim id, what the module of each claim says: setting, statement, constants, derivation, readings."""
    return {claim.id: text for _, claim, text in _registered()}


@functools.cache
def _registered() -> tuple[tuple[EntryPoint, Claim, str], ...]:
    """Return every claim, with the entry that names its module before it and the text of the module after it."""
    found = []
    for entry in entry_points(group="dkps_theory.claims"):
        found += [(entry, claim, text) for claim, text in _claims_of(entry)]
    return tuple(found)


def _claims_of(entry: EntryPoint) -> list[tuple[Claim, str]]:
    """Load the claims of one entry; another package's that fails to load is reported and left out."""
    try:
        modules = [importlib.import_module(name) for name in entry.load()]
        return [(claim, module.__doc__ or "") for module in modules for claim in module.CLAIMS]
    except Exception as error:  # other people's code: whatever it raises is said in one line
        if entry.dist is None or entry.dist.name == "dkps-theory":
            raise
        print(f"warning: claims of {entry.value!r} left out: {type(error).__name__}: {error}", file=sys.stderr)
        return []


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
