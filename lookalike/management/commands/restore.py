from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lookalike.backups import BadBackup, restore_backup
from lookalike.management.commands.serve import lock_data_folder


class Command(BaseCommand):
    help = (
        "Put a backup in place of the site's database, and its pictures beside those in storage. "
        "Stop the site first. The database before is kept beside the new one. Run audit --repair "
        "afterwards: it names people who were deleted since, and builds the index."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.tar.gz")

    def handle(self, *args: Any, **options: Any) -> None:
        with lock_data_folder(settings.DATA_DIR):
            try:
                facts = restore_backup(options["file"])
            except (BadBackup, OSError) as error:
                raise CommandError(str(error)) from error
            call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(
            f"Restored the backup of {facts['made']} (version {facts['version']}). "
            "Now run manage.py audit --repair."
        )
        if facts["settings"]:
            self.stdout.write(f"Settings that were set then: {', '.join(facts['settings'])}.")
