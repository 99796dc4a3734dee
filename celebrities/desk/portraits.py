"""What curators decide about a portrait: cover, rejected, confirmed, moved."""

from __future__ import annotations

from collections.abc import Callable

from django.db import models
from django.utils.translation import gettext as _

from celebrities.desk.history import Author, change_rows
from celebrities.models import Celebrity, Portrait

Portraits = models.QuerySet[Portrait]


def reject(portraits: Portraits, by: Author) -> int:
    """Show them nowhere. The rows stay, so that the same files are not imported again."""
    return change_rows(portraits, by, _("portrait rejected"), status=Portrait.Status.REJECTED)


def accept(portraits: Portraits, by: Author) -> int:
    """Use rejected portraits again; those that were never read wait for a worker."""
    rejected = Portrait.objects.filter(
        pk__in=portraits.order_by().values("pk"), status=Portrait.Status.REJECTED
    )
    read, unread = rejected.exclude(vector=None), rejected.filter(vector=None)
    what = _("portrait accepted again")
    count = change_rows(read, by, what, status=Portrait.Status.READY)
    return count + change_rows(unread, by, what, status=Portrait.Status.PENDING)


def confirm(portraits: Portraits, by: Author) -> int:
    """Say that portraits show the person they are filed under, whatever later builds think."""
    what = _("portrait confirmed: it is this person")
    return change_rows(portraits, by, what, flag=Portrait.Flag.CONFIRMED)


def move(portraits: Portraits, to: Celebrity, by: Author) -> int:
    """File portraits under another person, with credits and votes."""
    what = _("portrait moved to %s") % to
    return change_rows(portraits, by, what, celebrity_id=to.pk, flag=Portrait.Flag.NONE)


def set_cover(person: Celebrity, cover: Portrait | None, by: Author) -> int:
    mine = Celebrity.objects.filter(pk=person.pk)
    return change_rows(mine, by, _("cover chosen"), chosen_cover_id=cover and cover.pk)


def one(portrait: Portrait) -> Portraits:
    return Portrait.objects.filter(pk=portrait.pk)


TOOLS: dict[str, Callable[[Portrait, Author], object]] = {
    "cover": lambda portrait, by: set_cover(portrait.celebrity, portrait, by),
    "uncover": lambda portrait, by: set_cover(portrait.celebrity, None, by),
    "reject": lambda portrait, by: reject(one(portrait), by),
    "accept": lambda portrait, by: accept(one(portrait), by),
    "keep": lambda portrait, by: confirm(one(portrait), by),
}
