"""Deleting uploads: rows first, so that a worker loses its claim, then the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from uploads.models import Match, Upload, UploadedFace
from uploads.storage import delete_folder, is_untouched, list_folders

ORPHAN_AGE = timedelta(hours=1)
"""Files may exist this long without a row. A form or a worker needs a minute at most."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much was deleted. ``files`` counts the photo, crops and chips."""

    files: int
    faces: int
    matches: int


def delete_upload(upload: Upload) -> Deleted:
    """Delete the upload's rows and files. A running task loses its claim and stops."""
    _total, rows = Upload.objects.filter(pk=upload.pk).delete()
    faces, matches = (rows.get(model._meta.label, 0) for model in (UploadedFace, Match))
    return Deleted(delete_folder(upload.pk), faces, matches)


def purge_expired(*, everything: bool = False, dry_run: bool = False) -> int:
    """Delete expired uploads (or all), and old folders without an upload. Returns how many uploads
    were deleted, or would be."""
    uploads = Upload.objects.all() if everything else Upload.objects.expired()
    if dry_run:
        return uploads.count()
    deleted = 0
    for upload in uploads.only("pk").iterator():
        delete_upload(upload)
        deleted += 1
    for folder in list_folders():
        if is_orphan(folder):
            delete_folder(folder)
    return deleted


def is_orphan(folder: str) -> bool:
    """Whether the folder belonged to an upload that has no row, and is old. A folder that is
    not named by an id is not this site's."""
    try:
        has_row = Upload.objects.filter(pk=UUID(folder)).exists()
    except ValueError:
        return False
    return not has_row and is_untouched(folder, ORPHAN_AGE)
