"""What changed in the gallery since its index was built, kept until there are more changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Count, Max, Q, QuerySet, Value

from celebrities.filters import EVERYBODY
from celebrities.index.rows import read_rows
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike import engine
from lookalike.faces.index import Answer, Ids, Index, IndexRows

MARGIN = timedelta(minutes=1)
"""A row written up to a minute before a build started may have been committed after the
build read the table."""


@dataclass(slots=True, eq=False)
class Changes:
    """``added``: rows missing from the index. ``hidden``: portrait ids not to return.
    ``people``: how many people an unfiltered search compares with."""

    added: IndexRows
    hidden: Ids
    people: int


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
    since = build.started_at - MARGIN
    searchable = Portrait.objects.searchable(build.encoder)
    changed = Q(embedded_at__gte=since) | Q(celebrity__updated_at__gte=since)
    rows = searchable.filter(changed).values_list("pk", "embedded_at")
    fresh = {pk for pk, embedded_at in rows if embedded_at and embedded_at >= build.started_at}
    others = np.array([pk for pk, _ in rows if pk not in fresh], np.int64)
    wanted = sorted(fresh.union(others[~index.contains(others)].tolist()))
    unpublished = Portrait.objects.filter(
        celebrity__published=False, celebrity__updated_at__gte=since
    ).values_list("pk", flat=True)
    return Changes(
        added=read_rows(searchable, engine.get_engine().encoder.dimensions, ids=wanted),
        hidden=np.array(list(unpublished), np.int64),
        people=EVERYBODY.count(),
    )


def find_gone(build: IndexBuild, answer: Answer) -> Ids:
    """Portraits of an answer that are no longer that person's or may not be shown."""
    pairs = {(near.portrait_id, near.celebrity_id) for one in answer.neighbours for near in one}
    shown = Portrait.objects.searchable(build.encoder).filter(pk__in={pk for pk, _ in pairs})
    gone = pairs - set(shown.values_list("pk", "celebrity_id"))
    return np.array(sorted(pk for pk, _ in gone), np.int64)


def hide(changes: Changes, ids: Ids) -> None:
    """Keep these out of all later searches too, until the gallery changes again."""
    changes.hidden = np.union1d(changes.hidden, ids)
    changes.people = EVERYBODY.count()
