"""What a manifest's line states of a person, by the gallery's fields."""

from __future__ import annotations

from typing import Any

from celebrities.importers.manifest import Entry


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


def join_names(before: str, more: str) -> str:
    return "\n".join(dict.fromkeys([*before.splitlines(), *more.splitlines()]))


def label(name: str) -> str:
    return name.replace("_", " ")


def show(value: object) -> str:
    return ", ".join(str(value).splitlines())
