"""The simulation of queue and workers."""

from __future__ import annotations

import pytest

from benchmarks import scaling
from benchmarks.scaling import DAY, Day, find_limits


def test_it_works() -> None:
    day = Day(rate=0.2, workers=2, services=[2.0]).run()

    assert len(day.waits) == pytest.approx(0.2 * DAY, rel=0.05)
    assert min(day.waits) == pytest.approx(2.0)
    assert (day.refused, day.lost) == (0, 0)


def test_the_same_seed_gives_the_same_day() -> None:
    days = [Day(0.05, 2, [1.0, 5.0], losses=True, burst=True, seed=3).run() for _ in range(2)]

    assert days[0].waits == days[1].waits
    assert Day(0.05, 2, [1.0, 5.0], seed=4).run().waits != days[0].waits


def test_it_waits_as_the_formula_for_one_queue_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pollaczek and Khinchine: one worker, a fixed service time, a constant rate."""
    monkeypatch.setattr(scaling, "SWING", 0.0)
    busy, service = 0.6, 1.0
    day = Day(busy / service, 1, [service]).run()

    expected = service + busy * service / (2 * (1 - busy))
    assert sum(day.waits) / len(day.waits) == pytest.approx(expected, rel=0.05)


def test_a_lost_worker_loses_no_photo() -> None:
    quiet = Day(0.2, 2, [2.0]).run()
    day = Day(0.2, 2, [2.0], losses=True).run()

    assert day.lost > 10
    assert len(day.waits) == pytest.approx(len(quiet.waits), rel=0.05)
    assert sum(wait > scaling.REDELIVERY for wait in day.waits) >= day.lost


def test_a_burst_fills_the_queue_and_no_more() -> None:
    day = Day(0.5, 2, [2.0], burst=True).run()

    assert day.refused > 0
    assert max(day.waits) <= scaling.MAX_WAIT + 4.0


def test_what_costs_most_is_the_first_limit() -> None:
    cost = {"database": 1.0, "log_kb": 1.0, "queue": 500.0, "sent_kb": 1.0}
    limits = find_limits(cost)

    assert limits[0]["what"] == "Valkey's one core"
    assert [each["millions"] for each in limits] == sorted(each["millions"] for each in limits)
