"""How sharp a face is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lookalike.faces.sharpness import SHARP, measure_sharpness
from lookalike.faces.types import Pixels


@pytest.fixture
def chip() -> Pixels:
    """Noise with as much contrast at every size, as pictures have."""
    rng = np.random.default_rng(0)
    layers = [
        Image.fromarray(rng.integers(0, 255, (side, side), np.uint8)).resize((150, 150))
        for side in (150, 75, 37, 18, 9)
    ]
    grey = np.mean([np.asarray(layer, np.float32) for layer in layers], axis=0)
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def blur(chip: Pixels, radius: float) -> Pixels:
    return np.asarray(Image.fromarray(chip).filter(ImageFilter.GaussianBlur(radius)))


def test_it_works(chip: Pixels) -> None:
    sharpness = [measure_sharpness(blur(chip, radius)) for radius in (0, 2, 4, 6, 9)]

    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 2 * SHARP
    assert sharpness[3] < SHARP


def test_light_does_not_matter(chip: Pixels) -> None:
    dark = (chip // 3 + 20).astype(np.uint8)

    assert measure_sharpness(dark) == pytest.approx(measure_sharpness(chip), rel=0.05)


def test_a_chip_without_contrast_is_not_sharp() -> None:
    assert measure_sharpness(np.full((150, 150, 3), 90, np.uint8)) == 0.0
