"""Face crops for people to look at, with everybody's eyes at the same two places."""

from __future__ import annotations

import numpy as np

from lookalike.faces.alignment import Points, align_face
from lookalike.faces.types import Pixels

DISPLAY_TEMPLATE = np.array(
    [(0.36, 0.44), (0.64, 0.44), (0.50, 0.60), (0.385, 0.73), (0.615, 0.73)], np.float32
)
"""The landmarks (5, 2) as shares of the chip's side. Looser than the encoders' chips, so that hair
and chin are seen."""


def cut_display_chip(pixels: Pixels, landmarks: Points, side: int = 320) -> Pixels:
    """The (side, side, 3) upright crop of a face, black outside of the picture.

    The eyes lie exactly at the same places in every crop, except in profile views. Raises
    ValueError if all landmarks are one point.
    """
    eyes, mouth = landmarks[:2], landmarks[3:]
    between = float(np.linalg.norm(eyes[1] - eyes[0]))
    down = float(np.linalg.norm(mouth.mean(axis=0) - eyes.mean(axis=0)))
    # In profile views the eyes are too close together to align by.
    points = 2 if between > 0.6 * down else 5
    return align_face(pixels, landmarks[:points], DISPLAY_TEMPLATE[:points] * side, side)
