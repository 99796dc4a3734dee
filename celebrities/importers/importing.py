"""From a source to the gallery: read, embed and store files, and report on each."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction

from celebrities.desk.history import describe
from celebrities.do_not_import import Blocked, hash_picture
from celebrities.gallery import BATCH, read_vectors, store_reading
from celebrities.headers import check_file
from celebrities.importers.facts import label, note_written
from celebrities.importers.layout import ListedPhoto, Plan
from celebrities.importers.people import Options, People
from celebrities.importers.report import Kind, Report
from celebrities.importers.sources import Source
from celebrities.models import MAX_FILE_BYTES, NUMBERS, Celebrity, Portrait
from celebrities.portraits import Reading, read_portraits
from celebrities.reasons import describe_reason
from celebrities.sweeping import storing
from lookalike import engine
from lookalike.chunks import batched
from lookalike.faces.errors import PhotoError, SeveralFaces
from lookalike.faces.types import EncoderId

Readings = Sequence[Reading | None]
"""None for a file that the gallery worker will read."""

Progress = Callable[[int], None]
"""Called with the number of files done since the last call."""

CREDITS = ("author", "licence", "licence_url", "source_page", "notes")

ASK_NAME = (
    "the name is not a person's, so who is it? Name the file in manifest.csv, or put it into a "
    "folder with the person's name"
)


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """A photo with its bytes. ``copies`` are portraits of this very file."""

    photo: ListedPhoto
    data: bytes
    digest: str
    copies: Collection[Portrait] = ()
    replaces: Portrait | None = None


def import_plan(
    source: Source,
    plan: Plan,
    options: Options,
    progress: Progress | None = None,
    *,
    part: slice | None = None,
) -> Report:
    """Import a plan's portraits, or a part of them, into the gallery.

    A file that the person already has (by its SHA-256) is skipped, and only fills in missing
    facts and credits, so an import can be repeated and resumed. A file that cannot be used
    makes no row, and no person is made without a usable file. Raises WeightsMissing or
    DeviceMissing if there is no engine.
    """
    with ThreadPoolExecutor(settings.WORKERS) as pool, ThreadPoolExecutor(1) as ahead:
        run = _Import(source, plan, options, pool)
        if part is None or not part.start:
            run.tell_problems(plan)
        waiting: deque[tuple[list[_File], Future[Readings], int]] = deque()
        for batch in batched(plan.portraits[part or slice(None)], BATCH):
            fresh = run.sort_batch(batch)
            # Faces of this batch are found while the one before is stored.
            waiting.append((fresh, ahead.submit(run.find_faces, fresh), len(batch)))
            if len(waiting) > 1:
                run.finish(*waiting.popleft(), progress)
        for last in waiting:
            run.finish(*last, progress)
        run.finish_unclear()
    return run.report


def check_photo(data: bytes) -> str:
    """What a look at the file's header has against it, or ""."""
    try:
        check_file(data, max_bytes=MAX_FILE_BYTES)
    except PhotoError as error:
        return describe_reason(error)
    return ""


class _Import:
    def __init__(
        self, source: Source, plan: Plan, options: Options, pool: ThreadPoolExecutor
    ) -> None:
        self.source = source
        self.pool = pool
        self.options = options
        self.report = Report()
        keys = {photo.key for photo in plan.portraits}
        self.people = People(options, self.report, keys)
        self.seen: set[tuple[str, str]] = set()
        self.unclear: list[_File] = []

    def tell_problems(self, plan: Plan) -> None:
        for problem in plan.skipped:
            self.report.add(Kind.SKIPPED, problem.where, problem.reason)
        for problem in (*plan.bad_lines, *plan.failed):
            self.report.add(Kind.FAILED, problem.where, problem.reason)

    def sort_batch(self, batch: Sequence[ListedPhoto]) -> list[_File]:
        """The files that must be read; all else is done about the others."""
        blocked = Blocked.read()
        files = [file for photo in batch if (file := self.read(photo))]
        fresh = []
        for file in self.find_copies(files):
            try:
                fresh += self.sort_out(file, blocked)
            except ValidationError as error:
                self.fail(file.photo, "; ".join(error.messages))
        return fresh

    def find_faces(self, files: Sequence[_File]) -> Readings:
        """Runs in a thread of its own, without the database."""
        if not files or self.options.unread:
            return [None] * len(files)
        return read_portraits(
            engine.get_engine(), [file.data for file in files], each=self.pool.map
        )

    def finish(
        self,
        files: Sequence[_File],
        readings: Future[Readings],
        count: int,
        progress: Progress | None,
    ) -> None:
        """Store a batch of ``count`` files, of which these were read."""
        blocked = Blocked.read()
        for file, reading in zip(files, readings.result(), strict=True):
            if reading is None:
                self.store(file, None)
            elif isinstance(reading.error, SeveralFaces):
                self.unclear.append(replace(file, data=b""))
            else:
                self.take(file, reading, blocked)
        if progress is not None:
            progress(count)

    def finish_unclear(self) -> None:
        """Photos of several faces come last, when the person's other portraits are there."""
        blocked = Blocked.read()
        for file in self.unclear:
            try:
                reading = self.read_unclear(file.photo)
            except (ValidationError, OSError) as error:
                self.fail(file.photo, str(error))
            else:
                self.take(file, reading, blocked)

    def read_unclear(self, photo: ListedPhoto) -> Reading:
        """Raises ValidationError if the person was deleted, and OSError."""
        faces = engine.get_engine()
        others = read_vectors(self.people.find_again(photo), str(EncoderId.of(faces.encoder)))
        data = self.source.read(photo.file)
        [reading] = read_portraits(faces, [data], find_others=lambda position: others)
        return reading

    def take(self, file: _File, reading: Reading, blocked: Blocked) -> None:
        # Where there are several faces, the row waits for a curator to choose one.
        if reading.error and not isinstance(reading.error, SeveralFaces):
            self.fail(file.photo, describe_reason(reading.error))
        elif entry := self.find_listed_picture(blocked, reading):
            self.report.add(Kind.REFUSED, file.photo.entry.file, entry)
        else:
            self.store(file, reading)

    def fail(self, photo: ListedPhoto, reason: str) -> None:
        self.report.add(Kind.FAILED, photo.entry.file, reason)

    def read(self, photo: ListedPhoto) -> _File | None:
        """None, with a line in the report, if the file cannot be used."""
        if not photo.entry.name:
            self.fail(photo, ASK_NAME)
            return None
        try:
            data = self.source.read(photo.file)
        except OSError as error:
            self.fail(photo, str(error))
            return None
        if not data:
            self.fail(photo, "the file is empty")
            return None
        if self.options.unread and (problem := check_photo(data)):
            self.fail(photo, problem)
            return None
        digest = hashlib.sha256(data).hexdigest()
        self.report.read.append(f"{photo.file} {digest}")
        return _File(photo, data, digest)

    def find_copies(self, files: Collection[_File]) -> list[_File]:
        """The files with their copies in the gallery, in three queries."""
        rows = Portrait.objects.filter(image_hash__in={file.digest for file in files})
        rows = rows.select_related("celebrity").prefetch_related("celebrity__categories")
        copies: dict[str, list[Portrait]] = defaultdict(list)
        people: dict[int, Celebrity] = {}
        for row in rows.defer(*NUMBERS).order_by("pk"):
            row.celebrity = people.setdefault(row.celebrity_id, row.celebrity)
            copies[row.image_hash].append(row)
        return [replace(file, copies=copies[file.digest]) for file in files]

    def sort_out(self, file: _File, blocked: Blocked) -> list[_File]:
        """The file if it must be read, with what it replaces. Raises ValidationError."""
        entry = file.photo.entry
        names = (entry.name, *entry.other_names.splitlines())
        if one := blocked.find(wikidata_id=entry.wikidata, names=names, sha256=file.digest):
            self.report.add(Kind.REFUSED, entry.file, one.sentence)
            return []
        person = self.people.find(file.photo, file.copies)
        mine = [each for each in file.copies if person and each.celebrity_id == person.pk]
        if mine or (file.photo.identity, file.digest) in self.seen:
            if person and mine:
                self.people.fill(person, entry)
                self.credit(mine[0], file.photo)
            self.report.add(Kind.SKIPPED, entry.file, "already in the gallery")
            return []
        self.seen.add((file.photo.identity, file.digest))
        for other in file.copies:
            self.report.add(
                Kind.QUESTION, entry.file, f"the same picture is a portrait of {other.celebrity}"
            )
        before = self.find_replaced(file, person)
        if before is None:
            return [file]
        if not self.options.update:
            what = "the file has changed since it was imported; --update replaces the portrait"
            self.report.add(Kind.DIFFERS, entry.file, what)
            return []
        return [replace(file, replaces=before)]

    def find_replaced(self, file: _File, person: Celebrity | None) -> Portrait | None:
        """The portrait that was imported from another file of this name."""
        if person is None or person.pk is None:
            return None
        same_name = person.portraits.filter(import_file=file.photo.import_file)
        return same_name.defer(*NUMBERS).first()

    def find_listed_picture(self, blocked: Blocked, reading: Reading) -> str:
        if not any(entry.phashes for entry in blocked.entries):
            return ""
        entry = blocked.find(phash=hash_picture(reading.picture))
        return f"a picture like it is {entry.sentence}" if entry else ""

    def credit(self, portrait: Portrait, photo: ListedPhoto) -> None:
        """Fill in the portrait's missing credits, or update them. Only where they are as read."""
        stated = {name: value for name in CREDITS if (value := getattr(photo.entry, name))}
        changes = {}
        for name, value in stated.items():
            before = getattr(portrait, name)
            kind = self.people.compare(portrait, name, value)
            if kind in (Kind.FILLED, Kind.UPDATED):
                changes[name] = value
            if kind:
                what = f"{label(name)} {value}"
                what += f", in the gallery {before}" if before else ""
                self.report.add(kind, photo.entry.file, what)
        as_read = {name: getattr(portrait, name) for name in changes}
        written = note_written(portrait, changes) if changes else portrait.source_values
        if not portrait.import_file:
            changes["import_file"] = photo.import_file
        if changes and not self.options.dry_run:
            same = Portrait.objects.filter(pk=portrait.pk, **as_read)
            if same.update(**changes, source_values=written):
                as_read.setdefault("import_file", portrait.import_file)
                describe(portrait, self.people.by, "credits imported", as_read, changes).save()

    def store(self, file: _File, reading: Reading | None) -> None:
        photo = file.photo
        try:
            with storing(), transaction.atomic():
                person = self.people.find_again(photo)
                is_new = person is None
                person = person or self.people.make(photo)
                self.people.fill(person, photo.entry, is_new=is_new)
                if not self.options.dry_run:
                    self.save(file, person, reading)
                if file.replaces:
                    self.credit(file.replaces, photo)
        except ValidationError as error:
            self.fail(photo, "; ".join(error.messages))
            return
        self.people.keep(photo, person, is_new)
        if reading and reading.error:
            self.fail(photo, describe_reason(reading.error))
        else:
            kind = Kind.REPLACED if file.replaces else Kind.PORTRAIT
            self.report.add(kind, photo.entry.file)

    def save(self, file: _File, person: Celebrity, reading: Reading | None) -> None:
        """Add the portrait, or give the one it replaces the new file. Raises ValidationError."""
        credits_ = {name: getattr(file.photo.entry, name) for name in CREDITS}
        portrait = file.replaces
        if portrait is None:
            portrait = Portrait(
                celebrity=person,
                import_file=file.photo.import_file,
                imported_in=self.options.record,
                **credits_,
            )
            portrait.source_values = note_written(portrait, credits_)
        portrait.image_hash = file.digest
        portrait.clean_fields(exclude=["image"])
        if reading is None:
            portrait.image = ContentFile(file.data, file.digest)
            portrait.save()
            return
        store_reading(portrait, reading, str(EncoderId.of(engine.get_engine().encoder)))
        if file.replaces:
            Portrait.objects.filter(pk=portrait.pk).update(image_hash=file.digest)
