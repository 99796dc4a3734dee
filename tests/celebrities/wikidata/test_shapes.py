"""Answers that are not as documented cost the one person or file they are about."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command

from celebrities.models import Celebrity
from celebrities.wikidata.client import Client
from celebrities.wikidata.commons import MAX_TITLES_LENGTH, fetch_files
from celebrities.wikidata.entities import read_birth, read_person
from celebrities.wikidata.sparql import Search, find_people
from tests.celebrities.factories import make_photo
from tests.wikimedia import Wikimedia, make_claim, make_time

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("import_wikidata", *words, "--no-rebuild", stdout=out, stderr=out)
    return out.getvalue()


def names() -> list[str]:
    return [person.name for person in Celebrity.objects.order_by("pk")]


BROKEN_ITEMS: list[dict[str, Any]] = [
    {"labels": "Ada"},
    {"labels": {"en": {"language": "en"}}},
    {"labels": {"en": "Ada"}},
    {"labels": {"en": {"value": None}}},
    {"labels": None, "aliases": None},
    {"claims": "none"},
    {"claims": {"P31": None, "P18": [None]}},
    {"claims": {"P31": ["Q5"]}},
    {"claims": {"P31": [{"mainsnak": None}], "P18": [{"mainsnak": {"datavalue": None}}]}},
    {"claims": {"P31": [{"mainsnak": {"datavalue": {"value": "Q5"}}}]}},
    {"sitelinks": 7},
]
ODD_ITEMS: list[dict[str, Any]] = [
    {"aliases": {"en": "Ada"}},
    {"aliases": {"en": [{"language": "en"}, None, "Ada"]}},
    {"aliases": []},
    {"sitelinks": []},
    {"redirects": None},
]
BROKEN_FILES: list[dict[str, Any]] = [
    {"extmetadata": []},
    {"extmetadata": None},
    {"extmetadata": {"License": None}},
    {"extmetadata": {"License": {"value": None}}},
    {"thumburl": None, "url": None},
    {"thumburl": "https://example.org/a.jpg"},
    {"thumburl": "/nothing.jpg", "url": ""},
    {"sha1": None},
    {"mime": None},
]


def test_what_is_broken_costs_that_person_or_picture_alone(site: Wikimedia) -> None:
    for number, broken in enumerate(BROKEN_ITEMS, 100):
        site.add_person(f"Q{number}", f"P {number}", portrait=make_photo(1)).update(broken)
    for number, broken in enumerate(BROKEN_FILES, 200):
        site.add_person(f"Q{number}", f"P {number}", portrait=make_photo(1))
        site.files[f"File:P {number}.jpg"].update(broken)
    site.add_person("Q300", "P 300", portrait=make_photo(2))
    said = run("--qid", ",".join(site.entities), "--language", "en")

    assert names() == ["P 300"]
    assert f"{len(BROKEN_ITEMS) + len(BROKEN_FILES)} people or pictures were refused" in said


def test_what_is_missing_of_an_item_is_left_out(site: Wikimedia) -> None:
    for number, odd in enumerate(ODD_ITEMS, 1):
        site.add_person(f"Q{number}", f"P {number}", portrait=make_photo(number)).update(odd)
    run("--qid", ",".join(site.entities))

    assert names() == [f"P {number}" for number in range(1, 6)]


@pytest.mark.parametrize(
    "pages", ['{"-1": {}}', "[null]", '[{"imageinfo": {}}]', '[{"title": null}]', "[]", '""']
)
def test_an_answer_about_files_that_is_broken_is_asked_for_again_the_next_time(
    client: Client, server: Wikimedia, pages: str
) -> None:
    server.add_file("Ada.jpg", make_photo(1))
    server.moods.append(f'json {{"query": {{"pages": {pages}}}}}')

    assert fetch_files(client, server.commons, ["Ada.jpg"]) == {}
    assert fetch_files(client, server.commons, ["Ada.jpg"])["Ada.jpg"]


def test_an_answer_that_always_says_to_continue_is_left(client: Client, server: Wikimedia) -> None:
    server.endless = True
    for number in range(3):
        server.add_file(f"{number}.jpg", make_photo(number))

    assert len(fetch_files(client, server.commons, ["0.jpg", "1.jpg", "2.jpg"])) == 3
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    "name", ["Ada|Bob.jpg", "A[da].jpg", "Ada#1.jpg", "A<b>.jpg", "A\nda\0.jpg", " ", "я" * 130]
)
def test_a_name_that_no_file_can_have_is_not_asked_for(
    client: Client, server: Wikimedia, name: str
) -> None:
    server.add_file("Bob.jpg", make_photo(1))
    found = fetch_files(client, server.commons, [name, "Bob.jpg"])

    assert found[name] is None
    assert found["Bob.jpg"]
    assert [seen.query["titles"] for seen in server.seen] == ["File:Bob.jpg"]


@pytest.mark.parametrize(
    "name", ['Ада "Пример" & Co? 50%+.jpg', "_ada__b.jpg ", "ада.jpg", "A'.jpg"]
)
def test_odd_names_find_their_files(client: Client, server: Wikimedia, name: str) -> None:
    plain = " ".join(name.replace("_", " ").split())
    server.add_file(plain[0].upper() + plain[1:], make_photo(1))

    assert fetch_files(client, server.commons, [name])[name]


def test_long_names_are_asked_for_in_addresses_of_bounded_length(
    client: Client, server: Wikimedia
) -> None:
    names = [f"{number} {'я' * 100}.jpg" for number in range(50)]
    for name in names:
        server.add_file(name, b"")
    found = fetch_files(client, server.commons, names)

    assert all(found[name] for name in names)
    assert 1 < len(server.seen) <= 50 * 700 / MAX_TITLES_LENGTH + 2


def test_rows_that_are_broken_are_passed_over(client: Client, server: Wikimedia) -> None:
    server.add_person("Q1", "Ada Example")
    broken = ("null", "[null]", "[{}]", '[{"person": "Q1"}]', "{}")
    server.moods += [f'json {{"results": {{"bindings": {each}}}}}' for each in broken]
    search = Search(occupations=tuple(f"Q{number}" for number in range(1, 6)), min_sitelinks=200)

    assert list(find_people(client, server.sparql, search)) == []
    assert len(server.seen) == 5


@pytest.mark.parametrize(
    ("time", "precision", "first", "last"),
    [
        ("+2012-05-17T00:00:00Z", 11, "2012-05-17", "2012-05-17"),
        ("+2012-02-30T00:00:00Z", 11, "2012-02-01", "2012-02-29"),
        ("+2012-05-00T00:00:00Z", 11, "2012-05-01", "2012-05-31"),
        ("+2012-00-00T00:00:00Z", 11, "2012-01-01", "2012-12-31"),
        ("+2012-13-01T00:00:00Z", 10, "2012-01-01", "2012-12-31"),
        ("+00000002012-05-17T00:00:00Z", 11, "2012-05-17", "2012-05-17"),
        ("+2012", 9, "2012-01-01", "2012-12-31"),
        ("+2012-05-17T00:00:00Z", None, "2012-01-01", "2012-12-31"),
        ("+2012-05-17T00:00:00Z", "11", "2012-01-01", "2012-12-31"),
        ("+2012-00-00T00:00:00Z", 8, "2010-01-01", "2019-12-31"),
        ("+2000-00-00T00:00:00Z", 7, "1901-01-01", "2000-12-31"),
        ("+2001-00-00T00:00:00Z", 7, "2001-01-01", "2100-12-31"),
        ("+2001-00-00T00:00:00Z", 6, "2001-01-01", "3000-12-31"),
    ],
)
def test_a_birth_is_as_exact_as_it_can_be(
    time: str, precision: object, first: str, last: str
) -> None:
    birth = read_birth({"time": time, "precision": precision})

    assert birth
    assert (birth.first.isoformat(), birth.last.isoformat()) == (first, last)


@pytest.mark.parametrize(
    "value", [None, "2012", {}, {"time": "-0044-00-00T00:00:00Z", "precision": 9},
              {"time": "+20120-01-01T00:00:00Z", "precision": 9}, make_time("+2012-00-00", 5),
              make_time("+0000-00-00", 9)]
)  # fmt: skip
def test_a_date_that_tells_no_year_is_no_birth(value: object) -> None:
    assert read_birth(value) is None


@pytest.mark.parametrize("birth", [("+2015-00-00", 11), ("+2001-00-00", 7), ("+2015-01-01", 9)])
def test_whoever_may_be_a_child_is_not_taken(site: Wikimedia, birth: tuple[str, int]) -> None:
    person = site.add_person("Q1", "Ada Example", portrait=make_photo(1))
    person["claims"]["P569"] = [
        make_claim(make_time("+1960-01-01"), "deprecated"),
        make_claim(make_time(*birth)),
    ]
    said = run("--qid", "Q1")

    assert names() == []
    assert "may be younger than 18" in said


def test_the_best_known_date_of_several_counts() -> None:
    dates = [
        ("+1960-00-00", 9, "normal"),
        ("+1961-05-02", 11, "preferred"),
        ("+1800-00-00", 7, "normal"),
    ]
    claims = {"P569": [make_claim(make_time(day, exact), rank) for day, exact, rank in dates]}

    assert read_person("Q1", {"claims": claims}, ["en"]).birth_year == 1961
