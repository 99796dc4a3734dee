"""The files of an upload: random names in one private folder per upload."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.utils import timezone

if TYPE_CHECKING:
    from celebrities.models import Portrait
    from uploads.models import UploadedFace


def store_file(upload_id: UUID, content: bytes | File[bytes], suffix: str = "") -> str:
    """Store content under a new random name in the upload's folder; returns the name."""
    name = f"{upload_id}/{secrets.token_hex(12)}{suffix}"
    if isinstance(content, bytes):
        content = ContentFile(content)
    return storages["uploads"].save(name, content)


def read_file(name: str | None) -> bytes:
    """Raises FileNotFoundError if the name is empty or the file does not exist."""
    if not name:
        raise FileNotFoundError("the upload has no file")
    with storages["uploads"].open(name) as file:
        return bytes(file.read())


def read_chips(face: UploadedFace, portrait: Portrait) -> tuple[bytes, bytes]:
    """The JPEG chips of a face and of a look-alike. Raises FileNotFoundError."""
    with storages["gallery"].open(str(portrait.chip)) as file:
        theirs = bytes(file.read())
    return read_file(face.chip.name), theirs


def delete_files(names: Iterable[str | None]) -> None:
    """Delete these files. Empty names and missing files are ignored."""
    for name in names:
        if name:
            storages["uploads"].delete(name)


def list_files(upload_id: UUID | str) -> list[str]:
    """Names of all files in the upload's folder."""
    try:
        _folders, names = storages["uploads"].listdir(str(upload_id))
    except FileNotFoundError:
        return []
    return [f"{upload_id}/{name}" for name in names if name]


def delete_folder(upload_id: UUID | str) -> int:
    """Delete the upload's folder with all its files; returns the number of files."""
    names = list_files(upload_id)
    delete_files(names)
    # The folder is not empty if a worker has just stored a file. That worker finds its claim
    # lost and deletes the folder.
    with contextlib.suppress(OSError):
        storages["uploads"].delete(str(upload_id))
    return len(names)


def list_folders() -> list[str]:
    """Names of all folders. Those that this site makes are named by upload ids."""
    try:
        return storages["uploads"].listdir("")[0]
    except FileNotFoundError:
        return []


def is_untouched(folder: str, age: timedelta) -> bool:
    """Whether no file in the folder changed for ``age``."""
    # A local disk has empty folders too, which have a time of their own.
    paths = list_files(folder) or [folder]
    limit = timezone.now() - age
    return all(storages["uploads"].get_modified_time(path) < limit for path in paths)
