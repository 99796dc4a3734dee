"""Pages of the site as a whole: privacy, errors."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lookalike.context import site
from lookalike.outages import is_outage


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "lookalike/privacy.html")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    return render(request, "lookalike/site.webmanifest", content_type="application/manifest+json")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Visitors' own pages and the admin are nothing for search engines."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in ("/u/", "/s/", "/admin/")),
        f"Sitemap: {request.build_absolute_uri('/sitemap.xml')}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def icon(request: HttpRequest, name: str) -> HttpResponse:
    """Where browsers look for an icon without being told."""
    return redirect(static(f"lookalike/img/{name}"))


@require_safe
@never_cache
def service_worker(request: HttpRequest) -> HttpResponse:
    """At the root, since a service worker serves only what lies below its own address."""
    script = "lookalike/service-worker.js"
    return render(request, script, content_type="text/javascript; charset=utf-8")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page was open for too long. The page says how to send it again."""
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that cannot be parsed, such as an upload that broke off."""
    return _render_plainly(request, 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """A mistake of ours, or 503 if a service is away."""
    if is_outage(sys.exc_info()[1]):
        response = _render_plainly(request, 503)
        response.headers["Retry-After"] = "60"
        return response
    return _render_plainly(request, 500)


def _render_plainly(request: HttpRequest, status: int) -> HttpResponse:
    """Uses no context processor: one may have failed, or the request may have no readable GET."""
    context = {**site(request), "request": request}
    return HttpResponse(render_to_string(f"{status}.html", context), status=status)
