"""What happens to results when curators change the gallery, and what curators read of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef
from django.dispatch import receiver
from django.utils.translation import gettext as _

from celebrities.models import Celebrity
from celebrities.signals import person_shown, portraits_moved
from uploads.models import Match


@receiver(portraits_moved)
def follow_portraits(ids: Collection[int], to: int, **given: Any) -> None:
    """A result shows the person whose portrait it found, each person once."""
    matches = Match.objects.filter(portrait__in=ids).exclude(celebrity=to)
    there = Match.objects.filter(
        face=OuterRef("face"), exhaustive=OuterRef("exhaustive"), celebrity=to
    )
    doubled = matches.filter(Exists(there))
    Match.objects.filter(pk__in=list(doubled.values_list("pk", flat=True))).delete()
    matches.update(celebrity=to)


@receiver(person_shown)
def warn_of_fonts(person: Celebrity, **given: Any) -> str:
    """A sentence where no font can draw a name of the person in pictures to share."""
    names = [person.name, *person.other_names.splitlines()]
    if person.name.isascii():
        return ""
    # Pillow, which no page of a visitor loads.
    from uploads.share.lettering import choose_name  # noqa: PLC0415

    drawn, _font = choose_name(names)
    if not drawn.isascii() or drawn in names:
        return ""
    words = _(
        "No font here can draw this name, so pictures to share say “%(drawn)s”. Install fonts "
        "(Debian: fonts-droid-fallback, fonts-nanum), or add a name in Latin letters."
    )
    return words % {"drawn": drawn}
