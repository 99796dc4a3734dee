"""Fetch Wikidata items of people, 50 per request, and read them as plain facts."""

from __future__ import annotations

import calendar
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from celebrities.names import tidy
from celebrities.wikidata.cache import UNKNOWN
from celebrities.wikidata.client import Client
from celebrities.wikidata.errors import ApiError
from lookalike.chunks import batched

logger = logging.getLogger(__name__)

IDS_A_REQUEST = 50
GENDERS = {
    "Q6581072": "female",
    "Q6581097": "male",
    "Q1052281": "female",  # trans woman
    "Q2449503": "male",  # trans man
}
"""Wikidata's items for P21; any other is "other"."""

_YEAR = 9
"""Wikidata's code for dates known to the year. Greater codes are more exact."""
_SPANS = {6: 1000, 7: 100, 8: 10}
"""Years that a date may mean, by the codes of less exact ones."""
_TIME = re.compile(r"\+0*([1-9][0-9]{0,3})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?(?:T.*)?")


@dataclass(frozen=True, slots=True)
class Birth:
    """The first and last possible day of birth, depending on the date's precision."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Person:
    """What Wikidata says of someone. Everything else is an id of an item or a file's name.

    ``births`` holds each date that is stated, ``images`` the files of P18 in order of rank,
    ``former_id`` the id that was asked for where it redirects to this one.
    """

    id: str
    labels: dict[str, str]
    aliases: tuple[str, ...]
    classes: tuple[str, ...]
    gender: str
    births: tuple[Birth, ...]
    birth_year: int | None
    death_year: int | None
    occupations: tuple[str, ...]
    countries: tuple[str, ...]
    images: tuple[str, ...]
    commons_category: str
    sitelinks: int
    former_id: str = ""

    def name_in(self, languages: Sequence[str]) -> str:
        """The label in the first language, else in `mul`, else in the next languages."""
        order = [*languages[:1], "mul", *languages[1:]]
        return next((self.labels[each] for each in order if self.labels.get(each)), "")

    def other_names_in(self, languages: Sequence[str]) -> list[str]:
        """Labels and aliases in these languages except for the name, each once."""
        order = [*languages, "mul"]
        names = [*(self.labels.get(each, "") for each in order), *self.aliases]
        name = self.name_in(languages)
        return [each for each in dict.fromkeys(names) if each and each != name]

    def may_be_younger_than(self, age: int, today: date) -> bool:
        """False only if every stated date of birth, at its latest, makes the person old enough.
        People without a date of birth are not counted as young."""
        return any(_add_years(birth.last, age) > today for birth in self.births)


def fetch_people(
    client: Client, endpoint: str, ids: Iterable[str], languages: Sequence[str]
) -> dict[str, Person]:
    """People by requested id. Ids are left out that Wikidata doesn't have, or of which it says
    nothing that can be understood."""
    props = "labels|aliases|claims|sitelinks"
    people = {}
    for id, entity in fetch_entities(client, endpoint, ids, languages, props).items():
        try:
            people[id] = read_person(id, entity, languages)
        except (AttributeError, KeyError, TypeError, ValueError):
            logger.warning("What Wikidata says of %s cannot be understood", id)
    return people


def fetch_entities(
    client: Client, endpoint: str, ids: Iterable[str], languages: Sequence[str], props: str
) -> dict[str, dict[str, Any]]:
    """Items by requested id. Each is cached separately, so that batches may differ."""

    def key(id: str) -> str:
        return f"entity {endpoint} {id} {props} {'|'.join(languages)}"

    known = {id: client.cache.get_json(key(id)) for id in dict.fromkeys(ids)}
    unknown = [id for id, entity in known.items() if entity is UNKNOWN]
    for batch in batched(unknown, IDS_A_REQUEST):
        entities = _ask(client, endpoint, batch, languages, props)
        by_former = {_former_id(each): each for each in entities.values()}
        for id in batch:
            entity = entities.get(id) or by_former.get(id)
            known[id] = None if not isinstance(entity, dict) or "missing" in entity else entity
            if entity is not None:
                client.cache.put_json(key(id), known[id])
    return {id: entity for id, entity in known.items() if entity is not None}


def _ask(
    client: Client, endpoint: str, ids: list[str], languages: Sequence[str], props: str
) -> dict[str, dict[str, Any]]:
    """One request. If Wikidata rejects an id, the others are requested again without it."""
    params = {
        "action": "wbgetentities",
        "ids": "|".join(ids),
        "props": props,
        "languages": "|".join(dict.fromkeys([*languages, "mul"])),
        "format": "json",
        "maxlag": "5",
    }
    try:
        entities: Any = client.get_json(endpoint, params, "entities", keep=False)["entities"]
    except ApiError as error:
        rest = [id for id in ids if id != error.id]
        if error.code != "no-such-entity" or len(rest) == len(ids):
            raise
        return _ask(client, endpoint, rest, languages, props) if rest else {}
    # PHP writes an empty object as a list.
    return entities if isinstance(entities, dict) else {}


def _former_id(entity: Any) -> str:
    redirect = entity.get("redirects") if isinstance(entity, dict) else None
    return str(redirect.get("from", "")) if isinstance(redirect, dict) else ""


def read_person(asked_id: str, entity: dict[str, Any], languages: Sequence[str]) -> Person:
    claims = dict(entity.get("claims") or {})
    births = [read_birth(value) for value in _values(claims, "P569", best=True)]
    id = str(entity.get("id") or asked_id)
    return Person(
        id=id,
        labels={code: _text(each) for code, each in _items(entity.get("labels"))},
        aliases=tuple(
            _text(alias)
            for code, group in _items(entity.get("aliases"))
            if code in {*languages, "mul"} and isinstance(group, list)
            for alias in group
        ),
        classes=tuple(_ids(claims, "P31")),
        gender=next((GENDERS.get(each, "other") for each in _ids(claims, "P21")), ""),
        births=tuple(birth for birth in births if birth is not None),
        birth_year=_year(claims, "P569"),
        death_year=_year(claims, "P570"),
        occupations=tuple(_ids(claims, "P106")),
        countries=tuple(_ids(claims, "P27")),
        images=tuple(dict.fromkeys(_texts(claims, "P18"))),
        commons_category=next(iter(_texts(claims, "P373")), ""),
        sitelinks=len(entity.get("sitelinks") or {}),
        former_id=asked_id if id != asked_id else "",
    )


def _text(found: Any) -> str:
    """The text of a label or alias, or ""."""
    value = found.get("value") if isinstance(found, dict) else None
    return tidy(value) if isinstance(value, str) else ""


def _items(group: Any) -> list[tuple[str, Any]]:
    """An object's items. PHP writes an empty one as a list."""
    return list(group.items()) if isinstance(group, dict) else []


def _values(claims: dict[str, Any], property: str, *, best: bool = False) -> list[Any]:
    """A property's values, preferred ones first, without deprecated and unknown ones. With
    ``best`` only those of the best rank."""
    ranked = []
    stated = claims.get(property)
    for claim in stated if isinstance(stated, list) else []:
        snak = claim.get("mainsnak") or {}
        if claim.get("rank") != "deprecated" and snak.get("snaktype", "value") == "value":
            value = (snak.get("datavalue") or {}).get("value")
            if value:
                ranked.append((claim.get("rank") != "preferred", value))
    ranked.sort(key=lambda each: each[0])
    return [value for rank, value in ranked if not best or rank == ranked[0][0]]


def _texts(claims: dict[str, Any], property: str) -> list[str]:
    return [each for each in _values(claims, property) if isinstance(each, str)]


def _ids(claims: dict[str, Any], property: str) -> list[str]:
    values = _values(claims, property)
    return [str(each["id"]) for each in values if isinstance(each, dict) and "id" in each]


def _year(claims: dict[str, Any], property: str) -> int | None:
    """The year of the first date that is known to the year; negative for BC."""
    for value in _values(claims, property):
        if _precision(value) >= _YEAR:
            time = str(value.get("time", ""))
            year = time[1:].partition("-")[0]
            if time[:1] in {"+", "-"} and year.isdecimal():
                return int(time[0] + year)
    return None


def _precision(value: Any) -> int:
    """The code of how exact a date is: that of a year if none is stated, 0 for no date."""
    stated = value.get("precision", _YEAR) if isinstance(value, dict) else 0
    return stated if isinstance(stated, int) else _YEAR


def read_birth(value: Any) -> Birth | None:
    """Read a time value. None for dates BC and those less exact than a millennium.

    A month or day that doesn't exist, as in 2012-00-00, leaves the date less exact.
    """
    found = _TIME.fullmatch(str(value.get("time", ""))) if isinstance(value, dict) else None
    precision = _precision(value)
    if found is None or precision < min(_SPANS):
        return None
    year, month, day = (int(part or 0) for part in found.groups())
    if precision < _YEAR:
        return _span(year, _SPANS[precision])
    if precision == _YEAR or not 1 <= month <= 12:
        return _span(year, 1)
    last = calendar.monthrange(year, month)[1]
    if precision == 10 or not 1 <= day <= last:
        return Birth(date(year, month, 1), date(year, month, last))
    return Birth(date(year, month, day), date(year, month, day))


def _span(year: int, years: int) -> Birth:
    """The decade that begins with 2010, the century that begins with 2001."""
    first = year - (year - (years > 10)) % years
    return Birth(date(max(first, 1), 1, 1), date(min(first + years - 1, 9999), 12, 31))


def _add_years(day: date, years: int) -> date:
    """The same day some years later. 29 February becomes 1 March in common years."""
    if day.year + years > 9999:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
