"""manifest.csv: what is known of each file, in whichever common words its columns have."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field

COLUMNS: dict[str, tuple[str, ...]] = {
    "file": ("file", "filename", "file_name", "image", "photo", "path"),
    "name": ("name", "person", "celebrity", "full_name"),
    "other_names": ("other_names", "aliases", "also_known_as"),
    "gender": ("gender", "sex"),
    "birth_year": ("birth_year", "born", "year_of_birth"),
    "death_year": ("death_year", "died", "year_of_death"),
    "occupations": ("occupations", "occupation", "categories", "category"),
    "wikidata": ("wikidata", "wikidata_id", "qid"),
    "author": ("author", "photographer", "credit", "artist"),
    "licence": ("licence", "license", "licence_as_stated", "license_as_stated"),
    "licence_url": ("licence_url", "license_url"),
    "source_page": ("source_page", "source_url", "source"),
    "source": ("source_repository",),
    "notes": ("notes", "note"),
}
"""Our word for a column, and the headings under which it is found."""

GENDERS = {
    "female": "female",
    "f": "female",
    "w": "female",
    "woman": "female",
    "male": "male",
    "m": "male",
    "man": "male",
    "other": "other",
    "non-binary": "other",
    "nonbinary": "other",
    "x": "other",
}

_WIKIDATA = re.compile(r"Q[1-9][0-9]{0,18}")


class BadLine(ValueError):
    """A line that says something the gallery can't take. The text says what."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What was not done, and why. ``where`` is a file's name or a manifest's line."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a manifest, read and checked; empty text where nothing is stated."""

    file: str
    line: int
    name: str = ""
    other_names: str = ""
    gender: str = ""
    birth_year: int | None = None
    death_year: int | None = None
    occupations: tuple[str, ...] = ()
    wikidata: str = ""
    author: str = ""
    licence: str = ""
    licence_url: str = ""
    source_page: str = ""
    notes: str = ""


@dataclass(slots=True)
class Manifest:
    """Entries by file name, and the lines that could not be read."""

    entries: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest.csv: UTF-8, a heading line, comma, semicolon or tab between fields.

    A line that can't be taken is a problem named by its number, and its file is refused;
    the others stand.
    """
    manifest = Manifest()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _complain(manifest, data.count(b"\n", 0, error.start) + 1, "it is not UTF-8")
        return manifest
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_find_delimiter(text), strict=True)
    try:
        heading = next(rows, [])
        columns = _find_columns(heading)
        if "file" not in columns:
            raise csv.Error('it has no column "file"')
        line = rows.line_num + 1
        for row in rows:
            if any(row):
                _take_row(manifest, row, columns, len(heading), line)
            line = rows.line_num + 1
    except csv.Error as error:
        _complain(manifest, max(rows.line_num, 1), str(error))
    return manifest


def _complain(manifest: Manifest, line: int, reason: str) -> None:
    manifest.problems.append(Problem(f"manifest.csv, line {line}", reason))


def _find_delimiter(text: str) -> str:
    heading = text.partition("\n")[0]
    return max(",;\t", key=heading.count)


def _find_columns(heading: list[str]) -> dict[str, int]:
    """Which of the row's cells is which of our words."""
    places = {cell.strip().lower().replace(" ", "_"): at for at, cell in enumerate(heading)}
    found = {}
    for word, headings in COLUMNS.items():
        at = next((places[each] for each in headings if each in places), None)
        if at is not None:
            found[word] = at
    return found


def _take_row(
    manifest: Manifest, row: list[str], columns: dict[str, int], width: int, line: int
) -> None:
    cells = {word: _tidy(row[at]) if at < len(row) else "" for word, at in columns.items()}
    try:
        if len(row) != width:
            raise BadLine(f"it has {len(row)} fields, the heading {width}")
        entry = _read_entry(cells, line)
        if entry.file in manifest.entries:
            raise BadLine(f"{entry.file} is named a second time")
    except BadLine as error:
        _complain(manifest, line, str(error))
        manifest.refused.add(cells["file"])
    else:
        manifest.entries[entry.file] = entry


def _tidy(cell: str) -> str:
    return " ".join(cell.replace("\0", "").split())


def _read_entry(cells: dict[str, str], line: int) -> Entry:
    def text(word: str) -> str:
        return cells.get(word, "")

    if not text("file"):
        raise BadLine("it names no file")
    source = text("source_page")
    if source and not _is_address(source):
        raise BadLine(f"{source!r} is not a web address")
    if text("licence_url") and not _is_address(text("licence_url")):
        raise BadLine(f"{text('licence_url')!r} is not a web address")
    if text("wikidata") and not _WIKIDATA.fullmatch(text("wikidata")):
        raise BadLine(f"{text('wikidata')!r} is not a Wikidata id, such as Q42")
    return Entry(
        file=text("file").replace("\\", "/").removeprefix("./"),
        line=line,
        name=text("name")[:200],
        other_names="\n".join(_split(text("other_names"))),
        gender=_read_gender(text("gender")),
        birth_year=_read_year(text("birth_year")),
        death_year=_read_year(text("death_year")),
        occupations=tuple(_split(text("occupations").replace(",", ";"))),
        wikidata=text("wikidata"),
        author=text("author")[:300],
        licence=text("licence")[:300],
        licence_url=text("licence_url"),
        source_page=source,
        notes="; ".join(part for part in (text("notes"), text("source")) if part)[:500],
    )


def _is_address(text: str) -> bool:
    return len(text) <= 500 and text.startswith(("https://", "http://"))


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;|]", text) if part.strip()]


def _read_gender(text: str) -> str:
    if not text or text.lower() in ("unknown", "?"):
        return ""
    if text.lower() not in GENDERS:
        raise BadLine(f"{text!r} is not a gender it knows ({', '.join(sorted(GENDERS))})")
    return GENDERS[text.lower()]


def _read_year(text: str) -> int | None:
    """The year at the beginning of a year or an ISO 8601 date."""
    if not text:
        return None
    found = re.match(r"-?[0-9]{1,4}(?![0-9])", text)
    if not found or not re.fullmatch(r"(-[0-9]{1,2}){0,2}(T.*)?", text[found.end() :]):
        raise BadLine(f"{text!r} is not a year")
    return int(found[0])
