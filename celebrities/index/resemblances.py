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

AT_ONCE = 10
"""People whose look-alikes are replaced in one transaction: well below half a second."""

NOTICED = 1.0
"""Of the numbers 0 to 100: a smaller difference is not worth writing. Each build chooses anew whom
people are compared with, which moves all numbers a little."""

Nearest = list[tuple[int, float]]
"""Look-alikes with their numbers, the most alike first."""


def store_resemblances(build: IndexBuild, progress: Progress = lambda step, share: None) -> None:
    """Store everybody's nearest look-alikes, some people at a time, where they have changed.

    Pages show a person's old ones until the new ones are there. Stops early if another
    build has been published meanwhile.
    """
    facts = build.facts
    if facts is None:
        return
    people = read_people(Portrait.objects.searchable(build.encoder), facts.dimensions)
    rows = make_rows(people, load_cohort(build, facts.dimensions))
    scale, done, wrote = facts.calibration.scale, 0, False
    for part in find_resemblances(people.means, rows):
        numbers = {
            person: [(other, scale.number(score)) for other, score in others]
            for person, others in part.items()
        }
        for some in batched(find_changed(numbers).items(), AT_ONCE):
            if wrote:
                let_others_write()
            with transaction.atomic():
                if IndexBuild.objects.current() != build:
                    return
                _replace(dict(some))
            wrote = True
        done += len(part)
        progress("comparing people", done / max(facts.items, done))
    _forget_others(set(rows.ids.tolist()))


def find_changed(nearest: dict[int, Nearest]) -> dict[int, Nearest]:
    """Those whose stored look-alikes are others, or other in number by NOTICED."""
    stored: dict[int, Nearest] = {person: [] for person in nearest}
    known = Resemblance.objects.filter(celebrity__in=list(nearest)).order_by("celebrity", "rank")
    for person, other, number in known.values_list("celebrity", "other", "similarity"):
        stored[person].append((other, number))
    return {person: now for person, now in nearest.items() if _differ(stored[person], now)}


def _differ(before: Nearest, now: Nearest) -> bool:
    if [other for other, _number in before] != [other for other, _number in now]:
        return True
    pairs = zip(before, now, strict=True)
    return any(abs(one - another) >= NOTICED for (_a, one), (_b, another) in pairs)


def _forget_others(people: set[int]) -> None:
    """Delete the rows of whoever is no longer in the index."""
    known = Resemblance.objects.order_by().values_list("celebrity", flat=True).distinct()
    for some in batched(set(known) - people, AT_ONCE):
        Resemblance.objects.filter(celebrity__in=some).delete()
        let_others_write()


def _replace(nearest: dict[int, Nearest]) -> None:
    """Leave out whoever was deleted since the rows were read."""
    wanted = {*nearest, *(other for others in nearest.values() for other, _number in others)}
    there = set(Celebrity.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    Resemblance.objects.filter(celebrity__in=list(nearest)).delete()
    Resemblance.objects.bulk_create(
        Resemblance(celebrity_id=person, other_id=other, rank=rank, similarity=number)
        for person, others in nearest.items()
        if person in there
        for rank, (other, number) in enumerate(others, 1)
        if other in there
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
