"""A face found again in a patch that shows it upright."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.faces.alignment import Points
from lookalike.faces.patches import (
    log_odds,
    look_again,
    look_closely,
    measure_roll,
    rotate_face,
    straighten,
)
from lookalike.faces.types import Box, Detection, Pixels

FACE = np.array([(80, 80), (120, 80), (100, 105), (84, 125), (116, 125)], np.float32)
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255))


def roll(points: Points, degrees: float) -> Points:
    """Rotated clockwise about (100, 100)."""
    turned = ((points - 100) @ np.array([1, 1j])) * np.exp(1j * np.radians(degrees))
    return np.stack([turned.real, turned.imag], axis=1).astype(np.float32) + 100


def draw(points: Points) -> Pixels:
    """Each landmark as a square of its own colour."""
    image = Image.new("RGB", (200, 200), (90, 90, 90))
    for (x, y), colour in zip(points, COLOURS, strict=True):
        image.paste(colour, (round(x) - 4, round(y) - 4, round(x) + 4, round(y) + 4))
    return np.asarray(image)


class DotDetector:
    """Finds the squares exactly, if the face has up to ``most`` degrees of roll."""

    def __init__(self, most: float = 180) -> None:
        self.most = most

    def detect(self, pixels: Pixels) -> list[Detection]:
        off = [np.abs(pixels.astype(int) - colour).sum(axis=2) for colour in COLOURS]
        if any(distance.min() > 200 for distance in off):
            return []
        points = np.array([np.argwhere(each <= 200).mean(axis=0)[::-1] + 0.5 for each in off])
        across, down = points[1] - points[0], points[3] - points[0]
        if across[0] * down[1] < across[1] * down[0]:  # A mirrored picture.
            points = points[[1, 0, 2, 4, 3]]
        if abs(measure_roll(points)) > self.most:
            return []
        return [make_face(points.astype(np.float32))]


def make_face(points: Points) -> Detection:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return Detection(Box(left, top, right, bottom), points.astype(np.float32), 0.95)


@pytest.mark.parametrize("degrees", [0, 25, -40, 90, 170])
def test_it_works(degrees: float) -> None:
    points = roll(FACE, degrees)
    guess = make_face(points + np.float32(3))
    seen = look_again(DotDetector(most=30), draw(points), guess)
    assert seen is not None
    np.testing.assert_allclose(seen.landmarks, points, atol=1.5)


@pytest.mark.parametrize("degrees", [0, 20, -20, 44, 90, -135, 179])
def test_it_measures_roll(degrees: float) -> None:
    assert measure_roll(roll(FACE, degrees)) == pytest.approx(degrees, abs=0.1)


def test_a_straightened_face_has_an_upright_box() -> None:
    points = roll(FACE, 30)
    seen = straighten(DotDetector(), draw(points), make_face(points))
    assert (seen.box.width, seen.box.height) == pytest.approx((40, 45), abs=3)
    centre = (seen.box.left + seen.box.right) / 2, (seen.box.top + seen.box.bottom) / 2
    expected = roll(np.array([[100, 102.5]], np.float32), 30)[0]
    assert centre == pytest.approx(tuple(expected), abs=2)


def test_it_looks_until_the_roll_settles() -> None:
    """The first landmarks show half of the roll only, and so does each look until then."""

    class HalfBlind(DotDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            return [
                make_face(roll_about(face.landmarks, -measure_roll(face.landmarks) / 2))
                for face in super().detect(pixels)
            ]

    points = roll(FACE, 80)
    first = make_face(roll(FACE, 40))
    seen = straighten(HalfBlind(), draw(points), first)
    assert measure_roll(seen.landmarks) == pytest.approx(70, abs=3)  # 40, 60, 70: settled


def roll_about(points: Points, degrees: float) -> Points:
    centre = points.mean(axis=0)
    return np.asarray(roll(points - centre + 100, degrees) - 100 + centre, np.float32)


def test_an_upright_face_is_not_looked_at_again() -> None:
    face = make_face(roll(FACE, 9))
    assert straighten(DotDetector(), draw(FACE), face) is face


def test_two_looks_average_the_patch_and_its_mirror_image() -> None:
    seen = look_closely(DotDetector(), draw(FACE), make_face(FACE))
    assert seen is not None
    assert log_odds(seen.confidence) == pytest.approx(log_odds(0.95))

    class Once(DotDetector):
        looks = 0

        def detect(self, pixels: Pixels) -> list[Detection]:
            self.looks += 1
            return super().detect(pixels) if self.looks == 1 else []

    seen = look_closely(Once(), draw(FACE), make_face(FACE))
    assert seen is not None
    assert log_odds(seen.confidence) == pytest.approx((log_odds(0.95) + 1) / 2)


def test_looks_at_several_sizes_are_averaged_too() -> None:
    sizes: list[float] = []

    class Sizing(DotDetector):
        def detect(self, pixels: Pixels) -> list[Detection]:
            found = super().detect(pixels)
            sizes.append(round(float(np.ptp(found[0].landmarks[:, 0])), 1))
            return found

    seen = look_closely(Sizing(), draw(FACE), make_face(FACE), zooms=(1.0, 0.8))
    assert seen is not None
    np.testing.assert_allclose(seen.landmarks, FACE, atol=1.0)
    assert len(sizes) == 4
    assert sizes[2] / sizes[0] == pytest.approx(0.8, abs=0.05)


def test_a_side_without_a_face_at_the_first_size_is_left() -> None:
    class Counting(DotDetector):
        looks = 0

        def detect(self, pixels: Pixels) -> list[Detection]:
            self.looks += 1
            return []

    detector = Counting()
    assert look_closely(detector, draw(FACE), make_face(FACE), zooms=(1.0, 0.8, 1.2)) is None
    assert detector.looks == 2


def test_it_finds_a_face_on_its_upright_side_only() -> None:
    points = roll(FACE, 180)
    detector, face = DotDetector(most=45), make_face(roll(FACE, 0))
    sides = [look_closely(detector, draw(points), face, turns) for turns in range(4)]
    assert [side is not None for side in sides] == [False, False, True, False]
    assert sides[2] is not None
    np.testing.assert_allclose(sides[2].landmarks, points, atol=1.5)


def test_it_handles_a_face_that_is_not_found_again() -> None:
    empty, face = np.full((200, 200, 3), 90, np.uint8), make_face(roll(FACE, 20))
    assert straighten(DotDetector(), empty, face) is face
    assert look_closely(DotDetector(), empty, face) is None


def test_another_face_is_not_taken_for_it() -> None:
    elsewhere = make_face(FACE - np.float32(50))
    assert look_again(DotDetector(), draw(FACE), elsewhere) is None


@pytest.mark.parametrize("turns", range(4))
def test_it_rotates_a_face_with_its_picture(turns: int) -> None:
    pixels = draw(FACE)[:, :180]
    [expected] = DotDetector().detect(np.ascontiguousarray(np.rot90(pixels, -turns)))
    face = rotate_face(DotDetector().detect(pixels)[0], 180, 200, turns)
    np.testing.assert_allclose(face.landmarks, expected.landmarks, atol=0.01)
    np.testing.assert_allclose(face.box, expected.box, atol=0.01)


def test_log_odds_stay_finite() -> None:
    assert log_odds(0.99) == pytest.approx(4.595, abs=0.001)
    assert -30 < log_odds(0) < log_odds(1) < 30
