"""Who sends, and how often: one function makes the key of an address, one counts.

Counts live in the cache alone, under keyed hashes.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from lookalike.cache import add_within, time_left
from lookalike.outages import CACHE_FAILURES

logger = logging.getLogger(__name__)

HOUR = 60 * 60


def client_network(request: HttpRequest) -> str:
    """The network that a request came from; behind a trusted proxy, as the proxy saw it."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.TRUST_PROXY else ""
    # Each trusted proxy adds an address on the right; what stands before those may be invented.
    seen = forwarded.split(",")[-settings.PROXIES :][0].strip()
    return network_of(seen or request.META.get("REMOTE_ADDR", ""))


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address: what one customer of a provider has.

    Takes ports, brackets and zones off, and IPv4 addresses out of IPv6 ones. Whatever is no
    address is one network, "unknown".
    """
    text = address.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        embedded = found.ipv4_mapped or found.sixtofour
        if embedded is None:
            return str(ipaddress.ip_network((found, 64), strict=False))
        found = embedded
    return str(found)


def count(what: str, *, amount: int = 1, seconds: int = HOUR) -> int:
    """Add to what was counted within ``seconds``; returns the sum. 0 while the cache is away, so
    that nobody is blocked then."""
    try:
        return add_within(_key(what), amount, seconds)
    except CACHE_FAILURES as error:
        logger.warning("Nothing is counted: the cache fails with %s", type(error).__name__)
        return 0


def seconds_left(what: str) -> float:
    """How long until counting begins anew. 0 where nothing is counted."""
    try:
        return time_left(_key(what))
    except CACHE_FAILURES:
        return 0.0


def forget(what: str) -> None:
    with contextlib.suppress(*CACHE_FAILURES):
        cache.delete(_key(what))


def hash_sender(network: str) -> str:
    """A name for the network that only this site can make: 32 hexadecimal digits."""
    return salted_hmac("lookalike.senders", network, algorithm="sha256").hexdigest()[:32]


def _key(what: str) -> str:
    return f"count:{hash_sender(what)}"
