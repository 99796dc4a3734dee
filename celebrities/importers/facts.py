"""What a manifest's line states of a person, by the gallery's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celebrities.importers.manifest import Entry
from celebrities.models import Celebrity, Portrait

FILES = "files"
"""Under this, apart from Wikidata's, ``source_values`` holds what imports of files wrote last."""


def read_facts(entry: Entry) -> dict[str, Any]:
    """What a manifest's line states of the person, by the gallery's field."""
    facts = {
        "other_names": entry.other_names,
        "gender": entry.gender,
        "birth_year": entry.birth_year,
        "death_year": entry.death_year,
        "wikidata_id": entry.wikidata,
    }
    if entry.line:
        facts["name"] = entry.name
    return {name: value for name, value in facts.items() if value not in ("", None)}


def is_by_hand(row: Celebrity | Portrait, name: str) -> bool:
    """Whether a field has another value than importers wrote."""
    sources = (row.source_values, row.source_values.get(FILES, {}))
    written = [values[name] for values in sources if name in values]
    return bool(written) and getattr(row, name) not in written


def note_written(row: Celebrity | Portrait, values: Mapping[str, Any]) -> dict[str, Any]:
    """The row's ``source_values`` after an import of files wrote these."""
    before = row.source_values.get(FILES, {})
    return {**row.source_values, FILES: {**before, **values}}


def join_names(before: str, more: str) -> str:
    return "\n".join(dict.fromkeys([*before.splitlines(), *more.splitlines()]))


def label(name: str) -> str:
    return name.replace("_", " ")


def show(value: object) -> str:
    return ", ".join(str(value).splitlines())
