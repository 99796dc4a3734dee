"""Archives that a curator was given by somebody else."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.celebrities.factories import make_photo
from tests.conftest import MakeSite
from tests.live import CHECKOUT, Site

pytestmark = pytest.mark.strangers

MEGABYTES = 300


def import_archive(site: Site, path: Path) -> tuple[int, str, float]:
    """Exit status, output, and the most memory it had in megabytes."""
    most = 0
    with (
        (site.data_dir / "output.log").open("w+") as output,
        subprocess.Popen(
            [sys.executable, "manage.py", "import_celebrities", str(path), "--dry-run"],
            cwd=CHECKOUT,
            env=site.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                most = max(most, psutil.Process(process.pid).memory_info().rss)
            time.sleep(0.01)
        output.seek(0)
        return process.returncode, output.read(), most / 1e6


def test_26_a_manifest_of_450_megabytes(make_site: MakeSite, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", b"file,name\n" + b"x" * 450_000_000)
        archive.writestr("Ada Roe/a.jpg", make_photo())
    site = make_site()
    site.manage("prepare")

    status, output, megabytes = import_archive(site, tmp_path / "a.zip")

    assert status != 0
    assert "larger than 20,000,000 bytes" in output
    assert megabytes < MEGABYTES


def test_27_a_hundred_thousand_names(make_site: MakeSite, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(100_000):
            archive.writestr(f"../../{number}.jpg", b"")
    site = make_site()
    site.manage("prepare")

    _status, output, _megabytes = import_archive(site, tmp_path / "a.zip")

    assert len(output.splitlines()) < 60, output[:3000]
    assert not list(tmp_path.parent.glob("*.jpg"))
