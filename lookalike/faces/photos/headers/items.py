"""The items of a HEIF or AVIF, and which properties they have (ISO/IEC 14496-12, 8.11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.headers.boxes import Box, find_box, walk_boxes
from lookalike.faces.photos.headers.source import Source

_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


@dataclass
class Items:
    """``primary`` is the number of the item to show, ``tiles`` of how many it is made at most."""

    primary: int
    tiles: int = 1
    has_alpha: bool = False
    properties: list[Box] = field(default_factory=list)
    owned: dict[int, list[int]] = field(default_factory=dict)
    """By item: the places, from 1, of its properties, in order."""

    def properties_of(self, item: int) -> Iterator[Box]:
        for place in self.owned.get(item, []):
            if 0 < place <= len(self.properties):
                yield self.properties[place - 1]


def read_items(source: Source) -> Items:
    """Raises UnreadablePhoto."""
    meta = find_box(source, None, b"meta")
    boxes = {box.kind: box for box in walk_boxes(source, meta.skip(4))} if meta else {}
    if b"pitm" not in boxes or b"iprp" not in boxes:
        raise UnreadablePhoto("the file names no picture to show")
    at = boxes[b"pitm"].at
    items = Items(primary=source.number(at + 4, 4 if source.number(at, 1) else 2))
    for box in walk_boxes(source, boxes[b"iprp"]):
        if box.kind == b"ipco":
            items.properties += walk_boxes(source, box)
        elif box.kind == b"ipma":
            _read_owned(source, box, items)
    if b"iref" in boxes:
        _read_references(source, boxes[b"iref"], items)
    return items


def _read_owned(source: Source, box: Box, items: Items) -> None:
    data = source.read(box.at, box.end - box.at)
    id_bytes, place_bytes = (
        4 if data[:1] > b"\0" else 2,
        2 if data[3:4] > b"\0" and data[3] & 1 else 1,
    )
    at = 8
    for _ in range(int.from_bytes(data[4:8], "big")):
        source.step()
        item, at = int.from_bytes(data[at : at + id_bytes], "big"), at + id_bytes + 1
        end = at + place_bytes * (data[at - 1] if at <= len(data) else 0)
        if at > len(data) or end > len(data):
            raise UnreadablePhoto("the file's list of properties stops early")
        places = [
            int.from_bytes(data[i : i + place_bytes], "big") for i in range(at, end, place_bytes)
        ]
        # The highest bit says whether a reader must know the property.
        items.owned[item] = [place & (0x7FFF if place_bytes == 2 else 0x7F) for place in places]
        at = end


def _read_references(source: Source, box: Box, items: Items) -> None:
    id_bytes = 4 if source.number(box.at, 1) else 2
    for kind, at, _end in walk_boxes(source, box.skip(4)):
        start = source.number(at, id_bytes)
        if kind == b"dimg":
            items.tiles = max(items.tiles, source.number(at + id_bytes, 2))
        elif kind == b"auxl" and source.number(at + id_bytes + 2, id_bytes) == items.primary:
            items.has_alpha |= _is_alpha(source, items, start)


def _is_alpha(source: Source, items: Items, item: int) -> bool:
    stated = (box for box in items.properties_of(item) if box.kind == b"auxC")
    return any(source.read_some(box.at + 4, 50).startswith(_ALPHA) for box in stated)
