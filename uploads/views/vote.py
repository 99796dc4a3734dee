"""Whether the visitor sees the likeness, counted on the portrait."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from celebrities.models import Portrait
from lookalike.http import HtmxRequest
from uploads.models import Match, Upload
from uploads.visitors import own_upload


@require_POST
@own_upload
def vote(request: HtmxRequest, upload: Upload) -> HttpResponse:
    number, says = request.POST.get("match", ""), request.POST.get("sees_it", "")
    matches = Match.objects.filter(face__upload=upload)
    match = matches.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
    if match is None or says not in {"0", "1"}:
        return HttpResponse(status=400)
    count_vote(match, sees_it=says == "1")
    if request.htmx:
        return render(request, "uploads/_vote.html", {"upload": upload, "match": match})
    return redirect(f"{upload.get_absolute_url()}#vote-{match.pk}")


def count_vote(match: Match, *, sees_it: bool) -> None:
    """Only the first vote counts. Afterwards ``match.sees_it`` is the vote that counted."""
    with transaction.atomic():
        if Match.objects.filter(pk=match.pk, sees_it=None).update(sees_it=sees_it):
            counter = "seen" if sees_it else "not_seen"
            Portrait.objects.filter(pk=match.portrait_id).update(**{counter: F(counter) + 1})
    match.refresh_from_db(fields=["sees_it"])
