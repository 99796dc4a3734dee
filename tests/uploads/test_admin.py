"""Uploads in the admin: that they are there, never a photo."""

from __future__ import annotations

import pytest
from django.test import Client

from celebrities.models import Celebrity
from tests.uploads.factories import make_result, make_upload
from uploads.models import Upload
from uploads.storage import list_files

pytestmark = pytest.mark.django_db


def test_it_works(admin_client: Client, gallery: list[Celebrity]) -> None:
    make_result(gallery)
    page = admin_client.get("/admin/uploads/upload/").content.decode()

    assert "done" in page
    assert ".jpg" not in page


@pytest.mark.parametrize("address", ["", "?failure=no_face"])
def test_it_says_in_words_why_one_failed(admin_client: Client, address: str) -> None:
    make_upload(status=Upload.Status.FAILED, failure="no_face", stage="")
    page = admin_client.get(f"/admin/uploads/upload/{address}").content.decode()

    assert page.count("No face found") == 2, "in the row and in the filter"


def test_an_upload_shows_no_picture(admin_client: Client, gallery: list[Celebrity]) -> None:
    upload = make_result(gallery)
    page = admin_client.get(f"/admin/uploads/upload/{upload.pk}/change/").content.decode()

    assert ".jpg" not in page
    assert str(upload.owner) not in page


def test_deleting_takes_the_files_too(admin_client: Client, gallery: list[Celebrity]) -> None:
    one, other = make_result(gallery), make_result(gallery)
    admin_client.post(f"/admin/uploads/upload/{one.pk}/delete/", {"post": "yes"})
    admin_client.post(
        "/admin/uploads/upload/",
        {"action": "delete_selected", "_selected_action": [str(other.pk)], "post": "yes"},
    )

    assert not Upload.objects.exists()
    assert list_files(one.pk) == list_files(other.pk) == []


def test_nothing_can_be_added_or_changed(admin_client: Client, gallery: list[Celebrity]) -> None:
    upload = make_result(gallery)

    assert admin_client.get("/admin/uploads/upload/add/").status_code == 403
    change = admin_client.post(f"/admin/uploads/upload/{upload.pk}/change/", {"k": "3"})
    assert change.status_code == 403


def test_consent_texts_are_read_only(admin_client: Client, gallery: list[Celebrity]) -> None:
    consent = make_result(gallery).consent
    page = admin_client.get(f"/admin/uploads/consent/{consent.pk}/change/").content.decode()

    assert "measures the faces" in page
    assert admin_client.post(f"/admin/uploads/consent/{consent.pk}/delete/").status_code == 403
