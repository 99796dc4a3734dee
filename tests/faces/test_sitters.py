"""Whose portrait a photo of several faces is."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.faces.sitters import choose_face
from lookalike.faces.types import Box, Face, Scale, Vectors
from tests.fakes import make_detection

SCALE = Scale(stranger=0.83, same=0.98)


def make_vectors(*degrees: float) -> Vectors:
    """Unit vectors at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def make_face(box: Box, degrees: float) -> Face:
    [vector] = make_vectors(degrees)
    found = make_detection(box)
    return Face(box, found.landmarks, 1.0, np.zeros((8, 8, 3), np.uint8), vector, False)


def test_it_works() -> None:
    """Similarities to the others: 0.995 and less. Halfway is 0.905 with this scale."""
    large, small = make_face(Box(0, 0, 200, 240), 40), make_face(Box(300, 0, 380, 90), 5)
    others = make_vectors(0, 4)
    assert choose_face([large, small], 400, others, SCALE) is small
    assert choose_face([large, small], 400, None, SCALE) is large
    assert choose_face([large, small], 400, others[:0], SCALE) is large


def test_two_faces_that_agree_decide_nothing() -> None:
    one, two = make_face(Box(0, 0, 100, 120), 10), make_face(Box(200, 0, 300, 120), -10)
    assert choose_face([one, two], 300, make_vectors(0), SCALE) is None


def test_none_that_agrees_decides_nothing() -> None:
    one, two = make_face(Box(0, 0, 100, 120), 30), make_face(Box(200, 0, 300, 120), -30)
    assert choose_face([one, two], 300, make_vectors(0), SCALE) is None
    assert choose_face([one], 300, make_vectors(0), SCALE) is one


@pytest.mark.parametrize(
    ("width", "left", "is_main"),
    [
        (74, 300, True),  # 100 / 74 is 1.351.
        (75, 300, False),
        (74, 193, True),  # 30 pixels from the middle, as the largest one.
        (74, 192, False),
        (59, 170, True),  # Behind, wherever it is.
    ],
)
def test_without_others_the_largest_must_be_clearly_so_and_nearest_the_middle(
    width: int, left: int, is_main: bool
) -> None:
    largest = make_face(Box(120, 0, 220, 120), 0)
    second = make_face(Box(left, 0, left + width, 90), 0)
    assert (choose_face([largest, second], 400, None, SCALE) is largest) == is_main
