"""Long work lets others write between its transactions (line 31). How long each takes is measured
by the part "desk" of the benchmarks."""

from __future__ import annotations

import pytest
from django.db import connection

from celebrities.desk import jobs
from celebrities.index import resemblances
from celebrities.index.rebuild import rebuild_index
from celebrities.models import Celebrity, Change, Job, Resemblance
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, unit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows there at each pause, none of which is inside a transaction."""
    seen: list[int] = []

    def pause() -> None:
        assert not connection.in_atomic_block
        seen.append(Resemblance.objects.count() or Change.objects.count())

    monkeypatch.setattr(resemblances, "let_others_write", pause)
    monkeypatch.setattr(jobs, "let_others_write", pause)
    return seen


def test_31_look_alikes_are_replaced_for_a_few_people_at_a_time(
    fake_engine: FaceEngine, pauses: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resemblances, "AT_ONCE", 2)
    make_people([unit(1, number / 10) for number in range(5)])
    resemblances.store_resemblances(rebuild_index())
    assert pauses == [2 * 4, 4 * 4]
    assert Resemblance.objects.count() == 5 * 4


def test_31_a_job_pauses_between_its_parts(pauses: list[int]) -> None:
    people = [Celebrity(name=f"P {number}", slug=f"p-{number}") for number in range(250)]
    ids = [person.pk for person in Celebrity.objects.bulk_create(people)]
    job = Job.objects.create(kind="hide", ids=ids, total=len(ids))
    while jobs.work_on_jobs():
        pass
    assert pauses == [50, 100, 150, 200]
    job.refresh_from_db()
    assert (job.at, job.failed, job.status) == (250, 0, Job.Status.DONE)
