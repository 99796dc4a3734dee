"""Requests that nobody thought of, at every address: none is our own fault."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celebrities.models import Celebrity
from tests.uploads.factories import as_owner, body_of, make_result
from tests.uploads.test_access import ROWS

pytestmark = [pytest.mark.strangers, pytest.mark.django_db]

PIECES = [
    *(
        "%00",
        "%0a",
        "%0d%0a",
        "%ff",
        "%ed%a0%80",
        "%c0%af",
        "%25",
        "%2e%2e%2f",
        "..",
        "%F0%9F%98%80",
    ),
    *("'", '"', "<script>", "{{7*7}}", "-1", "0", "9" * 30, "1e999", "NaN", "é", "x" * 3000),
]
words = st.one_of(st.sampled_from(PIECES), st.text(max_size=30).map(lambda text: quote(text)))
names = st.sampled_from(
    [
        *(
            "q",
            "page",
            "category",
            "order",
            "person",
            "next",
            "language",
            "match",
            "sees_it",
            "link",
        ),
        *("k", "photo", "consent", "consent_version", "gender", "action", "_selected_action", "o"),
        *(
            "p",
            "e",
            "_popup",
            "_to_field",
            "_changelist_filters",
            "app_label",
            "model_name",
            "term",
        ),
        *("field_name", "status__exact", "created_at__gte", "id__in", "failure", "username"),
    ]
)
header_names = st.sampled_from(
    [
        *("Accept", "Accept-Language", "Accept-Encoding", "Cookie", "Origin", "Referer", "Range"),
        *(
            "HX-Request",
            "HX-Current-URL",
            "HX-Target",
            "HX-Boosted",
            "X-Forwarded-For",
            "If-None-Match",
        ),
        *(
            "If-Modified-Since",
            "X-Forwarded-Proto",
            "Host",
            "Content-Length",
            "Expect",
            "X-Requested-With",
        ),
    ]
)
header_values = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
    st.sampled_from(
        [
            *(
                "http://[",
                "bytes=5-1",
                "bytes=0-99999999999",
                "true",
                'sessionid="\\000"',
                "a=b;" * 500,
            ),
            *(
                "csrftoken=x",
                "en;q=nan",
                "zz-" * 500,
                "Thu, 99 Foo 0000 00:00:00 GMT",
                "-1",
                "9" * 40,
            ),
        ]
    ),
)
EXAMPLES = int(os.environ.get("EXAMPLES", "4000"))
PART = b'--B\r\nContent-Disposition: form-data; name="photo"; %s\r\n\r\n=\r\n--B--'
bodies = st.sampled_from(
    [
        (b"", "text/plain"),
        (b"a=%00&b=%ff", "application/x-www-form-urlencoded"),
        (
            b"&".join(b"a%d=1" % number for number in range(2000)),
            "application/x-www-form-urlencoded",
        ),
        (b"--B\r\n", "multipart/form-data; boundary=B"),
        (PART % b"filename*=x''y", "multipart/form-data; boundary=B"),
        (PART % b"x=\x00\r\nContent-Transfer-Encoding: base64", "multipart/form-data; boundary=B"),
        (b"{" * 1000, "application/json"),
        (b"\xff" * 100, "multipart/form-data"),
    ]
)


def quote(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def fill(pattern: str, pieces: list[str]) -> str:
    """The pattern's address with these pieces where it takes a value."""
    pattern = re.sub(r"\^?\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern).replace("$", "")
    left = iter([*pieces, *["1"] * 9])
    return "/" + re.sub(r"<[^>]+>", lambda found: next(left), pattern)


@pytest.fixture
def clients(gallery: list[Celebrity], valkey: str, admin_client: Client) -> list[Client]:
    upload = make_result(gallery)
    owner = Client(raise_request_exception=False)
    as_owner(owner, upload.owner)
    admin_client.raise_request_exception = False
    return [owner, admin_client]


@pytest.mark.parametrize("on", ["sqlite"])
def test_10_no_request_is_our_own_fault(clients: list[Client], on: str) -> None:
    assert find_faults(clients, EXAMPLES) == []


def find_faults(clients: list[Client], examples: int) -> list[str]:
    faults: list[str] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(
        st.sampled_from(clients),
        st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
        st.sampled_from([*ROWS]),
        st.lists(words, max_size=3),
        st.dictionaries(names, words, max_size=4),
        st.dictionaries(header_names, header_values, max_size=3),
        bodies,
    )
    def ask(client, method, pattern, pieces, query, headers, body) -> None:  # type: ignore[no-untyped-def]
        if "logout" in pattern:
            return
        address = fill(pattern, pieces)
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        extra = {"QUERY_STRING": asked.encode().decode("latin-1")}
        answer = client.generic(method, address, *body, headers=headers, **extra)
        if answer.streaming:
            body_of(answer)
        if answer.status_code >= 500 and not address.startswith(("/healthz", "/metrics")):
            faults.append(f"{answer.status_code} {method} {address}?{asked} {headers} {body}")

    run: Callable[[], None] = ask
    run()
    return faults
