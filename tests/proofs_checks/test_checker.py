"""The certificate checker: exact arithmetic, false assertions found, malformed certificates refused."""

from __future__ import annotations

import ast
import inspect
from fractions import Fraction

import pytest

from proofs_checks.evidence import checker
from proofs_checks.evidence.certified import CERTIFICATES


def test_uses_nothing_but_the_standard_library():
    tree = ast.parse(inspect.getsource(checker))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert imported <= {"__future__", "collections", "fractions", "json", "operator", "pathlib", "typing"}


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


@pytest.mark.parametrize(
    ("certificate", "message"),
    [
        ({"given": {}, "assert": []}, "asserts nothing"),
        ({"given": {}, "assert": [["~", "1", "1"]]}, "unknown relation"),
        ({"given": {}, "assert": [["==", ["det", "1"], "1"]]}, "unknown operation"),
        ({"given": {"Z": [["0", "1"]]}, "assert": [["==", ["distances", "Z"], "0"]]}, "one column"),
    ],
)
def test_malformed_certificates_are_refused(certificate, message):
    with pytest.raises(checker.CertificateError, match=message):
        checker.failures(certificate)
