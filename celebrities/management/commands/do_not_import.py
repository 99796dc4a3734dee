from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.timezone import localtime

from celebrities.do_not_import import add_people, hash_picture
from celebrities.importers.manifest import WIKIDATA_ID
from celebrities.models import Celebrity, DoNotImport
from celebrities.names import fold
from lookalike.database import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "The list of people and pictures that no import and no form may bring back. Only ids, "
        "names and hashes of pictures are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="action", required=True)
        add = parts.add_parser("add", help="put people or pictures on the list")
        add.add_argument(
            "what",
            nargs="+",
            help="a Wikidata id, a picture's file, or a name. Of people in the gallery, ids, "
            "names and pictures all go on the list",
        )
        add.add_argument("--reason", default="", help="why, for whoever reads the list")
        parts.add_parser("list", help="show the list")
        remove = parts.add_parser("remove", help="take entries off the list")
        remove.add_argument("number", nargs="+", type=int, help="a number that the list shows")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "add":
                for what in options["what"]:
                    self.add(what, options["reason"])
            case "list":
                self.show()
            case _:
                self.remove(options["number"])

    def add(self, what: str, reason: str) -> None:
        is_id = re.fullmatch(WIKIDATA_ID, what)
        people = Celebrity.objects.filter(wikidata_id=what) if is_id else find_named(what)
        if people.exists():
            shown = ", ".join(f"{one.name} ({one.get_absolute_url()})" for one in people)
            add_people(people, reason)
            self.stdout.write(f"{shown}: on the list, and still in the gallery until taken out.")
        else:
            entry = describe(what, is_id=bool(is_id), reason=reason)
            entry.save()
            self.stdout.write(f"{what}: on the list as number {entry.pk}.")

    def show(self) -> None:
        for entry in DoNotImport.objects.all():
            day = localtime(entry.created_at).date().isoformat()
            reason = f" ({entry.reason})" if entry.reason else ""
            self.stdout.write(f"{entry.pk}  {day}  {entry}{reason}")
        if not DoNotImport.objects.exists():
            self.stdout.write("The list is empty.")

    def remove(self, numbers: list[int]) -> None:
        known = set(DoNotImport.objects.filter(pk__in=numbers).values_list("pk", flat=True))
        if unknown := sorted(set(numbers) - known):
            raise CommandError(f"There is no number {unknown[0]} on the list.")
        DoNotImport.objects.filter(pk__in=known).delete()
        self.stdout.write(f"{len(known)} taken off the list.")


def find_named(name: str) -> Any:
    return Celebrity.objects.filter(sort_key=fold(name)[:400]).exclude(sort_key="")


def describe(what: str, *, is_id: bool, reason: str) -> DoNotImport:
    """Raises CommandError."""
    entry = DoNotImport(reason=reason[:200])
    path = Path(what)
    if is_id:
        entry.wikidata_id = what
    elif path.is_file():
        try:
            data = path.read_bytes()
            entry.phashes = [f"{hash_picture(data):064x}"]
        except OSError as error:
            raise CommandError(f"{what} cannot be read as a picture: {error}") from error
        entry.sha256 = [hashlib.sha256(data).hexdigest()]
    elif name := fold(what):
        entry.names = [name]
    else:
        raise CommandError(f"{what!r} is neither a Wikidata id, nor a picture, nor a name.")
    return entry
