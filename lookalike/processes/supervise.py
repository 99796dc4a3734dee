"""Keeps one process of the site running: `python -m lookalike.processes.supervise COMMAND ...`.

The Procfile puts this before each command, for what honcho does not do:

- A process that dies is restarted after a second. If three in a row die within 10 s of their
  start, this ends with the last one's status, and honcho stops the site.
- On a stop only the process itself gets SIGTERM, not its children, so that a worker can finish or
  hand back its task. Whatever runs 4.5 s later is killed.
- No process outlives this one or honcho, even if those are killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from lookalike.environ import PRIVATE_UMASK, read_number

STOP_SECONDS = 4.5
"""honcho kills 5 s after its SIGTERM."""

SUPERVISOR = "LOOKALIKE_SUPERVISOR"
"""The environment variable with the process id of honcho."""

PR_SET_PDEATHSIG = 1


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the kernel signal this process when its parent ends. Does nothing but on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def supervise(command: Sequence[str], before_stop: Callable[[], None] = lambda: None) -> int:
    """Run the command until SIGTERM or SIGINT. Returns the exit status to end with.

    ``before_stop`` runs before the command gets SIGTERM. Its time counts towards STOP_SECONDS.
    """
    asked = _catch_signals()
    is_orphan = _watch_honcho()
    short_lives = 0
    while True:
        started = time.monotonic()
        child = subprocess.Popen(command, start_new_session=True, preexec_fn=end_with_parent)  # noqa: S603
        while child.poll() is None and not asked and not is_orphan():
            time.sleep(0.1)
        if child.returncode is None:
            _stop(child, before_stop)
            return 0
        _kill_group(child.pid)
        if asked:
            return 0
        short_lives = short_lives + 1 if time.monotonic() - started < 10 else 0
        if short_lives == 3:
            return child.returncode if child.returncode > 0 else 1
        status = child.returncode
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        sys.stderr.write(f"ended ({how}), starting it again.\n")
        sys.stderr.flush()
        time.sleep(1)


def _catch_signals() -> list[int]:
    """Returns a list that collects the signals to stop."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: asked.append(number))
    return asked


def _watch_honcho() -> Callable[[], bool]:
    """Returns a function that tells whether honcho has ended."""
    pid = read_number(SUPERVISOR, 0)
    if not pid:
        return lambda: False
    if sys.platform == "linux":
        # Unlike a number, a handle notices zombies and never means a later process.
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return lambda: True
        return lambda: bool(select.select([handle], [], [], 0)[0])
    return lambda: not _exists(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _stop(child: subprocess.Popen[bytes], before_stop: Callable[[], None]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    before_stop()
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(max(deadline - time.monotonic(), 0.2))
    _kill_group(child.pid)
    child.wait()


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    os.umask(PRIVATE_UMASK)
    sys.exit(supervise(sys.argv[1:]))
