"""One visitor asks for the picture to share again and again; others use the site meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from tests.conftest import MakeSite
from tests.live import Site, find_processes
from tests.visitor import Visitor

pytestmark = pytest.mark.strangers

CONNECTIONS = 40
SECONDS = 15


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    site = make_site(demo=True, LOOKALIKE_WEB_PROCESSES="2")
    site.start("valkey", "web", "worker", "gallery")
    return site


def test_a_flood_of_pictures_takes_one_process_for_each_web_process(
    site: Site, cast: dict[str, list[Path]]
) -> None:
    ends = Counter[int]()
    over = threading.Event()
    with Visitor(site.url) as visitor, Visitor(site.url) as other:
        page = visitor.give(cast["kenji-morishige"][2])
        visitor.wait_for_result(page)
        cookies = visitor.session.cookies.get_dict()

        def ask() -> None:
            while not over.is_set():
                address = f"{page}faces/0/share.png"
                ends[requests.get(address, cookies=cookies, timeout=60).status_code] += 1

        threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        began, most, found = time.monotonic(), 0, []
        try:
            found = other.find_people(cast["maren-fjellstad"][2])
            while time.monotonic() < began + SECONDS:
                most = max(most, count_drawing(site))
                assert other.session.get(site.url, timeout=30).status_code == 200
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert found[0] == "maren-fjellstad"
    assert {*ends} == {200, 503}
    assert most == 2


def count_drawing(site: Site) -> int:
    """Processes that draw a picture just now."""
    words = [Path(f"/proc/{pid}/cmdline") for pid in find_processes(site.data_dir)]
    return sum(b"uploads.share.drawing" in read(path) for path in words)


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
