"""From rows to people: precise distances, and each person once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index.protocol import NO_IDS, Ids, IndexRows
from lookalike.faces.types import Neighbour, Scale, Vector

UNIT: Final = 1e-5
"""A row whose squared length is this near to 1 is a unit vector, rounded to float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Rows that a search found: squared distances, ids and people, (m,) each."""

    squared: NDArray[np.float64]
    ids: Ids
    people: Ids

    def __len__(self) -> int:
        return len(self.ids)

    def join(self, other: Found) -> Found:
        return Found(
            np.concatenate([self.squared, other.squared]),
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.people, other.people]),
        )

    def best(self, k: int) -> Found:
        """The ``k`` nearest people, each with the best row. Ties go by person, then id."""
        order = np.lexsort((self.ids, self.people, self.squared))
        _, first = np.unique(self.people[order], return_index=True)
        at = order[np.sort(first)[:k]]
        return Found(self.squared[at], self.ids[at], self.people[at])

    def neighbours(self, scale: Scale) -> list[Neighbour]:
        distances = np.sqrt(np.maximum(self.squared, 0.0)).tolist()
        rows = zip(self.people.tolist(), self.ids.tolist(), distances, strict=True)
        return [Neighbour(*row, similarity=scale.number(row[-1])) for row in rows]


NOTHING: Final = Found(np.empty(0), NO_IDS, NO_IDS)


def measure(rows: IndexRows, at: Ids, vector: Vector) -> Found:
    """Squared distances ``2 - 2 * score`` of some rows to a unit vector, in float64.

    Computed from the difference of the two vectors, so that they are precise near 0 too.
    """
    full = rows.rows[at].astype(np.float64)
    lack = 1.0 - np.square(full).sum(axis=1)
    lack[np.abs(lack) < UNIT] = 0.0
    squared = np.square(full - vector).sum(axis=1) + lack - 2.0 * rows.bias[at]
    return Found(squared, rows.ids[at], rows.people[at])


def starts_of(people: Ids) -> Ids:
    """Where each person's rows begin, given the rows' people in rising order."""
    return np.flatnonzero(np.diff(people, prepend=people[:1] - 1))


def best_rows(scores: NDArray[np.float32], starts: Ids, k: int, rounding: float) -> Ids:
    """Candidate best rows of the ``k`` best people.

    A score may be off by ``rounding``, so rows within twice that of the last place are
    included. Rows scored -inf never are.
    """
    best = scores if len(starts) == len(scores) else np.maximum.reduceat(scores, starts)
    if k < len(best):
        # The k-th largest group maximum is a lower bound of the k-th best score, and faster
        # to find.
        groups = best[: len(best) // 64 * 64].reshape(64, -1).max(axis=0)
        sample = groups if len(groups) > 4 * k else best
        cut = np.partition(sample, -k)[-k] - 2 * rounding
    else:
        cut = np.float32(-np.inf)
    at: Ids = np.flatnonzero((scores >= cut) & (scores > -np.inf))
    return at
