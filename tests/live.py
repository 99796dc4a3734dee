"""A site as an operator runs it: real processes, on a data folder of its own.

Tests that need a worker, a broker or a browser talk to one of these; it shares nothing with
pytest's own process but the exported networks.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis
from django.core.cache import cache
from redis.backoff import NoBackoff
from redis.retry import Retry

from lookalike.processes import heartbeat

CHECKOUT = Path(__file__).resolve().parent.parent
ADMIN_PASSWORD = "a password for the tests alone"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(happened: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something is so; fails with what it was, should it never be."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.05)


class Site:
    """One site: its environment, its processes. Use `start`, `manage`, `url`, and `stop`."""

    checkout = CHECKOUT
    """The folder of the version that it runs."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket = data_dir / "valkey.sock"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "LOOKALIKE_DATA_DIR": str(data_dir),
            "LOOKALIKE_PORT": str(self.port),
            "LOOKALIKE_FETCH_WEIGHTS": "0",
            "LOOKALIKE_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "LOOKALIKE_WORKERS": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONWARNINGS": "",
            **environment,
        }

    def manage(self, *words: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a management command on this site. Its output, both streams, is in the answer."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.checkout,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
        )
        assert fails or done.returncode == 0, done.stdout + done.stderr
        return done

    def run_python(self, code: str) -> str:
        """What a piece of Python prints in a process of its own, Django being set up."""
        done = self.manage("shell", "--no-imports", "--command", code)
        return done.stdout.strip()

    def start(self, *names: str) -> None:
        """Start processes of the site, each under a supervisor of its own, and wait until each
        does its work."""
        for name in names:
            with (self.data_dir / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.command(name),
                    cwd=self.checkout,
                    env=self.environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            if name == "valkey":
                wait_for(self.has_broker, "Valkey")
        if "web" in names:
            wait_for(self.answers, f"the site at {self.url}; {self.log('web')}")
        if "worker" in names:
            wait_for(self.has_worker, "the worker")

    def command(self, name: str) -> list[str]:
        return [sys.executable, "-m", "lookalike.processes.supervise", name]

    def log(self, name: str) -> str:
        path = self.data_dir / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def broker(self) -> redis.Redis:
        """A client of the site's Valkey, which doesn't try again. Use it with `with`."""
        once = Retry(NoBackoff(), retries=0)
        if url := self.environment.get("REDIS_URL"):
            return redis.Redis.from_url(url, retry=once)
        return redis.Redis(unix_socket_path=str(self.socket), retry=once)

    def has_broker(self) -> bool:
        try:
            with self.broker() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def has_worker(self) -> bool:
        """Whether a worker of the queue `match` has been heard of, as the site would ask."""
        try:
            with self.broker() as client:
                return bool(client.exists(cache.make_key(heartbeat.KEY)))
        except redis.RedisError:
            return False

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/admin/login/", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    def stop(self, *names: str) -> None:
        """Stop these processes, or all, as `serve` does: the broker last."""
        asked = names or (*self.processes,)
        for some in ({*asked} - {"valkey"}, {*asked} & {"valkey"}):
            going = [self.processes.pop(name) for name in some]
            for process in going:
                process.send_signal(signal.SIGTERM)
            for process in going:
                process.wait(15)

    def children(self, name: str) -> list[int]:
        """The process ids below a process, those of the command itself first."""
        return list_children(self.processes[name].pid)


class Served:
    """A site run by `manage.py serve`, with what it has printed. ``before`` is called in the new
    process first."""

    def __init__(
        self, site: Site, before: Callable[[], None] | None = None, **environment: str
    ) -> None:
        self.site = site
        self.output_path = site.data_dir / "output.log"
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=CHECKOUT,
                env={**site.environment, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before,
            )

    @property
    def output(self) -> str:
        return self.output_path.read_text(errors="replace")

    def processes(self) -> list[int]:
        return find_processes(self.site.data_dir)

    def wait_until_all_runs(self) -> None:
        wait_for(self.site.answers, f"the site; {self.output}")
        wait_for(self.site.has_worker, f"the worker; {self.output}")


def list_children(pid: int) -> list[int]:
    """The process ids of all descendants, nearest first (Linux)."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # The thread has just ended.
            found += [int(word) for word in task.read_text().split()]
    return found + [below for child in found for below in list_children(child)]


def is_running(pid: int) -> bool:
    """Whether the process is there and more than a zombie (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def find_processes(data_dir: Path) -> list[int]:
    """Every running process that has this data folder in its environment, or works in it, as
    Valkey does (Linux)."""
    numbers = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [pid for pid in numbers if is_running(pid) and _belongs_to(pid, data_dir)]


def signal_all(processes: list[int], number: signal.Signals) -> None:
    """Those that still run."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def words_of(pid: int) -> str:
    """The command line of a process, or nothing if it has ended (Linux)."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _belongs_to(pid: int, data_dir: Path) -> bool:
    folder = Path(f"/proc/{pid}")
    try:
        variables = (folder / "environ").read_bytes().split(b"\0")
        works_in = (folder / "cwd").readlink()
    except OSError:
        return False
    return f"LOOKALIKE_DATA_DIR={data_dir}".encode() in variables or (
        works_in.is_relative_to(data_dir)
    )
