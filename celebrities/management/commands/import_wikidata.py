from __future__ import annotations

from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from celebrities.importers.recording import begin, ending, tell
from celebrities.management.rebuilding import rebuild_and_tell
from celebrities.management.wikimedia import (
    add_shared_arguments,
    ask_wikimedia,
    read_languages,
    read_services,
)
from celebrities.wikidata.client import Client
from celebrities.wikidata.importing import Importer
from celebrities.wikidata.occupations import COUNTRIES, OCCUPATIONS, find_item
from celebrities.wikidata.options import Options
from celebrities.wikidata.report import Report
from celebrities.wikidata.sparql import Candidate, Search, find_people, is_item_id
from lookalike.database import DatabaseCommand

MIN_SITELINKS = 60
LIMIT = 500


class Command(DatabaseCommand):
    help = (
        "Import well-known people from Wikidata, with portraits under free licences from Wikimedia "
        "Commons. It asks at most three times a second, keeps answers for a day, and can be "
        "stopped and run again at any moment. Needs the network and LOOKALIKE_CONTACT."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = _Formatter
        parser.epilog = _list_words()
        parser.add_argument(
            "--occupation",
            action="append",
            default=[],
            metavar="WORD",
            help="what they are known for: a word of the list below, or a Wikidata id such as "
            "Q33999; several by commas, or the option again",
        )
        parser.add_argument(
            "--country",
            action="append",
            default=[],
            metavar="WORD",
            help="whose citizens they are or were: a word of the list below, or a Wikidata id",
        )
        parser.add_argument(
            "--born-after", type=_day, metavar="YEAR", help="a year or a day, itself not included"
        )
        parser.add_argument(
            "--born-before", type=_day, metavar="YEAR", help="a year or a day, itself not included"
        )
        parser.add_argument(
            "--min-sitelinks",
            type=int,
            metavar="N",
            help=f"pages about them on Wikimedia's sites, at the least (default: {MIN_SITELINKS}, "
            "with --qid none)",
        )
        parser.add_argument(
            "--limit",
            type=int,
            help="how many people the gallery shall have of these, the best known first; 0 for all "
            f"(default: {LIMIT}, with --qid all)",
        )
        parser.add_argument(
            "--qid",
            action="append",
            default=[],
            metavar="Q1,Q2",
            help="these people, by their Wikidata ids",
        )
        add_shared_arguments(parser)
        parser.add_argument(
            "--unpublished", action="store_true", help="keep new people out of sight for now"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say who would come in, without loading pictures or writing anything",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        search = read_search(options)
        ids = list(_split(options["qid"]))
        if wrong := [id for id in ids if not is_item_id(id)]:
            raise CommandError(f"{wrong[0]!r} is no Wikidata id, such as Q42.")
        if not ids and not search.occupations and not search.countries:
            raise CommandError(
                "Say whom to import: --occupation, --country or --qid. A search for everybody "
                "takes Wikidata too long."
            )
        limit = options["limit"]
        if limit is None:
            limit = 0 if ids else LIMIT
        chosen = Options(
            search=search,
            languages=read_languages(options["language"]),
            portraits=options["portraits"],
            limit=limit,
            least_age=settings.LEAST_AGE,
            published=not options["unpublished"],
            dry_run=options["dry_run"],
        )

        if not chosen.dry_run:
            what = f"Wikidata: {', '.join(ids[:5] or options['occupation'] or options['country'])}"
            record = begin(what, limit=limit, unpublished=options["unpublished"])
            chosen = replace(chosen, record=record)

        def work(client: Client, report: Report) -> None:
            services = read_services()
            found: Iterator[Candidate]
            if ids:
                found = (Candidate(id, 0) for id in dict.fromkeys(ids))
            else:
                found = find_people(client, services.sparql, search)
            with ending(chosen.record):
                try:
                    Importer(client, services, chosen, report).run(found)
                finally:
                    if chosen.record:
                        tell(chosen.record, report)

        total = min(limit or len(ids), len(ids)) if ids else limit or None
        report = ask_wikimedia(work, total, options["report"], self.stdout, options["verbosity"])
        if chosen.dry_run:
            self.stdout.write("Nothing was written. Faces are looked for only in a real import.")
        elif report.pictures and not options["no_rebuild"]:
            rebuild_and_tell(self.stdout)


def read_search(options: dict[str, Any]) -> Search:
    """Raises CommandError for words that stand for nothing."""
    try:
        occupations = [find_item(each, OCCUPATIONS) for each in _split(options["occupation"])]
        countries = [find_item(each, COUNTRIES) for each in _split(options["country"])]
    except ValueError as error:
        raise CommandError(f"{error}. See --help for the words.") from error
    least = options["min_sitelinks"]
    if least is None:
        least = 0 if options["qid"] else MIN_SITELINKS
    after: tuple[date, date] | None = options["born_after"]
    before: tuple[date, date] | None = options["born_before"]
    return Search(
        occupations=tuple(dict.fromkeys(occupations)),
        countries=tuple(dict.fromkeys(countries)),
        born_from=after[1] + timedelta(days=1) if after else None,
        born_until=before[0] if before else None,
        min_sitelinks=least,
    )


def _split(values: list[str]) -> Iterator[str]:
    for value in values:
        yield from (part.strip() for part in value.split(",") if part.strip())


def _day(text: str) -> tuple[date, date]:
    """The first and last day of a year or day. Raises ArgumentTypeError."""
    try:
        if text.isdecimal() and len(text) <= 4:
            return date(int(text), 1, 1), date(int(text), 12, 31)
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is neither a year nor a day such as 1950-12-31"
        ) from None
    return day, day


def _list_words() -> str:
    occupations = [f"  {id}: {', '.join(words)}" for id, words in OCCUPATIONS.items()]
    countries = [f"  {id}: {', '.join(words)}" for id, words in COUNTRIES.items()]
    return "\n".join(["occupations:", *occupations, "", "countries:", *countries])


class _Formatter(RawDescriptionHelpFormatter):
    """Keeps the lines of the lists."""
