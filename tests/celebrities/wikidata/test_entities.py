"""Wikidata's items, read as facts of people."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from celebrities.wikidata.client import Client
from celebrities.wikidata.entities import Birth, Person, fetch_people, read_birth, read_person
from tests.wikimedia import UNKNOWN_VALUE, Wikimedia, make_claim, make_time

LANGUAGES = ("en", "ru")


def fetch(client: Client, server: Wikimedia, *ids: str) -> dict[str, Person]:
    return fetch_people(client, server.wikidata, ids, LANGUAGES)


def read(server: Wikimedia, **claims: list[Any]) -> Person:
    return read_person("Q1", server.add_person("Q1", "Ada", claims=claims), LANGUAGES)


def test_it_works(client: Client, server: Wikimedia) -> None:
    server.add_person(
        "Q1",
        "Ada",
        labels={"en": "Ada Example", "ru": "Ада"},
        aliases={"en": ["Countess"], "de": ["Gräfin"]},
        claims={
            "P570": [make_time("+2001-00-00", 9)],
            "P18": ["One.jpg", "Two.jpg"],
            "P373": ["Ada Example"],
        },
        sitelinks=3,
    )

    assert fetch(client, server, "Q1") == {
        "Q1": Person(
            id="Q1",
            labels={"en": "Ada Example", "ru": "Ада"},
            aliases=("Countess",),
            classes=("Q5",),
            gender="female",
            births=(Birth(date(1960, 5, 17), date(1960, 5, 17)),),
            birth_year=1960,
            death_year=2001,
            occupations=("Q33999",),
            countries=("Q30",),
            images=("One.jpg", "Two.jpg"),
            commons_category="Ada Example",
            sitelinks=3,
        )
    }
    query = server.seen[0].query
    assert query["languages"] == "en|ru|mul"
    assert query["maxlag"] == "5"


def test_asks_for_fifty_at_a_time_and_for_none_twice(client: Client, server: Wikimedia) -> None:
    fetch(client, server, *(f"Q{number}" for number in range(1, 121)))
    fetch(client, server, *(f"Q{number}" for number in range(100, 131)))

    asked = [len(seen.query["ids"].split("|")) for seen in server.seen]
    assert asked == [50, 50, 20, 10]


def test_leaves_out_who_is_not_there(client: Client, server: Wikimedia) -> None:
    server.add_person("Q1", "Ada")

    assert list(fetch(client, server, "Q1", "Q2", "Q99999999999999")) == ["Q1"]


def test_follows_an_id_that_was_merged(client: Client, server: Wikimedia) -> None:
    server.add_person("Q1", "Ada")
    server.merged["Q7"] = "Q1"

    person = fetch(client, server, "Q7")["Q7"]
    assert (person.id, person.former_id) == ("Q1", "Q7")


@pytest.mark.parametrize(
    ("labels", "languages", "name", "others"),
    [
        ({"en": "A", "ru": "Б", "mul": "C"}, ("en", "ru"), "A", ["Б", "C"]),
        ({"ru": "Б", "mul": "C"}, ("en", "ru"), "C", ["Б"]),
        ({"en": "A", "mul": "C"}, ("ru", "en"), "C", ["A"]),
        ({"ru": "Б"}, ("en", "ru"), "Б", []),
        ({"fr": "D"}, ("en", "ru"), "", []),
        ({"en": "A", "ru": "A", "mul": "A"}, ("en", "ru"), "A", []),
    ],
)
def test_names(
    server: Wikimedia,
    labels: dict[str, str],
    languages: tuple[str, ...],
    name: str,
    others: list[str],
) -> None:
    person = read_person("Q1", server.add_person("Q1", "", labels=labels), languages)

    assert person.name_in(languages) == name
    assert person.other_names_in(languages) == others


def test_handles_empty_groups_as_php_writes_them() -> None:
    person = read_person("Q1", {"id": "Q1", "labels": [], "aliases": [], "claims": []}, LANGUAGES)

    assert (person.name_in(LANGUAGES), person.images, person.classes) == ("", (), ())


def test_takes_preferred_values_first_and_no_deprecated_ones(server: Wikimedia) -> None:
    claims = [
        make_claim("A.jpg"),
        make_claim("B.jpg", "preferred"),
        make_claim("C.jpg", "deprecated"),
    ]

    assert read(server, P18=claims).images == ("B.jpg", "A.jpg")


def test_an_unknown_birth_is_none(server: Wikimedia) -> None:
    person = read(server, P569=[UNKNOWN_VALUE])

    assert (person.births, person.birth_year) == ((), None)
    assert not person.may_be_younger_than(18, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("time", "precision", "first", "last"),
    [
        ("+2008-02-29", 11, date(2008, 2, 29), date(2008, 2, 29)),
        ("+2008-12-00", 10, date(2008, 12, 1), date(2008, 12, 31)),
        ("+2008-02-00", 10, date(2008, 2, 1), date(2008, 2, 29)),
        ("+2008-00-00", 9, date(2008, 1, 1), date(2008, 12, 31)),
        ("+2008-00-00", 8, date(2000, 1, 1), date(2009, 12, 31)),
    ],
)
def test_a_birth_is_as_exact_as_wikidata_knows(
    time: str, precision: int, first: date, last: date
) -> None:
    assert read_birth(make_time(time, precision)) == Birth(first, last)


@pytest.mark.parametrize(
    "value",
    [make_time("-0100-01-01"), make_time("+1900-00-00", 5), "1990", {}],
)
def test_a_birth_that_says_nothing_is_none(value: Any) -> None:
    assert read_birth(value) is None


@pytest.mark.parametrize(
    ("born", "precision", "younger"),
    [
        ("+2008-06-01", 11, False),
        ("+2008-06-02", 11, True),
        ("+2008-05-00", 10, False),
        ("+2008-06-00", 10, True),
        ("+2007-00-00", 9, False),
        ("+2008-00-00", 9, True),
        ("+2001-00-00", 8, True),
        ("+1991-00-00", 8, False),
    ],
)
def test_is_of_age_only_when_that_is_sure(
    server: Wikimedia, born: str, precision: int, younger: bool
) -> None:
    person = read(server, P569=[make_time(born, precision)])

    assert person.may_be_younger_than(18, date(2026, 6, 1)) is younger


def test_of_two_births_the_later_one_counts_for_the_age(server: Wikimedia) -> None:
    births = [make_time("+1990-01-01"), make_time("+2012-01-01")]

    assert read(server, P569=births).may_be_younger_than(18, date(2026, 6, 1))
    preferred = [make_claim(births[0], "preferred"), births[1]]
    assert not read(server, P569=preferred).may_be_younger_than(18, date(2026, 6, 1))


def test_a_birthday_on_29_february_is_kept_in_march(server: Wikimedia) -> None:
    person = read(server, P569=[make_time("+2008-02-29")])

    assert person.may_be_younger_than(18, date(2026, 2, 28))
    assert not person.may_be_younger_than(18, date(2026, 3, 1))


def test_years_before_our_era_are_negative(server: Wikimedia) -> None:
    assert read(server, P570=[make_time("-0043-03-15")]).death_year == -43


@pytest.mark.parametrize(
    ("item", "gender"), [("Q6581097", "male"), ("Q1052281", "female"), ("Q48270", "other")]
)
def test_gender(server: Wikimedia, item: str, gender: str) -> None:
    assert read(server, P21=[item]).gender == gender
