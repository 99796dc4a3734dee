"""A PostgreSQL database in the place of Django's usual one, and what the index keeps in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dj_database_url
import numpy as np
import psycopg
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql

from celebrities.index.pgvector import PREFIX, PgvectorIndex
from celebrities.index.search import open_current
from celebrities.models import Celebrity
from lookalike.faces.index import Method, Query
from lookalike.faces.types import Neighbour, Vector


def make_database(server: str, name: str) -> str:
    """A further, empty database of the server: its DATABASE_URL."""
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.replace("/postgres?", f"/{name}?")


@contextmanager
def used_by_django(url: str) -> Iterator[None]:
    usual = connections["default"]
    there = {**usual.settings_dict, "OPTIONS": {}, **dj_database_url.parse(url)}
    connections["default"] = DatabaseWrapper(there, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = usual


def tables() -> list[str]:
    """The tables of index builds."""
    return [each for each in connection.introspection.table_names() if each.startswith(PREFIX)]


def open_table() -> PgvectorIndex:
    _, index = open_current()
    assert isinstance(index, PgvectorIndex)
    return index


def ask(
    vector: Vector, k: int, method: Method | None = None, people: Sequence[int] | None = None
) -> list[int]:
    """The people whom the table in use finds, without what changed since it was built."""
    among = None if people is None else np.array(sorted(people), np.int64)
    [found] = open_table().search(Query(vector[None], k, method, among)).found
    ids: list[int] = found.ids.tolist()
    return ids


def people_of(found: list[Neighbour]) -> list[int]:
    return [near.celebrity_id for near in found]


def names_of(found: list[Neighbour]) -> list[str]:
    names = dict(Celebrity.objects.values_list("pk", "name"))
    return [names[near.celebrity_id] for near in found]
