"""Why a face and a look-alike are alike: asked with POST, looked up with GET."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from lookalike.http import HtmxRequest
from lookalike.outages import CACHE_FAILURES
from lookalike.queue import QueueAway
from uploads.models import Match, Upload
from uploads.questions import NoTime, ask, is_asked
from uploads.visitors import own_upload


@require_http_methods(["GET", "HEAD", "POST"])
@own_upload
def why(request: HtmxRequest, upload: Upload, match_id: int) -> HttpResponse:
    """The explanation, "wait", or the question; for htmx. Others are sent to the page."""
    match = (
        Match.objects.filter(pk=match_id, face__upload=upload, celebrity__published=True)
        .select_related("celebrity", "portrait", "face")
        .defer("portrait__vector", "portrait__landmarks")
        .first()
    )
    if match is None:
        return HttpResponse(status=404)
    try:
        if request.method == "POST" and match.why is None:
            ask(match)
        is_waiting = match.why is None and is_asked(match.pk)
    except (NoTime, QueueAway, *CACHE_FAILURES):
        is_waiting = False
    if not request.htmx:
        return redirect(f"{upload.get_absolute_url()}#why-{match.pk}")
    context = {
        "upload": upload,
        "match": match,
        "is_waiting": is_waiting,
        "is_refused": match.why is None and not is_waiting,
    }
    return render(request, "uploads/_why.html", context)
