"""Tables out of a list, and the page on which an edited one comes back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from celebrities.admin.bulk import author
from celebrities.desk.sheets import Edit, Plan, apply_edits, read_sheet, write_sheet
from celebrities.models import Change
from lookalike.faces.tables import BadLine

Row = TypeVar("Row", bound=models.Model)

MAX_BYTES = 20_000_000
SHOWN = 500
"""Rows that the page shows; all are counted."""

_SALT = "celebrities.admin.sheets"
_DAY = 24 * 3600


class SheetForm(forms.Form):
    file = forms.FileField(
        label=_("table (CSV)"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        help_text=_("One that was saved here and edited. You see what it changes first."),
    )

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("A table may have 20 MB. Send it in parts."))
        data: bytes = file.read()
        return data


class SheetAdmin(admin.ModelAdmin[Row]):
    """A list with "save as a table", and the page that takes one back."""

    change_list_template = "admin/desk/sheet_list.html"

    @admin.action(description=_("Save the selected as a table (CSV)"), permissions=["view"])
    def save_table(self, request: HttpRequest, rows: models.QuerySet[Any]) -> StreamingHttpResponse:
        response = StreamingHttpResponse(write_sheet(rows), content_type="text/csv; charset=utf-8")
        name = f"{self.model._meta.model_name}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.table_page)
        name = f"celebrities_{self.model._meta.model_name}_table"
        own: list[URLPattern] = [path("table/", view, name=name)]
        return [*own, *super().get_urls()]

    def table_page(self, request: HttpRequest) -> HttpResponse:
        """Choose a file, see each changed cell, confirm."""
        opts = self.model._meta
        # As an import: a table changes many at once.
        rights = [f"celebrities.{right}_{opts.model_name}" for right in ("add", "change")]
        if not request.user.has_perms(rights):
            raise PermissionDenied
        if request.method == "POST" and "edits" in request.POST:
            return self.apply_table(request)
        sent = request.method == "POST"
        form = SheetForm(request.POST if sent else None, request.FILES if sent else None)
        plan = None
        if form.is_valid():
            try:
                plan = read_sheet(form.cleaned_data["file"], self.model)
            except BadLine as error:
                words = gettext("Line %(line)s: %(words)s")
                form.add_error("file", words % {"line": error.line, "words": error.problem})
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Take facts from a table"),
            "opts": opts,
            "form": form,
            **(describe_plan(self.model, plan) if plan else {}),
        }
        return TemplateResponse(request, "admin/desk/sheet.html", context)

    def apply_table(self, request: HttpRequest) -> HttpResponse:
        opts = self.model._meta
        back = redirect(f"admin:celebrities_{opts.model_name}_changelist")
        try:
            found = signing.loads(request.POST["edits"], salt=_SALT, max_age=_DAY)
            edits = [Edit(**each) for each in found[str(opts.model_name)]]
        except (signing.BadSignature, KeyError):
            messages.error(request, gettext("This page is too old. Choose the file again."))
            return redirect(reverse(f"admin:celebrities_{opts.model_name}_table"))
        by = author(request, Change.Way.IMPORT)
        try:
            count, left = apply_edits(self.model, edits, by)
        except IntegrityError:
            words = gettext("Two people would have the same Wikidata id. Correct the table.")
            messages.error(request, words)
            return back
        words = ngettext("%d row is changed.", "%d rows are changed.", count) % count
        messages.success(request, f"{words} {gettext('The history can take it back.')}")
        if left:
            words = gettext("Changed by somebody else meanwhile, and left as they are: %s")
            messages.warning(request, words % ", ".join(left[:20]))
        return back


def describe_plan(model: type[models.Model], plan: Plan) -> dict[str, Any]:
    edits = {str(model._meta.model_name): [asdict(edit) for edit in plan.edits]}
    return {
        "plan": plan,
        "shown": [(edit.row, edit.lines(model)) for edit in plan.edits[:SHOWN]],
        "edits": signing.dumps(edits, salt=_SALT, compress=True),
    }
