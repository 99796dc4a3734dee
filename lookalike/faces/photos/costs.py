"""What decoding a photo costs, by its header: asked before anything is decoded."""

from __future__ import annotations

from lookalike.faces.errors import TooCostly
from lookalike.faces.photos.headers import Header

DECODE_MB = 256
"""Megabytes of working memory of a decoder, by default."""

CPU_SECONDS = 5.0
"""What decoding one photo may take, by default; ordinary ones take 0.03 to 0.5."""

MAX_SCANS = 100
"""Passes over a JPEG. Encoders make 3 to 20."""

MAX_SCANNED = 1_000_000_000
"""Pixels times passes. A pass without data costs 0.35 ms a megapixel."""

MAX_TILES = 1_024
"""Separately coded parts of a HEIF or AVIF. A photo of 100 megapixels has 400 of 512 pixels."""

_BYTES: dict[str, float] = {"WEBP": 16, "AVIF": 10, "HEIF": 8, "GIF": 1}
"""Bytes a pixel at the peak of decoding, measured with Pillow 13 and pillow_heif 1.8."""
_BYTES_BY_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "LA": 4, "RGB": 4, "RGBA": 4, "CMYK": 4}

_SECONDS = {"JPEG": 0.004, "PNG": 0.03, "WEBP": 0.025, "AVIF": 0.03, "HEIF": 0.04, "GIF": 0.01}
"""CPU seconds a megapixel, measured on one core of 2026."""


def estimate_seconds(header: Header) -> float:
    """CPU seconds that decoding takes, within a factor of two for most photos."""
    per_megapixel = _SECONDS[header.format] + 0.001 * header.scans
    return per_megapixel * header.pixels / 1e6


def estimate_bytes(header: Header) -> float:
    """Bytes a pixel that the decoder holds at its peak."""
    if header.format == "JPEG":
        # Coefficients of 16 bits wait for the last pass; pixels are decoded smaller.
        return 1 + 2 * header.samples * bool(header.scans)
    if header.format == "PNG":
        wide = 2 if header.depth == 16 and header.mode != "I;16" else 1
        return wide * _BYTES_BY_MODE[header.mode]
    alpha = 4 if header.mode == "RGBA" and header.format != "WEBP" else 0
    return _BYTES[header.format] + alpha


def affords_frames(header: Header, decode_mb: int) -> bool:
    """Whether there is memory for what an animation's further frames take beside the first."""
    return header.pixels * (estimate_bytes(header) + 10) <= decode_mb * 1e6


def check_cost(header: Header, decode_mb: int = DECODE_MB) -> None:
    """Raises TooCostly."""
    if header.pixels * estimate_bytes(header) > decode_mb * 1e6:
        raise TooCostly(f"{header.format} {header.mode} of {header.pixels} pixels")
    scanned = header.pixels * header.scans
    if header.scans > MAX_SCANS or scanned > MAX_SCANNED or header.tiles > MAX_TILES:
        raise TooCostly(f"{header.scans} scans, {header.tiles} tiles")
