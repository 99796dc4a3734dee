"""System checks of the index that LOOKALIKE_INDEX names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from celebrities.index.backends import BACKENDS


@register()
def check_index(databases: Sequence[str] | None = None, **given: Any) -> list[CheckMessage]:
    """The database is asked only if ``databases`` may be queried, as in
    `check --database default` and `migrate`."""
    backend = BACKENDS.get(settings.INDEX_BACKEND)
    if backend is None:
        words = f"LOOKALIKE_INDEX is {settings.INDEX_BACKEND!r}, which is no index."
        return [Error(words, hint=f"Set it to {' or '.join(BACKENDS)}.", id="lookalike.E008")]
    return backend.problems(may_ask=bool(databases))
