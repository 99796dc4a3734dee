"""Fetch facts about files on Wikimedia Commons, 50 per request, and their pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from celebrities.wikidata.cache import UNKNOWN
from celebrities.wikidata.client import Client
from lookalike.chunks import batched

TITLES_A_REQUEST = 50
WIDTH = 960
"""Commons makes thumbnails in a few widths only; this is one of them."""
MAX_ADDRESS = 500
FIELDS = (
    "Artist|Attribution|AttributionRequired|Credit|LicenseShortName|License|LicenseUrl|UsageTerms|"
    "Copyrighted|NonFree|Restrictions|DateTimeOriginal|DeletionReason"
)
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class CommonsFile:
    """A file on Commons. ``address`` is the URL of the picture to download, ``page`` that of the
    file's page, ``sha1`` the original's checksum."""

    title: str
    page: str
    address: str
    sha1: str
    mime: str
    is_original: bool
    metadata: dict[str, Any] = field(default_factory=dict)


def fetch_files(
    client: Client, endpoint: str, names: Iterable[str]
) -> dict[str, CommonsFile | None]:
    """Files by requested name; None if Commons says that the file is missing. A name is left out
    if the answer is incomplete."""

    def key(title: str) -> str:
        return f"file {endpoint} {title}"

    titles = {name: title_of(name) for name in names}
    known = {title: client.cache.get_json(key(title)) for title in titles.values()}
    unknown = {title: name for name, title in titles.items() if known[title] is UNKNOWN}
    for batch in batched(unknown, TITLES_A_REQUEST):
        pages = _ask(client, endpoint, [f"File:{bare(unknown[title])}" for title in batch])
        for title in batch:
            known[title] = pages.get(title, {})
            client.cache.put_json(key(title), known[title])
    found: dict[str, CommonsFile | None] = {}
    for name, title in titles.items():
        page = known[title]
        file = read_file(page)
        if file is not None or page.get("missing", False) is not False:
            found[name] = file
    return found


def bare(name: str) -> str:
    return name.removeprefix("File:").strip()


def title_of(name: str) -> str:
    """A file's title in Commons' form: with spaces, and a capital first letter."""
    plain = " ".join(bare(name).replace("_", " ").split())
    return f"File:{plain[:1].upper()}{plain[1:]}"


def _ask(client: Client, endpoint: str, titles: list[str]) -> dict[str, dict[str, Any]]:
    """Pages by requested title, in `title_of`'s form. Long answers come in several parts."""
    params = {
        "action": "query",
        "format": "json",
        "formatversion": "2",
        "prop": "imageinfo",
        "titles": "|".join(titles),
        "redirects": "1",
        "iiprop": "url|size|mime|sha1|extmetadata",
        "iiurlwidth": str(WIDTH),
        "iiextmetadatafilter": FIELDS,
        "maxlag": "5",
    }
    renamed: dict[str, str] = {}
    pages: dict[str, dict[str, Any]] = {}
    more: dict[str, str] = {}
    while True:
        answer = client.get_json(endpoint, params | more, "query", keep=False)
        query = answer["query"]
        for change in [*query.get("normalized", []), *query.get("redirects", [])]:
            renamed[change["from"]] = change["to"]
        for page in query.get("pages", []):
            known = pages.setdefault(title_of(page["title"]), page)
            if page.get("imageinfo"):
                known["imageinfo"] = page["imageinfo"]
        more = {key: str(value) for key, value in answer.get("continue", {}).items()}
        if not more:
            break
    found = {}
    for title in titles:
        # Looked up twice: a title is normalized first, and may then redirect.
        final = renamed.get(title, title)
        page = pages.get(title_of(renamed.get(final, final)))
        if page is not None:
            found[title_of(title)] = page
    return found


def read_file(page: dict[str, Any]) -> CommonsFile | None:
    """None if the page has no file, or the file no address or checksum."""
    if not page.get("imageinfo"):
        return None
    info = page["imageinfo"][0]
    address = str(info.get("thumburl") or info.get("url") or "")
    sha1 = str(info.get("sha1", "")).lower()
    if not address or not _SHA1.fullmatch(sha1):
        return None
    title = str(page["title"])
    metadata = info.get("extmetadata")
    return CommonsFile(
        title=title,
        page=_page_address(str(info.get("descriptionurl", "")), title, page.get("pageid")),
        address=f"https:{address}" if address.startswith("//") else address,
        sha1=sha1,
        mime=str(info.get("mime", "")),
        is_original=address == info.get("url"),
        # PHP writes an empty object as a list.
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def _page_address(stated: str, title: str, page_id: object) -> str:
    if stated.startswith("https://") and len(stated) <= MAX_ADDRESS:
        return stated
    address = f"https://commons.wikimedia.org/wiki/{quote(title.replace(' ', '_'), safe='/:')}"
    if len(address) > MAX_ADDRESS:
        return f"https://commons.wikimedia.org/?curid={page_id}"
    return address


def list_category(client: Client, endpoint: str, category: str, limit: int = 50) -> list[str]:
    """Names of a category's files, in the category's order."""
    params = {
        "action": "query",
        "format": "json",
        "formatversion": "2",
        "list": "categorymembers",
        "cmtitle": f"Category:{category.removeprefix('Category:')}",
        "cmtype": "file",
        "cmlimit": str(limit),
        "maxlag": "5",
    }
    members = client.get_json(endpoint, params, "query")["query"].get("categorymembers", [])
    return [str(each["title"]).removeprefix("File:") for each in members]


def load_picture(client: Client, file: CommonsFile) -> bytes:
    """The picture's bytes. Raises BadPicture and Unavailable."""
    return client.get_picture(file.address, file.sha1 if file.is_original else "")
