"""Five landmarks become an upright chip in which they lie where they should."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lookalike.faces.alignment import align_face, similarity_transform
from lookalike.faces.encoders.dlib import FIVE_POINTS, TEMPLATE
from lookalike.faces.types import Pixels


def move(
    points: np.ndarray, scale: float, degrees: float, shift: tuple[float, float]
) -> np.ndarray:
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return (points @ (scale * turn).T + shift).astype(np.float32)


def draw_dots(points: np.ndarray, width: int, height: int, radius: float) -> Pixels:
    """White dots on black, of which the centre of mass is exact."""
    picture = Image.new("RGB", (width * 4, height * 4))
    pen = ImageDraw.Draw(picture)
    for x, y in points * 4:
        pen.ellipse((x - 4 * radius, y - 4 * radius, x + 4 * radius, y + 4 * radius), "white")
    return np.asarray(picture.reduce(4))


def find_dot(chip: Pixels, near: np.ndarray, reach: int = 8) -> np.ndarray:
    """The centre of the light around a point, measured from the outer corner."""
    left, top = (int(value) - reach for value in near)
    light = chip[top : top + 2 * reach, left : left + 2 * reach, 0].astype(float)
    rows, columns = np.mgrid[: 2 * reach, : 2 * reach] + 0.5
    x, y = (columns * light).sum(), (rows * light).sum()
    return np.array([x / light.sum() + left, y / light.sum() + top])


def test_it_works() -> None:
    landmarks = move(TEMPLATE, 1.7, 25, (160, 40))
    chip = align_face(draw_dots(landmarks, 500, 500, 5), landmarks, TEMPLATE, 150)
    assert chip.shape == (150, 150, 3)
    assert chip.dtype == np.uint8
    for point in TEMPLATE:
        np.testing.assert_allclose(find_dot(chip, point), point, atol=0.15)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.3, 5.2, 9.0])
@pytest.mark.parametrize("degrees", [-170, 0, 90])
def test_the_transform_undoes_turn_scale_and_shift(scale: float, degrees: float) -> None:
    points = move(FIVE_POINTS, scale, degrees, (31, -12))
    matrix = similarity_transform(points, FIVE_POINTS)
    back = points @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, FIVE_POINTS, atol=1e-3)


def test_the_transform_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(3)
    points = (FIVE_POINTS + rng.normal(0, 6, (5, 2))).astype(np.float32)
    matrix = similarity_transform(points, FIVE_POINTS)

    def miss(turn: complex, shift: complex) -> float:
        moved = turn * (points[:, 0] + 1j * points[:, 1]) + shift
        return float((np.abs(moved - FIVE_POINTS[:, 0] - 1j * FIVE_POINTS[:, 1]) ** 2).sum())

    turn, shift = complex(*matrix[:, 0]), complex(*matrix[:, 2])
    least = miss(turn, shift)
    for step in (1e-3, -1e-3, 1e-3j, -1e-3j):
        assert miss(turn + step, shift) > least
        assert miss(turn, shift + 100 * step) > least


@pytest.mark.parametrize("scale", [2.3, 5.2, 9.0])
def test_it_averages_a_large_face_down(scale: float) -> None:
    """Fine stripes become grey; sampling single pixels would give black and white."""
    side = round(150 * scale) + 20
    stripes = np.zeros((side, side, 3), np.uint8)
    stripes[:, ::2] = 255
    landmarks = move(TEMPLATE, scale, 0, (10, 10))
    middle = align_face(stripes, landmarks, TEMPLATE, 150)[20:-20, 20:-20].astype(float)
    assert abs(middle.mean() - 127.5) < 3
    assert middle.std() < 30


def test_it_keeps_the_place_of_a_large_face() -> None:
    landmarks = move(TEMPLATE, 5.2, 10, (160, 40))
    chip = align_face(draw_dots(landmarks, 1100, 1100, 15), landmarks, TEMPLATE, 150)
    for point in TEMPLATE:
        np.testing.assert_allclose(find_dot(chip, point), point, atol=0.15)


def test_it_handles_a_face_that_reaches_past_the_edge() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    chip = align_face(white, move(TEMPLATE, 1, 0, (50, 0)), TEMPLATE, 150)
    assert (chip[5:95, :45] == 255).all()
    assert not chip[:, 55:].any()
    assert not chip[105:].any()


def test_it_handles_a_face_outside_the_picture() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    assert not align_face(white, move(TEMPLATE, 1, 0, (500, 0)), TEMPLATE, 150).any()


def test_it_rejects_landmarks_at_one_point() -> None:
    with pytest.raises(ValueError, match="one point"):
        similarity_transform(np.ones((5, 2), np.float32), FIVE_POINTS)
