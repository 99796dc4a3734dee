"""Template variables of every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "SITE_NAME": settings.SITE_NAME,
        "MAX_BYTES": settings.MAX_BYTES,
        "KEEP_HOURS": settings.KEEP_HOURS,
        "MIN_AGE": settings.MIN_AGE,
        "CONTACT": settings.CONTACT,
        "REGION_NOTICE": settings.REGION_NOTICE,
    }
