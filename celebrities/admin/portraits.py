"""Portraits: each on a page of its own, and what people's pages show of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from django.contrib import admin, messages
from django.db import models, transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from celebrities.admin.forms import CREDITS, PortraitForm
from celebrities.do_not_import import add_portraits
from celebrities.gallery import confirm_portraits, delete_portraits
from celebrities.models import Celebrity, Portrait, PortraitQuerySet
from celebrities.tasks import request_embedding
from lookalike.queue import QueueAway

UNSEEN = ("vector", "landmarks", "box")
"""Columns that no page shows. Vectors make up most of a row."""


def show_thumbnail(portrait: Portrait | None, width: int = 48) -> SafeString | str:
    """The portrait's smallest thumbnail, or a dash if it has none."""
    url = portrait.thumbnail_url(160) if portrait else ""
    if not url:
        return "–"
    return format_html(
        '<img src="{}" width="{}" height="{}" alt="" loading="lazy">', url, width, width * 5 // 4
    )


def queue_embedding(request: HttpRequest, ids: Sequence[int]) -> None:
    """Have workers embed the portraits after the transaction commits. Tells the curator if the
    queue is away."""

    def embed() -> None:
        try:
            request_embedding(ids)
        except QueueAway:
            words = _(
                "Everything is stored, but the queue cannot be reached, so portraits are not "
                "computed yet. Those that wait are picked up by themselves once Valkey and the "
                "gallery worker run again; or run: manage.py rebuild_index"
            )
            messages.warning(request, words)

    transaction.on_commit(embed)


def recompute_portraits(request: HttpRequest, portraits: PortraitQuerySet) -> None:
    """Have workers read the portraits again. Ready ones stay in use meanwhile."""
    ids = list(portraits.order_by("pk").values_list("pk", flat=True))
    chosen = portraits.order_by().values("pk")
    failed = Portrait.objects.filter(pk__in=chosen, status=Portrait.Status.FAILED)
    failed.update(status=Portrait.Status.PENDING, reason="")
    words = ngettext("%d portrait is recomputed.", "%d portraits are recomputed.", len(ids))
    messages.info(request, words % len(ids))
    queue_embedding(request, ids)


class PortraitColumns:
    """Columns of a portrait's own page and of its row on the person's page."""

    preview_width = 96

    @admin.display(description=_("preview"))
    def preview(self, portrait: Portrait) -> SafeString | str:
        return show_thumbnail(portrait, self.preview_width)

    @admin.display(description=_("status"))
    def state(self, portrait: Portrait) -> str:
        if portrait.pk is None:
            return "–"
        state = str(portrait.get_status_display())
        if portrait.reason:
            state = f"{state}: {portrait.get_reason_display()}"
        if portrait.problem:
            again = _("could not be read again: %s") % portrait.problem
            state = f"{state} ({again})"
        return state


@admin.register(Portrait)
class PortraitAdmin(PortraitColumns, admin.ModelAdmin[Portrait]):
    preview_width = 320
    list_display = [
        *("thumbnail", "celebrity", "state", "flag", "licence", "encoder", "seen", "not_seen")
    ]
    list_display_links = ["thumbnail", "celebrity"]
    list_filter = ["flag", "status", "reason", "encoder", "celebrity__published", "licence"]
    list_select_related = ["celebrity"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["celebrity__search_key"]
    ordering = ["-pk"]
    form = PortraitForm
    autocomplete_fields = ["celebrity"]
    actions = ["recompute", "confirm", "take_out"]
    computed = [("encoder", "embedded_at", "confidence"), ("width", "height"), ("seen", "not_seen")]
    fields = ["celebrity", "preview", "image", "state", "flag", *CREDITS, *computed]
    readonly_fields = ["preview", "state", "flag", *chain(*computed)]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Portrait]:
        return super().get_queryset(request).defer(*UNSEEN)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Portrait], search_term: str
    ) -> tuple[models.QuerySet[Portrait], bool]:
        found = Celebrity.objects.named(search_term).order_by().values("pk")
        return (queryset.filter(celebrity__in=found) if search_term.strip() else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: Portrait | None = None) -> list[str]:
        return self.readonly_fields if obj is None else ["celebrity", *self.readonly_fields]

    @admin.display(description="")
    def thumbnail(self, portrait: Portrait) -> SafeString | str:
        return show_thumbnail(portrait)

    def save_model(
        self, request: HttpRequest, obj: Portrait, form: ModelForm[Portrait], change: bool
    ) -> None:
        # Only what was changed: a worker may have stored a vector since the row was read.
        obj.save(update_fields=form.changed_data if change else None)
        if obj.status == Portrait.Status.PENDING:
            queue_embedding(request, [obj.pk])

    def delete_model(self, request: HttpRequest, obj: Portrait) -> None:
        delete_portraits(Portrait.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Portrait]) -> None:
        delete_portraits(Portrait.objects.filter(pk__in=queryset.order_by().values("pk")))

    @admin.action(description=_("It is this person"), permissions=["change"])
    def confirm(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        """Search with these portraits from now on, whatever later builds think of them."""
        count = confirm_portraits(portraits)
        words = ngettext("%d portrait is confirmed.", "%d portraits are confirmed.", count)
        messages.success(request, words % count)

    @admin.action(description=_("Recompute the selected portraits"), permissions=["change"])
    def recompute(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        recompute_portraits(request, portraits)

    @admin.action(description=_("Take the selected portraits out for good"), permissions=["delete"])
    def take_out(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        """Delete them, and keep their pictures from coming back."""
        chosen = Portrait.objects.filter(pk__in=portraits.order_by().values("pk"))
        with transaction.atomic():
            add_portraits(list(chosen.defer(*UNSEEN)), "taken out by a curator")
            count = delete_portraits(chosen)
        words = ngettext("%d portrait is taken out.", "%d portraits are taken out.", count)
        self.message_user(request, words % count, messages.SUCCESS)
