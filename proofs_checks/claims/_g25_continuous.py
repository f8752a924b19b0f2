r"""Jointly Gaussian worlds for G25's claims about densities: one exact, with a point each, and random ones of vectors.

For a jointly Gaussian vector exp(2 h(X)) = (2 pi e)^d det Sigma_X, so the exponential of twice any combination of joint
entropies is a product of determinants: a rational function of the variances, in which logarithms no longer occur.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

import dkps_theory as dk
from proofs_checks.claim import Hypothesis
from proofs_checks.claims._g25_entropies import Combination

SOURCE = "reconstructed; densities are our reading"


def _follows_the_process(world: dk.LinearGaussianWorld) -> bool:
    law = world.law
    added = (("M", "h", "g"), ("S_gen", "M", "eps"))
    sums = all(np.allclose(of[a], of[b] + of[c]) for of in (law.coefficients, law.means) for a, b, c in added)
    functions = law.entropy("h", "e_p") == law.entropy("g", "e_M") == -math.inf
    return sums and functions and law.mutual_information("S_anchor", ["e_p", "e_M", "eps"], "p") < 1e-9


PROCESS = Hypothesis(
    "S_anchor -> p -> (e_p, e_M, eps), h a function of e_p and g of e_M, M = h + g, S_gen = M + eps",
    _follows_the_process,
)
DENSITY = Hypothesis(
    "each of S_anchor, p, h, e_M, g, M, S_gen and W has a density and a finite entropy",
    lambda world: all(
        bool(np.isfinite(world.law.entropy(name))) for name in ("S_anchor", "p", "h", "e_M", "g", "M", "S_gen", "W")
    ),
)
TRAINED = Hypothesis(
    "W sees S_gen alone, and W' the anchors alone",
    lambda world: (
        world.law.mutual_information("W", ["S_anchor", "e_p", "e_M"], "S_gen") < 1e-9
        and world.law.mutual_information("W_anchor", ["p", "e_M", "W"], "S_anchor") < 1e-9
    ),
)
FINITE = Hypothesis(
    "every term is finite: the prompt is not a function of the anchors",
    lambda world: bool(np.isfinite(world.law.mutual_information("S_anchor", "p"))),
)


def independent_factors(world: dk.LinearGaussianWorld) -> bool:
    """Whether e_M and e_p are independent."""
    return world.law.mutual_information("e_M", "e_p") < 1e-9


@dataclass(frozen=True)
class Scalars:
    """The linear-Gaussian world with one anchor and one synthetic point; variances and gains of any exact kind.

    With a ``dependence`` other than 0 the model's factor is e_M + dependence p, of variance ``factor`` given p.
    """

    data: Any
    prompt: Any
    prompt_gain: Any
    factor: Any
    factor_gain: Any
    curation: Any
    training: Any
    anchor_training: Any
    dependence: Any = 0

    @classmethod
    def symbols(cls, **replaced: Any) -> Scalars:
        """Return the world whose numbers are positive symbols, but for those that are replaced."""
        import sympy

        names = {"data": "v", "prompt": "pi", "prompt_gain": "a", "factor": "s2", "factor_gain": "b"}
        names |= {"curation": "t2", "training": "tau2", "anchor_training": "tau2_"}
        return cls(**{name: sympy.Symbol(text, positive=True) for name, text in names.items()} | replaced)

    def covariance(self, names: tuple[str, ...]) -> Any:
        """Return the covariance of the named variables as a SymPy matrix."""
        import sympy

        z, xi, e, eps, w, v = np.eye(6, dtype=int).astype(object)
        p = z + xi
        e = e + self.dependence * p
        h, g = self.prompt_gain * p, self.factor_gain * e
        rows = {"S_anchor": z, "p": p, "e_p": p, "h": h, "e_M": e, "g": g, "M": h + g, "eps": eps}
        rows["S_gen"] = rows["M"] + eps
        rows |= {"W": rows["S_gen"] + w, "W_anchor": z + v}
        block = sympy.Matrix([list(rows[name]) for name in names])
        variances = (self.data, self.prompt, self.factor, self.curation, self.training, self.anchor_training)
        return block * sympy.diag(*variances) * block.T

    def power(self, combination: Combination) -> Any:
        """Return exp(2 x) for a combination x of joint entropies, all of them finite."""
        import sympy

        result = sympy.Integer(1)
        for names, coefficient in combination.terms.items():
            entropy_power = (2 * sympy.pi * sympy.E) ** len(names) * self.covariance(tuple(sorted(names))).det()
            result *= entropy_power ** int(coefficient)
        return sympy.simplify(result)


def vector_law(seed: int, *, dependent: bool = False, leak: bool = False, unit: float = 1.0) -> dk.LinearGaussian:
    """Return a random jointly Gaussian law of the process: vectors of one to three dimensions, all maps drawn.

    e_p is p, h = A e_p, g = B e_M with B invertible, W and W' are noisy linear maps of S_gen and S_anchor.

    Parameters
    ----------
    seed
        Of the maps.
    dependent
        Whether e_M and eps depend on e_p.
    leak
        Whether W looks at the factors beside S_gen, which no training does.
    unit
        Factor by which data, answers and curation are multiplied.
    """
    generator = np.random.default_rng(seed)
    m, k, n, w, v = generator.integers(1, 4, 5).tolist()
    widths = np.cumsum([m, k, n, n, w])
    z, xi, e, eps, training, anchor_training = np.split(np.eye(widths[-1] + v), widths)

    def noisy(rows: int, columns: int) -> np.ndarray:
        """Draw a map with entries of order 1; near the identity if square, so that it is well conditioned."""
        return np.eye(rows, columns) + 0.3 * generator.normal(size=(rows, columns))

    p = noisy(k, m) @ z + generator.uniform(0.3, 1) * xi
    e_m = generator.uniform(0.5, 2) * noisy(n, n) @ e + dependent * noisy(n, k) @ p
    h, g = unit * generator.uniform(0.2, 2) * noisy(n, k) @ p, unit * generator.uniform(0.5, 2) * noisy(n, n) @ e_m
    curation = unit * (generator.uniform(0.2, 1) * eps + dependent * noisy(n, k) @ p)
    s_gen = h + g + curation
    weights = noisy(w, n) @ s_gen / unit + generator.uniform(0.2, 1) * training + leak * noisy(w, n) @ e_m
    return dk.LinearGaussian(
        {
            "S_anchor": unit * z,
            "p": p,
            "e_p": p,
            "h": h,
            "e_M": e_m,
            "g": g,
            "M": h + g,
            "eps": curation,
            "S_gen": s_gen,
            "W": weights,
            "W_anchor": noisy(v, m) @ z + generator.uniform(0.2, 1) * anchor_training,
        }
    )
