"""A result for others, if the visitor wants so: a picture, and a link that can be switched off."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from subprocess import SubprocessError
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lookalike.http import HtmxRequest, private
from uploads.deletion import delete_expired
from uploads.models import Upload, UploadedFace
from uploads.results import show_faces
from uploads.share.card import SIZES, TooManyPictures, draw_apart
from uploads.share.picture import describe_share
from uploads.views.pictures import stream_jpeg
from uploads.visitors import own_upload

Status = Upload.Status


def shared_face(view: Callable[[HtmxRequest, UploadedFace], HttpResponseBase]) -> Any:
    """Pass the face with the URL's ``token`` to the view. Answers 404 if it is gone, has
    expired, its link was switched off, or its look-alike is no longer in the gallery."""

    @private
    @wraps(view)
    def wrapped(request: HtmxRequest, token: str) -> HttpResponseBase:
        faces = UploadedFace.objects.select_related("upload")
        face = faces.filter(share_token=token, upload__status=Status.DONE).first()
        is_expired = face is not None and face.upload.expires_at <= timezone.now()
        if face is not None and is_expired:
            delete_expired(face.upload)
        if face is None or is_expired or not has_look_alike(face):
            return render(request, "uploads/link_gone.html", status=404)
        return view(request, face)

    return wrapped


def has_look_alike(face: UploadedFace) -> bool:
    """Whether the face has a look-alike to show."""
    return not show_faces([face])[0].is_weak


@require_safe
@own_upload
def share_picture(request: HttpRequest, upload: Upload, number: int) -> HttpResponse:
    """Of the best look-alike, or of the one whose id is in the query's ``match``; its ``format`` is
    square, for posts, or story."""
    face = upload.faces.filter(number=number).first()
    if face is None:
        return HttpResponse(status=404)
    asked = request.GET.get("format", "")
    shape = asked if asked in SIZES else "square"
    return answer_picture(request, face, shape=shape, wanted=request.GET.get("match", ""))


@require_POST
@own_upload
def link(request: HttpRequest, upload: Upload, number: int) -> HttpResponse:
    """Make the link to one face, unless nobody looks like it, or switch the link off. Repeating
    either changes nothing. The link's preview shows the face itself only if ``preview`` is on."""
    face = upload.faces.filter(number=number, upload__status=Status.DONE)
    if request.POST.get("link") != "on":
        face.update(share_token=None, shows_in_preview=False)
    elif (found := face.select_related("upload").first()) and has_look_alike(found):
        face.filter(share_token=None).update(
            share_token=UploadedFace.new_share_token(),
            shows_in_preview=request.POST.get("preview") == "on",
        )
    return redirect(f"{upload.get_absolute_url()}#link-{number}")


@require_safe
@shared_face
def shared(request: HttpRequest, face: UploadedFace) -> HttpResponse:
    """The page of a link: this face and its look-alikes, no other face of the photo."""
    picture = reverse("uploads:shared_picture", args=[face.share_token])
    context = {
        "upload": face.upload,
        "view": show_faces([face])[0],
        "token": face.share_token,
        "page_url": request.build_absolute_uri(request.path),
        "picture_url": request.build_absolute_uri(picture),
    }
    return render(request, "uploads/shared.html", context)


@require_safe
@shared_face
def shared_chip(request: HttpRequest, face: UploadedFace) -> HttpResponseBase:
    return stream_jpeg(face.chip.name)


@require_safe
@shared_face
def shared_picture(request: HttpRequest, face: UploadedFace) -> HttpResponse:
    """The preview that other sites show beside the link."""
    return answer_picture(request, face, shape="wide", shows_visitor=face.shows_in_preview)


def answer_picture(
    request: HttpRequest,
    face: UploadedFace,
    *,
    shape: str,
    wanted: str = "",
    shows_visitor: bool = True,
) -> HttpResponse:
    """The share picture of the face and its best look-alike, or another of its look-alikes. 404 if
    it has none, 503 if it could not be drawn in time or too many are asked for."""
    view = show_faces([face])[0]
    chosen = [match for match in view.matches if wanted in ("", str(match.pk))]
    address = request.build_absolute_uri(reverse("uploads:new"))
    try:
        if chosen and chosen[0].portrait.chip and not view.is_weak:
            card = describe_share(
                face, chosen[0], shape=shape, address=address, shows_visitor=shows_visitor
            )
            return HttpResponse(draw_apart(card), content_type="image/png")
    except FileNotFoundError:
        pass
    except (SubprocessError, TooManyPictures):
        return HttpResponse(status=503, headers={"Retry-After": "10"})
    return HttpResponse(status=404)
