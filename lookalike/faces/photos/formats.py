"""What a file is, by its first bytes: neither its name nor its stated type is believed."""

from __future__ import annotations

import re

HEAD_BYTES = 1024
"""How much of a file's beginning `name_format` looks at."""

ACCEPTED_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")
"""Pillow's names of the formats a photo may have; an MPO is read as the JPEG it begins with."""

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"\x00\x00\x01\x00", "icon (ICO)"),
    (b"\x00\x00\x02\x00", "cursor (CUR)"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"FUJIFILMCCD-RAW", "camera RAW"),
    (b"IIU\x00", "camera RAW"),
    (b"IIRO", "camera RAW"),
    (b"IIRS", "camera RAW"),
    (b"MMOR", "camera RAW"),
    (b"FOVb", "camera RAW"),
    (b"\x00MRM", "camera RAW"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"gimp xcf", "GIMP (XCF)"),
    (b"qoif", "QOI"),
    (b"PK\x03\x04", "ZIP"),
    (b"PK\x05\x06", "ZIP"),
    (b"\x1f\x8b", "GZIP"),
    (b"BZh", "BZIP2"),
    (b"\xfd7zXZ\x00", "XZ"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"\x1aE\xdf\xa3", "video (WebM or Matroska)"),
    (b"FLV\x01", "video (FLV)"),
    (b"\x00\x00\x01\xba", "video (MPEG)"),
    (b"\x00\x00\x01\xb3", "video (MPEG)"),
    (b"OggS", "Ogg"),
    (b"ID3", "MP3"),
    (b"fLaC", "FLAC"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document"),
    (b"{\\rtf", "RTF"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"BM", "BMP"),
)

_RIFF_KINDS = {b"WEBP": "WEBP", b"AVI ": "video (AVI)", b"WAVE": "WAV"}

_MARKUP = (
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), "SVG"),
    (re.compile(rb"<!doctype html|<html|<head|<body", re.IGNORECASE), "HTML"),
    (re.compile(rb"^\s*<\?xml"), "XML"),
)


def name_format(head: bytes) -> str:
    """The format of a file that begins with ``head`` (up to HEAD_BYTES of it).

    One of ACCEPTED_FORMATS, or a name to tell a person ("PDF", "camera RAW"), or "" where
    the bytes are like nothing known.
    """
    if head[4:8] == b"ftyp":
        return _name_media(head)
    if head[:4] == b"RIFF":
        return _RIFF_KINDS.get(head[8:12], "RIFF")
    if head[:4] == b"II*\x00" and head[8:10] == b"CR":
        return "camera RAW"
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "video (MOV)"
    return _name_text(head.removeprefix(b"\xef\xbb\xbf"))


def _name_media(head: bytes) -> str:
    """Tell the files of ISO/IEC 14496-12 apart by their brands: pictures, RAW and film."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brand = head[8:12]
    brands = {brand} | {head[at : at + 4] for at in range(16, size, 4)}
    if brand in (b"avif", b"avis"):
        return "AVIF"
    if brand in _HEIF_BRANDS:
        return "HEIF"
    if brand in (b"mif1", b"msf1", b"miaf"):
        return "AVIF" if b"avif" in brands else "HEIF"
    if brand == b"crx ":
        return "camera RAW"
    return "video (MOV)" if brand == b"qt  " else "video (MP4)"


def _name_text(head: bytes) -> str:
    for pattern, name in _MARKUP:
        if pattern.search(head):
            return name
    if head and all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in head):
        try:
            head[:-3].decode()
        except UnicodeDecodeError:
            return ""
        return "text"
    return ""
