"""What views of both apps share: htmx's requests, and responses that are nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from django.http import HttpRequest, HttpResponseBase
from django_htmx.middleware import HtmxDetails

P = ParamSpec("P")


class HtmxRequest(HttpRequest):
    """A request as django-htmx's middleware leaves it."""

    htmx: HtmxDetails


def private(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Tell caches not to store the response, and search engines not to list it."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(*args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapped
