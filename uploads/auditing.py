"""Whether rows and files of visitors' photos agree, and how to put that right."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.models import Session
from django.utils import timezone

from celebrities.auditing import Check
from uploads.deletion import delete_upload, is_orphan
from uploads.models import Upload, UploadedFace
from uploads.storage import delete_folder, list_files, list_folders


def find_uploads_without_files() -> list[Upload]:
    """Uploads of which a file is missing, such as those of a copy of the database put back."""
    return [upload for upload in Upload.objects.order_by("created_at") if not _has_files(upload)]


def _has_files(upload: Upload) -> bool:
    faces = UploadedFace.objects.filter(upload=upload).values_list("crop", "chip")
    names = {upload.received.name, upload.photo.name, *(name for face in faces for name in face)}
    return set(list_files(upload.pk)).issuperset(filter(None, names))


def delete_uploads(found: list[Upload]) -> None:
    for upload in found:
        delete_upload(upload)


def find_folders() -> list[str]:
    """Folders of uploads that have no row, untouched for an hour."""
    return [folder for folder in list_folders() if is_orphan(folder)]


def delete_folders(found: list[str]) -> None:
    for folder in found:
        delete_folder(folder)


def find_expired() -> list[Upload]:
    return list(Upload.objects.expired().only("pk"))


def find_sessions() -> list[str]:
    return list(Session.objects.filter(expire_date__lt=timezone.now()).values_list("pk", flat=True))


def delete_sessions(found: list[Any]) -> None:
    Session.objects.filter(pk__in=found).delete()


CHECKS = [
    Check(
        "uploads_without_files",
        "uploads without their files",
        find_uploads_without_files,
        delete_uploads,
    ),
    Check("folders_without_upload", "files without an upload", find_folders, delete_folders),
    Check("uploads_expired", "uploads past their time", find_expired, delete_uploads),
    Check("sessions_ended", "sessions that have ended", find_sessions, delete_sessions),
]
