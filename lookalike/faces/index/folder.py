"""An index on disk: a folder that never changes once it has its name.

It is written under a temporary name, synced, and renamed. Processes that have an older
folder of that name open keep what they opened.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from lookalike.faces.errors import IndexDamaged, IndexMissing
from lookalike.faces.index.facts import BuildFacts

FORMAT: Final = "lookalike-index-4"
MANIFEST: Final = "manifest.json"
TREES: Final = "index.ann"
PROJECTION: Final = "projection.f32"
ROWS: Final = "rows.f32"
BIAS: Final = "bias.f32"
IDS: Final = "ids.i64"
FILES: Final = (TREES, PROJECTION, ROWS, BIAS, IDS)

TEMPORARY: Final = ".tmp-"
REPLACED: Final = ".old-"


@contextmanager
def publish(folder: Path, name: str) -> Iterator[Path]:
    """Yields a temporary folder, which becomes ``folder/name`` on success.

    On an exception nothing is published and nothing left behind. Permissions follow the
    umask. Raises ValueError for a name that is a path or hidden.
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"not a name for an index: {name!r}")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{name}{TEMPORARY}{uuid.uuid4().hex}"
    temporary.mkdir()
    lock = os.open(temporary, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_others(folder, lambda: {path.name for path in folder.iterdir()})
        yield temporary
        for path in (*temporary.iterdir(), temporary):
            _sync(path)
        _rename_over(temporary, folder / name)
        _sync(folder)
    finally:
        os.close(lock)
        shutil.rmtree(temporary, ignore_errors=True)


def remove_others(folder: Path, names_in_use: Callable[[], Collection[str]]) -> None:
    """Delete every index but those in use, and what killed builds left.

    Lists the folder before it asks for the names, so a build that starts in between is not
    touched; a running build holds a lock on its temporary folder. Processes that have a
    deleted index mapped can go on using it.
    """
    if not folder.is_dir():
        return
    there = [path for path in folder.iterdir() if path.is_dir()]
    kept = names_in_use()
    for path in there:
        is_leftover = TEMPORARY in path.name or REPLACED in path.name
        if (is_leftover or path.name not in kept) and not _is_locked(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _rename_over(temporary: Path, final: Path) -> None:
    replaced = final.with_name(f"{final.name}{REPLACED}{uuid.uuid4().hex}")
    if final.exists():
        final.rename(replaced)
    temporary.rename(final)
    shutil.rmtree(replaced, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_facts(folder: Path, facts: BuildFacts) -> None:
    values = facts.to_json()
    text = json.dumps({"format": FORMAT, "checksum": _seal(values), **values}, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_facts(folder: Path) -> BuildFacts:
    """The manifest of an index, after comparing every file with its checksum.

    Raises IndexMissing if there is no such folder, and IndexDamaged if the manifest or a
    file is absent, altered or of another version.
    """
    if not folder.is_dir():
        raise IndexMissing(f"There is no index named {folder.name}.")
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT or values.pop("checksum") != _seal(values):
            raise ValueError("altered, or of another version")
        facts = BuildFacts.from_json(values)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as problem:
        raise IndexDamaged(f"The index {folder.name} has no usable manifest.") from problem
    for name in FILES:
        path = folder / name
        if not path.is_file() or checksum(path) != facts.files.get(name):
            raise IndexDamaged(
                f"{name} of the index {folder.name} is truncated, altered or absent."
            )
    return facts


def _seal(values: dict[str, Any]) -> str:
    canonical = json.dumps(values, sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
