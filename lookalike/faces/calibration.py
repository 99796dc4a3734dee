"""The scale of a gallery's scores, measured on a sample of its people when an index is built."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from lookalike.faces.encoders import ENCODERS
from lookalike.faces.index import IndexRows
from lookalike.faces.people import (
    Cohort,
    Floats,
    Portraits,
    average,
    find_tails,
    make_rows,
    score_left_out,
)
from lookalike.faces.similarity import PERCENTILES, Calibration
from lookalike.faces.types import Scale, Tail

HALFWAY: Final = 30
"""So many people count as much as the encoder's built-in point; a hundred ten times as much."""

MOST_OF_ONE: Final = 5
"""Portraits of one person that count, so that nobody with hundreds dominates a median."""

SAME_PICTURE: Final = 1.0 - 5e-7
"""Portraits as similar as this are one picture stored twice and say nothing of likeness."""

LEAST_GAP: Final = 0.25
"""The least gap between the scale's two points, as a share of the built-in one: a smaller one
would turn noise into likeness."""

OUTSIDERS: Final = 500
"""People left out of the gallery, each once, to see how near their look-alikes are."""

LEAST_ROWS: Final = 7
"""An outsider to a gallery of seven has a sixth match."""

AT_ONCE: Final = 16
"""Outsiders compared with everybody together, which bounds memory."""

UNKNOWN_SCALE: Final = Scale(stranger=0.0, same=0.75)
UNKNOWN_TAIL: Final = Tail(mean=0.0, deviation=1.0)
"""Of encoders that are not ours: unrelated vectors of many dimensions are at right angles, and
scores are plain similarities."""


def built_in_scale(encoder_name: str) -> Scale:
    """The encoder's scale, in similarities that are not normalised."""
    spec = ENCODERS.get(encoder_name)
    return spec.scale if spec else UNKNOWN_SCALE


def built_in_tail(encoder_name: str) -> Tail:
    spec = ENCODERS.get(encoder_name)
    return spec.tail if spec else UNKNOWN_TAIL


def calibrate(sample: Portraits, cohort: Cohort, built_in: Scale) -> Calibration:
    """The scale of scores, measured on the people of ``sample``.

    Both points are blended with the encoder's ``built_in`` ones (in similarities) by the number
    of people that they were measured on, so that nothing jumps as a gallery grows. Points that
    are too near each other, as when names are mixed up, are moved apart.
    """
    sample = sample.take(sample.places < MOST_OF_ONE)
    built_in = _normalise_scale(built_in, sample, cohort)
    rows = make_rows(average(sample), cohort)
    scores = cohort.vectors @ rows.rows.T + rows.bias
    strangers = scores[cohort.people[:, None] != rows.ids]
    pairs = _leave_out_copies(sample)
    people, paired = len(rows) if len(strangers) else 0, len(pairs.starts)
    stranger = _blend(strangers, built_in.stranger, people)
    same = _blend(score_left_out(pairs, cohort), built_in.same, paired)
    least = stranger + LEAST_GAP * (built_in.same - built_in.stranger)
    return Calibration(Scale(stranger, max(same, least)), people, paired)


def _normalise_scale(scale: Scale, sample: Portraits, cohort: Cohort) -> Scale:
    """A scale of similarities in scores of a person with the median tail."""
    mean, deviation = cohort.tail.mean, cohort.tail.deviation
    if len(sample):
        people = average(sample)
        tails = find_tails(people.means, people.ids, cohort)
        mean, deviation = (float(np.median(each)) for each in tails)
    return Scale((scale.stranger - mean) / deviation, (scale.same - mean) / deviation)


def _leave_out_copies(sample: Portraits) -> Portraits:
    """The people with two or more different pictures, without further copies of one."""
    kept = np.ones(len(sample), np.bool_)
    for step in range(1, MOST_OF_ONE):
        nearness = np.einsum("nd,nd->n", sample.vectors[step:], sample.vectors[:-step])
        one = sample.people[step:] == sample.people[:-step]
        kept[step:] &= ~(one & (nearness > SAME_PICTURE))
    different = sample.take(kept)
    return different.take(different.counts > 1)


def _blend(values: Floats, built_in: float, people: int) -> float:
    if not people:
        return built_in
    share = people**2 / (people**2 + HALFWAY**2)
    return round(share * float(np.median(values)) + (1 - share) * built_in, 6)


def measure_outsiders(rows: IndexRows, cohort: Cohort, calibration: Calibration) -> Calibration:
    """The calibration with ``best`` and ``sixth``: a portrait each of people of the cohort is
    searched among everybody but its own person."""
    _, first = np.unique(cohort.people, return_index=True)
    chosen = first[:: -(-len(first) // OUTSIDERS) or 1]
    if not len(chosen) or len(rows) < LEAST_ROWS:
        return calibration
    order, numbers = np.argsort(rows.ids), np.empty((2, len(chosen)))
    for start in range(0, len(chosen), AT_ONCE):
        at = chosen[start : start + AT_ONCE]
        scores = cohort.vectors[at] @ rows.rows.T + rows.bias
        own = order[np.searchsorted(rows.ids, cohort.people[at], sorter=order)]
        scores[np.arange(len(at)), own] = -np.inf
        top = np.partition(scores, -6, axis=1)[:, -6:]
        numbers[:, start : start + AT_ONCE] = top.max(axis=1), top.min(axis=1)
    scaled = [[calibration.scale.number(score) for score in line] for line in numbers.tolist()]
    best, sixth = (np.percentile(line, PERCENTILES).round(1).tolist() for line in scaled)
    return replace(calibration, best=best, sixth=sixth)
