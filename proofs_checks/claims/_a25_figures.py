"""Drawings of A25-TAB1 and A25-TAB2, apart from their claims for length."""

from __future__ import annotations

import itertools

import numpy as np

from proofs_checks.claims.a25_t1 import centred


def rows():
    """A25-TAB1/rows: the printed numbers and two power laws."""
    from dkps_theory.pages.figures import new_figure
    from proofs_checks.claims.a25_tables import PRINTED

    figure, (axes,) = new_figure()
    n = np.array(list(PRINTED))
    averages, bounds = np.array(list(PRINTED.values())).T * 1e-6
    axes.loglog(n, averages, "o", label="printed average")
    axes.loglog(n, averages[0] * (n / 10) ** (-11 / 6), "--", color="0.5", label="n^(−11/6)")
    axes.loglog(n, bounds, "s", label="printed bound")
    axes.loglog(n, bounds[0] * (n / 10) ** (-4 / 3), ":", color="0.5", label="n^(−4/3)")
    axes.set(xlabel="models n", ylabel="Table 1", xticks=n, xticklabels=n)
    axes.minorticks_off()
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def readings():
    """A25-TAB1: averages under every reading, and the printed ones."""
    from dkps_theory.pages.figures import new_figure
    from proofs_checks.claims.a25_tables import PRINTED, table_errors

    figure, (axes,) = new_figure()
    n, rng = np.array(list(PRINTED)), np.random.default_rng(25)
    means: dict[tuple[str, int, str], list[float]] = {}
    for models, m in itertools.product(n, (2, 3)):
        for reading, values in table_errors(int(models), m, 60, rng).items():
            means.setdefault(reading, []).append(float(values.mean()))
    for k, row in enumerate(means.values()):
        axes.loglog(n, row, color="0.7", lw=0.6, zorder=1, label=f"{len(means)} readings" if k == 0 else None)
    averages = np.array([row[0] for row in PRINTED.values()]) * 1e-6
    slope, level = np.polyfit(np.log(n[:4]), np.log(averages[:4]), 1)
    axes.loglog(n, np.exp(level) * n**slope, "--", label="power law through the first four")
    axes.loglog(n, averages, "o", zorder=3, label="printed average")
    axes.set(xlabel="models n", ylabel="average error of 60 runs", xticks=n, xticklabels=n, ylim=(1e-5, 5e-3))
    axes.minorticks_off()
    figure.legend(loc="outside lower left", ncols=2)
    return figure


def two_spectra():
    """A25-TAB2: spectra of B with and without the square, models evenly on a line."""
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    points = np.arange(8.0)
    delta = np.abs(points[:, None] - points)
    for power, marker, size, name in ((2, "o", 4, "−½HΔ²H, as in the text"), (1, "s", 9, "−½HΔH, as in Table 2")):
        values = np.linalg.eigvalsh(centred(delta**power))[::-1]
        axes.semilogy(
            np.arange(1, 9), np.clip(values / values[0], 1e-16, None), marker, ms=size, mfc="none", label=name
        )
    axes.set(xlabel="index of eigenvalue", ylabel="eigenvalue of B / largest (at least 10⁻¹⁶)", ylim=(2e-17, 5))
    figure.legend(loc="outside lower left", ncols=2)
    return figure
