"""What the site needs, part by part, asked within a deadline whatever hangs.

Each part is asked in a thread of its own, one at a time: a part that did not answer in time is
false, and the next call waits for the same question instead of asking another.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lookalike.processes.heartbeat import worker_is_away
from lookalike.processes.housekeeping import scheduler_is_away

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 2.0
FRESH_SECONDS = 1.0
"""An answer counts for this long, so that many probes ask no more than one would."""

MARKER = "lookalike.txt"
"""A file in the gallery's storage that says that this is the right one."""


class Lacking(Exception):
    """A part does not do its work. The sentence says what to do about it."""


@dataclass(slots=True)
class Part:
    """``ask`` raises Lacking, or whatever the service does. The parts in ``needs`` are asked
    before: while one of them is false, nothing is known of this one. Photos are taken without
    those that are not ``is_needed``."""

    name: str
    ask: Callable[[], None]
    needs: tuple[str, ...] = ()
    is_needed: bool = True
    problem: str = "not asked yet"
    thread: threading.Thread | None = None
    began: float = 0.0
    answered: float = 0.0
    told: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        with self.lock:
            is_asking = self.thread is not None and self.thread.is_alive()
            if is_asking or time.monotonic() - self.answered < FRESH_SECONDS:
                return
            self.began = time.monotonic()
            self.thread = threading.Thread(target=self._answer, daemon=True)
            self.thread.start()

    def wait(self, deadline: float) -> str:
        """What is wrong, or ""."""
        thread = self.thread
        if thread is not None:
            thread.join(max(min(deadline, self.began + DEADLINE_SECONDS) - time.monotonic(), 0))
            if thread.is_alive():
                self._tell("It does not answer.")
                return "It does not answer."
        self._tell(self.problem)
        return self.problem

    def _answer(self) -> None:
        try:
            self.ask()
            self.problem = ""
        except Lacking as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001 - each service fails in its own way.
            self.problem = f"{type(error).__name__}: {error}"[:300]
        finally:
            connection.close()
            self.answered = time.monotonic()

    def _tell(self, problem: str) -> None:
        """One line in the log when it fails, and one when it is well again."""
        if problem and not self.told:
            logger.warning("Not ready: %s. %s", self.name, problem)
        elif self.told and not problem:
            logger.warning("Ready again: %s.", self.name)
        self.told = bool(problem)


@dataclass(frozen=True, slots=True)
class Health:
    """``parts``: True, False, or None where a part that it needs is false."""

    parts: dict[str, bool | None]
    problems: dict[str, str]

    @property
    def is_well(self) -> bool:
        return all(self.parts.values())

    @property
    def is_ready(self) -> bool:
        """Whether photos are taken."""
        return all(well for name, well in self.parts.items() if PARTS[name].is_needed)


PARTS: dict[str, Part] = {}


def add_part(name: str, ask: Callable[[], None], *needs: str, is_needed: bool = True) -> None:
    PARTS[name] = Part(name, ask, needs, is_needed)


def look() -> Health:
    """Ask every part. Takes DEADLINE_SECONDS at most."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    for part in PARTS.values():
        part.begin()
    problems = {name: part.wait(deadline) for name, part in PARTS.items()}
    parts: dict[str, bool | None] = {}
    for name, part in PARTS.items():
        parts[name] = None if any(problems[each] for each in part.needs) else not problems[name]
    return Health(parts, {name: text for name, text in problems.items() if parts[name] is False})


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def ask_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Lacking("The database is behind this version. Run manage.py migrate.")


def ask_queue() -> None:
    """A write: a server that only reads takes no photo."""
    cache.set("health", 1, timeout=60)


def ask_worker() -> None:
    if worker_is_away():
        raise Lacking("No worker of the queue `match` was heard of for 15 seconds. Start one.")


def ask_scheduler() -> None:
    if scheduler_is_away():
        raise Lacking(
            "Nothing was heard of the gallery's worker for a minute: expired photos may stay. "
            "Start one worker of the queue `gallery`."
        )


def ask_storage() -> None:
    if not storages["gallery"].exists(MARKER):
        raise Lacking(
            f"The gallery's storage lacks {MARKER}: it is another folder or bucket than before, or "
            "empty. Bring it back. If it is meant to be empty, run manage.py prepare."
        )


def ask_static() -> None:
    manifest = str(getattr(staticfiles_storage, "manifest_name", None) or "")
    if manifest and not settings.DEBUG and not Path(settings.STATIC_ROOT, manifest).is_file():
        raise Lacking("There are no static files. Run manage.py prepare on this machine.")


def ask_disk() -> None:
    if problem := describe_full_disk():
        raise Lacking(problem)


def describe_full_disk() -> str:
    """Which folder has less than MIN_FREE bytes left, in a sentence, or ""."""
    for folder in (Path(settings.DATA_DIR), Path(tempfile.gettempdir())):
        if folder.exists() and (free := shutil.disk_usage(folder).free) < settings.MIN_FREE:
            return (
                f"{folder} has {free / 1e6:.0f} MB left, and LOOKALIKE_MIN_FREE asks for "
                f"{settings.MIN_FREE / 1e6:.0f}. Photos are refused until there is room."
            )
    return ""


add_part("database", ask_database)
add_part("migrations", ask_migrations, "database")
add_part("queue", ask_queue)
add_part("worker", ask_worker, "queue")
add_part("scheduler", ask_scheduler, "queue")
add_part("storage", ask_storage)
add_part("static", ask_static)
add_part("disk", ask_disk)
