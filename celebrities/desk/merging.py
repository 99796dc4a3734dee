"""Two rows that are one person become one, and can be parted again for some weeks."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from celebrities.desk.history import Author, change_row
from celebrities.gallery import delete_celebrities
from celebrities.models import NUMBERS, Celebrity, Change, FormerAddress, Portrait, RemovalRequest

UNDO = timedelta(days=30)
"""So long a merged row is kept, out of sight."""

FACTS = ("gender", "birth_year", "death_year", "wikidata_id", "source_page")


class SamePerson(Exception):
    """A person cannot be merged with themselves."""


def merge(gone: Celebrity, kept: Celebrity, by: Author) -> None:
    """Give everything of ``gone`` to ``kept``: portraits with votes and credits, names,
    categories, facts that ``kept`` lacks, requests. The address of ``gone`` leads to ``kept``.

    A portrait whose very file ``kept`` has stays behind, its votes do not. Raises SamePerson.
    """
    if gone.pk == kept.pk:
        raise SamePerson
    with transaction.atomic():
        gone, kept = (Celebrity.objects.select_for_update().get(pk=x.pk) for x in (gone, kept))
        what, changes = _("merged with %s") % gone.name, []
        lacking = {name: getattr(gone, name) for name in FACTS if not getattr(kept, name)}
        facts = {name: value for name, value in lacking.items() if value}
        names = {"other_names": join_names(kept, gone)}
        categories = {
            "categories": sorted(
                {each.pk for person in (kept, gone) for each in person.categories.all()}
            )
        }
        # A Wikidata id may be on one row only.
        freed = {"wikidata_id": ""} if facts.get("wikidata_id") else {}
        away = {"merged_into_id": kept.pk, "published": False, **freed}
        changes.append(change_row(gone, by, _("merged into %s") % kept.name, away))
        changes.append(change_row(kept, by, what, {**facts, **names, **categories}))
        changes += [_move(portrait, kept, by, what) for portrait in _portraits(gone)]
        Change.objects.bulk_create(change for change in changes if change)
        RemovalRequest.objects.filter(celebrity=gone).update(celebrity=kept)
        Celebrity.objects.filter(merged_into=gone).update(merged_into=kept)
        FormerAddress.objects.filter(celebrity=gone).update(celebrity=kept)


def join_names(kept: Celebrity, gone: Celebrity) -> str:
    """The other names of both, with the name of ``gone``, each once."""
    names = [*kept.other_names.splitlines(), gone.name, *gone.other_names.splitlines()]
    return "\n".join(dict.fromkeys(name for name in names if name and name != kept.name))


def _portraits(person: Celebrity) -> list[Portrait]:
    return list(person.portraits.defer(*NUMBERS).order_by("pk"))


def _move(portrait: Portrait, kept: Celebrity, by: Author, what: str) -> Change | None:
    same = kept.portraits.filter(image_hash=portrait.image_hash).defer(*NUMBERS)
    twin = same.first()
    if twin is None:
        return change_row(portrait, by, what, {"celebrity_id": kept.pk})
    votes = {name: getattr(twin, name) + getattr(portrait, name) for name in ("seen", "not_seen")}
    return change_row(twin, by, what, votes)


def forget_merged() -> None:
    """Delete rows that were merged so long ago that it cannot be taken back. Their addresses
    still lead to the person."""
    old = Celebrity.objects.filter(merged_into__isnull=False, updated_at__lt=timezone.now() - UNDO)
    for person in old[:100]:
        kept = Celebrity.objects.get(merged=person)
        with transaction.atomic():
            FormerAddress.objects.update_or_create(slug=person.slug, defaults={"celebrity": kept})
            delete_celebrities(Celebrity.objects.filter(pk=person.pk))
