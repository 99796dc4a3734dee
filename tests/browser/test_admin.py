"""The curators' forms that take files, filled in by hand: the test client always sends files,
a browser only when the form says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.live import ADMIN_PASSWORD, Site

pytestmark = pytest.mark.browser


NEWEST = """
from celebrities.models import Portrait
print(Portrait.objects.latest("pk").pk)
"""
CLEAN_UP = """
from celebrities.gallery import delete_celebrities, delete_portraits
from celebrities.models import Celebrity, Portrait
delete_celebrities(Celebrity.objects.filter(name="Newcomer"))
delete_portraits(Portrait.objects.filter(pk__gt={newest}))
"""


@pytest.fixture
def desk(live_site: Site, open_page: Callable[..., Page]) -> Iterator[Page]:
    """The admin, logged in. What is added there is gone afterwards: others use this site."""
    newest = live_site.run_python(NEWEST).strip()
    page = open_page("/admin/", width=1366)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    yield page
    live_site.run_python(CLEAN_UP.format(newest=newest))


def open_person(desk: Page, name: str) -> None:
    desk.goto(f"/admin/celebrities/celebrity/?q={name}")
    desk.get_by_role("link", name=name, exact=True).last.click()


def test_a_portrait_is_added_on_its_own_page(desk: Page, cast: dict[str, list[Path]]) -> None:
    desk.goto("/admin/celebrities/portrait/add/")
    desk.locator("#id_celebrity + .select2").click()
    desk.locator(".select2-search__field").fill("Amara")
    desk.locator(".select2-results__option--highlighted").click()
    desk.locator("#id_image").set_input_files(cast["amara-dioulasse"][2])
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.locator(".messagelist .success")).to_contain_text("was added successfully")


def test_01_a_second_portrait_is_added_on_a_persons_page(
    desk: Page, cast: dict[str, list[Path]]
) -> None:
    open_person(desk, "Kenji Morishige")
    # A count waits for nothing.
    expect(desk.locator(".inline-related.has_original").first).to_be_visible()
    stored = desk.locator(".inline-related.has_original").count()
    new = desk.locator(".inline-related:not(.has_original):not(.empty-form)").first
    new.locator("input[type=file]").set_input_files(cast["kenji-morishige"][2])
    new.get_by_label("Author").fill("Somebody")
    new.get_by_label("Licence", exact=False).first.fill("CC0")
    desk.get_by_role("button", name="Save and continue editing").click()
    expect(desk.locator(".messagelist .success")).to_contain_text("was changed successfully")
    cards = desk.locator(".inline-related.has_original")
    assert cards.count() == stored + 1
    assert cards.last.get_by_label("Author").input_value() == "Somebody"


def test_02_each_field_stands_under_its_own_label_in_a_window_of_1366(desk: Page) -> None:
    open_person(desk, "Kenji Morishige")
    card = desk.locator(".inline-related.has_original").first
    for label, name in (
        ("Author:", "author"),
        ("Licence:", "licence"),
        ("Licence address:", "licence_url"),
    ):
        assert card.locator("label", has_text=label).first.get_attribute("for") == (
            f"id_portraits-0-{name}"
        )
        heading = card.locator("label", has_text=label).first.bounding_box()
        field = card.locator(f"#id_portraits-0-{name}").bounding_box()
        assert heading
        assert field
        assert abs(heading["y"] - field["y"]) < 30
        assert 0 < field["x"] - heading["x"] < 250
    assert desk.evaluate("document.documentElement.scrollWidth") <= 1366


def test_a_new_person_comes_with_portraits(desk: Page, cast: dict[str, list[Path]]) -> None:
    desk.goto("/admin/celebrities/celebrity/add/")
    desk.get_by_label("Name:", exact=True).fill("Newcomer")
    desk.locator("#id_portraits-0-image").set_input_files(cast["amara-dioulasse"][2])
    desk.get_by_role("button", name="Save and continue editing").click()
    expect(desk.locator(".messagelist .success")).to_contain_text("was added successfully")
    assert desk.locator(".inline-related.has_original").count() == 1
