"""Behind pgbouncer in transaction mode: two connections, four clients at once (line 29)."""

from __future__ import annotations

import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.conftest import MakeSite
from tests.live import free_port, wait_for
from tests.services import run_postgres
from tests.visitor import Visitor

pytestmark = [pytest.mark.faults, pytest.mark.services]

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/bin:/usr/bin:/bin")

CONFIGURATION = """
[databases]
* = host={folder} port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_db_connections = 2
"""


@pytest.fixture
def pooler(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The DATABASE_URL through the pooler, and the server's own."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    with run_postgres() as url:
        found = re.search(r"host=(\S+)", url)
        assert found
        folder = Path(found[1])
        port = free_port()
        configuration = folder.parent / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
        configuration.chmod(0o644)
        owner = pwd.getpwuid(folder.stat().st_uid).pw_name
        command = [PGBOUNCER, "-q", "-u", owner, str(configuration)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        through = f"postgresql://postgres@127.0.0.1:{port}/postgres"

        def answers() -> bool:
            try:
                psycopg.connect(through, connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        try:
            wait_for(answers, "pgbouncer", seconds=30)
            yield through, url
        finally:
            process.terminate()
            process.wait(10)


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
