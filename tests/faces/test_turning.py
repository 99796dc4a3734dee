"""Which way up: upright unless another side is better by far."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lookalike.faces.patches import log_odds, measure_roll
from lookalike.faces.turning import SURE, SURE_AGAIN, turn_upright
from lookalike.faces.types import Detection, Pixels
from tests.faces.test_patches import FACE, DotDetector, draw, make_face, roll, roll_about


class SideDetector(DotDetector):
    """Finds the squares with log-odds that depend on the side the face is on, 0 to 3."""

    def __init__(self, *odds: float) -> None:
        super().__init__()
        self.odds = odds
        self.looks = 0

    def detect(self, pixels: Pixels) -> list[Detection]:
        self.looks += 1
        return [
            replace(face, confidence=as_confidence(self.odds[side_of(face)]))
            for face in super().detect(pixels)
        ]


def side_of(face: Detection) -> int:
    return round(measure_roll(face.landmarks) / 90) % 4


def as_confidence(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def turn(degrees: float, *odds: float) -> tuple[int, Detection, int]:
    """Quarter turns, the face after them, and how often the detector looked."""
    detector, pixels = SideDetector(*odds), draw(roll(FACE, degrees))
    found = detector.detect(pixels)
    detector.looks = 0
    upright = turn_upright(detector, pixels, found[0], 0)
    return upright.quarter_turns, upright.face, detector.looks


def test_it_works() -> None:
    quarter_turns, face, _ = turn(90, 6, 2, 2, 2)
    assert quarter_turns == 3
    assert measure_roll(face.landmarks) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("degrees", [0, 8, -8])
def test_a_sure_upright_face_is_not_looked_at_again(degrees: float) -> None:
    assert turn(degrees, SURE + 0.1, 9, 9, 9)[::2] == (0, 0)


def test_two_looks_settle_a_doubtful_face() -> None:
    class Warming(SideDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            found = super().detect(pixels)
            odds = SURE - 0.1 if self.looks == 1 else SURE_AGAIN + 0.1
            return [replace(face, confidence=as_confidence(odds)) for face in found]

    detector, pixels = Warming(0, 9, 9, 9), draw(FACE)
    upright = turn_upright(detector, pixels, detector.detect(pixels)[0], 0)
    assert (upright.quarter_turns, detector.looks) == (0, 3)
    assert upright.odds == pytest.approx(SURE_AGAIN + 0.1)


@pytest.mark.parametrize(
    ("side", "lead", "is_turned"),
    [(1, 0.9, False), (1, 1.1, True), (2, 0.9, False), (2, 1.1, True)],
)
def test_a_side_must_beat_upright_by_its_cost(side: int, lead: float, is_turned: bool) -> None:
    """The dots are found on every side, so that only the log-odds decide."""

    class AllSides(SideDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            [face] = super().detect(pixels)
            return [replace(face, landmarks=roll_about(face.landmarks, -90 * side_of(face)))]

    odds = [2.0, 0.0, 0.0, 0.0]
    odds[side] = odds[-side] = 2 + lead  # In the mirror image left is right.
    detector, pixels = AllSides(*odds), draw(FACE)
    upright = turn_upright(detector, pixels, make_face(FACE), 0)
    assert upright.quarter_turns == (side if is_turned else 0)


@pytest.mark.parametrize("degrees", [20, -30, 44, 70, 135, 200, 300])
def test_the_photo_is_within_45_degrees_of_upright(degrees: float) -> None:
    _, face, _ = turn(degrees, 6, 2, 2, 2)
    assert abs(measure_roll(face.landmarks)) <= 46


def test_a_face_that_is_not_found_again_loses_confidence() -> None:
    face, empty = make_face(FACE), np.full((200, 200, 3), 90, np.uint8)
    upright = turn_upright(SideDetector(6, 2, 2, 2), empty, face, 0)
    assert upright.odds == pytest.approx((log_odds(face.confidence) + 1) / 2)
