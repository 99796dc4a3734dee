"""People with their portraits, and the categories they are in."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import Count, Prefetch
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from celebrities.admin.forms import CelebrityForm, PortraitForm, PortraitFormSet
from celebrities.admin.portraits import (
    UNSEEN,
    PortraitColumns,
    queue_embedding,
    recompute_portraits,
    show_thumbnail,
)
from celebrities.do_not_import import add_people
from celebrities.gallery import delete_celebrities, delete_portraits
from celebrities.models import Category, Celebrity, CelebrityQuerySet, Portrait


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin[Category]):
    list_display = ["name", "plural", "name_ru", "plural_ru", "people"]
    search_fields = ["name", "plural", "name_ru", "slug"]
    prepopulated_fields = {"slug": ["name"]}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Category]:
        return super().get_queryset(request).annotate(people=Count("celebrities"))

    @admin.display(description=_("people"), ordering="people")
    def people(self, category: Category) -> int:
        return category.people  # type: ignore[attr-defined,no-any-return]


class PortraitInline(PortraitColumns, admin.StackedInline[Portrait, Celebrity]):
    model = Portrait
    form = PortraitForm
    formset = PortraitFormSet
    extra = 1
    # Stacked, since a table of these is wider than a window.
    fields = [
        ("preview", "state"),
        "image",
        ("author", "source_page"),
        ("licence", "licence_url"),
        "notes",
        ("seen", "not_seen"),
    ]
    readonly_fields = ["preview", "state", "seen", "not_seen"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Portrait]:
        # The heading of each row names the person.
        return super().get_queryset(request).select_related("celebrity").defer(*UNSEEN)


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
        if self.value() == "none":
            return people.filter(~models.Exists(mine.ready()))
        if self.value() in ("pending", "failed"):
            return people.filter(models.Exists(mine.filter(status=self.value())))
        return people


@admin.register(Celebrity)
class CelebrityAdmin(admin.ModelAdmin[Celebrity]):
    form = CelebrityForm
    list_display = [
        *("thumbnail", "name", "gender", "birth_year"),
        *("published", "is_fictional", "portrait_states", "votes"),
    ]
    list_display_links = ["thumbnail", "name"]
    list_filter = ["published", "is_fictional", "gender", PortraitStateFilter, "categories"]
    list_per_page = 50
    show_full_result_count = False
    # Only turns the search box on: `get_search_results` does the search, in any script.
    search_fields = ["search_key"]
    search_help_text = _("Any part of the name or other names; accents and case don't matter.")
    filter_horizontal = ["categories"]
    readonly_fields = ["created_at", "updated_at"]
    inlines = [PortraitInline]
    actions = ["publish", "unpublish", "recompute", "take_out"]
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
        counts = Counter(str(each.get_status_display()) for each in person.portraits.all())
        return ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "–"

    @admin.display(description=_("votes: seen / not seen"))
    def votes(self, person: Celebrity) -> str:
        portraits = person.portraits.all()
        return f"{sum(p.seen for p in portraits)} / {sum(p.not_seen for p in portraits)}"

    def save_model(
        self, request: HttpRequest, obj: Celebrity, form: ModelForm[Celebrity], change: bool
    ) -> None:
        """Write only the fields that were changed: workers and importers write others."""
        if not change:
            return super().save_model(request, obj, form, change)
        own = {field.name for field in Celebrity._meta.concrete_fields}
        changed = own & {*form.changed_data}
        keys = {"search_key", "sort_key"} if changed & {"name", "other_names"} else set()
        obj.save(update_fields=[*changed, *keys, "updated_at"])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store portraits, queue new ones, and delete removed ones with their files."""
        portraits = formset.save(commit=False)
        gone = [portrait.pk for portrait in formset.deleted_objects]
        delete_portraits(Portrait.objects.filter(pk__in=gone))
        for portrait, changed in formset.changed_objects:
            portrait.save(update_fields=changed)
        for portrait in formset.new_objects:
            portrait.save()
        waiting = [each.pk for each in portraits if each.status == Portrait.Status.PENDING]
        queue_embedding(request, waiting)

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
        words = ngettext("%d person is hidden now.", "%d people are hidden now.", count)
        self.message_user(request, words % count, messages.SUCCESS)

    @admin.action(description=_("Recompute their portraits"), permissions=["change"])
    def recompute(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        chosen = people.order_by().values("pk")
        recompute_portraits(request, Portrait.objects.filter(celebrity__in=chosen))

    @admin.action(description=_("Take the selected people out for good"), permissions=["delete"])
    def take_out(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        """Delete them, and keep them from coming back."""
        chosen = Celebrity.objects.filter(pk__in=people.order_by().values("pk"))
        with transaction.atomic():
            add_people(chosen, "taken out by a curator")
            count = delete_celebrities(chosen)
        words = ngettext("%d person is taken out.", "%d people are taken out.", count)
        self.message_user(request, words % count, messages.SUCCESS)
