"""Actions on lists: asked about first if final, at once for a few rows, else as a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _

from celebrities.desk import jobs
from celebrities.desk.history import Author
from celebrities.models import Change
from celebrities.tasks import request_embedding
from lookalike.queue import QueueAway

NAMED = 10
"""Rows that a question names; the others are counted."""


def author(request: HttpRequest, way: Change.Way = Change.Way.ACTION) -> Author:
    return Author(way, request.user)


def run_action(
    request: HttpRequest,
    kind: str,
    rows: models.QuerySet[Any],
    said: str | Promise = "",
    **options: Any,
) -> None:
    """Do something with the rows, or have a worker do it, and tell the curator. ``said`` has a
    %d for the number of rows."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True).distinct())
    selection = request.GET.urlencode()
    try:
        job = jobs.start(kind, ids, author(request), selection, **options)
    except QueueAway:
        messages.warning(
            request,
            _(
                "The job is stored, but the queue cannot be reached. It begins by itself once "
                "Valkey and the gallery worker run again."
            ),
        )
        return
    if job is None:
        messages.success(request, said % len(ids) if said else _("Done."))
        return
    url = reverse("admin:celebrities_job_change", args=[job.pk])
    words = _("A worker does this with %d rows.") % len(ids)
    link = format_html('{} <a href="{}">{}</a>', words, url, _("See how far it is"))
    messages.success(request, link)


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


def ask(
    request: HttpRequest,
    rows: models.QuerySet[Any],
    action: str,
    title: str | Promise,
    warning: str | Promise,
    form: forms.Form | None = None,
) -> HttpResponse:
    """A page that says what is about to happen with how many rows, and asks for what is needed.
    It sends the action again with ``post``."""
    context = {
        "title": title,
        "warning": warning,
        "form": form,
        "action": action,
        "count": rows.count(),
        "named": [str(row) for row in rows[:NAMED]],
        "chosen": request.POST.getlist("_selected_action")[:1]
        if request.POST.get("select_across") == "1"
        else request.POST.getlist("_selected_action"),
        "across": request.POST.get("select_across", "0"),
        "opts": rows.model._meta,
    }
    return TemplateResponse(request, "admin/desk/ask.html", context)
