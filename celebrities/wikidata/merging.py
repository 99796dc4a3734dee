"""Update rows from their source without touching what was changed by hand.

``source_values`` of a row holds what the importer last wrote, by field. A field that still has
that value may be updated. A field with another value was changed by hand and is kept. A field that
the importer never wrote is filled only if it is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from celebrities.desk.history import Author, describe
from celebrities.models import Category, Celebrity, Change, Portrait, cleaned

DERIVED = ("search_key", "sort_key")
"""Fields that `Celebrity.clean` computes from name and other names."""


def changes_of(
    row: Celebrity | Portrait, values: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """(new values by field, names of the fields that were changed by hand)."""
    written: dict[str, Any] = row.source_values
    changes, by_hand = {}, []
    for name, value in values.items():
        current = getattr(row, name)
        is_ours = current == written[name] if name in written else current in ("", None)
        if current == value:
            continue
        if is_ours:
            changes[name] = value
        else:
            by_hand.append(name)
    return changes, by_hand


def update_row(row: Celebrity | Portrait, changes: Mapping[str, Any]) -> bool:
    """Write these fields and record them in ``source_values``.

    Returns False and writes nothing if the row no longer has the values it was read with.
    Raises ValidationError for values that the model rejects.
    """
    sources = ("name", "other_names") if isinstance(row, Celebrity) else ()
    before = {name: getattr(row, name) for name in {*changes, *sources}}
    values = {**changes, "source_values": {**row.source_values, **changes}}
    if isinstance(row, Celebrity):
        cleaned(row, **changes)
        values |= {name: getattr(row, name) for name in DERIVED} | {"updated_at": timezone.now()}
    same = type(row)._default_manager.filter(pk=row.pk, **before)
    if not same.update(**values):
        row.refresh_from_db()
        return False
    row.source_values = values["source_values"]
    was = {name: before[name] for name in changes}
    describe(row, Author(Change.Way.IMPORT), "updated from Wikidata", was, {**changes}).save()
    return True


def merge_categories(row: Celebrity, categories: Iterable[Category]) -> bool:
    """Add and remove only what changed in the source since the last run, so that categories that
    curators added or removed stay so. Returns True if anything changed."""
    now = {each.slug: each for each in categories}
    before = row.source_values.get("categories", [])
    if sorted(now) == sorted(before):
        return False
    row.categories.add(*[each for slug, each in now.items() if slug not in before])
    row.categories.remove(*Category.objects.filter(slug__in=set(before) - set(now)))
    remember(row, categories=sorted(now))
    return True


def remember(row: Celebrity | Portrait, **values: Any) -> None:
    """Add values to ``source_values``, and write no other field."""
    row.source_values = {**row.source_values, **values}
    type(row)._default_manager.filter(pk=row.pk).update(source_values=row.source_values)
