"""Which steps of the published mixture simulation do not compute what they are called: the list, with numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from dkps_theory.information.mixture_world import ANCHORS_EACH
from dkps_theory.monte_carlo import mean_estimate
from dkps_theory.pages import Section, number, prose, with_se
from simulations.store import Store
from simulations.studies._kl_gap_page import rank_correlation
from simulations.studies._kl_gap_published import REDRAWS
from simulations.studies._kl_gap_steps import MATRICES, REPETITIONS, SETTINGS, computed
from simulations.studies.kl_gap import BASE, MEASURES, VALUES

#: What the account of the published protocol leaves open.
_READINGS = """
How the published protocol is read where the account of it is silent:

- S_gen is drawn from a mixture: the component of each point is random.
- The anchors' covariances are over n − 1, as `numpy.cov` does it.
- EM has scikit-learn's defaults: one start from k-means, full covariances, 100 steps, tolerance 0.001.
- Each of the 100 redraws takes new points of both laws, for either fit.
- `multivariate_normal` is NumPy's older one. The newer one draws with (CC′)^½, which has the same law over A and B.
- Fits are compared with the law that is drawn from, covariances (C′C)^½, as the histograms of its draws are.
"""


def _mean(values: Any) -> str:
    found = mean_estimate(np.asarray(values))
    return with_se(float(found.value), float(found.se))


def _median(values: np.ndarray) -> str:
    return number(float(np.median(values)))


def own_rows(found: dict[str, Any]) -> list[list[object]]:
    """Return the steps whose effects are computed here."""
    matrices, rulers, exact = found["matrices"], found["rulers"], found["exact"]
    base_self = rulers[0, 0]
    moved_values, itself = found["moved"]["moved"], found["moved"]["itself"]
    spread = itself[0].std(ddof=1)
    most, few = max(VALUES), BASE * ANCHORS_EACH
    return [
        [
            "Covariances A B′",
            "With uniform entries, C = A B′ is never symmetric, so it is no covariance matrix. NumPy warns, goes on, "
            "and draws with the covariance (C′C)^½, another matrix.",
            f"(C + C′)/2 has a negative eigenvalue for {matrices['indefinite'].mean():.1%} of {MATRICES:,} matrices. C "
            f"is off what is drawn by {_mean(100 * matrices['distance'])}% of its size on average, (C + C′)/2 by "
            f"{_mean(100 * matrices['symmetric_distance'])}%.",
        ],
        [
            "KL of a law from itself",
            "KL of equal laws is 0. Here many points of one sample lie in bins that are empty in the other, which "
            "count as 1e-10.",
            f"{_mean(base_self)} on average over {len(base_self)} truths (K = J = {BASE}), "
            f"{number(float(base_self.min()))} at least.",
        ],
        [
            "Each histogram over its own range",
            "Entry (a, b) stands for two different rectangles, so where the laws lie and how wide they are drops out.",
            f"N(0, I) from N((100, 100), 9 I): {_mean(moved_values[0])}, while KL is {number(moved_values[1], 4)}. "
            f"N(0, I) from itself: {_mean(itself[0])}, while KL is {number(itself[1])}.",
        ],
        [
            "1,000 draws",
            "There are 2,500 bins for them. With more draws fewer bins are empty, and the number becomes another.",
            Markup("{}<br>{}").format(
                _series("Truth from itself", rulers[:, 0], (0, 1, 2), lambda k: f"with {SETTINGS[k][0]:,}"),
                _series("Gap", rulers[:, 1], (0, 1, 2), lambda k: f"with {SETTINGS[k][0]:,}"),
            ),
        ],
        [
            "50 bins an axis",
            "More bins do not make it more accurate: they are a parameter of what it is.",
            Markup("{}<br>{}").format(
                _series("Truth from itself", rulers[:, 0], (3, 0, 4), lambda k: f"with {SETTINGS[k][1]}"),
                _series("Gap", rulers[:, 1], (3, 0, 4), lambda k: f"with {SETTINGS[k][1]}"),
            ),
        ],
        [
            "Clip at 1e-10",
            "The number is about log(1/clip) times the share of points in bins that are empty in the other histogram; "
            "and the clip is a density, in units of the axes.",
            Markup("{}<br>{}").format(
                _series("Truth from itself", rulers[:, 0], (0, 5), lambda k: f"at {SETTINGS[k][2]:g}"),
                _series("Gap", rulers[:, 1], (0, 5), lambda k: f"at {SETTINGS[k][2]:g}"),
            ),
        ],
        [
            "Mean of 100 redraws",
            "Averaging makes the number steadier, not more right.",
            f"N(0, I) from itself: one redraw varies by {number(float(spread))}, the mean of {REDRAWS} by "
            f"{number(float(spread / math.sqrt(REDRAWS)))}; it stays off by {number(float(itself[0].mean()))}.",
        ],
        [
            f"{ANCHORS_EACH} anchors a component",
            "More components in the prompt mean more anchors, so a sweep of K is one of the sample size too.",
            f"Median KL of the fit to anchors at K = {most}: {_median(exact['many'][:, 0])} with {most * ANCHORS_EACH} "
            f"anchors, {_median(exact['equal'][:, 0])} with {few}, as many as at K = {BASE}.",
        ],
        [
            "200 synthetic points",
            "As any of K, J and L grows, fewer are left for each component.",
            f"Median KL of the fit to synthetic data at K = {most}: {_median(exact['many'][:, 1])} with 200 points, "
            f"{_median(exact['equal'][:, 1])} with {found['synthetic']}, as many for each as at the base. With {few} "
            f"anchors as well, the median gap is {_median(exact['equal'][:, 0] - exact['equal'][:, 1])} instead of "
            f"{_median(exact['many'][:, 0] - exact['many'][:, 1])}.",
        ],
        [
            "J components that the model knows",
            "They are copied from the truth: a model that knows them without error, whatever it was trained on.",
            f"KL of a component of the generator from its true one: {_mean(found['estimated'])} for the K that are "
            f"estimated from {ANCHORS_EACH} points each, 0 for the J.",
        ],
    ]


def _series(name: str, values: np.ndarray, places: Sequence[int], words: Callable[[int], str]) -> str:
    return f"{name}: {', '.join(f'{_mean(values[k])} {words(k)}' for k in places)}."


def stored_rows(store: Store) -> list[list[object]]:
    """Return the steps whose effects are in the store: means, direction, misspecification, and the ruler itself."""
    cells = {
        (cell["factors"]["sweep"], cell["factors"]["value"]): at
        for at, cell in enumerate(store.cells)
        if cell["factors"]["design"] == "published d=2" and len(store.finished(at)) > 2
    }
    if not cells:
        return []
    base = cells.get(("J", BASE), next(iter(cells.values())))
    _, _, words = store.cells[base]["title"].rpartition(", ")
    gap, published = store.values("gap", base), store.values("histogram_gap", base)
    agreement = _agreement(store, list(cells.values()))
    last = cells.get(("J", max(VALUES)))
    places = [base] if last is None else [base, last]
    return [
        [
            "The gap in KL",
            "What the histograms give is not the gap in KL of the same fits, and does not go with it.",
            f"{words}: mean published gap {_mean(published[:, 0])}, mean gap in KL {_mean(gap[:, 0])}. Equal in sign "
            f"in {agreement['sign']:.0%} of all repetitions (with the gap in TV: {agreement['sign_tv']:.0%}). Rank "
            f"correlation within a cell, on average: {agreement['KL']:.2f} with KL, {agreement['TV']:.2f} with TV.",
        ],
        [
            "One direction of KL",
            "KL(fit‖truth) punishes components that the truth has not, KL(truth‖fit) those that the fit has not: the "
            "gap has the one sign or the other.",
            f"{words}: median gap {_median(gap[:, 0])} in KL(fit‖truth), {_median(gap[:, 1])} in KL(truth‖fit), "
            f"{_median(gap[:, 2])} in TV.",
        ],
        [
            "Mean ± sd",
            "KL has heavy tails here: a few repetitions make the mean.",
            f"{words}: mean {number(float(gap[:, 0].mean()))} and median {_median(gap[:, 0])} in KL, "
            f"{number(float(gap[:, 1].mean()))} and {_median(gap[:, 1])} in reverse KL. The largest 5% of repetitions "
            f"make {_top_share(gap[:, 0]):.0%} and {_top_share(gap[:, 1]):.0%} of the sum of absolute gaps "
            f"({_top_share(published[:, 0]):.0%} of the published ones).",
        ],
        [
            "Training on K against K + J + L components",
            "A fit with K components cannot be the truth of K + J, nor can one with L foreign ones: much of the gap is "
            "set before anything is estimated.",
            " ".join(_limit_words(store, at) for at in places),
        ],
    ]


def _limit_words(store: Store, at: int) -> str:
    """Say what the gap is without and with estimation."""
    limit, gap = store.values("limit_gap", at), store.values("gap", at)
    _, _, words = store.cells[at]["title"].rpartition(", ")
    return (
        f"{words}: median gap with infinite data {_median(limit[:, 0])} in KL, {_median(limit[:, 2])} in TV; of the "
        f"fits {_median(gap[:, 0])} and {_median(gap[:, 2])}."
    )


def _top_share(values: np.ndarray, share: float = 0.05) -> float:
    sizes = np.sort(np.abs(values))[::-1]
    return float(sizes[: max(1, math.ceil(share * len(sizes)))].sum() / sizes.sum())


def _agreement(store: Store, cells: Sequence[int]) -> dict[str, float]:
    """Return how the published gap goes with exact ones: equal signs over all cells, rank correlation within them."""
    pairs = [(store.values("histogram_gap", at)[:, 0], store.values("gap", at)) for at in cells]
    signs = [np.sign(published)[:, None] == np.sign(gap) for published, gap in pairs]
    equal = np.concatenate(signs).mean(axis=0)
    ranks = {
        name: float(np.mean([rank_correlation(published, gap[:, k]) for published, gap in pairs]))
        for k, name in enumerate(MEASURES)
    }
    return {"sign": float(equal[0]), "sign_tv": float(equal[2]), **ranks}


def section(store: Store) -> Section | None:
    """Return the list of steps; None while no published cell has repetitions."""
    stored = stored_rows(store)
    if not stored:
        return None
    words = (
        "Each step below of the published protocol computes a number, but not the one that it is named after. Numbers "
        "are in nats, ± standard errors. “From itself” is the published “KL” of a law from itself, and “gap” the "
        f"published gap, both at K = J = L = {BASE}. Steps 1 to 10 are measured on {REPETITIONS} repetitions made for "
        "this list, the others on the study's."
    )
    item = Markup("<li><b>{}.</b> {}<br><em>Measured:</em> {}</li>")
    steps = Markup("<ol>{}</ol>").format(Markup("").join(item.format(*row) for row in [*own_rows(computed()), *stored]))
    return Section("Steps that do not compute what they are called", [prose(words), steps, prose(_READINGS)])
