"""What every index takes and gives: rows, a query, an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.errors import BadVector
from lookalike.faces.types import EncoderId, Vectors

Ids = NDArray[np.int64]
NO_IDS: Final[Ids] = np.empty(0, dtype=np.int64)

Progress = Callable[[str, float], None]
"""Called with the current step and the fraction of the work done, 0 to 1."""

BLOCK: Final = 65_536
"""Rows handled together where all at once would need too much memory."""


class Method(StrEnum):
    """How a search is done: every row compared, or only likely candidates."""

    EXACT = "exact"
    APPROXIMATE = "approximate"


@dataclass(frozen=True, slots=True, eq=False)
class IndexRows:
    """What an index searches. The score of a row is ``row . query + bias``.

    ``rows`` is (n, d) float32 and ``bias`` (n,) float32. ``ids`` are unique, (n,) int64.
    ``checksums``, (n,) int64 and not 0, tell the caller what each row was made of; an index
    only keeps them. n may be 0.
    """

    rows: NDArray[np.float32]
    bias: NDArray[np.float32]
    ids: Ids
    checksums: Ids

    @classmethod
    def of_vectors(cls, vectors: Vectors, ids: Ids) -> IndexRows:
        """Unit vectors without a bias: the score is the cosine. Raises BadVector."""
        bias = np.zeros(len(vectors), np.float32)
        return cls(unit_vectors(vectors), bias, ids, np.ones_like(ids))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dimensions(self) -> int:
        return int(self.rows.shape[1])

    def take(self, at: NDArray[Any]) -> IndexRows:
        return IndexRows(self.rows[at], self.bias[at], self.ids[at], self.checksums[at])

    def join(self, other: IndexRows) -> IndexRows:
        return IndexRows(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.bias, other.bias]),
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.checksums, other.checksums]),
        )

    def order(self) -> Ids:
        """The order by id, in which indexes keep rows."""
        return np.argsort(self.ids, kind="stable")

    def check(self) -> None:
        """Raises BadVector for rows that are not finite or not (n, d), ValueError for
        columns of different lengths or an id that occurs twice."""
        if self.rows.ndim != 2:
            raise BadVector(f"shape {self.rows.shape}, expected (n, d)")
        if not len(self.rows) == len(self.bias) == len(self.ids) == len(self.checksums):
            raise ValueError("rows, bias, ids and checksums must have one length")
        if len(np.unique(self.ids)) != len(self):
            raise ValueError("an id occurs twice")
        if not np.isfinite(self.bias).all():
            raise BadVector("a bias is not finite")
        for start in range(0, len(self), BLOCK):
            if not np.isfinite(self.rows[start : start + BLOCK]).all():
                raise BadVector("a row is not finite")


def unit_vectors(vectors: Any, dimensions: int | None = None) -> Vectors:
    """(n, d) vectors scaled to unit length, as float32.

    Raises BadVector for zero and non-finite vectors and for other shapes.
    """
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or dimensions not in (None, array.shape[1]):
        raise BadVector(f"shape {array.shape}, expected (n, {dimensions or 'd'})")
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(array, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < 1e-6).any():
        raise BadVector("a vector is zero or not finite")
    return np.asarray(array / lengths, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A question to an index: the ``k`` best rows for each of (n, d) ``vectors``.

    ``method`` None leaves the choice to the build. ``among`` limits the search to rows of
    these ids. Rows whose id is in ``hidden`` are not returned. ``added`` are rows newer than
    the index: they are compared exactly, and replace rows of the same id. ``width`` is the
    effort of an approximate search; 0 takes the one that the build chose.
    """

    vectors: Any
    k: int
    method: Method | None = None
    among: Ids | None = None
    hidden: Ids = field(default_factory=lambda: NO_IDS)
    added: IndexRows | None = None
    width: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Rows that a search found: scores, ids and checksums, (m,) each."""

    scores: NDArray[np.float64]
    ids: Ids
    checksums: Ids

    def __len__(self) -> int:
        return len(self.ids)

    def join(self, other: Found) -> Found:
        return Found(
            np.concatenate([self.scores, other.scores]),
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.checksums, other.checksums]),
        )

    def best(self, k: int) -> Found:
        """The ``k`` best rows, best first. Ties go by id."""
        at = np.lexsort((self.ids, -self.scores))[:k]
        return Found(self.scores[at], self.ids[at], self.checksums[at])


@dataclass(frozen=True, slots=True)
class Answer:
    """``found`` has the rows for each vector, best first; fewer than k only if there are no
    more. ``method`` is the one that was used."""

    found: list[Found]
    method: Method


class Index(Protocol):
    """A searchable set of rows."""

    @property
    def encoder(self) -> EncoderId: ...

    @property
    def method(self) -> Method:
        """What a query without a method of its own gets."""
        ...

    @property
    def widths(self) -> Sequence[int]:
        """Widths worth trying, rising; empty if the index is always exact."""
        ...

    def __len__(self) -> int: ...

    def search(self, query: Query) -> Answer:
        """Raises BadVector for vectors that cannot be compared."""
        ...

    def checksums(self, ids: Ids) -> Ids:
        """The checksum of each of these ids' rows, in the same order; 0 if it has none."""
        ...
