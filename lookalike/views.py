"""Pages of the site as a whole: what Django itself calls for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a tab that was open for too long: say so, lose nothing, try again."""
    return render(request, "403_csrf.html", status=403)
