from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lookalike.backups import BadBackup, write_backup


class Command(BaseCommand):
    help = (
        "Write database and gallery into one archive, without visitors' photos, sessions and "
        "secrets. The site may run meanwhile. For SQLite; docs/operations.md says how to keep a "
        "PostgreSQL and a bucket."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.tar.gz")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"].resolve()
        try:
            count = write_backup(path)
        except (BadBackup, OSError) as error:
            raise CommandError(f"No backup was written. {error}") from error
        self.stdout.write(f"Database and {count} pictures written to {path}.")
