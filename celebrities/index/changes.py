"""What changed in the gallery since its index was built, kept until there are more changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Count, Max, QuerySet, Sum, Value

from celebrities.filters import EVERYBODY
from celebrities.index.builds import load_cohort
from celebrities.index.rows import read_portraits
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike import engine
from lookalike.faces.index import NO_IDS, BuildFacts, Ids, Index, IndexRows
from lookalike.faces.people import Portraits, average, make_rows
from lookalike.faces.types import Scale

MARGIN = timedelta(minutes=1)
"""A row written up to a minute before a build started may have been committed after the
build read the table."""


@dataclass(slots=True, eq=False)
class Changes:
    """``added`` are rows of people to search beside the build's, ``hidden`` ids of people that it
    has but may not show. ``people`` counts whom a search without filters compares with."""

    build: IndexBuild
    scale: Scale
    added: IndexRows
    hidden: Ids = field(default_factory=lambda: NO_IDS)
    people: int = 0

    def correct(self, stale: Ids, portraits: Portraits) -> None:
        """Search people with rows made of these portraits from now on, until the gallery changes
        again; those without portraits are hidden."""
        if len(stale):
            dimensions = self.added.dimensions
            cohort = engine.keep(
                "cohort", self.build.pk, lambda: load_cohort(self.build, dimensions)
            )
            own = average(portraits.take(np.isin(portraits.people, stale)))
            rows = make_rows(own, cohort)
            self.added = self.added.take(~np.isin(self.added.ids, stale)).join(rows)
            self.hidden = np.setdiff1d(np.union1d(self.hidden, stale), rows.ids)
        self.people = EVERYBODY.count()


def read_changes(build: IndexBuild, index: Index) -> Changes:
    """The changes since the build, one statement if there are none since the last call."""
    since = build.started_at - MARGIN
    portraits = _sign(Portrait.objects.filter(embedded_at__gte=since), "embedded_at", 1)
    people = _sign(Celebrity.objects.filter(updated_at__gte=since), "updated_at", 2)
    signs = tuple(sorted(portraits.union(people, all=True)))
    return engine.keep("changes", (build.pk, signs), lambda: _read(build, index))


def _sign(rows: QuerySet[Any], field: str, kind: int) -> Any:
    """``kind`` with how many rows there are and the newest time in ``field``."""
    grouped = rows.order_by().annotate(kind=Value(kind)).values("kind")
    return grouped.annotate(count=Count("pk"), newest=Max(field)).values_list(
        "kind", "count", "newest"
    )


def _read(build: IndexBuild, index: Index) -> Changes:
    facts = BuildFacts.from_json(build.manifest)
    dimensions = facts.dimensions
    none = IndexRows.of_vectors(np.empty((0, dimensions), np.float32), NO_IDS)
    changes = Changes(build, facts.calibration.scale, none)
    stale = _find_stale(build, index)
    searchable = Portrait.objects.searchable(build.encoder)
    changes.correct(stale, read_portraits(searchable, stale, dimensions))
    return changes


def _find_stale(build: IndexBuild, index: Index) -> Ids:
    """The people whose row is not made of the portraits that they have now."""
    since = build.started_at - MARGIN
    embedded = Portrait.objects.filter(embedded_at__gte=since)
    fresh = set(
        embedded.filter(embedded_at__gte=build.started_at).values_list("celebrity_id", flat=True)
    )
    touched = {
        *embedded.values_list("celebrity_id", flat=True),
        *Celebrity.objects.filter(updated_at__gte=since).values_list("pk", flat=True),
    }
    searchable = Portrait.objects.searchable(build.encoder).filter(celebrity_id__in=touched)
    grouped = searchable.order_by().values("celebrity_id").annotate(sum=Sum("pk"))
    sums = dict(grouped.values_list("celebrity_id", "sum"))
    people = np.array(sorted(touched), np.int64)
    now = np.array([sums.get(person, 0) for person in people.tolist()], np.int64)
    stale: Ids = people[(now != index.checksums(people)) | np.isin(people, list(fresh))]
    return stale
