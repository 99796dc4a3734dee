"""Where the time of a piece of work goes, by the functions that it calls."""

from __future__ import annotations

import cProfile
import inspect
import pstats
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.timing import RUNS

Place = tuple[str, int, str]
"""A function as pstats names it: file, first line, name."""


class NotCalled(Exception):
    """The profiled work never called the function of a part."""


def profile_parts(
    work: Callable[[], Any], parts: Mapping[str, Callable[..., Any]], runs: int = RUNS
) -> dict[str, float]:
    """Milliseconds per run in each part, callees included, and in "the rest".

    ``parts`` maps a column's name to its function; the functions must not call each other.
    ``work`` runs ``runs`` times, and once before to warm up. Profiling slows Python down a
    little. Raises NotCalled.
    """
    work()
    profile = cProfile.Profile()
    for _ in range(runs):
        profile.runcall(work)
    times, whole = _read_times(profile)
    found = {part: _time_of(part, function, times) for part, function in parts.items()}
    found["the rest"] = whole - sum(found.values())
    return {part: round(seconds * 1000 / runs, 2) for part, seconds in found.items()}


def _read_times(profile: cProfile.Profile) -> tuple[dict[Place, float], float]:
    """Cumulative seconds of each function, and of all together."""
    raw: Any = pstats.Stats(profile)
    return {place: row[3] for place, row in raw.stats.items()}, raw.total_tt


def _time_of(part: str, function: Callable[..., Any], times: Mapping[Place, float]) -> float:
    code = inspect.unwrap(function).__code__
    seconds = times.get((code.co_filename, code.co_firstlineno, code.co_name), 0.0)
    if not seconds:
        raise NotCalled(f"{part}: {function.__module__}.{function.__qualname__}")
    return seconds
