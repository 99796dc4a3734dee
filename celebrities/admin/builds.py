"""Index builds: read only, with a button for a new one."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from celebrities.models import IndexBuild
from celebrities.tasks import request_rebuild
from lookalike.queue import QueueAway


@admin.register(IndexBuild)
class IndexBuildAdmin(admin.ModelAdmin[IndexBuild]):
    change_list_template = "admin/celebrities/indexbuild/change_list.html"
    list_display = [
        "name",
        "status",
        "encoder",
        "items",
        "people",
        "method",
        "recall",
        "seconds",
        "finished_at",
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

    def get_urls(self) -> list[URLPattern]:
        rebuild = self.admin_site.admin_view(self.rebuild)
        return [
            path("rebuild/", rebuild, name="celebrities_indexbuild_rebuild"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = request.user.has_perm("celebrities.add_indexbuild")
        return super().changelist_view(request, {**(extra_context or {}), "may_rebuild": may})

    def rebuild(self, request: HttpRequest) -> HttpResponse:
        """The button: queue a rebuild and return to the list."""
        back = HttpResponseRedirect(reverse("admin:celebrities_indexbuild_changelist"))
        if request.method != "POST" or not request.user.has_perm("celebrities.add_indexbuild"):
            return back
        try:
            request_rebuild()
        except QueueAway:
            messages.error(
                request,
                _(
                    "The queue cannot be reached, so nothing was started. Start Valkey and the "
                    "gallery worker and try again, or run: manage.py rebuild_index"
                ),
            )
        else:
            messages.success(
                request,
                _("A worker rebuilds the index. Searches go on with the one in use meanwhile."),
            )
        return back
