"""The two tables that a search works on: scores of scanned rows, and portraits found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index.rows import IndexRows, unit_vectors
from lookalike.faces.types import Neighbour, Scale, Vector

ROUNDING: Final = 1e-5
"""How far a float32 product may be from the true half squared distance, generously."""

Rows = NDArray[np.int64]
Span = tuple[int, int]
"""Rows that lie side by side: the first, and the one after the last."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Scores of scanned rows. ``squared - 2 * score`` is a squared distance that the row's
    true one is not under. ``where`` tells which rows they are: their numbers, or the spans
    that were scanned one after the other; None: all rows in order."""

    scores: NDArray[np.float32]
    squared: float
    where: Rows | Sequence[Span] | None = None

    def among(self, rows: Rows) -> Scan:
        """Of a scan of all rows, the part that is about these."""
        return Scan(self.scores[rows], self.squared, rows)

    def best(self, count: int) -> Rows:
        """The ``count`` rows with the highest scores, and those that tie with the last."""
        if count >= len(self.scores):
            return self._rows(np.arange(len(self.scores)))
        groups = len(self.scores) // 64
        scores = self.scores
        if groups > 4 * count:
            # The best of each of many groups: as many rows reach the count-th best of
            # these, and partitioning them is far quicker than partitioning all.
            scores = scores[: groups * 64].reshape(64, groups).max(axis=0)
        cut = np.partition(scores, -count)[-count]
        return self._rows(np.flatnonzero(self.scores >= cut))

    def within(self, distance: float) -> Rows:
        """Every scanned row that may be as near as ``distance``."""
        least = (self.squared - distance * distance) / 2 - ROUNDING
        return self._rows(np.flatnonzero(self.scores >= least))

    def _rows(self, places: Rows) -> Rows:
        if self.where is None:
            return places
        if isinstance(self.where, np.ndarray):
            return np.asarray(self.where[places])
        starts, stops = np.array(self.where, dtype=np.int64).reshape(-1, 2).T
        ends = np.cumsum(stops - starts)
        span = np.searchsorted(ends, places, side="right")
        return places + (stops - ends)[span]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Portraits with their distances: three arrays of one length."""

    distances: NDArray[np.float32]
    portraits: Rows
    celebrities: Rows

    def __len__(self) -> int:
        return len(self.distances)

    def take(self, which: Rows | slice) -> Found:
        return Found(self.distances[which], self.portraits[which], self.celebrities[which])

    def joined(self, other: Found) -> Found:
        if not len(other):
            return self
        return Found(
            np.concatenate([self.distances, other.distances]),
            np.concatenate([self.portraits, other.portraits]),
            np.concatenate([self.celebrities, other.celebrities]),
        )

    def best_of_people(self) -> Found:
        """The best portrait of each person, nearest first; equal distances by the ids."""
        order = np.lexsort((self.portraits, self.celebrities, self.distances))
        _, first = np.unique(self.celebrities[order], return_index=True)
        return self.take(order[np.sort(first)])

    def neighbours(self, scale: Scale) -> list[Neighbour]:
        """The same as a search returns them, each with its number on the scale."""
        rows = zip(
            self.celebrities.tolist(),
            self.portraits.tolist(),
            self.distances.tolist(),
            strict=True,
        )
        return [Neighbour(*row, similarity=scale.number(row[-1])) for row in rows]


NOTHING: Final = Found(
    np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
)


def measure_rows(query: Vector, rows: IndexRows, without: Any, allowed: Any = None) -> Found:
    """Every row compared in full with a (d,) unit vector, but those of the portraits
    ``without`` and, where ``allowed`` is given, of other people than these. Raises BadVector.
    """
    rows.check(len(query))
    kept = ~np.isin(rows.portrait_ids, sorted_ids(without))
    if allowed is not None:
        kept &= np.isin(rows.celebrity_ids, sorted_ids(allowed))
    distances = np.linalg.norm(unit_vectors(rows.vectors[kept]) - query, axis=1)
    return Found(distances, rows.portrait_ids[kept], rows.celebrity_ids[kept])


def rows_with(order: Rows, values: Rows, wanted: Rows) -> Rows:
    """The rows (``order``, sorted by their ``values``) whose value is one of ``wanted``."""
    starts = np.searchsorted(values, wanted, side="left")
    sizes = np.searchsorted(values, wanted, side="right") - starts
    ends = np.cumsum(sizes)
    places = np.arange(ends[-1] if len(ends) else 0)
    return np.asarray(order[places + np.repeat(starts - (ends - sizes), sizes)])


def sorted_ids(ids: Any) -> Rows:
    """A collection or array of ids as a sorted array without repetitions."""
    if isinstance(ids, np.ndarray):
        return np.unique(ids.astype(np.int64))
    return np.unique(np.fromiter(ids, dtype=np.int64, count=len(ids)))
