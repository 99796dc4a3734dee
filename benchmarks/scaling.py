"""Part "scaling": what ten million photos a day take, by the measured costs of one and a simulation
of queue and workers."""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from benchmarks.figures import Figures, load_records
from benchmarks.paths import FIGURES
from benchmarks.timing import amount, percentile

PHOTOS = 10_000_000
"""A day."""
LARGE = 0.5
"""This share of the photos has 12 megapixels, the rest is as small as a portrait."""
SWING = 0.8
"""The rate rises and falls as a sine by this share of its mean over a day."""
BUSY = 0.7
"""Workers are enough for the busiest minute with this share of their time."""
SLICE = amount(4, quick=100)
"""The simulated site is this many times smaller than the one on paper. Fewer workers have longer
queues at the same load, so the waits of the whole are shorter, not longer."""
DAY, RESTART, REDELIVERY = 86_400.0, 10.0, 120.0
"""Seconds: a day, until a lost worker is replaced, and until its photo is given to another
(`lookalike.celery`, ``visibility_timeout``)."""
BURST_AT, BURST_SECONDS, BURST = 0.5 * DAY, 60.0, 10.0
"""When, how long, and how many times as many photos."""
DATABASE_CORES, LOG_MB, LINE_MB = 16, 100.0, 1000.0
"""The cores of one PostgreSQL server, the megabytes of its log that its disk can write in a second,
and the megabytes that a 10 Gbit/s line carries in a second at four fifths of its capacity."""
MAX_WAIT = 60.0
"""Seconds of work that may queue: LOOKALIKE_MAX_QUEUE is set to as many photos. Whoever comes then
is asked to come again."""


@dataclass
class Day:
    """One simulated day of a single queue, first in, first out. Times in seconds."""

    rate: float
    """Photos a second, the mean of the day."""
    workers: int
    services: list[float]
    """Seconds that a worker has for a photo, drawn from evenly."""
    losses: bool = False
    burst: bool = False
    seed: int = 7
    waits: list[float] = field(default_factory=list)
    """From sending to the result, in the order of the results."""
    refused: int = 0
    lost: int = 0

    def run(self) -> Day:
        chance, numbers = random.Random(self.seed), count()
        events: list[tuple[float, int, str, Any]] = []
        waiting: deque[float] = deque()
        working: dict[int, float] = {}
        idle = self.workers
        most = int(self.workers * MAX_WAIT / (sum(self.services) / len(self.services)))

        def plan(at: float, what: str, about: Any = None) -> None:
            heappush(events, (at, next(numbers), what, about))

        def start(now: float) -> None:
            nonlocal idle
            while idle and waiting:
                idle -= 1
                worker = next(numbers)
                working[worker] = waiting.popleft()
                plan(now + chance.choice(self.services), "done", worker)

        plan(self.next_arrival(0.0, chance), "photo")
        if self.losses:
            plan(60.0 * SLICE, "loss")
        while events:
            now, _, what, about = heappop(events)
            if what == "photo":
                if len(waiting) < most:
                    waiting.append(now)
                else:
                    self.refused += 1
                if (coming := self.next_arrival(now, chance)) < DAY:
                    plan(coming, "photo")
            elif what == "done" and about in working:
                self.waits.append(now - working.pop(about))
                idle += 1
            elif what == "loss" and now < DAY:
                plan(now + 60.0 * SLICE, "loss")
                plan(now + RESTART, "worker")
                if chance.randrange(self.workers) < len(working):
                    plan(now + REDELIVERY, "again", working.pop(chance.choice(list(working))))
                    self.lost += 1
                else:
                    idle -= 1
            elif what == "worker":
                idle += 1
            elif what == "again":
                waiting.appendleft(about)
            start(now)
        return self

    def next_arrival(self, now: float, chance: random.Random) -> float:
        """Poisson with a rate that changes, by thinning (Lewis and Shedler, 1979)."""
        while now < DAY:
            most = self.rate * (1 + SWING) * (BURST if self.bursts(now + 1) else 1)
            now += chance.expovariate(most)
            if chance.random() * most < self.rate_at(now):
                break
        return now

    def rate_at(self, now: float) -> float:
        usual = self.rate * (1 + SWING * math.sin(2 * math.pi * (now / DAY - 0.25)))
        return usual * (BURST if self.bursts(now) else 1)

    def bursts(self, now: float) -> bool:
        return self.burst and BURST_AT <= now < BURST_AT + BURST_SECONDS


def bench_scaling() -> Figures:
    rows = load_records(FIGURES)["site"]["figures"]["rows"]
    large, small = (mix_in(rows, "12 megapixels"), mix_in(rows, "portrait"))
    cost = {what: LARGE * large[what] + (1 - LARGE) * small[what] for what in large}
    mean = PHOTOS / DAY
    peak = mean * (1 + SWING)
    services = [large["workers"] / 1000, small["workers"] / 1000]
    workers = math.ceil(peak * cost["workers"] / 1000 / BUSY / SLICE)
    return {
        "mean": round(mean, 1),
        "peak": round(peak, 1),
        "cost": {what: round(value, 1) for what, value in cost.items()},
        "cores": {
            kind: math.ceil(peak * cost[kind] / 1000 / BUSY)
            for kind in ("web", "workers", "database", "queue")
        },
        "per_second": {
            what: round(peak * cost[what])
            for what in ("valkey_commands", "transactions", "log_kb", "sent_kb")
        },
        "limits": find_limits(cost),
        "kept_tb": round(PHOTOS * cost["kept_kb"] / 1e9, 1),
        "rows_millions": round(PHOTOS * (1 + 1 + 6) / 1e6),
        "workers": workers * SLICE,
        "slice": SLICE,
        "days": [
            {"day": name, **simulate(Day(mean / SLICE, workers, services, **trouble))}
            for name, trouble in DAYS.items()
        ],
    }


def find_limits(cost: dict[str, float]) -> list[dict[str, Any]]:
    """The photos a day, in millions, whose busiest minute fills one of each; lowest first."""
    filled = {
        "database's cores": cost["database"] / 1000 / (DATABASE_CORES * BUSY),
        "database's log": cost["log_kb"] / 1000 / LOG_MB,
        "Valkey's one core": cost["queue"] / 1000 / BUSY,
        "line": cost["sent_kb"] / 1000 / LINE_MB,
    }
    reached = {what: DAY / (1 + SWING) / share / 1e6 for what, share in filled.items()}
    ordered = sorted(reached, key=lambda what: reached[what])
    return [{"what": what, "millions": round(reached[what], 1)} for what in ordered]


DAYS: dict[str, dict[str, Any]] = {
    "quiet": {},
    "a worker lost each minute": {"losses": True},
    "ten times as many for a minute, at the busiest hour": {"burst": True},
    "both": {"losses": True, "burst": True},
}


def mix_in(rows: list[dict[str, Any]], photo: str) -> dict[str, float]:
    [row] = [row for row in rows if row["photo"] == photo]
    kinds = {kind: row["cpu_ms"][kind] for kind in ("web", "workers", "database", "queue")}
    return {**kinds, **row["visit"], "sent_kb": row["sent_kb"]}


def simulate(day: Day) -> dict[str, Any]:
    waits = sorted(day.run().waits)
    return {
        "photos": len(waits) + day.refused,
        **{
            f"p{round(100 * at, 1):g}": round(percentile(waits, at), 2) for at in (0.5, 0.95, 0.999)
        },
        "longest": round(waits[-1], 1),
        "refused": day.refused,
        "given_again": day.lost,
    }
