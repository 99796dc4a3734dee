"""/people/<slug>/: one person, their portraits, their look-alikes."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from celebrities.index.rebuild import rebuild_index
from celebrities.index.resemblances import store_resemblances
from celebrities.models import Celebrity
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_celebrity, make_people, make_portrait, make_ready, unit

pytestmark = pytest.mark.django_db


def test_it_works(client: Client, fake_engine: FaceEngine) -> None:
    people = make_people([unit(1, number / 8) for number in range(12)])
    make_ready(
        people[0],
        unit(1, 0.01),
        author="A. Photographer",
        licence="CC BY 4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        source_page="https://example.org/photo",
    )
    Celebrity.objects.filter(pk=people[0].pk).update(birth_year=1950, other_names="Somebody")
    store_resemblances(rebuild_index())
    response = client.get("/people/person-00/")
    html = response.content.decode()

    assert response.status_code == 200
    assert "Person 00" in html
    assert "1950" in html
    assert "Somebody" in html
    assert "A. Photographer" in html
    assert 'href="https://creativecommons.org/licenses/by/4.0/"' in html
    assert 'href="https://example.org/photo"' in html
    assert [match.other.name for match in response.context["resemblances"]] == [
        f"Person {number:02d}" for number in range(1, 11)
    ]
    assert 'href="/people/person-01/"' in html


def test_names_of_any_script_have_a_page(client: Client) -> None:
    person = make_celebrity("Алла Пугачёва")
    make_ready(person, unit(1))

    assert client.get(person.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("slug", ["hidden", "waiting", "nobody"])
def test_people_out_of_sight_are_not_found(client: Client, slug: str) -> None:
    make_ready(make_celebrity("Hidden", published=False), unit(1))
    make_portrait(make_celebrity("Waiting"))

    assert client.get(f"/people/{slug}/").status_code == 404


def test_look_alikes_out_of_sight_are_left_out(client: Client, fake_engine: FaceEngine) -> None:
    people = make_people([unit(1), unit(1, 0.1), unit(1, 0.2)])
    store_resemblances(rebuild_index())
    Celebrity.objects.filter(pk=people[1].pk).unpublish()
    response = client.get("/people/person-00/")

    assert [match.other for match in response.context["resemblances"]] == [people[2]]


def test_the_fictional_are_labelled(client: Client) -> None:
    make_people([unit(1)], is_fictional=True)

    assert "ictional" in client.get("/people/person-00/").content.decode()


def test_a_page_takes_few_queries(
    client: Client,
    fake_engine: FaceEngine,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    people = make_people([unit(1, number / 8) for number in range(12)])
    for person in people:
        make_ready(person, unit(1, 0, person.pk))
    store_resemblances(rebuild_index())

    with django_assert_max_num_queries(7):
        client.get("/people/person-00/")
