"""The curators' desk: Django's admin with the site's name."""

from __future__ import annotations

from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import BadRequest, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _


class Suggestions(AutocompleteJsonView):
    """Suggests rows by their ``label``, which tells namesakes apart, or by their name, and with
    their ``cover``."""

    def serialize_result(self, obj: models.Model, to_field_name: str) -> dict[str, Any]:
        text, cover = getattr(obj, "label", str(obj)), getattr(obj, "cover", None)
        picture = cover.thumbnail_url(160) if cover else ""
        return {"id": str(getattr(obj, to_field_name)), "text": text, "cover": picture}


class Desk(admin.AdminSite):
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = _("What waits")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Answers 400 to ticked rows whose ids are none, where Django's lists would fail."""
        model: Any = getattr(getattr(view, "__self__", None), "model", None)

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            for ticked in request.POST.getlist(ACTION_CHECKBOX_NAME) if model else ():
                try:
                    model._meta.pk.to_python(ticked)
                except ValidationError as error:
                    raise BadRequest("A row that was ticked has no such id.") from error
            return view(request, *args, **kwargs)

        return super().admin_view(checked, cacheable)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, Suggestions.as_view(admin_site=self)(request))
