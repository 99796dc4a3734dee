"""Builds as folders: INDEX_DIR/<name>, and in storage where several machines share them."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Collection

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.files.base import File
from django.core.files.storage import storages

from celebrities.index.builds import names_in_use
from celebrities.models import IndexBuild
from lookalike.faces.errors import IndexDamaged, IndexMissing
from lookalike.faces.index import (
    FILES,
    MANIFEST,
    BuildFacts,
    Index,
    IndexRows,
    Progress,
    build_index,
    open_index,
    publish,
    read_facts,
    remove_others,
)
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId


def is_shared() -> bool:
    """Whether builds travel to other machines through storage."""
    return settings.STORAGE != "local"


class FileBackend:
    """An Annoy index that all workers of a machine map."""

    def problems(self, *, may_ask: bool) -> list[CheckMessage]:
        return []

    def build(
        self,
        name: str,
        rows: IndexRows,
        encoder: EncoderId,
        calibration: Calibration,
        progress: Progress,
    ) -> BuildFacts:
        folder, recall = settings.INDEX_DIR, settings.RECALL
        facts = build_index(
            folder, name, rows, encoder, calibration, recall=recall, progress=progress
        )
        if is_shared():
            _send(name)
        return facts

    def open(self, build: IndexBuild) -> Index:
        folder = settings.INDEX_DIR / build.name
        if is_shared() and not folder.exists():
            settings.INDEX_DIR.mkdir(parents=True, exist_ok=True)
            with (settings.INDEX_DIR / ".fetching").open("w") as lock:
                # One process fetches, the others of this machine wait.
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not folder.exists():
                    _fetch(build)
            remove_others(settings.INDEX_DIR, names_in_use)
        return open_index(folder)

    def has(self, build: IndexBuild) -> bool:
        if is_shared():
            return storages["builds"].exists(f"{build.name}/{MANIFEST}")
        return (settings.INDEX_DIR / build.name / MANIFEST).is_file()

    def keep_only(self, names: Callable[[], Collection[str]]) -> None:
        remove_others(settings.INDEX_DIR, names)
        if is_shared():
            storage = storages["builds"]
            there, kept = storage.listdir("")[0], names()
            for name in set(there) - set(kept):
                for file in storage.listdir(name)[1]:
                    storage.delete(f"{name}/{file}")


def _send(name: str) -> None:
    """Put the build's files into storage, the manifest last."""
    for file_name in (*FILES, MANIFEST):
        with (settings.INDEX_DIR / name / file_name).open("rb") as file:
            storages["builds"].save(f"{name}/{file_name}", File(file))


def _fetch(build: IndexBuild) -> None:
    """Bring the build's files to this machine, whole or not at all. Raises IndexMissing if the
    storage lacks one, and IndexDamaged if they are not what the build's row describes."""
    with publish(settings.INDEX_DIR, build.name) as temporary:
        for name in (*FILES, MANIFEST):
            try:
                with (
                    storages["builds"].open(f"{build.name}/{name}") as source,
                    (temporary / name).open("wb") as target,
                ):
                    shutil.copyfileobj(source, target, 1 << 20)
            except FileNotFoundError as error:
                raise IndexMissing(f"The storage lacks {name} of {build.name}.") from error
        if read_facts(temporary) != build.facts:
            raise IndexDamaged(f"The index {build.name} in storage is not the one that was built.")
