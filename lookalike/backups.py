"""The site in one archive, and back: database, gallery's pictures, names of settings.

For SQLite. Never in it: visitors' photos and results, sessions, secrets, the index (built anew).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import connections

from lookalike import __version__

FACTS = "backup.json"
DATABASE = "lookalike.sqlite3"
FOLDER = "gallery"
LEFT_OUT = ("uploads_match", "uploads_uploadedface", "uploads_upload", "django_session")
"""Tables whose rows are visitors' own, in an order in which they can be emptied."""


class BadBackup(Exception):
    """An archive that cannot be put back, or a site that cannot be kept in one. Says why."""


def write_backup(path: Path) -> int:
    """Write the archive, whole or not at all. Returns the number of pictures. Raises BadBackup or
    OSError."""
    if connections["default"].vendor != "sqlite":
        raise BadBackup(
            "The database is a server's: keep it with pg_dump, and the bucket by its versions. "
            'docs/operations.md, "Back up", says in which order.'
        )
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            copy = Path(folder, DATABASE)
            _copy_database(copy)
            with tarfile.open(temporary, "x:gz", compresslevel=1) as archive:
                _add_facts(archive, Path(folder, FACTS))
                archive.add(copy, DATABASE)
                # After the rows, so that each row's picture is there.
                count = _add_pictures(archive)
        temporary.chmod(0o600)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def _copy_database(copy: Path) -> None:
    source = settings.DATABASES["default"]["NAME"]
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=20)) as old,
        closing(sqlite3.connect(copy, isolation_level=None)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA secure_delete=ON")
        there = {name for (name,) in new.execute("SELECT name FROM sqlite_master")}
        for table in LEFT_OUT:
            if table in there:
                new.execute(f"DELETE FROM {table}")  # noqa: S608
        new.execute("VACUUM")


def _add_facts(archive: tarfile.TarFile, path: Path) -> None:
    names = sorted(
        name
        for name in os.environ
        if name.startswith("LOOKALIKE_") or name in {"DATABASE_URL", "REDIS_URL"}
    )
    facts = {
        "version": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": names,
    }
    path.write_text(json.dumps(facts, indent=2))
    archive.add(path, FACTS)


def _add_pictures(archive: tarfile.TarFile) -> int:
    count = 0
    for name in list_files(""):
        with storages["gallery"].open(name) as file, tempfile.TemporaryFile() as whole:
            shutil.copyfileobj(file, whole)
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = whole.tell()
            whole.seek(0)
            archive.addfile(member, whole)
        count += 1
    return count


def list_files(folder: str) -> Iterator[str]:
    """Every file of the gallery's storage below a folder."""
    try:
        folders, files = storages["gallery"].listdir(folder)
    except FileNotFoundError:
        return
    yield from (str(PurePosixPath(folder, name)) for name in files if name)
    for each in folders:
        yield from list_files(str(PurePosixPath(folder, each)))


def restore_backup(path: Path) -> dict[str, Any]:
    """Put the archive's pictures and database in place of the site's own. The database before is
    kept beside it, as `lookalike.sqlite3.before-restore`. Returns the archive's facts.

    Raises BadBackup, before anything is changed, for a file that is no whole backup, and OSError.
    """
    target = Path(settings.DATABASES["default"]["NAME"])
    if connections["default"].vendor != "sqlite":
        raise BadBackup("The database is a server's: restore it with pg_restore.")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            _unpack(path, Path(folder))
            facts: dict[str, Any] = json.loads(Path(folder, FACTS).read_text())
            _check_database(Path(folder, DATABASE))
            _store_pictures(Path(folder, FOLDER))
            _replace_database(Path(folder, DATABASE), target)
    except (tarfile.TarError, EOFError, KeyError, ValueError, sqlite3.DatabaseError) as error:
        raise BadBackup(
            f"{path} is no whole backup of this site: {error}. The database was not changed."
        ) from error
    return facts


def _unpack(path: Path, folder: Path) -> None:
    """Reads the archive to its end first. Members outside the folder are refused."""
    with tarfile.open(path, "r:gz") as archive:
        archive.extractall(folder, filter="data")
    for name in (FACTS, DATABASE):
        if not (folder / name).is_file():
            raise ValueError(f"it lacks {name}")


def _check_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        [(verdict,)] = database.execute("PRAGMA quick_check").fetchall()
        if verdict != "ok":
            raise ValueError(f"its database is damaged ({verdict})")


def _store_pictures(folder: Path) -> None:
    """A picture's name is random, so one that is there already is the same."""
    storage = storages["gallery"]
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not storage.exists(name):
            with path.open("rb") as file:
                storage.save(name, File(file))


def _replace_database(new: Path, target: Path) -> None:
    connections.close_all()
    before = target.with_name(f"{target.name}.before-restore")
    if target.exists():
        target.replace(before)
    for suffix in ("-wal", "-shm"):
        beside = target.with_name(target.name + suffix)
        if beside.exists():
            beside.replace(before.with_name(before.name + suffix))
    new.chmod(0o600)
    new.replace(target)
