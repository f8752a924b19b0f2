"""Do two samplers draw from one law? A Kolmogorov-Smirnov test whose rate and power are exact at every size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from dkps_theory._validate import InputError, require
from dkps_theory.testing._sampling import Outcome, Sampler, check_key, check_rates, replay_line, settle_size, take
from dkps_theory.testing.budget import charge


def _log_one_sided_tail(size: int, steps: int) -> float:
    """Return log P(size D+ >= steps) for two samples of ``size`` draws of one continuous law, exactly.

    Gnedenko and Korolyuk (1951), by reflection: C(2 size, size - steps) / C(2 size, size).
    """
    i = np.arange(1, steps + 1)
    return float(np.log((size - steps + i) / (size + i)).sum())


def ks_steps(size: int, rate: float) -> int:
    """Return the smallest h with P(size D >= h) <= rate for two samples of one law; size + 1 when there is none.

    Exact for the one-sided statistic and doubled for the two-sided one. Ties only make D smaller, so the rate also
    holds for discrete laws.

    Examples
    --------
    >>> ks_steps(100, 0.05)
    20
    """
    # The tail is at most exp(-h^2 / (size + h)), which bounds the search.
    logs = math.log(2.0 / rate)
    low, high = 1, min(size + 1, math.ceil((logs + math.sqrt(logs * (logs + 4.0 * size))) / 2.0))
    while low < high:
        middle = (low + high) // 2
        fits = logs + _log_one_sided_tail(size, middle) <= 0.0
        low, high = (low, middle) if fits else (middle + 1, high)
    return high


def ks_miss_rate(size: int, steps: int, detectable: float) -> float:
    """Bound P(size D < steps) for two laws whose distribution functions differ by at least ``detectable`` somewhere.

    At the point where they differ, the difference of the two empirical functions is a mean of 2 size independent
    bounded variables, so Hoeffding's inequality gives exp(-size (detectable - (steps - 1)/size)^2). One point suffices:
    sharper than the uniform bound of Dvoretzky, Kiefer, Wolfowitz and Massart, and as exact.
    """
    gap = detectable - (steps - 1) / size
    return math.exp(-size * gap**2) if gap > 0 else 1.0


def ks_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return sup |F_a - F_b| for each column of two samples (size, columns), right with ties.

    Examples
    --------
    >>> ks_distances(np.array([[0.0], [1.0]]), np.array([[1.0], [1.0]]))
    array([0.5])
    """
    size = len(a)
    signs = np.concatenate([np.ones(size, dtype=np.int64), -np.ones(size, dtype=np.int64)])
    distances = np.empty(a.shape[1])
    for column in range(a.shape[1]):
        values = np.concatenate([a[:, column], b[:, column]])
        order = np.argsort(values, kind="stable")
        steps = np.cumsum(signs[order])
        values = values[order]
        # Within a run of ties only the last step is a value of the empirical functions.
        last = np.append(values[1:] != values[:-1], True)
        distances[column] = np.abs(steps[last]).max() / size
    return distances


def _columns(draws: np.ndarray, statistics: Mapping[str, Callable[[np.ndarray], Any]]) -> tuple[np.ndarray, list[str]]:
    """Return the tested columns (size, K): every coordinate of a draw, then every statistic; and their names."""
    size = len(draws)
    names = [f"coordinate [{', '.join(map(str, index))}]" for index in np.ndindex(draws.shape[1:])]
    columns = [draws.reshape(size, -1)]
    for name, function in statistics.items():
        values = np.asarray(function(draws), dtype=np.float64)
        if values.shape != (size,):
            raise InputError(
                f"statistics[{name!r}]: got shape {values.shape}; it must give one number a draw, ({size},)"
            )
        columns.append(values[:, None])
        names.append(f"statistic {name!r}")
    return np.concatenate(columns, axis=1), names


def assert_same_law(
    sampler_a: Sampler,
    sampler_b: Sampler,
    *,
    key: jax.Array,
    false_fail_rate: float = 1e-6,
    detectable: float = 0.1,
    false_pass_rate: float = 1e-3,
    size: int | None = None,
    statistics: Mapping[str, Callable[[np.ndarray], Any]] | None = None,
) -> Outcome:
    """Fail when two samplers do not draw from one law; exact at every size.

    A two-sample Kolmogorov-Smirnov test of every coordinate of a draw and of every given statistic, each at an equal
    part of the false-fail rate. Nothing is asymptotic: the rate comes from the exact law of the statistic, the power
    from Hoeffding's inequality. Continuous and discrete laws are both fine.

    Parameters
    ----------
    sampler_a, sampler_b
        (key, size) -> (size, ...), independent draws, of one shape; each gets a key of its own.
    key
        One typed key.
    false_fail_rate
        At most this chance of failing when the laws agree.
    detectable, false_pass_rate
        When the distribution functions of some coordinate or statistic differ by ``detectable`` or more somewhere, the
        assert passes with at most the chance ``false_pass_rate``.
    size
        Draws from each sampler; the smallest that is enough when left out.
    statistics
        Name -> function from draws (size, ...) to (size,), for what the coordinates alone do not show: norms, products.

    Returns
    -------
    Outcome
        The largest distance, the bound it stayed within, and the rates.

    Raises
    ------
    AssertionError
        When the laws differ, or a draw is NaN (which belongs to no law). Infinities are ordinary values here.
    InputError
        When the test would be underpowered (the message says which size would do), or an argument is wrong.

    Notes
    -----
    A test that expects this to fail runs the risk ``false_pass_rate``, so it should pass its own rate for that.

    Examples
    --------
    >>> normal = lambda key, size: jax.random.normal(key, (size, 2))
    >>> outcome = assert_same_law(normal, normal, key=jax.random.key(0), detectable=0.2)
    >>> outcome.statistic <= outcome.bound, outcome.kind
    (True, 'exact')
    """
    __tracebackhide__ = True  # pytest then points at the caller's line
    check_key(key)
    check_rates(false_fail_rate=false_fail_rate, false_pass_rate=false_pass_rate, detectable=detectable)
    charge(false_fail_rate)
    statistics = statistics or {}
    key_a, key_b, key_probe = jax.random.split(key, 3)
    # Two draws tell how many columns share the rate, before the size is settled.
    tests = _columns(take("sampler_a", sampler_a, key_probe, 2), statistics)[0].shape[1]
    level = false_fail_rate / tests
    size = settle_size(
        "assert_same_law",
        size,
        lambda n: ks_miss_rate(n, ks_steps(n, level), detectable) <= false_pass_rate,
        smallest=2,
        detectable=detectable,
    )
    a = take("sampler_a", sampler_a, key_a, size)
    b = take("sampler_b", sampler_b, key_b, size)
    require(a.shape == b.shape, f"the samplers' draws have shapes {a.shape[1:]} and {b.shape[1:]}; they must agree")
    columns_a, names = _columns(a, statistics)
    columns_b, _ = _columns(b, statistics)

    steps = ks_steps(size, level)
    power = 1.0 - ks_miss_rate(size, steps, detectable)
    replay = replay_line(
        "assert_same_law(sampler_a, sampler_b" + (", statistics=statistics" if statistics else ""),
        key,
        false_fail_rate=false_fail_rate,
        detectable=detectable,
        false_pass_rate=false_pass_rate,
        size=size,
    )
    for name, columns in (("sampler_a", columns_a), ("sampler_b", columns_b)):
        missing = np.argwhere(np.isnan(columns))
        if len(missing):
            row, column = missing[0]
            raise AssertionError(
                f"not the same law: {name} gave NaN {len(missing)} times in {size} draws, the first in draw {row}, "
                f"{names[column]} [exact]\n{replay}"
            )
    distances = ks_distances(columns_a, columns_b)
    worst = int(distances.argmax())
    statistic, bound = float(distances[worst]), (steps - 1) / size
    if round(statistic * size) >= steps:
        raise AssertionError(
            f"not the same law: KS distance {statistic:.4g} at {names[worst]}, bound {bound:.4g}; "
            f"{size} + {size} draws, {tests} tested together, false-fail rate {false_fail_rate:.3g}, "
            f"power {power:.6g} at a distance of {detectable:g} [exact]\n{replay}"
        )
    return Outcome(statistic, bound, size, 1, false_fail_rate, power, detectable, "exact")
