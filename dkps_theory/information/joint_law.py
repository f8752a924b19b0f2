"""Joint laws of several variables with finitely many values, as lists of atoms: structure, then information, in nats.

A law is kept as its atoms of positive probability, so variables that are functions of others cost nothing: a world of
eleven variables with four letters each would have 4^11 cells, and has as many atoms as its random choices have
outcomes. Probabilities are float64, or exact (Fractions), in which case every structural operation is exact too.

Information. With p over the cells of (a, b, c) and r = p(a,b,c) p(c) / (p(a,c) p(b,c)), I(a; b | c) = sum p log r. Near
independence r is near 1, the terms have either sign, and their sum, of the order (r - 1)^2, drowns in their rounding.
Where every pair a, b with p(a,c) p(b,c) > 0 occurs, q = p / r sums to 1 as p does, so

    I(a; b | c) = sum {p log(p/q) - p + q},    terms >= 0, about p (r - 1)^2 / 2,

with relative error about 1e-16 / max |r - 1|. Where some pair does not occur the plain sum is taken; it is then at
least the missing mass sum p(a,c) p(b,c) / p(c), with absolute error about 1e-16. KL(p || q) = sum p log(p/q) likewise,
with the q-mass of the cells where p = 0 added. Nothing is clipped. Exact probabilities may be too small for a double:
cells where p rounds to 0 add less than 1e-318 and are left out; a KL that needs such a q is rounded from the exact one.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any, no_type_check

import numpy as np
from scipy.special import entr

from dkps_theory._validate import InputError, nearest_name, require, shown
from dkps_theory.information._atoms import (
    Names,
    aligned,
    channel_entries,
    checked_atoms,
    checked_probabilities,
    codes_of,
    finite_number,
    followed,
    group,
    in_one_mode,
    letters_for,
    listed,
    ordered_letters,
)
from dkps_theory.information._cells import Cells, added_up, objects
from dkps_theory.information.discrete import divergence_terms
from dkps_theory.information.enclosure import Enclosure
from dkps_theory.information.log_forms import LogForm

#: The most cells that a dense table may have.
LARGEST_TABLE = 10_000_000


# Checking the entries of a sequence picks one at random, which Hypothesis rightly refuses while it draws a law; what
# is passed in is checked by hand.
@no_type_check
@dataclasses.dataclass(frozen=True, eq=False)
class JointLaw:
    """The joint law of named variables with finitely many values.

    Attributes
    ----------
    names : (v,)
        The variables.
    letters : (v,)
        The values that each can take: hashable, so numbers, text, or tuples for samples. Some may have probability 0.
    codes : (atoms, v)
        The atoms, each variable as a place among its letters; distinct, in lexicographic order.
    probabilities : (atoms,)
        Their probabilities, positive: float64, or Fractions in an object array when the law is exact.

    Raises
    ------
    InputError
        When a name comes twice, a letter comes twice, a code has no letter, a probability is negative, or they do not
        sum to 1 (exactly so for Fractions; within 1e-12 for floats, which are then scaled to sum to 1).

    Notes
    -----
    Atoms given twice are added up, atoms of probability 0 dropped. Floats and Fractions do not mix, except for 0 and 1.
    Groups of variables are a name or a sequence of names; groups may overlap, I(a; a) = H(a).

    Examples
    --------
    >>> world = JointLaw.independent(x=[0.5, 0.5], y=[0.5, 0.5]).derive("z", ("x", "y"), lambda x, y: x ^ y)
    >>> world
    JointLaw(x: 2 letters, y: 2 letters, z: 2 letters; 4 atoms)
    >>> world.mutual_information("x", "z"), world.mutual_information("x", ("y", "z")) == math.log(2)
    (0.0, True)
    """

    names: tuple[str, ...]
    letters: tuple[tuple[Hashable, ...], ...]
    codes: np.ndarray
    probabilities: np.ndarray

    def __post_init__(self) -> None:
        checked = checked_atoms(self.names, self.letters, self.codes, self.probabilities)
        for field, value in zip(("names", "letters", "codes", "probabilities"), checked, strict=True):
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        sizes = (f"{name}: {len(own)} letters" for name, own in zip(self.names, self.letters, strict=True))
        return f"JointLaw({', '.join(sizes)}; {len(self.codes)} atoms{', exact' if self.exact else ''})"

    # Making one

    @classmethod
    def from_table(cls, names: Names, table: Any, letters: Sequence[Sequence[Hashable]] | None = None) -> JointLaw:
        """Return the law with a dense table of probabilities, one axis for each variable.

        Parameters
        ----------
        names : (v,)
            The variables.
        table : (k_1, ..., k_v)
            Probabilities: an array or nested lists; floats, or Fractions and whole numbers.
        letters : (v,)
            The values of each variable; 0..k-1 when left out.

        Raises
        ------
        InputError
            When the axes do not fit the names, the letters do not fit the axes, or the table is no law.

        Examples
        --------
        >>> JointLaw.from_table(("x", "y"), [[Fraction(1, 2), 0], [0, Fraction(1, 2)]]).law("y")
        {0: Fraction(1, 2), 1: Fraction(1, 2)}
        """
        wanted = group(names)
        values = checked_probabilities("table", table)
        require(values.ndim == len(wanted), f"table: has {values.ndim} axes for the variables {wanted}")
        own = (None,) * len(wanted) if letters is None else listed("letters", letters)
        require(len(own) == len(wanted), f"letters: those of {len(own)} variables for {len(wanted)} names")
        alphabets = tuple(itertools.starmap(letters_for, zip(wanted, own, values.shape, strict=True)))
        return cls(wanted, alphabets, np.argwhere(np.ones(values.shape, dtype=bool)), values.ravel())

    @classmethod
    def independent(cls, **laws: Sequence[Any] | np.ndarray | Mapping[Any, Any]) -> JointLaw:
        """Return the law of independent variables.

        Parameters
        ----------
        laws
            For each variable a sequence of probabilities (letters 0..k-1) or a mapping from letters to probabilities.

        Raises
        ------
        InputError
            When one is no law.

        Examples
        --------
        >>> JointLaw.independent(x=[0.5, 0.5], y={-1: 0.25, 1: 0.75}).expectation(lambda x, y: x * y, "x", "y")
        0.25
        """
        law = cls((), (), np.zeros((1, 0), dtype=np.int64), objects([Fraction(1)]))
        for name, own in laws.items():
            law = law.then(name, (), own)
        return law

    def then(self, name: str, given: Names, channel: Any, letters: Sequence[Hashable] | None = None) -> JointLaw:
        """Return the law with one more variable, drawn from a channel that looks at the variables ``given`` only.

        Parameters
        ----------
        name
            The new variable.
        given
            What its law depends on; () for nothing.
        channel
            The law of ``name`` for each value of ``given``: an array (*k_given, k), a function of the given letters or
            a mapping of them (of tuples, when there are several) that returns laws, as sequences or as mappings from
            letters to probabilities; with ``given`` empty, a law. Rows that have probability 0 are not looked at.
        letters
            The letters of ``name``; when left out 0..k-1 for sequences and what occurs for mappings.

        Raises
        ------
        InputError
            When a row is no law, or floats would mix with Fractions.

        Examples
        --------
        >>> bit = JointLaw.independent(x=[Fraction(1, 2)] * 2)
        >>> bit.then("y", "x", lambda x: {x: Fraction(3, 4), 1 - x: Fraction(1, 4)}).law("y")
        {0: Fraction(1, 2), 1: Fraction(1, 2)}
        """
        columns = self._columns(given)
        labels, first = self._cells.labels(columns)
        sizes = [len(self.letters[column]) for column in columns]
        codes = self.codes[first][:, columns]
        row, new, chance, alphabet = channel_entries(name, channel, self._rows(columns, first), codes, sizes, letters)
        atom, entry = followed(labels, np.bincount(row, minlength=len(first)))
        own, chance = in_one_mode(name, [self.probabilities, chance])
        codes = np.column_stack([self.codes[atom], new[entry]])
        return JointLaw((*self.names, name), (*self.letters, alphabet), codes, own[atom] * chance[entry])

    def derive(self, name: str, of: Names, function: Callable[..., Hashable]) -> JointLaw:
        """Return the law with one more variable, a function of the variables ``of``; it adds no atoms.

        Raises
        ------
        InputError
            When the function returns what is not hashable.

        Examples
        --------
        >>> dice = JointLaw.independent(x=[Fraction(1, 6)] * 6).derive("even", "x", lambda x: x % 2 == 1)
        >>> dice.law("even")
        {False: Fraction(1, 2), True: Fraction(1, 2)}
        """
        columns = self._columns(of)
        labels, first = self._cells.labels(columns)
        values = [function(*row) for row in self._rows(columns, first)]
        alphabet = ordered_letters(name, values)
        codes = np.column_stack([self.codes, codes_of(name, values, alphabet)[labels]])
        return JointLaw((*self.names, name), (*self.letters, alphabet), codes, self.probabilities)

    def margin(self, *names: str) -> JointLaw:
        """Return the law of some of the variables, in the order named."""
        columns = self._columns(names)
        return JointLaw(names, tuple(self.letters[c] for c in columns), self.codes[:, columns], self.probabilities)

    def relabel(self, **names: str) -> JointLaw:
        """Return the law with variables under new names, ``old=new``."""
        self._columns(tuple(names))
        new = tuple(names.get(name, name) for name in self.names)
        return JointLaw(new, self.letters, self.codes, self.probabilities)

    def condition(self, **letters: Hashable) -> JointLaw:
        """Return the law given that variables have these letters; they stay in it, as constants.

        Raises
        ------
        InputError
            When that has probability 0.

        Examples
        --------
        >>> joint = JointLaw.from_table(("x", "y"), [[0.25, 0.25], [0.0, 0.5]])
        >>> joint.condition(x=0).law("y")
        {0: 0.5, 1: 0.5}
        """
        kept = np.ones(len(self.codes), dtype=bool)
        for column, letter in zip(self._columns(tuple(letters)), letters.values(), strict=True):
            kept &= self.codes[:, column] == codes_of(self.names[column], [letter], self.letters[column])
        require(bool(kept.any()), f"condition: {shown(letters)} has probability 0, so there is no law given it")
        total = self.probabilities[kept].sum()
        return JointLaw(self.names, self.letters, self.codes[kept], self.probabilities[kept] / total)

    # Looking at one

    @property
    def exact(self) -> bool:
        """Whether the probabilities are Fractions."""
        return self.probabilities.dtype == object

    @property
    def enclosure(self) -> Enclosure:
        """The information of an exact law without error, see :class:`Enclosure`; InputError for floats."""
        return Enclosure(self)

    def table(self) -> np.ndarray:
        """Return the dense table, one axis for each variable; InputError above ten million cells."""
        shape = tuple(map(len, self.letters))
        require(
            math.prod(shape) <= LARGEST_TABLE,
            f"table: would have {math.prod(shape):.3g} cells; take the margin of fewer variables first",
        )
        table = np.full(shape, Fraction(0), dtype=object) if self.exact else np.zeros(shape)
        table[tuple(self.codes.T)] = self.probabilities
        return table

    def law(self, name: str) -> dict[Hashable, Any]:
        """Return the probability of each letter of one variable, 0 included."""
        return dict(zip(self.letters[self._columns(name)[0]], self.margin(name).table().tolist(), strict=True))

    def expectation(self, function: Callable[..., Any], *names: str) -> Any:
        """Return E function(names): a float, or a Fraction when the law is exact and the values are rational.

        Examples
        --------
        >>> JointLaw.independent(x=[Fraction(1, 3)] * 3).expectation(lambda x: x**2, "x")
        Fraction(5, 3)
        """
        columns = self._columns(names)
        labels, first = self._cells.labels(columns)
        weights = added_up(labels, len(first), self.probabilities).tolist()
        values = [_number(function(*row)) for row in self._rows(columns, first)]
        products = [weight * value for weight, value in zip(weights, values, strict=True)]
        return sum(products, Fraction(0)) if all(isinstance(x, Fraction) for x in products) else math.fsum(products)

    # Information

    def entropy(self, names: Names, given: Names = ()) -> float:
        """Return H(names | given) = -sum p log p(names | given), in nats.

        Examples
        --------
        >>> JointLaw.independent(x=[0.5, 0.25, 0.25]).entropy("x") == 1.5 * math.log(2)
        True
        """
        joint, alone = self._cells.floats(self._cells.entropy_terms(self._columns(names), self._columns(given)))
        return float((alone * entr(joint / alone)).sum() + 0.0)  # of one letter 0, not -0

    def mutual_information(self, a: Names, b: Names, given: Names = ()) -> float:
        """Return I(a; b | given), in nats; accurate near independence, see the module's head.

        Examples
        --------
        >>> near = JointLaw.from_table(("x", "y"), [[0.25 + 1e-9, 0.25 - 1e-9], [0.25 - 1e-9, 0.25 + 1e-9]])
        >>> abs(near.mutual_information("x", "y") / 8e-18 - 1) < 1e-6
        True
        """
        terms, complete = self._cells.information_terms(*map(self._columns, (a, b, given)))
        joint, with_a, with_b, alone = self._cells.floats(terms)
        share = with_b / alone
        if complete:
            return float(divergence_terms(np, joint, with_a, share))
        return float((joint * (np.log(joint / with_a) - np.log(share))).sum())

    def interaction_information(self, a: Names, b: Names, c: Names, given: Names = ()) -> float:
        """Return I(a; b) - I(a; b | c), in nats, all given ``given``: above 0 for redundancy, below 0 for synergy.

        Notes
        -----
        Symmetric in the three; also called co-information. McGill (1954) has it with the other sign.

        Examples
        --------
        >>> bits = JointLaw.independent(x=[0.5, 0.5], y=[0.5, 0.5]).derive("z", ("x", "y"), lambda x, y: x ^ y)
        >>> bits.interaction_information("x", "y", "z") == -math.log(2)
        True
        """
        return self.mutual_information(a, b, given) - self.mutual_information(a, b, (*group(c), *group(given)))

    def total_variation(self, other: JointLaw) -> float:
        """Return TV = sup |P(A) - Q(A)| = 1/2 sum |p - q|, in [0, 1], of two laws of the same variables."""
        p, q = aligned(self, other)
        return float(abs(p - q).sum() / 2)

    def kl_divergence(self, other: JointLaw) -> float:
        """Return KL(self || other) = sum p log(p/q), in nats; infinite where only ``other`` has probability 0."""
        p, q = aligned(self, other)
        if np.any((p > 0) & (q == 0)):
            return math.inf
        first, second = (x.astype(np.float64) for x in (p, q))
        if q.dtype == object and np.any((first > 0) & (second < np.finfo(np.float64).tiny)):
            return float(LogForm((Fraction(x) / Fraction(y), Fraction(x)) for x, y in zip(p, q, strict=True) if x > 0))
        return float(divergence_terms(np, first, 1.0, second))

    def is_markov(self, a: Names, b: Names, c: Names, tolerance: float = 1e-12) -> bool:
        """Whether a - b - c is a Markov chain: I(a; c | b) is 0, exactly so for an exact law, else up to ``tolerance``.

        Notes
        -----
        Exactly: p(a,b,c) = p(a,b) p(b,c) / p(b) on every cell of positive probability. The right sides then sum to 1
        over these cells, which leaves 0 for the others, as it must. With ``b`` empty this is independence.
        """
        if not self.exact:
            return self.mutual_information(a, c, b) <= tolerance
        (joint, with_a, with_c, alone), _ = self._cells.information_terms(*map(self._columns, (a, c, b)))
        return bool(np.all(joint * alone == with_a * with_c))

    # Cells

    @functools.cached_property
    def _cells(self) -> Cells:
        return Cells.of(self.codes, tuple(map(len, self.letters)), self.probabilities)

    def _columns(self, names: Names) -> list[int]:
        for name in group(names):
            if name not in self.names:
                raise nearest_name("variable", name, self.names)
        return [self.names.index(name) for name in group(names)]

    def _rows(self, columns: Sequence[int], atoms: np.ndarray) -> list[tuple[Hashable, ...]]:
        """Return the letters of some variables at some atoms."""
        alphabets = [self.letters[column] for column in columns]
        codes = self.codes[atoms][:, columns].tolist()
        return [tuple(own[code] for own, code in zip(alphabets, row, strict=True)) for row in codes]


def _number(value: Any) -> Any:
    number = finite_number(value)
    if number is None:
        raise InputError(f"expectation: the function returned {shown(value)}, which is no finite number")
    return number
