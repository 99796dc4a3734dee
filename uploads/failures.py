"""What a visitor reads when it does not work: a title, a sentence, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lookalike.faces import errors
from uploads.models import Upload

Failure = Upload.Failure


@dataclass(frozen=True, slots=True)
class FailureText:
    """One reason in words. ``sentence`` stands alone; ``tips`` say what to do next."""

    title: str
    sentence: str
    tips: list[str]


def failure_of(error: errors.PhotoError) -> tuple[Upload.Failure, str]:
    """The failure that an engine's exception stands for, and its detail for the sentence."""
    return Failure(error.reason), error.detail[:40]


def describe_failure(failure: str, detail: str = "") -> FailureText:
    """The words for a failure in the language in force."""
    return _WORDS.get(Failure(failure), _describe_internal)(detail)


def accepted_formats() -> str:
    return "JPEG, PNG, WebP, HEIC, AVIF, GIF"


def megabytes(size: int) -> str:
    return f"{size / 1e6:g}"


def _describe_no_face(detail: str) -> FailureText:
    return FailureText(
        _("No face found"),
        _("We looked at your photo from all four sides and found no face in it."),
        [
            _("Face the camera: both eyes, nose and mouth should be visible."),
            _("Find more light, and avoid a bright window behind you."),
            _("Come closer or crop the photo, so that the face fills a good part of it."),
        ],
    )


def _describe_face_too_small(detail: str) -> FailureText:
    return FailureText(
        _("The face is too small"),
        _("There is a face in your photo, but it is too small to compare."),
        [
            _("Use a photo taken from nearer."),
            _("Send the original photo rather than a reduced copy."),
        ],
    )


def _describe_too_small(detail: str) -> FailureText:
    return FailureText(
        _("The photo is too small"),
        ngettext(
            "Your photo is too small: each side needs at least %(limit)d pixel.",
            "Your photo is too small: each side needs at least %(limit)d pixels.",
            settings.MIN_SIDE,
        )
        % {"limit": settings.MIN_SIDE},
        [_("Send the original photo rather than a thumbnail or a reduced copy.")],
    )


def _describe_unreadable(detail: str) -> FailureText:
    return FailureText(
        _("The photo cannot be read"),
        _("This file is damaged or cut short, so we could not open it as a photo."),
        [
            _("Send it again: the transfer may have been interrupted."),
            _("If it fails again, open the photo on your device and save it anew as JPEG."),
        ],
    )


def _describe_unsupported(detail: str) -> FailureText:
    values: dict[str, Any] = {"found": detail, "formats": accepted_formats()}
    if detail:
        sentence = _("This file is %(found)s, which we do not take as a photo.") % values
    else:
        sentence = _("This file is not a photo in any format that we know.")
    return FailureText(
        _("Not a format we can read"),
        sentence,
        [
            _("We take %(formats)s.") % values,
            _("Open the photo on your device and save it as JPEG, or take a screenshot of it."),
        ],
    )


def _describe_too_large(detail: str) -> FailureText:
    return FailureText(
        _("The file is too large"),
        _("This file is too large: we take up to %(limit)s MB.")
        % {"limit": megabytes(settings.MAX_BYTES)},
        [_("Save the photo smaller, for example as JPEG, and send that.")],
    )


def _describe_too_many_pixels(detail: str) -> FailureText:
    return FailureText(
        _("The photo has too many pixels"),
        _("This photo has too many pixels: we take up to %(limit)s megapixels.")
        % {"limit": megabytes(settings.MAX_PIXELS)},
        [_("Make the photo smaller on your device, and send that: 1600 pixels are plenty.")],
    )


def _describe_empty_gallery(detail: str) -> FailureText:
    return FailureText(
        _("Nobody to compare with"),
        _("There is nobody in the gallery among whom you asked us to look."),
        [_("Choose to look among everybody, and send the photo again.")],
    )


def _describe_no_index(detail: str) -> FailureText:
    return FailureText(
        _("The gallery is being prepared"),
        _("The gallery is being made ready for searching, so nobody can be compared yet."),
        [_("Send the photo again in a few minutes.")],
    )


def _describe_took_too_long(detail: str) -> FailureText:
    return FailureText(
        _("It took too long"),
        _("Comparing your photo took too long, so we stopped."),
        [_("Send the photo again: the site may have been busy."), _("A smaller photo is faster.")],
    )


def _describe_internal(detail: str) -> FailureText:
    return FailureText(
        _("Something went wrong on our side"),
        _("Your photo is fine as far as we know, but something went wrong on our side."),
        [_("Send the photo again in a minute.")],
    )


_WORDS = {
    Failure.NO_FACE: _describe_no_face,
    Failure.FACE_TOO_SMALL: _describe_face_too_small,
    Failure.TOO_SMALL: _describe_too_small,
    Failure.UNREADABLE: _describe_unreadable,
    Failure.UNSUPPORTED: _describe_unsupported,
    Failure.TOO_LARGE: _describe_too_large,
    Failure.TOO_MANY_PIXELS: _describe_too_many_pixels,
    Failure.EMPTY_GALLERY: _describe_empty_gallery,
    Failure.NO_INDEX: _describe_no_index,
    Failure.TOOK_TOO_LONG: _describe_took_too_long,
    Failure.INTERNAL: _describe_internal,
}
