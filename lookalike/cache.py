"""Django's cache in Valkey, as the site uses it: one client, and counters in one trip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis
from redis.client import Pipeline


class _Client(RedisCacheClient):
    """Django makes a client for each call, which takes longer than the call itself. There is one
    server, so one will do."""

    _made: Redis | None = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Redis:
        if self._made is None:
            self._made = super().get_client(key, write=write)
        return self._made


class ValkeyCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client

    def pipeline(self) -> Pipeline:
        """Commands that go to Valkey in one trip."""
        return self._cache.get_client(write=True).pipeline(transaction=False)


def add_all(amounts: Mapping[str, int]) -> None:
    """Add to counters that stay. Raises CACHE_FAILURES."""
    pipeline = _open_pipeline()
    for key, amount in amounts.items():
        pipeline.incrby(cache.make_key(key), amount)
    pipeline.execute()


def add_within(key: str, amount: int, seconds: int) -> int:
    """Add to a counter that starts over ``seconds`` after its first use; returns the sum. Raises
    CACHE_FAILURES."""
    pipeline, name = _open_pipeline(), cache.make_key(key)
    pipeline.set(name, 0, ex=seconds, nx=True)
    pipeline.incrby(name, amount)
    pipeline.ttl(name)
    _, found, left = pipeline.execute()
    if left < 0:  # It ended between the first two commands.
        cache.touch(key, seconds)
    return int(found)


def time_left(key: str) -> float:
    """Seconds until such a counter starts over; 0 if it is not in use. Raises CACHE_FAILURES."""
    pipeline = _open_pipeline()
    pipeline.pttl(cache.make_key(key))
    return max(float(pipeline.execute()[0]) / 1000, 0.0)


def _open_pipeline() -> Pipeline:
    # `cache` stands for the backend that the settings name.
    return cache.pipeline()  # type: ignore[attr-defined,no-any-return]
