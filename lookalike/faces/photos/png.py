"""PNG chunks: what concerns the pixels stays in the file, damaged and other chunks go."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from lookalike.faces.errors import UnreadablePhoto

MAX_PROFILE = 4_000_000
"""Bytes of a colour profile. Profiles for print have up to about 3 MB."""

_MAX_CHUNKS = 50_000
"""A file of 20 MB has 2,500 chunks of 8 KB, libpng's default."""

_SIGNATURE_BYTES = 8

# Chunks that Pillow reads, with their length if it is fixed.
_KEPT = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"eXIf": None}
_ANIMATION = {b"acTL": 8, b"fcTL": 26, b"fdAT": None}


def clean_png(content: bytes) -> tuple[bytes, dict[str, Any]]:
    """Drop texts, unknown ancillary chunks, and ancillary chunks of a wrong length or checksum.

    Pillow refuses a photo whose metadata inflates to over 1 MB or is damaged. Also returns what
    Pillow doesn't read, for ``image.info``: ``bit_depth``, ``significant_bits``, ``icc_profile``
    (up to MAX_PROFILE bytes) and ``nclx_profile`` (cICP, in the form of pillow_heif).
    Raises UnreadablePhoto if there are more than 50,000 chunks.
    """
    kept = [(b"", content[:_SIGNATURE_BYTES])]
    info: dict[str, Any] = {}
    colour = None
    animation_fits = True
    at = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        kind, data = content[at + 4 : at + 8], memoryview(content)[at + 8 : end - 4]
        if len(content) < end or not kind.isalpha():
            kept.append((b"", content[at:]))  # Cut short: Pillow decides.
            break
        if kind == b"IHDR" and len(data) >= 13:
            info["bit_depth"], colour = data[8], data[9]
        if kind[:1].isupper() or kind == b"fdAT":
            keep = True
        elif zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(content[end - 4 : end], "big"):
            keep = False
        elif kind == b"tRNS":
            keep = _fits_colour(len(data), colour)
        elif kind in _KEPT or kind in _ANIMATION:
            keep = (_KEPT | _ANIMATION)[kind] in (None, len(data))
        else:
            keep = False
            info |= _read_chunk(kind, data)
        if keep:
            kept.append((kind, content[at:end]))
        elif kind in _ANIMATION:
            animation_fits = False
        at = end
        if kind == b"IEND":
            break
    else:
        raise UnreadablePhoto("the PNG has too many chunks")
    if "nclx_profile" in info:
        info.pop("icc_profile", None)  # PNG, third edition, 4.3: cICP comes first.
    cleaned = b"".join(data for kind, data in kept if animation_fits or kind not in _ANIMATION)
    return cleaned, info


def _fits_colour(length: int, colour: int | None) -> bool:
    """Whether a tRNS chunk has the length that its colour type asks for."""
    return 1 <= length <= 256 if colour == 3 else length == {0: 2, 2: 6}.get(colour or 0)


def _read_chunk(kind: bytes, data: memoryview) -> dict[str, Any]:
    if kind == b"cICP" and len(data) == 4:
        keys = ("color_primaries", "transfer_characteristics", "matrix_coefficients")
        return {"nclx_profile": dict(zip(keys, data, strict=False))}
    if kind == b"sBIT" and 1 <= len(data) <= 4 and 8 <= max(data[:3]) <= 16:
        return {"significant_bits": max(data[:3])}
    if kind == b"iCCP":
        return _read_profile(bytes(data))
    return {}


def _read_profile(data: bytes) -> dict[str, Any]:
    """A name, a zero, the method (0) and the compressed profile."""
    _, _, rest = data.partition(b"\0")
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(rest[1:], MAX_PROFILE)
    except (zlib.error, struct.error):
        return {}
    return {"icc_profile": profile} if profile and not inflate.unconsumed_tail else {}
