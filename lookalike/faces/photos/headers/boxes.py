"""The boxes of ISO/IEC 14496-12, 4.2, of which HEIF and AVIF are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lookalike.faces.errors import UnreadablePhoto
from lookalike.faces.photos.headers.source import Source


class Box(NamedTuple):
    """A kind, and where the content begins and ends in the file."""

    kind: bytes
    at: int
    end: int

    def skip(self, count: int) -> Box:
        return self._replace(at=self.at + count)


def walk_boxes(source: Source, within: Box | None = None) -> Iterator[Box]:
    """The boxes of the file, or of a box. Raises UnreadablePhoto where one reaches past its end."""
    at, end = (within.at, within.end) if within else (0, source.size)
    while end - at >= 8:
        source.step()
        head = source.read(at, 8)
        size, begin = int.from_bytes(head[:4], "big"), at + 8
        if size == 1:
            size, begin = source.number(at + 8, 8), at + 16
        box_end = at + size if size else end
        if not begin <= box_end <= end:
            raise UnreadablePhoto("a box of the file reaches past its end")
        yield Box(head[4:], begin, box_end)
        at = box_end


def find_box(source: Source, within: Box | None, *path: bytes) -> Box | None:
    """The first box of the first kind, in it the first of the second, and so on."""
    found = within
    for kind in path:
        found = next((box for box in walk_boxes(source, found) if box.kind == kind), None)
        if found is None:
            return None
    return found
