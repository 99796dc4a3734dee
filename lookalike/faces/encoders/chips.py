"""What both encoders share: chips in, unit vectors out, in one run of the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookalike.faces.runtime import ModuleFactory, Session, load_session
from lookalike.faces.types import Pixels, Vectors

MOST_AT_ONCE = 32
"""Chips in one run. Larger batches are no faster and only need more memory."""


def load_chip_session(
    name: str,
    make_module: ModuleFactory,
    chip_size: int,
    cache_dir: Path,
    key: str,
    *,
    threads: int,
    device: str,
) -> Session:
    """An encoder's `ChipNetwork`, (n, chip_size, chip_size, 3) uint8 -> (n, d) float32.

    Raises DeviceMissing, and whatever ``make_module`` raises.
    """
    return load_session(
        name,
        make_module,
        [np.zeros((2, chip_size, chip_size, 3), np.uint8)],
        cache_dir,
        key,
        inputs=("chips",),
        outputs=("vectors",),
        dynamic_axes={"chips": {0: "n"}, "vectors": {0: "n"}},
        threads=threads,
        device=device,
    )


def encode_in_batches(session: Session, chips: Sequence[Pixels], dimensions: int) -> Vectors:
    """(n, dimensions) float32 of unit length, for any n including 0."""
    vectors = np.empty((len(chips), dimensions), np.float32)
    for start in range(0, len(chips), MOST_AT_ONCE):
        batch = np.stack(chips[start : start + MOST_AT_ONCE])
        vectors[start : start + len(batch)] = session(batch)[0]
    return vectors
