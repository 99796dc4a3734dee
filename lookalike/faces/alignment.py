"""Landmarks -> an aligned face crop (a "chip", dlib's word) of fixed size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.types import Pixels

Points = NDArray[np.float32]
"""(5, 2): eyes, nose, mouth corners, each pair from left to right."""

Transform = NDArray[np.float64]
"""(2, 3): ``matrix[:, :2] @ point + matrix[:, 2]``."""


def zoom_points(points: Points, centre: float, zoom: float) -> Points:
    """The points ``zoom`` times as far from (centre, centre)."""
    return ((points - centre) * zoom + centre).astype(np.float32)


def similarity_transform(src: Points, dst: Points) -> Transform:
    """The least-squares rotation, scale and shift from ``src`` to ``dst``.

    With points as complex numbers, a similarity without reflection is ``a * z + b``, a linear
    problem. Raises ValueError if all of ``src`` are one point.
    """
    source = src[:, 0].astype(np.float64) + 1j * src[:, 1]
    target = dst[:, 0].astype(np.float64) + 1j * dst[:, 1]
    centred = source - source.mean()
    spread = np.vdot(centred, centred).real
    if not spread > 0:
        raise ValueError("the landmarks are all at one point")
    a = complex(np.vdot(centred, target - target.mean()) / spread)
    b = complex(target.mean() - a * source.mean())
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def align_face(pixels: Pixels, landmarks: Points, template: Points, side: int) -> Pixels:
    """The (side, side, 3) chip in which ``landmarks`` lie on ``template``.

    The outside of the picture is black. A face much larger than the chip is box-averaged
    first, since bilinear sampling alone would skip pixels. Raises ValueError if all landmarks
    are one point.
    """
    matrix = similarity_transform(landmarks, template)
    turn = np.linalg.inv(matrix[:, :2])
    back = np.column_stack([turn, -turn @ matrix[:, 2]])
    height, width = pixels.shape[:2]
    left, top, right, bottom = box = _find_part(back, side, width, height)
    if left >= right or top >= bottom:
        return np.zeros((side, side, 3), np.uint8)
    back[:, 2] -= (left, top)
    # The web process loads the encoders' descriptions, and has no image library.
    from PIL import Image

    from lookalike.faces.photos.images import as_image

    factor = math.floor(math.hypot(*turn[:, 0]))
    image = as_image(pixels).reduce(factor, box) if factor > 1 else as_image(pixels).crop(box)
    back /= max(factor, 1)
    chip = image.transform(
        (side, side), Image.Transform.AFFINE, back.ravel().tolist(), Image.Resampling.BILINEAR
    )
    return np.asarray(chip)


def _find_part(back: Transform, side: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what the chip covers of the picture, with a margin for
    sampling."""
    corners = back @ np.array([[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]])
    margin = 2 * max(1.0, math.hypot(back[0, 0], back[1, 0]))
    limits = (width, height)
    first = np.clip(np.floor(corners.min(axis=1) - margin), 0, limits).astype(int).tolist()
    last = np.clip(np.ceil(corners.max(axis=1) + margin), 0, limits).astype(int).tolist()
    return (*first, *last)
