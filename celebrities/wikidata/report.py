"""The result of an import or refresh: a line per person or picture, and counts."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """``outcome`` is a word such as "imported". ``file`` is empty in lines about a person."""

    outcome: str
    id: str
    name: str = ""
    file: str = ""
    reason: str = ""
    author: str = ""
    licence: str = ""
    licence_url: str = ""
    source_page: str = ""


@dataclass(slots=True)
class Report:
    """``people`` counts those asked for who are in the gallery now, ``pictures`` the new ones.
    ``on_change`` is called after each change."""

    lines: list[Line] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    people: int = 0
    pictures: int = 0
    on_change: Callable[[Report], None] = lambda report: None

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self.outcomes[line.outcome] += 1
        self.on_change(self)

    def reasons(self) -> list[tuple[str, int]]:
        """Reasons of refusals and their counts, most frequent first."""
        return Counter(
            line.reason for line in self.lines if line.outcome == "refused"
        ).most_common()

    @property
    def counts(self) -> Mapping[str, int]:
        return self.outcomes

    @property
    def digest(self) -> str:
        """Wikidata is no file: what was read of it is in the rows."""
        return ""

    def to_csv(self) -> str:
        """Three columns as of other imports' reports: outcome, who, and why or under what
        licence."""
        text = io.StringIO()
        writer = csv.writer(text)
        for line in self.lines:
            where = " ".join(part for part in (line.id, line.name, line.file) if part)
            what = line.reason or " ".join(part for part in (line.author, line.licence) if part)
            writer.writerow(map(_as_text, (line.outcome, where, what)))
        return text.getvalue()

    def write_csv(self, path: Path) -> None:
        """UTF-8 with a byte order mark, for spreadsheets. Raises OSError."""
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(column.name for column in fields(Line))
            for line in self.lines:
                writer.writerow(_as_text(cell) for cell in astuple(line))


def _as_text(cell: str) -> str:
    """Escape what a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
