"""Portraits: each on a page of its own, and what people's pages show of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from celebrities.admin import queues
from celebrities.admin.bulk import ask, author, queue_embedding, run_action
from celebrities.admin.filters import ImportFilter, LicenceFilter, MissingFilter, QueueFilter
from celebrities.admin.forms import CREDITS, CreditsForm, PortraitForm
from celebrities.admin.pictures import show_picture, show_thumbnail
from celebrities.admin.sheets import SheetAdmin
from celebrities.desk.history import Author, change_row, note
from celebrities.desk.jobs import AT_ONCE, start
from celebrities.desk.portraits import TOOLS
from celebrities.models import NUMBERS, Celebrity, Change, Portrait, PortraitQuerySet


def recompute_portraits(request: HttpRequest, portraits: PortraitQuerySet) -> None:
    """Have workers read the portraits again. Ready ones stay in use meanwhile."""
    portraits = portraits.exclude(status=Portrait.Status.REJECTED)
    chosen = portraits.order_by().values("pk")
    failed = Portrait.objects.filter(pk__in=chosen, status=Portrait.Status.FAILED)
    count = portraits.count()
    if count > AT_ONCE:
        return run_action(request, "recompute", portraits)
    ids = list(portraits.order_by("pk").values_list("pk", flat=True))
    failed.update(status=Portrait.Status.PENDING, reason="")
    words = ngettext(
        "%d portrait waits to be recomputed.", "%d portraits wait to be recomputed.", count
    )
    messages.info(request, words % count)
    queue_embedding(request, ids)
    return None


def change_portrait(portrait: Portrait, changed: Iterable[str], by: Author) -> None:
    """Write the fields that a form changed, and note them."""
    names = {field.name: field.attname for field in Portrait._meta.concrete_fields}
    after = {names[name]: getattr(portrait, names[name]) for name in changed if name in names}
    now = Portrait.objects.defer(*NUMBERS).get(pk=portrait.pk)
    if made := change_row(now, by, gettext("portrait changed"), after):
        made.save()


def show_tools(portrait: Portrait) -> SafeString | str:
    """Buttons of the form `portrait-tools`, which lies outside the form of the person."""
    if portrait.pk is None:
        return "–"
    buttons = format_html_join(
        "",
        '<button type="submit" class="button" form="portrait-tools" name="do" value="{}-{}">'
        "{}</button>",
        ((tool, portrait.pk, words) for tool, words in offered_tools(portrait)),
    )
    url = reverse("admin:celebrities_portrait_change", args=[portrait.pk])
    move = format_html('<a href="{}">{}</a>', url, gettext("Move to another person, or delete"))
    return format_html('<span class="desk-tools">{}{}</span>', buttons, move)


def offered_tools(portrait: Portrait) -> list[tuple[str, str]]:
    if portrait.status == Portrait.Status.REJECTED:
        return [("accept", gettext("Accept again"))]
    tools = [("reject", gettext("Reject"))]
    if portrait.status == Portrait.Status.READY:
        cover = portrait.celebrity.chosen_cover_id == portrait.pk
        tools.insert(
            0,
            ("uncover", gettext("No longer the cover"))
            if cover
            else ("cover", gettext("Make it the cover")),
        )
    if portrait.flag == Portrait.Flag.ODD:
        tools.append(("keep", gettext("It is this person")))
    return tools


class PortraitColumns:
    """Columns of a portrait's own page and of its card on the person's page."""

    @admin.display(description=_("status"))
    def state(self, portrait: Portrait) -> str:
        if portrait.pk is None:
            return "–"
        state = str(portrait.get_status_display())
        if portrait.reason:
            state = f"{state}: {portrait.get_reason_display()}"
        if portrait.problem:
            again = gettext("could not be read again: %s") % portrait.problem
            state = f"{state} ({again})"
        if portrait.flag == Portrait.Flag.ODD:
            state = f"{state}; {portrait.get_flag_display()}"
        if portrait.celebrity.chosen_cover_id == portrait.pk:
            state = f"{state}; {gettext('cover')}"
        return state

    @admin.display(description=_("distance to the person's nearest other portrait"))
    def apart_words(self, portrait: Portrait) -> str:
        return "–" if portrait.apart is None else f"{portrait.apart:.2f}"


@admin.register(Portrait)
class PortraitAdmin(PortraitColumns, SheetAdmin[Portrait]):
    list_display = [*("thumbnail", "celebrity", "state", "licence", "encoder", "seen", "not_seen")]
    list_display_links = ["thumbnail", "celebrity"]
    list_filter = [
        *(QueueFilter, "flag", "status", "reason", "encoder", "celebrity__published"),
        *(MissingFilter, LicenceFilter, ImportFilter, "created_at"),
    ]
    list_select_related = ["celebrity"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["celebrity__search_key"]
    search_help_text = _(
        "The person, the author, licence, notes, source page, or a file's SHA-256."
    )
    ordering = ["-pk"]
    form = PortraitForm
    autocomplete_fields = ["celebrity"]
    actions = [
        *("recompute", "confirm", "reject", "accept", "set_credits"),
        *("save_table", "take_out", "delete_selected"),
    ]
    computed = [
        ("encoder", "embedded_at", "confidence"),
        ("width", "height", "apart_words"),
        ("seen", "not_seen"),
    ]
    fields = ["celebrity", "picture", "image", "state", *CREDITS, *computed]
    readonly_fields = ["picture", "state", *chain(*computed)]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Portrait]:
        return super().get_queryset(request).defer(*NUMBERS)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Portrait], search_term: str
    ) -> tuple[models.QuerySet[Portrait], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        people = Celebrity.objects.named(text).order_by().values("pk")
        found = models.Q(celebrity__in=people) | models.Q(image_hash=text.lower())
        for field in ("author", "licence", "notes", "source_page"):
            found |= models.Q(**{f"{field}__icontains": text})
        return queryset.filter(found), False

    def get_urls(self) -> list[URLPattern]:
        tools = self.admin_site.admin_view(self.use_tool)
        queue = self.admin_site.admin_view(queues.queue_page)
        own = [
            path("tools/", tools, name="celebrities_portrait_tools"),
            path("queue/<slug:slug>/", queue, name="desk_queue"),
        ]
        return [*own, *super().get_urls()]

    def use_tool(self, request: HttpRequest) -> HttpResponse:
        """A button of a portrait's card, then back to the person."""
        tool, _dash, pk = request.POST.get("do", "").partition("-")
        known = Portrait.objects.defer(*NUMBERS).select_related("celebrity")
        portrait = get_object_or_404(known, pk=int(pk) if pk.isdecimal() else 0)
        if not self.has_change_permission(request, portrait):
            raise PermissionDenied
        if request.method == "POST" and tool in TOOLS:
            TOOLS[tool](portrait, author(request, Change.Way.FORM))
            messages.success(request, gettext("Done. The history can take it back."))
        person = reverse("admin:celebrities_celebrity_change", args=[portrait.celebrity_id])
        return redirect(f"{person}#portraits-group")

    @admin.display(description=_("picture"))
    def picture(self, portrait: Portrait) -> SafeString | str:
        return show_picture(portrait)

    @admin.display(description="")
    def thumbnail(self, portrait: Portrait) -> SafeString | str:
        return show_thumbnail(portrait)

    def save_model(
        self, request: HttpRequest, obj: Portrait, form: ModelForm[Portrait], change: bool
    ) -> None:
        by = author(request, Change.Way.FORM)
        if change:
            # Only what was changed: a worker may have stored a vector since the row was read.
            change_portrait(obj, form.changed_data, by)
        else:
            obj.save()
            note(obj, by, gettext("portrait added"))
        if obj.status == Portrait.Status.PENDING:
            queue_embedding(request, [obj.pk])

    def delete_model(self, request: HttpRequest, obj: Portrait) -> None:
        start("delete_portraits", [obj.pk], author(request, Change.Way.FORM))

    @admin.action(description=_("It is this person"), permissions=["change"])
    def confirm(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        """Search with these portraits from now on, whatever later builds think of them."""
        words = ngettext_lazy("%d portrait is confirmed.", "%d portraits are confirmed.")
        run_action(request, "confirm", portraits, words)

    @admin.action(description=_("Reject the selected portraits"), permissions=["change"])
    def reject(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        words = ngettext_lazy("%d portrait is rejected.", "%d portraits are rejected.")
        run_action(request, "reject", portraits, words)

    @admin.action(description=_("Accept rejected portraits again"), permissions=["change"])
    def accept(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        words = ngettext_lazy("%d portrait is accepted.", "%d portraits are accepted.")
        run_action(request, "accept", portraits.filter(status="rejected"), words)

    @admin.action(description=_("Set author and licence"), permissions=["change"])
    def set_credits(self, request: HttpRequest, portraits: PortraitQuerySet) -> HttpResponse | None:
        form = CreditsForm(request.POST if "post" in request.POST else None)
        if not form.is_valid():
            return ask(
                *(request, portraits, "set_credits", _("Set author and licence")),
                _("Fields left empty stay as they are. This can be taken back."),
                form,
            )
        words = ngettext_lazy("%d portrait is credited.", "%d portraits are credited.")
        values = {name: value for name, value in form.cleaned_data.items() if value}
        run_action(request, "credits", portraits, words, values=values)
        return None

    @admin.action(description=_("Recompute the selected portraits"), permissions=["change"])
    def recompute(self, request: HttpRequest, portraits: PortraitQuerySet) -> None:
        recompute_portraits(request, portraits)

    @admin.action(description=_("Take the selected portraits out for good"), permissions=["delete"])
    def take_out(self, request: HttpRequest, portraits: PortraitQuerySet) -> HttpResponse | None:
        """Delete them, and keep their pictures from coming back."""
        if "post" not in request.POST:
            return ask(
                *(request, portraits, "take_out", _("Take portraits out for good")),
                _("They are deleted, and no import brings these pictures back. This is final."),
            )
        words = ngettext_lazy("%d portrait is taken out.", "%d portraits are taken out.")
        run_action(request, "take_portraits_out", portraits, words)
        return None

    @admin.action(description=_("Delete the selected portraits"), permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, portraits: PortraitQuerySet
    ) -> HttpResponse | None:
        if "post" not in request.POST:
            return ask(
                *(request, portraits, "delete_selected", _("Delete portraits")),
                _("This is final; an import may bring them back. To keep them out, reject them."),
            )
        words = ngettext_lazy("%d portrait is deleted.", "%d portraits are deleted.")
        run_action(request, "delete_portraits", portraits, words)
        return None
