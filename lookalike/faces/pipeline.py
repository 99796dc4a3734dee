"""Photo -> faces with vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.faces.detection.mtcnn import MtcnnDetector
from lookalike.faces.encoders import load_encoder
from lookalike.faces.errors import FaceTooSmall
from lookalike.faces.patches import log_odds, straighten
from lookalike.faces.photos.decoding import rotate_photo
from lookalike.faces.runtime import Runtime
from lookalike.faces.sharpness import SHARP, measure_sharpness
from lookalike.faces.turning import ROTATIONS, Upright, turn_upright
from lookalike.faces.types import Detection, Detector, Encoder, Face, Photo, Pixels, Vectors

MIN_FACE_SIDE = 28
"""Least width of a face in pixels of the full photo.

With the embedded encoder, portraits shrunk until their face was 40 pixels wide still found
their person first in 83 of 84 cases, and at 28 pixels in 77 to 79, with templates within a
few pixels of the one in use. Landmarks were shrunk and jittered, not detected again.
"""


WEAK_AGREEMENT, WEAK_ODDS = 0.985, 4.0
"""A face below either says little: the cosine similarity of its vector with its mirror image's,
and the detector's log-odds (a confidence of 0.982). So does one that is not SHARP.

They call 2 in 100 good faces weak, of faces half out of the picture 88, behind a hand 75, behind a
mask 36. Measured with the embedded encoder; untested with facenet, which mirrors nothing, so that
the agreement never applies there. Table: "faces" of `make choices`."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceEngine:
    """A detector and an encoder."""

    detector: Detector
    encoder: Encoder
    min_face_side: int = MIN_FACE_SIDE

    def find_faces(
        self, photo: Photo, *, max_faces: int = 8, min_share: float = 0.25
    ) -> tuple[Photo, list[Detection]]:
        """The photo, rotated by whole quarter turns so that its largest face has less than 45
        degrees of roll, and its faces there, largest first.

        Faces narrower than ``min_share`` of the largest are left out as bystanders. Without
        any face the list is empty and the photo is returned as it is. Raises FaceTooSmall if
        there are faces, but none ``min_face_side`` wide.
        """
        best: Upright | None = None
        found: dict[int, list[Detection]] = {}
        for quarter_turns in ROTATIONS:
            rotated = rotate_photo(photo, quarter_turns)
            faces = found[quarter_turns] = self.detector.detect(rotated.pixels)
            if faces and widest(faces) / photo.scale >= self.min_face_side:
                upright = turn_upright(self.detector, rotated.pixels, faces[0], quarter_turns)
                if best is None or upright.odds > best.odds:
                    best = upright
                if best.is_enough:
                    break
        if best is None:
            if any(found.values()):
                largest = max(widest(faces) for faces in found.values() if faces)
                raise FaceTooSmall(largest / photo.scale, self.min_face_side)
            return photo, []
        turned = rotate_photo(photo, best.quarter_turns)
        faces = found.get(best.quarter_turns) or self.detector.detect(turned.pixels)
        others = [face for face in faces if not is_same(face, best.face)]
        least = min_share * best.face.box.width
        others = straighten_all(self.detector, turned.pixels, others, least)
        return turned, largest_first([best.face, *others])[:max_faces]

    def find_faces_as_it_is(
        self, photo: Photo, *, max_faces: int = 8, min_share: float = 0.25
    ) -> list[Detection]:
        """The faces of a photo whose rotation a person has chosen, as `find_faces` has them.
        Raises FaceTooSmall."""
        faces = self.detector.detect(photo.pixels)
        if faces and widest(faces) / photo.scale < self.min_face_side:
            raise FaceTooSmall(widest(faces) / photo.scale, self.min_face_side)
        least = min_share * widest(faces) if faces else 0.0
        return largest_first(straighten_all(self.detector, photo.pixels, faces, least))[:max_faces]

    def encode_faces(self, photo: Photo, detections: Sequence[Detection]) -> list[Face]:
        """The faces of one photo, in the order given."""
        return self.encode_many([(photo, detection) for detection in detections])

    def encode_many(
        self, found: Sequence[tuple[Photo, Detection]], *, zooms: Sequence[float] = (1.0,)
    ) -> list[Face]:
        """The faces of any number of photos, encoded in batches, in the order given.

        A vector is the mean over ``zooms``, brought to unit length; the chip is the first.
        """
        chips = [
            self.encoder.align(photo.pixels, detection, zoom)
            for photo, detection in found
            for zoom in zooms
        ]
        vectors, agreement = self.encoder.encode_with_agreement(chips)
        step = len(zooms)
        return [
            make_face(detection, chips[at], vectors[at : at + step], agreement[at])
            for at, (_, detection) in zip(range(0, len(chips), step), found, strict=True)
        ]


def straighten_all(
    detector: Detector, pixels: Pixels, faces: Sequence[Detection], least: float
) -> list[Detection]:
    """Those at least that wide, each as found in a patch where it stands upright."""
    return [straighten(detector, pixels, face) for face in faces if face.box.width >= least]


def largest_first(faces: Sequence[Detection]) -> list[Detection]:
    return sorted(faces, key=lambda face: -face.box.width)


def widest(faces: Sequence[Detection]) -> float:
    return max(face.box.width for face in faces)


def is_same(one: Detection, other: Detection) -> bool:
    """Whether two detections are one face: their centres are nearer than half its width."""
    offset = one.landmarks.mean(axis=0) - other.landmarks.mean(axis=0)
    return float(np.hypot(*offset)) < other.box.width / 2


def make_face(detection: Detection, chip: Pixels, views: Vectors, agreement: np.float32) -> Face:
    """The face whose vector is the mean of ``views``, (n, d), brought to unit length."""
    vector = views.sum(axis=0)
    return Face(
        detection.box,
        detection.landmarks,
        detection.confidence,
        chip,
        vector / np.linalg.norm(vector),
        is_weak(detection, chip, float(agreement)),
    )


def is_weak(face: Detection, chip: Pixels, agreement: float) -> bool:
    return (
        agreement < WEAK_AGREEMENT
        or log_odds(face.confidence) < WEAK_ODDS
        or measure_sharpness(chip) < SHARP
    )


def load_engine(encoder: str, weights_dir: Path, runtime: Runtime) -> FaceEngine:
    """The engine with MTCNN and the encoder of that name ("auto": the best available).

    Raises ValueError, WeightsMissing, WeightsAltered or DeviceMissing.
    """
    return FaceEngine(MtcnnDetector(runtime), load_encoder(encoder, weights_dir, runtime))
