"""manage.py import_celebrities"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from celebrities.models import Category, Celebrity, IndexBuild, Portrait
from lookalike.faces.pipeline import FaceEngine
from tests.celebrities.factories import make_people, make_photo, pack, unit, write_files

pytestmark = pytest.mark.django_db


def run(*words: object, **options: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out, stderr=out, **options)
    return out.getvalue()


def fail(*words: object, **options: Any) -> tuple[str, str]:
    """What a command that fails writes, and the sentence it ends with."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command(*map(str, words), stdout=out, stderr=out, **options)
    assert error.value.returncode in (1, 2)
    return out.getvalue(), str(error.value)


def test_it_works(tmp_path: Path, fake_engine: FaceEngine) -> None:
    write_files(tmp_path / "p", {"ada_1.jpg": make_photo(1), "bob_1.jpg": make_photo(2)})
    said = run("import_celebrities", str(tmp_path / "p"), "--category", "actor", "--publish")

    assert "Imported 2 portraits (2 new people), skipped 0, failed 0." in said
    assert "2 portraits of 2 people" in said
    assert "load_demo --remove" not in said
    assert IndexBuild.objects.current() is not None
    assert Category.objects.get().plural_ru == "актёры"


def test_it_names_what_failed_and_says_so_at_the_end(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    write_files(tmp_path / "p", {"ada_1.jpg": make_photo(1), "bob_1.jpg": b"no picture"})
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 could not be imported") as error:
        call_command("import_celebrities", str(tmp_path / "p"), stdout=out, stderr=out)

    assert error.value.returncode in (1, 2)
    assert "bob_1.jpg: not a supported format" in out.getvalue()
    assert Portrait.objects.count() == 1


def test_it_can_leave_the_index_and_keep_people_back(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    write_files(tmp_path / "p", {"ada_1.jpg": make_photo(1)})
    run("import_celebrities", str(tmp_path / "p"), "--no-rebuild", "--unpublished")

    assert not IndexBuild.objects.exists()
    assert not Celebrity.objects.get().published


def test_it_tells_of_the_cast_when_it_is_there(tmp_path: Path, fake_engine: FaceEngine) -> None:
    make_people([unit(1)], is_fictional=True)
    write_files(tmp_path / "p", {"ada_1.jpg": make_photo(1)})

    assert (
        run("import_celebrities", str(tmp_path / "p")).count("load_demo --fictional --remove") == 1
    )


@pytest.mark.parametrize("path", ["missing", "empty"])
def test_it_requires_portraits(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(CommandError, match=path):
        run("import_celebrities", str(tmp_path / path))


# Manifests


def test_nothing_is_imported_beside_a_manifest_that_cannot_be_understood(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    folder = write_files(tmp_path, {"ada_1.jpg": make_photo(1), "manifest.csv": "name\nAda\n"})

    with pytest.raises(CommandError, match=r"manifest\.csv cannot be used"):
        call_command("import_celebrities", folder)

    assert not Portrait.objects.exists()


def test_unknown_columns_are_reported(tmp_path: Path, fake_engine: FaceEngine) -> None:
    folder = write_files(
        tmp_path, {"ada_1.jpg": make_photo(1), "manifest.csv": "file,Rights\nada_1.jpg,CC0\n"}
    )
    errors = io.StringIO()

    call_command("import_celebrities", folder, no_rebuild=True, stderr=errors, stdout=io.StringIO())

    assert errors.getvalue() == "manifest.csv: the column 'Rights' is unknown and was not used.\n"


@pytest.fixture
def bad_line(tmp_path: Path, fake_engine: FaceEngine) -> Path:
    return write_files(
        tmp_path / "people",
        {
            "ada_1.jpg": make_photo(1),
            "bob_1.jpg": make_photo(2),
            "manifest.csv": "file,name,born\nada_1.jpg,Ada,soon\nbob_1.jpg,Bob,\nno.jpg,No,\n",
        },
    )


def test_a_line_that_cannot_be_used_stops_it_before_anything_is_written(bad_line: Path) -> None:
    said, sentence = fail("import_celebrities", bad_line)

    assert said == (
        "manifest.csv, line 2: 'soon' is not a year\nmanifest.csv, line 4: there is no no.jpg\n"
    )
    assert sentence.startswith("2 lines of the manifest cannot be used. Nothing was imported.")
    assert not Celebrity.objects.exists()


def test_bad_lines_can_be_skipped_with_their_files(bad_line: Path) -> None:
    said, sentence = fail("import_celebrities", bad_line, "--skip-bad-lines", no_rebuild=True)

    assert "Imported 1 portraits (1 new people), skipped 0, failed 2." in said
    assert sentence == "2 could not be imported, as said above."
    assert [person.name for person in Celebrity.objects.all()] == ["Bob"]


# What it says


def test_a_dry_run_names_new_people_and_writes_nothing(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    folder = write_files(tmp_path / "p", {"ada-roe_1.jpg": make_photo(1)})

    said = run("import_celebrities", folder, "--dry-run", "--publish")

    assert said == (
        "new person: Ada Roe\nWould import 1 portraits (1 new people), skipped 0, failed 0.\n"
    )
    assert not Celebrity.objects.exists()
    assert not IndexBuild.objects.exists()


def test_leftovers_are_said_once_with_their_number(tmp_path: Path, fake_engine: FaceEngine) -> None:
    files: dict[str, bytes | str] = {
        f"Ada Roe/@eaDir/{number}.jpg": b"thumbnail" for number in range(30)
    }
    files |= {"Ada Roe/1.jpg": make_photo(1), "#recycle/x.jpg": b"", "Thumbs.db": b""}

    said = run("import_celebrities", pack(tmp_path / "a.zip", files), no_rebuild=True)

    assert said == (
        "32 files that systems and other programs left were skipped (#recycle, @eaDir, "
        "Thumbs.db).\nImported 1 portraits (1 new people), skipped 0, failed 0.\n"
    )


def test_more_than_20_lines_of_one_kind_are_summed_up(
    tmp_path: Path, fake_engine: FaceEngine
) -> None:
    files: dict[str, bytes | str] = {f"IMG_{number:04}.jpg": b"x" for number in range(25)}

    said, _ = fail("import_celebrities", write_files(tmp_path / "p", files), no_rebuild=True)

    assert said.count("IMG_") == 20
    assert "... and 5 more: the name is not a person's, so who is it?" in said


def test_the_report_has_every_line(tmp_path: Path, fake_engine: FaceEngine) -> None:
    files: dict[str, bytes | str] = {f"IMG_{number:04}.jpg": b"x" for number in range(25)}
    files |= {"=1+1 Roe/1.jpg": make_photo(1), "notes.txt": "text"}

    fail(
        "import_celebrities",
        write_files(tmp_path / "p", files),
        report=tmp_path / "r.csv",
        no_rebuild=True,
    )

    data = (tmp_path / "r.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0] == ["kind", "where", "what"]
    assert ["new person", "'=1+1 Roe", ""] in rows
    assert ["new portrait", "'=1+1 Roe/1.jpg", ""] in rows
    assert ["skipped", "notes.txt", "not a picture"] in rows
    assert [row[0] for row in rows].count("failed") == 25


# A CSV alone


@pytest.fixture
def table(tmp_path: Path, fake_engine: FaceEngine) -> Path:
    write_files(
        tmp_path / "p",
        {
            "people.csv": "file;name;author\nphotos\\ADA.jpg;Ada Roe;Somebody\nb.jpg;Bob Roe;\n",
            "photos/ada.JPG": make_photo(1),
            "photos/unlisted.jpg": make_photo(2),
            "b.jpg": make_photo(3),
            "other/Carl Roe/1.jpg": make_photo(4),
        },
    )
    return tmp_path / "p" / "people.csv"


def test_a_csv_alone_names_files_relative_to_it(table: Path) -> None:
    said = run("import_celebrities", table, no_rebuild=True)

    assert "Imported 2 portraits (2 new people), skipped 0, failed 0." in said
    assert {person.name for person in Celebrity.objects.all()} == {"Ada Roe", "Bob Roe"}
    assert Portrait.objects.get(celebrity__name="Ada Roe").author == "Somebody"


@pytest.mark.parametrize("file", ["../secret.jpg", "/etc/passwd", "link/secret.jpg", "link.jpg"])
def test_a_csv_leads_nowhere_else(table: Path, file: str) -> None:
    secret = write_files(table.parent.parent / "secrets", {"secret.jpg": make_photo(5)})
    (table.parent / "link").symlink_to(secret)
    (table.parent / "link.jpg").symlink_to(secret / "secret.jpg")
    table.write_text(f"file,name\n{file},Somebody Else\n")

    fail("import_celebrities", table, no_rebuild=True)

    assert not Celebrity.objects.exists()


@pytest.mark.parametrize("hosts", [[], ["example.com"]])
def test_addresses_are_refused_unless_their_host_is_named(
    table: Path, settings: Settings, hosts: list[str]
) -> None:
    settings.IMPORT_ADDRESSES = bool(hosts)
    settings.IMPORT_HOSTS = hosts
    table.write_text("file,name\nhttps://example.org/a.jpg,Ada\nhttp://example.com/b.jpg,Bob\n")

    said, _ = fail("import_celebrities", table, no_rebuild=True)

    assert said.count("may not be loaded: set LOOKALIKE_IMPORT_ADDRESSES=1") == 2


def test_requires_a_name_beside_an_address(table: Path) -> None:
    table.write_text("file,name\nhttps://example.org/a.jpg,\n")

    said, _ = fail("import_celebrities", table, no_rebuild=True)

    assert said == "people.csv, line 2: an address needs a name beside it\n"
