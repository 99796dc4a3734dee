"""People with their portraits, and the categories they are in."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, Prefetch
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from celebrities.admin import history, merging
from celebrities.admin.bulk import ask, author, queue_embedding, run_action
from celebrities.admin.filters import ImportFilter, PortraitStateFilter, ShownFilter
from celebrities.admin.forms import CategoryChoice, CelebrityForm, PortraitForm, PortraitFormSet
from celebrities.admin.pictures import show_picture, show_thumbnail
from celebrities.admin.portraits import (
    PortraitColumns,
    change_portrait,
    recompute_portraits,
    show_tools,
)
from celebrities.admin.sheets import SheetAdmin
from celebrities.desk.history import change_row, note
from celebrities.desk.showing import remarks, why_unseen
from celebrities.gallery import delete_celebrities, delete_portraits
from celebrities.models import (
    NUMBERS,
    Category,
    Celebrity,
    CelebrityQuerySet,
    Change,
    FormerAddress,
    Portrait,
)

PORTRAITS_A_PAGE = 50


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
        "picture",
        ("state", "apart_words", "votes"),
        "tools",
        "image",
        ("author", "source_page"),
        ("licence", "licence_url"),
        "notes",
    ]
    readonly_fields = ["picture", "state", "apart_words", "votes", "tools"]
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Portrait]:
        """One page of the person's portraits: a form may have a thousand fields."""
        portraits = super().get_queryset(request).select_related("celebrity").order_by("pk")
        portraits = portraits.defer(*NUMBERS)
        person = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        if person is None:
            return portraits
        first = (portraits_page(request) - 1) * PORTRAITS_A_PAGE
        mine = Portrait.objects.filter(celebrity=person).order_by("pk").values_list("pk", flat=True)
        return portraits.filter(pk__in=list(mine[first : first + PORTRAITS_A_PAGE]))

    @admin.display(description=_("picture"))
    def picture(self, portrait: Portrait) -> SafeString | str:
        return show_picture(portrait)

    @admin.display(description=_("votes: seen / not seen"))
    def votes(self, portrait: Portrait) -> str:
        return f"{portrait.seen} / {portrait.not_seen}"

    @admin.display(description=_("what to do with it"))
    def tools(self, portrait: Portrait) -> SafeString | str:
        return show_tools(portrait)


def portraits_page(request: HttpRequest) -> int:
    number = request.GET.get("portraits", "1")
    return max(1, int(number)) if number.isascii() and number.isdigit() else 1


@admin.register(Celebrity)
class CelebrityAdmin(SheetAdmin[Celebrity]):
    form = CelebrityForm
    list_display = [
        *("thumbnail", "name", "gender", "birth_year"),
        *("published", "is_fictional", "portrait_states", "votes"),
    ]
    list_display_links = ["thumbnail", "name"]
    list_filter = [
        *("published", "is_fictional", PortraitStateFilter, ShownFilter, "gender", ImportFilter),
        *("created_at", "updated_at", "categories"),
    ]
    list_per_page = 50
    show_full_result_count = False
    # Only turns the search box on: `get_search_results` does the search, in any script.
    search_fields = ["search_key"]
    search_help_text = _("Any part of the name or other names; accents and case don't matter.")
    autocomplete_fields = ["categories"]
    readonly_fields = ["created_at", "updated_at"]
    inlines = [PortraitInline]
    actions = [
        *("publish", "unpublish", "set_category", "save_table"),
        *("recompute", "take_out", "delete_selected"),
    ]
    fieldsets = [
        (None, {"fields": ["name", "other_names", "slug", "new_address", "published"]}),
        (None, {"fields": ["is_fictional"]}),
        (_("Facts"), {"fields": ["gender", ("birth_year", "death_year"), "categories"]}),
        (_("Sources"), {"fields": ["wikidata_id", "source_page"]}),
        (_("History"), {"fields": [("created_at", "updated_at")]}),
    ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Celebrity]:
        portraits = Portrait.objects.defer(*NUMBERS).order_by("pk")
        people = super().get_queryset(request).filter(merged_into=None)
        people = people.prefetch_related(Prefetch("portraits", portraits))
        if (request.resolver_match and request.resolver_match.url_name) == "autocomplete":
            return people.prefetch_related("categories")
        return people

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

    def get_urls(self) -> list[URLPattern]:
        """Pages of a person's own beside Django's."""
        view = self.admin_site.admin_view
        own = [
            path(
                "<int:pk>/merge/",
                view(merging.merge_page),
                name="celebrities_celebrity_merge",
            ),
            path("take-back/", view(history.take_back_page), name="celebrities_take_back"),
        ]
        return [*own, *super().get_urls()]

    def view_on_site(self, person: Celebrity) -> str:
        return person.get_absolute_url()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        person = context.get("original")
        if isinstance(person, Celebrity):
            count = len(person.portraits.all())
            context |= {
                "unseen": why_unseen(person),
                "remarks": remarks(person),
                "portrait_count": count,
                "portrait_page": portraits_page(request),
                "portrait_pages": range(1, -(-count // PORTRAITS_A_PAGE) + 1),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every change of the person, whoever made it and how, each with its undo."""
        return history.show_history(self, request, object_id)

    def save_model(
        self, request: HttpRequest, obj: Celebrity, form: ModelForm[Celebrity], change: bool
    ) -> None:
        """Write only the fields that were changed: workers and importers write others."""
        by = author(request, Change.Way.FORM)
        if not change:
            super().save_model(request, obj, form, change)
            note(obj, by, gettext("added"))
            return
        fields = {field.name: field.attname for field in Celebrity._meta.concrete_fields}
        after = {fields[name]: getattr(obj, name) for name in form.changed_data if name in fields}
        if "categories" in form.changed_data:
            after["categories"] = sorted(each.pk for each in form.cleaned_data["categories"])
        now = Celebrity.objects.get(pk=obj.pk)
        if obj.slug != now.slug:
            after["slug"] = obj.slug
            FormerAddress.objects.update_or_create(slug=now.slug, defaults={"celebrity": now})
        if made := change_row(now, by, gettext("facts changed"), after):
            made.save()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store portraits, queue new ones, and delete removed ones with their files."""
        portraits = formset.save(commit=False)
        by = author(request, Change.Way.FORM)
        gone = [portrait.pk for portrait in formset.deleted_objects]
        for portrait in formset.deleted_objects:
            note(portrait.celebrity, by, gettext("portrait deleted"))
        delete_portraits(Portrait.objects.filter(pk__in=gone))
        for portrait, changed in formset.changed_objects:
            change_portrait(portrait, changed, by)
        for portrait in formset.new_objects:
            portrait.save()
            note(portrait, by, gettext("portrait added"))
        waiting = [each.pk for each in portraits if each.status == Portrait.Status.PENDING]
        queue_embedding(request, waiting)

    def delete_model(self, request: HttpRequest, obj: Celebrity) -> None:
        delete_celebrities(Celebrity.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Celebrity]) -> None:
        delete_celebrities(queryset)

    @admin.action(description=_("Publish the selected people"), permissions=["change"])
    def publish(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        words = ngettext_lazy("%d person is published now.", "%d people are published now.")
        run_action(request, "publish", people, words)

    @admin.action(description=_("Unpublish the selected people"), permissions=["change"])
    def unpublish(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        words = ngettext_lazy("%d person is hidden now.", "%d people are hidden now.")
        run_action(request, "hide", people, words)

    @admin.action(description=_("Put the selected people into a category"), permissions=["change"])
    def set_category(self, request: HttpRequest, people: CelebrityQuerySet) -> HttpResponse | None:
        form = CategoryChoice(request.POST if "post" in request.POST else None)
        if not form.is_valid():
            return ask(
                *(request, people, "set_category", _("Put people into a category")),
                _("The categories that they are in stay. This can be taken back."),
                form,
            )
        words = ngettext_lazy("%d person is in the category.", "%d people are in the category.")
        run_action(request, "category", people, words, category=form.cleaned_data["category"].pk)
        return None

    @admin.action(description=_("Recompute their portraits"), permissions=["change"])
    def recompute(self, request: HttpRequest, people: CelebrityQuerySet) -> None:
        chosen = people.order_by().values("pk")
        recompute_portraits(request, Portrait.objects.filter(celebrity__in=chosen))

    @admin.action(description=_("Take the selected people out for good"), permissions=["delete"])
    def take_out(self, request: HttpRequest, people: CelebrityQuerySet) -> HttpResponse | None:
        """Delete them, and keep them from coming back."""
        if "post" not in request.POST:
            return ask(
                *(request, people, "take_out", _("Take people out for good")),
                _(
                    "They are deleted with portraits, files and vectors, and no import brings them "
                    "back. This is final."
                ),
            )
        words = ngettext_lazy("%d person is taken out.", "%d people are taken out.")
        run_action(request, "take_out", people, words)
        return None

    @admin.action(description=_("Delete the selected people"), permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, people: CelebrityQuerySet
    ) -> HttpResponse | None:
        if "post" not in request.POST:
            return ask(
                *(request, people, "delete_selected", _("Delete people")),
                _(
                    "They are deleted with portraits, files and vectors. This is final; an import "
                    "may bring them back."
                ),
            )
        words = ngettext_lazy("%d person is deleted.", "%d people are deleted.")
        run_action(request, "delete", people, words)
        return None
