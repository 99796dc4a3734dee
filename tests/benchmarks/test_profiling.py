"""Profiles by functions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.profiling import NotCalled, profile_parts


def short() -> None:
    time.sleep(0.002)


def long() -> None:
    time.sleep(0.06)


@contextmanager
def managed() -> Iterator[None]:
    yield


def test_it_works() -> None:
    def work() -> None:
        short()
        long()
        time.sleep(0.004)

    profile = profile_parts(work, {"short": short, "long": long}, runs=2)

    assert 2 <= profile["short"] < 60
    assert 4 <= profile["the rest"] < 60
    assert profile["long"] >= 60


def test_counts_all_calls_of_a_run() -> None:
    def work() -> None:
        for _ in range(3):
            short()

    profile = profile_parts(work, {"short": short}, runs=2)

    assert profile["short"] >= 6


def test_finds_the_function_under_a_decorator() -> None:
    def work() -> None:
        with managed():
            short()

    assert profile_parts(work, {"managed": managed}, runs=1).keys() == {"managed", "the rest"}


def test_rejects_a_part_that_is_never_called() -> None:
    with pytest.raises(NotCalled, match=r"slow: tests\.benchmarks\.test_profiling\.long"):
        profile_parts(short, {"fast": short, "slow": long}, runs=1)
