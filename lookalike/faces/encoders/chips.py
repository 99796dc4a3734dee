"""What encoders share: aligned chips in, unit vectors out, in one run of the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.faces.runtime import ModuleFactory, Runtime, Session, load_session
from lookalike.faces.types import Pixels, Vectors

MOST_AT_ONCE = 32
"""Chips per run. Larger batches are no faster and need more memory."""


def load_chip_session(
    name: str,
    make_module: ModuleFactory,
    chip_size: int,
    key: str,
    runtime: Runtime,
) -> Session:
    """An encoder's `ChipNetwork`, (n, chip_size, chip_size, 3) uint8 -> (n, d) float32.

    Raises DeviceMissing, and whatever ``make_module`` raises.
    """
    return load_session(
        name,
        make_module,
        [np.zeros((2, chip_size, chip_size, 3), np.uint8)],
        key,
        runtime,
        inputs=("chips",),
        outputs=("vectors",),
        dynamic_axes={"chips": {0: "n"}, "vectors": {0: "n"}},
    )


def encode_in_batches(session: Session, chips: Sequence[Pixels], dimensions: int) -> Vectors:
    """(n, dimensions) float32 of unit length, for any n including 0."""
    vectors = np.empty((len(chips), dimensions), np.float32)
    for start in range(0, len(chips), MOST_AT_ONCE):
        batch = np.stack(chips[start : start + MOST_AT_ONCE])
        vectors[start : start + len(batch)] = session(batch)[0]
    return vectors
