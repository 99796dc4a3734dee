"""Commands that need an up-to-date database, and statements that may take long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lookalike.environ import make_data_dir

_is_patient = False


def is_patient() -> bool:
    """Whether this process builds an index, so that its statements have no time limit."""
    return _is_patient


@contextmanager
def patient_database() -> Iterator[None]:
    """Statements inside may take as long as they need."""
    global _is_patient
    _is_patient = True
    _connect_anew()
    try:
        yield
    finally:
        _is_patient = False
        _connect_anew()


def let_others_write() -> None:
    """Wait for a moment between two transactions of long work. Whoever waits for SQLite's lock asks
    again after 0.1 s at most, and would otherwise find it taken again."""
    if connection.vendor == "sqlite":
        time.sleep(0.1)


def _connect_anew() -> None:
    """The server's time limit is a connection's own."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()


class DatabaseCommand(BaseCommand):
    """Migrates SQLite first. Raises CommandError if another database lacks migrations: it belongs
    to the operator, who runs `manage.py migrate`."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        make_data_dir()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            if connection.vendor != "sqlite":
                raise CommandError(
                    "The database is behind this version. Run manage.py migrate first."
                )
            call_command("migrate", interactive=False, verbosity=0)
        return super().execute(*args, **options)
