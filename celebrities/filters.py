"""Whom a search compares with. Light enough for the web process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from celebrities.models import Celebrity, CelebrityQuerySet


@dataclass(frozen=True, slots=True)
class Filters:
    """A category's slug, a gender, being alive; empty ones let everybody through."""

    category: str = ""
    gender: str = ""
    living_only: bool = False

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Filters:
        """The filters of an upload's row. Keys that are no filter any more are dropped."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__ if name in value})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __bool__(self) -> bool:
        """False when everybody passes."""
        return self != EVERYBODY

    def apply(self, people: CelebrityQuerySet) -> CelebrityQuerySet:
        if self.category:
            people = people.filter(categories__slug=self.category)
        if self.gender:
            people = people.filter(gender=self.gender)
        return people.filter(death_year=None) if self.living_only else people

    def count(self) -> int:
        """How many people a search with these filters compares with."""
        return self.apply(Celebrity.objects.searchable()).order_by().count()


EVERYBODY = Filters()
