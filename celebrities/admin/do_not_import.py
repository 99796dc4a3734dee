"""The do-not-import list: entries are added by taking people out, and can be taken off."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from celebrities.models import DoNotImport


@admin.register(DoNotImport)
class DoNotImportAdmin(admin.ModelAdmin[DoNotImport]):
    list_display = ["created_at", "wikidata_id", "all_names", "pictures", "reason"]
    search_fields = ["wikidata_id", "names", "reason"]
    fields = ["created_at", "wikidata_id", "all_names", "pictures", "reason"]
    readonly_fields = ["created_at", "wikidata_id", "all_names", "pictures"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("names"))
    def all_names(self, entry: DoNotImport) -> str:
        return ", ".join(entry.names) or "–"

    @admin.display(description=_("pictures"))
    def pictures(self, entry: DoNotImport) -> int:
        return max(len(entry.sha256), len(entry.phashes))
