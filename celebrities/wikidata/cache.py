"""Keep answers for a day, so that an interrupted import can continue without asking again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import zlib
from pathlib import Path
from typing import Any, Final

DAY = 24 * 60 * 60
MAX_BYTES = 256_000_000
UNKNOWN: Final = object()
"""Returned for unknown keys, since None may be a cached value."""

_TABLES = """
PRAGMA journal_mode=WAL;
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, at REAL, size INTEGER, body BLOB);
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (at);
CREATE TABLE IF NOT EXISTS times (name TEXT PRIMARY KEY, at REAL);
"""


class Cache:
    """A key-value store in one SQLite file. Beyond ``max_bytes`` the oldest values are deleted.

    It also stores named times, in seconds since 1970, that must outlive the process.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.max_bytes = max_bytes
        self.newer_than = 0.0
        """Ignore values stored before this time; set by `refresh_wikidata`."""
        self._rows = sqlite3.connect(path, timeout=20, isolation_level=None)
        self._rows.executescript(_TABLES)

    def get(self, key: str) -> bytes | None:
        since = max(time.time() - DAY, self.newer_than)
        found = self._rows.execute(
            "SELECT body FROM answers WHERE key = ? AND at >= ?", (_hash(key), since)
        ).fetchone()
        return zlib.decompress(found[0]) if found else None

    def put(self, key: str, body: bytes) -> None:
        packed = zlib.compress(body, 1)
        if len(packed) > self.max_bytes:
            return
        self._make_room(len(packed))
        self._rows.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
            (_hash(key), time.time(), len(packed), packed),
        )

    def get_json(self, key: str) -> Any:
        """The value under a key, or `UNKNOWN`."""
        body = self.get(key)
        return UNKNOWN if body is None else json.loads(body)

    def put_json(self, key: str, value: Any) -> None:
        self.put(key, json.dumps(value).encode())

    def _make_room(self, size: int) -> None:
        self._rows.execute("DELETE FROM answers WHERE at < ?", (time.time() - DAY,))
        (used,) = self._rows.execute("SELECT coalesce(sum(size), 0) FROM answers").fetchone()
        oldest = self._rows.execute("SELECT key, size FROM answers ORDER BY at")
        while used + size > self.max_bytes and (row := oldest.fetchone()):
            self._rows.execute("DELETE FROM answers WHERE key = ?", (row[0],))
            used -= row[1]

    def get_time(self, name: str) -> float:
        """0 if there is no such time."""
        found = self._rows.execute("SELECT at FROM times WHERE name = ?", (name,)).fetchone()
        return float(found[0]) if found else 0.0

    def set_time(self, name: str, at: float) -> None:
        self._rows.execute("INSERT OR REPLACE INTO times VALUES (?, ?)", (name, at))

    def close(self) -> None:
        self._rows.close()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
