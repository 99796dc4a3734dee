"""A CSV alone: it names the files, by paths relative to it or by addresses."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from django.conf import settings

from celebrities.errors import BadSource
from celebrities.importers.addresses import download
from celebrities.importers.filenames import tidy_path
from celebrities.importers.manifest import is_address, read_manifest
from celebrities.importers.sources import MAX_MANIFEST_BYTES, Source, read_whole
from celebrities.models import MAX_FILE_BYTES
from lookalike.faces.tables import BadLine


class ListedSource(Source):
    """The files that a CSV names, and the CSV itself, which ``manifest`` names.

    Files lie in its folder or below. Addresses need LOOKALIKE_IMPORT_ADDRESSES=1 and must be on
    a host of LOOKALIKE_IMPORT_HOSTS. Raises BadSource.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.folder = path.parent.resolve()
        self.manifest = path.name
        self.members[path.name] = path
        folders = set()
        for file in read_file_names(path):
            if not is_address(file):
                folders.add(PurePosixPath(file).parent)
            elif may_be_loaded(file):
                self.members[file] = file
        for folder in sorted(folders):
            self.add_folder(folder)

    def add_folder(self, name: PurePosixPath) -> None:
        """Take in the files of a folder, unless it lies elsewhere."""
        folder = (self.folder / name).resolve()
        if folder.is_relative_to(self.folder) and folder.is_dir():
            for file in sorted(folder.iterdir()):
                path = tidy_path(f"{name}/{file.name}")
                if file.is_file() and path != self.manifest:
                    self.add(path, file)

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        member = self.members[path]
        if isinstance(member, str):
            return download(member, settings.IMPORT_HOSTS, limit)
        target = member.resolve()
        if not target.is_relative_to(self.folder):
            raise OSError("the link leads out of the folder")
        return read_whole(target, limit)


def may_be_loaded(address: str) -> bool:
    parts = urlsplit(address)
    named = parts.scheme == "https" and parts.netloc in settings.IMPORT_HOSTS
    return bool(settings.IMPORT_ADDRESSES and named)


def read_file_names(path: Path) -> list[str]:
    try:
        data = read_whole(path, MAX_MANIFEST_BYTES)
        if len(data) > MAX_MANIFEST_BYTES:
            raise OSError(f"it is larger than {MAX_MANIFEST_BYTES:,} bytes")
        return list(read_manifest(data).entries)
    except (BadLine, OSError) as error:
        raise BadSource(f"{path} cannot be used: {error}. Nothing was imported.") from error
