"""Portraits as rows of an index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from celebrities.models import PortraitQuerySet
from lookalike.faces.index import IndexRows, Progress, unit_vectors

CHUNK = 5000


def read_rows(
    portraits: PortraitQuerySet,
    dimensions: int,
    progress: Progress = lambda step, share: None,
    *,
    ids: Sequence[int] | None = None,
) -> IndexRows:
    """One row for each portrait, or for each of those that ``ids`` names.

    Reads in chunks into one array, with a statement for each chunk rather than a cursor of
    the server. Portraits whose vector has another length, and those that come while it
    reads, are left out. Raises BadVector for a zero or non-finite vector.
    """
    if ids is None:
        ids = list(portraits.order_by("pk").values_list("pk", flat=True))
    vectors = np.empty((len(ids), dimensions), np.float32)
    table = np.empty((2, len(ids)), np.int64)
    filled = 0
    for start in range(0, len(ids), CHUNK):
        progress("reading vectors", start / len(ids))
        chunk = portraits.filter(pk__in=ids[start : start + CHUNK]).order_by("pk")
        whole = [
            (pk, person, bytes(vector))
            for pk, person, vector in chunk.values_list("pk", "celebrity_id", "vector")
            if vector is not None and len(vector) == 4 * dimensions
        ]
        end = filled + len(whole)
        joined = np.frombuffer(b"".join(row[2] for row in whole), "<f4")
        vectors[filled:end] = unit_vectors(joined.reshape(-1, dimensions))
        table[:, filled:end] = np.array([row[:2] for row in whole], np.int64).reshape(-1, 2).T
        filled = end
    bias = np.zeros(filled, np.float32)
    return IndexRows(vectors[:filled], bias, table[0, :filled], table[1, :filled])
