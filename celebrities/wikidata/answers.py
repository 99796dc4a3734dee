"""Check answers: usable, to be asked for again, or final failures."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from PIL import Image

from celebrities.wikidata.errors import ApiError, Refused, TooSlow

# API errors that are temporary.
PASSING = {"maxlag", "ratelimited", "readonly"}
# The query service writes this when a query exceeds 60 s: with status 500, or with status 200 in
# the middle of the answer.
_TIMED_OUT = b"TimeoutException"


FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF")
"""Of Commons' thumbnails and of its photos."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class TryAgain(Exception):
    """The answer is not usable now. ``after`` is its Retry-After in seconds.

    ``own_fault``: the cause is the requested file, not a busy server or the network.
    ``is_busy``: the server says that it is.
    """

    def __init__(
        self,
        reason: str,
        after: float | None = None,
        *,
        own_fault: bool = False,
        is_busy: bool = False,
    ) -> None:
        super().__init__(reason)
        self.after = after
        self.own_fault = own_fault
        self.is_busy = is_busy


def check_status(answer: Answer) -> None:
    """Raises TryAgain, TooSlow or Refused unless the status is 2xx."""
    if answer.status < 300:
        return
    if _TIMED_OUT in answer.body[:20_000]:
        raise TooSlow("The query ran out of time.")
    status = f"HTTP {answer.status}"
    if answer.status in {408, 425, 429, 503}:
        raise TryAgain(status, read_retry_after(answer), is_busy=True)
    if answer.status >= 500:
        raise TryAgain(status, read_retry_after(answer), own_fault=True)
    if answer.status < 400:
        raise TryAgain(f"{status} without an address", own_fault=True)
    raise Refused(f"it answered {status}")


def read_json(answer: Answer, key: str) -> dict[str, Any]:
    """The JSON object in the body, in which ``key`` must be an object or an empty list.

    Raises TryAgain for any other body and for temporary errors, TooSlow, and ApiError.
    """
    check_status(answer)
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
        if _TIMED_OUT in answer.body:
            raise TooSlow("The query ran out of time.") from None
    if isinstance(found, dict):
        error = found.get("error")
        if isinstance(error, dict):
            code = str(error.get("code", ""))
            if code in PASSING or code.startswith("internal_api_error"):
                raise TryAgain(code, read_retry_after(answer), is_busy=True)
            raise ApiError(code, str(error.get("info", "")), str(error.get("id", "")))
        # PHP writes an empty object as a list.
        if isinstance(found.get(key), dict) or found.get(key) == []:
            return found
    raise TryAgain("an answer without data", read_retry_after(answer))


def check_picture(answer: Answer, sha1: str = "") -> None:
    """Raises TryAgain unless the body is a complete picture, and has this SHA-1 if one is given."""
    check_status(answer)
    again = read_retry_after(answer)
    if sha1 and hashlib.sha1(answer.body, usedforsecurity=False).hexdigest() != sha1:
        raise TryAgain("a file with another SHA-1", again, own_fault=True)
    try:
        with Image.open(io.BytesIO(answer.body), formats=FORMATS) as image:
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TryAgain("a broken picture", again, own_fault=True) from error


def read_retry_after(answer: Answer) -> float | None:
    """Seconds to wait, or None if the header is missing or malformed."""
    text = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            until = parsedate_to_datetime(text).timestamp()
        except (ValueError, OverflowError):
            return None
        seconds = until - _server_time(answer)
    return max(0.0, seconds) if seconds < float("inf") else None


def _server_time(answer: Answer) -> float:
    """The time of the answer by the server's clock, since ours may differ."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return time.time()
