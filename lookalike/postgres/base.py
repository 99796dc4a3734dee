"""Waits for an answer no longer than the setting ANSWER_SECONDS says, also for a frozen server, and
asks the server for nothing before a request's first statement.

The server's own `statement_timeout` ends slow statements, but not the wait for a server, a pooler
or a network that says nothing at all.
"""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from lookalike.database import is_patient


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def answer_seconds(self) -> float | None:
        return None if is_patient() else self.settings_dict.get("ANSWER_SECONDS")

    def is_usable(self) -> bool:
        """Whoever ends a connection says so, so a quiet one is as good as one that answers."""
        if self.connection is None or self.errors_occurred or _has_word(self.connection.fileno()):
            return super().is_usable()
        return True

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        # A pooler in transaction mode takes no such option.
        if self.answer_seconds and not self.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            limit = f"-c statement_timeout={self.answer_seconds * 1000:.0f}"
            params["options"] = f"{limit} {params.get('options', '')}".strip()
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
        wait = connection.wait

        def wait_a_while(generator: Any, *args: Any, **options: Any) -> Any:
            limit = self.answer_seconds
            # The server's own limit comes first, and says more.
            options.setdefault("timeout", limit and limit + 1)
            try:
                return wait(generator, *args, **options)
            except psycopg.errors._WaitTimeout as error:
                # The answer may still come, so the connection is of no use any more.
                connection.pgconn.finish()
                raise psycopg.OperationalError("The database did not answer in time.") from error

        connection.wait = wait_a_while  # type: ignore[method-assign, assignment]
        return connection


def _has_word(socket: int) -> bool:
    """Whether something has arrived that nobody asked for."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
