"""Filters of the desk's lists."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from celebrities.desk.queues import QUEUES
from celebrities.models import CelebrityQuerySet, GalleryImport, Pair, Portrait, PortraitQuerySet

IMPORTS = 20
"""Imports that the filter lists, the newest first."""

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


class ImportFilter(admin.SimpleListFilter):
    """Of people and of portraits: those that an import brought."""

    title = _("import")
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        imports = GalleryImport.objects.only("source", "created_at")
        return [(str(each.pk), str(each)[:60]) for each in imports[:IMPORTS]]

    def queryset(self, request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value() or ""
        return rows.filter(imported_in=int(value)) if value.isdecimal() else rows


class QueueFilter(admin.SimpleListFilter):
    """Portraits that wait in a queue, of pairs both."""

    title = _("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(queue.slug, queue.title) for queue in QUEUES.values()]

    def queryset(self, request: HttpRequest, portraits: PortraitQuerySet) -> PortraitQuerySet:  # type: ignore[override]
        queue = QUEUES.get(self.value() or "")
        if queue is None:
            return portraits
        rows = queue.rows.order_by()
        if rows.model is not Pair:
            return portraits.filter(pk__in=rows.values("pk"))
        return portraits.filter(
            models.Q(pk__in=rows.values("one")) | models.Q(pk__in=rows.values("other"))
        )


class ShownFilter(admin.SimpleListFilter):
    title = _("results")
    parameter_name = "shown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("never", _("never in a visitor's result")), ("once", _("once at least"))]

    def queryset(self, request: HttpRequest, people: CelebrityQuerySet) -> CelebrityQuerySet:  # type: ignore[override]
        known = {"never": False, "once": True}
        value = self.value()
        return people.filter(was_shown=known[value]) if value in known else people
