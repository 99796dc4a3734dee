"""Keeps the site's processes running: `python -m lookalike.processes.supervise NAME ...`.

One small process for all of them, which `manage.py serve` becomes:

- A process that dies is started again after a second. If three in a row of one name die within
  10 s of their start, everything is stopped, and this ends with the last one's status.
- On a stop a process gets SIGTERM, not its children, so that a worker can finish or hand back its
  task. Whatever runs 4.5 s later is killed. Valkey is stopped after all others.
- No process outlives this one, even if it is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence

from lookalike.environ import PRIVATE_UMASK
from lookalike.processes.commands import command_of, find_own_programs
from lookalike.processes.valkey import UnsafeFolder, ValkeyMissing

STOP_SECONDS = 4.5
"""Until a process that was asked to end is killed."""

SHORT_SECONDS = 10
MOST_SHORT_LIVES = 3

PR_SET_PDEATHSIG = 1


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the kernel signal this process when its parent ends. Does nothing but on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


class Kept:
    """One process of the site, started again when it ends."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.command = command
        self.short_lives = 0
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        self.ended_at: float | None = None
        # Asked to end without Valkey, a worker waits for it. Its task is delivered again.
        is_worker = self.name not in {"valkey", "web"}
        number = signal.SIGKILL if is_worker else signal.SIGTERM
        self.child = subprocess.Popen(  # noqa: S603
            self.command, start_new_session=True, preexec_fn=lambda: end_with_parent(number)
        )

    def tend(self) -> int | None:
        """Start it again a second after it ended. Returns its status if that is of no use."""
        if self.child.poll() is None:
            return None
        if self.ended_at is None:
            self.note_end()
        if self.short_lives >= MOST_SHORT_LIVES:
            return self.child.returncode if self.child.returncode > 0 else 1
        if self.ended_at and time.monotonic() > self.ended_at + 1:
            self.start()
        return None

    def note_end(self) -> None:
        self.kill()
        self.ended_at = time.monotonic()
        is_short = self.ended_at - self.started < SHORT_SECONDS
        self.short_lives = self.short_lives + 1 if is_short else 0
        status = self.child.returncode
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        sys.stderr.write(f"{self.name} ended ({how}), starting it again.\n")
        sys.stderr.flush()

    def kill(self) -> None:
        """Kill the process and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)


def supervise(commands: Mapping[str, Sequence[str]]) -> int:
    """Run the commands until SIGTERM, SIGINT or SIGHUP. Returns the status to end with."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: asked.append(number))
    kept = [Kept(name, command) for name, command in commands.items()]
    status = None
    while status is None and not asked:
        status = next((found for each in kept if (found := each.tend()) is not None), None)
        time.sleep(0.1)
    stop(each for each in kept if each.name != "valkey")
    stop(each for each in kept if each.name == "valkey")
    return status or 0


def stop(some: Iterable[Kept]) -> None:
    """Ask each to end, and kill what has not after STOP_SECONDS."""
    going = list(some)
    for each in going:
        each.child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for each in going:
        with contextlib.suppress(subprocess.TimeoutExpired):
            each.child.wait(max(deadline - time.monotonic(), 0))
        each.kill()
        each.child.wait()


def main(names: Sequence[str]) -> int:
    find_own_programs()
    try:
        commands = {name: command_of(name) for name in names}
    except (ValkeyMissing, UnsafeFolder) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return supervise(commands)


if __name__ == "__main__":
    os.umask(PRIVATE_UMASK)
    sys.exit(main(sys.argv[1:]))
