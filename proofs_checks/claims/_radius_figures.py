"""Drawings of DK-M9's radius and its targets, apart from their claims for length."""

from __future__ import annotations

import functools

import numpy as np

import dkps_theory as dk
from proofs_checks.claims import _radius
from proofs_checks.claims._radius import Cell


def of_noise():
    """DK-M9/certified: radius over true quantile along noise over signal, mixtures."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = 4 ** np.arange(1, 10)
    for shape, marker in (((10, 3, 1), "o"), ((20, 50, 1), "s"), ((10, 3, 16), "^")):
        cells = [Cell("mixture", *shape, 2, int(r)) for r in grid]
        slack = [
            _radius.radius_of(cell).frobenius / np.quantile(_radius.sampled(cell, 1, 500)["frobenius"], 0.95)
            for cell in cells
        ]
        noise = [
            np.quantile(_radius.sampled(cell, 1, 500)["spectral"], 0.95) / _radius.radius_of(cell).sigma
            for cell in cells
        ]
        axes.plot(noise, slack, marker + "-", label=f"n = {shape[0]}, m = {shape[1]}, p = {shape[2]}, d = 2")
    axes.axhline(3, color="0.5", linestyle="--", linewidth=1)
    axes.axvline(0.2, color="0.5", linestyle="--", linewidth=1)
    axes.set(
        xscale="log",
        xlabel="noise over signal, 95% quantile of c‖HE‖ / σ_d",
        ylabel="certified radius / true 95% quantile",
        ylim=(1, 8),
    )
    figure.legend(loc="outside lower left")
    return figure


def of_rank():
    """DK-M9/within-2-of-rank: radius over true quantile along r, d = rank(B^) = n - 1 < m p."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid = np.array([5, 10, 20, 50, 200, 1000, 5000])
    for m, marker in ((20, "s"), (50, "o")):
        cells = [Cell("bernoulli", 10, m, 1, 9, int(r)) for r in grid]
        quantiles = [np.quantile(_radius.sampled(cell, 1, 300)["frobenius"], 0.95) for cell in cells]
        slack = [_radius.radius_of(cell).frobenius / q for cell, q in zip(cells, quantiles, strict=True)]
        axes.semilogx(grid, slack, marker + "-", lw=0.8, label=f"n = 10, m = {m}, p = 1, d = 9")
    axes.axhline(2, color="0.5", lw=0.8, ls="--", zorder=0)
    axes.set(xlabel="replicates r", ylabel="certified radius / true 95% quantile")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def rare_answers(d: int):
    """DK-M9/any-population: radius and true quantile as answers get rare, d = m p (2) or beside two groups (1)."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    chances, generator = np.geomspace(5e-3, 0.5, 10), np.random.default_rng(9)
    radii, quantiles = [], []
    for chance in chances:
        n, m, r = (4, 2, 1) if d == 2 else (6, 3, 5)
        rare = -np.log(1 - chance) / (r * n * (m if d == 2 else m - 1))
        probabilities = np.full((n, m), rare)
        if d == 1:
            probabilities[:, 0] = np.arange(n) % 2
        else:
            probabilities *= np.linspace(0.5, 1.5, n * m).reshape(n, m)  # so that the means span the plane
        population = dk.bernoulli(probabilities)
        truth = _radius.factor(np.asarray(population.mean))
        noise = _radius.factor(_radius.mean_errors(population, generator, 4000, r))
        quantiles.append(np.quantile(_radius.aligned_errors(truth, noise, d)[0], 0.95))
        radii.append(dk.certified_radius(population, d, r).frobenius)
    axes.semilogx(chances, radii, "s-", lw=0.8, label="certified radius")
    axes.semilogx(chances, quantiles, "o-", lw=0.8, label="true 95% quantile")
    axes.axvline(0.05, color="0.5", lw=0.8, ls="--", zorder=0)
    axes.set(xlabel="chance of a draw with any rare answer", ylabel="aligned error, Frobenius norm")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


rare_in_the_plane = functools.partial(rare_answers, 2)
rare_beside_groups = functools.partial(rare_answers, 1)
