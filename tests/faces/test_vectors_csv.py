from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from lookalike.faces.tables import BadLine
from lookalike.faces.vectors_csv import normalise, read_vectors, write_vectors


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
    assert table.lines == [2, 3, 4, 5, 6]


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
        "a\t1\t2\nb\t3\t4\n",
        "a;1,0;2,0\nb;3,0;4,0\n",
        "sep=;\nfile;0;1\na;1;2\nb;3;4\n",
        "index,0,1\na,1,2\nb,3,4\n",  # df.reset_index().to_csv(index=False)
        ",index,0,1\n0,a,1,2\n1,b,3,4\n",  # df.reset_index().to_csv()
        "Unnamed: 0,file_name,0,1\n0,a,1,2\n1,b,3,4\n",  # read and written again
        "index,file_name,v1,v2\n7,a,1,2\n9,b,3,4\n",
        "0,1,file_name\n1,2,a\n3,4,b\n",
        "file_name,1,2\na,1,2\nb,3,4\n",
        "file_name,0,1\na,1,2\nfile_name,0,1\nb,3,4\n",  # two tables appended
    ],
)
def test_handles_other_programs_files(tmp_path: Path, text: str) -> None:
    table = read_vectors(write(tmp_path / "vectors.csv", text))

    assert table.names == ["a", "b"]
    assert table.encoder == ""
    np.testing.assert_array_equal(table.vectors, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "heading", ["photo_name,0,1,2", ",0,1,2", ",1,2,3", "index,0,1,2", "image,x,y,z"]
)
def test_never_takes_a_heading_for_a_vector(tmp_path: Path, heading: str) -> None:
    table = read_vectors(write(tmp_path / "vectors.csv", f"{heading}\na,0.5,1,2\n"))

    assert table.names == ["a"]


@pytest.mark.parametrize("name", ["photo", "index"])
def test_never_takes_a_vector_for_a_heading(tmp_path: Path, name: str) -> None:
    table = read_vectors(write(tmp_path / "vectors.csv", f"{name},0.5,1\nb,0.5,2\n"))

    assert table.names == [name, "b"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no vector"),
        ("file_name,0,1\n", 1, "no vector"),
        ("a,1,2\nb,3\n", 2, "1 numbers, expected 2"),
        ("a,1,2\nb,3,x\n", 2, '"x" is not a number'),
        ("a,1,2\nb,3,inf\n", 2, "not a finite number"),
        ("a,1,2\nb,3,1e39\n", 2, "not a finite number"),
        ("a,1,2\n\nb,0,0\n", 3, "zero"),
        ("a,1,2\nb,1e-60,0\n", 2, "zero"),
        ("a,1,2\n ,3,4\n", 2, "no file name"),
        ("a,1,2\na,3,4\n", 2, "a is already on line 1"),
        ("a\n", 1, "no number after the file name; separate them by comma, semicolon or tab"),
        ('a,1,2\n"b,3,4\n', 2, "quotes or separators are broken"),
        ("a,1,2\nb,,4\n", 2, '"" is not a number'),
        ("a,1,x\n", 1, '"x" is not a number'),
        ("a,1,2\nb,3,4,5\n", 2, "3 numbers, expected 2"),
        ("a,1,2,4\n,0,1,2\n", 2, "no file name"),
        ("a,1,2,4\nindex,0,1,2\n", 2, "this is a heading, not a vector"),
        ("file_name,cluster,0,1\na,7,1,2\n", 1, 'column "cluster" is neither'),
        ("a,np.float32(0.1),np.float32(0.2)\n", 1, "is not a number; write plain numbers"),
        ('a,"[0.1 0.2]"\n', 1, "is not a number; write plain numbers"),
    ],
)
def test_rejects_a_bad_line_by_number(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(BadLine, match=message) as caught:
        read_vectors(write(tmp_path / "vectors.csv", text))

    assert caught.value.line == line
    assert str(caught.value).startswith(f"Line {line}: ")


def test_normalise_takes_any_size() -> None:
    vectors = np.array([[3, 4], [1e-30, 0], [-3e38, 3e38]], np.float32)

    expected = np.array([[0.6, 0.8], [1, 0], [-(0.5**0.5), 0.5**0.5]], np.float32)
    np.testing.assert_allclose(normalise(vectors), expected, rtol=1e-6)
