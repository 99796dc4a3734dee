"""Requests for removal at the curators' desk (lines 25 and 55 of the specification)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from celebrities.candidates import find_candidates, forget_requests
from celebrities.models import Celebrity, Change, FormerAddress, RemovalRequest
from tests.celebrities.factories import make_celebrity

# An empty Valkey: requests are counted by network.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

WISHES = "/admin/celebrities/removalrequest/"


@pytest.fixture
def barbara() -> Celebrity:
    person = make_celebrity("Barbara Boxer")
    person.other_names = "Барбара Боксер\nB. L. Boxer"
    person.slug = "barbara-boxer"
    person.set_keys()
    person.save()
    return person


@pytest.fixture
def other() -> Celebrity:
    return make_celebrity("Barbara Boxer Junior")


def ask(client: Client, person: str, message: str = "Please take me out.") -> RemovalRequest:
    response = client.post("/removal/", {"person": person, "message": message})
    assert response.status_code == 302
    return RemovalRequest.objects.latest("pk")


@pytest.mark.parametrize(
    "person", ["Barbara Boxer", "БАРБАРА БОКСЕР", "b l boxer", "http://x.org/people/barbara-boxer/"]
)
def test_25_a_request_finds_its_person_by_any_name_or_address(
    client: Client, barbara: Celebrity, other: Celebrity, person: str
) -> None:
    assert ask(client, person).celebrity == barbara


@pytest.mark.parametrize("address", ["/people/boxer-old/", "/people/boxer-old?page=2"])
def test_25_a_former_address_in_the_message_counts(
    client: Client, barbara: Celebrity, address: str
) -> None:
    FormerAddress.objects.create(slug="boxer-old", celebrity=barbara)

    assert ask(client, "me", f"I am on https://site.example{address}").celebrity == barbara


def test_25_an_address_in_another_script_is_read(client: Client, barbara: Celebrity) -> None:
    Celebrity.objects.filter(pk=barbara.pk).update(slug="барбара")

    assert ask(client, "/people/%D0%B1%D0%B0%D1%80%D0%B1%D0%B0%D1%80%D0%B0/").celebrity == barbara


@pytest.mark.parametrize("person", ["Barbara", "Nobody", "...", "/people/nobody/"])
def test_25_a_part_of_a_name_is_nobody(client: Client, barbara: Celebrity, person: str) -> None:
    assert ask(client, person).celebrity is None


def test_25_all_who_may_be_meant_are_shown(admin_client: Client, barbara: Celebrity) -> None:
    twin = make_celebrity("Barbara Boxer")
    Celebrity.objects.filter(pk=twin.pk).update(birth_year=1940)
    wish = ask(admin_client, "Barbara Boxer")
    page = admin_client.get(f"{WISHES}{wish.pk}/change/").content.decode()

    assert wish.celebrity is None
    for person in (barbara, twin):
        assert f"/admin/celebrities/celebrity/{person.pk}/change/" in page
    assert "Barbara Boxer (1940)" in page


def test_25_who_was_merged_away_is_not_meant(barbara: Celebrity) -> None:
    gone = make_celebrity("Barbara Boxer")
    Celebrity.objects.filter(pk=gone.pk).update(merged_into=barbara)

    assert find_candidates(RemovalRequest(person="Barbara Boxer")) == [barbara]


def test_25_the_list_says_for_how_many_days_each_waits(admin_client: Client) -> None:
    wish = RemovalRequest.objects.create(person="x", message="y")
    RemovalRequest.objects.update(created_at=timezone.now() - timedelta(days=17, hours=1))
    page = admin_client.get(WISHES).content.decode()

    assert '<td class="field-days">17</td>' in page
    RemovalRequest.objects.filter(pk=wish.pk).update(
        status="done", answered_at=timezone.now() - timedelta(days=9)
    )
    assert '<td class="field-days">8</td>' in admin_client.get(WISHES).content.decode()


def test_25_message_and_email_go_thirty_days_after_the_answer(
    admin_client: Client, barbara: Celebrity
) -> None:
    RemovalRequest.objects.bulk_create(
        RemovalRequest(person=name, message="secret", contact="me@example.org")
        for name in ("old", "new", "open")
    )
    wishes = {wish.person: wish for wish in RemovalRequest.objects.all()}
    chosen = [wishes["old"].pk, wishes["new"].pk]
    admin_client.post(WISHES, {"action": "decline", "_selected_action": chosen})
    _answered(wishes["old"], timedelta(days=31))
    _answered(wishes["new"], timedelta(days=29))
    RemovalRequest.objects.update(created_at=timezone.now() - timedelta(days=90))

    assert forget_requests() == 1
    assert forget_requests() == 0
    kept = dict(RemovalRequest.objects.values_list("person", "message"))
    assert kept == {"old": "", "new": "secret", "open": "secret"}
    assert not RemovalRequest.objects.get(person="old").contact


@pytest.mark.django_db
def test_25_a_request_that_the_version_before_answered_is_forgotten_too() -> None:
    """Beside an upgraded database it answers without a date."""
    wish = RemovalRequest.objects.create(person="x", message="secret", status="declined")
    assert forget_requests() == 0
    _answered(wish, timedelta(days=31))
    assert forget_requests() == 1


def _answered(wish: RemovalRequest, ago: timedelta) -> None:
    wish.refresh_from_db()
    assert wish.answered_at is not None
    wish.answered_at -= ago
    wish.save()


def test_25_a_request_answered_on_its_page_has_a_date_until_it_is_opened_again(
    admin_client: Client,
) -> None:
    wish = RemovalRequest.objects.create(person="x", message="y")
    for status, dated in (("done", True), ("open", False)):
        fields: dict[str, Any] = {"celebrity": "", "status": status, "curator_note": ""}
        admin_client.post(f"{WISHES}{wish.pk}/change/", fields)
        wish.refresh_from_db()
        assert (wish.status, wish.answered_at is not None) == (status, dated)


def test_55_hiding_by_a_request_is_in_the_history(admin_client: Client, barbara: Celebrity) -> None:
    wish = RemovalRequest.objects.create(person="x", message="y", celebrity=barbara)
    admin_client.post(WISHES, {"action": "hide_people", "_selected_action": [wish.pk]})

    change = Change.objects.get(celebrity=barbara)
    assert (change.before, change.after) == ({"published": True}, {"published": False})
    assert change.user is not None
    assert change.user.get_username() == "admin"
