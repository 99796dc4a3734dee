"""Update people and portraits that were imported from Wikidata."""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from celebrities.desk.history import Author, change_rows
from celebrities.gallery import delete_portraits
from celebrities.models import Celebrity, Change, Portrait
from celebrities.wikidata.client import Client
from celebrities.wikidata.entities import IDS_A_REQUEST, Person, fetch_people
from celebrities.wikidata.importing import Importer
from celebrities.wikidata.licences import NotFree
from celebrities.wikidata.merging import changes_of, update_row
from celebrities.wikidata.options import Options, Services
from celebrities.wikidata.report import Line, Report
from celebrities.wikidata.storing import credit_values
from lookalike.chunks import batched

STARTED = "refresh started"


def begin_refresh(client: Client) -> None:
    """Ignore cached answers from before this refresh began. A refresh that was interrupted is
    continued: its own answers are used."""
    started = client.cache.get_time(STARTED)
    if not started:
        started = time.time()
        client.cache.set_time(STARTED, started)
    client.cache.newer_than = started


def end_refresh(client: Client) -> None:
    client.cache.set_time(STARTED, 0.0)


class Refresher:
    """Updates everyone who was imported from Wikidata.

    Facts and credits that were changed by hand stay. A portrait is withdrawn if its file is gone
    from Commons or no longer free. A person without a portrait left is unpublished.
    """

    def __init__(
        self, client: Client, services: Services, options: Options, report: Report
    ) -> None:
        self.client = client
        self.services = services
        self.options = options
        self.report = report
        self.importer = Importer(client, services, options, report)

    def run(self) -> None:
        """Raises what Client raises, and WeightsMissing or DeviceMissing."""
        people = Celebrity.objects.exclude(wikidata_id="").order_by("pk")
        for keys in batched(list(people.values_list("pk", flat=True)), IDS_A_REQUEST):
            # Others have an id that a file or a curator gave them.
            rows = people.filter(pk__in=keys)
            batch = [row for row in rows if "source_page" in row.source_values]
            ids = [row.wikidata_id for row in batch]
            found = fetch_people(self.client, self.services.wikidata, ids, self.options.languages)
            self.importer.prepare(list(found.values()))
            self.importer.files.fetch(_titles(batch))
            for row in batch:
                self.refresh(row, found.get(row.wikidata_id))
                self.report.people += 1
                self.report.on_change(self.report)

    def refresh(self, row: Celebrity, person: Person | None) -> None:
        if person is None:
            self.add("listed", row, reason="gone from Wikidata")
        elif person.id != row.wikidata_id and not self.follow_redirect(row, person):
            person = None
        else:
            least_age = self.options.least_age
            if person.may_be_younger_than(least_age, timezone.localdate()):
                self.unpublish(row, f"may be younger than {least_age}")
            if self.importer.update(row, person):
                self.add("updated", row)
        for portrait in row.portraits.exclude(source_sha1="").defer("vector"):
            self.refresh_portrait(row, portrait)
        if person is not None:
            self.renew_pictures(row, person)
        if row.published and not row.portraits.exclude(status=Portrait.Status.FAILED).exists():
            self.unpublish(row, "no portrait is left")

    def follow_redirect(self, row: Celebrity, person: Person) -> bool:
        """Change the id to the one that Wikidata merged it into. Returns False if another person
        of the gallery has that."""
        try:
            with transaction.atomic():
                Celebrity.objects.filter(pk=row.pk, wikidata_id=row.wikidata_id).update(
                    wikidata_id=person.id
                )
        except IntegrityError:
            self.add("listed", row, reason=f"the same as {person.id}, whom the gallery has too")
            return False
        row.wikidata_id = person.id
        return True

    def refresh_portrait(self, row: Celebrity, portrait: Portrait) -> None:
        """Update a portrait's credit, or withdraw the portrait."""
        title = portrait.source_values.get("title", "")
        try:
            file, credit = self.importer.files.check(title)
        except KeyError:
            return
        except NotFree as error:
            self.withdraw(row, portrait, str(error))
            return
        changes, by_hand = changes_of(portrait, credit_values(file, credit))
        if changes and update_row(portrait, changes):
            self.add("updated", row, title, "credit")
        if by_hand:
            self.add("kept", row, title, f"changed by hand: {', '.join(by_hand)}")

    def renew_pictures(self, row: Celebrity, person: Person) -> None:
        """Replace portraits that are no longer the person's image (P18), or whose file has a new
        version."""
        files = self.importer.files
        current = {file.sha1 for name in person.images if (file := files.get(name))}
        former = [
            portrait
            for portrait in row.portraits.exclude(source_sha1="").defer("vector")
            if portrait.source_values.get("is_main") and portrait.source_sha1 not in current
        ]
        for portrait in former:
            job = self.importer.start(person)
            job.count = self.options.portraits - 1
            self.importer.take_pictures([job])
            if job.count == self.options.portraits:
                delete_portraits(Portrait.objects.filter(pk=portrait.pk))

    def withdraw(self, row: Celebrity, portrait: Portrait, reason: str) -> None:
        """Hide a portrait. The row stays, so that no import adds the file again."""
        shown = Portrait.objects.filter(pk=portrait.pk).exclude(status=Portrait.Status.FAILED)
        if not shown.update(status=Portrait.Status.FAILED, problem=reason[:200]):
            return
        Celebrity.objects.filter(pk=row.pk).update(updated_at=timezone.now())
        self.add("unpublished", row, portrait.source_values.get("title", ""), reason)

    def unpublish(self, row: Celebrity, reason: str) -> None:
        by = Author(Change.Way.IMPORT)
        change_rows(Celebrity.objects.filter(pk=row.pk), by, f"hidden: {reason}", published=False)
        self.add("unpublished", row, reason=reason)

    def add(self, outcome: str, row: Celebrity, file: str = "", reason: str = "") -> None:
        self.report.add(Line(outcome, row.wikidata_id, row.name, file, reason))


def _titles(people: Iterable[Celebrity]) -> list[str]:
    portraits = Portrait.objects.filter(celebrity__in=people).exclude(source_sha1="")
    found = portraits.values_list("source_values__title", flat=True)
    return [title for title in found if title]
