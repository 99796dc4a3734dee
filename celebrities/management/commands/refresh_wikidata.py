from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from celebrities.management.rebuilding import rebuild_and_tell
from celebrities.management.wikimedia import (
    add_shared_arguments,
    ask_wikimedia,
    read_languages,
    read_services,
)
from celebrities.models import Celebrity
from celebrities.wikidata.client import Client
from celebrities.wikidata.options import Options
from celebrities.wikidata.refreshing import Refresher, begin_refresh, end_refresh
from celebrities.wikidata.report import Report
from lookalike.database import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Bring the people whom import_wikidata took in to what Wikidata says now: names, dates, "
        "licences and pictures. A file that is gone from Commons or not free any more is taken "
        "out of sight and listed. What was changed by hand stays. Can be stopped and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_shared_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(
            languages=read_languages(options["language"]),
            portraits=options["portraits"],
            least_age=settings.LEAST_AGE,
        )

        def work(client: Client, report: Report) -> None:
            begin_refresh(client)
            Refresher(client, read_services(), chosen, report).run()
            end_refresh(client)

        total = Celebrity.objects.exclude(wikidata_id="").count()
        report = ask_wikimedia(work, total, options["report"], self.stdout, options["verbosity"])
        for line in report.lines:
            if line.outcome in {"unpublished", "listed"}:
                self.stdout.write(
                    f"{line.outcome}: {line.id} {line.name} {line.file}: {line.reason}"
                )
        changed = report.pictures or report.outcomes["updated"] or report.outcomes["unpublished"]
        if changed and not options["no_rebuild"]:
            rebuild_and_tell(self.stdout)
