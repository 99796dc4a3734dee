"""The gallery's portraits read as people, and the sample that builds measure them by."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from celebrities.errors import NoIndex
from celebrities.index import rows
from celebrities.index.builds import load_cohort
from celebrities.index.cleaning import remove_old_builds
from celebrities.index.rebuild import rebuild_index
from celebrities.index.rows import read_people, read_portraits, read_sample
from celebrities.index.search import find_lookalikes
from celebrities.models import BuildCohort, Celebrity, Portrait
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_celebrity, make_people, make_ready, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(fake_engine: FaceEngine) -> list[Celebrity]:
    made = make_people([unit(1, number) for number in range(5)])
    make_ready(made[0], unit(0, 0, 1))
    return made


def test_it_works(people: list[Celebrity]) -> None:
    read = read_people(Portrait.objects.searchable("fake/1"), 16)
    own = people[0].portraits.order_by("pk")

    assert read.ids.tolist() == [person.pk for person in people]
    assert (read.portraits, read.checksums[0]) == (6, own[0].pk + own[1].pk)
    np.testing.assert_allclose(read.means[0], (unit(1) + unit(0, 0, 1)) / 2, atol=1e-6)


def test_chunks_give_the_same_with_a_statement_each(
    people: list[Celebrity],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    whole = read_people(Portrait.objects.all(), 16)
    monkeypatch.setattr(rows, "CHUNK", 2)
    told: list[float] = []
    with django_assert_num_queries(4):
        parts = read_people(Portrait.objects.all(), 16, lambda step, share: told.append(share))

    np.testing.assert_array_equal(parts.means, whole.means)
    assert told == [0.0, 0.4, 0.8]


def test_vectors_of_another_length_are_left_out(people: list[Celebrity]) -> None:
    make_ready(people[1], unit(1, dimensions=3))
    portraits = read_portraits(Portrait.objects.all(), [people[1].pk], 16)

    assert portraits.people.tolist() == [people[1].pk]


def test_some_peoples_portraits_are_found_without_reading_everybodys(
    people: list[Celebrity],
) -> None:
    with CaptureQueriesContext(connection) as queries:
        read_portraits(Portrait.objects.searchable("fake/1"), [people[0].pk, people[1].pk], 16)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}")
        plan = str(cursor.fetchall())

    assert "(celebrity_id=? AND status=?)" in plan


def test_handles_an_empty_gallery(fake_engine: FaceEngine) -> None:
    assert len(read_people(Portrait.objects.all(), 16).ids) == 0
    assert len(read_sample(Portrait.objects.all(), 16)) == 0


# The sample


def test_fictional_people_are_no_measure_of_others(people: list[Celebrity]) -> None:
    real = rebuild_index()
    make_people([unit(-1, number) for number in range(50)], is_fictional=True)
    mixed = rebuild_index()

    assert mixed.people == 55
    assert load_cohort(mixed, 16).to_bytes() == load_cohort(real, 16).to_bytes()
    assert mixed.facts is not None
    assert real.facts is not None
    assert mixed.facts.calibration.scale == real.facts.calibration.scale


def test_fictional_people_alone_are_scored_by_built_in_values(fake_engine: FaceEngine) -> None:
    """Those of an unknown encoder: the plain mean similarity, 75 % of which is 100."""
    person = make_celebrity(is_fictional=True)
    make_ready(person, unit(1))
    make_ready(person, unit(1, 1))
    rebuild_index()

    [[near]] = find_lookalikes([unit(0, 1)], k=1).neighbours
    assert near.similarity == pytest.approx(100 * (0.5**0.5 / 2) / 0.75, abs=1e-3)


def test_a_large_gallery_is_sampled(
    people: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_PORTRAITS", 3)
    sample = read_sample(Portrait.objects.all(), 16)
    again = read_sample(Portrait.objects.all(), 16)

    assert len(set(sample.people.tolist())) == 3
    assert sample.ids.tolist() == again.ids.tolist()


def test_vectors_of_a_superseded_build_go_with_its_files(people: list[Celebrity]) -> None:
    rebuild_index()
    newest = rebuild_index()
    assert BuildCohort.objects.count() == 2
    remove_old_builds(at_once=True)

    assert BuildCohort.objects.get().build == newest


def test_people_who_changed_require_the_cohort_of_the_build(people: list[Celebrity]) -> None:
    rebuild_index()
    BuildCohort.objects.all().delete()
    assert find_lookalikes([unit(1)], k=1).compared_with == 5

    make_ready(people[1], unit(0, 1))
    with pytest.raises(NoIndex, match=r"has lost its cohort. Rebuild the index"):
        find_lookalikes([unit(1)], k=1)
