"""From the release before to this version: with data, on SQLite and on PostgreSQL, and one process
after the other while visitors send photos (line 42)."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from pathlib import Path

import pytest

from tests.celebrities.postgres import make_database
from tests.faults.test_encoder_under_load import send_photos
from tests.live import CHECKOUT, Site, wait_for
from tests.visitor import PERSON, Visitor

pytestmark = pytest.mark.faults

RELEASE = "6adb962"
"""1.0.0: the commit whose migrations `tests/site/migrations-1.0.0.sha256` lists."""

SEEN = 5
"""Results that are waited for between two steps of an upgrade."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the release before."""
    folder = tmp_path_factory.mktemp("release")
    packed = subprocess.run(
        ["git", "archive", RELEASE], cwd=CHECKOUT, capture_output=True, check=False
    )
    if packed.returncode:
        pytest.skip(f"the commit {RELEASE} is not in this checkout's history")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


class Released(Site):
    """A site of the release, which still had a Procfile."""

    def command(self, name: str) -> list[str]:
        found = re.search(rf"^{name}: (.+)$", (self.checkout / "Procfile").read_text(), re.M)
        assert found
        return ["/bin/sh", "-c", found[1]]


def make_released(folder: Path, release: Path, **environment: str) -> Released:
    site = Released(folder, {"LOOKALIKE_RATE_LIMIT": "0", **environment})
    site.checkout = release
    site.manage("prepare")
    site.manage("load_demo", "--fictional")
    return site


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_42_an_upgrade_keeps_people_photos_and_results(
    kind: str,
    release: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    cast: dict[str, list[Path]],
) -> None:
    environment = {}
    if kind == "postgresql":
        environment["DATABASE_URL"] = make_database(request.getfixturevalue("postgres"), "upgraded")
    before = make_released(tmp_path, release, **environment)
    after = Site(tmp_path, {**before.environment, "LOOKALIKE_PORT": str(before.port)})
    after.port, after.url = before.port, before.url
    with Visitor(before.url) as visitor:
        before.start("valkey", "web", "worker")
        page = visitor.give(cast["kenji-morishige"][2])
        shown = PERSON.findall(visitor.wait_for_result(page))
        assert shown[0] == "kenji-morishige"
        before.stop("worker")
        waiting = visitor.give(cast["aiko-tsukimori"][2])
        before.stop()

        assert "48 people" in after.manage("prepare").stdout
        try:
            after.start("valkey", "web", "worker", "gallery")
            assert PERSON.findall(visitor.session.get(page, timeout=30).text) == shown
            assert PERSON.findall(visitor.wait_for_result(waiting))[0] == "aiko-tsukimori"
            assert visitor.find_people(cast["maren-fjellstad"][2])[0] == "maren-fjellstad"
        finally:
            after.stop()
    found = json.loads(after.manage("audit", "--json", fails=True).stdout)
    assert not any(found.values()), found


def test_42_a_rolling_restart_loses_no_photo(
    release: Path,
    tmp_path: Path,
    postgres: str,
    redis_url: str,
    cast: dict[str, list[Path]],
) -> None:
    """As docs/operations.md says: migrate, then the workers, then the web processes, here behind
    something that balances load."""
    database = make_database(postgres, "rolling")
    before = make_released(tmp_path, release, DATABASE_URL=database, REDIS_URL=redis_url)
    after = Site(tmp_path, {**before.environment})
    after.environment["LOOKALIKE_PORT"] = str(after.port)
    results: list[tuple[str, str]] = []
    ended = threading.Event()
    visitors = [Visitor(before.url), Visitor(before.url)]
    senders = [
        threading.Thread(target=send_photos, args=(visitor, cast, results, ended))
        for visitor in visitors
    ]

    def see_more(when: str) -> None:
        seen = len(results)
        wait_for(lambda: len(results) >= seen + SEEN, f"results {when}", seconds=120)

    before.start("web", "worker", "gallery")
    for sender in senders:
        sender.start()
    try:
        see_more("before")
        after.manage("prepare")
        see_more("of the old version on the new database")
        before.stop("worker")
        after.start("worker")
        see_more("of the new worker behind old pages")
        after.start("web")
        for visitor in visitors:
            visitor.url = after.url
        see_more("on new pages")
        see_more("on new pages alone")
        before.stop("web", "gallery")
        after.start("gallery")
        see_more("of the new version alone")
    finally:
        ended.set()
        for sender in senders:
            sender.join(120)
        before.stop()
        after.stop()
    assert [(slug, found) for slug, found in results if slug != found] == []
    ends = after.run_python(
        "from collections import Counter; from uploads.models import Upload; "
        "print(dict(Counter(Upload.objects.values_list('status', flat=True))))"
    )
    assert ends == str({"done": len(results)})
