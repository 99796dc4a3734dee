from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from celebrities.demo import CONGRESS, FICTIONAL, Demo
from celebrities.importers.people import Options
from celebrities.index.cleaning import remove_old_builds
from celebrities.management.importing import run_import, show_report
from celebrities.management.rebuilding import rebuild_and_tell
from celebrities.models import Celebrity
from lookalike.database import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Put 261 official portraits of members of the US Congress into the gallery; they are in "
        "the public domain. With --fictional, put in 48 people who do not exist, rendered by "
        "computer. With --remove, take out both, with files, vectors and all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        def switch(name: str, text: str) -> None:
            parser.add_argument(name, action="store_true", help=text)

        switch("--fictional", "the fictional cast instead of the Congress")
        switch("--switch", "put one in, and take the other out")
        switch("--remove", "take both out; with --fictional, the cast alone")
        switch("--if-empty", "do nothing if the gallery has people")
        switch("--background", "return at once; the site's gallery worker reads the portraits")
        switch("--no-rebuild", "leave the index as it is")
        switch("--hint", "only say how to change, if the gallery is the fictional cast")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted, other = (FICTIONAL, CONGRESS) if options["fictional"] else (CONGRESS, FICTIONAL)
        if options["hint"] or (options["if_empty"] and Celebrity.objects.exists()):
            self.hint(wanted)
            return
        loaded, removed = False, 0
        if options["remove"]:
            removed = self.remove(wanted) + (0 if options["fictional"] else self.remove(other))
        else:
            loaded = self.load(wanted, options)
            removed = self.remove(other) if options["switch"] else 0
        if (loaded or removed) and not (options["no_rebuild"] or options["background"]):
            rebuild_and_tell(self.stdout)
            if removed:
                # The previous build still holds their vectors.
                remove_old_builds(at_once=True)

    def load(self, demo: Demo, options: dict[str, Any]) -> bool:
        chosen = Options(is_fictional=demo.is_fictional, unread=options["background"])
        report = run_import(demo.source, demo.plan(), chosen)
        show_report(report, chosen, self.stdout, self.stderr, options["verbosity"])
        return report.changed

    def remove(self, demo: Demo) -> int:
        if gone := demo.remove():
            self.stdout.write(f"Removed {gone} people of the gallery {demo.folder}.")
        return gone

    def hint(self, wanted: Demo) -> None:
        people = Celebrity.objects.all()
        if wanted is CONGRESS and people and not people.filter(is_fictional=False):
            self.stdout.write(
                "The gallery is the fictional cast. For real people instead: "
                ".venv/bin/python manage.py load_demo --switch"
            )
