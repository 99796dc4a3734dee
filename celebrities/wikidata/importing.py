"""Import people by Wikidata id: facts, licences, pictures, faces, rows."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from celebrities.do_not_import import Blocked
from celebrities.gallery import BATCH
from celebrities.models import Celebrity, Portrait
from celebrities.portraits import Reading
from celebrities.reasons import describe_reason
from celebrities.sweeping import storing
from celebrities.wikidata.categories import Categories
from celebrities.wikidata.client import Client
from celebrities.wikidata.entities import IDS_A_REQUEST, Person, fetch_people
from celebrities.wikidata.errors import BadPicture
from celebrities.wikidata.facts import facts_of, find_namesake, why_no_match, why_not
from celebrities.wikidata.files import Files
from celebrities.wikidata.licences import NotFree
from celebrities.wikidata.options import Options, Services
from celebrities.wikidata.report import Line, Report
from celebrities.wikidata.sparql import Candidate
from celebrities.wikidata.storing import (
    BUSY,
    Picture,
    known_pictures,
    make_person,
    read_pictures,
    store_portrait,
    update_person,
)
from lookalike.chunks import batched


@dataclass(slots=True)
class Job:
    """One person's import. ``names`` are the files still to try. ``count`` is the number of
    portraits that the person has, without failed ones."""

    person: Person
    row: Celebrity | None
    names: deque[str]
    count: int = 0
    asked_category: bool = False


class Importer:
    """Imports people, best known first.

    A person and their first portrait are stored in one transaction, each further portrait in its
    own. A run can therefore be stopped at any moment and continued by the next one. Methods raise
    what Client raises, and WeightsMissing or DeviceMissing.
    """

    def __init__(
        self, client: Client, services: Services, options: Options, report: Report
    ) -> None:
        self.client = client
        self.services = services
        self.options = options
        self.report = report
        self.files = Files(client, services.commons)
        self.categories = Categories(client, services.wikidata)
        self.blocked = Blocked([])

    def run(self, candidates: Iterable[Candidate]) -> None:
        """Import people until the limit is reached or there are no more."""
        for batch in batched(candidates, IDS_A_REQUEST):
            people = self.choose(batch)
            self.prepare(people)
            people = [person for person in people if not self.is_blocked(person)]
            while people and (room := self.room()):
                chunk, people = people[:room], people[room:]
                self.take([self.start(person) for person in chunk])
            if not self.room():
                return

    def room(self) -> int:
        """The number of people to import next; 0 if the limit is reached."""
        limit = self.options.limit
        return min(BATCH, limit - self.report.people) if limit else BATCH

    def choose(self, batch: Sequence[Candidate]) -> list[Person]:
        """The people of a batch who may be imported, each once. The others are reported."""
        languages, wikidata = self.options.languages, self.services.wikidata
        found = fetch_people(self.client, wikidata, [each.id for each in batch], languages)
        chosen: dict[str, Person] = {}
        for candidate in batch:
            person = found.get(candidate.id)
            reason = self.why_not(person, candidate)
            if person is None or reason:
                self.refuse(candidate.id, person, reason)
            else:
                chosen[person.id] = person
        return list(chosen.values())

    def why_not(self, person: Person | None, candidate: Candidate) -> str:
        """Why someone is not imported, or ""."""
        if person is None:
            return "not on Wikidata"
        options, today = self.options, timezone.localdate()
        reason = why_not(person, candidate, options.languages, options.least_age, today)
        reason = reason or why_no_match(person, candidate, options.search)
        if not reason and not person.images and not self.may_use_category(person):
            return "no picture"
        return reason

    def may_use_category(self, person: Person) -> bool:
        return self.options.portraits > 1 and bool(person.commons_category)

    def prepare(self, people: Sequence[Person]) -> None:
        """Fetch files and labels for all of these people in few requests."""
        self.files.fetch(name for person in people for name in person.images)
        self.blocked = Blocked.read()
        if not self.options.dry_run:
            self.categories.prepare(people)

    def is_blocked(self, person: Person) -> bool:
        """True if the person is on the do-not-import list."""
        languages = self.options.languages
        names = [person.name_in(languages), *person.other_names_in(languages)]
        entry = self.blocked.find(wikidata_id=person.id, names=names)
        if entry is not None:
            self.refuse(person.id, person, entry.sentence)
        return entry is not None

    def check_picture(self, data: bytes) -> None:
        """Raises NotFree if a file is on the do-not-import list. `store_portrait` compares the
        picture, which may not be whole yet."""
        entry = self.blocked.find(sha256=hashlib.sha256(data).hexdigest())
        if entry is not None:
            raise NotFree(entry.sentence)

    def start(self, person: Person) -> Job:
        ids = {person.id, person.former_id} - {""}
        row = Celebrity.objects.filter(wikidata_id__in=ids).order_by("pk").first()
        job = Job(person, row, deque(person.images))
        if row is not None:
            job.count = row.portraits.exclude(status=Portrait.Status.FAILED).count()
        return job

    def take(self, jobs: Sequence[Job]) -> None:
        """Import these people, and count those who are in the gallery afterwards."""
        self.take_pictures([job for job in jobs if self.needs_pictures(job)])
        for job in jobs:
            self.report.people += bool(job.count)
            self.report.on_change(self.report)

    def needs_pictures(self, job: Job) -> bool:
        """False if the person has enough pictures, or may be in the gallery under another row."""
        person, row = job.person, job.row
        if row is None and (other := find_namesake(person, self.options.languages)):
            self.refuse(
                person.id,
                person,
                f"perhaps the gallery's {other.name} (number {other.pk}), who has no Wikidata id: "
                f"enter {person.id} there in the admin to join them",
            )
            return False
        if row is not None and not self.options.dry_run:
            self.update(row, person)
        if job.count >= self.options.portraits:
            self.add("already there", person)
            return False
        return True

    def update(self, row: Celebrity, person: Person) -> bool:
        """Update a person's facts. Returns True if anything changed."""
        facts = facts_of(person, self.options.languages)
        changed, kept = update_person(row, facts, self.categories.of(person))
        if kept:
            self.add("kept", person, reason=kept)
        return changed

    def take_pictures(self, jobs: Sequence[Job]) -> None:
        """Import one picture of each person per round, until all have enough or none is left."""
        while jobs:
            found = [(job, picture) for job in jobs if (picture := self.next_picture(job))]
            files = [] if self.options.dry_run else [picture.data for _, picture in found]
            readings = read_pictures(files, [job.row for job, _ in found]) or [None] * len(found)
            for (job, picture), reading in zip(found, readings, strict=True):
                self.finish(job, picture, reading)
            jobs = [job for job, _ in found if job.count < self.options.portraits]

    def next_picture(self, job: Job) -> Picture | None:
        """Load the person's next free picture. Returns None if there is none."""
        while name := self.next_name(job):
            try:
                file, credit = self.files.check(name)
                picture = Picture(name, file, credit, name in job.person.images)
                if self.is_known(job, picture):
                    continue
                if self.options.dry_run:
                    return picture
                data = self.files.load(file)
                self.check_picture(data)
                return Picture(name, file, credit, picture.is_main, data)
            except KeyError:
                self.refuse(job.person.id, job.person, "Commons says too little of it", name)
            except (NotFree, BadPicture) as error:
                self.refuse(job.person.id, job.person, str(error), name)
        return None

    def next_name(self, job: Job) -> str:
        person = job.person
        if not job.names and not job.asked_category and self.may_use_category(person):
            job.asked_category = True
            names = self.files.fetch_category(person.commons_category)
            job.names.extend(name for name in names if name not in person.images)
        return job.names.popleft() if job.names else ""

    def is_known(self, job: Job, picture: Picture) -> bool:
        """True if the gallery has this file, or had it until a curator removed it."""
        sha1 = picture.file.sha1
        there = Portrait.objects.filter(source_sha1=sha1).select_related("celebrity").first()
        if there is not None:
            if there.celebrity != job.row:
                reason = f"the gallery has it as a picture of {there.celebrity.name}"
                self.refuse(job.person.id, job.person, reason, picture.name)
            return True
        if job.row is not None and sha1 in known_pictures(job.row):
            self.add("kept", job.person, file=picture.name, reason="a curator removed it")
            return True
        return False

    def finish(self, job: Job, picture: Picture, reading: Reading | None) -> None:
        """Store a picture, or report why not."""
        if self.options.dry_run:
            self.count(job, picture, "would be imported")
        elif reading is None:
            self.refuse(job.person.id, job.person, "it could not be read", picture.name)
        elif reading.error is not None:
            reason = f"no usable face: {describe_reason(reading.error)}"
            self.refuse(job.person.id, job.person, reason, picture.name)
        # Checked again: someone else of this batch may have the same file.
        elif not self.is_known(job, picture):
            try:
                self.store(job, picture, reading)
            except ValidationError as error:
                reason = "; ".join(error.messages)
                self.refuse(job.person.id, job.person, reason, picture.name)
            except IntegrityError:
                self.refuse(job.person.id, job.person, BUSY, picture.name)
            else:
                self.count(job, picture, "imported")

    def store(self, job: Job, picture: Picture, reading: Reading) -> None:
        """Add a portrait, and the person if new. Raises ValidationError and IntegrityError."""
        person, row = job.person, job.row
        facts = facts_of(person, self.options.languages)
        categories = self.categories.of(person)
        with storing(), transaction.atomic():
            if row is None:
                row = make_person(person.id, facts, categories, self.options)
            store_portrait(row, picture, reading, self.options.record)
        job.row = row

    def count(self, job: Job, picture: Picture, outcome: str) -> None:
        job.count += 1
        self.report.pictures += 1
        credit = picture.credit
        self.add(
            outcome,
            job.person,
            file=picture.name,
            author=credit.author,
            licence=credit.licence,
            licence_url=credit.licence_url,
            source_page=picture.file.page,
        )

    def refuse(self, id: str, person: Person | None, reason: str, file: str = "") -> None:
        name = person.name_in(self.options.languages) if person else ""
        self.report.add(Line("refused", id, name, file, reason))

    def add(self, outcome: str, person: Person, **cells: Any) -> None:
        name = person.name_in(self.options.languages)
        self.report.add(Line(outcome, person.id, name, **cells))
