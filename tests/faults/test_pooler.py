"""Behind pgbouncer in transaction mode: two connections, four clients at once (line 29);
and without a pooler ten connections at most (line 30)."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import requests

from tests.celebrities.postgres import make_database
from tests.conftest import MakeSite
from tests.services import run_pgbouncer, run_postgres
from tests.visitor import Visitor

logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.faults, pytest.mark.services]


@pytest.fixture
def pooler() -> Iterator[tuple[str, str]]:
    """The DATABASE_URL through the pooler, and the server's own."""
    with run_postgres() as url, run_pgbouncer(url, size=2) as through:
        yield through, url


def test_29_four_clients_share_two_connections(
    make_site: MakeSite, pooler: tuple[str, str], cast: dict[str, list[Path]], tmp_path: Path
) -> None:
    through, url = pooler
    site = make_site(DATABASE_URL=through, LOOKALIKE_DB_POOLER="transaction")
    site.manage("prepare")
    site.manage("load_demo", "--fictional")
    site.start("valkey", "web", "worker", "gallery")
    commands = [
        ["rebuild_index"],
        ["export_vectors", str(tmp_path / "vectors.csv")],
        ["export_gallery", str(tmp_path / "gallery.zip")],
        ["purge_uploads"],
    ]
    with Visitor(site.url) as visitor, ThreadPoolExecutor(4) as pool:
        running = [pool.submit(site.manage, *words) for words in commands]
        for slug in list(cast)[:4]:
            assert visitor.find_people(cast[slug][0])[0] == slug
        for each in running:
            assert each.result().returncode == 0
    with psycopg.connect(url) as server:
        mine = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        ).fetchone()
    assert mine is not None
    assert mine[0] <= 2
    for name in ("web", "worker", "gallery"):
        assert "Traceback" not in site.log(name), site.log(name)[-3000:]


def test_30_four_web_threads_and_two_workers_take_ten_connections_at_most(
    make_site: MakeSite, postgres: str, cast: dict[str, list[Path]]
) -> None:
    url = make_database(postgres, "connections")
    site = make_site(
        DATABASE_URL=url,
        LOOKALIKE_WEB_PROCESSES="1",
        LOOKALIKE_WEB_THREADS="4",
        LOOKALIKE_WORKERS="2",
        LOOKALIKE_RATE_LIMIT="0",
    )
    site.manage("prepare")
    site.manage("load_demo", "--fictional")
    site.start("valkey", "web", "worker", "gallery")
    counts: list[int] = []

    def visit(slug: str) -> str:
        with Visitor(site.url) as visitor:
            found = visitor.find_people(cast[slug][0])
        requests.get(f"{site.url}/healthz/ready", timeout=20)
        return found[0]

    people = list(cast)[:24]
    with psycopg.connect(url, autocommit=True) as server, ThreadPoolExecutor(8) as pool:
        visits = [pool.submit(visit, slug) for slug in people]
        while not all(each.done() for each in visits):
            row = server.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND datname = 'connections' AND pid <> pg_backend_pid()"
            ).fetchone()
            counts.append(row[0] if row else 0)
            time.sleep(0.02)
    assert [each.result() for each in visits] == people
    logger.info("connections: %s", dict(Counter(counts)))
    assert max(counts) <= 10
