"""How claims about G25's process are checked: decompositions of entropies, and searches over the worlds of a kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from proofs_checks.claim import Check, Evidence, Hypothesis, Outcome, Relation, Setting
from proofs_checks.claims._g25 import ANY, Kind, tried
from proofs_checks.claims._g25_entropies import Combination, Decomposition, entropy, information
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.symbolic import identity

#: A combination of at most 30 entropies, each a sum of at most 4^7 terms p log p that total at most 10 nats, is off by
#: less than 30 * 4^7 * 10 * 2^-53 < 6e-10.
ROUNDING = 1e-9
#: How many worlds more are looked at for a smaller one that violates, too.
SIMPLER = 20
#: How many atoms of a world are shown.
ATOMS = 8
#: What can be evaluated on a world, in nats.
Quantity = Combination | Callable[[Any], float]


@dataclass(frozen=True)
class Bounded:
    """A decomposition, and the kind of worlds in which its terms are what it says.

    ``when`` is a further hypothesis on the world.
    """

    proof: Decomposition
    kind: Kind = ANY
    when: Callable[[Any], bool] = lambda _: True


@dataclass(frozen=True)
class Agreeing:
    """Two ways to one number, combinations of entropies or functions of the world, and the kind of worlds."""

    says: str
    left: Quantity
    right: Quantity
    kind: Kind = ANY


def value(quantity: Quantity, world: Any) -> float:
    """Evaluate on a world, in nats."""
    return quantity.nats(world.law.entropy) if isinstance(quantity, Combination) else float(quantity(world))


def bounded(subject: Bounded, setting: Setting) -> Evidence:
    """Search the worlds of the kind for one in which the smaller side exceeds the larger; the tightest is shown."""
    proof, found = subject.proof, (-math.inf, -math.inf, math.nan)

    def judged(world: Any) -> tuple[float, float, bool]:
        nonlocal found
        smaller, larger = value(proof.smaller, world), value(proof.larger, world)
        # Of worlds where the bound is attained the one with most at stake is shown.
        found = max(found, (round(smaller - larger, 9), smaller, larger))
        return smaller, larger, not smaller - larger <= ROUNDING

    count, violation = simplest(filter(subject.when, tried(subject.kind, setting)), judged)
    if violation:
        smaller, larger, world = violation
        detail = f"{proof.says}; violated by {described(world, proof.smaller, proof.larger)}"
        return Evidence("search", Outcome.CONTRADICTS, smaller, larger, "upper", detail, n=count)
    if not count:
        return Evidence(
            "search", Outcome.INCONCLUSIVE, math.nan, math.nan, "upper", f"no world tried: {proof.says}", n=0
        )
    _, smaller, larger = found
    slack = larger / smaller if smaller > ROUNDING else None
    return Evidence("search", Outcome.SUPPORTS, smaller, larger, "upper", proof.says, slack=slack, n=count)


def simplest(
    worlds: Iterable[Any], judged: Callable[[Any], tuple[float, float, bool]]
) -> tuple[int, tuple[float, float, Any] | None]:
    """Return how many worlds were tried, and of those that violate the one with the fewest atoms.

    After the first that violates, at most ``SIMPLER`` more are tried.
    """
    count, last, found = 0, math.inf, None
    for world in worlds:
        count += 1
        observed, claimed, violates = judged(world)
        if violates:
            last = min(last, count + SIMPLER)
            if found is None or len(world.law.codes) < len(found[2].law.codes):
                found = observed, claimed, world
        if count >= last:
            break
    return count, found


def agreeing(subject: Agreeing, setting: Setting) -> Evidence:
    """Search the worlds of the kind for one in which the two ways part."""
    worst = 0.0

    def judged(world: Any) -> tuple[float, float, bool]:
        nonlocal worst
        found = abs(value(subject.left, world) - value(subject.right, world))
        worst = max(worst, found)
        return found, 0.0, not found <= ROUNDING

    count, violation = simplest(tried(subject.kind, setting), judged)
    if violation:
        found, _, world = violation
        detail = f"{subject.says}; not so in {described(world, subject.left, subject.right)}"
        return Evidence("search", Outcome.CONTRADICTS, found, 0.0, "equal", detail, n=count)
    return Evidence("search", Outcome.SUPPORTS, worst, 0.0, "equal", subject.says, n=count)


def proved(subject: Bounded, broken_by: str, *, dropped: int = 0, **broken: Any) -> tuple[Check, Check]:
    """Return the two checks of a decomposition: the identity, and the search with its twin ``broken``.

    ``broken`` replaces parts of the subject for the search; the identity's twin leaves one term of the sum out.
    """
    proof = subject.proof
    twin = replace(subject, **broken)
    name = "a term that vanishes" if dropped < len(proof.vanishing) else "a term"
    return (
        Check("proof", identity, proof.sides(), proof.sides(dropped=dropped), f"{name} left out of the sum"),
        Check("worlds", bounded, subject, twin, broken_by),
    )


def stored(
    name: str,
    certificate: str,
    observed: Combination | tuple[Any, ...] | str,
    claimed: Combination | tuple[Any, ...] | str,
    *,
    broken: dict[str, Any],
    broken_by: str,
    relation: Relation = "upper",
    judge: Callable[[Stored, Setting], Evidence] = counterexample,
) -> Check:
    """Return the check of a stored certificate; combinations are in bits, under its column P."""
    parts = [part.bits("P") if isinstance(part, Combination) else part for part in (observed, claimed)]
    subject = Stored(certificate, parts[0], parts[1], relation)
    return Check(name, judge, subject, replace(subject, replaced=broken), broken_by)


def mean_of(column: Any) -> tuple[Any, ...]:
    """Return the mean of a column for the checker."""
    return ("entry", ("matmul", ("T", "P"), column), "0", "0")


def squared_risk(prediction: str) -> tuple[Any, ...]:
    """Return for the checker the mean squared distance of a column and a fresh letter, uniform on the two of Z."""
    mean, square = ("/", ("sum", "Z"), "2"), ("/", ("sum_squares", "Z"), "2")
    own = mean_of(("multiply", prediction, prediction))
    return ("+", ("-", own, ("*", "2", ("*", mean_of(prediction), mean))), square)


def described(world: Any, *quantities: Quantity) -> str:
    """Print a world by its likeliest atoms: the variables of the process, and of the rest those in the quantities."""
    asked = {"p", "e_p", "e_M", "M", "S_gen", "W"}.union(
        *(names for quantity in quantities if isinstance(quantity, Combination) for names in quantity.terms)
    )
    names = [name for name in world.law.names if name in asked]
    law = world.law.margin(*names)

    def shown(letter: Any) -> Any:
        return letter[0] if isinstance(letter, tuple) and len(letter) == 1 else letter

    rows = sorted(zip(law.probabilities.tolist(), law.codes.tolist(), strict=True), key=lambda row: (-row[0], row[1]))
    atoms = [
        f"{float(weight):.4g}: ({', '.join(str(shown(a[c])) for a, c in zip(law.letters, row, strict=True))})"
        for weight, row in rows[:ATOMS]
    ]
    rest = f", {len(rows) - ATOMS} more" if len(rows) > ATOMS else ""
    return f"the law of ({', '.join(names)}) with {', '.join(atoms)}{rest}"


# What claims about worlds assume, as predicates on a world.
def _vanishes(text: str, *quantities: Combination) -> Hypothesis:
    return Hypothesis(text, lambda world: all(abs(value(q, world)) < ROUNDING for q in quantities))


PROCESS = _vanishes(
    "M = h(e_p) + g(e_M), S_gen = M + eps; each variable is drawn from the one before it alone, W from S_gen",
    information("S_anchor", "e_p e_M eps", "p"),
    information("p", "e_M", "e_p"),
    information("e_p e_M", "eps", "p"),
    entropy("h", "e_p"),
    entropy("g", "e_M"),
    entropy("M", "h g"),
    entropy("S_gen", "M eps"),
    information("S_anchor p e_p e_M eps", "W", "S_gen"),
    information("p e_p e_M eps S_gen W", "W_anchor", "S_anchor"),
)
SEPARATE = _vanishes("e_M is independent of the prompt and its factor", information("e_M", "p e_p"))
FUNCTION_PROMPT = _vanishes("p is a function of S_anchor", entropy("p", "S_anchor"))
FUNCTION_FACTOR = _vanishes("e_p is a function of p", entropy("e_p", "p"))
UNCURATED = _vanishes("eps = 0", entropy("S_gen", "M"), entropy("eps"))
INDEPENDENT_FACTORS = _vanishes("e_M and e_p are independent", information("e_M", "e_p"))
INJECTIVE = _vanishes("g is injective", entropy("e_M", "g"))
