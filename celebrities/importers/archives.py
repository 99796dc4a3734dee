"""ZIP and tar archives, read in place: nothing is unpacked to disk, so no name in them can lead
anywhere, and no member is unpacked beyond the limit."""

from __future__ import annotations

import io
import lzma
import tarfile
import weakref
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from celebrities.errors import BadSource
from celebrities.importers.filenames import ZIP_ENCODINGS
from celebrities.importers.sources import Source
from celebrities.models import MAX_FILE_BYTES

MAX_FILES = 100_000
"""In one archive. A hostile one may list millions."""

MAX_MEMBER_BYTES = 2_000_000_000
"""Members of a compressed tar must be unpacked to get past them."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW = 1 << 27
_UTF8_FLAG = 0x800
# A member may be damaged, encrypted, or packed in a way that Python doesn't know.
_UNPACKING = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    OSError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
    KeyError,
)


class ZipSource(Source):
    """A ZIP archive. Names that don't say so are in UTF-8 or in a code page of DOS or Windows."""

    encodings = ZIP_ENCODINGS

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            self.archive = zipfile.ZipFile(path)
        except _UNPACKING as error:
            raise BadSource(f"{path} cannot be read as a ZIP archive: {error}.") from error
        check_count(path, len(self.archive.infolist()))
        files = sorted(
            (info for info in self.archive.infolist() if not info.is_dir()),
            key=lambda info: info.filename,
        )
        self.add_all((raw_name(info), info) for info in files)

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        try:
            with self.archive.open(self.members[path]) as member:
                return member.read(limit + 1)
        except _UNPACKING as error:
            raise OSError(f"it cannot be unpacked: {error}") from error


def raw_name(info: zipfile.ZipInfo) -> bytes:
    """The name's bytes. zipfile decodes those without a flag as cp437."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_FLAG else "cp437")


class TarSource(Source):
    """A tar archive: plain, or packed by gzip, bzip2, xz or zstandard."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            self.archive = open_tar(path)
            weakref.finalize(self, self.archive.close)
            members: list[tarfile.TarInfo] = []
            for member in self.archive:
                members.append(member)
                check_count(path, len(members))
                if member.size > MAX_MEMBER_BYTES:
                    raise BadSource(f"{path} holds a file of {member.size:,} bytes.")
        except _UNPACKING as error:
            raise BadSource(f"{path} cannot be read as a tar archive: {error}.") from error
        # Of several members of one name, the last is what unpacking would leave.
        files = {member.name: member for member in members if member.isfile()}
        self.add_all(
            (name.encode("utf-8", "surrogateescape"), member) for name, member in files.items()
        )

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        try:
            member = self.archive.extractfile(self.members[path])
            return member.read(limit + 1) if member else b""
        except _UNPACKING as error:
            raise OSError(f"it cannot be unpacked: {error}") from error


def check_count(path: Path, count: int) -> None:
    """Raises BadSource."""
    if count > MAX_FILES:
        raise BadSource(f"{path} holds more than {MAX_FILES:,} files. Import it in parts.")


def is_tar(path: Path) -> bool:
    return is_zstandard(path) or tarfile.is_tarfile(path)


def is_zstandard(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _ZSTD_MAGIC


def open_tar(path: Path) -> tarfile.TarFile:
    if not is_zstandard(path):
        return tarfile.open(path, encoding="utf-8", errors="surrogateescape")
    reader = cast(BinaryIO, io.BufferedReader(ZstdFile(path)))
    return tarfile.open(fileobj=reader, mode="r:", encoding="utf-8", errors="surrogateescape")


class ZstdFile(io.RawIOBase):
    """A zstandard file that can be read from any position. Going back starts it anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rewind()

    def rewind(self) -> None:
        unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self.stream = unpacker.stream_reader(self.path.open("rb"), read_across_frames=True)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return self.stream.readinto(buffer)

    def tell(self) -> int:
        return self.stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        target = offset + (self.tell() if whence == io.SEEK_CUR else 0)
        if target < self.tell():
            self.stream.close()  # type: ignore[no-untyped-call]
            self.rewind()
        while self.tell() < target and self.stream.read(min(1 << 20, target - self.tell())):
            pass
        return self.tell()

    def close(self) -> None:
        self.stream.close()  # type: ignore[no-untyped-call]
        super().close()
