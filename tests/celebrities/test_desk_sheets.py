"""Tables of people and portraits out, edited in a spreadsheet, and in again (line 45)."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from celebrities.models import Celebrity, Change, DoNotImport
from tests.celebrities.factories import make_category, make_celebrity, make_ready, unit
from tests.celebrities.test_admin import PEOPLE, PORTRAITS, act, said, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Celebrity:
    make_category("singer")
    return make_celebrity(
        "Zoë Müller", other_names="Зоя\n=Zo", birth_year=1961, categories=["actor"]
    )


def save_table(client: Client, address: str, *rows: Any) -> list[dict[str, str]]:
    response = act(client, address, "save_table", *rows)
    assert response["Content-Disposition"].endswith('.csv"')
    whole = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(whole, newline="")))


def write(rows: list[dict[str, str]], encoding: str = "utf-8", **form: Any) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]), **form)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode(encoding)


def send(client: Client, address: str, data: bytes) -> Any:
    file = SimpleUploadedFile("table.csv", data)
    return client.post(f"{address}table/", {"file": file}, follow=True)


def confirm(client: Client, address: str, response: Any) -> list[str]:
    fields = {"edits": response.context["edits"]}
    return said(client.post(f"{address}table/", fields, follow=True))


def test_45_a_table_goes_out_and_comes_back_edited(admin_client: Client, person: Celebrity) -> None:
    assert "Take facts from a table" in text(admin_client, PEOPLE)
    (row,) = save_table(admin_client, PEOPLE, person)
    assert (row["name"], row["other_names"]) == ("Zoë Müller", "Зоя | =Zo")
    assert (row["birth_year"], row["published"], row["categories"]) == ("1961", "yes", "actor")

    changed = row | {"birth_year": "1962", "categories": "actor singer", "published": "no"}
    page = send(admin_client, PEOPLE, write([changed | {"name": "Zoë Miller"}]))
    assert [lines for _row, lines in page.context["shown"]] == [
        [
            ("name", "Zoë Müller", "Zoë Miller"),
            ("birth year", "1961", "1962"),
            ("categories", "actor", "actor singer"),
            ("published", "yes", "no"),
        ]
    ]
    assert [owner for owner, _lines in page.context["shown"]] == ["Zoë Müller"]
    assert not Change.objects.exists()

    words = confirm(admin_client, PEOPLE, page)
    assert words == ["1 row is changed. The history can take it back."]
    person.refresh_from_db()
    assert (person.name, person.birth_year, person.published) == ("Zoë Miller", 1962, False)
    assert person.search_key.startswith("zoe miller")
    assert person.other_names == "Зоя\n=Zo"
    assert sorted(each.slug for each in person.categories.all()) == ["actor", "singer"]

    fields = {"group": Change.objects.get().group, "next": PEOPLE}
    assert said(admin_client.post(f"{PEOPLE}take-back/", fields, follow=True)) == ["Taken back."]
    person.refresh_from_db()
    assert (person.birth_year, person.published) == (1961, True)


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        ("utf-8-sig", {"delimiter": ";", "lineterminator": "\r\n"}),
        ("utf-16", {"delimiter": "\t"}),
        ("cp1252", {"delimiter": ";", "quoting": csv.QUOTE_ALL}),
    ],
    ids=["excel", "excel unicode text", "libreoffice"],
)
def test_45_handles_what_spreadsheets_make_of_it(
    admin_client: Client, person: Celebrity, encoding: str, form: dict[str, Any]
) -> None:
    Celebrity.objects.update(other_names="Zoe")
    (row,) = save_table(admin_client, PEOPLE, person)
    # What Excel writes for yes, and for a year that it took for a number.
    row |= {"published": "TRUE", "birth_year": "1961,0", "source_page": "https://example.org/zoë"}
    page = send(admin_client, PEOPLE, write([row], encoding, **form))
    ((_row, lines),) = page.context["shown"]
    assert lines == [("source page", "", "https://example.org/zoë")]


def test_45_an_untouched_table_changes_nothing(admin_client: Client, person: Celebrity) -> None:
    make_ready(person, unit(1), author="@photographer", licence="-")
    for address, row in ((PEOPLE, person), (PORTRAITS, person.portraits.get())):
        table = save_table(admin_client, address, row)
        page = send(admin_client, address, write(table))
        assert (page.context["plan"].rows, page.context["plan"].edits) == (1, [])
        assert not page.context["plan"].problems


def test_45_formulas_are_escaped(admin_client: Client, person: Celebrity) -> None:
    portrait = make_ready(person, unit(1), author='=HYPERLINK("https://evil.example")')
    (row,) = save_table(admin_client, PORTRAITS, portrait)
    assert row["author"].startswith("'=")
    assert row["person"] == "Zoë Müller"


def test_45_credits_come_from_a_table(admin_client: Client, person: Celebrity) -> None:
    portrait = make_ready(person, unit(1))
    page = send(admin_client, PORTRAITS, f"ID;Licence\n{portrait.pk};CC BY 4.0\n".encode())
    confirm(admin_client, PORTRAITS, page)
    portrait.refresh_from_db()
    assert portrait.licence == "CC BY 4.0"
    assert portrait.vector is not None


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("birth_year", "3000", "birth_year"),
        ("birth_year", "long ago", "birth_year"),
        ("death_year", "1900", "before the birth year"),
        ("wikidata_id", "q42", "Q and a number"),
        ("wikidata_id", "Q7", "already"),
        ("wikidata_id", "Q9", "do-not-import list"),
        ("name", "", "name"),
        ("categories", "king", "no category “king”"),
        ("published", "perhaps", "neither yes nor no"),
        ("id", "99999", "no row with the id"),
        ("id", "", "no row with the id"),
    ],
)
def test_45_rejects_what_the_gallery_cannot_take(
    admin_client: Client, person: Celebrity, column: str, cell: str, words: str
) -> None:
    make_celebrity("Other", wikidata_id="Q7")
    DoNotImport.objects.create(wikidata_id="Q9", names=["somebody"])
    (row,) = save_table(admin_client, PEOPLE, person)
    good = row | {"id": str(Celebrity.objects.get(name="Other").pk), "name": "Another"}
    good |= {"wikidata_id": "Q7"}
    page = send(admin_client, PEOPLE, write([good, row | {column: cell}]))
    ((line, problem),) = page.context["plan"].problems
    assert (line, words in problem) == (3, True), problem
    assert 'name="edits"' not in page.content.decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"name,birth_year\nX,1990\n", "no columns"),
        (b"PK\x03\x04xlsx", "save the table as CSV"),
        (b'id,name\n1,"X\n', "quotes"),
        (b"", "empty"),
    ],
    ids=["no ids", "xlsx", "broken", "empty"],
)
def test_45_rejects_what_is_no_table(admin_client: Client, data: bytes, words: str) -> None:
    page = send(admin_client, PEOPLE, data)
    assert words in str(page.context["form"].errors)


def test_45_never_overwrites_what_was_changed_meanwhile(
    admin_client: Client, person: Celebrity
) -> None:
    page = send(admin_client, PEOPLE, f"id,birth_year\n{person.pk},1962\n".encode())
    Celebrity.objects.update(birth_year=1970)
    assert "left as they are: Zoë Müller" in confirm(admin_client, PEOPLE, page)[1]
    person.refresh_from_db()
    assert person.birth_year == 1970


def test_45_requires_a_page_that_this_site_has_made(admin_client: Client) -> None:
    response = admin_client.post(f"{PEOPLE}table/", {"edits": "made up"}, follow=True)
    assert said(response) == ["This page is too old. Choose the file again."]


def test_45_two_rows_cannot_take_one_wikidata_id(admin_client: Client, person: Celebrity) -> None:
    other = make_celebrity("Other")
    table = f"id,wikidata_id\n{person.pk},Q5\n{other.pk},Q5\n"
    page = send(admin_client, PEOPLE, table.encode())
    assert "same Wikidata id" in confirm(admin_client, PEOPLE, page)[0]
    assert not Celebrity.objects.filter(wikidata_id="Q5").exists()
