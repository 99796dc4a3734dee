"""The reader of tables in plain text."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.faces.tables import BadLine, read_table, tidy_heading

Rows = list[tuple[int, list[str]]]


def rows(data: bytes) -> Rows:
    return list(read_table(data).rows)


def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("file,name\nada.jpg,Ada Lovelace\n")

    table = read_table(path)

    assert table.encoding == "utf-8"
    assert list(table.rows) == [(1, ["file", "name"]), (2, ["ada.jpg", "Ada Lovelace"])]


@pytest.mark.parametrize(
    ("encoding", "name", "found"),
    [
        ("utf-8", "Алла Пугачёва", "utf-8"),
        ("utf-8-sig", "José Álvarez", "utf-8-sig"),
        ("utf-16", "張偉", "utf-16"),
        ("utf-16-be", "\ufeffJosé", "utf-16"),
        ("cp1251", "Алла Пугачёва", "cp1251"),
        ("cp1251", "Привет «Мир» © Фото", "cp1251"),
        ("cp1252", "José Álvarez", "cp1252"),
        ("cp1252", "Björk Guðmundsdóttir", "cp1252"),
        ("cp1252", "Zoë", "cp1252"),
        ("cp1250", "Łukasz Żółty", "cp1250"),
        ("cp1253", "Γιώργος Παπαδόπουλος", "cp1253"),
        ("koi8-r", "Алла Пугачёва", "koi8-r"),
        ("cp866", "Алла Пугачёва", "cp866"),
        ("mac-roman", "Jürgen Groß", "mac-roman"),
        ("utf-16-le", "José Álvarez", "utf-16-le"),
        ("utf-16-be", "José Álvarez", "utf-16-be"),
    ],
)
def test_finds_the_encoding(encoding: str, name: str, found: str) -> None:
    table = read_table(f"{name},file\n".encode(encoding))

    assert table.encoding == found
    assert list(table.rows) == [(1, [name.lstrip("\ufeff"), "file"])]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a,b\n", ["a", "b"]),
        ("a;b\n", ["a", "b"]),
        ("a\tb\n", ["a", "b"]),
        ("a.jpg;0,5;1,5\n", ["a.jpg", "0,5", "1,5"]),
        ("Doe, Jane.jpg;0,5;1,5\n", ["Doe, Jane.jpg", "0,5", "1,5"]),
        ("a;b.jpg,0.5,1.5\n", ["a;b.jpg", "0.5", "1.5"]),
        ('"a, b, c, d";e\n', ["a, b, c, d", "e"]),
        ("sep=;\na,b,c;d\n", ["a,b,c", "d"]),
        ('"sep=|"\r\na|b\r\n', ["a", "b"]),
        ("a|b\n", ["a", "b"]),
        ("\n \n\na;b\n", ["a", "b"]),
    ],
)
def test_finds_the_separator(text: str, cells: list[str]) -> None:
    assert [found for _, found in rows(text.encode())] == [cells]


def test_numbers_rows_by_their_first_line() -> None:
    data = b'sep=,\n"a\nb",1\r\n\r\n , \nc,2\rd,3'

    assert rows(data) == [(2, ["a\nb", "1"]), (6, ["c", "2"]), (7, ["d", "3"])]


def test_handles_an_empty_file() -> None:
    assert rows(b"") == []


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b'a,b\n"c,d\n', 2, "quotes or separators are broken"),
        (b'a,b\n"c"d,e\n', 2, "quotes or separators are broken"),
        (b"a,b\nc\0,d\n", 2, "NUL"),
        ("ж,b".encode("utf-16-le"), 1, "NUL"),
        (b"a,b\nZo\xc3\xab,1\nM\xfcller,2\n", 3, "not UTF-8 as the rest is"),
        (b"\xef\xbb\xbfa\n\xff", 1, "not utf-8-sig"),
        (b"PK\x03\x04 sheet", 1, "save the table as CSV"),
        ("김철수,이영희".encode("cp949"), 1, "encoding of the text is unknown"),
        ("李娜,王小明".encode("gbk"), 1, "encoding of the text is unknown"),
        ("山田太郎".encode("shift-jis"), 1, "encoding of the text is unknown"),
    ],
)
def test_rejects_what_is_not_a_table(data: bytes, line: int, problem: str) -> None:
    with pytest.raises(BadLine, match=f"^Line {line}: .*{problem}") as caught:
        rows(data)

    assert caught.value.line == line


def test_headings_are_compared_without_case_and_spacing() -> None:
    assert tidy_heading(" Date of-Birth ") == "date_of_birth"
