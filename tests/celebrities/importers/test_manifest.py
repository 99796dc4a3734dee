"""manifest.csv: names, facts and credits."""

from __future__ import annotations

import pytest

from celebrities.importers.manifest import Entry, read_manifest
from lookalike.faces.tables import BadLine


def read_one(text: str) -> Entry:
    listing = read_manifest(text.encode())
    assert listing.problems == []
    (entry,) = listing.entries.values()
    return entry


def test_it_works() -> None:
    entry = read_one(
        "file,name,other_names,gender,birth_year,death_year,occupations,wikidata,author,licence,"
        "licence_url,source_page,notes\n"
        'ada_1.jpg,Ada,Ада | Countess,female,1815,1852,"writer, scientist",Q7259,A. Chalon,'
        "public domain,https://example.org/pd,https://example.org/ada,1840\n"
    )

    assert entry == Entry(
        file="ada_1.jpg",
        line=2,
        name="Ada",
        other_names="Ада\nCountess",
        gender="female",
        birth_year=1815,
        death_year=1852,
        occupations=("writer", "scientist"),
        wikidata="Q7259",
        author="A. Chalon",
        licence="public domain",
        licence_url="https://example.org/pd",
        source_page="https://example.org/ada",
        notes="1840",
    )


def test_handles_other_headings() -> None:
    entry = read_one(
        "\ufefffile;Person;sex;Date of birth;licence_as_stated;source_repository;Photo credit\r\n"
        'ada_1.jpg;Ada;F;1815-12-10;"public; domain";some/repo;A. Chalon\r\n'
    )

    assert (entry.name, entry.gender, entry.birth_year) == ("Ada", "female", 1815)
    assert (entry.licence, entry.notes, entry.author) == (
        "public; domain",
        "some/repo",
        "A. Chalon",
    )


@pytest.mark.parametrize("heading", ["", "index", "Unnamed: 0,file"])
def test_handles_the_index_of_pandas(heading: str) -> None:
    row = "0,ada_1.jpg,Ada" if "," in heading else "ada_1.jpg,Ada"

    assert read_one(f"{heading},name\n{row}\n").file == "ada_1.jpg"


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1987", 1987),
        ("1987.0", 1987),
        ("1987-05-12", 1987),
        ("1987-05", 1987),
        ("1987-05-12 00:00:00", 1987),
        ("+1987-05-12T00:00:00Z", 1987),
        ("-44", -44),
        ("12.05.1987", 1987),
        ("01/02/1961", 1961),
        ("12-05-1987", 1987),
        ("", None),
        ("NaN", None),
    ],
)
def test_reads_the_year_of_a_date(text: str, year: int | None) -> None:
    assert read_one(f"file,born\na.jpg,{text}\n").birth_year == year


def test_reads_a_year_with_a_decimal_comma() -> None:
    assert read_one("file;born\na.jpg;1987,0\n").birth_year == 1987


@pytest.mark.parametrize("text", ["NaN", "nan", "NULL", "None", "-", "N/A", " "])
def test_handles_signs_for_no_value(text: str) -> None:
    entry = read_one(f"file,name,gender,author,wikidata\na.jpg,{text},{text},{text},{text}\n")

    assert entry == Entry(file="a.jpg", line=2)


def test_handles_short_rows_and_empty_ends() -> None:
    listing = read_manifest(b"file,name,author\na.jpg\nb.jpg,Bob\nc.jpg,Cy,Me,,\n")

    assert listing.problems == []
    assert [(entry.name, entry.author) for entry in listing.entries.values()] == [
        ("", ""),
        ("Bob", ""),
        ("Cy", "Me"),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1251"])
def test_handles_other_encodings(encoding: str) -> None:
    text = "file;name;author\nivan-petrov_1.jpg;Иван Петров;А. Фотограф\n"
    listing = read_manifest(text.encode(encoding))

    (entry,) = listing.entries.values()
    assert (entry.name, entry.author) == ("Иван Петров", "А. Фотограф")
    assert listing.remarks == (
        ["manifest.csv was read as cp1251; UTF-8 is safer"] if encoding == "cp1251" else []
    )


def test_names_columns_that_are_not_used() -> None:
    listing = read_manifest(b"file,Rights,,born in,empty,author,credit\na.jpg,CC0,7,Rome,,Me,You\n")

    assert listing.remarks == [
        f"manifest.csv: the column {name} is unknown and was not used"
        for name in ("'Rights'", "'number 3'", "'born in'", "'credit'")
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a_1.jpg,Ada,robot,1815,,,", "'robot' is not a gender"),
        ("a_1.jpg,Ada,female,long ago,,,", "'long ago' is not a year"),
        ("a_1.jpg,Ada,female,01/02/61,,,", "'01/02/61' is not a year"),
        ("a_1.jpg,Ada,female,01/02-1961,,,", "is not a year"),
        ("a_1.jpg,Ada,female,3000,,,", "'3000' is not a year that anybody"),
        ("a_1.jpg,Ada,female,0,,,", "'0' is not a year that anybody"),
        ("a_1.jpg,Ada,female,-5000,,,", "is not a year"),
        ("a_1.jpg,Ada,female,1815,javascript:alert(1),,", "not a web address"),
        ("a_1.jpg,Ada,female,1815,,42,", "Wikidata"),
        (",Ada,female,1815,,,", "it names no file"),
        ("a_1.jpg,Ada,,,,,,more", "it has 8 fields, the heading 7"),
        ("b_1.jpg,Second,,,,,", "b_1.jpg is named a second time"),
        (f"a_1.jpg,Ada,,,,,{'x' * 301}", "its author is longer than 300 characters"),
    ],
)
def test_rejects_a_bad_line_by_its_number_and_keeps_the_others(line: str, reason: str) -> None:
    text = f"file,name,gender,birth_year,source_page,wikidata,author\nb_1.jpg,Bob\n\n{line}\n"
    listing = read_manifest(text.encode())

    assert list(listing.entries) == ["b_1.jpg"]
    (problem,) = listing.problems
    assert problem.where == "manifest.csv, line 4"
    assert reason in problem.reason


@pytest.mark.parametrize("text", ["", "name,gender\nAda,female\n", 'file,name\na.jpg,"Ada\n'])
def test_rejects_a_table_that_cannot_be_understood(text: str) -> None:
    with pytest.raises(BadLine):
        read_manifest(text.encode())


def test_rejects_a_death_before_the_birth() -> None:
    listing = read_manifest(b"file,name,born,died\na.jpg,Ada,1900,1850\nb.jpg,Bob,-44,14\n")

    assert [problem.reason for problem in listing.problems] == [
        "death in 1850 comes before birth in 1900"
    ]
    assert list(listing.entries) == ["b.jpg"]
