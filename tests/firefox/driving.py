"""Debian's Firefox, driven by Marionette, the protocol that is built into it (what geckodriver
speaks): JSON over a socket, each message after its length. Playwright needs a patched Firefox."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.live import free_port, wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's id: https://www.w3.org/TR/webdriver2/#elements."""


class Firefox:
    """One browser with a profile of its own. `quit` ends it."""

    def __init__(self, program: str, profile: Path, **preferences: bool | int | str) -> None:
        port = free_port()
        lines = {
            **preferences,
            "marionette.port": port,
            "intl.accept_languages": "en",
            "datareporting.policy.dataSubmissionEnabled": False,
            "app.normandy.enabled": False,
        }
        text = "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in lines.items())
        (profile / "user.js").write_text(text)
        words = [program, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
        with (profile / "log").open("w") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        wait_for(lambda: self._listens(port), "Firefox")
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._receive()
        self.ask("WebDriver:NewSession", capabilities={})

    @staticmethod
    def _listens(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def ask(self, command: str, **parameters: Any) -> Any:
        """The command's value. Raises AssertionError with what Firefox says against it."""
        message = json.dumps([0, 1, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _kind, _number, error, result = self._receive()
        assert error is None, error
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def _receive(self) -> Any:
        length = b""
        while (sign := self.socket.recv(1)) != b":":
            assert sign, "Firefox is gone"
            length += sign
        body = b""
        while len(body) < int(length):
            body += self.socket.recv(int(length) - len(body))
        return json.loads(body)

    def open(self, address: str) -> None:
        self.ask("WebDriver:Navigate", url=address)

    def run(self, script: str) -> Any:
        return self.ask("WebDriver:ExecuteScript", script=script, args=[])

    def find(self, selector: str, seconds: float = 60) -> str:
        """The id of the first element that is seen, waited for."""
        seen = f"return document.querySelector({json.dumps(selector)})?.checkVisibility() || false"
        deadline = time.monotonic() + seconds
        while not self.run(seen):
            assert time.monotonic() < deadline, f"{selector}: {self.text('main')}"
            time.sleep(0.1)
        found: dict[str, str] = self.ask(
            "WebDriver:FindElement", using="css selector", value=selector
        )
        return found[ELEMENT]

    def click(self, selector: str) -> None:
        self.ask("WebDriver:ElementClick", id=self.find(selector))

    def text(self, selector: str) -> str:
        return str(self.run(f"return document.querySelector({json.dumps(selector)})?.innerText"))

    def choose_file(self, selector: str, path: Path) -> None:
        found = self.ask("WebDriver:FindElement", using="css selector", value=selector)
        self.ask("WebDriver:ElementSendKeys", id=found[ELEMENT], text=str(path))

    def quit(self) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(30)
