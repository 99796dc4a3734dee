"""The exact index: every row is compared, in one matrix product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.errors import BadVector
from lookalike.faces.index.found import NOTHING, score_rows, top_rows
from lookalike.faces.index.protocol import (
    Answer,
    Found,
    Ids,
    Index,
    IndexRows,
    Method,
    Query,
    unit_vectors,
)
from lookalike.faces.types import EncoderId, Vector

FEW = 8
"""If a filter keeps fewer than 1/8 of the rows, copying these together costs less than
comparing all."""


class ExactIndex:
    """Rows in memory or mapped from a file. Its answers have a recall of 1."""

    widths: Sequence[int] = ()
    method = Method.EXACT

    def __init__(self, rows: IndexRows, encoder: EncoderId) -> None:
        if np.any(np.diff(rows.ids) < 0):
            rows = rows.take(rows.order())
        self.rows = rows
        self.encoder = encoder
        # Bounds the rounding error of a float32 score.
        self._rounding = 1e-5 * (1.0 + float(np.abs(rows.bias).max(initial=0.0)))

    def __len__(self) -> int:
        return len(self.rows)

    def checksums(self, ids: Ids) -> Ids:
        places, there = self._locate(ids)
        found = np.zeros(len(ids), np.int64)
        found[there] = self.rows.checksums[places[there]]
        return found

    def search(self, query: Query) -> Answer:
        vectors = unit_vectors(query.vectors, self.rows.dimensions)
        allowed = self._allowed(query)
        approximate = (query.method or self.method) is Method.APPROXIMATE and query.among is None
        find_added = open_added(self, query, self.rows.dimensions)
        method, answers = Method.EXACT, []
        for vector in vectors:
            found = self._find_candidates(vector, query, allowed) if approximate else None
            if found is not None:
                method = Method.APPROXIMATE
            else:
                found = self._find_exactly(vector, query.k, allowed)
            answers.append(found.join(find_added(vector)).best(query.k))
        return Answer(answers, method)

    def _find_candidates(
        self, vector: Vector, query: Query, allowed: NDArray[np.bool_] | None
    ) -> Found | None:
        """The best rows among candidates; None where only an exact search will do."""
        return None

    def _find_exactly(self, vector: Vector, k: int, allowed: NDArray[np.bool_] | None) -> Found:
        if allowed is not None:
            at = np.flatnonzero(allowed)
            if len(at) * FEW < len(allowed):
                return self._find_among(vector, k, at)
        scores = self.rows.rows @ vector
        scores += self.rows.bias
        if allowed is not None:
            scores[~allowed] = -np.inf
        return score_rows(self.rows, top_rows(scores, k, self._rounding), vector)

    def _find_among(self, vector: Vector, k: int, at: Ids) -> Found:
        """The ``k`` best of the rows ``at``."""
        scores = self.rows.rows.take(at, axis=0) @ vector + self.rows.bias[at]
        return score_rows(self.rows, at[top_rows(scores, k, self._rounding)], vector)

    def _allowed(self, query: Query) -> NDArray[np.bool_] | None:
        """Which rows may be returned, (n,); None: all."""
        skipped = query.hidden
        if query.added is not None:
            skipped = np.concatenate([skipped, query.added.ids])
        if query.among is None and not len(skipped):
            return None
        if query.among is None:
            allowed = np.ones(len(self), dtype=np.bool_)
        else:
            allowed = np.isin(self.rows.ids, query.among)
        places, there = self._locate(skipped)
        allowed[places[there]] = False
        return allowed

    def _locate(self, ids: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        """The number of each id's row, and whether it has one."""
        if not len(self):
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), np.bool_)
        places = np.minimum(np.searchsorted(self.rows.ids, ids), len(self) - 1)
        return places, self.rows.ids[places] == ids


def open_added(index: Index, query: Query, dimensions: int) -> Callable[[Vector], Found]:
    """A function that searches a query's added rows. Raises BadVector."""
    if query.added is None or not len(query.added):
        return lambda vector: NOTHING
    query.added.check()
    if query.added.dimensions != dimensions:
        raise BadVector(f"added rows of {query.added.dimensions} numbers, expected {dimensions}")
    newer = ExactIndex(query.added, index.encoder)
    allowed = newer._allowed(replace(query, added=None))
    return lambda vector: newer._find_exactly(vector, query.k, allowed)
