"""Filters of the desk's lists."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from celebrities.models import CelebrityQuerySet, Portrait, PortraitQuerySet

LICENCES = 30
"""Licences that the filter lists, by how many portraits have them; the search finds the others."""


class PortraitStateFilter(admin.SimpleListFilter):
    title = _("portraits")
    parameter_name = "portraits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("none", _("none that is ready")),
            ("one", _("only one that is ready")),
            ("pending", _("some waiting")),
            ("failed", _("some failed")),
            ("rejected", _("some rejected")),
            ("bare", _("some shown without a licence")),
        ]

    def queryset(self, request: HttpRequest, people: CelebrityQuerySet) -> CelebrityQuerySet:  # type: ignore[override]
        mine = Portrait.objects.filter(celebrity=models.OuterRef("pk"))
        value = self.value()
        if value == "none":
            return people.filter(~models.Exists(mine.ready()))
        if value == "one":
            ready = Portrait.objects.ready().order_by().values("celebrity")
            return people.filter(
                pk__in=ready.annotate(n=Count("pk")).filter(n=1).values("celebrity")
            )
        if value == "bare":
            return people.filter(models.Exists(mine.ready().filter(licence="")))
        if value in ("pending", "failed", "rejected"):
            return people.filter(models.Exists(mine.filter(status=value)))
        return people


class MissingFilter(admin.SimpleListFilter):
    title = _("what is missing")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("licence", _("no licence")),
            ("author", _("no author")),
            ("source_page", _("no source page")),
        ]

    def queryset(self, request: HttpRequest, portraits: PortraitQuerySet) -> PortraitQuerySet:  # type: ignore[override]
        value = self.value()
        if value in ("licence", "author", "source_page"):
            return portraits.filter(**{value: ""})
        return portraits


class LicenceFilter(admin.SimpleListFilter):
    title = _("licence")
    parameter_name = "licence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        counted = Portrait.objects.exclude(licence="").order_by().values("licence")
        most = counted.annotate(n=Count("pk")).order_by("-n", "licence")[:LICENCES]
        return [(each["licence"], f"{each['licence'][:60]} ({each['n']})") for each in most]

    def queryset(self, request: HttpRequest, portraits: PortraitQuerySet) -> PortraitQuerySet:  # type: ignore[override]
        return portraits.filter(licence=self.value()) if self.value() else portraits
