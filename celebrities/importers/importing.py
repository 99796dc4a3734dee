"""From a source to the gallery: read, embed and store files, and report on each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from celebrities.categories import find_category
from celebrities.gallery import BATCH, store_reading
from celebrities.importers.layout import ListedPhoto, Plan
from celebrities.importers.manifest import Entry, Problem
from celebrities.importers.sources import Source
from celebrities.models import Category, Celebrity, Portrait, cleaned
from celebrities.names import fold
from celebrities.portraits import Reading, read_portraits
from celebrities.reasons import describe_reason
from lookalike import engine
from lookalike.chunks import batched
from lookalike.faces.types import EncoderId

Progress = Callable[[int], None]
"""Called with the number of files done since the last call."""

_FILLED = ("gender", "birth_year", "death_year", "other_names")
_CREDITS = ("author", "licence", "licence_url", "source_page", "notes")


@dataclass(frozen=True, slots=True)
class Options:
    """How people are imported. ``category`` is added to everybody's own."""

    category: str = ""
    published: bool = True
    is_fictional: bool = False


@dataclass(slots=True)
class Summary:
    """The result of an import. ``people`` counts new people only."""

    imported: int = 0
    people: int = 0
    skipped: list[Problem] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)


def import_plan(
    source: Source, plan: Plan, options: Options, progress: Progress | None = None
) -> Summary:
    """Import a plan's portraits into the gallery.

    A file that the person already has (by its SHA-256) is skipped, and only fills in missing
    facts and credits, so an import can be repeated and resumed. A file that cannot be used
    makes no row, and no person is made without a usable file. Raises WeightsMissing or
    DeviceMissing if there is no engine.
    """
    run = _Import(source, options)
    run.summary.skipped += plan.skipped
    run.summary.failed += plan.failed
    for batch in batched(plan.portraits, BATCH):
        run.take(batch)
        if progress is not None:
            progress(len(batch))
    return run.summary


class _Import:
    def __init__(self, source: Source, options: Options) -> None:
        self.source = source
        self.options = options
        self.summary = Summary()
        self.people: dict[str, int] = {}
        self.categories: dict[str, Category | None] = {}

    def take(self, batch: Iterable[ListedPhoto]) -> None:
        """Import some files; new ones are read and embedded together."""
        fresh: list[tuple[ListedPhoto, str]] = []
        files: list[bytes] = []
        seen: set[tuple[str, str]] = set()
        for found in batch:
            try:
                data = self.source.read(found.file)
                digest = hashlib.sha256(data).hexdigest()
                known = (found.key, digest) in seen or self.has_already(found, digest)
            except OSError as error:
                self.fail(found, str(error))
                continue
            except ValidationError as error:
                self.fail(found, "; ".join(error.messages))
                continue
            if known:
                self.summary.skipped.append(Problem(found.entry.file, "already in the gallery"))
            else:
                seen.add((found.key, digest))
                fresh.append((found, digest))
                files.append(data)
        faces = engine.get_engine()
        readings = read_portraits(faces, files)
        for (found, digest), reading in zip(fresh, readings, strict=True):
            if reading.error:
                self.fail(found, describe_reason(reading.error))
            else:
                self.store(found, digest, reading, str(EncoderId.of(faces.encoder)))

    def fail(self, found: ListedPhoto, reason: str) -> None:
        self.summary.failed.append(Problem(found.entry.file, reason))

    def has_already(self, found: ListedPhoto, digest: str) -> bool:
        person = self.find_person(found)
        if person is None:
            return False
        there = Portrait.objects.filter(celebrity=person, image_hash=digest).defer("vector").first()
        if there is None:
            return False
        self.fill_person(person, found.entry)
        for name in _CREDITS:
            if value := getattr(found.entry, name):
                Portrait.objects.filter(pk=there.pk, **{name: ""}).update(**{name: value})
        return True

    def store(self, found: ListedPhoto, digest: str, reading: Reading, encoder: str) -> None:
        try:
            with transaction.atomic():
                person = self.find_person(found)
                is_new = person is None
                if person is None:
                    person = self.make_person(found.entry)
                self.fill_person(person, found.entry)
                credits_ = {name: getattr(found.entry, name) for name in _CREDITS}
                portrait = Portrait(celebrity=person, image_hash=digest, **credits_)
                portrait.clean_fields(exclude=["image"])
                store_reading(portrait, reading, encoder)
        except ValidationError as error:
            self.fail(found, "; ".join(error.messages))
            return
        self.people[found.key] = person.pk
        self.summary.imported += 1
        self.summary.people += is_new

    def find_person(self, found: ListedPhoto) -> Celebrity | None:
        """The person with this key, Wikidata id or name. Birth years tell people of one name
        apart. Read anew each time, since a curator may have changed or deleted the person
        meanwhile. Raises ValidationError."""
        if found.key in self.people:
            known = Celebrity.objects.filter(pk=self.people[found.key]).first()
            if known is None:
                raise ValidationError("this person was deleted during the import")
            return known
        people = Celebrity.objects.filter(is_fictional=self.options.is_fictional)
        entry = found.entry
        person = None
        if entry.wikidata:
            person = people.filter(wikidata_id=entry.wikidata).first()
        if person is None:
            for other in people.filter(sort_key=fold(entry.name)[:400]):
                years = {other.birth_year, entry.birth_year} - {None}
                ids = {other.wikidata_id, entry.wikidata} - {""}
                if len(years) < 2 and len(ids) < 2:
                    person = other
                    break
        if person is not None:
            self.people[found.key] = person.pk
        return person

    def make_person(self, entry: Entry) -> Celebrity:
        person = cleaned(
            Celebrity(
                name=entry.name,
                wikidata_id=entry.wikidata,
                published=self.options.published,
                is_fictional=self.options.is_fictional,
            )
        )
        person.save()
        return person

    def fill_person(self, person: Celebrity, entry: Entry) -> None:
        """Fill in missing facts; existing ones belong to the curators. Only those fields are
        written, and only where they are still empty. Raises ValidationError."""
        blank = {
            name: getattr(entry, name)
            for name in _FILLED
            if getattr(entry, name) not in ("", None) and getattr(person, name) in ("", None)
        }
        if entry.wikidata and not person.wikidata_id:
            blank["wikidata_id"] = entry.wikidata
        if blank:
            still = {name: getattr(person, name) for name in blank}
            derived = {"search_key": cleaned(person, **blank).search_key}
            same = Celebrity.objects.filter(pk=person.pk, **still)
            same.update(**blank, **derived, updated_at=timezone.now())
        words = {*entry.occupations, self.options.category} - {""}
        categories = [self.find_category(word) for word in sorted(words)]
        person.categories.add(*[category for category in categories if category is not None])

    def find_category(self, word: str) -> Category | None:
        if word not in self.categories:
            self.categories[word] = find_category(word)
        return self.categories[word]
