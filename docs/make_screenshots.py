"""`make screenshots`: the README's pictures, taken of a running site with the fictional cast."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

from tests.live import ADMIN_PASSWORD, Site  # noqa: E402 - the path above comes first

CAST = ROOT / "celebrities" / "galleries" / "fictional"
PICTURES = ROOT / "docs" / "screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


def make_group(folder: Path) -> Path:
    """A photo of three of the cast beside each other."""
    photos = [Image.open(path) for path in sorted(CAST.glob("*_3.jpg"))[4:28:8]]
    group = Image.new("RGB", (3 * 480, 600))
    for place, photo in enumerate(photos):
        group.paste(photo, (480 * place, 0))
    path = folder / "group.jpg"
    group.save(path, quality=92)
    return path


def take(page: Page, name: str, *, full: bool = False) -> None:
    page.wait_for_timeout(600)  # For pictures that load late.
    page.screenshot(path=PICTURES / f"{name}.jpg", type="jpeg", quality=82, full_page=full)
    sys.stdout.write(f"{name}\n")


def send(page: Page, photo: Path) -> None:
    page.set_input_files("#id_photo", photo)
    page.wait_for_selector("#preview:not([hidden])")
    page.check("#id_consent")
    page.click("#send")


def take_all(browser: Browser, site: Site, group: Path) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(site.url)
    take(page, "first-page")
    site.stop("worker")
    send(page, group)
    page.wait_for_selector(".waiting")
    take(page, "waiting")
    site.start("worker")
    page.wait_for_selector(".result", timeout=60_000)
    take(page, "result", full=True)
    page.goto(f"{site.url}/people/{sorted(CAST.glob('*_1.jpg'))[4].stem[:-2]}/")
    take(page, "person")
    page.goto(f"{site.url}/admin/login/?next=/admin/celebrities/celebrity/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", ADMIN_PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector("#result_list")
    take(page, "admin")
    phone = browser.new_page(viewport=PHONE, color_scheme="dark", device_scale_factor=2)
    phone.goto(site.url)
    take(phone, "first-page-phone")
    send(phone, sorted(CAST.glob("*_3.jpg"))[7])
    phone.wait_for_selector(".result", timeout=60_000)
    take(phone, "result-phone")


def main() -> None:
    chromium = shutil.which("chromium") or sys.exit("Chromium is needed: apt install chromium.")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        site = Site(Path(name), {"LOOKALIKE_HTTPS": "0"})
        site.manage("prepare")
        site.manage("load_demo", "--fictional")
        try:
            site.start("valkey", "web", "worker")
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            take_all(browser, site, make_group(Path(name)))
            browser.close()
        finally:
            site.stop()


if __name__ == "__main__":
    main()
