"""Where the time of a piece of work goes, by the functions that it calls."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Mapping
from typing import Any


def profile_parts(
    work: Callable[[], Any], parts: Mapping[str, str], runs: int = 9
) -> dict[str, float]:
    """Milliseconds a run in each part, all that it calls included, and in the rest.

    ``parts`` are functions that do not call each other, as "file.py:name", by what a table
    is to call them. ``work`` is called ``runs`` times, and once before. The profile itself
    makes Python a little slower than it is.
    """
    work()  # Warm.
    profile = cProfile.Profile()
    for _ in range(runs):
        profile.runcall(work)
    stats = pstats.Stats(profile)
    found = dict.fromkeys(parts, 0.0)
    for (path, _, function), (_, _, _, cumulative, _) in stats.stats.items():  # type: ignore[attr-defined]
        for label, place in parts.items():
            file, _, name = place.partition(":")
            if name == function and path.endswith(file):
                found[label] += cumulative * 1000 / runs
    whole = stats.total_tt * 1000 / runs  # type: ignore[attr-defined]
    found["the rest"] = whole - sum(found.values())
    return {label: round(ms, 2) for label, ms in found.items()}
