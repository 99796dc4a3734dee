"""Part of `make screenshots`: every page and state that a visitor meets, at 360 and 1280 pixels,
light and dark, in every language, as contact sheets in var/screenshots to be looked at."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

from django.conf import settings  # noqa: E402 - the path above comes first
from make_screenshots import ARGUMENTS, CAST, make_group, send  # noqa: E402

from tests.live import Site  # noqa: E402

SHEETS = ROOT / "var" / "screenshots"
WIDTHS = {360: 640, 1280: 720}
TALLEST = 2400
"""What lies below, in CSS pixels, is cut off: it is more of the same."""


def photograph(page: Page) -> Image.Image:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        page.wait_for_timeout(250)
        page.screenshot(path=file.name, full_page=True)
        with Image.open(file.name) as image:
            cut = image.convert("RGB").crop((0, 0, image.width, min(image.height, TALLEST)))
    cut.thumbnail((360 if cut.width == min(WIDTHS) else 640, TALLEST))
    return cut


def visit(page: Page, site: Site, folder: Path) -> Iterator[Image.Image]:
    """Each page and state once, as a visitor comes to it."""
    person = sorted(CAST.glob("*_1.jpg"))[4].stem[:-2]
    paths = ["people/", "people/?q=xyz", f"people/{person}/", "how-it-works/", "privacy/"]
    for path in ["", *paths, "credits/", "removal/", "nowhere/", "s/none/"]:
        page.goto(f"{site.url}/{path}")
        yield photograph(page)
    page.goto(site.url)
    page.set_input_files("#id_photo", sorted(CAST.glob("*_3.jpg"))[7])
    page.wait_for_selector("#preview:not([hidden])")
    yield photograph(page)
    send(page, make_group(folder))
    page.wait_for_selector(".result", timeout=60_000)
    page.wait_for_timeout(2000)  # Until "why alike" is there.
    yield photograph(page)
    page.click(".link summary >> visible=true")
    page.click("button[name=link] >> visible=true")
    page.wait_for_selector(".link-address >> visible=true")
    yield photograph(page)
    result, shared = page.url, page.input_value(".link-address >> visible=true")
    page.goto(shared)
    yield photograph(page)
    page.goto(site.url)
    yield photograph(page)
    page.goto(result)
    page.click(".keeping .button-danger")
    yield photograph(page)
    page.click(".button-danger-main")
    yield photograph(page)
    page.goto(result)
    yield photograph(page)
    page.goto(site.url)
    bare = folder / "bare.jpg"
    Image.new("RGB", (600, 600), (90, 110, 130)).save(bare)
    send(page, bare)
    page.wait_for_selector(".failure", timeout=60_000)
    yield photograph(page)


def lay_out(pictures: list[Image.Image]) -> Image.Image:
    """Beside each other in rows of at most nine."""
    rows = [pictures[at : at + 9] for at in range(0, len(pictures), 9)]
    heights = [max(each.height for each in row) for row in rows]
    width = max(sum(each.width + 12 for each in row) for row in rows)
    sheet = Image.new("RGB", (width, sum(heights) + 12 * len(rows)), "grey")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for each in row:
            sheet.paste(each, (left, top))
            left += each.width + 12
        top += height + 12
    return sheet


def take_all(browser: Browser, site: Site, folder: Path) -> None:
    codes = [code for code, _name in settings.LANGUAGES]
    for code, width, scheme in product(codes, WIDTHS, ("light", "dark")):
        context = browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=code,
            reduced_motion="reduce",
        )
        sheet = lay_out(list(visit(context.new_page(), site, folder)))
        sheet.save(SHEETS / f"{code}-{width}-{scheme}.png")
        sys.stdout.write(f"{code} {width} {scheme}\n")
        sys.stdout.flush()
        context.close()


def main() -> None:
    chromium = shutil.which("chromium") or sys.exit("Chromium is needed: apt install chromium.")
    SHEETS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        site = Site(Path(name), {"LOOKALIKE_HTTPS": "0", "LOOKALIKE_RATE_LIMIT": "0"})
        site.manage("prepare")
        site.manage("load_demo", "--fictional")
        try:
            site.start("valkey", "web", "worker")
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            take_all(browser, site, Path(name))
            browser.close()
        finally:
            site.stop()


if __name__ == "__main__":
    main()
