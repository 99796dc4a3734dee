"""What every page keeps to: its weight, its language, its own house."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Response

from tests.browser.conftest import CAMERA_SEES, OpenPage
from tests.browser.giving import choose_photo, send
from tests.conftest import DEMO

pytestmark = pytest.mark.browser

PAGES = ["/", "/people/", "/credits/", "/removal/", "/how-it-works/", "/privacy/", "/nowhere/"]
# Latin words that stand in Russian text as they are: formats, keys, names of things.
LATIN = {
    "avif", "cc0", "cookie", "ctrl", "dlib", "en", "english", "gif", "heic", "jpeg", "lookalike",
    "mtcnn", "png", "project", "rendered", "ru", "webp",
}  # fmt: skip
PERSONS = (
    ".person-name, .match-name a, .best-name a, .credits-name a, .one h1, figcaption, .ranking a"
)


def test_first_page_is_light(open_page: OpenPage) -> None:
    """Under 60 kB transferred apart from photos."""
    answers: list[Response] = []
    page = open_page("/healthz")
    page.on("response", lambda answer: answers.append(answer))
    page.goto("/", wait_until="networkidle")
    sizes = {
        answer.url: answer.request.sizes()["responseBodySize"]
        for answer in answers
        if "/media/" not in answer.url
    }
    assert len(sizes) >= 3
    assert sum(sizes.values()) < 60_000, sizes


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_on_the_first_page(open_page: OpenPage, width: int) -> None:
    """On a slow line the scripts come after the first paint, at 1.6 Mbit/s and 150 ms."""
    page = open_page("/healthz", width=width, has_touch=width == 360, is_mobile=width == 360)
    line = {"offline": False, "latency": 150, "downloadThroughput": 2e5, "uploadThroughput": 1e5}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)
    page.goto("/", wait_until="networkidle")
    assert page.evaluate(MOVED) < 0.01


MOVED = """new Promise((done) => {
  new PerformanceObserver((list) => done(
    list.getEntries().reduce((sum, each) => sum + each.value, 0)
  )).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(0), 1000);
})"""


def test_pages_ask_no_other_host(open_page: OpenPage) -> None:
    """`open_page` complains of a request to any other host; here every page is opened."""
    page = open_page()
    for path in PAGES:
        page.goto(path, wait_until="networkidle")
        others = page.eval_on_selector_all(
            # Canonical and alternate addresses are named, not fetched.
            "link[href^='http']:not([rel=canonical], [rel=alternate]),"
            "script[src^='http'], img[src^='http']",
            "(found) => found.length",
        )
        assert others == 0, path


def test_pages_carry_no_inline_code(open_page: OpenPage) -> None:
    page = open_page()
    for path in PAGES:
        page.goto(path)
        inline = page.eval_on_selector_all(
            "style, [style], script:not([src]), [onclick], [onload]", "(found) => found.length"
        )
        # An error page has its style in itself, by a nonce.
        assert inline == (1 if path == "/nowhere/" else 0), path


def test_russian_pages_are_russian_throughout(open_page: OpenPage) -> None:
    page = open_page(language="ru")
    for path in PAGES:
        page.goto(path)
        assert page.get_attribute("html", "lang") == "ru"
        assert find_latin_words(page) == set(), path
    page.goto("/")
    choose_photo(page, DEMO / f"{CAMERA_SEES}_3.jpg")
    page.click(".choices summary")
    page.check("#id_living_only")
    send(page)
    assert find_latin_words(page) == set()
    page.click(".keeping .button-danger")
    assert find_latin_words(page) == set()
    page.click(".button-danger-main")
    assert find_latin_words(page) == set()


def find_latin_words(page: Page) -> set[str]:
    """Latin words that a reader or a screen reader meets, without people's names."""
    names = " ".join(page.eval_on_selector_all(PERSONS, "(all) => all.map((one) => one.innerText)"))
    heard = page.eval_on_selector_all(
        "[alt], [aria-label], [placeholder]",
        "(all) => all.map((one) => [one.alt, one.ariaLabel, one.placeholder].join(' '))",
    )
    text = " ".join([page.title(), page.inner_text("body"), *heard])
    words = set(re.findall(r"[a-z]{2,}\w*", text.lower()))
    cast = set(re.findall(r"[a-z]{2,}", (names + " " + " ".join(list_cast(page))).lower()))
    return words - LATIN - cast


def list_cast(page: Page) -> list[str]:
    """Everybody's name, as the gallery's own page writes it."""
    answer = page.request.get("/people/").text()
    return re.findall(r'class="person-name">([^<]+)<', answer)


def test_language_can_be_switched(open_page: OpenPage) -> None:
    page = open_page("/people/?q=amara")
    page.click(".language summary")
    page.click(".language button[value=ru]")
    assert page.inner_text("h1") == "Люди"
    assert page.url.endswith("/people/?q=amara")
    page.click(".language summary")
    page.click(".language button[value=en]")
    assert page.inner_text("h1") == "People"


def test_gallery_is_searched_as_one_types(open_page: OpenPage) -> None:
    page = open_page("/people/")
    page.locator("#id_q").press_sequentially("amar")
    page.wait_for_selector(".people-count:text-is('1 person')")
    assert page.inner_text(".person-name") == "Amara Dioulasse"
    assert "q=amar" in page.url
    page.fill("#id_q", "nobody has this name")
    page.wait_for_selector("#people .lede")
    assert "nobody has this name" in page.inner_text("#people .lede")


def test_gallery_is_searched_without_javascript(open_page: OpenPage) -> None:
    page = open_page("/people/", javascript=False)
    page.fill("#id_q", "dioulasse")
    page.click(".people-search button")
    assert page.locator(".person").count() == 1


def test_removal_request_is_taken(open_page: OpenPage) -> None:
    page = open_page("/removal/?person=amara-dioulasse")
    assert page.input_value("#id_person") == "Amara Dioulasse"
    page.fill("#id_message", "Please take me out.")
    page.click("form.stack [type=submit]")
    assert "Your request has arrived." in page.inner_text(".notice-good")
