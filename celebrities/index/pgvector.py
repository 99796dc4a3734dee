"""The index in PostgreSQL with pgvector: a table with a graph (HNSW) over lifted vectors, whose
extra coordinate makes the order by Euclidean distance the order by ``row . query + bias``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
from django.db import DatabaseError, connection, transaction

from lookalike.faces.errors import IndexMissing
from lookalike.faces.index import (
    Answer,
    BuildFacts,
    Found,
    Ids,
    Method,
    Query,
    open_added,
    unit_vectors,
)
from lookalike.faces.types import EncoderId, Vector

PREFIX: Final = "celebrities_vectors_"

WIDEST: Final = 1000
"""The largest hnsw.ef_search that pgvector accepts."""

SPARE: Final = 12

WIDTHS: Final = (48, 72, 100, 150, 220, 330, 500, 700, WIDEST)
"""Values of hnsw.ef_search."""


def table_of(name: str) -> str:
    """The table of a build, named by the time and the random part at the end of its name."""
    return PREFIX + name[-24:].replace("-", "_")


class PgvectorIndex:
    """A table of lifted rows with its graph. Keeps nothing of it in memory."""

    widths: Sequence[int] = WIDTHS

    def __init__(self, table: str, facts: BuildFacts) -> None:
        """Raises IndexMissing if there is no such table."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", [table])
            (offset,) = cursor.fetchone()
        if offset is None:
            raise IndexMissing(f"The database has no table {table}.")
        self._name = table
        self._table = connection.ops.quote_name(table)
        self._offset = float(offset)
        self.facts = facts
        self.method = facts.method
        self.encoder = EncoderId.parse(facts.encoder)

    def __len__(self) -> int:
        return self.facts.items

    def checksums(self, ids: Ids) -> Ids:
        sql = f"SELECT id, checksum FROM {self._table} WHERE id = ANY(%s)"  # noqa: S608
        known = dict(self._run(sql, [ids.tolist()])) if len(ids) else {}
        return np.array([known.get(row, 0) for row in ids.tolist()], np.int64)

    def search(self, query: Query) -> Answer:
        """As `Index.search`. Raises IndexMissing if the table was deleted meanwhile."""
        vectors = unit_vectors(query.vectors, self.facts.dimensions)
        find_added = open_added(self, query, self.facts.dimensions)
        exact = (query.method or self.method) is not Method.APPROXIMATE
        exact = exact or (query.among is not None and self._are_few(query.among))
        conditions = _conditions(query)
        used, answers = Method.EXACT, []
        for vector in vectors:
            found, method = self._find(vector, query, exact, conditions)
            used = Method.APPROXIMATE if method is Method.APPROXIMATE else used
            answers.append(found.join(find_added(vector)).best(query.k))
        return Answer(answers, used)

    def _are_few(self, ids: Collection[int]) -> bool:
        """Whether comparing these rows one by one is faster than meeting them in the graph,
        by the build's own times, doubled for looking them up."""
        facts = self.facts
        return len(ids) * 2 * facts.exact_ms <= facts.items * facts.approximate_ms

    def _find(
        self, vector: Vector, query: Query, exact: bool, conditions: tuple[str, list[Any]]
    ) -> tuple[Found, Method]:
        """The best rows of the table. Compares all if the graph ends before k are found."""
        # The server rounds distances: what lies behind a tie is fetched too, and sorted here.
        limit = query.k + SPARE
        width = min(max(query.width or self.facts.width, limit), WIDEST)
        found = self.nearest_rows(vector, limit, width, exact, *conditions)
        if len(found) < query.k and not exact:
            exact, found = True, self.nearest_rows(vector, limit, width, True, *conditions)
        return found.best(query.k), Method.EXACT if exact else Method.APPROXIMATE

    def nearest_rows(
        self, vector: Vector, limit: int, width: int, exact: bool, where: str, values: list[Any]
    ) -> Found:
        """The ``limit`` nearest rows that meet a condition."""
        # The graph only serves the order by the plain distance.
        order = "distance + 0, id" if exact else "distance"
        sql = f"""
            SELECT * FROM (
                SELECT vector <-> %s::vector AS distance, id, checksum
                FROM {self._table} WHERE {where}
            ) AS near ORDER BY {order} LIMIT %s
        """  # noqa: S608
        with transaction.atomic():
            self._plan(width, sort=exact or where != "TRUE")
            rows = self._run(sql, [str([*vector.tolist(), 0.0]), *values, limit])
        table = np.array([row[1:] for row in rows], np.int64).reshape(-1, 2)
        squared = np.square(np.array([row[0] for row in rows], np.float64)) + self._offset
        return Found(1.0 - squared / 2.0, table[:, 0], table[:, 1])

    def _plan(self, width: int, *, sort: bool) -> None:
        """Settings of the transaction: how the server is to search."""
        chosen = {
            "jit": "off",  # Compiling takes longer than any of these queries.
            "hnsw.ef_search": str(width),
            "hnsw.iterative_scan": "relaxed_order",
            "log_parameter_max_length_on_error": "0",  # A visitor's vector is a parameter.
            # With a filter the server decides itself whether to sort the rows that pass.
            "enable_sort": "on" if sort else "off",
        }
        calls = ", ".join("set_config(%s, %s, true)" for _ in chosen)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {calls}", [part for pair in chosen.items() for part in pair])

    def _run(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a query with server-side parameters: a server logs the text of a query
        that fails, and a visitor's vector must not be in it."""
        from psycopg import Cursor

        connection.ensure_connection()
        try:
            with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
                return cursor.execute(sql, values).fetchall()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", "") != "42P01":  # undefined_table
                raise
            raise IndexMissing(f"The database has no table {self._name}.") from error


def _conditions(query: Query) -> tuple[str, list[Any]]:
    """The condition that rows must meet, in SQL, and its parameters."""
    conditions, values = [], []
    if query.among is not None:
        conditions.append("id = ANY(%s)")
        values.append(query.among.tolist())
    skipped = [*query.hidden.tolist(), *(query.added.ids.tolist() if query.added else ())]
    if skipped:
        conditions.append("id <> ALL(%s)")
        values.append(skipped)
    return " AND ".join(conditions) or "TRUE", values
