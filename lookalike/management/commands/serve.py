"""`manage.py serve` becomes honcho, and so keeps the lock on the data folder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sys
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from lookalike.environ import make_data_dir
from lookalike.processes.supervise import SUPERVISOR, end_with_parent


class Command(BaseCommand):
    help = "Prepare the data folder and run the whole site: web, workers, embedded Valkey."

    def handle(self, *args: Any, **options: Any) -> None:
        if "MAKELEVEL" in os.environ:
            end_with_parent()
        lock = lock_data_folder(settings.DATA_DIR)
        check_address(settings.HOST, settings.PORT)
        call_command("prepare", stdout=self.stdout, stderr=self.stderr)
        self.stdout.write("Starting. Ctrl-C stops everything.")
        self.stdout.flush()
        os.set_inheritable(lock.fileno(), True)
        become_honcho()


def lock_data_folder(folder: Path) -> IO[str]:
    """Lock the folder for this site. Raises CommandError if a site runs on it already."""
    make_data_dir()
    lock = (folder / "run.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise CommandError(
            f"Lookalike runs on {folder} already (process {lock.read().strip()}). "
            "Stop it first, or set LOOKALIKE_DATA_DIR to another folder."
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def check_address(host: str, port: int) -> None:
    """Raises CommandError if gunicorn could not listen on this address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as problem:
        if isinstance(problem, OSError) and problem.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} of {host} is taken by another program. Stop that, or choose "
                f"another port, such as LOOKALIKE_PORT={port + 1}."
            ) from None
        raise CommandError(
            f"{host} port {port} cannot be used: {problem}. "
            "Choose another with LOOKALIKE_HOST and LOOKALIKE_PORT."
        ) from None


def become_honcho() -> None:
    """Replace this process by honcho. With REDIS_URL set it runs no Valkey."""
    python = Path(sys.executable)
    os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.environ["PYTHONUNBUFFERED"] = "1"
    os.environ[SUPERVISOR] = str(os.getpid())
    os.chdir(settings.BASE_DIR)
    needed = ["web", "worker", "gallery"] if settings.REDIS_URL else []
    options = ["--env", os.devnull, "--procfile", "Procfile"]
    os.execv(python, [str(python), "-m", "honcho", "start", *options, *needed])  # noqa: S606
