"""What happens to results when curators change the gallery."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef
from django.dispatch import receiver

from celebrities.signals import portraits_moved
from uploads.models import Match


@receiver(portraits_moved)
def follow_portraits(ids: Collection[int], to: int, **given: Any) -> None:
    """A result shows the person whose portrait it found, each person once."""
    matches = Match.objects.filter(portrait__in=ids).exclude(celebrity=to)
    there = Match.objects.filter(
        face=OuterRef("face"), exhaustive=OuterRef("exhaustive"), celebrity=to
    )
    doubled = matches.filter(Exists(there))
    Match.objects.filter(pk__in=list(doubled.values_list("pk", flat=True))).delete()
    matches.update(celebrity=to)
