"""Queues: a case as pictures side by side, decided by a button that is also a key."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from celebrities.admin.bulk import author, queue_embedding
from celebrities.admin.forms import CreditsForm
from celebrities.admin.pictures import show_picture
from celebrities.desk.queues import QUEUES, Case, CaseGone, Queue
from celebrities.models import NUMBERS, Change, Decision, Portrait

LAST = 10
"""Decisions that can be taken back from the queue's own page."""

MOST_OTHERS = 6
"""Other portraits of the person shown beside the one in question."""


def queue_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The next case of a queue; a post decides one."""
    queue = QUEUES.get(slug)
    if queue is None:
        raise Http404
    if not request.user.has_perm("celebrities.change_portrait"):
        raise PermissionDenied
    form = CreditsForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        return decide(request, queue, form)
    cases = queue.cases(2, request.GET.get("after", ""))
    context = {
        **admin.site.each_context(request),
        "title": queue.title,
        "queue": queue,
        "count": queue.rows.order_by().count(),
        "case": describe(cases[0], queue) if cases else None,
        "next": show_picture(cases[1].first) if len(cases) > 1 else "",
        "form": form,
        "last": list_last(queue),
    }
    return TemplateResponse(request, "admin/desk/queue.html", context)


def decide(request: HttpRequest, queue: Queue, form: CreditsForm) -> HttpResponse:
    """Decide the posted case, and show the next one."""
    key, name = request.POST.get("case", ""), request.POST.get("choice", "")
    name, _dot, face = name.partition(".")
    if not form.is_valid():
        messages.error(request, _("That is no address: it must begin with https://."))
        return redirect(request.get_full_path())
    by = author(request, Change.Way.QUEUE)
    try:
        queue.decide(key, name, by, {"credits": form.cleaned_data, "face": face})
    except CaseGone:
        messages.info(request, _("This case has been decided meanwhile."))
    except ValidationError as error:
        messages.error(request, "; ".join(error.messages))
    except KeyError:
        raise Http404 from None
    else:
        pending = Portrait.objects.filter(changes__group=by.group, status="pending")
        if ids := list(pending.values_list("pk", flat=True)):
            queue_embedding(request, ids)
    return redirect(reverse("admin:desk_queue", args=[queue.slug]))


def describe(case: Case, queue: Queue) -> dict[str, Any]:
    """A case as the page shows it."""
    first = case.first
    sides = [
        {
            "portrait": each,
            "picture": show_picture(
                each, faces=(each.faces or ()) if queue.slug == "faces" else ()
            ),
        }
        for each in case.portraits
    ]
    others = Portrait.objects.ready().filter(celebrity=first.celebrity_id).exclude(pk=first.pk)
    known = {name: getattr(first, name) for name in queue.fields}
    return {
        "case": case,
        "sides": sides,
        "others": others.defer(*NUMBERS)[:MOST_OTHERS] if len(case.portraits) == 1 else [],
        "nearest": first.nearest if queue.slug == "odd" else None,
        "faces": range(1, len(first.faces or ()) + 1) if queue.slug == "faces" else (),
        "choices": [
            each
            for each in queue.choices
            if each.key and (each.name != "move" or first.nearest is not None)
        ],
        "form": CreditsForm(initial=known) if queue.fields else None,
    }


def list_last(queue: Queue) -> list[dict[str, Any]]:
    """The last decisions of the queue with their words and people."""
    words = {each.name: each.words for each in queue.choices}
    decisions = list(Decision.objects.filter(queue=queue.slug).select_related("user")[:LAST])
    changes = Change.objects.filter(group__in=[each.group for each in decisions])
    people = {each.group: str(each.celebrity) for each in changes.select_related("celebrity")}
    return [
        {
            "decision": each,
            "words": words.get(each.choice, each.choice),
            "who": people.get(each.group, ""),
        }
        for each in decisions
    ]
