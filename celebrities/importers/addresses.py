"""Pictures from https addresses, on named hosts only."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Collection
from urllib.parse import urljoin, urlsplit

TIMEOUT = 20.0
LONGEST = 120.0
"""Seconds that one picture may take."""

_REDIRECTS = 3
_BLOCK = 1 << 16


def download(address: str, hosts: Collection[str], limit: int) -> bytes:
    """The bytes at an address, at most one over the limit.

    Follows redirects on the same named ``hosts`` ("host" or "host:port") only. Raises OSError,
    also for a host whose address is private, and for an answer that takes too long.
    """
    for _ in range(_REDIRECTS + 1):
        parts = urlsplit(address)
        if parts.scheme != "https" or parts.netloc not in hosts:
            raise OSError(f"{parts.scheme}://{parts.netloc} is not a host that may be asked")
        connection = _Connection(str(parts.hostname), parts.port or 443)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target or "/", headers={"User-Agent": "Lookalike"})
            answer = connection.getresponse()
            if answer.status in (301, 302, 303, 307, 308):
                address = urljoin(address, answer.getheader("Location", ""))
                continue
            if answer.status != 200:
                raise OSError(f"the server answers {answer.status} {answer.reason}")
            return _read(answer, limit)
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"the server's answer is broken: {error!r}") from error
        finally:
            connection.close()
    raise OSError("there are too many redirects")


def _read(answer: http.client.HTTPResponse, limit: int) -> bytes:
    deadline = time.monotonic() + LONGEST
    data = bytearray()
    while len(data) <= limit:
        block = answer.read(min(_BLOCK, limit + 1 - len(data)))
        if not block:
            if answer.length:
                raise OSError("the answer ended early")
            break
        data += block
        if time.monotonic() > deadline:
            raise OSError(f"it took longer than {LONGEST:.0f} s")
    return bytes(data)


class _Connection(http.client.HTTPSConnection):
    """To an address that was checked: a second look-up of the host might give another."""

    def __init__(self, host: str, port: int) -> None:
        self.tls = ssl.create_default_context()
        super().__init__(host, port, timeout=TIMEOUT, context=self.tls)

    def connect(self) -> None:
        raw = socket.create_connection((find_public(self.host, self.port), self.port), TIMEOUT)
        self.sock = self.tls.wrap_socket(raw, server_hostname=self.host)


def find_public(host: str, port: int) -> str:
    """An address of the host. Raises OSError if any of them is not a public one."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for each in found:
        if not ipaddress.ip_address(each.partition("%")[0]).is_global:
            raise OSError(f"{host} is a private address")
    return found[0]
