"""/u/<id>/why/<match>/: which parts make a face and a look-alike alike."""

from __future__ import annotations

import uuid

import pytest
from django.core.cache import cache
from django.test import Client

from celebrities.models import Celebrity
from lookalike import engine
from lookalike.faces.pipeline import FaceEngine
from tests.uploads.factories import make_result
from uploads.explaining import explain_match
from uploads.models import Match, Upload
from uploads.questions import is_asked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

HTMX = {"HX-Request": "true"}
WHY = {"spots": [[0.5, 0.44, 1.0], [0.4, 0.6, 0.35]], "most": ["nose", "mouth"], "least": "chin"}


@pytest.fixture
def match(owner: uuid.UUID, gallery: list[Celebrity]) -> Match:
    upload = make_result(gallery, owner=owner)
    Upload.objects.filter(pk=upload.pk).update(encoder="dlib/2")
    return upload.faces.get().matches.select_related("face")[0]


def address(match: Match) -> str:
    return f"/u/{match.face.upload_id}/why/{match.pk}/"


def ask(client: Client, match: Match) -> str:
    response = client.post(address(match), headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def look(client: Client, match: Match) -> str:
    response = client.get(address(match), headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def test_it_works(client: Client, match: Match, loaded_engine: FaceEngine) -> None:
    """Asked, waited for, measured by the real network, shown."""
    engine.reset(loaded_engine)
    text = ask(client, match)
    assert "Comparing the faces part by part." in text
    assert f'hx-get="{address(match)}"' in text

    explain_match(match.pk)
    match.refresh_from_db()
    assert match.why is not None
    text = look(client, match)
    assert "hx-get" not in text
    assert "Mostly" in text or "No part of the face stands out" in text
    assert not is_asked(match.pk)


def test_it_names_the_parts_and_marks_them(client: Client, match: Match) -> None:
    Match.objects.filter(pk=match.pk).update(why=WHY)
    text = look(client, match)
    assert "Mostly the nose and the mouth; least the chin." in " ".join(text.split())
    # On both faces.
    assert text.count('<circle cx="0.5" cy="0.44" r="0.075" fill-opacity="1.0"') == 2


def test_it_names_a_single_part(client: Client, match: Match) -> None:
    Match.objects.filter(pk=match.pk).update(why={**WHY, "most": ["brows"]})
    assert "Mostly the brows; least the chin." in " ".join(look(client, match).split())


def test_it_speaks_russian(client: Client, match: Match) -> None:
    Match.objects.filter(pk=match.pk).update(why=WHY)
    client.cookies["django_language"] = "ru"
    assert "нос и рот" in look(client, match)


def test_it_says_when_nothing_is_clear(client: Client, match: Match) -> None:
    Match.objects.filter(pk=match.pk).update(why={})
    assert "No part of the face stands out" in look(client, match)


def test_nothing_is_measured_by_looking(client: Client, match: Match) -> None:
    assert "Why alike?" in look(client, match)
    assert not is_asked(match.pk)


def test_a_question_is_asked_once(client: Client, match: Match) -> None:
    ask(client, match)
    ask(client, match)
    assert list(cache.get_many(["why:0", "why:1"]).values()) == [match.pk]


def test_it_says_that_the_workers_have_no_time(client: Client, match: Match) -> None:
    for number in range(64):
        cache.set(f"why:{number}", 0)
    text = ask(client, match)
    assert "We’re busy with photos right now." in text
    assert "Why alike?" in text


@pytest.mark.usefixtures("valkey_away")
def test_it_says_the_same_while_valkey_is_away(client: Client, match: Match) -> None:
    assert "We’re busy with photos right now." in ask(client, match)


def test_a_question_that_nobody_waits_for_is_dropped(match: Match) -> None:
    explain_match(match.pk)
    match.refresh_from_db()
    assert match.why is None


def test_it_works_without_htmx(client: Client, match: Match) -> None:
    response = client.post(address(match))
    assert response["Location"] == f"/u/{match.face.upload_id}/#why-{match.pk}"
    assert is_asked(match.pk)


def test_others_do_not_see_it(match: Match) -> None:
    assert Client().get(address(match)).status_code == 404
    assert Client().post(address(match)).status_code == 404
    assert not is_asked(match.pk)


def test_a_match_of_another_upload_is_not_found(
    client: Client, match: Match, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    other = make_result(gallery, owner=owner)
    for pk in (match.pk, 10**30):
        assert client.get(f"/u/{other.pk}/why/{pk}/").status_code == 404


def test_the_page_asks_for_the_best_match_by_itself(client: Client, match: Match) -> None:
    text = client.get(f"/u/{match.face.upload_id}/").content.decode()
    assert text.count('hx-trigger="intersect once, submit"') == 1
    assert text.count("Why alike?") == match.face.matches.count()


def test_an_encoder_whose_maps_nobody_measured_explains_nothing(
    client: Client, match: Match
) -> None:
    Upload.objects.filter(pk=match.face.upload_id).update(encoder="facenet/1")
    assert "Why alike?" not in client.get(f"/u/{match.face.upload_id}/").content.decode()
