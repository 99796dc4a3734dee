"""A detector, an encoder and an index that keep the contracts of the real ones, simply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.faces.index import Answer, Found, Ids, IndexRows, Method, Query, unit_vectors
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import Box, Detection, EncoderId, Floats, Pixels, Scale, Vectors

# Where eyes, nose and mouth corners lie in a face's box, as shares of its sides.
LANDMARKS = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)], np.float32)


def make_detection(box: Box, confidence: float = 0.9995) -> Detection:
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
        return [
            make_detection(box) for box in sorted(boxes, key=lambda box: -box.width * box.height)
        ]


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

    def align(self, pixels: Pixels, detection: Detection, zoom: float = 1.0) -> Pixels:
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

    def encode_with_agreement(self, chips: Sequence[Pixels]) -> tuple[Vectors, Floats]:
        return self.encode(chips), np.ones(len(chips), np.float32)


class FakeIndex:
    """An index that compares row by row in double precision, in plain loops."""

    widths: Sequence[int] = ()
    method = Method.EXACT

    def __init__(self, rows: IndexRows, encoder: EncoderId) -> None:
        self.rows, self.encoder = rows, encoder

    def __len__(self) -> int:
        return len(self.rows)

    def checksums(self, ids: Ids) -> Ids:
        mine = dict(zip(self.rows.ids.tolist(), self.rows.checksums.tolist(), strict=True))
        return np.array([mine.get(row, 0) for row in ids.tolist()], np.int64)

    def search(self, query: Query) -> Answer:
        vectors = unit_vectors(query.vectors, self.rows.dimensions)
        if query.added is not None:
            query.added.check()
            unit_vectors(query.added.rows, self.rows.dimensions)
        return Answer([self._nearest(vector, query) for vector in vectors], Method.EXACT)

    def _nearest(self, vector: NDArray[np.float32], query: Query) -> Found:
        hidden, among = set(query.hidden.tolist()), query.among
        replaced = hidden | (set(query.added.ids.tolist()) if query.added else set())
        found = []
        for rows, skipped in ((self.rows, replaced), (query.added, hidden)):
            for row, bias, number, checksum in _each(rows):
                if number not in skipped and (among is None or number in among):
                    found.append((-float(row.astype(float) @ vector) - bias, number, checksum))
        scores, ids, checksums = np.array(sorted(found)[: query.k]).reshape(-1, 3).T
        return Found(-scores, ids.astype(np.int64), checksums.astype(np.int64))


def _each(rows: IndexRows | None) -> Iterator[tuple[NDArray[np.float32], float, int, int]]:
    if rows is not None:
        yield from zip(
            rows.rows, rows.bias.tolist(), rows.ids.tolist(), rows.checksums.tolist(), strict=True
        )


def make_calibration(stranger: float = 0.0, same: float = 1.0) -> Calibration:
    return Calibration(Scale(stranger, same))
