"""Answers for load balancers and monitoring: `/healthz`, `/healthz/live`, `/healthz/ready`,
`/metrics`.

They come before everything else that a request meets, so they answer by http, under any name of the
host, and whatever hangs.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from lookalike import __version__, health, metrics

Respond = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: Respond) -> Respond:
    def respond(request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        if probe is None:
            return get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = probe(request)
        response.headers["Cache-Control"] = "no-store"
        # Health says itself, once, what fails.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return respond


def live(request: HttpRequest) -> HttpResponse:
    """Whether the process answers. Touches nothing outside it."""
    return HttpResponse("alive\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 while the site can take photos, else 503. Only the operator is told which part fails."""
    seen = health.look()
    return _tell(request, seen, seen.is_ready)


def well(request: HttpRequest) -> HttpResponse:
    """200 while nothing needs looking after, else 503: for alerts, not for load balancers."""
    seen = health.look()
    return _tell(request, seen, seen.is_well)


def _tell(request: HttpRequest, seen: health.Health, is_well: bool) -> HttpResponse:
    answer: dict[str, object] = {"well": is_well}
    if is_operator(request):
        answer |= {"version": __version__, **seen.parts, "problems": seen.problems}
    return JsonResponse(answer, status=200 if is_well else 503)


def show_metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, in its text format."""
    if not is_operator(request):
        return HttpResponse(status=404)
    return HttpResponse(metrics.write_text(), content_type="text/plain; version=0.0.4")


def is_operator(request: HttpRequest) -> bool:
    """Whether the request comes from this machine itself, through no proxy, or carries
    LOOKALIKE_HEALTH_TOKEN."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.HEALTH_TOKEN and hmac.compare_digest(
        given.encode(), settings.HEALTH_TOKEN.encode()
    ):
        return True
    address = request.META.get("REMOTE_ADDR", "")
    is_local = address in {"::1", ""} or address.startswith("127.")
    return is_local and not {"X-Forwarded-For", "Forwarded"} & {*request.headers}


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": well,
    "/healthz/live": live,
    "/healthz/ready": ready,
    "/metrics": show_metrics,
}
