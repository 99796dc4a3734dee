"""A further index backend is one module and one line of the registry."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import pytest
from django.core.checks import CheckMessage
from django.core.management import call_command
from pytest_django.fixtures import Settings

from celebrities.errors import NoIndex
from celebrities.index.backends import BACKENDS
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.rebuild import gallery_changed, rebuild_index
from celebrities.index.search import find_lookalikes
from celebrities.models import Celebrity, IndexBuild
from lookalike.faces.errors import IndexMissing
from lookalike.faces.index import Answer, BuildFacts, Index, IndexRows, Progress, Query
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.similarity import Calibration
from lookalike.faces.types import EncoderId
from tests.celebrities.factories import make_people, unit
from tests.fakes import FakeIndex

pytestmark = pytest.mark.django_db


class MemoryBackend:
    """Keeps builds in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, Index] = {}

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
        self.kept[name] = FakeIndex(rows, encoder)
        return BuildFacts(str(encoder), rows.dimensions, len(rows), calibration)

    def open(self, build: IndexBuild) -> Index:
        if build.name not in self.kept:
            raise IndexMissing(f"There is no {build.name}.")
        return self.kept[build.name]

    def has(self, build: IndexBuild) -> bool:
        return build.name in self.kept

    def keep_only(self, names: Callable[[], Collection[str]]) -> None:
        wanted = names()
        self.kept = {name: index for name, index in self.kept.items() if name in wanted}


@pytest.fixture
def memory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fake_engine: FaceEngine
) -> MemoryBackend:
    backend = MemoryBackend()
    monkeypatch.setitem(BACKENDS, "memory", backend)
    settings.INDEX_BACKEND = "memory"
    return backend


@pytest.fixture
def people(memory: MemoryBackend) -> list[Celebrity]:
    return make_people([unit(1, number / 5) for number in range(4)])


def test_it_works(people: list[Celebrity], memory: MemoryBackend) -> None:
    build = rebuild_index()
    result = find_lookalikes([unit(1)], k=2)

    assert build.backend == "memory"
    assert result.build == build
    assert [near.celebrity_id for near in result.neighbours[0]] == [people[0].pk, people[1].pk]


class SlowIndex(FakeIndex):
    def search(self, query: Query) -> Answer:
        time.sleep(0.03)
        return super().search(query)


def test_milliseconds_are_those_of_the_index_alone(
    people: list[Celebrity], memory: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = rebuild_index()
    fast = memory.kept[build.name]
    assert isinstance(fast, FakeIndex)

    def open_slowly(_build: IndexBuild) -> Index:
        time.sleep(0.5)
        return SlowIndex(fast.rows, fast.encoder)

    monkeypatch.setattr(memory, "open", open_slowly)
    assert 30 <= find_lookalikes([unit(1)], k=2).ms < 400


def test_changes_since_its_build_are_seen(people: list[Celebrity]) -> None:
    rebuild_index()
    people[0].delete()
    Celebrity.objects.filter(pk=people[1].pk).unpublish()
    [new] = make_people([unit(1, 0.5)], slug="new")

    [found] = find_lookalikes([unit(1)], k=2).neighbours
    assert [near.celebrity_id for near in found] == [people[2].pk, new.pk]


def test_old_builds_are_removed(people: list[Celebrity], memory: MemoryBackend) -> None:
    rebuild_index()
    newest = rebuild_index()
    remove_old_builds(at_once=True)

    assert [*memory.kept] == [newest.name]


def test_a_lost_build_is_noticed(people: list[Celebrity], memory: MemoryBackend) -> None:
    name = rebuild_index().name
    memory.kept.clear()

    assert gallery_changed()
    with pytest.raises(NoIndex, match=f"There is no {name}. Rebuild"):
        find_lookalikes([unit(1)], k=2)


def test_the_checks_know_it(memory: MemoryBackend) -> None:
    call_command("check")
