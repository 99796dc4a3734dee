"""An import that is killed again and again ends with the gallery of one that is not."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.celebrities.factories import SLUGS, cast_photo
from tests.conftest import CHECKOUT, MakeSite
from tests.live import Site
from tests.wikimedia import Wikimedia

IMPORT = ("import_wikidata", "--occupation", "actor", "--limit", "7", "--portraits", "2")
KILLS = 10

PEOPLE = (
    "SELECT wikidata_id, name, other_names, slug, gender, birth_year, death_year, source_page,"
    " source_values, published FROM celebrities_celebrity ORDER BY wikidata_id"
)
CATEGORIES = (
    "SELECT p.wikidata_id, c.slug FROM celebrities_celebrity_categories m"
    " JOIN celebrities_celebrity p ON p.id = m.celebrity_id"
    " JOIN celebrities_category c ON c.id = m.category_id ORDER BY 1, 2"
)
PORTRAITS = (
    "SELECT p.wikidata_id, source_sha1, image_hash, status, width, height, author, licence,"
    " licence_url, o.source_page, o.source_values FROM celebrities_portrait o"
    " JOIN celebrities_celebrity p ON p.id = o.celebrity_id ORDER BY source_sha1"
)
VECTORS = "SELECT vector FROM celebrities_portrait ORDER BY source_sha1"
FILES = "SELECT image, chip FROM celebrities_portrait"


def fill(server: Wikimedia) -> None:
    """Nine people, of whom one has no free picture and some have two."""
    for number, slug in enumerate(SLUGS[:9], 1):
        names = [f"{slug} 1.jpg", f"{slug} 2.jpg"][: 1 + number % 2]
        server.add_person(f"Q{number}", slug, sitelinks=100 + number, claims={"P18": names})
        for at, name in enumerate(names, 1):
            credit = {"License": "cc-by-nc-2.0"} if number == 8 else None
            server.add_file(name, cast_photo(slug, at), credit)


def start(site: Site) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *IMPORT, "--no-rebuild"],
        cwd=CHECKOUT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_after(site: Site, seconds: float) -> None:
    process = start(site)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.wait()


def read(site: Site, query: str) -> list[Any]:
    with sqlite3.connect(site.data_dir / "lookalike.sqlite3") as rows:
        return rows.execute(query).fetchall()


def vectors(site: Site) -> NDArray[np.float32]:
    return np.stack([np.frombuffer(row[0], "<f4") for row in read(site, VECTORS)])


def test_a_killed_import_goes_on(make_site: MakeSite) -> None:
    rng = random.Random(15)
    with Wikimedia() as server:
        fill(server)
        whole, cut = (make_site(**server.environment) for _ in range(2))
        began = time.monotonic()
        whole.manage(*IMPORT, "--no-rebuild")
        seconds = time.monotonic() - began
        asked = len(server.seen)
        server.moods += ["", "html", "", "", "429 1", "", "", "cut", "", "", "", "", "maxlag 1"]
        for _ in range(KILLS):
            # Later runs find answers in the cache, and are shorter.
            kill_after(cut, seconds * rng.uniform(0.22, 0.45))
        cut.manage(*IMPORT, "--no-rebuild")
        seen = server.seen[asked:]

    for query in (PEOPLE, CATEGORIES, PORTRAITS):
        assert read(cut, query) == read(whole, query)
    assert len(read(cut, PEOPLE)) == 7
    np.testing.assert_allclose(vectors(cut), vectors(whole), atol=1e-4)
    gallery = cut.data_dir / "media" / "gallery"
    assert all(Path(gallery / name).is_file() for row in read(cut, FILES) for name in row)
    # Nothing is left of portraits whose rows were not stored.
    stored = {path.name.partition(".")[0][:32] for path in gallery.glob("portraits/*/*")}
    assert stored == {Path(row[0]).stem for row in read(cut, FILES)}
    for told, until in server.silences:
        assert not [each for each in seen if told < each.at < until]
    times = [each.at for each in seen]
    assert all(fourth - first > 1 for first, fourth in zip(times, times[3:], strict=False))
