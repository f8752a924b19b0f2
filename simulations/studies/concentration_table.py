r"""A25-TAB1, the printed table of errors and upper bounds, under every reading of what its description leaves open.

The setting is given: Bernoulli answers, probabilities uniform on (0, 1) for each model and query, r = n^5.5 replicates,
100 runs for each n, and the bound of A25-T2 at delta -> 0, that is at x = (n^3/r)^(1/2) = n^(-1.25). Open are

- m: the table says 3 queries, the text 2;
- whether the probabilities are drawn once for each n or anew in each run;
- the convention: A25 prints c = 1/sqrt(m) with e = 1/2; e = 1, c = 1/m and c = 1 are often taken instead; its second
  table squares no dissimilarity (A25-TAB2), which is three conventions more (with c = 1/m and e = 1 it would be the
  printed one again);
- d, "from a scree plot": 1, 2, 3, the rank, or a rule that stands for the eye. Where B has a lower rank than d, d is
  its rank: A25-A1 has d = rank(B);
- the norm, and whether the printed average is of something else: a matrix error, a mean over models, a mean square, a
  difference that was not aligned, the largest column sum (what R's ``norm`` returns unless told otherwise);
- which eigenvalues enter the bound.

All readings but m and the redrawing are computed from the same answers. How r is rounded (n^5.5 is not whole) changes
it by at most 1.6e-6 of itself, errors by half of that, and is not tried.

The rule of a match. A printed average is itself an average of 100 runs, so it is off by s_printed = sd over runs / 10,
and ours by s_ours = sd over runs / sqrt(runs). A reading gives a printed number when the two differ by at most 4
sqrt(s_printed^2 + s_ours^2), plus half a unit of the last printed digit; and a whole column when it gives every row
and the chi-square of all rows has p > 1e-3, because 4 standard errors in each of five rows are generous. Differences
are of logarithms, with sd relative to the mean, because ratios are what the readings differ by. When the probabilities
are drawn once, a printed average carries the whole spread over such draws; s_printed^2 is then the variance of the log
over runs with new probabilities, which holds a run's own noise as well. To take that off, one would need it on average
over draws of probabilities, and a cell has one draw: s_printed errs on the wide side. A reading whose tolerance in some
row is more than a factor of 2 is blunt: it could hardly fail row by row, and is counted apart. Nearly all averages with
probabilities drawn once are blunt, and errors with heavy tails, at d = 1 for instance, where eigenvalues of B may
nearly tie. Blunt readings are not out of reach of all evidence: the printed averages but the last lie within 1.0% of a
power law, which rows that scatter by as much as a blunt reading would do with probability 0.003.

This rule was not fixed beforehand. Logarithms, and leaving out blunt readings, were chosen after the numbers had been
seen, and so was what is said of single rows and of smoothness. The page therefore counts under all four choices.
"""

from __future__ import annotations

from simulations.grid import Cell, Grid
from simulations.measures import Measure
from simulations.study import Deferred, Output, Study

_NUMERICS = "simulations.studies._concentration"

#: How dissimilarities are made of means; see :data:`simulations.studies._concentration.CONVENTIONS`.
CONVENTIONS = (
    "c=1/sqrt(m) e=1/2",
    "c=1/sqrt(m) e=1",
    "c=1/m e=1",
    "c=1 e=1",
    "c=1/sqrt(m) e=1/2 unsquared",
    "c=1/sqrt(m) e=1 unsquared",
    "c=1 e=1 unsquared",
)
#: How d is chosen.
DIMENSIONS = ("1", "2", "3", "elbow", "gap", "share", "rank")
#: What the printed average may be an average of.
QUANTITIES = (
    "Frobenius",
    "spectral",
    "two-to-infinity",
    "column sum",
    "mean over models",
    "per entry",
    "largest entry",
    "mean square",
    "relative",
    "not aligned",
)
#: Errors of matrices, which have no d.
MATRICES = ("B Frobenius", "B spectral", "B largest entry", "D Frobenius", "D spectral", "D largest entry")
#: Which eigenvalues stand for lambda_1 and lambda_d in the bound.
EIGENVALUES = ("of B", "of B^", "largest for both")


def _described(cell: Cell) -> Cell:
    n, m, probabilities = (cell.factors[name] for name in ("n", "m", "probabilities"))
    drawn = "once" if probabilities == "once" else "in each run"
    return Cell(cell.name, f"n = {n}, m = {m}, probabilities drawn {drawn}", cell.factors, stream=cell.stream)


STUDY = Study(
    name="concentration-table",
    title="A printed table of errors and bounds, under every reading of it",
    aims=(
        "The first table of A25 (arXiv:2511.08307) gives, for five $n$, an average error of $\\hat\\Psi$ and an upper "
        "bound. Which readings of what its description leaves open give these numbers, row by row? Do its rows agree "
        "with one another?"
    ),
    data=(
        "Yes-or-no answers of $n$ models to $m$ queries, with probabilities uniform on $(0, 1)$, drawn once for each "
        "$n$ or anew in each run. The mean of $r = n^{5.5}$ answers is drawn exactly, as a binomial count over $r$, at "
        "a cost that does not depend on $r$ (14 million at $n = 20$)."
    ),
    estimands="$\\Psi$ of the true probabilities, in $d$ dimensions, and the eigenvalues of $B$.",
    methods=(
        "Classical scaling under seven conventions and seven choices of $d$, aligned by the best orthogonal matrix: "
        "`elbow` is the profile likelihood of Zhu and Ghodsi (2006) on all eigenvalues, `gap` the largest drop between "
        "neighbours, `share` the fewest eigenvalues with 90% of the sum, all on the spectrum of $\\hat B$; where "
        "$B$ has a lower rank, $d$ is its rank. The bound is that of A25-T2 at $x = (n^3/r)^{1/2}$."
    ),
    performance=(
        "Averages over runs with standard errors, against the printed ones: a reading gives a printed number when they "
        "differ by at most four standard errors of the difference, the printed average being one of 100 runs, and a "
        "column when all rows agree jointly, too ($p > 0.001$). The rule was chosen after the numbers had been seen; "
        "conclusions under other choices stand beside it. How many "
        "readings would match by chance is computed from columns that mix the level of one reading with the trend of "
        "another."
    ),
    grid=Grid(
        {"n": (10, 12, 15, 18, 20), "m": (2, 3), "probabilities": ("each run", "once")},
        describe=_described,
    ),
    axes={
        "convention": CONVENTIONS,
        "dimension": DIMENSIONS,
        "quantity": QUANTITIES,
        "matrix": MATRICES,
        "eigenvalues": EIGENVALUES,
    },
    replicates=100,
    batch_size=50,
    outputs=(
        Output("error", "error of Ψ̂", dims=("convention", "dimension", "quantity")),
        Output("matrix_error", "error of a matrix", dims=("convention", "matrix")),
        Output("bound", "upper bound", dims=("convention", "dimension", "eigenvalues")),
        Output("chosen", "dimension in use", dims=("convention", "dimension")),
        Output("covered", "Frobenius error at most the bound, under every reading", dims=()),
    ),
    prepare=Deferred(f"{_NUMERICS}:prepare"),
    replicate=Deferred(f"{_NUMERICS}:replicate"),
    measures=(Measure("coverage", "covered", title="coverage of the bound, every reading at once"),),
    sections=(Deferred("simulations.studies._concentration_page:section"),),
)
