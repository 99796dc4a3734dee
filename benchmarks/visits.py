"""A visit timed as the visitor's browser would see it."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.visitor import Visitor, hidden

HTMX = {"HX-Request": "true"}
EVERY = re.compile(r'hx-trigger="every (\d+)ms"')


def time_visit(url: str, photo: Path) -> float:
    """Seconds from the click that sends the photo to the fragment that shows the result."""
    with Visitor(url) as visitor:
        form = visitor.session.get(url, timeout=60).text
        names = ("csrfmiddlewaretoken", "consent_version")
        values = {name: hidden(form, name) for name in names} | {"consent": "on"}
        started = time.perf_counter()
        with photo.open("rb") as file:
            answer = visitor.session.post(url, data=values, files={"photo": file}, timeout=60)
        text = answer.text
        while pause := read_pause(text):
            time.sleep(pause)
            text = visitor.session.get(f"{answer.url}status/", headers=HTMX, timeout=60).text
        return time.perf_counter() - started


def read_pause(text: str) -> float:
    """Seconds until the page asks again; 0 when it shows the result."""
    pause = EVERY.search(text)
    return int(pause[1]) / 1000 if pause else 0.0
