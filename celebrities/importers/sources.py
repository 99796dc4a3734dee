"""Folders and archives as the importer sees them: names, and bytes of bounded size."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from celebrities.importers.filenames import TAR_ENCODINGS, decode_names, find_leftover, tidy_path
from celebrities.importers.manifest import Problem
from celebrities.models import MAX_FILE_BYTES

MAX_MANIFEST_BYTES = 20_000_000


class Source(ABC):
    """Files by their relative paths: composed letters, "/" between folders.

    ``leftovers`` counts files that only systems need, by the part of the path that tells.
    ``problems`` are files and folders that cannot be read. Files come in ``paths`` in the
    order in which they are read fastest. If ``manifest`` names one of them, only files that
    it lists are meant.
    """

    encodings: tuple[str, ...] = TAR_ENCODINGS
    manifest = ""

    def __init__(self) -> None:
        self.leftovers: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.members: dict[str, Any] = {}

    @property
    def paths(self) -> list[str]:
        return list(self.members)

    def add_all(self, members: Iterable[tuple[bytes, object]]) -> None:
        """Take in files by their raw names."""
        found = list(members)
        names = decode_names([name for name, _ in found], self.encodings)
        for (raw, member), name in zip(found, names, strict=True):
            if name is None:
                shown = raw.decode("ascii", "replace")
                self.problems.append(Problem(shown, "its name is in an unknown encoding"))
            else:
                self.add(name, member)

    def add(self, name: str, member: object) -> None:
        path = tidy_path(name)
        if leftover := find_leftover(path):
            self.leftovers[leftover] += 1
        elif path in self.members:
            self.problems.append(Problem(path, "another file has this very name"))
        elif path:
            self.members[path] = member

    @abstractmethod
    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """A file's bytes, and never more than one over the limit. Raises OSError."""


class FolderSource(Source):
    """A folder on this machine. Links to folders, and out of the folder, are not followed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder.resolve()
        self.add_all((self.label(path), path) for path in self.walk(self.folder))

    def label(self, path: Path) -> bytes:
        return os.fsencode(path.relative_to(self.folder))

    def walk(self, folder: Path) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self.refuse(folder, describe_error(error))
            return
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from self.walk(path)
            elif entry.is_file(follow_symlinks=False) or (entry.is_symlink() and path.is_file()):
                yield path
            elif entry.is_symlink():
                self.refuse(path, "a link to a folder, to nothing or to itself is not followed")
            else:
                self.refuse(path, "it is not a file")

    def refuse(self, path: Path, reason: str) -> None:
        where = self.label(path).decode("utf-8", "replace")
        if not find_leftover(where):
            self.problems.append(Problem(where, reason))

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        target = self.members[path].resolve()
        if not target.is_relative_to(self.folder):
            raise OSError("the link leads out of the folder")
        return read_whole(target, limit)


def read_whole(path: Path, limit: int) -> bytes:
    """A file's bytes, at most one over the limit. Raises OSError, also if the file changes
    meanwhile."""
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            data = file.read(limit + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise OSError(describe_error(error)) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise OSError("it changed while it was read")
    return data


def describe_error(error: OSError) -> str:
    """The system's words without the path, which the report names anyway."""
    return (error.strerror or str(error)).lower()
