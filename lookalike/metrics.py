"""Figures of the site in Prometheus's text format. No label names a visitor.

What happened is counted in the cache, where all processes meet; the rest is read when it is asked
for. A figure that cannot be read is left out.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.cache import cache

from lookalike import __version__
from lookalike.cache import add_all
from lookalike.outages import CACHE_FAILURES
from lookalike.processes.housekeeping import JOBS, SCHEDULER_KEY

logger = logging.getLogger(__name__)

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper limits in seconds of the histogram of each stage."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: a name without the prefix, its value, and labels."""

    name: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)
    kind: str = "gauge"
    help: str = ""

    def write(self) -> str:
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return (
            f"lookalike_{self.name}{{{labels}}} {self.value:g}"
            if labels
            else (f"lookalike_{self.name} {self.value:g}")
        )


Source = Callable[[], Iterable[Figure]]
SOURCES: list[Source] = []


def add_source(source: Source) -> Source:
    SOURCES.append(source)
    return source


def read_figures() -> list[Figure]:
    found: list[Figure] = []
    for source in SOURCES:
        try:
            found += source()
        except Exception as error:  # noqa: BLE001 - a service is away, and health says which.
            logger.warning("%s cannot be read: %s", source.__name__, type(error).__name__)
    return found


def write_text() -> str:
    lines, told = [], set()
    for figure in read_figures():
        family = figure.name
        if figure.kind == "histogram":
            family = family.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        if family not in told:
            told.add(family)
            lines.append(f"# TYPE lookalike_{family} {figure.kind}")
        lines.append(figure.write())
    return "\n".join(lines) + "\n"


def count(name: str, by: int = 1) -> None:
    """Add to a counter. Never raises: without Valkey nothing is counted."""
    count_all({name: by})


def count_all(amounts: dict[str, int]) -> None:
    """Add to several counters, in one trip to Valkey. Never raises."""
    with contextlib.suppress(*CACHE_FAILURES):
        add_all({f"count:{name}": by for name, by in amounts.items()})


def stage_counts(seconds: dict[str, float]) -> dict[str, int]:
    """What the time of each stage adds to its histogram."""
    amounts: dict[str, int] = {}
    for stage, taken in seconds.items():
        limit = next((each for each in BUCKETS if taken <= each), None)
        amounts |= {f"stage:{stage}:{limit}": 1, f"stage:{stage}:ms": round(taken * 1000)}
    return amounts


def read_counts(names: Iterable[str]) -> dict[str, int]:
    """The counters of these names that were counted."""
    keys = {f"count:{name}": name for name in names}
    return {keys[key]: int(value) for key, value in cache.get_many(keys).items()}


def histogram(stages: Iterable[str]) -> list[Figure]:
    """Seconds of each stage, as Prometheus wants them: counts up to each limit."""
    limits = (*BUCKETS, None)
    stages = tuple(stages)
    counted = read_counts(f"stage:{stage}:{each}" for stage in stages for each in (*limits, "ms"))
    found = []
    for stage in stages:
        total = 0
        for limit in limits:
            total += counted.get(f"stage:{stage}:{limit}", 0)
            labels = {"stage": stage, "le": "+Inf" if limit is None else f"{limit:g}"}
            found.append(Figure("stage_seconds_bucket", total, labels, "histogram"))
        taken = counted.get(f"stage:{stage}:ms", 0) / 1000
        found.append(Figure("stage_seconds_sum", taken, {"stage": stage}, "histogram"))
        found.append(Figure("stage_seconds_count", total, {"stage": stage}, "histogram"))
    return found


@add_source
def read_site() -> Iterable[Figure]:
    yield Figure("info", 1, {"version": __version__})
    yield Figure("disk_free_bytes", shutil.disk_usage(settings.DATA_DIR).free)


@add_source
def read_clock() -> Iterable[Figure]:
    now = time.time()
    ran = cache.get_many([job.key for job in JOBS])
    for job in JOBS:
        if job.key in ran:
            name = job.task.rpartition(".")[2].removesuffix("_task")
            yield Figure("last_run_age_seconds", round(now - ran[job.key], 1), {"job": name})
    yield Figure("scheduler_up", int(cache.get(SCHEDULER_KEY) is not None))
