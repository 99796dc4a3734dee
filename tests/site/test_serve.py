"""`manage.py serve`: what `make run` starts. Everything runs, everything stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeSite
from tests.live import CHECKOUT, Served, wait_for
from tests.visitor import Visitor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def served(make_site: MakeSite) -> Iterator[Served]:
    # Whoever runs the tests under nohup ignores this signal, and a child would inherit that.
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    served = Served(make_site(demo=True))
    signal.signal(signal.SIGHUP, inherited)
    yield served
    served.process.kill()
    served.process.wait()
    wait_for(lambda: not served.processes(), "all to end")


def test_it_works(served: Served) -> None:
    served.wait_until_all_runs()
    assert f"Lookalike is at {served.site.url}/" in served.output
    assert "Encoder: dlib" in served.output
    served.process.terminate()
    served.process.wait(15)
    wait_for(lambda: not served.processes(), "every process to end", seconds=2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
def test_nothing_stays_behind(served: Served, number: signal.Signals) -> None:
    served.wait_until_all_runs()
    os.kill(served.process.pid, number)
    wait_for(lambda: not served.processes(), "every process to end", seconds=15)


@pytest.mark.parametrize("name", ["valkey-server", "-Q match", "gunicorn"])
def test_a_killed_process_comes_back(served: Served, name: str) -> None:
    served.wait_until_all_runs()
    [victim] = [pid for pid in served.processes() if is_leader(pid, name)]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: "starting it again" in served.output, "it to be started again")
    wait_for(lambda: served.site.answers() and served.site.has_worker(), "the site to be whole")


def is_leader(pid: int, name: str) -> bool:
    """Whether this is the command of that name itself: no keeper, no child of it."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return name in words and ".supervise" not in words and os.getpgid(pid) == pid
    except OSError:
        return False


def test_23_each_process_can_be_a_service_of_its_own(
    make_site: MakeSite, redis_url: str, cast: dict[str, list[Path]]
) -> None:
    site = make_site(demo=True, REDIS_URL=redis_url)
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", "serve", name], cwd=CHECKOUT, env=site.environment
        )
        for name in ("web", "worker", "gallery")
    ]
    try:
        wait_for(site.answers, "the pages")
        wait_for(site.has_worker, "the worker")
        with Visitor(site.url) as visitor:
            assert visitor.find_people(cast["kenji-morishige"][2])[0] == "kenji-morishige"
    finally:
        for process in processes:
            process.terminate()
        assert [process.wait(15) for process in processes] == [0, 0, 0]


def test_a_second_one_on_the_same_folder_is_refused(served: Served) -> None:
    served.wait_until_all_runs()
    refused = served.site.manage("serve", fails=True)
    assert refused.returncode == 1
    assert f"Lookalike runs on {served.site.data_dir} already" in refused.stderr


def test_a_port_that_is_taken_is_named(make_site: MakeSite) -> None:
    site = make_site()
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.port))
        other.listen()
        refused = site.manage("serve", fails=True)
    assert f"Port {site.port} of 127.0.0.1 is taken by another program." in refused.stderr
    assert not (site.data_dir / "lookalike.sqlite3").exists()


def test_an_address_that_is_not_this_machines_is_refused(make_site: MakeSite) -> None:
    refused = make_site(LOOKALIKE_HOST="203.0.113.7").manage("serve", fails=True)
    assert "203.0.113.7 port" in refused.stderr
    assert "LOOKALIKE_HOST" in refused.stderr


def test_the_embedded_valkey_stays_out_where_another_is_named(
    make_site: MakeSite, redis_url: str
) -> None:
    served = Served(make_site(demo=True, REDIS_URL=redis_url))
    try:
        served.wait_until_all_runs()
        assert not (served.site.data_dir / "valkey").exists()
    finally:
        served.process.terminate()
        served.process.wait(15)
