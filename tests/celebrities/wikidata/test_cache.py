"""Answers kept for a day, within bounds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from celebrities.wikidata.cache import DAY, UNKNOWN, Cache


def test_it_works(tmp_path: Path) -> None:
    Cache(tmp_path / "c").put("a", b"body")
    again = Cache(tmp_path / "c")

    assert again.get("a") == b"body"
    assert again.get("b") is None


def test_tells_a_known_nothing_from_the_unknown(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    cache.put_json("a", None)

    assert cache.get_json("a") is None
    assert cache.get_json("b") is UNKNOWN


def test_forgets_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path / "c")
    cache.put("a", b"body")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + DAY - 10)
    assert cache.get("a") == b"body"
    monkeypatch.setattr(time, "time", lambda: now + DAY + 10)
    assert cache.get("a") is None


def test_uses_nothing_older_than_it_is_told(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    cache.put("a", b"body")
    cache.newer_than = time.time()
    assert cache.get("a") is None
    cache.put("a", b"newer")
    assert cache.get("a") == b"newer"


def test_the_oldest_go_when_it_is_full(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c", max_bytes=10_000)
    for number in range(10):
        cache.put(str(number), os.urandom(3000))

    assert [number for number in range(10) if cache.get(str(number))] == [7, 8, 9]


def test_does_not_keep_what_is_larger_than_all_of_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c", max_bytes=10_000)
    cache.put("small", b"body")
    cache.put("large", os.urandom(20_000))

    assert cache.get("large") is None
    assert cache.get("small") == b"body"


def test_keeps_times(tmp_path: Path) -> None:
    Cache(tmp_path / "c").set_time("quiet until", 12.5)

    assert Cache(tmp_path / "c").get_time("quiet until") == 12.5
    assert Cache(tmp_path / "c").get_time("other") == 0.0
