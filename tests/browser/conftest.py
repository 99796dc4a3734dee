"""Debian's Chromium, driven by Playwright through a running site."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.live import Site

OpenPage = Callable[..., Page]

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
CAMERA_SEES = "kenji-morishige"


@pytest.fixture(scope="package")
def camera_film(cast: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Chromium's fake camera sees: a film of one picture, 640 x 480."""
    film = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    with Image.open(cast[CAMERA_SEES][2]) as photo:
        scene = Image.new("RGB", (640, 480), (120, 130, 140))
        scene.paste(photo.resize((384, 480)), (128, 0))
    scene.save(film, "JPEG", quality=92)
    return film


@pytest.fixture(scope="package")
def chromium(camera_film: Path) -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[*ARGUMENTS, f"--use-file-for-fake-video-capture={camera_film}"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, live_site: Site) -> Iterator[OpenPage]:
    """Opens an address of the site in a browser context of its own: a visitor of its own.

    At the end the test fails if a script failed, the content security policy forbade
    something, or a page asked any other host for anything.
    """
    contexts = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Chromium also writes down every answer of 404 or 422, and htmx every lost connection,
        # which tests provoke.
        provoked = ("Failed to load resource", "htmx:afterRequest", "htmx:sendError")
        if message.type == "error" and not message.text.startswith(provoked):
            complaints.append(message.text)

    def watch(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and address.port != live_site.port:
            complaints.append(f"a request to {address.netloc}")

    def open_page(
        path: str = "/",
        *,
        width: int = 1280,
        dark: bool = False,
        language: str = "en",
        javascript: bool = True,
        **options: Any,
    ) -> Page:
        context = chromium.new_context(
            base_url=live_site.url,
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            locale={"en": "en-GB"}.get(language, language),
            java_script_enabled=javascript,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        context.on("request", watch)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="package")
def group_photo(cast: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three of the cast side by side: Amara largest, then Saoirse, then Kenji."""
    scene = Image.new("RGB", (1440, 700), (90, 110, 100))
    people = [("amara-dioulasse", 1.0), ("kenji-morishige", 0.85), ("saoirse-quillane", 0.95)]
    for place, (slug, scale) in enumerate(people):
        with Image.open(cast[slug][2]) as photo:
            width, height = int(480 * scale), int(600 * scale)
            scene.paste(photo.resize((width, height)), (place * 480, 700 - height))
    path = tmp_path_factory.mktemp("group") / "group.jpg"
    scene.save(path, quality=92)
    return path


@pytest.fixture(scope="package")
def faceless_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faceless") / "meadow.jpg"
    Image.new("RGB", (600, 500), (80, 140, 90)).save(path)
    return path
