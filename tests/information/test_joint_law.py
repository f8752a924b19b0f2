"""Joint laws as lists of atoms: against dictionaries that read like the definitions, dense arrays and SciPy."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dkps_theory._validate import InputError
from dkps_theory.information import discrete
from dkps_theory.information._cells import distinct_rows
from dkps_theory.information.joint_law import JointLaw
from dkps_theory.testing import strategies

quick = settings(max_examples=40, deadline=None)
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
EITHER = st.booleans().flatmap(lambda exact: strategies.joint_laws(max_letters=3, exact=exact))
GROUPS = ("x", "y", "z", ("x", "y"), ("z", "x"), ("y", "z"), ("x", "y", "z"), ())


def xor() -> JointLaw:
    return JointLaw.independent(x=[HALF, HALF], y=[HALF, HALF]).derive("z", ("x", "y"), lambda x, y: x ^ y)


# The slow twin: a law is a dictionary from outcomes to probabilities


def outcomes(law: JointLaw) -> dict[tuple, object]:
    table = law.table()
    return {
        tuple(own[code] for own, code in zip(law.letters, place, strict=True)): table[place]
        for place in np.ndindex(table.shape)
        if table[place] > 0
    }


def twin_margin(law: JointLaw, names) -> dict[tuple, float]:
    found: dict[tuple, float] = {}
    wanted = [law.names.index(name) for name in ((names,) if isinstance(names, str) else names)]
    for outcome, probability in outcomes(law).items():
        part = tuple(outcome[place] for place in wanted)
        found[part] = found.get(part, 0) + probability
    return found


def twin_entropy(law: JointLaw, *groups) -> float:
    """H of groups joined: -sum p log p; a variable that comes twice changes nothing."""
    names = [name for group in groups for name in ((group,) if isinstance(group, str) else group)]
    return -math.fsum(float(p) * math.log(p) for p in twin_margin(law, names).values())


@settings(quick, max_examples=12)
@given(EITHER)
def test_entropies_and_informations(law: JointLaw):
    for a, b in itertools.product(GROUPS, GROUPS):
        assert law.entropy(a, b) == pytest.approx(twin_entropy(law, a, b) - twin_entropy(law, b), abs=1e-13)
        for c in ("z", ("x", "y"), ()):
            by_entropies = twin_entropy(law, a, c) + twin_entropy(law, b, c) - twin_entropy(law, a, b, c)
            assert law.mutual_information(a, b, c) == pytest.approx(by_entropies - twin_entropy(law, c), abs=1e-13)


@quick
@given(strategies.joint_laws())
def test_dense_arrays_and_scipy_agree(law: JointLaw):
    table = law.table()
    assert law.entropy(law.names) == pytest.approx(stats.entropy(table.ravel()), abs=1e-13)
    for a, b, c in (("x", "y", ()), ("x", "y", "z"), (("x", "z"), "y", ()), ("z", "x", "y")):
        axes = [[law.names.index(name) for name in group] for group in (a, b, c)]
        dense = float(discrete.conditional_mutual_information(table, *axes))
        assert law.mutual_information(a, b, c) == pytest.approx(dense, abs=1e-13)
    x, y = table.sum((1, 2)), table.sum((0, 2))
    product = JointLaw.independent(x=x / x.sum(), y=y / y.sum())
    joint = law.margin("x", "y")
    assert joint.kl_divergence(product) == pytest.approx(law.mutual_information("x", "y"), abs=1e-13)
    dense = float(discrete.total_variation(joint.table(), product.table()))
    assert joint.total_variation(product) == pytest.approx(dense, abs=1e-13)


@quick
@given(EITHER)
def test_chain_rules_and_symmetry(law: JointLaw):
    H, I = law.entropy, law.mutual_information  # noqa: E741
    assert H(("x", "y", "z")) == pytest.approx(H("x") + H("y", "x") + H("z", ("x", "y")), abs=1e-13)
    assert I("x", ("y", "z")) == pytest.approx(I("x", "y") + I("x", "z", "y"), abs=1e-13)
    assert I("x", "x") == pytest.approx(H("x"), abs=1e-13)
    assert I("x", "y", ("x", "z")) == pytest.approx(0, abs=1e-13)
    three = [law.interaction_information(*order) for order in itertools.permutations("xyz")]
    assert three == pytest.approx([three[0]] * 6, abs=1e-13)
    assert law.interaction_information("x", "y", (), "z") == 0
    assert law.interaction_information("x", "y", "z", "z") == pytest.approx(0, abs=1e-13)


def test_three_bits_whose_sum_is_even_have_synergy_and_copies_redundancy():
    law = xor()
    assert law.mutual_information("x", "y") == law.mutual_information("x", "z") == 0
    assert law.interaction_information("x", "y", "z") == -math.log(2)
    copies = JointLaw.independent(x=[0.5, 0.5]).derive("y", "x", lambda x: x).derive("z", "x", lambda x: -x)
    assert copies.interaction_information("x", "y", "z") == math.log(2)
    assert len(copies.codes) == 2


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("epsilon", [Fraction(1, 10**3), Fraction(1, 10**6), Fraction(1, 10**9)])
def test_near_independence_the_relative_error_is_small(epsilon: Fraction, conditional: bool):
    """The twin is the same law with Fractions, whose information is enclosed to 128 bits.

    A ratio near 1 is known to about 4e-16, so its difference from 1 to 4e-16 / (epsilon / least cell), and the sum of
    its squares to twice that; the plain sum p log r is off by more than its value at epsilon = 1e-9.
    """
    product = np.outer([Fraction(w, 29) for w in (3, 7, 19)], [Fraction(w, 31) for w in (2, 5, 11, 13)])
    product = product[:, :, None] * np.array([Fraction(1, 4), Fraction(3, 4)])[None, None, :]
    moved = product.copy()
    moved[:2, :2] += epsilon * np.array([[[1], [-1]], [[-1], [1]]]) / 2
    exact, apart = (JointLaw.from_table(("x", "y", "z"), table) for table in (moved, product))
    floats, floats_apart = (JointLaw.from_table(law.names, law.table().astype(float)) for law in (exact, apart))
    tolerance = 2 * 4e-16 / float(epsilon)
    given_z = "z" if conditional else ()
    truth = float(exact.enclosure.mutual_information("x", "y", given_z))
    assert 1 < truth / float(epsilon) ** 2 < 1000
    assert floats.mutual_information("x", "y", given_z) == pytest.approx(truth, rel=tolerance, abs=0)
    assert exact.mutual_information("x", "y", given_z) == pytest.approx(truth, rel=tolerance, abs=0)
    truth = float(exact.enclosure.kl_divergence(apart))
    assert floats.kl_divergence(floats_apart) == pytest.approx(truth, rel=tolerance, abs=0)


# Chains


@st.composite
def chains(draw, exact: bool = True) -> JointLaw:
    sizes = draw(st.tuples(*[st.integers(1, 4)] * 3))
    law = JointLaw.independent(x=draw(strategies.channels(1, sizes[0], exact=exact))[0])
    law = law.then("y", "x", draw(strategies.channels(sizes[0], sizes[1], exact=exact)))
    return law.then("z", "y", draw(strategies.channels(sizes[1], sizes[2], exact=exact)))


@quick
@given(chains())
def test_data_processing_on_exact_chains(law: JointLaw):
    assert law.exact
    assert law.is_markov("x", "y", "z")
    assert law.is_markov("z", "y", "x")
    known = law.enclosure.mutual_information
    assert known("x", "z", "y") == 0
    assert known("x", "z") <= known("x", "y")
    assert known("x", "z") <= known("y", "z")
    pushed = law.derive("w", "y", lambda y: y // 2).enclosure.mutual_information
    assert pushed("x", "w") <= pushed("x", "y")


@quick
@given(chains(exact=False))
def test_chains_in_double_precision(law: JointLaw):
    assert law.is_markov("x", "y", "z")
    assert law.mutual_information("x", "z") <= law.mutual_information("x", "y") + 1e-14


@quick
@given(strategies.joint_laws(exact=True))
def test_the_exact_markov_property_is_zero_information(law: JointLaw):
    for a, b, c in (("x", "y", "z"), ("x", (), "z"), (("x", "y"), "z", "x")):
        assert law.is_markov(a, b, c) == (law.enclosure.mutual_information(a, c, b) == 0)


def test_a_dependence_of_one_in_10_to_the_30_is_seen_exactly_and_not_in_double_precision():
    tiny = Fraction(1, 10**30)
    table = [[Fraction(1, 4) + tiny, Fraction(1, 4) - tiny], [Fraction(1, 4) - tiny, Fraction(1, 4) + tiny]]
    law = JointLaw.from_table(("x", "y"), table)
    assert not law.is_markov("x", (), "y")
    assert law.enclosure.mutual_information("x", "y") > 0
    assert JointLaw.from_table(("x", "y"), law.table().astype(float)).is_markov("x", (), "y")


# Structure


@quick
@given(strategies.joint_laws(exact=True), st.data())
def test_structure_against_dictionaries(law: JointLaw, data):
    outcome = outcomes(law)
    assert outcomes(law.margin("z", "x")) == twin_margin(law, ("z", "x"))
    assert {k: p for k, p in law.law("y").items() if p} == {k: p for (k,), p in twin_margin(law, "y").items()}
    assert sum(law.law("y").values()) == 1
    derived = law.derive("s", ("z", "x"), lambda z, x: 3 * z - x)
    assert outcomes(derived) == {(*o, 3 * o[2] - o[0]): p for o, p in outcome.items()}
    assert derived.letters[-1] == tuple(sorted({o[-1] for o in outcomes(derived)}))
    kz, kx = len(law.letters[2]), len(law.letters[0])
    channel = data.draw(strategies.channels(kz * kx, 3, exact=True)).reshape(kz, kx, 3)
    chosen = {(*o, w): p * channel[o[2], o[0], w] for o, p in outcome.items() for w in range(3)}
    chosen = {o: p for o, p in chosen.items() if p}
    shapes = (
        channel,
        channel.tolist(),
        lambda z, x: channel[z, x],
        lambda z, x: dict(enumerate(channel[z, x])),
        {place: list(channel[place]) for place in np.ndindex(kz, kx)},
    )
    for same in shapes:
        assert outcomes(law.then("w", ("z", "x"), same)) == chosen
    event = data.draw(st.sampled_from(sorted(outcome)))
    total = sum(p for o, p in outcome.items() if o[1:] == event[1:])
    inside = {o: p / total for o, p in outcome.items() if o[1:] == event[1:]}
    assert outcomes(law.condition(y=event[1], z=event[2])) == inside
    mean = law.expectation(lambda z, x: z**2 - 2 * x, "z", "x")
    assert mean == sum(p * (o[2] ** 2 - 2 * o[0]) for o, p in outcome.items())
    assert isinstance(mean, Fraction)
    renamed = law.relabel(x="u", z="x")
    assert renamed.names == ("u", "y", "x")
    assert outcomes(renamed) == outcome
    assert law.condition().codes.shape == law.codes.shape


def test_letters_of_any_kind():
    law = JointLaw.independent(x={(1, 0): 0.25, (0, 1): 0.75}, y={"b": 0.5, None: 0.5})
    assert law.letters == (((0, 1), (1, 0)), ("b", None))
    assert law.law("y") == {"b": 0.5, None: 0.5}
    grown = law.then("z", "x", lambda x: [0.5, 0.5] if x == (0, 1) else [0.0, 1.0], letters=("no", "yes"))
    assert grown.law("z") == {"no": 0.375, "yes": 0.625}
    assert grown.condition(x=(1, 0)).law("z") == {"no": 0.0, "yes": 1.0}
    assert JointLaw.independent(x=jnp.array([0.5, 0.5])).law("x") == {0: 0.5, 1: 0.5}
    assert grown.expectation(lambda z: z == "yes", "z") == 0.625
    sparse = JointLaw.independent(x=[0.5, 0.0, 0.5]).then("y", "x", {0: [1, 0], 2: {1: 0.5, 5: 0.5}})
    assert sparse.law("y") == {0: 0.5, 1: 0.25, 5: 0.25}


def test_atoms_given_twice_are_added_and_those_of_probability_zero_dropped():
    codes = np.array([[1, 0], [0, 1], [1, 0], [0, 0]])
    law = JointLaw(("x", "y"), ((0, 1), (0, 1)), codes, np.array([0.25, 0.5, 0.25, 0.0]))
    assert law.codes.tolist() == [[0, 1], [1, 0]]
    assert law.probabilities.tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="read-only"):
        law.probabilities[0] = 1


def test_rows_are_told_apart_by_table_by_sort_and_beyond_64_bits():
    generator = np.random.default_rng(3)
    for columns, size in ((2, 3), (6, 10), (40, 5)):
        codes = generator.integers(0, size, (50, columns))
        codes[25:] = codes[generator.integers(0, 25, 25)]
        labels, first = distinct_rows(codes, [size] * columns)
        distinct, index, inverse = np.unique(codes, axis=0, return_index=True, return_inverse=True)
        np.testing.assert_array_equal(labels, inverse.ravel())
        np.testing.assert_array_equal(first, index)
        np.testing.assert_array_equal(codes[first], distinct)


def test_a_world_of_many_variables_has_as_many_atoms_as_outcomes():
    law = JointLaw.independent(v0=[0.25] * 4, v1=[0.25] * 4)
    for k in range(2, 40):
        law = law.derive(f"v{k}", (f"v{k - 2}", f"v{k - 1}"), lambda a, b: (a + b) % 4)
    assert len(law.codes) == 16
    assert law.entropy(law.names) == pytest.approx(2 * math.log(4), abs=1e-15)
    assert law.mutual_information(("v3", "v7"), ("v0", "v1")) == pytest.approx(law.entropy(("v3", "v7")), abs=1e-15)
    with pytest.raises(InputError, match=r"would have 1.21e\+24 cells"):
        law.table()


# Two laws


def test_laws_are_compared_letter_by_letter_whatever_their_order():
    p = JointLaw.independent(x={"a": HALF, "b": HALF}, y={0: HALF, 1: HALF})
    q = JointLaw.independent(y={1: HALF, 0: HALF}, x={"c": THIRD, "b": THIRD, "a": THIRD})
    assert p.total_variation(q) == pytest.approx(1 / 3, abs=1e-15)
    assert p.kl_divergence(q) == pytest.approx(math.log(1.5), abs=1e-15)
    assert q.kl_divergence(p) == math.inf
    upper = JointLaw.independent(x={"b": HALF, "c": HALF}, y=[HALF, HALF])
    assert p.total_variation(upper) == upper.total_variation(p) == 0.5
    floats = JointLaw.independent(x={"a": 0.5, "b": 0.5}, y=[0.5, 0.5])
    assert p.total_variation(floats) == p.kl_divergence(floats) == 0


@quick
@given(strategies.joint_laws(("x", "y"), 2), strategies.joint_laws(("x", "y"), 2))
def test_total_variation_is_the_largest_difference_of_one_event(p: JointLaw, q: JointLaw):
    first, second = outcomes(p), outcomes(q)
    differences = [first.get(o, 0.0) - second.get(o, 0.0) for o in {*first, *second}]
    events = itertools.product([0, 1], repeat=len(differences))
    largest = max(abs(sum(d * inside for d, inside in zip(differences, event, strict=True))) for event in events)
    assert p.total_variation(q) == pytest.approx(largest, abs=1e-14)
    if set(first) <= set(second):
        divergence = math.fsum(x * math.log(x / second[o]) for o, x in first.items())
        assert p.kl_divergence(q) == pytest.approx(divergence, abs=1e-14)
    else:
        assert p.kl_divergence(q) == math.inf


def test_probabilities_that_overflow_a_ratio_or_have_no_double():
    least = Fraction(1, 10**400)
    table = [[least, 0], [0, 1 - least]]
    law = JointLaw.from_table(("x", "y"), table)
    assert law.mutual_information("x", "y") == law.entropy("x") == law.entropy("x", "y") == 0  # 9e-398
    half, apart = JointLaw.independent(x=[HALF, HALF]), law.margin("x")
    truth = 200 * math.log(10) - math.log(2)
    assert half.kl_divergence(apart) == pytest.approx(truth, rel=1e-15)
    assert JointLaw.independent(x=[0.5, 0.5]).kl_divergence(apart) == pytest.approx(truth, rel=1e-15)
    assert apart.kl_divergence(half) == pytest.approx(math.log(2), rel=1e-15)
    tiny = JointLaw.from_table(("x", "y"), [[1e-310, 0], [0, 1]])
    assert tiny.mutual_information("x", "y") == pytest.approx(1e-310 * (1 + 310 * math.log(10)), rel=1e-9)
    floats = JointLaw.independent(x=[0.5, 0.5]).kl_divergence(tiny.margin("x"))
    assert floats == pytest.approx(155 * math.log(10) - math.log(2), rel=1e-12)


# Modes and errors


def test_zero_and_one_go_with_floats_and_with_fractions():
    copy = np.eye(2)
    assert JointLaw.independent(x=[HALF, HALF]).then("y", "x", copy).exact
    assert not JointLaw.independent(x=[0.5, 0.5]).then("y", "x", copy.astype(int)).exact
    assert JointLaw.independent(x=[1.0, 0.0]).then("y", "x", [[HALF, HALF], [0, 1]]).exact
    assert not JointLaw.independent(x=[1, 0]).then("y", "x", [[0.5, 0.5], [0.5, 0.5]]).exact
    assert JointLaw.from_table("x", [0, 1]).exact
    assert not JointLaw.from_table("x", [0.0, 1]).exact
    assert JointLaw.from_table("x", [0.0, HALF, HALF]).exact
    assert JointLaw.from_table("x", np.array([True, False])).exact
    exact = JointLaw.independent(x=[THIRD, 2 * THIRD])
    assert exact.expectation(lambda x: 0.5 * x, "x") == pytest.approx(1 / 3)


def test_floats_that_miss_1_by_rounding_are_scaled():
    law = JointLaw.independent(x=np.full(10, 0.1 * (1 + 5e-13)))
    assert law.probabilities.sum() == pytest.approx(1, abs=3e-16)
    assert abs(law.entropy("x") - math.log(10)) < 1e-15


BITS = JointLaw.independent(bit=[0.5, 0.5], coin=[0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: JointLaw.independent(x=[0.5, 0.4]), "x: sums to 0.9; probabilities must sum to 1"),
        (lambda: JointLaw.independent(x=[HALF, THIRD]), "x: sums to 5/6"),
        (lambda: JointLaw.independent(x=[HALF, HALF + Fraction(1, 10**30)]), "x: sums to 10000"),
        (lambda: JointLaw.independent(x=[1.5, -0.5]), "x: the least is -0.5; probabilities are not negative"),
        (lambda: JointLaw.independent(x=[math.nan, 1.0]), "x: 1 value not finite"),
        (lambda: JointLaw.independent(x=[0.5, HALF]), "x: floats are mixed with Fractions"),
        (lambda: JointLaw.independent(x=[0.5, 0.5], y=[HALF, HALF]), "y: floats are mixed with Fractions"),
        (lambda: JointLaw.independent(x=["a", "b"]), "x: got 'a'; probabilities are floats or Fractions"),
        (lambda: JointLaw.independent(x=1), "x: got 1; a law is a sequence of probabilities or a mapping"),
        (lambda: JointLaw.independent(x=[]), "x: is empty"),
        (lambda: JointLaw.from_table("x", [[0.5], [0.5, 0.0]]), r"table: got \[0.5\]; .* rows must be of one length"),
        (lambda: JointLaw.from_table("x", [0.5, 0.5], 5), "letters: got 5; they must be a sequence"),
        (lambda: JointLaw.from_table("x", [0.5, 0.5], [5]), "letters of x: got 5; they must be a sequence"),
        (lambda: BITS.then("w", "bit", np.eye(2), letters=5), "letters of w: got 5; they must be a sequence"),
        (lambda: JointLaw.from_table(("x", "y"), [0.5, 0.5]), "table: has 1 axes for the variables"),
        (lambda: JointLaw.from_table("x", [0.5, 0.5], [(1, 2, 3)]), "x: 2 probabilities for 3 letters"),
        (lambda: JointLaw.from_table("x", [0.5, 0.5], [(1, 1)]), "letters of x: got .1, 1.; they must be distinct"),
        (lambda: JointLaw.from_table(("x", "x"), np.full((2, 2), 0.25)), "names: 'x' comes twice"),
        (lambda: JointLaw(("x",), ((0, 1),), np.array([[2]]), np.ones(1)), "codes: one has no letter"),
        (lambda: JointLaw(("x",), ((0, 1),), np.array([[0.0]]), np.ones(1)), "codes: got float64 of shape"),
        (lambda: JointLaw(("x",), ((0, 1),), np.array([[0]]), np.ones(2)), r"probabilities: got shape \(2,\)"),
        (lambda: JointLaw(("x",), (), np.array([[0]]), np.ones(1)), "letters: those of 0 variables for 1 names"),
        (
            lambda: JointLaw((1,), ((0, 1),), np.array([[0]]), np.ones(1)),
            "names: got 1; the name of a variable is text",
        ),
        (lambda: BITS.entropy("bits"), "unknown variable 'bits'; did you mean 'bit'?"),
        (lambda: BITS.mutual_information("bit", ("coin", "con")), "unknown variable 'con'; did you mean 'coin'?"),
        (lambda: BITS.entropy(3), "variables: got 3; give a name or a sequence of names"),
        (lambda: BITS.relabel(bit="coin"), "names: 'coin' comes twice"),
        (lambda: BITS.condition(bit=2), "bit: 2 is none of its letters"),
        (lambda: BITS.condition(bit=[0]), "bit: unhashable type: 'list'; letters must be hashable"),
        (lambda: xor().condition(x=0, y=0, z=1), "'z': 1} has probability 0, so there is no law given it"),
        (lambda: BITS.then("bit", (), [1.0]), "names: 'bit' comes twice"),
        (lambda: BITS.then("w", "bit", [[0.5, 0.5], [0.5, 0.25]]), "w given 1: sums to 0.75"),
        (lambda: BITS.then("w", ("bit", "coin"), lambda b, c: [b, c]), "w given 0, 0: sums to 0"),
        (lambda: BITS.then("w", "bit", np.eye(3)), r"w: the channel has shape \(3, 3\); it must be \(2, k\)"),
        (lambda: BITS.then("w", "bit", np.eye(2), letters="abc"), "w: 2 probabilities for 3 letters"),
        (lambda: BITS.then("w", "bit", lambda b: [1, 0], letters="abc"), "w given 0: 2 probabilities for 3 letters"),
        (lambda: BITS.then("w", "bit", lambda b: {"d": 1}, letters="abc"), "w: 'd' is none of its letters"),
        (lambda: BITS.then("w", "bit", {0: [0.5, 0.5]}), "w: the channel says nothing of 1"),
        (lambda: BITS.then("w", "bit", 0.5), "w: got 0.5; a channel is an array, a function"),
        (lambda: BITS.derive("w", "bit", lambda b: [b]), "w: unhashable type: 'list'; letters must be hashable"),
        (lambda: BITS.expectation(lambda b: "b", "bit"), "expectation: the function returned 'b'"),
        (lambda: BITS.expectation(lambda b: math.inf, "bit"), "returned inf, which is no finite number"),
        (lambda: BITS.total_variation(BITS.margin("bit")), "it must be a law of the variables bit, coin"),
        (lambda: BITS.kl_divergence(np.ones(2)), "it must be a law of the variables bit, coin"),
    ],
)
def test_what_is_wrong_is_said(call, says: str, unannotated):
    with pytest.raises(InputError, match=says):
        call()
