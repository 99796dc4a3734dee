"""Photos within the site's limits, decoded to the size that is stored."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from django.conf import settings

from lookalike.engine import get_decoder
from lookalike.faces.photos.costs import estimate_bytes
from lookalike.faces.photos.decoding import open_photo, shrink_photo
from lookalike.faces.photos.headers import try_header
from lookalike.faces.types import Photo
from lookalike.machine import memory_bytes

LARGE = 64_000_000
"""Bytes of working memory from which on photos wait for each other."""


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
    header = try_header(content)
    # Of one pass, coded by Huffman's way, as cameras and phones write it.
    if header and header.format == "JPEG" and not header.scans:
        return open_to_keep(content)
    is_large = header is not None and header.pixels * estimate_bytes(header) > LARGE
    with take_turn() if is_large else nullcontext():
        return get_decoder().open(
            content,
            max_bytes=settings.MAX_BYTES,
            max_pixels=settings.MAX_PIXELS,
            min_side=settings.MIN_SIDE,
            target_side=settings.STORED_SIDE,
        )


@contextmanager
def take_turn() -> Iterator[None]:
    """Wait until the worker has a turn at large photos: there is one for each gigabyte of memory
    that the site may use, and so one at a time on a small server."""
    turns = max(memory_bytes() // 2**30, 1)
    path = Path(settings.DATA_DIR, f"large-photo-{os.getpid() % turns}.lock")
    with path.open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
