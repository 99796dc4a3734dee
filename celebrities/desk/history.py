"""Every change of a person or portrait, with what was there before, so that it can be undone."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from celebrities.gallery import note_change
from celebrities.models import NUMBERS, Celebrity, Change, Portrait
from celebrities.models.desk import name_field
from celebrities.signals import portraits_moved
from lookalike.chunks import batched

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

AT_ONCE = 200
"""Rows changed in one transaction: far below half a second."""

COUNTERS = {"seen", "not_seen"}
"""Fields that visitors change too: a difference is added, and taken off again."""

Row = Celebrity | Portrait
Values = dict[str, Any]


class CannotTakeBack(Exception):
    """Something has been changed since. The text says what."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something, and how. All changes by one author are undone together."""

    way: Change.Way
    user: AbstractBaseUser | AnonymousUser | None = None
    group: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def user_id(self) -> int | None:
        return None if self.user is None else self.user.pk


def change_rows(rows: models.QuerySet[Any], by: Author, what: str, **after: Any) -> int:
    """Write these values on people or portraits, note each change, and return how many rows
    differed. Fields are named as columns, such as ``celebrity_id``."""
    count = 0
    for ids in batched(list(rows.order_by("pk").values_list("pk", flat=True)), AT_ONCE):
        with transaction.atomic():
            batch = rows.model._default_manager.filter(pk__in=ids).defer(*unread(rows.model))
            changes = [change_row(row, by, what, after) for row in batch]
            made = [change for change in changes if change]
            Change.objects.bulk_create(made)
            count += len(made)
    return count


def unread(model: type[models.Model]) -> tuple[str, ...]:
    return NUMBERS if model is Portrait else ()


def change_row(row: Row, by: Author, what: str, after: Mapping[str, Any]) -> Change | None:
    """Write what differs, and return the change, not yet saved; None if nothing differs."""
    before = read_values(row, after)
    differing = {name: value for name, value in after.items() if before[name] != value}
    if not differing:
        return None
    write_values(row, differing)
    return describe(row, by, what, {name: before[name] for name in differing}, differing)


def describe(
    row: Row, by: Author, what: str, before: Values | None = None, after: Values | None = None
) -> Change:
    """A change of this row, not yet saved."""
    portrait = row if isinstance(row, Portrait) else None
    return Change(
        group=by.group,
        user_id=by.user_id,
        way=by.way,
        what=what[:200],
        celebrity_id=portrait.celebrity_id if portrait else row.pk,
        portrait=portrait,
        before=before or {},
        after=after or {},
    )


def note(row: Row, by: Author, what: str) -> None:
    """Say in the person's history what happened, without values to take back."""
    describe(row, by, what).save()


def read_values(row: Row, names: Iterable[str]) -> Values:
    return {name: _read(row, name) for name in names}


def _read(row: Row, name: str) -> Any:
    if _is_list(row, name):
        return sorted(getattr(row, name).values_list("pk", flat=True))
    return getattr(row, name)


def _is_list(row: Row, name: str) -> bool:
    return bool(row._meta.get_field(name).many_to_many)


def write_values(row: Row, values: Mapping[str, Any]) -> None:
    """Write these fields and those that follow from them, and nothing else of the row."""
    plain = {name: value for name, value in values.items() if not _is_list(row, name)}
    for name in values.keys() - plain.keys():
        getattr(row, name).set(values[name])
    before = row.celebrity_id if isinstance(row, Portrait) else row.pk
    for name, value in plain.items():
        setattr(row, name, value)
    if isinstance(row, Portrait):
        Portrait.objects.filter(pk=row.pk).update(**plain)
        note_change({before, row.celebrity_id})
        if before != row.celebrity_id:
            portraits_moved.send(Portrait, ids=[row.pk], to=row.celebrity_id)
        return
    if {"name", "other_names"} & plain.keys():
        row.set_keys()
        plain |= {"search_key": row.search_key, "sort_key": row.sort_key}
    Celebrity.objects.filter(pk=row.pk).update(**plain, updated_at=timezone.now())


def take_back(changes: models.QuerySet[Change], by: Author) -> int:
    """Undo these changes, the newest first, and return their number. All or, with CannotTakeBack,
    nothing: what somebody has changed since is never overwritten."""
    chosen = changes.filter(undone_at=None).exclude(after={})
    with transaction.atomic():
        found = list(chosen.order_by("-pk").select_related("celebrity", "portrait__celebrity"))
        undone = [_take_back_one(change, by) for change in found]
        Change.objects.filter(pk__in=[change.pk for change in found]).update(
            undone_at=timezone.now()
        )
        Change.objects.bulk_create(undone)
    return len(undone)


def _take_back_one(change: Change, by: Author) -> Change:
    row = change.portrait or change.celebrity
    row.refresh_from_db(fields=[name for name in change.after if not _is_list(row, name)] or None)
    if not change.can_be_undone:
        raise CannotTakeBack(_("%s can no longer be taken back.") % change)
    for name, value in change.after.items():
        if name not in COUNTERS and _read(row, name) != value:
            words = _("%(row)s: “%(field)s” has been changed since. Take that back first.")
            raise CannotTakeBack(words % {"row": row, "field": name_field(type(row), name)})
    counted = COUNTERS & change.before.keys()
    values = {name: value for name, value in change.before.items() if name not in counted}
    if values:
        write_values(row, values)
    for name in counted:
        less = change.after[name] - change.before[name]
        type(row)._default_manager.filter(pk=row.pk).update(**{name: F(name) - less})
    what = _("taken back: %s") % change.what
    return describe(row, by, what, change.after, change.before)
