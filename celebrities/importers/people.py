"""Who a portrait shows: found in the gallery or made, and their facts filled in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.utils import timezone

from celebrities.categories import find_category
from celebrities.desk.history import Author, describe, note
from celebrities.importers.facts import (
    is_by_hand,
    join_names,
    label,
    note_written,
    read_facts,
    show,
)
from celebrities.importers.layout import ListedPhoto
from celebrities.importers.manifest import Entry
from celebrities.importers.naming import ignore_case
from celebrities.importers.report import Kind, Report
from celebrities.models import Category, Celebrity, Change, GalleryImport, Portrait, cleaned
from celebrities.names import fold


@dataclass(frozen=True, slots=True)
class Options:
    """How people are imported. ``category`` is added to everybody's own. ``update`` takes what
    differs from the gallery; ``dry_run`` writes nothing. ``unread`` leaves the reading of the
    portraits to the gallery worker. Unless ``guessed``, new people whose name is only made out of a
    file's or folder's are kept out of sight. ``record`` is the import's row, ``by`` its author.
    """

    category: str = ""
    published: bool = True
    is_fictional: bool = False
    update: bool = False
    dry_run: bool = False
    unread: bool = False
    guessed: bool = True
    record: GalleryImport | None = None
    by: Author = field(default_factory=lambda: Author(Change.Way.IMPORT))


HELD = "the name is made out of a file's: look at it, and publish"


class People:
    """The people of one import. ``keys`` are those of the whole plan."""

    def __init__(self, options: Options, report: Report, keys: Collection[str]) -> None:
        self.options = options
        self.report = report
        self.keys = keys
        self.found: dict[str, int] = {}
        self.planned: dict[str, Celebrity] = {}
        self.done: set[tuple[object, ...]] = set()
        self.categories: dict[str, Category | None] = {}
        self.by = options.by

    def find(self, photo: ListedPhoto, copies: Collection[Portrait]) -> Celebrity | None:
        """The photo's person, or None before `make`.

        ``copies`` are portraits of this very file. Raises ValidationError.
        """
        identity = photo.identity
        number = self.found.get(identity)
        for copy in copies:
            # The usual case of a second import, without a query for each file.
            if copy.celebrity_id == number or (number is None and self.is_of(copy, photo)):
                self.found[identity] = copy.celebrity_id
                return copy.celebrity
        person = self.find_again(photo) or self.search(photo, copies)
        if person is not None and person.merged_into is not None:
            person = person.merged_into
        if person is not None and person.pk is not None:
            self.found[identity] = person.pk
        return person

    def find_again(self, photo: ListedPhoto) -> Celebrity | None:
        """The person if they were found or made before. Read anew each time, since a curator
        may have changed or deleted them meanwhile. Raises ValidationError."""
        if photo.identity in self.planned:
            return self.planned[photo.identity]
        if photo.identity not in self.found:
            return None
        known = Celebrity.objects.filter(pk=self.found[photo.identity]).first()
        if known is None:
            raise ValidationError("this person was deleted during the import")
        return known

    def search(self, photo: ListedPhoto, copies: Collection[Portrait]) -> Celebrity | None:
        """By Wikidata id, by the key of an earlier import, by the file, by the exact name."""
        entry = photo.entry
        people = Celebrity.objects.filter(is_fictional=self.options.is_fictional)
        if entry.wikidata and (one := people.filter(wikidata_id=entry.wikidata).first()):
            return one
        owners = {each.celebrity_id for each in copies}
        for one in people.filter(import_key=photo.key).order_by("pk"):
            if one.pk in owners or _may_be(one, entry):
                return one
        return self.find_renamed(photo, copies) or self.find_namesake(photo)

    def is_of(self, copy: Portrait, photo: ListedPhoto) -> bool:
        """Whether the copy's person is surely the photo's."""
        person, wikidata = copy.celebrity, photo.entry.wikidata
        same = person.wikidata_id == wikidata if wikidata else person.import_key == photo.key
        return same and person.is_fictional == self.options.is_fictional

    def find_renamed(self, photo: ListedPhoto, copies: Collection[Portrait]) -> Celebrity | None:
        """The person that the same file was imported for, if the source has nobody else for
        them: the manifest's name was corrected."""
        owners = {
            each.celebrity
            for each in copies
            if each.import_file == photo.import_file
            and each.celebrity.import_key not in self.keys
            and each.celebrity.is_fictional == self.options.is_fictional
        }
        return owners.pop() if len(owners) == 1 else None

    def find_namesake(self, photo: ListedPhoto) -> Celebrity | None:
        """The only person of this very name, if no folder import made them."""
        name = ignore_case(photo.entry.name)
        people = Celebrity.objects.filter(
            is_fictional=self.options.is_fictional,
            sort_key=fold(photo.entry.name)[:400],
            import_key="",
        )
        alike = [
            one for one in people if ignore_case(one.name) == name and _may_be(one, photo.entry)
        ]
        if len(alike) != 1:
            return None
        person = alike[0]
        self.report.add(
            Kind.QUESTION,
            photo.entry.name,
            f"was joined with {person.name} ({unquote(person.get_absolute_url())}), whom no import "
            "of files had made. If they are two people, give them different names",
        )
        if not self.options.dry_run:
            Celebrity.objects.filter(pk=person.pk).update(import_key=photo.key)
        return person

    def make(self, photo: ListedPhoto) -> Celebrity:
        """Add the person, and ask about everybody with a name like theirs. Raises
        ValidationError."""
        facts = {"name": photo.entry.name, **read_facts(photo.entry)}
        is_kept_back = photo.is_guessed and not self.options.guessed
        person = Celebrity(
            import_key=photo.key,
            published=self.options.published and not is_kept_back,
            is_fictional=self.options.is_fictional,
            imported_in=self.options.record,
            **facts,
        )
        person.source_values = note_written(person, facts)
        cleaned(person)
        self.ask_about(person)
        if self.options.dry_run:
            self.planned[photo.identity] = person
        else:
            person.save()
            note(person, self.by, "imported")
        return person

    def keep(self, photo: ListedPhoto, person: Celebrity, is_new: bool) -> None:
        """Note, once it is stored, who the photo's person is."""
        if is_new:
            self.report.add(Kind.PERSON, person.name)
            if photo.is_guessed and not self.options.guessed:
                self.report.add(Kind.HELD, person.name, HELD)
        if person.pk is not None:
            self.found[photo.identity] = person.pk

    def ask_about(self, person: Celebrity) -> None:
        alike = Celebrity.objects.filter(sort_key=person.sort_key, is_fictional=False)
        others = [f"{each.name} ({unquote(each.get_absolute_url())})" for each in alike[:5]]
        others += [each.name for each in self.planned.values() if each.sort_key == person.sort_key]
        if others and not person.is_fictional:
            self.report.add(
                Kind.QUESTION,
                person.name,
                f"may be {' or '.join(others)}; they were kept apart. If they are one person, "
                f'delete this one and import again with --same "{person.name}", or give both the '
                "same Wikidata id",
            )

    def fill(self, person: Celebrity, entry: Entry, *, is_new: bool = False) -> None:
        """Fill in missing facts, and with ``update`` take other ones, but for those changed by
        hand. Only these fields are written, and only where they are as read. Raises
        ValidationError."""
        stated = read_facts(entry)
        done = (person.pk or person.name, *stated.values(), entry.occupations)
        if done in self.done:
            return
        self.done.add(done)
        changes = {}
        for name, value in stated.items():
            before = getattr(person, name)
            kind = self.compare(person, name, value)
            if kind in (Kind.FILLED, Kind.UPDATED):
                changes[name] = join_names(before, value) if name == "other_names" else value
            if kind and not is_new:
                what = f"{label(name)} {show(value)}" + (
                    f", in the gallery {show(before)}" if before else ""
                )
                self.report.add(kind, person.name, what)
        self.write(person, changes)
        self.add_categories(person, entry)

    def compare(self, row: Celebrity | Portrait, name: str, value: Any) -> Kind | None:
        """What becomes of a stated value; None if the gallery has it."""
        before = getattr(row, name)
        if name == "other_names" and set(value.splitlines()) <= set(before.splitlines()):
            return None
        if before == value:
            return None
        if is_by_hand(row, name) and (self.options.update or not before):
            return Kind.KEPT
        if not before:
            return Kind.FILLED
        return Kind.UPDATED if self.options.update else Kind.DIFFERS

    def write(self, person: Celebrity, changes: dict[str, Any]) -> None:
        if not changes:
            return
        before = {name: getattr(person, name) for name in changes}
        cleaned(person, **changes)
        if person.pk is None or self.options.dry_run:
            return
        derived = {"search_key": person.search_key, "sort_key": person.sort_key}
        written = note_written(person, changes)
        same = Celebrity.objects.filter(pk=person.pk, **before)
        if same.update(**changes, **derived, source_values=written, updated_at=timezone.now()):
            describe(person, self.by, "facts imported", before, changes).save()
        person.source_values = written

    def add_categories(self, person: Celebrity, entry: Entry) -> None:
        if self.options.dry_run:
            return
        words = {*entry.occupations, self.options.category} - {""}
        categories = [self.find_category(word) for word in sorted(words)]
        known = set(person.categories.all())
        missing = [each for each in categories if each is not None and each not in known]
        if missing:
            person.categories.add(*missing)

    def find_category(self, word: str) -> Category | None:
        if word not in self.categories:
            self.categories[word] = find_category(word)
        return self.categories[word]


def _may_be(person: Celebrity, entry: Entry) -> bool:
    """False if birth years or Wikidata ids tell them apart."""
    years = {person.birth_year, entry.birth_year} - {None}
    ids = {person.wikidata_id, entry.wikidata} - {""}
    return len(years) < 2 and len(ids) < 2
