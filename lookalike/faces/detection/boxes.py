"""What the detector's cascade does with boxes: (n, 4) float32 of left, top, right, bottom.

Arrays with more columns may be given where the first four are these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SAME_PLACE = 0.6
"""Of the smaller box. Two heads side by side overlap by less."""


def keep_best(
    boxes: Floats, scores: Floats, limit: float, *, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Positions of the boxes to keep, best score first.

    Of two that overlap by more than ``limit`` (0 to 1) of their union, or ``of_smaller`` of
    the smaller one, only the one of the better score is kept (non-maximum suppression).
    """
    order = np.argsort(-scores, kind="stable")
    covers = find_overlaps(boxes[order], boxes[order], of_smaller=of_smaller) > limit
    kept = []
    is_open = np.ones(len(order), bool)
    for position in range(len(order)):
        if is_open[position]:
            kept.append(position)
            is_open &= ~covers[position]
    return order[kept]


def find_overlaps(some: Floats, others: Floats, *, of_smaller: bool = False) -> Floats:
    """(len(some), len(others)) shares, 0 to 1, of the boxes' unions that they have in common,
    or ``of_smaller`` of the smaller box."""
    # One plane for each edge: an inner axis of two would take several times as long.
    left, top, right, bottom = some.T[:4, :, None]
    other_left, other_top, other_right, other_bottom = others.T[:4, None]
    across = np.minimum(right, other_right) - np.maximum(left, other_left)
    down = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    areas, other_areas = find_areas(some)[:, None], find_areas(others)[None]
    whole = np.minimum(areas, other_areas) if of_smaller else areas + other_areas - shared
    overlaps: Floats = shared / np.maximum(whole, np.float32(1e-6))
    return overlaps


def lie_within(squares: Floats, faces: Floats) -> NDArray[np.bool_]:
    """Which ``squares`` show mostly a part of one of ``faces``, or hold one."""
    overlaps = find_overlaps(squares, faces, of_smaller=True)
    within: NDArray[np.bool_] = np.any(overlaps > _SAME_PLACE, axis=1)
    return within


def correct_edges(boxes: Floats, shares: Floats) -> Floats:
    """``boxes`` with each edge moved by its share of the box's width or height."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    corrected: Floats = boxes[:, :4] + shares * np.concatenate([sides, sides], axis=1)
    return corrected


def make_square(boxes: Floats) -> Floats:
    """Squares around the same centres, as large as the boxes' longer sides."""
    centres = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def find_areas(boxes: Floats) -> Floats:
    areas: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas
