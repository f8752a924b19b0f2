r"""From truth to anchors, generator and synthetic data in G25's mixture simulation: what is missed and what is added.

A repetition is that of :mod:`dkps_theory.information.mixture_world` up to the law D_gen of a synthetic point, which is
known exactly: a truth with K + J components, anchors from the first K of them, and a generator with these K estimated
again from the anchors, the J others copied and L foreign ones. Curation adds noise N(0, s^2 I): D_gen has s^2 I added
to the generator's covariances. D_gen is compared with two laws: that of the anchors (the K components themselves) and
the truth.

Support. A Gaussian mixture has a positive density everywhere, so all supports are R^d and none misses or adds anything.
Support is therefore read at a level a = 95%: the region R_P of a mixture P is the union of the ellipsoids

    (x - mu_c)' Sigma_c^{-1} (x - mu_c) <= q,    q the a-quantile of chi^2 with d degrees of freedom,

over its components c: each holds 95% of its own component, so P(R_P) >= 95%, with equality when no component reaches
into another's ellipsoid. It is known exactly from P (the threshold of a highest-density region would have to be
simulated), and it is what the figures draw. With Q = D_gen:

- missed = P(R_P \ R_Q), the mass of P in its own region that Q's region leaves out: 0 exactly when R_Q covers R_P, up
  to null sets;
- added = Q(R_Q \ R_P): 0 exactly when R_Q stays inside R_P;
- TV(P, Q), total variation, which reads nothing at a level; 1 - TV is the overlap coefficient int min(p, q).

What to compare with: if components lay far apart and nothing had to be estimated, nothing would be missed, and TV would
be that of the component labels, (J + L)/N against the anchors and L/N against the truth, N = K + J + L (all weights are
equal: 1 - K/N, and 1 - (K + J)/N); added would be 95% of that. With known moments and s = 0 the label's TV is at least
the TV (data processing: a point is drawn from its label by one channel in both laws).
"""

from __future__ import annotations

from typing import Literal

from simulations.grid import Cell, Grid, Level, Nested
from simulations.measures import Measure
from simulations.study import Deferred, Output, Study

_NUMERICS = "simulations.studies._distribution_flow"

#: Protocol and dimension by design.
DESIGNS: dict[str, tuple[Literal["published", "corrected"], int]] = {
    "corrected d=2": ("corrected", 2),
    "published d=2": ("published", 2),
    "corrected d=8": ("corrected", 8),
}
#: What D_gen is compared with.
LAWS = ("anchors", "truth")
#: Level at which supports are read.
LEVEL = 0.95
#: What is swept, and its values; the other numbers of components stay at 2. Anchors are counted by prompt component,
#: noise is the standard deviation s of curation.
SWEEPS: dict[Level, tuple[Level, ...]] = {
    "J": (0, 1, 2, 4, 8),
    "L": (0, 1, 2, 4, 8),
    "K": (1, 2, 4, 8),
    "anchors": (50, 200, 800, 3200),
    "noise": (0.25, 0.5, 1.0, 2.0),
}
BASE = 2


def numbers(sweep: str, value: float) -> tuple[int, int, int]:
    """Return (K, J, L) of a cell.

    Examples
    --------
    >>> numbers("L", 8), numbers("noise", 0.5)
    ((2, 2, 8), (2, 2, 2))
    """
    K, J, L = (int(value) if sweep == name else BASE for name in ("K", "J", "L"))
    return K, J, L


def _described(cell: Cell) -> Cell:
    design, sweep, value = (cell.factors[name] for name in ("design", "sweep", "value"))
    return Cell(cell.name, f"{design}, {sweep} = {value:g}", cell.factors, stream=cell.stream)


STUDY = Study(
    name="distribution-flow",
    title="From truth to synthetic data: what a generator misses and what it adds",
    aims=(
        "G25 pictures a generator whose support neither covers that of the anchors nor stays inside it. How much of "
        "the anchors' law and of the truth does the generator of its mixture simulation miss, how much does it add, "
        "and which of its parts do it?"
    ),
    data=(
        "A truth of $K+J$ Gaussian components with equal weights and means uniform on $[0,10]^d$; anchors from $K$ of "
        "them; a generator with the anchors' means and covariances for these $K$, the $J$ others copied, and $L$ "
        "foreign components; curation adds $N(0,s^2I)$. $K=J=L=2$ and $s=0$ but for what is swept. `published`: 50 "
        "anchors a component; `corrected`: $50d$ anchors in all, each from a random component, valid covariances."
    ),
    estimands=(
        "With $P$ the law of the anchors or the truth and $Q$ that of a synthetic point: `missed`, "
        "$P(R_P\\cap R_Q^c)$; `added`, $Q(R_Q\\cap R_P^c)$; and total variation, 1 less the overlap coefficient. "
        "$R_P$ is the union of the 95% ellipsoids of the components of $P$: Gaussian mixtures have all of space for "
        "support, so support is read at a level."
    ),
    methods="All laws are known exactly; masses are means over 1,000 draws of each law, stratified by component.",
    performance=(
        "Means over repetitions with standard errors. The Monte Carlo standard errors of each repetition's numbers are "
        "outputs."
    ),
    grid=Grid(
        {"design": tuple(DESIGNS), "sweep": tuple(SWEEPS), "value": Nested("sweep", SWEEPS)},
        # The published protocol fixes the number of anchors.
        keep=lambda levels: (levels["design"], levels["sweep"]) != ("published d=2", "anchors"),
        describe=_described,
    ),
    axes={"law": LAWS},
    replicates=100,
    batch_size=50,
    outputs=(
        Output("missed", "mass missed", dims=("law",)),
        Output("missed_se", "standard error of the mass missed", dims=("law",)),
        Output("added", "mass added", dims=("law",)),
        Output("added_se", "standard error of the mass added", dims=("law",)),
        Output("variation", "total variation", dims=("law",)),
        Output("variation_se", "standard error of total variation", dims=("law",)),
        Output("unseen", "prompt components without an anchor", dims=()),
    ),
    truths=(Output("label_variation", "total variation of the component labels", dims=("law",)),),
    prepare=Deferred(f"{_NUMERICS}:prepare"),
    replicate=Deferred(f"{_NUMERICS}:replicate"),
    truth=Deferred(f"{_NUMERICS}:truth"),
    measures=(
        Measure("mean", "missed", title="mass missed"),
        Measure("mean", "added", title="mass added"),
        Measure("mean", "variation", title="total variation"),
    ),
    target=Measure("mean", "variation"),
    sections=(Deferred("simulations.studies._distribution_flow_page:section"),),
)
