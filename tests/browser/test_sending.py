"""Sending a photo: nothing that goes wrong loses it, and this browser finds its results again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import CAMERA_SEES, OpenPage
from tests.browser.giving import (
    PHOTO_IS_THERE,
    choose_photo,
    encode,
    give,
    wait_until,
    wait_until_ready,
)

pytestmark = pytest.mark.browser

TICKED = "document.getElementById('id_consent').checked"


@pytest.fixture
def ready_page(open_page: OpenPage, cast: dict[str, list[Path]]) -> Page:
    """The second step: a photo, the consent given."""
    page = open_page(width=360)
    choose_photo(page, cast[CAMERA_SEES][2])
    wait_until_ready(page)
    page.check("#id_consent")
    return page


def press_send(page: Page) -> str:
    """What is said instead of a result; the photo and the consent are still there."""
    page.click("#send")
    page.wait_for_selector("#refusal > *")
    assert page.evaluate(PHOTO_IS_THERE)
    assert page.is_visible("#preview")
    assert page.get_attribute("#send", "aria-disabled") is None
    return page.inner_text("#refusal")


def arrives(page: Page) -> None:
    page.click("#send")
    page.wait_for_selector(".result", timeout=60_000)
    assert page.get_attribute(".best-name a >> nth=0", "href") == f"/people/{CAMERA_SEES}/"


@pytest.mark.parametrize("status", [429, 503, 500, 413])
def test_handles_a_refusal(ready_page: Page, status: int) -> None:
    """The site's own words are shown; the same photo can be sent again."""
    words = "<p data-refusal>We’re busy.</p>"
    post = {"status": status, "content_type": "text/html", "body": words}
    ready_page.route("/", lambda route: route.fulfill(**post), times=1)
    assert press_send(ready_page) == "We’re busy."
    assert ready_page.evaluate(TICKED)
    arrives(ready_page)


def test_handles_a_page_that_was_open_for_long(ready_page: Page) -> None:
    """A token that is not valid any more is renewed by itself."""
    ready_page.evaluate("document.querySelector('#give [name=csrfmiddlewaretoken]').value = 'old'")
    arrives(ready_page)


def test_handles_refused_cookies(ready_page: Page) -> None:
    """A fresh token doesn't help, and the page says what does."""
    ready_page.context.clear_cookies()
    page = ready_page.request.post("/").text()

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=403, content_type="text/html", body=page)
        else:
            route.continue_()

    ready_page.route("/", refuse)
    assert "cookies are blocked" in press_send(ready_page)


def test_asks_for_consent_again_when_its_text_changed(ready_page: Page) -> None:
    ready_page.evaluate("document.querySelector('#give [name=consent_version]').value = 'old'")
    ready_page.evaluate("document.querySelector('.consent-text span').textContent = 'Old words.'")
    assert "The consent text has changed" in press_send(ready_page)
    assert "Old words." not in ready_page.inner_text("#consent")
    ready_page.check("#id_consent")
    arrives(ready_page)


def test_handles_a_lost_connection(ready_page: Page) -> None:
    ready_page.context.set_offline(True)
    assert press_send(ready_page).startswith("No connection. Your photo is still here")
    ready_page.context.set_offline(False)
    arrives(ready_page)


def test_shows_progress(ready_page: Page) -> None:
    def answer(route: Route) -> None:
        assert ready_page.inner_text("#send").startswith("Sending…")
        route.continue_()

    ready_page.route("/", answer)
    arrives(ready_page)


def test_nothing_is_lost_by_a_reload_or_another_language(ready_page: Page) -> None:
    ready_page.reload()
    wait_until(ready_page, PHOTO_IS_THERE)
    assert not ready_page.evaluate(TICKED)
    ready_page.click(".language summary")
    ready_page.click(".language button[value=ru]")
    ready_page.wait_for_selector("html[lang=ru]")
    wait_until(ready_page, PHOTO_IS_THERE)
    ready_page.check("#id_consent")
    arrives(ready_page)


def test_nothing_is_lost_on_the_way_back(ready_page: Page) -> None:
    arrives(ready_page)
    ready_page.go_back()
    wait_until(ready_page, PHOTO_IS_THERE)
    assert not ready_page.evaluate(TICKED)


def test_another_visit_starts_anew(ready_page: Page) -> None:
    ready_page.goto("/people/")
    ready_page.goto("/")
    assert not ready_page.evaluate(PHOTO_IS_THERE)
    assert ready_page.evaluate("sessionStorage.getItem('photo')") is None


def test_the_photo_can_be_removed(ready_page: Page) -> None:
    ready_page.click("#start-over")
    assert not ready_page.evaluate(PHOTO_IS_THERE)
    assert ready_page.evaluate("document.activeElement.id") == "id_photo"


def test_options_are_remembered_on_this_device(ready_page: Page) -> None:
    ready_page.click(".choices summary")
    ready_page.select_option("#id_k", "3")
    arrives(ready_page)
    ready_page.goto("/")
    assert ready_page.input_value("#id_k") == "3"


def test_results_are_found_again_and_deleted(
    open_page: OpenPage, cast: dict[str, list[Path]]
) -> None:
    page = open_page(width=360)
    for photo in cast[CAMERA_SEES][1:]:
        page.goto("/")
        give(page, photo)
    result = page.url
    page.goto("/")
    assert page.locator(".mine-one").count() == 2
    assert page.locator(".mine-one img >> nth=0").evaluate("(image) => image.naturalWidth") > 0
    page.click(".mine-link >> nth=0")
    assert page.url == result

    page.goto("/")
    page.click(".mine-delete >> nth=0")
    page.click(".button-danger-main")
    assert page.locator(".mine-one").count() == 1
    assert page.evaluate("sessionStorage.getItem('photo')") is None
    page.goto(result)
    page.goto("/")
    assert open_page("/").locator(".mine-one").count() == 0


def test_all_results_are_deleted_at_once(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page(javascript=False)
    for photo in cast[CAMERA_SEES][1:]:
        page.goto("/")
        choose_photo(page, photo)
        page.check("#id_consent")
        page.click("#send")
    page.goto("/")
    page.click("text=Delete all")
    assert "all 2 of your results" in page.inner_text("main")
    page.click(".button-danger-main")
    page.goto("/")
    assert page.locator(".mine-one").count() == 0


SHARE = """async (encoded) => {
  await navigator.serviceWorker.ready;
  const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
  const holder = new DataTransfer();
  holder.items.add(new File([bytes], "shared.jpg", { type: "image/jpeg" }));
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: "/share/", enctype: "multipart/form-data" });
  form.innerHTML = '<input type="file" name="photo">';
  form.elements.photo.files = holder.files;
  document.body.append(form);
  form.submit();
}"""


def test_takes_a_photo_from_the_share_sheet(
    open_page: OpenPage, cast: dict[str, list[Path]]
) -> None:
    """As the share sheet of a phone does where the site is installed."""
    page = open_page()
    wait_until(page, "navigator.serviceWorker.controller !== null")
    page.evaluate(SHARE, encode(cast[CAMERA_SEES][2]))
    wait_until_ready(page)
    assert page.evaluate("location.search") == ""
    page.check("#id_consent")
    arrives(page)


def test_asks_for_a_shared_photo_that_did_not_arrive(open_page: OpenPage) -> None:
    page = open_page("/?shared")
    page.wait_for_selector("#photo-said.is-error")
    assert "Please choose it again." in page.inner_text("#photo-said")
