"""Finding faces: MTCNN's three networks in a cascade that looks for large faces first.

The networks are facenet-pytorch's; the cascade around them is our own. P-Net proposes
windows, R-Net sorts most of them out, O-Net confirms the rest and marks the landmarks.
A photo for a look-alike search is about its largest face, so that the search goes from
coarse to fine, and ends at a quarter of the largest face found: the small sizes, which cost
most and hold the passers-by, are looked at only where nobody larger is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.networks import load_network
from lookalike.faces.pyramid import Layout, Picture, plan_layout
from lookalike.faces.types import Box, Detection, Pixels

Floats = NDArray[np.float32]

_BANDS = (7.0, 14.0, 28.0)
"""Where each round of the search ends: faces of the picture's mean side through these."""

_MOST_PROPOSALS = 200
"""Of more windows than this only the best go on; a crowd of 40 stays under it."""

_SEARCHED_SHARE = 0.25
"""Faces under this share of the largest one's size are not searched for."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least confidence (0 to 1) at which a candidate passes each network."""

    proposal: float = 0.6
    refinement: float = 0.7
    confirmation: float = 0.8


class MtcnnDetector:
    """Finds faces of at least ``min_face`` pixels, largest first.

    The networks are exported once into ``cache_dir`` and run on ``threads`` threads of the
    CPU, or in torch on a ``device`` such as "cuda". Raises WeightsMissing or DeviceMissing.
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        threads: int = 1,
        device: str = "cpu",
        min_face: float = 20.0,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._propose_net, self._refine_net, self._confirm_net = (
            load_network(name, cache_dir, threads=threads, device=device)
            for name in ("pnet", "rnet", "onet")
        )
        self._min_face = min_face
        limits = thresholds or Thresholds()
        self._floors = [
            _log_odds(p) for p in (limits.proposal, limits.refinement, limits.confirmation)
        ]

    def detect(self, pixels: Pixels) -> list[Detection]:
        """Every face worth analysing, largest first; an empty list when there is none.

        ``pixels`` is (height, width, 3) uint8 of any size. Boxes may reach past the edge.
        """
        faces = self._search(Picture(pixels))
        if not len(faces):
            faces = self._search_frame_filling(pixels)
        return [_as_detection(row) for row in faces]

    def _search(self, picture: Picture) -> Floats:
        """(n, 15) rows of faces, largest first: box, log-odds, landmarks as x, y pairs."""
        found = np.empty((0, 15), np.float32)
        mean_side = (picture.width * picture.height) ** 0.5
        largest = float(mean_side * 2)
        for parts in _BANDS:
            smallest = max(mean_side / parts, self._min_face)
            if len(found):
                smallest = max(smallest, _SEARCHED_SHARE * float(_sides(found).max()))
            if smallest >= largest:
                break
            found = _merge(found, self._search_band(picture, smallest, largest, found))
            largest = smallest
        return found[np.argsort(-_areas(found), kind="stable")]

    def _search_band(
        self, picture: Picture, smallest: float, largest: float, known: Floats
    ) -> Floats:
        layout = plan_layout(picture.width, picture.height, smallest, largest)
        if layout is None:
            return np.empty((0, 15), np.float32)
        squares = self._propose(picture, layout)
        squares = squares[~_lies_within(squares, known)]
        return self._confirm(picture, self._refine(picture, squares))

    def _propose(self, picture: Picture, layout: Layout) -> Floats:
        """(n, 4) squares that P-Net takes for faces, few where they overlap."""
        found = self._propose_net(picture.draw(layout))[0].reshape(5, -1)
        odds = found[0, layout.cells]
        passed = np.flatnonzero(odds > self._floors[0])
        if len(passed) > _MOST_PROPOSALS:
            passed = passed[np.argpartition(-odds[passed], _MOST_PROPOSALS)[:_MOST_PROPOSALS]]
        windows = layout.windows[passed]
        kept = suppress(windows, odds[passed], 0.6)
        corrections = found[1:, layout.cells[passed[kept]]].T
        return _square(_correct(windows[kept], corrections))

    def _refine(self, picture: Picture, squares: Floats) -> Floats:
        """(m, 4) squares out of ``squares`` that R-Net takes for faces, drawn closer."""
        if not len(squares):
            return squares
        found = self._refine_net(picture.cut(squares, 24))[0]
        passed = np.flatnonzero(found[:, 0] > self._floors[1])
        passed = passed[suppress(squares[passed], found[passed, 0], 0.7)]
        return _square(_correct(squares[passed], found[passed, 1:]))

    def _confirm(self, picture: Picture, squares: Floats) -> Floats:
        """(k, 15) rows for those of ``squares`` that O-Net takes for faces."""
        if not len(squares):
            return np.empty((0, 15), np.float32)
        found = self._confirm_net(picture.cut(squares, 48))[0]
        passed = found[:, 0] > self._floors[2]
        squares, found = squares[passed], found[passed]
        sides = squares[:, 2:3] - squares[:, 0:1]
        rows = np.empty((len(squares), 15), np.float32)
        rows[:, :4] = _correct(squares, found[:, 1:5])
        rows[:, 4] = found[:, 0]
        rows[:, 5::2] = squares[:, 0:1] + found[:, 5:10] * sides
        rows[:, 6::2] = squares[:, 1:2] + found[:, 10:15] * sides
        return rows[suppress(rows[:, :4], rows[:, 4], 0.7, of_smaller=True)]

    def _search_frame_filling(self, pixels: Pixels) -> Floats:
        """A face as large as the frame shows itself once there is room around it."""
        height, width = pixels.shape[:2]
        margin = max(height, width) // 4
        padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), constant_values=127)
        smallest = max(min(height, width) * 0.5, self._min_face)
        rows = self._search_band(
            Picture(padded), smallest, 4.0 * max(height, width), np.empty((0, 15), np.float32)
        )
        rows[:, :4] -= margin
        rows[:, 5:] -= margin
        return rows[np.argsort(-_areas(rows), kind="stable")]


def suppress(
    boxes: Floats, scores: Floats, limit: float, *, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Positions of the boxes to keep, best score first: of two that overlap by more than
    ``limit`` of their union (or ``of_smaller`` of the smaller one), only the better."""
    order = np.argsort(-scores, kind="stable")
    covered = _overlaps(boxes[order], boxes[order], of_smaller=of_smaller) > limit
    kept = []
    open_to = np.ones(len(order), bool)
    for position in range(len(order)):
        if open_to[position]:
            kept.append(position)
            open_to &= ~covered[position]
    return order[kept]


def _overlaps(some: Floats, others: Floats, *, of_smaller: bool) -> Floats:
    """(len(some), len(others)) shares that the boxes have in common, 0 to 1."""
    starts = np.maximum(some[:, None, :2], others[None, :, :2])
    ends = np.minimum(some[:, None, 2:4], others[None, :, 2:4])
    sides = np.maximum(ends - starts, 0)
    shared = sides[..., 0] * sides[..., 1]
    areas, other_areas = _areas(some)[:, None], _areas(others)[None]
    whole = np.minimum(areas, other_areas) if of_smaller else areas + other_areas - shared
    result: Floats = shared / np.maximum(whole, np.float32(1e-6))
    return result


def _lies_within(squares: Floats, known: Floats) -> NDArray[np.bool_]:
    """Which ``squares`` show a part of a face that is ``known``."""
    return (_overlaps(squares, known, of_smaller=True) > 0.7).any(axis=1)


def _merge(found: Floats, more: Floats) -> Floats:
    both = np.concatenate([found, more])
    return both[suppress(both[:, :4], both[:, 4], 0.7, of_smaller=True)] if len(found) else more


def _correct(boxes: Floats, shares: Floats) -> Floats:
    """``boxes`` with each edge moved by its share of the box's side."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + shares * np.concatenate([sides, sides], axis=1)


def _square(boxes: Floats) -> Floats:
    """Squares around the same centres, as large as the boxes' longer sides."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def _areas(boxes: Floats) -> Floats:
    result: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return result


def _sides(boxes: Floats) -> Floats:
    result: Floats = np.sqrt(_areas(boxes))
    return result


def _log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _as_detection(row: Floats) -> Detection:
    confidence = 1 / (1 + np.exp(-float(row[4])))
    return Detection(Box(*row[:4].tolist()), row[5:].reshape(5, 2).copy(), float(confidence))
