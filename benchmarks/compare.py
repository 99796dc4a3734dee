"""Photos to vectors by this checkout and by another one, in turn: which is faster?

python -m benchmarks compare BASE
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks.paths import ROOT
from benchmarks.peers import Contestant, take_turns
from benchmarks.portraits import make_photos
from benchmarks.timing import median_interval

PAIRS = 60


def compare_checkouts(base: Path, checkout: Path = ROOT) -> list[str]:
    """One line per photo. Raises ValueError when a checkout cannot analyse a photo."""
    with Contestant("lookalike", 1, base) as old, Contestant("lookalike", 1, checkout) as new:
        return [
            describe_ratios(kind, *_time_pairs(path, old, new))
            for kind, path in make_photos().items()
        ]


def _time_pairs(path: Path, old: Contestant, new: Contestant) -> tuple[list[float], list[float]]:
    answers = take_turns(path, {"base": old, "new": new}, PAIRS)
    if old.error or new.error:
        raise ValueError(old.error or new.error)
    before, after = ([answer["seconds"] for answer in found] for found in answers.values())
    return before, after


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
