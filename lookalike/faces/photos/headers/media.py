"""HEIF and AVIF (ISO/IEC 23008-12; AVIF 1.1): the primary item, or an animation's first track."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.headers.boxes import Box, find_box, walk_boxes
from lookalike.faces.photos.headers.header import Header
from lookalike.faces.photos.headers.items import read_items
from lookalike.faces.photos.headers.source import Source

_TURNS = (1, 8, 3, 6)
"""EXIF's orientation by quarter turns to the left."""
_MIRRORED = ((4, 5, 2, 7), (2, 7, 4, 5))
"""The same, mirrored after that along axis 0 (top and bottom change places) or 1."""

_SAMPLE_ENTRY = 78
"""Bytes of a visual sample entry before its boxes (ISO/IEC 14496-12, 12.1.3)."""


def read_heif(source: Source) -> Header:
    """Raises UnreadablePhoto."""
    return _read_primary(source, Header("HEIF", 0, 0))


def read_avif(source: Source) -> Header:
    """Raises UnreadablePhoto."""
    header = Header("AVIF", 0, 0)
    if source.read(8, 4) == b"avis" and (moov := find_box(source, None, b"moov")):
        for track in walk_boxes(source, moov):
            if track.kind == b"trak" and not find_box(source, track, b"tref", b"auxl"):
                return _read_track(source, track, header)
    return _read_primary(source, header)


def _read_primary(source: Source, header: Header) -> Header:
    items = read_items(source)
    mode = "RGBA" if items.has_alpha else "RGB"
    header = replace(header, mode=mode, tiles=items.tiles)
    return _apply(source, items.properties_of(items.primary), header)


def _read_track(source: Source, track: Box, header: Header) -> Header:
    head = find_box(source, track, b"tkhd")
    table = find_box(source, track, b"mdia", b"minf", b"stbl")
    sizes = find_box(source, table, b"stsz") if table else None
    kinds = find_box(source, table, b"stsd") if table else None
    if not head or not sizes or not kinds:
        raise UnreadablePhoto("the animation has no pictures")
    at = head.at + (88 if source.number(head.at, 1) else 76)
    header = replace(
        header,
        width=source.number(at, 4) >> 16,
        height=source.number(at + 4, 4) >> 16,
        frames=max(1, source.number(sizes.at + 8, 4)),
    )
    entry = next(walk_boxes(source, kinds.skip(8)), None)
    return _apply(source, walk_boxes(source, entry.skip(_SAMPLE_ENTRY)) if entry else (), header)


def _apply(source: Source, properties: Iterable[Box], header: Header) -> Header:
    """``header`` with a picture's properties. A HEIF's decoder crops and turns by itself."""
    width, height, turns, axis = header.width, header.height, 0, None
    is_turned = header.format == "HEIF"
    depth = header.depth
    for kind, at, end in properties:
        if kind == b"ispe":
            width, height = source.number(at + 4, 4), source.number(at + 8, 4)
        elif kind == b"pixi" and end > at + 5:
            depth = source.number(at + 5, 1)
        elif kind == b"clap" and is_turned:
            width, height = _divide(source, at), _divide(source, at + 8)
        elif kind == b"irot":
            turns = source.number(at, 1) & 3
            if is_turned and turns % 2:
                width, height = height, width
        elif kind == b"imir":
            axis = source.number(at, 1) & 1
    orientation = _TURNS[turns] if axis is None else _MIRRORED[axis][turns]
    orientation = 1 if is_turned else orientation
    return replace(header, width=width, height=height, depth=depth, orientation=orientation)


def _divide(source: Source, at: int) -> int:
    """The fraction of two numbers, rounded; 0 if it is none."""
    above, below = source.number(at, 4), source.number(at + 4, 4)
    return (above + below // 2) // below if below else 0
