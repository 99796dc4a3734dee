"""Imports: a file sent in parts, what it would do, and taking it back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from celebrities.admin.bulk import author
from celebrities.desk.jobs import begin_job
from celebrities.importers.recording import people_of
from celebrities.importers.report import HEADING
from celebrities.incoming import files
from celebrities.models import Change, GalleryImport
from lookalike.queue import QueueAway, send

SHOWN = 200
"""Lines of the report that the page shows; the table has all."""

Status = GalleryImport.Status

KINDS = {
    "new person": _("new people"),
    "new portrait": _("new portraits"),
    "imported": _("new portraits"),
    "kept out of sight": _("kept out of sight"),
    "filled in": _("filled in"),
    "updated": _("updated"),
    "replaced": _("replaced"),
    "differs": _("differ from the gallery"),
    "kept": _("kept as changed by hand"),
    "question": _("questions"),
    "skipped": _("already in the gallery"),
    "already there": _("already in the gallery"),
    "refused": _("refused"),
    "failed": _("could not be used"),
}
"""What reports count, in words."""


class SendForm(forms.Form):
    """``name`` and ``size`` are of a file that follows in parts."""

    name = forms.CharField(max_length=250)
    size = forms.IntegerField(min_value=1, max_value=files.MOST_BYTES)
    category = forms.CharField(
        label=_("what all of them are known for"), max_length=80, required=False
    )
    unpublished = forms.BooleanField(label=_("Keep new people out of sight"), required=False)
    publish = forms.BooleanField(
        label=_("Show people whose name is only a file's or folder's, such as jane-roe_1.jpg"),
        required=False,
    )
    update = forms.BooleanField(
        label=_("Take facts, credits and files that differ from the gallery's"), required=False
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.lower().endswith(files.ENDINGS):
            raise forms.ValidationError(_("A ZIP or tar archive, or a CSV."))
        return name


class WikidataForm(forms.Form):
    name = forms.CharField(label=_("name, or Wikidata id"), max_length=200)


class WikidataChoice(forms.Form):
    portraits = forms.TypedChoiceField(
        label=_("pictures"), coerce=int, choices=[(1, "1"), (2, "2"), (3, "3")], initial=1
    )
    unpublished = forms.BooleanField(label=_("Keep out of sight"), required=False)


@admin.register(GalleryImport)
class GalleryImportAdmin(admin.ModelAdmin[GalleryImport]):
    list_display = ["source", "created_at", "user", "status", "summary"]
    list_filter = ["status"]
    list_select_related = ["user"]
    fields = [("status", "problem"), ("user", "created_at", "finished_at"), "chosen", "digest"]
    change_form_template = "admin/desk/import.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("report")

    def has_change_permission(self, request: HttpRequest, obj: GalleryImport | None = None) -> bool:
        """Nobody edits what was done; `may_decide` is the right to confirm and take back."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: GalleryImport | None = None) -> bool:
        return False

    @admin.display(description=_("options"))
    def chosen(self, record: GalleryImport) -> str:
        given = (f"{name}={value}" for name, value in record.options.items())
        return ", ".join(given) or "–"

    @admin.display(description=_("what it did"))
    def summary(self, record: GalleryImport) -> str:
        return ", ".join(f"{count} {words}" for words, count in count_kinds(record)) or "–"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("begin/", view(self.begin), name="celebrities_galleryimport_begin"),
            path("wikidata/", view(self.wikidata), name="celebrities_galleryimport_wikidata"),
            path("<int:pk>/part/", view(self.take_part), name="celebrities_galleryimport_part"),
            path("<int:pk>/decide/", view(self.decide), name="celebrities_galleryimport_decide"),
            path("<int:pk>/report/", view(self.report), name="celebrities_galleryimport_report"),
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page that sends a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Import people and portraits"),
            "opts": self.opts,
            "form": SendForm(),
            "part_bytes": files.PART_BYTES,
            "most_bytes": files.MOST_BYTES,
            "endings": ",".join(files.ENDINGS),
        }
        return TemplateResponse(request, "admin/desk/import_new.html", context)

    def wikidata(self, request: HttpRequest) -> HttpResponse:
        """Have a worker search for somebody on Wikidata."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = WikidataForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            name = form.cleaned_data["name"]
            record = GalleryImport.objects.create(
                source=f"Wikidata: {name}"[:300],
                options={"wikidata": name},
                user_id=request.user.pk,
                status=Status.LOOKING,
                at_desk=True,
            )
            tell_worker(request)
            return redirect("admin:celebrities_galleryimport_change", record.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Find a person on Wikidata"),
            "opts": self.opts,
            "form": form,
            "is_allowed": bool(settings.CONTACT),
        }
        return TemplateResponse(request, "admin/desk/wikidata.html", context)

    def begin(self, request: HttpRequest) -> HttpResponse:
        """The address for a file's parts, and how many bytes of it are here already."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:celebrities_galleryimport_add")
        form = SendForm(request.POST)
        if not form.is_valid():
            words = "; ".join(str(each) for errors in form.errors.values() for each in errors)
            return JsonResponse({"problem": words}, status=400)
        given = form.cleaned_data
        options = {name: given[name] for name in given.keys() - {"name", "size"} if given[name]}
        mine = GalleryImport.objects.filter(user=request.user.pk, status=Status.RECEIVING)
        record = mine.filter(source=given["name"], size=given["size"]).first()
        if record is None:
            record = GalleryImport.objects.create(
                source=given["name"],
                size=given["size"],
                user_id=request.user.pk,
                status=Status.RECEIVING,
                at_desk=True,
            )
        GalleryImport.objects.filter(pk=record.pk).update(options=options)
        address = reverse("admin:celebrities_galleryimport_part", args=[record.pk])
        return JsonResponse({"address": address, "received": record.received})

    def take_part(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Some bytes of a file, which begin at ``at``."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        mine = GalleryImport.objects.filter(user=request.user.pk)
        record = get_object_or_404(mine, pk=pk)
        at = request.GET.get("at", "")
        data = request.read(files.PART_BYTES + 1) if request.method == "POST" else b""
        try:
            if not at.isdecimal() or len(data) > files.PART_BYTES:
                raise files.WrongPart
            received = files.add_part(record, int(at), data)
        except files.WrongPart:
            received = GalleryImport.objects.get(pk=pk).received
            if received < record.size:
                return JsonResponse({"received": received}, status=409)
        if received < record.size:
            return JsonResponse({"received": received})
        if mine.filter(pk=pk, status=Status.RECEIVING).update(status=Status.LOOKING):
            tell_worker(request)
        page = reverse("admin:celebrities_galleryimport_change", args=[pk])
        return JsonResponse({"received": received, "page": page})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was or would be done. The page loads itself again while a worker is at it."""
        record = self.get_object(request, object_id)
        if record is not None:
            lines = list(csv.reader(io.StringIO(record.report)))
            extra_context = {
                "counts": count_kinds(record),
                "lines": sort_lines(lines)[:SHOWN],
                "more": len(lines) - SHOWN,
                "failed": record.counts.get("failed", 0),
                "choice": WikidataChoice(),
                "may_decide": request.user.has_perm("celebrities.change_galleryimport"),
                "subtitle": None,
                "title": str(record),
            }
        response = super().change_view(request, object_id, form_url, extra_context)
        if record is not None and record.status in files.OPEN:
            response.headers["Refresh"] = "3"
        return response

    def report(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every line, as a table for spreadsheets."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = get_object_or_404(GalleryImport, pk=pk)
        text = "\N{BYTE ORDER MARK}" + HEADING + record.report
        response = HttpResponse(text, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="import-{pk}.csv"'
        return response

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Import what was looked at, discard or stop it, or take back what was imported."""
        if not request.user.has_perm("celebrities.change_galleryimport"):
            raise PermissionDenied
        record = get_object_or_404(GalleryImport, pk=pk)
        page = redirect("admin:celebrities_galleryimport_change", pk)
        if request.method != "POST":
            return page
        what = request.POST.get("do", "")
        if what == "import" and "wikidata" not in record.options and files.confirm(record):
            tell_worker(request)
        elif what in {f"take {each['id']}" for each in record.found}:
            chosen = WikidataChoice(request.POST)
            if chosen.is_valid() and files.confirm(
                record, id=what.removeprefix("take "), **chosen.cleaned_data
            ):
                tell_worker(request)
        elif what == "discard" and record.status in (*files.OPEN, *WAITING):
            files.discard(record)
            if not GalleryImport.objects.filter(pk=pk).exists():
                return redirect("admin:celebrities_galleryimport_changelist")
        elif what == "back" and record.can_be_taken_back:
            return take_back(request, record)
        return page


WAITING = (Status.RECEIVING, Status.LOOKED)


def count_kinds(record: GalleryImport) -> list[tuple[str, int]]:
    return [(str(KINDS.get(kind, kind)), count) for kind, count in record.counts.items() if count]


def sort_lines(lines: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """What a curator should read comes first."""
    order = ["failed", "refused", "question", "differs", "kept out of sight", "new person"]
    return sorted(
        (line for line in lines if len(line) == 3),
        key=lambda line: order.index(line[0]) if line[0] in order else len(order),
    )


def tell_worker(request: HttpRequest) -> None:
    try:
        send("celebrities.tasks.work_on_imports_task")
    except QueueAway:
        words = gettext(
            "The file is here, but the queue cannot be reached. It goes on by itself once Valkey "
            "and the gallery worker run again."
        )
        messages.warning(request, words)


def take_back(request: HttpRequest, record: GalleryImport) -> HttpResponse:
    """A job: what somebody has changed since stays."""
    by = author(request, Change.Way.ACTION)
    page = redirect("admin:celebrities_galleryimport_change", record.pk)
    try:
        job = begin_job("import", people_of(record), by, str(record), record=record.pk)
    except QueueAway:
        words = gettext("The queue cannot be reached. It is taken back once a worker runs again.")
        messages.warning(request, words)
        return page
    finally:
        GalleryImport.objects.filter(pk=record.pk).update(status=Status.TAKEN_BACK)
    return redirect("admin:celebrities_job_change", job.pk)
