"""Files for an import, sent to the desk in parts. The web process may import this module."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db.models import Q
from django.utils import timezone

from celebrities.importers.recording import end
from celebrities.models import GalleryImport

MOST_BYTES = 2_000_000_000
PART_BYTES = 8_000_000
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".csv")

KEPT = timedelta(days=3)
"""A file that is not imported by then is deleted."""

SILENT = timedelta(minutes=10)
"""An import that was not heard of for so long has lost its worker."""

Status = GalleryImport.Status
OPEN = (Status.LOOKING, Status.IMPORTING)


class WrongPart(Exception):
    """The part does not begin where the bytes that are there end."""


def parts_storage() -> Storage:
    """Not the gallery's, which is public."""
    return storages["records"]


def part_name(record: GalleryImport, at: int) -> str:
    return f"imports/{record.pk}/{at:012d}"


def add_part(record: GalleryImport, at: int, data: bytes) -> int:
    """Store the bytes that begin at ``at``, and return how many there are now. Raises WrongPart."""
    if at != record.received or not data or at + len(data) > record.size:
        raise WrongPart
    storage, name = parts_storage(), part_name(record, at)
    # One that was cut off before its row knew of it.
    storage.delete(name)
    storage.save(name, ContentFile(data))
    now = {"received": at + len(data), "heartbeat_at": timezone.now()}
    mine = GalleryImport.objects.filter(pk=record.pk, status=Status.RECEIVING, received=at)
    if not mine.update(**now):
        raise WrongPart
    return at + len(data)


def delete_parts(record: GalleryImport) -> None:
    storage = parts_storage()
    at = 0
    while at < record.received:
        name = part_name(record, at)
        if not storage.exists(name):
            break
        size = storage.size(name)
        storage.delete(name)
        at += size
    shutil.rmtree(folder_of(record), ignore_errors=True)


def folder_of(record: GalleryImport) -> Path:
    return Path(settings.DATA_DIR) / "imports" / str(record.pk)


def confirm(record: GalleryImport, **chosen: object) -> bool:
    """Begin to import what was looked at, with these options more. Returns False if that is no
    longer waited for."""
    looked = GalleryImport.objects.filter(pk=record.pk, status=Status.LOOKED)
    begun = {"status": Status.IMPORTING, "counts": {}, "report": "", "at": 0, "found": []}
    options = {**record.options, **chosen}
    return bool(looked.update(**begun, options=options, heartbeat_at=timezone.now()))


def discard(record: GalleryImport) -> None:
    """Forget a file that is not imported; one that is being imported stops where it is."""
    if record.status == Status.IMPORTING:
        end(record, "Stopped.")
    else:
        GalleryImport.objects.filter(pk=record.pk).delete()
    delete_parts(record)


def forget_files() -> None:
    """Delete files that were not sent or confirmed in time."""
    waiting = Q(status__in=[Status.RECEIVING, Status.LOOKED])
    for record in GalleryImport.objects.filter(waiting, heartbeat_at__lt=timezone.now() - KEPT):
        discard(record)


def by_a_worker() -> Q:
    """Not those that a command does itself."""
    return Q(status__in=OPEN, at_desk=True)


def has_lost_worker() -> bool:
    lost = timezone.now() - SILENT
    return GalleryImport.objects.filter(by_a_worker(), heartbeat_at__lt=lost).exists()
