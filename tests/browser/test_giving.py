"""Giving a photo in five ways, in both languages, to the result and its deletion."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

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

pytestmark = pytest.mark.browser

WAYS = {"file": choose_photo, "drop": drop_photo, "paste": paste_photo, "camera": shoot_photo}
WORDS = {
    "en": {"title": "Your look-alikes", "deleted": "Deleted"},
    "ru": {"title": "Ваши двойники", "deleted": "Удалено"},
}
ONE_QUARTER_TURN = 6
ORIENTATION = 0x0112


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("way", [*WAYS, "plain"])
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

    assert page.inner_text("h1") == WORDS[language]["title"]
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
    assert page.inner_text("h1") == WORDS[language]["deleted"]
    assert page.request.get(result).status == 404
    assert page.request.get(picture).status == 404


def test_requires_consent(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    choose_photo(page, cast[CAMERA_SEES][2])
    wait_until_ready(page)
    page.click("#send")
    assert page.evaluate("document.getElementById('id_consent').matches(':user-invalid')")
    assert page.query_selector(".waiting, .result") is None


def test_requires_a_photo(open_page: OpenPage) -> None:
    page = open_page()
    page.check("#id_consent")
    page.click("#send")
    assert page.inner_text("#photo-said") == "Please choose a photo first."


def test_shrinks_a_large_photo_before_sending(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Twelve megapixels travel as a few hundred kB, upright and at most 1600 pixels long."""
    large = tmp_path / "large.jpg"
    with Image.open(cast[CAMERA_SEES][2]) as photo:
        exif = Image.Exif()
        exif[ORIENTATION] = ONE_QUARTER_TURN
        turned = photo.resize((3000, 3750)).transpose(Image.Transpose.ROTATE_90)
        turned.save(large, quality=97, exif=exif)
    page = open_page()
    choose_photo(page, large)
    wait_until_ready(page)
    sent = page.evaluate("""async () => {
      const file = document.getElementById("id_photo").files[0];
      const picture = await createImageBitmap(file);
      return [file.size, picture.width, picture.height];
    }""")
    assert sent[0] < 400_000
    assert sent[1:] == [1280, 1600]
    send(page)
    assert page.get_attribute(".best-name a", "href") == f"/people/{CAMERA_SEES}/"


def test_handles_what_the_browser_cannot_show(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Half a JPEG travels as it is, and the site says what is wrong with it."""
    half = tmp_path / "half.jpg"
    whole = cast[CAMERA_SEES][2].read_bytes()
    half.write_bytes(whole[: len(whole) // 2])
    page = open_page()
    give(page, half)
    assert page.inner_text("h1") == "We can’t read this photo"


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


def test_rejects_other_files_by_name(open_page: OpenPage, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7")
    page = open_page()
    choose_photo(page, letter)
    assert "JPEG, PNG, WebP, HEIC, AVIF and GIF" in page.inner_text("#photo-said")
    assert page.evaluate("document.getElementById('id_photo').files.length") == 0


def test_rejects_several_photos(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    page.evaluate("document.getElementById('id_photo').multiple = true")
    page.set_input_files("#id_photo", cast[CAMERA_SEES][:2])
    assert page.inner_text("#photo-said").startswith("One photo at a time, please.")


def test_rejects_too_many_bytes(open_page: OpenPage, tmp_path: Path) -> None:
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(b"\xff\xd8" + bytes(20_000_000))
    page = open_page()
    choose_photo(page, huge)
    page.wait_for_selector("#photo-said.is-error")
    assert page.inner_text("#photo-said") == "This file is too large. The limit is 20 MB."
