"""What this machine, container or service may use: processors and memory.

A control group may allow less than the machine has. Both versions of the kernel's interface are
read; where there is neither, as on macOS, the machine counts.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

MB = 1024 * 1024
WORKER_MB = 300
"""What a worker and its share of everything else take: with two workers the site takes 570 MB
(PSS) after 15 photos of 12 megapixels."""

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def count_workers() -> int:
    """How many photos to look at at once: one a processor, as far as the memory reaches."""
    return max(min(count_processors(), memory_bytes() // (WORKER_MB * MB)), 1)


def count_web_processes() -> int:
    return 2 if memory_bytes() >= 2000 * MB and count_processors() > 1 else 1


def count_processors() -> int:
    """Processors that this process may run on, by affinity and quota. At least 1."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # Not on macOS and Windows.
        allowed = os.cpu_count() or 1
    quotas = [*_quotas_v2(), *_quotas_v1()]
    return max(min(allowed, *(math.ceil(quota) for quota in quotas), allowed), 1)


def memory_bytes() -> int:
    """Memory that this process and its sisters may take together."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [*_numbers("", "memory.max"), *_numbers("memory", "memory.limit_in_bytes")]
    return min(total, *limits, total)


def _quotas_v2() -> Iterator[float]:
    for text in _read("", "cpu.max"):
        quota, _, period = text.partition(" ")
        if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)


def _quotas_v1() -> Iterator[float]:
    quotas = _numbers("cpu", "cpu.cfs_quota_us")
    periods = _numbers("cpu", "cpu.cfs_period_us")
    return (quota / period for quota, period in zip(quotas, periods, strict=False) if quota > 0)


def _numbers(controller: str, name: str) -> list[int]:
    return [int(text) for text in _read(controller, name) if text.lstrip("-").isdigit()]


def _read(controller: str, name: str) -> Iterator[str]:
    """The file of this process's group and of the groups around it. "" is version 2."""
    root = GROUPS / controller
    for group in _own_groups(controller):
        for folder in [root / group, *(root / parent for parent in Path(group).parents)]:
            with contextlib.suppress(OSError):
                yield (folder / name).read_text().strip()


def _own_groups(controller: str) -> list[str]:
    """This process's group, relative to the controller's root."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:
        return []
    parts = [line.split(":", 2) for line in lines]
    return [path.lstrip("/") for _, names, path in parts if controller in names.split(",")]
