"""Folders and archives as sources."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from celebrities.errors import BadSource
from celebrities.importers import archives
from celebrities.importers.archives import TarSource, ZipSource
from celebrities.importers.opening import open_source
from celebrities.importers.sources import FolderSource, read_whole
from tests.celebrities.factories import make_photo, pack, write_files


def test_a_folder_and_an_archive_of_it_read_alike(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"Ada/1.jpg": b"one", "Ada/2.jpg": b"two", ".DS_Store": b""}
    folder = FolderSource(write_files(tmp_path / "folder", files))
    archive = ZipSource(pack(tmp_path / "a.zip", {**files, "__MACOSX/Ada/._1.jpg": b"junk"}))

    for source in (folder, archive):
        assert source.paths == ["Ada/1.jpg", "Ada/2.jpg"]
        assert source.read("Ada/2.jpg") == b"two"
        assert source.read("Ada/2.jpg", limit=1) == b"tw"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(make_photo())
    folder = write_files(tmp_path / "folder", {"ada_1.jpg": b"x"})
    (folder / "link_1.jpg").symlink_to(secret)
    source = FolderSource(folder)

    with pytest.raises(OSError, match="out of the folder"):
        source.read("link_1.jpg")


def test_26_an_archive_bomb_is_never_inflated_beyond_the_limit(tmp_path: Path) -> None:
    source = ZipSource(pack(tmp_path / "bomb.zip", {"bomb_1.jpg": bytes(200_000_000)}))

    assert len(source.read("bomb_1.jpg", limit=1_000_000)) == 1_000_001


def test_27_names_that_climb_out_of_an_archive_lead_nowhere(tmp_path: Path) -> None:
    path = pack(tmp_path / "evil.zip", {"../../evil_1.jpg": b"x", "/etc/passwd_1.jpg": b"y"})
    before = sorted(tmp_path.rglob("*"))
    source = ZipSource(path)
    for name in source.paths:
        source.read(name)

    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_member_is_an_error_of_that_file_alone(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"ada_1.jpg": make_photo(1), "bob_1.jpg": b"fine"})
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)
    source = ZipSource(path)

    with pytest.raises(OSError, match="unpacked"):
        source.read("ada_1.jpg")
    assert source.read("bob_1.jpg") == b"fine"


def test_rejects_what_is_neither_folder_nor_archive(tmp_path: Path) -> None:
    write_files(tmp_path, {"notes.txt": "text", "broken.zip": b"PK\x03\x04broken"})

    for name in ("missing", "notes.txt", "broken.zip"):
        with pytest.raises(BadSource, match=name):
            open_source(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty. Copy"),
        (b"PK\x03\x04broken", "whose end is missing"),
        (b"Rar!\x1a\x07", "Unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "Unpack it"),
        (b"\xff\xd8\xff\xe0", "one picture. Put it into a folder"),
    ],
)
def test_says_what_to_do_with_a_file_that_is_no_source(
    tmp_path: Path, data: bytes, says: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)

    with pytest.raises(BadSource, match=says):
        open_source(path)


# Names


def pack_raw(path: Path, names: dict[bytes, bytes]) -> Path:
    """A ZIP whose names are these very bytes, without the flag for UTF-8."""
    placeholders = {f"{number:0{len(name)}}": name for number, name in enumerate(names)}
    pack(path, {short: names[name] for short, name in placeholders.items()})
    data = path.read_bytes()
    for short, name in placeholders.items():
        data = data.replace(short.encode(), name)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp866", ["Анна Смирнова/фото.jpg", "Иван Петров/1.jpg", "Plain/1.jpg"]),
        ("cp437", ["José Muñoz/1.jpg", "Zoë Müller/1.jpg"]),
        ("cp850", ["João Ávila/1.jpg", "Zoë Müller/1.jpg"]),
        ("cp1251", ["Анна Смирнова/1.jpg", "Ёлка Яковлева/1.jpg"]),
        ("cp1252", ["José Álvarez/1.jpg", "Zoë Müller/1.jpg"]),
        ("utf-8", ["José Álvarez/1.jpg", "Анна ★/1.jpg", "みつき/1.jpg"]),
        ("cp932", ["みつき花子/写真.jpg", "山田太郎/1.jpg"]),
    ],
)
def test_names_in_a_zip_are_read_in_the_code_page_they_are_in(
    tmp_path: Path, encoding: str, names: list[str]
) -> None:
    path = pack_raw(tmp_path / "a.zip", {name.encode(encoding): name.encode() for name in names})
    source = ZipSource(path)

    assert sorted(source.paths) == sorted(names)
    for name in names:
        assert source.read(name) == name.encode()


def test_backslashes_in_a_zip_separate_folders(tmp_path: Path) -> None:
    path = pack_raw(
        tmp_path / "a.zip", {b"gallery\\Jane Roe\\1.jpg": b"x", b"C:\\Ada\\2.jpg": b"y"}
    )

    assert sorted(ZipSource(path).paths) == ["Ada/2.jpg", "gallery/Jane Roe/1.jpg"]


def pack_tar(path: Path, files: dict[str, bytes], encoding: str = "utf-8") -> Path:
    packed = io.BytesIO()
    mode = {".gz": "w:gz", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(
        fileobj=packed,
        mode=mode,
        encoding=encoding,
        format=tarfile.GNU_FORMAT,  # type: ignore[call-overload]
    ) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    data = packed.getvalue()
    path.write_bytes(zstandard.compress(data) if path.suffix == ".zst" else data)
    return path


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.zst", "a.tar.xz", "without ending"])
def test_a_tar_reads_like_its_folder(tmp_path: Path, name: str) -> None:
    files = {f"Ada/{number}.jpg": os.urandom(50_000) for number in range(5)}
    source = open_source(pack_tar(tmp_path / name, files))

    assert source.paths == list(files)
    for path in reversed(source.paths):
        assert source.read(path) == files[path]
    assert source.read("Ada/3.jpg", limit=10) == files["Ada/3.jpg"][:11]


def test_latin_1_and_decomposed_names_in_a_tar_are_right_and_composed(tmp_path: Path) -> None:
    latin = TarSource(pack_tar(tmp_path / "a.tar", {"Zoë Test/1.jpg": b"x"}, "latin-1"))
    decomposed = TarSource(pack_tar(tmp_path / "b.tar", {"Zoe\u0308 Test/1.jpg": b"y"}))

    for source in (latin, decomposed):
        assert source.paths == ["Zoë Test/1.jpg"]
    assert latin.read("Zoë Test/1.jpg") == b"x"


def test_latin_1_names_on_disk_are_right(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/Zo\xeb Test"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder + b"/1.jpg")).write_bytes(b"x")

    source = FolderSource(tmp_path)

    assert source.paths == ["Zoë Test/1.jpg"]
    assert source.read("Zoë Test/1.jpg") == b"x"


def test_a_name_in_an_unknown_encoding_is_a_problem_of_that_file(tmp_path: Path) -> None:
    path = pack_raw(tmp_path / "a.zip", {b"\xdb\xb1\xfe/1.jpg": b"x", b"Ada/1.jpg": b"y"})

    source = ZipSource(path)

    assert source.paths == ["Ada/1.jpg"]
    assert [problem.reason for problem in source.problems] == ["its name is in an unknown encoding"]


def test_two_files_of_one_composed_name_are_told(tmp_path: Path) -> None:
    source = FolderSource(write_files(tmp_path, {"zoë_1.jpg": b"1", "zoe\u0308_1.jpg": b"2"}))

    assert source.paths == ["zoë_1.jpg"]
    assert [problem.reason for problem in source.problems] == ["another file has this very name"]


# Left-overs


def test_leftovers_of_systems_are_counted_and_skipped(tmp_path: Path) -> None:
    leftovers = [
        "Ada/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
        "#recycle/Old Person/x.jpg",
        ".AppleDouble/1.jpg",
        "__MACOSX/Ada/._1.jpg",
        "Ada/._1.jpg",
        "Ada/Thumbs.db",
        "Ada/.DS_Store",
        "@__thumb/1.jpg",
        "SYNOPHOTO_THUMB_XL.jpg",
        "$RECYCLE.BIN/1.jpg",
        ".picasaoriginals/1.jpg",
        "1.jpg:Zone.Identifier",
        "Ada/thumbs/1.jpg",
        "Ada/_thumb_1.jpg",
        "Ada/1.jpg~",
        "Ada/~$1.jpg",
        "Ada/1.jpg.part",
        "Ada/1.aae",
        "Ada/1.jpg.xmp",
        "Network Trash Folder/x.jpg",
        "digikam4.db",
    ]
    source = FolderSource(write_files(tmp_path, dict.fromkeys(["Ada/1.jpg", *leftovers], b"x")))

    assert source.paths == ["Ada/1.jpg"]
    assert source.leftovers.total() == len(leftovers)
    assert source.problems == []


# What cannot be read


def test_a_folder_that_may_not_be_read_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path, {"Ada/1.jpg": b"x", "Bob/1.jpg": b"y", "Bob/2.jpg": b"z"})
    real: Callable[..., object] = os.scandir

    def scandir(path: Path) -> object:
        """Tests may run as root, who may read everything."""
        if Path(path).name == "Ada":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    source = FolderSource(folder)

    assert source.paths == ["Bob/1.jpg", "Bob/2.jpg"]
    assert [(each.where, each.reason) for each in source.problems] == [("Ada", "permission denied")]


def test_links_in_a_circle_and_pipes_are_told(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"Ada/1.jpg": b"x"})
    (folder / "Ada" / "again").symlink_to(folder)
    (folder / "self.jpg").symlink_to(folder / "self.jpg")
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")

    source = FolderSource(folder)

    assert source.paths == ["Ada/1.jpg"]
    assert {each.where for each in source.problems} == {
        "Ada/again",
        "self.jpg",
        "gone.jpg",
        "pipe.jpg",
    }


def test_a_name_of_255_bytes_is_read(tmp_path: Path) -> None:
    name = "я" * 125 + "1.jpg"
    source = FolderSource(write_files(tmp_path, {name: b"x"}))

    assert source.read(name) == b"x"


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_files(tmp_path, {"1.jpg": bytes(1000)}) / "1.jpg"
    real = os.fstat
    calls = []

    def fstat(number: int) -> os.stat_result:
        calls.append(number)
        if len(calls) > 1:
            path.write_bytes(bytes(2000))
        return real(number)

    monkeypatch.setattr(os, "fstat", fstat)

    with pytest.raises(OSError, match="changed while it was read"):
        read_whole(path, 5000)


# Limits


def test_archives_of_too_many_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    files = dict.fromkeys(("1.jpg", "2.jpg", "3.jpg"), b"x")

    for path in (pack(tmp_path / "a.zip", {**files}), pack_tar(tmp_path / "a.tar.gz", files)):
        with pytest.raises(BadSource, match="holds more than 2 files"):
            open_source(path)


def test_a_tar_with_a_huge_file_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 1000)

    with pytest.raises(BadSource, match="holds a file of 1,001 bytes"):
        open_source(pack_tar(tmp_path / "a.tar.gz", {"1.jpg": bytes(1001)}))


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.zst"])
def test_a_tar_that_ends_early_is_refused(tmp_path: Path, name: str) -> None:
    path = pack_tar(tmp_path / name, {"Ada/1.jpg": os.urandom(100_000), "Ada/2.jpg": b"x"})
    path.write_bytes(path.read_bytes()[:50_000])

    with pytest.raises(BadSource, match=r"cannot be read as a tar archive"):
        open_source(path)
