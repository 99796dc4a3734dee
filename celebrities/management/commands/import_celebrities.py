from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from celebrities.archive import is_gallery
from celebrities.errors import BadSource
from celebrities.importers.opening import open_source
from celebrities.importers.people import Options
from celebrities.importers.recording import author_of, begin
from celebrities.importers.report import Report
from celebrities.importers.restoring import GalleryArchive
from celebrities.management.importing import (
    make_plan,
    run_import,
    run_restore,
    save_report,
    show_report,
)
from celebrities.management.rebuilding import rebuild_and_tell
from celebrities.models import Celebrity
from lookalike.database import DatabaseCommand

NOTHING_DONE = 2
"""Exit code."""


class Command(DatabaseCommand):
    help = (
        "Import people from a folder, a ZIP or tar archive, or a CSV that names files: a folder "
        "per person, or files named <person>_<number>.jpg, in either case with a manifest.csv "
        "if you like. What the gallery has already is skipped, so an import can be repeated. "
        "An archive of export_gallery is restored. Then the index is rebuilt. Exit code 0 when "
        "every portrait found a place, 1 when some failed, 2 when nothing was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the folder, archive or CSV")
        parser.add_argument("--category", default="", help="what all of them are known for")
        sight = parser.add_mutually_exclusive_group()
        sight.add_argument(
            "--unpublished", action="store_true", help="keep new people out of sight for now"
        )
        sight.add_argument(
            "--publish",
            action="store_true",
            help="show new people whose name is only made out of a file's or folder's, such as "
            "jane-roe_1.jpg, too",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, and write nothing"
        )
        parser.add_argument(
            "--update", action="store_true", help="take facts, credits and files that differ"
        )
        parser.add_argument(
            "--same",
            action="append",
            default=[],
            metavar="NAME",
            help="people of this name in several folders, or with other accents, are one person",
        )
        parser.add_argument(
            "--skip-bad-lines",
            action="store_true",
            help="leave out files whose line of the manifest cannot be used",
        )
        parser.add_argument("--report", type=Path, metavar="FILE", help="write every line as CSV")
        parser.add_argument("--no-rebuild", action="store_true", help="leave the index as it is")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(
            category=options["category"],
            published=not options["unpublished"],
            update=options["update"],
            dry_run=options["dry_run"],
            guessed=options["publish"],
        )
        try:
            if is_gallery(options["path"]):
                archive = GalleryArchive(options["path"])
                report = run_restore(archive, recorded(chosen, options["path"]))
            else:
                report = self.read_source(chosen, options)
        except BadSource as error:
            raise CommandError(str(error), returncode=NOTHING_DONE) from error
        show_report(report, chosen, self.stdout, self.stderr, options["verbosity"])
        save_report(report, options["report"])
        if report.imported and Celebrity.objects.filter(is_fictional=True).exists():
            self.stdout.write(
                "The fictional cast is still in the gallery beside them. "
                "To take it out: manage.py load_demo --fictional --remove"
            )
        if report.changed and not options["no_rebuild"] and not options["dry_run"]:
            rebuild_and_tell(self.stdout)
        if report.failed:
            raise CommandError(
                f"{len(report.failed)} could not be imported, as said above.",
                returncode=1 if report.took_some else NOTHING_DONE,
            )

    def read_source(self, chosen: Options, options: dict[str, Any]) -> Report:
        source = open_source(options["path"])
        plan = make_plan(source, options["same"], options["skip_bad_lines"], self.stderr)
        if not plan.portraits and not plan.failed:
            raise CommandError(
                f"There is no portrait in {options['path']}.", returncode=NOTHING_DONE
            )
        return run_import(source, plan, recorded(chosen, options["path"]))


def recorded(options: Options, path: Path) -> Options:
    """With a row of the import, unless nothing is to be written."""
    if options.dry_run:
        return options
    record = begin(
        str(path.resolve().name),
        category=options.category,
        unpublished=not options.published,
        update=options.update,
        publish=options.guessed,
    )
    return replace(options, record=record, by=author_of(record))
