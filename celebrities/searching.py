"""Searching the gallery: the index in use, put right by what has changed since its build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from celebrities.builds import open_current, rows_of
from celebrities.errors import EmptyGallery
from celebrities.models import Celebrity, CelebrityQuerySet, IndexBuild, Portrait
from lookalike.faces.types import Neighbour, Vector, Vectors

if TYPE_CHECKING:
    from lookalike.faces.index import Index, IndexRows

MARGIN = timedelta(minutes=1)
"""Rows written so long before a build began may have been committed after it read them."""


@dataclass(frozen=True, slots=True)
class Among:
    """Whom to search among: everybody, unless a category's slug, a gender, or being alive
    is asked for."""

    category: str = ""
    gender: str = ""
    living_only: bool = False

    @property
    def is_everybody(self) -> bool:
        return self == Among()

    def chosen(self, people: CelebrityQuerySet) -> CelebrityQuerySet:
        """Those of the people who are asked for."""
        if self.category:
            people = people.filter(categories__slug=self.category)
        if self.gender:
            people = people.filter(gender=self.gender)
        return people.living() if self.living_only else people


def count_people(among: Among) -> int:
    """How many people a search compares with."""
    return among.chosen(Celebrity.objects.searchable()).order_by().count()


def find_lookalikes(
    vectors: Vectors | Sequence[Vector], *, k: int, among: Among | None = None, exact: bool = False
) -> list[list[Neighbour]]:
    """The ``k`` nearest people of each vector, nearest first, each person once.

    ``exact`` compares with everyone; otherwise the build's own faster way is taken, which
    finds them with the recall asked for. Portraits added since the build are searched
    exactly beside it; removed and unpublished ones are skipped, and don't shorten the
    result. Raises EmptyGallery or NoIndex.
    """
    among = among or Among()
    build, index = open_current()
    search = _Search(build, index, k, exact, among)
    found = search.find(vectors)
    if not search.all_stand(found):
        search.removed = search.list_removed()
        found = search.find(vectors)
    if not any(found) and among.is_everybody:
        raise EmptyGallery("The gallery is empty. Import people: manage.py import_celebrities.")
    return found


class _Search:
    """One search of some vectors, with what the database knows better than the index."""

    def __init__(self, build: IndexBuild, index: Index, k: int, exact: bool, among: Among) -> None:
        self.index = index
        self.k = k
        self.exact = exact or None
        self.allowed: list[int] | None = None
        if not among.is_everybody:
            people = among.chosen(Celebrity.objects.published()).order_by()
            self.allowed = list(people.values_list("pk", flat=True))
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

    def list_removed(self) -> list[int]:
        """The index's portraits that may not be shown any more."""
        standing = set(self.searchable.values_list("pk", "celebrity_id"))
        held = zip(self.index.portrait_ids.tolist(), self.index.celebrity_ids.tolist(), strict=True)
        return [portrait for portrait, person in held if (portrait, person) not in standing]


@dataclass(slots=True)
class _Newer:
    """Rows read before, and of which portraits they are."""

    key: tuple[str, tuple[tuple[int, int, datetime | None], ...]]
    rows: IndexRows


_last: _Newer | None = None


def read_newer(build: IndexBuild, index: Index) -> IndexRows:
    """Portraits that the build lacks, or has with an older vector.

    Which they are is asked anew each time; the vectors are read when that has changed.
    """
    global _last
    listed = _list_newer(build, index)
    key = (build.name, listed)
    last = _last
    if last is None or last.key != key:
        rows = Portrait.objects.filter(pk__in=[portrait for portrait, _, _ in listed])
        vectors = rows.order_by("pk").values_list("pk", "celebrity_id", "vector")
        ready = rows_of(vectors.exclude(vector=None).iterator(), index.manifest.dimensions)
        _last = last = _Newer(key, ready)
    return last.rows


def _list_newer(build: IndexBuild, index: Index) -> tuple[tuple[int, int, datetime | None], ...]:
    import numpy as np

    since = build.started_at - MARGIN
    searchable = Portrait.objects.searchable(build.encoder).order_by("pk")
    fields = ("pk", "celebrity_id", "embedded_at")
    fresh = set(searchable.filter(embedded_at__gte=since).values_list(*fields))
    # A person published since brings portraits that were computed long ago.
    changed = list(searchable.filter(celebrity__updated_at__gte=since).values_list(*fields))
    known = np.isin([portrait for portrait, _, _ in changed], index.portrait_ids)
    fresh.update(row for row, held in zip(changed, known.tolist(), strict=True) if not held)
    return tuple(sorted(fresh, key=lambda row: row[0]))
