"""The index kept in PostgreSQL by its extension pgvector, for galleries that outgrow a machine.

A build is a table of its own, with a graph (HNSW) over the vectors. Searching it is the same
as searching files: `PgvectorIndex` stands where `lookalike.faces.index.Index` does. What has
changed in the gallery since the build, the query itself sees in the gallery's own tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from numpy.typing import ArrayLike

from celebrities.models import IndexBuild, Portrait
from lookalike.faces.errors import IndexDamaged, IndexMissing
from lookalike.faces.index.manifest import parse_facts
from lookalike.faces.index.rows import IndexRows, unit_vector
from lookalike.faces.index.scan import NOTHING, Found, measure_rows
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import Neighbour, Scale, Vector

FORMAT: Final = "lookalike-pgvector-1"
PREFIX: Final = "celebrities_vectors_"

LEAST: Final = 48
"""Portraits that a query asks for at the least, so that twelve people are among them."""

WIDEST: Final = 1000
"""The largest hnsw.ef_search that pgvector takes."""

Ids = Collection[int] | QuerySet[Any, int]


@dataclass(frozen=True, slots=True)
class PgvectorTuning:
    """What a build measured on this gallery, and what it chose from that.

    ``method`` is the fastest way that reaches ``recall_wanted``: "exact" or "approximate".
    ``recall`` is the share of the true 12 nearest portraits that the graph (``m`` links a
    node, built with ``ef_construction`` candidates) found with ``ef_search`` candidates, for
    ``queries`` faces that are not in the gallery. Times are medians in milliseconds a query,
    the way to the server and back included; ``seconds`` is how long the tuning took.
    """

    method: str
    recall_wanted: float
    recall: float
    m: int
    ef_construction: int
    ef_search: int
    exact_ms: float
    approximate_ms: float
    queries: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PgvectorManifest:
    """What a build's table holds; kept in the build's row. ``built_at`` is an ISO 8601 UTC
    time, ``table_bytes`` and ``graph_bytes`` what vectors and graph take in the database."""

    format: str
    encoder_name: str
    encoder_version: str
    dimensions: int
    metric: str
    items: int
    people: int
    built_at: str
    seconds: float
    table: str
    table_bytes: int
    graph_bytes: int
    calibration: Calibration
    tuning: PgvectorTuning


def is_in_database(build: IndexBuild) -> bool:
    """Whether the build is a table rather than files."""
    return bool(build.manifest.get("format") == FORMAT)


def open_table(build: IndexBuild) -> PgvectorIndex:
    """The build's index. Raises IndexMissing or IndexDamaged."""
    try:
        manifest: PgvectorManifest = parse_facts(PgvectorManifest, build.manifest)
    except ValueError as problem:
        raise IndexDamaged(f"The index {build.name} is another program's.") from problem
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [manifest.table])
        if cursor.fetchone() == (None,):
            raise IndexMissing(f"The database has no table {manifest.table}.")
    return PgvectorIndex(manifest)


def table_of(name: str) -> str:
    """The table of a build, from the time and the random part at the end of its name."""
    return PREFIX + name[-24:].replace("-", "_")


def drop_tables(kept: Iterable[str] = ()) -> None:
    """Delete the tables of all builds but those named."""
    if connection.vendor != "postgresql":
        return
    tables = {table_of(name) for name in kept}
    for table in connection.introspection.table_names():
        if table.startswith(PREFIX) and table not in tables:
            drop_table(table)


def drop_table(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}")


class PgvectorIndex:
    """A table of vectors with its graph. Holds nothing in memory but the manifest."""

    def __init__(self, manifest: PgvectorManifest) -> None:
        self.manifest = manifest
        self._table = connection.ops.quote_name(manifest.table)
        encoder = f"{manifest.encoder_name}/{manifest.encoder_version}"
        shown = Portrait.objects.searchable(encoder).order_by().values_list("pk", "celebrity_id")
        self._shown, self._of_whom = shown.query.sql_with_params()

    @property
    def scale(self) -> Scale:
        """What turns a distance into a number in this gallery."""
        return self.manifest.calibration.scale

    def __len__(self) -> int:
        return self.manifest.items

    def holds(self, portrait_ids: Sequence[int]) -> list[bool]:
        """Of each portrait, whether the table has it."""
        if not portrait_ids:
            return []
        sql = f"SELECT portrait_id FROM {self._table} WHERE portrait_id = ANY(%s)"  # noqa: S608
        known = {row[0] for row in self._run(sql, [list(portrait_ids)])}
        return [portrait in known for portrait in portrait_ids]

    def search(
        self,
        vector: ArrayLike,
        k: int,
        *,
        exact: bool | None = None,
        allowed: Ids | None = None,
        without_portraits: Collection[int] = (),
        extra: IndexRows | None = None,
    ) -> list[Neighbour]:
        """The ``k`` nearest people, as `lookalike.faces.index.Index.search` finds them.

        ``allowed`` may be a query that selects the celebrity ids; it is then part of this
        one. Portraits that may not be shown any more are skipped without being named.
        Raises BadVector for a vector that cannot be compared, and IndexMissing when the
        table was deleted since the index was opened.
        """
        query = unit_vector(vector, self.manifest.dimensions)
        if exact is None:
            exact = self.manifest.tuning.method == "exact"
        exact = exact or (allowed is not None and self._are_few(allowed))
        newer = self._measure_newer(query, extra, without_portraits, allowed)
        skipped = [*without_portraits, *(extra.portrait_ids.tolist() if extra else ())]
        where, given = _conditions(allowed, skipped)
        found = self._find(query, k, exact, where, given).joined(newer).best_of_people()
        return found.take(slice(k)).neighbours(self.scale)

    def _are_few(self, allowed: Ids) -> bool:
        """Whether comparing these people one by one is quicker than to come across them in
        the graph, by the build's own times and as much again for looking them up."""
        tuning = self.manifest.tuning
        few = int(self.manifest.people * tuning.approximate_ms / (2 * tuning.exact_ms))
        if isinstance(allowed, QuerySet):
            # A query that was read already would give a list of its rows.
            return allowed.all()[: few + 1].count() <= few
        return len(allowed) <= few

    def _measure_newer(
        self,
        query: Vector,
        extra: IndexRows | None,
        without: Collection[int],
        allowed: Ids | None,
    ) -> Found:
        if extra is None or not len(extra):
            return NOTHING
        if isinstance(allowed, QuerySet):
            allowed = list(allowed.filter(pk__in=np.unique(extra.celebrity_ids).tolist()))
        return measure_rows(query, extra, without, allowed)

    def _find(self, query: Vector, k: int, exact: bool, where: str, given: list[Any]) -> Found:
        """The ``k`` nearest people of the table, asking for more portraits until there are
        so many people, and comparing all where the graph is left before that."""
        limit = max(LEAST, 4 * k)
        while True:
            found, count = self.nearest_portraits(query, limit, exact, where, given)
            found = found.best_of_people()
            if len(found) >= k or (exact and count < limit):
                return found.take(slice(k))
            exact = exact or count < limit
            limit *= 8

    def nearest_portraits(
        self, query: Vector, limit: int, exact: bool, where: str = "TRUE", given: Sequence[Any] = ()
    ) -> tuple[Found, int]:
        """Of the ``limit`` nearest portraits that meet a condition those that may be shown,
        and how many there were with the others."""
        # The graph serves no order but that of the plain distance.
        distance = "(vector <-> %s::vector) + 0" if exact else "vector <-> %s::vector"
        sql = f"""
            SELECT near.distance, near.portrait_id, near.celebrity_id, shown.id IS NOT NULL
            FROM (
                SELECT portrait_id, celebrity_id, {distance} AS distance
                FROM {self._table} WHERE {where} ORDER BY distance LIMIT %s
            ) AS near
            LEFT JOIN ({self._shown}) AS shown (id, celebrity_id)
            ON shown.id = near.portrait_id AND shown.celebrity_id = near.celebrity_id
        """  # noqa: S608
        with transaction.atomic():
            self._choose_way(limit, exact, filtered=where != "TRUE")
            rows = self._run(sql, [write_vector(query), *given, limit, *self._of_whom])
        standing = [row[:3] for row in rows if row[3]]
        table = np.array([row[1:] for row in standing], np.int64).reshape(-1, 2)
        distances = np.array([row[0] for row in standing], np.float32)
        return Found(distances, table[:, 0], table[:, 1]), len(rows)

    def _choose_way(self, limit: int, exact: bool, *, filtered: bool) -> None:
        """Settings of the transaction: how the server is to search."""
        width = min(WIDEST, max(self.manifest.tuning.ef_search, limit))
        chosen = {
            "jit": "off",  # Compiling takes longer than any of these queries.
            "hnsw.ef_search": str(width),
            "hnsw.iterative_scan": "relaxed_order",
            "log_parameter_max_length_on_error": "0",  # A visitor's vector is one.
            # With a filter the server weighs for itself whether to sort those who are left.
            "enable_sort": "on" if exact or filtered else "off",
        }
        calls = ", ".join("set_config(%s, %s, true)" for _ in chosen)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {calls}", [part for pair in chosen.items() for part in pair])

    def _run(self, sql: str, given: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a query. Its values travel beside the text: a server writes the text of
        a query that fails into its log, and a visitor's vector must not stand there."""
        from psycopg import Cursor

        connection.ensure_connection()
        try:
            with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
                return cursor.execute(sql, given).fetchall()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", "") != "42P01":  # undefined_table
                raise
            raise IndexMissing(f"The database has no table {self.manifest.table}.") from error


def _conditions(allowed: Ids | None, skipped: list[int]) -> tuple[str, list[Any]]:
    """What rows must meet, in SQL, with its parameters."""
    conditions: list[str] = []
    given: list[Any] = []
    if isinstance(allowed, QuerySet):
        people, of_whom = allowed.query.sql_with_params()
        conditions.append(f"celebrity_id IN ({people})")
        given += of_whom
    elif allowed is not None:
        conditions.append("celebrity_id = ANY(%s)")
        given.append([int(person) for person in allowed])
    if skipped:
        conditions.append("portrait_id <> ALL(%s)")
        given.append(skipped)
    return " AND ".join(conditions) or "TRUE", given


def write_vector(vector: Vector) -> str:
    """As pgvector reads it."""
    return f"[{','.join(map(str, vector.tolist()))}]"
