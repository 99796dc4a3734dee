"""Pages of the site as a whole: privacy, health, errors."""

from __future__ import annotations

from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lookalike.context import site
from lookalike.processes.heartbeat import worker_is_away
from lookalike.queue import CACHE_FAILURES


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "lookalike/privacy.html")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    return render(request, "lookalike/site.webmanifest", content_type="application/manifest+json")


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """For monitoring: 200 while the site can take photos, else 503."""
    parts = {
        "database": _works(lambda: connection.cursor().execute("SELECT 1"), DatabaseError),
        "queue": _works(lambda: cache.get("health"), *CACHE_FAILURES),
        "worker": not worker_is_away(),
    }
    well = all(parts.values())
    return JsonResponse({"well": well, **parts}, status=200 if well else 503)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page was open for too long. The page says how to send it again."""
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that cannot be parsed, such as an upload that broke off."""
    return _render_plainly(request, 400)


def server_error(request: HttpRequest) -> HttpResponse:
    return _render_plainly(request, 500)


def _render_plainly(request: HttpRequest, status: int) -> HttpResponse:
    """Uses no context processor: one may have failed, or the request may have no readable GET."""
    context = {**site(request), "request": request}
    return HttpResponse(render_to_string(f"{status}.html", context), status=status)


def _works(probe: Callable[[], object], *failures: type[Exception]) -> bool:
    try:
        probe()
    except failures:
        return False
    return True
