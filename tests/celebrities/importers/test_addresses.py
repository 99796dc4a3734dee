"""Pictures from https addresses."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from celebrities.importers import addresses
from celebrities.importers.addresses import download, find_public


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/away":
            self.send_response(302)
            self.send_header("Location", query)
            self.end_headers()
        elif path == "/missing":
            self.send_error(404)
        else:
            self.send_response(200)
            self.send_header("Content-Length", "200000" if path == "/short" else "100000")
            self.end_headers()
            self.wfile.write(bytes(100_000))

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine, whose certificate counts as known and address as public."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(addresses, "find_public", lambda host, port: "127.0.0.1")
    yield f"localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_works(host: str) -> None:
    assert download(f"https://{host}/a.jpg", [host], 100_000) == bytes(100_000)


def test_no_more_than_one_byte_over_the_limit_is_read(host: str) -> None:
    assert len(download(f"https://{host}/a.jpg", [host], 5000)) == 5001


def test_redirects_are_followed_on_named_hosts(host: str) -> None:
    address = f"https://{host}/away?/a.jpg"

    assert len(download(address, [host], 100_000)) == 100_000


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/away?https://example.org/a.jpg", "example.org is not a host that may be asked"),
        ("/away?http://localhost/a.jpg", "http://localhost is not a host that may be asked"),
        ("/away?/away", "is not a host|too many redirects"),
        ("/missing", "the server answers 404"),
        ("/short", "ended early"),
    ],
)
def test_rejects_other_answers(host: str, path: str, reason: str) -> None:
    with pytest.raises(OSError, match=reason):
        download(f"https://{host}{path}", [host], 1_000_000)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/a.jpg",
        "https://example.org:8443/a",
        "https://me@example.org/",
        "file:///x",
    ],
)
def test_requires_https_on_a_named_host(address: str) -> None:
    with pytest.raises(OSError, match="is not a host that may be asked"):
        download(address, ["example.org"], 100)


def test_rejects_a_certificate_that_is_not_known(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(OSError, match="certificate verify failed"):
        download(f"https://{host}/a.jpg", [host], 100)


def test_rejects_private_addresses() -> None:
    with pytest.raises(OSError, match="localhost is a private address"):
        find_public("localhost", 443)
