"""What curators change is in the history and can be taken back (line 55), in bulk by jobs (lines
27 to 31)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from celebrities.desk import jobs
from celebrities.desk.history import Author
from celebrities.models import Celebrity, Change, DoNotImport, Job, Portrait
from celebrities.tasks import embed_portraits_task
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import (
    make_category,
    make_celebrity,
    make_people,
    make_photo,
    make_portrait,
    make_ready,
    unit,
)
from tests.celebrities.test_admin import PEOPLE, PORTRAITS, act, said, text
from tests.celebrities.test_desk_person import opened

pytestmark = pytest.mark.django_db

JOBS = "/admin/celebrities/job/"
BY = Change.Way.ACTION


def take_back(client: Client, change: Change) -> list[str]:
    fields = {"group": change.group, "next": PEOPLE}
    return said(client.post(f"{PEOPLE}take-back/", fields, follow=True))


def make_crowd(count: int, **fields: Any) -> list[int]:
    people = [
        Celebrity(name=f"P {number}", sort_key=f"p {number}", slug=f"p-{number}", **fields)
        for number in range(count)
    ]
    return [person.pk for person in Celebrity.objects.bulk_create(people)]


def test_55_a_form_is_in_the_history_with_before_and_after(
    admin_client: Client, admin_user: Any
) -> None:
    (person,) = make_people([unit(1)], birth_year=1969, categories=["actor"])
    singer = make_category("singer")
    fields = opened(admin_client, person) | {"birth_year": "1970", "categories": [singer.pk]}
    admin_client.post(f"{PEOPLE}{person.pk}/change/", fields)

    change = Change.objects.get()
    assert (change.user, change.way) == (admin_user, Change.Way.FORM)
    assert (change.before["birth_year"], change.after["birth_year"]) == (1969, 1970)
    html = text(admin_client, f"{PEOPLE}{person.pk}/history/")
    assert "birth year: 1969 → 1970" in html
    assert take_back(admin_client, change) == ["Taken back."]
    person.refresh_from_db()
    assert person.birth_year == 1969
    assert [each.slug for each in person.categories.all()] == ["actor"]
    assert "taken back" in text(admin_client, f"{PEOPLE}{person.pk}/history/")


def test_55_actions_are_in_the_history(admin_client: Client) -> None:
    people = make_people([unit(1), unit(0, 1)])
    act(admin_client, PEOPLE, "unpublish", *people)
    changes = list(Change.objects.all())
    assert [each.what for each in changes] == ["hidden"] * 2

    take_back(admin_client, changes[0])
    assert Celebrity.objects.published().count() == 2
    assert take_back(admin_client, changes[0]) == ["There is nothing to take back."]


def test_55_what_later_depends_on_is_not_taken_back(admin_client: Client) -> None:
    (person,) = make_people([unit(1)])
    act(admin_client, PEOPLE, "unpublish", person)
    change = Change.objects.get()
    act(admin_client, PEOPLE, "publish", person)

    assert "has been changed since" in take_back(admin_client, change)[0]
    person.refresh_from_db()
    assert person.published


def test_55_after_ninety_days_it_is_too_late(admin_client: Client) -> None:
    (person,) = make_people([unit(1)])
    act(admin_client, PEOPLE, "unpublish", person)
    Change.objects.update(created_at=timezone.now() - timedelta(days=91))

    assert "no longer" in take_back(admin_client, Change.objects.get())[0]


def test_55_portraits_added_and_deleted_are_in_the_persons_history(admin_client: Client) -> None:
    person = make_celebrity()
    portrait = make_ready(person, unit(1))
    act(admin_client, PORTRAITS, "delete_selected", portrait, post="yes")

    assert not Portrait.objects.exists()
    assert "portrait deleted" in text(admin_client, f"{PEOPLE}{person.pk}/history/")


def test_56_requires_the_right_to_take_back(client: Client, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    client.force_login(user)

    assert client.post(f"{PEOPLE}take-back/", {"group": "x"}).status_code == 403


def test_27_licence_and_author_are_set_for_many(admin_client: Client) -> None:
    person = make_celebrity()
    portraits = [make_ready(person, unit(1, number), author="Old") for number in range(3)]
    html = act(admin_client, PORTRAITS, "set_credits", *portraits).content.decode()
    assert "3 rows are chosen" in html
    act(admin_client, PORTRAITS, "set_credits", *portraits, post="yes", licence="CC0")

    assert set(Portrait.objects.values_list("licence", "author")) == {("CC0", "Old")}
    take_back(admin_client, Change.objects.all()[0])
    assert set(Portrait.objects.values_list("licence", flat=True)) == {""}


def test_27_people_are_put_into_a_category(admin_client: Client) -> None:
    people = make_people([unit(1), unit(0, 1)], categories=["actor"])
    singer = make_category("singer")
    act(admin_client, PEOPLE, "set_category", *people, post="yes", category=singer.pk)

    assert singer.celebrities.count() == 2
    assert people[0].categories.count() == 2


@pytest.mark.django_db(transaction=True)
def test_28_more_than_two_hundred_are_a_job(admin_client: Client, valkey: str) -> None:
    ids = make_crowd(450)
    fields = {"action": "unpublish", "_selected_action": ids[:1], "select_across": "1"}
    response = admin_client.post(PEOPLE, fields, follow=True)
    assert "A worker does this with 450 rows" in said(response)[0]
    job = Job.objects.get()
    assert (job.total, job.at, job.status) == (450, 0, "waiting")
    assert "0 of 450" in text(admin_client, f"{JOBS}{job.pk}/change/")

    while jobs.work_on_jobs():
        pass
    job.refresh_from_db()
    assert (job.at, job.failed, job.status) == (450, 0, "done")
    assert not Celebrity.objects.published().exists()
    assert "450 of 450" in text(admin_client, JOBS)
    assert "A worker does this" in take_back(admin_client, Change.objects.all()[0])[0]
    while jobs.work_on_jobs():
        pass
    assert Celebrity.objects.published().count() == 450


def test_28_a_job_is_stopped_and_what_is_done_stays(admin_client: Client) -> None:
    ids = make_crowd(250)
    job = Job.objects.create(kind="hide", ids=ids, total=250)
    jobs.work_on(jobs.next_job() or job)
    admin_client.post(f"{JOBS}{job.pk}/stop/")

    assert jobs.next_job() is None
    job.refresh_from_db()
    assert (job.at, job.status) == (50, "stopped")
    assert Celebrity.objects.published().count() == 200


def test_28_rows_that_fail_are_counted_and_the_others_go_on() -> None:
    ids = make_crowd(120)
    Job.objects.create(kind="credits", ids=ids, total=120, options={"values": {"nothing": 1}})
    make_ready(Celebrity.objects.get(pk=ids[0]), unit(1))
    ids_ = list(Portrait.objects.values_list("pk", flat=True))
    Job.objects.update(ids=ids_ * 120)
    while jobs.work_on_jobs():
        pass

    job = Job.objects.get()
    assert (job.at, job.failed, job.status) == (120, 120, "done")
    assert "nothing" in job.problem


def test_28_a_job_without_a_worker_is_found() -> None:
    job = Job.objects.create(kind="hide", ids=[1], total=1)
    assert jobs.has_lost_worker()
    Job.objects.update(heartbeat_at=timezone.now())
    assert not jobs.has_lost_worker()
    Job.objects.update(heartbeat_at=timezone.now() - 2 * jobs.SILENT)
    assert jobs.has_lost_worker()
    jobs.stop_job(job)
    assert not jobs.has_lost_worker()


def test_28_removals_come_first() -> None:
    for kind in ("recompute", "publish", "delete"):
        Job.objects.create(kind=kind, ids=[1], total=1)
    small = Job.objects.create(kind="hide", ids=[], total=0)

    assert jobs.next_job() == small
    jobs.stop_job(small)
    job = jobs.next_job()
    assert job is not None
    assert job.kind == "delete"


@pytest.mark.parametrize("action", ["delete_selected", "take_out"])
def test_30_asking_about_5000_is_a_small_page(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, action: str
) -> None:
    ids = make_crowd(5000)
    fields = {"action": action, "_selected_action": ids[:1], "select_across": "1"}
    with django_assert_max_num_queries(12):
        response = admin_client.post(PEOPLE, fields)

    assert len(response.content) < 50_000
    assert "5000 rows are chosen" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_30_taking_out_is_done_by_a_worker(admin_client: Client, valkey: str) -> None:
    ids = make_crowd(300)
    fields = {"action": "take_out", "_selected_action": ids[:1], "select_across": "1"}
    admin_client.post(PEOPLE, fields | {"post": "yes"})
    assert Celebrity.objects.count() == 300
    while jobs.work_on_jobs():
        pass

    assert not Celebrity.objects.exists()
    assert DoNotImport.objects.count() == 300


def test_the_same_change_twice_is_noted_once() -> None:
    make_people([unit(1)])
    by = Author(BY)
    jobs.start("hide", list(Celebrity.objects.values_list("pk", flat=True)), by)
    jobs.start("hide", list(Celebrity.objects.values_list("pk", flat=True)), by)

    assert Change.objects.count() == 1


def test_29_a_job_gives_the_worker_back_after_a_few_rows(
    valkey: str, fake_engine: FaceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a single new portrait, or a rebuild, waits for one part of it and no more."""
    monkeypatch.setattr(jobs, "SLICE_SECONDS", 0)
    people = [make_celebrity(f"Person {number:03d}") for number in range(30)]
    ids = [make_portrait(person, make_photo(n)).pk for n, person in enumerate(people)]
    job = jobs.begin_job("recompute", ids, Author(Change.Way.ACTION))

    assert jobs.work_on_jobs(), "there is more to do"
    job.refresh_from_db()
    assert job.at == jobs.KINDS["recompute"].chunk
    single = make_portrait(make_celebrity("New"), make_photo(99))
    embed_portraits_task([single.pk])
    single.refresh_from_db()
    assert single.status == "ready"
    while jobs.work_on_jobs():
        pass
    job.refresh_from_db()
    assert (job.status, job.failed) == ("done", 0)
