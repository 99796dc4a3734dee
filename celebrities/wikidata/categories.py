"""Categories for occupations, in English and Russian."""

from __future__ import annotations

from collections.abc import Iterable

from celebrities.categories import find_category
from celebrities.models import Category
from celebrities.wikidata.client import Client
from celebrities.wikidata.entities import Person, fetch_entities
from celebrities.wikidata.occupations import CATEGORY_OF, OCCUPATIONS

MOST_CATEGORIES_BY_LABEL = 3
"""Limit for people without any common occupation."""


class Categories:
    """Finds categories for occupations. Names of rare occupations come from Wikidata."""

    def __init__(self, client: Client, endpoint: str) -> None:
        self.client = client
        self.endpoint = endpoint
        self._labels: dict[str, dict[str, str]] = {}
        self._known: dict[str, Category | None] = {}

    def prepare(self, people: Iterable[Person]) -> None:
        """Fetch the labels that these people's categories need."""
        rare = {id for person in people for id in self._rare(person)} - self._labels.keys()
        found = fetch_entities(self.client, self.endpoint, sorted(rare), ("en", "ru"), "labels")
        for id in rare:
            labels = found.get(id, {}).get("labels") or {}
            self._labels[id] = {code: str(each["value"]) for code, each in dict(labels).items()}

    def of(self, person: Person) -> list[Category]:
        """The person's categories: those of common occupations, or else of the first rare ones."""
        words = [OCCUPATIONS[id][0] for id in person.occupations if id in OCCUPATIONS]
        found = [self._find(CATEGORY_OF.get(word, word)) for word in words]
        if not found:
            found = [self._find_rare(id) for id in self._rare(person)]
        return list({each.pk: each for each in found if each is not None}.values())

    def _rare(self, person: Person) -> tuple[str, ...]:
        if any(id in OCCUPATIONS for id in person.occupations):
            return ()
        return person.occupations[:MOST_CATEGORIES_BY_LABEL]

    def _find_rare(self, id: str) -> Category | None:
        labels = self._labels.get(id, {})
        name = labels.get("en") or labels.get("mul") or ""
        return self._find(name, labels.get("ru", "")) if name else None

    def _find(self, word: str, in_russian: str = "") -> Category | None:
        if word not in self._known:
            self._known[word] = find_category(word, in_russian)
        return self._known[word]
