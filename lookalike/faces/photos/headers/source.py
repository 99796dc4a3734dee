"""The bytes that a walk through a file may look at."""

from __future__ import annotations

import io
import re
from typing import IO

from lookalike.faces.errors import UnreadablePhoto

MAX_STEPS = 2_000
"""Markers, chunks, boxes or blocks of a file that a look at its header goes through."""

MAX_LOOKED = 4_000_000
"""Bytes that it reads; what it steps over isn't read."""

_BLOCK = 65_536


class TooLong(UnreadablePhoto):
    """The walk has come to its bounds."""


class Source:
    """A file, of which at most ``max_looked`` bytes are read in MAX_STEPS steps.

    Every read is at a place of the file, and gives all of the bytes asked for or raises
    UnreadablePhoto. An OSError of the disk passes.
    """

    def __init__(self, file: IO[bytes], *, max_looked: int = MAX_LOOKED) -> None:
        self.size = file.seek(0, io.SEEK_END)
        self._file = file
        self._steps = MAX_STEPS
        self._looked = max_looked

    def step(self) -> None:
        """Count a step of the walk. Raises TooLong."""
        self._steps -= 1
        if self._steps < 0:
            raise TooLong("the file has too many parts")

    def read(self, at: int, count: int) -> bytes:
        """``count`` bytes from ``at``. Raises UnreadablePhoto if there are fewer, and TooLong."""
        data = self.read_some(at, count)
        if len(data) < count:
            raise UnreadablePhoto("the file stops early")
        return data

    def read_some(self, at: int, count: int) -> bytes:
        """At most ``count`` bytes from ``at``: fewer at the end of the file. Raises TooLong."""
        count = max(0, min(count, self.size - at))
        if count > self._looked:
            raise TooLong("the file has too much before its pixels")
        self._looked -= count
        self._file.seek(at)
        return self._file.read(count)

    def number(self, at: int, count: int) -> int:
        """The big-endian number in ``count`` bytes from ``at``."""
        return int.from_bytes(self.read(at, count), "big")

    def find(self, pattern: re.Pattern[bytes], at: int) -> int:
        """Where ``pattern``, which matches two bytes, is found from ``at``; -1 if it isn't.
        Raises TooLong."""
        while at < self.size - 1:
            block = self.read_some(at, _BLOCK)
            if found := pattern.search(block):
                # What follows is looked at again, and only once.
                self._looked += len(block) - found.end()
                return at + found.start()
            at += len(block) - 1
        return -1


def open_whole(content: bytes) -> Source:
    """A source for as many steps, which may read all of the file, as a worker may."""
    return Source(io.BytesIO(content), max_looked=3 * len(content) + _BLOCK)
