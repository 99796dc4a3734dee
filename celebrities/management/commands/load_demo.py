from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from celebrities.gallery import delete_celebrities
from celebrities.importers.layout import plan_import
from celebrities.importers.people import Options
from celebrities.importers.sources import FolderSource
from celebrities.index.cleaning import remove_old_builds
from celebrities.management.importing import run_import, show_report
from celebrities.management.rebuilding import rebuild_and_tell
from celebrities.models import Celebrity
from lookalike.database import DatabaseCommand

DEMO = settings.BASE_DIR / "celebrities" / "galleries" / "fictional"
HELD_BACK = "_3.jpg"
"""The third photo of each person is a sample for visitors to try the site with."""


class Command(DatabaseCommand):
    help = (
        "Put the fictional cast into the gallery: 48 people who don't exist, rendered by "
        "computer. With --remove, take them out again, with files, vectors and all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="take the cast out")
        parser.add_argument("--no-rebuild", action="store_true", help="leave the index as it is")
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if the gallery has people"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and Celebrity.objects.exists():
            return
        changed = self.remove() if options["remove"] else self.load(options["verbosity"])
        if changed and not options["no_rebuild"]:
            rebuild_and_tell(self.stdout)
            if options["remove"]:
                # The previous build still holds the cast's vectors.
                remove_old_builds(at_once=True)

    def load(self, verbosity: int) -> bool:
        source = FolderSource(DEMO)
        plan = plan_import(source)
        plan.portraits = [each for each in plan.portraits if not each.file.endswith(HELD_BACK)]
        options = Options(is_fictional=True)
        report = run_import(source, plan, options)
        show_report(report, options, self.stdout, self.stderr, verbosity)
        return report.changed

    def remove(self) -> bool:
        gone = delete_celebrities(Celebrity.objects.filter(is_fictional=True))
        self.stdout.write(f"Removed {gone} fictional people.")
        return bool(gone)
