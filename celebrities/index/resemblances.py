"""Who in the gallery looks most like whom in it, worked out at each index build."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db import transaction

from celebrities.index.builds import open_build
from celebrities.models import Celebrity, IndexBuild, Resemblance

if TYPE_CHECKING:
    from celebrities.index.builds import Progress
    from celebrities.index.pgvector import PgvectorIndex
    from lookalike.faces.index import Index, IndexRows
    from lookalike.faces.types import Neighbour

NEAREST = 10

MOST_PORTRAITS = 4
"""Of one person with many portraits so many are searched with: the first ones."""


def store_resemblances(build: IndexBuild, rows: IndexRows, progress: Progress | None) -> None:
    """Replace every person's nearest look-alikes by those that the build finds.

    The pages show the old ones until all the new ones are there.
    """
    made = [
        Resemblance(
            build=build,
            celebrity_id=person,
            other_id=near.celebrity_id,
            rank=rank,
            distance=near.distance,
            similarity=near.similarity,
        )
        for person, nearest in find_resemblances(open_build(build), rows, progress)
        for rank, near in enumerate(nearest, 1)
    ]
    with transaction.atomic():
        people = set(Celebrity.objects.values_list("pk", flat=True))
        kept = [row for row in made if row.celebrity_id in people and row.other_id in people]
        Resemblance.objects.all().delete()
        Resemblance.objects.bulk_create(kept, batch_size=1000)


def find_resemblances(
    index: Index | PgvectorIndex, rows: IndexRows, progress: Progress | None = None
) -> Iterator[tuple[int, list[Neighbour]]]:
    """Each person's id with the nearest others, by the best pair of portraits."""
    people: dict[int, list[int]] = {}
    for row, person in enumerate(rows.celebrity_ids.tolist()):
        people.setdefault(person, []).append(row)
    for number, (person, mine) in enumerate(people.items()):
        if progress is not None and number % 50 == 0:
            progress("comparing people", number / len(people))
        best: dict[int, Neighbour] = {}
        for row in mine[:MOST_PORTRAITS]:
            for near in index.search(rows.vectors[row], NEAREST + 1):
                before = best.get(near.celebrity_id)
                if before is None or near.distance < before.distance:
                    best[near.celebrity_id] = near
        best.pop(person, None)
        yield person, sorted(best.values(), key=lambda near: near.distance)[:NEAREST]
