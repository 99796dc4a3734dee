"""When the index is built anew by itself. The web process may import this module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from celebrities.models import IndexBuild, Portrait

SHARE = 0.02
AFTER = timedelta(hours=1)
"""A build follows when more than this share of the portraits has changed, or after that time.
Until then searches look at what has changed beside the index, and are as right."""

STALE_SHARE = 0.05
STALE_AFTER = timedelta(hours=24)
"""Something is wrong when a build this old is still in use though so much has changed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Portraits that were ``added`` or read again since a build, those that it has and are
    ``removed``, and those that wait to be read."""

    added: int
    removed: int
    waiting: int
    share: float


def compare_with(build: IndexBuild) -> Difference:
    searchable = Portrait.objects.searchable(build.encoder).order_by()
    read = searchable.filter(embedded_at__gte=build.started_at).aggregate(
        all=Count("pk"), new=Count("pk", filter=Q(created_at__gte=build.started_at))
    )
    total = searchable.count()
    added = max(read["all"], total - build.items)
    removed = max(build.items + read["new"] - total, 0)
    waiting = Portrait.objects.pending().count()
    return Difference(added, removed, waiting, (added + removed) / max(build.items, 1))


def when_due(build: IndexBuild, difference: Difference | None = None) -> datetime | None:
    """When the next build is to begin by itself, a time that has passed where it is due; None
    while nothing has changed, or somebody has stopped builds."""
    difference = difference or compare_with(build)
    if is_held() or not difference.added + difference.removed:
        return None
    return build.started_at + (AFTER if difference.share <= SHARE else timedelta())


def is_held() -> bool:
    return IndexBuild.objects.filter(held=True).exists()


def is_stale(build: IndexBuild) -> bool:
    is_old = build.started_at < timezone.now() - STALE_AFTER
    return is_old and compare_with(build).share > STALE_SHARE


def failed_build() -> IndexBuild | None:
    """The newest build, if it failed, and not because somebody stopped it."""
    newest = IndexBuild.objects.defer("manifest", "measured").first()
    failed = newest is not None and newest.status == IndexBuild.Status.FAILED
    return newest if newest and failed and not newest.held else None
