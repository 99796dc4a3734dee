"""For every request: its language, the permissions policy, and a limit on the size of its body."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.utils import translation

from lookalike.logs import REQUEST_ID

Respond = Callable[[HttpRequest], HttpResponse]

CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
BODY_FACTOR = 4
"""A body up to this many times MAX_BYTES is read, so that the form can say what is wrong."""


class ChosenLanguage(LocaleMiddleware):
    """The language of an address with `?lang=`, which the browser remembers; else the one that the
    browser remembers or asks for."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if chosen := self._read(request):
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if chosen := self._read(request):
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, samesite="Lax")
        return super().process_response(request, response)

    @staticmethod
    def _read(request: HttpRequest) -> str | None:
        wanted = request.GET.get("lang")
        return wanted if wanted in dict(settings.LANGUAGES) else None


def name_request(get_response: Respond) -> Respond:
    """Gives each request an id, the proxy's own if it sends one: log and answer carry it."""

    def respond(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else uuid.uuid4().hex[:16]
        token = REQUEST_ID.set(name)
        try:
            response = get_response(request)
        finally:
            REQUEST_ID.reset(token)
        response.headers["X-Request-ID"] = name
        return response

    return respond


def set_permissions_policy(get_response: Respond) -> Respond:
    """Lets pages use the camera, and nothing else that would ask the visitor."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
        return response

    return respond


def refuse_unreadable(get_response: Respond) -> Respond:
    """Answers 404 or 400 to control characters in addresses and cookies, which databases refuse,
    and 400 to text that is not UTF-8: Python's codecs include rot13."""

    def respond(request: HttpRequest) -> HttpResponse:
        if request.META.get("lookalike.foreign_codec"):
            raise BadRequest("The text is not in UTF-8.")
        query = unquote_to_bytes(request.META.get("QUERY_STRING", ""))
        if any(map(CONTROLS.search, [query.decode("latin-1"), *request.COOKIES.values()])):
            raise BadRequest("The query or a cookie has control characters.")
        if CONTROLS.search(request.path_info):
            raise Http404
        return get_response(request)

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
