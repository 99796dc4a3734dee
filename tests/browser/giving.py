"""The ways to give a photo, as a visitor's hands would do them."""

from __future__ import annotations

import base64
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Page

MAKE_TRANSFER = """(encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
  const holder = new DataTransfer();
  holder.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  return holder;
}"""
COPY_PICTURE = """async (encoded) => {
  const answer = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([answer], { type: "image/jpeg" }));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const png = await canvas.convertToBlob({ type: "image/png" });
  await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
}"""


CAMERA_RUNS = "document.getElementById('camera-view').videoWidth > 0"
PHOTO_IS_THERE = "document.querySelector('.has-photo') !== null"
# The photo as it will be sent: bytes, type, width and height.
WHAT_IS_SENT = """async () => {
  const [head, body] = sessionStorage.getItem("photo").split(",");
  const bytes = Uint8Array.from(atob(body), (sign) => sign.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes]));
  return [bytes.length, head.slice(5, head.indexOf(";")), picture.width, picture.height];
}"""


def wait_until(page: Page, expression: str) -> None:
    """Until a JavaScript expression is true. Playwright's own way needs eval, which the
    site's content security policy forbids."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"waited in vain for {expression}")


def encode(photo: Path) -> str:
    return base64.b64encode(photo.read_bytes()).decode()


def choose_photo(page: Page, photo: Path) -> None:
    page.set_input_files("#id_photo", photo)


def drop_photo(page: Page, photo: Path) -> None:
    holder = page.evaluate_handle(MAKE_TRANSFER, encode(photo))
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#frame", event, {"dataTransfer": holder})


def paste_photo(page: Page, photo: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(COPY_PICTURE, encode(photo))
    page.keyboard.press("Control+V")


def shoot_photo(page: Page, photo: Path) -> None:
    """The camera sees its own film, whatever the photo."""
    page.click("#open-camera")
    wait_until(page, CAMERA_RUNS)
    page.click("#shutter")


def wait_until_ready(page: Page) -> None:
    """Until the photo stands in the frame and the tab keeps it."""
    page.wait_for_selector(".has-photo #preview:not([hidden])")
    wait_until(page, "sessionStorage.getItem('photo') !== null")


def send(page: Page) -> None:
    """Agree, send, and wait for what comes of it; without JavaScript by loading anew."""
    page.check("#id_consent")
    page.click("#send")
    for _ in range(120):
        with suppress(Error):  # The page is just being left.
            if page.query_selector(".result, .failure"):
                return
            if page.query_selector(".waiting") and not page.evaluate("typeof htmx === 'object'"):
                page.reload()
        page.wait_for_timeout(500)
    raise AssertionError(f"no result at {page.url}: {page.inner_text('main')}")


def give(page: Page, photo: Path) -> None:
    """Choose a file and wait for its result."""
    choose_photo(page, photo)
    wait_until(page, PHOTO_IS_THERE)
    send(page)
