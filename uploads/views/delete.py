"""Delete now: asks once, then deletes everything of the upload."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from uploads.deletion import delete_upload
from uploads.models import Upload
from uploads.visitors import own_upload


@require_http_methods(["GET", "HEAD", "POST"])
@own_upload
def delete(request: HttpRequest, upload: Upload) -> HttpResponse:
    if request.method != "POST":
        return render(request, "uploads/delete.html", {"upload": upload})
    return render(request, "uploads/deleted.html", {"deleted": delete_upload(upload)})
