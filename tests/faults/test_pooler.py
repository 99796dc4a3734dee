"""Behind pgbouncer in transaction mode: two connections, four clients at once (line 29)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.conftest import MakeSite
from tests.services import run_pgbouncer, run_postgres
from tests.visitor import Visitor

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


def test_30_a_site_needs_ten_connections_at_most(
    make_site: MakeSite, cast: dict[str, list[Path]]
) -> None:
    with run_postgres() as url:
        site = make_site(DATABASE_URL=url)
        site.manage("prepare")
        site.manage("load_demo", "--fictional")
        site.start("valkey", "web", "worker", "gallery")
        most = 0
        with Visitor(site.url) as visitor, psycopg.connect(url, autocommit=True) as server:
            for slug in list(cast)[:6]:
                assert visitor.find_people(cast[slug][0])[0] == slug
                row = server.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND pid <> pg_backend_pid()"
                ).fetchone()
                most = max(most, row[0] if row else 0)
        site.stop()
    assert most <= 25, "two web processes of eight threads, a worker, the gallery's"
