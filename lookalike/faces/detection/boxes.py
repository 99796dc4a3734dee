"""Arrays of boxes: (n, 4) float32 of left, top, right, bottom. Further columns are ignored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def keep_best(
    boxes: Floats, scores: Floats, limit: float, *, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Non-maximum suppression: positions of the boxes to keep, best score first.

    A box is dropped if its IoU (or with ``of_smaller``, the intersection over the smaller
    box) with a better one is above ``limit``.
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
    """(len(some), len(others)) IoU, 0 to 1, or intersection over the smaller box."""
    # One array per edge is several times as fast as an inner axis of two.
    left, top, right, bottom = some.T[:4, :, None]
    other_left, other_top, other_right, other_bottom = others.T[:4, None]
    across = np.minimum(right, other_right) - np.maximum(left, other_left)
    down = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    areas, other_areas = find_areas(some)[:, None], find_areas(others)[None]
    whole = np.minimum(areas, other_areas) if of_smaller else areas + other_areas - shared
    return np.asarray(shared / np.maximum(whole, np.float32(1e-6)))


def lie_within(squares: Floats, faces: Floats) -> NDArray[np.bool_]:
    """Which ``squares`` mostly lie inside one of ``faces``, or contain one."""
    # Two heads side by side overlap by less than 0.6.
    return np.asarray(np.any(find_overlaps(squares, faces, of_smaller=True) > 0.6, axis=1))


def correct_edges(boxes: Floats, shares: Floats) -> Floats:
    """Move each edge by its share of the box's width or height."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    return np.asarray(boxes[:, :4] + shares * np.concatenate([sides, sides], axis=1))


def make_square(boxes: Floats) -> Floats:
    """Squares with the same centres and the boxes' longer sides."""
    centres = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def find_areas(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
