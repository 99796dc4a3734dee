"""The files of an upload: random names in one private folder, which goes as a whole."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Collection, Iterable
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages


def store_file(upload_id: UUID, content: bytes | File[bytes], suffix: str = "") -> str:
    """Keep content under a new random name in the upload's folder; returns the name."""
    name = f"{upload_id}/{secrets.token_hex(12)}{suffix}"
    if isinstance(content, bytes):
        content = ContentFile(content)
    return storages["uploads"].save(name, content)


def read_file(name: str | None) -> bytes:
    """The file's bytes. Raises FileNotFoundError when there is none of that name."""
    if not name:
        raise FileNotFoundError("the upload has no file")
    with storages["uploads"].open(name) as file:
        return bytes(file.read())


def delete_files(names: Iterable[str | None]) -> None:
    """Delete these files; one that is gone already, or has no name, is no error."""
    for name in names:
        if name:
            storages["uploads"].delete(name)


def list_files(upload_id: UUID | str) -> list[str]:
    """Names of everything in the upload's folder."""
    try:
        _folders, names = storages["uploads"].listdir(str(upload_id))
    except FileNotFoundError:
        return []
    return [f"{upload_id}/{name}" for name in names if name]


def delete_folder(upload_id: UUID | str) -> int:
    """Delete everything in the upload's folder and the folder; returns how many files."""
    names = list_files(upload_id)
    delete_files(names)
    # A worker may put a file there in this moment. It finds its claim gone and removes the
    # file; the purge takes the empty folder.
    with contextlib.suppress(OSError):
        storages["uploads"].delete(str(upload_id))
    return len(names)


def delete_strays(upload_id: UUID, kept: Collection[str | None]) -> None:
    """Delete what a killed attempt left in the folder: every file that is not in ``kept``."""
    delete_files([name for name in list_files(upload_id) if name not in kept])
