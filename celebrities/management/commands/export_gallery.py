from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from celebrities.archive import export_gallery
from lookalike.database import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Write the whole gallery into a ZIP archive: people, categories, credits, portraits with "
        "their pictures and vectors, and the do-not-import list. import_celebrities reads it back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            count = export_gallery(path)
        except OSError as error:
            raise CommandError(f"The gallery could not be exported: {error}") from error
        self.stdout.write(f"{count} portraits written to {path}.")
