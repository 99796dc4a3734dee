"""Keeps one process of the site running: `python -m lookalike.processes.supervise COMMAND ...`.

The Procfile puts this in front of each command. It does what honcho leaves open:

- a process that dies (out of memory, killed) is started again after a second, unless it
  keeps dying, in which case the whole site stops and says so;
- only the process itself is asked to stop, not its children with it, so that a worker can
  finish or hand back its task; whatever is still there after 4.5 s is killed;
- nothing outlives this process, nor the honcho that started it, even if those are killed.
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
from types import FrameType

STOP_SECONDS = 4.5
"""honcho waits 5 s between asking and killing."""

SUPERVISOR = "LOOKALIKE_SUPERVISOR"
"""The environment variable that holds the process id of honcho."""

SHORT_LIFE, MOST_SHORT_LIVES = 10.0, 3

PR_SET_PDEATHSIG = 1


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the system signal this process when its parent ends. Linux only, else nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def keep_running(command: Sequence[str], before_stop: Callable[[], None] = lambda: None) -> int:
    """Run the command until asked to stop by SIGTERM or SIGINT; the exit status to end with.

    ``before_stop`` is called before the command is asked to stop, and may take its time.
    """
    asked = _listen_for_stop()
    is_orphan = _watch_supervisor()
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
        short_lives = short_lives + 1 if time.monotonic() - started < SHORT_LIFE else 0
        if short_lives >= MOST_SHORT_LIVES:
            return child.returncode if child.returncode > 0 else 1
        _say(f"ended ({_describe(child.returncode)}), starting it again.")
        time.sleep(1)


def _listen_for_stop() -> list[int]:
    """A list that is empty until the first request to stop."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return asked


def _watch_supervisor() -> Callable[[], bool]:
    """A question: is the honcho that started this gone?"""
    pid = int(os.environ.get(SUPERVISOR) or 0)
    if not pid:
        return lambda: False
    if sys.platform == "linux":
        # A handle tells one that has ended but is not yet reaped, and no later process.
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
    """Kill what is left of the command's process group, its children included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _describe(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(keep_running(sys.argv[1:]))
