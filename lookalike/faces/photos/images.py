"""Pixels as Pillow's image, made once for all that is cut from a photo."""

from __future__ import annotations

import weakref

from PIL import Image

from lookalike.faces.types import Pixels

LARGE = 500_000
"""Bytes from which on an image is kept: photos, but none of what is cut from them."""

_latest: tuple[weakref.ref[Pixels], Image.Image] | None = None


def as_image(pixels: Pixels) -> Image.Image:
    """A large array that can't be written to is converted once, while it is the latest one.
    Callers don't change the image."""
    global _latest
    if _latest is not None and _latest[0]() is pixels:
        return _latest[1]
    image = Image.fromarray(pixels)
    if pixels.nbytes >= LARGE and not pixels.flags.writeable:
        _latest = weakref.ref(pixels, _forget), image
    return image


def _forget(gone: weakref.ref[Pixels]) -> None:
    global _latest
    if _latest is not None and _latest[0] is gone:
        _latest = None
