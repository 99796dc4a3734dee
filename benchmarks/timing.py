"""Timing that compares fairly: warm, medians, the order alternated from run to run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

RUNS = 9


def time_beside(
    ways: Mapping[str, Callable[[], Any]], *, runs: int = RUNS, warm: int = 2
) -> dict[str, float]:
    """The median milliseconds of each way of doing the same thing."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(runs + warm):
        for name in list(ways)[:: -1 if run % 2 else 1]:
            started = time.perf_counter()
            ways[name]()
            if run >= warm:
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
