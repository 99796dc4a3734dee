"""Commands that need an up-to-date database."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class DatabaseCommand(BaseCommand):
    """Migrates SQLite first. Raises CommandError if another database lacks migrations: it belongs
    to the operator, who runs `manage.py migrate`."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            if connection.vendor != "sqlite":
                raise CommandError(
                    "The database is behind this version. Run manage.py migrate first."
                )
            call_command("migrate", interactive=False, verbosity=0)
        return super().execute(*args, **options)
