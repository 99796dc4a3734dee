"""/people/: everybody, found as one types."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from celebrities.models import Category, Celebrity
from tests.celebrities.factories import make_celebrity, make_people, make_portrait, make_ready, unit

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def names(html: str) -> list[str]:
    return re.findall(r'class="person-name">([^<]*)<', html)


def get(client: Client, address: str = "/people/", **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_it_works(client: Client) -> None:
    people = make_people([unit(1), unit(2, 1)], is_fictional=True)
    html = get(client)

    assert names(html) == ["Person 00", "Person 01"]
    assert f'href="/people/{people[0].slug}/"' in html
    assert "<title>" in html
    assert "/media/gallery/portraits/00/none-320.webp 320w" in html


def test_people_without_a_ready_portrait_or_out_of_sight_are_not_listed(client: Client) -> None:
    make_portrait(make_celebrity("Waiting"))
    make_celebrity("Bare")
    make_ready(make_celebrity("Hidden", published=False), unit(1))
    make_ready(make_celebrity("Seen"), unit(1))

    assert names(get(client)) == ["Seen"]


@pytest.mark.parametrize("query", ["zellweger", "RENÉE zell", "renee", "зелл", "齊薇格", "  zell "])
def test_names_are_found_in_any_script_without_accents_or_case(client: Client, query: str) -> None:
    person = make_celebrity("Renée Zellweger", other_names="Рене Зеллвегер\n蕾妮·齊薇格")
    make_ready(person, unit(1))
    make_people([unit(1)])

    assert names(get(client, f"/people/?q={query}")) == ["Renée Zellweger"]


def test_htmx_gets_the_people_alone(client: Client) -> None:
    make_people([unit(1)])
    response = client.get("/people/?q=person", headers=HTMX)
    html = response.content.decode()

    assert names(html) == ["Person 00"]
    assert html.lstrip().startswith("<section")
    assert "<title>" not in html
    assert "HX-Request" in response.headers["Vary"]


def test_htmx_restoring_history_gets_the_whole_page(client: Client) -> None:
    html = get(client, **HTMX, **{"HX-History-Restore-Request": "true"})

    assert "<title>" in html


def test_one_can_look_among_a_category(client: Client) -> None:
    make_people([unit(1), unit(2, 1)])
    person = Celebrity.objects.get(name="Person 01")
    person.categories.create(slug="chef", name="chef", plural="chefs", plural_ru="повара")
    Category.objects.create(slug="nobody", name="nobody", plural="nobodies")
    html = get(client, "/people/?category=chef")

    assert names(html) == ["Person 01"]
    assert ">chefs<" in html
    assert "nobodies" not in html
    assert names(get(client, "/people/?category=unheard-of")) == []


def test_newest_come_first_when_asked(client: Client) -> None:
    make_people([unit(1), unit(2, 1), unit(0, 1)])

    assert names(get(client, "/people/?order=newest")) == ["Person 02", "Person 01", "Person 00"]
    assert names(get(client, "/people/?order=nonsense")) == ["Person 00", "Person 01", "Person 02"]


def test_pages_hold_48_and_keep_what_was_asked(client: Client) -> None:
    make_people([unit(1, number) for number in range(50)])
    first, second = get(client, "/people/?q=person"), get(client, "/people/?q=person&page=2")

    assert len(names(first)) == 48
    assert names(second) == ["Person 48", "Person 49"]
    assert "?q=person&amp;page=2" in first
    assert names(get(client, "/people/?page=999")) == ["Person 48", "Person 49"]
    assert len(names(get(client, "/people/?page=nonsense"))) == 48


def test_a_search_for_nobody_says_so(client: Client) -> None:
    make_people([unit(1)])
    html = get(client, "/people/?q=%3Cb%3Ezoe")

    assert names(html) == []
    assert "&lt;b&gt;zoe" in html
    assert "<b>zoe" not in html


def test_an_empty_gallery_says_so(client: Client) -> None:
    assert "empty" in get(client)


def test_handles_endless_queries(client: Client) -> None:
    make_people([unit(1)])

    assert names(get(client, f"/people/?q={'a%20' * 3000}")) == []


def test_rejects_zero_bytes(client: Client) -> None:
    assert client.get("/people/?q=%00person").status_code == 400


def test_a_page_takes_few_queries_however_many_people_there_are(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_people([unit(1, number) for number in range(60)], is_fictional=True)

    with django_assert_max_num_queries(6):
        get(client, "/people/?q=person")
    with django_assert_max_num_queries(4):
        get(client, "/people/?q=person", **HTMX)


def test_rejects_other_methods(client: Client) -> None:
    assert client.post("/people/").status_code == 405
