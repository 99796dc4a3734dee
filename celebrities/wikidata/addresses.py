"""Which addresses are asked: Wikimedia's over HTTPS, and local ones that the settings name."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from celebrities.wikidata.errors import ForbiddenAddress

HOSTS = ("wikidata.org", "wikimedia.org", "wikipedia.org")

THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}

Origin = tuple[str, str, int | None]


class Addresses:
    """Knows the ``endpoints`` of the services. Raises ForbiddenAddress for one that is neither
    Wikimedia's nor local."""

    def __init__(self, endpoints: tuple[str, ...]) -> None:
        self._local = {_origin(each) for each in endpoints if _is_local(each)}
        for each in endpoints:
            self.check(each)

    def check(self, address: str) -> None:
        """Raises ForbiddenAddress unless it is Wikimedia's over HTTPS, or a local endpoint's."""
        scheme, host, port = _origin(address)
        is_theirs = any(host == each or host.endswith(f".{each}") for each in HOSTS)
        if scheme == "https" and is_theirs and port in {None, 443}:
            return
        if (scheme, host, port) not in self._local:
            raise ForbiddenAddress(
                f"{scheme}://{host_of(address)} is not asked: only Wikimedia's hosts over HTTPS "
                "are, and local addresses that the settings name."
            )


def host_of(address: str) -> str:
    """Host and port as written; empty for what is no address."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _origin(address: str) -> Origin:
    """Scheme, host and port; empty for what is no address. All names of this machine are one."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", "", None
    return parts.scheme, "localhost" if host in THIS_MACHINE else host, port


def _is_local(address: str) -> bool:
    _, host, _ = _origin(address)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False
