"""Files in gallery storage that no portrait has: a process was killed before it had stored the
portrait's row, or before it had deleted the files of one that was deleted."""

from __future__ import annotations

import fcntl
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

from celebrities.models import Portrait, gallery_storage

logger = logging.getLogger(__name__)

OLD = timedelta(hours=1)
"""Longer than any process takes from a file to its row, on whatever machine it runs."""

MANY = 500
"""If more files than this, and a tenth of all, have no row, the database may be an older one."""

_FILE = re.compile(r"([0-9a-f]{32})(-chip|-[0-9]{1,4})?\.(jpg|webp)")
_FOLDER = re.compile(r"[0-9a-f]{2}")


@contextmanager
def storing() -> Iterator[None]:
    """Files may be written inside whose row is not committed yet: `sweep_files` waits."""
    with _lock(fcntl.LOCK_SH):
        yield


@contextmanager
def _lock(kind: int) -> Iterator[None]:
    path = settings.DATA_DIR / "storing.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, kind)
        yield


def sweep_files(*, everything: bool = False) -> int:
    """Delete the files of portraits that have no row, and return their number.

    Where so many have none that the database may be an older one, they are only deleted with
    ``everything``. Other machines may be storing portraits in a shared storage, so there only
    files of over an hour are deleted.
    """
    storage = gallery_storage()
    is_ours = isinstance(storage, FileSystemStorage)
    before = None if is_ours else timezone.now() - OLD
    with _lock(fcntl.LOCK_EX):
        files = list(_list_files())
        orphans = find_orphans(files)
        if before is not None:
            orphans = [name for name in orphans if storage.get_modified_time(name) < before]
        if len(orphans) > max(MANY, len(files) / 10) and not everything:
            logger.error(
                "%d files of the gallery's storage belong to no portrait. They stay: is this the "
                "right database? If it is, manage.py audit --repair deletes them.",
                len(orphans),
            )
            return 0
        for name in orphans:
            storage.delete(name)
    if orphans:
        logger.info("Deleted %d files that no portrait has.", len(orphans))
    return len(orphans)


def find_orphans(files: Iterable[str] | None = None) -> list[str]:
    """Of these files of portraits, or of all, those without a row, also those that are just being
    stored."""
    images = Portrait.objects.order_by().values_list("image", flat=True)
    known = {Path(name).stem for name in images}
    listed = _list_files() if files is None else files
    return [name for name in listed if _stem(name) not in known]


def _list_files() -> Iterator[str]:
    storage = gallery_storage()
    try:
        folders, _ = storage.listdir("portraits")
    except FileNotFoundError:
        return
    for folder in filter(_FOLDER.fullmatch, sorted(folders)):
        _, names = storage.listdir(f"portraits/{folder}")
        yield from (f"portraits/{folder}/{name}" for name in names if _FILE.fullmatch(name))


def _stem(name: str) -> str:
    return Path(name).stem.partition("-")[0]
