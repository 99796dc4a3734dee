"""People found on Wikidata at the desk (line 41 of the specification)."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from celebrities.incoming.work import work_on_imports
from celebrities.models import Celebrity, GalleryImport
from tests.celebrities.factories import make_photo
from tests.wikimedia import Wikimedia

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

IMPORTS = "/admin/celebrities/galleryimport/"
Status = GalleryImport.Status


def finish() -> None:
    while work_on_imports():
        pass


def search(client: Client, name: str) -> GalleryImport:
    client.post(f"{IMPORTS}wikidata/", {"name": name})
    finish()
    return GalleryImport.objects.latest("pk")


def test_41_a_person_is_found_on_wikidata_and_taken(
    admin_client: Client,
    site: Wikimedia,
    valkey: str,
) -> None:
    site.add_person("Q1", "Ada Example", portrait=make_photo(1))
    site.add_person("Q2", "Ada Other", portrait=make_photo(2), credit={"License": "cc-by-nd-4.0"})
    record = search(admin_client, "Ada")
    page = admin_client.get(f"{IMPORTS}{record.pk}/change/").content.decode()

    assert record.status == Status.LOOKED, record.problem
    assert "Ada Example" in page
    assert "CC BY-SA 4.0" in page
    assert "Ada Other" in page
    assert not Celebrity.objects.exists()

    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "take Q1", "portraits": "1"})
    finish()
    ada = Celebrity.objects.get()
    record.refresh_from_db()
    assert (ada.name, ada.wikidata_id, ada.birth_year) == ("Ada Example", "Q1", 1960)
    assert ada.portraits.get().licence == "CC BY-SA 4.0"
    assert (record.status, ada.imported_in) == (Status.DONE, record)


def test_41_nobody_and_no_answer_are_said(
    admin_client: Client,
    site: Wikimedia,
    valkey: str,
    settings: Settings,
) -> None:
    record = search(admin_client, "Nobody At All")
    page = admin_client.get(f"{IMPORTS}{record.pk}/change/").content.decode()
    assert "Nobody of this name" in page

    settings.CONTACT = ""
    assert "LOOKALIKE_CONTACT" in admin_client.get(f"{IMPORTS}wikidata/").content.decode()
    record = search(admin_client, "Ada")
    assert record.status == Status.FAILED
    assert "LOOKALIKE_CONTACT" in record.problem


def test_41_only_who_was_found_can_be_taken(
    admin_client: Client,
    site: Wikimedia,
    valkey: str,
) -> None:
    site.add_person("Q1", "Ada Example", portrait=make_photo(1))
    record = search(admin_client, "Ada")
    admin_client.post(f"{IMPORTS}{record.pk}/decide/", {"do": "take Q2", "portraits": "1"})
    finish()
    assert not Celebrity.objects.exists()
