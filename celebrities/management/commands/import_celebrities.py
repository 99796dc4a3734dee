from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from celebrities.errors import BadSource
from celebrities.importers.importing import Options
from celebrities.importers.layout import plan_import
from celebrities.importers.sources import open_source
from celebrities.management.importing import import_and_report
from celebrities.management.rebuilding import rebuild_and_tell
from celebrities.models import Celebrity
from lookalike.database import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Import people from a folder or a zip archive: a folder per person, or files named "
        "<person>_<number>.jpg, in either case with a manifest.csv if you like. What the "
        "gallery has already is skipped, so an import can be repeated. Then the index is "
        "rebuilt. Exit code 0 when every portrait found a place, 1 when some failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the folder or the zip archive")
        parser.add_argument("--category", default="", help="what all of them are known for")
        parser.add_argument(
            "--unpublished", action="store_true", help="keep new people out of sight for now"
        )
        parser.add_argument("--no-rebuild", action="store_true", help="leave the index as it is")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = open_source(options["path"])
            plan = plan_import(source)
        except BadSource as error:
            raise CommandError(str(error)) from error
        for remark in plan.remarks:
            self.stderr.write(f"{remark}.")
        if not plan.portraits and not plan.failed:
            raise CommandError(f"There is no portrait in {options['path']}.")
        chosen = Options(category=options["category"], published=not options["unpublished"])
        summary = import_and_report(self, source, plan, chosen, options["verbosity"])
        if summary.imported and Celebrity.objects.filter(is_fictional=True).exists():
            self.stdout.write(
                "The fictional cast is still in the gallery beside them. "
                "To take it out: manage.py load_demo --remove"
            )
        if summary.imported and not options["no_rebuild"]:
            rebuild_and_tell(self.stdout)
        if summary.failed:
            raise CommandError(f"{len(summary.failed)} could not be imported, as said above.")
