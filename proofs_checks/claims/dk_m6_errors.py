r"""DK-M6, errors: placements of a new model from r answers to m queries, by Gower's and Trosset and Priebe's rules.

Setting. That of DK-M6; the new model, and in DK-M6/replicates and DK-M6/estimated-frame the frame too, are known by r
answers.
Statements. DK-M6/replicates: both rules err by O_P(r^-1/2) in the case of DK-M6. DK-M6/many-queries: at fixed r, with
an exact frame and c = 1/sqrt(m), Gower's error is O_P(m^-1/2). DK-M6/many-queries-norm, DK-M6/estimated-frame: so is
Trosset and Priebe's; so is Gower's in an estimated frame.
Hypotheses. e = 1, iid answers with two moments, lambda_d > 0, the new mean in the frame's span.
Constants. None.
Relation. Rates.
Reference. As DK-M6; the rates are ours.

Derivation. X_new - mu_new has length of order sqrt(sum_j gamma_j / r) and all directions. Gower's rule sees its d
coordinates along the axes, of size c r^{-1/2}, which is (m r)^{-1/2} at c = 1/sqrt(m); h^2 collects all of it, c^2
sum_j gamma_j / r, which at fixed r stays near the mean of gamma over r. So at fixed r and growing m Trosset and
Priebe's rule pushes the new model out for good. At growing r that is a second order effect, and both rules have the
rate r^{-1/2}. With the frame estimated from r answers too, its column k grows longer by a factor near a_k = (1 +
gamma / (r lambda_k))^{1/2} as m grows (DK-M7), while b carries no bias, so Gower's place L^-1 Psi'b shrinks by a_k:
at fixed r neither rule converges then (DK-M6/estimated-frame). The certificates hold these limits for a frame of two
models on the line: by the law of large numbers every squared dissimilarity tends to its own value plus gamma / r for
each noisy model, and places are continuous there.
"""

from __future__ import annotations

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.claims.dk_m6 import RULES, SOURCE, agree, placed, rank_two
from proofs_checks.evidence import monte_carlo
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio

REPLICATES, LOW, HIGH = 300, 1e4, 1e12


def _limit_error(noisy: bool, setting: Setting) -> Evidence:
    """Look from scratch for a frame of two models and gamma / r where Gower's rule is off in the limit of many queries.

    The new model is the second of the frame once more.
    """
    from hypothesis import strategies as st

    def error(case):
        half, noise = case
        squares = np.array([[0.0, 4, 4], [4, 0, 0], [4, 0, 0]]) * half**2
        delta = np.sqrt(squares + 2 * noise * noisy * (1 - np.eye(3)))
        y, _, psi, _ = placed("gower", 1)[0](delta)
        return float(abs(y[0] - psi[1, 0]) / 1e-6)

    says = "in the limit of many queries Gower's rule returns a model of the frame to its place"
    drawn = st.tuples(st.integers(1, 6), st.integers(0, 6))
    return largest_ratio(drawn, error, setting, says=says, quick=100, full=1000)


def _falls_with_replicates(case, setting: Setting) -> Evidence:
    """Frame of five models and a sixth, all estimated from r answers, d = 2 at the rank."""
    rule, inflation = case
    population, truth = cases.mixture_population(), inflation * cases.distances(cases.mixture_psi())[-1, :-1]

    def errors(r):
        means = np.asarray(population.mean) + cases.mean_errors(population, setting.key(f"r = {r:g}"), REPLICATES, r)
        flat = means.reshape(REPLICATES, 6, -1) / np.sqrt(population.shape[1])
        y, _, psi, _ = (np.asarray(part) for part in placed(rule, 2)[1](cases.distances(flat)))
        return np.abs(np.linalg.norm(psi - y[:, None], axis=2) - truth).max(1)

    return monte_carlo.falls_as(
        errors(LOW),
        errors(HIGH),
        HIGH / LOW,
        says=f"distances of the new model to the frame, {rule}, r = 10^4 and 10^12",
    )


#: Queries between which the error must fall by their square root, at r = 4 answers of total variance 4.
FEW, MANY, ANSWERS, GAMMA = 10, 10**7, 4, 4.0


def _new_model_errors(rule: str, m: int, setting: Setting, frame_noise: float = 0.0) -> np.ndarray:
    """Errors of the placement of a model with m queries, p = 2, from r = 4 spherical Gaussian answers to each.

    In a basis whose first two axes are the frame's plane, c (X - mu) has independent coordinates of variance
    gamma / (r m p). Only distances matter, so the noise of the seven models off the plane may be turned into R^7: its
    Gram matrix is L L' with Bartlett's lower triangle L, chi-distributed on the diagonal and Gaussian below it, and the
    cost does not depend on m. ``frame_noise`` times the noise is on the frame's models too; 0 is an exact frame.
    """
    frame, new = cases.mixture_psi(), np.array([0.5, -0.3])
    generator = np.random.default_rng(setting.integer_seed(f"m = {m}"))
    noise = generator.normal(size=(REPLICATES, 7, 9))
    lower = np.tril(noise[..., 2:], -1)
    lower[:, range(7), range(7)] = np.sqrt(generator.chisquare(2 * m - 2 - np.arange(7), size=(REPLICATES, 7)))
    noise[..., 2:] = lower
    noise *= np.sqrt(GAMMA / (ANSWERS * 2 * m))
    noise[:, :6] *= frame_noise
    noise[..., :2] += np.vstack([frame, new])
    y, _, psi, _ = (np.asarray(part) for part in placed(rule, 2)[1](cases.distances(noise)))
    truth = np.linalg.norm(frame - new, axis=1)
    return np.abs(np.linalg.norm(psi - y[:, None], axis=2) - truth).max(1)


def _falls_with_queries(case, setting: Setting) -> Evidence:
    rule, frame_noise = case
    before, after = (_new_model_errors(rule, m, setting, frame_noise) for m in (FEW, MANY))
    kind = "estimated" if frame_noise else "exact"
    says = f"distances of the new model to the {kind} frame, {rule}, r = 4, m = 10 and 10^7"
    return monte_carlo.falls_as(before, after, MANY / FEW, says=says)


def _errors_by_queries(ways, names):
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    grid, setting = [10, 10**2, 10**3, 10**4, 10**5, 10**6], Setting(0, "quick", "DK-M6/drawing")
    for (rule, frame_noise), marker, name in zip(ways, "os", names, strict=True):
        axes.loglog(
            grid, [np.median(_new_model_errors(rule, m, setting, frame_noise)) for m in grid], marker, label=name
        )
    axes.set(xlabel="queries m, at r = 4 answers each", ylabel="median error of a distance\n(units of g)")
    figure.legend(loc="outside lower left", ncols=2)
    return figure


_MIXTURE = Witness(
    "six models at a chosen Psi in the plane, answers from mixtures",
    cases.mixture_population,
    lambda w: w.gamma.min() > 0,
)
_IN_SPAN = (
    cases.INDEPENDENT,
    cases.TWO_MOMENTS,
    Hypothesis(
        "Delta has rank 2 = d, the new model in the frame's plane",
        lambda w: float(dk.classical_mds(cases.dissimilarities(w.mean), 2).rank) == 2,
    ),
)
_FIXED_FRAME = (
    Hypothesis("frame and new model do not change with m; frame of rank 2 = d", lambda w: rank_two(w[:-1])),
)
_FRAME = Witness(
    "a frame of six models in the plane, a new one off its centroid",
    lambda: np.vstack([cases.mixture_psi(), [[0.5, -0.3]]]),
    lambda w: bool(np.abs(w[-1]).max() > 0),
)

CLAIMS = (
    Claim(
        id="DK-M6/replicates",
        title="Both placements err by r^(-1/2) in the frame's span at the rank",
        source=SOURCE,
        form="own",
        reading="frame and new model estimated from r answers; distances to the frame, which need no alignment",
        statement=r"\max_i\big|\|\hat y-\hat\psi_i\|-\|\psi_{new}-\psi_i\|\big|=O_P(r^{-1/2})",
        hypotheses=_IN_SPAN,
        witness=_MIXTURE,
        checks=tuple(
            Check(f"{rule}", _falls_with_replicates, (rule, 1.0), (rule, 1.001), "distances off by a thousandth")
            for rule in RULES
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M6/many-queries",
        title="At fixed r Gower's placement converges as queries are added",
        source=SOURCE,
        form="own",
        reading="exact frame, Gaussian answers, c = 1/sqrt(m), r = 4; Trosset and Priebe's rule is the broken twin",
        statement=r"\max_i\big|\|y_G-\psi_i\|-\|\psi_{new}-\psi_i\|\big|=O_P(m^{-1/2})",
        hypotheses=_FIXED_FRAME,
        witness=_FRAME,
        checks=(
            Check(
                "queries",
                _falls_with_queries,
                ("gower", 0.0),
                ("trosset-priebe", 0.0),
                "Trosset and Priebe's rule, which stays out",
            ),
        ),
        recorded="holds",
    ),
    Claim(
        id="DK-M6/estimated-frame",
        title="At fixed r Gower's placement converges as queries are added, the frame estimated too",
        source=SOURCE,
        form="own",
        reading="as DK-M6/many-queries, with r = 4 answers behind the frame as well",
        statement=r"\max_i\big|\|y_G-\hat\psi_i\|-\|\psi_{new}-\psi_i\|\big|=O_P(m^{-1/2})",
        hypotheses=_FIXED_FRAME,
        witness=_FRAME,
        checks=(
            Check(
                "limit",
                counterexample,
                Stored("dk-m6-estimated-frame", ("-", ("entry", "Psi", "1", "0"), "y"), "0", "equal"),
                Stored(
                    "dk-m6-estimated-frame",
                    ("-", ("entry", "Psi", "1", "0"), "y"),
                    "0",
                    "equal",
                    replaced={"noise": "0"},
                ),
                "no noise",
            ),
            Check("from-scratch", _limit_error, True, False, "no noise"),
            Check("queries", _falls_with_queries, ("gower", 1.0), ("gower", 0.0), "the frame exact"),
        ),
        recorded="refuted",
        repair="DK-M6/many-queries",
        drawings=(
            Drawing(
                lambda: _errors_by_queries((("gower", 1.0), ("gower", 0.0)), ("estimated frame", "exact frame")),
                "Gower's rule from r = 4 answers to each query. In a frame estimated from as many answers its error "
                "levels off, since noise lengthens the frame's columns and shortens the placement by the same factor.",
            ),
        ),
    ),
    Claim(
        id="DK-M6/many-queries-norm",
        title="At fixed r Trosset and Priebe's placement converges as queries are added",
        source=SOURCE,
        form="own",
        reading="exact frame; in the limit h^2 = gamma / r for a new model in the frame's span",
        statement=r"\max_i\big|\|y_{TP}-\psi_i\|-\|\psi_{new}-\psi_i\|\big|\xrightarrow{P}0",
        hypotheses=_FIXED_FRAME,
        witness=_FRAME,
        checks=(
            Check(
                "limit",
                counterexample,
                Stored("dk-m6-parting", "tp", "gower", "equal"),
                Stored("dk-m6-parting", "tp", "gower", "equal", replaced={"z": [["1", "0"]], "beta": "1", "tp": "1"}),
                "no noise: h^2 = 0",
            ),
            Check("from-scratch", agree, True, False, "the new model in the frame's plane"),
            Check(
                "queries", _falls_with_queries, ("trosset-priebe", 0.0), ("gower", 0.0), "Gower's rule, which converges"
            ),
        ),
        recorded="refuted",
        repair="DK-M6/many-queries",
        drawings=(
            Drawing(
                lambda: _errors_by_queries((("gower", 0.0), ("trosset-priebe", 0.0)), ("Gower", "Trosset and Priebe")),
                "A new model placed into an exact frame from r = 4 answers to each query. Noise off the plane does not "
                "average out over queries; Gower's rule ignores it, the other takes it for length.",
            ),
        ),
    ),
)
