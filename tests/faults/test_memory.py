"""The whole site in one gigabyte, and what each process takes."""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import MakeSite
from tests.groups import Group, memory_group
from tests.live import Served, Site, wait_for
from tests.visitor import PERSON, Visitor

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's"),
]

logger = logging.getLogger(__name__)

MB = 1024 * 1024
SIZE = (9000, 6600)
"""59.4 million pixels, just below the site's limit."""

EACH = 15
"""Photos of each kind."""

TOO_COSTLY = "takes too much work to open"

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "baseline.jpg": ("RGB", {"quality": 60}),
    "progressive.jpg": ("RGB", {"quality": 60, "progressive": True}),
    "cmyk.jpg": ("CMYK", {"quality": 60, "progressive": True}),
    "palette.png": ("P", {}),
    "rgba.png": ("RGBA", {}),
    "plain.webp": ("RGB", {"quality": 30, "method": 0}),
    "plain.heic": ("RGB", {"quality": 30}),
}


@pytest.fixture
def gigabyte() -> Iterator[Group]:
    with memory_group(1024 * MB) as group:
        yield group


def take_memory(site: Site, processes: list[int]) -> dict[str, float]:
    """MB by process, pages that several share counted in parts (PSS)."""
    found = {}
    for pid in processes:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            sizes = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # It has ended meanwhile.
        pss = re.search(r"^Pss:\s+(\d+) kB", sizes, re.M)
        if pss is None:
            continue
        found[f"{pid} {words[-60:]}"] = int(pss[1]) / 1024
    return found


def write_large(folder: Path, photo: Path) -> list[Path]:
    """A photo at the pixel limit in each kind of file."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    large = Image.open(photo).convert("RGB").resize(SIZE, Image.Resampling.NEAREST)
    paths = []
    for name, (mode, options) in KINDS.items():
        paths.append(folder / name)
        large.convert(mode).save(paths[-1], **options)
    return paths


def test_12_photos_at_the_pixel_limit_fit_a_gigabyte(
    make_site: MakeSite, gigabyte: Group, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    photos = write_large(tmp_path, cast["kenji-morishige"][2])
    site = make_site(demo=True, LOOKALIKE_RATE_LIMIT="0")
    del site.environment["LOOKALIKE_WORKERS"]
    served = Served(site, gigabyte.join)
    try:
        served.wait_until_all_runs()
        with ThreadPoolExecutor(4) as pool:
            ends = Counter(pool.map(lambda photo: send(site, photo), photos * EACH))
        after = take_memory(site, served.processes())
        logger.info("%s", dict(ends))
        logger.info("%s", "\n".join(f"{name}: {size:.0f}" for name, size in after.items()))
        logger.info("%.0f MB in all", sum(after.values()))
        assert {how for _, how in ends} <= {"done", "refused"}
        assert ends["baseline.jpg", "done"] == ends["progressive.jpg", "done"] == EACH
        assert gigabyte.oom_kills() == 0, served.output
        assert "ended (" not in served.output
    finally:
        end(served)


def send(site: Site, photo: Path) -> tuple[str, str]:
    """The photo's name, and what became of it: done, failed or refused, at its header or by the
    process that opened it."""
    with Visitor(site.url) as visitor:
        statuses: list[int] = []
        visitor.session.hooks["response"].append(
            lambda answer, **about: statuses.append(answer.status_code)
        )
        try:
            page = visitor.give(photo)
        except AssertionError:
            return photo.name, "refused" if statuses[-1] == 422 else "broken"
        text = visitor.wait_for_result(page, seconds=240)
    if PERSON.search(text):
        return photo.name, "done"
    return photo.name, "refused" if TOO_COSTLY in text else "failed"


def end(served: Served) -> None:
    served.process.terminate()
    served.process.wait(20)
    wait_for(lambda: not served.processes(), "all to end")


def test_12_17_a_small_site_takes_350_megabytes_and_420_after_photos(
    make_site: MakeSite, cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    """One worker and one web process, what a machine of one processor gets by itself."""
    path = tmp_path / "12 megapixels.jpg"
    Image.open(cast["kenji-morishige"][2]).convert("RGB").resize((4000, 3000)).save(path)
    site = make_site(demo=True, LOOKALIKE_RATE_LIMIT="0", LOOKALIKE_WEB_PROCESSES="1")
    served = Served(site)
    try:
        served.wait_until_all_runs()
        idle = sum(take_memory(site, served.processes()).values())
        with Visitor(site.url) as visitor:
            for _ in range(100):
                visitor.wait_for_result(visitor.give(path))
        after = take_memory(site, served.processes())
        logger.info("%s", "\n".join(f"{name}: {size:.0f}" for name, size in after.items()))
        logger.info("idle %.0f MB, after %.0f MB", idle, sum(after.values()))
        assert idle < 350
        assert sum(after.values()) < 420
    finally:
        end(served)


def test_16_an_s3_site_shares_one_client(
    make_site: MakeSite, s3: dict[str, str], cast: dict[str, list[Path]]
) -> None:
    site = make_site(LOOKALIKE_RATE_LIMIT="0", LOOKALIKE_WEB_PROCESSES="1", **s3)
    site.manage("prepare")
    site.start("valkey", "web", "worker", "gallery")
    visitors = [Visitor(site.url) for _ in range(8)]
    for turn in range(10):
        for visitor in visitors:
            visitor.give(cast["kenji-morishige"][turn % 3])
    web = take_memory(site, site.children("web"))
    logger.info("%s", web)
    assert max(web.values()) < 150
