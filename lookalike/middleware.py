"""What holds for every request: the content security policy (nothing from anywhere but this
site), and the size of what is read at all."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

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
    """Refuses a request whose stated length is beyond any photo, before it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _stated_length(request) > BODY_FACTOR * settings.MAX_BYTES:
            return render(request, "413.html", status=413)
        return self.get_response(request)


def _stated_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
