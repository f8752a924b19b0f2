"""The certificate checker: exact arithmetic, false assertions found, malformed certificates refused."""

from __future__ import annotations

import ast
import inspect
import random
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


@pytest.mark.parametrize("path", sorted(CERTIFICATES.glob("*.json")), ids=lambda path: path.stem)
def test_stored_certificates_verify_and_each_of_their_assertions_could_fail(path):
    certificate = checker.load(path)
    assert checker.failures(certificate) == []
    opposite = {"==": "!=", "!=": "==", "<": "==", "<=": "<"}
    for place, (relation, left, right) in enumerate(certificate["assert"]):
        others = [list(item) for item in certificate["assert"]]
        others[place] = [opposite[relation], left, right]
        assert len(checker.failures({**certificate, "assert": others})) == 1, (relation, left, right)


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


@pytest.mark.parametrize(
    ("certificate", "message"),
    [
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
