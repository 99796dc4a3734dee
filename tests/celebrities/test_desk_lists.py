"""Filters and searches of the desk's lists (lines 58 and 59 of the specification)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from celebrities.desk.queues import QUEUES
from celebrities.models import GalleryImport, Pair, Portrait
from tests.celebrities.factories import make_celebrity, make_portrait, make_ready, unit

pytestmark = pytest.mark.django_db

PEOPLE = "/admin/celebrities/celebrity/"
PORTRAITS = "/admin/celebrities/portrait/"


def listed(client: Client, address: str, **query: Any) -> set[str]:
    response = client.get(address, query)
    assert response.status_code == 200
    return {str(getattr(row, "celebrity", row)) for row in response.context["cl"].result_list}


@pytest.fixture
def four() -> None:
    full = {"licence": "CC0", "author": "Ada Lens", "source_page": "https://x.example/1"}
    for number, (name, changes) in enumerate(
        {
            "Complete": {},
            "Bare": {"licence": ""},
            "Anonymous": {"author": ""},
            "Sourceless": {"source_page": ""},
        }.items()
    ):
        make_ready(make_celebrity(name), unit(1, number + 1), **full | changes)


@pytest.mark.parametrize(
    ("missing", "name"),
    [("licence", "Bare"), ("author", "Anonymous"), ("source_page", "Sourceless")],
)
def test_58_portraits_are_found_by_what_is_missing(
    admin_client: Client, four: None, missing: str, name: str
) -> None:
    assert listed(admin_client, PORTRAITS, missing=missing) == {name}


@pytest.mark.parametrize("field", ["author", "licence", "notes", "source_page", "image_hash"])
def test_58_portraits_are_found_by_their_credits(admin_client: Client, field: str) -> None:
    texts: dict[str, Any] = {
        "author": "Lens",
        "licence": "CC BY",
        "notes": "scan",
        "source_page": "https://x.y",
    }
    mine = make_portrait(make_celebrity("Mine"), **texts)
    make_portrait(make_celebrity("Other"), b"GIF89a")

    assert listed(admin_client, PORTRAITS, q=getattr(mine, field)) == {"Mine"}


def test_58_the_licence_filter_lists_the_thirty_most_used(admin_client: Client) -> None:
    person = make_celebrity()
    for number in range(35):
        for copy in range(2 if number == 34 else 1):
            make_ready(person, unit(1, 100 * number + copy + 1), licence=f"Licence {number:02d}")
    page = admin_client.get(PORTRAITS).content.decode()

    assert page.count("?licence=Licence") == 30
    assert "Licence 34 (2)" in page
    assert listed(admin_client, PORTRAITS, licence="Licence 33") == {"Ada Example"}


def test_58_people_are_found_by_how_many_portraits_they_have(
    admin_client: Client, four: None
) -> None:
    two = make_celebrity("Two")
    for number in (7, 8):
        make_ready(two, unit(2, number), licence="CC0")
    make_celebrity("None")
    make_portrait(make_celebrity("Rejected"), status=Portrait.Status.REJECTED)

    singles = {"Complete", "Bare", "Anonymous", "Sourceless"}
    assert listed(admin_client, PEOPLE, portraits="one") == singles
    assert listed(admin_client, PEOPLE, portraits="none") == {"None", "Rejected"}
    assert listed(admin_client, PEOPLE, portraits="bare") == {"Bare"}
    assert listed(admin_client, PEOPLE, portraits="rejected") == {"Rejected"}


def test_59_namesakes_are_told_apart_when_one_is_chosen(admin_client: Client) -> None:
    make_celebrity("Jo Smith", birth_year=1940, categories=["actor"])
    make_celebrity("Jo Smith", birth_year=1971, death_year=2001)
    query = {
        "term": "smith",
        "app_label": "celebrities",
        "model_name": "portrait",
        "field_name": "celebrity",
    }
    found = admin_client.get("/admin/autocomplete/", query).json()["results"]

    assert {each["text"] for each in found} == {
        "Jo Smith (1940; actor)",
        "Jo Smith (1971–2001)",
    }


def test_58_people_and_portraits_are_found_by_their_import(admin_client: Client) -> None:
    record = GalleryImport.objects.create(source="people.zip")
    mine = make_celebrity("Mine", imported_in=record)
    make_ready(mine, unit(1), imported_in=record)
    make_ready(make_celebrity("Other"), unit(0, 1))

    for address in (PEOPLE, PORTRAITS):
        assert listed(admin_client, address, **{"import": record.pk}) == {"Mine"}
        assert "people.zip" in admin_client.get(address).content.decode()
        assert listed(admin_client, address, **{"import": "x"}) == {"Mine", "Other"}


def test_58_portraits_are_found_by_queue(admin_client: Client, four: None) -> None:
    assert listed(admin_client, PORTRAITS, queue="licence") == {"Bare"}
    bare, other = Portrait.objects.order_by("pk")[1:3]
    Pair.objects.create(kind="picture", key="x", one=bare, other=other, distance=0.01)
    assert listed(admin_client, PORTRAITS, queue="picture") == {"Bare", "Anonymous"}
    assert len(listed(admin_client, PORTRAITS, queue="none")) == 4


def test_58_people_who_were_never_in_a_result_are_found(admin_client: Client) -> None:
    make_celebrity("Never")
    make_celebrity("Often", was_shown=True)
    assert listed(admin_client, PEOPLE, shown="never") == {"Never"}
    assert listed(admin_client, PEOPLE, shown="once") == {"Often"}


def test_59_suggestions_show_the_cover(admin_client: Client) -> None:
    make_ready(make_celebrity("Jo Smith"), unit(1))
    make_celebrity("Jo Bare")
    query = {
        "term": "jo",
        "app_label": "celebrities",
        "model_name": "portrait",
        "field_name": "celebrity",
    }
    found = admin_client.get("/admin/autocomplete/", query).json()["results"]

    covers = {each["text"]: each["cover"] for each in found}
    assert covers["Jo Bare"] == ""
    assert covers["Jo Smith"].endswith("none-160.webp")


@pytest.mark.parametrize(
    "address",
    [
        *(PEOPLE, f"{PEOPLE}?q=a", f"{PEOPLE}?portraits=none", f"{PEOPLE}?shown=never"),
        *(PORTRAITS, f"{PORTRAITS}?q=a", f"{PORTRAITS}?missing=licence"),
        f"{PORTRAITS}?queue=licence",
        "/admin/celebrities/galleryimport/",
        "/admin/celebrities/job/",
    ],
)
def test_57_lists_take_few_statements(
    admin_client: Client,
    four: None,
    address: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(12):
        assert admin_client.get(address).status_code == 200


def test_57_queues_are_counted_by_indexes() -> None:
    """Never by reading every portrait: with 250,000 of them that takes a second."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite says what it would read")
    for slug in ("odd", "licence", "author", "votes"):
        plan = QUEUES[slug].rows.order_by().values("pk").explain()
        assert "SCAN celebrities_portrait" not in plan, plan
        assert "status_ef9bcd_idx" not in plan, plan
