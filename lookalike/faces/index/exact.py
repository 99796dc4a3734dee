"""The exact index: every row is compared, in one matrix product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.errors import BadVector
from lookalike.faces.index.people import NOTHING, Found, best_rows, measure, starts_of
from lookalike.faces.index.protocol import (
    Answer,
    Ids,
    Index,
    IndexRows,
    Method,
    Query,
    unit_vectors,
)
from lookalike.faces.types import EncoderId, Scale, Vector

FEW = 8
"""If a filter keeps fewer than 1/8 of the rows, copying these together costs less than
comparing all."""


class ExactIndex:
    """Rows in memory or mapped from a file. Its answers have a recall of 1."""

    widths: Sequence[int] = ()
    method = Method.EXACT

    def __init__(self, rows: IndexRows, encoder: EncoderId, scale: Scale) -> None:
        if np.any(np.diff(rows.people) < 0):
            rows = rows.take(rows.order())
        self.rows = rows
        self.encoder = encoder
        self.scale = scale
        self._starts = starts_of(rows.people)
        # Bounds the rounding error of a float32 score.
        self._rounding = 1e-5 * (1.0 + float(np.abs(rows.bias).max(initial=0.0)))

    def __len__(self) -> int:
        return len(self.rows)

    def contains(self, ids: Ids) -> NDArray[np.bool_]:
        return np.isin(ids, self.rows.ids)

    def search(self, query: Query) -> Answer:
        vectors = unit_vectors(query.vectors, self.rows.dimensions)
        allowed = self._allowed(query)
        approximate = (query.method or self.method) is Method.APPROXIMATE and query.people is None
        find_added = open_added(self, query, self.rows.dimensions)
        method, neighbours = Method.EXACT, []
        for vector in vectors:
            found = self._find_candidates(vector, query, allowed) if approximate else None
            if found is not None:
                method = Method.APPROXIMATE
            else:
                found = self._find_exactly(vector, query.k, allowed)
            found = found.join(find_added(vector)).best(query.k)
            neighbours.append(found.neighbours(self.scale))
        return Answer(neighbours, method)

    def _find_candidates(
        self, vector: Vector, query: Query, allowed: NDArray[np.bool_] | None
    ) -> Found | None:
        """The nearest people among candidates; None where only an exact search will do."""
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
        return measure(self.rows, best_rows(scores, self._starts, k, self._rounding), vector)

    def _find_among(self, vector: Vector, k: int, at: Ids) -> Found:
        """The best rows of the ``k`` best people among rows ``at`` (ascending)."""
        scores = self.rows.rows.take(at, axis=0) @ vector + self.rows.bias[at]
        best = best_rows(scores, starts_of(self.rows.people[at]), k, self._rounding)
        return measure(self.rows, at[best], vector)

    def _allowed(self, query: Query) -> NDArray[np.bool_] | None:
        """Which rows may be returned, (n,); None: all."""
        replaced = query.hidden
        if query.added is not None:
            replaced = np.concatenate([replaced, query.added.ids])
        if query.people is None and not len(replaced):
            return None
        if query.people is None:
            allowed = np.ones(len(self), dtype=np.bool_)
        else:
            allowed = np.isin(self.rows.people, query.people)
        order, ids = self._by_id
        places = np.minimum(np.searchsorted(ids, replaced), len(ids) - 1)
        if len(ids):
            allowed[order[places[ids[places] == replaced]]] = False
        return allowed

    @cached_property
    def _by_id(self) -> tuple[Ids, Ids]:
        order = np.argsort(self.rows.ids, kind="stable")
        return order, self.rows.ids[order]


def open_added(index: Index, query: Query, dimensions: int) -> Callable[[Vector], Found]:
    """A function that searches a query's added rows. Raises BadVector."""
    if query.added is None or not len(query.added):
        return lambda vector: NOTHING
    query.added.check()
    if query.added.dimensions != dimensions:
        raise BadVector(f"added rows of {query.added.dimensions} numbers, expected {dimensions}")
    newer = ExactIndex(query.added, index.encoder, index.scale)
    allowed = newer._allowed(replace(query, added=None))
    return lambda vector: newer._find_exactly(vector, query.k, allowed)
