"""A visitor's questions why a face and a look-alike are alike, which wait in the cache."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache

from lookalike.faces.encoders import find_spec
from lookalike.faces.types import EncoderId, UsualParts
from lookalike.outages import CACHE_FAILURES
from lookalike.queue import QueueAway, send
from uploads.models import Match

PATIENCE = 20
"""Seconds after which a question that nobody answered is dropped."""


class NoTime(Exception):
    """The workers have no time for questions now."""


def usual_parts(encoder: EncoderId) -> UsualParts | None:
    """None if the encoder's maps have not been measured."""
    spec = find_spec(encoder)
    return spec.parts if spec else None


def ask(match: Match) -> None:
    """Let a worker explain the match. Raises NoTime or QueueAway.

    There is one question per worker process at most, so that photos hardly wait for them.
    """
    try:
        if is_asked(match.pk):
            return
        if not any(cache.add(slot, match.pk, PATIENCE) for slot in _slots()):
            raise NoTime
    except CACHE_FAILURES as error:
        raise QueueAway from error
    send("uploads.tasks.explain_match_task", match.pk)


def is_asked(match_id: int) -> bool:
    return match_id in cache.get_many(_slots()).values()


def forget(match_id: int) -> None:
    """Make room for another question."""
    asked = cache.get_many(_slots())
    cache.delete_many([slot for slot, match in asked.items() if match == match_id])


def _slots() -> list[str]:
    return [f"why:{number}" for number in range(settings.WORKERS)]
