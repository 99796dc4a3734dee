"""Photo -> faces with vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.errors import FaceTooSmall
from lookalike.faces.photos.decoding import rotate_photo
from lookalike.faces.types import Detection, Detector, Encoder, Face, Photo, Pixels

MIN_FACE_SIDE = 28
"""Pixels across, in the full photo, under which a face says too little about its owner.

With the embedded encoder, portraits shrunk until their face was 40 pixels wide still found
their person first in 83 of 84, and at 28 pixels in 77 to 79, with templates within a few
pixels of the one in use. Landmarks were shrunk along and jittered, not found again.
"""

TURNS = (0, 1, 3, 2)
"""Quarter turns tried: as it is, lying on either side, upside down."""


SURE, LEVEL = 0.98, 12.0
"""The confidence from which, and the tilt in degrees up to which, a face certainly stands upright
and no other side is tried. Half of the shared portraits show the detector something on their
sides too (median confidence 0.90, median tilt 53 degrees)."""

TILT_COST = 0.15
"""Log-odds of confidence that each degree of tilt takes away when sides are compared. With these
three numbers, of 339 portraits and 144 pictures of the cast all stayed as they were when upright,
94 and 97 in 100 were righted from lying on a side, all but one from standing on their heads."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceEngine:
    """A detector and an encoder, put together."""

    detector: Detector
    encoder: Encoder
    min_face_side: int = MIN_FACE_SIDE

    def find_faces(
        self, photo: Photo, *, max_faces: int = 8, min_share: float = 0.25
    ) -> tuple[Photo, list[Detection]]:
        """The photo as its faces stand upright, and its faces, largest first.

        A photo without a face that surely stands upright is tried on its other sides too,
        and comes back as its most upright face wants it. Faces narrower than
        ``min_share`` of the largest one are bystanders and left out. No face at all is an
        empty list, with the photo as it came. Raises FaceTooSmall when there are faces, but
        none ``min_face_side`` wide.
        """
        largest = 0.0
        best: tuple[Photo, list[Detection]] | None = None
        most = -math.inf
        for turns in TURNS:
            turned = rotate_photo(photo, turns) if turns else photo
            found = self.detector.detect(turned.pixels)
            widest = max((face.box.width for face in found), default=0.0)
            largest = max(largest, widest / photo.scale)
            if widest / photo.scale < self.min_face_side:
                continue
            near = [face for face in found if face.box.width >= min_share * widest]
            surest = max(near, key=lambda face: face.confidence)
            if surest.confidence >= SURE and measure_tilt(surest.landmarks) <= LEVEL:
                return turned, near[:max_faces]
            if (upright := rate_uprightness(surest)) > most:
                best, most = (turned, near[:max_faces]), upright
        if best:
            return best
        if largest:
            raise FaceTooSmall(largest, self.min_face_side)
        return photo, []

    def align(self, photo: Photo, detection: Detection) -> Pixels:
        """The chip that the encoder expects, (chip_size, chip_size, 3) uint8."""
        return self.encoder.align(photo.pixels, detection)

    def encode_faces(self, photo: Photo, detections: Sequence[Detection]) -> list[Face]:
        """One photo's faces with their vectors, in the order given."""
        return self.encode_many([(photo, detection) for detection in detections])

    def encode_many(self, found: Sequence[tuple[Photo, Detection]]) -> list[Face]:
        """Faces of any number of photos, encoded in batches, in the order given."""
        chips = [self.align(photo, detection) for photo, detection in found]
        vectors = self.encoder.encode(chips)
        return [
            Face(detection.box, detection.landmarks, detection.confidence, chip, vector)
            for (_, detection), chip, vector in zip(found, chips, vectors, strict=True)
        ]


def measure_tilt(landmarks: NDArray[np.float32]) -> float:
    """Degrees (0 to 180) by which a face leans from upright, by its eyes or its length,
    whichever says more. ``landmarks`` is (5, 2)."""
    across = landmarks[1] - landmarks[0]
    down = landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    return math.degrees(
        max(abs(math.atan2(across[1], across[0])), abs(math.atan2(down[0], down[1])))
    )


def rate_uprightness(face: Detection) -> float:
    """The detector's confidence as log-odds, less what the face's tilt costs."""
    confidence = min(max(face.confidence, 1e-6), 1 - 1e-6)
    odds = math.log(confidence / (1 - confidence))
    return odds - TILT_COST * measure_tilt(face.landmarks)
