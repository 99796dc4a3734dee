"""GET / and /results/delete/: this browser's results, found again and deleted."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from celebrities.models import Celebrity
from tests.uploads.factories import make_result, make_upload
from uploads.models import Upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_media")]


def test_it_works(client: Client, owner: uuid.UUID, gallery: list[Celebrity]) -> None:
    result, waiting = make_result(gallery, owner=owner), make_upload(owner=owner)
    page = client.get("/").content.decode()

    assert page.index(waiting.get_absolute_url()) < page.index(result.get_absolute_url())
    assert f"/u/{result.pk}/faces/0/crop.jpg" in page
    assert f"/u/{result.pk}/delete/" in page
    assert "23\xa0hours" in page


def test_it_handles_a_browser_without_results(client: Client, owner: uuid.UUID) -> None:
    assert 'class="mine"' not in client.get("/").content.decode()
    assert client.get("/results/delete/")["Location"] == "/"
    assert client.post("/results/delete/")["Location"] == "/"


def test_it_shows_no_results_that_expired(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    make_result(gallery, owner=owner, expires_at=timezone.now() - timedelta(minutes=1))

    assert 'class="mine"' not in client.get("/").content.decode()


def test_it_shows_nobody_elses_results(client: Client, gallery: list[Celebrity]) -> None:
    result = make_result(gallery)

    assert str(result.pk) not in client.get("/").content.decode()


def test_a_page_that_is_gone_shows_the_others(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    result = make_result(gallery, owner=owner)
    page = client.get(f"/u/{uuid.uuid4()}/")

    assert page.status_code == 404
    assert result.get_absolute_url() in page.content.decode()


def test_all_are_deleted_after_asking_once(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    for _ in range(2):
        make_result(gallery, owner=owner)
    other = make_result(gallery)
    assert "all 2 of your results" in client.get("/results/delete/").content.decode()
    assert Upload.objects.count() == 3

    response = client.post("/results/delete/")

    deleted = response.context["deleted"]
    assert (deleted.files, deleted.faces, deleted.matches) == (6, 2, 8)
    assert list(Upload.objects.all()) == [other]
    assert "no-store" in response["Cache-Control"]


def test_it_finds_results_from_before_an_upgrade(client: Client) -> None:
    """Version 1.0 kept the owner in the session."""
    upload = make_upload()
    session = client.session
    session["owner"] = str(upload.owner)
    session.save()

    assert client.get(upload.get_absolute_url()).status_code == 200


def test_it_rejects_a_cookie_that_the_site_did_not_sign(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)
    signed = client.cookies["owner"].value
    assert client.get(upload.get_absolute_url()).status_code == 200
    for forged in (str(owner), signed[:-1], signed.replace(str(owner), str(uuid.uuid4()))):
        client.cookies["owner"] = forged
        assert client.get(upload.get_absolute_url()).status_code == 404
