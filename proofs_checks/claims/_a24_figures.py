"""Drawings of A24-L2 and A24-X1, apart from their claims for length."""

from __future__ import annotations

import numpy as np


def sides_of_a_coin():
    """A24-L2: a distance within psi^ in three sequences of models on four atoms."""
    from dkps_theory.pages.figures import new_figure
    from proofs_checks.claims import a24_l2

    figure, (axes,) = new_figure()
    law, sizes = a24_l2.AtomLaw(a24_l2.ATOMS, a24_l2.UNIFORM), 2 ** np.arange(3, 21)
    generator = np.random.default_rng(24)
    drawn = generator.choice(4, size=(3, sizes[-1]), p=a24_l2.UNIFORM)
    for number, (models, marker) in enumerate(zip(drawn, "os^", strict=True)):
        shares = np.array([np.bincount(models[:n], minlength=4) / n for n in sizes])
        found = a24_l2.weighted_line(law.delta, shares)[:, 0, 1]
        axes.semilogx(sizes, found, marker + "-", lw=0.6, label=f"sequence {number + 1}")
    for member in a24_l2.weighted_members(law.delta, a24_l2.UNIFORM):
        axes.axhline(member[0, 1], color="0.5", lw=0.8, zorder=0)
    axes.set(xlabel="models n", ylabel="distance of atoms 1, 2 in Psi^")
    figure.legend(loc="outside lower left", ncols=3)
    return figure


def late_models():
    """A24-L2/pointwise: errors of D as n grows, of one pair and on average over all, models after n/2 doubled."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    sizes, signs = 2 ** np.arange(3, 11), np.random.default_rng(24).choice([-0.5, 0.5], size=2**10)
    signs[:8] = [-0.5, 0.5] * 4
    errors = []
    for n in sizes:
        moved = signs[:n] * np.where(np.arange(n) >= n / 2, 2, 1)
        errors.append(np.abs(np.abs(moved[:, None] - moved) - np.abs(signs[:n, None] - signs[:n])))
    axes.semilogx(sizes, [error[6, 7] for error in errors], "o-", lw=0.8, label="models 7 and 8")
    axes.semilogx(sizes, [error.mean() for error in errors], "s-", lw=0.8, label="mean over all pairs")
    axes.axhline(3 / 8, color="0.5", lw=0.8, ls="--", zorder=0)
    axes.set(xlabel="models n", ylabel="|D − Δ|")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def two_ways():
    """A24-X1/queries: relative error of D along more queries and along more replicates."""
    from dkps_theory.pages.figures import new_figure
    from proofs_checks.claims.a24_x1 import pair_errors

    figure, (axes,) = new_figure()
    factor = 2.0 ** np.arange(0, 11)
    generator = np.random.default_rng(24)
    ways = (("queries m, r = 4", "o", lambda k: (4 * k, 4.0)), ("replicates r, m = 4", "s", lambda k: (4.0, 4 * k)))
    for name, marker, where in ways:
        error = [np.sqrt(np.mean(pair_errors(generator, 4000, *where(k), 1.0) ** 2) * where(k)[0]) for k in factor]
        axes.loglog(factor, error, marker + "-", lw=0.8, label=f"more {name}")
    axes.set(xlabel="how many times more", ylabel="root mean square of D − Δ, over Δ")
    figure.legend(loc="outside lower left")
    return figure


def one_budget():
    """A24-X1/budget: spread of the debiased square of D, relative to that of Delta, at m r = 64 answers."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    r, generator = 2.0 ** np.arange(1, 7), np.random.default_rng(24)
    for noise, marker in ((16.0, "o"), (4.0, "s"), (0.1, "^")):
        # Two models a unit apart at each query, p = 1, Gaussian answers: v(r) of reading 3 in a24_x1.
        variance = 8 * noise / r + 4 * noise**2 / (r * (r - 1)) + 4 * noise**2 / r**2
        (line,) = axes.loglog(r, np.sqrt(variance * r / 64), lw=0.8)
        found = []
        for k in r.astype(int):
            answers = np.sqrt(noise) * generator.normal(size=(2, 4000, 64 // k, k))
            gap = 1 + answers[0].mean(axis=-1) - answers[1].mean(axis=-1)
            found.append((gap**2 - answers.var(axis=-1, ddof=1).sum(axis=0) / k).mean(axis=1).std())
        axes.loglog(r, found, marker, color=line.get_color(), label=f"γ = {noise:g} δ²")
    axes.set(xlabel="replicates r, at m = 64 / r queries", ylabel="standard deviation of debiased D² / Δ²")
    axes.set_xticks(r, [f"{k:g}" for k in r])
    axes.minorticks_off()
    figure.legend(loc="outside lower left", ncols=3)
    return figure
