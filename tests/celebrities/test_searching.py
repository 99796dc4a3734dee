"""Finding look-alikes while the gallery changes beside its index."""

from __future__ import annotations

import time
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from celebrities.errors import EmptyGallery, NoIndex
from celebrities.filters import Filters
from celebrities.index.changes import read_changes
from celebrities.index.rebuild import rebuild_index
from celebrities.index.search import find_lookalikes, open_current
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike.faces.errors import BadVector
from lookalike.faces.index import Method
from lookalike.faces.pipeline import FaceEngine
from lookalike.faces.types import Vector
from tests.celebrities.factories import make_celebrity, make_people, make_ready, unit

pytestmark = pytest.mark.django_db

ASKED = unit(1)


@pytest.fixture
def people(fake_engine: FaceEngine) -> list[Celebrity]:
    """Six people, each farther from ASKED than the one before, indexed long ago."""
    made = make_people([unit(1, number / 5) for number in range(6)])
    rebuild_index()
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Celebrity.objects.update(updated_at=an_hour_ago)
    Portrait.objects.update(embedded_at=an_hour_ago)
    IndexBuild.objects.update(started_at=timezone.now() - timedelta(minutes=30))
    return made


def found(
    k: int = 3, vector: Vector = ASKED, among: Filters | None = None, *, exact: bool = False
) -> list[str]:
    (one,) = find_lookalikes(
        [vector], k=k, filters=among or Filters(), method=Method.EXACT if exact else None
    ).neighbours
    assert [near.distance for near in one] == sorted(near.distance for near in one)
    names = dict(Celebrity.objects.values_list("pk", "name"))
    return [names[near.celebrity_id] for near in one]


def test_it_works(people: list[Celebrity]) -> None:
    near = find_lookalikes(np.stack([ASKED, unit(0, 1)]), k=2).neighbours

    assert [[each.celebrity_id for each in one] for one in near] == [
        [people[0].pk, people[1].pk],
        [people[5].pk, people[4].pk],
    ]
    assert near[0][0].portrait_id == Portrait.objects.get(celebrity=people[0]).pk
    assert near[0][0].distance == pytest.approx(0, abs=1e-6)


def test_the_exact_search_finds_the_same(people: list[Celebrity]) -> None:
    assert found(exact=True) == found() == ["Person 00", "Person 01", "Person 02"]


def test_it_says_what_it_did(people: list[Celebrity]) -> None:
    started = time.perf_counter()
    result = find_lookalikes([ASKED], k=2)
    all_ms = (time.perf_counter() - started) * 1000

    assert result.build == IndexBuild.objects.get()
    assert result.method is Method.EXACT
    assert result.compared_with == 6
    assert 0 < result.ms < all_ms
    assert find_lookalikes([ASKED], k=2, method=Method.APPROXIMATE).method is Method.APPROXIMATE


def test_it_names_the_build_that_was_searched(
    people: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = IndexBuild.objects.get()

    def publish_another(*args: object) -> object:
        rebuild_index()
        return read_changes(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("celebrities.index.search.read_changes", publish_another)
    assert find_lookalikes([ASKED], k=2).build == before
    assert IndexBuild.objects.current() != before


def test_an_ordinary_search_needs_three_statements_and_one_for_filters(
    people: list[Celebrity], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Celebrity.objects.filter(pk=people[1].pk).update(gender="female")
    find_lookalikes([ASKED], k=3)
    with django_assert_num_queries(3):
        find_lookalikes([ASKED, unit(0, 1)], k=3)
    with django_assert_num_queries(4):
        find_lookalikes([ASKED], k=3, filters=Filters(gender="female"))


def test_what_was_learned_of_changes_is_kept(
    people: list[Celebrity], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people[0].delete()
    Celebrity.objects.filter(pk=people[2].pk).unpublish()
    make_ready(make_celebrity("New"), unit(1, 0.1))
    assert found() == ["New", "Person 01", "Person 03"]

    with django_assert_num_queries(3):
        result = find_lookalikes([ASKED], k=3)
    assert result.compared_with == 5


def test_many_deleted_since_never_shorten_a_result(fake_engine: FaceEngine) -> None:
    made = make_people([unit(1, number / 50) for number in range(60)])
    rebuild_index()
    Celebrity.objects.filter(pk__in=[person.pk for person in made[:55]]).delete()

    assert found(9) == [f"Person {number}" for number in range(55, 60)]


def test_rejects_a_vector_of_another_length(people: list[Celebrity]) -> None:
    with pytest.raises(BadVector):
        find_lookalikes([unit(1, dimensions=3)], k=1)


def test_a_new_portrait_unpublished_or_deleted_again_is_not_found(
    people: list[Celebrity],
) -> None:
    hidden, gone = make_celebrity("Hidden"), make_celebrity("Gone")
    make_ready(hidden, unit(1, 0.01))
    make_ready(gone, unit(1, 0.02))
    assert found() == ["Person 00", "Hidden", "Gone"]
    Celebrity.objects.filter(pk=hidden.pk).unpublish()
    assert found() == ["Person 00", "Gone", "Person 01"]
    gone.delete()

    assert found() == ["Person 00", "Person 01", "Person 02"]


def test_a_portrait_committed_while_the_build_read_is_found(people: list[Celebrity]) -> None:
    started = IndexBuild.objects.get().started_at
    late = make_ready(make_celebrity("Late"), ASKED, embedded_at=started - timedelta(seconds=5))
    Celebrity.objects.update(updated_at=timezone.now() - timedelta(hours=1))

    (near,) = find_lookalikes([ASKED], k=2).neighbours
    assert late.pk in {each.portrait_id for each in near}


def test_portraits_that_the_build_holds_are_not_read_beside_it(fake_engine: FaceEngine) -> None:
    made = make_people([unit(1, number) for number in range(5)])
    rebuild_index()
    build, index = open_current()
    assert len(read_changes(build, index).added) == 0

    make_ready(made[0], unit(0, 0, 1))
    assert len(read_changes(build, index).added) == 1


def test_people_unpublished_since_are_skipped_without_shortening_the_result(
    people: list[Celebrity],
) -> None:
    Celebrity.objects.filter(pk__in=[people[0].pk, people[2].pk]).unpublish()

    assert found() == ["Person 01", "Person 03", "Person 04"]


def test_people_deleted_since_are_skipped_without_shortening_the_result(
    people: list[Celebrity],
) -> None:
    people[0].delete()
    Portrait.objects.filter(celebrity=people[1]).delete()

    assert found() == ["Person 02", "Person 03", "Person 04"]


def test_portraits_added_since_are_found_exactly(people: list[Celebrity]) -> None:
    make_ready(make_celebrity("New"), unit(1, 0.1))
    better = make_ready(people[5], unit(1, 0.01))

    (near,) = find_lookalikes([unit(1, 0.03)], k=4).neighbours
    names = [Celebrity.objects.get(pk=each.celebrity_id).name for each in near]
    assert names == ["Person 05", "Person 00", "New", "Person 01"]
    assert near[0].portrait_id == better.pk


def test_a_person_published_since_is_found_by_portraits_computed_long_ago(
    people: list[Celebrity],
) -> None:
    late = make_celebrity("Late", published=False)
    make_ready(late, unit(1, 0.01), embedded_at=timezone.now() - timedelta(days=1))
    Celebrity.objects.filter(pk=late.pk).update(updated_at=timezone.now() - timedelta(days=1))
    assert "Late" not in found()
    Celebrity.objects.filter(pk=late.pk).publish()

    assert found(2) == ["Person 00", "Late"]


def test_a_portrait_computed_anew_counts_by_its_new_vector(people: list[Celebrity]) -> None:
    Portrait.objects.filter(celebrity=people[0]).update(
        vector=unit(0, 0, 1).astype("<f4").tobytes(), embedded_at=timezone.now()
    )

    assert found(2) == ["Person 01", "Person 02"]
    assert found(1, unit(0, 0, 1)) == ["Person 00"]


def test_a_portrait_that_fails_now_is_skipped(people: list[Celebrity]) -> None:
    Portrait.objects.filter(celebrity=people[0]).update(status=Portrait.Status.PENDING)

    assert found(1) == ["Person 01"]


def test_portraits_of_another_encoder_are_never_compared(people: list[Celebrity]) -> None:
    make_ready(make_celebrity("Foreign"), ASKED, encoder="other/1")

    assert found(1) == ["Person 00"]


def test_one_can_look_among_some(people: list[Celebrity]) -> None:
    actors = Celebrity.objects.filter(name__in=["Person 02", "Person 05"])
    for person in actors:
        person.categories.create(slug=f"c{person.pk}", name="x", plural="x")
    category = people[2].categories.get()
    people[5].categories.add(category)
    Celebrity.objects.filter(pk__in=[people[1].pk, people[2].pk]).update(gender="female")
    Celebrity.objects.filter(pk=people[1].pk).update(death_year=1990)

    assert found(among=Filters(category=category.slug)) == ["Person 02", "Person 05"]
    assert found(among=Filters(gender="female")) == ["Person 01", "Person 02"]
    assert found(among=Filters(gender="female", living_only=True)) == ["Person 02"]
    assert found(among=Filters(category="nobody")) == []
    assert Filters().count() == 6
    assert Filters(category.slug, "female").count() == 1
    assert Filters(living_only=True).count() == 5


def test_people_added_since_are_filtered_too(people: list[Celebrity]) -> None:
    make_ready(make_celebrity("She", gender="female"), unit(1, 0.01))
    make_ready(make_celebrity("He", gender="male"), unit(1, 0.02))

    assert found(among=Filters(gender="female")) == ["She"]


def test_requires_a_gallery_and_an_index(fake_engine: FaceEngine) -> None:
    with pytest.raises(EmptyGallery):
        found()
    make_people([ASKED])
    with pytest.raises(NoIndex):
        found()


def test_a_gallery_emptied_since_the_build_is_empty(people: list[Celebrity]) -> None:
    Celebrity.objects.all().unpublish()

    with pytest.raises(EmptyGallery):
        found()


def test_a_newer_build_is_taken_without_a_restart(people: list[Celebrity]) -> None:
    assert found(1) == ["Person 00"]
    people[0].delete()
    rebuild_index()

    assert found(1) == ["Person 01"]


def test_a_person_published_again_is_found_again(people: list[Celebrity]) -> None:
    Celebrity.objects.filter(pk=people[0].pk).unpublish()
    assert found(1) == ["Person 01"]
    Celebrity.objects.filter(pk=people[0].pk).publish()

    assert found(1) == ["Person 00"]


def test_it_says_the_method_that_was_used_not_the_one_asked_for(people: list[Celebrity]) -> None:
    Celebrity.objects.filter(pk=people[1].pk).update(gender="female")

    asked = Method.APPROXIMATE
    assert find_lookalikes([ASKED], k=1, method=asked).method == "approximate"
    some = find_lookalikes([ASKED], k=1, method=asked, filters=Filters(gender="female"))
    assert some.method == "exact"
