"""GIF by its blocks (GIF89a, 12 to 27)."""

from __future__ import annotations

from typing import NamedTuple

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.headers.header import Header
from lookalike.faces.photos.headers.source import Source

_COMMENT, _APPLICATION = 0xFE, 0xFF


class _Picture(NamedTuple):
    """Where a frame reaches to on the canvas, in pixels, and where its data begin."""

    right: int
    bottom: int
    at: int


def read_gif(source: Source) -> Header:
    """A first frame that reaches past the canvas widens it. Raises UnreadablePhoto."""
    screen = source.read(0, 13)
    first = _find_picture(source, 13 + _palette_bytes(screen[10]), is_first=True)
    width = max(_little(screen[6:8]), first.right)
    height = max(_little(screen[8:10]), first.bottom)
    return Header("GIF", width, height, mode="P", frames=_count(source, first, width, height))


def _count(source: Source, picture: _Picture, width: int, height: int) -> int:
    """Frames up to the first that reaches past the canvas, as far as they can be seen."""
    frames = 0
    try:
        while picture.right <= width and picture.bottom <= height:
            frames += 1
            at = _skip_blocks(source, picture.at)
            picture = _find_picture(source, at, is_first=False)
    except UnreadablePhoto:
        pass  # The end, or the walk's bounds.
    return frames


def _find_picture(source: Source, at: int, *, is_first: bool) -> _Picture:
    """The next frame from ``at``. Raises UnreadablePhoto if there is none."""
    while (kind := source.read(at, 1)) != b";":
        source.step()
        at += 1
        if kind == b"!":
            at = _skip_extension(source, at, is_first)
        elif kind == b",":
            place = source.read(at, 9)
            return _Picture(
                right=_little(place[0:2]) + _little(place[4:6]),
                bottom=_little(place[2:4]) + _little(place[6:8]),
                at=at + 10 + _palette_bytes(place[8]),
            )
    raise UnreadablePhoto("the GIF has no more pictures")


def _skip_extension(source: Source, at: int, is_first: bool) -> int:
    """To the end of an extension, which Pillow finds in a way of its own: the first two blocks
    may be empty."""
    label, length = source.read(at, 2)
    if label == _COMMENT:
        return _skip_blocks(source, at + 1)
    starts_loop = label == _APPLICATION and is_first and length >= 11
    at += 2
    if starts_loop and source.read(at, 11) == b"NETSCAPE2.0":
        at += length
        length = source.number(at, 1)
        at += 1
    return _skip_blocks(source, at + length)


def _skip_blocks(source: Source, at: int) -> int:
    """To the end of a chain of blocks, each with its length before it."""
    while length := source.number(at, 1):
        source.step()
        at += 1 + length
    return at + 1


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
