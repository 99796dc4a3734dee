"""Search for people. The query service returns ids and numbers of sitelinks, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

from celebrities.wikidata.client import Client
from celebrities.wikidata.errors import TooSlow

RESULTS = "application/sparql-results+json"
TOP = 100
"""Lower end of the first range of sitelinks. Each further range begins at half of that, so that
queries stay short and a small limit needs only the first ones."""

_PREFIXES = """\
PREFIX wd: <http://www.wikidata.org/entity/>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
PREFIX wikibase: <http://wikiba.se/ontology#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""


@dataclass(frozen=True, slots=True)
class Search:
    """What to search for. Occupations and countries are Wikidata ids; one match is enough.

    ``born_from`` is the first birthday that counts, ``born_until`` the first that does not.
    """

    occupations: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    born_from: date | None = None
    born_until: date | None = None
    min_sitelinks: int = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Wikidata id, and the number of pages about that person (0 if unknown)."""

    id: str
    sitelinks: int


def find_people(client: Client, endpoint: str, search: Search) -> Iterator[Candidate]:
    """Each person once, most sitelinks first. People outside the ranges asked for come last.

    Raises Unavailable, Refused, and TooSlow where not even the narrowest query was fast enough.
    """
    seen: set[str] = set()
    others: dict[str, Candidate] = {}
    high: int | None = None
    low = max(TOP, search.min_sitelinks)
    while high is None or high > search.min_sitelinks:
        found: dict[str, Candidate] = {}
        for occupation, country in product(search.occupations or ("",), search.countries or ("",)):
            for each in _ask(client, endpoint, search, occupation, country, low, high):
                in_range = low <= each.sitelinks < (high or float("inf"))
                (found if in_range else others)[each.id] = each
        yield from _new_ones(found, seen)
        low, high = max(low // 2, search.min_sitelinks), low
    yield from _new_ones(others, seen)


def _new_ones(found: dict[str, Candidate], seen: set[str]) -> Iterator[Candidate]:
    for person in sorted(found.values(), key=_fame):
        if person.id not in seen:
            seen.add(person.id)
            yield person


def _fame(person: Candidate) -> tuple[int, int]:
    return -person.sitelinks, int(person.id[1:])


def _ask(
    client: Client,
    endpoint: str,
    search: Search,
    occupation: str,
    country: str,
    low: int,
    high: int | None,
) -> Iterator[Candidate]:
    """Rows of the query. A range that takes too long is split in two."""
    query = make_query(search, occupation, country, low, high)
    try:
        params = {"query": query, "format": "json"}
        answer = client.get_json(endpoint, params, "results", accept=RESULTS)
    except TooSlow:
        middle = (low + high) // 2 if high is not None else 2 * max(low, 1)
        if middle == low or middle > 10_000:
            raise TooSlow(
                "Wikidata can't answer this search in time, not even in small parts. "
                "Narrow it with --occupation, --born-after or --min-sitelinks."
            ) from None
        yield from _ask(client, endpoint, search, occupation, country, middle, high)
        yield from _ask(client, endpoint, search, occupation, country, low, middle)
        return
    for row in (answer["results"] or {}).get("bindings") or []:
        candidate = _read_row(row)
        if candidate is not None:
            yield candidate


def _read_row(row: dict[str, dict[str, str]]) -> Candidate | None:
    """None if it is not an item with a number, such as a blank node."""
    try:
        person = row["person"]
        id = person["value"].rpartition("/")[2]
        sitelinks = int(row["sitelinks"]["value"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return Candidate(id, sitelinks) if person.get("type") == "uri" and is_item_id(id) else None


def is_item_id(text: str) -> bool:
    return text[:1] == "Q" and text[1:].isascii() and text[1:].isdecimal() and text[1] != "0"


def make_query(search: Search, occupation: str, country: str, low: int, high: int | None) -> str:
    """A query for people with ``low`` <= sitelinks < ``high``. No ORDER BY: sorting a whole
    occupation takes longer than the 60 s that the service allows."""
    lines = ["?person wdt:P31 wd:Q5 ."]
    if occupation:
        lines.append(f"?person wdt:P106 wd:{occupation} .")
    if country:
        lines.append(f"?person wdt:P27 wd:{country} .")
    lines.append("?person wikibase:sitelinks ?sitelinks .")
    upper = f" && ?sitelinks < {high}" if high is not None else ""
    lines.append(f"FILTER(?sitelinks >= {low}{upper})")
    bounds = []
    if search.born_from:
        bounds.append(f'?born >= "{search.born_from}T00:00:00Z"^^xsd:dateTime')
    if search.born_until:
        bounds.append(f'?born < "{search.born_until}T00:00:00Z"^^xsd:dateTime')
    if bounds:
        lines += ["?person wdt:P569 ?born .", f"FILTER({' && '.join(bounds)})"]
    body = "\n  ".join(lines)
    return f"{_PREFIXES}SELECT ?person ?sitelinks WHERE {{\n  {body}\n}}"
