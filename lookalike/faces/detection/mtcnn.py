"""MTCNN: three networks in a cascade that searches for large faces first.

P-Net proposes windows, R-Net rejects most of them, O-Net confirms the rest and finds the
landmarks. The search goes from coarse to fine and stops at a quarter of the largest face
found, since small sizes cost most and hold the passers-by. The best window of each face goes
on alone, and the others only if it is rejected.
"""

from __future__ import annotations

import numpy as np

from lookalike.faces.detection.boxes import (
    Floats,
    correct_edges,
    find_areas,
    keep_best,
    lie_within,
    make_square,
)
from lookalike.faces.detection.networks import load_network
from lookalike.faces.detection.pyramid import Picture, plan_layout
from lookalike.faces.runtime import Runtime
from lookalike.faces.types import Box, Detection, Pixels

MIN_FACE = 20.0
"""Least height of a face in pixels; facenet-pytorch's default."""

MIN_CONFIDENCE = 0.8
"""The largest faces of 339 portraits have 0.91 or more, half of them over 0.999."""

_BANDS = (7, 14, 28)
"""Smallest face of each pass, as a divisor of sqrt(width x height)."""

_NO_FACES = np.empty((0, 15), np.float32)

_MOST_PROPOSALS = 300
"""Only the best windows go on to R-Net. Portraits have about 50."""


class MtcnnDetector:
    """Finds faces at least ``min_face`` pixels high with at least ``min_confidence``.

    Raises WeightsMissing or DeviceMissing.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        min_face: float = MIN_FACE,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        self._propose_net, self._refine_net, self._confirm_net = (
            load_network(name, runtime) for name in ("pnet", "rnet", "onet")
        )
        self._min_face = min_face
        # The first two are facenet-pytorch's defaults.
        self._propose_floor, self._refine_floor, self._confirm_floor = map(
            _log_odds, (0.6, 0.7, min_confidence)
        )

    def detect(self, pixels: Pixels) -> list[Detection]:
        """Faces, largest first. ``pixels`` may be of any size; boxes may reach past the edge."""
        picture = Picture(pixels)
        faces = self._search(picture)
        if not len(faces):
            faces = self._search_with_room(picture)
        faces = faces[faces[:, 3] - faces[:, 1] >= self._min_face]
        faces = faces[np.argsort(-find_areas(faces), kind="stable")]
        return [
            Detection(Box(*face[:4].tolist()), face[5:].reshape(5, 2).copy(), _probability(face[4]))
            for face in faces
        ]

    def _search(self, picture: Picture) -> Floats:
        """(n, 15) faces: box, log-odds, landmarks as five pairs of x and y."""
        found = _NO_FACES
        mean_side = (picture.width * picture.height) ** 0.5
        largest = 2 * float(max(picture.width, picture.height))
        for parts in _BANDS:
            smallest = max(mean_side / parts, self._min_face)
            if len(found):
                tallest = float((found[:, 3] - found[:, 1]).max())
                smallest = max(smallest, 0.25 * tallest)
            found = self._search_band(picture, smallest, largest, found)
            largest = smallest
        return found

    def _search_with_room(self, picture: Picture) -> Floats:
        """Search with a grey border, for a face that fills the frame or is cut by it."""
        roomy, times, room = picture.with_room(200)
        smallest = max(min(picture.width, picture.height) / times / 2, self._min_face)
        found = self._search_band(roomy, smallest, roomy.width + roomy.height, _NO_FACES)
        found[:, :4] = (found[:, :4] - room) * times
        found[:, 5:] = (found[:, 5:] - room) * times
        return found

    def _search_band(
        self, picture: Picture, smallest: float, largest: float, known: Floats
    ) -> Floats:
        """``known``, and other faces of ``smallest`` up to ``largest`` pixels."""
        found = known
        for squares in self._propose(picture, smallest, largest):
            squares = squares[~lie_within(squares, found)]
            found = np.concatenate([found, self._confirm(picture, self._refine(picture, squares))])
            found = found[keep_best(found, found[:, 4], 0.7, of_smaller=True)]
        return found

    def _propose(self, picture: Picture, smallest: float, largest: float) -> list[Floats]:
        """(n, 4) squares proposed by P-Net: the best for each face, then the others."""
        layout = plan_layout(picture.width, picture.height, smallest, largest)
        if layout is None:
            return []
        cells = self._propose_net(picture.draw(layout))[0][0]
        rows, columns = np.nonzero(cells[0] > self._propose_floor)
        positions, windows = layout.find_windows(rows, columns)
        found = cells[:, rows[positions], columns[positions]].T
        if len(found) > _MOST_PROPOSALS:
            best = np.argpartition(-found[:, 0], _MOST_PROPOSALS)[:_MOST_PROPOSALS]
            windows, found = windows[best], found[best]
        # Above an IoU of 0.6 windows are duplicates; above 0.3 they show one face, of which the
        # best window goes on first.
        kept = keep_best(windows, found[:, 0], 0.6)
        first = keep_best(windows[kept], found[kept, 0], 0.3)
        squares = make_square(correct_edges(windows, found[:, 1:]))
        return [squares[kept[first]], squares[np.delete(kept, first)]]

    def _refine(self, picture: Picture, squares: Floats) -> Floats:
        """(m, 4): the squares that R-Net accepts, corrected."""
        if not len(squares):
            return squares
        found = self._refine_net(picture.cut(squares, 24))[0]
        passed = np.flatnonzero(found[:, 0] > self._refine_floor)
        passed = passed[keep_best(squares[passed], found[passed, 0], 0.4)]
        return make_square(correct_edges(squares[passed], found[passed, 1:]))

    def _confirm(self, picture: Picture, squares: Floats) -> Floats:
        """(k, 15): the squares that O-Net accepts, as faces (see `_search`)."""
        if not len(squares):
            return _NO_FACES
        found = self._confirm_net(picture.cut(squares, 48))[0]
        passed = found[:, 0] > self._confirm_floor
        squares, found = squares[passed], found[passed]
        left, top, right = squares[:, 0:1], squares[:, 1:2], squares[:, 2:3]
        faces = np.empty((len(squares), 15), np.float32)
        faces[:, :4] = correct_edges(squares, found[:, 1:5])
        faces[:, 4] = found[:, 0]
        faces[:, 5::2] = left + found[:, 5:10] * (right - left)
        faces[:, 6::2] = top + found[:, 10:15] * (right - left)
        return faces


def _log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _probability(log_odds: np.float32) -> float:
    return float(1 / (1 + np.exp(-float(log_odds))))
