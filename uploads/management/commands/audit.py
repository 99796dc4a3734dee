from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from celebrities import auditing as gallery
from celebrities.auditing import CannotRepair, Check
from celebrities.deleted import find_deleted
from celebrities.gallery import delete_celebrities
from celebrities.models import Celebrity
from lookalike.database import DatabaseCommand
from uploads import auditing as uploads

SHOWN = 5


class Command(DatabaseCommand):
    help = (
        "Compare the database with the storage: rows without files, files without rows, the index, "
        "vectors, builds, people deleted since a copy of the database was made. Exit code 1 if "
        "something is wrong and was not repaired."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="put right what can be")
        parser.add_argument(
            "--delete-again",
            action="store_true",
            help="delete the people who were deleted after this copy of the database was made",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object of counts")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["delete_again"]:
            gone = [person.pk for person in find_deleted()]
            delete_celebrities(Celebrity.objects.filter(pk__in=gone))
        counts = {}
        for check in (*gallery.CHECKS, *uploads.CHECKS):
            found = check.find()
            counts[check.name] = len(found)
            if found and options["repair"]:
                counts[check.name] = self.repair(check, found)
            elif found and not options["json"]:
                self.stdout.write(describe(check, found))
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        elif not any(counts.values()):
            self.stdout.write("Database and storage agree.")
        if any(counts.values()):
            raise CommandError(
                "Something is wrong." + ("" if options["repair"] else " Run audit --repair.")
            )

    def repair(self, check: Check, found: list[Any]) -> int:
        """Returns how many are left."""
        try:
            check.repair(found)
        except CannotRepair as reason:
            self.stderr.write(f"{describe(check, found)}. {reason}")
            return len(found)
        left = len(check.find())
        self.stderr.write(f"{describe(check, found)}: " + (f"{left} left" if left else "repaired"))
        return left


def describe(check: Check, found: list[Any]) -> str:
    """A visitor's upload is counted, never named."""
    if check in uploads.CHECKS:
        return f"{check.words}: {len(found)}"
    shown = ", ".join(str(each) for each in found[:SHOWN])
    return f"{check.words}: {len(found)} ({shown}{', ...' if len(found) > SHOWN else ''})"
