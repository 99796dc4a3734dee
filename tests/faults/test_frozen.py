"""PostgreSQL, Valkey and S3 frozen (SIGSTOP), one after the other, while photos arrive: readiness
answers in time and names the part, pages end, and no photo is lost (lines 1, 2, 3 and 28)."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from lookalike.processes.valkey import find_server
from tests.live import Site, free_port, list_children, signal_all, wait_for
from tests.services import make_bucket, run_postgres
from tests.visitor import Visitor

pytestmark = [pytest.mark.faults, pytest.mark.services]

FROZEN_SECONDS = 30


@contextmanager
def running(command: list[str], answers: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(answers, command[0])
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(10)


def port_answers(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def family(process: int) -> list[int]:
    return [process, *list_children(process)]


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[dict[str, str], dict[str, list[int]]]]:
    """The environment of a site on three servers, and the processes of each."""
    valkey_port, s3_port = free_port(), free_port()
    valkey = [find_server(), "--port", str(valkey_port), "--save", ""]
    s3 = [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(s3_port)]
    with (
        run_postgres() as url,
        running(valkey, lambda: port_answers(valkey_port)) as queue,
        running(s3, lambda: port_answers(s3_port)) as bucket,
    ):
        address = f"http://127.0.0.1:{s3_port}"
        make_bucket(address)
        environment = {
            "DATABASE_URL": url,
            "LOOKALIKE_DB_SECONDS": "5",
            "REDIS_URL": f"redis://127.0.0.1:{valkey_port}/0",
            "LOOKALIKE_STORAGE": "s3",
            "LOOKALIKE_S3_BUCKET": "lookalike-tests",
            "LOOKALIKE_S3_ENDPOINT": address,
            "LOOKALIKE_S3_ACCESS_KEY": "tests",
            "LOOKALIKE_S3_SECRET_KEY": "tests",
            "LOOKALIKE_S3_REGION": "us-east-1",
            "LOOKALIKE_S3_ADDRESSING": "path",
            "LOOKALIKE_REQUEUE_AFTER": "10",
            "LOOKALIKE_LOST_AFTER": "60",
            "LOOKALIKE_SWEEP_EVERY": "2",
            "LOOKALIKE_RATE_LIMIT": "0",
        }
        pids = {"queue": family(queue.pid), "storage": family(bucket.pid)}
        yield environment, pids


@pytest.fixture(scope="module")
def site(
    services: tuple[dict[str, str], dict[str, list[int]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("frozen"), services[0])
    made.manage("prepare")
    made.manage("load_demo", "--fictional")
    made.start("web", "worker", "gallery")
    wait_for(lambda: is_ready(made), f"readiness: {look(made)}", seconds=90)
    yield made
    made.stop()


def look(site: Site) -> dict[str, Any]:
    started = time.monotonic()
    answer = requests.get(f"{site.url}/healthz/ready", timeout=20)
    return {**answer.json(), "status": answer.status_code, "took": time.monotonic() - started}


def is_ready(site: Site) -> bool:
    try:
        return bool(look(site)["status"] == 200)
    except requests.RequestException:
        return False


def find_postgres(url: str) -> list[int]:
    """The processes of this server of run_postgres, by their data folder."""
    [name] = set(re.findall(r"lookalike-postgres-\w+", url))
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            cwd = str((folder / "cwd").readlink())
        except OSError:
            continue
        if b"postgres" in words[0] and name in cwd:
            found.append(int(folder.name))
    return found


def send(photo: Path, site: Site, ends: list[tuple[int, str]]) -> None:
    """One visitor's attempt: the status, and the page of the result."""
    with Visitor(site.url) as visitor:
        visitor.patience = 2 * FROZEN_SECONDS
        try:
            ends.append((200, visitor.give(photo)))
        except (AssertionError, ValueError):
            ends.append((503, ""))
        except requests.RequestException:
            ends.append((0, ""))


@pytest.mark.parametrize("part", ["queue", "storage", "database"])
def test_28_readiness_answers_and_no_photo_is_lost(
    part: str,
    site: Site,
    services: tuple[dict[str, str], dict[str, list[int]]],
    cast: dict[str, list[Path]],
) -> None:
    site.run_python("from uploads.models import Upload; Upload.objects.all().delete()")
    processes = (
        find_postgres(services[0]["DATABASE_URL"]) if part == "database" else services[1][part]
    )
    assert processes
    photos = [paths[2] for paths in cast.values()][:20]
    ends: list[tuple[int, str]] = []
    senders = [threading.Thread(target=send, args=(photo, site, ends)) for photo in photos]
    for thread in senders[:4]:
        thread.start()
    time.sleep(1)
    seen = []
    try:
        signal_all(processes, signal.SIGSTOP)
        deadline = time.monotonic() + FROZEN_SECONDS
        for thread in senders[4:]:
            thread.start()
        while time.monotonic() < deadline:
            seen.append(look(site))
            live = requests.get(f"{site.url}/healthz/live", timeout=10)
            assert live.status_code == 200
            time.sleep(1)
    finally:
        signal_all(processes, signal.SIGCONT)
    for thread in senders:
        thread.join(120)

    assert max(each["took"] for each in seen) < 6, "three seconds, on a machine that is busy"
    late = seen[2:]
    assert {each["status"] for each in late} == {503}
    false = {name for each in late for name, is_so in each.items() if is_so is False}
    assert false - {"well"} == {part}
    wait_for(lambda: is_ready(site), "readiness", seconds=60)
    for status, page in ends:
        if status == 200:
            with requests.Session() as session:
                assert session.get(page, timeout=30).status_code == 404, "not the sender's browser"
    assert 0 not in {status for status, _ in ends}

    def rest() -> str:
        return site.run_python(
            "from collections import Counter; from uploads.models import Upload; "
            "print(sorted(Counter(Upload.objects.values_list('status', 'failure')).items()))"
        )

    def all_done() -> bool:
        return "running" not in rest() and "queued" not in rest()

    wait_for(all_done, f"the rest: {rest()}; {site.log('worker')[-2000:]}", seconds=150)
    assert "failed" not in rest(), rest()
