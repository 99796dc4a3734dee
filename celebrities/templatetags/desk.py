"""What the desk's first page shows of the gallery."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from celebrities.desk.queues import QUEUES
from celebrities.models import IndexBuild, Job, Portrait, RemovalRequest

register = template.Library()


@register.simple_tag
def list_waiting() -> list[dict[str, Any]]:
    """Every queue with its count and the days since the oldest case."""
    waiting = []
    for queue in QUEUES.values():
        count, oldest = queue.count()
        waiting.append({"queue": queue, "count": count, "days": days_since(oldest)})
    return waiting


@register.simple_tag
def describe_gallery() -> dict[str, Any]:
    """The index, jobs and requests in a line each."""
    requests = RemovalRequest.objects.filter(status=RemovalRequest.Status.OPEN)
    build = IndexBuild.objects.current()
    newest = IndexBuild.objects.defer("manifest").first()
    return {
        "build": build,
        "failed": newest if newest and newest.status == IndexBuild.Status.FAILED else None,
        "since": Portrait.objects.ready()
        .filter(embedded_at__gte=build.started_at)
        .order_by()
        .count()
        if build
        else 0,
        "pending": Portrait.objects.pending().count(),
        "requests": requests.count(),
        "request_days": days_since(
            requests.order_by().values_list("created_at", flat=True).first()
        ),
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
