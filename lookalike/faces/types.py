"""Values that pass between the engine's steps. Coordinates are pixels of an upright picture, x to
the right and y down; the origin is the outer corner of the top left pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(height, width, 3) RGB, upright."""

Floats = NDArray[np.float32]

Vector = NDArray[np.float32]
"""(d,) of unit length."""

Vectors = NDArray[np.float32]
"""(n, d), each row of unit length."""


class Box(NamedTuple):
    """A face's rectangle in pixels. It may reach past the picture's edge."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def scaled(self, factor: float) -> Box:
        return Box(*(side * factor for side in self))


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo. ``scale`` is decoded pixels per full upright pixel, 0 < scale <= 1.

    ``full_width`` and ``full_height`` are the size of the upright photo before it was decoded
    smaller. ``format`` is Pillow's name, such as "JPEG".
    """

    pixels: Pixels
    scale: float
    full_width: int
    full_height: int
    format: str


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face's box, landmarks and confidence (0 to 1).

    ``landmarks`` is (5, 2) float32: eyes, nose, mouth corners, each pair from left to right
    as seen in the picture.
    """

    box: Box
    landmarks: NDArray[np.float32]
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Face(Detection):
    """A detection with its aligned chip, (side, side, 3) uint8, and its vector.

    ``is_weak``: the vector says little, as of a face that is partly hidden, turned away or
    blurred.
    """

    chip: Pixels
    vector: Vector
    is_weak: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A person found by a search, and which of their portraits to show.

    ``similarity`` is the person's number from 0 to 100 (see `lookalike.faces.similarity`), which
    neighbours are ordered by. ``portrait_id`` is their portrait most similar to the face, and
    ``distance`` that portrait's, Euclidean between unit vectors (0 to 2).
    """

    celebrity_id: int
    portrait_id: int
    distance: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Median scores of strangers, and of further photos of the very person.

    Raises ValueError unless stranger < same, both finite.
    """

    stranger: float
    same: float

    def __post_init__(self) -> None:
        if not -math.inf < self.stranger < self.same < math.inf:
            raise ValueError(f"not a scale: stranger {self.stranger}, same {self.same}")

    def number(self, score: float) -> float:
        """0 (strangers) to 100 (the person)."""
        share = (score - self.stranger) / (self.same - self.stranger)
        return 100.0 * min(max(share, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Tail:
    """Mean and standard deviation of the similarities (dot products of unit vectors) of a person
    to the most similar tenth of other people."""

    mean: float
    deviation: float


class Part(StrEnum):
    """A part of the face that may make two alike."""

    BROWS = "brows"
    EYES = "eyes"
    NOSE = "nose"
    CHEEKS = "cheeks"
    MOUTH = "mouth"
    CHIN = "chin"


@dataclass(frozen=True, slots=True)
class UsualParts:
    """For `lookalike.faces.parts`: what each cover usually takes off the similarity of
    look-alikes, and the least standard deviation from that of a map clearer than chance."""

    losses: tuple[float, ...]
    least_spread: float


class Detector(Protocol):
    def detect(self, pixels: Pixels) -> list[Detection]:
        """The faces worth analysing, largest first."""
        ...


@dataclass(frozen=True, slots=True)
class EncoderId:
    """Which encoder made a vector. Vectors of two ids are never compared."""

    name: str
    version: str

    @classmethod
    def of(cls, encoder: Encoder) -> EncoderId:
        return cls(encoder.name, encoder.version)

    @classmethod
    def parse(cls, text: str) -> EncoderId:
        """From "name/version", as rows and files have it. Without a slash there is no version."""
        name, _, version = text.partition("/")
        return cls(name, version)

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


class Encoder(Protocol):
    """Vectors of different encoders or versions must not be compared."""

    name: str
    version: str
    dimensions: int
    chip_size: int

    def align(self, pixels: Pixels, detection: Detection, zoom: float = 1.0) -> Pixels:
        """The aligned (chip_size, chip_size, 3) uint8 chip that this encoder expects, with the
        face ``zoom`` times as large."""
        ...

    def encode(self, chips: Sequence[Pixels]) -> Vectors:
        """(n, dimensions) float32, each row of unit length; n may be 0."""
        ...

    def encode_with_agreement(self, chips: Sequence[Pixels]) -> tuple[Vectors, Floats]:
        """The vectors, and the cosine similarity (n,) of each chip's vector with that of its
        mirror image: 1 if the encoder does not mirror."""
        ...
