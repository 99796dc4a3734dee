"""Who in the gallery looks most like whom, computed after each build of the index."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from celebrities.index.rows import read_rows
from celebrities.models import Celebrity, IndexBuild, Portrait, Resemblance
from lookalike.faces.index import Ids, IndexRows, Progress, starts_of

NEAREST = 10

SCORES = 16_000_000
"""Scores computed together: 64 MB."""

MOST_PEOPLE = 2000
"""People whose look-alikes are replaced in one transaction."""


def store_resemblances(build: IndexBuild, progress: Progress = lambda step, share: None) -> None:
    """Replace everybody's nearest look-alikes, some people at a time.

    Pages show a person's old ones until the new ones are there. Stops early if another
    build has been published meanwhile.
    """
    facts = build.facts
    if facts is None:
        return
    rows = read_rows(Portrait.objects.searchable(build.encoder), facts.dimensions)
    rows = rows.take(rows.order())
    done = 0
    for nearest in find_resemblances(rows):
        made = [
            Resemblance(
                build=build,
                celebrity_id=person,
                other_id=other,
                rank=rank,
                distance=distance,
                similarity=facts.calibration.scale.number(distance),
            )
            for person, others in nearest.items()
            for rank, (other, distance) in enumerate(others, 1)
        ]
        with transaction.atomic():
            if IndexBuild.objects.current() != build:
                return
            _replace(list(nearest), made)
        done += len(nearest)
        progress("comparing people", done / facts.people)
    Resemblance.objects.exclude(build=build).delete()


def _replace(people: list[int], made: list[Resemblance]) -> None:
    """Leave out whoever was deleted since the rows were read."""
    wanted = {*people, *(row.other_id for row in made)}
    there = set(Celebrity.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    Resemblance.objects.filter(celebrity__in=people).delete()
    Resemblance.objects.bulk_create(
        [row for row in made if row.celebrity_id in there and row.other_id in there],
        batch_size=1000,
    )


def find_resemblances(rows: IndexRows) -> Iterator[dict[int, list[tuple[int, float]]]]:
    """For some people at a time: each one's nearest others with their distances, by the best
    pair of portraits. ``rows`` must be in the order of people."""
    starts = starts_of(rows.people)
    people = rows.people[starts]
    size = max(1, SCORES // max(len(rows), 1))
    first = 0
    while first < len(people):
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + size)))
        last = min(last, first + MOST_PEOPLE)
        end = starts[last] if last < len(people) else len(rows)
        scores = rows.rows[starts[first] : end] @ rows.rows.T + rows.bias
        scores = np.maximum.reduceat(scores, starts, axis=1)
        scores = np.maximum.reduceat(scores, starts[first:last] - starts[first], axis=0)
        scores[np.arange(last - first), np.arange(first, last)] = -np.inf
        yield {
            int(people[first + number]): _nearest(row, people) for number, row in enumerate(scores)
        }
        first = last


def _nearest(scores: NDArray[np.float32], people: Ids) -> list[tuple[int, float]]:
    count = min(NEAREST, len(people) - 1)
    at = np.argpartition(-scores, count)[: count + 1]
    at = at[np.lexsort((people[at], -scores[at]))][:count]
    distances = np.sqrt(np.maximum(2.0 - 2.0 * scores[at], 0.0))
    return list(zip(people[at].tolist(), distances.tolist(), strict=True))
