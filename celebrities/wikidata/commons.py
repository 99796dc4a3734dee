"""Fetch facts about files on Wikimedia Commons, 50 per request, and their pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from celebrities.wikidata.cache import UNKNOWN
from celebrities.wikidata.client import Client

TITLES_A_REQUEST = 50
WIDTH = 960
"""Commons makes thumbnails in a few widths only; this is one of them."""
MAX_ADDRESS = 500
FIELDS = (
    "Artist|Attribution|AttributionRequired|Credit|LicenseShortName|License|LicenseUrl|UsageTerms|"
    "Copyrighted|NonFree|Restrictions|DateTimeOriginal|DeletionReason"
)
MAX_TITLES_LENGTH = 6000
"""Characters of a request's titles; addresses of over 8 KB are refused by many servers."""
MAX_TITLE_BYTES = 240
_NOT_IN_TITLES = re.compile(r"[\[\]{}<>|#\x00-\x1f\x7f\ufffd]")
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
    # Asked by the name as Wikidata has it: what its proper form is, Commons knows best.
    unknown = {title: name for name, title in titles.items() if known[title] is UNKNOWN}
    known |= {title: {"missing": True} for title in unknown if not _may_exist(title)}
    for batch in _batch(filter(_may_exist, unknown)):
        pages = _ask(client, endpoint, [f"File:{bare(unknown[title])}" for title in batch])
        for title in batch:
            known[title] = pages.get(title, {})
            if known[title].get("imageinfo") or is_missing(known[title]):
                client.cache.put_json(key(title), known[title])
    found: dict[str, CommonsFile | None] = {}
    for name, title in titles.items():
        file = read_file(known[title])
        if file is not None or is_missing(known[title]):
            found[name] = file
    return found


def is_missing(page: dict[str, Any]) -> bool:
    return page.get("missing", False) is not False or page.get("invalid", False) is not False


def _may_exist(title: str) -> bool:
    """False for titles that MediaWiki doesn't allow. A "|" would part them in a request."""
    name = bare(title)
    return 0 < len(name.encode()) <= MAX_TITLE_BYTES and not _NOT_IN_TITLES.search(name)


def _batch(titles: Iterable[str]) -> Iterator[list[str]]:
    """At most 50, and no more than an address may hold: in Russian a name is six times as long
    there."""
    batch: list[str] = []
    length = 0
    for title in titles:
        more = len(quote(title, safe="")) + 3
        if batch and (len(batch) == TITLES_A_REQUEST or length + more > MAX_TITLES_LENGTH):
            yield batch
            batch, length = [], 0
        batch.append(title)
        length += more
    if batch:
        yield batch


def bare(name: str) -> str:
    return name.removeprefix("File:").strip()


def title_of(name: str) -> str:
    """A file's title in Commons' form: with spaces, and a capital first letter."""
    plain = " ".join(bare(name).replace("_", " ").split())
    first = plain[:1].upper()
    # MediaWiki has no capital for letters such as ß.
    return f"File:{first}{plain[1:]}" if len(first) == 1 else f"File:{plain}"


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
    # Each part tells of one file at least, but for one that may tell of none.
    for _ in range(len(titles) + 1):
        answer = client.get_json(endpoint, params | more, "query", keep=False)
        query = answer["query"] or {}
        for change in [*_objects(query, "normalized"), *_objects(query, "redirects")]:
            renamed[str(change.get("from"))] = str(change.get("to"))
        for page in _objects(query, "pages"):
            known = pages.setdefault(title_of(str(page.get("title", ""))), page)
            if page.get("imageinfo"):
                known["imageinfo"] = page["imageinfo"]
        following = answer.get("continue")
        if not isinstance(following, dict) or not following:
            break
        more = {key: str(value) for key, value in following.items()}
    found = {}
    for title in titles:
        # Looked up twice: a title is normalized first, and may then redirect.
        final = renamed.get(title, title)
        last = title_of(renamed.get(final, final))
        if last in pages:
            found[title_of(title)] = pages[last]
    return found


def _objects(query: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list, or of an object as older forms of the answer have it."""
    found = query.get(key)
    values = found.values() if isinstance(found, dict) else found
    return [each for each in values if isinstance(each, dict)] if values else []


def read_file(page: dict[str, Any]) -> CommonsFile | None:
    """None if the page has no file, or the file no address or checksum."""
    infos = _objects(page, "imageinfo")
    if not infos:
        return None
    info = infos[0]
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
    query = client.get_json(endpoint, params, "query")["query"] or {}
    titles = [str(each.get("title", "")) for each in _objects(query, "categorymembers")]
    return [title.removeprefix("File:") for title in titles if title]


def load_picture(client: Client, file: CommonsFile) -> bytes:
    """The picture's bytes. Raises BadPicture and Unavailable."""
    return client.get_picture(file.address, file.sha1 if file.is_original else "")
