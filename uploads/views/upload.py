"""The first page: the form that takes a photo."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from math import ceil
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from celebrities.front import read_front
from lookalike.http import private
from lookalike.processes.heartbeat import worker_is_away
from lookalike.queue import QueueAway
from lookalike.senders import client_network, hash_sender
from lookalike.views import csrf_failure
from uploads.consent import current_digest, render_text
from uploads.forms import UploadForm
from uploads.intake import accept_upload
from uploads.limits import QueueFull, TooManyUploads, check_network, check_owner, estimate_minutes
from uploads.visitors import list_results, owner_of, remember_owner

TOKEN = "the token of the form"  # noqa: S105
"""What a kept page has in place of each visitor's own."""


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_exempt  # `_read` is protected.
def new(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        return _receive(request)
    response = _show_first_page(request)
    # The form contains this visitor's CSRF token, so no cache may keep it. Search engines may
    # list the page, unlike the private ones.
    response.headers["Cache-Control"] = "no-store, private"
    return response


@csrf_exempt
def share_target(request: HttpRequest) -> HttpResponse:
    """Where a phone's share sheet sends a photo. The service worker keeps it from coming here;
    without one, nothing is stored, and the first page asks for the photo."""
    return redirect(f"{reverse('uploads:new')}?shared")


@private
def _receive(request: HttpRequest) -> HttpResponse:
    """Whoever sends is counted before anything of the body is read, its CSRF token included."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # Another site's page must not use up what its readers may send.
        return csrf_failure(request)
    try:
        check_network(client_network(request))
        return _read(request)
    except TooManyUploads as error:
        return refuse_more(request, error)


def refuse_more(request: HttpRequest, error: TooManyUploads) -> HttpResponse:
    """Says in how many minutes to try again."""
    minutes = max(ceil(error.seconds / 60), 1)
    response = render(request, "429.html", {"minutes": minutes}, status=429)
    response.headers["Retry-After"] = str(minutes * 60)
    return response


@csrf_protect
def _read(request: HttpRequest) -> HttpResponse:
    sent = request.POST, request.FILES
    owner = owner_of(request) or uuid4()
    check_owner(owner)
    form = UploadForm(*sent)
    if not form.is_valid():
        return show_form(request, form, status=422)
    try:
        upload = accept_upload(
            form.cleaned_data["photo"],
            form.get_choices(),
            consent_language=form.cleaned_data["consent_language"],
            owner=owner,
            sender=hash_sender(client_network(request)),
            seconds=form.seconds,
            language=_language(),
        )
    except QueueFull:
        minutes = estimate_minutes() or 1
        busy = ngettext(
            "We’re busy. Please try again in about %(minutes)d minute.",
            "We’re busy. Please try again in about %(minutes)d minutes.",
            minutes,
        )
        form.add_error(None, busy % {"minutes": minutes})
        return show_form(request, form, status=503)
    except QueueAway:
        form.add_error(
            None, _("We’re busy right now and saved nothing. Please try again in a minute.")
        )
        return show_form(request, form, status=503)
    response = redirect(upload)
    remember_owner(response, owner)
    return response


def show_form(request: HttpRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    """The page with the form, which always asks for consent to the current text."""
    form.renew_consent(_digest())
    context = _describe_form(form, estimate_minutes(), away=worker_is_away())
    context["mine"] = list_results(request)
    response = render(request, "uploads/new.html", context, status=status)
    if status == 503:
        response.headers["Retry-After"] = "60"
    return response


def _show_first_page(request: HttpRequest) -> HttpResponse:
    """An empty form. All who have sent no photo yet get the same page, but for the token."""
    revision = read_front().revision
    if request.GET or revision is None or owner_of(request):
        return show_form(request, _empty_form())
    place = str(request.scheme), request.get_host()
    page = _keep_page(revision, _language(), *place, estimate_minutes(), worker_is_away())
    return HttpResponse(page.replace(TOKEN, get_token(request)))


@lru_cache(maxsize=32)
def _keep_page(
    revision: str, language: str, scheme: str, host: str, busy: int | None, away: bool
) -> str:
    """Made for nobody's request, so that nothing of one visitor can reach another."""
    bare = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": scheme, "HTTP_HOST": host}
    request = WSGIRequest({**bare, "PATH_INFO": "/", "wsgi.input": BytesIO()})
    context = _describe_form(_empty_form(), busy, away=away) | {"mine": [], "csrf_token": TOKEN}
    return render_to_string("uploads/new.html", context, request)


def _empty_form() -> UploadForm:
    return UploadForm(initial={"consent_version": _digest()})


def _describe_form(form: UploadForm, busy: int | None, *, away: bool) -> dict[str, Any]:
    front = read_front()
    return {
        "form": form,
        "failure": form.failure,
        "consent_text": render_text(_language()),
        "people_count": front.people,
        "coming": front.coming,
        "samples": front.samples,
        "pair": front.pair,
        "max_pixels": settings.MAX_PIXELS,
        "busy_minutes": busy,
        "worker_away": away,
    }


def _language() -> str:
    return get_language() or "en"


def _digest() -> str:
    return current_digest(_language())
