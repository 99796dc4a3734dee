"""`make screenshots`: the pictures of docs/curating.md, taken of a site with a mixed-up gallery."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from make_screenshots import ARGUMENTS, CAST, DESK, PICTURES, take
from playwright.sync_api import Page, sync_playwright

from tests.live import ADMIN_PASSWORD, Site
from tests.mixed_gallery import make_mixed_gallery

PORTRAITS = "/admin/celebrities/portrait"
PEOPLE = "/admin/celebrities/celebrity/"


def take_all(page: Page, url: str) -> None:
    page.goto(f"{url}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", ADMIN_PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector(".desk-morning")
    take(page, "desk-morning")
    page.goto(f"{url}{PORTRAITS}/queue/odd/")
    take(page, "desk-odd")
    page.goto(f"{url}{PORTRAITS}/queue/odd/")
    page.keyboard.press("m")
    page.wait_for_selector(".desk-empty")
    page.goto(f"{url}{PEOPLE}?q=Kenji")
    page.click("#result_list tbody th a")
    page.wait_for_selector(".desk-seen")
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_load_state("networkidle")
    take(page, "desk-person", full=True)
    page.goto(f"{url}{PEOPLE}?q=Saoirse")
    page.click("#result_list tbody th a")
    page.click("a.historylink")
    page.wait_for_selector(".desk-history")
    take(page, "desk-history")
    page.goto(f"{url}/admin/celebrities/indexbuild/")
    take(page, "desk-index")


def main() -> None:
    chromium = shutil.which("chromium") or sys.exit("Chromium is needed: apt install chromium.")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        site = Site(Path(name) / "var", {"LOOKALIKE_HTTPS": "0", "LOOKALIKE_DEMO": "0"})
        site.data_dir.mkdir()
        site.manage("prepare")
        gallery = make_mixed_gallery(Path(name) / "gallery", CAST)
        site.manage("import_celebrities", str(gallery), fails=True)
        site.manage("load_demo", "--fictional")
        try:
            site.start("valkey", "web")
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            take_all(browser.new_page(viewport=DESK), site.url)
            browser.close()
        finally:
            site.stop()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    main()
