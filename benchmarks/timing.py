"""Fair timing: warm, in alternating order, medians."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

QUICK = "BENCHMARK_QUICK"
"""Environment variable of a reduced run, which shows that a part works and is not kept."""


def amount(full: int, quick: int) -> int:
    return quick if os.environ.get(QUICK) else full


RUNS = amount(9, quick=3)
WARM = 2


def alternate(names: Sequence[str]) -> Iterator[list[str]]:
    """Endless rounds of the names: forwards, backwards, forwards ..."""
    for number in count():
        yield list(names[:: -1 if number % 2 else 1])


def time_beside(ways: Mapping[str, Callable[[], Any]], *, runs: int = RUNS) -> dict[str, float]:
    """Median milliseconds of each way of doing the same thing, after WARM unmeasured runs."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _, names in zip(range(runs + WARM), alternate([*ways]), strict=False):
        for name in names:
            times[name].append(time_once(ways[name]))
    return {name: statistics.median(found[WARM:]) for name, found in times.items()}


def time_once(work: Callable[..., Any], *arguments: object) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    work(*arguments)
    return (time.perf_counter() - started) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """A 95 % confidence interval of the median, by order statistics: the ranks are
    n/2 -+ 1.96 sqrt(n)/2 (Conover, Practical Nonparametric Statistics, 3.2)."""
    ordered, reach = sorted(values), 0.98 * math.sqrt(len(values))
    low = max(math.floor(len(values) / 2 - reach), 0)
    return ordered[low], ordered[len(ordered) - 1 - low]
