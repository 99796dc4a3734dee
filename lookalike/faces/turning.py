"""Which way up a photo is. Its largest face decides.

Photos come upright, rarely on a side, hardly ever upside down. So a sure face with less than 45
degrees of roll settles it; any other is looked at again in a patch, rotated to all four sides.
"""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.faces.patches import (
    doubt,
    log_odds,
    look_twice,
    measure_roll,
    rotate_face,
    straighten,
)
from lookalike.faces.types import Detection, Detector, Pixels

ROTATIONS = (0, 1, 3, 2)
"""Quarter turns clockwise, in the order tried: as it is, on either side, upside down."""

SURE = 5.0
"""From these log-odds (confidence 0.993) a face with less than 45 degrees of roll is upright.

Of 67 portraits of 56 people in 22 variants each, one in eight is less sure when upright. Upside
down, four in ten show a face at all, and one in twenty of those is as sure. Table: "turning" of
`make choices`."""

ENOUGH = 4.0
"""From these log-odds of its best side a face is good enough not to rotate the whole photo."""

TURN_COSTS = (0.0, 1.5, 3.0, 1.5)
"""Log-odds by which the side after so many quarter turns must beat upright: upside-down photos
are rarer than those on a side.

None of 1,012 upright photos (33 people in 22 variants) was turned. Of 144 pictures of the cast one
would be with 1.5 for upside down, where it was ahead by 2.3. Of 1,012 photos each, 97 and 99 in 100
are righted from the sides at the first look and 92 from upside down; 1.5 would give 97 there.
Table: "turning" of `make choices`."""


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """The deciding face in the photo after ``quarter_turns`` clockwise, and the log-odds that
    this is the right way up, less TURN_COSTS."""

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
    first = look_twice(detector, pixels, straight)
    if is_plain and first and log_odds(first.confidence) >= SURE:
        return [first]
    sides = [first, *(look_twice(detector, pixels, straight, turns) for turns in (1, 2, 3))]
    return [side for side in sides if side] or [doubt(face)]


def _rate_side(face: Detection, quarter_turns: int) -> float:
    turned = (quarter_turns + _count_turns(face)) % 4
    return log_odds(face.confidence) - TURN_COSTS[turned]


def _count_turns(face: Detection) -> int:
    """Clockwise quarter turns (0 to 3) that bring a face nearest to upright."""
    return round(-measure_roll(face.landmarks) / 90) % 4
