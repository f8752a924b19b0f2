"""From evidence to verdicts: run every check and its broken twin, then apply the rules of the census.

* refuted: some check contradicts the claim by exact evidence (symbolic or certified), or by Monte Carlo with a stated
  false-refutation probability of at most 1e-9, and the repair it names holds (or it says why none is known). A search
  in floating point that finds a violation, or a draw that is not finite, refutes nothing: the claim is undetermined.
* holds: every check supports it, Monte Carlo support has power at least 0.99 against its named violation, and the
  witness meets every hypothesis and is not trivial.
* vacuous: the claim has no witness, and a check shows by exact evidence (symbolic or certified) that nothing in the
  class meets the hypotheses and makes the conclusion non-trivial. A failed search shows no such thing.
* undetermined: anything else, with the reasons.

A check that comes out the same on its broken twin has no teeth: it can neither support nor contradict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from proofs_checks.claim import FALSE_REFUTATION, POWER, Check, Claim, Evidence, Judgement, Outcome, Setting, Verdict

#: Kinds of evidence that need no error rate.
EXACT = frozenset({"symbolic", "certified"})


def run_check(check: Check, setting: Setting) -> Evidence:
    """Run a check on its subject and on its broken twin, and say in the evidence whether it has teeth.

    Teeth: a check that supports must contradict on the twin, one that contradicts must not contradict there, and one
    that leaves the claim without objects must not do so there. An inconclusive check has none.
    """
    own = setting.named(f"{setting.name}/{check.name}")
    evidence = check.judge(check.subject, own)
    return replace(evidence, teeth=has_teeth(evidence.outcome, on_twin(check, own, evidence.outcome)))


#: How many times more cases a search may try on a twin on which it must find a violation.
PATIENCE = 10


def on_twin(check: Check, own: Setting, outcome: Outcome) -> Outcome:
    """Return how a check comes out on its broken twin, given its own setting and its outcome on the subject."""
    patience = PATIENCE if outcome is Outcome.SUPPORTS else 1
    return check.judge(check.broken, replace(own, name=f"{own.name}/broken", patience=patience)).outcome


def has_teeth(outcome: Outcome, on_twin: Outcome) -> bool:
    """Whether a check with this outcome would have come out otherwise on its broken twin."""
    match outcome:
        case Outcome.SUPPORTS:
            return on_twin is Outcome.CONTRADICTS
        case Outcome.CONTRADICTS | Outcome.VACATES:
            return on_twin is not outcome
        case Outcome.INCONCLUSIVE:
            return False


def refutes(item: Evidence) -> bool:
    """Whether this evidence alone is enough for a refutation."""
    exact = item.kind in EXACT
    sampled = item.kind == "monte-carlo" and 0 < item.alpha <= FALSE_REFUTATION
    return bool(item.teeth) and item.outcome is Outcome.CONTRADICTS and (exact or sampled)


def _undecided(item: Evidence) -> str:
    alike = "" if item.outcome is Outcome.INCONCLUSIVE else ", as on its broken twin"
    return f"{item.outcome.value}{alike}: {item.detail}"


def weigh(
    evidence: Iterable[Evidence], witness_problems: Iterable[str], *, has_witness: bool = True
) -> tuple[Verdict, list[str]]:
    """Apply the rules to the evidence alone; the repair of a refuted claim is looked at afterwards."""
    evidence = tuple(evidence)
    toothless = [_undecided(item) for item in evidence if not item.teeth]
    contradictions = [item for item in evidence if refutes(item)]
    problems = toothless + [f"witness: {problem}" for problem in witness_problems]
    if not has_witness:
        vacated = [item for item in evidence if item.outcome is Outcome.VACATES and item.kind in EXACT]
        if vacated and not problems and len(vacated) == len(evidence):
            return "vacuous", [vacated[0].detail]
        return "undetermined", [*problems, "it has no witness, and nothing exact shows that there can be none"]
    if contradictions:
        return ("undetermined", problems) if problems else ("refuted", [contradictions[0].detail])
    for item in evidence:
        if item.outcome is not Outcome.SUPPORTS:
            problems.append(f"{item.outcome.value}: {item.detail}")
        elif item.kind == "monte-carlo" and (item.power is None or item.power < POWER):
            problems.append(f"power {item.power} below {POWER}: {item.detail}")
    return ("undetermined", problems) if problems or not evidence else ("holds", [])


def witness_problems(claim: Claim) -> Iterator[str]:
    """Build the witness, where the claim has one, and yield every hypothesis it misses, and triviality."""
    if claim.witness is None:
        return
    witness = claim.witness.build()
    for hypothesis in claim.hypotheses:
        if not hypothesis.predicate(witness):
            yield f"does not meet '{hypothesis.text}'"
    if not claim.witness.nontrivial(witness):
        yield f"makes the conclusion trivial: {claim.witness.text}"


def judge(claim: Claim, setting: Setting) -> Judgement:
    """Run every check of one claim; a refuted claim's repair is not yet looked at."""
    start = time.perf_counter()
    own = setting.named(claim.id)
    evidence = tuple(run_check(check, own) for check in claim.checks)
    found, reasons = weigh(evidence, witness_problems(claim), has_witness=claim.witness is not None)
    return Judgement(claim, found, evidence, tuple(reasons), time.perf_counter() - start)


def judge_all(
    claims: Iterable[Claim],
    setting: Setting,
    lookup: Callable[[str], Claim],
    on_done: Callable[[Judgement], None] = lambda _: None,
) -> list[Judgement]:
    """Judge claims in order; a claim stays refuted only if the repair it names holds in the same run.

    Parameters
    ----------
    claims
        What to judge and return.
    setting
        Seed and budget.
    lookup
        Finds a repair by id, also one that was not asked for.
    on_done
        Called with each judgement as it is final, for progress.
    """
    claims = tuple(claims)
    judged: dict[str, Judgement] = {}

    def judgement(claim: Claim) -> Judgement:
        if claim.id not in judged:
            judged[claim.id] = judge(claim, setting)
        return judged[claim.id]

    results = []
    for claim in claims:
        result = judgement(claim)
        if result.found == "refuted" and claim.repair:
            repair = judgement(lookup(claim.repair))
            if repair.found != "holds":
                reason = f"its repair {claim.repair} was found {repair.found}"
                result = replace(result, found="undetermined", reasons=(*result.reasons, reason))
        elif result.found == "refuted" and not claim.no_repair:
            result = replace(result, found="undetermined", reasons=(*result.reasons, "it names no repair"))
        results.append(result)
        on_done(result)
    return results
