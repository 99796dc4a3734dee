"""A local server that answers as Wikidata and Commons do, in good moods and bad ones.

    with Wikimedia() as server:
        server.add_person("Q1", "Ada Example", portrait=photo)
        server.moods += ["429 2", "html"]     # for the next two requests, whatever they ask

Its shapes are those of the projects' documentation. It keeps the time, address and headers of
every request.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

CC_BY_SA = {"License": "cc-by-sa-4.0", "LicenseShortName": "CC BY-SA 4.0", "Artist": "Jo Doe"}
HTML = b"<!DOCTYPE html><html><body>Wikimedia Error</body></html>"
PAGES = "https://commons.wikimedia.org/wiki/"
PLAIN = "no mood"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; ``at`` in seconds of `time.monotonic`."""

    at: float
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    delay: float = 0.0
    drip: float = 0.0
    """Seconds between two bytes of the body."""


class Wikimedia:
    """Wikidata's query service and API, Commons' API and its picture server on one port."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}
        self.merged: dict[str, str] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.pictures: dict[str, bytes] = {}
        self.categories: dict[str, list[str]] = {}
        self.moods: deque[str] = deque()
        self.picture_moods: dict[str, str] = {}
        self.extra_rows: list[dict[str, Any]] = []
        self.too_slow: Callable[[int, int | None], bool] = lambda low, high: False
        self.longest_address = 8000
        self.endless = False
        """Whether answers about files say to continue, for ever."""
        self.parts = 0
        """Files that an answer tells of before it says to continue, 0 for all."""
        self.seen: list[Seen] = []
        self.silences: list[tuple[float, float]] = []
        """From when to when each Retry-After asked for silence, as `time.monotonic`."""

    def __enter__(self) -> Wikimedia:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._handle(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.sparql = f"{self.url}/sparql"
        self.wikidata = f"{self.url}/wikidata/w/api.php"
        self.commons = f"{self.url}/commons/w/api.php"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What points a site's process here."""
        return {
            "LOOKALIKE_CONTACT": "operator@example.org",
            "LOOKALIKE_WIKIDATA_SPARQL": self.sparql,
            "LOOKALIKE_WIKIDATA_API": self.wikidata,
            "LOOKALIKE_COMMONS_API": self.commons,
        }

    def paths(self) -> list[str]:
        return [seen.path for seen in self.seen]

    # What it knows

    def add_person(
        self,
        id: str,
        name: str,
        *,
        portrait: bytes = b"",
        labels: dict[str, str] | None = None,
        aliases: dict[str, list[str]] | None = None,
        claims: dict[str, list[Any]] | None = None,
        sitelinks: int = 100,
        born: str = "+1960-05-17",
        credit: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """A human actor from the United States with one picture, named after the person."""
        named = {"en": name} if labels is None else labels
        facts: dict[str, list[Any]] = {
            "P31": ["Q5"],
            "P21": ["Q6581072"],
            "P106": ["Q33999"],
            "P27": ["Q30"],
            "P569": [make_time(born)],
        }
        if portrait:
            facts["P18"] = [f"{name}.jpg"]
            self.add_file(f"{name}.jpg", portrait, credit)
        facts |= claims or {}
        self.entities[id] = {
            "type": "item",
            "id": id,
            "labels": {code: {"language": code, "value": text} for code, text in named.items()},
            "aliases": {
                code: [{"language": code, "value": text} for text in texts]
                for code, texts in (aliases or {}).items()
            }
            or [],
            "claims": {code: [make_claim(each) for each in facts[code]] for code in facts},
            "sitelinks": {
                f"wiki{number}": {"site": f"wiki{number}"} for number in range(sitelinks)
            },
        }
        return self.entities[id]

    def add_file(
        self,
        name: str,
        data: bytes,
        credit: dict[str, str] | None = None,
        *,
        sha1: str = "",
        mime: str = "image/jpeg",
        original: bool = False,
    ) -> None:
        title = f"File:{name}"
        path = f"/thumb/{quote(name)}/330px-{quote(name)}"
        self.pictures[unquote(path)] = data
        metadata = CC_BY_SA if credit is None else credit
        self.files[title] = {
            "url": path if original else f"/original/{quote(name)}",
            "descriptionurl": PAGES + quote(title.replace(" ", "_")),
            "thumburl": path,
            "thumbwidth": 330,
            "thumbheight": 440,
            "width": 3000,
            "height": 4000,
            "mime": mime,
            "sha1": sha1 or hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            "extmetadata": {key: {"value": value} for key, value in metadata.items()},
        }

    # What it answers

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = unquote(parts.path)
        too_long = len(handler.path) > self.longest_address
        self.seen.append(Seen(time.monotonic(), path, query, dict(handler.headers)))
        mood = self.picture_moods.get(path, "") or (self.moods.popleft() if self.moods else PLAIN)
        reply = self._in_mood(mood, handler.path) or self._answer(path, query)
        if too_long:
            reply = Reply(414, HTML, "text/html")
        time.sleep(reply.delay)
        if "Retry-After" in reply.headers:
            now = time.monotonic()
            seconds = mood.split()[-1]
            self.silences.append((now, now + float(seconds) if seconds[0].isdigit() else now))
        self._send(handler, reply)

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        body = reply.body
        packed = "Content-Encoding" in reply.headers
        if (
            reply.type == "application/json"
            and not packed
            and handler.headers.get("Accept-Encoding") == "gzip"
        ):
            body = gzip.compress(body)
            reply.headers["Content-Encoding"] = "gzip"
        try:
            handler.send_response(reply.status)
            for name, value in {"Content-Type": reply.type, **reply.headers}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            if reply.drip:
                for place in range(len(body)):
                    handler.wfile.write(body[place : place + 1])
                    time.sleep(reply.drip)
            else:
                handler.wfile.write(body[: len(body) // 2] if reply.cut else body)
        except OSError:
            handler.close_connection = True
        if reply.cut:
            handler.close_connection = True

    def _in_mood(self, mood: str, address: str) -> Reply | None:
        word, _, rest = mood.partition(" ")
        match word:
            case "429" | "503":
                return Reply(int(word), HTML, "text/html", {"Retry-After": rest} if rest else {})
            case "503-maxlag":
                error = {"error": {"code": "maxlag", "info": "wait"}}
                return Reply(503, _json(error), headers={"Retry-After": rest})
            case "dated":
                # A date has whole seconds: one more makes it no sooner than was meant.
                until = formatdate(time.time() + float(rest) + 1, usegmt=True)
                return Reply(429, HTML, "text/html", {"Retry-After": until})
            case "500" | "403":
                return Reply(int(word), b"No", "text/plain")
            case "maxlag" | "ratelimited":
                error = {"error": {"code": word, "info": "wait"}}
                return Reply(body=_json(error), headers={"Retry-After": rest})
            case "html":
                return Reply(body=HTML, type="text/html")
            case "broken-off":
                text = b'{"results": {"bindings": [ java.util.concurrent.TimeoutException'
                return Reply(body=text)
            case "empty":
                return Reply(body=b"")
            case "no-object":
                return Reply(body=b"[]")
            case "cut":
                return Reply(body=b"{" + b" " * 2000, type="text/plain", cut=True)
            case "drip":
                return Reply(body=b'{"entities": {}, "query": {}}', drip=float(rest))
            case "cut-gzip" | "no-gzip":
                data = gzip.compress(b'{"entities": {}}' + b" " * 5000)
                data = data[:-20] if word == "cut-gzip" else HTML
                return Reply(body=data, headers={"Content-Encoding": "gzip"})
            case "json":
                return Reply(body=rest.encode())
            case "deep":
                return Reply(body=b"[" * 200_000)
            case "slow":
                return Reply(body=HTML, type="text/html", delay=float(rest))
            case "moved":
                return Reply(302, headers={"Location": rest or address})
        return None

    def _answer(self, path: str, query: dict[str, str]) -> Reply:
        if path in self.pictures:
            return Reply(body=self.pictures[path], type="image/jpeg")
        if path == "/sparql":
            return self._answer_sparql(query["query"])
        match query.get("action"), query.get("list"):
            case "wbgetentities", _:
                return self._answer_entities(query["ids"].split("|"))
            case "wbsearchentities", _:
                return self._answer_search(query["search"])
            case "query", "categorymembers":
                names = self.categories.get(query["cmtitle"].removeprefix("Category:"), [])
                members = [{"ns": 6, "title": f"File:{name}"} for name in names]
                return Reply(body=_json({"query": {"categorymembers": members}}))
            case "query", _:
                titles = [each for each in query.get("titles", "").split("|") if each]
                return self._answer_files(titles, int(query.get("iistart", 0)))
        return Reply(404, HTML, "text/html")

    def _answer_sparql(self, query: str) -> Reply:
        assert "SELECT ?person ?sitelinks WHERE" in query
        assert "ORDER BY" not in query
        low = int(re.findall(r"\?sitelinks >= (\d+)", query)[0])
        highs = re.findall(r"\?sitelinks < (\d+)", query)
        high = int(highs[0]) if highs else None
        if self.too_slow(low, high):
            return Reply(500, b"java.util.concurrent.TimeoutException", "text/plain")
        occupations = set(re.findall(r"P106 wd:(Q\d+)", query))
        rows = []
        for id, entity in self.entities.items():
            number = len(entity["sitelinks"])
            if low <= number and (high is None or number < high) and occupations <= _ids(entity):
                row = {
                    "person": {"type": "uri", "value": f"http://www.wikidata.org/entity/{id}"},
                    "sitelinks": {"type": "literal", "value": str(number)},
                }
                # Twice: a person with two dates of birth has two rows.
                rows += [row, row]
        rows += self.extra_rows
        found = {"head": {"vars": ["person", "sitelinks"]}, "results": {"bindings": rows}}
        return Reply(body=_json(found))

    def _answer_entities(self, ids: list[str]) -> Reply:
        assert len(ids) <= 50
        found: dict[str, Any] = {}
        for id in ids:
            if len(id) > 12:
                return Reply(
                    body=_json({"error": {"code": "no-such-entity", "info": "", "id": id}})
                )
            target = self.merged.get(id, id)
            entity = self.entities.get(target)
            if entity is None:
                found[id] = {"id": id, "missing": ""}
            elif target != id:
                found[id] = {**entity, "redirects": {"from": id, "to": target}}
            else:
                found[id] = entity
        return Reply(body=_json({"entities": found, "success": 1}))

    def _answer_search(self, text: str) -> Reply:
        """As Wikidata does: by the beginning of a label, with a description."""
        found = [
            {
                "id": id,
                "title": id,
                "label": label["value"],
                "description": "American actor",
                "match": {"type": "label", "language": "en", "text": label["value"]},
            }
            for id, entity in self.entities.items()
            if (label := entity["labels"].get("en"))
            and label["value"].lower().startswith(text.lower())
        ]
        searchinfo = {"search": text}
        return Reply(body=_json({"searchinfo": searchinfo, "search": found, "success": 1}))

    def _answer_files(self, titles: list[str], start: int) -> Reply:
        assert len(titles) <= 50
        pages, normalized = [], []
        for title in titles:
            plain = " ".join(title.replace("File:_", "File:").replace("_", " ").split())
            if plain not in self.files:
                plain = f"File:{plain[5:6].upper()}{plain[6:]}"
            if plain != title:
                normalized.append({"from": title, "to": plain})
            info = self.files.get(plain)
            if info is None:
                pages.append({"ns": 6, "title": plain, "missing": True})
            else:
                full = {key: self._absolute(value) for key, value in info.items()}
                page_id = sum(plain.encode())
                pages.append({"pageid": page_id, "ns": 6, "title": plain, "imageinfo": [full]})
        found: dict[str, Any] = {"query": {"normalized": normalized, "pages": pages}}
        if self.parts:
            # All pages come each time, but only some with what was asked for.
            end = start + self.parts
            for place, page in enumerate(pages):
                if not start <= place < end:
                    page.pop("imageinfo", None)
            if end < len(pages):
                found["continue"] = {"iistart": end, "continue": "||"}
        if self.endless:
            found["continue"] = {"iistart": 0, "continue": "||"}
        return Reply(body=_json(found))

    def _absolute(self, value: Any) -> Any:
        return f"{self.url}{value}" if isinstance(value, str) and value.startswith("/") else value


def make_claim(value: Any, rank: str = "normal") -> dict[str, Any]:
    """A statement: of an item's id, a text, a time, or (with a dict) as it is."""
    if isinstance(value, dict) and "mainsnak" in value:
        return value
    if isinstance(value, str) and re.fullmatch(r"Q\d+", value):
        value = {"entity-type": "item", "id": value}
    return {"mainsnak": {"snaktype": "value", "datavalue": {"value": value}}, "rank": rank}


UNKNOWN_VALUE = {"mainsnak": {"snaktype": "somevalue"}, "rank": "normal"}


def make_time(day: str, precision: int = 11) -> dict[str, Any]:
    return {"time": f"{day}T00:00:00Z", "precision": precision}


def _ids(entity: dict[str, Any]) -> set[str]:
    claims = entity["claims"].get("P106", [])
    return {each["mainsnak"]["datavalue"]["value"]["id"] for each in claims}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
