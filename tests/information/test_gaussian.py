"""Closed forms of Gaussian laws: against SciPy, quadrature, their definitions and scikit-learn's nearest neighbours."""

from __future__ import annotations

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats
from sklearn.feature_selection import mutual_info_regression

from dkps_theory._gaussian import (
    checked_covariances,
    expected_log_densities,
    factorise,
    log_densities,
    total_variation_on_line,
)
from dkps_theory._validate import InputError
from dkps_theory.information.gaussian import (
    gaussian_conditional_mutual_information,
    gaussian_entropy,
    gaussian_hellinger,
    gaussian_kl,
    gaussian_mutual_information,
    gaussian_renyi,
    gaussian_total_variation,
)

ONE = np.eye(1)


def random_law(rng: np.random.Generator, d: int) -> tuple[np.ndarray, np.ndarray]:
    root = rng.normal(size=(d, d))
    return rng.normal(size=d), root @ root.T + 0.2 * np.eye(d)


def on_the_line(function, first, second) -> float:
    """Integrate function(p, q) over the line, with the peaks as break points."""
    laws = [stats.norm(mean, scale) for mean, scale in (first, second)]
    points = sorted({m + t * s for m, s in (first, second) for t in (-9, -3, -1, 0, 1, 3, 9)})
    ends = itertools.pairwise(points)
    return sum(integrate.quad(lambda x: function(*(law.pdf(x) for law in laws)), *end, epsabs=1e-13)[0] for end in ends)


@pytest.mark.parametrize("d", [1, 3, 32])
def test_entropy_and_kl_read_like_the_definition(d: int):
    rng = np.random.default_rng(d)
    (m0, S0), (m1, S1) = random_law(rng, d), random_law(rng, d)
    assert float(gaussian_entropy(S0)) == pytest.approx(stats.multivariate_normal(m0, S0).entropy(), rel=1e-12)
    inverse = np.linalg.inv(S1)
    logs = np.linalg.slogdet(S1)[1] - np.linalg.slogdet(S0)[1]
    slow = 0.5 * (np.trace(inverse @ S0) + (m1 - m0) @ inverse @ (m1 - m0) - d + logs)
    assert float(gaussian_kl(m0, S0, m1, S1)) == pytest.approx(slow, rel=1e-10)
    assert float(gaussian_kl(m0, S0, m0, S0)) == pytest.approx(0.0, abs=1e-12)


def test_kl_of_nearly_equal_laws_keeps_its_digits():
    # KL(N(0, 1) || N(0, 1 + e)) = e^2/4 - e^3/3 + ...
    assert float(gaussian_kl(np.zeros(1), ONE, np.zeros(1), ONE + 1e-5)) == pytest.approx(2.5e-11, rel=1e-4, abs=0)


@pytest.mark.parametrize("order", [0.3, 0.5, 2.0])
def test_renyi_and_hellinger_against_quadrature(order: float):
    first, second = (0.0, 1.0), (0.7, 1.3)
    power = on_the_line(lambda p, q: p**order * q ** (1 - order), first, second)
    laws = (np.zeros(1), ONE, np.full(1, 0.7), ONE * 1.69)
    assert float(gaussian_renyi(*laws, order)) == pytest.approx(math.log(power) / (order - 1), rel=1e-9)
    squared = 1 - on_the_line(lambda p, q: math.sqrt(p * q), first, second)
    assert float(gaussian_hellinger(*laws)) == pytest.approx(math.sqrt(squared), rel=1e-9)


@pytest.mark.parametrize("order", [0.4, 1.5])
def test_renyi_in_several_dimensions_reads_like_the_formula(order: float):
    rng = np.random.default_rng(5)
    m0, m1 = rng.normal(size=(2, 3))
    S0, S1 = np.diag([1.0, 2.0, 0.5]), random_law(rng, 3)[1] + np.eye(3)
    S = order * S1 + (1 - order) * S0
    logs = [np.linalg.slogdet(matrix)[1] for matrix in (S, S0, S1)]
    slow = order / 2 * (m1 - m0) @ np.linalg.solve(S, m1 - m0)
    slow -= (logs[0] - (1 - order) * logs[1] - order * logs[2]) / (2 * (order - 1))
    assert float(gaussian_renyi(m0, S0, m1, S1, order)) == pytest.approx(slow, rel=1e-10)


def test_renyi_tends_to_kl_and_may_be_infinite():
    rng = np.random.default_rng(1)
    laws = (*random_law(rng, 3), *random_law(rng, 3))
    assert float(gaussian_renyi(*laws, 1 - 1e-7)) == pytest.approx(float(gaussian_kl(*laws)), rel=1e-4)
    assert float(gaussian_renyi(np.zeros(1), 4 * ONE, np.zeros(1), ONE, 2.0)) == math.inf


@pytest.mark.parametrize("second", [(0.0, 1.0001), (0.3, 1.0), (0.3, 1 + 1e-9), (0.5, 2.0), (0.0, 30.0), (-3.0, 0.1)])
def test_total_variation_on_the_line(second: tuple[float, float]):
    direct = on_the_line(lambda p, q: 0.5 * abs(p - q), (0.0, 1.0), second)
    laws = (np.zeros(1), ONE), (np.full(1, second[0]), ONE * second[1] ** 2)
    for p, q in (laws, laws[::-1]):
        found = gaussian_total_variation(*p, *q)
        assert found is not None
        assert float(found) == pytest.approx(direct, rel=1e-6, abs=1e-9)
    many = total_variation_on_line(np.array([[second[0]], [-second[0]]]), 1.0, second[1])
    np.testing.assert_allclose(many, [[direct], [direct]], rtol=1e-6, atol=1e-9)


def test_very_different_scales_give_no_infinity_and_no_nan():
    """Deviations 1 and s: KL = (s^2 - 1 - log s^2)/2, D_{1/2} = log((1 + s^2) / (2 s)), TV near 1 - (mass beyond)."""
    centre, one = np.zeros(1), np.eye(1)
    for s in (1e-3, 1e-9, 1e-20, 1e-120):
        law = (centre, s**2 * one)
        assert float(gaussian_kl(*law, centre, one)) == pytest.approx((s**2 - 1) / 2 - math.log(s), rel=1e-12)
        found = float(gaussian_renyi(*law, centre, one, 0.5))
        assert found == pytest.approx(math.log1p(s**2) - math.log(2) - math.log(s), rel=1e-12)
        # P(A) is 1 but for a tail beyond sqrt(-log s^2); Q(A) is about s times the length of A.
        end = math.sqrt(-2 * math.log(s) / (1 - s**2))
        direct = special.erf(end / math.sqrt(2)) - special.erf(s * end / math.sqrt(2))
        assert float(gaussian_total_variation(*law, centre, one)) == pytest.approx(direct, rel=1e-12)
    for first, second, shift in (
        (1.0, 2.0, 1e200),
        (1e-150, 1.0, 1e200),
        (1e-200, 1e-190, 1e200),
        (1e-200, 1e200, 0.0),
    ):
        assert float(total_variation_on_line(shift, first, second)) == pytest.approx(1.0, abs=1e-12)


def test_total_variation_of_equal_covariances_and_where_no_closed_form_is_known():
    rng = np.random.default_rng(2)
    mean, S = random_law(rng, 5)
    shift = rng.normal(size=5)
    distance = math.sqrt(shift @ np.linalg.solve(S, shift))
    found = gaussian_total_variation(mean, S, mean + shift, S)
    assert found is not None
    assert float(found) == pytest.approx(2 * stats.norm.cdf(distance / 2) - 1, rel=1e-12)
    assert gaussian_total_variation(mean, S, mean + shift, 2 * S) is None


def test_mutual_information_is_a_sum_of_entropies():
    S = random_law(np.random.default_rng(3), 6)[1]
    a, b, c = [0, 3], [1], [2, 5]

    def h(*axes: int) -> float:
        return float(gaussian_entropy(S[np.ix_(axes, axes)]))

    found = float(gaussian_conditional_mutual_information(S, a, b, c))
    assert found == pytest.approx(h(0, 3, 2, 5) + h(1, 2, 5) - h(0, 3, 1, 2, 5) - h(2, 5), rel=1e-10)
    alone = float(gaussian_mutual_information(S, a, b))
    assert alone == pytest.approx(h(0, 3) + h(1) - h(0, 3, 1), rel=1e-10)
    chain = float(gaussian_mutual_information(S, [0, 3, 2, 5], b))
    assert chain == pytest.approx(float(gaussian_mutual_information(S, c, b)) + found, rel=1e-10)


def test_mutual_information_near_independence_and_of_coordinates_beside_degenerate_ones():
    rho = 1e-9
    found = float(gaussian_mutual_information(np.array([[1, rho], [rho, 1]]), 0, 1))
    assert found == pytest.approx(rho**2 / 2, rel=1e-9, abs=0)
    degenerate = np.array([[1.0, 0.5, 1.0], [0.5, 1.0, 0.5], [1.0, 0.5, 1.0]])  # the third repeats the first
    assert float(gaussian_mutual_information(degenerate, 0, 1)) == pytest.approx(-0.5 * math.log(0.75))
    with pytest.raises(InputError, match="least eigenvalue"):
        gaussian_mutual_information(degenerate, 0, 2)


def test_nearest_neighbours_agree():
    """The error of the estimate at n = 2,000 has a standard deviation near 0.02; 0.12 is six of them."""
    S = np.array([[1.0, 0.7], [0.7, 1.0]])
    x = np.random.default_rng(0).multivariate_normal(np.zeros(2), S, size=2000)
    (estimate,) = mutual_info_regression(x[:, :1], x[:, 1], random_state=0)
    assert abs(estimate - float(gaussian_mutual_information(S, 0, 1))) < 0.12


def test_traced_laws_give_the_same_numbers():
    rng = np.random.default_rng(4)
    laws = (*random_law(rng, 3), *random_law(rng, 3))
    for function in (gaussian_kl, lambda *law: gaussian_renyi(*law, 0.3), gaussian_hellinger):
        assert float(jax.jit(function)(*laws)) == pytest.approx(float(function(*laws)), rel=1e-12)
    S = laws[1]
    traced = jax.jit(lambda S: gaussian_conditional_mutual_information(S, 0, 1, 2) + gaussian_entropy(S))(S)
    assert float(traced) == pytest.approx(
        float(gaussian_conditional_mutual_information(S, 0, 1, 2)) + float(gaussian_entropy(S)), rel=1e-12
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_entropy(np.ones((2, 2))), "least eigenvalue"),
        (lambda: gaussian_entropy(np.array([[1.0, 0.5], [0.0, 1.0]])), "not symmetric"),
        (lambda: gaussian_entropy(np.full((1, 1), np.nan)), "not finite"),
        (lambda: gaussian_entropy(np.diag([1.0, -1.0])), "least eigenvalue -1"),
        (lambda: gaussian_kl(np.zeros(2), np.eye(2), np.zeros(2), np.zeros((2, 2))), "second_covariance"),
        (lambda: gaussian_kl(np.zeros(2), np.eye(2), np.zeros(3), np.eye(2)), "second_mean"),
        (lambda: gaussian_kl(np.zeros(2), np.eye(2), np.zeros(2), np.eye(3)), "they must be"),
        (lambda: gaussian_renyi(np.zeros(1), ONE, np.zeros(1), ONE, 1.0), "order"),
        (lambda: gaussian_mutual_information(np.eye(2), 0, 0), "named twice"),
        (lambda: gaussian_mutual_information(np.eye(2), 0, 2), "no coordinate 2"),
        (lambda: gaussian_mutual_information(np.eye(2), 0, ()), "at least one"),
    ],
)
@pytest.mark.usefixtures("unannotated")
def test_bad_input_is_one_line(call, message: str):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_units_are_no_reason_to_refuse_a_covariance():
    assert checked_covariances("S", np.diag([1e-30, 1e30])).shape == (2, 2)
    with pytest.raises(InputError, match="at component 1, least eigenvalue"):
        checked_covariances("S", [np.eye(2), np.ones((2, 2))], "component")


@pytest.mark.parametrize("d", [1, 2, 32])
def test_log_densities_and_their_expectations(d: int):
    rng = np.random.default_rng(d)
    laws = [random_law(rng, d) for _ in range(3)]
    means, covariances = (jnp.asarray(np.stack(part)) for part in zip(*laws, strict=True))
    x = rng.normal(size=(5, d))
    factors = factorise(covariances)
    slow = [stats.multivariate_normal(mean, S).logpdf(x) for mean, S in laws]
    np.testing.assert_allclose(log_densities(jnp.asarray(x.T), means, factors), slow, rtol=1e-9)
    expected = expected_log_densities(means, factors, means, factors)
    for i, p in enumerate(laws):
        for j, q in enumerate(laws):
            cross = -float(gaussian_entropy(p[1])) - float(gaussian_kl(*p, *q))
            assert float(expected[i, j]) == pytest.approx(cross, rel=1e-9)


def test_log_density_far_from_the_origin_keeps_its_digits():
    covariance, offset = jnp.asarray([[[1e-6]]]), 1e6
    found = log_densities(jnp.asarray([[offset + 1e-3]]), jnp.asarray([[offset]]), factorise(covariance))
    z = (offset + 1e-3 - offset) / 1e-3
    assert float(found[0, 0]) == pytest.approx(-0.5 * z**2 - math.log(1e-3) - 0.5 * math.log(2 * math.pi), rel=1e-12)


def law(mean: float, variance: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([mean]), np.array([[variance]])


def test_scales_whose_square_has_no_double():
    narrow, wide = law(0.0, 1e-300), law(0.0, 1e300)
    truth = 300 * math.log(10) - math.log(2)
    for first, second in ((narrow, wide), (wide, narrow)):
        assert float(gaussian_renyi(*first, *second, 0.5)) == pytest.approx(truth, rel=1e-15)
        assert gaussian_hellinger(*first, *second) == 1
    assert float(gaussian_kl(*narrow, *wide)) == pytest.approx(300 * math.log(10) - 0.5, rel=1e-15)


def test_a_divergence_that_overflows_is_refused():
    near, far = law(0.0, 1.0), law(1e160, 1.0)
    assert gaussian_hellinger(*near, *far) == gaussian_total_variation(*near, *far) == 1
    for call in (
        lambda: gaussian_kl(*near, *far),
        lambda: gaussian_kl(*law(0.0, 1e300), *law(0.0, 1e-300)),
        lambda: gaussian_renyi(*near, *far, 0.5),
        lambda: gaussian_kl(*law(-1e308, 1.0), *law(1e308, 1.0)),
        lambda: gaussian_hellinger(*law(0.0, 1e-300), *law(1e250, 1e-300)),
    ):
        with pytest.raises(InputError, match="overflows double precision"):
            call()
