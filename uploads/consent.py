"""The consent text, its versions by digest, and the record of each accepted version."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, ngettext

from uploads.models import Consent


def render_text(language: str) -> str:
    """The text in one language under the current settings, one paragraph per line. The form shows
    the first two lines at once and the rest behind "More"."""
    return _render(language, settings.MIN_AGE, settings.KEEP_HOURS)


@lru_cache
def _render(language: str, age: int, hours: int) -> str:
    with translation.override(language):
        return "\n".join(
            [
                gettext(
                    "I agree that this site measures the faces in this photo, only to compare "
                    "them with the people in the gallery."
                ),
                ngettext(
                    "The photo is mine, or I have permission to use it, and everyone in it is "
                    "at least %(age)d year old.",
                    "The photo is mine, or I have permission to use it, and everyone in it is "
                    "at least %(age)d years old.",
                    age,
                )
                % {"age": age},
                ngettext(
                    "The photo and the result are kept for at most %(hours)d hour and then "
                    "deleted. I can delete them sooner.",
                    "The photo and the result are kept for at most %(hours)d hours and then "
                    "deleted. I can delete them sooner.",
                    hours,
                )
                % {"hours": hours},
                gettext(
                    "The measurements are never saved. Nothing is sold, used for training, added "
                    "to the gallery, or shown to others unless I share it."
                ),
            ]
        )


def current_digest(language: str) -> str:
    """SHA-256 in hex of the language and its current text."""
    return hashlib.sha256(f"{language}\n{render_text(language)}".encode()).hexdigest()


def language_of(digest: str) -> str | None:
    """The language whose current text has this digest, or None."""
    return {current_digest(language): language for language, _ in settings.LANGUAGES}.get(digest)


def record_consent(language: str) -> Consent:
    """The row of the current text in this language, created on first use."""
    shown = {"language": language, "text": render_text(language)}
    return Consent.objects.get_or_create(digest=current_digest(language), defaults=shown)[0]
