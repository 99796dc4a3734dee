"""What every index takes and gives: rows, a query, an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.errors import BadVector
from lookalike.faces.types import EncoderId, Neighbour, Scale, Vectors

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

    ``rows`` is (n, d) float32 and ``bias`` (n,) float32. ``ids`` are the rows' own ids,
    unique, and ``people`` the person that each row stands for, both (n,) int64. A person
    may have several rows and counts with the best. n may be 0.
    """

    rows: NDArray[np.float32]
    bias: NDArray[np.float32]
    ids: Ids
    people: Ids

    @classmethod
    def of_portraits(cls, vectors: Vectors, ids: Ids, people: Ids) -> IndexRows:
        """A row for each portrait: its unit vector, no bias. Raises BadVector."""
        return cls(unit_vectors(vectors), np.zeros(len(vectors), np.float32), ids, people)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dimensions(self) -> int:
        return int(self.rows.shape[1])

    def take(self, at: NDArray[Any]) -> IndexRows:
        return IndexRows(self.rows[at], self.bias[at], self.ids[at], self.people[at])

    def order(self) -> Ids:
        """The order by person, then id, in which indexes keep rows."""
        return np.lexsort((self.ids, self.people))

    def check(self) -> None:
        """Raises BadVector for rows that are not finite or not (n, d), ValueError for
        columns of different lengths or an id that occurs twice."""
        if self.rows.ndim != 2:
            raise BadVector(f"shape {self.rows.shape}, expected (n, d)")
        if not len(self.rows) == len(self.bias) == len(self.ids) == len(self.people):
            raise ValueError("rows, bias, ids and people must have one length")
        if len(np.unique(self.ids)) != len(self):
            raise ValueError("an id occurs twice")
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
    """A question to an index: the ``k`` nearest people of each of (n, d) ``vectors``.

    ``method`` None leaves the choice to the build. ``people`` limits the search to these
    people. Rows whose id is in ``hidden`` are not returned. ``added`` are rows newer than
    the index: they are compared exactly, and replace rows of the same id. ``width`` is the
    effort of an approximate search; 0 takes the one that the build chose.
    """

    vectors: Any
    k: int
    method: Method | None = None
    people: Ids | None = None
    hidden: Ids = field(default_factory=lambda: NO_IDS)
    added: IndexRows | None = None
    width: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """``neighbours`` is one list a vector, nearest first, each person once; shorter than k
    only if there are fewer people. ``method`` is the one that was used."""

    neighbours: list[list[Neighbour]]
    method: Method


class Index(Protocol):
    """A searchable set of rows."""

    @property
    def encoder(self) -> EncoderId: ...

    @property
    def scale(self) -> Scale:
        """Turns a distance into the number from 0 to 100."""
        ...

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

    def contains(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of these ids have a row, in the same order."""
        ...
