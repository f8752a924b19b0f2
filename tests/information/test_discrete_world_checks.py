"""What is no finite world of the process is refused with a reason: parts that do not fit, laws made by hand."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest

from dkps_theory._validate import InputError
from dkps_theory.information.discrete_world import DiscreteWorld
from dkps_theory.information.joint_law import JointLaw

HALF = Fraction(1, 2)
WRONG_BIT = [[0, 1], [1, 0]]
ECHO = {"data_law": [0.5, 0.5], "prompt": lambda s: s[0], "training": lambda s: s[0]}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"anchors": 0}, "anchors: got 0"),
        ({"synthetic": 1.5}, "synthetic: got 1.5"),
        ({"modulus": 0}, "modulus: got 0"),
        ({"data_law": [0.5, 0.4]}, "data_law: sums to 0.9"),
        ({"prompt": {(0,): 1}}, r"prompt: says nothing of \(1,\)"),
        ({"prompt": [[0.5, 0.5]]}, "prompt: 1 rows for 2 letters"),
        ({"prompt": lambda s: [0.5, s[0]]}, r"prompt at \(0,\): sums to 0.5"),
        ({"h": lambda e: e / 2}, "h at 0 is 0.0; answers add"),
        ({"h": {0: 1}}, "h: says nothing of 1"),
        ({"h": 3}, "h: got 3; it must be a function or a mapping"),
        ({"training": None}, "training: got None; it must be a function, a mapping or a table with rows"),
        ({"prompt": None}, "prompt: got None; it must be"),
        ({"prompt": "ab"}, "prompt: got 'ab'; it must be"),
        ({"curation": 5}, "curation: got 5; it must be"),
        ({"training": lambda _: {1}}, r"training at \(0,\): unhashable type: 'set'"),
        ({"loss": 5}, r"loss: got shape \(\)"),
        ({"curation": {0.5: 1.0}}, r"part of M \+ eps is 0.5; answers add"),
        ({"training": {(0,): 0, (1,): 1}, "anchors": 2}, r"training on the anchors: says nothing of \(0, 0\)"),
    ],
)
def test_parts_that_do_not_fit_are_named(unannotated, parts: dict, message: str):
    with pytest.raises(InputError, match=message):
        DiscreteWorld.build(**(ECHO | parts))


def test_a_loss_is_named_when_it_lacks_a_letter(unannotated):
    with pytest.raises(InputError, match=r"z = 1 is no place in a table of shape \(2, 1\)"):
        _ = DiscreteWorld.build(**ECHO, loss=[[0.0], [1.0]]).true_risk
    with pytest.raises(InputError, match="w = 'a' is no place"):
        _ = DiscreteWorld.build(**(ECHO | {"training": lambda _: "a"}), loss=WRONG_BIT).true_risk
    with pytest.raises(InputError, match=r"loss: got shape \(2,\)"):
        DiscreteWorld.build(**ECHO, loss=[0.0, 1.0])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ([[0.0, 1.0], [1.0]], "loss: not an array of numbers"),
        ([["no", "yes"], ["yes", "no"]], "loss: not an array of numbers"),
        ([[0.0, math.nan], [1.0, 0.0]], r"loss: 1 value not finite, the first at \[0, 1\]"),
        ([["0", "1"], ["1", "0"]], "loss at w = 0, z = 0: got .*'0'.*; it must be a finite number"),
        (lambda w, z: "text", "loss at w = 0, z = 0: got 'text'; it must be a finite number"),
        (lambda w, z: None, "loss at w = 0, z = 0: got None"),
        (lambda w, z: math.inf, "loss at w = 0, z = 0: got inf"),
    ],
)
def test_a_loss_that_is_no_number_is_named(unannotated, loss, message: str):
    for quantity in ("true_risk", "empirical_risk", "loss_range"):
        with pytest.raises(InputError, match=message):
            getattr(DiscreteWorld.build(**ECHO, loss=loss), quantity)


def test_a_world_needs_a_law_and_a_loss_that_can_be_called(unannotated):
    with pytest.raises(InputError, match="law: got None; it must be a JointLaw of S_anchor"):
        DiscreteWorld(None)
    with pytest.raises(InputError, match=r"loss: got \[\[0, 1\], \[1, 0\]\]; it must be a function"):
        DiscreteWorld(law_by_hand(), loss=WRONG_BIT)


def law_by_hand(change: str = "", *, exact: bool = True) -> JointLaw:
    """Return a lawful joint law made step by step (plain letters, one point each), but for one broken relation."""
    half, third = (HALF, Fraction(1, 3)) if exact else (0.5, 1 / 3)
    fair, leaning = [half, half], [third, 1 - third]
    law = JointLaw.independent(S_anchor=fair).then("p", "S_anchor", lambda s: leaning if s else fair)
    law = law.then("e_p", ("p", "S_anchor"), lambda p, s: leaning if p or (change == "e_p" and s) else fair)
    law = law.then("h", "e_p", lambda e: fair if change == "h" else {e: 1})
    law = law.then("e_M", ("e_p", "p"), lambda e, p: leaning if e or (change == "e_M" and p) else fair)
    law = law.then("g", "e_M", lambda e: fair if change == "g" else {2 * e: 1})
    law = law.derive("M", ("h", "g"), lambda h, g: h * g if change == "M" else h + g)
    law = law.then("eps", ("p", "e_M"), lambda p, e: leaning if p or (change == "eps" and e) else fair)
    law = law.derive("S_gen", ("M", "eps"), lambda m, e: m - e if change == "S_gen" else m + e)
    law = law.then("W", ("S_gen", "p"), lambda s, p: leaning if s == 2 or (change == "W" and p) else fair)
    return law.then("W_anchor", ("S_anchor", "W"), lambda s, w: leaning if s or (change == "W_anchor" and w) else fair)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("e_p", r"S_anchor - p - \(e_p, e_M, eps\) is no Markov chain"),
        ("h", "h is no function of e_p: it varies at e_p = 0"),
        ("e_M", "p - e_p - e_M is no Markov chain"),
        ("g", "g is no function of e_M"),
        ("M", r"M = h \+ g fails"),
        ("eps", r"\(e_p, e_M\) - p - eps is no Markov chain"),
        ("S_gen", r"S_gen = M \+ eps fails at \(0,\) \+ 1, where S_gen is -1"),
        ("W", r"\(S_anchor, .*, eps\) - S_gen - W is no Markov chain"),
        ("W_anchor", r"\(p, .*, W\) - S_anchor - W_anchor is no Markov chain"),
    ],
)
def test_a_law_made_by_hand_is_checked(change: str, message: str, exact: bool):
    DiscreteWorld(law_by_hand(exact=exact))
    with pytest.raises(InputError, match=message):
        DiscreteWorld(law_by_hand(change, exact=exact))


def test_a_law_that_lacks_variables_or_is_not_reduced():
    law = law_by_hand()
    with pytest.raises(InputError, match="lacks eps, W_anchor"):
        DiscreteWorld(law.margin(*(name for name in law.names if name not in {"eps", "W_anchor"})))
    with pytest.raises(InputError, match=r"h \+ g is 2; modulo 2 it is not from 0 to 1"):
        DiscreteWorld(law, 2)


@pytest.mark.parametrize(
    ("sample", "given"), [("S_anchor", ""), ("e_M", " given e_p = 0"), ("eps", " given p = 0")], ids=lambda x: x
)
def test_points_that_are_not_iid_are_refused(sample: str, given: str):
    """Two points that are copies, or independent with different laws."""
    fair, leaning = {0: HALF, 1: HALF}, {0: Fraction(1, 4), 1: Fraction(3, 4)}

    def pair(kind):
        second = {"iid": lambda _: fair, "copies": lambda x: {x: Fraction(1)}, "unequal": lambda _: leaning}[kind]
        return {(x, y): fair[x] * second(x)[y] for x in fair for y in second(x)}

    def world(kind):
        draws = {name: pair(kind if name == sample else "iid") for name in ("S_anchor", "e_M", "eps")}
        law = JointLaw.independent(S_anchor=draws["S_anchor"], p=[1], e_p=[1], e_M=draws["e_M"], eps=draws["eps"])
        law = law.derive("h", "e_p", lambda e: e).derive("g", "e_M", lambda e: e)
        law = law.derive("M", ("h", "g"), lambda h, g: tuple(h + x for x in g))
        law = law.derive("S_gen", ("M", "eps"), lambda m, e: (m[0] + e[0], m[1] + e[1]))
        return DiscreteWorld(law.derive("W", "S_gen", sum).derive("W_anchor", "S_anchor", sum))

    world("iid")
    for kind in ("copies", "unequal"):
        with pytest.raises(InputError, match=f"the points of {sample} are not iid{given}, see"):
            world(kind)


@pytest.mark.parametrize("exact", [True, False])
def test_a_factor_that_looks_at_another_point_is_refused(exact: bool):
    """g is one function for every point: otherwise the answers are no independent draws."""
    half = HALF if exact else 0.5

    def world(g):
        law = JointLaw.independent(
            S_anchor=[1],
            p=[1],
            e_p=[1],
            e_M=dict.fromkeys(itertools.product((0, 1), repeat=2), half * half),
            eps={(0, 0): 1},
        )
        law = law.derive("h", "e_p", lambda e: e).derive("g", "e_M", g).derive("M", "g", lambda g: g)
        return DiscreteWorld(
            law.derive("S_gen", "M", lambda m: m).derive("W", "S_gen", sum).derive("W_anchor", "p", lambda p: p)
        )

    world(lambda e: (3 * e[0], 3 * e[1]))
    for g in (lambda e: (e[0], e[0]), lambda e: (e[1], e[0]), lambda e: (e[0], 1 - e[1]), lambda e: (e[0],)):
        with pytest.raises(InputError, match="g is no function of one point's e_M"):
            world(g)


def test_a_sample_whose_size_is_random_is_refused():
    draws = {(0,): HALF, (0, 0): HALF}
    law = JointLaw.independent(S_anchor=draws, p=[1], e_p=[1], h=[1], e_M=[1], g=[1], M=[1], eps=[1], S_gen=[1], W=[1])
    with pytest.raises(InputError, match="points of S_anchor are not iid"):
        DiscreteWorld(law.derive("W_anchor", "S_anchor", lambda _: 0))
    for sizes in ((1, 2), (2, 1)):
        factor = {p: (0,) * size for p, size in enumerate(sizes)}
        law = JointLaw.independent(S_anchor=[1], p=[HALF, HALF]).derive("e_p", "p", lambda p: p)
        law = law.derive("h", "e_p", lambda _: 0).derive("e_M", "e_p", factor.get).derive("eps", "p", factor.get)
        for name, of in (("g", "e_M"), ("M", "g"), ("S_gen", "M")):
            law = law.derive(name, of, lambda x: x)
        law = law.derive("W", "S_gen", lambda _: 0).derive("W_anchor", "S_anchor", lambda _: 0)
        with pytest.raises(InputError, match=r"S_gen has \[1, 2\] points"):
            DiscreteWorld(law)
