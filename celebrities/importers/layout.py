"""Which file is whose portrait: by folder, by name, and by the manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from celebrities.importers.manifest import Entry, Manifest, Problem, read_manifest
from celebrities.importers.sources import MAX_MANIFEST_BYTES, Source

MANIFEST = "manifest.csv"

_NUMBERED = re.compile(r"(?P<person>.+?)[_-](?P<number>[0-9]+)")
_NOT_PICTURES = {
    ".csv",
    ".doc",
    ".docx",
    ".html",
    ".json",
    ".md",
    ".npy",
    ".pdf",
    ".py",
    ".rtf",
    ".tsv",
    ".txt",
    ".url",
    ".xlsx",
    ".xml",
    ".yaml",
    ".yml",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A file taken for a portrait. Files with one ``key`` show one person."""

    file: str
    key: str
    entry: Entry


@dataclass(slots=True)
class Plan:
    """What a source holds: portraits, files that are none, and what can't be imported."""

    portraits: list[Found] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)


def plan_import(source: Source) -> Plan:
    """Look through a source. Two layouts are known, alone or mixed: a folder per person, and
    files named ``<person>_<number>``; a manifest.csv beside them tells more of any file, and
    decides whose it is where it names a person."""
    names = source.names()
    root = find_root(names)
    plan = Plan()
    manifest = Manifest()
    if root + MANIFEST in names:
        try:
            manifest = read_manifest(source.read(root + MANIFEST, MAX_MANIFEST_BYTES))
        except OSError as error:
            plan.failed.append(Problem(MANIFEST, str(error)))
    plan.failed += manifest.problems
    waiting = dict(manifest.entries)
    for name in names:
        label = name.removeprefix(root)
        if label == MANIFEST:
            continue
        entry = waiting.pop(label, None)
        if entry is None and PurePosixPath(label).suffix.lower() in _NOT_PICTURES:
            plan.skipped.append(Problem(label, "not a picture"))
        elif label not in manifest.refused:
            plan.portraits.append(_place(name, label, entry))
    plan.failed += [
        Problem(f"manifest.csv, line {entry.line}", f"there is no {entry.file}")
        for entry in waiting.values()
    ]
    return plan


def find_root(names: list[str]) -> str:
    """The folder that everything lies in, as packers add one round an archive: "" or a name
    with "/". A single person's folder is none."""
    tops = {name.partition("/")[0] + "/" for name in names if "/" in name}
    if len(tops) != 1 or any("/" not in name for name in names):
        return ""
    (top,) = tops
    inside = [name.removeprefix(top) for name in names]
    return top if MANIFEST in inside or any("/" in name for name in inside) else ""


def _place(name: str, label: str, entry: Entry | None) -> Found:
    path = PurePosixPath(label)
    if len(path.parts) > 1:
        key, person = f"{path.parent}/", name_person(path.parent.name)
    else:
        numbered = _NUMBERED.fullmatch(path.stem)
        key = numbered["person"] if numbered else path.stem
        person = name_person(key)
    if entry is None:
        return Found(name, key, Entry(file=label, line=0, name=person))
    if not entry.name:
        return Found(name, key, _named(entry, person))
    # Folders and stems tell people of one name apart; without them the name must.
    return Found(name, entry.wikidata or key, entry)


def _named(entry: Entry, person: str) -> Entry:
    return replace(entry, name=person)


def name_person(word: str) -> str:
    """A folder's or file's word as a name: "jane-doe" is Jane Doe, "Jane Doe" stays."""
    if " " in word:
        return " ".join(word.split())[:200]
    parts = re.split(r"[_\-.]+", word) if word.islower() or "_" in word else [word]
    return " ".join(part[:1].upper() + part[1:] for part in parts if part)[:200] or word[:200]
