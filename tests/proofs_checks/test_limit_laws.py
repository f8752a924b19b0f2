"""DK-M2, DK-M3, DK-M5, DK-M7: what their checks compute with, against brute force and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import dkps_theory as dk
from dkps_theory.conventions import A24, A25, DEFAULT
from proofs_checks import cases
from proofs_checks.claim import Setting
from proofs_checks.claims import dk_m2, dk_m2_coincident, dk_m3, dk_m5, dk_m7, dk_m7_unknown

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("convention", [DEFAULT, A24, A25], ids=lambda c: c.label)
def test_variance_is_the_gradients_quadratic_form(convention):
    means, root = RNG.normal(size=(2, 3, 2)), RNG.normal(size=(3, 2, 2))
    noise = root @ root.transpose(0, 2, 1)
    gradient, step = np.zeros((3, 2)), 1e-5
    for place in np.ndindex(3, 2):
        moved = [means.copy(), means.copy()]
        moved[0][(0, *place)] += step
        moved[1][(0, *place)] -= step
        up, down = (cases.dissimilarities(x, convention)[0, 1] for x in moved)
        gradient[place] = (up - down) / (2 * step)
    expected = np.einsum("ja,jab,jb->", gradient, noise, gradient)
    assert dk_m2.limit_variance(means[0] - means[1], noise, convention) == pytest.approx(expected, rel=1e-7)


def test_bias_against_every_outcome_of_two_coins():
    """Two queries, coins +-1, both models: X_i - X_i' - delta is a sum of 2r signs over r."""
    r, delta = 400, np.array([[3.0], [1.0]])
    steps, weights = 2 * np.arange(2 * r + 1) / r - 2, stats.binom.pmf(np.arange(2 * r + 1), 2 * r, 0.5)
    length = np.sqrt((delta[0, 0] + steps[:, None]) ** 2 + (delta[1, 0] + steps[None]) ** 2)
    exact = r * (weights @ length @ weights - np.linalg.norm(delta))
    assert dk_m2.limit_bias(delta, np.full((2, 1, 1), 2.0), 1.0) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_mean_length_of_equal_variances_is_that_of_chi(k):
    expected = np.sqrt(2 * 3.0) * special.gamma((k + 1) / 2) / special.gamma(k / 2)
    assert dk_m2_coincident.mean_length(np.full(k, 3.0)) == pytest.approx(expected, rel=1e-7)


def test_mean_length_and_square_law_by_simulation():
    spreads = np.array([0.25, 0.55, 0.85])
    squares = (np.repeat(spreads, 2) * RNG.normal(size=(200_000, 6)) ** 2).sum(axis=1)
    assert dk_m2_coincident.mean_length(np.repeat(spreads, 2)) == pytest.approx(np.sqrt(squares).mean(), rel=5e-3)
    for q in (1.0, 3.0, 6.0):
        stated = dk_m2_coincident.square_law(spreads, np.array([q]))[0]
        assert stated == pytest.approx(np.mean(squares <= q), abs=6e-3)
    assert dk_m2_coincident.square_law(spreads[:1], np.array([0.7]))[0] == pytest.approx(1 - np.exp(-0.7 / 0.5))


def test_letters_have_the_moments_they_are_drawn_with():
    population = dk_m2.letters_population()
    assert np.all(population.mean[0] == population.mean[1])
    errors = dk_m2.letter_errors(population, Setting(0, "quick", "test").key(), 40_000, 9)
    covariance = 9 * np.einsum("sija,sijb->ijab", errors, errors) / len(errors)
    assert covariance == pytest.approx(np.asarray(population.covariance), abs=0.02)


def numeric_jacobian(mean, d, convention, psi, step=1e-5):
    columns = []
    for place in np.ndindex(*mean.shape):
        ends = []
        for sign in (1, -1):
            moved = mean.copy()
            moved[place] += sign * step
            values, vectors = dk_m3.spectrum(moved, convention)
            found = vectors[:, :d] * np.sqrt(values[:d])
            u, _, v = np.linalg.svd(found.T @ psi)
            ends.append(found @ u @ v)
        columns.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize(
    ("spectrum", "d", "convention"),
    [
        ((4.0, 1.0), 2, DEFAULT),
        ((2.0, 2.0), 2, DEFAULT),  # a tie among the directions kept
        ((4.0, 1.0), 1, A24),
        ((4.0, 2.0, 1.0), 2, DEFAULT),
        ((4.0, 1.0), 2, A25),
    ],
)
def test_jacobian_against_differences(spectrum, d, convention):
    psi = np.asarray(dk.configuration_with_spectrum(dk.study_key(3, "test/jacobian"), 5, list(spectrum)))
    mean = (psi @ np.linalg.qr(RNG.normal(size=(6, 6)))[0][: len(spectrum)]).reshape(5, 3, 2)
    truth, derivative = dk_m3.jacobian(mean, d, convention)
    expected = numeric_jacobian(mean, d, convention, truth)
    assert derivative.reshape(expected.reshape(5, d, -1).shape) == pytest.approx(expected.reshape(5, d, -1), abs=1e-7)
    broken = dk_m3.jacobian(mean, d, convention, "alignment" if d == len(spectrum) else "gap")[1]
    equal = len(set(spectrum[:d])) < d and convention.exponent == 1  # equal eigenvalues: the wrong weight is right
    assert equal == bool(np.allclose(broken, derivative, atol=1e-3))


def test_jacobian_by_automatic_differentiation():
    import jax

    mean = np.asarray(cases.mixture_population().mean)
    psi, derivative = dk_m3.jacobian(mean, 2, DEFAULT)
    found = jax.jacfwd(lambda x: dk.align(dk.classical_mds_of_means(x, 2).configuration, psi))(mean)
    assert derivative == pytest.approx(np.asarray(found).reshape(derivative.shape), abs=1e-9)


def test_at_the_rank_the_derivative_is_the_noise_less_a_rotation():
    mean, error = np.asarray(cases.mixture_population().mean), RNG.normal(size=(6, 6))
    psi, derivative = dk_m3.jacobian(mean, 2, DEFAULT)
    c, h = DEFAULT.scale(3), np.eye(6) - 1 / 6
    v = np.linalg.solve(np.diag(np.sum(psi**2, axis=0)), psi.T @ (c * h @ mean.reshape(6, -1))).T
    projected = c * h @ error @ v
    removed = projected - derivative @ error.ravel()
    rotation = np.linalg.lstsq(psi, removed, rcond=None)[0]
    assert psi @ rotation == pytest.approx(removed, abs=1e-12)
    assert rotation == pytest.approx(-rotation.T, abs=1e-12)


def test_wishart_noise_has_the_law_of_answers_drawn_in_full():
    """Mean and variance of D^2 at m = 20 queries by the formulas of DK-M1, p = 1, Gaussian."""
    design, m = dk_m7.Design(), 20
    squares = np.concatenate([dk_m7.drawn(design, m, Setting(s, "quick", "test")).squares for s in range(40)])
    found = dk_m7.drawn(design, m, Setting(0, "quick", "test"))
    noise = found.level[:, None] + found.level[None]
    mean = found.truth + noise * (1 - np.eye(6))
    variance = (4 * found.truth * noise / m + 2 * noise**2 / m) * (1 - np.eye(6))
    assert squares.mean(axis=0) == pytest.approx(mean, rel=0.03)
    assert squares.var(axis=0) == pytest.approx(variance, rel=0.08)


def test_yes_no_answers_have_the_mean_square_of_the_theory():
    found = dk_m7.drawn(dk_m7.Design(answers="yes-no", method="debiased"), 64, Setting(1, "quick", "test"))
    mean = found.truth + (found.level[:, None] + found.level[None]) * (1 - np.eye(6))
    error = found.squares.std(axis=0) / np.sqrt(len(found.squares)) + 1e-12
    assert np.all(np.abs(found.squares.mean(axis=0) - mean) < 5 * error)
    error = found.debiased.std(axis=0) / np.sqrt(len(found.squares)) + 1e-12
    assert np.all(np.abs(found.debiased.mean(axis=0) - found.truth) < 5 * error)
    assert found.estimated.mean(axis=0) == pytest.approx(found.level, rel=0.05)


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_two_clusters_have_the_limit_that_is_drawn(exponent):
    points = np.repeat([0.0, 3.0], 3)[:, None]
    noise = 2 * 2.5 * (1 - np.eye(6))
    lengths = [
        np.linalg.norm(dk_m7.scaled(squares[None])[0][:, 0])
        for squares in ((cases.distances(points) ** 2 + extra) ** exponent for extra in (noise, 0))
    ]
    assert dk_m7_unknown.limit_of_clusters(3, 3.0, 2.5, exponent) == pytest.approx(lengths[0] / lengths[1])


@pytest.mark.parametrize("sides", [dk_m2_coincident.mean_of_coins(0), dk_m3._length_of_coins(0)])
def test_coins_refute_by_the_limit_alone(sides):
    """All identities but the last, which is the refuted claim, hold: no slip among them passes for a refutation."""
    from sympy import simplify

    *steps, (limit, claimed) = sides()[1]
    assert all(simplify(left - right) == 0 for left, right in steps)
    assert simplify(limit - claimed) != 0


def test_noise_across_the_line_of_the_models_moves_nothing_at_first_order():
    population = dk_m5.noise_across()
    assert np.asarray(population.gamma).min() > 0
    derivative = dk_m3.jacobian(np.asarray(population.mean), 1, DEFAULT)[1].reshape(3, 3, 1, 2)
    covariance = np.asarray(population.covariance)
    assert np.einsum("aijx,ijxy,aijy->a", derivative, covariance, derivative) == pytest.approx(0, abs=1e-20)
