"""A24's refuted claims once more: searches that know nothing of the stored counterexamples find some too."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import hypothesis
import numpy as np
import pytest
import sympy
from hypothesis import strategies as st

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Outcome, Setting
from proofs_checks.claims import a24_l2, a24_t2, a24_t3, a24_x1, a24_x2, a24_x3

# Hypothesis takes a garbage collection inside NumPy for a use of the random module; verify's own searches do the same.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

SETTING = Setting(0, "quick", "test")
QUIET = hypothesis.settings(
    max_examples=3000,
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.filter_too_much, hypothesis.HealthCheck.too_slow],
)


def found(strategy, condition):
    return hypothesis.find(strategy, condition, settings=QUIET)


def mirror_symmetric():
    """Atoms (0, a), (h, 0), (-h, 0), (0, b): the mirror of the plane swaps atoms 2 and 3."""
    places = st.tuples(st.integers(1, 6), st.integers(-12, 12), st.integers(-12, 12))
    return places.map(lambda p: np.array([[0.0, p[1]], [p[0], 0.0], [-p[0], 0.0], [0.0, p[2]]]))


# -- fixed members (A24-T3, A24-L2, A24-T5) ---------------------------------------------------------------------------


def test_t3_three_models_whose_distances_never_settle():
    def jumps(points):
        delta = cases.distances(points)
        noise = np.random.default_rng(24).standard_normal((64, 3, 4, 2)) / 1e5
        means = 2 * np.repeat(points[:, None], 4, axis=1)  # sqrt(m) at every one of m = 4 queries
        embedded = a24_t3.on_the_line(a24_t2.stacked_distances(means + noise))
        near = [(cases.pairwise_errors(embedded, member) < 1e-3).mean() for member in cases.line_classes(delta)]
        return len(near) == 2 and min(near) > 0.2

    points = found(cases.integer_arrays(3, 2), jumps)
    sides = np.sort(cases.distances(points)[np.triu_indices(3, 1)])
    assert sides[1] == pytest.approx(sides[2])


def test_l2_atoms_whose_embedding_hangs_on_which_is_drawn_more_often():
    def jumps(atoms):
        delta, tilt = cases.distances(atoms), 1e-7 * np.array([0, 1, -1, 0])
        one, two = a24_l2.weighted_line(delta, 0.25 + np.array([tilt, -tilt]))
        return np.abs(one - two).max() > 1

    atoms = found(mirror_symmetric(), jumps)
    assert len(a24_l2.weighted_members(cases.distances(atoms), a24_l2.UNIFORM)) == 2


def test_t5_noise_that_decides_between_two_embeddings_of_the_atoms():
    def jumps(case):
        atoms, noise = case
        delta, moved = cases.distances(atoms), 1e-7 * noise
        mirrored = moved[np.ix_([0, 2, 1, 3], [0, 2, 1, 3])]
        one, two = (a24_l2.weighted_line(delta + change, a24_l2.UNIFORM[None])[0] for change in (moved, mirrored))
        return np.abs(one - two).max() > 1

    atoms, noise = found(st.tuples(mirror_symmetric(), cases.integer_dissimilarities(4)), jumps)
    assert noise.max() > 0
    assert len(a24_l2.weighted_members(cases.distances(atoms), a24_l2.UNIFORM)) == 2


def test_l2_on_the_circle_turning_the_models_turns_the_embedding():
    angles = 2 * np.pi * np.random.default_rng(24).random((2, 400_000))
    (x, y), chords = np.cos(angles), 2 * np.abs(np.sin((angles[0] - angles[1]) / 2))
    assert 2 * np.mean(np.abs(x - y) * chords) == pytest.approx(8 / np.pi, rel=0.01)

    def turns(seven):
        # Equally spaced models; one more of a model, and another of its neighbour, decide where the line begins.
        circle = np.array([[np.cos(t), np.sin(t)] for t in 2 * np.pi * np.arange(7) / 7])
        weights = np.ones((2, 7)) + 1e-6 * np.array([seven, np.roll(seven, 1)])
        one, two = a24_l2.weighted_line(cases.distances(circle), weights / weights.sum(axis=1, keepdims=True))
        assert np.abs(np.roll(one, (1, 1), (0, 1)) - two).max() < 1e-9
        return np.abs(one - two).max() > 0.2

    found(st.lists(st.integers(0, 9), min_size=7, max_size=7).filter(lambda s: len(set(s)) == 7), turns)


def test_l2_late_models_that_spoil_the_mean_over_pairs():
    signs = np.array([-0.5, 0.5, 0.5, -0.5, -0.5, 0.5, 0.5, -0.5])

    def spoils(factors):
        moved = signs * np.array([1, 1, 1, 1, *factors])
        error = np.abs(cases.distances(moved[:, None]) - cases.distances(signs[:, None]))
        return error[:4, :4].max() == 0 and error.mean() > 1 / 4

    assert max(found(st.tuples(*[st.integers(1, 4)] * 4), spoils)) > 1


# -- conditions (A24-X2, A24-T4, A24-T5, A24-X3): whole powers of m, r and n ------------------------------------------


def falls(values):
    return values[-1] < values[0] / 10


def test_x2_growth_at_which_d_converges_and_the_condition_fails():
    sizes = 2.0 ** np.arange(4, 13)
    powers = [
        (gamma, r)
        for gamma, r in itertools.product(range(3), repeat=2)
        if falls(2 * sizes ** (gamma - r - 1)) and not falls(sizes ** (gamma - r))
    ]
    assert powers == [(0, 0), (1, 1), (2, 2)]
    answers = np.random.default_rng(24).integers(0, 2, (300, 2, 2, 2048))  # r = 1, fair coins
    few, many = (np.abs(a24_t2.stacked_distances(answers[:, 0, :, :m, None])[:, 0, 1]).mean() for m in (8, 2048))
    assert many < few / 10


def test_x2_rare_jumps_that_are_in_the_mean_square_only():
    sizes = 2.0 ** np.arange(4, 13)
    found = [
        (rarity, gamma)
        for rarity, gamma in itertools.product(range(4), repeat=2)
        if falls(2 * sizes ** (1 - rarity)) and not falls(2 * sizes ** (gamma - 1))
    ]
    assert (2, 1) in found
    assert all(rarity > 1 and gamma >= 1 for rarity, gamma in found)


def test_t4_and_t5_laws_of_gamma_over_models_that_pass_one_by_one():
    steps = 2.0 ** np.arange(2, 7)  # m = r

    def spoils(power, growth, over):
        n = np.round(steps ** (2 * growth))
        one_by_one = all(falls(i**power / steps) for i in (1, 2, 3))
        return one_by_one and not falls(np.array([over(k, power) for k in n]) / steps**2)

    laws = list(itertools.product(range(3), (0.5, 1.0, 1.5)))
    last = [law for law in laws if spoils(*law, lambda n, a: n**a + (n - 1) ** a)]
    mean = [law for law in laws if spoils(*law, lambda n, a: 2 * np.mean(np.arange(1.0, n + 1) ** a))]
    assert (1, 1.0) in last
    assert (1, 1.0) in mean
    assert all(power > 0 for power, _ in last + mean)


def test_x3_growth_of_n_at_which_the_frobenius_norm_stays():
    steps = 2.0 ** np.arange(2, 10)  # m = r
    growths = [b for b in (0.25, 0.5, 0.75, 1.0) if not falls(2 * steps ** (2 * b) * (steps ** (2 * b) - 1) / steps**2)]
    assert growths == [0.5, 0.75, 1.0]
    assert all(a24_x3.frobenius_by_counting(n, m)[0] == Fraction(2 * n * (n - 1), m) for n, m in ((2, 2), (3, 3)))


# -- A24-X1, A24-X4 ---------------------------------------------------------------------------------------------------


def random_designs():
    generator = random.Random(24)
    while True:
        one, two = (
            (
                Fraction(low + generator.randint(0, 5)),
                Fraction(generator.randint(1, 3)),
                Fraction(generator.randint(1, 7), 8),
            )
            for low in (0, 10)
        )
        yield one, two, generator.randint(1, 4), generator.randint(2, 3)


def test_x1_designs_where_replicates_help_more_relative_to_delta():
    one, two, m, r = next(
        (one, two, m, r)
        for one, two, m, r in itertools.islice(random_designs(), 50)
        if a24_x1.bias(one, two, 2 * m, r)[1] > a24_x1.bias(one, two, m, 2 * r)[1]
    )
    assert a24_x1.bias(one, two, 2 * m, r)[0] == a24_x1.bias(one, two, m, 2 * r)[0]


def test_x1_designs_where_replicates_help_more_once_the_bias_is_removed():
    one, two, _, r = next(
        (one, two, m, r)
        for one, two, m, r in itertools.islice(random_designs(), 50)
        if a24_x1.variance(one, two, r) / 2 > a24_x1.variance(one, two, 2 * r)
    )
    assert a24_x1.variance(one, two, r) < 3 * a24_x1.variance(one, two, 2 * r)


def test_x4_lengths_with_a_mean_and_no_variance():
    def partial(base, power, terms):
        return sum((Fraction((base - 1) * 2 ** (power * k), base**k) for k in range(1, terms + 1)), Fraction(0))

    def settles(base, power):
        return partial(base, power, 80) - partial(base, power, 40) < Fraction(1, 100)

    assert [base for base in range(2, 10) if settles(base, 1) and not settles(base, 2)] == [3, 4]


# -- what the claims lean on ------------------------------------------------------------------------------------------


def test_one_symbolic_tool_contradicts_only_when_all_is_met():
    x = sympy.Symbol("x", positive=True)
    outcomes = [
        a24_x2.stays_positive(lambda case=case: ("s", case[0], case[1]), SETTING).outcome
        for case in (([(x + x, 2 * x)], x), ([(x + x, 3 * x)], x), ([(x, x)], x - x), ([(x, x)], -x))
    ]
    assert outcomes == [Outcome.CONTRADICTS, *[Outcome.INCONCLUSIVE] * 3]


@pytest.mark.parametrize("counts", [(1, 1, 1, 1), (2, 1, 1, 1), (1, 3, 1, 2)])
def test_weighted_stress_is_that_of_models_on_the_atoms(counts):
    generator = np.random.default_rng(sum(counts))
    atoms = np.repeat(np.arange(4), counts)
    for _ in range(5):
        d = cases.distances(generator.integers(-9, 9, (4, 2)).astype(float))
        shares = np.array(counts) / sum(counts)
        mine = a24_l2.weighted_line(d, shares[None])[0]
        stress, configurations = dk.line_minimisers(d[np.ix_(atoms, atoms)])
        weighted = sum(counts) ** 2 * float(shares @ np.square(mine - d) @ shares)
        assert weighted == pytest.approx(stress)
        assert all(np.ptp(x[atoms == k]) < 1e-9 for x in configurations for k in range(4))


def test_three_models_on_the_line():
    generator = np.random.default_rng(3)
    for _ in range(20):
        sides = generator.uniform(1, 5, 3)
        d = np.zeros((3, 3))
        d[np.triu_indices(3, 1)] = sides
        d += d.T
        assert np.abs(a24_t3.on_the_line(d[None])[0] - cases.line_classes(d)[0]).max() < 1e-9


@hypothesis.given(cases.integer_dissimilarities(4))
@hypothesis.settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_t5_a_minimiser_does_not_shrink_to_a_point(d):
    for distances in cases.line_classes(d):
        for half in ((0, 1), (0, 2), (0, 3)):
            other = [i for i in range(4) if i not in half]
            across = 2 * d[np.ix_(half, other)].sum()
            assert np.square(distances).sum() >= across**2 / 8 - 1e-9


def test_exact_law_of_d_for_two_models_alike_at_every_query():
    generator = np.random.default_rng(5)
    found = a24_x1.pair_errors(generator, 20000, 4, 2.0, 1.0) + 1 / 2
    answers = generator.standard_normal((20000, 2, 4)) * np.sqrt(1 / 2)
    direct = np.linalg.norm(1 + answers[:, 0] - answers[:, 1], axis=1) / 4
    assert np.mean(found**2) == pytest.approx(1 / 4 + 2 / (4 * 2), abs=0.02)
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(direct, [0.1, 0.5, 0.9]), rel=0.03)
