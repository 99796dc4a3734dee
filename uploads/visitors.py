"""Whose upload is whose: a random number in the browser's session, made when the first
photo is sent. Everybody else gets the answer that a missing upload gets."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from uploads.models import Upload

P = ParamSpec("P")
UploadView = Callable[Concatenate[HttpRequest, Upload, P], HttpResponseBase]

SESSION_KEY = "owner"


def owner_of(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.session.get(SESSION_KEY, ""))
    except ValueError:
        return None


def make_owner(request: HttpRequest) -> uuid.UUID:
    """This session's owner number, made now if it has none."""
    owner = owner_of(request)
    if owner is None:
        owner = uuid.uuid4()
        request.session[SESSION_KEY] = str(owner)
    return owner


def private(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Mark the answers as nobody else's: kept by no cache, listed by no search engine."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(*args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapped


def own_upload(view: UploadView[P]) -> Callable[..., HttpResponseBase]:
    """Give the view the visitor's own upload, by the address's ``upload_id``; answer 404,
    with what there is to say, when it is gone, expired or somebody else's."""

    @private
    @wraps(view)
    def wrapped(
        request: HttpRequest, upload_id: uuid.UUID, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        owner = owner_of(request)
        upload = Upload.objects.filter(pk=upload_id, owner=owner).first() if owner else None
        if upload is None or upload.expires_at <= timezone.now():
            return answer_missing(request, upload_id, expired=upload is not None)
        return view(request, upload, *args, **kwargs)

    return wrapped


def answer_missing(request: HttpRequest, upload_id: uuid.UUID, *, expired: bool) -> HttpResponse:
    if getattr(request, "htmx", False):
        # A page that still asks for news of it gets the whole page with the explanation.
        return HttpResponseClientRedirect(Upload(pk=upload_id).get_absolute_url())
    return render(request, "uploads/gone.html", {"expired": expired}, status=404)
