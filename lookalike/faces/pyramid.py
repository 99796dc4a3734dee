"""A picture in many sizes: packed for P-Net's search, and cut for the nets after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.faces.types import Pixels

WINDOW = 12
"""P-Net looks for faces that fill 12 x 12 pixels."""

STRIDE = 2

FACTOR = 0.709
"""Each level's size is this share of the one above it: the area halves."""

_RESAMPLING = Image.Resampling.BOX

_GREY = (127, 127, 127)
"""What lies past the picture's edge; nearly 0 to the networks."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the levels of a search lie on one canvas, so that P-Net runs once for all.

    ``levels`` are (left, top, width, height) on the canvas. ``cells`` are the positions in
    P-Net's flattened output whose window lies within one level, and ``windows`` (n, 4) is
    each one's left, top, right, bottom in pixels of the picture.
    """

    width: int
    height: int
    levels: tuple[tuple[int, int, int, int], ...]
    cells: NDArray[np.intp]
    windows: NDArray[np.float32]


@lru_cache(maxsize=256)
def plan_layout(width: int, height: int, smallest: float, largest: float) -> Layout | None:
    """The canvas on which faces of ``smallest`` up to about ``largest`` pixels are searched
    in a picture of ``width`` x ``height``; None where no level is left to search."""
    sizes = list(_list_levels(width, height, smallest, largest))
    if not sizes:
        return None
    canvas_height = sizes[0][1]
    columns: list[list[int]] = []  # left, width, filled height
    levels = []
    right = 0
    for level_width, level_height in sizes:
        for column in columns:
            if column[2] + level_height <= canvas_height:
                break
        else:
            column = [right, level_width, 0]
            columns.append(column)
            right += level_width + level_width % STRIDE
        levels.append((column[0], column[2], level_width, level_height))
        column[2] += level_height + level_height % STRIDE
    canvas_height = max(column[2] for column in columns)
    return _place_windows(width, height, right, canvas_height, tuple(levels))


def _list_levels(
    width: int, height: int, smallest: float, largest: float
) -> Iterator[tuple[int, int]]:
    face = smallest
    while face < largest:
        scale = WINDOW / face
        size = round(width * scale), round(height * scale)
        if min(size) < WINDOW:
            return
        yield size
        face /= FACTOR


def _place_windows(
    width: int,
    height: int,
    canvas_width: int,
    canvas_height: int,
    levels: tuple[tuple[int, int, int, int], ...],
) -> Layout:
    columns = (canvas_width - 1) // STRIDE - 4  # What is left after P-Net's convolutions.
    cells, windows = [], []
    for left, top, level_width, level_height in levels:
        # A level of odd size may have one window that reaches a pixel past its end.
        x = np.arange(0, level_width - WINDOW + 2, STRIDE)
        y = np.arange(0, level_height - WINDOW + 2, STRIDE)
        cells.append(((top + y[:, None]) // STRIDE * columns + (left + x) // STRIDE).ravel())
        across, down = width / level_width, height / level_height
        grid = np.empty((len(y), len(x), 4), np.float32)
        grid[..., 0], grid[..., 2] = x * across, (x + WINDOW) * across
        grid[..., 1], grid[..., 3] = y[:, None] * down, (y[:, None] + WINDOW) * down
        windows.append(grid.reshape(-1, 4))
    return Layout(
        canvas_width, canvas_height, levels, np.concatenate(cells), np.concatenate(windows)
    )


class Picture:
    """Pixels with halved copies of them, each made when it is first needed."""

    def __init__(self, pixels: Pixels) -> None:
        self.height, self.width = pixels.shape[:2]
        self._halved = [Image.fromarray(pixels)]

    def draw(self, layout: Layout) -> Pixels:
        """(1, height, width, 3): all levels of ``layout`` on one canvas."""
        canvas = Image.new("RGB", (layout.width, layout.height), _GREY)
        for left, top, width, height in layout.levels:
            source, times = self._copy_for(min(self.width / width, self.height / height))
            whole = (0, 0, self.width / times, self.height / times)
            level = source.resize((width, height), Image.Resampling.BOX, whole)
            canvas.paste(level, (left, top))
        return np.asarray(canvas)[None]

    def cut(self, squares: NDArray[np.float32], side: int) -> Pixels:
        """(n, side, side, 3): each of the (n, 4) ``squares`` at that size, grey where they
        reach past the edge."""
        strip = Image.new("RGB", (side, side * len(squares)), _GREY)
        for number, (left, top, right, bottom) in enumerate(squares.tolist()):
            source, times = self._copy_for((right - left) / side)
            inside = (
                max(left, 0.0) / times,
                max(top, 0.0) / times,
                min(right, self.width) / times,
                min(bottom, self.height) / times,
            )
            pixel = (right - left) / times / side
            x, x_end = _span(inside[0], inside[2], left / times, pixel, side)
            y, y_end = _span(inside[1], inside[3], top / times, pixel, side)
            if x < x_end and y < y_end:
                size = (x_end - x, y_end - y)
                strip.paste(source.resize(size, _RESAMPLING, inside), (x, number * side + y))
        return np.asarray(strip).reshape(len(squares), side, side, 3)

    def _copy_for(self, shrink: float) -> tuple[Image.Image, int]:
        """The smallest copy that is no smaller than 1 / ``shrink``, and how many times
        smaller than the picture it is. Resizing from there reads few pixels."""
        level = max(int(np.log2(max(shrink, 1.0))), 0)
        while len(self._halved) <= level:
            self._halved.append(self._halved[-1].reduce(2))
        return self._halved[level], 2**level


def _span(start: float, end: float, origin: float, pixel: float, side: int) -> tuple[int, int]:
    """Which of a crop's ``side`` pixels lie between ``start`` and ``end`` of the picture."""
    return max(round((start - origin) / pixel), 0), min(round((end - origin) / pixel), side)
