"""Verifies certificates with Python's fractions and nothing else, so that a reader can check the checker.

A certificate is JSON: ``{"claim", "says", "given": {name: value}, "assert": [[relation, left, right], ...]}``. Values
are numbers written as strings ("3/7"), or nested lists of them. Expressions are a given name, a number, or
``[operation, argument, ...]``:

=================  =====================================================================
+ - * /            of numbers, or + and - of matrices
matmul T scale     matrix product, transpose, number times matrix
sum_squares        squared Frobenius norm
squared_distances  of the rows of a matrix, as a matrix
distances          of the rows of a matrix with one column, |z_i - z_j|
multiply           entrywise product of two matrices
gram               -1/2 H A H with H = I - 11'/n
rank               by exact elimination
sum entry max_abs  of a matrix; entry takes (matrix, row, column), counted from 0
least_stress       minimum of raw stress on the line, over all configurations, of dissimilarities
least_orders       how many orders of the points, up to reversal, reach it
entropy_bits       of a law, or of what columns of values say under it (below)
=================  =====================================================================

Raw stress on the line: for points in a given order the best coordinates without regard to the order are
x_i = (1/n) sum_j s_ij D_ij, s_ij = 1 where j comes before i and -1 where it comes after, with value
V = sum D^2 - 2 n sum x_i^2 for sum over ordered pairs of (s_ij (x_i - x_j) - D_ij)^2. That sum is at least the stress
of any x, since (|a| - D)^2 <= (a - D)^2 for D >= 0, and equals it for an x in this order. So the least V over all
orders is the least stress; and each order gives one x, so there are at most least_orders minimisers up to motions.

Entropy in bits: (law) takes the entries of a matrix for the probabilities of as many letters; (law, X, Y, ...) takes
the law as one column, a row for each outcome, and X, Y, ... as columns of the values that variables have there, and
adds up the outcomes on which all of them agree. A probability 2^-k brings k 2^-k, and 0 brings 0, so that the entropy
is rational; any other probability is refused.

Relations: ``==``, ``!=``, ``<``, ``<=`` between numbers, ``==`` and ``!=`` between matrices too.
"""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

Matrix = list[list[Fraction]]


class CertificateError(ValueError):
    """A certificate is malformed, or one of its assertions is false."""


def _matmul(a: Matrix, b: Matrix) -> Matrix:
    return [
        [sum((x * y for x, y in zip(row, column, strict=True)), Fraction(0)) for column in _transpose(b)] for row in a
    ]


def _transpose(a: Matrix) -> Matrix:
    return [list(column) for column in zip(*a, strict=True)]


def _entrywise(op: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Any, Any], Any]:
    def apply(a: Any, b: Any) -> Any:
        if isinstance(a, list) != isinstance(b, list):
            raise CertificateError("entrywise operation between a number and a matrix")
        if not isinstance(a, list):
            return op(a, b)
        return [[op(x, y) for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]

    return apply


def squared_distances(z: Matrix) -> Matrix:
    """Return the squared distances of the rows."""
    return [[sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0)) for b in z] for a in z]


def _distances(z: Matrix) -> Matrix:
    if any(len(row) != 1 for row in z):
        raise CertificateError("distances: only a matrix with one column has rational ones")
    return [[abs(a[0] - b[0]) for b in z] for a in z]


def gram(a: Matrix) -> Matrix:
    """Return -1/2 H a H."""
    n = len(a)
    rows, columns = ([sum(row, Fraction(0)) / n for row in matrix] for matrix in (a, _transpose(a)))
    total = sum(rows, Fraction(0)) / n
    return [[-(a[i][j] - rows[i] - columns[j] + total) / 2 for j in range(n)] for i in range(n)]


def rank(a: Matrix) -> Fraction:
    """Return the rank, by exact elimination."""
    work, found = [row[:] for row in a], 0
    for column in range(len(work[0])):
        pivot = next((i for i in range(found, len(work)) if work[i][column]), None)
        if pivot is None:
            continue
        work[found], work[pivot] = work[pivot], work[found]
        for i in range(found + 1, len(work)):
            factor = work[i][column] / work[found][column]
            work[i] = [x - factor * y for x, y in zip(work[i], work[found], strict=True)]
        found += 1
        if found == len(work):
            break
    return Fraction(found)


def by_order(a: Matrix) -> list[tuple[Fraction, list[Fraction]]]:
    """Return V and x, as above, of every order of the points, reversals left out."""
    n, total = len(a), sum((x * x for row in a for x in row), Fraction(0))
    if n > 6 or any(a[i][i] != 0 or a[i][j] != a[j][i] or a[i][j] < 0 for i in range(n) for j in range(n)):
        raise CertificateError("least stress: wants dissimilarities of at most six points")
    found = []
    for order in itertools.permutations(range(n)):
        if order[0] <= order[-1]:  # an order and its reversal are one configuration and its mirror image
            place = {point: index for index, point in enumerate(order)}
            signs = [[(place[i] > place[j]) - (place[i] < place[j]) for j in range(n)] for i in range(n)]
            x = [
                sum((s * t for s, t in zip(*rows, strict=True)), Fraction(0)) / n for rows in zip(signs, a, strict=True)
            ]
            found.append((total - 2 * n * sum((y * y for y in x), Fraction(0)), x))
    return found


def least_stress(a: Matrix) -> Fraction:
    """Return the least raw stress on the line."""
    return min(value for value, _ in by_order(a))


def best_on_line(a: Matrix) -> list[Fraction]:
    """Return a configuration on the line that has it."""
    return min(by_order(a))[1]


def least_orders(a: Matrix) -> Fraction:
    """Return how many orders of the points, up to reversal, reach the least raw stress on the line."""
    values = [value for value, _ in by_order(a)]
    return Fraction(values.count(min(values)))


def entropy_bits(law: Matrix, *variables: Matrix) -> Fraction:
    """Return the entropy in bits of the law, or of the variables under it, where all probabilities are dyadic."""
    outcomes = [probability for row in law for probability in row]
    if min(outcomes, default=0) < 0 or sum(outcomes) != 1:
        raise CertificateError(f"entropy_bits: wants a law; the entries sum to {sum(outcomes)}")
    if variables and any(
        len(column) != len(law) or any(len(row) != 1 for row in [*law, *column]) for column in variables
    ):
        raise CertificateError("entropy_bits: wants columns, with a row for each outcome of the law")
    letters = list(zip(*([row[0] for row in column] for column in variables), strict=True)) or range(len(outcomes))
    sums: dict[Any, Fraction] = {}
    for letter, probability in zip(letters, outcomes, strict=True):
        sums[letter] = sums.get(letter, Fraction(0)) + probability
    return sum((p * _exponent(p) for p in sums.values() if p), Fraction(0))


def _exponent(p: Fraction) -> int:
    """Return k where p = 2^-k."""
    if p.numerator != 1 or p.denominator & (p.denominator - 1):
        raise CertificateError(f"entropy_bits: {p} is no power of 1/2, so the entropy need not be rational")
    return p.denominator.bit_length() - 1


#: What an expression may call.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": _entrywise(operator.add),
    "-": _entrywise(operator.sub),
    "multiply": _entrywise(operator.mul),
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "matmul": _matmul,
    "T": _transpose,
    "scale": lambda s, a: [[s * x for x in row] for row in a],
    "sum_squares": lambda a: sum((x * x for row in a for x in row), Fraction(0)),
    "squared_distances": squared_distances,
    "distances": _distances,
    "gram": gram,
    "rank": rank,
    "sum": lambda a: sum((x for row in a for x in row), Fraction(0)),
    "max_abs": lambda a: max(abs(x) for row in a for x in row),
    "least_stress": least_stress,
    "least_orders": least_orders,
    "entropy_bits": entropy_bits,
    "entry": lambda a, i, j: a[int(i)][int(j)],
}
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
}


def parse(value: Any) -> Any:
    """Turn strings and nested lists of strings into fractions."""
    return [parse(item) for item in value] if isinstance(value, list) else Fraction(value)


def evaluate(expression: Any, given: dict[str, Any]) -> Any:
    """Return the exact value of an expression."""
    if isinstance(expression, str):
        return given[expression] if expression in given else Fraction(expression)
    operation, *arguments = expression
    if operation not in OPERATIONS:
        raise CertificateError(f"unknown operation {operation!r}")
    return OPERATIONS[operation](*(evaluate(argument, given) for argument in arguments))


def failures(certificate: dict[str, Any]) -> list[str]:
    """Return the assertions that are false; an empty list means that the certificate is verified."""
    given = {name: parse(value) for name, value in certificate["given"].items()}
    if not certificate["assert"]:
        raise CertificateError("a certificate that asserts nothing certifies nothing")
    wrong = []
    for relation, left, right in certificate["assert"]:
        if relation not in _RELATIONS:
            raise CertificateError(f"unknown relation {relation!r}")
        if not _RELATIONS[relation](evaluate(left, given), evaluate(right, given)):
            wrong.append(f"{json.dumps(left)} {relation} {json.dumps(right)}")
    return wrong


def load(path: Path) -> dict[str, Any]:
    """Read a certificate."""
    return json.loads(path.read_text(encoding="utf-8"))
