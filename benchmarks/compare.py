"""Photos to vectors by this checkout and by another one, in turn: which is faster?

    python -m benchmarks compare BASE

CPU times are compared, which other work on the machine disturbs less than the clock.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.paths import ROOT
from benchmarks.peers import Contestant
from benchmarks.portraits import make_photos
from benchmarks.timing import WARM, alternate, median_interval

PAIRS = 60

KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""Settings of glibc. By default it depends on the order of unrelated allocations whether a
process gives the pixels' memory back after each photo, and gets it anew for the next: for
12 megapixels that is 6,000 page faults and a third of the time, for either checkout."""


class CannotRun(Exception):
    """A checkout has no engine that analyses the photos."""


def compare_checkouts(base: Path, checkout: Path = ROOT) -> list[str]:
    """One line per photo. Raises CannotRun."""
    with ExitStack() as stack:
        contestants = {
            name: stack.enter_context(Contestant("lookalike", 1, folder, KEEP_MEMORY))
            for name, folder in (("before", base), ("after", checkout))
        }
        return [
            describe_ratios(kind, *_time_pairs(path, contestants))
            for kind, path in make_photos().items()
        ]


def _time_pairs(path: Path, contestants: dict[str, Contestant]) -> list[list[float]]:
    """CPU seconds of each contestant for PAIRS photos."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _, names in zip(range(PAIRS + WARM), alternate([*contestants]), strict=False):
        for name in names:
            times[name].append(_time_cpu(contestants[name], path))
    return [found[WARM:] for found in times.values()]


def _time_cpu(contestant: Contestant, photo: Path) -> float:
    before = contestant.read_cpu_seconds()
    if contestant.analyse(photo) is None:
        raise CannotRun(contestant.error)
    return contestant.read_cpu_seconds() - before


def describe_ratios(kind: str, before: list[float], after: list[float]) -> str:
    """The median of the pairs' ratios with its 95 % confidence interval."""
    ratios = [new / old for old, new in zip(before, after, strict=True)]
    low, high = median_interval(ratios)
    verdict = "slower" if low > 1 else "faster" if high < 1 else "no difference beyond the noise"
    return (
        f"{kind}: {median(before) * 1000:.1f} ms before, {median(after) * 1000:.1f} ms after, "
        f"ratio {median(ratios):.3f} (95 %: {low:.3f} to {high:.3f}, {len(ratios)} pairs): "
        f"{verdict}"
    )
