"""Index builds: read only, with a button for a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from celebrities.admin.charts import draw_chart, list_accuracy, list_builds
from celebrities.index.builds import former_build, stop_build, use_former
from celebrities.index.due import compare_with, failed_build, is_held, when_due
from celebrities.index.search import is_whole
from celebrities.index.thresholds import thresholds
from celebrities.models import IndexBuild, Threshold
from celebrities.tasks import request_rebuild
from lookalike.faces.index import Method
from lookalike.queue import QueueAway

STEPS = {
    "embedding portraits": _("reading portraits"),
    "looking for wrong portraits": _("looking for wrong portraits"),
    "reading vectors": _("reading vectors"),
    "measuring": _("measuring the search"),
    "comparing people": _("comparing people: who looks like whom"),
    "measuring accuracy": _("measuring how well people are told apart"),
    "comparing portraits": _("comparing portraits: the queues"),
}
"""What a build and what follows it are at, in words. Other steps take a moment."""


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
        builds = list_builds()
        errors = (builds[-1].measured.get("errors") if builds else None) or {}
        own = {
            **describe_index(),
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
        view = self.admin_site.admin_view
        own = [
            path(f"{each.__name__}/", view(each), name=f"celebrities_indexbuild_{each.__name__}")
            for each in (self.rebuild, self.stop, self.former)
        ]
        return [*own, *super().get_urls()]

    def rebuild(self, request: HttpRequest) -> HttpResponse:
        """The button: queue a rebuild and return to the list."""
        back = go_back(request)
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

    def stop(self, request: HttpRequest) -> HttpResponse:
        """Give the running build up. Searches use the current one all the time."""
        back = go_back(request)
        if request.method == "POST" and stop_build(str(request.user)):
            words = _("The build is stopped. None begins by itself until somebody rebuilds.")
            messages.success(request, words)
        return back

    def former(self, request: HttpRequest) -> HttpResponse:
        """Search with the build before again."""
        back = go_back(request)
        if request.method != "POST":
            return back
        if (before := former_build()) and is_whole(before):
            use_former(before)
            words = _("The build before is in use. No other begins until somebody rebuilds.")
            messages.success(request, words)
        else:
            messages.error(request, _("The build before is no longer kept. Rebuild the index."))
        return back


def go_back(request: HttpRequest) -> HttpResponse:
    """To the list. Raises PermissionDenied."""
    if not request.user.has_perm("celebrities.add_indexbuild"):
        raise PermissionDenied
    return redirect("admin:celebrities_indexbuild_changelist")


def describe_index() -> dict[str, Any]:
    """The build in use with what has changed since, and what is going on."""
    current = IndexBuild.objects.current()
    building = IndexBuild.objects.filter(status=IndexBuild.Status.BUILDING).first()
    busy = building or (current if current and current.step else None)
    difference = compare_with(current) if current else None
    due = when_due(current, difference) if current else None
    return {
        "current": current,
        "difference": difference,
        "due": due,
        "is_due": due is not None and due <= timezone.now(),
        "is_held": is_held(),
        "failed": failed_build(),
        "building": building,
        "step": STEPS.get(busy.step, busy.step) if busy else "",
        "percent": round(100 * busy.share) if busy else 0,
        "former": former_build() if current else None,
        **(describe_search(current) if current else {}),
    }


def describe_search(build: IndexBuild) -> dict[str, Any]:
    """Milliseconds of a search, and the bytes of the build's files where they are on this
    machine."""
    folder = Path(settings.INDEX_DIR) / build.name
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    facts = build.facts
    exact = facts is not None and facts.method == Method.EXACT
    return {
        "milliseconds": facts and (facts.exact_ms if exact else facts.approximate_ms),
        "size": sum(path.stat().st_size for path in files),
    }
