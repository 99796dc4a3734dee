"""What the desk's first page shows of the gallery."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from celebrities.desk.queues import QUEUES, count_waiting
from celebrities.index.due import failed_build, is_held
from celebrities.models import IndexBuild, Job, Portrait, RemovalRequest

register = template.Library()


@register.simple_tag
def list_waiting() -> list[dict[str, Any]]:
    """Every queue with its count and the days since the oldest case."""
    counted = count_waiting()
    nothing = (0, None)
    return [
        {"queue": queue, "count": count, "days": days_since(oldest)}
        for queue in QUEUES.values()
        for count, oldest in [counted.get(queue.slug, nothing)]
    ]


@register.simple_tag
def describe_gallery() -> dict[str, Any]:
    """The index, jobs and requests in a line each."""
    requests = RemovalRequest.objects.filter(status=RemovalRequest.Status.OPEN)
    build = IndexBuild.objects.defer("manifest", "measured").current()
    waiting = requests.aggregate(count=Count("pk"), oldest=Min("created_at"))
    return {
        "build": build,
        "failed": failed_build(),
        "is_held": is_held(),
        "since": Portrait.objects.ready()
        .filter(embedded_at__gte=build.started_at)
        .order_by()
        .count()
        if build
        else 0,
        "pending": Portrait.objects.pending().count(),
        "requests": waiting["count"],
        "request_days": days_since(waiting["oldest"]),
        "jobs": Job.objects.open().count(),
    }


@register.filter
def in_words(days: int | None) -> str:
    """How long ago, in days."""
    if not days:
        return gettext("today")
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


def days_since(moment: Any) -> int | None:
    return None if moment is None else (timezone.now() - moment).days
