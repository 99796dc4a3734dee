"""An image pyramid packed on one canvas for P-Net, and crops for R-Net and O-Net."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.faces.detection.boxes import Floats
from lookalike.faces.photos.images import as_image
from lookalike.faces.types import Pixels

Level = tuple[int, int, int, int]
"""Left, top, width, height on the canvas."""

_WINDOW = 12
_STRIDE = 2
"""P-Net's receptive field, which a face should fill, and its stride, in pixels."""

_FACTOR = 0.709
"""Ratio of the sides of successive levels; the area halves."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of all levels on one canvas of ``width`` x ``height``, so that P-Net runs once.

    ``across`` and ``down`` are the picture's width and height.
    """

    across: int
    down: int
    width: int
    height: int
    levels: tuple[Level, ...]

    def find_windows(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], Floats]:
        """Positions of P-Net's outputs, given by ``rows`` and ``columns``, whose window lies
        within one level, and these (n, 4) windows in pixels of the picture."""
        left, top, width, height = np.array(self.levels).T
        x = columns[:, None] * _STRIDE - left
        y = rows[:, None] * _STRIDE - top
        # A window may reach one pixel past the end of a level of odd size.
        inside = (x >= 0) & (y >= 0) & (x < width - _WINDOW + 2) & (y < height - _WINDOW + 2)
        positions, levels = np.nonzero(inside)
        starts = np.stack([x[inside], y[inside]], axis=1)
        scales = np.stack([self.across / width, self.down / height], axis=1)[levels]
        windows = np.concatenate([starts * scales, (starts + _WINDOW) * scales], axis=1)
        return positions, windows.astype(np.float32)


def plan_layout(across: int, down: int, smallest: float, largest: float) -> Layout | None:
    """The canvas to search for faces of ``smallest`` up to about ``largest`` pixels in a
    picture of ``across`` x ``down``, or None if no level is large enough.

    Levels are packed first-fit into columns, which fills about nine tenths of the canvas.
    """
    sizes = []
    face = smallest
    while face < largest:
        size = round(across * _WINDOW / face), round(down * _WINDOW / face)
        if min(size) < _WINDOW:
            break
        sizes.append(size)
        face /= _FACTOR
    return _pack(across, down, sizes) if sizes else None


def _pack(across: int, down: int, sizes: list[tuple[int, int]]) -> Layout:
    columns: list[list[int]] = []  # left, filled height
    levels = []
    width, height = 0, _even(sizes[0][1])
    for level_width, level_height in sizes:
        column = next((each for each in columns if each[1] + level_height <= height), None)
        if column is None:
            column = [width, 0]
            columns.append(column)
            width += _even(level_width)
        levels.append((column[0], column[1], level_width, level_height))
        column[1] += _even(level_height)
    return Layout(across, down, width, height, tuple(levels))


def _even(length: int) -> int:
    """Levels begin at even positions, as P-Net's windows do."""
    return length + length % _STRIDE


class Picture:
    """A picture with halved copies, each made when first needed."""

    def __init__(self, pixels: Pixels) -> None:
        self.height, self.width = pixels.shape[:2]
        self._halved = [as_image(pixels)]

    def draw(self, layout: Layout) -> Pixels:
        """(1, height, width, 3): all levels of ``layout`` on one canvas."""
        canvas = _make_grey(layout.width, layout.height)
        for left, top, width, height in layout.levels:
            source, times = self._copy_for(min(self.width / width, self.height / height))
            whole = (0, 0, self.width / times, self.height / times)
            level = source.resize((width, height), Image.Resampling.BOX, whole)
            canvas.paste(level, (left, top))
        return np.asarray(canvas)[None]

    def cut(self, squares: Floats, side: int) -> Pixels:
        """(n, side, side, 3): the (n, 4) ``squares`` resized, grey beyond the edge."""
        strip = _make_grey(side, side * len(squares))
        for number, (left, top, right, bottom) in enumerate(squares.tolist()):
            pixel = (right - left) / side
            source, times = self._copy_for(pixel)
            x, x_end = _find_span(left, pixel, side, self.width)
            y, y_end = _find_span(top, pixel, side, self.height)
            if x >= x_end or y >= y_end:
                continue
            part = (
                max(left, 0.0) / times,
                max(top, 0.0) / times,
                min(right, self.width) / times,
                min(bottom, self.height) / times,
            )
            crop = source.resize((x_end - x, y_end - y), Image.Resampling.BOX, part)
            strip.paste(crop, (x, number * side + y))
        return np.asarray(strip).reshape(len(squares), side, side, 3)

    def with_room(self, side: int) -> tuple[Picture, int, int]:
        """A smaller copy inside a grey border, how many times smaller it is, and the border's
        width in its pixels. Its longer side is at least ``side`` if the picture's is."""
        small, times = self._copy_for(max(self.width, self.height) / side)
        room = max(small.size) // 4
        canvas = _make_grey(small.width + 2 * room, small.height + 2 * room)
        canvas.paste(small, (room, room))
        return Picture(np.asarray(canvas)), times, room

    def _copy_for(self, shrink: float) -> tuple[Image.Image, int]:
        """The smallest copy that is at least 1 / ``shrink`` of the picture, and how many times
        smaller it is. Resizing from it reads fewer pixels."""
        level = max(math.frexp(shrink)[1] - 1, 0)
        while len(self._halved) <= level:
            self._halved.append(self._halved[-1].reduce(2))
        return self._halved[level], 2**level


def _make_grey(width: int, height: int) -> Image.Image:
    # Close to 0 for the networks.
    return Image.new("RGB", (width, height), (127, 127, 127))


def _find_span(start: float, pixel: float, side: int, end: int) -> tuple[int, int]:
    """The range of a crop's ``side`` pixels, each ``pixel`` long and the first at ``start``,
    that lie between 0 and ``end`` of the picture."""
    return max(round(-start / pixel), 0), min(round((end - start) / pixel), side)
