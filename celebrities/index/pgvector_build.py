"""Building the index in PostgreSQL: a table with a graph over its vectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Final

import numpy as np
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from numpy.typing import NDArray

from celebrities.errors import PgvectorMissing
from celebrities.index.pgvector import PREFIX, PgvectorIndex, table_of
from celebrities.models import IndexBuild
from lookalike.faces.errors import IndexDamaged
from lookalike.faces.index import (
    BuildFacts,
    Ids,
    Index,
    IndexRows,
    Progress,
    tune,
)
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId

LEAST_VERSION: Final = (0, 8)
"""The first pgvector that follows the graph until enough rows pass a filter."""

LINKS: Final = 24
CANDIDATES: Final = 64
"""HNSW's m and ef_construction, chosen on 100,000 vectors with the covariance of faces: 16
links need a wider search for a recall of 0.99; 32 links or 128 candidates double the time
to build and gain little."""

BLOCK: Final = 10_000


class PgvectorBackend:
    """A table for each build."""

    def problems(self, *, may_ask: bool) -> list[CheckMessage]:
        if connection.vendor == "postgresql" and not may_ask:
            return []
        lack = describe_lack()
        if lack:
            return [Error(lack[0], hint=lack[1], id="lookalike.E009")]
        if logs_values():
            words = (
                "The PostgreSQL server logs the values of queries, visitors' vectors among them."
            )
            hint = (
                "Have its administrator run ALTER ROLE ... SET log_parameter_max_length = 0 "
                "for the site's login."
            )
            return [Warning(words, hint=hint, id="lookalike.W007")]
        return []

    def build(
        self,
        name: str,
        rows: IndexRows,
        encoder: EncoderId,
        calibration: Calibration,
        progress: Progress,
    ) -> BuildFacts:
        """Raises PgvectorMissing, with what to do, if the database cannot hold it, and
        BadVector for rows that are not finite."""
        started = time.monotonic()
        rows.check()
        require_pgvector()
        table = table_of(name)
        facts = BuildFacts(
            encoder=str(encoder),
            dimensions=rows.dimensions,
            items=len(rows),
            calibration=calibration,
        )
        try:
            _write_table(table, rows, progress)
            _make_graph(table, progress)
            progress("measuring", 0.88)
            tuning = asdict(tune(PgvectorIndex(table, facts), rows, settings.RECALL))
        except BaseException:
            with suppress(DatabaseError):
                drop_table(table)
            raise
        progress("done", 1.0)
        return replace(facts, **tuning, seconds=round(time.monotonic() - started, 3))

    def open(self, build: IndexBuild) -> Index:
        if build.facts is None:
            raise IndexDamaged(f"The index {build.name} is of another version.")
        return PgvectorIndex(table_of(build.name), build.facts)

    def has(self, build: IndexBuild) -> bool:
        return table_of(build.name) in list_tables()

    def keep_only(self, names: Callable[[], Collection[str]]) -> None:
        there = list_tables()
        for table in {*there} - {table_of(name) for name in names()}:
            drop_table(table)


def describe_lack() -> tuple[str, str] | None:
    """What keeps this database from holding vectors, and what to do; None: nothing does."""
    if connection.vendor != "postgresql":
        return (
            "LOOKALIKE_INDEX is pgvector, but the database is not PostgreSQL.",
            "Name a PostgreSQL in DATABASE_URL, or unset LOOKALIKE_INDEX.",
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(installed_version, default_version) FROM pg_available_extensions"
            " WHERE name = 'vector'"
        )
        version = cursor.fetchone()
    if version is None:
        return (
            "LOOKALIKE_INDEX is pgvector, but the PostgreSQL server lacks the extension.",
            "Install pgvector 0.8 or newer on the server, or unset LOOKALIKE_INDEX.",
        )
    if tuple(int(part) for part in version[0].split(".")[:2]) < LEAST_VERSION:
        return (
            f"LOOKALIKE_INDEX is pgvector, but the database has version {version[0]} of it.",
            "Install pgvector 0.8 or newer and run ALTER EXTENSION vector UPDATE.",
        )
    return None


def logs_values() -> bool:
    """Whether the server logs query parameters, for example of slow queries: these include
    visitors' vectors. The login cannot change that."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('log_parameter_max_length') <> '0' AND"
            " (current_setting('log_statement') = 'all'"
            " OR current_setting('log_min_duration_statement') <> '-1'"
            " OR current_setting('log_min_duration_sample') <> '-1'"
            " OR current_setting('log_transaction_sample_rate') <> '0')"
        )
        return bool(cursor.fetchone() == (True,))


def require_pgvector() -> None:
    """Enable the extension in this database. Raises PgvectorMissing, with what to do."""
    lack = describe_lack()
    if lack is not None:
        raise PgvectorMissing(" ".join(lack))
    try:
        _execute("CREATE EXTENSION IF NOT EXISTS vector")
    except DatabaseError as error:
        raise PgvectorMissing(
            "The database has no extension vector, and this login may not create it. "
            "Have its owner run CREATE EXTENSION vector in it."
        ) from error


def list_tables() -> list[str]:
    if connection.vendor != "postgresql":
        return []
    names = connection.introspection.table_names()
    return [table for table in names if table.startswith(PREFIX)]


def drop_table(table: str) -> None:
    _execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}")


def _execute(sql: str, database: BaseDatabaseWrapper | None = None) -> None:
    with (database or connection).cursor() as cursor:
        cursor.execute(sql)


def lift_rows(rows: IndexRows) -> tuple[NDArray[np.float32], float]:
    """(n, d + 1) vectors and an offset: for a unit vector with a 0 added,
    ``2 - 2 * score == squared distance + offset``."""
    height = np.square(rows.rows.astype(np.float64)).sum(axis=1) + 2.0 * rows.bias
    top = float(height.max())
    return np.column_stack([rows.rows, np.sqrt(top - height).astype(np.float32)]), 1.0 - top


def _write_table(table: str, rows: IndexRows, progress: Progress) -> None:
    lifted, offset = lift_rows(rows)
    _execute(
        f"CREATE TABLE {table} (id bigint PRIMARY KEY, checksum bigint NOT NULL,"
        # Inline: a TOASTed vector would need an extra fetch for each comparison.
        f" vector vector({lifted.shape[1]}) STORAGE PLAIN NOT NULL)"
    )
    _execute(f"COMMENT ON TABLE {table} IS '{offset!r}'")
    # In blocks, because the connection can record no heartbeat during a copy.
    for start in range(0, len(rows), BLOCK):
        progress("writing", 0.02 + 0.03 * start / len(rows))
        part = slice(start, start + BLOCK)
        packed = _pack(rows.ids[part], rows.checksums[part], lifted[part])
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN BINARY") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + packed + b"\xff\xff")
    _execute(f"ANALYZE {table}")


def _pack(ids: Ids, checksums: Ids, vectors: NDArray[np.float32]) -> bytes:
    """Rows in COPY's binary format: the number of fields, then the size and value of each.
    A vector's value is its dimensions, an unused 0 and its numbers."""
    dimensions = vectors.shape[1]
    packed = np.zeros(len(ids), f">i2, >i4, >i8, >i4, >i8, >i4, >i2, >i2, ({dimensions},)>f4")
    values = (3, 8, ids, 8, checksums, 4 + 4 * dimensions, dimensions, 0, vectors)
    for name, value in zip(packed.dtype.names or (), values, strict=True):
        packed[name] = value
    return packed.tobytes()


def _make_graph(table: str, progress: Progress) -> None:
    """Build the graph on a connection of its own, and tell meanwhile how far it is: with
    millions of people a build silent for so long would count as dead."""
    beside = connections["default"].copy()
    beside.inc_thread_sharing()
    beside.ensure_connection()
    sql = (
        f"CREATE INDEX {graph_of(table)} ON {table} USING hnsw (vector vector_l2_ops)"
        f" WITH (m = {LINKS}, ef_construction = {CANDIDATES})"
    )
    try:
        with ThreadPoolExecutor(1) as pool:
            graph = pool.submit(_execute, sql, beside)
            try:
                _follow(graph, table, progress)
            except BaseException:
                beside.connection.cancel_safe()
                raise
            graph.result()
    finally:
        beside.close()


def graph_of(table: str) -> str:
    return f"{table}_graph"


def _follow(graph: Future[None], table: str, progress: Progress) -> None:
    sql = (
        "SELECT blocks_done::float / greatest(blocks_total, 1) FROM pg_stat_progress_create_index"
        " WHERE relid = %s::regclass"
    )
    while not wait([graph], timeout=1).done:
        with connection.cursor() as cursor:
            cursor.execute(sql, [table])
            share = (cursor.fetchone() or (0.0,))[0]
        progress("linking", 0.05 + 0.8 * float(share))
