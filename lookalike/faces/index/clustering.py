"""How rows are laid out so that a search reads little: heads and cells.

Vectors of faces fill few of their dimensions: of the embedded encoder's 128, the first 64
principal ones hold 98 % of the variance. A row's *head* is its first principal
coordinates; from heads alone follows a distance that the true one can't be under, so that
a scan of the heads (`index_codes`) leaves a few hundred rows to compare in full, and
misses none.

A *cell* is a group of neighbouring rows, which lie together in the files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.types import Vectors

HEAD_WIDTHS: Final = (16, 32, 48, 64, 96, 128, 192, 256)
"""Columns that a head may have; all dimensions where none of these is enough."""

HEAD_SHARE: Final = 0.95
"""Of the variance, what a head must hold: with less, the bounds are so loose that too many
rows are compared in full."""

LEAST_ROWS: Final = 4_096
"""Fewer rows get no heads, and a cell each."""

ROUNDS: Final = 6
SAMPLE_ROWS: Final = 100
"""Rows a cell in the sample that the cells are found on."""

BLOCK: Final = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """An origin (d,) and the directions (d, h), orthonormal, that heads are measured in."""

    origin: NDArray[np.float32]
    directions: NDArray[np.float32]

    def heads(self, vectors: Vectors) -> NDArray[np.float32]:
        """(n, h) coordinates of (n, d) vectors."""
        return np.asarray((vectors - self.origin) @ self.directions, dtype=np.float32)


def find_basis(vectors: Vectors) -> Basis | None:
    """The principal directions of (n, d) vectors; None where rows are so few that
    comparing them all in full takes no time."""
    if len(vectors) < LEAST_ROWS:
        return None
    sample = vectors[:: max(1, len(vectors) // 50_000)]
    variances, directions = np.linalg.eigh(np.cov(sample.T, dtype=np.float64))
    shares = np.cumsum(variances[::-1]) / max(variances.sum(), 1e-30)
    dimensions = vectors.shape[1]
    width = next((w for w in HEAD_WIDTHS if w < dimensions and shares[w - 1] >= HEAD_SHARE), None)
    kept = directions[:, ::-1][:, : width or dimensions]
    return Basis(sample.mean(axis=0), np.ascontiguousarray(kept, dtype=np.float32))


def count_cells(rows: int) -> int:
    """A cell each while rows are few, then cells in proportion to the root: few enough that
    the calls to scan them weigh less than the reading."""
    return rows if rows < LEAST_ROWS else round(math.sqrt(rows) / 12)


def find_cells(points: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Which of ``count`` cells each of (n, h) points belongs to, (n,), by k-means on a
    sample; the same points give the same cells. Some cells may stay empty."""
    if count >= len(points):
        return np.arange(len(points), dtype=np.int64)
    size = min(len(points), count * SAMPLE_ROWS)
    sample = points[np.random.default_rng(0).choice(len(points), size, replace=False)]
    centres = sample[:count].copy()
    for _ in range(ROUNDS):
        cells = _nearest_centre(sample, centres)
        means, filled = average_cells(sample, cells, count)
        centres[filled] = means[filled]
    return _nearest_centre(points, centres)


def average_cells(
    points: NDArray[np.float32], cells: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The mean point of each cell (count, h), and which cells have any points."""
    sizes = np.bincount(cells, minlength=count)
    filled = sizes > 0
    starts = (np.cumsum(sizes) - sizes)[filled]
    means = np.zeros((count, points.shape[1]), dtype=np.float32)
    sums = np.add.reduceat(points[np.argsort(cells, kind="stable")], starts, axis=0)
    means[filled] = sums / sizes[filled, None]
    return means, filled


def _nearest_centre(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    half = 0.5 * np.einsum("ij,ij->i", centres, centres)
    nearest = np.empty(len(points), dtype=np.int64)
    for start in range(0, len(points), BLOCK):
        part = slice(start, start + BLOCK)
        nearest[part] = np.argmax(points[part] @ centres.T - half, axis=1)
    return nearest
