from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from lookalike.database import DatabaseCommand
from lookalike.reserve import released_reserve
from uploads.deletion import purge_expired


class Command(DatabaseCommand):
    help = (
        "Delete uploads that have expired, with their results and files. The site does so itself; "
        "from cron this keeps the promise without any worker."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="delete unexpired uploads too")
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def execute(self, *args: Any, **options: Any) -> str | None:
        with released_reserve():
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        purged = purge_expired(everything=options["all"], dry_run=options["dry_run"])
        noun = "upload" if purged.deleted == 1 else "uploads"
        done = "Would delete" if options["dry_run"] else "Deleted"
        self.stdout.write(f"{done} {purged.deleted} {noun}.")
        if purged.failed:
            raise CommandError(
                f"{purged.failed} could not be deleted. Look at the storage and the database, and "
                "run this again."
            )
