"""What the encoders share: aligned chips in, unit vectors out, in one run of the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.faces.runtime import Runtime, Session
from lookalike.faces.types import Encoder, Floats, Pixels, Scale, Tail, UsualParts, Vectors
from lookalike.faces.weights import Weights

_BATCH = 8
"""Chips per run. Larger batches are no faster and need more memory."""


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """All that the site needs to know of an encoder before it is loaded.

    ``scale`` (in similarities, not yet normalised) and ``tail`` stand in for the gallery's own,
    the less the larger it is. ``load`` takes the
    runtime and the folder of fetched weights, and raises WeightsMissing, WeightsAltered or
    DeviceMissing. ``weights`` is None if they come with a package, ``parts`` if the encoder's maps
    of parts have not been measured.
    """

    name: str
    version: str
    scale: Scale
    tail: Tail
    load: Callable[[Runtime, Path], Encoder]
    weights: Weights | None = None
    parts: UsualParts | None = None

    def is_available(self, weights_dir: Path) -> bool:
        return self.weights is None or (weights_dir / self.weights.file_name).is_file()


class ChipEncoder:
    """An encoder's `ChipNetwork` as a session. ``version`` goes up with any change to the
    vectors."""

    name: str
    version: str
    dimensions: int
    chip_size: int

    def __init__(self, session: Session) -> None:
        self._session = session

    def encode(self, chips: Sequence[Pixels]) -> Vectors:
        return self.encode_with_agreement(chips)[0]

    def encode_with_agreement(self, chips: Sequence[Pixels]) -> tuple[Vectors, Floats]:
        vectors = np.empty((len(chips), self.dimensions), np.float32)
        agreement = np.empty(len(chips), np.float32)
        for start in range(0, len(chips), _BATCH):
            batch = np.stack(chips[start : start + _BATCH])
            rows = slice(start, start + len(batch))
            vectors[rows], agreement[rows] = self._session(batch)
        return vectors, agreement
