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

Percentiles with the embedded encoder, among the 255 people of the shared portraits (339, by
`python -m benchmarks.numbers`) and among 413 people (1,205 photos of every kind):

    best match of somebody not among them    5th: 50 and 54, median: 62 and 66, 95th: 72 and 78
    their sixth match                        5th: 36, median: 48 and 53, 95th: 58
    a further photo of the same person       median: 100

So the sixth match is mostly a slight resemblance and the best some resemblance. A third to a half
of people get above 65, and one in ten or fewer above 75. A build measures the percentiles of its
own gallery (`Calibration`).
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
