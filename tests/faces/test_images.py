"""Pixels as an image, converted once for a photo."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from lookalike.faces.photos import images
from lookalike.faces.photos.images import LARGE, as_image
from lookalike.faces.types import Pixels


def draw(side: int = 500, *, writeable: bool = False) -> Pixels:
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    pixels.flags.writeable = writeable
    return pixels


def test_it_works() -> None:
    pixels = draw()
    assert pixels.nbytes >= LARGE
    image = as_image(pixels)
    np.testing.assert_array_equal(np.asarray(image), pixels)
    assert as_image(pixels) is image


@pytest.mark.parametrize("pixels", [draw(writeable=True), draw(100)])
def test_it_converts_what_may_change_and_what_is_small_each_time(pixels: Pixels) -> None:
    assert as_image(pixels) is not as_image(pixels)


def test_a_small_picture_does_not_take_the_photos_place() -> None:
    pixels = draw()
    image = as_image(pixels)
    as_image(draw(100))
    assert as_image(pixels) is image


def test_it_goes_with_its_photo() -> None:
    pixels = draw()
    as_image(pixels)
    del pixels
    gc.collect()
    assert images._latest is None
