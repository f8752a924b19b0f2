"""The finite world against loops over its outcomes that read like the process, and the identities of its module."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from dkps_theory._validate import InputError
from dkps_theory.bounds.contraction import layered_loss, symmetric_channel_contraction
from dkps_theory.information.discrete_world import DiscreteWorld
from dkps_theory.information.gaussian_world import LinearGaussianWorld
from dkps_theory.information.reverse_bottleneck import side_by_side

NAMES = ("S_anchor", "p", "e_p", "h", "e_M", "g", "M", "eps", "S_gen", "W", "W_anchor")
HALF = Fraction(1, 2)
WRONG_BIT = [[0, 1], [1, 0]]
LOG_2 = math.log(2)


class Slow:
    """All outcomes of a world, one choice after another, and what follows from them by definition."""

    def __init__(
        self, *, data_law, prompt, prompt_factor, h, model_factor, g, curation, training, anchor_training, **kw
    ):
        self.m, self.n, k, self.loss = kw["anchors"], kw["synthetic"], kw["modulus"], kw["loss"]
        self.data_law = data_law
        reduce = (lambda x: x) if k is None else (lambda x: x % k)
        self.atoms = []
        for anchor in itertools.product(data_law, repeat=self.m):
            p1 = math.prod(data_law[z] for z in anchor)
            for p, p2 in prompt(anchor).items():
                for e_p, p3 in prompt_factor(p).items():
                    for e_m in itertools.product(model_factor(e_p), repeat=self.n):
                        p4 = math.prod(model_factor(e_p)[e] for e in e_m)
                        for eps in itertools.product(curation(p), repeat=self.n):
                            p5 = math.prod(curation(p)[e] for e in eps)
                            shift, own = reduce(h(e_p)), tuple(reduce(g(e)) for e in e_m)
                            answers = tuple(reduce(shift + x) for x in own)
                            s_gen = tuple(reduce(x + e) for x, e in zip(answers, eps, strict=True))
                            for w, p6 in training(s_gen).items():
                                for w_anchor, p7 in anchor_training(anchor).items():
                                    letters = (anchor, p, e_p, shift, e_m, own, answers, eps, s_gen, w, w_anchor)
                                    weight = p1 * p2 * p3 * p4 * p5 * p6 * p7
                                    if weight:
                                        self.atoms.append((dict(zip(NAMES, letters, strict=True)), weight))

    def law(self, *names, where=None):
        found = defaultdict(int)
        for letters, weight in self.atoms:
            if where is None or where(letters):
                found[tuple(letters[name] for name in names)] += weight
        return found

    def entropy(self, *names):
        return -sum(float(p) * math.log(p) for p in self.law(*names).values())

    def information(self, a, b):
        return self.entropy(*a) + self.entropy(*b) - self.entropy(*a, *b)

    def one_point(self, sample, key, given):
        """Law of a point drawn at random from the sample, given the letters ``key``."""
        found, total = defaultdict(int), 0
        for letters, weight in self.atoms:
            if tuple(letters[name] for name in given) == key:
                total += weight
                for z in letters[sample]:
                    found[z] += weight / Fraction(len(letters[sample]))
        return {z: weight / total for z, weight in found.items()}

    def risk(self, w, law):
        return sum(weight * self.loss[w][z] for z, weight in law.items())

    def expect(self, function):
        return sum(weight * function(letters) for letters, weight in self.atoms)


def variation(p, q):
    """Largest difference of the probabilities of an event."""
    points = sorted({*p, *q})
    events = itertools.product([0, 1], repeat=len(points))
    return max(sum(i * (p.get(z, 0) - q.get(z, 0)) for i, z in zip(event, points, strict=True)) for event in events)


def random_parts(seed: int, *, independent: bool = False, plain: bool = False) -> dict:
    """Return parts for a small world with rational probabilities, channels noisy, deterministic or constant."""
    table = np.random.default_rng(seed)
    modulus = None if plain else [None, 2, 3][table.integers(3)]
    letters = 2 if modulus is None else modulus

    def law(size):
        weights = [int(w) for w in table.integers(0, 4, size)]
        weights[table.integers(size)] += 1
        return {letter: Fraction(w, sum(weights)) for letter, w in enumerate(weights) if w}

    def channel(size, *, constant=False):
        rows = defaultdict(lambda: law(size) if table.integers(2) else {int(table.integers(size)): Fraction(1)})
        return lambda x: rows[None if constant else x]

    h, g = ([int(x) for x in table.integers(0, 3, 3)] for _ in range(2))
    loss = [[Fraction(int(x), 4) for x in row] for row in table.integers(0, 5, (3, 8))]
    return {
        "data_law": law(letters),
        "anchors": int(table.integers(1, 3)),
        "synthetic": int(table.integers(1, 3)),
        "prompt": channel(2),
        "prompt_factor": channel(2),
        "h": h.__getitem__,
        "model_factor": channel(2, constant=independent),
        "g": g.__getitem__,
        "curation": channel(2),
        "modulus": modulus,
        "training": channel(3),
        "anchor_training": channel(3),
        "loss": loss,
    }


def built(parts: dict) -> DiscreteWorld:
    return DiscreteWorld.build(**(parts | {"loss": lambda w, z: parts["loss"][w][z]}))


@pytest.mark.parametrize("seed", range(8))
def test_loops_over_all_outcomes_agree(seed: int):
    parts = random_parts(seed)
    slow, world = Slow(**parts), built(parts)
    assert world.law.exact
    assert (world.anchors, world.synthetic) == (slow.m, slow.n)
    columns = [world.law.names.index(name) for name in NAMES]
    fast = {
        tuple(world.law.letters[column][row[column]] for column in columns): weight
        for row, weight in zip(world.law.codes, world.law.probabilities, strict=True)
    }
    assert fast == dict(slow.law(*NAMES))

    near = {"abs": 1e-12}
    gain = slow.entropy("M") - slow.information(["h"], ["M"])
    b_syn = slow.information(["e_M"], ["W"]) + slow.information(["e_p"], ["W"])
    i_gen, i_anchor = slow.information(["S_gen"], ["W"]), slow.information(["S_anchor"], ["W_anchor"])
    assert world.information_gain == pytest.approx(gain, **near)
    assert world.b_syn == pytest.approx(b_syn, **near)
    assert world.model_entropy == pytest.approx(slow.entropy("e_M"), **near)
    assert world.synthetic_information == pytest.approx(i_gen, **near)
    assert world.anchor_information == pytest.approx(i_anchor, **near)
    assert world.ggmi == pytest.approx(i_anchor - i_gen, **near)
    assert world.delta_entropy == pytest.approx(slow.entropy("S_anchor") - slow.entropy("S_gen"), **near)
    assert world.least_delta == pytest.approx(i_gen + gain - b_syn - slow.entropy("e_M"), **near)
    assert world.l43_right_side(0.25) == pytest.approx(b_syn - gain + slow.entropy("e_M") + 0.25, **near)

    def remaining(given):
        return slow.entropy("S_anchor", given) - slow.entropy(given)

    unexplained = slow.entropy("S_gen", "W") - slow.entropy("W")
    epsilon = remaining("W") - remaining("p")
    assert world.anchor_given_w == pytest.approx(remaining("W"), **near)
    assert world.anchor_given_w_anchor == pytest.approx(remaining("W_anchor"), **near)
    assert world.synthetic_given_w == pytest.approx(unexplained, **near)
    assert world.epsilon_wp == pytest.approx(epsilon, **near)
    if remaining("W") > 1e-9:
        alpha = remaining("W_anchor") / remaining("W")
        assert world.alpha == pytest.approx(alpha, **near)
        right = gain - (alpha + 1) * remaining("W") + 2 * world.delta_entropy + unexplained + epsilon
        assert world.t49_right_side == pytest.approx(right, **near)
        assert world.t49_slack == pytest.approx(right - (i_anchor - i_gen), **near)


@pytest.mark.parametrize("given_prompt", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_loops_agree_on_the_learning_side_exactly(seed: int, given_prompt: bool):
    parts = random_parts(seed)
    slow, world = Slow(**parts), built(parts)
    data = slow.data_law
    given = ("p", "e_p") if given_prompt else ()
    keys = slow.law(*given)
    answers = {key: slow.one_point("M", key, given) for key in keys}
    curated = {key: slow.one_point("S_gen", key, given) for key in keys}
    reading = {"given_prompt": given_prompt}
    assert world.data_law == data
    assert world.answer_laws(**reading) == answers
    assert world.synthetic_laws(**reading) == curated
    assert world.tv_model(**reading) == sum(keys[key] * variation(data, answers[key]) for key in keys)
    assert world.tv_curation(**reading) == sum(keys[key] * variation(answers[key], curated[key]) for key in keys)
    assert world.tv_direct(**reading) == sum(keys[key] * variation(data, curated[key]) for key in keys)
    losses = [slow.loss[w][z] for (w,) in {*slow.law("W"), *slow.law("W_anchor")} for z in points_of(slow)]
    assert world.loss_range == max(losses) - min(losses)

    def generated(x):
        return slow.risk(x["W"], curated[tuple(x[name] for name in given)])

    def empirical(x, sample, learned):
        return sum(slow.loss[x[learned]][z] for z in x[sample]) / Fraction(len(x[sample]))

    def true(x, learned):
        return slow.risk(x[learned], data)

    gen, anchor = ("S_gen", "W"), ("S_anchor", "W_anchor")
    assert world.true_risk == slow.expect(lambda x: true(x, "W"))
    assert world.generated_risk(**reading) == slow.expect(generated)
    assert world.empirical_risk == slow.expect(lambda x: empirical(x, *gen))
    assert world.anchor_true_risk == slow.expect(lambda x: true(x, "W_anchor"))
    assert world.anchor_empirical_risk == slow.expect(lambda x: empirical(x, *anchor))
    assert world.generalization_error == slow.expect(lambda x: true(x, "W") - empirical(x, *gen))
    assert world.generated_error(**reading) == slow.expect(lambda x: generated(x) - empirical(x, *gen))
    assert world.anchor_generalization_error == slow.expect(lambda x: true(x, "W_anchor") - empirical(x, *anchor))
    assert world.absolute_generalization_error == slow.expect(lambda x: abs(true(x, "W") - empirical(x, *gen)))
    assert world.absolute_generated_error(**reading) == slow.expect(lambda x: abs(generated(x) - empirical(x, *gen)))
    absolute = slow.expect(lambda x: abs(true(x, "W_anchor") - empirical(x, *anchor)))
    assert world.absolute_anchor_generalization_error == absolute


def points_of(slow: Slow) -> set:
    return {*slow.data_law, *(z for letters, _ in slow.atoms for name in ("M", "S_gen") for z in letters[name])}


@pytest.mark.parametrize("seed", range(20))
def test_identities_of_the_derivations(seed: int):
    world = built(random_parts(seed))
    law, near = world.law, {"abs": 1e-12}
    gain = world.information_gain
    assert gain == pytest.approx(law.entropy("M") - law.mutual_information("h", "M"), **near)
    assert gain == pytest.approx(law.entropy("g", "h"), **near)
    bracket = law.mutual_information("e_M", "h") + law.entropy("e_M", ("g", "h"))
    assert world.model_entropy - gain == pytest.approx(bracket, **near)
    i_gen = law.mutual_information(("e_M", "e_p", "eps"), "W")
    assert world.synthetic_information == pytest.approx(i_gen, **near)
    synergy = law.mutual_information("e_M", "e_p", "W") - law.mutual_information("e_M", "e_p")
    least = synergy + law.mutual_information("eps", "W", ("e_M", "e_p")) - bracket
    assert world.least_delta == pytest.approx(least, **near)
    if world.t49_right_side is not None:
        assert world.t49_right_side - world.ggmi == pytest.approx(world.t49_slack, **near)


@pytest.mark.parametrize("seed", range(10))
def test_with_independent_factors_the_gain_is_the_entropy_of_the_models_part(seed: int):
    world = built(random_parts(seed, independent=True))
    assert world.information_gain == pytest.approx(world.law.entropy("g"), abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_that_hold_hold(seed: int):
    table = side_by_side(built(random_parts(100 + seed)))
    for claim in ("L31", "L31/signed", "L44", "T45", "L48"):
        assert table[claim].slack >= -1e-12, claim


def test_side_by_side_by_definition():
    """Three points and two anchors, every number of its own: what each row compares, written out."""
    parts = random_parts(2) | {"anchors": 2, "synthetic": 3, "loss": [[0, 0.25], [0.75, 0.5], [1.5, 0.25]]}
    parts |= {"data_law": {0: HALF, 1: HALF}, "modulus": 2}
    parts |= {"training": lambda s: {s[0] + s[1]: 1}, "anchor_training": lambda s: {2 * s[0]: 1}}
    world = built(parts)
    network = {"layers": 3, "contraction": 0.5, "anchor_contraction": 0.25, "proxy": 0.7}
    table = side_by_side(world, **network, delta=2.0)
    detour = 1.5 * (world.tv_model() + world.tv_curation())
    right = -world.information_gain + world.b_syn + world.model_entropy + 2
    expected = {
        "L31": (world.absolute_generalization_error, detour + world.absolute_generated_error()),
        "L31/signed": (world.generalization_error, detour + world.generated_error()),
        "L44": (world.generated_error(), math.sqrt(0.5**3 * 2 * 0.7 * world.synthetic_information / 3)),
        "T45": (world.generalization_error, detour + math.sqrt(0.5**3 * 2 * 0.7 * right / 3)),
        "L48": (world.anchor_generalization_error, math.sqrt(0.25**3 * 2 * 0.7 * world.anchor_information / 2)),
        "T49": (world.ggmi, world.t49_right_side),
    }
    assert world.absolute_generated_error() > abs(world.generated_error())
    assert [row.claim for row in table.comparisons] == list(expected)
    for claim, (true, bound) in expected.items():
        assert (table[claim].true, table[claim].bound) == pytest.approx((float(true), float(bound)), abs=1e-12), claim
        assert table[claim].slack == pytest.approx(float(bound - true), abs=1e-12)
    marginal = side_by_side(world, given_prompt=False)
    assert marginal["L44"].true == pytest.approx(float(world.generated_error(given_prompt=False)))


def test_exclusive_or():
    """M = e_p + 2 e_M and W = e_p xor e_M: all information is synergy, so L43 needs delta = log 2."""
    world = DiscreteWorld.build(
        data_law=[HALF, HALF],
        prompt=lambda s: s[0],
        model_factor=[HALF, HALF],
        g=lambda e: 2 * e,
        training=lambda s: s[0] % 2 ^ s[0] // 2,
        anchor_training=lambda s: s[0],
    )
    assert world.synthetic_information == pytest.approx(LOG_2, abs=1e-15)
    assert world.b_syn == 0
    assert world.information_gain == world.model_entropy == pytest.approx(LOG_2, abs=1e-15)
    assert world.least_delta == pytest.approx(LOG_2, abs=1e-15)
    with pytest.raises(InputError, match="this world has none"):
        _ = world.true_risk


def test_alpha_and_the_right_side_where_nothing_of_the_anchors_remains():
    """H(S_anchor | W) = 0: any alpha will do if W' tells as much, and none if it tells less."""
    echo = {"data_law": [HALF, HALF], "prompt": lambda s: s[0], "training": lambda s: s[0]}
    both = DiscreteWorld.build(**echo)
    assert both.alpha is None
    assert both.t49_right_side == pytest.approx(both.ggmi + both.t49_slack, abs=1e-15)
    less = DiscreteWorld.build(**echo, anchor_training=lambda _: 0)
    assert (less.alpha, less.t49_right_side) == (None, None)
    assert side_by_side(DiscreteWorld.build(**echo, anchor_training=lambda _: 0, loss=WRONG_BIT))["T49"].slack is None


def test_points_that_share_a_prompt_are_no_independent_draws_of_the_marginal_law():
    """Two copies of a fair prompt, which W recalls: in the marginal reading L44 fails, given the prompt it holds."""
    parts = {"data_law": [HALF, HALF], "prompt": lambda s: s[0], "synthetic": 2, "loss": WRONG_BIT}
    world = DiscreteWorld.build(**parts, training=lambda s: s[0])
    assert world.generated_error(given_prompt=False) == HALF
    assert world.generated_error() == 0
    marginal, given = (side_by_side(world, given_prompt=reading)["L44"] for reading in (False, True))
    assert marginal.bound == given.bound == pytest.approx(math.sqrt(LOG_2 / 4))
    assert marginal.slack < 0 < given.slack


def test_layers_contract():
    """A bit told through noise: with eta and the proxy of the loss at the last layer L44 holds, with less it fails."""
    flips = [[0.75, 0.25], [0.25, 0.75]]
    leaning = {0: [0.51, 0.49], 1: [0.49, 0.51]}
    world = DiscreteWorld.build(
        data_law=[0.5, 0.5],
        prompt=lambda _: 0,
        model_factor=[0.5, 0.5],
        training=lambda s: leaning[s[0]],
        loss=layered_loss([flips, flips], WRONG_BIT),
    )
    eta = symmetric_channel_contraction(0.25)
    row = side_by_side(world, layers=2, contraction=eta, proxy=0.25)["L44"]
    assert 0 <= row.slack < 1e-3 * row.bound
    assert side_by_side(world, layers=3, contraction=eta, proxy=0.25)["L44"].slack < 0


def test_the_anchors_contract_by_their_own_eta():
    world = DiscreteWorld.build(data_law=[0.5, 0.5], prompt=lambda s: s[0], training=lambda s: s[0], loss=WRONG_BIT)
    once, twice = (side_by_side(world, layers=2, contraction=1.0, anchor_contraction=eta) for eta in (1.0, 0.25))
    assert twice["L48"].bound == pytest.approx(once["L48"].bound / 4)
    assert twice["T45"].bound == once["T45"].bound
    assert side_by_side(world, delta=1.0)["T45"].bound > once["T45"].bound
    with pytest.raises(InputError, match="delta: got -5"):
        side_by_side(world, delta=-5.0)


def test_side_by_side_wants_a_world(unannotated):
    with pytest.raises(InputError, match="world: got 3; it must be a ReverseBottleneckWorld"):
        side_by_side(3)


def test_side_by_side_of_a_gaussian_world():
    table = side_by_side(LinearGaussianWorld())
    assert table["L31"].true is table["L31"].bound is table["L31"].slack is None
    assert "unknown" in str(table)
    for claim in ("L31/signed", "L44", "T45", "L48"):
        assert table[claim].slack > 0
    assert table["T49"].slack == pytest.approx(LinearGaussianWorld().t49_slack)
    assert side_by_side(LinearGaussianWorld(prompt_variance=0.0))["T49"].bound == math.inf
    with pytest.raises(InputError, match="unknown claim 'L45'; did you mean"):
        _ = table["L45"]


def test_floats_and_fractions_give_the_same():
    parts = random_parts(3)
    exact = built(parts)

    def rounded(part):
        return (lambda x: {y: float(p) for y, p in part(x).items()}) if callable(part) else part

    channels = ("prompt", "prompt_factor", "model_factor", "curation", "training", "anchor_training")
    floats = {name: rounded(parts[name]) for name in channels}
    world = built(parts | floats | {"data_law": {z: float(p) for z, p in parts["data_law"].items()}})
    assert not world.law.exact
    for row, other in zip(side_by_side(world).comparisons, side_by_side(exact).comparisons, strict=True):
        assert row.true == pytest.approx(other.true, abs=1e-12)
        assert row.bound == pytest.approx(other.bound, abs=1e-12)


def test_channels_come_as_functions_mappings_and_tables():
    told = {"data_law": [0.25, 0.75], "h": lambda e: 3 * e, "training": lambda s: s}
    noisy = [[0.5, 0.5], [0.125, 0.875]]
    first = DiscreteWorld.build(prompt=noisy, prompt_factor=[1, 0], **told)
    mapped = DiscreteWorld.build(prompt={(0,): noisy[0], (1,): noisy[1]}, prompt_factor={0: 1, 1: 0}, **told)
    called = DiscreteWorld.build(
        prompt=lambda s: dict(enumerate(noisy[s[0]])), prompt_factor=lambda p: 1 - p, **told | {"h": {0: 0, 1: 3}}
    )
    dependent = DiscreteWorld.build(prompt=noisy, model_factor={0: [1.0], 1: [0.5, 0.5]}, **told)
    for other in (mapped, called):
        assert first.law.total_variation(other.law) == 0
    assert dependent.law.mutual_information("e_p", "e_M") > 0
