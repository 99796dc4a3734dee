"""From the file that a visitor gives to the bytes that are sent: kinds, sizes, files that change,
browsers that add noise."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page

from tests.browser.conftest import CAMERA_SEES, OpenPage
from tests.browser.giving import (
    PHOTO_IS_THERE,
    WHAT_IS_SENT,
    choose_photo,
    encode,
    give,
    wait_until,
    wait_until_ready,
)

pytestmark = pytest.mark.browser

ORIENTATION, ONE_QUARTER_TURN = 0x0112, 6
BEST = ".best-name a"
DROP = """([files, address]) => {
  const holder = new DataTransfer();
  for (const [name, type, encoded] of files) {
    const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
    holder.items.add(new File([bytes], name, { type }));
  }
  if (address) holder.setData("text/uri-list", address);
  const events = ["dragover", "drop"].map(
    (type) => new DragEvent(type, { dataTransfer: holder, bubbles: true, cancelable: true })
  );
  return events.map((event) => !document.body.dispatchEvent(event));
}"""
PASTE = """(files) => {
  const holder = new DataTransfer();
  for (const [name, type, encoded] of files) {
    const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
    holder.items.add(new File([bytes], name, { type }));
  }
  const event = new ClipboardEvent("paste", { bubbles: true, clipboardData: holder });
  document.body.dispatchEvent(event);
}"""
# What Tor Browser and strict extensions do, in place of what was drawn.
NOISE = """
const draw = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...words) {
  const pen = this.getContext("2d");
  const noise = pen.createImageData(this.width, this.height);
  for (let at = 0; at < noise.data.length; at += 1) noise.data[at] = Math.random() * 256;
  pen.putImageData(noise, 0, 0);
  draw.apply(this, words);
};
"""
WHITE = """
const draw = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...words) {
  const pen = this.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, this.width, this.height);
  draw.apply(this, words);
};
"""


def said(page: Page) -> str:
    return page.inner_text("#photo-said")


def make_large(
    photo: Path, to: Path, size: tuple[int, int] = (3000, 3750), **options: object
) -> Path:
    """The photo with so much grain that it takes more than 2 MB."""
    with Image.open(photo) as small:
        grain = Image.effect_noise(size, 40).convert("RGB")
        large = Image.blend(small.convert("RGB").resize(size), grain, 0.12)
        large.save(to, "JPEG", quality=97, **options)
    assert to.stat().st_size > 2_000_000
    return to


def test_it_works(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    """A photo of ordinary size is sent as it is, byte for byte."""
    photo = cast[CAMERA_SEES][2]
    page = open_page()
    choose_photo(page, photo)
    wait_until_ready(page)
    assert page.evaluate(WHAT_IS_SENT)[:2] == [photo.stat().st_size, "image/jpeg"]


def test_handles_a_large_photo(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    """It travels upright, and smaller than it was."""
    exif = Image.Exif()
    exif[ORIENTATION] = ONE_QUARTER_TURN
    turned = tmp_path / "turned.jpg"
    with Image.open(cast[CAMERA_SEES][2]) as photo:
        photo.transpose(Image.Transpose.ROTATE_90).save(turned)
    large = make_large(turned, tmp_path / "large.jpg", (3750, 3000), exif=exif)
    page = open_page()
    choose_photo(page, large)
    wait_until_ready(page)
    size, kind, *sides = page.evaluate(WHAT_IS_SENT)
    assert size < large.stat().st_size
    assert (kind, sides) == ("image/jpeg", [1920, 2400])


def test_handles_a_small_face_in_a_large_photo(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    """A face of 60 pixels in 12 megapixels: the site finds it with and without JavaScript."""
    scene = Image.effect_noise((4000, 3000), 30).convert("RGB").filter(ImageFilter.BoxBlur(1))
    with Image.open(cast[CAMERA_SEES][2]) as photo:
        scene.paste(photo.resize((160, 200)), (1900, 1200))
    large = tmp_path / "far.jpg"
    scene.save(large, quality=95)
    assert large.stat().st_size > 2_000_000
    for javascript in (True, False):
        page = open_page(javascript=javascript)
        if javascript:
            give(page, large)
        else:
            choose_photo(page, large)
            page.check("#id_consent")
            page.click("#send")
            page.wait_for_selector(".result, .failure", timeout=60_000)
        assert page.locator(BEST).first.get_attribute("href") == f"/people/{CAMERA_SEES}/"


def test_handles_a_panorama(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    scene = Image.effect_noise((12000, 560), 60).convert("RGB")
    with Image.open(cast[CAMERA_SEES][2]) as photo:
        scene.paste(photo.resize((448, 560)), (6000, 0))
    panorama = tmp_path / "panorama.jpg"
    scene.save(panorama, quality=97)
    page = open_page()
    choose_photo(page, panorama)
    wait_until_ready(page)
    assert page.evaluate(WHAT_IS_SENT)[3] == 480


@pytest.mark.parametrize("browser", [NOISE, WHITE], ids=["noise", "white"])
def test_handles_a_browser_that_draws_something_else(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path, browser: str
) -> None:
    """The original is sent."""
    large = make_large(cast[CAMERA_SEES][2], tmp_path / "large.jpg", (2400, 3000))
    page = open_page()
    page.context.add_init_script(browser)
    page.reload()
    choose_photo(page, large)
    wait_until_ready(page)
    assert page.evaluate(WHAT_IS_SENT)[0] == large.stat().st_size


@pytest.mark.parametrize("name", ["photo", "1000012345", "content.bin", "letter.pdf"])
def test_judges_by_the_first_bytes(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path, name: str
) -> None:
    photo = tmp_path / name
    photo.write_bytes(cast[CAMERA_SEES][2].read_bytes())
    page = open_page()
    choose_photo(page, photo)
    wait_until_ready(page)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"Dear Sir or Madam", b"BM" + bytes(60)])
def test_rejects_other_files_whatever_their_name(
    open_page: OpenPage, tmp_path: Path, content: bytes
) -> None:
    letter = tmp_path / "photo.jpg"
    letter.write_bytes(content)
    page = open_page()
    choose_photo(page, letter)
    page.wait_for_selector("#photo-said.is-error")
    assert said(page).startswith("We can’t open this file.")
    assert not page.evaluate(PHOTO_IS_THERE)


def test_says_what_the_browser_cannot_show(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Half a JPEG may be sent, but nothing is promised; of a HEIC the site can read more."""
    whole = cast[CAMERA_SEES][2].read_bytes()
    half = tmp_path / "half.jpg"
    half.write_bytes(whole[: len(whole) // 2])
    page = open_page()
    give(page, half)
    assert page.inner_text("h1") == "We can’t read this photo"

    heic = tmp_path / "phone.heic"
    with Image.open(io.BytesIO(whole)) as photo:
        import pillow_heif

        pillow_heif.from_pillow(photo).save(heic)
    page.goto("/")
    choose_photo(page, heic)
    wait_until(page, PHOTO_IS_THERE)
    assert said(page) == "No preview in this browser, but you can still send the photo."


def test_handles_a_file_that_changes(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    """What was read when it was chosen is what is sent."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(cast[CAMERA_SEES][2].read_bytes())
    page = open_page()
    choose_photo(page, photo)
    wait_until_ready(page)
    photo.unlink()
    page.check("#id_consent")
    page.click("#send")
    page.wait_for_selector(".result", timeout=60_000)


def test_says_when_a_file_is_gone(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    page.evaluate("() => { Blob.prototype.arrayBuffer = () => Promise.reject(new Error()); }")
    choose_photo(page, cast[CAMERA_SEES][2])
    page.wait_for_selector("#photo-said.is-error")
    assert said(page) == "This file has changed or is gone. Please choose it again."


def test_handles_a_picture_from_another_site(open_page: OpenPage) -> None:
    """The browser must not open it, since the form would be gone."""
    page = open_page()
    assert page.evaluate(DROP, [[], "https://example.org/face.jpg"]) == [True, True]
    assert said(page).startswith("That picture is on another site.")


def test_handles_a_paste_of_several_kinds(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    """Office programs put a drawing beside the picture."""
    page = open_page()
    drawing = base64.b64encode(b"\x01\x00\x00\x00 EMF").decode()
    files = [
        ["image.emf", "image/x-emf", drawing],
        ["image.png", "image/png", encode(cast[CAMERA_SEES][2])],
    ]
    page.evaluate(PASTE, files)
    wait_until_ready(page)


def test_rejects_several_photos(open_page: OpenPage, cast: dict[str, list[Path]]) -> None:
    page = open_page()
    files = [["a", "image/jpeg", encode(photo)] for photo in cast[CAMERA_SEES][:2]]
    page.evaluate(DROP, [files, ""])
    page.wait_for_selector("#photo-said.is-error")
    assert said(page).startswith("One photo at a time, please.")


def test_rejects_too_many_bytes(open_page: OpenPage, tmp_path: Path) -> None:
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(b"\xff\xd8\xff" + bytes(20_000_000))
    page = open_page()
    choose_photo(page, huge)
    page.wait_for_selector("#photo-said.is-error")
    assert said(page) == "This file is too large. The limit is 20 MB."


def test_a_bad_file_leaves_the_good_one(
    open_page: OpenPage, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_bytes(b"Dear Sir or Madam")
    page = open_page()
    choose_photo(page, cast[CAMERA_SEES][2])
    wait_until_ready(page)
    choose_photo(page, letter)
    page.wait_for_selector("#photo-said.is-error")
    assert page.evaluate(PHOTO_IS_THERE)
