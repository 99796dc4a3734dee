"""A visitor without JavaScript: fills in the form of a running site and waits for the result."""

from __future__ import annotations

import re
from pathlib import Path

import requests

from tests.live import wait_for

PERSON = re.compile(r'href="/people/([^/"]+)/"')


class Visitor:
    """One browser session at a site, which waits for an answer for ``patience`` seconds."""

    patience = 30.0

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.headers["Accept-Language"] = "en"

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *about: object) -> None:
        self.session.close()

    def give(self, photo: Path, **choices: str) -> str:
        """Send a photo with consent; the address of the page to wait on."""
        values = agree(self.read(self.url)) | choices
        with photo.open("rb") as file:
            files = {"photo": file}
            answer = self.session.post(self.url, data=values, files=files, timeout=self.patience)
        assert answer.status_code == 200, answer.text
        assert "/u/" in answer.url, answer.text
        return answer.url

    def wait_for_result(self, page: str, seconds: float = 60) -> str:
        """The text of the page once it asks nobody to wait any more."""
        wait_for(lambda: not self.is_waiting(page), f"the result at {page}", seconds)
        return self.read(page)

    def is_waiting(self, page: str) -> bool:
        # A result has triggers of its own; only the waiting page asks again and again.
        return 'hx-trigger="every ' in self.read(f"{page}status/")

    def read(self, address: str) -> str:
        return self.session.get(address, timeout=self.patience).text

    def find_people(self, photo: Path, **choices: str) -> list[str]:
        """The slugs of the people whom the result for a photo shows, best first."""
        text = self.wait_for_result(self.give(photo, **choices))
        return list(dict.fromkeys(PERSON.findall(text)))


def agree(form: str) -> dict[str, str]:
    """What the form sends beside the photo, with consent."""
    names = ("csrfmiddlewaretoken", "consent_version")
    return {name: hidden(form, name) for name in names} | {"consent": "on"}


def hidden(form: str, name: str) -> str:
    [field] = {tag for tag in re.findall(r"<input[^>]*>", form) if f'name="{name}"' in tag}
    found = re.search(r'value="([^"]+)"', field)
    assert found, f"no value for {name}"
    return found[1]
