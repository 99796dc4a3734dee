"""Which file is whose portrait: by folder, by name, and by the manifest."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from celebrities.errors import BadSource
from celebrities.importers.manifest import MANIFEST, Entry, Listing, Problem, read_manifest
from celebrities.importers.sources import MAX_MANIFEST_BYTES, Source
from lookalike.faces.tables import BadLine

_NUMBERED = re.compile(r"(?P<person>.+?)[_-](?P<number>[0-9]+)")
_NOT_PICTURE = re.compile(
    r"\.(csv|docx?|html|json|md|npy|pdf|py|rtf|tsv|txt|url|xlsx|xml|ya?ml)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ListedPhoto:
    """A file to import as a portrait. Files with one ``key`` show one person."""

    file: str
    key: str
    entry: Entry


@dataclass(slots=True)
class Plan:
    """What a source holds. ``remarks`` are for the operator and need no action."""

    portraits: list[ListedPhoto] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def plan_import(source: Source) -> Plan:
    """Assign every file to a person.

    Two layouts may be mixed: a folder per person, and files named ``<person>_<number>``. A
    manifest.csv beside them adds facts and credits, and its names come first. Raises
    BadSource if the manifest cannot be understood: without it, portraits would be published
    without their names and credits.
    """
    names = source.names()
    root = find_root(names)
    files = {name.removeprefix(root): name for name in names}
    manifests = [label for label in files if _is_manifest(label)]
    main = next((label for label in manifests if "/" not in label), None)
    listing = _read_listing(source, files.pop(main)) if main else Listing()
    entries, refused = _match_files(listing, files)
    plan = Plan(failed=listing.problems, remarks=listing.remarks)
    plan.remarks += [
        f"{label} was not read: only the outermost {MANIFEST} is"
        for label in manifests
        if label != main
    ]
    for label, name in files.items():
        if label in refused:
            continue
        entry = entries.get(label)
        if entry is None and _NOT_PICTURE.fullmatch(PurePosixPath(label).suffix):
            plan.skipped.append(Problem(label, "not a picture"))
        else:
            plan.portraits.append(_place(name, label, entry))
    return plan


def _is_manifest(label: str) -> bool:
    return PurePosixPath(label).name.lower() == MANIFEST


def _read_listing(source: Source, name: str) -> Listing:
    try:
        data = source.read(name, MAX_MANIFEST_BYTES)
        if len(data) > MAX_MANIFEST_BYTES:
            raise OSError(f"it is larger than {MAX_MANIFEST_BYTES:,} bytes")
        return read_manifest(data)
    except (BadLine, OSError) as error:
        problem = str(error).rstrip(".")
        raise BadSource(f"{name} cannot be used: {problem}. Nothing was imported.") from error


def _match_files(listing: Listing, labels: Iterable[str]) -> tuple[dict[str, Entry], set[str]]:
    """The listed files by the names they have in the source, and the files of refused rows.

    Names may differ in case and in Unicode form as long as only one file fits.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike[_fold(label)].append(label)

    def find(file: str) -> list[str]:
        fitting = alike[_fold(file)]
        same = [label for label in fitting if _compose(label) == _compose(file)]
        return same or fitting

    entries: dict[str, Entry] = {}
    for entry in listing.entries.values():
        found = find(entry.file)
        if not found:
            listing.refuse(entry.line, f"there is no {entry.file}", found)
        elif len(found) > 1:
            listing.refuse(entry.line, f"{entry.file} fits {len(found)} files", found)
        elif found[0] in entries:
            listing.refuse(entry.line, f"{entry.file} is named a second time", found)
        else:
            entries[found[0]] = entry
    return entries, {label for file in listing.refused for label in find(file)}


def _compose(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _fold(name: str) -> str:
    return _compose(_compose(name).casefold())


def find_root(names: list[str]) -> str:
    """The single enclosing folder, as "name/", or "". Archives often have one. The folder of
    a single person does not count."""
    tops = {name.partition("/")[0] + "/" for name in names if "/" in name}
    if len(tops) != 1 or any("/" not in name for name in names):
        return ""
    (top,) = tops
    inside = [name.removeprefix(top) for name in names]
    return top if any(_is_manifest(name) or "/" in name for name in inside) else ""


def _place(name: str, label: str, entry: Entry | None) -> ListedPhoto:
    path = PurePosixPath(label)
    if len(path.parts) > 1:
        key, person = f"{path.parent}/", name_person(path.parent.name)
    else:
        numbered = _NUMBERED.fullmatch(path.stem)
        key = numbered["person"] if numbered else path.stem
        person = name_person(key)
    if entry is None:
        return ListedPhoto(name, key, Entry(file=label, line=0, name=person))
    if not entry.name:
        return ListedPhoto(name, key, replace(entry, name=person))
    # Folders and stems tell people of one name apart.
    return ListedPhoto(name, entry.wikidata or key, entry)


def name_person(word: str) -> str:
    """A folder's or file's word as a name: "jane-doe" becomes Jane Doe, "Jane Doe" stays."""
    word = _compose(word)
    if " " in word:
        return " ".join(word.split())[:200]
    parts = re.split(r"[_\-.]+", word) if word.islower() or "_" in word else [word]
    return " ".join(part[:1].upper() + part[1:] for part in parts if part)[:200] or word[:200]
