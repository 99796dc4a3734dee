"""The picture to share: two faces side by side. It is drawn on request and never stored."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from uploads.models import Match, UploadedFace
from uploads.share.card import Card, draw_apart
from uploads.storage import read_chips


def draw_share_picture(face: UploadedFace, match: Match) -> bytes:
    """A PNG without metadata, in the active language.

    Raises FileNotFoundError if a chip is missing.
    """
    return draw_apart(describe_share(face, match))


def describe_share(face: UploadedFace, match: Match) -> Card:
    """What the picture shows, in the active language. Raises FileNotFoundError."""
    celebrity, portrait = match.celebrity, match.portrait
    said = match.phrase
    if celebrity.is_fictional:
        said = _("%(phrase)s (a fictional person)") % {"phrase": said}
    credit = " · ".join(part for part in (portrait.author, portrait.licence) if part)
    return Card(
        faces=read_chips(face, portrait),
        number=match.number,
        of_100=_("of 100"),
        names=[celebrity.name, *celebrity.other_names.splitlines()],
        said=str(said),
        site=settings.SITE_NAME,
        credit=_("Portrait: %(credit)s") % {"credit": credit} if credit else "",
    )
