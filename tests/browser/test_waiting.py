"""The waiting page: what it says, how it polls, how it ends."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.giving import choose_photo
from tests.conftest import DEMO
from tests.live import Site, wait_for

pytestmark = pytest.mark.browser

PHOTO = DEMO / "kenji-morishige_3.jpg"

SHOW_HIDDEN = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
}"""


@contextmanager
def worker_asleep(site: Site) -> Iterator[None]:
    """The site's worker stands still, as a machine under load would make it."""
    processes = [site.processes["worker"].pid, *site.children("worker")]

    def send_all(number: signal.Signals) -> None:
        for process in processes:
            os.kill(process, number)

    def stands_still() -> bool:
        """Not in the middle of writing, which would keep the site itself from writing."""
        send_all(signal.SIGSTOP)
        database = sqlite3.connect(site.data_dir / "lookalike.sqlite3", timeout=0.5)
        with closing(database), suppress(sqlite3.OperationalError):
            database.execute("BEGIN IMMEDIATE")
            return True
        send_all(signal.SIGCONT)
        return False

    wait_for(stands_still, "a moment in which the worker writes nothing")
    try:
        yield
    finally:
        send_all(signal.SIGCONT)


def send_photo(page: Page) -> None:
    choose_photo(page, PHOTO)
    page.check("#id_consent")
    page.click("#send")
    page.wait_for_selector(".waiting")


def count_polls(page: Page, milliseconds: int) -> int:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.wait_for_timeout(milliseconds)
    return sum(url.endswith("/status/") for url in seen)


def test_it_works(open_page: OpenPage, live_site: Site) -> None:
    page = open_page()
    with worker_asleep(live_site):
        send_photo(page)
        assert page.inner_text(".steps [aria-current]").startswith("In the queue")
        assert "You’re next." in page.inner_text(".steps")
        assert page.title().startswith("Looking for your look-alikes")
        assert "Comparing with 48 people" in page.inner_text(".steps")
        assert page.inner_text("#announce") == "Your photo is in the queue."
        assert count_polls(page, 3500) >= 2
    page.wait_for_selector(".result", timeout=60_000)
    assert page.inner_text("#announce") == "Your result is ready."
    assert page.title() == "✓ Your result is ready"
    assert count_polls(page, 3000) == 0


def test_asks_less_often_while_nobody_looks(open_page: OpenPage, live_site: Site) -> None:
    page = open_page()
    with worker_asleep(live_site):
        send_photo(page)
        page.wait_for_timeout(1500)
        page.evaluate(SHOW_HIDDEN, True)
        assert count_polls(page, 4000) <= 1
        page.evaluate(SHOW_HIDDEN, False)
        assert count_polls(page, 3000) >= 1
    page.wait_for_selector(".result", timeout=60_000)


def test_says_when_the_worker_is_away(open_page: OpenPage, live_site: Site) -> None:
    page = open_page()
    with worker_asleep(live_site):
        send_photo(page)
        page.wait_for_selector(".waiting .notice-warning", timeout=60_000)
        other = open_page("/")
        assert "is offline at the moment" in other.inner_text(".notice-warning")
    page.wait_for_selector(".result", timeout=60_000)


def test_says_when_the_connection_is_lost(open_page: OpenPage, live_site: Site) -> None:
    """After the third failure, with longer and longer pauses; the result comes all the same."""
    page = open_page()
    with worker_asleep(live_site):
        send_photo(page)
        page.context.set_offline(True)
        page.wait_for_selector("#connection:not([hidden])")
        assert page.inner_text("#connection").startswith("No connection. We keep trying")
        page.wait_for_timeout(2000)
        assert count_polls(page, 4000) <= 3
        page.context.set_offline(False)
        page.wait_for_selector("#connection", state="hidden", timeout=40_000)
    page.wait_for_selector(".result", timeout=60_000)


def test_photo_can_be_deleted_while_it_waits(open_page: OpenPage, live_site: Site) -> None:
    page = open_page()
    with worker_asleep(live_site):
        send_photo(page)
        address = page.url
        page.click("text=Cancel and delete the photo")
        page.click(".button-danger-main")
        assert page.inner_text("h1") == "Deleted"
    page.goto(address)
    assert page.inner_text("h1") == "This page is gone"


def test_handles_deletion_in_another_tab(open_page: OpenPage, live_site: Site) -> None:
    page = open_page()
    with worker_asleep(live_site):
        send_photo(page)
        tab = page.context.new_page()
        tab.goto(f"{page.url}delete/")
        tab.click(".button-danger-main")
        page.wait_for_selector("h1:text-is('This page is gone')")


def test_works_without_javascript(open_page: OpenPage, live_site: Site) -> None:
    page = open_page(javascript=False)
    with worker_asleep(live_site):
        send_photo(page)
        again = page.get_attribute("noscript a", "href")
        assert again
        assert page.url.endswith(again)
        assert "http-equiv" in page.content()
    # It loads anew by itself.
    page.wait_for_selector(".result", timeout=60_000)
