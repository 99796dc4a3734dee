from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from lookalike.faces.vectors_csv import BadLine, normalise, read_vectors, write_vectors


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_it_works(tmp_path: Path) -> None:
    """Every float32 comes back as it was, whatever the file's name is."""
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((5, 8)).astype(np.float32) * np.float32(10) ** rng.integers(
        -30, 30, (5, 1)
    ).astype(np.float32)
    names = ["a.jpg", "b, the second.jpg", 'c "quoted".png', "д.webp", "e\nf.jpg"]
    path = tmp_path / "vectors.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = zip(names, vectors, strict=True)
        assert write_vectors(file, rows, encoder="dlib/1", header=True) == 5

    table = read_vectors(path)

    assert table.names == names
    assert table.encoder == "dlib/1"
    np.testing.assert_array_equal(table.vectors, vectors)
    assert table.vectors.dtype == np.float32
    assert table.lines[:4] == [2, 3, 4, 5]


def test_writes_as_few_digits_as_needed() -> None:
    file = io.StringIO()
    write_vectors(file, [("a.jpg", np.array([0.1, -2, 1e-9], np.float32))], header=True)

    assert file.getvalue() == "file_name,0,1,2\na.jpg,0.1,-2.0,1e-09\n"


@pytest.mark.parametrize(
    "text",
    [
        "a,1,2\nb,3,4\n",
        "file_name,0,1\na,1,2\nb,3,4\n",
        "name,x,y\r\na,1,2\r\n\r\nb,3,4",
        "\ufefffile_name,0,1\na,1,2\nb,3,4\n",
        '"a","1","2"\nb, 3, 4\n',
    ],
)
def test_handles_other_programs_files(tmp_path: Path, text: str) -> None:
    table = read_vectors(write(tmp_path / "vectors.csv", text))

    assert table.names == ["a", "b"]
    assert table.encoder == ""
    np.testing.assert_array_equal(table.vectors, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no vector"),
        ("file_name,0,1\n", 1, "no vector"),
        ("a,1,2\nb,3\n", 2, "1 numbers, where the lines before have 2"),
        ("a,1,2\nb,3,x\n", 2, '"x" is not a number'),
        ("a,1,2\nb,3,inf\n", 2, "not a finite number"),
        ("a,1,2\nb,3,1e39\n", 2, "not a finite number"),
        ("a,1,2\n\nb,0,0\n", 3, "zero"),
        ("a,1,2\nb,1e-60,0\n", 2, "zero"),
        ("a,1,2\n ,3,4\n", 2, "no file name"),
        ("a,1,2\na,3,4\n", 2, "a stood already on line 1"),
        ("a\n", 1, "no number behind"),
        ('a,1,2\n"b,3,4\n', 2, "not comma-separated text"),
        ("a,1,2\nb,,4\n", 2, '"" is not a number'),
    ],
)
def test_rejects_a_bad_line_by_number(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(BadLine, match=message) as caught:
        read_vectors(write(tmp_path / "vectors.csv", text))

    assert caught.value.line == line
    assert str(caught.value).startswith(f"Line {line}: ")


def test_rejects_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "vectors.csv"
    path.write_bytes(b"a,1,2\n\xff\xfe,3,4\n")

    with pytest.raises(BadLine, match="not UTF-8"):
        read_vectors(path)


def test_normalise_takes_any_size() -> None:
    vectors = np.array([[3, 4], [1e-30, 0], [-3e38, 3e38]], np.float32)

    expected = np.array([[0.6, 0.8], [1, 0], [-(0.5**0.5), 0.5**0.5]], np.float32)
    np.testing.assert_allclose(normalise(vectors), expected, rtol=1e-6)
