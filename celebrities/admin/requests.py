"""Requests for removal from the gallery."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from celebrities.admin.bulk import author
from celebrities.candidates import find_candidates
from celebrities.desk.history import change_rows
from celebrities.do_not_import import add_people
from celebrities.gallery import delete_celebrities
from celebrities.models import Celebrity, RemovalRequest


@admin.register(RemovalRequest)
class RemovalRequestAdmin(admin.ModelAdmin[RemovalRequest]):
    list_display = ["person", "status", "days", "in_gallery", "email"]
    list_filter = ["status"]
    list_select_related = ["celebrity"]
    search_fields = ["person", "message", "contact"]
    autocomplete_fields = ["celebrity"]
    actions = ["hide_people", "take_out", "decline"]
    readonly_fields = ["person", "request", "email", "created_at", "candidates"]
    fields = [*readonly_fields, "celebrity", "status", "curator_note"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("in the gallery"))
    def in_gallery(self, wish: RemovalRequest) -> SafeString | str:
        return "–" if wish.celebrity is None else link_person(wish.celebrity)

    @admin.display(description=_("days open"), ordering="created_at")
    def days(self, wish: RemovalRequest) -> int:
        return ((wish.answered_at or timezone.now()) - wish.created_at).days

    @admin.display(description=_("request"))
    def request(self, wish: RemovalRequest) -> str:
        return wish.message

    @admin.display(description=_("e-mail"))
    def email(self, wish: RemovalRequest) -> str:
        return wish.contact or "–"

    @admin.display(description=_("who may be meant"))
    def candidates(self, wish: RemovalRequest) -> SafeString | str:
        links = ((link_person(person),) for person in find_candidates(wish))
        words = _("Nobody has this name or address. Search below by another spelling.")
        return format_html_join(", ", "{}", links) or str(words)

    def save_model(
        self, request: HttpRequest, obj: RemovalRequest, form: Any, change: bool
    ) -> None:
        is_open = obj.status == RemovalRequest.Status.OPEN
        obj.answered_at = None if is_open else obj.answered_at or timezone.now()
        super().save_model(request, obj, form, change)

    @admin.action(
        description=_("Unpublish the people named, and decide later"), permissions=["change"]
    )
    def hide_people(self, request: HttpRequest, wishes: models.QuerySet[RemovalRequest]) -> None:
        people = Celebrity.objects.filter(pk__in=wishes.values("celebrity"))
        count = change_rows(people, author(request), gettext("hidden"), published=False)
        words = ngettext("%d person is hidden now.", "%d people are hidden now.", count)
        self.message_user(request, words % count, messages.SUCCESS)

    @admin.action(
        description=_("Take the people named out for good"),
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
            gone = Celebrity.objects.filter(pk__in=people)
            add_people(gone, "asked to be taken out")
            count = delete_celebrities(gone)
            note = f"Taken out on {timezone.localdate().isoformat()} by {request.user}."
            done = RemovalRequest.objects.filter(pk__in=ids)
            done.update(
                status=RemovalRequest.Status.DONE, curator_note=note, answered_at=timezone.now()
            )
        words = ngettext("%d person is taken out.", "%d people are taken out.", count)
        self.message_user(request, words % count, messages.SUCCESS)
        if left := wishes.filter(celebrity=None).exclude(pk__in=ids).count():
            words = ngettext(
                "%d request has no person yet: open it and choose one.",
                "%d requests have no person yet: open each and choose one.",
                left,
            )
            self.message_user(request, words % left, messages.WARNING)

    @admin.action(description=_("Decline"), permissions=["change"])
    def decline(self, request: HttpRequest, wishes: models.QuerySet[RemovalRequest]) -> None:
        wishes.update(status=RemovalRequest.Status.DECLINED, answered_at=timezone.now())


def link_person(person: Celebrity) -> SafeString:
    url = reverse("admin:celebrities_celebrity_change", args=[person.pk])
    return format_html('<a href="{}">{}</a>', url, person.label)
