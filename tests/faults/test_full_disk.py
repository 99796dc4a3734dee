"""A disk that fills up and is emptied again (line 41). Needs the right to mount a tmpfs."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.live import Site, wait_for
from tests.visitor import Visitor, agree

pytestmark = pytest.mark.faults

MEGABYTES = 160


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_41_a_full_disk_refuses_photos_and_recovers(
    small_disk: Path, cast: dict[str, list[Path]]
) -> None:
    site = Site(small_disk / "var", {"LOOKALIKE_MIN_FREE": "30000000", "LOOKALIKE_RATE_LIMIT": "0"})
    site.data_dir.mkdir()
    site.manage("prepare")
    site.manage("load_demo", "--fictional")
    site.start("valkey", "web", "worker", "gallery")
    filler = small_disk / "filler"
    try:
        with Visitor(site.url) as visitor:
            page = visitor.give(cast["kenji-morishige"][2])
            visitor.wait_for_result(page)
            fill(filler, leave=20_000_000)
            assert refuse(visitor, cast["kenji-morishige"][2]) == 503
            health = requests.get(f"{site.url}/healthz/ready", timeout=20).json()
            assert [name for name, is_so in health.items() if is_so is False] == ["well", "disk"]

            fill(filler, leave=0)
            assert refuse(visitor, cast["kenji-morishige"][2]) == 503
            assert "Deleted 1 upload." in site.manage("purge_uploads", "--all").stdout
            assert not [*site.data_dir.glob("media/uploads/*")]
            built = site.manage("rebuild_index", fails=True)
            assert built.returncode == 1
            assert "Traceback" not in built.stderr

            filler.unlink()
            wait_for(
                lambda: requests.get(f"{site.url}/healthz/ready", timeout=20).status_code == 200,
                f"readiness; {site.log('worker')[-1500:]} {site.log('valkey')[-800:]}",
                seconds=90,
            )
            assert visitor.find_people(cast["kenji-morishige"][2])[0] == "kenji-morishige"
    finally:
        site.stop()


def fill(path: Path, leave: int) -> None:
    """Fill the disk up to so many bytes."""
    free = shutil.disk_usage(path.parent).free - leave
    assert free > 0
    with path.open("ab", buffering=0) as file:
        try:
            for _ in range(free // 65536):
                file.write(bytes(65536))
            if not leave:
                while True:
                    file.write(bytes(4096))
        except OSError:
            time.sleep(0.1)


def refuse(visitor: Visitor, photo: Path) -> int:
    """The status of the answer to a photo, or to the form's page: a session cannot be stored on a
    disk without a byte."""
    form = visitor.session.get(visitor.url, timeout=30)
    if form.status_code != 200:
        assert "Retry-After" in form.headers
        return form.status_code
    with photo.open("rb") as file:
        answer = visitor.session.post(
            visitor.url, data=agree(form.text), files={"photo": file}, timeout=60
        )
    assert "Retry-After" in answer.headers
    return answer.status_code
