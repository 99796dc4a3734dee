"""A picture's header by the site's limits. For the web process too: no pixel is decoded."""

from __future__ import annotations

from typing import IO

from django.conf import settings

from lookalike.faces.photos.header import check_header
from lookalike.faces.photos.headers import Header


def check_file(file: bytes | IO[bytes], *, max_bytes: int) -> Header:
    """Raises what `check_header` does, all of it PhotoError but an OSError of the disk."""
    return check_header(
        file,
        max_bytes=max_bytes,
        max_pixels=settings.MAX_PIXELS,
        min_side=settings.MIN_SIDE,
        decode_mb=settings.DECODE_MB,
    )
