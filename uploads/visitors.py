"""Who owns an upload: the browser whose signed cookie has the same random id. To others it is
missing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from lookalike.http import HtmxRequest, private
from uploads.deletion import delete_expired
from uploads.models import Upload

P = ParamSpec("P")
UploadView = Callable[Concatenate[HtmxRequest, Upload, P], HttpResponseBase]

COOKIE = "owner"


def owner_of(request: HttpRequest) -> uuid.UUID | None:
    age = settings.SESSION_COOKIE_AGE
    signed = request.get_signed_cookie(COOKIE, "", salt=COOKIE, max_age=age)
    try:
        # Version 1.0 kept it in the session.
        return uuid.UUID(signed or request.session.get(COOKIE, ""))
    except ValueError:
        return None


def remember_owner(response: HttpResponseBase, owner: uuid.UUID) -> None:
    response.set_signed_cookie(
        COOKIE,
        str(owner),
        salt=COOKIE,
        max_age=settings.SESSION_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def list_results(request: HttpRequest) -> list[Upload]:
    """The live uploads of this browser, newest first."""
    owner = owner_of(request)
    return list(Upload.objects.live(owner).defer("filters")) if owner else []


def own_upload(view: UploadView[P]) -> Callable[..., HttpResponseBase]:
    """Pass the visitor's own upload with the URL's ``upload_id`` to the view. Answers 404 with
    an explanation if it is gone, expired or somebody else's."""

    @private
    @wraps(view)
    def wrapped(
        request: HtmxRequest, upload_id: uuid.UUID, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        owner = owner_of(request)
        upload = Upload.objects.filter(pk=upload_id, owner=owner).first() if owner else None
        if upload is None or upload.expires_at <= timezone.now():
            if upload is not None:
                delete_expired(upload)
            if request.htmx:
                # A page that is still polling loads the whole page with the explanation.
                return HttpResponseClientRedirect(Upload(pk=upload_id).get_absolute_url())
            context = {"expired": bool(upload), "mine": list_results(request)}
            return render(request, "uploads/gone.html", context, status=404)
        return view(request, upload, *args, **kwargs)

    return wrapped
