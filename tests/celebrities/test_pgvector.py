"""The index in PostgreSQL finds what the exact search finds, whatever changes beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from celebrities.errors import EmptyGallery
from celebrities.filters import Filters
from celebrities.index.builds import load_cohort
from celebrities.index.pgvector import PgvectorIndex, table_of
from celebrities.index.pgvector_build import graph_of
from celebrities.index.rebuild import rebuild_index
from celebrities.index.rows import read_people
from celebrities.index.search import find_lookalikes
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike import engine
from lookalike.faces.index import IndexRows, Method, Query, unit_vectors
from lookalike.faces.people import make_rows
from lookalike.faces.photos.decoding import open_photo
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import EncoderId, Vector, Vectors
from tests.celebrities.factories import make_category, make_celebrity, make_ready
from tests.celebrities.postgres import (
    ask,
    make_database,
    names_of,
    open_table,
    people_of,
    tables,
    used_by_django,
)

pytestmark = pytest.mark.services

CROWD = 1000
"""People with two portraits each beside the cast."""


def embed(faces: FaceEngine, path: Path) -> Vector:
    photo = open_photo(path, max_bytes=10**8, max_pixels=10**8, min_side=1)
    turned, found = faces.find_faces(photo)
    return faces.encode_faces(turned, found[:1])[0].vector


@pytest.fixture(scope="module")
def cast_vectors(loaded_engine: FaceEngine, cast: dict[str, list[Path]]) -> dict[str, Vectors]:
    """Of each of the cast the vectors of the three photos."""
    return {
        slug: np.stack([embed(loaded_engine, path) for path in paths])
        for slug, paths in cast.items()
    }


def draw_crowd(known: Vectors) -> Vectors:
    """Two vectors each of people with the mean and covariance of the known ones."""
    rng = np.random.default_rng(3)
    centres = rng.multivariate_normal(known.mean(axis=0), np.cov(known.T), CROWD)
    drawn = centres.repeat(2, axis=0) + rng.normal(0, 0.01, (2 * CROWD, known.shape[1]))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def stored_gallery(
    postgres: str,
    django_db_blocker: DjangoDbBlocker,
    loaded_engine: FaceEngine,
    cast_vectors: dict[str, Vectors],
) -> Iterator[None]:
    """In a PostgreSQL of its own the cast with two portraits each and a crowd of drawn people,
    every other one a woman, all older than the build that was made of them."""
    with (
        used_by_django(make_database(postgres, "pgvector_gallery")),
        django_db_blocker.unblock(),
        override_settings(INDEX_BACKEND="pgvector"),
    ):
        call_command("migrate", verbosity=0)
        engine.reset(loaded_engine)
        fill_gallery(cast_vectors)
        rebuild_index()
        an_hour_ago = timezone.now() - timedelta(hours=1)
        Celebrity.objects.update(updated_at=an_hour_ago)
        Portrait.objects.update(embedded_at=an_hour_ago)
        IndexBuild.objects.update(started_at=timezone.now() - timedelta(minutes=30))
        yield
        engine.reset()


def fill_gallery(cast_vectors: dict[str, Vectors]) -> None:
    crowd = draw_crowd(np.concatenate([*cast_vectors.values()]))
    names = [*cast_vectors, *(f"person-{number}" for number in range(CROWD))]
    people = Celebrity.objects.bulk_create(
        Celebrity(name=slug, slug=slug, gender=("female", "male")[number % 2])
        for number, slug in enumerate(names)
    )
    vectors = [*(pair[:2] for pair in cast_vectors.values()), *crowd.reshape(CROWD, 2, -1)]
    Portrait.objects.bulk_create(
        Portrait(
            celebrity=person,
            image=f"portraits/{person.pk}-{number}.jpg",
            image_hash=f"{person.pk}-{number}",
            vector=vector.astype("<f4").tobytes(),
            status=Portrait.Status.READY,
            encoder=str(EncoderId.of(engine.get_engine().encoder)),
            embedded_at=timezone.now(),
        )
        for person, pair in zip(people, vectors, strict=True)
        for number, vector in enumerate(pair)
    )


@pytest.fixture(autouse=True)
def gallery(stored_gallery: None, real_engine: FaceEngine) -> Iterator[None]:
    """What a test changes in the gallery is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read_gallery(**chosen: object) -> IndexRows:
    """The rows of these people, as a build makes them, and what it was made of."""
    dimensions = engine.get_engine().encoder.dimensions
    people = read_people(Portrait.objects.filter(**chosen), dimensions)
    return make_rows(people, load_cohort(IndexBuild.objects.get(), dimensions))


def nearest_people(rows: IndexRows, query: Vector, k: int) -> list[int]:
    """Compared one by one, here."""
    scores = rows.rows @ query + rows.bias
    ordered: list[int] = rows.ids[np.argsort(-scores, kind="stable")].tolist()
    return ordered[:k]


def test_it_works(cast_vectors: dict[str, Vectors]) -> None:
    for slug, vectors in cast_vectors.items():
        (found,) = find_lookalikes(vectors[2:], k=6).neighbours
        assert names_of(found)[0] == slug
        assert len({*people_of(found)}) == 6
        assert found == sorted(found, key=lambda near: -near.similarity)
        assert all(0 <= near.similarity <= 100 for near in found)
    build = IndexBuild.objects.get()
    assert build.facts is not None
    assert (build.items, build.people) == (2 * (CROWD + 48), CROWD + 48)
    assert (build.backend, build.facts.items) == ("pgvector", CROWD + 48)
    assert build.facts.recall >= 0.99
    assert build.facts.calibration.strangers == CROWD + 48
    assert tables() == [table_of(build.name)]


def test_curators_see_what_the_build_measured() -> None:
    build = IndexBuild.objects.get()
    client = Client()
    client.force_login(User.objects.create_superuser("curator"))
    assert build.name in client.get("/admin/celebrities/indexbuild/").content.decode()
    shown = client.get(f"/admin/celebrities/indexbuild/{build.pk}/change/").content.decode()
    assert build.facts is not None
    assert build.facts.why in shown
    assert client.get("/how-it-works/").status_code == 200


def test_it_gives_the_same_people_in_the_same_order() -> None:
    """But for people whose scores differ less than single precision tells apart in the table."""
    rows = read_gallery()
    for query in draw_queries(rows, 20):
        scores = dict(zip(rows.ids.tolist(), rows.rows @ query + rows.bias, strict=True))
        found = [scores[person] for person in ask(query, 12, Method.EXACT)]
        nearest = [scores[person] for person in nearest_people(rows, query, 12)]
        assert found == pytest.approx(nearest, abs=0.002)


def test_the_graph_finds_the_same_within_the_recall() -> None:
    rows = read_gallery()
    assert recall_among(rows, None) >= 0.97


def draw_queries(rows: IndexRows, count: int) -> Vectors:
    """Faces between two people."""
    halves = np.random.default_rng(0).integers(0, len(rows), (2, count))
    return unit_vectors(unit_vectors(rows.rows)[halves].mean(axis=0))


def recall_among(rows: IndexRows, people: list[int] | None) -> float:
    """The share of the true twelve people that the graph finds."""
    hits, queries = 0, draw_queries(rows, 60)
    for query in queries:
        found = ask(query, 12, Method.APPROXIMATE, people)
        assert len(found) == 12
        hits += len({*found} & {*nearest_people(rows, query, 12)})
    return hits / (12 * len(queries))


def test_one_can_look_among_many() -> None:
    women = read_gallery(celebrity__gender="female")
    assert recall_among(women, women.ids.tolist()) >= 0.97
    query = draw_queries(women, 1)
    (found,) = find_lookalikes(
        query, k=12, filters=Filters(gender="female"), method=Method.EXACT
    ).neighbours
    assert people_of(found) == nearest_people(women, query[0], 12)


def make_comparing_dear(index: PgvectorIndex) -> None:
    """As in a large gallery: the server has no way but the graph, and the build says so."""
    with connection.cursor() as cursor:
        table = table_of(IndexBuild.objects.get().name)
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
        cursor.execute("SET LOCAL enable_seqscan = off")
    index.facts = replace(index.facts, exact_ms=1000.0)


def count_graph_scans() -> int:
    with connection.cursor() as cursor:
        graph = graph_of(table_of(IndexBuild.objects.get().name))
        cursor.execute("SELECT pg_stat_get_xact_numscans(%s::regclass)", [graph])
        return int(cursor.fetchone()[0])


def test_the_graph_is_followed_until_enough_pass_a_filter() -> None:
    index = open_table()
    make_comparing_dear(index)
    women = read_gallery(celebrity__gender="female")
    people = women.ids[::4].tolist()
    among = read_gallery(celebrity__in=people)
    query = draw_queries(among, 1)[0]
    before = count_graph_scans()

    # Of 100 rows wanted the graph's first candidates hold an eighth.
    rows = index.nearest_rows(query, 100, 100, False, "id = ANY(%s)", [people])
    assert len(rows) == 100
    answer = index.search(
        Query(query[None], 12, Method.APPROXIMATE, among=np.array(people, np.int64))
    )
    assert answer.method is Method.APPROXIMATE
    found = answer.found[0].ids.tolist()
    assert len({*found} & {*nearest_people(among, query, 12)}) >= 11
    assert count_graph_scans() == before + 2


def test_a_few_far_away_are_compared_one_by_one() -> None:
    few = Celebrity.objects.order_by("-pk")[:5]
    make_category("astronaut").celebrities.set(few)
    query = draw_queries(read_gallery(), 1)
    among = read_gallery(celebrity__categories__slug="astronaut")

    for k in (12, 3):
        result = find_lookalikes(query, k=k, filters=Filters(category="astronaut"))
        assert people_of(result.neighbours[0]) == nearest_people(among, query[0], k)
        assert (result.method, result.compared_with) == (Method.EXACT, 5)
    assert find_lookalikes(query, k=3, filters=Filters(category="nobody")).neighbours == [[]]


@pytest.mark.parametrize("method", list(Method))
def test_people_removed_since_are_skipped_without_shortening_the_result(method: Method) -> None:
    query = draw_queries(read_gallery(), 1)
    (before,) = find_lookalikes(query, k=12, method=Method.EXACT).neighbours
    Celebrity.objects.filter(pk__in=people_of(before)[:2]).unpublish()
    Portrait.objects.filter(celebrity__in=people_of(before)[2:4]).delete()
    Celebrity.objects.get(pk=people_of(before)[4]).delete()

    (found,) = find_lookalikes(query, k=7, method=method).neighbours
    assert people_of(found) == people_of(before)[5:]


def test_a_gallery_of_which_little_is_left_gives_all_of_it() -> None:
    query = draw_queries(read_gallery(), 1)
    last = [*Celebrity.objects.order_by("-pk").values_list("pk", flat=True)[:9]]
    Celebrity.objects.exclude(pk__in=last).unpublish()

    (found,) = find_lookalikes(query, k=12).neighbours
    assert people_of(found) == nearest_people(read_gallery(celebrity__in=last), query[0], 12)
    Celebrity.objects.all().unpublish()
    with pytest.raises(EmptyGallery):
        find_lookalikes(query, k=12)


def test_portraits_added_or_computed_anew_since_are_found(
    cast_vectors: dict[str, Vectors], real_engine: FaceEngine
) -> None:
    asked = cast_vectors["kenji-morishige"][2:]
    encoder = str(EncoderId.of(real_engine.encoder))
    make_ready(make_celebrity("Double", gender="female"), asked[0], encoder)
    moved = Portrait.objects.filter(celebrity__slug="amara-dioulasse")
    far = cast_vectors["lorcan-fitzmorrow"][0].astype("<f4").tobytes()
    moved.update(vector=far, embedded_at=timezone.now())

    (found,) = find_lookalikes(asked, k=2).neighbours
    assert names_of(found) == ["Double", "kenji-morishige"]
    assert names_of(find_lookalikes(asked, k=1, filters=Filters(gender="male")).neighbours[0]) != [
        "Double"
    ]
    assert names_of(
        find_lookalikes(asked, k=1, filters=Filters(gender="female")).neighbours[0]
    ) == ["Double"]
    (found,) = find_lookalikes(cast_vectors["lorcan-fitzmorrow"][:1], k=2).neighbours
    assert {*names_of(found)} == {"amara-dioulasse", "lorcan-fitzmorrow"}
    (found,) = find_lookalikes(cast_vectors["amara-dioulasse"][:1], k=1).neighbours
    assert names_of(found) != ["amara-dioulasse"]
