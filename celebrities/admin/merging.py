"""The page on which two people become one."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from celebrities.admin.bulk import author
from celebrities.desk.merging import SamePerson, merge
from celebrities.models import Celebrity, Change, Portrait


class PersonChoice(forms.Form):
    """A person, found by typing part of a name."""

    person = forms.ModelChoiceField(
        Celebrity.objects.filter(merged_into=None),
        label=_("person"),
        widget=AutocompleteSelect(Portrait._meta.get_field("celebrity"), admin.site),
    )


def merge_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the other person, look at both, merge."""
    if not request.user.has_perm("celebrities.change_celebrity"):
        raise PermissionDenied
    people = Celebrity.objects.filter(merged_into=None).with_portraits()
    gone = get_object_or_404(people, pk=pk)
    form = PersonChoice(request.POST or (request.GET if "person" in request.GET else None))
    kept = form.cleaned_data["person"] if form.is_valid() else None
    if kept == gone:
        form.add_error("person", _("Choose another person than this one."))
        kept = None
    if request.method == "POST" and kept is not None:
        try:
            merge(gone, kept, author(request, Change.Way.FORM))
        except SamePerson:
            return redirect(request.path)
        words = gettext("%(gone)s is one with %(kept)s now. The history can take it back.")
        messages.success(request, words % {"gone": gone, "kept": kept})
        return redirect("admin:celebrities_celebrity_change", kept.pk)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Merge %s with another person") % gone,
        "opts": Celebrity._meta,
        "gone": gone,
        "kept": people.filter(pk=kept.pk).first() if kept else None,
        "form": form,
        "media": form.media,
    }
    return TemplateResponse(request, "admin/desk/merge.html", context)
