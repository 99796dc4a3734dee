"""A distance as a number from 0 to 100, and in words.

0 is the median distance of two strangers, 100 that of two photos of one person; the number is
linear between them and clipped. It is not a probability: a percentile among unrelated pairs
saturates (the best of 400 people is always above 99 %), while this number tells a good
look-alike from a poor one.
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
"""Least pairs of one person's portraits for the gallery's own median."""

LEAST_PEOPLE: Final = 30
"""Least people for the gallery's own median of strangers."""

LEAST_GAP: Final = 0.05
"""Least gap between the scale's two points; a smaller one would turn noise into likeness."""

MOST_PAIRS: Final = 200_000
"""Most pairs for each median, which then has an error of about 0.1 %."""

MOST_STEPS: Final = 4
"""Each portrait is paired with the person's next four only, so that a person with hundreds of
portraits does not dominate the median."""

SAME_PICTURE: Final = 1e-3
"""Portraits nearer than this are one picture stored twice and are left out."""


BANDS: Final[tuple[tuple[float, str], ...]] = (
    (0.0, "hardly alike"),
    (40.0, "a slight resemblance"),
    (50.0, "some resemblance"),
    (60.0, "a strong resemblance"),
    (75.0, "a striking resemblance"),
)
"""(least number, phrase) of each band, ascending.

Two trials with the embedded encoder, 255 people (339 studio portraits) and 412 people
(1,205 photos of every kind), gave these percentiles:

    random pairs                              95th: 34 and 39
    best look-alike of someone not among them 5th: 36 and 54, median: 54 and 67, 95th: 71 and 85
    the sixth look-alike                      median: 40 and 53
    two photos of one person                  5th: 78 and 66, median: 100

So chance gives up to 40; most look-alikes lie between 40 and 60; above 60 is better than most
people get, and above 75 is what one in ten or fewer get.
"""

HARDLY: Final = 0
"""The lowest band: no look-alike."""


def band(number: float) -> int:
    """The index in BANDS of a number from 0 to 100."""
    return max(sum(number >= least for least, _ in BANDS) - 1, HARDLY)


def phrase(number: float) -> str:
    """The phrase of a number's band, in English, which is the key of its translations."""
    return BANDS[band(number)][1]


UNKNOWN_ENCODER: Final = Scale(stranger=math.sqrt(2.0), same=math.sqrt(0.5))
"""Unrelated unit vectors of many dimensions are at right angles; half of that angle's squared
distance counts as one person."""


def built_in_scale(encoder_name: str) -> Scale:
    """The encoder's scale, used until the gallery is large enough for its own."""
    spec = ENCODERS.get(encoder_name)
    return spec.scale if spec else UNKNOWN_ENCODER


@dataclass(frozen=True, slots=True)
class Calibration:
    """A gallery's scale, and whether each of its points is the gallery's own median or the
    encoder's built-in value, with the number of pairs looked at."""

    scale: Scale
    stranger_measured: bool
    same_measured: bool
    stranger_pairs: int
    same_pairs: int


def calibrate(vectors: Vectors, celebrity_ids: NDArray[np.int64], encoder_name: str) -> Calibration:
    """Measure the scale on a gallery of (n, d) unit vectors and (n,) celebrity ids.

    Deterministic. If the gap between the two points is below LEAST_GAP, the measurement
    cannot be trusted, and both points are the encoder's built-in ones.
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
    """Rows (first, second) of at most MOST_PAIRS pairs of one person's portraits."""
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
    """Rows (first, second) of pairs of different people: all pairs of a small gallery, else
    about MOST_PAIRS random ones from a fixed seed."""
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
    """Euclidean distances between rows, in parts to bound the memory."""
    distances = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), 20_000):
        part = slice(start, start + 20_000)
        difference = vectors[first[part]] - vectors[second[part]]
        distances[part] = np.linalg.norm(difference, axis=1)
    return distances
