"""What curators read for each reason why a file is no portrait."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lookalike.faces.errors import PhotoError, Reason

LABELS: dict[Reason, Promise] = {
    Reason.NO_FACE: _("no face found"),
    Reason.SEVERAL_FACES: _("more than one face"),
    Reason.FACE_TOO_SMALL: _("the face is too small"),
    Reason.UNREADABLE: _("the file cannot be read"),
    Reason.UNSUPPORTED: _("not a supported format"),
    Reason.TOO_LARGE: _("the file is too large"),
    Reason.TOO_MANY_PIXELS: _("the picture has too many pixels"),
    Reason.TOO_COSTLY: _("the file takes too much work to open"),
    Reason.TOO_SMALL: _("the picture is too small"),
}


def list_reasons() -> list[tuple[str, Promise]]:
    """Choices of a model's field. Migrations name this function, not the labels."""
    return [(reason.value, label) for reason, label in LABELS.items()]


def describe_reason(error: PhotoError) -> str:
    """The reason's label, with the error's own facts."""
    label = str(LABELS[error.reason])
    return f"{label} ({error})" if str(error) else label
