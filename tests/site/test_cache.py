"""The cache's own counters, on a real Valkey."""

from __future__ import annotations

import pytest
import redis
from django.core.cache import cache

from lookalike.cache import add_all, add_within, time_left


def count_trips(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is sent to Valkey, a trip each."""
    trips: list[object] = []
    send = redis.connection.AbstractConnection.send_packed_command

    def note(self: object, command: object, *args: object, **options: object) -> None:
        trips.append(command)
        send(self, command, *args, **options)  # type: ignore[arg-type,no-untyped-call]

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", note)
    return trips


def test_it_works(valkey: str) -> None:
    assert [add_within("a", 1, 600), add_within("a", 5, 600), add_within("b", 1, 600)] == [1, 6, 1]
    assert 599 < time_left("a") <= 600
    add_all({"x": 2, "y": 3})
    add_all({"x": 2})
    assert cache.get_many(["x", "y"]) == {"x": 4, "y": 3}


def test_it_takes_one_trip(valkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.get("warm")
    trips = count_trips(monkeypatch)
    add_within("a", 1, 600)
    assert len(trips) == 1
    add_all({"x": 1, "y": 1, "z": 1})
    assert len(trips) == 2


def test_one_client_serves_all_calls(valkey: str) -> None:
    client = cache._cache.get_client()  # type: ignore[attr-defined]
    assert cache._cache.get_client("a", write=True) is client  # type: ignore[attr-defined]


def test_a_count_that_lost_its_end_gets_one(valkey: str) -> None:
    add_within("a", 1, 600)
    with redis.Redis(unix_socket_path=valkey) as server:
        server.persist(cache.make_key("a"))
        assert add_within("a", 1, 600) == 2
        assert 0 < server.ttl(cache.make_key("a")) <= 600


def test_nothing_is_left_of_what_was_not_counted(valkey: str) -> None:
    assert time_left("a") == 0
