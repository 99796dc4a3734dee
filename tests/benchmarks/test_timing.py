"""Times that compare fairly."""

from __future__ import annotations

from itertools import islice

import pytest

from benchmarks.timing import (
    QUICK,
    WARM,
    alternate,
    amount,
    median_interval,
    percentile,
    time_beside,
)


def test_it_works() -> None:
    calls: list[str] = []

    times = time_beside({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, runs=1)

    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert len(calls) == 2 * (WARM + 1)
    assert times.keys() == {"a", "b"}


def test_leaves_out_the_warm_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 9.0, 10.0, 19.0, 20.0, 20.001, 30.0, 30.003, 40.0, 40.002])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))

    assert time_beside({"a": lambda: None}, runs=3) == {"a": pytest.approx(2.0)}


def test_alternates_the_order() -> None:
    assert [*islice(alternate(["a", "b"]), 3)] == [["a", "b"], ["b", "a"], ["a", "b"]]


def test_reduces_a_quick_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(QUICK, raising=False)
    assert amount(9, quick=3) == 9

    monkeypatch.setenv(QUICK, "1")
    assert amount(9, quick=3) == 3


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.95, 96), (1.0, 100)])
def test_reads_percentiles(share: float, value: float) -> None:
    assert percentile([*range(100, 0, -1)], share) == value


def test_bounds_the_median_by_ranks() -> None:
    """For 100 values the 95 % interval runs from the 41st to the 60th."""
    assert median_interval([*range(1, 101)]) == (41, 60)


def test_bounds_the_median_of_few_values_by_all_of_them() -> None:
    assert median_interval([3.0, 1.0]) == (1.0, 3.0)
