"""What a claim is, what evidence says, and how evidence becomes a verdict. Light: no JAX, no NumPy.

A check is one function run twice: on its subject, and on a broken twin of that subject (a bound shrunk, a hypothesis
dropped, a rate halved). A check whose outcome is the same on both has no teeth and decides nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

Verdict = Literal["holds", "refuted", "vacuous", "undetermined"]
Kind = Literal["symbolic", "certified", "search", "monte-carlo"]
Relation = Literal["equal", "upper", "lower", "rate", "coverage"]
Form = Literal["as-printed", "repaired", "reconstructed", "own"]
Budget = Literal["quick", "full"]

#: Kinds of evidence, strongest first.
STRENGTH: tuple[Kind, ...] = ("symbolic", "certified", "search", "monte-carlo")
#: A Monte Carlo refutation must be wrong with at most this probability.
FALSE_REFUTATION = 1e-9
#: Monte Carlo support must notice its named violation with at least this probability.
POWER = 0.99


class Outcome(enum.Enum):
    """What one run of a check says about the claim."""

    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    VACATES = "leaves nothing that meets the hypotheses and makes the conclusion non-trivial"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Evidence:
    """What one run of a check found.

    Attributes
    ----------
    outcome
        What it says about the claim.
    observed, claimed, relation
        The measured number, the claimed one, and how they should compare.
    slack
        claimed / observed for an upper bound (1000 is a bound a thousand times too large), observed / claimed for a
        lower one; None where there is none.
    se, n
        Standard error of ``observed`` and the sample or case count behind it.
    alpha
        Probability of contradicting a true claim; 0 for exact evidence.
    power, detectable
        Probability of noticing the named violation, and that violation in words.
    detail
        One line for a reader.
    """

    kind: Kind
    outcome: Outcome
    observed: float
    claimed: float
    relation: Relation
    detail: str
    slack: float | None = None
    se: float | None = None
    n: int | None = None
    alpha: float = 0.0
    power: float | None = None
    detectable: str | None = None
    teeth: bool | None = None


@dataclass(frozen=True)
class Setting:
    """What a check may depend on: the seed, the budget, and a name of its own to draw keys under.

    ``patience`` multiplies the number of cases that a search may try: where a violation is there to be found, as on a
    broken twin, the search ends with it, so that room to find it costs nothing.
    """

    seed: int
    budget: Budget
    name: str = ""
    patience: int = 1

    def named(self, name: str) -> Setting:
        """Return the same setting under a name, so that adding a check changes no other check's draws."""
        return replace(self, name=name)

    def key(self, part: str = "") -> Any:
        """Return a typed JAX key of this check's own."""
        from dkps_theory import monte_carlo

        return monte_carlo.study_key(self.seed, f"{self.name}/{part}")

    def integer_seed(self, part: str = "") -> int:
        """Return a 64-bit seed of this check's own for generators outside JAX."""
        import hashlib

        return int.from_bytes(hashlib.sha256(f"{self.seed}/{self.name}/{part}".encode()).digest()[:8])

    def size(self, quick: int, full: int) -> int:
        """Return a sample size by budget."""
        return quick if self.budget == "quick" else full


@dataclass(frozen=True)
class Check:
    """One function, its subject, and the broken twin on which it must come out otherwise.

    Attributes
    ----------
    name
        Unique within the claim.
    judge
        ``judge(subject, setting) -> Evidence``.
    subject, broken
        What is judged, and its broken twin: the same kind of object with one error planted.
    broken_by
        The planted error in words.
    """

    name: str
    judge: Callable[[Any, Setting], Evidence]
    subject: Any
    broken: Any
    broken_by: str


@dataclass(frozen=True)
class Hypothesis:
    """A hypothesis in words and as a predicate on the witness."""

    text: str
    predicate: Callable[[Any], bool]


@dataclass(frozen=True)
class Witness:
    """Something that meets all hypotheses at once and makes the conclusion non-trivial."""

    text: str
    build: Callable[[], Any]
    nontrivial: Callable[[Any], bool]


@dataclass(frozen=True)
class Drawing:
    """A figure for the page: a function that makes it, and a caption that says what to see."""

    draw: Callable[[], Any]
    caption: str


@dataclass(frozen=True)
class Claim:
    """A statement with its hypotheses, its witness, its checks and the verdict recorded for it.

    A claim that is vacuous in the class its source speaks of has no witness; ``no_witness`` says why there can be none,
    and a check of its own must show it. ``repair`` names the claim that is true instead, of a vacuous one the reading
    that has content.
    """

    id: str
    title: str
    source: str
    form: Form
    reading: str
    statement: str
    hypotheses: tuple[Hypothesis, ...]
    witness: Witness | None
    checks: tuple[Check, ...]
    recorded: Verdict
    repair: str | None = None
    no_repair: str | None = None
    no_witness: str | None = None
    drawings: tuple[Drawing, ...] = ()

    def __post_init__(self) -> None:
        if not self.checks:
            raise ValueError(f"claim {self.id}: no checks, so nothing could ever be found")
        names = [check.name for check in self.checks]
        if len(set(names)) < len(names):
            raise ValueError(f"claim {self.id}: two checks share a name, and so their keys; names must be unique")
        if self.recorded == "refuted" and not (self.repair or self.no_repair):
            raise ValueError(f"claim {self.id}: a refuted claim names its repair, or says why none is known")
        if (self.witness is None) != bool(self.no_witness):
            raise ValueError(f"claim {self.id}: it has a witness, or says in no_witness why there can be none")


@dataclass(frozen=True)
class Judgement:
    """What was found for one claim in one run."""

    claim: Claim
    found: Verdict
    evidence: tuple[Evidence, ...]
    reasons: tuple[str, ...]
    seconds: float

    @property
    def mismatch(self) -> bool:
        """Whether what was found differs from what is recorded."""
        return self.found != self.claim.recorded
