"""Two gallery workers at once do no harm (line 11)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.conftest import MakeSite
from tests.live import Site, wait_for
from tests.visitor import Visitor

pytestmark = pytest.mark.faults


def test_11_two_schedulers(make_site: MakeSite, cast: dict[str, list[Path]]) -> None:
    site = make_site(demo=True, LOOKALIKE_SWEEP_EVERY="1", LOOKALIKE_REQUEUE_AFTER="5")
    site.start("valkey", "web", "worker", "gallery")
    second = Site(site.data_dir, site.environment)
    second.environment = site.environment
    second.start("gallery")
    try:
        with Visitor(site.url) as visitor:
            for slug in list(cast)[:8]:
                assert visitor.find_people(cast[slug][0])[0] == slug
        time.sleep(5)
        wait_for(lambda: site.manage("status", fails=True).returncode == 0, "a well site")
    finally:
        second.stop()
    ends = site.run_python(
        "from uploads.models import Match, Upload; "
        "print(Upload.objects.filter(status='done', attempts=1).count(), Upload.objects.count())"
    )
    assert ends == "8 8"
    for name in ("gallery", "worker"):
        assert "Traceback" not in site.log(name)
