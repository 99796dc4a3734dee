"""A control group with a limit of memory, below the one that the tests run in (Linux)."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path("/sys/fs/cgroup")


class Group:
    def __init__(self, folder: Path, version: int) -> None:
        self.folder = folder
        self.version = version

    def limit(self, size: int) -> None:
        names = ["memory.max"] if self.version == 2 else ["memory.limit_in_bytes"]
        (self.folder / names[0]).write_text(str(size))
        with contextlib.suppress(OSError):  # Nothing may be swapped out either.
            (self.folder / "memory.swap.max").write_text("0")

    def join(self) -> None:
        """Put this process, and all that it starts, into the group."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def oom_kills(self) -> int:
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        found = re.search(r"^oom_kill (\d+)$", (self.folder / name).read_text(), re.M)
        return int(found[1]) if found else 0

    def peak(self) -> int:
        """The most bytes that were taken at once, cached files included."""
        name = "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"
        return int((self.folder / name).read_text())


@contextlib.contextmanager
def memory_group(size: int) -> Iterator[Group]:
    """A group of so many bytes. Skips the test where this machine lets nobody make one."""
    group = _make()
    try:
        group.limit(size)
        yield group
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.folder.rmdir()
                break
            time.sleep(0.2)


def _make() -> Group:
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for _, controllers, path in lines:
        version = 1 if "memory" in controllers.split(",") else 2 if not controllers else 0
        root = ROOT / "memory" if version == 1 else ROOT
        folder = root / path.lstrip("/") / f"lookalike-test-{os.getpid()}"
        limit = "memory.limit_in_bytes" if version == 1 else "memory.max"
        if version == 0:
            continue
        with contextlib.suppress(OSError):
            folder.mkdir()
            if (folder / limit).exists():
                return Group(folder, version)
            folder.rmdir()
    pytest.skip("this machine lets nobody make a control group with a limit of memory")
