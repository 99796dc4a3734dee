"""Index builds: read only, with a button for a new one."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from celebrities.admin.charts import draw_chart, list_accuracy, list_builds
from celebrities.index.thresholds import thresholds
from celebrities.models import IndexBuild, Portrait, Threshold
from celebrities.tasks import request_rebuild
from lookalike.queue import QueueAway


@admin.register(Threshold)
class ThresholdAdmin(admin.ModelAdmin[Threshold]):
    list_display = ["name", "value"]


@admin.register(IndexBuild)
class IndexBuildAdmin(admin.ModelAdmin[IndexBuild]):
    change_list_template = "admin/celebrities/indexbuild/change_list.html"
    list_display = [
        *("name", "status", "encoder", "items", "people"),
        *("method", "recall", "seconds", "finished_at"),
    ]
    list_filter = ["status", "encoder"]
    fields = [
        ("name", "status"),
        "error",
        ("encoder", "backend", "items", "people"),
        ("why", "recall", "seconds"),
        ("started_at", "finished_at"),
        "all_facts",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: IndexBuild | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: IndexBuild | None = None) -> bool:
        return False

    @admin.display(description=_("search"))
    def method(self, build: IndexBuild) -> str:
        return build.method or "–"

    @admin.display(description=_("search"))
    def why(self, build: IndexBuild) -> str:
        return f"{build.method}: {build.facts.why}" if build.facts else "–"

    @admin.display(description=_("recall"))
    def recall(self, build: IndexBuild) -> str:
        return f"{build.facts.recall:.3f}" if build.facts else "–"

    @admin.display(description=_("seconds"))
    def seconds(self, build: IndexBuild) -> str:
        return f"{build.facts.seconds:.1f}" if build.facts else "–"

    @admin.display(description=_("manifest"))
    def all_facts(self, build: IndexBuild) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(build.manifest, indent=2))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The builds, and above them what is known of the one in use."""
        current = IndexBuild.objects.current()
        builds = list_builds()
        errors = (builds[-1].measured.get("errors") if builds else None) or {}
        since = Portrait.objects.ready()
        own = {
            "current": current,
            "since": since.filter(embedded_at__gte=current.started_at).count() if current else 0,
            "limits": thresholds(),
            "errors": errors
            and {
                "found": round(100 * errors["odd_found"], 1),
                "blamed": round(100 * errors["odd_blamed"], 1),
            },
            "accuracy": list_accuracy(builds[-1] if builds else None),
            "chart": draw_chart(builds),
        }
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        rebuild = self.admin_site.admin_view(self.rebuild)
        own = path("rebuild/", rebuild, name="celebrities_indexbuild_rebuild")
        return [own, *super().get_urls()]

    def rebuild(self, request: HttpRequest) -> HttpResponse:
        """The button: queue a rebuild and return to the list."""
        if not request.user.has_perm("celebrities.add_indexbuild"):
            raise PermissionDenied
        back = redirect("admin:celebrities_indexbuild_changelist")
        if request.method != "POST":
            return back
        try:
            request_rebuild()
        except QueueAway:
            words = _(
                "The queue cannot be reached, so nothing was started. Start Valkey and the "
                "gallery worker and try again, or run: manage.py rebuild_index"
            )
            messages.error(request, words)
        else:
            words = _("The index is being rebuilt. Searches use the current one meanwhile.")
            messages.success(request, words)
        return back
