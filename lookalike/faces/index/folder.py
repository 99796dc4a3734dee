"""What an index is on disk: its files, how they are published and checked.

An index is a folder that never changes once it has its name. It is written beside under
a temporary name, brought to the disk, and renamed; whoever has an older one open keeps it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lookalike.faces.errors import IndexDamaged, IndexMissing, IndexStale
from lookalike.faces.index.manifest import METRIC, FileMark, Manifest

MANIFEST: Final = "manifest.json"
TREES: Final = "index.ann"
VECTORS: Final = "vectors.f32"
CODES: Final = "codes.i8"
TERMS: Final = "terms.f32"
BASIS: Final = "basis.f64"
PORTRAITS: Final = "portraits.i64"
CELLS: Final = "cells.i64"
FILES: Final = (TREES, VECTORS, CODES, TERMS, BASIS, PORTRAITS, CELLS)

TEMPORARY: Final = ".tmp-"
REPLACED: Final = ".old-"


# --- Writing and publishing ---------------------------------------------------------


@contextmanager
def publish(folder: Path, name: str) -> Iterator[Path]:
    """Give a temporary folder beside ``folder/name``; on success it gets that name.

    What was there under the name is replaced by rename, so processes that have it open
    keep what they opened. On an exception nothing is published and nothing left behind.
    The permissions are those that the process's umask gives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    beside = folder / f"{name}{TEMPORARY}{uuid.uuid4().hex}"
    beside.mkdir()
    lock = os.open(beside, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield beside
        for path in (*beside.iterdir(), beside):
            _bring_to_disk(path)
        _rename_over(beside, folder / name)
        _bring_to_disk(folder)
    finally:
        os.close(lock)
        shutil.rmtree(beside, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed build left. A build that runs holds a lock on its folder."""
    for path in folder.iterdir():
        if REPLACED in path.name or (TEMPORARY in path.name and not _is_locked(path)):
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


def _rename_over(beside: Path, final: Path) -> None:
    replaced = final.with_name(f"{final.name}{REPLACED}{uuid.uuid4().hex}")
    if final.exists():
        final.rename(replaced)
    beside.rename(final)
    shutil.rmtree(replaced, ignore_errors=True)


def _bring_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mark_file(path: Path) -> FileMark:
    """Read the whole file for its size and SHA-256."""
    with path.open("rb") as file:
        return FileMark(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


# --- Checking -----------------------------------------------------------------------

_checked: set[tuple[int, int, int, int, str]] = set()
"""Files found whole by this process: device, inode, bytes, change time, SHA-256. Hashing a
large index takes seconds, and its files never change, so each is hashed once a process."""


def read_manifest(folder: Path) -> Manifest:
    """Raises IndexMissing when there is no such folder, IndexDamaged when its manifest is
    absent, altered or foreign."""
    if not folder.is_dir():
        raise IndexMissing(f"There is no index named {folder.name}. Build the index.")
    try:
        return Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, RecursionError) as problem:
        raise IndexDamaged(
            f"The index {folder.name} has no usable manifest. Rebuild the index."
        ) from problem


def check_encoder(manifest: Manifest, name: str | None, version: str | None) -> None:
    """Raises IndexStale when the index is another encoder's or version's; None: any."""
    built_by = (manifest.encoder_name, manifest.encoder_version)
    wanted = (name or built_by[0], version or built_by[1])
    if built_by != wanted:
        raise IndexStale(
            f"The index was built by {' '.join(built_by)}, and {' '.join(wanted)} is in use. "
            "Rebuild the index."
        )


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises IndexDamaged unless every file is exactly the one that the build wrote."""
    if manifest.metric != METRIC or manifest.files.keys() != set(FILES):
        raise IndexDamaged(f"The index {folder.name} is another program's. Rebuild the index.")
    for name, expected in expected_bytes(manifest).items():
        if manifest.files[name].bytes != expected:
            raise IndexDamaged(f"{name} of {folder.name} has the wrong size. Rebuild the index.")
    for name, mark in manifest.files.items():
        if not _is_whole(folder / name, mark):
            raise IndexDamaged(
                f"{name} of the index {folder.name} is truncated, altered or absent. "
                "Rebuild the index."
            )


def expected_bytes(manifest: Manifest) -> dict[str, int]:
    """What each file's size must be, given the counts (the trees' size is free)."""
    items, dimensions = manifest.items, manifest.dimensions
    return {
        VECTORS: items * dimensions * 4,
        CODES: items * manifest.head,
        TERMS: items * 3 * 4 if manifest.head else 0,
        BASIS: (3 + (manifest.head + 1) * dimensions) * 8 if manifest.head else 0,
        PORTRAITS: items * 2 * 8,
        CELLS: (manifest.cells + 1) * 8,
    }


def _is_whole(path: Path, mark: FileMark) -> bool:
    if not path.is_file():
        return False
    status = path.stat()
    if status.st_size != mark.bytes:
        return False
    key = (status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns, mark.sha256)
    if key not in _checked:
        if mark_file(path) != mark:
            return False
        _checked.add(key)
    return True
