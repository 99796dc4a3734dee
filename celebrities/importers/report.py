"""What an import did or would do, line by line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from celebrities.importers.manifest import Problem
from celebrities.spreadsheets import escape

SHOWN = 20
"""Lines of one kind and reason that are shown; the others are counted."""


class Kind(StrEnum):
    PERSON = "new person"
    PORTRAIT = "new portrait"
    FILLED = "filled in"
    UPDATED = "updated"
    REPLACED = "replaced"
    DIFFERS = "differs"
    KEPT = "kept"
    QUESTION = "question"
    SKIPPED = "skipped"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """``where`` is a person, a file, or a line of the manifest."""

    kind: Kind
    where: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.what else self.where


@dataclass(slots=True)
class Report:
    lines: list[Line] = field(default_factory=list)

    def add(self, kind: Kind, where: str, what: str = "") -> None:
        self.lines.append(Line(kind, where, what))

    def of(self, kind: Kind) -> list[Line]:
        return [line for line in self.lines if line.kind == kind]

    def count(self, kind: Kind) -> int:
        return sum(line.kind == kind for line in self.lines)

    @property
    def imported(self) -> int:
        return self.count(Kind.PORTRAIT)

    @property
    def people(self) -> int:
        return self.count(Kind.PERSON)

    @property
    def changed(self) -> bool:
        """Whether a portrait was added or replaced."""
        return any(self.count(kind) for kind in (Kind.PORTRAIT, Kind.REPLACED))

    @property
    def took_some(self) -> bool:
        """Whether any file has a place in the gallery now, as before or anew."""
        return any(self.count(kind) for kind in (Kind.PORTRAIT, Kind.REPLACED, Kind.SKIPPED))

    @property
    def skipped(self) -> list[Problem]:
        return [Problem(line.where, line.what) for line in self.of(Kind.SKIPPED)]

    @property
    def failed(self) -> list[Problem]:
        return [Problem(line.where, line.what) for line in self.of(Kind.FAILED)]

    def sum_up(self, kind: Kind) -> Iterator[str]:
        """The lines of a kind. Of those with one reason, 20 are shown."""
        lines = self.of(kind)
        totals = Counter(line.what for line in lines)
        shown: Counter[str] = Counter()
        for line in lines:
            shown[line.what] += 1
            if shown[line.what] <= SHOWN:
                yield str(line)
        for what, total in totals.items():
            if total > SHOWN:
                yield f"... and {total - SHOWN:,} more" + (f": {what}" if what else "")

    def write_csv(self, path: Path) -> None:
        """UTF-8 with a byte order mark, for spreadsheets. Raises OSError."""
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["kind", "where", "what"])
            for line in self.lines:
                writer.writerow(map(escape, (line.kind.value, line.where, line.what)))
