"""Template variables of every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    names = ("SITE_NAME", "MAX_BYTES", "KEEP_HOURS", "MIN_AGE", "CONTACT", "REGION_NOTICE")
    return {name: getattr(settings, name) for name in names}
