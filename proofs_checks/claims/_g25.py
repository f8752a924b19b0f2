r"""Worlds of G25's process that its claims are tried on: random ones of a stated kind, and the few that decide.

A kind says which of the process's hypotheses a claim makes; a broken twin is the same claim about a wider kind. Random
worlds have one or two anchors and synthetic points and up to four letters for each of S_anchor, p, e_p, e_M, eps, W and
W', so that M and S_gen have more; laws that are certain, of whole weights, or anything; W any channel of S_gen and W'
any of S_anchor; eps that looks at p or does not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from proofs_checks.claim import Setting


@dataclass(frozen=True)
class Kind:
    """What may happen in a world.

    Attributes
    ----------
    dependent
        e_M may look at e_p.
    noisy_prompt, noisy_factor
        p may be a noisy channel of S_anchor, e_p of p, instead of a function.
    curated
        eps may be other than 0, and look at p.
    lossy
        g may give several e_M one value.
    """

    dependent: bool = True
    noisy_prompt: bool = True
    noisy_factor: bool = True
    curated: bool = True
    lossy: bool = True


ANY = Kind()
#: Nothing noisy but the model's own factor, which sees no prompt.
PLAIN = Kind(dependent=False, noisy_prompt=False, noisy_factor=False, curated=False, lossy=False)
INDEPENDENT = replace(ANY, dependent=False)


def _law(table: np.random.Generator, letters: int) -> list[float]:
    match table.integers(6):
        case 0:
            weights = np.eye(letters)[table.integers(letters)]
        case 1 | 2:
            weights = table.integers(0, 4, letters).astype(float)
            weights[table.integers(letters)] += 1
        case _:
            weights = table.dirichlet(np.ones(letters))
    return (weights / weights.sum()).tolist()


def _rows(table: np.random.Generator, rows: int, letters: int, *, noisy: bool = True) -> list[list[float]]:
    """Return a channel as a table of laws: a function in a third of cases, and always unless it may be ``noisy``."""
    if noisy and table.integers(3):
        return [_law(table, letters) for _ in range(rows)]
    return np.eye(letters)[table.integers(letters, size=rows)].tolist()


def _by_turns(rows: list[Any]) -> Callable[[Any], Any]:
    """Return the channel that gives each new letter the next row, and from the last on again the first."""
    seen: dict[Any, int] = {}
    return lambda letter: rows[seen.setdefault(letter, len(seen)) % len(rows)]


def random_world(kind: Kind, sizes: tuple[int, ...], seed: int, **parts: Any) -> Any:
    """Return a random world of this kind; ``sizes`` are those of data, p, e_p, e_M, eps, W, and n.

    The answer may tell h and g, and S_gen the answer and eps, or sums may hide them.
    """
    from dkps_theory.information.discrete_world import DiscreteWorld

    data, prompts, factors, own, noise, learned, points = sizes
    table = np.random.default_rng(seed)
    scale = int(table.choice([1, 4]))  # with 4 the answer tells h and g, as h < 4
    stretch = int(
        table.choice([1, 17])
    )  # with 17 S_gen tells M and eps, as M < 16; odd, lest sums modulo 2 or 4 lose it
    h = table.permutation(factors) if table.integers(2) else table.integers(0, 4, factors)
    g = table.permutation(own) if not kind.lossy or table.integers(2) else table.integers(0, 3, own)
    model = _rows(table, factors, own) if kind.dependent and table.integers(3) else [_law(table, own)]
    looks = prompts if table.integers(3) else 1  # whether eps looks at p
    curation = _rows(table, looks, noise) if kind.curated and table.integers(4) else [[1.0]]
    world: dict[str, Any] = {
        "data_law": _law(table, data),
        "prompt": _by_turns(_rows(table, 16, prompts, noisy=kind.noisy_prompt)),
        "prompt_factor": _by_turns(_rows(table, prompts, factors, noisy=kind.noisy_factor)),
        "h": lambda e_p: int(h[e_p]),
        "model_factor": _by_turns(model),
        "g": lambda e_m: scale * int(g[e_m]),
        "curation": _by_turns([{stretch * e: weight for e, weight in enumerate(row)} for row in curation]),
        "synthetic": points,
        "training": _by_turns(_rows(table, 64, learned)),
        "anchor_training": _by_turns(_rows(table, 16, learned)),
    }
    return DiscreteWorld.build(**(world | parts))


@functools.cache
def _pool(kind: Kind, seed: int) -> tuple[list[Any], Callable[[], Any]]:
    """Return the worlds of a kind drawn so far under a seed, and what draws the next: claims share them."""
    table = np.random.default_rng(Setting(seed, "quick", f"G25/{kind}").integer_seed("worlds"))

    def one() -> Any:
        data, prompts, factors, own, learned = (int(size) for size in table.integers(2, 5, 5))
        noise, points = int(table.integers(2, 5)), 1 + int(table.integers(4) == 0)
        if points == 2:  # which square the letters of e_M, eps and S_gen
            own = noise = 2
        anchors = 1 + int(data == 2 and table.integers(2))
        sizes = (data, prompts, factors, own, noise, learned, points)
        return random_world(kind, sizes, int(table.integers(2**32)), anchors=anchors)

    return [], one


def tried(kind: Kind, setting: Setting) -> Iterator[Any]:
    """Yield the hand-made worlds that are of this kind, then random ones, as many as the budget says."""
    for needed, build in HAND_MADE:
        if all(getattr(kind, field.name) or not getattr(needed, field.name) for field in fields(Kind)):
            yield build()
    worlds, one = _pool(kind, setting.seed)
    for place in range(setting.size(60, 600)):
        if place == len(worlds):
            worlds.append(one())
        yield worlds[place]


# Worlds made by hand. Each returns a world, built once.
@functools.cache
def parity(k: int = 2, *, known: bool = True) -> Any:
    """W = e_p + e_M modulo k, both uniform, and the answer tells them; e_p is p, or unless ``known`` p says nothing."""
    return built(
        data_law=[1 / k] * k,
        prompt=lambda s: s[0] if known else 0,
        prompt_factor=lambda p: p if known else [1 / k] * k,
        model_factor=[1 / k] * k,
        g=lambda e: k * e,
        training=lambda s: (s[0] + s[0] // k) % k,
    )


@functools.cache
def copied(k: int = 2) -> Any:
    """e_M is e_p, which is the uniform prompt; W is the answer, which tells them."""
    return built(data_law=[1 / k] * k, prompt=lambda s: s[0], model_factor=lambda e: e, g=lambda e: k * e)


@functools.cache
def handed_over(k: int = 2) -> Any:
    """e_M is e_p, which is the uniform prompt, and answers all alone: h = 0."""
    return built(data_law=[1 / k] * k, prompt=lambda s: s[0], h=lambda _: 0, model_factor=lambda e: e)


@functools.cache
def curation_only(k: int = 2) -> Any:
    """Prompt and answer are constant, eps is uniform; W is S_gen."""
    return built(data_law=[1 / k] * k, prompt=lambda _: 0, curation=[1 / k] * k)


@functools.cache
def tinted() -> Any:
    """Curation adds the prompt, a fair bit that e_p does not show; W is S_gen."""
    return built(data_law=[0.5, 0.5], prompt=lambda s: s[0], prompt_factor=lambda _: 0, curation=lambda p: p)


@functools.cache
def stray(k: int = 2) -> Any:
    """Answer with the prompt, which is uniform and looks at no anchor; W is the answer."""
    return built(data_law=[1 / k] * k, prompt=lambda _: [1 / k] * k)


@functools.cache
def whim(k: int = 2) -> Any:
    """Answer with e_p, which is uniform although the prompt is constant; W is the answer."""
    return built(data_law=[1 / k] * k, prompt=lambda _: 0, prompt_factor=lambda _: [1 / k] * k)


@functools.cache
def echo(k: int = 2) -> Any:
    """Answer with the prompt, which is the anchor; W is the answer."""
    return built(data_law=[1 / k] * k, prompt=lambda s: s[0])


@functools.cache
def fresh(k: int = 2, *, read: bool = True) -> Any:
    """Answer at random whatever the constant prompt; W is the answer, or unless it is ``read`` nothing."""
    training = (lambda s: s) if read else (lambda _: 0)
    return built(data_law=[1 / k] * k, prompt=lambda _: 0, model_factor=[1 / k] * k, training=training)


@functools.cache
def idle(k: int = 2) -> Any:
    """e_M is uniform on 2 k letters, of which g keeps the remainder modulo k; W is the answer."""
    return built(data_law=[1 / k] * k, prompt=lambda _: 0, model_factor=[0.5 / k] * (2 * k), g=lambda e: e % k)


def masked(prompt_law: Any, curation: Any, *, mask: bool = True) -> Any:
    """For any law of p and channel of it to eps on 0..l-1 the world that needs all of delta = H(p, eps).

    e_p = p and e_M = (b, c) is uniform on pairs. The answer tells p, b and c, and S_gen eps as well; W is p + b modulo
    the number k of prompts and eps + c modulo l. Unless there is a ``mask`` W leaves the first out.
    """
    rows = [list(row) for row in curation]
    k, noise = len(prompt_law), len(rows[0])

    def training(sample: Any) -> Any:
        rest, eps = divmod(sample[0], noise)
        rest, c = divmod(rest, noise)
        b, p = divmod(rest, k)
        return ((p + b) % k if mask else 0, (eps + c) % noise)

    return built(
        data_law=list(prompt_law),
        prompt=lambda s: s[0],
        h=lambda p: noise * noise * p,
        model_factor=[1 / (k * noise)] * (k * noise),
        g=lambda e: noise * (noise * k * (e // noise) + e % noise),
        curation=lambda p: rows[p],
        training=training,
    )


def built(**parts: Any) -> Any:
    """Return a world of these parts; where they are not named, one anchor and W = S_gen, W' = S_anchor."""
    from dkps_theory.information.discrete_world import DiscreteWorld

    memorised: dict[str, Any] = {"training": lambda s: s, "anchor_training": lambda s: s}
    return DiscreteWorld.build(**(memorised | parts))


#: Worlds on which bounds are attained, or fail once a hypothesis is dropped, with what each of them needs of its kind.
HAND_MADE: tuple[tuple[Kind, Callable[[], Any]], ...] = (
    (PLAIN, echo),
    (PLAIN, parity),
    (PLAIN, functools.partial(parity, 3)),
    (PLAIN, fresh),
    (PLAIN, functools.partial(fresh, read=False)),
    (replace(PLAIN, lossy=True), idle),
    (replace(PLAIN, dependent=True), copied),
    (replace(PLAIN, dependent=True), handed_over),
    (replace(PLAIN, curated=True), curation_only),
    (replace(PLAIN, curated=True), tinted),
    (replace(PLAIN, noisy_prompt=True), stray),
    (replace(PLAIN, noisy_factor=True), whim),
    (replace(PLAIN, noisy_factor=True), functools.partial(parity, known=False)),
)
