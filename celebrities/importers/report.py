"""What an import did or would do, line by line."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from celebrities.importers.manifest import Problem
from celebrities.spreadsheets import escape

SHOWN = 20
"""Lines of one kind and reason that are shown; the others are counted."""


HEADING = "kind,where,what\r\n"


class Kind(StrEnum):
    PERSON = "new person"
    PORTRAIT = "new portrait"
    HELD = "kept out of sight"
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
    read: list[str] = field(default_factory=list)
    """The name and the SHA-256 of each file."""

    @property
    def digest(self) -> str:
        """The SHA-256 of all that was read; "" before anything."""
        return (
            hashlib.sha256("\n".join(sorted(self.read)).encode()).hexdigest() if self.read else ""
        )

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

    @property
    def counts(self) -> dict[str, int]:
        """How many lines there are of each kind that has some, by its words."""
        return dict(Counter(line.kind.value for line in self.lines))

    def write_csv(self, path: Path) -> None:
        """UTF-8 with a byte order mark, for spreadsheets. Raises OSError."""
        path.write_text(HEADING + self.to_csv(), encoding="utf-8-sig", newline="")

    def to_csv(self) -> str:
        """The lines, without a heading."""
        text = io.StringIO()
        writer = csv.writer(text)
        for line in self.lines:
            writer.writerow(map(escape, (line.kind.value, line.where, line.what)))
        return text.getvalue()
