"""Weights come from a real server: resumed, checked, and whole or not at all."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from lookalike.faces.errors import WeightsAltered, WeightsMissing
from lookalike.faces.weights import (
    FACENET,
    DownloadFailed,
    Weights,
    check_weights,
    fetch_weights,
    install_weights,
)

CONTENT = np.random.default_rng(9).bytes(1_500_000)


class FileServer(ThreadingHTTPServer):
    """Serves CONTENT, as well or as badly as a test asks for."""

    content = CONTENT
    ranges = True
    break_after = 0
    """Bytes after which the connection is dropped; 0 never drops it."""
    breaks_left = 0
    stall = False
    status = 0
    """A status to refuse every request with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []
        self.stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/weights.pt"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        if server.status:
            self.send_error(server.status)
            return
        start = 0
        if wanted and server.ranges:
            [start] = (int(number) for number in re.findall(r"bytes=(\d+)-$", wanted))
            if start >= len(server.content):
                self.send_error(416)
                return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.breaks_left:
            server.breaks_left -= 1
            self.wfile.write(body[: server.break_after])
            self.close_connection = True
        elif server.stall:
            self.wfile.write(body[:1000])
            server.stopped.wait(30)
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


def make_weights(url: str, content: bytes = CONTENT) -> Weights:
    sha256 = hashlib.sha256(content).hexdigest()
    return Weights("test", "weights.pt", url, len(content), sha256)


def test_it_works(server: FileServer, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    path = fetch_weights(
        make_weights(server.url),
        tmp_path / "new",
        progress=lambda have, size: steps.append((have, size)),
    )
    assert path == tmp_path / "new" / "weights.pt"
    assert path.read_bytes() == CONTENT
    assert [*path.parent.iterdir()] == [path]
    assert len(steps) > 3
    assert steps == sorted(steps)
    assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_it_fetches_nothing_that_is_there(server: FileServer, tmp_path: Path) -> None:
    fetch_weights(make_weights(server.url), tmp_path)
    fetch_weights(make_weights(server.url), tmp_path)
    assert server.asked == [None]


def test_it_replaces_a_file_that_is_not_the_published_one(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "weights.pt").write_bytes(CONTENT[:1000])
    assert fetch_weights(make_weights(server.url), tmp_path).read_bytes() == CONTENT


def test_it_goes_on_when_the_connection_breaks(server: FileServer, tmp_path: Path) -> None:
    server.break_after, server.breaks_left = 400_000, 2
    path = fetch_weights(make_weights(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=400000-", "bytes=800000-"]


def test_it_goes_on_at_the_next_call(server: FileServer, tmp_path: Path) -> None:
    server.break_after, server.breaks_left = 400_000, 1
    with pytest.raises(DownloadFailed, match="Try again to go on where it stopped"):
        fetch_weights(make_weights(server.url), tmp_path, attempts=1)
    assert not (tmp_path / "weights.pt").exists()
    steps: list[int] = []
    path = fetch_weights(
        make_weights(server.url), tmp_path, progress=lambda have, _: steps.append(have)
    )
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=400000-"]
    assert steps[0] > 400_000


def test_it_begins_again_when_the_server_cannot_resume(server: FileServer, tmp_path: Path) -> None:
    server.ranges = False
    server.break_after, server.breaks_left = 400_000, 1
    path = fetch_weights(make_weights(server.url), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=400000-"]


def test_it_finishes_a_download_that_was_only_not_renamed(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "weights.pt.partial").write_bytes(CONTENT)
    assert fetch_weights(make_weights(server.url), tmp_path).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("change", ["another", "longer"])
def test_it_rejects_another_file(server: FileServer, tmp_path: Path, change: str) -> None:
    server.content = CONTENT + b"x" if change == "longer" else b"x" + CONTENT[1:]
    with pytest.raises(WeightsAltered, match="not the published file"):
        fetch_weights(make_weights(server.url), tmp_path)
    assert not [*tmp_path.iterdir()]


def test_it_gives_up_when_the_file_is_short(server: FileServer, tmp_path: Path) -> None:
    server.content = CONTENT[:-10]
    with pytest.raises(DownloadFailed, match="--from FILE"):
        fetch_weights(make_weights(server.url), tmp_path)
    assert not (tmp_path / "weights.pt").exists()


def test_it_begins_again_when_it_has_more_than_the_server(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "weights.pt.partial").write_bytes(b"of another file")
    server.content = b"too short"
    with pytest.raises(DownloadFailed):
        fetch_weights(make_weights(server.url), tmp_path, attempts=1)
    server.content = CONTENT
    assert fetch_weights(make_weights(server.url), tmp_path).read_bytes() == CONTENT


def test_it_gives_up_when_nothing_comes(server: FileServer, tmp_path: Path) -> None:
    server.stall = True
    with pytest.raises(DownloadFailed, match="timed out"):
        fetch_weights(make_weights(server.url), tmp_path, timeout=0.2, attempts=2)
    assert len(server.asked) == 2


def test_it_asks_again_when_the_server_has_a_fault(server: FileServer, tmp_path: Path) -> None:
    server.status = 503
    with pytest.raises(DownloadFailed, match="503"):
        fetch_weights(make_weights(server.url), tmp_path)
    assert len(server.asked) == 3


def test_it_asks_once_when_the_server_refuses(server: FileServer, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(DownloadFailed, match="404"):
        fetch_weights(make_weights(server.url), tmp_path)
    assert len(server.asked) == 1


def test_it_says_when_there_is_no_server(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="could not be downloaded"):
        fetch_weights(make_weights("http://127.0.0.1:9/weights.pt"), tmp_path)


def test_a_file_can_be_brought(tmp_path: Path) -> None:
    file = tmp_path / "mine.bin"
    file.write_bytes(CONTENT)
    path = install_weights(make_weights(""), file, tmp_path / "new")
    assert path.read_bytes() == CONTENT
    assert [*path.parent.iterdir()] == [path]
    assert file.exists()


def test_a_file_that_is_another_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "mine.bin"
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsAltered, match=r"mine\.bin is not the published file"):
        install_weights(make_weights(""), file, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="no file"):
        install_weights(make_weights(""), tmp_path / "none", tmp_path)


def test_the_published_weights_are_told_from_others(tmp_path: Path) -> None:
    file = tmp_path / FACENET.file_name
    file.write_bytes(CONTENT)
    with pytest.raises(WeightsAltered, match=FACENET.sha256):
        check_weights(file, FACENET.sha256)
