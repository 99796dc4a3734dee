"""/removal/: the way out of the gallery, without a selfie or an ID."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from celebrities.forms import MOST_AN_HOUR
from celebrities.models import RemovalRequest
from tests.celebrities.factories import make_celebrity, make_people, unit

pytestmark = pytest.mark.django_db

WISH = {"person": "person 00", "message": "Please take me out.", "contact": "me@example.org"}


def test_it_works(client: Client, admin_client: Client) -> None:
    (person,) = make_people([unit(1)])
    response = client.post("/removal/", WISH, follow=True)

    assert response.redirect_chain == [("/removal/?sent=1", 302)]
    assert response.context["sent"]
    wish = RemovalRequest.objects.get()
    assert wish.celebrity == person
    assert wish.status == RemovalRequest.Status.OPEN
    assert "person 00" in admin_client.get("/admin/celebrities/removalrequest/").content.decode()


def test_the_name_is_filled_in_for_who_comes_from_a_persons_page(client: Client) -> None:
    make_people([unit(1)])

    assert 'value="Person 00"' in client.get("/removal/?person=person-00").content.decode()
    assert client.get("/removal/?person=nobody").status_code == 200


def test_no_selfie_no_id_and_no_address_are_needed(client: Client) -> None:
    html = client.get("/removal/").content.decode()
    assert 'type="file"' not in html

    client.post("/removal/", {**WISH, "contact": ""})
    assert RemovalRequest.objects.count() == 1


def test_a_name_that_two_people_have_is_left_to_the_curators(client: Client) -> None:
    make_celebrity("Jo Smith")
    make_celebrity("Jo Smith")
    client.post("/removal/", {**WISH, "person": "Jo Smith"})

    assert RemovalRequest.objects.get().celebrity is None


@pytest.mark.parametrize(
    "changes", [{"message": ""}, {"person": ""}, {"contact": "nowhere"}, {"website": "spam"}]
)
def test_rejects_what_is_incomplete_or_a_programs(client: Client, changes: dict[str, str]) -> None:
    response = client.post("/removal/", {**WISH, **changes})

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not RemovalRequest.objects.exists()


@pytest.mark.parametrize("contact", ["", "us@example.org"])
def test_rejects_a_flood(client: Client, settings: Settings, contact: str) -> None:
    settings.CONTACT = contact
    RemovalRequest.objects.bulk_create(
        RemovalRequest(person="x", message="y") for _ in range(MOST_AN_HOUR)
    )
    response = client.post("/removal/", WISH)

    assert "hour" in str(response.context["form"].errors)
    assert contact in response.content.decode()
    assert RemovalRequest.objects.count() == MOST_AN_HOUR


def test_requires_a_csrf_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/removal/", WISH).status_code == 403
