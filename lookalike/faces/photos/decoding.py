"""A stranger's bytes -> an upright RGB array of bounded size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from lookalike.faces.photos.colours import flatten_to_rgb
from lookalike.faces.photos.header import check_size, read_bounded
from lookalike.faces.photos.orientation import SIDEWAYS, TRANSPOSE, read_orientation
from lookalike.faces.photos.pillow import draft_image, load_image, open_image
from lookalike.faces.types import Photo


def open_photo(
    data: bytes | Path,
    *,
    max_bytes: int,
    max_pixels: int,
    min_side: int,
    target_side: int | None = None,
) -> Photo:
    """Decode a photo: upright, RGB, only the first picture of the file.

    ``max_pixels`` limits width times height, ``min_side`` the shorter side; all limits are
    checked before decoding. With ``target_side`` the photo may be decoded smaller, but its
    longer side is never below ``target_side``.

    Raises UnsupportedFormat, UnreadablePhoto (also when the file stops early: never half a
    photo), PhotoTooLarge, TooManyPixels or PhotoTooSmall. An OSError of the disk passes.
    """
    content = read_bounded(data, max_bytes)
    image = open_image(io.BytesIO(content), max_pixels)
    full_size = image.size
    check_size(full_size, max_pixels, min_side)
    shrink = draft_image(image, _whole_shrink(full_size, target_side), max_pixels)
    load_image(image, max_pixels)
    # A decoder may find another size than the header's.
    if shrink == 1 and image.size != full_size:
        full_size = image.size
        check_size(full_size, max_pixels, min_side)
    orientation = read_orientation(image.info.get("exif") or b"")
    further = _whole_shrink(image.size, target_side)
    upright = flatten_to_rgb(image, further)
    if orientation in TRANSPOSE:
        upright = upright.transpose(TRANSPOSE[orientation])
    width, height = full_size[::-1] if orientation in SIDEWAYS else full_size
    return Photo(np.asarray(upright), 1 / (shrink * further), width, height, str(image.format))


def rotate_photo(photo: Photo, quarter_turns: int) -> Photo:
    """``photo`` turned clockwise by ``quarter_turns`` times 90 degrees (any whole number)."""
    pixels = np.ascontiguousarray(np.rot90(photo.pixels, -quarter_turns))
    size = (photo.full_width, photo.full_height)
    width, height = size[::-1] if quarter_turns % 2 else size
    return Photo(pixels, photo.scale, width, height, photo.format)


def _whole_shrink(size: tuple[int, int], target_side: int | None) -> int:
    return max(1, max(size) // target_side) if target_side else 1
