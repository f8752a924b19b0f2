"""The certificate checker: exact arithmetic, false assertions found, malformed certificates refused."""

from __future__ import annotations

import ast
import inspect
import itertools
import random
import re
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize

from proofs_checks.evidence import checker
from proofs_checks.evidence.certified import CERTIFICATES


def test_uses_nothing_but_the_standard_library():
    tree = ast.parse(inspect.getsource(checker))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert imported <= {"__future__", "collections", "fractions", "itertools", "json", "operator", "pathlib", "typing"}


#: Identities, true of all numbers: what can be wrong in them is the constants they are written with.
IDENTITIES = {("h25-x2-fisher", 8), ("h25-x5-estimated", 12)}
NUMBERS = (
    lambda x: x + Fraction(1, 10),
    lambda _: Fraction(0),
    lambda x: x + 1,
    lambda x: -x - 1,
    lambda _: Fraction(100),
    lambda _: Fraction(-100),
)


@pytest.mark.parametrize("path", sorted(CERTIFICATES.glob("*.json")), ids=lambda path: path.stem)
def test_stored_certificates_verify_and_each_of_their_assertions_can_fail(path):
    """For each assertion some other numbers are found of which it is false, by its own relation and not by an error."""
    certificate = checker.load(path)
    assert checker.failures(certificate) == []
    given = {name: checker.parse(value) for name, value in certificate["given"].items()}
    for place, assertion in enumerate(certificate["assert"]):
        names = sorted(words(assertion) & set(given))
        if names and (path.stem, place) not in IDENTITIES:
            assert any(false(assertion, given | other) for other in others(names, given)), assertion
        else:
            assert any(false(changed, given) for changed in with_other_constants(assertion)), assertion


def words(expression):
    return {expression} if isinstance(expression, str) else {word for part in expression for word in words(part)}


def false(assertion, given):
    relation, *sides = assertion
    try:
        values = dict(zip(("left", "right"), (as_text(checker.evaluate(side, given)) for side in sides), strict=True))
    except (ValueError, ZeroDivisionError):
        return False  # no law, no power of 1/2, shapes that do not fit: refused before anything is compared
    return checker.failures({"given": values, "assert": [[relation, "left", "right"]]}) != []


def as_text(value):
    return [as_text(part) for part in value] if isinstance(value, list) else str(value)


def others(names, given):
    """Yield other values: of one name, or for whole columns 0 or all different in some of the names at once."""
    for name in names:
        same_shape = [value for other, value in given.items() if other != name and size(value) == size(given[name])]
        yield from ({name: value} for value in (*same_shape, *other_values(given[name])))
    columns = [name for name in names if size(given[name])[1:] == (1,)]
    for kinds in itertools.product((None, 0, 1), repeat=len(columns)):
        yield {
            name: [[Fraction(kind * row)] for row in range(len(given[name]))]
            for name, kind in zip(columns, kinds, strict=True)
            if kind is not None
        }


def size(value):
    return (len(value), len(value[0])) if isinstance(value, list) else ()


def other_values(value):
    if not isinstance(value, list):
        yield from (change(value) for change in NUMBERS)
        return
    rows, columns = len(value), len(value[0])
    total = sum(x for row in value for x in row)
    yield [[Fraction(0)] * columns for _ in value]
    yield value[::-1]
    yield [[total if i == j == 0 else Fraction(0) for j in range(columns)] for i in range(rows)]
    for (i, j), change in itertools.product(itertools.product(range(rows), range(columns)), NUMBERS):
        one = [list(row) for row in value]
        one[i][j] = change(value[i][j])
        yield one
        if rows == columns and i != j:  # dissimilarities are symmetric
            yield [[one[i][j] if (k, m) == (j, i) else x for m, x in enumerate(row)] for k, row in enumerate(one)]


def with_other_constants(expression):
    """Yield the expression with one of the numbers written in it raised by one, or doubled."""
    if not isinstance(expression, str):
        for place, part in enumerate(expression):
            yield from ([*expression[:place], other, *expression[place + 1 :]] for other in with_other_constants(part))
    elif re.fullmatch(r"-?\d+(/\d+)?", expression):
        yield from (str(Fraction(expression) + 1), str(2 * Fraction(expression)))


def test_arithmetic():
    given = {"Z": checker.parse([["0"], ["1"], ["3"]])}
    assert checker.evaluate(["rank", ["gram", ["squared_distances", "Z"]]], given) == 1
    assert checker.evaluate(["rank", ["gram", ["distances", "Z"]]], given) == 2
    assert checker.evaluate(["sum_squares", ["-", "Z", "Z"]], given) == 0
    assert checker.evaluate(["entry", ["distances", "Z"], "0", "2"], given) == 3
    assert checker.gram([[Fraction(0), Fraction(4)], [Fraction(4), Fraction(0)]]) == [[1, -1], [-1, 1]]


def test_least_stress_on_the_line_is_what_a_search_from_many_starts_finds():
    generator = random.Random(5)
    for _ in range(6):
        delta = [[Fraction(0)] * 4 for _ in range(4)]
        for i in range(4):
            for j in range(i):
                delta[i][j] = delta[j][i] = Fraction(generator.randint(0, 12), 4)
        target = np.asarray(delta, float)

        def stress(z, target=target):
            return np.square(np.abs(z[:, None] - z[None]) - target).sum()

        starts = np.random.default_rng(1).normal(size=(60, 4)) * 2
        found = min(
            minimize(stress, z, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).fun for z in starts
        )
        assert found == pytest.approx(float(checker.least_stress(delta)), rel=1e-6, abs=1e-9)
        best = np.array([float(x) for x in checker.best_on_line(delta)])
        assert stress(best) == pytest.approx(float(checker.least_stress(delta)), abs=1e-12)


def test_orders_at_the_least_stress_are_counted_up_to_reversal():
    equal = [[Fraction(i != j) for j in range(3)] for i in range(3)]
    assert checker.least_orders(equal) == 3
    assert checker.least_stress(equal) == Fraction(2, 3)
    assert checker.least_orders([[abs(Fraction(x - y)) for y in (0, 1, 5)] for x in (0, 1, 5)]) == 1


def test_entropy_in_bits_of_dyadic_laws_is_the_sum_of_p_log_1_over_p():
    generator = random.Random(7)
    for _ in range(20):
        law = [Fraction(1)]  # split letters in half at random: every dyadic law arises so
        for _ in range(generator.randint(0, 6)):
            half = law.pop(generator.randrange(len(law))) / 2
            law += [half, half]
        law += [Fraction(0)] * generator.randint(0, 2)
        expected = -sum(float(p) * np.log2(float(p)) for p in law if p)
        assert float(checker.entropy_bits([law])) == expected
        assert checker.entropy_bits([[p] for p in law]) == checker.entropy_bits([law])
    assert checker.entropy_bits([[Fraction(1)]]) == 0


def test_entropy_in_bits_of_variables_adds_up_outcomes_on_which_all_agree():
    given = {
        "P": checker.parse([["1/4"]] * 4),
        "X": checker.parse([["0"], ["0"], ["1"], ["1"]]),
        "Y": checker.parse([["0"], ["1"], ["0"], ["1"]]),
        "Z": checker.parse([["0"], ["1"], ["1"], ["0"]]),
        "and": checker.parse([["0"], ["0"], ["0"], ["1"]]),
        "none": checker.parse([["5"]] * 4),
    }
    for names, bits in ((["X"], 1), (["X", "Y"], 2), (["X", "Y", "Z"], 2), (["Z", "Z"], 1), (["none"], 0), ([], 2)):
        assert checker.evaluate(["entropy_bits", "P", *names], given) == bits
    with pytest.raises(checker.CertificateError, match="3/4 is no power of 1/2"):
        checker.evaluate(["entropy_bits", "P", "and"], given)


@pytest.mark.parametrize(
    ("certificate", "message"),
    [
        ({"given": {"P": [["1/4", "3/4"]]}, "assert": [["==", ["entropy_bits", "P"], "0"]]}, "no power of 1/2"),
        ({"given": {"P": [["1/2", "1/4"]]}, "assert": [["==", ["entropy_bits", "P"], "0"]]}, "wants a law"),
        ({"given": {"P": []}, "assert": [["==", ["entropy_bits", "P"], "0"]]}, "wants a law"),
        ({"given": {"P": [["3/2", "-1/2"]]}, "assert": [["==", ["entropy_bits", "P"], "0"]]}, "wants a law"),
        (
            {"given": {"P": [["1/2"], ["1/2"]], "X": [["0"]]}, "assert": [["==", ["entropy_bits", "P", "X"], "0"]]},
            "wants columns",
        ),
        (
            {"given": {"P": [["1/2", "1/2"]], "X": [["0", "1"]]}, "assert": [["==", ["entropy_bits", "P", "X"], "0"]]},
            "wants columns",
        ),
        ({"given": {}, "assert": []}, "asserts nothing"),
        ({"given": {}, "assert": [["~", "1", "1"]]}, "unknown relation"),
        ({"given": {}, "assert": [["==", ["det", "1"], "1"]]}, "unknown operation"),
        ({"given": {"D": [["0", "1"], ["2", "0"]]}, "assert": [["==", ["least_stress", "D"], "0"]]}, "dissimilarities"),
        ({"given": {"Z": [["0", "1"]]}, "assert": [["==", ["distances", "Z"], "0"]]}, "one column"),
    ],
)
def test_malformed_certificates_are_refused(certificate, message):
    with pytest.raises(checker.CertificateError, match=message):
        checker.failures(certificate)
