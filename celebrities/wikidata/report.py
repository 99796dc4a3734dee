"""What came of an import or a refresh: a line for each person or picture, and the counts."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``outcome`` is a word such as "imported"; ``file`` is empty for a person."""

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
    """Lines in order. ``people`` counts those that the gallery has now, of those asked for;
    ``pictures`` those that are new. ``on_change`` is called after each step."""

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
        """Reasons of refusals by how often they were given."""
        return Counter(
            line.reason for line in self.lines if line.outcome == "refused"
        ).most_common()

    def write_csv(self, path: Path) -> None:
        """UTF-8 with a byte order mark, for spreadsheets. Raises OSError."""
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(column.name for column in fields(Line))
            for line in self.lines:
                writer.writerow(_as_text(cell) for cell in astuple(line))


def _as_text(cell: str) -> str:
    """A cell that a spreadsheet does not run as a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
