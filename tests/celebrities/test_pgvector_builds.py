"""Builds of the index in PostgreSQL: tables that come, are superseded and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, connection
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from celebrities.errors import EmptyGallery, NoIndex, PgvectorMissing
from celebrities.index.builds import current_build
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.pgvector import table_of
from celebrities.index.pgvector_build import require_pgvector
from celebrities.index.rebuild import gallery_changed, rebuild_index
from celebrities.index.search import find_lookalikes
from celebrities.models import Celebrity, IndexBuild
from lookalike import engine
from lookalike.faces.errors import BadVector, IndexMissing
from lookalike.faces.index import Method, Query
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Vector
from tests.celebrities.factories import make_people, make_ready, unit
from tests.celebrities.postgres import (
    ask,
    make_database,
    names_of,
    open_table,
    tables,
    used_by_django,
)
from tests.conftest import MakeSite
from tests.fakes import FakeDetector, FakeEncoder

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def database(postgres: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A PostgreSQL database with the site's tables, in the place of SQLite."""
    with (
        used_by_django(make_database(postgres, "pgvector_builds")),
        django_db_blocker.unblock(),
    ):
        call_command("migrate", verbosity=0)
        yield


@pytest.fixture(autouse=True)
def empty_gallery(database: None, fake_engine: FaceEngine, settings: Settings) -> Iterator[None]:
    settings.INDEX_BACKEND = "pgvector"
    yield
    Celebrity.objects.all().delete()
    IndexBuild.objects.all().delete()
    remove_old_builds(at_once=True)


def test_a_person_with_many_portraits_is_one_row() -> None:
    made = make_people([unit(1, number) for number in range(5)])
    for number in range(1, 300):
        make_ready(made[0], unit(1, 0, number / 10_000))
    rebuild_index()

    for method in Method:
        assert ask(unit(1), 9, method)[0] == made[0].pk
        assert len(ask(unit(1), 9, method)) == 5


def test_a_rebuild_supersedes_the_table_before() -> None:
    made = make_people([unit(1), unit(0, 1)])
    first = rebuild_index()
    made[0].delete()
    second = rebuild_index()
    remove_old_builds()

    assert names_of(find_lookalikes([unit(1)], k=2).neighbours[0]) == ["Person 01"]
    assert {*tables()} == {table_of(first.name), table_of(second.name)}
    remove_old_builds(at_once=True)
    assert tables() == [table_of(second.name)]
    Celebrity.objects.all().delete()
    with pytest.raises(EmptyGallery):
        rebuild_index()
    assert tables() == []


def test_a_failed_build_leaves_no_table() -> None:
    make_people([unit(1)])
    before = rebuild_index()
    make_ready(None, unit(1) * 0)
    with pytest.raises(BadVector):
        rebuild_index()

    assert tables() == [table_of(before.name)]
    assert current_build() == before


def test_a_build_that_fails_half_way_leaves_no_table() -> None:
    """pgvector's graphs have at most 2,000 dimensions, lifted rows included; its tables more."""
    engine.reset(FaceEngine(FakeDetector(), FakeEncoder(dimensions=2000)))
    make_ready(None, unit(1, dimensions=2000))
    with pytest.raises(DatabaseError, match="2000 dimensions"):
        rebuild_index()

    assert tables() == []
    assert IndexBuild.objects.get().status == IndexBuild.Status.FAILED


def test_the_server_logs_nothing_of_a_visitor_when_a_search_fails() -> None:
    make_people([unit(1)])
    name = rebuild_index().name
    index = open_table()
    visitor = np.random.default_rng(1).uniform(0.1, 1, 16).astype(np.float32)
    visitor /= np.linalg.norm(visitor)
    IndexBuild.objects.update(status=IndexBuild.Status.FAILED)
    remove_old_builds(at_once=True)

    with pytest.raises(IndexMissing):
        index.search(Query(visitor[None], 1))
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        log = (Path(cursor.fetchone()[0]) / "log").read_text()
    assert f'"{table_of(name)}" does not exist' in log
    assert "$1::vector" in log
    assert not [number for number in visitor.tolist() if str(number)[:7] in log]


def test_requires_the_table() -> None:
    make_people([unit(1)])
    rebuild_index()
    index = open_table()
    IndexBuild.objects.update(status=IndexBuild.Status.FAILED)
    remove_old_builds()

    with pytest.raises(IndexMissing):
        index.search(Query(unit(1)[None], 1))
    IndexBuild.objects.update(status=IndexBuild.Status.PUBLISHED)
    with pytest.raises(NoIndex, match="rebuild_index"):
        find_lookalikes([unit(1)], k=1)


def test_a_changed_setting_is_for_the_next_build(settings: Settings) -> None:
    make_people([unit(1)])
    before = rebuild_index()
    settings.INDEX_BACKEND = "annoy"

    assert find_lookalikes([unit(1)], k=1).build == before, "searched until the next is there"
    assert gallery_changed()
    assert rebuild_index().backend == "annoy"
    assert names_of(find_lookalikes([unit(1)], k=1).neighbours[0]) == ["Person 00"]
    remove_old_builds(at_once=True)
    assert tables() == []


@pytest.mark.parametrize("vector", [unit(1) * 0, unit(1) * np.nan, np.ones(3, np.float32)])
def test_rejects_a_vector_that_cannot_be_compared(vector: Vector) -> None:
    make_people([unit(1)])
    rebuild_index()
    with pytest.raises(BadVector):
        ask(vector, 1)


def test_the_checks_are_content_with_this_database() -> None:
    assert [message.id for message in run_checks(databases=["default"])] == []


def test_it_warns_of_a_server_that_logs_the_values_of_queries() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET log_min_duration_statement = 100000")
        try:
            [message] = run_checks(databases=["default"])
            assert message.id == "lookalike.W007"
            assert "log_parameter_max_length" in (message.hint or "")
            cursor.execute("SET log_parameter_max_length = 0")
            assert run_checks(databases=["default"]) == []
        finally:
            cursor.execute("RESET log_min_duration_statement")
            cursor.execute("RESET log_parameter_max_length")


def test_requires_that_the_login_may_create_the_extension(postgres: str) -> None:
    with used_by_django(make_database(postgres, "without_pgvector")):
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE nobody_much")
            cursor.execute("SET ROLE nobody_much")
        with pytest.raises(PgvectorMissing, match="CREATE EXTENSION vector"):
            require_pgvector()
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
        require_pgvector()


def test_the_whole_site_works_with_it(
    postgres: str, make_site: MakeSite, cast: dict[str, list[Path]]
) -> None:
    url = make_database(postgres, "whole_site")
    site = make_site(DATABASE_URL=url, LOOKALIKE_INDEX="pgvector")
    site.manage("prepare")
    assert "Index" in site.manage("load_demo", "--fictional").stdout
    done = site.manage("match", str(cast["kenji-morishige"][2]), "--k", "1")
    assert "Kenji Morishige" in done.stdout
    assert not [*(site.data_dir / "index").glob("*/")]
    done = site.manage("load_demo", "--remove")
    assert "Removed 48" in done.stdout
    with psycopg.connect(url) as there:
        query = "SELECT count(*) FROM pg_class WHERE relname LIKE 'celebrities_vectors%'"
        assert there.execute(query).fetchone() == (0,)


def test_the_command_says_what_it_requires(make_site: MakeSite) -> None:
    done = make_site(LOOKALIKE_INDEX="pgvector").manage("rebuild_index", fails=True)
    assert done.returncode == 1
    assert "lookalike.E009" in done.stderr
    assert "DATABASE_URL" in done.stderr
