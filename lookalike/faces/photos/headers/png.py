"""PNG by its chunks (PNG, third edition, 5.3)."""

from __future__ import annotations

import zlib
from dataclasses import replace

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.headers.exif import read_orientation
from lookalike.faces.photos.headers.header import Header
from lookalike.faces.photos.headers.source import Source, TooLong

_FIRST = 8
_MODES = {
    **{(depth, 0): "L" for depth in (2, 4, 8)},
    **{(depth, 3): "P" for depth in (1, 2, 4, 8)},
    **{(depth, 2): "RGB" for depth in (8, 16)},
    **{(depth, 6): "RGBA" for depth in (8, 16)},
    (1, 0): "1",
    (16, 0): "I;16",
    (8, 4): "LA",
    (16, 4): "RGBA",
}
"""Pillow's mode by bits a sample and colour type."""


def read_png(source: Source) -> Header:
    """Raises UnreadablePhoto."""
    header = _read_first_chunk(source)
    has_pixels = False
    at = _FIRST + 25
    try:
        while len(head := source.read_some(at, 8)) == 8:
            source.step()
            kind, end = head[4:], at + 12 + int.from_bytes(head[:4], "big")
            if kind == b"IHDR":
                raise UnreadablePhoto("the PNG has two headers")
            has_pixels |= kind == b"IDAT"  # Its end may be missing.
            if end > source.size or kind == b"IEND" or not kind.isalpha():
                break
            header = _note_chunk(source, header, kind, at, end, has_pixels)
            at = end
    except TooLong:
        if not has_pixels:
            raise
    if not has_pixels:
        raise UnreadablePhoto("the PNG stops before its pixels")
    return header


def _read_first_chunk(source: Source) -> Header:
    chunk = source.read(_FIRST, 25)
    if chunk[:8] != b"\0\0\0\x0dIHDR" or zlib.crc32(chunk[4:21]) != int.from_bytes(
        chunk[21:], "big"
    ):
        raise UnreadablePhoto("the PNG doesn't begin with its header")
    mode = _MODES.get((chunk[16], chunk[17]))
    if mode is None:
        raise UnreadablePhoto("a PNG of a kind that there isn't")
    return Header(
        "PNG",
        width=int.from_bytes(chunk[8:12], "big"),
        height=int.from_bytes(chunk[12:16], "big"),
        mode=mode,
        depth=chunk[16],
    )


def _note_chunk(
    source: Source, header: Header, kind: bytes, at: int, end: int, has_pixels: bool
) -> Header:
    """``header`` with what this chunk says, if it is intact."""
    if kind not in (b"acTL", b"eXIf"):
        return header
    chunk = source.read(at + 4, end - at - 4)
    if zlib.crc32(chunk[:-4]) != int.from_bytes(chunk[-4:], "big"):
        return header
    if kind == b"eXIf":
        return replace(header, orientation=read_orientation(chunk[4:-4]))
    if len(chunk) != 16 or has_pixels:
        return header
    return replace(header, frames=max(1, int.from_bytes(chunk[4:8], "big")))
