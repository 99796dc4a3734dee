"""Why two faces are alike: what covering a part of the one does to its similarity to the other.

Also known as occlusion sensitivity (Zeiler and Fergus, 2014). Covering the first face's parts
instead, or both faces', agrees less between two photos of one person, and costs more. Table:
"alike" of `make choices`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from lookalike.faces.display import DISPLAY_TEMPLATE
from lookalike.faces.types import Box, Detection, Encoder, Part, Pixels, UsualParts

GRID = 5
"""Covers in a row, and rows. From 4 to 6, with covers from 0.055 to 0.095, and with grey instead of
blur, maps agree alike between two photos: 0.79 to 0.84."""
CENTRE, REACH = (0.5, 0.59), 0.55
"""The square that the covers' centres divide: its centre and side, as shares of the chip's side.
It holds the face from the brows to the chin."""
SIGMA = 0.075
"""Standard deviation of a cover, and of the blur that it covers with, as a share of the side."""


LEFT_EYE, RIGHT_EYE, NOSE, LEFT_MOUTH, RIGHT_MOUTH = DISPLAY_TEMPLATE
UP = np.array([0.0, 0.28 * (RIGHT_EYE - LEFT_EYE)[0]], np.float32)
"""From the eyes to the brows."""
ANCHORS = [
    (Part.BROWS, LEFT_EYE - UP),
    (Part.BROWS, (LEFT_EYE + RIGHT_EYE) / 2 - UP),
    (Part.BROWS, RIGHT_EYE - UP),
    (Part.EYES, LEFT_EYE),
    (Part.EYES, RIGHT_EYE),
    (Part.NOSE, (LEFT_EYE + RIGHT_EYE) / 2),
    (Part.NOSE, NOSE),
    (Part.CHEEKS, np.array([LEFT_EYE[0], NOSE[1]])),
    (Part.CHEEKS, np.array([RIGHT_EYE[0], NOSE[1]])),
    (Part.MOUTH, LEFT_MOUTH),
    (Part.MOUTH, (LEFT_MOUTH + RIGHT_MOUTH) / 2),
    (Part.MOUTH, RIGHT_MOUTH),
    (Part.CHIN, LEFT_MOUTH + 2 * UP),
    (Part.CHIN, (LEFT_MOUTH + RIGHT_MOUTH) / 2 + 2 * UP),
    (Part.CHIN, RIGHT_MOUTH + 2 * UP),
]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that makes two faces alike. ``x`` and ``y`` are shares of a display chip's side,
    ``strength`` is above 0 and at most 1."""

    x: float
    y: float
    strength: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where two faces are alike. ``most`` has one part or two, the stronger first."""

    spots: list[Spot]
    most: list[Part]
    least: Part


def explain(encoder: Encoder, usual: UsualParts, face: Pixels, other: Pixels) -> Explanation | None:
    """What makes two display chips (side, side, 3) alike; None if that is not clear.

    Takes 26 runs of the encoder.
    """
    deviation = measure_losses(encoder, face, other) - np.array(usual.losses, np.float32)
    if deviation.std() < usual.least_spread:
        return None
    parts = list(Part)
    labels = [label_cover(x, y) for x, y in place_covers()]
    means = np.array([deviation[[label is part for label in labels]].mean() for part in parts])
    ranked = [parts[i] for i in np.argsort(-means)]
    second = np.sort(means)[-2]
    # A second part is named if it counts at least half as much.
    most = ranked[: 2 if second > means.max() / 2 else 1]
    return Explanation(find_spots(deviation), most, ranked[-1])


def measure_losses(encoder: Encoder, face: Pixels, other: Pixels) -> NDArray[np.float32]:
    """How much each cover (GRID * GRID,) on ``other`` takes off the similarity of two display
    chips, row by row from the top left."""
    chips = [face, other, *cover_parts(other)]
    vectors = encoder.encode([cut_chip(encoder, chip) for chip in chips])
    similarities = vectors[1:] @ vectors[0]
    return np.asarray(similarities[0] - similarities[1:], np.float32)


def cut_chip(encoder: Encoder, display_chip: Pixels) -> Pixels:
    """The encoder's chip of a display chip's face."""
    side = len(display_chip)
    landmarks = DISPLAY_TEMPLATE * np.float32(side)
    return encoder.align(display_chip, Detection(Box(0, 0, side, side), landmarks, 1.0))


def place_covers() -> list[tuple[float, float]]:
    """The covers' centres, as shares of the chip's side, row by row."""
    steps = REACH * ((np.arange(GRID) + 0.5) / GRID - 0.5)
    return [(float(CENTRE[0] + x), float(CENTRE[1] + y)) for y in steps for x in steps]


def cover_parts(chip: Pixels) -> list[Pixels]:
    """The display chip with each part blurred, softly at the cover's edge."""
    side = len(chip)
    sharp = chip.astype(np.float32)
    blurred = Image.fromarray(chip).filter(ImageFilter.GaussianBlur(SIGMA * side))
    change = np.asarray(blurred, np.float32) - sharp
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    covers = [np.exp(((x - a) ** 2 + (y - b) ** 2) / (-2 * SIGMA**2)) for a, b in place_covers()]
    return [(sharp + change * cover[..., None] + 0.5).astype(np.uint8) for cover in covers]


def label_cover(x: float, y: float) -> Part:
    """The part whose landmark, or point between landmarks, is nearest."""
    return min((float(np.hypot(x - at[0], y - at[1])), part) for part, at in ANCHORS)[1]


def find_spots(deviation: NDArray[np.float32]) -> list[Spot]:
    """The covers above the usual, as shares of the strongest."""
    return [
        Spot(x, y, round(float(loss / deviation.max()), 2))
        for (x, y), loss in zip(place_covers(), deviation, strict=True)
        if loss > 0
    ]
