"""Finds a face again in a small patch, cut so that the face stands upright in it.

The detector finds faces with up to 45 degrees of roll, but its landmarks and its confidence
suffer. The patch is rotated by the landmarks found first, so a second look gives better ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.alignment import (
    Points,
    Transform,
    align_face,
    similarity_transform,
    zoom_points,
)
from lookalike.faces.types import Box, Detection, Detector, Pixels

PATCH_SIDE = 128
"""Pixels. The face is then about 58 wide; the detector's last network sees 48."""

_UPRIGHT: NDArray[np.float32] = PATCH_SIDE * np.array(
    [(0.422, 0.416), (0.574, 0.416), (0.497, 0.508), (0.427, 0.578), (0.567, 0.577)], np.float32
)
"""Landmarks of an upright face in the patch."""

_NEAR = 0.25
"""A face farther than this from the patch's centre, as a share of its side, is another one."""

LEVEL = 10.0
"""Up to this roll in degrees the first landmarks are kept."""

_MOST_LOOKS = 3
"""The first landmarks of a face on its side show about half of its roll."""

_MOST_ROLL = 30.0
"""Most roll in degrees of a face in a patch that shows it upright. The detector is sure of some
faces on a wrong side, but those roll more."""

_UNSEEN_ODDS = 1.0
"""Log-odds given to a look that finds nothing. The detector reports no face below 1.4."""


def measure_roll(landmarks: Points) -> float:
    """Degrees (-180 to 180) that a face is rotated clockwise, from its eyes and its length."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    across = complex(*(landmarks[1] - landmarks[0]).tolist())
    down = complex(*(mouth - eyes).tolist()) / 1j
    mean = across / (abs(across) or 1) + down / (abs(down) or 1)
    return math.degrees(math.atan2(mean.imag, mean.real))


def log_odds(confidence: float) -> float:
    """A confidence of 0.5 is 0, of 0.99 is 4.6, of 0.999 is 6.9. Always finite."""
    kept = min(max(confidence, 1e-9), 1 - 1e-9)
    return math.log(kept / (1 - kept))


def straighten(detector: Detector, pixels: Pixels, face: Detection) -> Detection:
    """The face as found in a patch rotated by its own roll, repeated until the roll settles.
    An upright face, or one that is not found again, is returned unchanged."""
    if abs(measure_roll(face.landmarks)) <= LEVEL:
        return face
    seen = face
    for _ in range(_MOST_LOOKS):
        before = measure_roll(seen.landmarks)
        again = look_again(detector, pixels, seen)
        if again is None:
            return face
        seen = again
        if abs(_wrap(measure_roll(seen.landmarks) - before)) <= LEVEL:
            break
    return seen


def doubt(face: Detection) -> Detection:
    """The face with less confidence, because a second look did not find it."""
    return replace(face, confidence=_confidence((log_odds(face.confidence) + _UNSEEN_ODDS) / 2))


def look_closely(
    detector: Detector,
    pixels: Pixels,
    face: Detection,
    quarter_turns: int = 0,
    zooms: Sequence[float] = (1.0,),
) -> Detection | None:
    """The face from two patches for each zoom, one of them mirrored: mean landmarks and mean
    log-odds.

    The patch is rotated clockwise by ``quarter_turns`` from where the face is upright. None if
    no patch of the first zoom shows an upright face.
    """
    upright = measure_roll(face.landmarks) - 90 * quarter_turns
    seen: list[Detection] = []
    for zoom in zooms:
        patch = cut_patch(pixels, face, quarter_turns, zoom)
        for mirrored in (False, True):
            look = look_at(detector, *patch, mirrored=mirrored)
            if look and abs(_wrap(measure_roll(look.landmarks) - upright)) <= _MOST_ROLL:
                seen.append(look)
        if not seen:
            return None
    odds = [log_odds(look.confidence) for look in seen]
    odds += [_UNSEEN_ODDS] * (2 * len(zooms) - len(seen))
    landmarks = np.mean([look.landmarks for look in seen], axis=0)
    confidence = _confidence(sum(odds) / len(odds))
    return Detection(seen[0].box, np.asarray(landmarks, np.float32), confidence)


def look_again(detector: Detector, pixels: Pixels, face: Detection) -> Detection | None:
    """The face as found in the patch that its landmarks stand upright in. None if it is not
    found."""
    return look_at(detector, *cut_patch(pixels, face))


def cut_patch(
    pixels: Pixels, face: Detection, quarter_turns: int = 0, zoom: float = 1.0
) -> tuple[Pixels, Transform]:
    """The patch in which the face, ``zoom`` times as large as usual, lies ``quarter_turns``
    clockwise from upright, and the way from ``pixels`` to it."""
    zoomed = zoom_points(_UPRIGHT, PATCH_SIDE / 2, zoom)
    template = rotate_points(zoomed, PATCH_SIDE, PATCH_SIDE, quarter_turns)
    patch = align_face(pixels, face.landmarks, template, PATCH_SIDE)
    return patch, similarity_transform(face.landmarks, template)


def look_at(
    detector: Detector, patch: Pixels, matrix: Transform, *, mirrored: bool = False
) -> Detection | None:
    """The face in the middle of a patch, or of its mirror image, where it was before ``matrix``
    brought it there. None if it is not found."""
    found = detector.detect(np.ascontiguousarray(patch[:, ::-1]) if mirrored else patch)
    nearest = min(found, key=_offset, default=None)
    if nearest is None or _offset(nearest) > _NEAR * PATCH_SIDE:
        return None
    if mirrored:
        nearest = _mirror(nearest)
    back = np.linalg.inv(matrix[:, :2])
    landmarks = ((nearest.landmarks - matrix[:, 2]) @ back.T).astype(np.float32)
    return Detection(_restore_box(nearest.box, matrix), landmarks, nearest.confidence)


def rotate_face(face: Detection, width: int, height: int, quarter_turns: int) -> Detection:
    """The face of a width x height picture after the picture was rotated clockwise."""
    corners = np.array([face.box[:2], face.box[2:]], np.float32)
    rotated = rotate_points(corners, width, height, quarter_turns)
    box = Box(*rotated.min(axis=0).tolist(), *rotated.max(axis=0).tolist())
    landmarks = rotate_points(face.landmarks, width, height, quarter_turns)
    return Detection(box, landmarks, face.confidence)


def rotate_points(points: Points, width: int, height: int, quarter_turns: int) -> Points:
    for _ in range(quarter_turns % 4):
        points = np.stack([height - points[:, 1], points[:, 0]], axis=1)
        width, height = height, width
    return points.astype(np.float32)


def _confidence(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def _mirror(face: Detection) -> Detection:
    """The face of a mirrored patch, in the patch itself."""
    left, top, right, bottom = face.box
    landmarks = face.landmarks[[1, 0, 2, 4, 3]] * (-1, 1) + (PATCH_SIDE, 0)
    box = Box(PATCH_SIDE - right, top, PATCH_SIDE - left, bottom)
    return Detection(box, landmarks.astype(np.float32), face.confidence)


def _offset(face: Detection) -> float:
    """Pixels from the patch's centre."""
    return float(np.hypot(*(face.landmarks.mean(axis=0) - PATCH_SIDE / 2)))


def _restore_box(box: Box, matrix: Transform) -> Box:
    """An upright box in the picture with the size and centre of the patch's ``box``."""
    scale = math.hypot(*matrix[:, 0])
    centre = np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])
    x, y = np.linalg.inv(matrix[:, :2]) @ (centre - matrix[:, 2])
    across, down = box.width / scale / 2, box.height / scale / 2
    return Box(x - across, y - down, x + across, y + down)


def _wrap(degrees: float) -> float:
    return (degrees + 180) % 360 - 180
