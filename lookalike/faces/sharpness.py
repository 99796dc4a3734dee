"""How sharp a face is, whatever its light and size."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from lookalike.faces.types import Pixels

SHARP: Final = 0.22
"""A face less sharp than this says little.

Faces in guises that hide nothing, down to 28 pixels wide: 0.28 and more. Blurred by a Gaussian of
0.1 of the length from the eyes to the mouth, where the right person comes first for one face in
three: at most 0.15. Table: "faces" of `make choices`."""

_FINE: Final = (1.0, 2.0)
_COARSE: Final = (4.0, 8.0)
"""Radii in pixels of a chip of 150 to 160, whose eyes are 60 from the mouth."""


def measure_sharpness(chip: Pixels) -> float:
    """The contrast of fine details beside that of coarse ones, in the middle of the chip: standard
    deviations of differences of Gaussians. 0 if there is no contrast."""
    grey = Image.fromarray(chip).convert("L")
    coarse = _measure_contrast(grey, *_COARSE)
    return _measure_contrast(grey, *_FINE) / coarse if coarse else 0.0


def _measure_contrast(grey: Image.Image, less: float, more: float) -> float:
    margin = grey.width // 7
    one, other = (
        np.asarray(grey.filter(ImageFilter.GaussianBlur(radius)), np.float32)
        for radius in (less, more)
    )
    return float((one - other)[margin:-margin, margin:-margin].std())
