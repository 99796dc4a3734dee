"""Photos searched among a gallery's people, by the score that the site searches by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.calibration import built_in_scale, built_in_tail, calibrate
from lookalike.faces.people import Portraits, average, choose_cohort, make_rows
from lookalike.faces.types import Floats, Vectors

ROWS_AT_ONCE = 512
"""Photos compared with everybody at a time, which bounds memory."""

RESAMPLES = 1000
"""Draws for a 95 % interval, whose ends are then steady to a twentieth of its width."""

OUTSIDER = -1

Places = NDArray[np.intp]
"""The number of each photo's person in the gallery, or OUTSIDER."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """``ranks``, (m,), has the place of each query's person, from 0; a tie counts against them,
    and an outsider's is the number of people. ``firsts``, (people,), is how often each comes
    first for a photo of somebody else, portraits of the gallery included. ``nearest``, (o, 2),
    has the numbers, 0 to 100, of each outsider's best and sixth match; empty with fewer than
    six people."""

    ranks: Places
    firsts: Places
    nearest: Floats


def rank_people(
    gallery: Vectors, owners: Places, queries: Vectors, places: Places, encoder: str
) -> Ranking:
    """``gallery`` is (n, d) in the order of ``owners``, 0 to people - 1, and ``queries`` is
    (m, d). ``encoder`` is the name of the vectors' encoder."""
    portraits = Portraits(gallery, np.arange(len(owners)), owners)
    cohort = choose_cohort(portraits, built_in_tail(encoder))
    people = make_rows(average(portraits), cohort)
    scale = calibrate(portraits, cohort, built_in_scale(encoder)).scale
    ranks = np.full(len(queries), len(people), np.intp)
    firsts = np.zeros(len(people), np.intp)
    nearest = []
    for photos, whose, are_queries in ((gallery, owners, False), (queries, places, True)):
        for start in range(0, len(photos), ROWS_AT_ONCE):
            block = slice(start, start + ROWS_AT_ONCE)
            scores = photos[block] @ people.rows.T + people.bias
            inside = np.flatnonzero(whose[block] != OUTSIDER)
            own = inside, whose[block][inside]
            if are_queries:
                ranks[start + inside] = (scores[inside] >= scores[own][:, None]).sum(axis=1) - 1
            scores[own] = -np.inf
            firsts += np.bincount(scores.argmax(axis=1), minlength=len(people))
            if are_queries and len(people) >= 6:
                outside = scores[whose[block] == OUTSIDER]
                nearest += np.sort(outside, axis=1)[:, [-1, -6]].tolist()
    numbers = [[scale.number(score) for score in pair] for pair in nearest]
    return Ranking(ranks, firsts, np.array(numbers, np.float32).reshape(-1, 2))


def share_of_top_tenth(firsts: Places) -> float:
    """The share of first places that the most frequent tenth of people take."""
    most = np.sort(firsts)[::-1][: max(round(len(firsts) / 10), 1)]
    return float(most.sum() / max(firsts.sum(), 1))


def find_interval(people: int, figure: Callable[[Places], float]) -> tuple[float, float]:
    """The 95 % interval of a figure of people, by number, who are drawn with replacement."""
    rng = np.random.default_rng(0)
    found = [figure(rng.integers(0, people, people)) for _ in range(RESAMPLES)]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
