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
def face(request: HttpRequest, upload: Upload, number: int, field: str) -> HttpResponseBase:
    return stream_jpeg(upload.faces.filter(number=number).values_list(field, flat=True).first())


def stream_jpeg(name: str | None) -> HttpResponseBase:
    """The stored picture, or 404 if there is none."""
    try:
        if name:
            return FileResponse(storages["uploads"].open(name), content_type="image/jpeg")
    except FileNotFoundError:
        pass
    return HttpResponse(status=404)
