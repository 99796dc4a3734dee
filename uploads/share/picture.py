"""The picture to share. It is drawn on request and never stored."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from uploads.models import Match, UploadedFace
from uploads.share.card import Card
from uploads.storage import read_chips


def describe_share(
    face: UploadedFace, match: Match, *, shape: str, address: str, shows_visitor: bool = True
) -> Card:
    """What the picture shows, in the active language; ``address`` is the first page's.

    Raises FileNotFoundError if a chip is missing.
    """
    celebrity, portrait = match.celebrity, match.portrait
    faces = read_chips(face, portrait)
    credit = " · ".join(part for part in (portrait.author, portrait.licence) if part)
    return Card(
        shape=shape,
        faces=faces if shows_visitor else faces[1:],
        intro=_("Looks like") if shows_visitor else _("Someone looks like"),
        names=[celebrity.name, *celebrity.other_names.splitlines()],
        said=describe_rarity(match),
        likeness=describe_likeness(match),
        question=_("Who do you look like?"),
        site=settings.SITE_NAME,
        address=address,
        credit=_("Portrait: %(credit)s") % {"credit": credit} if credit else "",
    )


def describe_rarity(match: Match) -> str:
    """How unusual the match is, or the phrase of its band where that is not known."""
    if match.rank != 1 or not match.rarity:
        return str(match.phrase)
    some, every = match.rarity
    return _("Closer than the best match of %(some)s in %(all)s people") % {
        "some": some,
        "all": every,
    }


def describe_likeness(match: Match) -> str:
    parts = [_("%(number)s of 100") % {"number": match.number}]
    if match.celebrity.is_fictional:
        parts.append(_("a fictional person"))
    return " · ".join(parts)
