"""Files that were sent to the desk: looked at, and once confirmed imported by a worker, some
pictures at a time."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celebrities.archive import is_gallery
from celebrities.errors import BadSource
from celebrities.importers.importing import import_plan
from celebrities.importers.layout import Plan, plan_import
from celebrities.importers.opening import open_source
from celebrities.importers.people import Options
from celebrities.importers.recording import author_of, end, tell
from celebrities.importers.restoring import GalleryArchive, restore_gallery
from celebrities.importers.sources import Source
from celebrities.incoming.files import (
    by_a_worker,
    delete_parts,
    folder_of,
    part_name,
    parts_storage,
)
from celebrities.incoming.people import CannotAsk, search, take
from celebrities.models import GalleryImport
from lookalike.database import let_others_write
from lookalike.health import describe_full_disk

logger = logging.getLogger(__name__)

AT_ONCE = 16
"""Pictures imported together."""

SLICE_SECONDS = 3.0
"""So long a worker stays with an import before it looks for other work."""

Status = GalleryImport.Status


def put_together(record: GalleryImport) -> Path:
    """The file on this machine. Raises BadSource if the disk is full or a part is lost."""
    folder = folder_of(record)
    # The name decides how a CSV is read; the rest of it is the sender's.
    path = folder / f"sent{''.join(Path(record.source).suffixes[-2:]).lower()}"
    if path.exists() and path.stat().st_size == record.size:
        return path
    if problem := describe_full_disk():
        raise BadSource(problem)
    folder.mkdir(parents=True, exist_ok=True)
    storage, at = parts_storage(), 0
    with path.with_suffix(".part").open("wb") as whole:
        while at < record.size:
            try:
                with storage.open(part_name(record, at)) as part:
                    data = part.read()
            except FileNotFoundError as error:
                raise BadSource("A part of the file is lost. Send it again.") from error
            whole.write(data)
            at += len(data)
    path.with_suffix(".part").rename(path)
    return path


def options_of(record: GalleryImport, *, dry_run: bool = False) -> Options:
    """Portraits are read by the gallery's worker afterwards, as those added on a form."""
    chosen = record.options
    return Options(
        category=chosen.get("category", ""),
        published=not chosen.get("unpublished"),
        guessed=bool(chosen.get("publish")),
        update=bool(chosen.get("update")),
        dry_run=dry_run,
        unread=True,
        record=None if dry_run else record,
        by=author_of(record),
    )


@contextmanager
def _told(record: GalleryImport) -> Iterator[None]:
    """What is wrong with a file is said on the import's page."""
    try:
        yield
    except BadSource as error:
        end(record, str(error).replace(str(folder_of(record)) + "/", ""))
        delete_parts(record)
    except CannotAsk as error:
        end(record, str(error))
    except Exception as error:
        logger.exception("Import %s failed", record.pk)
        end(record, f"It failed for a reason of the site's own: {type(error).__name__}.")


def look_at(record: GalleryImport) -> None:
    """Say on the import's row what it would do. Writes nothing else."""
    with _told(record):
        if "wikidata" in record.options:
            return search(record)
        path = put_together(record)
        if is_gallery(path):
            archive = GalleryArchive(path)
            report, total = restore_gallery(archive, dry_run=True), len(archive.portraits)
            report.read.append(_hash(path))
        else:
            source, plan = _plan(path)
            if not plan.portraits and not plan.failed and not plan.bad_lines:
                raise BadSource("There is no portrait in it.")
            report = import_plan(source, plan, options_of(record, dry_run=True))
            total = len(plan.portraits)
        tell(record, report, total=total, status=Status.LOOKED)
    return None


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plan(path: Path) -> tuple[Source, Plan]:
    source = open_source(path)
    return source, plan_import(source)


def work_on(record: GalleryImport) -> bool:
    """Import for some seconds. Returns whether there is more to do."""
    until = time.monotonic() + SLICE_SECONDS
    with _told(record):
        if "wikidata" in record.options:
            take(record)
            end(record)
            return False
        path = put_together(record)
        if is_gallery(path):
            tell(record, restore_gallery(GalleryArchive(path), record=record))
            _finish(record)
            return False
        source, plan = _plan(path)
        at, options = record.at, options_of(record)
        while at < len(plan.portraits) and time.monotonic() < until:
            part = slice(at, at + AT_ONCE)
            report = import_plan(source, plan, options, part=part)
            at += AT_ONCE
            tell(record, report, at=min(at, len(plan.portraits)))
            if not GalleryImport.objects.filter(pk=record.pk, status=Status.IMPORTING).exists():
                return False
            let_others_write()
        if at < len(plan.portraits):
            return True
        _finish(record)
    return False


def _finish(record: GalleryImport) -> None:
    end(record)
    delete_parts(record)


def work_on_imports() -> bool:
    """Look at or import what waits, the oldest first. Returns whether there is more to do."""
    record = GalleryImport.objects.filter(by_a_worker()).order_by("pk").first()
    if record is None:
        return False
    if record.status == Status.LOOKING:
        look_at(record)
    else:
        work_on(record)
    return GalleryImport.objects.filter(by_a_worker()).exists()
