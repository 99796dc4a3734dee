"""People found on Wikidata by name, with their facts and free pictures. A worker asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from celebrities.importers.recording import tell
from celebrities.management.wikimedia import open_client, read_services
from celebrities.models import Celebrity, GalleryImport
from celebrities.wikidata.client import Client
from celebrities.wikidata.entities import Person, fetch_people
from celebrities.wikidata.errors import WikimediaError
from celebrities.wikidata.facts import facts_of, why_not
from celebrities.wikidata.files import Files
from celebrities.wikidata.importing import Importer
from celebrities.wikidata.licences import NotFree
from celebrities.wikidata.options import Options
from celebrities.wikidata.report import Report
from celebrities.wikidata.sparql import Candidate, is_item_id
from lookalike.faces.errors import FacesError

MOST = 7
"""People that a search shows."""

LANGUAGES = ("en", "ru")

Found = dict[str, Any]


class CannotAsk(Exception):
    """Wikimedia cannot be asked at this moment. The text says why, and what to do."""


@contextmanager
def asking() -> Iterator[Client]:
    """Raises CannotAsk."""
    try:
        with open_client(lambda words: None) as client:
            yield client
    except (WikimediaError, CommandError, FacesError) as error:
        raise CannotAsk(str(error)) from error


def search(record: GalleryImport) -> None:
    """Note whom a name, or an id, may mean. Raises CannotAsk."""
    text = record.options["wikidata"]
    with asking() as client:
        described = find_items(client, text)
        people = fetch_people(client, read_services().wikidata, described, LANGUAGES)
        humans = {id: one for id, one in people.items() if "Q5" in one.classes}
        files = Files(client, read_services().commons)
        files.fetch(name for person in humans.values() for name in person.images)
        found = [
            describe(humans[id], words, files) for id, words in described.items() if id in humans
        ]
    GalleryImport.objects.filter(pk=record.pk).update(
        found=found[:MOST], status=GalleryImport.Status.LOOKED, heartbeat_at=timezone.now()
    )


def find_items(client: Client, text: str) -> dict[str, str]:
    """Descriptions by id of the items that a text may mean, the likeliest first."""
    if is_item_id(text):
        return {text: ""}
    params = {
        "action": "wbsearchentities",
        "search": text,
        "language": LANGUAGES[0],
        "uselang": LANGUAGES[0],
        "type": "item",
        "limit": "20",
        "format": "json",
        "maxlag": "5",
    }
    answer = client.get_json(read_services().wikidata, params, "searchinfo")
    return {
        each["id"]: str(each.get("description") or "")
        for each in answer.get("search") or []
        if isinstance(each, dict) and is_item_id(str(each.get("id")))
    }


def describe(person: Person, words: str, files: Files) -> Found:
    """What a curator sees of someone: facts, pictures with licences or why not, and whether the
    gallery has them."""
    known = Celebrity.objects.filter(wikidata_id__in={person.id, person.former_id} - {""}).first()
    today, asked = timezone.localdate(), Candidate(person.id, 0)
    return {
        **facts_of(person, LANGUAGES),
        "id": person.id,
        "description": words,
        "problem": why_not(person, asked, LANGUAGES, settings.LEAST_AGE, today),
        "known": known and known.pk,
        "pictures": [describe_picture(name, files) for name in person.images[:3]],
        "more": bool(person.commons_category),
    }


def describe_picture(name: str, files: Files) -> Found:
    try:
        file, credit = files.check(name)
    except NotFree as error:
        return {"name": name, "problem": str(error)}
    except KeyError:
        return {"name": name, "problem": "Commons says too little of it"}
    return {
        "name": name,
        "page": file.page,
        "author": credit.author,
        "licence": credit.licence,
    }


def take(record: GalleryImport) -> None:
    """Import the person who was chosen. Raises CannotAsk."""
    options = Options(
        languages=LANGUAGES,
        portraits=int(record.options.get("portraits", 1)),
        least_age=settings.LEAST_AGE,
        published=not record.options.get("unpublished"),
        record=record,
    )
    report = Report()
    try:
        with asking() as client:
            importer = Importer(client, read_services(), options, report)
            importer.run([Candidate(record.options["id"], 0)])
    finally:
        tell(record, report)
