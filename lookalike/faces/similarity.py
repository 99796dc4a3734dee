"""A distance as an honest number and in words.

The number says where a distance lies between two fixed points: 0 is two strangers, 100
is two photos of one person, linear between and cut at the ends. It is never a chance of
being somebody: a share of unrelated pairs saturates (the best of 400 people is always
above 99 %), while this number tells a good look-alike from a poor one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.encoders import ENCODERS
from lookalike.faces.types import Scale, Vectors

LEAST_PAIRS: Final = 30
"""Pairs of one person's portraits that a gallery needs before its own median counts."""

LEAST_PEOPLE: Final = 30
"""People that a gallery needs before the median of its pairs of strangers counts."""

LEAST_GAP: Final = 0.05
"""The least distance between the scale's two points; nearer points would make noise look
like likeness."""

MOST_PAIRS: Final = 200_000
"""Pairs looked at for each median: the median of so many is known to about 0.1 %."""

MOST_STEPS: Final = 4
"""A person's portraits are paired with the next four only, so that nobody with hundreds
of portraits decides the median alone."""

SAME_PICTURE: Final = 1e-3
"""Portraits nearer than this are one picture stored twice, which says nothing."""


BANDS: Final[tuple[tuple[float, str], ...]] = (
    (0.0, "hardly alike"),
    (40.0, "a slight resemblance"),
    (50.0, "some resemblance"),
    (60.0, "a strong resemblance"),
    (75.0, "a striking resemblance"),
)
"""(least number, phrase) of each band, rising.

Two trials with the embedded encoder, 255 people (339 studio portraits) and 412 people
(1,205 photos of every kind), gave these percentiles:

    pairs taken at random                     95th: 34 and 39
    best look-alike of someone not among them 5th: 36 and 54, median: 54 and 67, 95th: 71 and 85
    the sixth look-alike                      median: 40 and 53
    two photos of one person                  5th: 78 and 66, median: 100

So below 40 is what chance gives; 40 to 60 is where most look-alikes are, divided at 50; above
60 is better than most people get; above 75 is what one in ten or fewer get.
"""

HARDLY: Final = 0
"""The lowest band: if even the best match is in it, nobody is a strong look-alike."""


def band(number: float) -> int:
    """Which of BANDS a number from 0 to 100 falls in: 0 (hardly alike) to 4 (striking)."""
    return max(sum(number >= least for least, _ in BANDS) - 1, HARDLY)


def phrase(number: float) -> str:
    """The English phrase of a number's band, which is also its translation's key."""
    return BANDS[band(number)][1]


UNKNOWN_ENCODER: Final = Scale(stranger=math.sqrt(2.0), same=math.sqrt(0.5))
"""Unrelated unit vectors of many dimensions are at right angles; half of that is alike."""


def built_in_scale(encoder_name: str) -> Scale:
    """The scale to use until a gallery is large enough for its own."""
    spec = ENCODERS.get(encoder_name)
    return spec.scale if spec else UNKNOWN_ENCODER


@dataclass(frozen=True, slots=True)
class Calibration:
    """A gallery's scale and where its points come from.

    ``stranger_measured`` and ``same_measured`` tell whether each point is this gallery's
    own median or the encoder's built-in value; the pair counts are what was looked at.
    """

    scale: Scale
    stranger_measured: bool
    same_measured: bool
    stranger_pairs: int
    same_pairs: int


def calibrate(vectors: Vectors, celebrity_ids: NDArray[np.int64], encoder_name: str) -> Calibration:
    """Measure the scale on a gallery: (n, d) unit vectors and whose each is, (n,).

    The same gallery gives the same scale. Where the measured points contradict each other
    (strangers not farther than one person's photos, by LEAST_GAP), nothing measured can be
    trusted, and the encoder's built-in scale is used whole.
    """
    built_in = built_in_scale(encoder_name)
    same = _pair_distances(vectors, *same_person_pairs(celebrity_ids))
    same = same[same > SAME_PICTURE]
    stranger = _pair_distances(vectors, *stranger_pairs(celebrity_ids))
    people = len(np.unique(celebrity_ids))
    use_same = len(same) >= LEAST_PAIRS
    use_stranger = people >= LEAST_PEOPLE
    low = round(float(np.median(same)), 6) if use_same else built_in.same
    high = round(float(np.median(stranger)), 6) if use_stranger else built_in.stranger
    if high - low < LEAST_GAP:
        return Calibration(built_in, False, False, len(stranger), len(same))
    scale = Scale(stranger=high, same=low)
    return Calibration(scale, use_stranger, use_same, len(stranger), len(same))


def same_person_pairs(
    celebrity_ids: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (first, second) of pairs of one person's portraits, at most MOST_PAIRS."""
    order = np.argsort(celebrity_ids, kind="stable")
    people = celebrity_ids[order]
    firsts, seconds = [order[:0]], [order[:0]]
    for step in range(1, MOST_STEPS + 1):
        at = np.flatnonzero(people[:-step] == people[step:])
        firsts.append(order[at])
        seconds.append(order[at + step])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    stride = -(-len(first) // MOST_PAIRS) or 1
    return first[::stride], second[::stride]


def stranger_pairs(
    celebrity_ids: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (first, second) of pairs of different people: all of a small gallery's, else
    about MOST_PAIRS drawn at random, always the same ones."""
    n = len(celebrity_ids)
    if n * (n - 1) // 2 <= MOST_PAIRS:
        first, second = np.triu_indices(n, 1)
    else:
        first, second = np.random.default_rng(0).integers(0, n, (2, MOST_PAIRS))
    apart = celebrity_ids[first] != celebrity_ids[second]
    return first[apart].astype(np.int64), second[apart].astype(np.int64)


def _pair_distances(
    vectors: Vectors, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Euclidean distances between rows, a part at a time so that memory stays small."""
    distances = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), 20_000):
        part = slice(start, start + 20_000)
        difference = vectors[first[part]] - vectors[second[part]]
        distances[part] = np.linalg.norm(difference, axis=1)
    return distances
