"""Who may be imported, and the gallery's fields for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from celebrities.models import Celebrity
from celebrities.names import fold
from celebrities.wikidata.entities import Person
from celebrities.wikidata.sparql import Candidate, Search

HUMAN = "Q5"
MAX_NAME = 200
MAX_OTHER_NAMES = 30


def why_not(
    person: Person, found: Candidate, languages: Sequence[str], least_age: int, today: date
) -> str:
    """Why nobody should import this person, or ""."""
    # Searches ask for humans only, so an item without a class is trusted if a search found it.
    if HUMAN not in person.classes and (person.classes or not found.sitelinks):
        return "not a person"
    if not person.name_in(languages):
        return f"no name in {', '.join(languages)}"
    if person.may_be_younger_than(least_age, today):
        return f"may be younger than {least_age}"
    return ""


def why_no_match(person: Person, found: Candidate, search: Search) -> str:
    """Why a person doesn't match the search, or "". The query service may be hours behind, and
    people given by id were never searched for, so the item itself is checked."""
    if max(found.sitelinks, person.sitelinks) < search.min_sitelinks:
        return "too few sitelinks"
    if _differ(search.occupations, person.occupations):
        return "another occupation"
    if _differ(search.countries, person.countries):
        return "another country"
    first, last = search.born_from or date.min, search.born_until or date.max
    asked = search.born_from or search.born_until
    if asked and not any(each.last >= first and each.first < last for each in person.births):
        return "born at another time, or at an unknown one"
    return ""


def _differ(asked: Sequence[str], known: Sequence[str]) -> bool:
    return bool(asked and known) and not {*asked} & {*known}


def find_namesake(person: Person, languages: Sequence[str]) -> Celebrity | None:
    """Someone in the gallery without a Wikidata id who may be the same person: the same name,
    and no other birth year."""
    name = fold(person.name_in(languages))[:400]
    for other in Celebrity.objects.filter(wikidata_id="", is_fictional=False, sort_key=name):
        if len({other.birth_year, person.birth_year} - {None}) < 2:
            return other
    return None


def facts_of(person: Person, languages: Sequence[str]) -> dict[str, Any]:
    """Values of Celebrity's fields, as Wikidata has them."""
    names = [each for each in person.other_names_in(languages) if len(each) <= MAX_NAME]
    return {
        "name": person.name_in(languages)[:MAX_NAME],
        "other_names": "\n".join(names[:MAX_OTHER_NAMES]),
        "gender": person.gender,
        "birth_year": person.birth_year,
        "death_year": person.death_year,
        "source_page": f"https://www.wikidata.org/wiki/{person.id}",
    }
