"""A Valkey that refuses writes for some seconds, as in a failover: everybody waits and goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.conftest import MakeSite
from tests.live import wait_for
from tests.visitor import Visitor

pytestmark = pytest.mark.faults


def test_workers_wait_and_go_on(make_site: MakeSite, cast: dict[str, list[Path]]) -> None:
    site = make_site(demo=True)
    site.start("valkey", "web", "worker", "gallery")
    mains = [site.children(name)[0] for name in ("worker", "gallery")]
    with site.broker() as client, Visitor(site.url) as visitor:
        client.replicaof("127.0.0.1", "1")
        refused = visitor.session.get(site.url, timeout=30)
        assert refused.status_code == 200
        time.sleep(8)
        client.execute_command("REPLICAOF NO ONE")
        wait_for(site.has_worker, f"the worker; {site.log('worker')}")
        found = visitor.find_people(cast["kenji-morishige"][2])

    assert found[0] == "kenji-morishige"
    assert [site.children(name)[0] for name in ("worker", "gallery")] == mains
    for name in ("worker", "gallery"):
        assert "Unrecoverable" not in site.log(name)
