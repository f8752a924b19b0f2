"""False readings of G25's generalization bounds fall to searches from scratch; what their checks compute is right."""

from __future__ import annotations

import itertools
import math
import random
import types
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from dkps_theory.bounds.contraction import dobrushin_coefficient, layered_loss
from dkps_theory.information.discrete_world import DiscreteWorld
from dkps_theory.information.joint_law import JointLaw
from proofs_checks import cases
from proofs_checks.claims import (
    _g25_trained,
    cl_xr,
    g25_l31,
    g25_l31_prompt,
    g25_l44,
    g25_l44_information,
    g25_l44_lipschitz,
    g25_l44_prompt,
    g25_l48,
)

SEARCH = settings(
    max_examples=3000,
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.target, Phase.shrink),
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
)
LAWS = st.lists(st.integers(0, 3), min_size=2, max_size=2).filter(any).map(lambda w: [Fraction(x, sum(w)) for x in w])
FLIP = [[0.75, 0.25], [0.25, 0.75]]


def some_worlds(*, points: int, noisy: bool = False) -> Iterator[DiscreteWorld]:
    """Yield sums of a bit and a uniform letter, D their law, W and the network's bit maps of the sum, in random order.

    The bit is the prompt or constant, or if ``noisy`` drawn as e_p whatever the prompt; one layer flips with
    probability 1/4.
    """
    maps = list(itertools.product((0, 1), repeat=4))
    candidates = list(itertools.product(((0, 1),) if noisy else ((0,), (0, 1)), (1, 2), (1, 2), maps, maps))
    random.Random(0).shuffle(candidates)
    loss = layered_loss([FLIP], [[0.0, 1.0], [1.0, 0.0]])
    for bits, own, shift, kept, side in candidates:
        sums = [shift * bit + letter for bit in bits for letter in range(own)]
        drawn = {bit: 1 / len(bits) for bit in bits}
        yield DiscreteWorld.build(
            data_law=[sums.count(z) / len(sums) for z in range(4)],
            prompt=lambda _, drawn=drawn: 0 if noisy else drawn,
            prompt_factor=lambda p, drawn=drawn: drawn if noisy else p,
            h=lambda bit, shift=shift: shift * bit,
            model_factor=[1 / own] * own,
            synthetic=points,
            training=lambda sample, kept=kept: kept[sample[0]],
            loss=lambda w, z, side=side: float(loss[w, side[int(z)]]),
        )


def t45(world: DiscreteWorld, delta: float, *, given_prompt: bool = True) -> float:
    """T45's right side, written out: one layer that contracts by 1/4, sigma = 1/2."""
    law = world.law
    gain = law.entropy("M") - law.mutual_information("h", "M")
    told = law.mutual_information("e_M", "W") + law.mutual_information("e_p", "W")
    root = max(told - gain + law.entropy("e_M") + delta, 0.0)
    apart = world.tv_model(given_prompt=given_prompt) + world.tv_curation(given_prompt=given_prompt)
    return float(world.loss_range * apart) + math.sqrt(0.25 * 0.5 * root / world.synthetic)


def exceeding(error, bound, **kind) -> DiscreteWorld:
    """Return the first world whose error exceeds the bound by a hundredth."""
    return next(world for world in some_worlds(**kind) if error(world) > bound(world) + 0.01)


def prompt_and_noise(world: DiscreteWorld) -> float:
    return world.law.entropy(("p", "eps"))


def test_search_finds_a_signed_loss_above_the_bound_of_lemma_3_1():
    losses = st.lists(st.integers(-2, 2), min_size=2, max_size=2).map(lambda x: [Fraction(v, 2) for v in x])
    samples = st.lists(st.integers(0, 1), min_size=1, max_size=2)

    def exceeds(case):
        error, detour, remainder = g25_l31.pieces(case)
        return error > detour + remainder

    case = find(st.tuples(LAWS, LAWS, LAWS, losses, samples), exceeds, settings=SEARCH)
    error, detour, remainder = g25_l31.pieces(case)
    assert detour + remainder < error <= 2 * detour + remainder


def test_search_finds_prompts_whose_averaged_laws_are_nearer_than_what_was_learned():
    generator = random.Random(0)
    found = [g25_l31_prompt.prompted(g25_l31_prompt.random_prompted(generator)) for _ in range(500)]
    worse = [case for case in found if case[0] > case[2] + case[3]]
    assert worse
    assert all(error <= given + remainder for error, given, _, remainder in found)
    assert all(averaged <= given for _, given, averaged, _ in found)


def test_search_finds_layers_that_shrink_distances_and_not_the_gap():
    points = st.lists(st.integers(-3, 3), min_size=2, max_size=3, unique=True).map(lambda x: np.array(x, float))
    strategy = st.tuples(points, st.sampled_from([0.5, 0.25]), st.integers(1, 3), st.integers(0, 7))

    def gap_and_bound(case):
        x, eta, depth, image = case
        y = x * eta**depth
        table = np.array([[image >> place & 1, 1 - (image >> place & 1)] for place in range(len(x))], float)
        law = np.full(len(x), 1 / len(x))
        found, _, information = cl_xr.gaps(
            law, 1, np.stack([y > y.mean(), y <= y.mean()]).astype(float), lambda _: table
        )
        return found, math.sqrt(eta**depth * 0.5 * max(information, 0.0))

    case = find(strategy, lambda case: abs(gap_and_bound(case)[0]) > gap_and_bound(case)[1] + 0.01, settings=SEARCH)
    found, bound = gap_and_bound(case)
    assert bound < abs(found) <= bound / case[1] ** (case[2] / 2) + 1e-12


def test_search_finds_a_gap_above_the_bound_with_the_proxy_of_the_averaged_loss():
    def sides(case):
        flip, keep, depth = case
        network = g25_l44.bit_network((flip,) * depth, 1, keep)
        found, _, information = network.gaps()
        proxy = np.ptp(network.averaged) ** 2 / 4
        return abs(found), g25_l44.bound(network, information, variance=proxy), g25_l44.bound(network, information)

    strategy = st.tuples(st.sampled_from([0.4, 0.25, 0.1]), st.sampled_from([0.0, 0.5, 2.0]), st.integers(1, 2))
    found, doubly, once = sides(find(strategy, lambda case: sides(case)[0] > sides(case)[1] + 0.01, settings=SEARCH))
    assert doubly < found <= once


def test_search_finds_trained_layers_that_hide_the_sample_and_not_the_gap():
    def world(case):
        maps, table, kept = case
        layers = np.stack([np.eye(2)[list(row)] for row in maps])
        return g25_l44_information.Shown(np.array([0.5, 0.5]), 1, layers, np.array([table] * 2), np.eye(2)[list(kept)])

    def bound(case):
        return math.sqrt(0.5 * max(world(case).information()[0], 0.0))

    pair = st.tuples(st.integers(0, 1), st.integers(0, 1))
    case = find(
        st.tuples(st.tuples(pair, pair), pair.map(lambda x: np.array(x, float)), pair),
        lambda case: abs(world(case).gap()) > bound(case) + 0.01,
        settings=SEARCH,
    )
    assert case[0][0] != case[0][1]
    assert abs(world(case).gap()) <= math.sqrt(0.5 * world(case).information()[1]) + 1e-12


def test_search_finds_noise_of_the_training_that_the_bound_does_not_cover():
    def world(case):
        (error, flip), kept = case
        layer = np.array([[1 - error - flip, flip, error], [flip, 1 - error - flip, error]])
        loss = 1 - np.eye(3)[list(kept)].T
        return g25_l44_information.Shown(
            np.array([0.5, 0.5]), 1, np.stack([layer] * 3), loss, np.eye(3), same_noise=True
        )

    def bounds(found):
        after, before = found.information()
        return math.sqrt(dobrushin_coefficient(found.layers[0]) * 0.5 * before), math.sqrt(0.5 * after)

    strategy = st.tuples(st.sampled_from([(0.0, 0.25), (0.5, 0.0), (0.25, 0.25)]), st.tuples(*[st.integers(0, 2)] * 3))
    found = world(find(strategy, lambda case: abs(world(case).gap()) > bounds(world(case))[0] + 0.01, settings=SEARCH))
    before, after = bounds(found)
    assert before < abs(found.gap()) <= after


@pytest.mark.parametrize("same_noise", [False, True])
def test_what_layers_show_by_loops(same_noise):
    table = np.random.default_rng(5)
    law, layer, loss = table.dirichlet(np.ones(3)), table.dirichlet(np.ones(2), 3), table.random((2, 2))
    training = table.dirichlet(np.ones(2), 4 if same_noise else 9)
    gap, joint = 0.0, {}
    for s, y in itertools.product(itertools.product(range(3), repeat=2), itertools.product(range(2), repeat=2)):
        for w in range(2):
            chosen = training[2 * y[0] + y[1] if same_noise else 3 * s[0] + s[1], w]
            weight = law[s[0]] * law[s[1]] * layer[s[0], y[0]] * layer[s[1], y[1]] * chosen
            risk = sum(law[z] * layer[z, x] * loss[w, x] for z in range(3) for x in range(2))
            gap += weight * (risk - (loss[w, y[0]] + loss[w, y[1]]) / 2)
            joint[s, y, w] = weight
    world = g25_l44_information.Shown(law, 2, np.stack([layer] * 2), loss, training, same_noise)
    assert world.gap() == pytest.approx(gap, abs=1e-14)
    slow = JointLaw.independent(all=joint).derive("y", "all", lambda x: x[1]).derive("w", "all", lambda x: x[2])
    slow = slow.derive("s", "all", lambda x: x[0])
    known = slow.mutual_information("y", "w"), slow.mutual_information("s", "w")
    assert world.information() == pytest.approx(known, abs=1e-12)


def test_search_finds_an_absolute_gap_above_the_layered_bound():
    strategy = st.tuples(st.integers(1, 3), st.sampled_from([0.0, 0.1, 1.0]))

    def sides(case):
        network = g25_l44.bit_network((0.25,), *case)
        _, found, information = network.gaps()
        return found, g25_l44.bound(network, information), g25_l44.bound(network, information + math.log(2))

    found, without, with_log_2 = sides(find(strategy, lambda x: sides(x)[0] > sides(x)[1] + 0.01, settings=SEARCH))
    assert without < found <= with_log_2


def test_search_finds_points_that_are_no_draws_of_their_averaged_law():
    def exceeds(case):
        return abs(world(case).gap(marginal=True)) > bound_of(world(case)) + 0.01

    def bound_of(world):
        return math.sqrt(world.contraction * 0.5 * max(world.information()[0], 0.0) / world.n)

    def world(case):
        laws, n, seed = case
        training = np.random.default_rng(seed).integers(0, 2, 2**n)
        loss = layered_loss([FLIP], [[0.0, 1.0], [1.0, 0.0]])
        return g25_l44_prompt.Prompted(np.array([0.5, 0.5]), laws, n, loss, 0.25, np.stack([np.eye(2)[training]] * 2))

    strategy = st.tuples(cases.integer_laws(2, 2, 3), st.integers(1, 4), st.integers(0, 200))
    found = world(find(strategy, exceeds, settings=SEARCH))
    assert found.n > 1
    assert abs(found.gap()) <= bound_of(found) + 1e-12


def test_search_finds_worlds_that_need_a_delta():
    world = exceeding(lambda w: w.generalization_error, lambda w: t45(w, 0.0), points=1)
    assert world.generalization_error <= t45(world, prompt_and_noise(world))


def test_search_finds_noisy_factors_that_no_delta_of_the_prompt_covers():
    world = exceeding(lambda w: w.generalization_error, lambda w: t45(w, prompt_and_noise(w)), points=1, noisy=True)
    assert world.generalization_error <= t45(world, world.law.entropy(("e_p", "eps")))


def test_search_finds_absolute_errors_above_the_bound():
    world = exceeding(lambda w: w.absolute_generalization_error, lambda w: t45(w, prompt_and_noise(w)), points=1)
    delta = prompt_and_noise(world)
    assert world.generalization_error <= t45(world, delta)
    assert world.absolute_generalization_error <= t45(world, delta + math.log(2))


def test_search_finds_averaged_laws_whose_variations_are_too_small():
    def averaged(world):
        return t45(world, prompt_and_noise(world), given_prompt=False)

    world = exceeding(lambda w: w.generalization_error, averaged, points=4)
    assert world.generalization_error <= t45(world, prompt_and_noise(world))


def test_search_finds_an_absolute_anchor_error_above_the_bound():
    def bound(world):
        return math.sqrt(0.25 * 0.5 * max(world.anchor_information, 0.0))

    world = exceeding(lambda w: w.absolute_anchor_generalization_error, bound, points=1)
    assert world.anchor_generalization_error <= bound(world) + 1e-12


def test_search_finds_bounds_in_either_order_whatever_the_order_of_the_errors():
    found = [g25_l48.differences(_g25_trained.random_bits(seed)) for seed in range(80)]
    for place in (1, 2):
        signs = {(x[0] > 0, x[place] > 0) for x in found if min(abs(x[0]), abs(x[place])) > 1e-3}
        assert len(signs) == 4


def test_gaps_of_networks_agree_with_draws_through_the_layers():
    network = g25_l44.random_network(
        (np.array([0.2, 0.5, 0.3]), 2, 2, np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.25]]), 7, 1.0)
    )
    generator, size = np.random.default_rng(3), 100_000
    points = generator.choice(3, size=(size, 2), p=network.law)
    channel = network.channel(cl_xr.samples(network.law, 2)[1])
    chosen = (generator.random(size) < channel[points[:, 0] * 3 + points[:, 1], 1]).astype(int)

    def passed(letters):
        for layer in network.layers:
            cumulative = layer[chosen, letters].cumsum(axis=1)
            letters = (generator.random(size)[:, None] > cumulative[:, :2]).sum(axis=1)
        return network.loss[chosen, letters]

    fresh = generator.choice(3, size=size, p=network.law)
    gap = passed(fresh) - (passed(points[:, 0]) + passed(points[:, 1])) / 2
    # False alarm at most 1e-7: the normal tail beyond 5.4 standard errors, both sides.
    assert network.gaps()[0] == pytest.approx(gap.mean(), abs=5.4 * gap.std() / math.sqrt(size))
    assert network.eta == max(dobrushin_coefficient(kernel) for kernel in network.layers.reshape(-1, 3, 3))


def test_mirrored_layers_leave_the_averaged_loss_as_it_is():
    plain, mirrored = (g25_l44.bit_network((0.1, 0.2), 2, 1.0, mirrored=m) for m in (False, True))
    assert not np.array_equal(plain.layers, mirrored.layers)
    np.testing.assert_allclose(plain.averaged, mirrored.averaged, rtol=1e-15)


def test_prompted_worlds_agree_with_the_discrete_world():
    echo = g25_l44_prompt.echo(3)
    world = _g25_trained.echo(3).world
    assert echo.gap(marginal=True) == pytest.approx(world.generated_error(given_prompt=False), abs=1e-12)
    assert echo.gap() == pytest.approx(world.generated_error(), abs=1e-12)
    assert echo.information()[0] == pytest.approx(world.synthetic_information, abs=1e-12)


def test_lipschitz_layers_scale_distances():
    world = g25_l44_lipschitz.scaled_bits(0.25, 2, 1.0)
    np.testing.assert_allclose(world.images(), [-1 / 16, 1 / 16])
    assert g25_l44_lipschitz.steepest(world) == pytest.approx(0.25)
    assert world.gaps(world.by_sign())[0] == pytest.approx(world.gaps()[0] * 8)


def swapped() -> DiscreteWorld:
    """Two answers that repeat the prompt, a fair bit, which curation turns into the other bit."""
    return DiscreteWorld.build(
        data_law=[0.5, 0.5],
        prompt=lambda s: s[0],
        curation=lambda p: 1 - 2 * p,
        synthetic=2,
        training=lambda s: s[0],
        loss=[[0.25, 0.75], [0.75, 0.25]],
    )


@pytest.mark.parametrize("seed", range(5))
def test_readings_of_the_bound_agree_with_it_written_out(seed):
    world = swapped() if seed == 0 else next(itertools.islice(some_worlds(points=2), seed, None))
    trained = _g25_trained.Trained(world, (np.array(FLIP),), 1 - np.eye(2), 0.25)
    for given_prompt in (True, False):
        reading = _g25_trained.Reading(given_prompt=given_prompt)
        expected = t45(world, prompt_and_noise(world), given_prompt=given_prompt)
        assert _g25_trained.t45(trained, reading) == pytest.approx(expected, abs=1e-12)
    assert _g25_trained.error(trained, _g25_trained.Reading(absolute=True)) == world.absolute_generalization_error


@pytest.mark.parametrize(("n", "depth"), [(1, 1), (2, 1), (1, 2)])
def test_leaning_bits_attain_both_bounds(n, depth):
    trained = _g25_trained.leaning(n, 0.01, depth)
    assert trained.world.generalization_error > 0
    assert _g25_trained.ratio(trained, _g25_trained.Reading()) == pytest.approx(1, abs=1e-3)
    assert trained.world.anchor_generalization_error == pytest.approx(g25_l48.l48(trained), rel=1e-3)


def test_a_predictor_that_knows_nothing_attains_the_first_term():
    trained = _g25_trained.shifted()
    assert trained.world.generalization_error == pytest.approx(0.5 * 0.25)  # range of the averaged loss times TV
    assert _g25_trained.ratio(trained, _g25_trained.Reading()) == pytest.approx(1, abs=1e-9)


def test_bounds_of_layers_and_of_distances_are_attained_by_leaning_bits():
    network, scaled = g25_l44.bit_network((0.25, 0.25), 3, 0.01), g25_l44_lipschitz.scaled_bits(0.5, 2, 0.01, 3)
    found, _, information = network.gaps()
    assert found == pytest.approx(g25_l44.bound(network, information), rel=1e-3)
    found, _, information = scaled.gaps()
    assert found == pytest.approx(g25_l44_lipschitz.bound(scaled, information, 1.0, 1.0), rel=1e-3)


def test_deltas_and_anchor_bounds_written_out():
    bits = JointLaw.independent(p=[0.5, 0.5], noise=[0.25, 0.75], e_p=[0.5, 0.5])
    law = bits.derive("eps", ("p", "noise"), lambda p, noise: p * noise)
    world = types.SimpleNamespace(law=law)
    quarter = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert _g25_trained.delta(world, "prompt") == pytest.approx(math.log(2) + quarter / 2)
    assert _g25_trained.delta(world, "factor") == pytest.approx(math.log(2) + law.entropy("eps"))
    assert _g25_trained.delta(world, "none") == 0
    drawn = [_g25_trained.random_bits(seed) for seed in range(12)]
    trained = next(found for found in drawn if (found.world.anchors, found.world.synthetic) == (2, 1))
    information = trained.world.law.mutual_information("S_anchor", "W_anchor")
    assert g25_l48.l48(trained) == pytest.approx(0.75 * math.sqrt(0.5 * information / 2))


def test_pieces_of_one_case_by_hand():
    law = [Fraction(3, 4), Fraction(1, 4)]
    case = law, [Fraction(1, 2)] * 2, law[::-1], [Fraction(1), Fraction(0)], [0, 1, 1, 1]
    assert g25_l31.pieces(case) == (Fraction(1, 2), Fraction(1, 2), 0)
    assert g25_l31.pieces((*case[:4], [1])) == (Fraction(3, 4), Fraction(1, 2), Fraction(1, 4))
    # Two prompts: curation turns the first's answers, 0, to 1, and the second's to 0; D is fair, W the point seen.
    half, sure = [Fraction(1, 2)] * 2, [[Fraction(i == j) for j in range(2)] for i in range(2)]
    law = [Fraction(1, 4), Fraction(3, 4)]
    found = g25_l31_prompt.prompted((half, law, [sure[0], half], sure[::-1], sure, [[Fraction(0), Fraction(1)], law]))
    assert found == (Fraction(7, 16), Fraction(3, 4), Fraction(1, 4), 0)


def test_contraction_is_squared_for_symmetric_channels_of_bits_alone():
    flip = np.array(FLIP)
    assert [g25_l44.contracts(flip, eta) for eta in (0.25, 0.24, 1.0, 0.0)] == [True, False, False, False]
    assert [g25_l44.contracts(flip[:, [0, 0, 1]] / [2, 2, 1], eta) for eta in (0.5, 0.49)] == [True, False]
