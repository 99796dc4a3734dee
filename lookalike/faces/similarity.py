"""A person's score as a number from 0 to 100, and in words.

0 is the median score of strangers, 100 that of a photo of the very person that their row was not
made of; the number is linear between them and clipped. It is not a probability: a percentile among
unrelated pairs saturates (the best of 400 people is always above 99 %), while this number tells a
good look-alike from a poor one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lookalike.faces.types import Scale

BANDS: Final[tuple[tuple[float, str], ...]] = (
    (0.0, "not much alike"),
    (45.0, "a slight resemblance"),
    (55.0, "some resemblance"),
    (65.0, "a strong resemblance"),
    (75.0, "a striking resemblance"),
)
"""(least number, phrase) of each band, ascending.

Percentiles (5th, 50th, 95th) of somebody who is not in the gallery, with the embedded encoder:

    people in the gallery     50          100         200         390
    best match                37 55 65    44 58 68    48 61 70    52 64 73
    sixth match               14 34 48    24 41 53    35 47 56    40 51 60

So among 390 the best is some resemblance for half of the people, strong for 38 in 100 and striking
for 1 or 2; the sixth is mostly slight. Photos of every kind, 1,205 of 413 people, gave the best
3 more. Table: "number" of `make choices`. A build measures the percentiles of its own gallery
(`Calibration`).
"""

HARDLY: Final = 0
"""The lowest band: no look-alike."""


def band(number: float) -> int:
    """The index in BANDS of a number from 0 to 100."""
    return max(sum(number >= least for least, _ in BANDS) - 1, HARDLY)


def phrase(number: float) -> str:
    """The phrase of a number's band, in English, which is the key of its translations."""
    return BANDS[band(number)][1]


PERCENTILES: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99)
"""Those that a build keeps of how near look-alikes are."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A gallery's scale, and how near look-alikes in it are.

    ``strangers`` and ``same`` say how many people the two points of the scale were measured on.
    ``best`` and ``sixth`` are PERCENTILES of the numbers of the best and of the sixth match of
    somebody who is not in the gallery; empty where there are too few people.
    """

    scale: Scale
    strangers: int = 0
    same: int = 0
    best: list[float] = field(default_factory=list)
    sixth: list[float] = field(default_factory=list)


def find_percentile(number: float, measured: Sequence[float]) -> float | None:
    """How many of 100 people who are not in the gallery have a less similar best match than
    ``number``, 1 to 99: what makes an answer unusual.

    ``measured`` is `Calibration.best`, or `Calibration.sixth` for the sixth match, of the build
    that was searched: ``build.facts.calibration.best``. Linear between PERCENTILES, and 1 or 99
    beyond them. None if the build measured nothing, as with few people or fictional ones.

    They were measured on portraits of the gallery's own people, each left out once.
    """
    if not measured:
        return None
    return float(np.interp(number, measured, PERCENTILES))
