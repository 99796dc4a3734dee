"""The curators' desk: Django's admin with the site's name."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _


class Suggestions(AutocompleteJsonView):
    """Suggests rows by their ``label``, which tells namesakes apart, or by their name."""

    def serialize_result(self, obj: models.Model, to_field_name: str) -> dict[str, Any]:
        text = getattr(obj, "label", str(obj))
        return {"id": str(getattr(obj, to_field_name)), "text": text}


class Desk(admin.AdminSite):
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = _("What waits")

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, Suggestions.as_view(admin_site=self)(request))
