"""A person's history, and taking changes back."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from celebrities.admin.bulk import author, run_action
from celebrities.desk.history import CannotTakeBack, take_back
from celebrities.desk.jobs import AT_ONCE
from celebrities.models import Celebrity, Change, Decision

LINES_A_PAGE = 100


def show_history(
    desk: admin.ModelAdmin[Celebrity], request: HttpRequest, object_id: str
) -> HttpResponse:
    """Every change of the person and their portraits, the newest first."""
    if not desk.has_view_or_change_permission(request):
        raise PermissionDenied
    person = desk.get_object(request, object_id)
    if person is None:
        raise Http404
    changes = person.changes.select_related("user", "portrait", "celebrity")
    changes = changes.defer("portrait__vector", "portrait__landmarks")
    page = Paginator(changes, LINES_A_PAGE).get_page(request.GET.get("p"))
    page.object_list = list(page.object_list)
    name_people(page.object_list)
    context = {
        **desk.admin_site.each_context(request),
        "title": _("Change history: %s") % person,
        "opts": desk.opts,
        "module_name": desk.opts.verbose_name_plural,
        "object": person,
        "page": page,
        "may_undo": desk.has_change_permission(request),
        "others": LogEntry.objects.filter(
            object_id=str(person.pk), content_type=ContentType.objects.get_for_model(Celebrity)
        ).select_related("user")[:LINES_A_PAGE],
    }
    return TemplateResponse(request, "admin/desk/history.html", context)


def name_people(changes: Iterable[Change]) -> None:
    """Put people's names in place of their numbers."""
    moved = [side for each in changes for side in (each.before, each.after)]
    ids = {side["celebrity_id"] for side in moved if side.get("celebrity_id")}
    people = Celebrity.objects.in_bulk(ids)
    for side in moved:
        if person := people.get(side.get("celebrity_id")):
            side["celebrity_id"] = person.name


def take_back_page(request: HttpRequest) -> HttpResponse:
    """Undo the changes of the posted ``group``, and go back to where the button was."""
    if not request.user.has_perm("celebrities.change_celebrity"):
        raise PermissionDenied
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = reverse("admin:index")
    try:
        group = UUID(request.POST.get("group", ""))
    except ValueError:
        return redirect(back)
    if request.method == "POST":
        undo_group(request, group)
    return redirect(back)


def undo_group(request: HttpRequest, group: UUID) -> None:
    """Undo changes and forget the decision that they came of, and tell the curator."""
    changes = Change.objects.filter(group=group, undone_at=None).exclude(after={})
    if changes.count() > AT_ONCE:
        return run_action(request, "undo", changes)
    try:
        count = take_back(changes, author(request, Change.Way.FORM))
    except CannotTakeBack as problem:
        messages.error(request, str(problem))
        return None
    forgotten, _each = Decision.objects.filter(group=group).delete()
    if count or forgotten:
        messages.success(request, _("Taken back."))
    else:
        messages.info(request, _("There is nothing to take back."))
    return None
