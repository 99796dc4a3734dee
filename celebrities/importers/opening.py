"""A path as a source."""

from __future__ import annotations

import zipfile
from pathlib import Path

from celebrities.errors import BadSource
from celebrities.importers.archives import TarSource, ZipSource, is_tar
from celebrities.importers.listed import ListedSource
from celebrities.importers.sources import FolderSource, Source

_HINTS = {
    "zip": "a ZIP archive whose end is missing. Copy or download it again",
    "packed": "an archive of a kind that is not read. Unpack it, and give the folder",
    "picture": "one picture. Put it into a folder named for the person, and give the folder "
    "around that",
    "empty": "empty. Copy or download it again",
}
_BEGINNINGS = {
    b"PK\x03\x04": "zip",
    b"Rar!": "packed",
    b"7z\xbc\xaf": "packed",
    b"\x1f\x8b": "packed",
    b"\xff\xd8\xff": "picture",
    b"\x89PNG": "picture",
    b"RIFF": "picture",
    b"GIF8": "picture",
}


def find_kind(path: Path) -> str:
    """What a file is that no reader takes, or ""."""
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        return "empty"
    return next((kind for magic, kind in _BEGINNINGS.items() if head.startswith(magic)), "")


def open_source(path: Path) -> Source:
    """Raises BadSource with what to give instead."""
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise BadSource(f"There is no {path}. Give a folder, a ZIP or tar archive, or a CSV.")
    if zipfile.is_zipfile(path):
        return ZipSource(path)
    if is_tar(path):
        return TarSource(path)
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return ListedSource(path)
    if hint := _HINTS.get(find_kind(path)):
        raise BadSource(f"{path} is {hint}.")
    raise BadSource(f"{path} is neither a folder, nor a ZIP or tar archive, nor a CSV.")
