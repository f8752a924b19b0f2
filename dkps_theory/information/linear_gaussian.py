r"""Jointly Gaussian variables as linear maps of standard normals: entropies and mutual informations, degenerate or not.

Every variable is a block x = mean + A u with one u ~ N(0, I) for all of them, so joint covariances are A_a A_b'. What
depends on u through A alone is worked out from the row spaces of the blocks, not from covariance matrices: squaring A
would square its condition number, and a joint law without a density (an answer beside its parts) has no Cholesky
factor.

Conditioning. Given x_c, the part of u in the row space of A_c is known and the rest is untouched, so the conditional
law of x_a is Gaussian with coefficients R_a = A_a (I - P_c), P_c the projection on that row space, whatever the value
of x_c. Hence h(x_a | x_c) = 1/2 log((2 pi e)^k det R_a R_a'), and minus infinity where R_a has rank below k.

Mutual information. An invertible linear map of a variable changes no mutual information, so I(x_a; x_b | x_c) depends
on the row spaces of R_a and R_b only. With orthonormal bases Q_a and Q_b and the singular values cos t_i of Q_a Q_b',
both variables become independent pairs of correlation cos t_i, and what is left over is independent of the other:

    I(x_a; x_b | x_c) = -sum_i log sin t_i,

infinite where the row spaces share a direction (t_i = 0), and 0 where a block is constant. Small angles are taken from
their sines, the singular values of Q_b - Q_b Q_a' Q_a (Bjorck, Golub 1973).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import jax
import numpy as np

from dkps_theory._keys import checked_key
from dkps_theory._types import Key
from dkps_theory._validate import finite, nearest_name, require, shown, whole_number

#: A direction that makes up less than this share of a variable's standard deviation counts as not there.
SHARE = 1e-10


@final
@dataclass(frozen=True, eq=False)
class LinearGaussian:
    """A joint Gaussian law of named blocks, each an affine map of the same independent standard normals.

    Parameters
    ----------
    coefficients
        Name -> A, (rows, u): the block is mean + A u. A row of zeros is a constant.
    means
        Name -> mean, (rows,); blocks that are not named have mean 0.

    Raises
    ------
    InputError
        When there is no block, a block has no rows or is not finite, or the blocks differ in their number of normals.

    Notes
    -----
    Where a block is named, a sequence of names will do too. Entropies are differential, in nats; they change by log c
    for each coordinate measured in a unit c times smaller. Mutual informations do not.

    Examples
    --------
    A signal, and the same signal under noise of its own variance: half of log 2.

    >>> law = LinearGaussian({"x": np.array([[1.0, 0.0]]), "y": np.array([[1.0, 1.0]])})
    >>> round(law.mutual_information("x", "y") / math.log(2), 12)
    0.5
    >>> law.mutual_information("x", "x"), law.entropy(["x", "y", "x"])
    (inf, -inf)
    """

    coefficients: Mapping[str, np.ndarray]
    means: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for where, blocks in (("coefficients", self.coefficients), ("means", self.means)):
            require(isinstance(blocks, Mapping), f"{where}: got {shown(blocks)}; it must be a mapping from names")
        require(len(self.coefficients) > 0, "coefficients: names no block")
        blocks = {name: finite(f"coefficients[{name!r}]", block) for name, block in self.coefficients.items()}
        for name, block in blocks.items():
            require(
                block.ndim == 2 and block.size > 0,
                f"coefficients[{name!r}]: got shape {block.shape}; it must be (rows, normals), none of them 0",
            )
        widths = {name: block.shape[1] for name, block in blocks.items()}
        require(len(set(widths.values())) == 1, f"coefficients: numbers of normals {widths}; they must agree")
        for name in self.means:
            if name not in blocks:
                raise nearest_name("block", name, blocks)
        means = {
            name: finite(f"means[{name!r}]", self.means.get(name, np.zeros(len(block))))
            for name, block in blocks.items()
        }
        for name, mean in means.items():
            rows = len(blocks[name])
            require(mean.shape == (rows,), f"means[{name!r}]: got shape {mean.shape}; it must be ({rows},)")
        object.__setattr__(self, "coefficients", blocks)
        object.__setattr__(self, "means", means)

    def mean(self, names: str | Sequence[str]) -> np.ndarray:
        """Return the mean of the blocks, one under the other, (rows,)."""
        return np.concatenate([self.means[name] for name in self._named(names)])

    def covariance(self, names: str | Sequence[str]) -> np.ndarray:
        """Return the joint covariance of the blocks, (rows, rows)."""
        block = self._rows(names)
        return block @ block.T

    def entropy(self, names: str | Sequence[str], given: str | Sequence[str] = ()) -> float:
        """Return the differential entropy h(names | given) in nats; minus infinity where there is no density."""
        block = self._rows(names)
        lengths, directions = self._residual(names, given)
        if len(lengths) < len(block) or len(block) > block.shape[1]:
            return -math.inf
        singular = np.linalg.svd(directions, compute_uv=False)
        if singular[-1] <= SHARE:
            return -math.inf
        return float(len(block) / 2 * math.log(2 * math.pi * math.e) + np.log(lengths).sum() + np.log(singular).sum())

    def mutual_information(
        self, first: str | Sequence[str], second: str | Sequence[str], given: str | Sequence[str] = ()
    ) -> float:
        """Return I(first; second | given) in nats; infinite where each fixes a combination that the other fixes too."""
        one, two = (_basis(self._residual(names, given)[1]) for names in (first, second))
        if len(one) == 0 or len(two) == 0:
            return 0.0
        if len(one) < len(two):
            one, two = two, one
        # Cosines fall and sines rise, so that both are in the order of the angles.
        cosines = np.linalg.svd(two @ one.T, compute_uv=False)
        sines = np.linalg.svd(two - two @ one.T @ one, compute_uv=False)[::-1]
        if sines[0] <= SHARE:
            return math.inf
        near = cosines > math.sqrt(0.5)
        logs = np.where(near, np.log(sines), 0.5 * np.log1p(-np.square(np.where(near, 0.0, cosines))))
        return float(0.0 - logs.sum())

    def sample(self, key: Key, size: int) -> dict[str, np.ndarray]:
        """Draw all blocks together: name -> (size, rows), from a typed key."""
        size = whole_number("size (draws)", size, 1)
        width = next(iter(self.coefficients.values())).shape[1]
        normals = np.asarray(jax.random.normal(checked_key(key), (size, width), dtype=np.float64))
        return {name: self.means[name][None] + normals @ block.T for name, block in self.coefficients.items()}

    def _named(self, names: str | Sequence[str]) -> list[str]:
        require(isinstance(names, (str, Sequence)), f"names: got {shown(names)}; give a name or a sequence of names")
        wanted = [names] if isinstance(names, str) else list(names)
        for name in wanted:
            if name not in self.coefficients:
                raise nearest_name("block", name, self.coefficients)
        return wanted

    def _rows(self, names: str | Sequence[str]) -> np.ndarray:
        wanted = self._named(names)
        require(len(wanted) > 0, "names: at least one block must be named")
        return np.concatenate([self.coefficients[name] for name in wanted])

    def _residual(self, names: str | Sequence[str], given: str | Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the lengths of the rows and what is left of them, over their lengths, once ``given`` is known.

        Rows of which nothing is left are dropped.
        """
        block = self._rows(names)
        lengths = _lengths(block)
        present = lengths > 0
        lengths, directions = lengths[present], block[present] / lengths[present, None]
        if given:
            known = self._rows(given)
            norms = _lengths(known)
            basis = _basis(known[norms > 0] / norms[norms > 0, None])
            directions = directions - directions @ basis.T @ basis
            left = np.linalg.norm(directions, axis=1) > SHARE
            lengths, directions = lengths[left], directions[left]
        return lengths, directions


def _lengths(rows: np.ndarray) -> np.ndarray:
    """Return the norms of the rows, whose squares may lie beyond double precision."""
    largest = np.abs(rows).max(axis=1)
    return largest * np.linalg.norm(rows / np.where(largest > 0, largest, 1.0)[:, None], axis=1)


def _basis(directions: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the row space, (rank, u)."""
    if len(directions) == 0:
        return directions
    _, singular, rows = np.linalg.svd(directions, full_matrices=False)
    return rows[singular > SHARE]
