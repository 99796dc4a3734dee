"""Weights come from a real server: checked, and whole or not at all."""

from __future__ import annotations

import hashlib
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
    break_after = 0
    """Bytes after which the connection is dropped; 0 never drops it."""
    stall = False
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0
        self.stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/weights.pt"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        server = self.server
        server.asked += 1
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(server.content)))
        self.end_headers()
        self.wfile.write(server.content[: server.break_after or None])
        if server.stall:
            server.stopped.wait(30)

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


def make_weights(url: str) -> Weights:
    return Weights("test", "weights.pt", url, hashlib.sha256(CONTENT).hexdigest())


def test_it_works(server: FileServer, tmp_path: Path) -> None:
    path = fetch_weights(make_weights(server.url), tmp_path / "new")

    assert path == tmp_path / "new" / "weights.pt"
    assert path.read_bytes() == CONTENT
    assert [*path.parent.iterdir()] == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_it_shows_its_progress(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch_weights(make_weights(server.url), tmp_path, progress=True)

    assert "1.50M/1.50M" in capsys.readouterr().err


def test_it_fetches_nothing_that_is_there(server: FileServer, tmp_path: Path) -> None:
    fetch_weights(make_weights(server.url), tmp_path)
    fetch_weights(make_weights(server.url), tmp_path)

    assert server.asked == 1


def test_it_replaces_a_file_that_is_not_the_published_one(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "weights.pt").write_bytes(CONTENT[:1000])

    assert fetch_weights(make_weights(server.url), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT + b"x", b"x" + CONTENT[1:], CONTENT[:-10], b""])
def test_it_rejects_another_file(server: FileServer, tmp_path: Path, content: bytes) -> None:
    server.content = content
    with pytest.raises(WeightsAltered, match="not the published file"):
        fetch_weights(make_weights(server.url), tmp_path)

    assert not [*tmp_path.iterdir()]


def test_it_leaves_nothing_when_the_connection_breaks(server: FileServer, tmp_path: Path) -> None:
    server.break_after = 400_000
    with pytest.raises(DownloadFailed, match="--from FILE"):
        fetch_weights(make_weights(server.url), tmp_path)

    assert not [*tmp_path.iterdir()]


def test_it_gives_up_when_nothing_comes(server: FileServer, tmp_path: Path) -> None:
    server.break_after, server.stall = 1000, True
    with pytest.raises(DownloadFailed, match="timed out"):
        fetch_weights(make_weights(server.url), tmp_path, timeout=0.2)


@pytest.mark.parametrize("status", [404, 503])
def test_it_says_what_the_server_answered(server: FileServer, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadFailed, match=str(status)):
        fetch_weights(make_weights(server.url), tmp_path)


def test_it_says_when_there_is_no_server(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="could not be downloaded"):
        fetch_weights(make_weights("http://127.0.0.1:9/weights.pt"), tmp_path)


def test_a_file_can_be_brought(tmp_path: Path) -> None:
    file = tmp_path / "mine.bin"
    file.write_bytes(CONTENT)
    path = install_weights(make_weights(""), file, tmp_path / "new")

    assert path == tmp_path / "new" / "weights.pt"
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
