"""Worlds of G25's process with a network trained on S_gen and on S_anchor, and its bounds in every reading."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofs_checks.claim import Evidence, Hypothesis, Setting
from proofs_checks.claims._g25 import Kind, built, random_world
from proofs_checks.claims.g25_l44 import contracts
from proofs_checks.evidence.search import largest_ratio

#: Letters of data and answers are taken modulo this number before the first layer.
LETTERS = 16


@dataclass(frozen=True)
class Trained:
    """A world whose loss is that at the last layer, (w, k), averaged over layers (x, y) that contract KL by eta."""

    world: Any
    layers: tuple[np.ndarray, ...]
    loss: np.ndarray
    eta: float

    @property
    def depth(self) -> int:
        """L."""
        return len(self.layers)


@dataclass(frozen=True)
class Reading:
    """What T45 is read as.

    Attributes
    ----------
    delta
        "prompt" for H(p, eps), "factor" for H(e_p, eps), "none" for 0.
    given_prompt
        Whether total variations are means of those given (p, e_p), all that the points share, or of averaged laws.
    absolute
        Whether the error is E|R_D(W) - R^_gen(W)|.
    extra
        Added to the information.
    power, variation
        The bound has eta^(power L), and total variations times ``variation``.
    """

    delta: str = "prompt"
    given_prompt: bool = True
    absolute: bool = False
    extra: float = 0.0
    power: float = 0.5
    variation: float = 1.0


def delta(world: Any, kind: str) -> float:
    """Return the delta of a reading."""
    variables = {"prompt": ("p", "eps"), "factor": ("e_p", "eps"), "none": ()}[kind]
    return world.law.entropy(variables) if variables else 0.0


def error(trained: Trained, reading: Reading) -> float:
    """E[R_D(W) - R^_gen(W)], or of its absolute value."""
    world = trained.world
    return world.absolute_generalization_error if reading.absolute else world.generalization_error


def t45(trained: Trained, reading: Reading) -> float:
    """Return T45's right side; C is the range of the averaged loss, sigma = 1/2 that of the loss at the last layer."""
    from dkps_theory.bounds.generalization import t45_bound

    world = trained.world
    return t45_bound(
        loss_range=float(world.loss_range) * reading.variation,
        tv_model=world.tv_model(given_prompt=reading.given_prompt),
        tv_curation=world.tv_curation(given_prompt=reading.given_prompt),
        layers=trained.depth,
        contraction=trained.eta ** (2 * reading.power),
        proxy=0.25,
        n=world.synthetic,
        information_gain=world.information_gain,
        b_syn=world.b_syn,
        model_entropy=world.model_entropy,
        delta=delta(world, reading.delta) + reading.extra,
    )


def ratio(trained: Trained, reading: Reading) -> float:
    """Return error / T45's right side, where 1e-6 stands for a smaller error or right side."""
    found, limit = error(trained, reading), t45(trained, reading)
    return found / max(limit, 1e-6) if found > 1e-6 else 0.0


def behind(
    flip: float, depth: int, by_letter: Callable[[int], int], losses: list[list[float]], **parts: Any
) -> Trained:
    """Return a world whose network sees a bit of the letter through symmetric channels; ``losses`` are (w, bit)."""
    from dkps_theory.bounds.contraction import layered_loss, symmetric_channel_contraction

    layers, loss = (np.array([[1 - flip, flip], [flip, 1 - flip]]),) * depth, np.array(losses)
    averaged = layered_loss(layers, loss)
    world = built(**parts, loss=lambda w, z: float(averaged[w, by_letter(int(z))]))
    return Trained(world, layers, loss, symmetric_channel_contraction(flip))


_WRONG = [[0.0, 1.0], [1.0, 0.0]]


# Worlds made by hand. Each returns a world, built once.
@functools.cache
def parity(k: int = 2, *, noisy: bool = False) -> Trained:
    """Answer p + e_M, a fair bit and uniform on an even number k of letters; D is the law of the answer, W its parity.

    p says whether the anchor is one of 1..k/2, which have half of D. ``noisy``: the prompt is constant, and the bit
    that is p otherwise is drawn as e_p.
    """
    return behind(
        0.125,
        1,
        lambda z: z % 2,
        _WRONG,
        data_law=[0.5 / k, *[1 / k] * (k - 1), 0.5 / k],
        prompt=lambda s: 0 if noisy else int(0 < s[0] <= k // 2),
        prompt_factor=(lambda _: {0: 0.5, 1: 0.5}) if noisy else (lambda p: p),
        model_factor=[1 / k] * k,
        training=lambda s: s[0] % 2,
        anchor_training=lambda _: 0,
    )


@functools.cache
def leaning(n: int, tilt: float, depth: int = 1) -> Trained:
    """Fair bits from the model whatever the constant prompt; W leans towards their majority; D is a fair bit."""

    def training(sample: Any) -> list[float]:
        lean = 1 / (1 + math.exp(-2 * tilt * (2 * sum(sample) - len(sample))))
        return [1 - lean, lean]

    return behind(
        0.125,
        depth,
        lambda z: z,
        _WRONG,
        data_law=[0.5, 0.5],
        anchors=n,
        prompt=lambda _: 0,
        model_factor=[0.5, 0.5],
        synthetic=n,
        training=training,
        anchor_training=training,
    )


@functools.cache
def echo(n: int) -> Trained:
    """Repeat the prompt, a fair bit, in n points; W is the bit; D is a fair bit."""
    return behind(
        0.25,
        1,
        lambda z: z,
        _WRONG,
        data_law=[0.5, 0.5],
        prompt=lambda s: s[0],
        synthetic=n,
        training=lambda s: s[0],
        anchor_training=lambda s: s[0],
    )


@functools.cache
def shifted() -> Trained:
    """Answer 1 with probability 3/4, D is a fair bit, and W is always the one that errs at 0."""
    return behind(
        0.25,
        1,
        lambda z: z,
        [[1.0, 0.0]],
        data_law=[0.5, 0.5],
        prompt=lambda _: 0,
        model_factor=[0.25, 0.75],
        training=lambda _: 0,
        anchor_training=lambda _: 0,
    )


def random_bits(seed: int) -> Trained:
    """Return bits from a constant prompt through one layer, random laws, losses and predictors of 1 or 2 bits."""
    table = np.random.default_rng(seed)

    def channel() -> Callable[[Any], list[float]]:
        rows = table.dirichlet(np.full(3, table.choice([0.1, 1.0])), 3)
        return lambda sample: rows[sum(sample)].tolist()

    ones = table.random(2)
    return behind(
        0.125,
        1,
        lambda z: z,
        (table.integers(0, 3, (3, 2)) / 2).tolist(),
        data_law=[1 - ones[0], ones[0]],
        anchors=int(table.integers(1, 3)),
        prompt=lambda _: 0,
        model_factor=[1 - ones[1], ones[1]],
        synthetic=int(table.integers(1, 3)),
        training=channel(),
        anchor_training=channel(),
    )


def random_trained(kind: Kind, seed: int) -> Trained:
    """Return a random world with layers of three letters; in half of them answers are uniform modulo k, as D is."""
    from dkps_theory.bounds.contraction import dobrushin_coefficient, layered_loss

    table = np.random.default_rng(seed)
    sizes = [int(size) for size in table.integers(2, 5, 6)]
    n = 1 + int(table.integers(3) == 0)
    sizes = [*sizes[:3], 2, 2, sizes[5], n] if n == 2 else [*sizes, n]
    depth, k = int(table.integers(1, 4)), sizes[3]
    layers = tuple(table.dirichlet(np.full(3, 0.5), LETTERS if place == 0 else 3) for place in range(depth))
    final = table.integers(0, 5, (4, 3)) / 4
    averaged = layered_loss(layers, final)
    anchors = 1 + int(table.integers(3) == 0 and sizes[0] < 4)
    uniform = {"modulus": k, "data_law": [1 / k] * k, "model_factor": [1 / k] * k, "g": lambda e: e}
    world = random_world(
        kind,
        tuple(sizes),
        int(table.integers(2**32)),
        anchors=anchors,
        loss=lambda w, z: float(averaged[w, int(z) % LETTERS]),
        **(uniform if table.integers(2) else {}),
    )
    return Trained(world, layers, final, max(map(dobrushin_coefficient, layers)))


#: What T45's main reading asks of a world: e_p is a function of p.
FUNCTION = Kind(noisy_factor=False)


def hand_made(kind: Kind, points: int) -> list[Trained]:
    """Return the worlds on which bounds are attained, or fail in a false reading, with at most this many points."""
    found = [shifted(), parity(), *(leaning(n, tilt) for n in (1, 2) for tilt in (0.0, 0.01, 1.0)), leaning(1, 0.01, 2)]
    found += [echo(4), *([parity(noisy=True)] if kind.noisy_factor else [])]
    return [trained for trained in found if trained.world.synthetic <= points]


def worlds(kind: Kind, points: int = 4) -> Any:
    """Return a hypothesis strategy of worlds of a kind, with at most ``points`` synthetic points."""
    from hypothesis import strategies as st

    drawn = st.integers(0, 2**32 - 1).map(lambda seed: random_trained(kind, seed))
    kept = drawn.filter(lambda trained: trained.world.synthetic <= points)
    return st.one_of(kept, kept, st.sampled_from(hand_made(kind, points)))


def below(reading: Reading, kind: Kind, setting: Setting, *, says: str, points: int = 4) -> Evidence:
    """Search for a world of the kind whose error exceeds T45's right side in this reading."""
    return largest_ratio(
        worlds(kind, points),
        lambda trained: ratio(trained, reading),
        setting,
        says=says,
        quick=60,
        full=1000,
        describe=described,
    )


def described(trained: Trained) -> str:
    """Print a world by its sizes and what it errs by."""
    world = trained.world
    return f"{world.law}, L = {trained.depth}, eta = {trained.eta:.3g}, error {world.generalization_error:.6g}"


CONTRACTS = Hypothesis(
    "every layer contracts KL by eta < 1",
    lambda trained: trained.depth >= 1 and all(contracts(layer, trained.eta) for layer in trained.layers),
)
BOUNDED = Hypothesis(
    "the loss at the last layer lies in [0, 1], sigma = 1/2",
    lambda trained: bool(trained.loss.min() >= 0 and trained.loss.max() <= 1),
)
FACTOR = Hypothesis("e_p is a function of p", lambda trained: trained.world.law.entropy("e_p", "p") < 1e-12)
CHAIN = Hypothesis(
    "W is drawn from S_gen alone",
    lambda trained: abs(trained.world.law.mutual_information(("p", "e_p", "e_M", "eps"), "W", "S_gen")) < 1e-12,
)
