"""A file's format by its first bytes; its name and stated type are not trusted."""

from __future__ import annotations

import re

HEAD_BYTES = 1024
"""Bytes that `name_format` looks at."""

META_BYTES = 65536
"""Bytes that `read_nclx` looks at: the boxes before the pixels."""

ACCEPTED_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")
"""Pillow's names; an MPO is read as the JPEG it begins with."""

_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "HEIF"
    ),
    b"crx ": "camera RAW",
    b"qt  ": "video (MOV)",
}

# Files that people try to send as photos. Two libraries were tried for these names: filetype
# knows neither JPEG XL nor SVG, and puremagic calls a ZIP a Word document.
_SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "PDF": (b"%PDF-",),
    "Photoshop (PSD)": (b"8BPS",),
    "icon (ICO)": (b"\x00\x00\x01\x00",),
    "JPEG XL": (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"),
    "JPEG 2000": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "camera RAW": (b"FUJIFILMCCD-RAW", b"IIU\x00", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\x00MRM"),
    "TIFF": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    "ZIP": (b"PK\x03\x04",),
    "video (WebM or Matroska)": (b"\x1aE\xdf\xa3",),
    "video (MPEG)": (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"),
    "BMP": (b"BM",),
}

_RIFF_KINDS = {b"WEBP": "WEBP", b"AVI ": "video (AVI)", b"WAVE": "WAV"}

_MARKUP = (
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), "SVG"),
    (re.compile(rb"<!doctype html|<html|<head|<body", re.IGNORECASE), "HTML"),
    (re.compile(rb"^\s*<\?xml"), "XML"),
)


def name_format(head: bytes) -> str:
    """One of ACCEPTED_FORMATS, another format's name for people ("PDF", "camera RAW"), or ""
    if the file is of no known format. ``head`` is its first HEAD_BYTES bytes."""
    if head[4:8] == b"ftyp":
        return _name_media(head)
    if head[:4] == b"RIFF":
        return _RIFF_KINDS.get(head[8:12], "RIFF")
    if head[:4] == b"II*\x00" and head[8:10] == b"CR":
        return "camera RAW"
    for name, signatures in _SIGNATURES.items():
        if head.startswith(signatures):
            return name
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "video (MOV)"
    return _name_text(head.removeprefix(b"\xef\xbb\xbf"))


def _name_media(head: bytes) -> str:
    """Pictures, RAW and film share a container (ISO/IEC 14496-12); its brands tell them apart."""
    brand = head[8:12]
    if brand in (b"mif1", b"msf1", b"miaf"):
        size = min(int.from_bytes(head[:4], "big"), len(head))
        others = {head[at : at + 4] for at in range(16, size, 4)}
        return "AVIF" if b"avif" in others else "HEIF"
    return _BRANDS.get(brand, "video (MP4)")


def _name_text(head: bytes) -> str:
    for pattern, name in _MARKUP:
        if pattern.search(head):
            return name
    try:
        head[:-3].decode()  # The last character may be cut.
    except UnicodeDecodeError:
        return ""
    is_text = head and all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in head)
    return "text" if is_text else ""


def read_nclx(content: bytes) -> dict[str, dict[str, int]]:
    """The colours that an AVIF states by numbers (ISO/IEC 14496-12, 12.1.5), as pillow_heif
    gives them in ``image.info``; Pillow doesn't."""
    _, _, values = content.partition(b"colrnclx")
    if len(values) < 4:
        return {}
    primaries, transfer = int.from_bytes(values[:2], "big"), int.from_bytes(values[2:4], "big")
    return {"nclx_profile": {"color_primaries": primaries, "transfer_characteristics": transfer}}
