"""Giving a photo in five ways, in each language, to the result and its deletion."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Page

from tests.browser.conftest import CAMERA_SEES, OpenPage
from tests.browser.giving import (
    CAMERA_RUNS,
    choose_photo,
    drop_photo,
    give,
    paste_photo,
    send,
    shoot_photo,
    wait_until,
    wait_until_ready,
)
from tests.conftest import LANGUAGES

pytestmark = pytest.mark.browser

WAYS = {"file": choose_photo, "drop": drop_photo, "paste": paste_photo, "camera": shoot_photo}


@pytest.mark.parametrize(
    ("way", "language"),
    [*((way, "en") for way in WAYS), *(("plain", code) for code in LANGUAGES)],
)
def test_it_works(
    open_page: OpenPage, cast: dict[str, list[Path]], way: str, language: str
) -> None:
    photo = cast[CAMERA_SEES][2]
    page = open_page(language=language, javascript=way != "plain", width=360)
    if way == "plain":
        choose_photo(page, photo)
    else:
        WAYS[way](page, photo)
        wait_until_ready(page)
    send(page)

    with translation.override(language):
        title, deleted = gettext("Your look-alikes"), gettext("Deleted")
    assert page.inner_text("h1") == title
    best = page.locator(".best-name a").first
    assert best.get_attribute("href") == f"/people/{CAMERA_SEES}/"

    result = page.url
    picture = page.get_attribute(".given-photo img", "src")
    assert picture
    stranger = open_page(result, language=language)
    assert stranger.locator(".best").count() == 0
    assert stranger.request.get(result).status == 404
    assert stranger.request.get(picture).status == 404

    page.click(".keeping .button-danger")
    page.click(".button-danger-main")
    assert page.inner_text("h1") == deleted
    assert page.request.get(result).status == 404
    assert page.request.get(picture).status == 404


def test_requires_consent(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    choose_photo(page, cast[CAMERA_SEES][2])
    wait_until_ready(page)
    page.click("#send")
    assert page.evaluate("document.getElementById('id_consent').matches(':user-invalid')")
    assert page.query_selector(".waiting, .result") is None


def test_camera_gives_way_to_another_try(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#open-camera")
    wait_until(page, CAMERA_RUNS)
    page.keyboard.press("Escape")
    assert page.is_hidden("#camera")
    assert page.evaluate("document.activeElement.id") == "open-camera"
    shoot_photo(page, Path())
    wait_until_ready(page)
    page.click("#retake")
    page.wait_for_selector("#camera:not([hidden])")
    page.click("#shutter")
    wait_until_ready(page)
    assert page.evaluate("document.getElementById('camera-view').srcObject") is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 720)])
def test_what_to_press_is_in_the_first_screen(
    open_page: OpenPage, cast: dict[str, list[Path]], width: int, height: int, language: str
) -> None:
    """From opening to the result: choose, agree, send."""
    page = open_page(width=width, language=language, has_touch=width == 360)
    page.set_viewport_size({"width": width, "height": height})
    assert_is_seen(page, ".file-button")
    choose_photo(page, cast[CAMERA_SEES][2])
    wait_until_ready(page)
    assert_is_seen(page, "#send")
    assert_is_seen(page, "#id_consent")
    assert page.evaluate("scrollY") == 0


def assert_is_seen(page: Page, part: str) -> None:
    """Inside the window, without scrolling."""
    box, size = page.locator(part).first.bounding_box(), page.viewport_size
    assert box
    assert size
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= size["height"], part


def test_three_taps_on_a_phone(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    """The device's own camera and its picker count as theirs."""
    page = open_page(width=360, has_touch=True, is_mobile=True)
    with page.expect_file_chooser() as chooser:
        page.tap(".file-button >> nth=0")
    chooser.value.set_files(cast[CAMERA_SEES][2])
    wait_until_ready(page)
    page.tap("#id_consent")
    page.tap("#send")
    page.wait_for_selector(".result", timeout=60_000)
    assert page.is_hidden("#open-camera")


def test_a_phone_takes_the_photo_with_its_own_camera(open_page: OpenPage) -> None:
    page = open_page(width=360, has_touch=True, is_mobile=True)
    with page.expect_file_chooser():
        page.tap(".take-with-phone")
    assert page.get_attribute("#take-photo", "capture") == "user"


def test_camera_counts_down(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#open-camera")
    wait_until(page, CAMERA_RUNS)
    page.click("#camera-timer")
    assert page.inner_text("#camera-count") in {"1", "2", "3"}
    wait_until_ready(page)


def test_results_leave_the_first_page_in_order(
    open_page: OpenPage, cast: dict[str, list[Path]]
) -> None:
    """On a wide screen the example still follows the words, with results in the other column."""
    page = open_page()
    give(page, cast[CAMERA_SEES][2])
    page.goto("/")
    words, strip, mine, form = (
        page.locator(part).bounding_box() for part in (".first-words", ".strip", ".mine", ".give")
    )
    assert words
    assert strip
    assert mine
    assert form
    assert 0 <= strip["y"] - words["y"] - words["height"] < 60
    assert mine["x"] == form["x"]
