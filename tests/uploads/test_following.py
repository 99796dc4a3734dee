"""What a curator reads of pictures to share."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from tests.celebrities.factories import make_celebrity
from uploads.share import lettering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_installed_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without fonts: those of the packages are there."""
    monkeypatch.setattr(lettering, "INSTALLED_FONTS", (Path("/nowhere.ttf"),))


def read_page(client: Client, name: str, **fields: str) -> str:
    person = make_celebrity(name, **fields)
    page = client.get(f"/admin/celebrities/celebrity/{person.pk}/change/")
    assert page.status_code == 200
    return page.content.decode()


def test_it_warns_of_a_name_that_no_font_draws(admin_client: Client) -> None:
    page = read_page(admin_client, "宮崎 駿")
    assert "No font here can draw this name" in page
    assert "fonts-droid-fallback" in page


@pytest.mark.parametrize("name", ["Ada Lovelace", "Renée Zellweger", "Мария", "ليلى"])
def test_it_says_nothing_of_a_name_that_can_be_drawn(admin_client: Client, name: str) -> None:
    assert "No font here" not in read_page(admin_client, name)


def test_another_name_that_can_be_drawn_is_enough(admin_client: Client) -> None:
    assert "No font here" not in read_page(admin_client, "宮崎 駿", other_names="Hayao Miyazaki")
