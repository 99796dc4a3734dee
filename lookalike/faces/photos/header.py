"""What a photo's header says. The web process checks uploads with this and decodes nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

from lookalike.faces.errors import PhotoTooLarge, PhotoTooSmall, TooManyPixels
from lookalike.faces.photos.pillow import open_image


def check_header(
    file: bytes | Path | IO[bytes], *, max_bytes: int, max_pixels: int, min_side: int
) -> tuple[str, int, int]:
    """Returns the format (one of ACCEPTED_FORMATS), and the width and height in pixels as
    stored, before any orientation. A file object is left at its beginning.

    Raises UnsupportedFormat, UnreadablePhoto, PhotoTooLarge, TooManyPixels or PhotoTooSmall;
    an OSError of the disk passes. The rest of the file may still be damaged.
    """
    if isinstance(file, (bytes, Path)):
        file = io.BytesIO(read_bounded(file, max_bytes))
    elif (size := file.seek(0, io.SEEK_END)) > max_bytes:
        raise PhotoTooLarge(size, max_bytes)
    try:
        image = open_image(file, max_pixels)
        check_size(image.size, max_pixels, min_side)
        return str(image.format), image.width, image.height
    finally:
        file.seek(0)


def read_bounded(data: bytes | Path, max_bytes: int) -> bytes:
    """The file's bytes. Raises PhotoTooLarge without reading more than the limit."""
    if isinstance(data, bytes):
        size, content = len(data), data
    else:
        with data.open("rb") as file:
            content = file.read(max_bytes + 1)
        size = max(data.stat().st_size, len(content))
    if size > max_bytes:
        raise PhotoTooLarge(size, max_bytes)
    return content


def check_size(size: tuple[int, int], max_pixels: int, min_side: int) -> None:
    """Raises TooManyPixels or PhotoTooSmall."""
    width, height = size
    if width * height > max_pixels:
        raise TooManyPixels(width * height, max_pixels)
    if min(size) < min_side:
        raise PhotoTooSmall(min(size), min_side)
