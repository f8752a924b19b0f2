"""One error budget for a suite: each test's share, its own keys, and a ledger that refuses to overspend.

No JAX at import: the pytest plugin loads this module into every suite of the installation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dkps_theory._validate import InputError, require, whole_number

if TYPE_CHECKING:
    import jax

#: Chance, over all statistical tests of a suite together, that a right implementation fails one of them.
DEFAULT_BUDGET = 1e-6


def share(budget: float, tests: int) -> float:
    """Return the false-alarm rate of each of ``tests`` tests so that together they stay within ``budget``.

    Examples
    --------
    >>> share(1e-6, 4)
    2.5e-07
    """
    require(0.0 < budget < 1.0, f"budget: got {budget!r}; it must be inside (0, 1)")
    return budget / whole_number("tests", tests, 1)


@dataclass(frozen=True)
class Stat:
    """What a statistical test is given: keys of its own, and the false-alarm rate it may spend.

    Attributes
    ----------
    name
        The test's own id. Keys come from its SHA-256 and the seed, so adding a test changes no other.
    seed
        One number for the whole suite; a nightly run rotates it, nobody shops for it.
    rate
        The false-alarm rate of this test. A test with several asserts divides it by :meth:`split`.

    Examples
    --------
    >>> first, second = Stat("test_gram.py::test_law", seed=0, rate=1e-8).split(2)
    >>> first.rate
    5e-09
    """

    name: str
    seed: int
    rate: float

    def key(self, index: int = 0) -> jax.Array:
        """Return the test's key number ``index``; use each for one thing."""
        # JAX only once a test asks for a key.
        from dkps_theory._keys import study_key  # noqa: PLC0415

        return study_key(self.seed, self.name, cell=0, replicate=index)

    def keys(self, count: int) -> jax.Array:
        """Return ``count`` keys as one array, none of them among those of :meth:`key`."""
        from dkps_theory._keys import replicate_keys  # noqa: PLC0415

        return replicate_keys(self.seed, self.name, cell=1, start=0, count=count)

    def split(self, parts: int) -> tuple[Stat, ...]:
        """Return ``parts`` equal shares of the rate, each with keys of its own.

        The keys of a part do not depend on ``parts``, so one more assert at the end changes none before it.
        """
        rate = share(self.rate, parts)
        return tuple(Stat(f"{self.name}\n{part}", self.seed, rate) for part in range(parts))


class Ledger:
    """What one test has spent of its share."""

    def __init__(self, stat: Stat) -> None:
        self.stat = stat
        self.spent = 0.0

    def charge(self, rate: float) -> None:
        """Book one assert's false-alarm rate.

        Raises
        ------
        InputError
            When the asserts of the test together exceed its share.
        """
        # Sums of equal shares round, so a hair of slack.
        if self.spent + rate > self.stat.rate * (1.0 + 1e-9):
            raise InputError(
                f"{self.stat.name}: its asserts spend a false-alarm rate of {self.spent + rate:.3g}, its share is "
                f"{self.stat.rate:.3g}; pass false_fail_rate=stat.rate, or a part of stat.split(k) for k asserts"
            )
        self.spent += rate


_LEDGER: ContextVar[Ledger | None] = ContextVar("dkps_theory_ledger", default=None)


@contextmanager
def ledger(stat: Stat) -> Iterator[Ledger]:
    """Make the asserts inside the block pay from ``stat``."""
    token = _LEDGER.set(Ledger(stat))
    try:
        yield _LEDGER.get()  # pyright: ignore[reportReturnType]
    finally:
        _LEDGER.reset(token)


@contextmanager
def unmetered() -> Iterator[None]:
    """Charge nothing inside the block: for measuring the error rates of the asserts themselves."""
    token = _LEDGER.set(None)
    try:
        yield
    finally:
        _LEDGER.reset(token)


def charge(rate: float) -> None:
    """Book a false-alarm rate with the running test's ledger, where there is one."""
    current = _LEDGER.get()
    if current is not None:
        current.charge(rate)
