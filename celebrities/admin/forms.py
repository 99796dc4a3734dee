"""Forms for portraits. Only the header of a file is checked here: the web process decodes no
pixels."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.models import BaseInlineFormSet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from celebrities.do_not_import import is_listed
from celebrities.importers.manifest import WIKIDATA_ID
from celebrities.models import MAX_FILE_BYTES, Celebrity, Portrait
from celebrities.reasons import describe_reason
from lookalike.faces.errors import PhotoError
from lookalike.faces.photos.header import check_header

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
            check_header(
                image,
                max_bytes=MAX_FILE_BYTES,
                max_pixels=settings.MAX_PIXELS,
                min_side=settings.MIN_SIDE,
                decode_mb=settings.DECODE_MB,
            )
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
    """A person, who may not be on the do-not-import list."""

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
        if year is not None and not -4000 <= year <= timezone.now().year:
            raise ValidationError(_("There has been no such year."))
        return year

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if {"name", "other_names", "wikidata_id"} & {*self.changed_data}:
            names = (cleaned.get("name", ""), *cleaned.get("other_names", "").splitlines())
            if listed := is_listed(wikidata_id=cleaned.get("wikidata_id", ""), names=names):
                raise ValidationError(_("This person is %s.") % listed)
        return cleaned


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
