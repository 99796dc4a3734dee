"""Part "start": `make run` in an empty data folder, until the page, a match and all people."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")

from benchmarks.figures import Figures
from benchmarks.paths import ROOT, WORK
from benchmarks.portraits import make_photos
from tests.live import Site, wait_for
from tests.visitor import Visitor

LONGEST = 900
"""Seconds, on a slow machine under load."""


def bench_start() -> Figures:
    folder = WORK / "start"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    site = Site(folder, {"LOOKALIKE_HTTPS": "0", "LOOKALIKE_DEMO": "1"})
    portrait = make_photos()["450x550 portrait"]
    started = time.perf_counter()
    served = subprocess.Popen(
        [sys.executable, "manage.py", "serve"], cwd=ROOT, env=site.environment
    )

    def seconds_until(happened: Callable[[], bool], what: str) -> float:
        wait_for(happened, what, LONGEST)
        return round(time.perf_counter() - started, 1)

    try:
        return {
            "page_s": seconds_until(site.answers, "the first page"),
            "match_s": seconds_until(lambda: finds_people(site, portrait), "the first match"),
            "people_s": seconds_until(lambda: all_are_read(site), "all people"),
        }
    finally:
        served.terminate()
        served.wait(30)


def finds_people(site: Site, photo: Path) -> bool:
    with Visitor(site.url) as visitor:
        return bool(visitor.find_people(photo))


def all_are_read(site: Site) -> bool:
    with Visitor(site.url) as visitor:
        return "so far" not in visitor.session.get(site.url, timeout=30).text
