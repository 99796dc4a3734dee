"""Fetch Wikidata items of people, 50 per request, and read them as plain facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from celebrities.wikidata.cache import UNKNOWN
from celebrities.wikidata.client import Client
from celebrities.wikidata.errors import ApiError
from lookalike.chunks import batched

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
_ONE_DAY = timedelta(days=1)


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
    """People by requested id. Ids that Wikidata doesn't have are left out."""
    return {
        id: read_person(id, entity, languages)
        for id, entity in fetch_entities(
            client, endpoint, ids, languages, "labels|aliases|claims|sitelinks"
        ).items()
    }


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
        by_former = {each.get("redirects", {}).get("from"): each for each in entities.values()}
        for id in batch:
            entity = entities.get(id) or by_former.get(id)
            known[id] = None if entity is None or "missing" in entity else entity
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


def read_person(asked_id: str, entity: dict[str, Any], languages: Sequence[str]) -> Person:
    claims = dict(entity.get("claims") or {})
    births = [read_birth(value) for value in _values(claims, "P569", best=True)]
    id = str(entity.get("id") or asked_id)
    return Person(
        id=id,
        labels={code: tidy(each["value"]) for code, each in _items(entity.get("labels"))},
        aliases=tuple(
            tidy(alias["value"])
            for code, group in _items(entity.get("aliases"))
            if code in {*languages, "mul"}
            for alias in group
        ),
        classes=tuple(_ids(claims, "P31")),
        gender=next((GENDERS.get(each, "other") for each in _ids(claims, "P21")), ""),
        births=tuple(birth for birth in births if birth is not None),
        birth_year=_year(claims, "P569"),
        death_year=_year(claims, "P570"),
        occupations=tuple(_ids(claims, "P106")),
        countries=tuple(_ids(claims, "P27")),
        images=tuple(dict.fromkeys(str(each) for each in _values(claims, "P18"))),
        commons_category=next((str(each) for each in _values(claims, "P373")), ""),
        sitelinks=len(entity.get("sitelinks") or {}),
        former_id=asked_id if id != asked_id else "",
    )


def tidy(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _items(group: Any) -> list[tuple[str, Any]]:
    """An object's items. PHP writes an empty one as a list."""
    return list(group.items()) if isinstance(group, dict) else []


def _values(claims: dict[str, Any], property: str, *, best: bool = False) -> list[Any]:
    """A property's values, preferred ones first, without deprecated and unknown ones. With
    ``best`` only those of the best rank."""
    ranked = []
    for claim in claims.get(property, []):
        snak = claim.get("mainsnak", {})
        if claim.get("rank") != "deprecated" and snak.get("snaktype", "value") == "value":
            value = snak.get("datavalue", {}).get("value")
            if value:
                ranked.append((claim.get("rank") != "preferred", value))
    ranked.sort(key=lambda each: each[0])
    return [value for rank, value in ranked if not best or rank == ranked[0][0]]


def _ids(claims: dict[str, Any], property: str) -> list[str]:
    values = _values(claims, property)
    return [str(each["id"]) for each in values if isinstance(each, dict) and "id" in each]


def _year(claims: dict[str, Any], property: str) -> int | None:
    """The year of the first date that is known to the year; negative for BC."""
    for value in _values(claims, property):
        if isinstance(value, dict) and int(value.get("precision", 0)) >= _YEAR:
            time = str(value.get("time", ""))
            year = time[1:].partition("-")[0]
            if time[:1] in {"+", "-"} and year.isdecimal():
                return int(time[0] + year)
    return None


def read_birth(value: Any) -> Birth | None:
    """Read a time value. None for dates BC and those less exact than a decade."""
    if not isinstance(value, dict) or not str(value.get("time", "")).startswith("+"):
        return None
    precision = int(value.get("precision", 0))
    try:
        year, month, day = (int(part) for part in value["time"][1:].partition("T")[0].split("-"))
        match precision:
            case 11:  # a day
                first = date(year, month, day)
                return Birth(first, first)
            case 10:  # a month
                first = date(year, month, 1)
                return Birth(first, (first + timedelta(days=31)).replace(day=1) - _ONE_DAY)
            case 9:  # a year
                return Birth(date(year, 1, 1), date(year, 12, 31))
            case 8:  # a decade
                year -= year % 10
                return Birth(date(year, 1, 1), date(year + 9, 12, 31))
    except ValueError:
        return None
    return None


def _add_years(day: date, years: int) -> date:
    """The same day some years later. 29 February becomes 1 March in common years."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
