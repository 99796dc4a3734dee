"""Whether a photo is within the limits, by its header. The web process checks uploads with this;
it decodes nothing and loads no image library."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

from lookalike.faces.errors import PhotoTooLarge, PhotoTooSmall, TooManyPixels
from lookalike.faces.photos.costs import DECODE_MB, check_cost
from lookalike.faces.photos.headers import Header, Source, read_header


def check_header(
    file: bytes | Path | IO[bytes],
    *,
    max_bytes: int,
    max_pixels: int,
    min_side: int,
    decode_mb: int = DECODE_MB,
) -> Header:
    """Takes milliseconds, whatever the bytes. A file object is left at its beginning.

    Raises UnsupportedFormat, UnreadablePhoto, PhotoTooLarge, TooManyPixels, PhotoTooSmall or
    TooCostly; an OSError of the disk passes. The rest of the file may still be damaged, or
    cost more than its beginning shows.
    """
    if isinstance(file, (bytes, Path)):
        file = io.BytesIO(read_bounded(file, max_bytes))
    try:
        source = Source(file)
        if source.size > max_bytes:
            raise PhotoTooLarge(source.size, max_bytes)
        header = read_header(source)
    finally:
        file.seek(0)
    check_size(header.size, max_pixels, min_side)
    check_cost(header, decode_mb)
    return header


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
