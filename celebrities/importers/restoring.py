"""An archive of `export_gallery` back into the gallery."""

from __future__ import annotations

import json
import re
import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import models, transaction

from celebrities.archive import MARK, VERSION, columns_of, read_cells, read_table
from celebrities.do_not_import import Blocked
from celebrities.errors import BadSource
from celebrities.gallery import remove_files
from celebrities.importers.importing import Progress
from celebrities.importers.report import Kind, Report
from celebrities.models import (
    MAX_FILE_BYTES,
    Category,
    Celebrity,
    Decision,
    DoNotImport,
    GalleryImport,
    Portrait,
    cleaned,
    gallery_storage,
)
from celebrities.sweeping import storing
from lookalike.faces.tables import BadLine
from lookalike.faces.vectors_csv import read_vectors

_FILE = re.compile(
    r"(portraits/[0-9a-f]{2}|received)/[0-9a-f]{32}(-chip|-[0-9]{1,4})?(\.jpg|\.webp)?"
)
_BAD = (zipfile.BadZipFile, OSError, KeyError, ValueError, ValidationError, RuntimeError)

LARGE = 10_000_000
MOST_PACKED = 100
"""Times that a larger file in the archive may be packed."""

Row = Mapping[str, str]


class GalleryArchive:
    """An archive whose tables have been read and checked. Raises BadSource."""

    def __init__(self, path: Path) -> None:
        try:
            self.archive = zipfile.ZipFile(path)
            check_packing(self.archive)
            if json.loads(self.archive.read(MARK))["version"] > VERSION:
                raise ValueError("it was written by a newer version of the site")
            self.categories = list(read_table(self.archive, "categories.csv"))
            self.listed = list(read_table(self.archive, "do_not_import.csv"))
            self.people = list(read_table(self.archive, "people.csv"))
            self.portraits = list(read_table(self.archive, "portraits.csv"))
            # Archives of before lack it.
            has_decisions = "decisions.csv" in self.archive.namelist()
            self.decisions = list(
                read_table(self.archive, "decisions.csv") if has_decisions else ()
            )
            for model, rows in (
                (Category, self.categories),
                (DoNotImport, self.listed),
                (Celebrity, self.people),
                (Portrait, self.portraits),
                (Decision, self.decisions),
            ):
                for row in rows:
                    read_cells(model, row)
            self.vectors = self.read_vectors()
        except (*_BAD, BadLine) as error:
            raise BadSource(f"{path} cannot be restored: {error}. Nothing was imported.") from error

    def read_vectors(self) -> dict[str, bytes]:
        """The vectors' bytes by the file name of the portrait."""
        vectors = {}
        for name in self.archive.namelist():
            if not re.fullmatch(r"vectors-[^/]+\.csv", name):
                continue
            with tempfile.TemporaryDirectory() as folder:
                table = read_vectors(Path(self.archive.extract(name, folder)))
            rows = zip(table.names, table.vectors, strict=True)
            vectors.update({file: vector.astype("<f4").tobytes() for file, vector in rows})
        return vectors

    def read(self, name: str) -> bytes:
        """A picture's bytes. Raises OSError."""
        try:
            with self.archive.open(f"files/{name}") as member:
                data = member.read(MAX_FILE_BYTES + 1)
        except _BAD as error:
            raise OSError(f"{name} cannot be unpacked: {error}") from error
        if len(data) > MAX_FILE_BYTES:
            raise OSError(f"{name} is too large")
        return data


def check_packing(archive: zipfile.ZipFile) -> None:
    """Raises ValueError for a table that would fill the memory: a gallery's tables pack to a tenth
    or so, a bomb's to a thousandth."""
    for info in archive.infolist():
        if info.file_size > LARGE and info.file_size > MOST_PACKED * info.compress_size:
            raise ValueError(f"{info.filename} unpacks to {info.file_size:,} bytes")


def restore_gallery(
    archive: GalleryArchive,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
    record: GalleryImport | None = None,
) -> Report:
    """Add everybody and everything that the gallery lacks. What it has stays as it is; who is
    on either do-not-import list is left out. ``record`` is the import's row."""
    run = _Restore(archive, dry_run, record)
    run.add_listed()
    run.add_categories()
    for row in archive.people:
        run.add_person(row)
    for row in archive.portraits:
        run.add_portrait(row)
        if progress is not None:
            progress(1)
    if not dry_run:
        run.choose_covers()
        run.add_decisions()
    return run.report


class _Restore:
    def __init__(
        self, archive: GalleryArchive, dry_run: bool, record: GalleryImport | None
    ) -> None:
        self.archive = archive
        self.record = record
        self.dry_run = dry_run
        self.report = Report()
        self.people: dict[str, Celebrity] = {}
        self.categories: dict[str, Category] = {}
        self.blocked = Blocked([])

    def add_listed(self) -> None:
        known = {_content(entry) for entry in DoNotImport.objects.all()}
        entries = []
        for row in self.archive.listed:
            entry = DoNotImport(**read_cells(DoNotImport, row))
            if _content(entry) not in known:
                entries.append(entry)
        if not self.dry_run:
            for entry in entries:
                added = entry.created_at
                entry.save()
                DoNotImport.objects.filter(pk=entry.pk).update(created_at=added)
        self.blocked = Blocked([*DoNotImport.objects.all(), *(entries if self.dry_run else [])])

    def add_categories(self) -> None:
        if self.dry_run:
            return
        for row in self.archive.categories:
            values = read_cells(Category, row)
            slug = values.pop("slug")
            self.categories[slug] = Category.objects.get_or_create(slug=slug, defaults=values)[0]

    def add_person(self, row: Row) -> None:
        values = read_cells(Celebrity, row)
        names = (values["name"], *values["other_names"].splitlines())
        if entry := self.blocked.find(wikidata_id=values["wikidata_id"], names=names):
            self.report.add(Kind.REFUSED, values["name"], entry.sentence)
            return
        if known := self.find_person(values):
            self.people[row["slug"]] = known
            return
        person = Celebrity(**values, imported_in=self.record)
        if Celebrity.objects.filter(slug=person.slug).exists():
            person.slug = ""
        try:
            cleaned(person)
        except ValidationError as error:
            self.report.add(Kind.FAILED, person.name, "; ".join(error.messages))
            return
        if not self.dry_run:
            with transaction.atomic():
                person.save()
                _set_times(person, values)
                slugs = row.get("categories", "").split()
                person.categories.set([self.categories[s] for s in slugs if s in self.categories])
        self.people[row["slug"]] = person
        self.report.add(Kind.PERSON, person.name)

    def choose_covers(self) -> None:
        """Of people who have none yet."""
        for row in self.archive.people:
            person, digest = self.people.get(row["slug"]), row.get("cover")
            if person is None or not digest:
                continue
            cover = person.portraits.filter(image_hash=digest).values("pk")[:1]
            mine = Celebrity.objects.filter(pk=person.pk, chosen_cover=None)
            mine.update(chosen_cover=models.Subquery(cover))

    def add_decisions(self) -> None:
        """Those of cases that nobody has decided here."""
        for row in self.archive.decisions:
            values = read_cells(Decision, row)
            key = {"queue": values.pop("queue"), "key": values.pop("key")}
            Decision.objects.get_or_create(**key, defaults=values)

    def find_person(self, values: Mapping[str, Any]) -> Celebrity | None:
        """By Wikidata id, or else by name and address."""
        people = Celebrity.objects.all()
        if values["wikidata_id"]:
            known = people.filter(wikidata_id=values["wikidata_id"]).first()
            if known is not None:
                return known
        same = people.filter(name=values["name"], slug=values["slug"])
        return same.filter(is_fictional=values["is_fictional"]).first()

    def add_portrait(self, row: Row) -> None:
        values = read_cells(Portrait, row)
        where = f"{row['person']}: {PurePosixPath(values['image']).name}"
        person = self.people.get(row["person"])
        if person is None:
            return self.report.add(Kind.REFUSED, where, "the person was left out")
        if entry := self.blocked.find(sha256=values["image_hash"]):
            return self.report.add(Kind.REFUSED, where, entry.sentence)
        if person.pk and person.portraits.filter(image_hash=values["image_hash"]).exists():
            return self.report.add(Kind.SKIPPED, where, "already in the gallery")
        portrait = Portrait(**values, imported_in=self.record)
        portrait.celebrity = person
        portrait.vector = self.archive.vectors.get(PurePosixPath(values["image"]).name)
        if portrait.status == Portrait.Status.READY and portrait.vector is None:
            portrait.status = Portrait.Status.PENDING
        try:
            if not self.dry_run:
                self.save(portrait, values)
        except (OSError, ValidationError) as error:
            return self.report.add(Kind.FAILED, where, str(error))
        return self.report.add(Kind.PORTRAIT, where)

    def save(self, portrait: Portrait, values: Mapping[str, Any]) -> None:
        """Write the files, then the row; the files go if there is no row. Raises OSError."""
        names = portrait.file_names
        if any(not _FILE.fullmatch(name) for name in names):
            raise OSError("its files have names that the gallery does not give")
        storage = gallery_storage()
        stem = names[0].removesuffix(".jpg")
        new = stem
        if storage.exists(names[0]):
            new = str(PurePosixPath(stem).with_name(uuid.uuid4().hex))
        files = {name.replace(stem, new): self.archive.read(name) for name in names}
        portrait.image = str(portrait.image.name).replace(stem, new)
        portrait.chip = str(portrait.chip.name or "").replace(stem, new)
        with storing():
            try:
                for name, data in files.items():
                    storage.save(name, ContentFile(data))
                with transaction.atomic():
                    portrait.save(force_insert=True)
                    _set_times(portrait, values)
            except BaseException:
                remove_files(files)
                raise


def _set_times(row: models.Model, values: Mapping[str, Any]) -> None:
    """Set what saving sets to now."""
    times = {
        field.name: values[field.name]
        for field in columns_of(type(row))
        if isinstance(field, models.DateTimeField) and field.name in values
    }
    type(row)._default_manager.filter(pk=row.pk).update(**times)


def _content(entry: DoNotImport) -> tuple[object, ...]:
    lists: Iterable[list[str]] = (entry.names, entry.sha256, entry.phashes)
    return (entry.wikidata_id, *(tuple(each) for each in lists))
