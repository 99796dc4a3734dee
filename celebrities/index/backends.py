"""Where builds of the index are kept: one backend for each value of LOOKALIKE_INDEX."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from django.conf import settings
from django.core.checks import CheckMessage

from celebrities.index.files import FileBackend
from celebrities.index.pgvector_build import PgvectorBackend
from celebrities.models import IndexBuild
from lookalike.faces.index import BuildFacts, Index, IndexRows, Progress
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId


class IndexBackend(Protocol):
    """Makes, opens and removes builds by name."""

    def problems(self, *, may_ask: bool) -> list[CheckMessage]:
        """What keeps it from working, for ``manage.py check``. The database may only be
        asked if ``may_ask``."""
        ...

    def build(
        self,
        name: str,
        rows: IndexRows,
        encoder: EncoderId,
        calibration: Calibration,
        progress: Progress,
    ) -> BuildFacts:
        """Keep the rows under this name; of a build that fails nothing stays."""
        ...

    def open(self, build: IndexBuild) -> Index:
        """Raises IndexMissing or IndexDamaged."""
        ...

    def has(self, build: IndexBuild) -> bool:
        """A quick look whether the build can be opened here."""
        ...

    def keep_only(self, names: Callable[[], Collection[str]]) -> None:
        """Remove every other build. ``names`` is called after listing what there is, so a
        build that starts in between is kept."""
        ...


BACKENDS: dict[str, IndexBackend] = {"annoy": FileBackend(), "pgvector": PgvectorBackend()}


def get_backend() -> IndexBackend:
    """The backend that new builds are kept in."""
    return BACKENDS[settings.INDEX_BACKEND]
