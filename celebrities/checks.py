"""System checks of the index that LOOKALIKE_INDEX names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

from celebrities.index.pgvector_build import describe_lack, logs_values


@register()
def check_index(**kwargs: Any) -> list[CheckMessage]:
    if settings.INDEX_BACKEND not in {"annoy", "pgvector"}:
        return [
            Error(
                f"LOOKALIKE_INDEX is {settings.INDEX_BACKEND!r}, which is no index.",
                hint="Set it to annoy or pgvector.",
                id="lookalike.E008",
            )
        ]
    return []


@register()
def check_pgvector(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Checks the kind of database; its extension only when ``databases`` may be queried, as
    in `check --database default` and `migrate`."""
    if settings.INDEX_BACKEND != "pgvector":
        return []
    if connection.vendor == "postgresql" and not databases:
        return []
    lack = describe_lack()
    if lack:
        return [Error(lack[0], hint=lack[1], id="lookalike.E009")]
    if logs_values():
        return [
            Warning(
                "The PostgreSQL server logs the values of queries, visitors' vectors among them.",
                hint="Have its administrator run ALTER ROLE ... SET log_parameter_max_length = 0 "
                "for the site's login.",
                id="lookalike.W007",
            )
        ]
    return []
