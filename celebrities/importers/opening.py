"""A path as a source."""

from __future__ import annotations

import zipfile
from pathlib import Path

from celebrities.errors import BadSource
from celebrities.importers.archives import TarSource, ZipSource, is_tar
from celebrities.importers.listed import ListedSource
from celebrities.importers.sources import FolderSource, Source


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
    raise BadSource(f"{path} is neither a folder, nor a ZIP or tar archive, nor a CSV.")
