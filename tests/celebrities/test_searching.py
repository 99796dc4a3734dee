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
from celebrities.gallery import confirm_portraits, delete_portraits, note_change
from celebrities.index.builds import load_cohort
from celebrities.index.changes import read_changes
from celebrities.index.rebuild import rebuild_index
from celebrities.index.search import find_lookalikes, open_current
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike.faces.errors import BadVector
from lookalike.faces.index import Method, Query
from lookalike.faces.people import Portraits, average, make_rows
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
    numbers = [near.similarity for near in one]
    assert numbers == sorted(numbers, reverse=True)
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


def test_people_whom_the_build_holds_are_not_read_beside_it(fake_engine: FaceEngine) -> None:
    made = make_people([unit(1, number) for number in range(5)])
    rebuild_index()
    build, index = open_current()
    assert len(read_changes(build, index).added) == 0

    make_ready(made[0], unit(0, 0, 1))
    assert read_changes(build, index).added.ids.tolist() == [made[0].pk]


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


def test_people_added_since_are_found(people: list[Celebrity]) -> None:
    make_ready(make_celebrity("New"), unit(1, 0.1))

    assert found(4) == ["Person 00", "New", "Person 01", "Person 02"]


# A person's portraits


def test_the_portrait_most_like_the_face_is_shown(fake_engine: FaceEngine) -> None:
    person = make_celebrity("Janus")
    left, right = make_ready(person, unit(1, 0.5)), make_ready(person, unit(1, -0.5))
    rebuild_index()

    near = find_lookalikes([unit(1, 0.4), unit(1, -0.4)], k=1).neighbours
    assert [one[0].portrait_id for one in near] == [left.pk, right.pk]
    assert near[0][0].distance == pytest.approx(np.linalg.norm(unit(1, 0.4) - unit(1, 0.5)))


def test_a_person_counts_by_the_mean_of_their_portraits(people: list[Celebrity]) -> None:
    """Half of them are far away, so they come after people of middling likeness."""
    make_ready(people[0], unit(-1, 0.1))
    assert found(3) == ["Person 01", "Person 02", "Person 03"]
    rebuild_index()
    assert found(3) == ["Person 01", "Person 02", "Person 03"]


def score_of(person: Celebrity) -> float:
    build, index = open_current()
    changes = read_changes(build, index)
    query = Query(ASKED[None], 9, hidden=changes.hidden, added=changes.added)
    [answer] = index.search(query).found
    return float(answer.scores[answer.ids.tolist().index(person.pk)])


def test_a_changed_person_scores_as_after_a_build_with_the_same_cohort(
    people: list[Celebrity],
) -> None:
    build = IndexBuild.objects.get()
    portrait = make_ready(people[2], unit(1, 0.9))
    beside = score_of(people[2])
    cohort = load_cohort(build, 16)
    own = np.stack([unit(1, 2 / 5), unit(1, 0.9)])
    portraits = Portraits(own, np.array([1, portrait.pk]), np.array([people[2].pk] * 2))
    row = make_rows(average(portraits), cohort)

    assert beside == pytest.approx(float((row.rows @ ASKED + row.bias)[0]), abs=1e-5)


@pytest.fixture
def janus(people: list[Celebrity]) -> Celebrity:
    """A seventh person with a portrait that is like ASKED and one that is not, in the build."""
    person = make_celebrity("Janus")
    make_ready(person, unit(1, 0.05))
    make_ready(person, unit(-1, 0.1))
    rebuild_index()
    assert found(1) == ["Person 00"]
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Celebrity.objects.update(updated_at=an_hour_ago)
    Portrait.objects.update(embedded_at=an_hour_ago)
    return person


def test_a_portrait_deleted_since_no_longer_counts(janus: Celebrity) -> None:
    before = found(7).index("Janus")
    delete_portraits(janus.portraits.filter(vector=unit(-1, 0.1).astype("<f4").tobytes()))

    assert before > found(7).index("Janus") == 1


def test_a_portrait_moved_since_counts_for_its_new_person(janus: Celebrity) -> None:
    other = Celebrity.objects.get(name="Person 03")
    moved = janus.portraits.get(vector=unit(1, 0.05).astype("<f4").tobytes())
    Portrait.objects.filter(pk=moved.pk).update(celebrity=other)
    note_change([other.pk, janus.pk])

    assert found(7)[-1] == "Janus"
    (near,) = find_lookalikes([ASKED], k=7).neighbours
    shown = {each.celebrity_id: each.portrait_id for each in near}
    assert shown[other.pk] == moved.pk


def test_a_change_without_a_trace_is_noticed_when_the_person_is_found(janus: Celebrity) -> None:
    janus.portraits.filter(vector=unit(-1, 0.1).astype("<f4").tobytes()).delete()

    assert found(7).index("Janus") == 1
    assert found(2) == ["Person 00", "Janus"]


def test_a_portrait_that_a_build_flagged_is_left_out_until_it_is_confirmed(
    janus: Celebrity,
) -> None:
    wrong = janus.portraits.filter(vector=unit(-1, 0.1).astype("<f4").tobytes())
    wrong.update(flag=Portrait.Flag.ODD)
    assert found(7).index("Janus") == 1
    confirm_portraits(wrong)

    assert found(7).index("Janus") > 1


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
