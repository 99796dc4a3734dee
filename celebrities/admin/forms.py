"""Forms for portraits. Only the header of a file is checked here: the web process decodes no
pixels."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.models import BaseInlineFormSet
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from celebrities.do_not_import import is_listed, is_person_listed
from celebrities.headers import check_file
from celebrities.importers.manifest import WIKIDATA_ID
from celebrities.models import MAX_FILE_BYTES, Category, Celebrity, Portrait
from celebrities.models.people import next_year
from celebrities.reasons import describe_reason
from lookalike.faces.errors import PhotoError

CREDITS = ["author", "licence", "licence_url", "source_page", "notes"]


class PortraitFileField(forms.FileField):
    """Does not read a file that cannot be changed: it may be missing from the storage, and the
    person must still be saved."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        return initial if self.disabled else super().clean(data, initial)


class StoredFileInput(forms.FileInput):
    """Says that a file is stored. Every row must have the same fields: the form is sent with its
    files only if the first row has a field for one."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html("<span>{}</span>", _("Stored. Another picture is another portrait."))


class PortraitForm(forms.ModelForm[Portrait]):
    """The file cannot be changed later: another picture is another portrait."""

    class Meta:
        model = Portrait
        fields = ["celebrity", "image", *CREDITS]
        field_classes = {"image": PortraitFileField}
        widgets = {"image": forms.FileInput(attrs={"accept": "image/*"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "image" in self.fields:
            self.fields["image"].disabled = True
            self.fields["image"].widget = StoredFileInput()

    def clean_image(self) -> Any:
        image = self.cleaned_data["image"]
        if not isinstance(image, UploadedFile):
            return image
        try:
            check_file(image, max_bytes=MAX_FILE_BYTES)
        except PhotoError as error:
            raise ValidationError(describe_reason(error)) from error
        self.instance.image_hash = hashlib.file_digest(image, "sha256").hexdigest()
        image.seek(0)
        if listed := is_listed(sha256=self.instance.image_hash):
            raise ValidationError(_("This picture is %s.") % listed)
        return image

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        person_id = getattr(cleaned.get("celebrity"), "pk", self.instance.celebrity_id)
        digest = self.instance.image_hash
        same = Portrait.objects.filter(celebrity=person_id, image_hash=digest)
        if person_id and digest and same.exclude(pk=self.instance.pk).exists():
            self.add_error("image", _("This person already has this file."))
        return cleaned


class CelebrityForm(forms.ModelForm[Celebrity]):
    """A person, who may not be on the do-not-import list.

    Each field comes back with the value it was shown with, so that a change which somebody else
    has saved meanwhile is seen, and never overwritten.
    """

    new_address = forms.BooleanField(
        label=_("New address"),
        required=False,
        help_text=_("After the name. The old address leads to the new one."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            can_differ = self.instance.pk and name not in ("new_address", "categories")
            came_back = not self.is_bound or f"initial-{name}" in self.data
            field.show_hidden_initial = bool(can_differ and came_back)

    def clean_wikidata_id(self) -> str:
        given: str = self.cleaned_data["wikidata_id"]
        if given and not WIKIDATA_ID.fullmatch(given):
            raise ValidationError(_("A Wikidata id is a Q and a number, such as Q42."))
        return given

    def clean_birth_year(self) -> int | None:
        return self.check_year("birth_year")

    def clean_death_year(self) -> int | None:
        return self.check_year("death_year")

    def check_year(self, field: str) -> int | None:
        year: int | None = self.cleaned_data[field]
        if year is not None and not -3000 <= year <= next_year():
            raise ValidationError(_("There has been no such year."))
        return year

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.find_conflicts()
        known = ("name", "other_names", "wikidata_id")
        stated = [cleaned.get(name, "") for name in known]
        is_new = any(cleaned.get(name) != self.initial.get(name, "") for name in known)
        if is_new and (listed := is_person_listed(*stated)):
            raise ValidationError(_("This person is %s.") % listed)
        if cleaned.get("new_address"):
            cleaned["slug"] = Celebrity(
                pk=self.instance.pk, name=cleaned.get("name", "")
            ).free_slug()
        return cleaned

    def find_conflicts(self) -> None:
        """Refuse a field that somebody else has changed since the page was opened."""
        now = vars(Celebrity.objects.filter(pk=self.instance.pk).first() or self.instance)
        for name in self.changed_data:
            shown = self[name].html_initial_name
            if name not in now or shown not in self.data:
                continue
            before = self.fields[name].to_python(self.data[shown])
            theirs, yours = now[name], self.cleaned_data.get(name)
            if (theirs or "") != (before or "") and theirs != yours:
                words = _(
                    "Somebody else has changed this meanwhile, to “%(theirs)s”. You entered "
                    "“%(yours)s”. Save again to have yours."
                )
                params = {"theirs": theirs, "yours": yours}
                self.add_error(name, ValidationError(words, params=params))
                data = cast(QueryDict, self.data).copy()
                data[shown] = "" if theirs is None else theirs
                self.data = data


class CategoryChoice(forms.Form):
    category = forms.ModelChoiceField(Category.objects.all(), label=_("category"))


class CreditsForm(forms.Form):
    author = forms.CharField(label=_("author"), max_length=300, required=False)
    licence = forms.CharField(label=_("licence"), max_length=300, required=False)
    licence_url = forms.URLField(label=_("licence address"), max_length=500, required=False)
    source_page = forms.URLField(label=_("source page"), max_length=500, required=False)


class PortraitFormSet(BaseInlineFormSet[Portrait, Celebrity, forms.ModelForm[Portrait]]):
    """A person's portraits, each file once."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            digest = form.instance.image_hash
            if digest and not form.errors and digest in seen:
                form.add_error("image", _("This file is chosen twice."))
            seen.add(digest)
