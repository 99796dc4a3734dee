"""Progress bars. They show on terminals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

_console = Console(stderr=True)


def _make_bar(*columns: ProgressColumn) -> Progress:
    first = TextColumn("{task.description}"), BarColumn()
    shown = _console.is_terminal
    return Progress(*first, *columns, console=_console, transient=True, disable=not shown)


@contextmanager
def count_progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yields a function to call with the number of items done since the last call."""
    with _make_bar(MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)


@contextmanager
def share_progress() -> Iterator[Callable[[str, float], None]]:
    """Yields a function to call with the current step and the share of it that is done, 0 to 1."""
    with _make_bar(TaskProgressColumn()) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


class PeopleProgress:
    """Shows the counts, the time left, and notes above the bar."""

    def __init__(self, bar: Progress, total: int | None) -> None:
        self._bar = bar
        self._task = bar.add_task("Asking Wikidata", total=total)
        self.is_shown = not bar.disable

    def show(self, people: int, pictures: int, refusals: int) -> None:
        words = f"{people} people, {pictures} new pictures, {refusals} refused"
        self._bar.update(self._task, description=words, completed=people)

    def note(self, words: str) -> None:
        self._bar.console.log(words)


@contextmanager
def people_progress(total: int | None) -> Iterator[PeopleProgress]:
    """``total`` is the number of people to expect, None if unknown."""
    with _make_bar(TimeRemainingColumn()) as bar:
        yield PeopleProgress(bar, total)
