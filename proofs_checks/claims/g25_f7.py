r"""G25-F7J, G25-F7K, G25-F7L: how the gap changes as J, K or L grows in the mixture simulation.

Setting. dkps_theory.information.mixture_world: anchors from K components of a truth with K + J, a generator that
estimates these K, knows the J and adds L foreign ones; EM on either set. The gap is D(anchors' fit) - D(fit to S_gen).
Three designs: the published protocol (d = 2), and the corrected one in d = 2 and d = 8. D is the published number
(G25-KLGAP), fit against truth or reversed, or from exact densities KL(fit || truth), KL(truth || fit) or TV.
Statement. The gap rises with J; it falls with K; it falls with L. The other two numbers are 2.
Hypotheses. None beyond the protocol.
Constants. The ends of the published grid, 2 and 15.
Relation. G(v), G'(v') gaps of independent repetitions. "Rises": P(G(15) > G'(2)) > 1/2; "falls": P(G(15) < G'(2)) >
1/2. Of means: E G(15) > E G'(2), and below.
Reference. G25 (arXiv:2410.01720), its mixture simulation, by the account we have.

Which conclusions survive the correction.
J. All: the gap rises, whatever D and whichever protocol.
K. That the gap falls survives in KL(truth || fit) and in TV. In KL(fit || truth), which the gap is said to be, it
   rises, for the data of the published protocol too: the published number turns the sign.
L. That the gap falls survives in KL(fit || truth) and in TV. In KL(truth || fit) it hardly moves; which way is open.

Derivation of the signs without estimation (the fits that moments would give: uniform on K for the anchors, on N = K + J
+ L for S_gen, against the truth on K + J; components that do not overlap). TV is J/(K + J) for the anchors and L/N for
S_gen: the gap J/(K + J) - L/N rises in J, falls in L and, as long as L <= J, in K. KL(fit || truth) is log((K + J)/K)
for the anchors; for S_gen it is log((K + J)/N) plus, with weight L/N, what mass costs where the truth has little, tens
of nats for foreign components. The gap is then mostly - (L/N) times that cost, and L/N falls when K or J rises and
rises with L: so the gap in KL(fit || truth) rises with K as with J. KL(truth || fit) charges the fit to anchors for the
missed share J/(K + J), which rises with J, falls with K and does not know L; S_gen's is log(N/(K + J)), which L raises
by log(19/4) - log(6/4) = 1.2 nats from 2 to 15, where the gap's quartiles are 45 (corrected, d = 2) to 165 (d = 8)
nats apart: L is not seen through that.

Readings.
1. One reading of rising and falling for all, fixed before the checks' samples were drawn: the sign of P - 1/2 over
   independent pairs, which asks nothing of means, as KL has heavy tails here. Both answers are tested, exactly, at
   1e-9: a direction holds when its opposite is rejected, is refuted when it is rejected itself, and is undetermined
   otherwise. A pilot of 1,500 to 6,000 pairs set the numbers of pairs.
2. G25-F7J, -F7K, -F7L: as published, but for redraws: the number averages 3 here (12 at the full budget), not 100. Its
   mean for given fits is the same; the noise may move P, also across 1/2 where gaps are skewed, but on 240 pairs of the
   same fits P at 3 and at 60 redraws differs by at most 0.03, far less than P - 1/2. ../number-reversed: entropy of
   truth against fit.
   ../mean: means over repetitions, which G25 plots. Redraws do not matter to them, and the number has no heavy tails.
3. ../published-exact, ../corrected, ../corrected-8: KL(fit || truth) of the published fits, and of the corrected
   protocol; ../...-reverse: KL(truth || fit); ../...-tv.
4. G25-F7K/...-rises: the repair where the fall is refuted.
5. G25-F7L/...-reverse: undetermined within the budget. The pilot has P(rises) = 0.469 +- 0.009 (published), 0.473
   +- 0.006 (corrected, d = 2) and 0.488 +- 0.013 (d = 8): a decision at 1e-9 takes about 10,000 pairs or many more. In
   its place ../...-reverse-level: each direction has P >= 1/5. That holds only when less than 1/5 is rejected for both,
   at 1e-9; named violation 1/50.
The twins hand in another sweep in place of the swept one: components that are foreign where they should belong to the
truth, and so on.
"""

from __future__ import annotations

import functools

from proofs_checks.claim import Check, Claim, Drawing, Hypothesis, Verdict, Witness
from proofs_checks.claims._g25_gaps import (
    FIRST,
    LAST,
    MEASURES,
    Asked,
    Direction,
    Sweep,
    averaged,
    directed,
    level,
    world,
)

PRINTED: dict[Sweep, Direction] = {"J": "rises", "K": "falls", "L": "falls"}
#: What the components are that a sweep adds, for the twins.
_ADDED = {"J": "known to the model, of the truth", "K": "shown by the anchors", "L": "foreign to the truth"}
#: Suffix of ids, design, and what measures.
DESIGNS = (
    ("", "published d=2", "number"),
    ("published-exact", "published d=2", "exact"),
    ("corrected", "corrected d=2", "exact"),
    ("corrected-8", "corrected d=8", "exact"),
)
_SUFFIXES = {"number": ("", "number-reversed"), "exact": ("", "reverse", "tv")}
_KL, _REVERSE = ("exact", 0), ("exact", 1)


def _name(sweep: Sweep, design: str, suffix: str, ending: str = "") -> str:
    parts = "-".join(part for part in (design, suffix, ending) if part)
    return f"G25-F7{sweep}/{parts}" if parts else f"G25-F7{sweep}"


def _found(sweep: Sweep, by: str, measure: int) -> Verdict:
    """Return the verdict on the printed direction."""
    if sweep == "K" and (by, measure) == _KL:
        return "refuted"
    return "undetermined" if sweep == "L" and (by, measure) == _REVERSE else "holds"


def _other(sweep: Sweep, by: str, measure: int) -> Sweep:
    """Return a sweep along which the gap goes the other way, or, where this one falls as printed of K, not that way."""
    if sweep == "L":
        return "J"
    if sweep == "J":
        return "K" if (by, measure) == _REVERSE else "L"
    return "L" if (by, measure) == _KL else "J"


def _figure(design: str):
    from proofs_checks.claims._g25_gap_figures import limits

    return limits(design)


def _claim(place: tuple[str, str, str], measure: int, sweep: Sweep, ending: str = "") -> Claim:
    label, design, by = place
    suffix, name = _SUFFIXES[by][measure], MEASURES[by][measure]
    direction: Direction = "rises" if ending == "rises" else PRINTED[sweep]
    flat, mean = ending == "level", ending == "mean"
    other: Sweep = "K" if flat else _other(sweep, by, measure)
    verdict: Verdict = "holds" if ending else _found(sweep, by, measure)
    mended = {"refuted": "rises", "undetermined": "level"}.get(verdict)
    words = "moves either way" if flat else direction
    sign = ">" if direction == "rises" else "<"
    by_means = rf"E[G_{{{sweep}={LAST}}}]{sign}E[G_{{{sweep}={FIRST}}}]"
    event = rf"G_{{{sweep}={LAST}}}{sign}G_{{{sweep}={FIRST}}}"
    protocol = design.split()[0]
    drawing = Drawing(
        functools.partial(_figure, design),
        "The gap in KL(fit || truth) that fits would have with unlimited data, median and middle 80% of worlds: it "
        "rises with K as with J, because the share L/(K + J + L) of foreign components falls.",
    )
    return Claim(
        id=_name(sweep, label, suffix, ending),
        title=f"The {'mean ' if mean else ''}gap in {name} {words} with {sweep}, {design.replace('=', ' = ')}",
        source="G25 (F7), by the account we have" + ("" if by == "number" else "; measured by exact densities, own"),
        form="repaired" if ending in ("rises", "level") else "as-printed",
        reading=f"{protocol} protocol, gap in {name}, {sweep} from {FIRST} to {LAST}: "
        + {"level": "each direction in a fifth of pairs", "mean": "means over repetitions"}.get(
            ending, "the sign of P - 1/2 over independent pairs"
        )
        + (", 3 redraws at the quick budget and 12 at the full" if by == "number" else ""),
        statement=by_means
        if mean
        else rf"\tfrac15\le P\left({event}\right)\le\tfrac45"
        if flat
        else rf"P\left({event}\right)>\tfrac12",
        hypotheses=(
            Hypothesis(
                f"the {protocol} protocol, with K >= 1 and J + L >= 1",
                lambda w: w.protocol == protocol and int(w.K) >= 1 and int(w.J) + int(w.L) >= 1,
            ),
        ),
        witness=Witness(
            f"K = J = L = 2, {design}",
            functools.partial(world, design),
            lambda w: bool(w.information.information_gain > 0),
        ),
        checks=(
            Check(
                f"{sweep} from {FIRST} to {LAST}",
                level if flat else averaged if mean else directed,
                Asked(design, by, measure, sweep, direction),
                Asked(design, by, measure, other, direction),
                f"the components that the sweep adds are {_ADDED[other]}",
            ),
        ),
        recorded=verdict,
        repair=_name(sweep, label, suffix, mended) if mended else None,
        drawings=(drawing,) if verdict == "refuted" else (),
    )


def _claims():
    for place in DESIGNS:
        by = place[2]
        for measure in range(len(MEASURES[by])):
            for sweep in PRINTED:
                yield _claim(place, measure, sweep)
                if (by, measure) == ("number", 0):
                    yield _claim(place, measure, sweep, "mean")
                ending = {"refuted": "rises", "undetermined": "level"}.get(_found(sweep, by, measure))
                if ending:
                    yield _claim(place, measure, sweep, ending)


CLAIMS = tuple(_claims())
