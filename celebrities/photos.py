"""Photos within the site's limits, decoded to the size that is stored."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from lookalike.engine import get_decoder
from lookalike.faces.photos.decoding import open_photo, shrink_photo
from lookalike.faces.photos.headers import is_plain_jpeg
from lookalike.faces.types import Photo


def open_to_keep(
    data: bytes | Path, *, max_bytes: int | None = None, is_ours: bool = False
) -> Photo:
    """The upright photo, its longer side at most STORED_SIDE pixels.

    ``max_bytes`` defaults to the limit for visitors. ``is_ours``: a picture that was stored
    here has passed the limits of its time, so today's limits do not apply. Raises PhotoError,
    or OSError if the file cannot be read.
    """
    photo = open_photo(
        data,
        max_bytes=settings.MAX_BYTES if max_bytes is None else max_bytes,
        max_pixels=settings.STORED_SIDE**2 if is_ours else settings.MAX_PIXELS,
        min_side=1 if is_ours else settings.MIN_SIDE,
        target_side=settings.STORED_SIDE,
        decode_mb=settings.DECODE_MB,
    )
    return shrink_photo(photo, settings.STORED_SIDE)


def open_strangers(content: bytes) -> Photo:
    """`open_to_keep` for what a stranger sent. Raises PhotoError or DecoderFailed.

    Only a plain JPEG, whose decoder's time and memory follow from its size, is opened in this
    process. All else is opened in one that may die of it, which costs some milliseconds more.
    """
    if is_plain_jpeg(content):
        return open_to_keep(content)
    return get_decoder().open(
        content,
        max_bytes=settings.MAX_BYTES,
        max_pixels=settings.MAX_PIXELS,
        min_side=settings.MIN_SIDE,
        target_side=settings.STORED_SIDE,
    )
