"""An upload's page: waiting, then the result or why there is none."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from lookalike.http import HtmxRequest
from uploads.models import Upload
from uploads.results import describe_upload
from uploads.visitors import own_upload


@require_safe
@own_upload
def detail(request: HttpRequest, upload: Upload) -> HttpResponse:
    return render(request, "uploads/detail.html", describe_upload(upload))


@require_safe
@own_upload
def status(request: HtmxRequest, upload: Upload) -> HttpResponse:
    """The part of the page that changes, for htmx. Others are sent to the page."""
    if not request.htmx:
        return redirect(upload)
    return render(request, "uploads/_status.html", describe_upload(upload))
