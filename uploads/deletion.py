"""Taking an upload away: rows first, so that a worker's claim is gone, then all files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.files.storage import storages
from django.utils import timezone

from uploads.models import Match, Upload, UploadedFace
from uploads.storage import delete_folder

logger = logging.getLogger(__name__)

ORPHAN_AGE = timedelta(hours=1)
"""Files may lie without a row for as long as a form or a worker needs, not longer."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was taken away. ``files`` counts every file: photo, crops and chips."""

    files: int = 0
    faces: int = 0
    matches: int = 0


def delete_upload(upload: Upload) -> Deleted:
    """Delete the upload's rows and files. A running task finds its claim gone and ends."""
    upload_id = upload.pk
    _total, by_model = Upload.objects.filter(pk=upload_id).delete()
    return Deleted(
        files=delete_folder(upload_id),
        faces=by_model.get(UploadedFace._meta.label, 0),
        matches=by_model.get(Match._meta.label, 0),
    )


def purge_expired(*, everything: bool = False, dry_run: bool = False) -> int:
    """Delete every expired upload (or all of them), and files that belong to no upload.

    Returns how many uploads were deleted, or would have been.
    """
    uploads = Upload.objects.all() if everything else Upload.objects.expired()
    if dry_run:
        return uploads.count()
    deleted = 0
    for upload in uploads.only("pk").iterator():
        delete_upload(upload)
        deleted += 1
    for folder in find_orphan_folders():
        delete_folder(folder)
    return deleted


def find_orphan_folders() -> Iterator[str]:
    """Folders whose upload has no row, untouched for ORPHAN_AGE: left by killed processes."""
    storage = storages["uploads"]
    try:
        folders, _files = storage.listdir("")
    except FileNotFoundError:
        return
    for folder in folders:
        if _is_upload(folder) or not _is_old(folder):
            continue
        yield folder


def _is_upload(folder: str) -> bool:
    try:
        return Upload.objects.filter(pk=UUID(folder)).exists()
    except ValueError:
        # Not a folder that this site makes, so not one to take away.
        return True


def _is_old(folder: str) -> bool:
    storage = storages["uploads"]
    _folders, names = storage.listdir(folder)
    limit = timezone.now() - ORPHAN_AGE
    # An empty folder, which only a local disk can hold, has an age of its own.
    return all(storage.get_modified_time(f"{folder}/{name}") < limit for name in names or [""])
