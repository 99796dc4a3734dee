"""WebP by its chunks (RFC 9649, 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.headers.exif import read_orientation
from lookalike.faces.photos.headers.header import Header
from lookalike.faces.photos.headers.source import Source

_ANIMATION, _EXIF, _ALPHA = 0x02, 0x08, 0x10


def read_webp(source: Source) -> Header:
    """Raises UnreadablePhoto."""
    head = source.read(0, 20)
    kind, content = head[12:16], source.read_some(20, 10)
    if _end(head) > source.size:
        raise UnreadablePhoto("the WebP stops early")
    if kind == b"VP8X" and len(content) == 10:
        return _read_extended(source, content)
    if kind == b"VP8 " and content[3:6] == b"\x9d\x01\x2a" and len(content) == 10:
        width, height = _little(content[6:8]), _little(content[8:10])
        return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L" and content[:1] == b"\x2f" and len(content) >= 5:
        bits = _little(content[1:5])
        mode = "RGBA" if bits >> 28 & 1 else "RGB"
        return Header("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, mode=mode)
    raise UnreadablePhoto("the WebP doesn't begin with its header")


def _read_extended(source: Source, content: bytes) -> Header:
    flags = content[0]
    header = Header(
        "WEBP",
        width=_little(content[4:7]) + 1,
        height=_little(content[7:10]) + 1,
        mode="RGBA" if flags & _ALPHA else "RGB",
    )
    frames = 0
    orientation = None
    end = _end(source.read(0, 8))
    try:
        for chunk, at, length in _walk(source, end):
            frames += chunk == b"ANMF" and bool(flags & _ANIMATION)
            if chunk == b"EXIF" and flags & _EXIF and orientation is None:
                orientation = read_orientation(source.read(at, length))
    except UnreadablePhoto:
        pass  # The walk's bounds, or the end of a file that is cut.
    return replace(header, frames=max(1, frames), orientation=orientation or 1)


def _walk(source: Source, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks after the first: kind, where the content begins, and its length."""
    at = 30
    while at + 8 <= end:
        source.step()
        head = source.read(at, 8)
        length = _little(head[4:])
        yield head[:4], at + 8, length
        at += 8 + length + length % 2


def _end(head: bytes) -> int:
    """Where the file ends by its first 8 bytes; Pillow reads none that is shorter."""
    return 8 + _little(head[4:8])


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
