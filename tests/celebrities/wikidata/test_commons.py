"""Files on Commons: what is said of them, and which picture to take."""

from __future__ import annotations

from celebrities.wikidata.client import Client
from celebrities.wikidata.commons import (
    CommonsFile,
    fetch_files,
    list_category,
    load_picture,
    read_file,
)
from tests.celebrities.factories import make_photo
from tests.wikimedia import Wikimedia


def fetch(client: Client, server: Wikimedia, *names: str) -> dict[str, CommonsFile | None]:
    return fetch_files(client, server.commons, names)


def test_it_works(client: Client, server: Wikimedia) -> None:
    server.add_file("Ada Example.jpg", make_photo(1))
    [file] = fetch(client, server, "Ada_Example.jpg").values()

    assert file is not None
    assert file.title == "File:Ada Example.jpg"
    assert file.page == "https://commons.wikimedia.org/wiki/File%3AAda_Example.jpg"
    assert file.metadata["License"] == {"value": "cc-by-sa-4.0"}
    assert load_picture(client, file) == make_photo(1)
    query = server.seen[0].query
    assert (query["iiurlwidth"], query["maxlag"]) == ("960", "5")
    assert "DeletionReason" in query["iiextmetadatafilter"]


def test_takes_the_address_that_the_answer_names(client: Client, server: Wikimedia) -> None:
    server.add_file("Ada.jpg", make_photo(1))
    [file] = fetch(client, server, "Ada.jpg").values()

    assert file is not None
    assert file.address == f"{server.url}/thumb/Ada.jpg/330px-Ada.jpg"


def test_asks_for_fifty_at_a_time_and_for_none_twice(client: Client, server: Wikimedia) -> None:
    fetch(client, server, *(f"{number}.jpg" for number in range(70)))
    fetch(client, server, *(f"{number}.jpg" for number in range(60, 80)))

    assert [len(seen.query["titles"].split("|")) for seen in server.seen] == [50, 20, 10]


def test_two_names_of_one_file_are_both_answered(client: Client, server: Wikimedia) -> None:
    server.add_file("Ada Example.jpg", make_photo(1))
    found = fetch(client, server, "Ada_Example.jpg", "ada Example.jpg")

    assert len({file.title for file in found.values() if file}) == 1
    assert len(found) == 2


def test_tells_a_missing_file_from_one_of_which_too_little_is_said(
    client: Client, server: Wikimedia
) -> None:
    server.add_file("Odd.jpg", make_photo(1), sha1="none")

    assert fetch(client, server, "Gone.jpg", "Odd.jpg") == {"Gone.jpg": None}


def test_reads_an_answer_that_comes_in_parts(client: Client, server: Wikimedia) -> None:
    server.add_file("A.jpg", make_photo(1))
    server.add_file("B.jpg", make_photo(2))
    server.parts = 1

    found = fetch(client, server, "A.jpg", "B.jpg")
    assert [file.title for file in found.values() if file] == ["File:A.jpg", "File:B.jpg"]
    assert len(server.seen) == 2


def test_checks_the_sha1_of_an_original(client: Client, server: Wikimedia) -> None:
    server.add_file("A.jpg", make_photo(1), original=True)
    server.add_file("B.jpg", make_photo(1))
    original, thumbnail = fetch(client, server, "A.jpg", "B.jpg").values()

    assert original is not None
    assert thumbnail is not None
    assert original.is_original
    assert not thumbnail.is_original


def test_a_page_address_too_long_for_the_gallery_is_shortened() -> None:
    info = {"url": "https://upload.wikimedia.org/a.jpg", "sha1": "0" * 40, "descriptionurl": ""}
    page = {"title": f"File:{'я' * 110}.jpg", "pageid": 77, "imageinfo": [info]}
    file = read_file(page)

    assert file is not None
    assert file.page == "https://commons.wikimedia.org/?curid=77"


def test_a_page_address_that_is_no_web_page_is_made_from_the_title() -> None:
    info = {"url": "https://a.org/a.jpg", "sha1": "0" * 40, "descriptionurl": "javascript:alert(1)"}
    file = read_file({"title": "File:A b.jpg", "imageinfo": [info]})

    assert file is not None
    assert file.page == "https://commons.wikimedia.org/wiki/File:A_b.jpg"


def test_lists_a_category(client: Client, server: Wikimedia) -> None:
    server.categories["Ada Example"] = ["A.jpg", "B.jpg"]

    assert list_category(client, server.commons, "Ada Example") == ["A.jpg", "B.jpg"]
    assert list_category(client, server.commons, "Nobody") == []
