"""PNG chunks: what concerns the pixels stays in the file, damaged and other chunks go."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from lookalike.faces.errors import UnreadablePhoto

MAX_PROFILE = 4_000_000
"""Bytes of a colour profile. Profiles for print have up to about 3 MB."""

_MAX_CHUNKS = 50_000
"""A file of 20 MB has 2,500 chunks of 8 KB, libpng's default."""

_SIGNATURE_BYTES = 8

# Ancillary chunks that Pillow gets, with their length if it is fixed.
_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"eXIf": None, b"acTL": 8, b"fcTL": 26}
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")


def clean_png(content: bytes) -> tuple[bytes, dict[str, Any]]:
    """Drop texts, unknown ancillary chunks, and ancillary chunks of a wrong length or checksum.

    Pillow refuses a photo whose metadata inflates to over 1 MB or is damaged. Also returns what
    Pillow doesn't read, for ``image.info``: ``bit_depth``, ``significant_bits`` (8 to 16),
    ``icc_profile`` (up to MAX_PROFILE bytes) and ``nclx_profile`` (cICP, as pillow_heif has it).
    The first chunk of a kind counts.
    Raises UnreadablePhoto if there are more than 50,000 chunks.
    """
    kept = [(b"", content[:_SIGNATURE_BYTES])]
    info: dict[str, Any] = {}
    colour_type = 0
    dropped = set()
    for kind, chunk in _split(content):
        data = memoryview(chunk)[8:-4]
        if kind == b"IHDR" and len(data) >= 13:
            info["bit_depth"], colour_type = data[8], data[9]
        if _concerns_pixels(kind, data, colour_type, chunk[-4:]):
            kept.append((kind, chunk))
            continue
        if kind not in dropped and _is_intact(kind, data, chunk[-4:]):
            info |= _read_chunk(kind, data)
        dropped.add(kind)
    if "nclx_profile" in info:
        info.pop("icc_profile", None)  # PNG, third edition, 4.3: cICP comes first.
    # Without a part of its animation, the file is read as a still picture.
    unwanted = _ANIMATION if dropped.intersection(_ANIMATION) else ()
    return b"".join(chunk for kind, chunk in kept if kind not in unwanted), info


def _split(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind of each chunk, and the whole chunk; b"" and the rest where the file is cut."""
    at = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        kind = content[at + 4 : at + 8]
        if len(content) < end or not kind.isalpha():
            yield b"", content[at:]
            return
        yield kind, content[at:end]
        if kind == b"IEND":
            return
        at = end
    raise UnreadablePhoto("the PNG has too many chunks")


def _concerns_pixels(kind: bytes, data: memoryview, colour_type: int, checksum: bytes) -> bool:
    # Pillow decides on critical chunks and on the rest of a cut file. It checks no fdAT.
    if not kind or kind[:1].isupper() or kind == b"fdAT":
        return True
    if kind == b"tRNS":
        fits = _fits_colour(len(data), colour_type)
    else:
        fits = kind in _LENGTHS and _LENGTHS[kind] in (None, len(data))
    return fits and _is_intact(kind, data, checksum)


def _is_intact(kind: bytes, data: memoryview, checksum: bytes) -> bool:
    return zlib.crc32(data, zlib.crc32(kind)) == int.from_bytes(checksum, "big")


def _fits_colour(length: int, colour_type: int) -> bool:
    """Whether a tRNS chunk has the length that the colour type asks for."""
    return 1 <= length <= 256 if colour_type == 3 else length == {0: 2, 2: 6}.get(colour_type)


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
    except zlib.error:
        return {}
    return {"icc_profile": profile} if profile and not inflate.unconsumed_tail else {}
