"""POST /u/<id>/vote/: does the visitor see the likeness?"""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from celebrities.models import Celebrity
from tests.uploads.factories import make_result
from uploads.models import Match, Upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def match(owner: uuid.UUID, gallery: list[Celebrity]) -> Match:
    return make_result(gallery, owner=owner).faces.get().matches.select_related("face")[0]


def votes(match: Match) -> tuple[int, int]:
    match.portrait.refresh_from_db()
    return match.portrait.seen, match.portrait.not_seen


def address(match: Match) -> str:
    return f"/u/{match.face.upload_id}/vote/"


@pytest.mark.parametrize(("says", "counted"), [("1", (1, 0)), ("0", (0, 1))])
def test_it_works(client: Client, match: Match, says: str, counted: tuple[int, int]) -> None:
    response = client.post(address(match), {"match": match.pk, "sees_it": says})

    assert response.status_code == 302
    assert response["Location"] == f"/u/{match.face.upload_id}/#vote-{match.pk}"
    match.refresh_from_db()
    assert match.sees_it is (says == "1")
    assert votes(match) == counted


def test_it_answers_htmx_with_the_fragment(client: Client, match: Match) -> None:
    response = client.post(
        address(match), {"match": match.pk, "sees_it": "1"}, headers={"HX-Request": "true"}
    )

    assert response.status_code == 200
    assert "Thanks for your vote." in response.content.decode()
    assert "<html" not in response.content.decode()


def test_only_the_first_vote_counts(client: Client, match: Match) -> None:
    for says in ("1", "1", "0"):
        client.post(address(match), {"match": match.pk, "sees_it": says})

    assert votes(match) == (1, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sees_it": "1"},
        {"match": "x", "sees_it": "1"},
        {"match": "9" * 40, "sees_it": "1"},
        {"match": "²", "sees_it": "1"},
        {"match": "MATCH", "sees_it": "maybe"},
    ],
)
def test_it_rejects(client: Client, match: Match, fields: dict[str, str]) -> None:
    sent = {key: str(match.pk) if value == "MATCH" else value for key, value in fields.items()}

    assert client.post(address(match), sent).status_code == 400
    assert votes(match) == (0, 0)


def test_it_rejects_a_match_of_another_upload(
    client: Client, match: Match, gallery: list[Celebrity]
) -> None:
    other = make_result(gallery).faces.get().matches.all()[0]

    assert client.post(address(match), {"match": other.pk, "sees_it": "1"}).status_code == 400


def test_it_rejects_everybody_else(match: Match) -> None:
    response = Client().post(address(match), {"match": match.pk, "sees_it": "1"})

    assert response.status_code == 404


def test_votes_stay_when_the_upload_goes(client: Client, match: Match) -> None:
    client.post(address(match), {"match": match.pk, "sees_it": "1"})
    client.post(f"/u/{match.face.upload_id}/delete/")

    assert not Upload.objects.exists()
    assert votes(match) == (1, 0)
