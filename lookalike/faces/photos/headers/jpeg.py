"""JPEG by its markers (ITU-T T.81, B.1.1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.headers.exif import read_orientation
from lookalike.faces.photos.headers.header import Header
from lookalike.faces.photos.headers.source import Source, open_whole

FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_PLAIN = {0xC0, 0xC1}
"""Frames decoded row by row, if one scan holds all components: coded by Huffman's way, and not
progressive."""
_RESTARTS = range(0xD0, 0xD8)
_END, _SCAN = 0xD9, 0xDA
_WITH_LENGTH = {*FRAMES, 0xC4, 0xCC, _SCAN, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE}
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_FILL = re.compile(rb"\xff{4096,}")

_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""The application segments that change how pixels are shown."""


class Segment(NamedTuple):
    """A marker with its content; ``at`` is where the marker begins, ``end`` where that ends."""

    marker: int
    at: int
    end: int


def read_jpeg(source: Source) -> Header:
    """Raises UnreadablePhoto."""
    frame: Segment | None = None
    exif: Segment | None = None
    for segment in _walk(source):
        if segment.marker in FRAMES:
            if frame:
                raise UnreadablePhoto("the JPEG has two frames")
            frame = segment
        elif segment.marker == 0xE1 and not exif and source.read_some(segment.at + 4, 4) == b"Exif":
            exif = segment
    if frame is None:
        raise UnreadablePhoto("the JPEG has no frame")
    orientation = read_orientation(_content(source, exif)) if exif else 1
    return _make_header(source, frame, segment, orientation)


def keep_pixels(content: bytes) -> bytes:
    """The file without the comments and application segments that don't concern its pixels, which
    Pillow gathers, and with its long runs of fill bytes cut, which Pillow copies again and again:
    both in quadratic time. Raises UnreadablePhoto."""
    parts = [content[:2]]
    for segment in _walk(open_whole(content)):
        is_application = segment.marker == 0xFE or 0xE0 <= segment.marker <= 0xEF
        kept = _KEPT.get(segment.marker, b"?")
        if not is_application or content.startswith(kept, segment.at + 4):
            parts.append(content[segment.at : segment.end])
    scans = content[segment.end :]
    if b"\xff\xff" in scans[::2048]:  # Then there may be such a run.
        scans = _FILL.sub(b"\xff", scans)
    return b"".join([*parts, scans])


def _walk(source: Source) -> Iterator[Segment]:
    """The segments up to the first scan's header. Bytes between them are passed over, as
    decoders do. Raises UnreadablePhoto."""
    at = 2
    while True:
        source.step()
        head = source.read_some(at, 4)
        if head[:1] != b"\xff" or head[1:2] in (b"", b"\0", b"\xff"):
            at = source.find(_MARKER, at)
            head = source.read(at, 4) if at >= 0 else b""
        if len(head) < 4:
            raise UnreadablePhoto("the JPEG stops before its pixels")
        marker = head[1]
        if marker in _RESTARTS:
            at += 2
            continue
        segment = Segment(marker, at, at + 2 + int.from_bytes(head[2:], "big"))
        if marker not in _WITH_LENGTH or segment.end < at + 4 or segment.end > source.size:
            raise UnreadablePhoto("a marker of the JPEG has no content that fits")
        yield segment
        if marker == _SCAN:
            return
        at = segment.end


def _content(source: Source, segment: Segment) -> bytes:
    return source.read(segment.at + 4, segment.end - segment.at - 4)


def _make_header(source: Source, frame: Segment, scan: Segment, orientation: int) -> Header:
    stated = _content(source, frame)
    mode = _MODES.get(stated[5]) if len(stated) > 5 else None
    factors = stated[7::3]
    if mode is None or stated[0] != 8 or len(factors) != stated[5]:
        raise UnreadablePhoto("a JPEG of a kind that isn't decoded")
    across, down = [factor >> 4 for factor in factors], [factor & 15 for factor in factors]
    if min(across) < 1 or min(down) < 1:
        raise UnreadablePhoto("a JPEG without samples")
    samples = sum(x * y for x, y in zip(across, down, strict=True)) / max(across) / max(down)
    in_scan = source.number(scan.at + 4, 1)
    is_plain = in_scan == stated[5] and frame.marker in _PLAIN
    return Header(
        "JPEG",
        width=int.from_bytes(stated[3:5], "big"),
        height=int.from_bytes(stated[1:3], "big"),
        orientation=orientation,
        mode=mode,
        samples=samples,
        scans=0 if is_plain else _count_scans(source, scan.end),
    )


def _count_scans(source: Source, at: int) -> int:
    """Scans, the one whose data begin at ``at`` among them, as far as they can be seen."""
    count = 1
    try:
        while (at := source.find(_AFTER_SCAN, at)) >= 0:
            source.step()
            marker = source.number(at + 1, 1)
            if marker == _END:
                break
            count += marker == _SCAN
            at += 2 + (source.number(at + 2, 2) if marker in _WITH_LENGTH else 0)
    except UnreadablePhoto:
        pass  # Its bounds, or the end of a file that is cut.
    return count
