"""Commands that need the database's tables find them there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class DatabaseCommand(BaseCommand):
    """A command that reads or writes rows. It needs no `manage.py migrate` before it where
    the database is the embedded one; another is its operator's, and never changed unasked."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        bring_up_to_date()
        return super().execute(*args, **options)


def bring_up_to_date() -> None:
    """Migrate SQLite if it is behind. Raises CommandError for another database."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    if connection.vendor != "sqlite":
        raise CommandError("The database is behind this version. Run manage.py migrate first.")
    call_command("migrate", interactive=False, verbosity=0)
