"""WCAG 2.2 AA by axe-core, on every page and state, in both themes and at both widths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import CAMERA_SEES, OpenPage
from tests.browser.giving import CAMERA_RUNS, choose_photo, give, wait_until, wait_until_ready
from tests.browser.test_waiting import PHOTO, send_photo, worker_asleep
from tests.conftest import LANGUAGES
from tests.live import Site

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS: list[dict[str, Any]] = [
    {"width": 360},
    {"width": 360, "dark": True, "language": "ru"},
    {"width": 1280, "language": "ru"},
    {"width": 1280, "dark": True},
]
PAGES = [
    "/",
    "/people/",
    "/people/?q=nobody+has+this+name",
    "/people/?category=actor&order=newest",
    f"/people/{CAMERA_SEES}/",
    "/credits/",
    "/removal/",
    "/removal/?sent=1",
    "/how-it-works/",
    "/privacy/",
    "/an/address/that/leads/nowhere/",
]

by_screen = pytest.mark.parametrize(
    "screen", SCREENS, ids=lambda screen: "-".join(str(part) for part in screen.values())
)


def find_violations(page: Page) -> list[str]:
    """What axe objects to, a line each."""
    answer = Axe().run(page, options={"runOnly": RULES}).response
    return [
        f"{page.url} {rule['id']}: {node['html'][:150]} {node['failureSummary']}"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]


@by_screen
def test_pages_have_no_violations(open_page: OpenPage, screen: dict[str, Any]) -> None:
    page = open_page(**screen)
    for path in PAGES:
        page.goto(path)
        assert find_violations(page) == []


@by_screen
def test_giving_has_no_violations(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path, screen: dict[str, Any]
) -> None:
    page = open_page(**screen)
    page.click("#open-camera")
    wait_until(page, CAMERA_RUNS)
    assert find_violations(page) == []

    page.click("#shutter")
    wait_until_ready(page)
    page.click(".choices summary")
    page.click(".consent-more summary")
    assert find_violations(page) == []

    # No consent, and half a photo: the server has to say it.
    page.evaluate("document.getElementById('give').noValidate = true")
    page.click("#send")
    page.wait_for_selector(".notice-error")
    assert find_violations(page) == []


@by_screen
def test_waiting_has_no_violations(
    open_page: OpenPage, live_site: Site, screen: dict[str, Any]
) -> None:
    page = open_page(**screen)
    with worker_asleep(live_site):
        send_photo(page)
        assert find_violations(page) == []
    page.wait_for_selector(".result", timeout=60_000)


@by_screen
def test_result_has_no_violations(
    open_page: OpenPage, group_photo: Path, screen: dict[str, Any]
) -> None:
    page = open_page(**screen)
    give(page, group_photo)
    assert find_violations(page) == []

    page.click(".face-list a >> nth=1")
    assert find_violations(page) == []

    page.click(".vote button >> visible=true")
    page.wait_for_selector(".vote p")
    page.click(".link summary >> visible=true")
    page.click("button[name=link] >> visible=true")
    page.wait_for_selector("#shared-link-1")
    assert find_violations(page) == []

    shared = open_page(page.input_value("#shared-link-1"), **screen)
    assert find_violations(shared) == []

    stranger = open_page(page.url, **screen)
    assert find_violations(stranger) == []

    page.click(".keeping .button-danger")
    assert find_violations(page) == []

    page.click(".button-danger-main")
    assert find_violations(page) == []


@by_screen
def test_failure_has_no_violations(
    open_page: OpenPage, faceless_photo: Path, screen: dict[str, Any]
) -> None:
    page = open_page(**screen)
    give(page, faceless_photo)
    assert page.query_selector(".failure")
    assert find_violations(page) == []


@by_screen
def test_removal_form_has_no_violations_with_errors(
    open_page: OpenPage, screen: dict[str, Any]
) -> None:
    page = open_page("/removal/", **screen)
    page.evaluate("document.querySelector('form.stack').noValidate = true")
    page.click("form.stack [type=submit]")
    assert page.query_selector(".field-error")
    assert find_violations(page) == []


def test_whole_journey_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    press_until(page, "Tab", "document.activeElement.id === 'id_photo'")
    press_until(page, "Tab", "document.activeElement.matches('.sample')")
    press_until(page, "Shift+Tab", "document.activeElement.id === 'id_photo'")
    choose_photo(page, PHOTO)
    wait_until_ready(page)
    press_until(page, "Tab", "document.activeElement.name === 'consent'")
    page.keyboard.press("Space")
    press_until(page, "Tab", "document.activeElement.id === 'send'")
    page.keyboard.press("Enter")
    page.wait_for_selector(".result", timeout=60_000)

    press_until(page, "Tab", "document.activeElement.type === 'range'")
    before = page.get_attribute(".compare-range", "aria-valuetext")
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute(".compare-range", "aria-valuetext") != before

    page.evaluate("document.getElementById('main').focus()")
    press_until(page, "Tab", "document.activeElement.matches('.button-danger')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".button-danger-main")
    press_until(page, "Tab", "document.activeElement.matches('.button-danger-main')")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('Deleted')")


def press_until(page: Page, key: str, expression: str) -> None:
    """Press a key until the focus is where it should come; every stop on the way shows it."""
    for _ in range(60):
        page.keyboard.press(key)
        assert page.evaluate(SHOWS_FOCUS), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate(expression):
            return
    raise AssertionError(f"the keyboard does not reach {expression}")


# The element itself, or what stands for it on the page, is outlined or drawn otherwise.
SHOWS_FOCUS = """(() => {
  const here = document.activeElement;
  const shown = [here, here.nextElementSibling, here.parentElement, here.querySelector("rect"),
                 here.parentElement?.querySelector(".compare-line")];
  return shown.filter(Boolean).some((part) => {
    const own = getComputedStyle(part);
    const after = getComputedStyle(part, "::after");
    return own.outlineStyle !== "none" || after.outlineStyle !== "none"
      || own.strokeDasharray.includes("10");
  });
})()"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_at_320_pixels(
    open_page: OpenPage, group_photo: Path, language: str
) -> None:
    """As wide as 1280 pixels are at 400 %."""
    page = open_page(width=320, language=language)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path
    page.goto("/")
    give(page, group_photo)
    page.click(".link summary >> visible=true")
    page.click("button[name=link] >> visible=true")
    page.wait_for_selector(".link-address >> visible=true")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_motion_stops_where_it_is_not_wanted(open_page: OpenPage) -> None:
    page = open_page()
    longest = page.evaluate(
        "Math.max(...document.getAnimations().map((each) => each.effect.getTiming().duration), 0)"
    )
    assert longest <= 1
    give(page, PHOTO)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_heading_breaks_inside_a_word(open_page: OpenPage, language: str) -> None:
    """At 360 pixels each word stands on one line."""
    page = open_page(width=360, language=language)
    for path in ("/privacy/", "/how-it-works/", "/", "/credits/", "/removal/"):
        page.goto(path)
        assert page.evaluate(BROKEN_WORDS) == [], path


BROKEN_WORDS = """(() => {
  const text = document.querySelector("h1").firstChild;
  return [...text.data.matchAll(/\\S+/g)].filter(({ index, 0: word }) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    return range.getClientRects().length > 1;
  }).map(([word]) => word);
})()"""
