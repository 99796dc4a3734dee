from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from celebrities.errors import BadSource, EmptyGallery, NoIndex
from celebrities.index.search import open_current
from celebrities.management.rebuilding import rebuild_and_tell
from celebrities.models import Celebrity
from celebrities.vectors import import_vectors
from celebrities.watching import WRONG_STORAGE, mark_storage
from lookalike.database import DatabaseCommand
from lookalike.faces.errors import FacesError


class Command(DatabaseCommand):
    help = (
        "Embed the portraits that wait or that another encoder has read, build the index of "
        "every published person, and put it in use. Visitors' searches go on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from-csv", type=Path, metavar="FILE", help="first import vectors computed elsewhere"
        )
        parser.add_argument(
            "--encoder",
            default="",
            metavar="NAME/VERSION",
            help="the encoder of FILE, if its first line does not state it",
        )
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="DIR",
            help="FILE names the original photos, which are in this folder",
        )
        if_needed = "build only if the encoder in use can open no index"
        parser.add_argument("--if-needed", action="store_true", help=if_needed)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["from_csv"]
        if path is not None:
            try:
                count = import_vectors(path, stated=options["encoder"], photos=options["photos"])
            except (BadSource, FacesError, OSError) as error:
                raise CommandError(f"{error} Nothing was built.") from error
            self.stdout.write(f"{count} vectors imported from {path}.")
        if options["if_needed"] and not mark_storage():
            self.stderr.write(WRONG_STORAGE)
        if not (options["if_needed"] and self.has_index()):
            rebuild_and_tell(self.stdout)

    def has_index(self) -> bool:
        """Whether there is nothing to build; says why."""
        if coming := Celebrity.objects.coming().count():
            self.stdout.write(f"The gallery worker has the portraits of {coming} people to read.")
            return True
        try:
            build, _index = open_current()
        except (NoIndex, EmptyGallery) as problem:
            self.stdout.write(str(problem))
            return isinstance(problem, EmptyGallery)
        self.stdout.write(f"Index {build.name}: {build.people} people.")
        return True
