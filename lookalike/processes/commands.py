"""The processes that make up the site, and the command of each.

`manage.py serve` runs them all, `manage.py serve worker` one of them, for systemd or a container.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lookalike.processes.valkey import command_line

_CELERY = (
    # Without these glibc keeps freed blocks of up to 32 MB: 60 MB a process after some photos.
    *("env", "MALLOC_MMAP_THRESHOLD_=16000000", "MALLOC_TRIM_THRESHOLD_=16000000"),
    *("nice", "-n", "10", "celery", "--quiet", "-A", "lookalike.celery", "worker"),
    *("--without-gossip", "--without-mingle"),
)
_LEAN = (
    # The sums of one photo are small, and threads for more would wait for them at full speed.
    *("env", "OPENBLAS_NUM_THREADS=1"),
    # Else glibc keeps freed memory apart for each of eight threads.
    "MALLOC_ARENA_MAX=2",
)

NAMES = ("valkey", "web", "worker", "gallery")
"""The embedded Valkey first: it is stopped last."""


def find_own_programs() -> None:
    """Let this environment's programs come first."""
    here = Path(sys.executable).parent
    os.environ["PATH"] = f"{here}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def command_of(name: str) -> list[str]:
    """The command of one of NAMES. Raises ValkeyMissing or UnsafeFolder for "valkey"."""
    match name:
        case "valkey":
            return command_line()
        case "web":
            return [*_LEAN, "gunicorn", "lookalike.wsgi"]
        case "worker":
            return [*_LEAN, *_CELERY, "-Q", "match", "-n", "match@%h"]
        case _:
            # One process: builds and portraits in a thread, what happens by the clock in others.
            return [*_CELERY, "-Q", "gallery", "-n", "gallery@%h", "-P", "threads", "-c", "1"]
