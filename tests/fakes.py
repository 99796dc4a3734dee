"""A Detector and an Encoder without networks, which keep the contract of the real ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from lookalike.faces.types import Box, Detection, Pixels, Vectors

# Where eyes, nose and mouth corners lie in a face's box, as shares of its sides.
LANDMARKS = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)], np.float32)


def make_detection(box: Box, confidence: float = 0.99) -> Detection:
    """A face in ``box``, with its landmarks where a face has them."""
    corner = np.array([box.left, box.top], np.float32)
    size = np.array([box.width, box.height], np.float32)
    return Detection(box, corner + LANDMARKS * size, confidence)


class FakeDetector:
    """Finds one face in the middle of any picture that is not of one colour throughout.

    With ``boxes`` it finds those instead, largest first, in every such picture.
    """

    def __init__(self, boxes: Sequence[Box] | None = None) -> None:
        self.boxes = boxes

    def detect(self, pixels: Pixels) -> list[Detection]:
        if (pixels == pixels[0, 0]).all():
            return []
        height, width = pixels.shape[:2]
        middle = Box(width / 4, height / 4, width * 3 / 4, height * 3 / 4)
        boxes = [middle] if self.boxes is None else self.boxes
        return [make_detection(box) for box in sorted(boxes, key=lambda box: -box.area)]


class FakeEncoder:
    """The chip's colours, coarsely, as a unit vector: the same picture gives the same
    vector, and nearly the same picture (saved once more as JPEG) nearly the same vector."""

    name = "fake"
    version = "1"
    chip_size = 32

    def __init__(self, dimensions: int = 16) -> None:
        self.dimensions = dimensions
        self.encoded: list[int] = []
        """How many chips came in each call."""
        rng = np.random.default_rng(2025)
        self._mix = rng.standard_normal((8 * 8 * 3, dimensions)).astype(np.float32)

    def align(self, pixels: Pixels, detection: Detection) -> Pixels:
        box = tuple(round(side) for side in detection.box)
        crop = Image.fromarray(pixels).crop(box)  # type: ignore[arg-type]
        return np.asarray(crop.resize((self.chip_size, self.chip_size)))

    def encode(self, chips: Sequence[Pixels]) -> Vectors:
        self.encoded.append(len(chips))
        vectors = np.zeros((len(chips), self.dimensions), np.float32)
        for row, chip in enumerate(chips):
            coarse = np.asarray(Image.fromarray(chip).resize((8, 8), Image.Resampling.BOX))
            vectors[row] = (coarse.ravel().astype(np.float32) - 127.5) @ self._mix
        vectors[:, 0] += 1.0  # A picture of middle grey is no zero vector.
        units: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units
