"""Showing a result to others: a picture to save, and a link that can be switched off. The
visitor decides on both, and neither shows the photo."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lookalike.http import HtmxRequest, private
from uploads.models import Match, Upload
from uploads.results import list_faces
from uploads.share.picture import draw_share_picture
from uploads.views.pictures import stream_jpeg
from uploads.visitors import UploadView, own_upload

Status = Upload.Status


def shared_upload(view: UploadView[Any]) -> Callable[..., HttpResponseBase]:
    """Pass the upload with the URL's ``token`` to the view. Answers 404 if it is gone, has
    expired, or its link was switched off."""

    @private
    @wraps(view)
    def wrapped(request: HtmxRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        upload = Upload.objects.filter(share_token=token, status=Status.DONE).first()
        if upload is None or upload.expires_at <= timezone.now():
            return render(request, "uploads/gone.html", status=404)
        return view(request, upload, *args, **kwargs)

    return wrapped


@require_safe
@own_upload
def share_picture(request: HttpRequest, upload: Upload, number: int) -> HttpResponse:
    return answer_picture(upload, number)


@require_POST
@own_upload
def link(request: HttpRequest, upload: Upload) -> HttpResponse:
    """Make the link, or switch it off. Repeating either changes nothing."""
    mine = Upload.objects.filter(pk=upload.pk, status=Status.DONE)
    if request.POST.get("link") == "on":
        mine.filter(share_token=None).update(share_token=Upload.new_share_token())
    else:
        mine.update(share_token=None)
    return redirect(upload)


@require_safe
@shared_upload
def shared(request: HttpRequest, upload: Upload) -> HttpResponse:
    token = upload.share_token
    picture = reverse("uploads:shared_picture", args=[token, 0])
    context = {
        "upload": upload,
        "faces": list_faces(upload),
        "token": token,
        "page_url": request.build_absolute_uri(request.path),
        "picture_url": request.build_absolute_uri(picture),
    }
    return render(request, "uploads/shared.html", context)


@require_safe
@shared_upload
def shared_chip(request: HttpRequest, upload: Upload, number: int) -> HttpResponseBase:
    face = upload.faces.filter(number=number).first()
    return stream_jpeg(face.chip.name if face else "")


@require_safe
@shared_upload
def shared_picture(request: HttpRequest, upload: Upload, number: int) -> HttpResponse:
    return answer_picture(upload, number)


def answer_picture(upload: Upload, number: int) -> HttpResponse:
    """The share picture of the face and its best look-alike, or 404."""
    face = upload.faces.filter(number=number).first()
    best = (
        Match.objects.filter(face=face, exhaustive=False)
        .select_related("celebrity", "portrait")
        .order_by("rank")
        .first()
    )
    try:
        if face is not None and best is not None and best.portrait.chip:
            return HttpResponse(draw_share_picture(face, best), content_type="image/png")
    except FileNotFoundError:
        pass
    return HttpResponse(status=404)
