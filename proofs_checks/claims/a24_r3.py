r"""A24-R3: continuous raw stress has a minimiser.

Setting. A compact metric space M with a Borel probability P (atoms allowed), a symmetric bounded Delta on M x M, 0 on
the diagonal. Continuous raw stress of a map f: M -> R^d is J(f) = int int (||f(x) - f(y)|| - Delta(x, y))^2 P(dx)
P(dy) (TP24, arXiv:2402.04436).
Statement (A24, remark on continuous MDS). A minimiser exists; the argument given is that the set of maps is closed and
complete.
Hypotheses. See the readings.
Constants. None.
Relation. Attainment of an infimum.
Reference. Acharyya, Trosset, Priebe, Helm (2024), arXiv:2409.17308.

Readings.
1. A24-R3/any-bounded: what "closed and complete" could prove, since it does not use how Delta behaves. Refuted. M =
   [0, 1], P uniform, d = 1, Delta(x, y) = b_N = 2 - 2^(1-N) where N is the first binary digit in which x and y differ
   (0 on the diagonal, which P x P does not see): near points are to be kept farther apart. (Its values are in [1, 2),
   so it is a metric.) Functions of digit l whose mean over it is 0, other digits before it fixed, are eigenfunctions
   of Delta with value g_l = sum_{k>l} (b_k - b_l) 2^-k = (4/3) 4^-l > 0, constants have value 4/3 = mean of Delta. As
   |u - v| = int (1{u > t} + 1{v > t} - 2 1{u > t} 1{v > t}) dt, with h_l(t) the part of 1{f > t} at level l, J(f) =
   J_0(law of f) + 8/63 + 4 int sum_l g_l ||h_l(t)||^2 dt, J_0(nu) = int int (|u - v| - 4/3)^2 nu nu, and 8/63 is the
   variance of Delta. The last term is 0 only for a constant f, whose J_0 = 16/9 is twice that of two values 4/3 apart.
   But any law nu has maps that depend on digits after the L-th alone, with h_l = 0 for l <= L and a last term of order
   4^-L. So inf J = min J_0 + 8/63 and no f attains it. Constants apart, the space of maps is as closed and complete as
   one likes: it is not compact, and J is not lower semicontinuous for weak convergence.
2. A24-R3: Delta continuous and 0 on the diagonal, as distances of phi in a compact manifold are (A24-A2); maps are
   Borel measurable. Holds. Allow first a random f, that is a joint law pi of (x, u) with first marginal P: J is lower
   semicontinuous there and, centred, its sublevel sets are tight, so a minimiser pi exists, and pi_x lives on the
   minimisers of h(x, .), the potential of pi. If pi_x were spread on a set of positive measure, there would be two
   balls of R^d, centres g apart, radius rho < g/2, a c > 0, and then, for any eta > 0, a set S of x, of measure w > 0
   and with Delta <= eta inside it, where pi_x charges both balls with mass at least c. Moving mass between the balls,
   tau = P(dx) (pi_x given the first - pi_x given the second) on S, keeps pi + s tau a law for |s| <= c and changes J
   by s^2 J(tau, tau) alone, and J(tau, tau) = -2 ||int u dtau||^2 - 2 int int Delta ||u - v|| dtau dtau <= -2 w^2 (g -
   2 rho)^2 + 8 eta w^2 (g + 2 rho) < 0 for small eta: no minimum. So every random minimiser is a map, bounded since
   the minimisers of h(x, .) are. In reading 1 Delta near the diagonal is almost 2, and splitting is what pays. The
   checks look at the last inequality and at splitting itself: doubling every model at distance 0 never helps.
3. Existence among continuous maps is not decided here; under a common Lipschitz bound it follows from Arzela and
   Ascoli, and then "closed and complete" is not the argument either.
"""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np

from proofs_checks.claim import Check, Claim, Drawing, Evidence, Hypothesis, Setting, Witness
from proofs_checks.evidence import checker
from proofs_checks.evidence.certified import Stored, counterexample, exact_equalities
from proofs_checks.evidence.search import largest_ratio

SOURCE = "A24, remark on continuous multidimensional scaling"


def _second_variation(vanishes: bool, setting: Setting) -> Evidence:
    """Exactly, over random cases on the line: J(tau, tau) of the two-ball move against its negative bound.

    tau is a finite version: masses w_x on points of S, each moved from the second ball to the first.
    The broken twin has Delta near g inside S instead of at most eta.
    """
    generator = random.Random(setting.integer_seed())
    number = lambda low, high: Fraction(generator.randint(low, high), 60)  # noqa: E731

    def pairs():
        for _ in range(setting.size(200, 3000)):
            size, g, rho, eta = generator.randint(1, 4), number(40, 120), number(0, 6), number(0, 4)
            masses = [number(1, 60) for _ in range(size)]
            delta = [[Fraction(0)] * size for _ in range(size)]
            for i in range(size):
                for j in range(i):
                    delta[i][j] = delta[j][i] = eta * number(0, 60) if vanishes else g
            atoms = []
            for i, mass in enumerate(masses):
                atoms += [(i, rho * number(-60, 60), mass), (i, g + rho * number(-60, 60), -mass)]
            energy = sum(
                (a * b * ((u - v) ** 2 - 2 * delta[i][j] * abs(u - v)) for i, u, a in atoms for j, v, b in atoms),
                Fraction(0),
            )
            w = sum(masses, Fraction(0))
            yield 2 * w * w * (g - 2 * rho) ** 2 - 8 * eta * w * w * (g + 2 * rho), -energy

    says = "2 w^2 (g - 2 rho)^2 - 8 eta w^2 (g + 2 rho) <= -J(tau, tau) for a move between two balls"
    return exact_equalities(pairs(), says, relation="upper")


def _doubled(apart: int, setting: Setting) -> Evidence:
    """Exactly, on the line: three models against six, each of them twice with Delta = ``apart`` between the two.

    With 0 the best six are the best three, each twice: four times the stress. With 2 splitting pays.
    """
    generator = random.Random(setting.integer_seed())

    def pairs():
        for _ in range(setting.size(12, 120)):
            a, b, c = (Fraction(generator.randint(1, 24), 6) for _ in range(3))
            three = [[Fraction(0), a, b], [a, Fraction(0), c], [b, c, Fraction(0)]]
            six = [
                [Fraction(apart) if i // 2 == j // 2 and i != j else three[i // 2][j // 2] for j in range(6)]
                for i in range(6)
            ]
            yield checker.least_stress(six) - 6 * apart**2, 4 * checker.least_stress(three)

    return exact_equalities(pairs(), "least stress of six models, each of three twice, = 4 times that of the three")


def _digits_in_turn(rising: bool, setting: Setting) -> Evidence:
    """Look for values b_1, ..., b_5 of Delta by first differing digit so that no digit is the last to help.

    Cells are those of four digits, with b_5 inside; maps take two values, 0 and the mean of Delta, by one digit.
    """
    from hypothesis import strategies as st

    def helped(values):
        b = sorted(values) if rising else sorted(values, reverse=True)
        index = np.arange(16)
        delta = np.array(b, float)[(4 - np.ceil(np.log2((index[:, None] ^ index[None, :]) + 1))).astype(int)]
        stresses = []
        for digit in (3, 2, 1, 0):
            values_of = delta.mean() * (index >> digit & 1)
            stresses.append(np.square(np.abs(values_of[:, None] - values_of[None, :]) - delta).mean())
        return 2.0 if np.all(np.diff(stresses) < -1e-9) else 0.0

    drawn = st.lists(st.integers(0, 8), min_size=5, max_size=5)
    says = "some digit is the last whose map has less stress than the maps by earlier digits"
    return largest_ratio(drawn, helped, setting, says=says, quick=300, full=3000)


def cell_averages(levels: int) -> np.ndarray:
    """Averages of reading 1's Delta over pairs of the 2^levels dyadic cells."""
    index = np.arange(2**levels)
    differ = index[:, None] ^ index[None, :]
    first = levels + 1 - np.ceil(np.log2(differ + 1))
    return np.where(differ == 0, 2 - 2.0 ** (1 - levels) / 3, 2 - 2.0 ** (1 - first))


def dyadic_stress(values: np.ndarray) -> float:
    """J for reading 1's Delta of a map that is constant on the 2^L dyadic cells."""
    distance = np.abs(values[:, None] - values[None, :])
    delta = cell_averages(len(values).bit_length() - 1)
    return float((distance**2 - 2 * delta * distance).mean()) + 40 / 21


def _never_attained():
    from dkps_theory.pages.figures import new_figure

    figure, (axes,) = new_figure()
    infimum, deepest, levels = 136 / 189, 11, np.arange(1, 5)
    cells = np.arange(2**deepest)
    two = [dyadic_stress(4 / 3 * (cells >> (deepest - level) & 1)) for level in levels]
    spread = [dyadic_stress(8 / 3 * (cells % 2 ** (deepest - level)) / 2 ** (deepest - level)) for level in levels]
    axes.semilogy(levels, np.array(two) - infimum, "o", label="two values, by digit l alone")
    axes.semilogy(levels, np.array(spread) - infimum, "s", label="evenly spread, by the digits after the l-th")
    axes.set_xticks(levels)
    axes.set(xlabel="digit l", ylabel="stress J less its infimum 136/189")
    figure.legend(loc="outside lower left")
    return figure


def _circle() -> np.ndarray:
    """Return chords between 64 points spread evenly on the unit circle."""
    angle = 2 * np.pi * np.arange(64) / 64
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


_BOUNDED = Hypothesis("Delta is symmetric and bounded", lambda t: bool(np.allclose(t, t.T) and np.all(np.isfinite(t))))
_DIAGONAL = Hypothesis("Delta is 0 on the diagonal", lambda t: bool(np.all(np.diag(t) == 0)))
_CONTINUOUS = Hypothesis(
    "Delta is continuous: neighbours on the circle are at most 2 pi / 64 apart",
    lambda t: bool(np.abs(t - np.roll(t, 1, axis=0)).max() <= 2 * np.pi / 64),
)


def _improves_on_constant(delta: np.ndarray) -> bool:
    """Whether the height on the circle has less stress than the constant map, at d = 1."""
    height = np.cos(2 * np.pi * np.arange(64) / 64)
    return bool(np.square(np.abs(height[:, None] - height) - delta).mean() < np.square(delta).mean())


_VALUE = ("entry", "E", "7", "7")
CLAIMS = (
    Claim(
        id="A24-R3",
        title="Continuous raw stress has a minimiser when Delta is continuous and 0 on the diagonal",
        source=SOURCE,
        form="as-printed",
        reading="charitable: Delta as the source uses it, distances within a compact manifold; the proof is ours",
        statement=r"\Delta\in C(M\times M),\ \Delta(x,x)=0\ \Rightarrow\ \exists f:\ J(f)=\inf J",
        hypotheses=(_BOUNDED, _DIAGONAL, _CONTINUOUS),
        witness=Witness("chords of the circle, on the line", _circle, _improves_on_constant),
        checks=(
            Check(
                "splitting-never-pays",
                _second_variation,
                True,
                False,
                "Delta near the distance g of the balls instead of near 0 inside the set",
            ),
            Check("doubled-models", _doubled, 0, 2, "the two copies of a model wanted 2 apart"),
        ),
        recorded="holds",
    ),
    Claim(
        id="A24-R3/any-bounded",
        title="Continuous raw stress has a minimiser for every bounded Delta",
        source=SOURCE,
        form="as-printed",
        reading="all that the argument 'closed and complete' uses: any bounded symmetric Delta, 0 on the diagonal",
        statement=r"\sup\Delta<\infty\ \Rightarrow\ \exists f:\ J(f)=\inf J",
        hypotheses=(_BOUNDED, _DIAGONAL),
        witness=Witness(
            "the first of six binary digits in which two points differ, on the line",
            lambda: np.where(np.eye(64), 0.0, cell_averages(6)),
            lambda delta: bool(dyadic_stress(4 / 3 * (np.arange(64) % 2)) < np.square(delta).mean()),
        ),
        checks=(
            Check(
                "binary-digits",
                counterexample,
                Stored("a24-r3", _VALUE, "0", "equal"),
                Stored(
                    "a24-r3",
                    _VALUE,
                    "0",
                    "equal",
                    replaced={"G": [["0" if i == j else "1" for j in range(8)] for i in range(8)]},
                ),
                "all distances wanted equal, where the level of the digit makes no difference",
            ),
            Check("from-scratch", _digits_in_turn, True, False, "values that fall from digit to digit"),
        ),
        recorded="refuted",
        repair="A24-R3",
        drawings=(
            Drawing(
                _never_attained,
                "Maps of [0, 1] that follow ever later binary digits come ever nearer to the infimum of J, which no "
                "map attains; two values alone level off at 8/27 above it.",
            ),
        ),
    ),
)
