"""What a file's header says, without an image library: the web process looks at strangers' files
with this. Every walk is bounded; see `Source`."""

from __future__ import annotations

from collections.abc import Callable

from lookalike.faces.errors import PhotoError, UnreadablePhoto, UnsupportedFormat
from lookalike.faces.photos.formats import ACCEPTED_FORMATS, HEAD_BYTES, name_format
from lookalike.faces.photos.headers.gif import read_gif
from lookalike.faces.photos.headers.header import Header
from lookalike.faces.photos.headers.jpeg import read_jpeg
from lookalike.faces.photos.headers.media import read_avif, read_heif
from lookalike.faces.photos.headers.png import read_png
from lookalike.faces.photos.headers.source import Source, open_whole
from lookalike.faces.photos.headers.webp import read_webp

__all__ = ["Header", "Source", "open_whole", "read_header", "try_header"]

_READERS: dict[str, Callable[[Source], Header]] = {
    "JPEG": read_jpeg,
    "PNG": read_png,
    "WEBP": read_webp,
    "GIF": read_gif,
    "AVIF": read_avif,
    "HEIF": read_heif,
}


def read_header(source: Source) -> Header:
    """The format is found by the first bytes; nothing is decoded, and the rest of the file may
    still be damaged.

    Raises UnsupportedFormat or UnreadablePhoto; an OSError of the disk passes.
    """
    head = source.read_some(0, HEAD_BYTES)
    if not head:
        raise UnreadablePhoto("the file is empty")
    found = name_format(head)
    if found not in ACCEPTED_FORMATS:
        raise UnsupportedFormat(found)
    header = _READERS[found](source)
    if min(header.size) < 1:
        raise UnreadablePhoto("a picture without pixels")
    return header


def try_header(content: bytes) -> Header | None:
    """The header, or None where it cannot be read: whoever opens the photo says why."""
    try:
        return read_header(open_whole(content))
    except PhotoError:
        return None
