"""The curators' pages: people with their portraits, index builds, requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import Count, Prefetch
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from kombu.exceptions import OperationalError

from celebrities.admin_forms import PortraitForm, PortraitFormSet
from celebrities.gallery import delete_celebrities, delete_portraits
from celebrities.models import (
    Category,
    Celebrity,
    CelebrityQuerySet,
    IndexBuild,
    Portrait,
    PortraitQuerySet,
    RemovalRequest,
)
from celebrities.tasks import request_embedding, request_rebuild

if TYPE_CHECKING:
    CategoryModelAdmin = admin.ModelAdmin[Category]
    CelebrityModelAdmin = admin.ModelAdmin[Celebrity]
    PortraitModelAdmin = admin.ModelAdmin[Portrait]
    IndexBuildModelAdmin = admin.ModelAdmin[IndexBuild]
    RemovalRequestModelAdmin = admin.ModelAdmin[RemovalRequest]
    PortraitTabularInline = admin.TabularInline[Portrait, Celebrity]
else:
    CategoryModelAdmin = CelebrityModelAdmin = PortraitModelAdmin = admin.ModelAdmin
    IndexBuildModelAdmin = RemovalRequestModelAdmin = admin.ModelAdmin
    PortraitTabularInline = admin.TabularInline

UNSEEN = ("vector", "landmarks", "box")
"""Columns that no list shows: vectors make up most of a row."""


def show_thumbnail(portrait: Portrait | None, width: int = 48) -> SafeString | str:
    """The portrait's smallest thumbnail, or a dash before there is any."""
    url = portrait.thumbnail_url(160) if portrait else ""
    if not url:
        return "–"
    return format_html(
        '<img src="{}" width="{}" height="{}" alt="" loading="lazy">', url, width, width * 5 // 4
    )


def embed_soon(request: HttpRequest, ids: Sequence[int]) -> None:
    """Once this is committed, have workers embed the portraits; say so when that fails."""
    if ids:
        transaction.on_commit(lambda: _embed_now(request, ids))


def _embed_now(request: HttpRequest, ids: Sequence[int]) -> None:
    try:
        request_embedding(ids)
    except (OperationalError, OSError):
        messages.warning(
            request,
            _(
                "Everything is stored, but the queue cannot be reached, so portraits are not "
                "computed yet. Those that wait are picked up by themselves once Valkey and the "
                "gallery worker run again; or run: manage.py rebuild_index"
            ),
        )


@admin.register(Category)
class CategoryAdmin(CategoryModelAdmin):
    list_display = ["name", "plural", "name_ru", "plural_ru", "people"]
    search_fields = ["name", "plural", "name_ru", "slug"]
    prepopulated_fields = {"slug": ["name"]}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Category]:
        return super().get_queryset(request).annotate(people=Count("celebrities"))

    @admin.display(description=_("people"), ordering="people")
    def people(self, category: Category) -> int:
        count: int = category.people  # type: ignore[attr-defined]
        return count


class PortraitInline(PortraitTabularInline):
    model = Portrait
    form = PortraitForm
    formset = PortraitFormSet
    extra = 1
    fields = [
        "preview",
        "image",
        "state",
        "author",
        "licence",
        "licence_url",
        "source_page",
        "notes",
        "seen",
        "not_seen",
    ]
    readonly_fields = ["preview", "state", "seen", "not_seen"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Portrait]:
        # Each row's heading names the person.
        return super().get_queryset(request).select_related("celebrity").defer(*UNSEEN)

    @admin.display(description=_("preview"))
    def preview(self, portrait: Portrait) -> SafeString | str:
        return show_thumbnail(portrait, 96)

    @admin.display(description=_("status"))
    def state(self, portrait: Portrait) -> str:
        return describe_state(portrait)


def describe_state(portrait: Portrait) -> str:
    if portrait.pk is None:
        return "–"
    status = portrait.get_status_display()
    return f"{status}: {portrait.get_reason_display()}" if portrait.reason else str(status)


class PortraitStateFilter(admin.SimpleListFilter):
    title = _("portraits")
    parameter_name = "portraits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("none", _("none that is ready")),
            ("pending", _("some waiting")),
            ("failed", _("some failed")),
        ]

    def queryset(self, request: HttpRequest, people: CelebrityQuerySet) -> CelebrityQuerySet:  # type: ignore[override]
        mine = Portrait.objects.filter(celebrity=models.OuterRef("pk"))
        match self.value():
            case "none":
                return people.filter(~models.Exists(mine.ready()))
            case "pending":
                return people.filter(models.Exists(mine.pending()))
            case "failed":
                failed = mine.filter(status=Portrait.Status.FAILED)
                return people.filter(models.Exists(failed))
        return people


@admin.register(Celebrity)
class CelebrityAdmin(CelebrityModelAdmin):
    list_display = [
        "thumbnail",
        "name",
        "gender",
        "birth_year",
        "published",
        "is_fictional",
        "portrait_states",
        "votes",
    ]
    list_display_links = ["thumbnail", "name"]
    list_filter = ["published", "is_fictional", "gender", PortraitStateFilter, "categories"]
    list_per_page = 50
    show_full_result_count = False
    # The search itself is `get_search_results`; the words are those of any script.
    search_fields = ["search_key"]
    search_help_text = _("Any part of the name or other names; accents and case don't matter.")
    filter_horizontal = ["categories"]
    readonly_fields = ["created_at", "updated_at"]
    inlines = [PortraitInline]
    actions = ["publish", "unpublish", "recompute"]
    fieldsets = [
        (None, {"fields": ["name", "other_names", "slug", ("published", "is_fictional")]}),
        (_("Facts"), {"fields": ["gender", ("birth_year", "death_year"), "categories"]}),
        (_("Sources"), {"fields": ["wikidata_id", "source_page"]}),
        (_("History"), {"fields": [("created_at", "updated_at")]}),
    ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Celebrity]:
        portraits = Portrait.objects.defer(*UNSEEN).order_by("pk")
        return super().get_queryset(request).prefetch_related(Prefetch("portraits", portraits))

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Celebrity], search_term: str
    ) -> tuple[models.QuerySet[Celebrity], bool]:
        found = Celebrity.objects.named(search_term).order_by().values("pk")
        return (queryset.filter(pk__in=found) if search_term.strip() else queryset), False

    @admin.display(description="")
    def thumbnail(self, person: Celebrity) -> SafeString | str:
        return show_thumbnail(person.cover)

    @admin.display(description=_("portraits"))
    def portrait_states(self, person: Celebrity) -> str:
        counts: dict[str, int] = {}
        for portrait in person.portraits.all():
            word = str(portrait.get_status_display())
            counts[word] = counts.get(word, 0) + 1
        return ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "–"

    @admin.display(description=_("votes: seen / not seen"))
    def votes(self, person: Celebrity) -> str:
        portraits = person.portraits.all()
        return f"{sum(p.seen for p in portraits)} / {sum(p.not_seen for p in portraits)}"

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store portraits, have new ones computed, and delete removed ones with their files."""
        portraits = formset.save(commit=False)
        gone = [portrait.pk for portrait in formset.deleted_objects]
        delete_portraits(Portrait.objects.filter(pk__in=gone))
        for portrait in portraits:
            portrait.save()
        waiting = [each.pk for each in portraits if each.status == Portrait.Status.PENDING]
        embed_soon(request, waiting)

    def delete_model(self, request: HttpRequest, obj: Celebrity) -> None:
        delete_celebrities(Celebrity.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Celebrity]) -> None:
        delete_celebrities(queryset)

    @admin.action(description=_("Publish the selected people"), permissions=["change"])
    def publish(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        count = people.publish()
        words = ngettext("%d person is published now.", "%d people are published now.", count)
        self.message_user(request, words % count, messages.SUCCESS)

    @admin.action(description=_("Unpublish the selected people"), permissions=["change"])
    def unpublish(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        count = people.unpublish()
        words = ngettext("%d person is out of sight now.", "%d people are out of sight now.", count)
        self.message_user(request, words % count, messages.SUCCESS)

    @admin.action(description=_("Recompute their portraits"), permissions=["change"])
    def recompute(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        chosen = people.order_by().values("pk")
        recompute_portraits(request, Portrait.objects.filter(celebrity__in=chosen))


def recompute_portraits(request: HttpRequest, portraits: PortraitQuerySet) -> None:
    """Have portraits read anew. Those in use stay in use meanwhile."""
    ids = list(portraits.order_by("pk").values_list("pk", flat=True))
    chosen = portraits.order_by().values("pk")
    failed = Portrait.objects.filter(pk__in=chosen, status=Portrait.Status.FAILED)
    failed.update(status=Portrait.Status.PENDING, reason=Portrait.Reason.NONE)
    words = ngettext("%d portrait is recomputed.", "%d portraits are recomputed.", len(ids))
    messages.info(request, words % len(ids))
    embed_soon(request, ids)


@admin.register(Portrait)
class PortraitAdmin(PortraitModelAdmin):
    list_display = ["thumbnail", "celebrity", "state", "licence", "encoder", "seen", "not_seen"]
    list_display_links = ["thumbnail", "celebrity"]
    list_filter = ["status", "reason", "encoder", "celebrity__published", "licence"]
    list_select_related = ["celebrity"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["celebrity__search_key"]
    ordering = ["-pk"]
    form = PortraitForm
    autocomplete_fields = ["celebrity"]
    actions = ["recompute"]
    fields = [
        "celebrity",
        "preview",
        "image",
        "state",
        "author",
        "licence",
        "licence_url",
        "source_page",
        "notes",
        ("encoder", "embedded_at", "confidence"),
        ("width", "height"),
        ("seen", "not_seen"),
    ]
    readonly_fields = [
        "preview",
        "state",
        "encoder",
        "embedded_at",
        "confidence",
        "width",
        "height",
        "seen",
        "not_seen",
    ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Portrait]:
        return super().get_queryset(request).defer(*UNSEEN)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Portrait], search_term: str
    ) -> tuple[models.QuerySet[Portrait], bool]:
        found = Celebrity.objects.named(search_term).order_by().values("pk")
        return (queryset.filter(celebrity__in=found) if search_term.strip() else queryset), False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Portrait | None = None
    ) -> list[str] | tuple[str, ...]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if obj is None else ["celebrity", *fields]

    @admin.display(description="")
    def thumbnail(self, portrait: Portrait) -> SafeString | str:
        return show_thumbnail(portrait)

    @admin.display(description=_("preview"))
    def preview(self, portrait: Portrait) -> SafeString | str:
        return show_thumbnail(portrait, 320)

    @admin.display(description=_("status"))
    def state(self, portrait: Portrait) -> str:
        return describe_state(portrait)

    def save_model(
        self, request: HttpRequest, obj: Portrait, form: ModelForm[Portrait], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if obj.status == Portrait.Status.PENDING:
            embed_soon(request, [obj.pk])

    def delete_model(self, request: HttpRequest, obj: Portrait) -> None:
        delete_portraits(Portrait.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Portrait]) -> None:
        delete_portraits(Portrait.objects.filter(pk__in=queryset.order_by().values("pk")))

    @admin.action(description=_("Recompute the selected portraits"), permissions=["change"])
    def recompute(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        recompute_portraits(request, portraits)


@admin.register(IndexBuild)
class IndexBuildAdmin(IndexBuildModelAdmin):
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
        ("encoder", "items", "people"),
        ("method", "recall", "seconds"),
        ("started_at", "finished_at"),
        "facts",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: IndexBuild | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: IndexBuild | None = None) -> bool:
        return False

    @admin.display(description=_("search"))
    def method(self, build: IndexBuild) -> str:
        return str(read_tuning(build, "method"))

    @admin.display(description=_("recall"))
    def recall(self, build: IndexBuild) -> str:
        recall = read_tuning(build, "recall")
        return f"{recall:.3f}" if isinstance(recall, float) else "–"

    @admin.display(description=_("seconds"))
    def seconds(self, build: IndexBuild) -> str:
        seconds = build.manifest.get("seconds")
        return "–" if seconds is None else f"{seconds:.1f}"

    @admin.display(description=_("manifest"))
    def facts(self, build: IndexBuild) -> SafeString:
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
        """The button: hand the rebuild to a worker, and come back to the list."""
        back = HttpResponseRedirect(reverse("admin:celebrities_indexbuild_changelist"))
        if request.method != "POST" or not request.user.has_perm("celebrities.add_indexbuild"):
            return back
        try:
            request_rebuild()
        except (OperationalError, OSError):
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


def read_tuning(build: IndexBuild, name: str) -> Any:
    return build.manifest.get("tuning", {}).get(name, "–")


@admin.register(RemovalRequest)
class RemovalRequestAdmin(RemovalRequestModelAdmin):
    list_display = ["person", "status", "in_gallery", "contact", "created_at"]
    list_filter = ["status"]
    list_select_related = ["celebrity"]
    search_fields = ["person", "message", "contact"]
    autocomplete_fields = ["celebrity"]
    actions = ["hide_people", "take_out", "decline"]
    fields = [
        "person",
        "message",
        "contact",
        "created_at",
        "celebrity",
        "status",
        "curator_note",
    ]
    readonly_fields = ["person", "message", "contact", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("in the gallery"))
    def in_gallery(self, wish: RemovalRequest) -> SafeString | str:
        if wish.celebrity is None:
            return "–"
        url = reverse("admin:celebrities_celebrity_change", args=[wish.celebrity.pk])
        return format_html('<a href="{}">{}</a>', url, wish.celebrity)

    @admin.action(
        description=_("Unpublish the people named, and decide later"), permissions=["change"]
    )
    def hide_people(self, request: HttpRequest, wishes: models.QuerySet[RemovalRequest]) -> None:
        count = Celebrity.objects.filter(pk__in=wishes.values("celebrity")).unpublish()
        words = ngettext("%d person is out of sight now.", "%d people are out of sight now.", count)
        self.message_user(request, words % count, messages.SUCCESS)

    @admin.action(
        description=_("Take the people named out for good, with portraits and vectors"),
        permissions=["change"],
    )
    def take_out(self, request: HttpRequest, wishes: models.QuerySet[RemovalRequest]) -> None:
        if not request.user.has_perm("celebrities.delete_celebrity"):
            self.message_user(request, _("You may not delete people."), messages.ERROR)
            return
        linked = wishes.exclude(celebrity=None)
        ids = list(linked.values_list("pk", flat=True))
        people = list(linked.values_list("celebrity", flat=True))
        with transaction.atomic():
            count = delete_celebrities(Celebrity.objects.filter(pk__in=people))
            note = f"Taken out on {timezone.localdate().isoformat()} by {request.user}."
            done = RemovalRequest.objects.filter(pk__in=ids)
            done.update(status=RemovalRequest.Status.DONE, curator_note=note)
        words = ngettext("%d person is taken out.", "%d people are taken out.", count)
        self.message_user(request, words % count, messages.SUCCESS)

    @admin.action(description=_("Decline"), permissions=["change"])
    def decline(self, request: HttpRequest, wishes: models.QuerySet[RemovalRequest]) -> None:
        wishes.update(status=RemovalRequest.Status.DECLINED)
