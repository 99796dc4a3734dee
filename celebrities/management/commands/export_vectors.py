from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from celebrities.vectors import export_vectors
from lookalike.database import DatabaseCommand
from lookalike.faces.errors import FacesError


class Command(DatabaseCommand):
    help = (
        "Write the gallery's vectors as CSV: one portrait per line, its file name and then "
        "the numbers. The first line states the encoder. "
        "rebuild_index --from-csv reads such a file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            count = export_vectors(path)
        except (FacesError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} vectors written to {path}.")
