"""Decide which files are free to use, and read the credit that each needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import nh3

CC = "https://creativecommons.org"
_CC_BY = re.compile(r"cc[ -]by([ -]sa)?(?:[ -]([1-4]\.[0-9]))?(?![0-9.])")
_PARTS = re.compile(r"[^a-z0-9.]+")
# Words in a licence's name or address that exclude a file, whatever else is stated.
_UNFREE = {
    "nc": "its licence forbids commercial use (NC)",
    "noncommercial": "its licence forbids commercial use (NC)",
    "nd": "its licence forbids changes (ND)",
    "noderivs": "its licence forbids changes (ND)",
    "noderivatives": "its licence forbids changes (ND)",
}
_NOBODY = {"", "unknown", "unknown author", "author unknown", "unknown photographer", "anonymous",
           "n/a", "none", "not stated"}  # fmt: skip
_NO = {"", "0", "false", "no"}

_BLOCKS = {"br", "p", "div", "li", "td", "th", "tr", "dd", "dt"}
MAX_LENGTH = 300
MAX_ADDRESS = 500


class NotFree(ValueError):
    """A file that may not be used. The text says why."""


@dataclass(frozen=True, slots=True)
class Credit:
    """A file's author and licence. ``author`` may be empty if the licence allows that."""

    author: str
    licence: str
    licence_url: str


def read_credit(metadata: Mapping[str, Any]) -> Credit:
    """Read ``extmetadata``. Raises NotFree unless it is CC0, public domain, CC BY or CC BY-SA.

    The words follow Commons' own keys, such as "cc-by-sa-4.0" and "pd".
    """
    fields = {name: _text(value) for name, value in metadata.items()}
    if fields.get("DeletionReason"):
        raise NotFree("it is nominated for deletion")
    if fields.get("NonFree", "").lower() not in _NO:
        raise NotFree("it is marked as not free (NonFree)")
    licence, url = _read_licence(fields)
    author = fields.get("Attribution") or fields.get("Artist") or ""
    has_author = author.lower().strip(" .") not in _NOBODY
    asks = licence.startswith("CC BY") or fields.get("AttributionRequired", "").lower() not in _NO
    if asks and not has_author:
        raise NotFree("its licence asks for an author, and none is stated")
    return Credit(author[:MAX_LENGTH], licence[:MAX_LENGTH], url)


def _read_licence(fields: dict[str, str]) -> tuple[str, str]:
    """(name, URL). Raises NotFree."""
    key = fields.get("License", "").lower()
    name = fields.get("LicenseShortName", "")
    stated = (key, name.lower(), fields.get("UsageTerms", "").lower())
    for part in _PARTS.split(" ".join([*stated, fields.get("LicenseUrl", "").lower()])):
        if part in _UNFREE:
            raise NotFree(_UNFREE[part])
    if any(words in text for text in stated for words in ("fair use", "non-free", "all rights")):
        raise NotFree("it has no free licence")
    url = _web_address(fields.get("LicenseUrl", ""))
    for text in (key, name.lower()):
        if re.match(r"cc0|cc[ -]zero", text):
            return name or "CC0", url or f"{CC}/publicdomain/zero/1.0/"
        if re.match(r"pd($|[ -])|public domain|cc[ -]pd|cc[ -]pdm", text):
            return name or "Public domain", url
        if found := _CC_BY.match(text):
            return _name_cc_by(name, found, url)
    raise NotFree(
        "it has no free licence" if not key and not name else f"{name or key} is not taken"
    )


def _name_cc_by(name: str, found: re.Match[str], url: str) -> tuple[str, str]:
    kind = "by-sa" if found[1] else "by"
    version = found[2] or ""
    if not name.upper().startswith("CC BY"):
        name = f"CC {kind.upper()} {version}".strip()
    return name, url or (f"{CC}/licenses/{kind}/{version}/" if version else "")


def _web_address(text: str) -> str:
    """The URL if it is http or https, else "". Creative Commons' are made https."""
    try:
        parts = urlsplit(f"https:{text}" if text.startswith("//") else text)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc or len(text) > MAX_ADDRESS:
        return ""
    if (parts.hostname or "").endswith("creativecommons.org"):
        parts = parts._replace(scheme="https")
    return parts.geturl()


def _text(field: Any) -> str:
    value = field.get("value", "") if isinstance(field, dict) else field
    return html_to_text(str(value))


def html_to_text(html: str) -> str:
    """Convert HTML to one line of text, without hidden elements.

    nh3 repairs the markup and removes scripts and styles, so that the reader below only sees
    properly nested elements.
    """
    if "<" not in html and "&" not in html:
        return " ".join(html.split())
    reader = _TextReader()
    reader.feed(nh3.clean(html, attributes={"*": {"style"}}, link_rel=None))
    reader.close()
    return " ".join("".join(reader.parts).split())


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0
        """Number of open elements inside a hidden one, including itself."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.parts.append(" ")
        style = (dict(attrs).get("style") or "").replace(" ", "").lower()
        if tag not in VOID and (self._hidden or "display:none" in style):
            self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append(" ")
        if self._hidden and tag not in VOID:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


VOID = {"area", "br", "col", "hr", "img", "wbr"}
"""Elements without an end tag."""
