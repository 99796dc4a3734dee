"""Building the index in PostgreSQL: a table with a graph over its vectors."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from celebrities.errors import PgvectorMissing
from celebrities.index.pgvector import (
    FORMAT,
    LEAST,
    PgvectorIndex,
    PgvectorManifest,
    PgvectorTuning,
    drop_table,
    table_of,
)
from celebrities.index.pgvector_tuning import tune_table
from lookalike.faces.index.rows import IndexRows, unit_vectors
from lookalike.faces.similarity import calibrate
from lookalike.faces.types import Encoder

Tell = Callable[[str, float], None]

LEAST_VERSION: Final = (0, 8)
"""The first pgvector that goes on along the graph until enough rows pass a filter."""

LINKS: Final = 24
CANDIDATES: Final = 64
"""Links a node and candidates looked at for each, chosen on 100,000 vectors with the covariance
of faces: 16 links need a wider search for a recall of 0.99, 32 or 128 candidates twice the time
to build, which gains little."""

BLOCK: Final = 10_000


def build_table(
    name: str, rows: IndexRows, encoder: Encoder, *, recall: float, tell: Tell
) -> PgvectorManifest:
    """Build an index of the rows in the table of the build's name.

    ``recall`` is the share of the true 12 nearest portraits that a search must find. Nothing
    is left of a build that fails. Raises PgvectorMissing, with what to do, when the database
    cannot hold it, and BadVector for zero and non-finite vectors.
    """
    started = time.monotonic()
    rows.check()
    require_pgvector()
    table = table_of(name)
    try:
        rows = replace(rows, vectors=unit_vectors(rows.vectors))
        _write_table(table, rows, tell)
        _make_graph(table, tell)
        tell("calibrating", 0.85)
        index = PgvectorIndex(_describe(table, rows, encoder))
        tell("measuring", 0.88)
        tuning = tune_table(index, rows, recall)
    except BaseException:
        with suppress(DatabaseError):
            drop_table(table)
        raise
    tell("done", 1.0)
    return replace(index.manifest, tuning=tuning, seconds=round(time.monotonic() - started, 3))


# --- What the database must have ----------------------------------------------------


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
    """Whether the server writes the values of queries into its log, as servers do that keep
    slow queries there: a visitor's vector is such a value. The login cannot change that."""
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


# --- The table and its graph --------------------------------------------------------


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _write_table(table: str, rows: IndexRows, tell: Tell) -> None:
    dimensions = rows.vectors.shape[1]
    _execute(
        f"CREATE TABLE {table} (portrait_id bigint PRIMARY KEY, celebrity_id bigint NOT NULL,"
        # Beside the row rather than in it, a vector would cost each comparison a look-up.
        f" vector vector({dimensions}) STORAGE PLAIN NOT NULL)"
    )
    # Block by block, since nothing else can be told the database during a copy.
    for start in range(0, len(rows), BLOCK):
        tell("writing", 0.02 + 0.03 * start / len(rows))
        _copy(table, _pack(rows, slice(start, start + BLOCK)))
    _execute(f"CREATE INDEX ON {table} (celebrity_id)")
    _execute(f"ANALYZE {table}")


def _copy(table: str, packed: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN BINARY") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + packed + b"\xff\xff")


def _pack(rows: IndexRows, part: slice) -> bytes:
    """Rows as COPY's binary format has them: the number of fields, then each with its size."""
    vectors = rows.vectors[part]
    dimensions = vectors.shape[1]
    packed = np.zeros(
        len(vectors),
        [
            ("fields", ">i2"),
            ("portrait_size", ">i4"),
            ("portrait", ">i8"),
            ("celebrity_size", ">i4"),
            ("celebrity", ">i8"),
            ("vector_size", ">i4"),
            ("dimensions", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f4", (dimensions,)),
        ],
    )
    packed["fields"] = 3
    packed["portrait_size"] = packed["celebrity_size"] = 8
    packed["vector_size"] = 4 + 4 * dimensions
    packed["portrait"] = rows.portrait_ids[part]
    packed["celebrity"] = rows.celebrity_ids[part]
    packed["dimensions"] = dimensions
    packed["vector"] = vectors
    return packed.tobytes()


def _make_graph(table: str, tell: Tell) -> None:
    """Build the graph on a connection of its own, and tell meanwhile how far it is: with
    millions of portraits a build silent for so long would count as dead."""
    beside = connections["default"].copy()
    beside.inc_thread_sharing()
    beside.ensure_connection()
    sql = (
        f"CREATE INDEX {graph_of(table)} ON {table} USING hnsw (vector vector_l2_ops)"
        f" WITH (m = {LINKS}, ef_construction = {CANDIDATES})"
    )
    try:
        with ThreadPoolExecutor(1) as pool:
            graph = pool.submit(_execute_on, beside, sql)
            try:
                _follow(graph, table, tell)
            except BaseException:
                beside.connection.cancel_safe()
                raise
            graph.result()
    finally:
        beside.close()


def graph_of(table: str) -> str:
    return f"{table}_graph"


def _execute_on(database: BaseDatabaseWrapper, sql: str) -> None:
    with database.cursor() as cursor:
        cursor.execute(sql)


def _follow(graph: Future[None], table: str, tell: Tell) -> None:
    sql = (
        "SELECT blocks_done::float / greatest(blocks_total, 1) FROM pg_stat_progress_create_index"
        " WHERE relid = %s::regclass"
    )
    while not wait([graph], timeout=1).done:
        with connection.cursor() as cursor:
            cursor.execute(sql, [table])
            share = (cursor.fetchone() or (0.0,))[0]
        tell("linking", 0.05 + 0.8 * float(share))


def _describe(table: str, rows: IndexRows, encoder: Encoder) -> PgvectorManifest:
    """Everything but the tuning."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_table_size(%s::regclass), pg_relation_size(%s::regclass)",
            [table, graph_of(table)],
        )
        table_bytes, graph_bytes = cursor.fetchone()
    return PgvectorManifest(
        format=FORMAT,
        encoder_name=encoder.name,
        encoder_version=encoder.version,
        dimensions=rows.vectors.shape[1],
        metric="euclidean",
        items=len(rows),
        people=len(np.unique(rows.celebrity_ids)),
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        table=table,
        table_bytes=table_bytes,
        graph_bytes=graph_bytes,
        calibration=calibrate(rows.vectors, rows.celebrity_ids, encoder.name),
        tuning=PgvectorTuning("exact", 1.0, 1.0, LINKS, CANDIDATES, LEAST, 0.0, 0.0, 0, 0.0),
    )
