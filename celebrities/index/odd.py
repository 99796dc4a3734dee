"""Wrong portraits: those that disagree with the person's others wait for a curator."""

from __future__ import annotations

import numpy as np
from django.db.models import Count

from celebrities.index.rows import CHUNK, read_portraits
from celebrities.models import Portrait, PortraitQuerySet
from lookalike.faces.index import Progress
from lookalike.faces.people import LEAST_TO_JUDGE, Cohort, find_odd
from lookalike.faces.types import Scale


def flag_odd(
    portraits: PortraitQuerySet,
    dimensions: int,
    cohort: Cohort,
    scale: Scale,
    progress: Progress = lambda step, share: None,
) -> None:
    """Flag portraits that seem to be of somebody else, at most one of a person at a time.

    A flagged portrait is not searchable. Those that a curator has confirmed are never flagged.
    """
    counted = portraits.order_by("celebrity_id").values("celebrity_id").annotate(n=Count("pk"))
    people = list(counted.filter(n__gte=LEAST_TO_JUDGE).values_list("celebrity_id", flat=True))
    confirmed = portraits.filter(flag=Portrait.Flag.CONFIRMED).values_list("pk", flat=True)
    for start in range(0, len(people), CHUNK):
        progress("looking for wrong portraits", start / len(people))
        found = read_portraits(portraits, people[start : start + CHUNK], dimensions)
        found = found.take(found.counts >= LEAST_TO_JUDGE)
        odd = find_odd(found, np.isin(found.ids, list(confirmed)), cohort, scale)
        flagged = Portrait.objects.filter(pk__in=found.ids[odd].tolist(), flag="")
        flagged.update(flag=Portrait.Flag.ODD)
