"""manifest.csv: names, facts and credits of each file, under the usual headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from celebrities.names import tidy
from celebrities.spreadsheets import unescape
from lookalike.faces.tables import FILE_HEADINGS, BadLine, read_table, tidy_heading

MANIFEST = "manifest.csv"

COLUMNS = {
    "file": " ".join(FILE_HEADINGS),
    "name": "name person celebrity full_name",
    "other_names": "other_names aliases also_known_as",
    "gender": "gender sex",
    "birth_year": "birth_year born year_of_birth date_of_birth birth_date birthday dob",
    "death_year": "death_year died year_of_death date_of_death death_date",
    "occupations": "occupations occupation categories category",
    "wikidata": "wikidata wikidata_id qid",
    "author": "author photographer credit credits photo_credit image_credit artist copyright",
    "licence": "licence license licence_as_stated license_as_stated",
    "licence_url": "licence_url license_url",
    "source_page": "source_page source_url source",
    "source": "source_repository",
    "notes": "notes note",
}
"""Fields of an `Entry`, and the headings they are read from, best first."""

GENDERS = {
    **dict.fromkeys(("female", "f", "w", "woman"), "female"),
    **dict.fromkeys(("male", "m", "man"), "male"),
    **dict.fromkeys(("other", "non-binary", "nonbinary", "x"), "other"),
}

EMPTY = {"", "-", "nan", "null", "none", "n/a", "#n/a"}
"""What spreadsheets, databases and pandas write for no value."""

LIMITS = {"name": 200, "author": 300, "licence": 300, "notes": 500}
"""Most characters that the gallery stores."""

FIRST_YEAR = -3000
WIKIDATA_ID = re.compile(r"Q[1-9][0-9]{0,18}")
_ADDRESS = re.compile(r"https?://.{0,490}")
_DATE = re.compile(
    r"""(?P<year>[+-]?[0-9]{1,4})           # 1987, -44, 1987.0, 1987-05-12T00:00:00Z
        ([.,]0+ | (-[0-9]{1,2}){1,2}([ T].*)?)?
      | [0-9]{1,2}([./-])[0-9]{1,2}\5(?P<last>[0-9]{4})""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What was not done, and why. ``where`` is a file's name or a line of the manifest."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One checked row; texts are empty where the manifest says nothing."""

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
class Listing:
    """What a manifest says.

    ``refused`` are files of rows that could not be used: they must not be published without
    their names and credits. ``remarks`` say how the table was read.
    """

    name: str = MANIFEST
    entries: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)

    def refuse(self, line: int, reason: str, files: Sequence[str]) -> None:
        self.problems.append(Problem(f"{self.name}, line {line}", reason))
        self.refused.update(map(_tidy_file, files))


def read_manifest(data: bytes, name: str = MANIFEST) -> Listing:
    """Read a manifest, which messages call ``name``, in any form that `read_table` knows.

    A bad row becomes a problem and its file is refused; other rows stand. Raises BadLine if
    the table as a whole cannot be understood: unknown encoding, broken quotes, or no column
    of file names.
    """
    table = read_table(data)
    line, heading = next(table.rows, (1, [""]))
    columns = _find_columns(line, heading)
    listing = Listing(name)
    if not table.encoding.startswith("utf"):
        listing.remarks.append(f"{name} was read as {table.encoding}; UTF-8 is safer")
    unused: set[int] = set()
    for line, cells in table.rows:
        unused.update(at for at, cell in enumerate(cells[: len(heading)]) if _tidy(cell))
        _take_row(listing, line, cells, columns, len(heading))
    for at in sorted(unused - set(columns.values())):
        column = heading[at].strip() or f"number {at + 1}"
        listing.remarks.append(f"{name}: the column {column!r} is unknown and was not used")
    return listing


def _find_columns(line: int, heading: Sequence[str]) -> dict[str, int]:
    """The position of each field. Raises BadLine if no column has file names."""
    words = [tidy_heading(cell) for cell in heading]
    columns = {}
    for field_name, headings in COLUMNS.items():
        known = [word for word in headings.split() if word in words]
        if known:
            columns[field_name] = words.index(known[0])
    # pandas writes an index without a name under an empty heading, or under "index".
    if "file" not in columns and len(words) > 1 and words[0] in ("", "index"):
        columns["file"] = 0
    if "file" not in columns:
        raise BadLine(line, 'it has no column "file" in its heading')
    return columns


def _take_row(
    listing: Listing, line: int, cells: Sequence[str], columns: dict[str, int], width: int
) -> None:
    texts = {name: _tidy(cells[at]) for name, at in columns.items() if at < len(cells)}
    try:
        if any(cells[width:]):
            raise BadLine(line, f"it has {len(cells)} fields, the heading {width}")
        entry = _read_entry(texts, line)
        if entry.file in listing.entries:
            raise BadLine(line, f"{entry.file} is named a second time")
    except BadLine as error:
        # In a row out of step, any cell may be the file's name.
        listing.refuse(line, error.problem, cells)
    else:
        listing.entries[entry.file] = entry


def _tidy(cell: str) -> str:
    text = unescape(tidy(cell))
    return "" if text.lower() in EMPTY else text


def is_address(file: str) -> bool:
    return file.lower().startswith(("https://", "http://"))


def _tidy_file(cell: str) -> str:
    return " ".join(cell.split()).replace("\\", "/").removeprefix("./")


def _read_entry(texts: dict[str, str], line: int) -> Entry:
    def text(name: str) -> str:
        return texts.get(name, "")

    def fail(problem: str) -> None:
        raise BadLine(line, problem)

    if not text("file"):
        fail("it names no file")
    if is_address(text("file")) and not text("name"):
        fail("an address needs a name beside it")
    for name in ("source_page", "licence_url"):
        if text(name) and not _ADDRESS.fullmatch(text(name)):
            fail(f"{text(name)!r} is not a web address")
    if text("wikidata") and not WIKIDATA_ID.fullmatch(text("wikidata")):
        fail(f"{text('wikidata')!r} is not a Wikidata id, such as Q42")
    born, died = _read_year(line, text("birth_year")), _read_year(line, text("death_year"))
    if born is not None and died is not None and died < born:
        fail(f"death in {died} comes before birth in {born}")
    notes = "; ".join(part for part in (text("notes"), text("source")) if part)
    for name, value in (*texts.items(), ("notes", notes)):
        if len(value) > LIMITS.get(name, len(value)):
            fail(f"its {name} is longer than {LIMITS[name]} characters")
    return Entry(
        file=_tidy_file(text("file")),
        line=line,
        name=text("name"),
        other_names="\n".join(_split(text("other_names"))),
        gender=_read_gender(line, text("gender")),
        birth_year=born,
        death_year=died,
        occupations=tuple(_split(text("occupations").replace(",", ";"))),
        wikidata=text("wikidata"),
        author=text("author"),
        licence=text("licence"),
        licence_url=text("licence_url"),
        source_page=text("source_page"),
        notes=notes,
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;|]", text) if part.strip()]


def _read_gender(line: int, text: str) -> str:
    if text.lower() in ("", "unknown", "?"):
        return ""
    if text.lower() not in GENDERS:
        known = ", ".join(sorted(GENDERS))
        raise BadLine(line, f"{text!r} is not a gender it knows ({known})")
    return GENDERS[text.lower()]


def _read_year(line: int, text: str) -> int | None:
    """The year of "1987", "1987.0", "1987-05-12", "12.05.1987" or "01/02/1961"."""
    if not text:
        return None
    found = _DATE.fullmatch(text)
    if not found:
        raise BadLine(line, f"{text!r} is not a year")
    year = int(found["year"] or found["last"])
    if year == 0 or not FIRST_YEAR <= year <= timezone.localdate().year:
        raise BadLine(line, f"{text!r} is not a year that anybody was born or died in")
    return year
