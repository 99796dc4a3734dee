"""Who in the gallery looks most like whom, stored for each build of the index."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from celebrities.index.builds import load_cohort
from celebrities.index.rows import read_people
from celebrities.models import Celebrity, IndexBuild, Portrait, Resemblance
from lookalike.chunks import batched
from lookalike.database import let_others_write
from lookalike.faces.index import Ids, IndexRows, Progress
from lookalike.faces.people import Floats, make_rows

NEAREST = 10

SCORES = 16_000_000
"""Scores computed together: 64 MB."""

MOST_PEOPLE = 2000
"""People whose scores are computed together."""

AT_ONCE = 25
"""People whose look-alikes are replaced in one transaction: well below half a second."""


def store_resemblances(build: IndexBuild, progress: Progress = lambda step, share: None) -> None:
    """Replace everybody's nearest look-alikes, some people at a time.

    Pages show a person's old ones until the new ones are there. Stops early if another
    build has been published meanwhile.
    """
    facts = build.facts
    if facts is None:
        return
    people = read_people(Portrait.objects.searchable(build.encoder), facts.dimensions)
    rows = make_rows(people, load_cohort(build, facts.dimensions))
    scale, done = facts.calibration.scale, 0
    for nearest in find_resemblances(people.means, rows):
        for some in batched(nearest.items(), AT_ONCE):
            made = [
                Resemblance(
                    build=build,
                    celebrity_id=person,
                    other_id=other,
                    rank=rank,
                    similarity=scale.number(score),
                )
                for person, others in some
                for rank, (other, score) in enumerate(others, 1)
            ]
            if done:
                let_others_write()
            with transaction.atomic():
                if IndexBuild.objects.current() != build:
                    return
                _replace([person for person, _others in some], made)
            done += len(some)
            progress("comparing people", done / facts.items)
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


def find_resemblances(
    means: Floats, rows: IndexRows
) -> Iterator[dict[int, list[tuple[int, float]]]]:
    """For some people at a time: each one's nearest others, with the mean score of the person's
    portraits for them. ``means`` and ``rows`` are of the same people."""
    size = max(1, min(SCORES // max(len(rows), 1), MOST_PEOPLE))
    for first in range(0, len(rows), size):
        scores = means[first : first + size] @ rows.rows.T + rows.bias
        at = np.arange(len(scores))
        scores[at, first + at] = -np.inf
        yield {
            int(rows.ids[first + number]): _nearest(row, rows.ids)
            for number, row in enumerate(scores)
        }


def _nearest(scores: NDArray[np.float32], people: Ids) -> list[tuple[int, float]]:
    count = min(NEAREST, len(people) - 1)
    at = np.argpartition(-scores, count)[: count + 1]
    at = at[np.lexsort((people[at], -scores[at]))][:count]
    return list(zip(people[at].tolist(), scores[at].tolist(), strict=True))
