r"""CL-DPI: what is computed from Y alone knows no more about X than Y does (data processing).

Setting. Finite variables that form a Markov chain X -> Y -> Z: Z is drawn from Y without looking at X.
Statement. I(X; Z) <= I(X; Y).
Hypotheses. P(z | x, y) = P(z | y).
Constants. 1; equality exactly when X -> Z -> Y is a chain too (Z is sufficient for X).
Relation. Upper bound.
Reference. Classical (Shannon 1948; Cover, Thomas, chapter 2). Used by G25's chain S_anchor -> p -> S_gen -> W (G25-L43,
G25-L44, G25-T49) and by CL-PINSKER's reduction to two letters.

Derivation. The chain rule both ways, I(X; Y, Z) = I(X; Y) + I(X; Z | Y) = I(X; Z) + I(X; Y | Z), where I(X; Z | Y) = 0
for a chain. So I(X; Y) - I(X; Z) = I(X; Y | Z) >= 0, and it is 0 exactly when X and Y are independent given Z.

Readings. None open. Only the information about X falls: H(Z) may exceed H(Y), since Z may carry noise of its own.
"""

from __future__ import annotations

import itertools

import numpy as np

import dkps_theory as dk
from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "classical (Shannon 1948); used by G25"


def chain_law(x: np.ndarray, y_given_x: np.ndarray, z_given: np.ndarray) -> np.ndarray:
    """Return the joint law (x, y, z); ``z_given`` is (y, z), or (x, y, z) when Z looks at X too."""
    return x[:, None, None] * y_given_x[:, :, None] * z_given


def _joint_laws(chain: bool):
    """Chains with up to four letters each, weights 0..3 so that deterministic channels are among them."""
    from hypothesis import strategies as st

    def laws(sizes):
        kx, ky, kz = sizes
        second = cases.integer_laws(kz, ky if chain else kx * ky, 3)
        second = second if chain else second.map(lambda rows: rows.reshape(kx, ky, kz))
        parts = st.tuples(cases.integer_laws(kx), cases.integer_laws(ky, kx, 3), second)
        return parts.map(lambda case: chain_law(*case))

    return st.tuples(*[st.integers(2, 4)] * 3).flatmap(laws)


def information_ratio(joint: np.ndarray) -> float:
    """I(X; Z) / I(X; Y), where 1e-12 stands for a smaller I(X; Y)."""
    kept, known = float(dk.mutual_information(joint, 0, 2)), float(dk.mutual_information(joint, 0, 1))
    return kept / max(known, 1e-12)


def _search(chain: bool, setting: Setting) -> Evidence:
    return largest_ratio(
        _joint_laws(chain),
        information_ratio,
        setting,
        says="I(X; Z) / I(X; Y) over finite chains, up to four letters each, deterministic and noisy channels",
        quick=150,
        full=1500,
    )


def _loss(chain: bool, setting: Setting) -> Evidence:
    """I(X; Y) - I(X; Z) against I(X; Y | Z), random laws on 3 x 4 x 3 letters."""
    generator, differences = np.random.default_rng(setting.integer_seed("laws")), []
    for _ in range(setting.size(100, 1500)):
        given_y = generator.dirichlet(np.ones(3), 4 if chain else (3, 4))
        joint = chain_law(generator.dirichlet(np.ones(3)), generator.dirichlet(np.ones(4), 3), given_y)
        lost = float(dk.mutual_information(joint, 0, 1)) - float(dk.mutual_information(joint, 0, 2))
        differences.append(abs(lost - float(dk.conditional_mutual_information(joint, 0, 1, 2))))
    worst = float(np.max(differences))
    return Evidence(
        "search",
        # Sums of at most 36 terms p log(ratio), p <= 1, |log| below 40.
        Outcome.SUPPORTS if worst <= 1e-12 else Outcome.CONTRADICTS,
        worst,
        0.0,
        "equal",
        "I(X; Y) - I(X; Z) = I(X; Y | Z) over random chains",
        n=len(differences),
    )


def _sufficient(leak: int):
    """Y = (T, N) with N drawn from T alone: I(X; T) = I(X; Y) with symbolic probabilities; ``leak`` lets N see X."""

    def sides():
        import sympy

        a, *t, n, m = sympy.symbols("a t0 t1 n m", positive=True)
        x = (a, 1 - a)
        joint = {}
        for i, j, k in itertools.product(range(2), repeat=3):
            first = t[i] if j == 0 else 1 - t[i]
            noise = (n, m)[j] + leak * sympy.Rational(i, 10)
            joint[i, j, k] = x[i] * first * (noise if k == 0 else 1 - noise)

        def total(keep):
            sums = {}
            for letters, value in joint.items():
                key = tuple(letters[place] for place in keep)
                sums[key] = sums.get(key, 0) + value
            return sums

        pairs = []
        one, both, other, seen = total((0,)), total((0, 1)), total((1,)), total((1, 2))
        for (i, j, k), value in joint.items():
            # One density against the product of the marginals, hence one mean of its logarithm.
            pairs.append((value * one[i,] * other[j,], both[i, j] * one[i,] * seen[j, k]))
        return "a sufficient statistic T of Y loses nothing: p(x,y)/(p(x)p(y)) = p(x,t)/(p(x)p(t)) everywhere", pairs

    return sides


CLAIMS = (
    Claim(
        id="CL-DPI",
        title="Processing loses information, unless it is sufficient",
        source=SOURCE,
        form="as-printed",
        reading="finite alphabets",
        statement=r"X\to Y\to Z\ \Rightarrow\ I(X;Z)\le I(X;Y)",
        hypotheses=(
            Hypothesis(
                "X -> Y -> Z is a Markov chain",
                lambda joint: abs(float(dk.conditional_mutual_information(joint, 0, 2, 1))) < 1e-12,
            ),
        ),
        witness=Witness(
            "a bit through two noisy channels",
            lambda: chain_law(
                np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.7, 0.3], [0.1, 0.9]])
            ),
            lambda joint: 0 < information_ratio(joint) < 1,
        ),
        checks=(
            Check("search", _search, True, False, "Z looks at X too"),
            Check("loss", _loss, True, False, "Z looks at X too"),
            Check("sufficient", identity, _sufficient(0), _sufficient(1), "the noise beside T looks at X"),
        ),
        recorded="holds",
    ),
)
