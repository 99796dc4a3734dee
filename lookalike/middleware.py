"""For every request: the permissions policy, and a limit on the size of its body."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

Respond = Callable[[HttpRequest], HttpResponse]

BODY_FACTOR = 4
"""A body up to this many times MAX_BYTES is read, so that the form can say what is wrong."""


def set_permissions_policy(get_response: Respond) -> Respond:
    """Lets pages use the camera, and nothing else that would ask the visitor."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
        return response

    return respond


def limit_body(get_response: Respond) -> Respond:
    """Answers 413 to a request far larger than any photo. `lookalike.processes.web` has thrown
    its body away."""

    def respond(request: HttpRequest) -> HttpResponse:
        if _stated_length(request) > BODY_FACTOR * settings.MAX_BYTES:
            return render(request, "413.html", status=413)
        return get_response(request)

    return respond


def _stated_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
