"""What a curator may expect of an import, by the numbers of the specification of the desk."""

from __future__ import annotations

import io
import tarfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from celebrities.models import Celebrity, Portrait
from tests.celebrities.factories import make_photo, write_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]


def run(*words: object) -> tuple[int, str]:
    """The exit code, and everything that was said."""
    out = io.StringIO()
    code = 0
    try:
        call_command("import_celebrities", *map(str, words), "--no-rebuild", stdout=out, stderr=out)
    except CommandError as error:
        code = error.returncode
        out.write(str(error))
    return code, out.getvalue()


def people() -> dict[str, list[tuple[str, str]]]:
    """Author and licence of each portrait, by name."""
    return {
        person.name: [(each.author, each.licence) for each in person.portraits.order_by("pk")]
        for person in Celebrity.objects.order_by("pk")
    }


def write_manifest(folder: Path, *lines: str, heading: str = "file,name,born,author") -> None:
    (folder / "manifest.csv").write_text("\n".join((heading, *lines)) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ada and Bob with a portrait each, told of by a manifest."""
    folder = tmp_path / "source"
    write_files(folder, {"ada_1.jpg": make_photo(1), "bob_1.jpg": make_photo(2)})
    write_manifest(folder, "ada_1.jpg,Ada Example,1815,Jo", "bob_1.jpg,Bob Sample,1900,Al")
    return folder


def test_32_a_dry_run_says_everything_and_writes_nothing(folder: Path) -> None:
    run(folder)
    rows = [*Celebrity.objects.values(), *Portrait.objects.values()]
    files = storages["gallery"].listdir("portraits")
    write_files(folder, {"ada_2.jpg": make_photo(3), "Adà Example/1.jpg": make_photo(4)})
    write_manifest(folder, "ada_1.jpg,Ada Example,1816,Jo", "ada_2.jpg,Ada Example,1816,Jo")

    code, said = run(folder, "--dry-run")

    assert code == 0
    assert "differs: Ada Example: birth year 1816, in the gallery 1815" in said
    assert "question: Adà Example: may be Ada Example" in said
    assert "new person: Adà Example" in said
    assert "Would import 2 portraits (1 new people), skipped 2, failed 0" in said
    assert [*Celebrity.objects.values(), *Portrait.objects.values()] == rows
    assert storages["gallery"].listdir("portraits") == files


@pytest.mark.parametrize("line", ["ghost.jpg,Ghost,1900,Jo", "bob_1.jpg,Bob,long ago,Al"])
def test_33_a_manifest_with_an_error_stops_before_anything_is_written(
    folder: Path, line: str
) -> None:
    write_manifest(folder, "ada_1.jpg,Ada Example,1815,Jo", line)

    code, said = run(folder)
    assert (code, people()) == (2, {})
    assert "manifest.csv, line 3" in said

    code, said = run(folder, "--skip-bad-lines")
    assert code == 1
    assert people()["Ada Example"] == [("Jo", "")]


def test_33_exit_codes_tell_what_was_done(folder: Path) -> None:
    assert run(folder)[0] == 0
    assert run(folder)[0] == 0
    (folder / "bob_2.jpg").write_bytes(b"no picture")
    assert run(folder)[0] == 1
    for name in ("ada_1.jpg", "bob_1.jpg", "manifest.csv"):
        (folder / name).unlink()
    assert run(folder)[0] == 2
    assert run(folder / "missing")[0] == 2


def manifest(text: str, encoding: str, file: str = "ivan-petrov_1.jpg") -> dict[str, bytes]:
    return {"manifest.csv": text.encode(encoding), file: make_photo(1)}


KANA = ("みつき", "みづき", "ハル", "バル")
IVAN = "file;name;author;licence\nivan-petrov_1.jpg;Иван Петров;А. Фотограф;CC BY 4.0\n"
JANE = "file;name;born;author\njane-roe_1.jpg;Jane Rôe;{born};Jo\n"


@pytest.mark.parametrize(
    ("files", "expected", "says"),
    [
        (
            manifest(IVAN, "cp1251"),
            {"Иван Петров": [("А. Фотограф", "CC BY 4.0")]},
            "read as cp1251",
        ),
        (manifest(IVAN, "utf-16"), {"Иван Петров": [("А. Фотограф", "CC BY 4.0")]}, ""),
        (
            manifest("sep=;\n" + JANE.format(born=1987), "utf-8-sig", "jane-roe_1.jpg"),
            {"Jane Rôe": [("Jo", "")]},
            "",
        ),
        (
            manifest(JANE.format(born="1987.0"), "utf-8", "jane-roe_1.jpg"),
            {"Jane Rôe": [("Jo", "")]},
            "",
        ),
        (
            manifest("file,name,born\njane-roe_1.jpg,Jane\n", "utf-8", "jane-roe_1.jpg"),
            {"Jane": [("", "")]},
            "",
        ),
        (
            {f"{name}/1.jpg": make_photo(number) for number, name in enumerate(KANA)},
            {name: [("", "")] for name in KANA},
            "question",
        ),
        (
            {
                "Jane Roe/1.jpg": make_photo(1),
                "Jane Roe/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg": make_photo(2),
                "#recycle/Old Person/x.jpg": make_photo(3),
            },
            {"Jane Roe": [("", "")]},
            "were skipped (#recycle, @eaDir)",
        ),
        (
            {
                unicodedata.normalize("NFD", "zoë-müller_1.jpg"): make_photo(1),
                "Manifest.CSV": "file,name,author\nzoë-müller_1.jpg,Zoë Müller,Jo\n".encode(),
            },
            {"Zoë Müller": [("Jo", "")]},
            "",
        ),
    ],
)  # fmt: skip
def test_35_what_came_in_wrong_before_is_right(
    tmp_path: Path, files: dict[str, bytes], expected: dict[str, Any], says: str
) -> None:
    code, said = run(write_files(tmp_path / "source", {**files}))

    assert code == 0
    assert people() == expected
    assert says in said


def test_35_names_in_archives_are_right(tmp_path: Path) -> None:
    name = "Анна Смирнова/1.jpg".encode("cp866")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x" * len(name), make_photo(1))
        archive.writestr("gallery\\Jane Roe\\1.jpg", make_photo(2))
    path = tmp_path / "a.zip"
    path.write_bytes(data.getvalue().replace(b"x" * len(name), name))
    assert run(path)[0] == 0
    assert set(people()) == {"Анна Смирнова", "Jane Roe"}


def test_35_latin_1_in_a_tar_is_right_and_the_others_come_in(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", encoding="latin-1") as archive:
        for number, name in enumerate(("Adam Before", "Zoë Test", "Yuri After")):
            info = tarfile.TarInfo(f"{name}/1.jpg")
            info.size = len(make_photo(number))
            archive.addfile(info, io.BytesIO(make_photo(number)))
    assert run(tmp_path / "a.tar")[0] == 0
    assert set(people()) == {"Adam Before", "Zoë Test", "Yuri After"}


def test_36_two_people_of_one_name_stay_two_and_are_asked_about(tmp_path: Path) -> None:
    names = ("one/John Smith/1.jpg", "two/John Smith/1.jpg")
    files = {name: make_photo(number) for number, name in enumerate(names)}
    source = write_files(tmp_path / "source", {**files})

    said = run(source)[1]
    again = run(source)[1]

    assert "question: John Smith: may be John Smith (/people/john-smith/)" in said
    assert [each.name for each in Celebrity.objects.all()] == ["John Smith"] * 2
    assert "(0 new people), skipped 2" in again
    assert len(set(Celebrity.objects.values_list("slug", flat=True))) == 2


def test_37_update_takes_corrections_except_of_what_was_changed_by_hand(folder: Path) -> None:
    run(folder)
    Celebrity.objects.filter(name="Ada Example").update(birth_year=1814)
    Portrait.objects.filter(author="Al").update(author="Alexandra")
    write_manifest(folder, "ada_1.jpg,Ada Example,1817,Jo Doe", "bob_1.jpg,Bob Sample,1901,Albert")

    said = run(folder, "--update")[1]

    facts = dict(Celebrity.objects.values_list("name", "birth_year"))
    assert facts == {"Ada Example": 1814, "Bob Sample": 1901}
    assert people() == {"Ada Example": [("Jo Doe", "")], "Bob Sample": [("Alexandra", "")]}
    assert "kept: Ada Example: birth year 1817, in the gallery 1814" in said
    assert "updated: Bob Sample: birth year 1901, in the gallery 1900" in said
    assert "kept: bob_1.jpg: author Albert, in the gallery Alexandra" in said
    assert "kept as changed by hand 2" in said

    write_manifest(folder, "ada_1.jpg,Ada Example,1817,Jo", "bob_1.jpg,Bob Sample,1902,Albert")
    said = run(folder, "--update")[1]
    assert "updated: Bob Sample: birth year 1902, in the gallery 1901" in said


def test_37_what_a_curator_has_cleared_is_not_filled_in_again(folder: Path) -> None:
    run(folder)
    Celebrity.objects.filter(name="Ada Example").update(birth_year=None)

    for words in ([], ["--update"]):
        assert "kept: Ada Example: birth year 1815" in run(folder, *words)[1]
    assert Celebrity.objects.get(name="Ada Example").birth_year is None


def test_38_a_file_replaced_under_its_name_is_offered_as_a_replacement(folder: Path) -> None:
    run(folder)
    before = Portrait.objects.get(author="Jo")
    (folder / "ada_1.jpg").write_bytes(make_photo(9))

    said = run(folder)[1]
    assert "differs: ada_1.jpg: the file has changed" in said
    said = run(folder, "--update")[1]

    assert "replaced: ada_1.jpg" in said
    after = Portrait.objects.get(author="Jo")
    assert (after.pk, after.image_hash != before.image_hash) == (before.pk, True)
    assert Portrait.objects.count() == 2
