from __future__ import annotations

import io
import re

from lookalike.faces.photos.headers.jpeg import FRAMES
from lookalike.faces.photos.images import as_image
from lookalike.faces.types import Pixels

END = b"\xff\xd9"

_NOISE = bytes([0xB7]) + bytes(range(239, 7, -3))

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def encode_jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """A JPEG file without EXIF, profile or comment."""
    buffer = io.BytesIO()
    as_image(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def make_filler(content: bytes) -> bytes | None:
    """Data to decode in place of what may be missing from the last scan of a JPEG.

    If rows are missing, their pixels differ from those that no data gives. None if the file has
    an end marker, or doesn't begin every scan that its pixels need. Markers are those of
    ITU-T T.81, B.1.1.3.
    """
    missing: dict[int, list[int]] = {}
    at = 2
    for _ in range(1000):
        if len(content) < at + 4 or content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:  # Fill byte.
            at += 1
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : end]
        if end > len(content) or marker == 0xD9:
            return None
        if marker in FRAMES:
            # Precision of each coefficient so far: 0 is full, 99 is nothing.
            missing = {component: [99] * 64 for component in segment[6::3]}
        at = end
        if marker == 0xDA:
            _note_scan(segment, missing)
            after = _AFTER_SCAN.search(content, end)
            if after is None:
                complete = missing and not any(map(any, missing.values()))
                return _continue_scan(content[end:]) if complete else None
            at = after.end() - 2
    return None


def _continue_scan(scan: bytes) -> bytes:
    """Noise with the restart markers that come next."""
    last = max((scan.rfind(bytes([0xFF, 0xD0 + number])), number) for number in range(8))
    first = 0 if last[0] < 0 else last[1] + 1
    return _NOISE + b"".join(bytes([0xFF, 0xD0 + (first + i) % 8]) + _NOISE for i in range(16))


def _note_scan(segment: bytes, missing: dict[int, list[int]]) -> None:
    """A scan holds coefficients Ss to Se of its components, without their lowest Al bits."""
    if len(segment) < 6:
        return
    first, last, bits = segment[-3:]
    for component in segment[1:-3:2]:
        if component in missing and last < 64:
            missing[component][first : last + 1] = [bits & 15] * (last + 1 - first)
