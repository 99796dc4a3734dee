"""Which way up a photo is. Its largest face decides.

Photos come upright, rarely on a side, hardly ever upside down. So a very sure face with less than
45 degrees of roll settles it, and a less sure one is looked at again in a patch. What is doubtful
even then is compared on all four sides.

Figures: 84 second portraits, 50 guises of them and the 144 pictures of the cast, upright and upside
down. Table: "turning" of `make choices`.
"""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.faces.patches import (
    doubt,
    log_odds,
    look_closely,
    measure_roll,
    rotate_face,
    straighten,
)
from lookalike.faces.types import Detection, Detector, Pixels

ROTATIONS = (0, 1, 3, 2)
"""Quarter turns clockwise, in the order tried: as it is, on either side, upside down."""

SURE = 7.5
"""From these log-odds (confidence 0.9994) a face with less than 45 degrees of roll is upright.

Of 84 portraits upside down four showed a face with 5 or more, the highest with 7.1."""

SURE_AGAIN = 5.0
"""The same for the mean of two patches, in which nine of ten upright faces have as much."""

ZOOMS = (1.0, 0.8, 1.2)
"""Sizes of the patches when all four sides are compared: six looks at each. With two, one upright
picture of 278 was ahead by 2.3 upside down; with six, none was ahead."""

ENOUGH = 4.0
"""From these log-odds of its best side a face is good enough not to rotate the whole photo."""

TURN_COST = 1.0
"""Log-odds by which any other side must beat upright, since photos mostly are upright.

Upright photos were never ahead on another side, and upside-down ones by 1.0 and more."""


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """The deciding face in the photo after ``quarter_turns`` clockwise, and the log-odds that
    this is the right way up, less TURN_COST if turned."""

    quarter_turns: int
    face: Detection
    odds: float

    @property
    def is_enough(self) -> bool:
        return log_odds(self.face.confidence) >= ENOUGH


def turn_upright(
    detector: Detector, pixels: Pixels, face: Detection, quarter_turns: int
) -> Upright:
    """The rotation in which ``face`` is upright. It was found in ``pixels``, which is the photo
    after ``quarter_turns``."""
    sides = _find_sides(detector, pixels, face, as_received=not quarter_turns)
    odds, best = max(
        ((_rate_side(side, quarter_turns), side) for side in sides), key=lambda rated: rated[0]
    )
    further = _count_turns(best)
    height, width = pixels.shape[:2]
    rotated = rotate_face(best, width, height, further)
    return Upright((quarter_turns + further) % 4, rotated, odds)


def _find_sides(
    detector: Detector, pixels: Pixels, face: Detection, *, as_received: bool
) -> list[Detection]:
    """The sides on which the face may be upright: one if that is plain in the photo as
    received, else all on which it is found again."""
    straight = straighten(detector, pixels, face)
    is_plain = as_received and abs(measure_roll(straight.landmarks)) < 45
    if is_plain and log_odds(face.confidence) >= SURE:
        return [straight]
    first = look_closely(detector, pixels, straight) if is_plain else None
    if first and log_odds(first.confidence) >= SURE_AGAIN:
        return [first]
    sides = [look_closely(detector, pixels, straight, turns, ZOOMS) for turns in range(4)]
    return [side for side in sides if side] or [doubt(face)]


def _rate_side(face: Detection, quarter_turns: int) -> float:
    is_turned = (quarter_turns + _count_turns(face)) % 4 > 0
    return log_odds(face.confidence) - TURN_COST * is_turned


def _count_turns(face: Detection) -> int:
    """Clockwise quarter turns (0 to 3) that bring a face nearest to upright."""
    return round(-measure_roll(face.landmarks) / 90) % 4
