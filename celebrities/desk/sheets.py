"""People's facts and portraits' credits as a table for a spreadsheet, and back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from celebrities.desk.history import AT_ONCE, Author, change_row, read_values, unread
from celebrities.do_not_import import is_person_listed
from celebrities.models import Category, Celebrity, Change, Portrait
from celebrities.models.desk import name_field
from celebrities.spreadsheets import escape, unescape
from lookalike.chunks import batched
from lookalike.faces.tables import BadLine, read_table, tidy_heading

COLUMNS: dict[type[models.Model], tuple[str, ...]] = {
    Celebrity: (
        *("name", "other_names", "gender", "birth_year", "death_year", "categories"),
        *("wikidata_id", "source_page", "is_fictional", "published"),
    ),
    Portrait: ("author", "licence", "licence_url", "source_page", "notes"),
}
"""Columns that are read back; ``id`` stands before them and says whose the row is."""

MOST_ROWS = 2_000
"""Rows changed by one table: their changes are sent with the page that asks."""

_BETWEEN = " | "
_YES = {"yes", "true", "1", "да", "истина"}
_NO = {"no", "false", "0", "нет", "ложь", ""}


@dataclass(slots=True)
class Edit:
    """What a row of the table would change: ``before`` and ``after`` by field."""

    pk: int
    row: str
    before: dict[str, Any]
    after: dict[str, Any]

    def lines(self, model: type[models.Model]) -> list[tuple[str, str, str]]:
        """(name of the field, before, after) as the table shows them."""
        slugs: dict[int, str] = {}
        if "categories" in self.after:
            slugs = dict(Category.objects.values_list("pk", "slug"))
        both = {name: (self.before[name], value) for name, value in self.after.items()}
        return [
            (name_field(model, name), show_value(before, slugs), show_value(after, slugs))
            for name, (before, after) in both.items()
        ]


@dataclass(slots=True)
class Plan:
    """What a table would change, and the lines that were not understood."""

    rows: int = 0
    edits: list[Edit] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def write_sheet(rows: models.QuerySet[Any]) -> Iterator[str]:
    """The table's lines, the first with a byte order mark, without which Excel takes UTF-8 for
    another encoding. Cells that a spreadsheet would run as formulas are escaped."""
    columns = COLUMNS[rows.model]
    slugs = dict(Category.objects.values_list("pk", "slug"))
    owner = ["person"] if rows.model is Portrait else []
    yield "\ufeff" + _write_line(["id", *owner, *columns])
    found = rows.defer(*unread(rows.model)).order_by("pk")
    found = found.select_related("celebrity") if owner else found.prefetch_related("categories")
    for row in found.iterator(chunk_size=500):
        named = [str(row.celebrity)] if owner else []
        cells = (show_value(value, slugs) for value in _values(row, columns).values())
        yield _write_line([str(row.pk), *(escape(cell) for cell in [*named, *cells])])


def _write_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _values(row: Any, columns: Iterable[str]) -> dict[str, Any]:
    """As `read_values`, but with the categories that were read beforehand."""
    return {
        name: sorted(each.pk for each in row.categories.all())
        if name == "categories"
        else getattr(row, name)
        for name in columns
    }


def show_value(value: Any, slugs: Mapping[int, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(sorted(slugs.get(pk, "?") for pk in value))
    return _BETWEEN.join(str(value).splitlines())


def read_sheet(data: bytes, model: type[models.Model]) -> Plan:
    """Compare a table, in any form that a spreadsheet writes, with the gallery. Nothing is
    written. Raises BadLine if the table as a whole is not understood."""
    table = read_table(data)
    line, heading = next(table.rows, (1, []))
    columns = [tidy_heading(cell) for cell in heading]
    if "id" not in columns or not set(columns) & set(COLUMNS[model]):
        raise BadLine(line, _("it has no columns “id” and “%s”") % COLUMNS[model][0])
    slugs = dict(Category.objects.values_list("pk", "slug"))
    plan, seen = Plan(), set[int]()
    for batch in batched(list(table.rows), AT_ONCE):
        given = [(line, _read_row(columns, cells)) for line, cells in batch]
        ids = [int(cells["id"]) for _line, cells in given if cells and _is_id(cells["id"])]
        known = _find(model, ids)
        for line, cells in given:
            plan.rows += 1
            try:
                _plan_row(plan, known, cells, slugs, seen)
            except ValidationError as error:
                plan.problems.append((line, " ".join(error.messages)))
    if len(plan.edits) > MOST_ROWS:
        words = _("it changes %(count)d rows; send at most %(most)d at once")
        raise BadLine(1, words % {"count": len(plan.edits), "most": MOST_ROWS})
    return plan


def _read_row(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """Cells by column; those that a spreadsheet left off at the end are empty. Nothing if there
    are more cells than columns."""
    if any(cell.strip() for cell in cells[len(columns) :]):
        return {}
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    return {name: unescape(cell.strip()) for name, cell in zip(columns, padded, strict=False)}


def _is_id(cell: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,15}", cell))


def _find(model: type[models.Model], ids: Iterable[int]) -> dict[int, Any]:
    rows = model._default_manager.filter(pk__in=ids).defer(*unread(model))
    if model is Celebrity:
        rows = rows.filter(merged_into=None).prefetch_related("categories")
    else:
        rows = rows.select_related("celebrity")
    return {row.pk: row for row in rows}


def _plan_row(
    plan: Plan,
    known: Mapping[int, Any],
    cells: Mapping[str, str],
    slugs: Mapping[int, str],
    seen: set[int],
) -> None:
    """Raises ValidationError."""
    if not cells:
        raise ValidationError(_("It has more cells than the first line."))
    if not _is_id(cells["id"]) or int(cells["id"]) not in known:
        words = _("There is no row with the id “%s”. New people come by an import.")
        raise ValidationError(words % cells["id"])
    row = known[int(cells["id"])]
    if row.pk in seen:
        raise ValidationError(_("This id was in an earlier line."))
    seen.add(row.pk)
    before = _values(row, [name for name in COLUMNS[type(row)] if name in cells])
    after = {
        name: _read_cell(row, name, cells[name], slugs)
        for name, value in before.items()
        if cells[name] != show_value(value, slugs)
    }
    after = {name: value for name, value in after.items() if value != before[name]}
    if after:
        edit = Edit(row.pk, str(row), {name: before[name] for name in after}, after)
        _check(row, after)
        plan.edits.append(edit)


def _read_cell(row: Any, name: str, cell: str, slugs: Mapping[int, str]) -> Any:
    """The cell as the field's value. Raises ValidationError."""
    column = row._meta.get_field(name)
    if name == "categories":
        numbers = {slug: pk for pk, slug in slugs.items()}
        if unknown := [slug for slug in cell.split() if slug not in numbers]:
            raise ValidationError(_("There is no category “%s”.") % unknown[0])
        return sorted({numbers[slug] for slug in cell.split()})
    if isinstance(column, models.BooleanField):
        if cell.lower() not in _YES | _NO:
            words = _("“%(cell)s” under “%(column)s” is neither yes nor no.")
            raise ValidationError(words % {"cell": cell, "column": name})
        return cell.lower() in _YES
    if isinstance(column, models.IntegerField):
        cell = re.sub(r"[.,]0+\Z", "", cell)
    if isinstance(column, models.TextField):
        cell = "\n".join(part for each in re.split(r"[|\r\n]", cell) if (part := each.strip()))
    try:
        return column.clean(None if column.null and not cell else cell, row)
    except ValidationError as error:
        raise ValidationError([f"{name}: {words}" for words in error.messages]) from error


def _check(row: Any, after: Mapping[str, Any]) -> None:
    """What concerns several fields, other rows and the do-not-import list. Raises
    ValidationError."""
    plain = {name: value for name, value in after.items() if name != "categories"}
    for name, value in plain.items():
        setattr(row, name, value)
    others = [each.name for each in row._meta.concrete_fields if each.name not in plain]
    row.full_clean(exclude=others, validate_constraints=False)
    if wikidata_id := after.get("wikidata_id"):
        other = Celebrity.objects.filter(wikidata_id=wikidata_id).exclude(pk=row.pk).first()
        if other is not None:
            words = _("%(other)s already has the Wikidata id %(id)s.")
            raise ValidationError(words % {"other": other, "id": wikidata_id})
    is_new = isinstance(row, Celebrity) and {"name", "other_names", "wikidata_id"} & after.keys()
    if is_new and (listed := is_person_listed(row.name, row.other_names, row.wikidata_id)):
        raise ValidationError(_("This person is %s.") % listed)


def apply_edits(
    model: type[models.Model], edits: Iterable[Edit], by: Author
) -> tuple[int, list[str]]:
    """Write the edits, and return how many rows were changed and which were left as they are,
    since somebody has changed the same field meanwhile."""
    count, left = 0, list[str]()
    for batch in batched(list(edits), AT_ONCE):
        with transaction.atomic():
            known, made = _find(model, [edit.pk for edit in batch]), list[Change]()
            for edit in batch:
                row = known.get(edit.pk)
                if row is None or read_values(row, edit.before) != edit.before:
                    left.append(edit.row)
                elif change := change_row(row, by, _("changed by a table"), edit.after):
                    made.append(change)
            Change.objects.bulk_create(made)
            count += len(made)
    return count, left
