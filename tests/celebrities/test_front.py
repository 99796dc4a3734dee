"""What the first page keeps of the gallery, and until when."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from celebrities.front import read_front
from celebrities.models import Category, Celebrity, IndexBuild, Portrait
from celebrities.revision import change_revision, read_revision
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, unit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(
    valkey: str, fake_engine: FaceEngine, monkeypatch: pytest.MonkeyPatch
) -> list[Celebrity]:
    # Tests without a cache may have come before.
    monkeypatch.setattr("celebrities.revision._away_until", 0.0)
    return make_people([unit(1, number) for number in range(3)])


def test_it_works(
    people: list[Celebrity], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert read_front().people == 3

    with django_assert_num_queries(0):
        assert read_front().people == 3


def hide_one(person: Celebrity) -> None:
    Celebrity.objects.filter(pk=person.pk).unpublish()


def save_one(person: Celebrity) -> None:
    person.published = False
    person.save()


def write_sql(person: Celebrity) -> None:
    with connection.cursor() as cursor:
        cursor.execute('DELETE FROM "celebrities_portrait" WHERE celebrity_id = %s', [person.pk])


def reject_portraits(person: Celebrity) -> None:
    Portrait.objects.filter(celebrity=person).update(status=Portrait.Status.REJECTED)


def in_one_transaction(person: Celebrity) -> None:
    with transaction.atomic():
        hide_one(person)
        assert read_front().people == 2


@pytest.mark.parametrize(
    "change",
    [hide_one, save_one, write_sql, reject_portraits, Celebrity.delete, in_one_transaction],
)
def test_it_sees_every_change_at_once(people: list[Celebrity], change: object) -> None:
    read_front()
    change(people[0])  # type: ignore[operator]

    assert read_front().people == 2


def test_it_sees_categories_and_builds(people: list[Celebrity]) -> None:
    assert not read_front().categories
    people[0].categories.add(Category.objects.create(slug="baker", name="baker", plural="bakers"))
    assert [each.slug for each in read_front().categories] == ["baker"]

    before = read_revision()
    IndexBuild.objects.create(name="made", status=IndexBuild.Status.PUBLISHED)
    assert read_revision() != before


def test_what_no_page_shows_changes_nothing(people: list[Celebrity]) -> None:
    build = IndexBuild.objects.create(name="made", status=IndexBuild.Status.BUILDING)
    before = read_revision()
    Portrait.objects.update(seen=1)
    Portrait.objects.update(not_seen=1)
    Celebrity.objects.update(was_shown=True)
    IndexBuild.objects.filter(pk=build.pk).update(heartbeat_at=timezone.now(), step="measuring")
    IndexBuild.objects.filter(pk=build.pk).update(step="", share=0)

    assert read_revision() == before


def test_what_is_taken_back_changes_nothing(people: list[Celebrity]) -> None:
    before = read_revision()
    with transaction.atomic():
        hide_one(people[0])
        transaction.set_rollback(True)

    assert read_revision() == before
    assert read_front().people == 3


def test_it_reads_anew_while_the_cache_is_away(
    fake_engine: FaceEngine, valkey_away: None, settings: Settings
) -> None:
    [person] = make_people([unit(1)])
    assert read_front().people == 1
    change_revision()
    hide_one(person)

    assert read_front().people == 0
