"""The visitor's own pictures, streamed from private storage."""

from __future__ import annotations

from django.core.files.storage import storages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from uploads.models import Upload
from uploads.visitors import own_upload


@require_safe
@own_upload
def photo(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    return stream_jpeg(upload.photo.name)


@require_safe
@own_upload
def crop(request: HttpRequest, upload: Upload, number: int) -> HttpResponseBase:
    face = upload.faces.filter(number=number).first()
    return stream_jpeg(face.crop.name if face else "")


@require_safe
@own_upload
def chip(request: HttpRequest, upload: Upload, number: int) -> HttpResponseBase:
    face = upload.faces.filter(number=number).first()
    return stream_jpeg(face.chip.name if face else "")


def stream_jpeg(name: str | None) -> HttpResponseBase:
    """The stored picture, or 404 if there is none."""
    try:
        file = storages["uploads"].open(name) if name else None
    except FileNotFoundError:
        file = None
    if file is None:
        return HttpResponse(status=404)
    return FileResponse(file, content_type="image/jpeg")
