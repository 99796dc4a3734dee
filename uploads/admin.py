"""Uploads in the admin: states and figures, never a photo, and nothing to edit."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from uploads.deletion import delete_upload
from uploads.failures import describe_failure
from uploads.models import Consent, Upload

M = TypeVar("M", bound=Model)


class UneditableAdmin(admin.ModelAdmin[M]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class FailureFilter(admin.SimpleListFilter):
    title = _("failure")
    parameter_name = "failure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        reasons = Upload.objects.exclude(failure="").order_by("failure").distinct()
        return [
            (reason, describe_failure(reason).title)
            for reason in reasons.values_list("failure", flat=True)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> QuerySet[Upload]:
        return queryset.filter(failure=self.value()) if self.value() else queryset


@admin.register(Upload)
class UploadAdmin(UneditableAdmin[Upload]):
    list_display = (
        *("created_at", "status", "why", "stage", "attempts"),
        *("face_count", "compared_with", "encoder", "expires_at"),
    )
    list_filter = ("status", FailureFilter, "encoder", "exhaustive")
    date_hierarchy = "created_at"
    fields = (
        *("status", "why", "detail", "stage", "attempts", "language"),
        *("created_at", "queued_at", "claimed_at", "finished_at", "expires_at"),
        *("k", "filters", "exhaustive"),
        *("build_name", "encoder", "compared_with", "method", "search_ms", "exact_ms"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).annotate(found=Count("faces"))

    @admin.display(description=_("failure"), ordering="failure", empty_value="-")
    def why(self, upload: Upload) -> str:
        return describe_failure(upload.failure).title if upload.failure else ""

    @admin.display(description=_("faces"), ordering="found")
    def face_count(self, upload: Any) -> int:
        return int(upload.found)

    def delete_model(self, request: HttpRequest, obj: Upload) -> None:
        delete_upload(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        for upload in queryset:
            delete_upload(upload)


@admin.register(Consent)
class ConsentAdmin(UneditableAdmin[Consent]):
    list_display = ("digest", "language", "first_shown_at")
    readonly_fields = ("digest", "language", "text", "first_shown_at")

    def has_delete_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        return False
