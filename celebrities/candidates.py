"""Whom a request for removal may mean."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import islice
from urllib.parse import unquote

from django.db.models import Q
from django.utils import timezone

from celebrities.models import Celebrity, RemovalRequest
from celebrities.names import fold

MOST = 20
"""Candidates that are looked at; a request that means more is searched for by hand."""

KEPT = timedelta(days=30)
"""How long message and e-mail stay after the answer, for questions about it."""

_ADDRESS = re.compile(r"/people/([^/?#\s]+)")


def find_candidates(wish: RemovalRequest) -> list[Celebrity]:
    """People whose page's address, present or former, stands in the request, and those of this
    very name or other name. Case, accents and punctuation don't matter."""
    slugs = [unquote(slug) for slug in _ADDRESS.findall(f"{wish.person}\n{wish.message}")]
    addressed = Q(slug__in=slugs) | Q(former_addresses__slug__in=slugs)
    meant = Q(pk__in=_find_named(fold(wish.person))) | (addressed if slugs else Q(pk__in=[]))
    people = Celebrity.objects.filter(meant, merged_into=None).distinct()
    return list(people.order_by("pk")[:MOST])


def _find_named(wanted: str) -> list[int]:
    if not wanted:
        return []
    alike = Celebrity.objects.filter(search_key__contains=wanted).order_by("pk")
    names = alike.values_list("pk", "name", "other_names")
    found = (pk for pk, *texts in names if wanted in map(fold, "\n".join(texts).splitlines()))
    return list(islice(found, MOST))


def forget_requests() -> int:
    """Delete message and e-mail of requests answered over 30 days ago, and return how many had
    any. That there was a request, and how it ended, stays."""
    now = timezone.now()
    # Version 1.0, going on beside an upgraded database, answers without noting when.
    timeless = RemovalRequest.objects.filter(answered_at=None)
    timeless.exclude(status=RemovalRequest.Status.OPEN).update(answered_at=now)
    answered = RemovalRequest.objects.filter(answered_at__lt=now - KEPT)
    return answered.exclude(message="", contact="").update(message="", contact="")
