"""Rows found by a search: precise scores, best first."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.index.protocol import NO_IDS, Found, Ids, IndexRows
from lookalike.faces.types import Vector

NOTHING: Final = Found(np.empty(0), NO_IDS, NO_IDS)


def score_rows(rows: IndexRows, at: Ids, vector: Vector) -> Found:
    """Scores of some rows for a unit vector, in float64."""
    scores = rows.rows[at].astype(np.float64) @ vector + rows.bias[at]
    return Found(scores, rows.ids[at], rows.checksums[at])


def top_rows(scores: NDArray[np.float32], k: int, rounding: float) -> Ids:
    """The rows that may be among the ``k`` best.

    A score may be off by ``rounding``, so rows within twice that of the last place are
    included. Rows scored -inf never are.
    """
    cut = np.float32(-np.inf)
    if k < len(scores):
        # The k-th largest maximum of 64 scores bounds the k-th largest score from below;
        # partitioning the maxima is much faster.
        groups = scores[: len(scores) // 64 * 64].reshape(64, -1).max(axis=0)
        sample = groups if len(groups) > 4 * k else scores
        cut = np.partition(sample, -k)[-k] - 2 * rounding
    at: Ids = np.flatnonzero((scores >= cut) & (scores > -np.inf))
    return at
