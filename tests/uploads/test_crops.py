"""The pictures of a face that pages show."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.faces.types import Box
from uploads.crops import CROP_SIDE, cut_crop


def draw(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Red grows to the right, green downwards."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return pixels


def test_it_works() -> None:
    crop = cut_crop(draw(1000, 1000), Box(400, 400, 600, 600))
    # 200 wide, with a margin of 70 on each side.
    assert crop.shape == (341, 341, 3)
    red, green, _ = crop[170, 170]
    assert abs(int(red) - 128) <= 2
    assert abs(int(green) - 128) <= 2


@pytest.mark.parametrize("side", [150, 226, 227, 400, 900])
def test_a_large_face_is_shrunk_to_less_than_twice_the_side(side: int) -> None:
    crop = cut_crop(draw(1600, 1600), Box(300, 300, 300 + side, 300 + side))
    assert CROP_SIDE <= max(crop.shape) < 2 * CROP_SIDE


def test_it_handles_a_face_at_the_edge() -> None:
    assert cut_crop(draw(300, 200), Box(-30, -30, 60, 60)).shape == (92, 92, 3)
    assert cut_crop(draw(300, 200), Box(250, 350, 300, 400)).size
