"""Who sends, and how often: one key for an address however it is written, one count."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from lookalike.senders import client_network, count, forget, network_of, seconds_left


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:51234 ", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:c000:201]:443", "192.0.2.1"),
        ("2002:c000:201::7", "192.0.2.1"),
        ("2001:db8:0:5:1:2:3:4", "2001:db8:0:5::/64"),
        ("2001:DB8:0:5::", "2001:db8:0:5::/64"),
        ("2001:0db8:0000:0005:ffff:ffff:ffff:ffff%eth0", "2001:db8:0:5::/64"),
        ("[2001:db8:0:5::9]:8080", "2001:db8:0:5::/64"),
        ("2001:db8:0:6::", "2001:db8:0:6::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
        ("_hidden", "unknown"),
        ("1.2.3", "unknown"),
        ("[", "unknown"),
        ("\x00", "unknown"),
    ],
)
def test_12_it_works(address: str, network: str) -> None:
    assert network_of(address) == network


def test_13_a_proxy_is_believed_only_when_trusted(rf: RequestFactory, settings: Settings) -> None:
    request = rf.get("/", HTTP_X_FORWARDED_FOR="198.51.100.9, 203.0.113.5", REMOTE_ADDR="10.0.0.1")

    assert client_network(request) == "10.0.0.1"
    settings.TRUST_PROXY = True
    assert client_network(request) == "203.0.113.5"
    assert client_network(rf.get("/", REMOTE_ADDR="10.0.0.1")) == "10.0.0.1"


def test_31_each_trusted_proxy_adds_an_address(rf: RequestFactory, settings: Settings) -> None:
    settings.TRUST_PROXY, settings.PROXIES = True, 2
    two = rf.get("/", HTTP_X_FORWARDED_FOR="8.8.8.8, 198.51.100.9:443, 10.0.0.1")
    assert client_network(two) == "198.51.100.9"
    assert client_network(rf.get("/", HTTP_X_FORWARDED_FOR="198.51.100.9")) == "198.51.100.9"


def test_it_counts_until_it_forgets(valkey: str) -> None:
    assert [count("a"), count("a", amount=5), count("b")] == [1, 6, 1]
    forget("a")
    assert count("a") == 1


def test_it_says_when_counting_begins_anew(valkey: str) -> None:
    assert seconds_left("a") == 0
    count("a", seconds=600)
    assert 590 < seconds_left("a") <= 600
    count("a", seconds=9000)
    assert seconds_left("a") <= 600


def test_it_counts_nothing_while_the_cache_is_away(valkey_away: None) -> None:
    assert [count("a"), count("a"), seconds_left("a")] == [0, 0, 0]
    forget("a")
