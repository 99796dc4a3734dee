"""Which file is whose portrait."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from celebrities.errors import BadSource
from celebrities.importers.archives import ZipSource
from celebrities.importers.layout import plan_import
from celebrities.importers.sources import MAX_MANIFEST_BYTES, FolderSource
from tests.celebrities.factories import pack, write_files


def test_files_are_given_to_people_by_folder_and_by_name(tmp_path: Path) -> None:
    folder = write_files(
        tmp_path,
        {
            "Ada Lovelace/any name.jpg": b"",
            "grace_hopper/1.png": b"",
            "jean-paul-example_1.jpg": b"",
            "jean-paul-example_2.jpg": b"",
            "Solo.webp": b"",
            "README.txt": "notes",
        },
    )
    plan = plan_import(FolderSource(folder))

    names = {found.entry.file: found.entry.name for found in plan.portraits}
    assert names == {
        "Ada Lovelace/any name.jpg": "Ada Lovelace",
        "grace_hopper/1.png": "Grace Hopper",
        "jean-paul-example_1.jpg": "Jean Paul Example",
        "jean-paul-example_2.jpg": "Jean Paul Example",
        "Solo.webp": "Solo",
    }
    assert [problem.where for problem in plan.skipped] == ["README.txt"]
    assert plan.failed == []


@pytest.mark.parametrize("wrapper", ["", "gallery/"])
def test_a_folder_round_everything_is_no_person(tmp_path: Path, wrapper: str) -> None:
    files: dict[str, bytes | str] = {
        f"{wrapper}manifest.csv": "file,name\nada_1.jpg,Ada Lovelace\n",
        f"{wrapper}ada_1.jpg": b"",
    }
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", files)))

    assert [found.entry.name for found in plan.portraits] == ["Ada Lovelace"]
    assert plan.failed == []


def test_a_single_persons_folder_in_an_archive_is_that_person(tmp_path: Path) -> None:
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", {"Ada Lovelace/1.jpg": b""})))

    assert [found.entry.name for found in plan.portraits] == ["Ada Lovelace"]


@pytest.mark.parametrize(
    ("file", "listed"),
    [
        ("Ada_1.JPG", "ada_1.jpg"),
        (unicodedata.normalize("NFD", "zoë_1.jpg"), "zoë_1.jpg"),
        ("zoë_1.jpg", unicodedata.normalize("NFD", "ZOË_1.jpg")),
        ("people/Ada.jpg", ".\\people\\ada.jpg"),
    ],
)
def test_listed_names_may_differ_in_case_and_unicode_form(
    tmp_path: Path, file: str, listed: str
) -> None:
    folder = write_files(
        tmp_path,
        {
            file: b"",
            "other/x.jpg": b"",
            "Manifest.CSV": f"file,name,author\n{listed},Zoë,Me\n",
        },
    )
    plan = plan_import(FolderSource(folder))

    (found,) = [photo for photo in plan.portraits if photo.entry.name == "Zoë"]
    assert found.file == unicodedata.normalize("NFC", file)
    assert found.entry.author == "Me"
    assert plan.bad_lines == []


def test_an_exact_name_comes_before_one_in_another_case(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "manifest.csv": "file,name\nada_1.jpg,Ada\nADA_1.jpg,Bob\n",
        "ada_1.jpg": b"",
        "ADA_1.jpg": b"",
    }
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", files)))

    names = {photo.file: photo.entry.name for photo in plan.portraits}
    assert names == {"ada_1.jpg": "Ada", "ADA_1.jpg": "Bob"}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("Ada_1.jpg,Ada", "Ada_1.jpg fits 2 files"),
        ("ada_1.jpg,Ada,extra", "3 fields, the heading 2"),
        ("Ada,ada_1.jpg,extra", "3 fields, the heading 2"),
        (".\\ada_1.jpg,Ada\nada_1.jpg,Bob", "named a second time"),
    ],
)
def test_a_file_whose_row_is_refused_is_not_imported(
    tmp_path: Path, rows: str, reason: str
) -> None:
    """It would be published without its name and credit."""
    files: dict[str, bytes | str] = {
        "manifest.csv": f"file,name\n{rows}\n",
        "ada_1.jpg": b"",
        "ADA_1.jpg": b"",
        "bob_1.jpg": b"",
    }
    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", files)))

    assert "ada_1.jpg" not in {photo.file for photo in plan.portraits}
    assert reason in plan.bad_lines[0].reason


def test_two_rows_for_one_file_refuse_it(tmp_path: Path) -> None:
    files = write_files(
        tmp_path, {"manifest.csv": "file,name\nADA_1.jpg,Ada\nAda_1.jpg,Bob\n", "ada_1.jpg": b""}
    )
    plan = plan_import(FolderSource(files))

    assert plan.portraits == []
    assert [(p.where, p.reason) for p in plan.bad_lines] == [
        ("manifest.csv, line 3", "Ada_1.jpg is named a second time")
    ]


def test_a_line_without_its_file_is_said(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"manifest.csv": "file,name\nada_1.jpg,Ada\n"})
    plan = plan_import(FolderSource(folder))

    assert [(p.where, p.reason) for p in plan.bad_lines] == [
        ("manifest.csv, line 2", "there is no ada_1.jpg")
    ]


def test_a_manifest_inside_a_persons_folder_is_named(tmp_path: Path) -> None:
    folder = write_files(
        tmp_path, {"Ada/1.jpg": b"", "Ada/manifest.csv": "file\n1.jpg", "Bob/1.jpg": b""}
    )
    plan = plan_import(FolderSource(folder))

    assert plan.remarks == ["Ada/manifest.csv was not read: only the outermost manifest.csv is"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("name,gender\nAda,female\n", 'Line 1: it has no column "file"'),
        ("", 'Line 1: it has no column "file"'),
        ('file,name\nada_1.jpg,"Ada\n', "Line 2: the quotes or separators are broken"),
        ("file,name\nada_1.jpg,김철수".encode("cp949"), "Line 1: the encoding of the text"),
        (bytes(MAX_MANIFEST_BYTES + 1), "larger than 20,000,000 bytes"),
    ],
)
def test_rejects_a_source_whose_manifest_cannot_be_understood(
    tmp_path: Path, content: bytes | str, reason: str
) -> None:
    source = ZipSource(pack(tmp_path / "a.zip", {"manifest.csv": content, "ada_1.jpg": b""}))

    with pytest.raises(BadSource, match=r"manifest\.csv cannot be used") as caught:
        plan_import(source)

    assert reason in str(caught.value)
    assert str(caught.value).endswith("Nothing was imported.")


# Folders


def plan_names(tmp_path: Path, *files: str, same: tuple[str, ...] = ()) -> dict[str, str]:
    folder = write_files(tmp_path / "source", dict.fromkeys(files, b""))
    plan = plan_import(FolderSource(folder), same)
    return {photo.entry.file: photo.entry.name for photo in plan.portraits}


def plan_people(tmp_path: Path, *files: str, same: tuple[str, ...] = ()) -> int:
    folder = write_files(tmp_path / "source", dict.fromkeys(files, b""))
    plan = plan_import(FolderSource(folder), same)
    return len({photo.identity for photo in plan.portraits})


def test_folders_inside_a_persons_folder_belong_to_the_person(tmp_path: Path) -> None:
    files = ("Jane Doe/2019/1.jpg", "John Roe/2019/1.jpg", "John Roe/edited/2.jpg")

    names = plan_names(tmp_path, *files, "Cher/Red Carpet/old/3.jpg", "Cher/4.jpg")

    assert list(names.values()) == ["Cher", "Cher", "Jane Doe", "John Roe", "John Roe"]


def test_a_single_persons_folders_in_an_archive_are_that_person(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"Jane Doe/2019/1.jpg": b"", "Jane Doe/2020/2.jpg": b""}

    plan = plan_import(ZipSource(pack(tmp_path / "a.zip", files)))

    assert [photo.entry.name for photo in plan.portraits] == ["Jane Doe", "Jane Doe"]


@pytest.mark.parametrize(
    "files",
    [
        ("actors/John Smith/1.jpg", "politicians/John Smith/2019/1.jpg"),
        ("A/john-smith/1.jpg", "B/john-smith/1.jpg"),
        ("writers/john-smith_1.jpg", "актёры/John Smith/1.jpg"),
    ],
)
def test_folders_of_people_hold_people(tmp_path: Path, files: tuple[str, ...]) -> None:
    """Namesakes in two of them are two people."""
    assert set(plan_names(tmp_path, *files).values()) == {"John Smith"}
    assert plan_people(tmp_path, *files) == 2


def test_a_folder_of_people_round_everything_is_left_off(tmp_path: Path) -> None:
    names = plan_names(tmp_path, "data/people/ada/1.jpg", "data/people/bob/1.jpg")

    assert names == {"ada/1.jpg": "Ada", "bob/1.jpg": "Bob"}


@pytest.mark.parametrize(
    "file",
    [
        "IMG_0001.jpg",
        "Screenshot 2024-01-01 at 10.00.00.png",
        "1.jpg",
        "2019/1.jpg",
        "photos/1.jpg",
    ],
)
def test_a_name_that_is_no_name_is_left_empty(tmp_path: Path, file: str) -> None:
    names = plan_names(tmp_path, file, "Jane Doe/IMG_0001.jpg")

    assert names == {file: "", "Jane Doe/IMG_0001.jpg": "Jane Doe"}


def test_copies_and_numbers_join_the_person(tmp_path: Path) -> None:
    files = ("Jane Doe (1).jpg", "Jane Doe - Copy.jpg", "jane doe 3.jpg", "Jane Doe (2)/1.jpg")

    assert plan_people(tmp_path, *files, "jane-doe_4.jpg", "Jane Doe/5.jpg") == 1


# Who is one person


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José Álvarez", "Jose Alvarez"),
        ("Anna Strauß", "Anna Strauss"),
        ("Иван Чёрный", "Иван Черный"),
        ("みつき", "みづき"),
        ("ハル", "バル"),
    ],
)
def test_names_that_differ_in_marks_are_two_people(tmp_path: Path, one: str, other: str) -> None:
    files = (f"{one}/1.jpg", f"{other}/1.jpg")

    assert plan_people(tmp_path, *files) == 2
    assert plan_people(tmp_path, *files, same=(one,)) == 1


def test_names_that_differ_in_case_are_one_person(tmp_path: Path) -> None:
    assert plan_people(tmp_path, "ZOË/1.jpg", "zoë/2.jpg", "Zoe\u0308/3.jpg") == 1


@pytest.mark.parametrize(
    ("rows", "people"),
    [
        ("a/1.jpg,John Smith,,\nb/1.jpg,John Smith,,", 2),
        ("a/1.jpg,John Smith,,\na/2.jpg,john smith,,", 1),
        ("a/1.jpg,John Smith,1950,\na/2.jpg,John Smith,1980,", 2),
        ("a/1.jpg,John Smith,1950,\na/2.jpg,John Smith,,", 1),
        ("a/1.jpg,John Smith,,Q1\nb/1.jpg,J. Smith,,Q1", 1),
        ("a/1.jpg,John Smith,,Q1\na/2.jpg,John Smith,,", 1),
        ("a/1.jpg,John Smith,,Q1\na/2.jpg,John Smith,,Q2", 2),
        ("a/1.jpg,Ada Roe,,\na/2.jpg,Bob Roe,,", 2),
    ],
)
def test_a_person_is_an_id_or_a_name_with_year_and_folder(
    tmp_path: Path, rows: str, people: int
) -> None:
    files = {line.partition(",")[0]: b"" for line in rows.splitlines()}
    write_files(tmp_path, {**files, "manifest.csv": f"file,name,born,wikidata\n{rows}\n"})

    plan = plan_import(FolderSource(tmp_path))

    assert len({photo.identity for photo in plan.portraits}) == people
    assert plan.bad_lines == []
