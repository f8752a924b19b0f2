"""What G25 claims of densities falls to searches from scratch, and the exact worlds are those of the package."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from dkps_theory.information.gaussian_world import LinearGaussianWorld
from proofs_checks.claims import g25_continuous, g25_continuous_q1, g25_continuous_t49
from proofs_checks.claims._g25_continuous import Scalars, vector_law
from proofs_checks.claims._g25_entropies import B_SYN, DELTA_I, GGMI, L43, SYNTHETIC, T49, entropy
from proofs_checks.evidence.certified import Stored

#: Type checks under test look at a random entry of a sequence, which has no part in the world that is drawn.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

SEARCH = settings(
    max_examples=2000,
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.target, Phase.shrink),
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
)
NAMES = ("data_variance", "prompt_variance", "factor_variance", "curation_variance", "training_variance")
#: Small sizes, variances from 1/8 to 8, gains of the factors from 1/8 to 8.
WORLDS = st.builds(
    lambda m, n, levels, gain, bias: LinearGaussianWorld(
        anchors=m,
        synthetic=n,
        factor_gain=2.0**gain,
        factor_mean=float(bias),
        **{name: 2.0**level for name, level in zip(NAMES, levels, strict=True)},
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.tuples(*[st.integers(-3, 3)] * 5),
    st.integers(-3, 3),
    st.integers(0, 3),
)


def searched(condition):
    return find(WORLDS, condition, settings=SEARCH)


def test_search_finds_answers_with_a_negative_information_gain():
    world = searched(lambda world: world.information_gain < -0.01)
    law = world.law
    assert law.entropy("M") - law.mutual_information("h", "M") < -0.01


@pytest.mark.parametrize("delta", [0.0, 1.0, 4.0])
def test_search_finds_factors_in_whose_unit_the_right_side_is_too_small(delta):
    """The law of (eps, p) belongs to a world and its gain to the search, so no delta of that law will do."""
    base = LinearGaussianWorld()

    def in_unit(power: int) -> LinearGaussianWorld:
        return dataclasses.replace(base, factor_gain=2.0**power, factor_variance=base.factor_variance / 4.0**power)

    power = find(
        st.integers(-20, 20),
        lambda power: in_unit(power).l43_right_side(delta) < base.synthetic_information,
        settings=SEARCH,
    )
    assert in_unit(power).synthetic_information == pytest.approx(base.synthetic_information, abs=1e-10)


@pytest.mark.parametrize("delta", [0.0, 0.5, 2.0])
def test_search_finds_noise_at_which_the_right_side_is_too_small_in_the_unit_of_the_answers(delta):
    def world(powers: tuple[int, int]) -> LinearGaussianWorld:
        noise, spread = powers
        return LinearGaussianWorld(
            synthetic=1, training_variance=4.0**noise, factor_variance=4.0**spread, curation_variance=0.0
        )

    case = find(
        st.tuples(st.integers(-12, 6), st.integers(-6, 12)),
        lambda case: world(case).l43_right_side(delta) < world(case).synthetic_information - 0.01,
        settings=SEARCH,
    )
    found = world(case)
    assert found.prompt_gain == found.factor_gain == 1
    assert found.least_delta > delta


def test_search_finds_worlds_in_which_t49_fails_term_by_term():
    world = searched(lambda world: g25_continuous_t49.slack_of(world.law) < -0.01)
    assert world.t49_slack < -0.01
    bare = searched(
        lambda world: g25_continuous_t49.slack_of(dataclasses.replace(world, curation_variance=0.0).law) < -0.01
    )
    assert dataclasses.replace(bare, curation_variance=0.0).t49_slack < -0.01


def test_search_finds_a_unit_in_which_alpha_changes_its_sign():
    def alphas(case):
        world, power = case
        unit = 4.0**power
        names = (*NAMES, "anchor_training_variance")
        other = dataclasses.replace(world, **{name: unit * getattr(world, name) for name in names})
        return world.alpha or 0.0, other.alpha or 0.0  # None, or 0, is no change of sign

    case = find(st.tuples(WORLDS, st.integers(-3, 3)), lambda case: math.prod(alphas(case)) < -0.01, settings=SEARCH)
    assert math.prod(alphas(case)) < 0


def test_search_finds_gains_of_information_that_loosen_the_bound_and_raise_the_error():
    def worse(case):
        calm, times = case
        noisy = g25_continuous_q1.noisier(calm, times)
        assert noisy.information_gain > calm.information_gain
        return (
            g25_continuous_q1.information_term(noisy) > g25_continuous_q1.information_term(calm) + 0.01
            and noisy.true_risk > calm.true_risk + 0.01
            and noisy.generalization_error > calm.generalization_error + 0.01
        )

    find(st.tuples(WORLDS, st.sampled_from([2.0, 8.0])), worse, settings=SEARCH)


def test_search_finds_a_gain_of_information_that_lowers_the_risk_of_a_biased_generator():
    def better(case):
        calm, times = case
        return g25_continuous_q1.noisier(calm, times).true_risk < calm.true_risk - 0.01

    calm, times = find(st.tuples(WORLDS, st.sampled_from([2.0, 8.0])), better, settings=SEARCH)
    assert g25_continuous_q1.directions(calm)[0] < 0
    assert calm.factor_mean > 0
    assert times > 1


def test_the_exact_world_is_the_one_of_the_package():
    numbers = {"data": 1.3, "prompt": 0.4, "prompt_gain": 0.8, "factor": 0.7, "factor_gain": 1.2}
    numbers |= {"curation": 0.3, "training": 0.2, "anchor_training": 0.6}
    exact = Scalars(**{name: sympy.Rational(str(value)) for name, value in numbers.items()})
    variance = {"data", "prompt", "factor", "curation", "training", "anchor_training"}
    world = LinearGaussianWorld(
        anchors=1,
        synthetic=1,
        **{f"{name}_variance" if name in variance else name: value for name, value in numbers.items()},
    )
    for combination, found in (
        (DELTA_I, world.information_gain),
        (B_SYN, world.b_syn),
        (SYNTHETIC, world.synthetic_information),
        (L43, world.l43_right_side(0.0)),
        (GGMI, world.ggmi),
        (T49, world.t49_right_side),
        (entropy("S_gen"), world.law.entropy("S_gen")),
    ):
        assert float(sympy.log(exact.power(combination)) / 2) == pytest.approx(found, abs=1e-10)


@pytest.mark.parametrize("dependent", [False, True])
def test_random_vectors_keep_to_the_process(dependent):
    sizes, factors, noises = set(), [], []
    for seed in range(20):
        law = vector_law(seed, dependent=dependent)
        blocks = law.coefficients
        np.testing.assert_allclose(blocks["M"], blocks["h"] + blocks["g"])
        np.testing.assert_allclose(blocks["S_gen"], blocks["M"] + blocks["eps"])
        assert law.mutual_information("W", ["S_anchor", "p", "e_M", "eps"], "S_gen") < 1e-9
        assert law.mutual_information("W_anchor", ["p", "S_gen"], "S_anchor") < 1e-9
        assert law.mutual_information("S_anchor", ["e_M", "eps"], "p") < 1e-9
        assert law.mutual_information("g", "e_M") == math.inf
        sizes.add(tuple(len(blocks[name]) for name in ("S_anchor", "p", "M", "W")))
        factors.append(law.mutual_information("e_M", "e_p"))
        noises.append(law.mutual_information("eps", "e_p"))
        leaking = vector_law(seed, leak=True)
        assert leaking.mutual_information("W", "e_M", "S_gen") > 1e-3
    assert len(sizes) > 10
    for informed in (factors, noises):
        assert (min(informed) > 1e-3) == dependent
        assert dependent or max(informed) < 1e-9


def test_the_certified_worlds_are_worlds_of_the_package():
    for name, curation in (("g25-t49-continuous", 1.0), ("g25-t49-continuous-no-curation", 0.0)):
        given = {key: Fraction(value) for key, value in Stored(name, "0", "0").load()["given"].items()}
        world = LinearGaussianWorld(
            anchors=1,
            synthetic=1,
            prompt_variance=1.0,
            factor_variance=1.0,
            curation_variance=curation,
            training_variance=1.0,
            anchor_training_variance=1.0,
        )
        assert math.exp(2 * world.ggmi) == pytest.approx(float(given["ggmi"]))
        assert world.t49_right_side is not None
        assert math.exp(2 * world.t49_right_side) == pytest.approx(float(given["right"]))
    lone = {"anchors": 1, "synthetic": 1, "prompt_variance": 1.0, "prompt_gain": 0.5}
    for answer, power in ((0.75, 6.5), (2.25, 12.5)):
        world = LinearGaussianWorld(**lone, factor_variance=answer, curation_variance=0.125, training_variance=0.25)
        assert math.exp(2 * world.synthetic_information) == pytest.approx(power)
    for answer, risk, gap in ((0.75, 1 / 2, 3 / 10), (5.75, 2 / 3, 7 / 15)):
        world = LinearGaussianWorld(**lone, factor_variance=answer, curation_variance=3 / 16, training_variance=9 / 16)
        assert world.true_risk == pytest.approx(risk)
        assert world.generalization_error == pytest.approx(gap)


def test_the_gap_falls_where_the_condition_says_and_rises_later():
    """At n = 8 and no bias the gap turns where (n - 1)^(2/3) Q = Q_S."""
    worlds = [g25_continuous_q1.noisier(LinearGaussianWorld(), times) for times in np.geomspace(0.1, 1e4, 200)]
    gaps = np.array([float(world.generalization_error) for world in worlds])
    signs = np.array([g25_continuous_q1.directions(world)[1] > 0 for world in worlds])
    assert signs[0]
    assert not signs[-1]
    falls = np.diff(gaps) < 0
    assert np.all(falls[signs[1:]])
    assert not np.any(falls[~signs[:-1]])


def test_the_drawings_can_be_drawn():
    from dkps_theory.pages.figures import styled

    modules = (g25_continuous, g25_continuous_q1, g25_continuous_t49)
    drawings = [drawing for module in modules for claim in module.CLAIMS for drawing in claim.drawings]
    assert len(drawings) == 3
    for drawing in drawings:
        assert styled(drawing.draw)().axes
