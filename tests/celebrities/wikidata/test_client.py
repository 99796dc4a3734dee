"""How Wikimedia is asked: how often, how patiently, and where."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from urllib.parse import urlencode

import pytest

from celebrities.wikidata.cache import DAY
from celebrities.wikidata.client import Client, Manners
from celebrities.wikidata.errors import (
    ApiError,
    BadPicture,
    ForbiddenAddress,
    NoContact,
    Refused,
    Unavailable,
)
from tests.celebrities.factories import make_photo
from tests.celebrities.wikidata.conftest import QUICK, MakeClient
from tests.live import free_port
from tests.wikimedia import Wikimedia

ASK = {"action": "wbgetentities", "ids": "Q1", "format": "json"}


def ask(client: Client, server: Wikimedia, **params: str) -> dict[str, object]:
    found: dict[str, object] = client.get_json(server.wikidata, ASK | params, "entities")
    return found


def test_it_works(client: Client, server: Wikimedia) -> None:
    server.add_person("Q1", "Ada Example")

    assert "Q1" in ask(client, server)["entities"]  # type: ignore[operator]


def test_says_who_asks(client: Client, server: Wikimedia) -> None:
    ask(client, server)

    headers = server.seen[0].headers
    assert headers["User-Agent"].startswith("Lookalike/1.0.0 (me@example.org) requests/2.")
    assert headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("contact", ["", " ", "я"])
def test_requires_a_contact(make_client: MakeClient, contact: str) -> None:
    with pytest.raises(NoContact, match="LOOKALIKE_CONTACT"):
        make_client(contact=contact)


@pytest.mark.parametrize(
    "mood",
    [
        "429 0",
        "429 soon",
        "429",
        "503 0",
        "503",
        "503-maxlag 0",
        "500",
        "maxlag 0",
        "ratelimited 0",
        "html",
        "empty",
        "no-object",
        "cut",
        "slow 0.8",
        "drip 0.1",
        "cut-gzip",
        "no-gzip",
        "deep",
        'json {"batchcomplete": true}',
        'json {"entities": null}',
        'json {"entities": ["Q1"]}',
        "json \ufeff",
        "moved",
    ],
)
def test_asks_again(client: Client, server: Wikimedia, mood: str) -> None:
    server.add_person("Q1", "Ada Example")
    server.moods += [mood, mood]

    assert "Q1" in ask(client, server)["entities"]  # type: ignore[operator]
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    "mood",
    ["429 1", "429 1.3", "503 1", "503-maxlag 1", "maxlag 1", "ratelimited 1", "dated 1"],
)
def test_waits_as_long_as_it_is_told(client: Client, server: Wikimedia, mood: str) -> None:
    server.moods.append(mood)
    ask(client, server)

    assert server.seen[1].at >= server.silences[0][1]


def test_waits_in_the_next_run_as_well(make_client: MakeClient, server: Wikimedia) -> None:
    server.moods += ["429 2"] * 2
    with pytest.raises(Unavailable):
        ask(make_client(replace(QUICK, tries=1)), server)
    with pytest.raises(Unavailable):
        ask(make_client(replace(QUICK, tries=1)), server)

    assert server.seen[1].at >= server.silences[0][1]


def test_ends_where_it_must_wait_too_long_and_remembers_that(
    make_client: MakeClient, server: Wikimedia
) -> None:
    server.moods.append("429 600")
    with pytest.raises(Unavailable, match="again in 10 minutes: it goes on"):
        ask(make_client(), server)
    with pytest.raises(Unavailable, match="10 more minutes"):
        ask(make_client(), server)

    assert len(server.seen) == 1


def test_ends_after_so_many_tries(make_client: MakeClient, server: Wikimedia) -> None:
    server.moods += ["html"] * 9
    with pytest.raises(Unavailable, match="an answer without data"):
        ask(make_client(), server)

    assert len(server.seen) == Manners().tries


def test_pauses_grow_up_to_a_limit(
    make_client: MakeClient, server: Wikimedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = time.sleep

    def note(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    monkeypatch.setattr("celebrities.wikidata.client.time.sleep", note)
    server.moods += ["html"] * 4
    ask(make_client(replace(QUICK, first_pause=0.1, longest_pause=0.25)), server)

    times = [seen.at for seen in server.seen]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    expected = [0.1, 0.2, 0.25, 0.25]
    assert all(pause >= least for pause, least in zip(pauses, expected, strict=True))
    assert max(slept) <= 0.25


def test_ends_when_nobody_answers(client: Client) -> None:
    address = f"http://127.0.0.1:{free_port()}/w/api.php"
    lonely = Client(client.cache, "me@example.org", (address,), QUICK)

    with pytest.raises(Unavailable, match="no answer"):
        lonely.get_json(address, ASK, "entities")


def test_asks_no_more_than_three_times_a_second(make_client: MakeClient, server: Wikimedia) -> None:
    client = make_client(Manners(first_pause=0.1))
    server.moods += ["", "html", "moved", "", "500"]
    for number in range(6):
        ask(client, server, ids=f"Q{number + 1}")

    times = [seen.at for seen in server.seen]
    assert len(times) == 9
    windows = zip(times, times[3:], strict=False)
    assert all(fourth - first > 1.0 for first, fourth in windows)


def test_asks_nothing_twice_in_a_day(
    make_client: MakeClient, server: Wikimedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(make_client(), server)

    assert ask(make_client(), server) == first
    assert len(server.seen) == 1
    later = time.time() + DAY + 1
    monkeypatch.setattr(time, "time", lambda: later)
    ask(make_client(), server)
    assert len(server.seen) == 2


def test_an_error_is_raised_and_not_kept(client: Client, server: Wikimedia) -> None:
    for _ in range(2):
        with pytest.raises(ApiError, match="no-such-entity") as raised:
            ask(client, server, ids="Q12345678901234")

    assert raised.value.id == "Q12345678901234"
    assert len(server.seen) == 2


def test_refuses_what_the_server_refuses(client: Client, server: Wikimedia) -> None:
    with pytest.raises(Refused, match="HTTP 404"):
        client.get_json(f"{server.url}/nothing", {}, "entities")

    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://www.wikidata.org/w/api.php",
        "https://wikidata.org.example.org/w/api.php",
        "https://examplewikidata.org/w/api.php",
        "https://www.wikidata.org:8443/w/api.php",
        "http://127.0.0.1:1/w/api.php",
        "http://localhost/w/api.php",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:99999/",
        "http://[127.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_asks_nobody_else(client: Client, server: Wikimedia, address: str) -> None:
    with pytest.raises(ForbiddenAddress):
        client.get_json(address, {}, "entities")
    server.moods.append(f"moved {address}")
    ask(client, server)
    assert len(server.seen) == 2


def test_a_setting_names_no_address_outside_but_a_local_one(make_client: MakeClient) -> None:
    cache = make_client().cache

    with pytest.raises(ForbiddenAddress):
        Client(cache, "me@example.org", ("https://wikidata.example.org/api",))
    Client(cache, "me@example.org", ("https://www.wikidata.org/w/api.php", "http://localhost:1/a"))


def test_all_names_of_this_machine_are_one(client: Client, server: Wikimedia) -> None:
    address = server.wikidata.replace("127.0.0.1", "localhost")
    server.moods.append(f"moved {address}?{urlencode(ASK)}")
    ask(client, server)

    assert [seen.headers["Host"].split(":")[0] for seen in server.seen] == [
        "127.0.0.1",
        "localhost",
    ]


def test_follows_no_circle(client: Client, server: Wikimedia) -> None:
    server.moods += ["moved"] * 90
    with pytest.raises(Unavailable, match="circle"):
        ask(client, server)
    assert len(server.seen) == 8 * 6


def load(client: Client, server: Wikimedia, photo: bytes, sha1: str = "") -> bytes:
    server.add_file("Ada.jpg", photo)
    return client.get_picture(server.url + server.files["File:Ada.jpg"]["thumburl"], sha1)


def test_loads_a_picture_once(make_client: MakeClient, server: Wikimedia) -> None:
    for _ in range(2):
        assert load(make_client(), server, make_photo(1)) == make_photo(1)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "mood", ["html", "empty", "cut", "500", "503 0", "429 0", "slow 0.8", "drip 0.1", "no-gzip"]
)
def test_a_picture_is_asked_for_again(client: Client, server: Wikimedia, mood: str) -> None:
    server.moods.append(mood)

    assert load(client, server, make_photo(1)) == make_photo(1)


def test_rejects_a_picture_cut_short_by_its_server(client: Client, server: Wikimedia) -> None:
    with pytest.raises(BadPicture, match="a broken picture"):
        load(client, server, make_photo(1)[:-2000])


def test_rejects_a_picture_with_another_sha1(client: Client, server: Wikimedia) -> None:
    with pytest.raises(BadPicture, match="SHA-1"):
        load(client, server, make_photo(1), "0" * 40)


@pytest.mark.parametrize(
    ("mood", "says"), [("500", "HTTP 500"), ("cut", "no answer"), ("moved http://a.org/", "a.org")]
)
def test_one_bad_picture_does_not_end_the_run(
    client: Client, server: Wikimedia, mood: str, says: str
) -> None:
    server.picture_moods["/thumb/Ada.jpg/330px-Ada.jpg"] = mood
    with pytest.raises(BadPicture, match=says):
        load(client, server, make_photo(1))


@pytest.mark.parametrize("mood", ["429 0", "503 0"])
def test_a_busy_server_ends_the_run(client: Client, server: Wikimedia, mood: str) -> None:
    server.picture_moods["/thumb/Ada.jpg/330px-Ada.jpg"] = mood
    with pytest.raises(Unavailable):
        load(client, server, make_photo(1))


def test_asking_whether_anybody_answers_is_no_reason_to_hurry(
    make_client: MakeClient, server: Wikimedia
) -> None:
    path = "/thumb/Ada.jpg/330px-Ada.jpg"
    client = make_client(replace(QUICK, picture_tries=1))
    server.picture_moods[path] = "cut"
    server.moods.append("429 1")
    with pytest.raises(BadPicture):
        load(client, server, make_photo(1))
    ask(client, server)

    assert [seen.path for seen in server.seen] == [
        path,
        "/commons/w/api.php",
        "/wikidata/w/api.php",
    ]
    assert server.seen[2].at >= server.silences[0][1]


def test_a_lost_connection_ends_the_run(
    make_client: MakeClient, server: Wikimedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    server.add_file("Ada.jpg", make_photo(1))
    address = server.url + server.files["File:Ada.jpg"]["thumburl"]
    server.moods += ["cut"] * 9
    with pytest.raises(Unavailable, match="no answer"):
        client.get_picture(address)


def test_several_pictures_without_an_answer_end_the_run(client: Client, server: Wikimedia) -> None:
    def load_number(number: int) -> Callable[[], bytes]:
        server.add_file(f"{number}.jpg", make_photo(1))
        server.picture_moods[f"/thumb/{number}.jpg/330px-{number}.jpg"] = "cut"
        address = server.url + server.files[f"File:{number}.jpg"]["thumburl"]
        return lambda: client.get_picture(address)

    for number in (1, 2):
        with pytest.raises(BadPicture):
            load_number(number)()
    with pytest.raises(Unavailable):
        load_number(3)()
