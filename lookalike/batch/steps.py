"""The steps of one photo: file, pixels, face, chip."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.batch.columns import as_rgb, stand_upright
from lookalike.faces.errors import NoFace
from lookalike.faces.photos.decoding import open_photo
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Box, Detection, Encoder, Photo, Pixels

_LIMITS: Final = {"max_bytes": 100_000_000, "max_pixels": 200_000_000, "min_side": 32}

TARGET_SIDE: Final = 1600
"""Photos are decoded at reduced size if their longer side keeps at least this many pixels,
the size at which the site stores portraits."""

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp")

Coordinates = NDArray[np.float64]
"""(4,): left, top, width and height of a face's box in pixels."""


def find_file(folder: Path, name: str) -> Path:
    """The photo ``name`` in ``folder``; the name may lack the suffix."""
    path = folder / name
    if path.is_file():
        return path
    with_suffix = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    return next((found for found in with_suffix if found.is_file()), path)


def open_file(path: Path, target_side: int | None = TARGET_SIDE) -> Photo:
    """Decode a photo file. Raises PhotoError or OSError."""
    return open_photo(path, **_LIMITS, target_side=target_side)


def find_face(
    engine: FaceEngine, image: Any, scale: float
) -> tuple[Pixels, Coordinates, NDArray[np.float32]]:
    """The photo in the rotation in which its largest face is upright, with the face's
    coordinates and landmarks.

    ``scale`` is the image's pixels per pixel of the full photo. Raises NoFace or FaceTooSmall.
    """
    pixels = as_rgb(image)
    height, width = pixels.shape[:2]
    photo = Photo(pixels, scale, round(width / scale), round(height / scale), "")
    turned, found = engine.find_faces(photo, max_faces=1)
    if not found:
        raise NoFace
    box = found[0].box
    coordinates = np.array([box.left, box.top, box.width, box.height], np.float64)
    return turned.pixels, coordinates, found[0].landmarks


def cut_chip(
    encoder: Encoder, image: Any, coordinates: Coordinates, landmarks: NDArray[np.float32]
) -> Pixels:
    """The face as the aligned chip that ``encoder`` expects."""
    left, top, width, height = map(float, coordinates)
    box = Box(left, top, left + width, top + height)
    return encoder.align(as_rgb(image), Detection(box, landmarks, 1.0))


def cut_rectangle(image: Any, coordinates: Coordinates) -> Pixels:
    """The face's box, clipped to the picture. Raises NoFace if nothing is left."""
    pixels = as_rgb(image)
    height, width = pixels.shape[:2]
    left, top, across, down = map(float, coordinates)
    first_row, last_row = np.clip(np.rint([top, top + down]), 0, height).astype(int)
    first_column, last_column = np.clip(np.rint([left, left + across]), 0, width).astype(int)
    if first_row >= last_row or first_column >= last_column:
        raise NoFace
    return pixels[first_row:last_row, first_column:last_column]


def resize(image: Any, size: tuple[int | None, int | None]) -> Any:
    """``image`` at (width, height) pixels. An array stays an array, a Pillow image a Pillow
    image, and an image that has this size already is returned unchanged.

    A side that is None keeps the proportions. Raises ValueError if both are None.
    """
    is_pillow = isinstance(image, Image.Image)
    picture = stand_upright(image) if is_pillow else Image.fromarray(as_rgb(image))
    width, height = size
    if width is None and height is None:
        raise ValueError("resize needs the width or the height, or both.")
    if width is None:
        width = max(1, round(picture.width * (height or 1) / picture.height))
    if height is None:
        height = max(1, round(picture.height * width / picture.width))
    if picture.size == (width, height):
        return picture if is_pillow else image
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    return resized if is_pillow else np.asarray(resized)
