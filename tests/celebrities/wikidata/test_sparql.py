"""Who is found, in which order, and with which queries."""

from __future__ import annotations

from datetime import date
from itertools import islice

import pytest

from celebrities.wikidata.client import Client
from celebrities.wikidata.errors import TooSlow
from celebrities.wikidata.sparql import Candidate, Search, find_people, make_query
from tests.wikimedia import Wikimedia

ACTORS = Search(("Q33999",))


def find(client: Client, server: Wikimedia, search: Search = ACTORS) -> list[str]:
    return [each.id for each in find_people(client, server.sparql, search)]


def test_it_works(client: Client, server: Wikimedia) -> None:
    server.add_person("Q1", "Ada", sitelinks=60)
    server.add_person("Q2", "Bob", sitelinks=300)
    server.add_person("Q3", "Cleo", sitelinks=59)
    server.add_person("Q4", "Dan", sitelinks=99)

    found = list(find_people(client, server.sparql, ACTORS))
    assert found == [Candidate("Q2", 300), Candidate("Q4", 99), Candidate("Q1", 60)]


def test_people_of_several_occupations_come_once_and_in_one_order(
    client: Client, server: Wikimedia
) -> None:
    server.add_person("Q1", "Ada", sitelinks=150)
    server.add_person("Q2", "Bob", sitelinks=200, claims={"P106": ["Q177220"]})
    server.add_person("Q3", "Cleo", sitelinks=170, claims={"P106": ["Q33999", "Q177220"]})

    assert find(client, server, Search(("Q33999", "Q177220"))) == ["Q2", "Q3", "Q1"]


def test_asks_for_the_best_known_first_and_no_further_than_it_must(
    client: Client, server: Wikimedia
) -> None:
    server.add_person("Q1", "Ada", sitelinks=100)
    server.add_person("Q2", "Bob", sitelinks=10)
    first = list(
        islice(find_people(client, server.sparql, Search(("Q33999",), min_sitelinks=5)), 1)
    )

    assert [each.id for each in first] == ["Q1"]
    assert len(server.seen) == 1
    assert server.seen[0].headers["Accept"] == "application/sparql-results+json"


def test_passes_over_rows_that_are_no_people(client: Client, server: Wikimedia) -> None:
    server.add_person("Q1", "Ada")
    number = {"type": "literal", "value": "100"}
    server.extra_rows += [
        {"person": {"type": "bnode", "value": "t1"}, "sitelinks": number},
        {
            "person": {"type": "uri", "value": "http://www.wikidata.org/entity/L5"},
            "sitelinks": number,
        },
        {"person": {"type": "uri", "value": "http://www.wikidata.org/entity/Q9"}},
        {"sitelinks": number},
    ]

    assert find(client, server) == ["Q1"]


def test_halves_a_range_that_takes_too_long(client: Client, server: Wikimedia) -> None:
    server.too_slow = lambda low, high: high is None and low < 200
    server.add_person("Q1", "Ada", sitelinks=150)
    server.add_person("Q2", "Bob", sitelinks=250)

    assert find(client, server) == ["Q2", "Q1"]
    assert len(server.seen) == 4


def test_an_answer_broken_off_by_the_time_limit_is_no_answer(
    client: Client, server: Wikimedia
) -> None:
    server.moods.append("broken-off")
    server.add_person("Q1", "Ada", sitelinks=250)

    assert find(client, server) == ["Q1"]


def test_says_what_to_do_where_no_query_is_quick_enough(client: Client, server: Wikimedia) -> None:
    server.too_slow = lambda low, high: True
    with pytest.raises(TooSlow, match="--occupation"):
        find(client, server)


def test_the_query_asks_for_what_was_said() -> None:
    search = Search(born_from=date(1951, 1, 1), born_until=date(2000, 1, 1))
    lines = make_query(search, "Q33999", "Q30", 60, 100).splitlines()

    assert lines[4:] == [
        "SELECT ?person ?sitelinks WHERE {",
        "  ?person wdt:P31 wd:Q5 .",
        "  ?person wdt:P106 wd:Q33999 .",
        "  ?person wdt:P27 wd:Q30 .",
        "  ?person wikibase:sitelinks ?sitelinks .",
        "  FILTER(?sitelinks >= 60 && ?sitelinks < 100)",
        "  ?person wdt:P569 ?born .",
        '  FILTER(?born >= "1951-01-01T00:00:00Z"^^xsd:dateTime'
        ' && ?born < "2000-01-01T00:00:00Z"^^xsd:dateTime)',
        "}",
    ]


def test_whoever_was_not_asked_for_comes_last(client: Client, server: Wikimedia) -> None:
    """The importer says why they are refused."""
    server.add_person("Q1", "Ada", sitelinks=60)
    uri = {"type": "uri", "value": "http://www.wikidata.org/entity/Q9"}
    server.extra_rows.append({"person": uri, "sitelinks": {"type": "literal", "value": "7"}})

    assert find(client, server) == ["Q1", "Q9"]
