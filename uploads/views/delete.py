"""Delete now: asks once, then deletes everything of one upload, or of all of this browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from lookalike.http import private
from uploads.deletion import Deleted, delete_all_of, delete_upload
from uploads.models import Upload
from uploads.visitors import list_results, own_upload, owner_of


@require_http_methods(["GET", "HEAD", "POST"])
@own_upload
def delete(request: HttpRequest, upload: Upload) -> HttpResponse:
    if request.method != "POST":
        return render(request, "uploads/delete.html", {"back": upload.get_absolute_url()})
    return _show_deleted(request, delete_upload(upload))


@require_http_methods(["GET", "HEAD", "POST"])
@private
def delete_all(request: HttpRequest) -> HttpResponse:
    owner, mine = owner_of(request), list_results(request)
    if not owner or not mine:
        return redirect("uploads:new")
    if request.method != "POST":
        return render(
            request, "uploads/delete.html", {"back": reverse("uploads:new"), "mine": mine}
        )
    return _show_deleted(request, delete_all_of(owner))


def _show_deleted(request: HttpRequest, deleted: Deleted) -> HttpResponse:
    return render(
        request, "uploads/deleted.html", {"deleted": deleted, "mine": list_results(request)}
    )
