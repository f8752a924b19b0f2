"""G25's false readings of gain and GGMI fall to searches from scratch, and what their checks compute is right."""

from __future__ import annotations

import itertools
import math
import operator
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dkps_theory.information import _world_parts
from proofs_checks.claim import Outcome, Setting
from proofs_checks.claims import (
    _g25,
    _g25_checks,
    g25_bsyn,
    g25_d41,
    g25_di,
    g25_ggmi,
    g25_l43,
    g25_q1,
    g25_q1_bound,
    g25_t49,
)
from proofs_checks.claims._g25_checks import ROUNDING, value
from proofs_checks.claims._g25_entropies import (
    DELTA_I,
    GGMI,
    L43,
    SYNTHETIC,
    T49,
    Combination,
    Decomposition,
    entropy,
    information,
)
from proofs_checks.evidence.certified import Stored

MODULES = (g25_bsyn, g25_d41, g25_di, g25_ggmi, g25_l43, g25_q1, g25_q1_bound, g25_t49)
CLAIMS = {claim.id: claim for module in MODULES for claim in module.CLAIMS}
COIN = [0.5, 0.5]

# Choices for each step of a world on a few bits; the anchor is a fair bit.
CONSTANT, COPY, TOSS = (lambda _: 0), (lambda x: x[0] if isinstance(x, tuple) else x), (lambda _: COIN)


def bits(
    *, prompt=(CONSTANT, COPY), factor=(CONSTANT, COPY), own=(CONSTANT, TOSS), noise=(CONSTANT,), scale=(0, 1, 2)
) -> Iterator[dict[str, Any]]:
    """Draw worlds on bits: whether each step ignores, repeats or tosses, the scale of g, and W's table."""
    steps = {"prompt": prompt, "prompt_factor": factor, "model_factor": own, "curation": noise, "scale": scale}
    draw = random.Random(0)
    while True:
        case = {name: draw.choice(choices) for name, choices in steps.items()}
        yield case | {"table": draw.choices([0, 1], k=5), "anchor_training": draw.choice([CONSTANT, COPY])}


def world(case: dict[str, Any], **changed: Any) -> Any:
    parts = {**case, **changed}
    scale, table = parts.pop("scale"), parts.pop("table")
    return _g25.built(data_law=COIN, g=lambda e: scale * e, training=lambda s: table[s[0]], **parts)


def found(cases: Iterator[Any], wanted: Callable[[Any], bool]) -> Any:
    """Return the first of at most 1,000 cases that is wanted."""
    return next(case for case in itertools.islice(cases, 1000) if wanted(case))


def test_d41_two_laws_that_are_no_shifts_of_each_other():
    laws = [{(0,): 1.0}, {(1,): 1.0}, {(0,): 0.5, (1,): 0.5}]
    pairs = itertools.combinations(laws, 2)
    rows = found(pairs, lambda rows: g25_d41.decomposed(list(rows)) is None)
    assert {len(row) for row in rows} == {1, 2}


def test_di_one_law_of_answers_with_two_gains():
    def differ(pair):
        rows = [sorted((p, sorted(row.items())) for p, row in g25_d41.answers(world(case)).items()) for case in pair]
        gains = [world(case).information_gain for case in pair]
        return rows[0] == rows[1] and abs(gains[0] - gains[1]) > 0.01

    one = bits(factor=(CONSTANT, COPY, TOSS), scale=(1,))
    pair = found(zip(one, one, strict=False), differ)
    laws = [g25_d41.answers(world(case)) for case in pair]
    assert laws[0] == laws[1]


def test_di_gain_that_is_no_news_about_the_anchor():
    case = found(
        bits(), lambda c: world(c).information_gain > 0.01 + value(information("M", "S_anchor", "h"), world(c))
    )
    assert world(case).information_gain == pytest.approx(math.log(2))


def test_bsyn_worlds_in_which_it_is_less_and_more_than_what_w_knows_of_both_factors():
    def surplus(case):
        made = world(case)
        return made.b_syn - value(information("e_M e_p", "W"), made)

    assert surplus(found(bits(scale=(2,)), lambda case: surplus(case) < -0.01)) < -0.01
    assert surplus(found(bits(own=(CONSTANT, TOSS, COPY)), lambda case: surplus(case) > 0.01)) > 0.01


def test_l43_worlds_on_bits_that_need_a_delta_without_noise():
    """The least delta is positive with eps = 0 and e_p = p; and with p constant, where e_p is a toss."""
    told = found(bits(prompt=(COPY,), factor=(COPY,)), lambda case: world(case).least_delta > 0.01)
    assert world(told).law.entropy("eps") == world(told).law.entropy("e_p", "p") == 0
    hidden = found(bits(prompt=(CONSTANT,), factor=(CONSTANT, COPY, TOSS)), lambda case: world(case).least_delta > 0.01)
    assert world(hidden).law.entropy(("p", "eps")) == 0


def test_l43_functions_of_three_letters_need_more_delta_than_any_of_two():
    """Every table W of e_p + 3 e_M that is a Latin square of three letters, tried in random order, reaches log 3."""
    generator, most = np.random.default_rng(0), 0.0
    for _ in range(3000):
        table = generator.permuted(np.tile(np.arange(3), (3, 1)), axis=1)
        if all(len(set(column)) == 3 for column in table.T):
            made = _g25.built(
                data_law=[1 / 3] * 3,
                prompt=lambda s: s[0],
                model_factor=[1 / 3] * 3,
                g=lambda e: 3 * e,
                training=lambda s, table=table: int(table[s[0] % 3, s[0] // 3]),
            )
            most = made.least_delta
            break
    assert most == pytest.approx(math.log(3))


def test_t49_worlds_on_bits_in_which_it_fails():
    def short(case):
        right = world(case).t49_right_side
        return right is not None and right < world(case).ggmi - 0.01

    curated = found(bits(noise=(CONSTANT, TOSS)), short)
    assert world(curated).law.entropy("eps") > 0
    noisy = found(bits(prompt=(CONSTANT, COPY, TOSS)), short)
    assert world(noisy).law.entropy("p", "S_anchor") > 0


def test_t49_world_without_alpha():
    case = found(bits(), lambda case: world(case).t49_right_side is None)
    assert world(case).anchor_given_w == 0 < world(case).anchor_given_w_anchor


def gains(wanted: Callable[[Any, Any], bool]) -> tuple[Any, Any]:
    """Find two worlds that differ in g alone, of which the second has the larger gain, with a property of the two."""

    def pairs():
        for case in bits():
            first, second = sorted(
                (world(case), world(case, scale=(case["scale"] + 1) % 3)), key=lambda w: w.information_gain
            )
            if second.information_gain > first.information_gain + 0.01:
                yield first, second

    return found(pairs(), lambda pair: wanted(*pair))


def test_more_gain_with_less_ggmi():
    first, second = gains(lambda first, second: second.ggmi < first.ggmi - 0.01)
    assert second.t49_right_side < first.t49_right_side


def ones(made: Any, learned: str = "W") -> float:
    """Return the risk 1{w != z} where D is 0 for sure: how often what was learned is 1."""
    return made.law.law(learned).get(1, 0.0)


def test_more_gain_with_a_larger_and_with_a_smaller_risk():
    """The learner sees answers only, so that D may be any law: here it is 0 for sure."""
    first, second = gains(lambda first, second: ones(second) > ones(first) + 0.01)
    assert ones(second) > ones(first)
    first, second = gains(lambda first, second: ones(second) < ones(first) - 0.01)
    assert ones(second) < ones(first)


def test_more_gain_with_a_larger_right_side():
    def larger(pair):
        first, second = map(world, pair)
        gain = second.information_gain - first.information_gain
        bound = second.l43_right_side(0.0) - first.l43_right_side(0.0)
        return gain > 0.01 and bound > 0.01

    one = bits(scale=(1, 2))
    first, second = map(world, found(zip(one, one, strict=False), larger))
    assert second.l43_right_side(0.0) > first.l43_right_side(0.0)


def fair_risk(made: Any, learned: str) -> float:
    """Return the mean squared distance to a fair bit, an anchor's law."""
    return made.law.expectation(lambda w: (w * w + (w - 1) ** 2) / 2, learned)


def test_ggmi_of_either_sign_with_the_other_order_of_risks():
    """W is a bit, or with a doubled table 0 or 2, which is far from the anchors' law."""
    for sign, factor in ((1, 2), (-1, 1)):

        def cases(factor=factor):
            for case in bits():
                # W' is the anchor, or constantly 2 where it ignores the anchors.
                anchor = COPY if case["anchor_training"] is COPY else (lambda _: 2)
                yield case | {"table": [factor * w for w in case["table"]], "anchor_training": anchor}

        def wrong(case, sign=sign):
            made = world(case)
            return sign * made.ggmi > 0.01 and sign * (fair_risk(made, "W") - fair_risk(made, "W_anchor")) > 0.01

        assert sign * world(found(cases(), wrong)).ggmi > 0


def test_ggmi_positive_with_the_larger_term_at_other_sizes():
    draw = random.Random(1)

    def crossed(case):
        made, m, n = world(case), draw.randint(1, 9), draw.randint(1, 9)
        return made.ggmi > 0.01 and made.anchor_information / m < made.synthetic_information / n - 0.01

    assert world(found(bits(noise=(CONSTANT, TOSS)), crossed)).ggmi > 0


def test_ggmi_positive_with_variation_above_the_whole_other_bound():
    def above(case):
        made = world(case)
        variation = float(made.tv_model(given_prompt=True))
        return made.ggmi > 0.01 and variation > 0.01 + math.sqrt(made.anchor_information / 2)

    # D is a fair bit and the loss 0 or 1: C = 1, sigma^2 = 1/4, one anchor.
    far = bits(own=(CONSTANT, TOSS, lambda _: {2: 1.0}), scale=(1, 2))
    assert world(found(far, above)).ggmi > 0


# What the checks compute.

DECOMPOSED = [
    pytest.param(proof, kind or _g25.ANY, id=proof.says)
    for module in (g25_bsyn, g25_di, g25_l43, g25_q1_bound, g25_t49)
    for proof, kind in module.DECOMPOSITIONS
]


def never_negative(part: Combination) -> bool:
    """Whether it is one conditional entropy, H(A) - H(B) with B in A, or one conditional mutual information."""
    added, taken = ([names for names, value in part.terms.items() if value == sign] for sign in (1, -1))
    if len(added) + len(taken) < len(part.terms):
        return False
    if len(added) == 1:
        return len(taken) <= 1 and all(names < added[0] for names in taken)
    return len(added) == 2 and sorted(taken, key=len) == [
        names for names in (added[0] & added[1], added[0] | added[1]) if names
    ]


@pytest.mark.parametrize(("proof", "kind"), DECOMPOSED)
def test_terms_of_a_proof_are_what_it_says(proof: Decomposition, kind: _g25.Kind):
    """Terms that vanish do so in every world of the kind, and parts of a bound are single entropies or informations."""
    assert all(never_negative(term) or never_negative(-term) for term in proof.vanishing)
    for made in itertools.islice(_g25.tried(kind, Setting(7, "quick")), 40):
        assert all(abs(value(term, made)) < ROUNDING for term in proof.vanishing)
    if not proof.says.startswith("T49's right side is"):  # an equality, whose part has either sign
        assert all(map(never_negative, proof.parts))
    assert not never_negative(g25_l43.SYNERGY)
    assert not never_negative(g25_t49.SLACK)


def test_combinations_are_the_quantities_of_the_package():
    for made in itertools.islice(_g25.tried(_g25.ANY, Setting(3, "quick")), 40):
        for formula, expected in (
            (DELTA_I, made.information_gain),
            (SYNTHETIC, made.synthetic_information),
            (GGMI, made.ggmi),
            (L43, made.l43_right_side(0.0)),
            (T49 - GGMI, made.t49_slack),
            (information("e_M", "e_p", "W"), made.law.mutual_information("e_M", "e_p", "W")),
            (entropy("M e_p", "h"), made.law.entropy(("M", "e_p"), "h")),
        ):
            assert value(formula, made) == pytest.approx(expected, abs=1e-12)


RISKS = {"G25-Q1": (1.5, 0.5), "G25-Q1/never-helps": (2.5, 0.5), "G25-GGMI/error": (2.5, 0.5)}


@pytest.mark.parametrize("claim_id", [name for name, claim in CLAIMS.items() if claim.recorded == "refuted"])
def test_numbers_shown_with_a_certificate_are_no_case_of_what_is_claimed(claim_id: str):
    compare = {"upper": operator.gt, "lower": operator.lt, "equal": operator.ne}
    for place, check in enumerate(CLAIMS[claim_id].checks):
        if isinstance(check.subject, Stored):
            found = check.judge(check.subject, Setting(0, "quick", f"{claim_id}/{check.name}"))
            assert compare[found.relation](found.observed, found.claimed)
            assert place or (found.observed, found.claimed) == RISKS.get(claim_id, (found.observed, found.claimed))


def test_combinations_are_compared_exactly():
    assert (information("a", "b") - information("b", "a")).terms == {}
    assert (entropy("a b") - entropy("b") - entropy("a", "b")).terms == {}
    assert (information("a", "b c") - information("a", "c") - information("a", "b", "c")).terms == {}
    assert Combination({}).bits("P") == "0"
    assert (2 * entropy("a")).terms != entropy("a").terms


def test_each_kind_of_world_is_what_it_says():
    plain = _g25.PLAIN
    for made in itertools.islice(_g25.tried(plain, Setting(1, "quick")), 40):
        law = made.law
        assert law.entropy("p", "S_anchor") == pytest.approx(0, abs=1e-12)
        assert law.entropy("e_p", "p") == pytest.approx(0, abs=1e-12)
        assert law.entropy("eps") == pytest.approx(0, abs=1e-12)
        assert law.entropy("e_M", "g") == pytest.approx(0, abs=1e-12)
        assert law.mutual_information("e_M", ("p", "e_p")) == pytest.approx(0, abs=1e-12)
    wide = {
        "dependent": lambda w: w.law.mutual_information("e_M", "e_p"),
        "noisy_prompt": lambda w: w.law.entropy("p", "S_anchor"),
        "noisy_factor": lambda w: w.law.entropy("e_p", "p"),
        "curated": lambda w: w.law.entropy("eps"),
        "lossy": lambda w: w.law.entropy("e_M", "g"),
    }
    for name, seen in wide.items():
        made = list(itertools.islice(_g25.tried(replace(plain, **{name: True}), Setting(1, "quick")), 14))
        assert max(map(seen, made)) > 0.01, name


def _ways(law: Any) -> int:
    """Return how many laws of W there are among the letters of S_gen."""
    table = law.margin("S_gen", "W").table()
    return len(np.unique((table / table.sum(axis=1, keepdims=True)).round(9), axis=0))


def test_random_worlds_reach_all_that_the_process_allows():
    """One to four letters for each variable, channels that are functions and noisy ones, of all that they may see."""
    one = _g25._pool(_g25.ANY, 11)[1]
    laws = [one().law for _ in range(100)]
    for name in ("S_anchor", "p", "e_p", "e_M", "eps", "W", "W_anchor"):
        letters = [[letter for letter, weight in law.law(name).items() if weight > 0] for law in laws]
        points = [{point for letter in own for point in _world_parts.points(letter)} for own in letters]
        assert {len(own) for own in points} == {1, 2, 3, 4}, name
    noisy = {"p": "S_anchor", "e_p": "p", "e_M": "e_p", "eps": "p", "W": "S_gen", "W_anchor": "S_anchor"}
    for name, given in noisy.items():
        left = [(law.entropy(name, given), law.mutual_information(name, given)) for law in laws]
        assert sum(rest > 0.01 and told > 0.01 for rest, told in left) > 5, name  # noisy
        assert sum(rest < 1e-9 and told > 0.01 for rest, told in left) > 5, name  # a function
        blind = sum(rest > 0.01 and told < 1e-9 for rest, told in left)
        assert blind > 2 or name not in ("e_M", "eps"), name
    assert {len(law.letters[law.names.index(name)][0]) for law in laws for name in ("S_anchor", "S_gen")} == {1, 2}
    for seen, told in ((("M", "eps"), "S_gen"), (("h", "g"), "M")):
        hidden = [law.entropy(seen, told) for law in laws if law.entropy(seen) > 1]
        assert min(hidden) < 1e-9
        assert max(hidden) > 0.1
    assert max(map(_ways, laws)) > 16


def test_a_violation_is_reported_by_its_smallest_world_in_words():
    """B_syn <= I(e_M, e_p; W) falls to copies of one bit, which the report shows whole; no world decides nothing."""
    claim = CLAIMS["G25-BSYN"]
    check = next(check for check in claim.checks if check.name == "worlds")
    detail = check.judge(check.broken, Setting(0, "quick", "report")).detail
    copies = "0.5: (0, 0, 0, 0, 0, 0), 0.5: (1, 1, 1, 3, 3, 3)"
    assert detail.endswith(f"violated by the law of (p, e_p, e_M, M, S_gen, W) with {copies}")
    large = _g25.masked([0.2, 0.3, 0.5], [[0.5, 0.5]] * 3)
    assert _g25_checks.described(large).endswith(f", {len(large.law.margin('p', 'e_M', 'S_gen').codes) - 8} more")
    none = replace(check.subject, when=lambda _: False)
    assert check.judge(none, Setting(0, "quick", "report")).outcome is Outcome.INCONCLUSIVE


def test_masked_worlds_need_the_whole_entropy_of_prompt_and_noise():
    made = _g25.masked([0.25, 0.25, 0.5], [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]])
    assert made.law.mutual_information("p", "eps") > 0.1
    assert made.least_delta == pytest.approx(1.75 * math.log(2))
    assert made.law.mutual_information("W", ("p", "eps")) == pytest.approx(0, abs=1e-12)


def test_likelihood_splits_the_gain_of_a_model_made_by_hand():
    """One fair prompt bit that is added modulo 2 to a bit with odds 3 to 1, D = (1/4, 3/4)."""
    made = _g25.built(
        data_law=[0.25, 0.75],
        prompt=lambda _: COIN,
        model_factor=[0.75, 0.25],
        modulus=2,
        loss=1 - np.eye(2),
        **g25_q1._ONE,
    )
    surprise, divergence, variation = g25_q1.likelihood(made)
    assert surprise == pytest.approx(-(math.log(0.25) + math.log(0.75)) / 2)
    assert variation == pytest.approx(0.25)
    assert divergence == pytest.approx(0.25 * math.log(3))
    assert made.information_gain == pytest.approx(surprise - divergence)
    # Given h an answer is h with odds 3 to 1, and W is the answer: it errs when a fresh one differs from it.
    assert g25_q1.risk_of_answers(made) == pytest.approx(2 * 0.75 * 0.25)


@pytest.mark.parametrize("claim_id", [name for name, claim in CLAIMS.items() if claim.drawings])
def test_drawings_draw(claim_id: str):
    for drawing in CLAIMS[claim_id].drawings:
        assert all(axes.lines and axes.get_xlabel() and axes.get_ylabel() for axes in drawing.draw().axes)
