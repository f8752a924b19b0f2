"""Drawings of G25-KLGAP and G25-F7K, in NumPy, apart from their claims."""

from __future__ import annotations

import numpy as np

from proofs_checks.claims._g25_gaps import FIRST, LAST, SWEEPS

#: Worlds behind a point of a curve, draws of each law, and the band.
_WORLDS, _DRAWS, _BAND = 40, 200, (0.1, 0.9)


def shifted():
    """G25-KLGAP: the published number and KL of N(0, I) from a Gaussian that is moved and scaled."""
    from dkps_theory.pages.figures import new_figure
    from simulations.studies._kl_gap_steps import histogram_kl

    random, shifts = np.random.default_rng(25), np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])
    scales = 1 + shifts / 50
    values = np.array(
        [
            [
                histogram_kl(random.normal(size=(1000, 2)), s + scale * random.normal(size=(1000, 2)), 50, 1e-10)
                for _ in range(20)
            ]
            for s, scale in zip(shifts, scales, strict=True)
        ]
    )
    figure, (axes,) = new_figure()
    low, middle, high = np.quantile(values, (_BAND[0], 0.5, _BAND[1]), axis=1)
    axes.errorbar(
        shifts, middle, [middle - low, high - middle], fmt="o", capsize=2, label="published number, 20 redraws"
    )
    # KL(N(0, I) || N((s, s), c^2 I)) = (1 + s^2)/c^2 - 1 + 2 log c in the plane.
    line = np.concatenate([[0.0], np.geomspace(0.1, 100, 60)])
    c = 1 + line / 50
    axes.plot(line, (1 + line**2) / c**2 - 1 + 2 * np.log(c), "-", label="KL")
    axes.set_xscale("symlog", linthresh=0.3)
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set(xlabel="shift s along both axes", ylabel="nats", xticks=shifts, xticklabels=[f"{s:g}" for s in shifts])
    axes.minorticks_off()
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def limits(design: str):
    """G25-F7K: the gap in KL(fit || truth) at infinite data against J, K and L."""
    from dkps_theory.pages.figures import new_figure
    from simulations.studies.kl_gap import numbers

    random, values = np.random.default_rng(25), np.array([2, 3, 5, 8, 11, 15])
    figure, (axes,) = new_figure()
    for sweep, marker in zip(SWEEPS, "os^", strict=True):
        rows = [[limit_gap(random, design, *numbers(sweep, int(value))) for _ in range(_WORLDS)] for value in values]
        low, middle, high = np.quantile(rows, (_BAND[0], 0.5, _BAND[1]), axis=1)
        (line,) = axes.plot(values, middle, marker=marker, label=f"{sweep} swept")
        axes.fill_between(values, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.axhline(0, color="0.5", lw=0.7)
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set(
        xlabel=f"the swept number, the others {FIRST}",
        ylabel="gap in KL(fit ‖ truth), nats",
        title=design.replace("=", " = "),
        xticks=values,
        xlim=(FIRST - 0.5, LAST + 0.5),
    )
    axes.minorticks_off()
    figure.legend(loc="outside lower left", ncols=3)
    return figure


def limit_gap(random: np.random.Generator, design: str, K: int, J: int, L: int) -> float:
    """Return a world's gap with uniform laws on K and on all K + J + L components in place of the fits."""
    d, N = int(design[-1]), K + J + L
    means, roots = random.uniform(0, 10, size=(N, d)), random.uniform(size=(2, N, d, d))
    if design.startswith("published"):
        _, s, right = np.linalg.svd(roots[0] @ roots[1].swapaxes(1, 2))
        covariances = np.einsum("kia,ki,kib->kab", right, s, right)
    else:
        covariances = roots[0] @ roots[0].swapaxes(1, 2) + 0.01 * np.eye(d)
    factors = np.linalg.cholesky(covariances)

    def density(points: np.ndarray, of: int) -> np.ndarray:
        z = np.einsum("kij,knj->kni", np.linalg.inv(factors[:of]), points - means[:of, None])
        logs = -0.5 * (z**2).sum(-1) - np.log(np.diagonal(factors[:of], axis1=1, axis2=2)).sum(-1)[:, None]
        return np.logaddexp.reduce(logs, axis=0) - np.log(of)

    found = []
    for of in (K, N):
        labels = np.arange(_DRAWS) % of
        points = means[labels] + np.einsum("nij,nj->ni", factors[labels], random.normal(size=(_DRAWS, d)))
        found.append(float((density(points[None], of) - density(points[None], K + J)).mean()))
    return found[0] - found[1]
