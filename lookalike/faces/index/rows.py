"""The rows that an index is built from, and the vectors it accepts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.faces.errors import BadVector
from lookalike.faces.types import Vector, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class IndexRows:
    """Portraits to search among: (n, d) float32 vectors, and of each its portrait's and its
    celebrity's id, (n,) int64. Portrait ids are unique; n may be 0."""

    vectors: Vectors
    portrait_ids: NDArray[np.int64]
    celebrity_ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.portrait_ids)

    def check(self, dimensions: int | None = None) -> None:
        """Raises BadVector for vectors that are zero, not finite or of another length, and
        ValueError for tables that do not fit together or name a portrait twice."""
        if self.vectors.ndim != 2 or dimensions not in (None, self.vectors.shape[1]):
            raise BadVector(f"shape {self.vectors.shape}, expected (n, {dimensions or 'd'})")
        if not len(self.vectors) == len(self.portrait_ids) == len(self.celebrity_ids):
            raise ValueError("as many portrait ids and celebrity ids as vectors are needed")
        if len(np.unique(self.portrait_ids)) != len(self):
            raise ValueError("a portrait is named twice")
        for start in range(0, len(self), 65_536):
            unit_vectors(self.vectors[start : start + 65_536])


def unit_vectors(vectors: Vectors) -> Vectors:
    """(n, d) vectors at unit length. Raises BadVector for zero and non-finite ones."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < 1e-6).any():
        raise BadVector("a vector is zero or not finite")
    return np.asarray(vectors / lengths, dtype=np.float32)


def unit_vector(vector: ArrayLike, dimensions: int) -> Vector:
    """A (d,) vector at unit length. Raises BadVector when it can't be compared."""
    array = np.asarray(vector, dtype=np.float32)
    if array.shape != (dimensions,):
        raise BadVector(f"shape {array.shape}, expected ({dimensions},)")
    return np.asarray(unit_vectors(array[None])[0])
