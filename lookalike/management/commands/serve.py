"""`manage.py serve` becomes the supervisor, and so keeps the lock on the data folder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from lookalike.environ import PRIVATE_UMASK, make_data_dir
from lookalike.processes.commands import NAMES, command_of, find_own_programs
from lookalike.processes.supervise import end_with_parent
from lookalike.processes.valkey import UnsafeFolder, ValkeyMissing


class Command(BaseCommand):
    help = (
        "Prepare the data folder and run the whole site: web, workers, embedded Valkey. With a "
        "name, run that process alone after `prepare`: for systemd and containers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", choices=NAMES, help="one process of the site")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"]:
            become(find_command(options["name"]))
        if "MAKELEVEL" in os.environ:
            end_with_parent()
        lock = lock_data_folder(settings.DATA_DIR)
        check_address(settings.HOST, settings.PORT)
        call_command("prepare", stdout=self.stdout, stderr=self.stderr)
        self.stdout.write("Starting. Ctrl-C stops everything.")
        self.stdout.flush()
        os.set_inheritable(lock.fileno(), True)
        names = NAMES[1:] if settings.REDIS_URL else NAMES
        become([sys.executable, "-m", "lookalike.processes.supervise", *names])


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


def find_command(name: str) -> list[str]:
    try:
        return command_of(name)
    except (ValkeyMissing, UnsafeFolder) as problem:
        raise CommandError(str(problem)) from None


def become(command: Sequence[str]) -> None:
    """Replace this process by the command, in the project's folder and environment."""
    find_own_programs()
    os.environ["PYTHONUNBUFFERED"] = "1"
    os.chdir(settings.BASE_DIR)
    os.umask(PRIVATE_UMASK)
    os.execvp(command[0], [*command])  # noqa: S606
