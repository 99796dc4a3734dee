"""The result in a visitor's hands: faces, comparing, voting, sharing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import CAMERA_SEES, OpenPage
from tests.browser.giving import choose_photo, give, send

pytestmark = pytest.mark.browser

BEST = ".face:not([hidden]) .best-name a"


def test_it_works(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    give(page, cast[CAMERA_SEES][2])
    assert page.get_attribute(BEST, "href") == f"/people/{CAMERA_SEES}/"
    assert page.locator(".match").count() == 5
    assert page.locator(".face-box").count() == 1
    # Everybody here is made up, and said to be.
    assert page.locator(".best .tag-fictional, .match .tag-fictional").count() == 6
    page.click("text=More people who look like this")
    page.wait_for_load_state()
    assert page.locator("#look-alikes .match").count() == 10


def test_handles_several_faces(open_page: OpenPage, group_photo: Path) -> None:
    page = open_page()
    give(page, group_photo)
    # The face that is seen has its question answered, though others' would take its place.
    page.locator(".why >> visible=true").first.scroll_into_view_if_needed()
    page.wait_for_selector(".why-words >> visible=true", timeout=60_000)
    asked = page.locator(".why-words, .why [role=status]").count()
    assert asked == 1, "faces that are not shown ask nothing"
    links = [page.get_attribute(f"#face-{number} .best-name a", "href") for number in range(3)]
    assert set(links) == {
        "/people/amara-dioulasse/",
        "/people/saoirse-quillane/",
        f"/people/{CAMERA_SEES}/",
    }
    assert page.locator(".face:not([hidden])").count() == 1
    assert page.get_attribute(BEST, "href") == links[0]

    page.locator(".face-box").nth(1).click()
    assert page.get_attribute(BEST, "href") == links[1]
    assert page.url.endswith("#face-1")

    page.locator(".face-box").nth(2).focus()
    page.keyboard.press("Enter")
    assert page.get_attribute(BEST, "href") == links[2]

    page.reload()
    assert page.get_attribute(BEST, "href") == links[2]


def test_handles_several_faces_without_javascript(open_page: OpenPage, group_photo: Path) -> None:
    page = open_page(javascript=False)
    choose_photo(page, group_photo)
    send(page)
    assert page.locator(".face").count() == 3
    for number in range(3):
        assert page.is_visible(f"#face-{number} .best-name")
        assert page.is_visible(f"#face-{number} .compare-you img")
    assert page.locator(".face-box").nth(1).get_attribute("href") == "#face-1"


def test_any_look_alike_can_be_compared(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    give(page, cast[CAMERA_SEES][2])
    other = page.inner_text(".match .match-name a >> nth=0")
    first = page.inner_text(BEST)
    page.click(".match [data-compare-chip] >> nth=0")
    assert page.inner_text(".compare-them figcaption") == other
    assert page.inner_text(BEST) == other
    number = page.inner_text(".match .likeness-number strong >> nth=0")
    assert page.inner_text(".best .likeness-number strong") == number
    assert page.get_attribute(".match [data-compare-chip] >> nth=0", "aria-pressed") == "true"
    assert page.evaluate("document.activeElement.className") == "compare-range"
    page.keyboard.press("End")
    assert page.get_attribute(".compare-range", "aria-valuetext") == f"You 100 %, {other} 0 %"
    picture = page.locator(".compare-them img")
    assert picture.evaluate("(image) => image.complete && image.naturalWidth") == 320
    shared = page.request.get(page.get_attribute(".best a[download]", "href") or "")
    assert shared.headers["content-type"] == "image/png"

    page.click("[data-compare-back]")
    assert page.inner_text(BEST) == page.inner_text(".compare-them figcaption") == first
    assert page.locator("[aria-pressed=true]").count() == 0


def test_result_says_that_everybody_was_compared(
    open_page: OpenPage, cast: dict[str, list[Path]]
) -> None:
    """The demo gallery is so small that its searches are exact."""
    page = open_page()
    assert page.locator("#id_exhaustive").count() == 0
    give(page, cast[CAMERA_SEES][2])
    assert "Compared with all 48 people in " in page.inner_text(".result-faces")
    assert page.locator(".exhaustive").count() == 0


def test_look_alikes_come_first_on_a_phone(
    open_page: OpenPage, cast: dict[str, list[Path]]
) -> None:
    """The faces and the name stand in the first screen of 360 x 640."""
    page = open_page(width=360)
    page.set_viewport_size({"width": 360, "height": 640})
    give(page, cast[CAMERA_SEES][2])
    for part in (".compare", BEST):
        box = page.locator(part).first.bounding_box()
        assert box
        assert box["y"] + box["height"] < 640


def test_vote_is_taken_once(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    give(page, cast[CAMERA_SEES][2])
    page.click(".best .vote button >> nth=0")
    page.wait_for_selector(".best .vote p")
    page.reload()
    assert page.inner_text(".best .vote") == "Thanks for your vote."


def test_share_picture_can_be_saved(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    give(page, cast[CAMERA_SEES][2])
    with page.expect_download() as coming:
        page.click("a[download]")
    with Image.open(io.BytesIO(Path(coming.value.path()).read_bytes())) as picture:
        assert picture.size == (1080, 1080)
        assert picture.format == "PNG"


def test_link_shows_the_face_without_the_photo(
    open_page: OpenPage, cast: dict[str, list[Path]]
) -> None:
    page = open_page()
    give(page, cast[CAMERA_SEES][2])
    photo = page.get_attribute(".given-photo img", "src")
    assert photo
    page.click(".link summary")
    page.click("button[name=link]")
    link = page.input_value("#shared-link-0")

    friend = open_page(link)
    assert friend.get_attribute(".best-name a", "href") == f"/people/{CAMERA_SEES}/"
    assert friend.locator("meta[name=robots]").get_attribute("content") == "noindex"
    picture = friend.locator("meta[property='og:image']").get_attribute("content")
    assert picture
    assert friend.request.get(picture).headers["content-type"] == "image/png"
    assert friend.request.get(photo).status == 404
    assert photo not in friend.content()

    page.click("button[name=link]")
    assert friend.request.get(link).status == 404
    assert friend.request.get(picture).status == 404
