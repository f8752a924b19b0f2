r"""G25-D41: an answer as a term of the prompt plus a term of the model's own.

Setting. S_anchor -> p -> (e_p, e_M), finite; e_p is drawn from p, e_M by the model. Several points: e_M and M are
tuples, and h is added to each entry; nothing below changes.
Statement. M(p) = h(e_p) + g(e_M) (reconstructed).
Hypotheses. e_p a function of p, e_M independent of the prompt; without them the statement is empty.
Constants. None.
Relation. Existence.
Reference. G25 (arXiv:2410.01720), by the account we have. Used by G25-DI, G25-L43 and G25-T49.

Derivation. Let e_p be a function of p and e_M independent of p. Then M given p is h(e_p(p)) plus one law of g: all laws
of M given p are shifts of one law. Conversely, if they are shifts by c(p) of the law of X, take e_p = p, h = c, e_M = X
and g = id. So answers have the form exactly when they are a translation family. A shift keeps the sum of squared
probabilities, which differs between a certain answer and a fair bit. If e_M may look at e_p, take e_p = p, h = 0 and
e_M = M; if e_p may be noisy, take e_p = M, h = id and e_M = 0: either way every channel has the form.

Readings.
1. e_p a function of p, e_M independent of the prompt: refuted for every model, true of translation families
   (G25-D41/translation).
2. Dependent factors, or a noisy e_p: every model has the form, and the form says nothing (G25-D41/dependent).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims._g25 import ANY, INDEPENDENT, built, copied, parity, tried
from proofs_checks.claims._g25_checks import (
    FUNCTION_FACTOR,
    PROCESS,
    ROUNDING,
    SEPARATE,
    described,
    simplest,
    stored,
)

SOURCE = "G25 (D41), reconstructed"


Row = dict[tuple[int, ...], float]


def answers(world: Any) -> dict[Any, Row]:
    """Return the law of M given each prompt."""
    rows: dict[Any, Row] = {}
    law = world.law.margin("p", "M")
    for (p, m), weight in zip(law.codes.tolist(), law.probabilities.tolist(), strict=True):
        rows.setdefault(law.letters[0][p], {})[law.letters[1][m]] = weight
    return {p: {m: weight / sum(row.values()) for m, weight in row.items()} for p, row in rows.items()}


def standard(row: Row) -> tuple[int, Row]:
    """Return the least number that occurs, and the law shifted to start at 0: the same for all shifts of one law."""
    least = min(min(m) for m in row)
    return least, {tuple(x - least for x in m): weight for m, weight in row.items()}


def same(first: Row, second: Row) -> bool:
    """Whether two laws agree up to rounding."""
    return all(abs(first.get(m, 0.0) - second.get(m, 0.0)) < ROUNDING for m in {**first, **second})


def _one_law(world: Any) -> bool:
    rows = [standard(row)[1] for row in answers(world).values()]
    return all(same(rows[0], row) for row in rows)


def _shifts(kind, setting: Setting) -> Evidence:
    """Whether the laws of M given the prompts are shifts of one law, in the worlds of a kind."""
    count, violation = simplest(tried(kind, setting), lambda world: (1.0, 0.0, not _one_law(world)))
    if violation:
        detail = f"answers to two prompts are no shifts of one law in {described(violation[2])}"
        return Evidence("search", Outcome.CONTRADICTS, 1.0, 0.0, "equal", detail, n=count)
    return Evidence("search", Outcome.SUPPORTS, 0.0, 0.0, "equal", "the laws of M given p are shifts of one", n=count)


def decomposed(rows: list[Row]) -> Any:
    """Return a world with these laws of M given p, e_p = p and e_M independent of p; None where there is none."""
    parts = [standard(row) for row in rows]
    if not all(same(parts[0][1], part) for _, part in parts):
        return None
    return built(
        data_law=[1 / len(rows)] * len(rows),
        prompt=lambda s: s[0],
        h=lambda p: parts[p][0],
        model_factor={m: weight for (m,), weight in parts[0][1].items()},
    )


def _represented(spoilt: bool, setting: Setting) -> Evidence:
    """Random translation families, decomposed; the twin makes one answer of the last prompt certain."""
    table, count = np.random.default_rng(setting.integer_seed("rows")), setting.size(30, 300)
    for _ in range(count):
        law = table.integers(1, 9, int(table.integers(2, 5)))
        shifts = table.integers(-3, 4, int(table.integers(2, 5)))
        rows: list[Row] = [{(int(m + c),): float(w / law.sum()) for m, w in enumerate(law)} for c in shifts]
        if spoilt:
            rows[-1] = {(0,): 1.0}
        world = decomposed(rows)
        if world is None or not all(same(row, found) for row, found in zip(rows, answers(world).values(), strict=True)):
            return Evidence("search", Outcome.CONTRADICTS, 1.0, 0.0, "equal", f"no factors for {rows}"[:300], n=count)
    says = "shifts of one law are the answers of e_p = p, h the shift and e_M independent"
    return Evidence("search", Outcome.SUPPORTS, 0.0, 0.0, "equal", says, n=count)


def _every_channel(subject: tuple[str, bool], setting: Setting) -> Evidence:
    """Random channels from p to M as answers of the two empty decompositions; the twin lets e_M look at nothing."""
    way, blind = subject
    table, count = np.random.default_rng(setting.integer_seed("channels")), setting.size(30, 300)
    for _ in range(count):
        rows = table.dirichlet(np.ones(int(table.integers(2, 5))), int(table.integers(2, 5))).tolist()
        given: dict[str, Any] = {"prompt": lambda s: s[0], "data_law": [1 / len(rows)] * len(rows)}
        if way == "e_M":
            model = (lambda _, rows=rows: rows[0]) if blind else (lambda p, rows=rows: rows[p])
            world = built(**given, h=lambda _: 0, model_factor=model)
        else:
            world = built(**given, prompt_factor=lambda p, rows=rows: rows[0] if blind else rows[p])
        for p, row in answers(world).items():
            if not same(row, {(m,): weight for m, weight in enumerate(rows[p])}):
                detail = f"the answers to prompt {p} are not {rows[p]}"
                return Evidence("search", Outcome.CONTRADICTS, 1.0, 0.0, "equal", detail, n=count)
    return Evidence("search", Outcome.SUPPORTS, 0.0, 0.0, "equal", f"every channel, {way} alone", n=count)


CLAIMS = (
    Claim(
        id="G25-D41",
        title="Every model's answers are a function of the prompt plus a term of the model's own",
        source=SOURCE,
        form="reconstructed",
        reading="e_p a function of p, e_M independent of the prompt; h and g free",
        statement=r"M(p)=h(e_p)+g(e_M)\quad\text{for every channel }p\to M",
        hypotheses=(PROCESS, SEPARATE, FUNCTION_FACTOR),
        witness=Witness("a fair bit added to the prompt", parity, lambda w: len(answers(w)) > 1),
        checks=(
            stored(
                "certain-and-fair",
                "g25-d41",
                ("sum_squares", "second"),
                ("sum_squares", "first"),
                relation="equal",
                broken={"second": [["0", "1"]]},
                broken_by="the second answer certain, too: a shift of the first",
            ),
        ),
        recorded="refuted",
        repair="G25-D41/translation",
    ),
    Claim(
        id="G25-D41/translation",
        title="Answers have that form exactly when those to different prompts are shifts of one law",
        source=SOURCE,
        form="repaired",
        reading="necessary and sufficient; e_p a function of p, e_M independent of the prompt",
        statement=r"M(p)=h(e_p)+g(e_M)\iff P_{M\mid p}\text{ is a shift of one law for all }p",
        hypotheses=(PROCESS, SEPARATE, FUNCTION_FACTOR, Hypothesis("the laws are shifts of one", _one_law)),
        witness=Witness("a fair bit added to the prompt", parity, lambda w: w.information_gain > 0.1),
        checks=(
            Check("necessary", _shifts, replace(INDEPENDENT, noisy_factor=False), ANY, "e_M may look at e_p"),
            Check("sufficient", _represented, False, True, "the last prompt has a certain answer"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-D41/dependent",
        title="With dependent factors, or a noisy one, every model has the form, and it says nothing",
        source=SOURCE,
        form="reconstructed",
        reading="e_M may look at e_p, or e_p may be a noisy channel of p",
        statement=r"M(p)=h(e_p)+g(e_M)\quad\text{for every channel }p\to M",
        hypotheses=(PROCESS,),
        witness=Witness("factors that are copies of one bit", copied, lambda w: len(answers(w)) > 1),
        checks=(
            Check("e_M-alone", _every_channel, ("e_M", False), ("e_M", True), "e_M looks at nothing"),
            Check("e_p-alone", _every_channel, ("e_p", False), ("e_p", True), "e_p looks at nothing"),
        ),
        recorded="holds",
    ),
)
