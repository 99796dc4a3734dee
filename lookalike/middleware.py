"""What holds for every request: the content security policy (nothing from anywhere but this
site), and the size of what is read at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

PART_BYTES = 65536
DRAIN_BYTES = 500_000_000
BODY_FACTOR = 4
"""A file somewhat too large is read, so that the form can say so on its own page."""


class SecurityPolicyMiddleware:
    """Sets Content-Security-Policy and Permissions-Policy on every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        pictures = " ".join(["'self'", "data:", "blob:", *settings.PICTURE_ORIGINS])
        self.policy = "; ".join(
            [
                "default-src 'self'",
                f"img-src {pictures}",
                "media-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(self), microphone=(), geolocation=()"
        )
        return response


class BodyLimitMiddleware:
    """Refuses a request whose stated length is beyond any photo, before any of it is kept.

    A browser shows an answer only once it could send what it had to say, so what is refused
    is still read to its end, and thrown away.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _stated_length(request) > BODY_FACTOR * settings.MAX_BYTES:
            response = render(request, "413.html", status=413)
        else:
            response = self.get_response(request)
        if response.status_code >= 400:
            _read_to_end(request)
        return response


def _read_to_end(request: HttpRequest) -> None:
    """Read what is left of the body, DRAIN_BYTES at most."""
    with contextlib.suppress(OSError):
        for _part in range(DRAIN_BYTES // PART_BYTES):
            if not request.read(PART_BYTES):
                return


def _stated_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
