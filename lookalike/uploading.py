"""How Django keeps a file while it arrives: without a name, so that nothing of it outlives the
process, and nothing tells what the visitor called it."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

OLD_SECONDS = 3600


class NamelessFileUploadHandler(TemporaryFileUploadHandler):
    file: UploadedFile[bytes]  # type: ignore[assignment]

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        settings.TEMP_DIR.mkdir(parents=True, exist_ok=True)
        self.file = UploadedFile(
            TemporaryFile(dir=settings.TEMP_DIR),  # noqa: SIM115 - Django closes it.
            self.file_name,
            self.content_type,
            0,
            self.charset,
            self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()


def sweep_temporary_files() -> None:
    """Delete what a killed process left in the temporary folder an hour ago."""
    folder = Path(settings.TEMP_DIR)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_file() and path.stat().st_mtime < time.time() - OLD_SECONDS:
            path.unlink(missing_ok=True)
