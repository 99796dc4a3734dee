"""Folders and archives as the importer sees them: names, and bytes of bounded size."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from celebrities.errors import BadSource
from celebrities.portraits import MAX_FILE_BYTES

MAX_FILES = 2_000_000
MAX_MANIFEST_BYTES = 100_000_000
# A member may be damaged, encrypted, or packed in a way that Python doesn't know.
_UNPACKING = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
    KeyError,
)
_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}


class Source(Protocol):
    """Files by their relative names, with "/" between folders."""

    def names(self) -> list[str]:
        """Every file that isn't hidden, in order."""
        ...

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """A file's bytes, and never more than one over the limit. Raises OSError."""
        ...


class FolderSource:
    """A folder on this machine. Links that lead out of it are not followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def names(self) -> list[str]:
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if not is_junk(path.as_posix()))

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder):
            raise OSError("the link leads out of the folder")
        with path.open("rb") as file:
            return file.read(limit + 1)


class ZipSource:
    """A zip archive, read in place: nothing is unpacked to disk, so no name in it can lead
    anywhere, and no member is inflated beyond the limit."""

    def __init__(self, path: Path) -> None:
        try:
            self.archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise BadSource(f"{path} cannot be read as a zip archive: {error}.") from error
        if len(self.archive.infolist()) > MAX_FILES:
            raise BadSource(f"{path} holds more than {MAX_FILES:,} files.")

    def names(self) -> list[str]:
        found = {info.filename for info in self.archive.infolist() if not info.is_dir()}
        return sorted(name for name in found if not is_junk(name))

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        try:
            with self.archive.open(name) as member:
                return member.read(limit + 1)
        except _UNPACKING as error:
            raise OSError(f"it cannot be unpacked: {error}") from error


def is_junk(name: str) -> bool:
    """Whether it is a hidden or system file."""
    return any(part.startswith(".") or part.lower() in _JUNK for part in PurePosixPath(name).parts)


def open_source(path: Path) -> Source:
    """Raises BadSource with what to give instead."""
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise BadSource(f"There is no {path}. Give a folder or a zip archive of portraits.")
    if zipfile.is_zipfile(path):
        return ZipSource(path)
    raise BadSource(f"{path} is neither a folder nor a zip archive.")
