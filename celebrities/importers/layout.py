"""Which file is whose portrait: by folder, by name, and by the manifest."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from celebrities.errors import BadSource
from celebrities.importers.folders import find_groups, find_root
from celebrities.importers.manifest import (
    MANIFEST,
    Entry,
    Listing,
    Problem,
    is_address,
    read_manifest,
)
from celebrities.importers.naming import (
    ignore_case,
    is_container,
    is_name,
    name_person,
    strip_copy,
    strip_number,
)
from celebrities.importers.sources import MAX_MANIFEST_BYTES, Source
from celebrities.names import fold, tidy
from lookalike.faces.tables import BadLine

_NOT_PICTURE = re.compile(
    r"\.(7z|avi|csv|dat|docx?|gz|html?|json|log|m4v|md|mkv|mov|mp3|mp4|mpg|npy|ods|odt|pdf|py|rar"
    r"|rtf|tar|torrent|tsv|txt|url|wav|webm|xlsx?|xml|ya?ml|zip)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ListedPhoto:
    """A file to import as a portrait. ``entry.file`` is its path below the source's root.

    ``entry.name`` is empty if nothing names the person. ``key`` is a name in a folder, which
    the gallery remembers. Files with one ``identity`` show one person. ``is_guessed``: the name is
    a file's, or a folder's that is not written as a name, such as jane-roe.
    """

    file: str
    key: str
    entry: Entry
    is_guessed: bool = False

    @property
    def identity(self) -> str:
        return self.entry.wikidata or self.key

    @property
    def import_file(self) -> str:
        """The path as the gallery remembers it."""
        return self.entry.file[-300:]


@dataclass(slots=True)
class Plan:
    """What a source holds. ``bad_lines`` are lines of the manifest that cannot be used;
    ``remarks`` are for the operator and need no action."""

    portraits: list[ListedPhoto] = field(default_factory=list)
    bad_lines: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def plan_import(source: Source, same: Collection[str] = ()) -> Plan:
    """Assign every file to a person.

    Layouts may be mixed: a folder per person, folders of such folders (actors, people), and
    files named ``<person>_<number>``. A manifest.csv beside them adds facts and credits, and
    its names come first. People whose names differ in accents only are one person if ``same``
    has the name. Raises BadSource if the manifest cannot be understood: without it, portraits
    would be published without their names and credits.
    """
    paths = source.paths
    root = find_root(paths)
    files = {path.removeprefix(root): path for path in paths}
    manifests = [label for label in files if _is_manifest(label)]
    main = source.manifest or next((label for label in manifests if "/" not in label), None)
    listing = _read_listing(source, files.pop(main), main) if main else Listing()
    entries, refused = _match_files(listing, files)
    plan = Plan(bad_lines=listing.problems, failed=list(source.problems))
    plan.remarks += listing.remarks + describe_leftovers(source)
    plan.remarks += [
        f"{label} was not read: only the outermost {MANIFEST} is"
        for label in manifests
        if label != main and not source.manifest
    ]
    groups = find_groups(files)
    folded = set(map(fold, same))
    for label, path in files.items():
        entry = entries.get(label)
        if label in refused or (source.manifest and entry is None):
            continue
        if entry is None and _NOT_PICTURE.fullmatch(PurePosixPath(label).suffix):
            plan.skipped.append(Problem(label, "not a picture"))
        else:
            plan.portraits.append(_place(path, label, entry, groups, folded))
    plan.portraits = list(_tell_apart(plan.portraits))
    return plan


def describe_leftovers(source: Source) -> list[str]:
    if not source.leftovers:
        return []
    kinds = ", ".join(sorted(source.leftovers, key=str.lower)[:5])
    count = source.leftovers.total()
    what = "A file that a system or another program left was"
    if count > 1:
        what = f"{count:,} files that systems and other programs left were"
    return [f"{what} skipped ({kinds})"]


def _is_manifest(label: str) -> bool:
    return PurePosixPath(label).name.lower() == MANIFEST


def _read_listing(source: Source, path: str, name: str) -> Listing:
    try:
        data = source.read(path, MAX_MANIFEST_BYTES)
        if len(data) > MAX_MANIFEST_BYTES:
            raise OSError(f"it is larger than {MAX_MANIFEST_BYTES:,} bytes")
        return read_manifest(data, name)
    except (BadLine, OSError) as error:
        problem = str(error).rstrip(".")
        raise BadSource(f"{path} cannot be used: {problem}. Nothing was imported.") from error


def _match_files(listing: Listing, labels: Iterable[str]) -> tuple[dict[str, Entry], set[str]]:
    """The listed files by the names they have in the source, and the files of refused rows.

    Names may differ in case and in Unicode form as long as only one file fits.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike[_fold_path(label)].append(label)

    def find(file: str) -> list[str]:
        fitting = alike[_fold_path(file)]
        return [file] if file in fitting else fitting

    entries: dict[str, Entry] = {}
    for entry in listing.entries.values():
        found = find(entry.file)
        if not found:
            listing.refuse(entry.line, _describe_missing(entry.file), found)
        elif len(found) > 1:
            listing.refuse(entry.line, f"{entry.file} fits {len(found)} files", found)
        elif found[0] in entries:
            listing.refuse(entry.line, f"{entry.file} is named a second time", found)
        else:
            entries[found[0]] = replace(entry, file=found[0])
    return entries, {label for file in listing.refused for label in find(file)}


def _fold_path(path: str) -> str:
    return " ".join(ignore_case(path).split())


def _describe_missing(file: str) -> str:
    if not is_address(file):
        return f"there is no {file}"
    return (
        f"{file} may not be loaded: set LOOKALIKE_IMPORT_ADDRESSES=1 and name its host in "
        "LOOKALIKE_IMPORT_HOSTS; only https is loaded"
    )


def _place(
    path: str, label: str, entry: Entry | None, groups: Collection[str], same: Collection[str]
) -> ListedPhoto:
    """The photo with its person's name and key."""
    entry = entry or Entry(file=label, line=0)
    *folders, file = [""] if is_address(label) else label.split("/")
    group = folders.pop(0) if folders and folders[0] in groups else ""
    folder = folders[0] if folders else ""
    stem = PurePosixPath(file).stem
    word = strip_copy(folder) if folder else strip_number(stem)
    nobody = not is_name(word) or not is_name(folder or stem) or is_container(folder)
    guess = "" if nobody else name_person(word)
    name = entry.name or guess
    if name and fold(name) in same:
        key = f"={fold(name)}"
    else:
        # A folder named for the person tells nothing more.
        apart = "" if ignore_case(guess) == ignore_case(name) else folder
        key = "\n".join(map(ignore_case, (name, group, apart)))
    is_guessed = not entry.name and not (folder and name == tidy(word))
    return ListedPhoto(path, key[:500], replace(entry, name=name), is_guessed)


def _tell_apart(photos: Iterable[ListedPhoto]) -> Iterable[ListedPhoto]:
    """Give people of one name and folder keys of their own if their birth years differ, and all
    files of one person the Wikidata id that some of them state."""
    ids: dict[str, set[str]] = defaultdict(set)
    years: dict[str, set[int]] = defaultdict(set)
    photos = list(photos)
    for photo in photos:
        ids[photo.key].update({photo.entry.wikidata} - {""})
        if photo.entry.birth_year is not None:
            years[photo.key].add(photo.entry.birth_year)
    for photo in photos:
        key, year = photo.key, photo.entry.birth_year
        own = photo.entry.wikidata or ("".join(ids[key]) if len(ids[key]) == 1 else "")
        if len(years[key]) > 1:
            own = photo.entry.wikidata
        if own:
            yield replace(photo, entry=replace(photo.entry, wikidata=own))
        elif len(years[key]) > 1 and year is not None:
            yield replace(photo, key=f"{key}\n{year}"[:500])
        else:
            yield photo
