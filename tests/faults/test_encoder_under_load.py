"""The encoder changes while visitors send photos (line 39): a checkout of a version whose encoder
has another number builds beside workers of this version, and then takes their place."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import MakeSite
from tests.live import CHECKOUT, wait_for
from tests.visitor import Visitor

pytestmark = pytest.mark.faults


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """A copy of the site whose embedded encoder says that it is another."""
    copy = tmp_path / "next"
    ignored = shutil.ignore_patterns(".git", ".venv", "var", ".pytest_cache", ".mypy_cache")
    shutil.copytree(CHECKOUT, copy, ignore=ignored, symlinks=True)
    path = copy / "lookalike" / "faces" / "encoders" / "dlib.py"
    text = path.read_text()
    changed = text.replace('    version = "2"', '    version = "3"')
    assert changed != text, "the encoder's version is written otherwise now"
    path.write_text(changed)
    return copy


def test_39_no_photo_fails_while_the_encoder_changes(
    make_site: MakeSite, next_version: Path, cast: dict[str, list[Path]]
) -> None:
    site = make_site(demo=True, LOOKALIKE_RATE_LIMIT="0", LOOKALIKE_MAX_QUEUE="1000")
    site.start("valkey", "web", "worker")
    results: list[tuple[str, str]] = []
    ended = threading.Event()
    sender = threading.Thread(target=send_photos, args=(Visitor(site.url), cast, results, ended))
    sender.start()
    try:
        wait_for(lambda: len(results) >= 5, "the first results", seconds=120)
        site.checkout = next_version
        assert "is in use" in site.manage("rebuild_index").stdout
        seen = len(results)
        wait_for(lambda: len(results) >= seen + 5, "results of the old worker", seconds=120)
        site.stop("worker")
        site.start("worker")
        seen = len(results)
        wait_for(lambda: len(results) >= seen + 5, "results of the new worker", seconds=120)
    finally:
        ended.set()
        sender.join(120)
    assert results
    wrong = [(slug, found) for slug, found in results if slug != found]
    assert wrong == []
    site.checkout = CHECKOUT
    encoders = site.run_python(
        "from uploads.models import Upload; "
        "print(sorted(set(Upload.objects.values_list('encoder', 'failure'))))"
    )
    assert encoders == "[('dlib/2', ''), ('dlib/3', '')]"


def send_photos(
    visitor: Visitor,
    cast: dict[str, list[Path]],
    results: list[tuple[str, str]],
    ended: threading.Event,
) -> None:
    """Two a second at most. Notes whom each photo shows, and who was found first."""
    with visitor:
        while not ended.is_set():
            for slug, photos in list(cast.items())[:12]:
                if ended.is_set():
                    return
                started = time.monotonic()
                found = visitor.find_people(photos[0])
                results.append((slug, found[0] if found else "nobody"))
                time.sleep(max(0.5 - (time.monotonic() - started), 0))
