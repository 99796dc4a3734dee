"""The files of index builds: in INDEX_DIR/<name>, and in storage where machines share it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.db.models import Q
from django.utils import timezone

from celebrities.index.pgvector import drop_tables
from celebrities.models import IndexBuild, Resemblance
from lookalike.faces.errors import IndexDamaged, IndexMissing

GRACE = timedelta(hours=1)
"""How long the files of the build before stay, for searches that began on them."""

KEPT_ROWS = 20
"""Builds whose rows stay as a record, the one in use included."""

Status = IndexBuild.Status


def is_shared() -> bool:
    """Whether builds travel by storage to other machines."""
    return settings.STORAGE != "local"


def send_build(build: IndexBuild) -> None:
    """Put the build's files into storage, the manifest last."""
    if not is_shared():
        return
    from lookalike.faces.index.folder import FILES, MANIFEST

    for name in (*FILES, MANIFEST):
        with (settings.INDEX_DIR / build.name / name).open("rb") as file:
            storages["builds"].save(f"{build.name}/{name}", File(file))


def fetch_build(build: IndexBuild) -> None:
    """Bring the build's files from storage to this machine, once for all its processes.

    They appear under their name whole, and only when they are those that the build's row
    tells of. Raises IndexMissing or IndexDamaged.
    """
    folder = settings.INDEX_DIR / build.name
    if folder.exists() or not is_shared():
        return
    with _one_at_a_time():
        if not folder.exists():
            _fetch(build)
    _remove_folders(_names_in_use())


def _fetch(build: IndexBuild) -> None:
    from lookalike.faces.index.folder import (
        FILES,
        MANIFEST,
        check_encoder,
        check_files,
        publish,
        read_manifest,
    )

    storage = storages["builds"]
    with publish(settings.INDEX_DIR, build.name) as beside:
        for name in (*FILES, MANIFEST):
            try:
                with (
                    storage.open(f"{build.name}/{name}") as source,
                    (beside / name).open("wb") as to,
                ):
                    shutil.copyfileobj(source, to, 1 << 20)
            except FileNotFoundError as error:
                raise IndexMissing(f"The storage lacks {name} of {build.name}.") from error
        manifest = read_manifest(beside)
        if asdict(manifest)["files"] != build.manifest["files"]:
            raise IndexDamaged(f"The index {build.name} in storage is not the one that was built.")
        check_encoder(manifest, *build.encoder.split("/", 1))
        check_files(beside, manifest)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Held by one process of this machine; the others wait."""
    settings.INDEX_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.INDEX_DIR / ".fetching").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_old_builds(*, at_once: bool = False) -> None:
    """Delete the files and tables of builds that are no longer searched, and the oldest rows.

    Those of the build before stay for GRACE after it was superseded, unless ``at_once``.
    """
    in_use = _names_in_use(at_once=at_once)
    _remove_folders(in_use)
    drop_tables(in_use)
    gone = IndexBuild.objects.exclude(name__in=in_use).exclude(status=Status.BUILDING)
    if is_shared():
        _remove_from_storage(gone.values_list("name", flat=True))
    oldest = gone.order_by("-started_at").values_list("pk", flat=True)[KEPT_ROWS:]
    IndexBuild.objects.filter(pk__in=list(oldest)).delete()


def withdraw_builds() -> None:
    """Take every build out of use, with files and resemblances: the gallery is empty."""
    IndexBuild.objects.filter(status=Status.PUBLISHED).update(status=Status.SUPERSEDED)
    Resemblance.objects.all().delete()
    remove_old_builds(at_once=True)


def _names_in_use(*, at_once: bool = False) -> set[str]:
    """Builds whose files are needed: being built, in use, or superseded a short while ago."""
    needed = Q(status__in=[Status.BUILDING, Status.PUBLISHED])
    current = IndexBuild.objects.current()
    if current is not None and not at_once:
        since = current.finished_at or timezone.now()
        if since > timezone.now() - GRACE:
            before = IndexBuild.objects.filter(status=Status.SUPERSEDED).order_by("-finished_at")
            needed |= Q(pk__in=list(before.values_list("pk", flat=True)[:1]))
    return set(IndexBuild.objects.filter(needed).values_list("name", flat=True))


def _remove_folders(in_use: Iterable[str]) -> None:
    """Delete the folders of other builds. What has them mapped keeps what it mapped."""
    if not settings.INDEX_DIR.is_dir():
        return
    for folder in settings.INDEX_DIR.iterdir():
        name = folder.name.partition(".")[0]
        if folder.is_dir() and name not in in_use:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_from_storage(names: Iterable[str]) -> None:
    storage = storages["builds"]
    for name in names:
        for file in storage.listdir(name)[1]:
            storage.delete(f"{name}/{file}")
