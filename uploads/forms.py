"""The form on the first page. It reads a photo's header, never its pixels."""

from __future__ import annotations

from typing import IO, Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from celebrities.filters import Filters
from celebrities.front import read_front
from celebrities.headers import check_file
from lookalike.faces.errors import PhotoError
from uploads import consent
from uploads.failures import FailureText, describe_failure
from uploads.intake import Choices

GENDERS = [("female", _("women")), ("male", _("men")), ("other", _("others"))]


class UploadForm(forms.Form):
    """A photo, the consent, and the choices. A field named like one of Filters' fields sets that
    filter.

    A valid form's ``cleaned_data["photo"]`` is a file at position 0 with the header of a photo
    within the limits. ``failure`` says why a photo was refused.
    """

    photo = forms.FileField(label=_("Photo"), required=False, allow_empty_file=True)
    consent = forms.BooleanField(
        label=_("I agree"),
        error_messages={"required": _("Please read the text and tick the box.")},
    )
    consent_version = forms.CharField(
        widget=forms.HiddenInput, max_length=64, required=False, strip=True
    )
    k = forms.TypedChoiceField(
        label=_("Number of look-alikes"),
        coerce=int,
        choices=[(number, str(number)) for number in range(1, 16)],
        initial=6,
        empty_value=6,  # type: ignore[arg-type]
        required=False,
    )
    category = forms.ChoiceField(label=_("Known for"), required=False)
    gender = forms.ChoiceField(label=_("Show"), required=False)
    living_only = forms.BooleanField(label=_("Living people only"), required=False)
    exhaustive = forms.BooleanField(
        label=_("Also run an exact search and compare it with the fast one"),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failure: FailureText | None = None
        self.seconds = 0.0
        choices = self.fields["category"], self.fields["gender"]
        front = read_front()
        offered = ((kind.slug, kind.local_plural) for kind in front.categories)
        genders = [each for each in GENDERS if each[0] in front.genders]
        choices[0].choices = [("", _("everybody")), *offered]  # type: ignore[attr-defined]
        choices[1].choices = [("", _("women and men")), *genders]  # type: ignore[attr-defined]
        if not front.is_approximate:
            del self.fields["exhaustive"]

    @property
    def choice_fields(self) -> list[forms.BoundField]:
        others = {"photo", "consent", "consent_version"}
        return [field for field in self if field.name not in others]

    @property
    def has_choice_errors(self) -> bool:
        return any(field.errors for field in self.choice_fields)

    def get_choices(self) -> Choices:
        return Choices(
            k=self.cleaned_data["k"],
            filters=Filters.from_json(self.cleaned_data),
            exhaustive=self.cleaned_data.get("exhaustive", False),
        )

    def renew_consent(self, digest: str) -> None:
        """Ask for consent to the text with this digest. A box ticked for another text is
        cleared, and the error is shown beside it."""
        if not self.is_bound:
            return
        data = self.data.copy()  # type: ignore[attr-defined]
        data["consent_version"] = digest
        if "consent_version" in self.errors:
            data.pop("consent", None)
            self.errors["consent"] = self.errors.pop("consent_version")
        self.data = data

    def clean_photo(self) -> File[bytes]:
        if len(self.files.getlist("photo")) > 1:
            raise ValidationError(_("You sent several photos: please send one at a time."))
        photo: UploadedFile[bytes] | None = self.cleaned_data["photo"]
        if photo is None:
            raise ValidationError(_("Please choose a photo first."))
        try:
            check_file(cast(IO[bytes], photo.file), max_bytes=settings.MAX_BYTES)
        except PhotoError as error:
            self.failure = describe_failure(error.reason, error.detail)
            raise ValidationError(self.failure.sentence) from error
        return photo

    def clean_consent_version(self) -> str:
        """Only the digest of a current text is valid. If the text has changed since the page
        was opened, the visitor must read it again."""
        digest: str = self.cleaned_data["consent_version"]
        language = consent.language_of(digest)
        if language is None:
            raise ValidationError(
                _(
                    "The consent text has changed since you opened this page. "
                    "Please read it again and tick the box."
                )
            )
        self.cleaned_data["consent_language"] = language
        return digest
