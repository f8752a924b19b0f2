"""H25: searches from scratch for what the stored counterexamples show, and slow twins of the batched helpers."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Setting
from proofs_checks.claims import _h25 as h25
from proofs_checks.claims import _h25_types as types
from proofs_checks.claims import h25_t1, h25_t1_members, h25_t2, h25_x1, h25_x2, h25_x4
from proofs_checks.verdict import run_check

SEARCH = settings(
    max_examples=3000,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
CLAIMS = [claim for module in (h25_t1, h25_t1_members, h25_t2, h25_x1, h25_x2, h25_x4) for claim in module.CLAIMS]


def search(strategy, predicate):
    return find(strategy, predicate, settings=SEARCH, random=random.Random(1))


def test_x1_few_queries_bring_the_largest_delta_below_any_bound():
    answers = [1.0, -1.0]  # as far apart as |g| <= 1 allows
    m = search(
        st.integers(1, 1000),
        lambda m: cases.distances(np.repeat(np.array(answers)[:, None], m, axis=1))[0, 1] / m < 0.1,
    )
    assert m == 401


def test_t1_raw_stress_has_triangles_whose_classes_have_different_losses():
    def two_losses(sides):
        if 2 * max(sides) >= sum(sides):
            return False
        delta = np.zeros((3, 3))
        delta[[0, 0, 1], [1, 2, 2]] = sides
        losses = [h25_t1.line_losses(z[None])[0] for z in cases.line_classes(delta + delta.T)]
        return len(losses) == 2 and abs(losses[0] - losses[1]) > 1e-6

    found = search(st.tuples(*[st.integers(1, 15)] * 3), two_losses)
    assert sorted(found)[1:] == [max(found)] * 2  # two longest sides


def test_t1_without_eigengap_no_angle_has_both_limiting_risks():
    angles = np.linspace(0, np.pi, 2001)
    line = (h25_t1.SQUARE @ np.stack([np.cos(angles), np.sin(angles)])).T[..., None]
    risks = h25.squared(line)[:, 0, [1, 2]] / 8
    assert np.allclose(risks[:-1].mean(0), [1 / 4, 1 / 2])
    assert np.abs(risks - [1 / 4, 1 / 2]).max(1).min() > 0.2


def test_t2_joint_small_cases_already_show_a_larger_risk_on_estimates():
    def larger(case):
        truth, estimated = types.exact_risks(case[0], case[1], 64 * case[1] ** 2)
        return estimated > Fraction(1, 2) > truth

    n, r = search(st.tuples(st.integers(1, 4), st.integers(1, 3)), larger)
    assert n <= 3
    truth, estimated = types.exact_risks(n, r, 0)  # no steep part: noise only makes the weights a little smaller
    assert truth <= estimated < truth + Fraction(1, 10)


def test_t2_joint_as_printed_steep_rules_see_that_perspectives_do_not_coincide():
    def larger(case):
        n, m, k = case
        risk = 0.0
        for kinds in itertools.product((0.0, 1.0), repeat=n + 1):
            answers = np.repeat(np.array(kinds)[:, None], m, axis=1)
            w = max(0.0, 1 - k * (cases.distances(answers).max() / m) ** 2)
            risk += (w / 2 - kinds[0]) ** 2 / 2 ** (n + 1)
        return risk > 2 / 5

    n, m, k = search(st.tuples(st.integers(1, 4), st.integers(2, 30), st.integers(0, 50)), larger)
    assert k > m / 2  # perspectives are 1/sqrt(m) apart
    assert n >= 2


@pytest.mark.parametrize("k", [8.0, 1.0])
def test_t2_joint_as_printed_exact_risks_are_those_of_the_embedded_models(k):
    n, r, m, size, generator = 3, 3, 4, 20_000, np.random.default_rng(9)
    kinds = generator.integers(2, size=(size, n + 1)) * 1.0
    answers = np.repeat(kinds[..., None], m, axis=2)
    answers[..., 0] += (2 * generator.binomial(r, 0.5, size=kinds.shape) - r) / r
    psi = h25.moved(h25.classical(h25.squared(answers) / m**2, 2), generator)
    losses = np.square(types.flat_rule(h25.squared(psi), k) - kinds)[:, 0]
    exact = float(types.coincident_risks(n, r, m, int(k))[1])
    assert abs(losses.mean() - exact) < 6 * losses.std() / math.sqrt(size)


def test_the_predicate_of_continuity_sees_jumps_and_coordinates():
    case = h25.bernoulli_case()
    assert h25.largest_jump(h25.nearest_rule, case) == 1
    assert h25.tame(h25.smooth_rule).predicate(case)
    assert not h25.tame(h25.nearest_rule).predicate(case)
    assert not h25.tame(h25.coordinate_rule).predicate(case)


@pytest.mark.parametrize(("n", "r", "k"), [(3, 2, 256.0), (4, 4, 1.0)])
def test_t2_joint_exact_risks_are_those_of_the_embedded_models(n, r, k):
    losses = types.typed_losses(n, r, k, 20_000, np.random.default_rng(1))
    for found, exact in zip(losses, types.exact_risks(n, r, int(k))[::-1], strict=True):
        assert abs(found.mean() - float(exact)) < 6 * found.std() / math.sqrt(len(found))


def test_x2_nearest_neighbour_has_near_models_with_different_labels():
    def jumps(case):
        a, b, x, step = case
        near = [abs(a - place) < abs(b - place) for place in (x / 2, x / 2 + step / 1000)]
        return a != b and near[0] != near[1]

    search(st.tuples(*[st.integers(-5, 5)] * 3, st.integers(1, 2)), jumps)


def test_x2_fisher_has_near_training_sets_with_different_labels():
    generator = np.random.default_rng(8)
    centres = np.repeat(np.array([[0.0, 0.0], [1.0, 1.0]]), 6, axis=0)
    training = centres + generator.uniform(-1e-6, 1e-6, size=(300, 12, 2))
    for place in generator.uniform(-1, 2, size=(20, 2)):
        away = abs(place.sum() - 1) > 0.3  # off the boundary that equal spreads would give
        psi = np.concatenate([np.tile(place, (300, 1, 1)), training], axis=1)
        if away and np.ptp(h25_x2.fisher_rule(psi)) == 1:
            return
    pytest.fail("no place with both labels")


def test_x2_fisher_is_blind_to_linear_maps_of_the_perspectives():
    generator = np.random.default_rng(10)
    psi = generator.normal(size=(500, 1 + 2 * h25_x2.PER_CLASS, 2))
    stretched = psi @ np.array([[3.0, 1.0], [0.0, 0.2]]) + 5.0
    assert np.array_equal(h25_x2.fisher_rule(stretched), h25_x2.fisher_rule(psi))


def test_x3_at_one_replicate_equal_noise_keeps_the_first_eigenvector_and_unequal_noise_does_not():
    def turned(case):
        z, gamma = np.array(case[0], float), np.array(case[1], float)
        squares = h25.squared(z[None, :, None])[0]
        noise = (gamma[:, None] + gamma) * (1 - np.eye(4))
        first, other = (h25.classical(part, 1)[:, 0] for part in (squares, squares + noise))
        norm = np.linalg.norm(first) * np.linalg.norm(other)
        return norm > 0 and abs(first @ other) < (1 - 1e-6) * norm

    four = st.lists(st.integers(-4, 4), min_size=4, max_size=4, unique=True)
    _, gamma = search(st.tuples(four, st.lists(st.integers(0, 3), min_size=4, max_size=4)), turned)
    assert len(set(gamma)) > 1
    generator = random.Random(2)
    for _ in range(200):
        assert not turned((generator.sample(range(-4, 5), 4), [generator.randint(0, 9)] * 4))


def test_x3_unequal_noise_changes_the_nearest_neighbour():
    def swapped(case):
        near, far, *gamma = case
        return near < far and near**2 + gamma[0] + gamma[1] > far**2 + gamma[0] + gamma[2]

    near, far, *gamma = search(st.tuples(*[st.integers(0, 5)] * 5), swapped)
    assert (near, far, gamma) == (0, 1, [0, 2, 0])


def test_x4_worlds_in_which_perspectives_know_more_than_the_model():
    generator = random.Random(3)
    worlds = (h25_x4.random_world(generator, relative=True) for _ in range(300))
    one, both, perspectives = next(risks for risks in map(h25_x4.bayes_risks, worlds) if risks[2] < risks[0])
    assert both <= perspectives < one


def test_x4_the_risk_on_perspectives_is_larger_even_where_means_tell_the_models_apart():
    chances = [[Fraction(1, 4)] * 3, [Fraction(3, 4)] * 3, [Fraction(0)] * 3]
    world = ([Fraction(1, 2), Fraction(1, 2), Fraction(0)], [(0, 0), (1, 0), (2, 0)], chances)
    assert h25_x4.bayes_risks(world) == (Fraction(1, 4), Fraction(1, 4), Fraction(3, 8))


def test_x5_equal_means_and_different_noise_differ_in_the_law_of_d():
    half = st.integers(0, 3)

    def apart(case):
        spreads = case
        squares = [  # D^2 from model 3 of models 1 and 2, over all outcomes of r = 1, m = 1
            sorted((a * spread - b * spreads[2]) ** 2 for a, b in itertools.product((1, -1), repeat=2))
            for spread in spreads[:2]
        ]
        return squares[0] != squares[1]

    assert search(st.tuples(half, half, half), apart) == (0, 1, 0)


def test_classical_scaling_is_the_package_s():
    generator = np.random.default_rng(4)
    theta = h25.model_positions(generator, (3, 8))
    squares = h25.limit_squares(theta)
    for one, psi in zip(squares, h25.classical(squares, 2), strict=True):
        assert cases.aligned_error(psi, cases.perspective(np.sqrt(one), 2)) < 1e-9
    means = h25.mean_answers(theta, 4)
    assert np.allclose(squares[0], cases.dissimilarities(means[0][..., None]) ** 2)
    assert np.allclose(h25.squared(h25.limit_positions(theta)), squares)
    nine = h25.limit_squares(theta, 9)
    assert np.allclose(9 * nine, 8 * squares + h25.limit_squares(theta, 1))


def test_triangles_on_the_line_are_the_enumerated_minimisers():
    generator = np.random.default_rng(5)
    for _ in range(100):
        delta = np.zeros((3, 3))
        delta[[0, 0, 1], [1, 2, 2]] = generator.uniform(0, 1, 3)
        (member,) = cases.line_classes(delta + delta.T)
        assert np.allclose(h25.triangle_on_line((delta + delta.T)[None])[0], member)


def test_counts_of_patterns_stand_for_the_answers():
    """E D^2 at r = 1 and its spread by pattern counts, against answers drawn one by one."""
    generator, theta = np.random.default_rng(6), np.array([[0.0, 1.0, 3.0]])
    spread, m, size = np.array([0.5, 1.0, 2.0]), 20, 20_000
    counted = h25_x1.shifted_squares(np.repeat(theta, size, 0), m, spread, generator)[:, 0, 1]
    answers = theta[:, :, None] + spread[:, None] * generator.choice([-1.0, 1.0], size=(size, 3, m))
    drawn = h25.squared(answers)[:, 0, 1] / m
    assert counted.mean() == pytest.approx(1 + 0.25 + 1, abs=6 * counted.std() / math.sqrt(size))
    assert drawn.mean() == pytest.approx(counted.mean(), abs=6 * (drawn.std() + counted.std()) / math.sqrt(size))
    assert drawn.std() == pytest.approx(counted.std(), rel=0.05)


def test_the_population_of_a_case_has_the_means_that_are_sampled():
    corners = h25.triangle(12.5)
    squares = h25.population_squares(h25.corner_case(corners, 1, h25_t1.LABELS))
    assert np.allclose(np.sqrt(squares[[0, 0, 1], [1, 2, 2]]), [12.5, 13, 10])
    sampled = h25.sampled_corners(corners, 4, 1e12, 1, np.random.default_rng(7))[0]
    assert np.allclose(sampled, squares, rtol=1e-4)
    assert np.asarray(dk.dissimilarities(types.types_case().population.mean)).max() == pytest.approx(1)


EXACT = [
    pytest.param(claim, check, id=f"{claim.id}:{check.name}")
    for claim in CLAIMS
    for check in claim.checks
    if check.name in {"nothing-left", "limit", "exact-risks", "finite-laws", "planar-laws"}
]


@pytest.mark.parametrize(("claim", "check"), EXACT)
def test_exact_checks_have_teeth(claim, check):
    assert run_check(check, Setting(0, "quick", claim.id)).teeth


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.drawings], ids=lambda claim: claim.id)
def test_drawings_are_drawn(claim):
    for drawing in claim.drawings:
        assert drawing.draw().axes
