"""manage.py purge_uploads: delete what has expired, or everything."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from lookalike.database import DatabaseCommand
from uploads.deletion import purge_expired


class Command(DatabaseCommand):
    help = "Deletes uploads that have expired, with their results and files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help="delete every upload, expired or not"
        )
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        count = purge_expired(everything=options["all"], dry_run=dry_run)
        noun = "upload" if count == 1 else "uploads"
        self.stdout.write(f"{'Would delete' if dry_run else 'Deleted'} {count} {noun}.")
