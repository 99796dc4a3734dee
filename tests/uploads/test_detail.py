"""GET /u/<id>/ and /u/<id>/status/: waiting, the result, or the reason why there is none."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries, Settings

from celebrities.models import Celebrity
from lookalike.processes import heartbeat
from tests.conftest import LANGUAGES
from tests.uploads.factories import as_owner, body_of, make_match, make_result, make_upload
from tests.uploads.test_failures import FAILURES
from uploads.failures import describe_failure
from uploads.models import Match, Upload
from uploads.results import Place
from uploads.storage import list_files

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def heartbeat_of_two(settings: Settings, valkey: str) -> Iterator[None]:
    """A worker with two processes has just reported."""
    settings.WORKERS = 2
    heartbeat.beat()
    yield
    cache.delete(heartbeat.KEY)


def test_it_works(client: Client, owner: uuid.UUID, gallery: list[Celebrity]) -> None:
    upload = make_result(gallery, owner=owner)
    response = client.get(f"/u/{upload.pk}/")

    assert response.status_code == 200
    page = response.content.decode()
    for person in gallery:
        assert person.name in page
    assert f"/u/{upload.pk}/photo.jpg" in page
    assert f"/u/{upload.pk}/delete/" in page


def test_it_tells_what_is_happening(client: Client, owner: uuid.UUID, valkey: str) -> None:
    make_upload()
    upload = make_upload(owner=owner, compared_with=48)
    response = client.get(f"/u/{upload.pk}/")

    assert response.context["place"] == 2
    assert "Comparing with 48 people" in " ".join(response.content.decode().split())
    assert response.context["worker_away"] is True
    assert f'hx-get="/u/{upload.pk}/status/"' in response.content.decode()


def test_it_places_boxes_in_percent(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    face = client.get(make_result(gallery, owner=owner).get_absolute_url()).context["faces"][0]

    assert face.place == Place(left=25, top=25, width=50, height=50)


def test_it_cuts_boxes_at_the_edges(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    upload = make_result(gallery, owner=owner)
    upload.faces.update(box=[-30, -40, 330, 440])
    face = client.get(upload.get_absolute_url()).context["faces"][0]

    assert face.place == Place(left=0, top=0, width=100, height=100)


def test_it_says_when_nobody_is_alike(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    upload = make_result(gallery, owner=owner, compared_with=261)
    upload.faces.get().matches.update(similarity=-7.4)
    page = " ".join(client.get(upload.get_absolute_url()).content.decode().split())

    assert "None of the 261 people in the gallery looks much like this face." in page
    assert "the closest of 261 people, but not much alike" in page
    assert "Another photo may do better" in page
    places = re.findall(r'likeness-number"><strong>(\d+)</strong></span> <span', page)
    assert sorted(set(places)) == ["1", "2", "3", "4"]
    for number in ("of 100", ">-7", "<strong>0</strong>", "a slight"):
        assert number not in page
    assert "What the score means" not in page
    assert "share.png" not in page
    assert 'name="link"' not in page


def test_it_says_first_what_is_true_then_how_unusual_then_the_number(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    upload = make_result(gallery, owner=owner, compared_with=261, usual_best=62.0)
    upload.faces.get().matches.filter(rank=1).update(percentile=78.4)
    page = read_text(client, upload)
    page = page[page.index("best-words") :]

    said = ("Of 261 people, you look most like", gallery[0].name, "best match of 7 in 10 people")
    places = [page.index(each) for each in (*said, "of 100", "usual best match", "photo.jpg")]
    assert places == sorted(places)
    assert 'x="62.0%"' in page
    assert page.count("closer than the best match") == 1


@pytest.mark.parametrize(
    ("percentile", "rarity"),
    [
        (None, None),
        (1, None),
        (29.9, None),
        (30, (3, 10)),
        (94.9, (9, 10)),
        (95, (19, 20)),
        (99, (99, 100)),
    ],
)
def test_it_never_says_more_than_was_measured(
    percentile: float | None, rarity: tuple[int, int] | None
) -> None:
    assert Match(percentile=percentile).rarity == rarity


def test_it_says_when_the_photo_is_next(client: Client, owner: uuid.UUID, valkey: str) -> None:
    page = read_text(client, make_upload(owner=owner))

    assert "You’re next." in page


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (1, "1 photo ahead, about 5 seconds"),
        (12, "12 photos ahead, about 15 seconds"),
        (180, "180 photos ahead, about 3 minutes"),
    ],
)
def test_it_says_how_many_are_ahead_and_how_long(
    client: Client, owner: uuid.UUID, valkey: str, settings: Settings, ahead: int, words: str
) -> None:
    settings.WORKERS = 1
    Upload.objects.bulk_create(
        Upload(owner=one.owner, language="en", consent=one.consent)
        for one in [make_upload()]
        for _ in range(ahead - 1)
    )

    assert words in read_text(client, make_upload(owner=owner))


def test_it_shows_the_photo_after_the_answer(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    page = read_text(client, make_result(gallery, owner=owner))

    assert page.index('class="best"') < page.index("photo.jpg") < page.index("Delete now")


def test_it_offers_to_share_whoever_is_alike(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    page = client.get(make_result(gallery, owner=owner).get_absolute_url()).content.decode()

    assert "share.png" in page
    assert 'name="link"' in page
    assert "but not much alike" not in page
    assert "What the score means" in page


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "the comparison is weak"), ("ru", "поэтому сравнение ненадёжно")],
)
def test_it_says_when_a_face_says_little(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity], language: str, words: str
) -> None:
    upload = make_result(gallery, owner=owner)
    headers = {"Accept-Language": language}
    assert words not in client.get(upload.get_absolute_url(), headers=headers).content.decode()

    upload.faces.update(is_weak=True)
    assert words in client.get(upload.get_absolute_url(), headers=headers).content.decode()


def test_a_result_takes_few_queries(
    client: Client,
    owner: uuid.UUID,
    gallery: list[Celebrity],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    upload = make_result(gallery, owner=owner)
    with django_assert_max_num_queries(6):
        client.get(upload.get_absolute_url())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", FAILURES)
def test_it_says_why_there_is_no_result(
    client: Client, owner: uuid.UUID, reason: str, language: str
) -> None:
    upload = make_upload(owner=owner, status=Upload.Status.FAILED, failure=reason, detail="PDF")
    response = client.get(f"/u/{upload.pk}/", headers={"Accept-Language": language})
    with translation.override(language):
        words = describe_failure(reason, "PDF")

    page = response.content.decode()
    assert f'<h1 id="failure-title">{words.title}</h1>' in page
    assert f'<p class="lede">{words.sentence}</p>' in page
    assert words.tips in page
    assert "hx-trigger" not in page


def test_it_says_that_everybody_was_compared(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    upload = make_result(gallery, owner=owner, method="exact", compared_with=48, search_ms=0.123)
    page = read_text(client, upload)

    assert "Compared with all 48 people in 0.12 ms." in page
    assert "fast search" not in page


def test_it_says_that_the_fast_search_looked(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    upload = make_result(
        gallery, owner=owner, method="approximate", compared_with=100_000, search_ms=3.456
    )
    page = read_text(client, upload)

    assert "The fast search covered 100000 people and took 3.46 ms." in page
    assert "Compared with all" not in page


def test_it_shows_the_exhaustive_search_beside_the_fast_one(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    upload = make_result(
        gallery[:3], owner=owner, method="approximate", search_ms=1.25, exact_ms=20.5
    )
    face = upload.faces.get()
    for rank, celebrity in enumerate(gallery[1:], 1):
        make_match(face, celebrity, rank, exhaustive=True)
    page = read_text(client, upload)

    assert "Both searches found 2 of 3 names." in page
    assert "1.25 ms" in page
    assert "20.50 ms" in page
    assert client.get(upload.get_absolute_url()).context["faces"][0].best.celebrity == gallery[0]


def test_it_says_nothing_of_a_search_that_is_not_known(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    """Rows of the first version did not store what was done."""
    page = read_text(client, make_result(gallery, owner=owner))

    assert "Compared with" not in page
    assert "fast search" not in page


def read_text(client: Client, upload: Upload) -> str:
    return " ".join(client.get(upload.get_absolute_url()).content.decode().split())


@pytest.mark.usefixtures("heartbeat_of_two")
def test_the_fragment_polls_until_it_is_done(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    waiting = client.get(f"/u/{make_upload(owner=owner).pk}/status/", headers=HTMX)
    done = client.get(f"/u/{make_result(gallery, owner=owner).pk}/status/", headers=HTMX)

    assert "<html" not in waiting.content.decode()
    assert 'hx-trigger="every 150ms"' in waiting.content.decode()
    assert "hx-trigger" not in done.content.decode()
    assert gallery[0].name in done.content.decode()


def read_pause(client: Client, upload: Upload) -> int:
    """Milliseconds until the waiting page's next question."""
    text = client.get(f"/u/{upload.pk}/status/", headers=HTMX).content.decode()
    found = re.search(r'hx-trigger="every (\d+)ms"', text)
    assert found
    return int(found[1])


@pytest.mark.usefixtures("heartbeat_of_two")
def test_whose_photo_is_looked_at_asks_soon(client: Client, owner: uuid.UUID) -> None:
    running = make_upload(owner=owner, status=Upload.Status.RUNNING)
    following = [make_upload(owner=owner) for _ in range(3)]

    assert read_pause(client, running) == 150
    assert [read_pause(client, upload) for upload in following] == [150, 150, 1000]


@pytest.mark.usefixtures("heartbeat_of_two")
def test_who_has_many_before_them_asks_less_often(client: Client, owner: uuid.UUID) -> None:
    for _ in range(40):
        make_upload()
    assert read_pause(client, make_upload(owner=owner)) == 3000

    for _ in range(200):
        make_upload()
    assert read_pause(client, make_upload(owner=owner)) == 10_000


def test_asks_less_often_while_no_worker_is_there(client: Client, owner: uuid.UUID) -> None:
    cache.delete(heartbeat.KEY)
    assert read_pause(client, make_upload(owner=owner)) == 3000


def test_a_page_that_polls_takes_two_queries(
    client: Client, owner: uuid.UUID, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    upload = make_upload(owner=owner)
    with django_assert_num_queries(2):
        client.get(f"/u/{upload.pk}/status/", headers=HTMX)


def test_the_fragment_alone_leads_to_the_page(client: Client, owner: uuid.UUID) -> None:
    upload = make_upload(owner=owner)
    response = client.get(f"/u/{upload.pk}/status/")

    assert response.status_code == 302
    assert response["Location"] == f"/u/{upload.pk}/"


def test_a_page_that_polls_learns_that_the_upload_is_gone(client: Client, owner: uuid.UUID) -> None:
    number = uuid.uuid4()
    response = client.get(f"/u/{number}/status/", headers=HTMX)

    assert response["HX-Redirect"] == f"/u/{number}/"


@pytest.mark.parametrize(
    "path", ["", "status/", "photo.jpg", "faces/0/crop.jpg", "faces/0/chip.jpg", "delete/"]
)
def test_it_rejects_everybody_else(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity], path: str
) -> None:
    upload = make_result(gallery, owner=owner)
    stranger, newcomer = Client(), Client()
    as_owner(stranger, uuid.uuid4())

    for other in (stranger, newcomer):
        response = other.get(f"/u/{upload.pk}/{path}")
        assert response.status_code == 404
        assert "deleted, has expired, or belongs to another browser" in response.content.decode()
        assert "no-store" in response["Cache-Control"]
    assert "sessionid" not in newcomer.cookies


@pytest.mark.parametrize("path", ["", "photo.jpg", "faces/0/crop.jpg", "delete/"])
def test_it_rejects_what_has_expired(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity], path: str
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    upload = make_result(gallery, owner=owner, expires_at=past)
    response = client.get(f"/u/{upload.pk}/{path}")

    assert response.status_code == 404
    assert "This result has expired." in response.content.decode()
    assert not Upload.objects.exists(), "deleted at once, whatever became of the purge"
    assert list_files(upload.pk) == []


def test_it_rejects_what_has_expired_also_if_it_cannot_be_deleted(
    client: Client,
    owner: uuid.UUID,
    gallery: list[Celebrity],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*given: object) -> None:
        raise OSError(5, "Input/output error")

    upload = make_result(gallery, owner=owner, expires_at=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr("uploads.deletion.delete_folder", refuse)

    assert client.get(f"/u/{upload.pk}/").status_code == 404
    assert "could not be deleted: OSError" in caplog.text
    assert str(upload.pk) not in caplog.text


@pytest.mark.parametrize(
    "path", ["", "status/", "photo.jpg", "faces/0/crop.jpg", "faces/0/chip.jpg", "delete/"]
)
def test_its_answers_are_kept_by_nobody(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity], path: str
) -> None:
    upload = make_result(gallery, owner=owner)
    response = client.get(f"/u/{upload.pk}/{path}", headers=HTMX)
    if response.streaming:
        body_of(response)

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]


def test_it_handles_a_long_name_and_markup_in_it(
    client: Client, owner: uuid.UUID, gallery: list[Celebrity]
) -> None:
    Celebrity.objects.filter(pk=gallery[0].pk).update(name="<script>alert(1)</script>" * 8)
    page = client.get(make_result(gallery, owner=owner).get_absolute_url()).content.decode()

    assert "<script>alert" not in page


def test_the_page_tells_what_stays_in_hours(
    client: Client, owner: uuid.UUID, settings: Settings, gallery: list[Celebrity]
) -> None:
    settings.KEEP_HOURS = 5
    page = client.get(make_result(gallery, owner=owner).get_absolute_url()).content.decode()

    assert "4\xa0hours" in page
