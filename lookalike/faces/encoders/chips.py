"""What both encoders share: chips in, unit vectors out, in one run of the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.faces.runtime import Session
from lookalike.faces.types import Pixels, Vectors

MOST_AT_ONCE = 32
"""Chips in one run. Larger batches are no faster and only need more memory."""


def encode_in_batches(session: Session, chips: Sequence[Pixels], dimensions: int) -> Vectors:
    """(n, dimensions) float32 of unit length, for any n including 0."""
    vectors = np.empty((len(chips), dimensions), np.float32)
    for start in range(0, len(chips), MOST_AT_ONCE):
        batch = np.stack(chips[start : start + MOST_AT_ONCE])
        vectors[start : start + len(batch)] = session(batch)[0]
    return vectors
