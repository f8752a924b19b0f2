r"""Does training on synthetic data end nearer the truth? G25's mixture simulation, as published and as corrected.

A repetition is that of :mod:`dkps_theory.information.mixture_world`: anchors from K components of a truth with K + J, a
generator made of the anchors' moments, the other J of the truth and L foreign components, S_gen from the generator, and
EM on either set. The gap is

    KL(anchor-fit || truth) - KL(synthetic-fit || truth),

positive when the fit to synthetic data is nearer. One of K, J and L is swept from 2 to 15, the others stay at 2.

Three designs. ``published d=2``: everything as published, and the gap in the published "KL", histograms over each
sample's own range; the same fits are also compared by KL itself, so that the protocol's sampling and its ruler can be
told apart. ``corrected d=2`` and ``corrected d=8``: valid covariances, sample sizes that do not depend on K, J or L,
and KL from exact log densities. (The covariance matrices of the truth that the published protocol draws from are taken
as (C'C)^{1/2}, what NumPy draws when it is handed C = A B'.)

Measures of an exact comparison: ``KL`` is KL(fit || truth), ``reverse KL`` KL(truth || fit), ``TV`` total variation,
which is at most 1 and has no heavy tails. Each is a Monte Carlo mean of exact log densities over 1,000 draws stratified
by component, with a standard error; the two reverse divergences and the two variations share their draws.

The gap at infinite data is the same with the laws that the fits would have if nothing had to be estimated: the first K
components for the anchors, all K + J + L for S_gen. It is what misspecification (K components for a truth of K + J, L
foreign ones) does by itself; the rest of a gap is estimation.
"""

from __future__ import annotations

from typing import Literal

from simulations.grid import Cell, Grid
from simulations.measures import Measure
from simulations.study import Deferred, Output, Study

_NUMERICS = "simulations.studies._kl_gap"

#: Protocol and dimension by design.
DESIGNS: dict[str, tuple[Literal["published", "corrected"], int]] = {
    "published d=2": ("published", 2),
    "corrected d=2": ("corrected", 2),
    "corrected d=8": ("corrected", 8),
}
#: What an exact comparison measures, and what the published one does.
MEASURES = ("KL", "reverse KL", "TV")
HISTOGRAMS = ("published KL", "published KL, reversed")
#: The number that is swept, the values, and where the others stay.
SWEEPS, VALUES, BASE = ("J", "K", "L"), tuple(range(2, 16)), 2
FITS = ("anchors", "synthetic")
#: Outputs of the published ruler, which cells of the corrected protocol do not have.
OF_HISTOGRAMS = ("histogram", "histogram_gap", "histogram_gap_se", "histogram_self")


def numbers(sweep: str, value: int) -> tuple[int, int, int]:
    """Return (K, J, L) of a cell.

    Examples
    --------
    >>> numbers("J", 7)
    (2, 7, 2)
    """
    K, J, L = (value if sweep == name else BASE for name in ("K", "J", "L"))
    return K, J, L


def _described(cell: Cell) -> Cell:
    design, sweep, value = (cell.factors[name] for name in ("design", "sweep", "value"))
    absent = () if design == "published d=2" else OF_HISTOGRAMS
    title = f"{design}, {sweep} = {value}"
    return Cell(cell.name, title, cell.factors, absent=absent, stream=cell.stream)


STUDY = Study(
    name="kl-gap",
    title="The gap in KL between a fit to anchors and a fit to synthetic data",
    aims=(
        "G25 reads off its mixture simulation that the gap $\\mathrm{KL}(\\hat p_{anchor}\\|p) - "
        "\\mathrm{KL}(\\hat p_{gen}\\|p)$ rises with $J$ and falls with $K$ and $L$. Does it, in the protocol as "
        "published and in one whose steps compute what they are called?"
    ),
    data=(
        "A truth $p$ of $K+J$ Gaussian components with equal weights and means uniform on $[0,10]^d$; anchors from $K$ "
        "of them; a generator with the anchors' means and covariances for these, the $J$ others copied, and $L$ "
        "foreign components; synthetic data from the generator. `published`: covariances handed over as $AB'$ with "
        "uniform entries, 50 anchors a component, 200 synthetic points. `corrected`: covariances $AA'+0.01I$, $50d$ "
        "anchors and $100d$ synthetic points, whatever $K$, $J$ and $L$ are."
    ),
    estimands=(
        "The gap in KL(fit‖truth) (`KL`), in KL(truth‖fit) (`reverse KL`) and in total variation (`TV`), and, as "
        "published, in the entropy of two histograms (`published KL`); the gap at infinite data."
    ),
    methods=(
        "Expectation maximisation as scikit-learn does it by default: full covariances, $K$ components on the anchors "
        "and $K+J+L$ on the synthetic data, one start, at most 100 steps, tolerance 0.001, floor $10^{-6}$. Fits that "
        "have not converged are used as they are, and counted."
    ),
    performance=(
        "Of the gap: means with standard deviations, as published, and medians with quantiles, because KL has heavy "
        "tails here; see the gap above. Monte Carlo standard errors of the divergences of each repetition are outputs."
    ),
    grid=Grid({"design": tuple(DESIGNS), "sweep": SWEEPS, "value": VALUES}, describe=_described),
    axes={"measure": MEASURES, "way": HISTOGRAMS, "fit": FITS},
    replicates=100,
    batch_size=50,
    outputs=(
        Output("divergence", "divergence of the fit from the truth", dims=("fit", "measure"), unit="nats; TV none"),
        Output("divergence_se", "its standard error", dims=("fit", "measure"), unit="nats; TV none"),
        Output("gap", "gap", dims=("measure",), unit="nats; TV none"),
        Output("gap_se", "standard error of the gap", dims=("measure",), unit="nats; TV none"),
        Output("limit_gap", "gap at infinite data", dims=("measure",), unit="nats; TV none"),
        Output("histogram", "published KL of the fit from the truth", dims=("fit", "way"), unit="nats"),
        Output("histogram_gap", "published gap", dims=("way",), unit="nats"),
        Output("histogram_gap_se", "standard error of the published gap", dims=("way",), unit="nats"),
        Output("histogram_self", "published KL of the truth from itself", dims=(), unit="nats"),
        Output("converged", "EM converged", dims=("fit",)),
        Output("steps", "steps of EM", dims=("fit",)),
        Output("floored", "a fitted component at the floor", dims=("fit",)),
        Output("unseen", "prompt components without an anchor", dims=()),
    ),
    prepare=Deferred(f"{_NUMERICS}:prepare"),
    replicate=Deferred(f"{_NUMERICS}:replicate"),
    measures=(
        Measure("mean", "histogram_gap", title="mean published gap"),
        Measure("mean", "converged", title="share of fits that converged"),
    ),
    target=Measure("quantile", "gap", level=0.5),
    sections=(
        Deferred("simulations.studies._kl_gap_page:section"),
        Deferred("simulations.studies._kl_gap_steps_page:section"),
    ),
)
