"""Deleting uploads: rows first, so that a worker loses its claim, then the files."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError

from uploads.models import Match, Upload, UploadedFace
from uploads.storage import delete_folder, is_untouched, list_folders

logger = logging.getLogger(__name__)

ORPHAN_AGE = timedelta(hours=1)
"""Files may exist this long without a row. A form or a worker needs a minute at most."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much was deleted. ``files`` counts the photo, crops and chips."""

    files: int
    faces: int
    matches: int

    def __add__(self, other: Deleted) -> Deleted:
        return Deleted(
            self.files + other.files, self.faces + other.faces, self.matches + other.matches
        )


def delete_upload(upload: Upload) -> Deleted:
    """Delete the upload's rows and files. A running task loses its claim and stops."""
    _total, rows = Upload.objects.filter(pk=upload.pk).delete()
    faces, matches = (rows.get(model._meta.label, 0) for model in (UploadedFace, Match))
    return Deleted(delete_folder(upload.pk), faces, matches)


def delete_expired(upload: Upload) -> None:
    """Delete an upload that is asked for after its time. A failure is logged and left to the next
    purge: the visitor sees nothing of the upload either way."""
    try:
        delete_upload(upload)
    except Exception as error:  # noqa: BLE001 - storage and database fail in many ways.
        logger.error("an expired upload could not be deleted: %s", type(error).__name__)


def delete_all_of(owner: UUID) -> Deleted:
    """Delete every upload of this owner."""
    uploads = Upload.objects.filter(owner=owner)
    return sum((delete_upload(upload) for upload in uploads), Deleted(0, 0, 0))


@dataclass(slots=True)
class Purged:
    """How many uploads were deleted, or would be, and how many could not be."""

    deleted: int = 0
    failed: int = 0


def purge_expired(*, everything: bool = False, dry_run: bool = False) -> Purged:
    """Delete expired uploads (or all), old folders without an upload, and ended sessions. What
    fails is counted, logged without its id, and left to the next purge."""
    uploads = Upload.objects.all() if everything else Upload.objects.expired()
    if dry_run:
        return Purged(uploads.count())
    done, failures = Purged(), Counter[str]()
    for upload in [Upload(pk=pk) for pk in uploads.values_list("pk", flat=True)]:
        with _counted(failures):
            _delete_somehow(upload)
            done.deleted += 1
    done.failed = failures.total()
    with _counted(failures):
        for folder in list_folders():
            with _counted(failures):
                if is_orphan(folder):
                    delete_folder(folder)
    with _counted(failures):
        SessionStore.clear_expired()
    for kind, count in failures.items():
        logger.error("purging: %d deletions failed with %s and are tried again", count, kind)
    return done


@contextmanager
def _counted(failures: Counter[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the others are to be deleted all the same.
        failures[type(error).__name__] += 1


def _delete_somehow(upload: Upload) -> None:
    """Files first if the rows cannot be changed: on a full disk they make room for that."""
    try:
        delete_upload(upload)
    except DatabaseError:
        delete_folder(upload.pk)
        delete_upload(upload)


def is_orphan(folder: str) -> bool:
    """Whether the folder belonged to an upload that has no row, and is old. A folder that is
    not named by an id is not this site's."""
    try:
        has_row = Upload.objects.filter(pk=UUID(folder)).exists()
    except ValueError:
        return False
    return not has_row and is_untouched(folder, ORPHAN_AGE)
