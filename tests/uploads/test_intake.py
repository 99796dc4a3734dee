"""From a photo and the choices to a row, a file and a task, or to none of them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django import forms
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.datastructures import MultiValueDict
from pytest_django import Settings

from celebrities.filters import Filters
from celebrities.models import Celebrity, CelebrityQuerySet
from lookalike.celery import LEVELS, app
from lookalike.queue import QueueAway
from tests.live import Site
from tests.uploads.factories import cast_photo, fill_form
from uploads.forms import UploadForm
from uploads.intake import Choices, accept_upload
from uploads.limits import QueueFull, TooManyUploads
from uploads.matching import match_upload
from uploads.models import Upload
from uploads.storage import list_files, list_folders, read_file
from uploads.sweeping import sweep_uploads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_media")]


def accept(
    choices: Choices | None = None, owner: UUID | None = None, sender: str = "", seconds: float = 0
) -> Upload:
    return accept_upload(
        ContentFile(cast_photo()),
        choices or Choices(),
        consent_language="en",
        owner=owner or uuid4(),
        sender=sender,
        seconds=seconds,
        language="ru",
    )


def queued(socket: str) -> list[tuple[str, list[Any]]]:
    """Names and arguments of the tasks in the queue."""
    with redis.Redis(unix_socket_path=socket) as server:
        # In the order in which workers take them.
        names = ["match", *(f"match\x06\x16{level}" for level in LEVELS[1:])]
        messages = [json.loads(text) for name in names for text in server.lrange(name, 0, -1)[::-1]]
    return [
        (message["headers"]["task"], json.loads(base64.b64decode(message["body"]))[0])
        for message in messages
    ]


def test_it_works(valkey: str, gallery: list[Celebrity]) -> None:
    Celebrity.objects.filter(pk=gallery[0].pk).update(gender="female")
    owner = uuid4()
    upload = accept(Choices(k=9, filters=Filters(gender="female"), exhaustive=True), owner)

    row = Upload.objects.get()
    assert row.pk == upload.pk
    assert (row.owner, row.language, row.consent.language) == (owner, "ru", "en")
    assert (row.k, row.exhaustive, row.compared_with) == (9, True, 1)
    assert Filters.from_json(row.filters) == Filters(gender="female")
    assert read_file(row.received.name) == cast_photo()


def test_it_queues_a_known_task_once(valkey: str) -> None:
    upload = accept()

    assert queued(valkey) == [("uploads.tasks.match_upload_task", [str(upload.pk)])]
    app.loader.import_default_modules()
    assert "uploads.tasks.match_upload_task" in app.tasks


def test_it_queues_when_the_caller_s_transaction_commits(valkey: str) -> None:
    with transaction.atomic():
        upload = accept()
        assert queued(valkey) == []

    assert queued(valkey) == [("uploads.tasks.match_upload_task", [str(upload.pk)])]


def test_it_queues_nothing_if_the_caller_s_transaction_rolls_back(valkey: str) -> None:
    with transaction.atomic():
        accept()
        transaction.set_rollback(True)

    assert queued(valkey) == []
    assert not Upload.objects.exists()


def test_the_caller_s_commit_says_that_the_queue_is_away(
    valkey_server: Site, valkey: str, settings: Settings
) -> None:
    """The row is committed by then, so that sweeping queues it later."""
    valkey_server.stop("valkey")
    try:
        with pytest.raises(QueueAway), transaction.atomic():
            upload = accept()
    finally:
        valkey_server.start("valkey")
    settings.REQUEUE_AFTER = 0

    assert sweep_uploads() == 1
    assert queued(valkey) == [("uploads.tasks.match_upload_task", [str(upload.pk)])]
    assert read_file(upload.received.name) == cast_photo()


def test_it_keeps_nothing_when_the_queue_is_away(valkey_away: None) -> None:
    owner = uuid4()
    with pytest.raises(QueueAway):
        accept(owner=owner)

    assert not Upload.objects.exists()
    assert kept_files() == []


def test_it_keeps_nothing_when_the_row_cannot_be_saved(
    valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(language: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("uploads.intake.record_consent", fail)
    with pytest.raises(ZeroDivisionError):
        accept()

    assert queued(valkey) == []
    assert kept_files() == []


def order_of(socket: str) -> list[str]:
    """The ids of the uploads in the order in which workers take them."""
    return [arguments[0] for _task, arguments in queued(socket)]


def test_05_the_second_photo_of_one_sender_comes_after_the_first_of_everybody(
    valkey: str,
) -> None:
    flood = [accept(sender="a") for _ in range(6)]
    honest = [accept(sender="b"), accept(sender="c")]

    expected = [flood[0], *honest, *flood[1:]]
    assert order_of(valkey) == [str(upload.pk) for upload in expected]
    assert [upload.turn for upload in flood] == [0, 1, 2, 3, 4, 5]


def test_one_visitor_of_many_addresses_is_one_sender(valkey: str) -> None:
    owner = uuid4()
    flood = [accept(owner=owner, sender=str(number)) for number in range(12)]

    assert [upload.turn for upload in flood] == [*range(10), 9, 9]


def test_what_is_finished_holds_nobody_back(valkey: str, gallery: list[Celebrity]) -> None:
    first = accept(sender="a")
    match_upload(first.pk)
    first.refresh_from_db()

    assert (first.status, first.sender) == (Upload.Status.DONE, "")
    assert accept(sender="a").turn == 0


def test_an_expensive_photo_comes_after_cheap_ones(valkey: str) -> None:
    expensive, cheap = accept(seconds=1.2), accept(seconds=0.9)

    assert order_of(valkey) == [str(cheap.pk), str(expensive.pk)]


def test_a_swept_photo_has_waited_for_its_turn(valkey: str, settings: Settings) -> None:
    first, second = accept(sender="a", seconds=3), accept(sender="a")
    settings.REQUEUE_AFTER = 0
    sweep_uploads()

    turns = [Upload.objects.get(pk=upload.pk).turn for upload in (first, second)]
    assert turns == [0, 1]


def test_one_sender_holds_at_most_a_share_of_the_queue(valkey: str, settings: Settings) -> None:
    settings.MAX_QUEUE = 8
    accept(sender="a")
    accept(sender="a")
    with pytest.raises(TooManyUploads):
        accept(sender="a")

    assert accept(sender="b").turn == 0


def test_it_rejects_a_photo_when_too_many_wait(valkey: str, settings: Settings) -> None:
    settings.MAX_QUEUE = 1
    accept()
    with pytest.raises(QueueFull):
        accept()

    assert Upload.objects.count() == len(queued(valkey)) == 1


@dataclass(frozen=True, slots=True)
class WithLetter(Filters):
    """One more filter: the first edit is its field ..."""

    letter: str = ""

    def apply(self, people: CelebrityQuerySet) -> CelebrityQuerySet:
        """... the second what it lets through ..."""
        people = Filters.apply(self, people)
        return people.filter(name__startswith=self.letter) if self.letter else people


class FormWithLetter(UploadForm):
    """... and the third its field in the form."""

    letter = forms.CharField(required=False)


def test_a_new_filter_takes_three_edits(
    valkey: str, gallery: list[Celebrity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uploads.forms.Filters", WithLetter)
    monkeypatch.setattr("uploads.matching.Filters", WithLetter)
    sent = fill_form(letter="K")
    photo = sent.pop("photo")
    form = FormWithLetter(sent, MultiValueDict({"photo": [photo]}))
    assert form.is_valid(), form.errors
    upload = accept(form.get_choices())
    match_upload(upload.pk)

    assert "letter" in [field.name for field in form.choice_fields]
    assert Upload.objects.get().compared_with == 1
    [match] = upload.faces.get().matches.all()
    assert match.celebrity.name == "Kenji Morishige"


def kept_files() -> list[str]:
    return [name for folder in list_folders() for name in list_files(folder)]
