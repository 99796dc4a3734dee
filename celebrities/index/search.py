"""Searching the gallery: the index in use, put right by what has changed since its build."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, cast

from django.db.models import Count, Max

from celebrities.errors import EmptyGallery
from celebrities.filters import EVERYBODY, Filters
from celebrities.index.builds import open_current, rows_of
from celebrities.index.pgvector import PgvectorIndex
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike.faces.types import Neighbour, Vector, Vectors

if TYPE_CHECKING:
    from lookalike.faces.index import Index, IndexRows

CHUNK = 5000
"""Portraits asked for together, whether the index has them."""

MARGIN = timedelta(minutes=1)
"""What was written so long before a build began may have been committed after it read."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search did and found.

    ``build`` is the build that was searched, ``method`` how, ``ms`` the milliseconds of the
    search itself (all vectors together), ``compared_with`` how many people were in question.
    ``neighbours`` has one list a vector, nearest first, each person once.
    """

    build: IndexBuild
    method: str
    ms: float
    compared_with: int
    neighbours: list[list[Neighbour]]


def find_lookalikes(
    vectors: Vectors | Sequence[Vector],
    *,
    k: int,
    filters: Filters = EVERYBODY,
    method: str | None = None,
) -> SearchResult:
    """The ``k`` nearest people of each vector.

    ``method`` None takes the build's own faster way, which finds them with the recall asked
    for; "exact" compares with everyone. Portraits added since the build are searched
    exactly beside it; removed and unpublished ones are skipped, and don't shorten the
    result. Raises EmptyGallery or NoIndex.
    """
    build, index = open_current()
    search = _Search(build, index, k, method == "exact", filters)
    started = time.perf_counter()
    found = search.find(vectors)
    ms = (time.perf_counter() - started) * 1000
    if not search.all_stand(found):
        search.look_again()
        started = time.perf_counter()
        found = search.find(vectors)
        ms = (time.perf_counter() - started) * 1000
    if not any(found) and not filters:
        raise EmptyGallery("The gallery is empty. Import people: manage.py import_celebrities.")
    used = "exact" if filters else method or index.manifest.tuning.method
    return SearchResult(build, used, ms, filters.count(), found)


class _Search:
    """One search of some vectors, with what the database knows better than the index."""

    def __init__(
        self,
        build: IndexBuild,
        index: Index | PgvectorIndex,
        k: int,
        exact: bool,
        filters: Filters,
    ) -> None:
        self.build = build
        self.index = index
        self.k = k
        self.exact = exact or None
        self.allowed: Collection[int] | None = None
        if filters:
            people = filters.apply(Celebrity.objects.published()).order_by()
            # A query: an index in files reads it once, one in the database joins it.
            self.allowed = cast("Collection[int]", people.values_list("pk", flat=True))
        self.searchable = Portrait.objects.searchable(build.encoder)
        self.newer = read_newer(build, index)
        self.removed: list[int] = []

    def find(self, vectors: Vectors | Sequence[Vector]) -> list[list[Neighbour]]:
        return [
            self.index.search(
                vector,
                self.k,
                exact=self.exact,
                allowed=self.allowed,
                without_portraits=self.removed,
                extra=self.newer,
            )
            for vector in vectors
        ]

    def all_stand(self, found: list[list[Neighbour]]) -> bool:
        """Whether every portrait found is still that person's and may be shown."""
        pairs = {(near.portrait_id, near.celebrity_id) for one in found for near in one}
        wanted = self.searchable.filter(pk__in={portrait for portrait, _ in pairs})
        return pairs <= set(wanted.values_list("pk", "celebrity_id"))

    def look_again(self) -> None:
        """Learn which of the index's portraits may not be shown any more, and which are newer."""
        self.newer = read_newer(self.build, self.index, anew=True)
        if isinstance(self.index, PgvectorIndex):
            return  # Its queries skip them, unless they were removed just afterwards.
        standing = set(self.searchable.values_list("pk", "celebrity_id"))
        held = zip(self.index.portrait_ids.tolist(), self.index.celebrity_ids.tolist(), strict=True)
        self.removed = [portrait for portrait, person in held if (portrait, person) not in standing]


Signs = tuple[object, ...]

_last: tuple[Signs, IndexRows] | None = None


def read_newer(build: IndexBuild, index: Index | PgvectorIndex, *, anew: bool = False) -> IndexRows:
    """Portraits that the build lacks, or has with an older vector.

    Kept by this process until there are signs of a change, or until asked for ``anew``.
    """
    global _last
    signs = (build.pk, *_read_signs(build.started_at - MARGIN))
    if anew or _last is None or _last[0] != signs:
        _last = signs, _read_newer(build, index)
    return _last[1]


def _read_signs(since: datetime) -> Signs:
    """What is sure to differ when portraits were embedded or people changed since."""
    portraits = Portrait.objects.filter(embedded_at__gte=since)
    people = Celebrity.objects.filter(updated_at__gte=since)
    return (
        *portraits.aggregate(count=Count("pk"), newest=Max("embedded_at")).values(),
        *people.aggregate(count=Count("pk"), newest=Max("updated_at")).values(),
    )


def _read_newer(build: IndexBuild, index: Index | PgvectorIndex) -> IndexRows:
    fields = ("pk", "celebrity_id", "vector")
    searchable = Portrait.objects.searchable(build.encoder).order_by("pk")
    fresh = searchable.filter(embedded_at__gte=build.started_at)
    rows = {row[0]: row for row in fresh.values_list(*fields).iterator()}
    # Those that the build missed: committed late, or of a person published since.
    since = build.started_at - MARGIN
    late = searchable.filter(embedded_at__gte=since, embedded_at__lt=build.started_at)
    shown = searchable.filter(celebrity__updated_at__gte=since)
    for missed in (late, shown):
        found = missed.values_list(*fields).iterator()
        while chunk := list(islice(found, CHUNK)):
            held = index.holds([row[0] for row in chunk])
            rows.update((row[0], row) for row, has in zip(chunk, held, strict=True) if not has)
    return rows_of((rows[pk] for pk in sorted(rows)), index.manifest.dimensions)
