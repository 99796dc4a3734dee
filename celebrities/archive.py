"""The gallery as a ZIP archive: tables of people, portraits and categories, pictures, vectors.

Every field of the models is a column, so that fields added later are carried too. A person's
row is named by the slug, a portrait's files by their names in storage.
"""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from django.db import models
from django.db.models import Prefetch

from celebrities.models import (
    NUMBERS,
    Category,
    Celebrity,
    Decision,
    DoNotImport,
    Portrait,
    gallery_storage,
)
from celebrities.spreadsheets import escape, unescape
from lookalike.faces.types import Vector
from lookalike.faces.vectors_csv import write_vectors

MARK = "gallery.json"
"""The file that tells an archive of a gallery from others."""

VERSION = 1
CHUNK = 500
_DATE = (1980, 1, 1, 0, 0, 0)

TABLES: dict[str, type[models.Model]] = {
    "categories.csv": Category,
    "people.csv": Celebrity,
    "portraits.csv": Portrait,
    "do_not_import.csv": DoNotImport,
    "decisions.csv": Decision,
}


def columns_of(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The fields that are exported as they are: not what a coming encoder has read."""
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.is_relation or isinstance(field, models.BinaryField))
        and not field.name.startswith("next_")
    ]


def write_cells(row: models.Model) -> dict[str, str]:
    return {field.name: _write_cell(field, row) for field in columns_of(type(row))}


def _write_cell(field: models.Field[Any, Any], row: models.Model) -> str:
    value = field.value_from_object(row)
    if value is None:
        return ""
    if isinstance(field, models.JSONField):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(field.value_to_string(row))


def read_cells(model: type[models.Model], cells: Mapping[str, str]) -> dict[str, Any]:
    """The fields' values. Raises ValidationError and ValueError for those a field can't have."""
    return {
        field.name: _read_cell(field, cells[field.name])
        for field in columns_of(model)
        if field.name in cells
    }


def _read_cell(field: models.Field[Any, Any], cell: str) -> Any:
    if field.null and not cell:
        return None
    if isinstance(field, models.JSONField):
        return json.loads(cell)
    return cell if isinstance(field, models.FileField) else field.clean(cell, None)


def export_gallery(path: Path) -> int:
    """Write everybody in the gallery, and return how many portraits they have. The file appears
    complete or not at all. Raises OSError, also for a picture that is missing."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(beside, "x") as archive:
            count = _write_all(archive)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _write_all(archive: zipfile.ZipFile) -> int:
    _write(archive, MARK, json.dumps({"version": VERSION}).encode())
    covers = Portrait.objects.defer(*NUMBERS)
    # What was merged away is kept only to be parted again here.
    people = Celebrity.objects.filter(merged_into=None).order_by("pk")
    people = people.prefetch_related("categories", Prefetch("chosen_cover", covers))
    portraits = Portrait.objects.filter(celebrity__merged_into=None).order_by("pk")
    portraits = portraits.select_related("celebrity")
    # The others name people by numbers, which are a site's own.
    decisions = Decision.objects.exclude(queue="person").order_by("pk")
    _write_table(archive, "categories.csv", map(write_cells, Category.objects.order_by("slug")))
    _write_table(archive, "do_not_import.csv", map(write_cells, DoNotImport.objects.order_by("pk")))
    _write_table(archive, "decisions.csv", map(write_cells, decisions))
    _write_table(
        archive,
        "people.csv",
        (
            {
                **write_cells(person),
                "categories": " ".join(sorted(each.slug for each in person.categories.all())),
                "cover": person.chosen_cover.image_hash if person.chosen_cover else "",
            }
            for person in people.iterator(chunk_size=CHUNK)
        ),
    )
    rows = portraits.defer("vector")
    _write_table(
        archive,
        "portraits.csv",
        (
            {"person": row.celebrity.slug, **write_cells(row)}
            for row in rows.iterator(chunk_size=CHUNK)
        ),
    )
    encoders = Portrait.objects.exclude(vector=None).values_list("encoder", flat=True)
    for encoder in sorted(set(encoders.order_by())):
        _write_vectors(archive, encoder)
    count = 0
    storage = gallery_storage()
    for row in rows.iterator(chunk_size=CHUNK):
        count += 1
        for name in row.file_names:
            with storage.open(name) as file:
                _write(archive, f"files/{name}", file.read())
    return count


def _write_vectors(archive: zipfile.ZipFile, encoder: str) -> None:
    rows = Portrait.objects.exclude(vector=None).filter(encoder=encoder).order_by("pk")

    def vectors() -> Iterator[tuple[str, Vector]]:
        for image, vector in rows.values_list("image", "vector").iterator(chunk_size=CHUNK):
            yield PurePosixPath(image).name, np.frombuffer(bytes(vector or b""), "<f4")

    info = _info(f"vectors-{encoder.replace('/', '-')}.csv", zipfile.ZIP_DEFLATED)
    with (
        archive.open(info, "w", force_zip64=True) as member,
        io.TextIOWrapper(member, "utf-8", newline="") as text,
    ):
        write_vectors(text, vectors(), encoder=encoder, header=True)


def _write_table(archive: zipfile.ZipFile, name: str, rows: Iterable[Mapping[str, str]]) -> None:
    heading = [field.name for field in columns_of(TABLES[name])]
    extra = {"people.csv": ["categories", "cover"], "portraits.csv": ["person"]}.get(name, [])
    with (
        archive.open(_info(name, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as member,
        io.TextIOWrapper(member, "utf-8", newline="") as text,
    ):
        writer = csv.DictWriter(text, [*extra, *heading], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({column: escape(cell) for column, cell in row.items()})


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # Pictures are packed already.
    archive.writestr(_info(name, zipfile.ZIP_STORED), data)


def _info(name: str, method: int) -> zipfile.ZipInfo:
    """With a fixed date, so that the same gallery gives the same archive."""
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = method
    return info


def read_table(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    """Raises KeyError if there is no such table."""
    with archive.open(name) as member, io.TextIOWrapper(member, "utf-8", newline="") as text:
        for row in csv.DictReader(text, strict=True, restval=""):
            yield {column: unescape(cell) for column, cell in row.items() if column}


def is_gallery(path: Path) -> bool:
    """Whether the file is an archive of `export_gallery`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MARK in archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError):
        return False
